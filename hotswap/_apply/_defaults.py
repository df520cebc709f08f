"""Default values that calls have filled: ``def remember(x, seen=[])`` keeps its list when another default changes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType
from typing import TYPE_CHECKING

from hotswap._apply._filled import is_filled
from hotswap._run._journal import CONTAINERS
from hotswap._text._diff import dump
from hotswap._text._names import dotted_of
from hotswap._text._source import start_line

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit

_Def = ast.FunctionDef | ast.AsyncFunctionDef


def keep_filled(visit: Visit, node: _Def, fresh: FunctionType, raw: FunctionType) -> None:
    """Give `fresh`, made of `node`, the lists, dicts and sets that the live function `raw` has for defaults of the same
    text, if nothing that they were made of changed; tell of others that calls have filled.
    """
    held = dict(_defaults(raw))
    if not any(type(value) in CONTAINERS for value in held.values()):
        return
    was = next((dict(_nodes(one)) for one in _old_nodes(visit) if _is_of(one, raw)), {})
    now = {name: dump(one) for name, one in _nodes(node) if name in was and not _reads_changed(visit, one)}
    kept = {name for name in now if now[name] == dump(was[name]) and type(held.get(name)) in CONTAINERS}
    values = dict(_defaults(fresh)) | {name: held[name] for name in kept}
    lost = [name for name in was.keys() - kept if name in held and is_filled(was[name], held[name])]
    for name in lost:
        visit.swap.tell(visit.work, "HS223", node.lineno, name=f"the default {name} of {raw.__qualname__}")
    names = fresh.__code__.co_varnames[: fresh.__code__.co_argcount]
    fresh.__defaults__ = tuple(values[name] for name in names if name in values) or None
    fresh.__kwdefaults__ = {name: values[name] for name in fresh.__kwdefaults__ or ()} or None


def _old_nodes(visit: Visit) -> Iterator[_Def]:
    for statement in visit.work.edit.old.statements:
        for node in ast.walk(statement.node):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def _is_of(node: _Def, function: FunctionType) -> bool:
    code = function.__code__
    return (node.name, start_line(node)) == (code.co_name, code.co_firstlineno)


def _defaults(function: FunctionType) -> Iterator[tuple[str, object]]:
    values = function.__defaults__ or ()
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    yield from zip(names[len(names) - len(values) :], values, strict=True)
    yield from (function.__kwdefaults__ or {}).items()


def _nodes(node: _Def) -> Iterator[tuple[str, ast.expr]]:
    args = node.args
    places = [*args.posonlyargs, *args.args]
    yield from ((arg.arg, one) for arg, one in zip(reversed(places), reversed(args.defaults), strict=False))
    for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        if default is not None:
            yield arg.arg, default


def _reads_changed(visit: Visit, node: ast.expr) -> bool:
    names = (dotted_of(one) for one in ast.walk(node) if isinstance(one, ast.Name | ast.Attribute))
    module, changes = visit.work.edit.module, visit.swap.changes
    return any(changes.reads(visit.scope.namespace, module, name) for name in names if name)
