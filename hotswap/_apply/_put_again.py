"""Calls that put a value where another text of theirs had put one: ``provide("db", connect)``.

What such a call did does not stay when its text changes: the new one overwrites it. That is known of a function that
only stores what it is given, at places that arguments say which both texts have in common.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Final

from hotswap._apply._inside import unwrapped
from hotswap._apply._noting import held
from hotswap._model import Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import is_a
from hotswap._text._names import dotted_of

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit

_PLAIN: Final = (ast.Assign, ast.AnnAssign, ast.If, ast.Pass, ast.Return, ast.Raise, ast.Global)
_STORED: Final = (ast.Subscript, ast.Attribute)


def is_put_again(visit: Visit, old: Statement, others: Iterable[Statement]) -> bool:
    """Whether one of `others`, which run now, puts something at each place where `old` has put what it was given."""
    call = _call(old)
    dotted = dotted_of(call.func) if call is not None else None
    again = [one for other in others if (one := _call(other)) is not None and dotted_of(one.func) == dotted]
    if call is None or not dotted or not again:
        return False
    found = _function(visit, dotted)
    node = visit.swap.definition(found[0]) if found is not None else None
    if found is None or not isinstance(node, ast.FunctionDef) or node.decorator_list or not _only_stores(node.body):
        return False
    places = _deciding(node)
    wanted = _given(call, node, places, bound=found[1])
    return (
        wanted is not None
        and _is_steady(visit, wanted)
        and any(wanted == _given(one, node, places, bound=found[1]) for one in again)
    )


def _call(statement: Statement) -> ast.Call | None:
    node = statement.node
    return node.value if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None


def _function(visit: Visit, dotted: str) -> tuple[FunctionType, bool] | None:
    """Return the function that is called by `dotted`, and whether it is handed the object in front of the dot."""
    owner, _, name = dotted.rpartition(".")
    value, holder = held(visit.scope, dotted), held(visit.scope, owner) if owner else MISSING
    bound = value is MISSING and holder is not MISSING and not is_a(holder, type)
    if bound:
        value = inspect.getattr_static(type(holder), name, None)
    function = unwrapped(value)
    is_plain = type(function) is FunctionType and (function is value or not bound)
    return (function, bound or function is not value) if is_plain and isinstance(function, FunctionType) else None


def _only_stores(body: Iterable[ast.stmt]) -> bool:
    """Whether statements do nothing but put values at places; what else they call are plain types."""
    for one in body:
        is_text = isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
        if not is_text and not isinstance(one, _PLAIN):
            return False
        if any(isinstance(inner, ast.Call) and not _makes_plainly(inner) for inner in ast.walk(one)):
            return False
        if isinstance(one, ast.If) and not _only_stores((*one.body, *one.orelse)):
            return False
    return True


def _makes_plainly(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and isinstance(getattr(builtins, call.func.id, None), type)


def _deciding(node: ast.FunctionDef) -> frozenset[str]:
    """Return the names on which it depends where, and whether, the function stores something."""
    found = {name for one in ast.walk(node) for part in _places(one) for name in _names(part)}
    size = -1
    while size != (size := len(found)):
        for one in ast.walk(node):
            if isinstance(one, ast.Assign) and any(isinstance(to, ast.Name) and to.id in found for to in one.targets):
                found |= {*_names(one.value)}
    return frozenset(found)


def _places(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.If):
        yield node.test
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (one for one in targets if isinstance(one, _STORED))


def _names(node: ast.AST) -> Iterator[str]:
    return (one.id for one in ast.walk(node) if isinstance(one, ast.Name))


def _given(call: ast.Call, node: ast.FunctionDef, wanted: frozenset[str], *, bound: bool) -> dict[str, str] | None:
    """Return what `call` gives for those of the `wanted` parameters, as texts; None if that is not known."""
    names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)][bound:]
    starred = any(isinstance(one, ast.Starred) for one in call.args) or any(not one.arg for one in call.keywords)
    if starred or node.args.vararg or node.args.kwarg or len(call.args) > len(names):
        return None
    found = dict(zip(names, map(ast.unparse, call.args), strict=False))
    found |= {one.arg: ast.unparse(one.value) for one in call.keywords if one.arg}
    return {name: text for name, text in found.items() if name in wanted}


def _is_steady(visit: Visit, given: dict[str, str]) -> bool:
    """Whether texts mean what they meant when the old statement ran: they call nothing, and read nothing new."""
    changes, module = visit.swap.changes, visit.work.edit.module
    nodes = [one for text in given.values() for one in ast.walk(ast.parse(text, mode="eval"))]
    names = [dotted for one in nodes if isinstance(one, ast.expr) and (dotted := dotted_of(one))]
    calls = any(isinstance(one, (ast.Call, ast.Lambda)) for one in nodes)
    return not calls and not any(changes.reads(visit.scope.namespace, module, name) for name in names)
