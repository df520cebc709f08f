"""An empty ``__slots__`` that comes or goes: it lays out the objects of a class, and is nothing to one without any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotswap._run._journal import MISSING
from hotswap._run._values import same
from hotswap.patch._classes import subclasses

if TYPE_CHECKING:
    from hotswap._apply._scopes import ClassScope


def stay_as_laid_out(live: type, scope: ClassScope) -> bool:
    """Whether `live` may stay the class it is, and note its ``__slots__`` among the members if so.

    Of an abstract class there are no objects, and those of the classes below it have a ``__dict__`` of their own. A
    class below with slots would get one, or lose it.
    """
    old, new = (held.get("__slots__", MISSING) for held in (vars(live), scope.aside))
    if not _is_abstract(live, scope) or any("__slots__" in vars(one) for one in subclasses(live) if one is not live):
        return False
    if not all(slots is MISSING or same(slots, ()) for slots in (old, new)):
        return False
    if new is not MISSING:
        scope.members["__slots__"] = scope.aside.pop("__slots__")
    return True


def _is_abstract(live: type, scope: ClassScope) -> bool:
    names: frozenset[str] = vars(live).get("__abstractmethods__", frozenset())
    return bool(names - scope.touched) or bool(vars(live).get("_is_protocol"))
