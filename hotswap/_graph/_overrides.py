"""Members of a class that its base classes ask for: what ``json.dumps`` gets out of `default`, and ``run()`` of `step`.

Whoever calls the method of the base names none of them.
"""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType
from typing import Any, Final

_ENTERED: Final = frozenset(("__call__", "__contains__", "__enter__", "__exit__", "__getitem__", "__iter__", "__len__"))

_FOR_CLASSES: Final = frozenset(("__init_subclass__", "__set_name__"))
_FOR_METACLASSES: Final = frozenset(("__new__", "__init__", "__prepare__"))


def is_called_back(module: str, dotted: str) -> bool:
    """Whether a base of the live class that the member `dotted` belongs to may ask for it: it has or names one so."""
    owner, name = _owner(module, dotted), dotted.rpartition(".")[2]
    return issubclass(type(owner), type) and any(_asks_for(base, name) for base in owner.__mro__[1:-1])


def runs_for_classes(module: str, dotted: str) -> bool:
    """Whether the function `dotted` is called once for each class that is made below its own, or by it."""
    name = dotted.rpartition(".")[2]
    if name in _FOR_CLASSES:
        return "." in dotted
    owner: Any = _owner(module, dotted) if name in _FOR_METACLASSES else None
    return issubclass(type(owner), type) and issubclass(owner, type)


def _owner(module: str, dotted: str) -> Any:
    """Return the live class that the member `dotted` belongs to, None if there is none."""
    *outer, _ = dotted.split(".")
    owner: Any = sys.modules.get(module) if outer else None
    for part in outer:
        owner = vars(owner).get(part) if issubclass(type(owner), ModuleType | type) else None
    return owner


def _asks_for(base: type, name: str) -> bool:
    members = vars(base)
    if name.startswith("__"):
        return name in _ENTERED and any(type(one) is FunctionType for one in members.values())
    functions = (one.__code__ for one in members.values() if type(one) is FunctionType)
    return name in members or any(name in code.co_names or _begins(name, code.co_consts) for code in functions)


def _begins(name: str, consts: tuple[object, ...]) -> bool:
    """Whether one of the texts is how `name` begins, as in ``getattr(self, "visit_" + kind)``."""
    return any(type(one) is str and one.endswith("_") and name.startswith(one) for one in consts)
