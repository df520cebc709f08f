"""Modules that only follow, and the second round through a cycle of imports, where modules read what came later."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from hotswap._apply import _follow, _stale
from hotswap._apply._visit import Visit
from hotswap._model import Kind, Statement

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap, Work


def follow_imports(swap: Swap, work: Work) -> None:
    """Bring the import bindings of a module of which nothing else may change to what they are now."""
    visit = Visit(swap, work, work.scope)
    for pair in work.edit.diff.unchanged:
        _follow.follow(visit, pair.new)


def visit_unchanged(swap: Swap, work: Work) -> None:
    """Go through the unchanged statements once more, and all imports: in a cycle, what they read may have changed."""
    visit = Visit(swap, work, work.scope)
    visit.old, visit.new = work.edit.old.statements, work.edit.new.statements
    diff = work.edit.diff
    visit.chains.partner.update((id(pair.new), pair.old) for pair in diff.unchanged)
    for statement in (*(pair.new for pair in diff.changed), *diff.added):
        _follow_inside(visit, statement)
    for pair in diff.unchanged:
        if id(pair.new) not in swap.forced:
            _stale.keep(visit, pair)


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
