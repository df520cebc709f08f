"""Classes that left the text: whoever noted them when they were made has them still, and that is told.

Where the class that took the place of one was noted as well, it has that place.

A metaclass, ``__init_subclass__`` of a base and decorators are looked through for the lists, dicts and sets that they
keep. Only what holds the class, its name or an object of it counts.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from functools import partial
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

from hotswap import _quiet
from hotswap._apply import _collectors, _stale
from hotswap._apply._books import entries_of, fill
from hotswap._apply._swap import resolve
from hotswap._model import Kind, Statement
from hotswap._run._journal import CONTAINERS
from hotswap._run._values import is_a
from hotswap._text._names import dotted_of
from hotswap.patch._classes import containers, registries

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap, Work

_NESTED: Final = 2


def take_places(swap: Swap) -> None:
    """Before references are replaced: have a class that another gave way to stand once in registries, at its place."""
    for _, _, old, value in swap.replaced:
        if is_a(old, type) and is_a(value, type):
            for container in containers(value):
                items = entries_of(container)
                at = [number for number, item in enumerate(items) if _last(item) is value]
                places = [number for number, item in enumerate(items) if _last(item) is old]
                if type(container) in (list, dict) and len(at) == len(places) == 1:
                    wanted = items[:]
                    wanted[places[0]] = items[at[0]]
                    del wanted[at[0]]
                    swap.journal.do(partial(fill, container, wanted), partial(fill, container, items))
    swap.commit()


def _last(item: object) -> object:
    return item[-1] if type(item) is tuple and item else item


def tell_enrolled(swap: Swap, gave_way: Container[int]) -> None:
    """Tell of the classes at the top of modules that went, and are in a registry still; not of those, by their ids, in
    whose place another one is.
    """
    for work in swap.works.values():
        for statement in work.edit.diff.removed if work.edit.edited else ():
            live = work.before.get(statement.binds[-1]) if statement.kind is Kind.CLASS else None
            if isinstance(live, type) and id(live) not in gave_way and _has_gone(work, statement.binds[-1], live):
                _tell(swap, work, statement, live)


def _has_gone(work: Work, name: str, live: type) -> bool:
    """Whether the class is no more: it neither moved to another module nor goes by the name of before."""
    return vars(live).get("__module__") == work.edit.module and vars(work.module).get(name) is not live


def _tell(swap: Swap, work: Work, statement: Statement, live: type) -> None:
    where = next(_holding(live, _decorators(work, statement)), "")
    if where:
        name = f"{live.__name__} is in {where}"
        swap.tell(work, "HS203", statement.lineno, name=name)
    elif id(statement) not in swap.registered and (why := unquiet_decorators(swap, work, statement)):
        name = statement.binds[-1]
        swap.tell(work, "HS227", statement.lineno, name=name, why=why, target=f"{work.edit.module}:{name}")


def _decorators(work: Work, statement: Statement) -> Iterator[FunctionType]:
    """Yield the functions that decorated the class, as far as names still lead to them."""
    for decorator in getattr(statement.node, "decorator_list", ()):
        name = dotted_of(decorator.func if isinstance(decorator, ast.Call) else decorator)
        found = resolve(work.scope, name) if name else None
        if type(found) is FunctionType and not _collectors.is_known(found):
            yield found


def _holding(live: type, decorators: Iterator[FunctionType]) -> Iterator[str]:
    """Yield the names of the containers that hold the class or its name."""
    found = [*registries(live), *(pair for one in decorators for pair in _of_code(one, one.__code__, _NESTED))]
    for name, container in found:
        if any(_is_of(item, live) for item in _items(container)):
            yield name


def _of_code(function: FunctionType, code: CodeType, deep: int) -> Iterator[tuple[str, Any]]:
    for name in code.co_names:
        value = function.__globals__.get(name)
        if type(value) in CONTAINERS:
            yield name, value
    for const in code.co_consts if deep else ():
        if isinstance(const, CodeType):
            yield from _of_code(function, const, deep - 1)


def _items(container: Any) -> Iterator[Any]:
    yield from container
    if isinstance(container, dict):
        yield from container.values()


def _is_of(item: object, live: type) -> bool:
    if type(item) is tuple:
        return any(_is_of(inner, live) for inner in item)
    return item is live or type(item) is live or (type(item) is str and item == live.__name__)


def unquiet_decorators(swap: Swap, work: Work, statement: Statement) -> str:
    """Return why decorating the class may have had effects; "" if it had none."""
    node = statement.node
    if not isinstance(node, ast.ClassDef) or not node.decorator_list:
        return ""
    fields = {**dict(ast.iter_fields(node)), "bases": [], "keywords": [], "body": [ast.Pass()]}
    bare = ast.fix_missing_locations(ast.copy_location(ast.ClassDef(**fields), node))
    return _quiet.unquiet(bare, _stale.quiet_scope(swap, work.scope)) or ""
