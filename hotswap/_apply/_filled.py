"""Whether a container has in it what its text says, or what the program has put there since."""

from __future__ import annotations

import ast
from typing import Any

from hotswap._run._values import equal
from hotswap._text._names import dotted_of


def is_filled(node: ast.expr, held: Any) -> bool:
    """Whether a container has other contents than the display, or the call without arguments, that made it."""
    called = (dotted_of(node.func) or "").rpartition(".")[2] if isinstance(node, ast.Call) else ""
    if called == type(held).__name__ and (called == "defaultdict" or not node.args):  # type: ignore[attr-defined]  # it is a call
        return bool(held)
    try:
        return not equal(ast.literal_eval(node), held)
    except (ValueError, TypeError, SyntaxError):
        return False
