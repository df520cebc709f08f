"""Modules that only follow, and the second round through a cycle of imports, where modules read what came later."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hotswap._apply import _follow, _stale
from hotswap._apply._remaking import links_of
from hotswap._apply._segments import segments
from hotswap._apply._visit import Visit
from hotswap._model import Diff, Kind, Pair, Statement

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap, Work


def follow_imports(swap: Swap, work: Work) -> None:
    """Bring the import bindings of a module of which nothing else may change to what they are now."""
    visit = Visit(swap, work, work.scope)
    for pair in work.edit.diff.unchanged:
        _follow.follow(visit, pair.new)


def visit_unchanged(swap: Swap, work: Work) -> None:
    """Go through all statements once more, as if no text had changed: what they read may have since they ran."""
    visit = Visit(swap, work, work.scope)
    visit.old, visit.new = work.edit.old.statements, work.edit.new.statements
    diff = work.edit.diff
    visit.chains.partner.update((id(pair.new), pair.old) for pair in diff.unchanged)
    for statement in (*(pair.new for pair in diff.changed), *diff.added):
        _follow_inside(visit, statement)
    _note_what_ran(visit)
    for pair in _as_they_are(diff, visit.new):
        if id(pair.new) not in swap.forced:
            _stale.keep(visit, pair)


def _note_what_ran(visit: Visit) -> None:
    """Note that what statements have just made nobody has touched, and that none of several that make a name runs
    alone.
    """
    for statement in visit.new:
        if statement.kind is not Kind.ASSIGN or id(statement) not in visit.swap.maybe:
            continue
        makers = [links_of(visit, name, visit.new, ()) for name in statement.binds]
        if all(len(links) < 2 for links in makers):
            if id(statement) in visit.swap.ran_at:
                visit.swap.touched.pop(id(statement), None)
        elif any(segments(name, links)[-1] != [statement] for name, links in zip(statement.binds, makers, strict=True)):
            visit.swap.touched.setdefault(id(statement), "it is made by several statements")


def _as_they_are(diff: Diff, new: Sequence[Statement]) -> Iterator[Pair]:
    """Yield the statements of a block that was gone through as pairs of which nothing changed."""
    unchanged = {id(pair.new): pair for pair in diff.unchanged}
    changed = {id(pair.new): pair for pair in diff.changed if pair.old.kind is pair.new.kind}
    for statement in new:
        if id(statement) in unchanged:
            yield unchanged[id(statement)]
        elif not _may_end_early(statement):
            pair = changed.get(id(statement), Pair(statement, statement))
            inner = pair.inner and Diff(unchanged=tuple(_as_they_are(pair.inner, statement.children)))
            yield pair if pair.new.kind is Kind.DEF else Pair(statement, statement, inner)


def _may_end_early(statement: Statement) -> bool:
    """Whether a ``try`` or ``with`` is in `statement`, of which other lines ran than before its text changed."""
    ends = statement.kind is Kind.SUITE and not isinstance(statement.node, ast.If)
    return ends or any(map(_may_end_early, statement.children))


def _follow_inside(visit: Visit, statement: Statement) -> None:
    """Follow the imports of a statement that ran already, those in its suites and its loops included."""
    if statement.kind is Kind.IMPORT:
        _follow.follow(visit, statement)
    elif statement.kind is Kind.OTHER:
        _follow.follow_stars(visit, statement)
    elif statement.kind is Kind.SUITE:
        truth = _stale.truth(visit, statement.node) if isinstance(statement.node, ast.If) else True
        for child in statement.children:
            if (child.branch == "body") is truth:
                _follow_inside(visit, child)
