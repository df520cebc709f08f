"""Definitions of other modules that a package made its own, and hands on no more: they say again where they are from.

Packages go over what they hand on and set ``value.__module__ = __name__``. A fresh start does not meet there what is no
longer imported, so that is its own module's, as its definition says; pickle looks for it there.
"""

from __future__ import annotations

import re
from types import FunctionType
from typing import TYPE_CHECKING, TypeGuard

from hotswap._apply._scopes import ModuleScope
from hotswap._run._values import attribute, attributes_of, is_a

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap


def hand_back(swap: Swap, since: int = 0) -> None:
    """Record that definitions of other modules whose names leave, or those `since` that many were known, are theirs."""
    leaving: dict[str, set[str]] = {}
    for scope, name in swap.last[since:]:
        if type(scope) is ModuleScope:
            leaving.setdefault(scope.module.__name__, set()).add(name)
    for module, names in leaving.items():
        space = vars(swap.modules[module])
        had = {**swap.changes.of(module), **space}  # a loop over all names, run anew, has some let go before
        left = [one for one in map(had.get, names) if _is_definition(one) and attribute(one, "__module__") == module]
        stays = {id(value) for name, value in space.items() if name not in names} if left else set()
        for one in left:
            home = _home(swap, one) if id(one) not in stays else module
            if home != module and attribute(swap.modules.get(home), "__dict__", {}).get(one.__name__) is one:
                (swap.journal.set_member if is_a(one, type) else swap.journal.set_attribute)(one, "__module__", home)


def _is_definition(value: object) -> TypeGuard[type | FunctionType]:
    return type(value) is FunctionType or is_a(value, type)


def _home(swap: Swap, definition: type | FunctionType) -> str:
    """Return the module whose text has `definition`: where its functions look up names, or that has such a class."""
    name, own = definition.__name__, [_innermost(definition), *vars(definition).values()]
    for one in own:
        if type(one) is FunctionType and one.__qualname__.rpartition(".")[0] in ("", name):
            return str(one.__globals__.get("__name__"))
    states = re.compile(rf"^\s*class {name}\b", re.MULTILINE)
    having = (module for module, known in list(swap.modules.items()) if vars(known).get(name) is definition)
    return next((module for module in having if states.search(swap.known_text(module))), "")


def _innermost(definition: type | FunctionType) -> object:
    found: object = definition
    for _ in range(8):  # decorators
        inner = attributes_of(found).get("__wrapped__") if type(found) is FunctionType else None
        found = inner if type(inner) is FunctionType else found
    return found
