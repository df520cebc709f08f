"""Methods that only put what they are given into what their object holds: none of it runs when they are called.

``bus.connect(refresh)`` appends a function to a list of the bus. Functions that are in the list already may have other
code by now: the call does what it did.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache
from types import FunctionType
from typing import TYPE_CHECKING, Final

from hotswap._run._values import attribute

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap


_MAKING: Final = frozenset(("__new__", "__init__", "__post_init__", "__setattr__", "__dataclass_fields__"))


def only_keeps(swap: Swap, cls: type, names: Iterable[str], held: str) -> bool:
    """Whether methods of `cls` by one of `names` do no more with what its objects have as `held` than put things in."""
    members = (vars(base)[name] for base in cls.__mro__[:-1] for name in names if name in vars(base))
    functions = (attribute(member, "__func__", attribute(member, "fget", member)) for member in members)
    return all(_puts(swap, one, held) for one in functions if type(one) is FunctionType)


def _puts(swap: Swap, function: FunctionType, held: str) -> bool:
    node = swap.definition(function)
    return node is not None and held not in _used_otherwise(node)


@lru_cache(1024)
def _used_otherwise(node: ast.AST) -> frozenset[str]:
    """Return the attributes with which `node` does more than to put something into what they are."""
    every = list(ast.walk(node))
    put = {id(one) for inner in every for one in _put_into(inner)}
    return frozenset(one.attr for one in every if isinstance(one, ast.Attribute) and id(one) not in put)


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


def defaults_used(swap: Swap, function: FunctionType, asked: AbstractSet[str]) -> Iterator[object]:
    """Yield the defaults of `function` that a call of it may run. Those that ``__init__`` only sets on its object run
    when somebody asks that for more: then names of it are `asked`.
    """
    code = function.__code__
    names, given = code.co_varnames[: code.co_argcount], function.__defaults__ or ()
    defaults = dict(zip(names[len(names) - len(given) :], given, strict=True)) | (function.__kwdefaults__ or {})
    kept = _only_set(swap, function) if defaults and function.__name__ == "__init__" and asked <= _MAKING else ()
    yield from (value for name, value in defaults.items() if name not in kept)


def _only_set(swap: Swap, function: FunctionType) -> AbstractSet[str]:
    """Return the parameters with which `function` does no more than to set attributes."""
    node = swap.definition(function)
    every = [] if node is None else list(ast.walk(node))
    sets = [one for one in every if isinstance(one, (ast.Assign, ast.AnnAssign))]
    values = {id(value) for one in sets for value in (one.value, *getattr(one.value, "elts", ()))}
    names = [one for one in every if isinstance(one, ast.Name)]
    return {one.id for one in names} - {one.id for one in names if id(one) not in values or _is_local(one, sets)}


def _is_local(name: ast.Name, sets: Iterable[ast.Assign | ast.AnnAssign]) -> bool:
    """Whether one of the statements that use `name` binds a variable: what becomes of that is not looked at."""
    using = (one for one in sets if one.value is not None and any(inner is name for inner in ast.walk(one.value)))
    targets = (to for one in using for to in (one.targets if isinstance(one, ast.Assign) else [one.target]))
    return any(isinstance(to, ast.Name) for whole in targets for to in (whole, *getattr(whole, "elts", ())))


def only_handed(node: ast.stmt, dotted: str) -> bool:
    """Whether a statement that is a call only hands over ``view.refresh``: the method is live."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call) or "." not in dotted:
        return False
    call = node.value
    given = {ast.unparse(one) for one in (*call.args, *(keyword.value for keyword in call.keywords))}
    others = (one for one in ast.walk(call) if isinstance(one, ast.Call) and one is not call)
    called = {ast.unparse(one.func) for one in (call, *others)}
    return dotted in given and not any(one == dotted or one.startswith(f"{dotted}.") for one in called)
