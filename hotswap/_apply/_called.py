"""What a statement calls beside the names that it reads: results that are called again."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType
from typing import TYPE_CHECKING

from hotswap._apply._uses import only_returned
from hotswap._text._names import dotted_of

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap
    from hotswap._model import Statement


def called_twice(node: ast.stmt) -> Iterator[str]:
    """Yield what is called, and its result as well: ``f(1)(2)``, ``@f(1)``, also in a loop that decorates."""
    decorated: list[ast.expr] = getattr(node, "decorator_list", [])
    if isinstance(node, (ast.For, ast.While, ast.Match)):
        decorated = [d for inner in ast.walk(node) for d in getattr(inner, "decorator_list", ())]
    outer = [inner.func for inner in ast.walk(node) if isinstance(inner, ast.Call)]
    yield from (dotted_of(made.func) or "" for made in (*decorated, *outer) if isinstance(made, ast.Call))


def levels_of(swap: Swap, statement: Statement, name: str, value: object) -> int | None:
    """Return how many functions that come out of calling `value`, by its `name`, one out of the other, run as well:
    None if that is not known.
    """
    if type(value) is not FunctionType or not only_returned(swap.pending_code(value)):
        return None
    return 0 if name in _only_kept(statement.node) else None


def _only_kept(node: ast.stmt) -> frozenset[str]:
    """Return what an assignment calls whose results it does nothing with but to keep them, also in displays."""
    waiting: list[ast.AST | None] = [getattr(node, "value", None)]
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    kept = list[ast.Call]()
    for one in waiting if all(isinstance(target, ast.Name) for target in targets) else ():
        kept += [one] if isinstance(one, ast.Call) else []
        waiting += one.elts if isinstance(one, (ast.Tuple, ast.List)) else ()
        waiting += one.values if isinstance(one, ast.Dict) else ()
    others = {ast.dump(one.func) for one in ast.walk(node) if isinstance(one, ast.Call) and one not in kept}
    return frozenset(dotted_of(one.func) or "" for one in kept if ast.dump(one.func) not in others)
