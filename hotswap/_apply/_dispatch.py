"""Generic functions of `functools`: what a ``def`` registered goes when its statement does, or names another type."""

from __future__ import annotations

import ast
import functools
import gc
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hotswap._model import Statement
from hotswap._run._values import attribute

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit


def is_registration(visit: Visit, decorator: ast.expr) -> bool:
    """Whether a decorator is the ``register`` of `functools.singledispatch` or `singledispatchmethod`."""
    return _generic(visit, decorator) is not None


def only_registers(visit: Visit, statement: Statement) -> bool:
    """Whether a ``def`` has decorators, and all of them are registrations."""
    found: list[ast.expr] = getattr(statement.node, "decorator_list", [])
    return bool(found) and all(is_registration(visit, one) for one in found)


def take_back(visit: Visit, statement: Statement, functions: Iterable[object]) -> None:
    """Have generic functions forget `functions`, which the decorators of `statement` registered."""
    ours, journal = set(map(id, functions)), visit.swap.journal
    for decorator in getattr(statement.node, "decorator_list", ()):
        generic = _generic(visit, decorator)
        table: Any = gc.get_referents(generic.registry)[0] if generic is not None else {}
        for kind in [kind for kind, one in table.items() if id(attribute(one, "__func__", one)) in ours]:
            journal.del_item(table, kind)
            journal.do(generic._clear_cache, generic._clear_cache)
            visit.swap.commit()


def _generic(visit: Visit, decorator: ast.expr) -> Any:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if not (isinstance(called, ast.Attribute) and called.attr == "register" and isinstance(called.value, ast.Name)):
        return None
    found = visit.scope.peek(called.value.id)
    generic = found.dispatcher if type(found) is functools.singledispatchmethod else found
    members = attribute(generic, "__dict__", {})
    known = getattr(members.get("register"), "__module__", "") == "functools" and "registry" in members
    return generic if known else None
