"""Members that a statement below a class took off it: ``del A.size``, ``delattr(A, name)`` in a loop.

It cannot do so twice. So before it runs again the class has what its body gives and such a statement took, and so it
has once the statement left the text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hotswap._apply._scopes import ModuleScope
from hotswap._apply._stale import unquiet
from hotswap._model import Kind, Statement

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit

_ANY: Final = ""


def put_back(visit: Visit, statement: Statement) -> None:
    """Give the classes of the module what `statement`, which is about to run again, took off them."""
    if isinstance(visit.scope, ModuleScope):
        for owner, name in _taken(statement.node):
            _put_back(visit, owner, name)


def undo(visit: Visit, statement: Statement) -> bool:
    """Give the classes what `statement`, which left the text, took and no other does; return whether that was all."""
    taken = list(_taken(statement.node)) if isinstance(visit.scope, ModuleScope) else []
    again = {one for other in visit.work.edit.new.statements for one in _taken(other.node)} if taken else set()
    left = [(owner, name) for owner, name in taken if again.isdisjoint(((owner, name), (owner, _ANY)))]
    back = [_put_back(visit, owner, name) for owner, name in left]
    return bool(taken) and all(back) and isinstance(statement.node, ast.Delete)


def _taken(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """Yield the names of objects and of members that `node` takes off them; `_ANY` where that is worked out."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return
    for inner in ast.walk(node):
        match inner:
            case ast.Attribute(value=ast.Name(id=owner), attr=name, ctx=ast.Del()):
                yield owner, name
            case ast.Call(func=ast.Name(id="delattr"), args=[ast.Name(id=owner), ast.Constant(value=str(name))]):
                yield owner, name
            case ast.Call(func=ast.Name(id="delattr"), args=[ast.Name(id=owner), _]):
                yield owner, _ANY


def _put_back(visit: Visit, owner: str, name: str) -> bool:
    live, work = visit.scope.peek(owner), visit.work
    bodies = [one for one in work.edit.new.statements if one.kind is Kind.CLASS and one.binds[-1] == owner]
    if not isinstance(live, type) or len(bodies) != 1 or not isinstance(bodies[0].node, ast.ClassDef):
        return False
    inner = type(visit)(visit.swap, work, work.class_scope(visit.scope, bodies[0].node, live))
    plain = (one for one in bodies[0].children if one.kind in (Kind.DEF, Kind.ASSIGN))
    lacking = [one for one in plain if _lacks(live, inner, one, name)]
    back = [_make(inner, one) for one in lacking]
    visit.swap.commit()
    return bool(back) and all(back)


def _lacks(live: type, inner: Visit, statement: Statement, name: str) -> bool:
    wanted = name in (_ANY, *statement.binds)
    return wanted and not any(inner.scope.mangled(one) in vars(live) for one in statement.binds)


def _make(inner: Visit, statement: Statement) -> bool:
    """Make a member anew, or bind the live function that is held elsewhere; return whether it is there."""
    raws = [f for (place, _), found in inner.work.functions.items() if place == inner.named(statement) for f in found]
    if statement.kind is Kind.DEF and len(raws) == 1 and not getattr(statement.node, "decorator_list", ()):
        inner.scope.store(statement.binds[-1], raws[0])
        return True
    if unquiet(inner, statement):
        return False
    inner.execute(statement, "a statement below took it off the class")
    return True
