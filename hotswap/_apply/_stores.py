"""Stores into attributes and items, ``f.limit = 3`` or ``TABLE["f"] = f``, that left the text.

What a fresh process has in such a place is known where nothing else puts something there: a function has no attributes
by itself, a class those of its body, and what enters a table as a function or class was registered. That is taken back.
In other places something may have been before the store, and nobody has that any more: it stays, and is told.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Any

from hotswap._apply._collectors import is_known
from hotswap._apply._generate import called
from hotswap._apply._leftovers import reaches_out
from hotswap._apply._noting import held
from hotswap._apply._remaking import TAKES
from hotswap._apply._scopes import ModuleScope
from hotswap._apply._stale import unquiet
from hotswap._apply._uses import stored
from hotswap._model import Kind, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import same
from hotswap._text._diff import decorators
from hotswap._text._names import dotted_of, root_of
from hotswap.patch._functions import doc_of

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit

Place = ast.Attribute | ast.Subscript


def take_back(visit: Visit, left: Iterable[Statement]) -> None:
    """Take back, or tell, what statements that `left` the text stored, if no other statement stores it there."""
    if not isinstance(visit.scope, ModuleScope):
        return
    found = [(one, place, value) for one in left for place, value in _places(one.node)]
    if not found:
        return
    every = visit.work.edit.new.statements
    places = [place for one in every for node in ast.walk(one.node) for place, _ in _places(node)]
    stays = {*map(ast.unparse, places), *(_at(visit, place) for place in places)}
    for statement, place, value in found:
        if stays.isdisjoint((ast.unparse(place), _at(visit, place))) and _is_borrowed(visit, root_of(place)):
            if not _take_back(visit, place, value):
                visit.swap.tell(visit.work, "HS203", statement.lineno, name=ast.unparse(statement.node)[:60])


def _at(visit: Visit, place: Place) -> tuple[int, str]:
    """Return which object `place` is in, whatever it is called, and where in that."""
    inside = place.attr if isinstance(place, ast.Attribute) else ast.unparse(place.slice)
    return id(held(visit.scope, dotted_of(place.value) or "")), inside


def undo_call(visit: Visit, statement: Statement) -> bool:
    """Take back what a call that left the text, ``A = tag(A)`` or ``tag(A)``, set on a definition of this block.

    Return whether that is all it did.
    """
    call = getattr(statement.node, "value", None)
    given = call.args[0] if isinstance(call, ast.Call) and call.args else None
    if not isinstance(call, ast.Call) or not isinstance(given, ast.Name):
        return False
    live, function = visit.scope.peek(given.id), called(visit, call)
    there = any(one.kind in (Kind.CLASS, Kind.DEF) and one.binds[-1] == given.id for one in visit.new)
    if not there or type(function) is not FunctionType or is_known(function):
        return False
    nodes = (node for one in visit.new for node in ast.walk(one.node))
    again = {ast.unparse(node) for node in nodes if isinstance(node, ast.Call)}
    taken = [_take_mark(visit, live, name) for name in stored(function.__code__) if ast.unparse(call) not in again]
    return bool(taken) and all(taken) and not reaches_out(function.__code__)


def _take_mark(visit: Visit, live: object, name: str) -> bool:
    if isinstance(live, type):
        return name not in vars(live) or _take_member(visit, live, name)
    if type(live) is FunctionType and name in vars(live):
        visit.swap.journal.del_item(vars(live), name)
    return type(live) is FunctionType


def _places(node: ast.AST) -> Iterator[tuple[Place, ast.expr]]:
    """Yield where an assignment stores what it does not bind, each with the value."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
        yield from ((target, node.value) for target in targets if isinstance(target, Place))


def _is_borrowed(visit: Visit, root: str | None) -> bool:
    """Whether the module did not make the object of `root`, or keeps it: else what alters it are links of a chain."""
    makers = list(_makers(visit.work.edit.new.statements, root))
    if root is None or visit.scope.peek(root) is MISSING:
        return False
    registrations = visit.swap.registrations
    if registrations is not None and registrations.keeps(visit.scope.peek(root)):
        return True
    kept = (Kind.IMPORT, Kind.DEF, Kind.CLASS)
    return all(one.kind in kept or isinstance(getattr(one.node, "value", None), TAKES) for one in makers)


def _makers(statements: Iterable[Statement], name: str | None) -> Iterator[Statement]:
    """Yield the statements that bind `name`, those in suites for these."""
    for one in statements:
        if name in one.binds and one.kind is Kind.SUITE and any(name in child.binds for child in one.children):
            yield from _makers(one.children, name)
        elif name in one.binds:
            yield one


def _take_back(visit: Visit, place: Place, value: ast.expr) -> bool:
    """Take a store back; False if it stays."""
    owner: Any = held(visit.scope, dotted_of(place.value) or "")
    if isinstance(place, ast.Subscript):
        return _take_item(visit, owner, place.slice, value)
    if visit.swap.mentions(f".{place.attr} =", visit.work.edit.module):
        return False
    if type(owner) is FunctionType and place.attr == "__doc__":  # it has its own again
        visit.swap.journal.set_attribute(owner, "__doc__", doc_of(visit.swap.pending_code(owner)))
        return True
    if type(owner) is FunctionType:
        is_own = place.attr in vars(owner)
        if is_own:
            visit.swap.journal.del_item(vars(owner), place.attr)
        return is_own or not hasattr(FunctionType, place.attr)
    return isinstance(owner, type) and _take_member(visit, owner, place.attr)


def _take_member(visit: Visit, owner: type, name: str) -> bool:
    """Take back what a statement below the class `owner` of this module made of one of its members."""
    bodies = (one for one in visit.new if one.kind is Kind.CLASS and visit.scope.peek(one.binds[-1]) is owner)
    body = next(bodies, None)
    if body is None or not isinstance(body.node, ast.ClassDef) or decorators(body.node):
        return False
    inner = type(visit)(visit.swap, visit.work, visit.work.class_scope(visit.scope, body.node, owner))
    stated = [one for one in body.children if name in one.binds]
    if not stated:
        inner.forget([Statement(name, Kind.ASSIGN, b"", body.lineno, body.lineno, (name,))], ())
        return True
    if len(stated) > 1 or stated[0].kind is not Kind.ASSIGN or unquiet(inner, stated[0]):
        return False
    inner.execute(stated[0], "what was put over it left the text")
    return True


def _take_item(visit: Visit, owner: Any, key: ast.expr, value: ast.expr) -> bool:
    at = key.value if isinstance(key, ast.Constant) else held(visit.scope, dotted_of(key) or "")
    put = held(visit.scope, dotted_of(value) or "")
    if type(owner) is not dict or not (type(at) in (str, int, FunctionType) or isinstance(at, type)):
        return False  # no __hash__ of the program is called
    if at not in owner:
        return True
    written = f"{at!r}" if type(at) in (str, int) else ast.unparse(key)
    others = (
        {written, written.replace("'", '"'), f"[{written}]"} if type(at) is str else {f"[{written}]", f"{written}:"}
    )
    if not isinstance(put, (FunctionType, type)) or not same(owner[at], put):
        return False
    if any(visit.swap.mentions(one, visit.work.edit.module) for one in others):
        return False
    visit.swap.journal.del_item(owner, at)
    return True
