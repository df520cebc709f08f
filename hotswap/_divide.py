"""A save in two parts: small edits that belong to nothing else of it, and all others, which take the plain way.

The parts reach each other by no import, so they are groups of their own, as `_plan._groups.split` makes them. What is
new in one file may have moved there from another one, so it is not parted from those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from hotswap._apply._small import apply_small
from hotswap._loader._baselines import Baseline
from hotswap._model import Outcome
from hotswap._modules import Entry, Loaded
from hotswap._plan._groups import split
from hotswap._plan._prepare import Prepared
from hotswap._points._way import collecting_later
from hotswap._process import Process
from hotswap._small import Found, SmallEdits, is_plain

Read = Callable[[Iterable[Entry]], Prepared]


@dataclass(slots=True)
class Parts:
    """The parts of the save that `changed` are: `small` edits, and what the other files say.

    `outcomes` are those of the small edits once they are applied, `replaced` the baselines that were live before.
    """

    changed: Sequence[Entry]
    small: list[Found]
    rest: Prepared
    outcomes: tuple[Outcome, ...] = ()
    replaced: dict[str, Baseline] = field(default_factory=dict)

    def with_all(self, read: Read) -> Parts:
        """Return it with the small edits among the rest."""
        names = {one.name for one in self.small}
        self.rest.add(read(entry for entry in self.changed if entry.name in names))
        return Parts(self.changed, [], self.rest)


def divide(process: Process, edits: SmallEdits, changed: Sequence[Entry], loaded: Loaded, read: Read) -> Parts:
    """Divide the save that `changed` are; `loaded` is all that there is, `read` reads files for a plan."""
    with collecting_later():
        found = {one.name: one for one in edits.find(filter(is_plain, changed), loaded)}
    names = [entry.name for entry in changed if entry.name not in found]
    if not names:
        return Parts(changed, list(found.values()), Prepared())
    rest = read(entry for entry in changed if entry.name not in found)
    if found:
        groups = split(process, rest, loaded.entries, (entry.name for entry in changed))
        near = {name for group in groups if not group.isdisjoint(names) for name in group}
        near |= {name for name, one in found.items() if any(part.added for part in one.edit.region.parts)}
        with_them = [entry for entry in changed if entry.name in found and entry.name in near]
        for entry in with_them:
            edits.leave(entry)
            del found[entry.name]
        rest.add(read(with_them))
    return Parts(changed, list(found.values()), rest)


def apply_parts(edits: SmallEdits, parts: Parts, read: Read) -> Parts:
    """Apply the small edits; return what there is, and what is left to do: all of it if they do not go that way."""
    if parts.small:
        outcomes = apply_small([one.edit for one in parts.small])
        if outcomes is None:
            return parts.with_all(read)
        parts.outcomes, parts.replaced = outcomes, edits.accept(parts.small)
    return parts
