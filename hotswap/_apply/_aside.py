"""Assignments that are evaluated aside: whether they would give something else than their names hold."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from hotswap._apply._scopes import ClassScope
from hotswap._apply._segments import segments
from hotswap._errors import StatementError
from hotswap._model import Kind, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import alike, as_member, holds_the_same

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit


def gives_otherwise(visit: Visit, statement: Statement) -> str:
    """Evaluate a quiet assignment that no rule finds stale, and say so if it gives something else than it holds.

    That is asked only of those which were quiet, and gave what they hold, just before anything changed.
    """
    scope = visit.scope
    visit.make_ready(statement, [statement.node])
    try:
        made = scope.run([statement.node])
    except StatementError:
        return ""
    held = ((name, as_member(scope.peek(name))) for name in statement.binds)
    changed = [name for name, value in held if not alike(as_member(made.get(name, MISSING)), value)]
    return f"gives another {changed[0]}" if changed else ""


def gives_the_same(visit: Visit, statement: Statement) -> bool:
    """Whether a quiet assignment that is stale gives objects like those that its names hold."""
    if statement.kind is not Kind.ASSIGN or statement.mutates or isinstance(visit.scope, ClassScope):
        return False
    nodes = _with_links(visit, statement)
    visit.make_ready(statement, nodes)
    try:
        made = visit.scope.run(visit.wrap(nodes))
    except StatementError:
        return False
    names = made.keys() | set(statement.binds)
    return all(holds_the_same(made.get(name, MISSING), visit.scope.peek(name)) for name in names)


def _with_links(visit: Visit, statement: Statement) -> list[ast.stmt]:
    """Return the nodes that make what `statement` binds: its own, and those of quiet links that make more of it."""
    from hotswap._apply._remaking import links_of, unquiet_link  # which asks who is stale: the two know each other

    found = {id(statement): statement}
    for name in statement.binds:
        links = links_of(visit, name, visit.new, ())
        last = segments(name, links)[-1] if len(links) > 1 else []
        if statement in last and not any(unquiet_link(visit, visit.chains, link, name) for link in last):
            found |= {id(link): link for link in last}
    return [one.node for one in sorted(found.values(), key=lambda one: one.lineno)]
