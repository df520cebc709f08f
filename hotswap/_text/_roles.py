"""What each lambda of a statement is for: the key or argument that it stands under, and what stands beside it.

Its place among the others says little once an entry came or went: in ``{"x": lambda: 1, "y": lambda: 2}`` the second is
the one under ``"y"``, wherever that stands, and in ``[("x", lambda: 1), Rule("y", lambda: 2)]`` the one of that rule.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hotswap._text._diff import dump, shape

Span = tuple[int | None, int | None, int | None, int | None]
"""First and last line, first and last column: as the positions of an instruction that loads the lambda's code."""


def roles(node: ast.stmt) -> dict[Span, str]:
    """Return the roles of all lambdas in `node` by where they stand; several may have one role."""
    return dict(_walk(node, ""))


def _walk(node: ast.AST, role: str) -> Iterator[tuple[Span, str]]:
    if isinstance(node, ast.Lambda):
        yield (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset), role
    for child, label in _labelled(node):
        yield from _walk(child, f"{role}/{label}")


def _labelled(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Yield what `node` consists of, each with what tells it from the others, blind to the bodies of lambdas."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield value, dump(key) if key is not None else ""
        return
    for name, field in ast.iter_fields(node):
        if isinstance(field, ast.AST):
            yield field, name
        elif isinstance(field, list):
            for item in field:
                if isinstance(item, ast.AST) and any(isinstance(one, ast.Lambda) for one in ast.walk(item)):
                    yield item, f"{name} {_label(item)}"


def _label(item: ast.AST) -> str:
    if isinstance(item, ast.keyword):
        return item.arg or ""
    if isinstance(item, ast.stmt):
        targets = getattr(item, "targets", None) or [getattr(item, "target", None)]
        return type(item).__name__ + "".join(dump(one) for one in targets if one is not None)
    return shape(item)
