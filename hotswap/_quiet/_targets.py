"""What the parts of a target get: of ``a, *b = value``, and of the names of a comprehension; how one is called."""

from __future__ import annotations

import ast

from hotswap._quiet._values import Frame, Value, describe_items


def bind_own(target: ast.expr, value: Value, frame: Frame) -> None:
    """Bind the names of a target that nobody else sees."""
    if isinstance(target, ast.Name):
        frame.names[target.id] = value
    for part, given in unpack(target, value):
        bind_own(part, given, frame)


def unpack(target: ast.expr, value: Value) -> list[tuple[ast.expr, Value]]:
    """Return the parts of a tuple or list target, with what each of them gets."""
    if isinstance(target, ast.Starred):
        return [(target.value, Value(kind=list, own=True, each=value))]
    if not isinstance(target, ast.Tuple | ast.List):
        return []
    if len(value.parts) == len(target.elts) and not any(isinstance(part, ast.Starred) for part in target.elts):
        return list(zip(target.elts, value.parts, strict=True))
    return [(part, describe_items(value)) for part in target.elts]


def write_dotted(node: ast.expr) -> str:
    """Return ``a.b.c`` for such an expression; what is no name in it is written as dots."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{write_dotted(node.value)}.{node.attr}"
    return "(...)"
