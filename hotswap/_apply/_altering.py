"""What a statement does besides altering the objects of its names, as text: that is asked whether it is quiet."""

from __future__ import annotations

import ast
from collections.abc import Container

from hotswap._text._names import adds


class Altering(ast.NodeTransformer):
    """Leaves of ``X += e``, ``X.append(e)``, ``X.setdefault(k, []).append(e)``, ``del X[e]`` only what is given."""

    def __init__(self, names: Container[str]) -> None:
        self.names = names

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        if isinstance(node.target, ast.Name) and node.target.id in self.names:
            return ast.copy_location(ast.Expr(node.value), node)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        given = self._given(node.value) if isinstance(node.value, ast.Call) else None
        return node if given is None else ast.copy_location(ast.Expr(ast.Tuple(given, ast.Load())), node)

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        given = self._given(node.value) if adds(node.value) else None
        value = node.value if given is None else ast.copy_location(ast.Tuple(given, ast.Load()), node)
        return ast.copy_location(ast.Assign(node.targets, value), node)

    def visit_Delete(self, node: ast.Delete) -> ast.stmt:
        found = [self._given(one) if isinstance(one, ast.Subscript) else None for one in node.targets]
        given = [one for each in found if each is not None for one in each]
        return node if None in found else ast.copy_location(ast.Expr(ast.Tuple(given, ast.Load())), node)

    def _given(self, node: ast.expr) -> list[ast.expr] | None:
        """Return what is given on the way to a method of the object or of what is in it, None if it is another's."""
        match node:
            case ast.Name():
                return [] if node.id in self.names else None
            case ast.Subscript():
                inner, more = self._given(node.value), [node.slice]
            case ast.Call(func=ast.Attribute(value=value)):
                inner, more = self._given(value), [*node.args, *(keyword.value for keyword in node.keywords)]
            case _:
                return None
        return None if inner is None else inner + more
