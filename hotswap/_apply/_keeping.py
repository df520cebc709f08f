"""Methods that only put what they are given into what their object holds: none of it runs when they are called.

``bus.connect(refresh)`` appends a function to a list of the bus. Functions that are in the list already may have other
code by now: the call does what it did.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import TYPE_CHECKING

from hotswap._run._values import attribute

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap


def only_keeps(swap: Swap, cls: type, names: Iterable[str], held: str) -> bool:
    """Whether methods of `cls` by one of `names` do no more with what its objects have as `held` than put things in."""
    members = (vars(base)[name] for base in cls.__mro__[:-1] for name in names if name in vars(base))
    functions = (attribute(member, "__func__", attribute(member, "fget", member)) for member in members)
    return all(_puts(swap, one, held) for one in functions if type(one) is FunctionType)


def _puts(swap: Swap, function: FunctionType, held: str) -> bool:
    node = swap.definition(function)
    if node is None:
        return False
    used = {id(one) for one in ast.walk(node) if isinstance(one, ast.Attribute) and one.attr == held}
    return used <= {id(one) for inner in ast.walk(node) for one in _put_into(inner)}


def _put_into(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what `node` puts something into, takes something from or looks for something in, and no more."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=container))):
            yield container
        case ast.Subscript(value=container, ctx=ast.Store() | ast.Del()):
            yield container
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[container]):
            yield container
        case ast.Attribute(ctx=ast.Store()):
            yield node
        case ast.Call(func=ast.Name(id="len"), args=[container]):
            yield container


def only_handed(node: ast.stmt, dotted: str) -> bool:
    """Whether a statement that is a call only hands over ``view.refresh``: the method is live."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call) or "." not in dotted:
        return False
    call = node.value
    given = {ast.unparse(one) for one in (*call.args, *(keyword.value for keyword in call.keywords))}
    others = (one for one in ast.walk(call) if isinstance(one, ast.Call) and one is not call)
    called = {ast.unparse(one.func) for one in (call, *others)}
    return dotted in given and not any(one == dotted or one.startswith(f"{dotted}.") for one in called)
