"""The links of a chain, as their text says: what falls into one segment, and what makes a name of itself."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from hotswap._model import Statement
from hotswap._text._names import dotted_of


def segments(name: str, links: Iterable[Statement]) -> list[list[Statement]]:
    """Return the links of `name` in parts, each of which begins with one that surely binds it, without reading it."""
    found: list[list[Statement]] = []
    for link in links:
        if found and (name not in link.binds or makes_of_itself(name, link) or _may_leave(name, link)):
            found[-1].append(link)
        else:
            found.append([link])
    return found


def _may_leave(name: str, link: Statement) -> bool:
    """Whether a ``try``, or a ``with suppress()``, may come to its end without binding `name`."""
    node = link.node
    if isinstance(node, ast.With):
        return suppresses(node)
    binding = {child.branch for child in link.children if name in child.binds}
    handlers = [f"except{number}" for number in range(len(getattr(node, "handlers", ())))]
    return isinstance(node, (ast.Try, ast.TryStar)) and bool(binding) and not binding.issuperset(("body", *handlers))


def makes_of_itself(name: str, link: Statement) -> bool:
    """Whether `link` reads the `name` that it binds, itself or a member of it."""
    return any(read.split(".")[0] == name for read in link.reads)


def suppresses(node: ast.stmt) -> bool:
    """Whether `node` is a ``with suppress()``, whose body may end early and nobody hears of it."""
    items = node.items if isinstance(node, ast.With) else []
    called = (one.context_expr.func for one in items if isinstance(one.context_expr, ast.Call))
    return any((dotted_of(one) or "").rpartition(".")[2] == "suppress" for one in called)
