"""How far a small edit reaches: does anything have to run after it, and who binds a constant of it anew?"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from hotswap._graph._bindings import follower
from hotswap._graph._facts import WHOLE, Facts
from hotswap._graph._followers import Follower, Followers
from hotswap._graph._overrides import is_called_back
from hotswap._graph._select import Selection
from hotswap._loader._baselines import compiled
from hotswap._loader._compile import all_codes
from hotswap._model import Diff, Edit, Kind
from hotswap._modules import Entry
from hotswap._plan._altered import is_handed
from hotswap._plan._groups import Selected, follow, followers_of, known_facts, select
from hotswap._plan._near import find_near, looking_up, names_in, names_that_come_or_go, see_loading
from hotswap._points._hooks import AFTER, BEFORE
from hotswap._process import Process
from hotswap._text._diff import any_says_otherwise

_ARE_LATE: Final = sys.version_info >= (3, 14)
Reached = Mapping[tuple[str, str], Followers]


def reach(process: Process, edits: Iterable[Edit], entries: Iterable[Entry]) -> Reached | None:
    """Return who only binds constants of `edits`, parts of some, by module and name; None if there is more to them.

    That is where a statement of any module may have to run, or a name to be bound anew with anything but a constant.
    Also where caches may hold results of what changes, as that takes more than a look at texts. Several edits are
    looked at together; none of them may change a constant then.
    """
    given = {edit.module: edit for edit in edits}
    see_loading(process, given.values())
    affected = process.graph.affected(given)
    if not affected.isdisjoint(process.memo) or not affected.isdisjoint(process.ran_again):
        return None
    names = {(edit.module, name) for edit in given.values() for name in _constants(edit.diff)}
    near = {name: edit for name, edit in given.items() if not _is_named_nowhere(process, edit, affected)}
    if not near:
        return {place: follow(process, *place, {place[0]}) for place in names}
    packages, paths = {entry.name: entry.package for entry in entries}, {entry.name: entry.path for entry in entries}
    selected, _ = select(process, affected, near, packages, ())
    selected.selection.chosen()
    if selected.selection.runs():
        return None
    return _followers(process, selected, given, names, packages, paths)


def _followers(
    process: Process,
    selected: Selected,
    edits: Mapping[str, Edit],
    names: AbstractSet[tuple[str, str]],
    packages: Mapping[str, str],
    paths: Mapping[str, str],
) -> Reached | None:
    """Return who binds the constants `names`; None if more than these are bound anew, or not by plain imports."""
    others = [selected.of[name] for name in selected.of if name not in edits and selected.selection.follows(name)]
    met = {name for name in edits if selected.selection.has_met(name)}
    found = followers_of(process, selected, {*met, *(one.module for one in others)})
    if not found.keys() <= names or any(map(_has_hook, others)):
        return None
    for module in edits if names else ():
        own_names = {name for _, name in names}
        if not _are_bound_once(process, module, own_names, packages) or _annotates(process, module, own_names):
            return None
    own: dict[tuple[str, str], list[Follower]] = {place: [] for place in names}
    for one in others:
        bound = {here: (module, there) for module in edits for there, here in _froms(one, module)}
        bound = {here: place for here, place in bound.items() if place in names}
        if bound.keys() != selected.selection.values(one.module) or not all(_binds_once(one, here) for here in bound):
            return None
        for here, place in bound.items():
            own[place].append(follower(one.module, paths[one.module], here))
    none = Followers.of(())
    return {place: Followers.of((*found.get(place, none).members, *more)) for place, more in own.items()}


def _constants(diff: Diff) -> Iterator[str]:
    for pair in diff.changed:
        if pair.new.kind is Kind.ASSIGN:
            yield from pair.new.binds


def _has_hook(facts: Facts) -> bool:
    return any(name in (BEFORE, AFTER) for fact in facts.every for name in fact.statement.binds)


def _annotates(process: Process, module: str, names: AbstractSet[str]) -> bool:
    """Whether annotations of the module, evaluated once they were asked for, may have one of `names` in them."""
    if not _ARE_LATE:
        return False
    baseline = process.baselines.get(module)
    code = compiled(baseline) if baseline is not None else None
    return code is None or any(
        one.co_name == "__annotate__" and not names.isdisjoint(one.co_names) for one in all_codes(code)
    )


def _froms(facts: Facts, source: str) -> Iterator[tuple[str, str]]:
    """Yield the names that a module imports from `source`, and what they are called there."""
    for edge in facts.edges:
        if edge.imported == source and not edge.deferred:
            yield from edge.names


def _binds_once(facts: Facts, name: str) -> bool:
    """Whether one statement alone binds `name`, and none alters what it stands for."""
    bound = [one for fact in facts.every for one in (*fact.statement.binds, *fact.statement.mutates) if one == name]
    return len(bound) == 1


def _are_bound_once(process: Process, module: str, names: AbstractSet[str], packages: Mapping[str, str]) -> bool:
    facts = known_facts(process, module, packages[module], Selection(), needed=True)
    return facts is None or all(_binds_once(facts, name) for name in names)


def _is_named_nowhere(process: Process, edit: Edit, affected: AbstractSet[str]) -> bool:
    """Whether what `edit` changes is named nowhere but where it stands, which is found out without a parse."""
    text = edit.new.text
    if any(is_called_back(edit.module, name) for name in names_in(edit.diff)):
        return False
    names = [name.rpartition(".")[2] for name in names_in(edit.diff)]
    if any(text.count(name) != 1 or name.startswith("__") for name in names):
        return False
    if any(f"{name}(" in text for name in WHOLE) or is_handed(edit.diff) or any_says_otherwise(edit.diff):
        return False
    if looking_up(process, frozenset(names), affected):
        return False
    return find_near(process, {edit.module: edit}, {edit.module: names_that_come_or_go(edit)}) == {edit.module}
