"""Statements that ask for all names of their module: ``dir()``, ``globals()``, ``vars()`` and ``locals()``.

A statement runs with a buffer as its locals, and there they would find the names that it has bound itself. At a
module's level they give what ``globals()`` does. Who only goes over the names gets those that a fresh start would have
there: none that statements below bind.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Container, Mapping, Sequence
from typing import Any, Final

from hotswap._graph._facts import SPACES
from hotswap._model import Statement

NAMES: Final = "_hotswap_names"
_ASKING: Final = {"dir": "sorted(globals())", "locals": "globals()", "vars": "globals()"}
_GOING_OVER: Final = {"dir": f"sorted({NAMES}())"} | dict.fromkeys(SPACES, f"{NAMES}()")
_READERS: Final = frozenset(("dict", "frozenset", "len", "list", "set", "sorted", "tuple"))
_VIEWS: Final = frozenset(("copy", "get", "items", "keys", "values"))
_OTHER_SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def of_module(nodes: Sequence[ast.stmt], known: Container[str]) -> Sequence[ast.stmt]:
    """Return `nodes`, asking the module itself; `known` are names that it binds, which mean something else there."""
    if not any(_asks(inner, known, _GOING_OVER) for node in nodes for inner in ast.walk(node)):
        return nodes
    return [node for one in nodes if isinstance(node := _Other(known).visit(copy.deepcopy(one)), ast.stmt)]


def asks_for_all(node: ast.AST) -> bool:
    """Whether `node` is a call that gives the namespace of the module in which it stands."""
    return _asks(node, (), SPACES)


def names_above(statements: Sequence[Statement], line: int, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `names` that the module has once all `statements` above `line` ran."""
    place: dict[str, int] = {}
    for statement in statements:
        for name in statement.binds:
            place.setdefault(name, statement.lineno)
    star = place.pop("*", line)
    place = dict.fromkeys((name for name in names if name[:2] == "__"), -1) | place
    return {name: value for name, value in names.items() if place.get(name, min(star, line - 1)) < line}


def _asks(node: ast.AST | None, known: Container[str], asking: Container[str] = _ASKING) -> bool:
    if not isinstance(node, ast.Call) or node.args or node.keywords or not isinstance(node.func, ast.Name):
        return False
    return node.func.id in asking and node.func.id not in known


def _goes_over(node: ast.AST, known: Container[str]) -> ast.expr | None:
    """Return the part of `node` that asks for all names and that `node` only goes over, None if there is none."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[part, *_]) if name in _READERS:
            pass
        case ast.Attribute(value=part, attr=name) if name in _VIEWS:
            pass
        case ast.comprehension(iter=part) | ast.For(iter=part):
            pass
        case ast.Call(func=ast.Name(id="dir")):
            part = node
        case _:
            return None
    return part if _asks(part, known, _GOING_OVER) else None


class _Other(ast.NodeTransformer):
    def __init__(self, known: Container[str]) -> None:
        self._known = known
        self._over = set[int]()

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, _OTHER_SCOPES):
            return node
        part = _goes_over(node, self._known)
        self._over |= {id(part)} if part is not None else set()
        asking = _GOING_OVER if id(node) in self._over else _ASKING
        if _asks(node, self._known, asking):
            assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            made = ast.parse(asking[node.func.id], mode="eval").body
            for inner in ast.walk(made):
                ast.copy_location(inner, node)
            return made
        return super().generic_visit(node)
