"""Statements that ask for all names of their module: ``dir()``, ``vars()`` and ``locals()`` without arguments.

A statement runs with a buffer as its locals, and there they would find the names that it has bound itself. At a
module's level they give what ``globals()`` does.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Container, Sequence
from typing import Final

_ASKING: Final = {"dir": "sorted(globals())", "locals": "globals()", "vars": "globals()"}
_OTHER_SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def of_module(nodes: Sequence[ast.stmt], known: Container[str]) -> Sequence[ast.stmt]:
    """Return `nodes`, asking the module itself; `known` are names that it binds, which mean something else there."""
    if not any(_asks(inner, known) for node in nodes for inner in ast.walk(node)):
        return nodes
    return [node for one in nodes if isinstance(node := _Other(known).visit(copy.deepcopy(one)), ast.stmt)]


def _asks(node: ast.AST, known: Container[str]) -> bool:
    if not isinstance(node, ast.Call) or node.args or node.keywords or not isinstance(node.func, ast.Name):
        return False
    return node.func.id in _ASKING and node.func.id not in known


class _Other(ast.NodeTransformer):
    def __init__(self, known: Container[str]) -> None:
        self._known = known

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, _OTHER_SCOPES):
            return node
        if _asks(node, self._known):
            assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            made = ast.parse(_ASKING[node.func.id], mode="eval").body
            for inner in ast.walk(made):
                ast.copy_location(inner, node)
            return made
        return super().generic_visit(node)
