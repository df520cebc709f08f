"""What a parameter is taken for of which nobody knows what it is given: the builtin type that its annotation names."""

from __future__ import annotations

import ast
from typing import Final

_KINDS: Final = {
    kind.__name__: kind for kind in (str, bytes, int, float, complex, bool, list, tuple, set, frozenset, dict)
}


def annotated(node: ast.expr | None) -> type | None:
    """Return the builtin type that an annotation names, perhaps beside None; None if it names another or several."""
    if isinstance(node, ast.Name):
        return _KINDS.get(node.id)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _KINDS.get(node.value.partition("[")[0].removesuffix("| None").strip())
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        left, right = node.left, node.right
        return annotated(left) if _is_none(right) else annotated(right) if _is_none(left) else None
    if isinstance(node, ast.Subscript):
        whole = ast.unparse(node.value).rpartition(".")[2]
        return annotated(node.slice if whole == "Optional" else node.value)
    return None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
