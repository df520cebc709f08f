"""The net under the rules: which further values are evaluated aside, to see whether they give something else now.

The rules say of a statement why it is stale; what they do not follow (a method behind two attributes, what a registry
had in it, a name looked up as text) they would miss without a word. So assignments that have to do with what changed
are evaluated aside as well if they are quiet: before the edit, whether they give what they hold, and afterwards. Which
these are is told by names: the changed ones, what is imported from modules that may be concerned, and what is made of
either.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final

from hotswap._graph._facts import Fact, Facts, first_names
from hotswap._model import Edit, Kind

if TYPE_CHECKING:
    from hotswap._graph._sketch import Sketch

_MODULES: Final = 30
"""So many modules are looked at in one swap besides those that the rules have to do with."""

_STATEMENTS: Final = 150


def further(
    sketch_of: Callable[[str], Sketch | None], others: Iterable[str], touched: AbstractSet[str], rank: Mapping[str, int]
) -> list[str]:
    """Return those of the modules `others` that may have made values of what they import from modules `touched`."""
    may = [name for name in others if _may_evaluate(sketch_of(name), touched)]
    return sorted(may, key=lambda name: rank.get(name, 0))[:_MODULES]


def _may_evaluate(sketch: Sketch | None, touched: AbstractSet[str]) -> bool:
    """Whether a module reads, while it runs, what it imports from one of the modules `touched`."""
    if sketch is None:
        return False
    if not touched.isdisjoint(sketch.stars):
        return True
    heres = [here for source, there, here in sketch.froms if source in touched or f"{source}.{there}" in touched]
    heres += [here for here, source in sketch.modules if source in touched]
    return any(here.partition(".")[0] in sketch.runs for here in heres)


def evaluated_aside(
    facts: Mapping[str, Facts],
    edits: Mapping[str, Edit],
    touched: AbstractSet[str],
    chosen: Mapping[str, Collection[tuple[int, ...]]],
) -> dict[str, list[tuple[int, ...]]]:
    """Return the places of the assignments to evaluate aside, by module; `chosen` have places that a rule looks at."""
    found: dict[str, list[tuple[int, ...]]] = {}
    left = _STATEMENTS
    for module, known in facts.items():
        reached = _reached(known, edits.get(module), touched)
        known_places = chosen.get(module, ())
        places = [fact.place for fact in known.every if _is_value(fact, reached) and fact.place not in known_places]
        found[module], left = places[:left], left - len(places[:left])
    return {module: places for module, places in found.items() if places}


def _is_value(fact: Fact, reached: AbstractSet[str]) -> bool:
    if fact.scope or len(fact.place) > 1 or fact.statement.kind is not Kind.ASSIGN:
        return False
    return not reached.isdisjoint(first_names(fact))


def _reached(facts: Facts, edit: Edit | None, touched: AbstractSet[str]) -> set[str]:
    """Return the names of a module that have to do with what changed, or with modules that may be concerned."""
    found = set(_changed(edit)) if edit is not None else set()
    for edge in facts.edges:
        for there, here in edge.names:
            if here == "*" and edge.imported in touched:
                found.update(vars(sys.modules.get(edge.imported, sys)))
            elif edge.imported in touched or f"{edge.imported}.{there}" in touched:
                found.add(here.partition(".")[0])
    waiting = list(found)
    while waiting:
        for fact in facts.by_name.get(waiting.pop(), ()):
            made = (
                {*fact.statement.binds, *fact.statement.mutates} if not fact.scope else {fact.scope.partition(".")[0]}
            )
            waiting += made - found
            found |= made
    return found


def _changed(edit: Edit) -> Iterator[str]:
    """Yield the names that statements which changed, came or went bind or alter."""
    pairs = edit.diff.changed
    statements = [*edit.diff.added, *edit.diff.removed, *(one for pair in pairs for one in (pair.old, pair.new))]
    for statement in statements:
        yield from statement.binds
        yield from statement.mutates
