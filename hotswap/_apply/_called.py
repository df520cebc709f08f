"""What a statement calls beside the names that it reads: results that are called again."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hotswap._text._names import dotted_of


def called_twice(node: ast.stmt) -> Iterator[str]:
    """Yield what is called, and its result as well: ``f(1)(2)``, ``@f(1)``, also in a loop that decorates."""
    decorated: list[ast.expr] = getattr(node, "decorator_list", [])
    if isinstance(node, (ast.For, ast.While, ast.Match)):
        decorated = [d for inner in ast.walk(node) for d in getattr(inner, "decorator_list", ())]
    outer = [inner.func for inner in ast.walk(node) if isinstance(inner, ast.Call)]
    yield from (dotted_of(made.func) or "" for made in (*decorated, *outer) if isinstance(made, ast.Call))
