"""Objects that stay the same and have other contents now: tables of decorators, lists that a base class keeps.

The plan says which names lead to what may be altered by the statements that run. What they hold is noted before the
first of these, so that who reads such a name can be told whether it is altered by now.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from types import FunctionType, MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from hotswap._apply._inside import content_of
from hotswap._apply._reach import is_ours
from hotswap._run._journal import MISSING
from hotswap._run._values import attributes_of, immutable, is_a

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap

ENVIRONMENT: Final = ("environ", "getenv")
"""Names of `os` by which the environment is read: one module sets there what another one takes."""
_DEEP: Final = 5
_MANY: Final = 10_000
"""Items that are looked at behind one name."""


class Altered:
    """What names lead to, and what that held before the first statement ran."""

    def __init__(self, swap: Swap, names: Mapping[str, Collection[str]]) -> None:
        self._swap, self._seen, self._left = swap, (-1, -1), _MANY
        places = [(module, name) for module, found in names.items() for name in found if module in swap.modules]
        self._before = {place: (self._value(*place), self._state(*place)) for place in places}

    def look(self) -> None:
        """Note what has other contents by now; asked for before it is decided whether a statement is stale."""
        now = (len(self._swap.tried), sum(len(work.log.ran) for work in self._swap.works.values()))
        if not self._before or now == self._seen:
            return
        self._seen = now
        for (module, name), (value, state) in list(self._before.items()):
            if self._is_passing(module, name):
                continue
            new = self._value(module, name)
            if new is not value and self._swap.changes.note(module, name, value, new):
                del self._before[module, name]
            elif self._state(module, name) != state:
                del self._before[module, name]
                self._swap.changes.alter(module, name)

    def _is_passing(self, module: str, name: str) -> bool:
        """Whether `name` is what one of several statements has made of it, and others have yet to run."""
        work = self._swap.works.get(module)
        return work is not None and any(name in one for one in work.open)

    def _value(self, module: str, dotted: str) -> Any:
        first, *rest = dotted.split(".")
        work = self._swap.works.get(module)
        held = vars(self._swap.modules[module])
        value: Any = held.get(first, MISSING) if work is None else work.scope.peek(first)
        for name in rest:
            value = next((vars(base)[name] for base in getattr(value, "__mro__", ()) if name in vars(base)), MISSING)
        return value

    def _state(self, module: str, dotted: str) -> object:
        self._left = _MANY
        value = self._value(module, dotted)
        if value is os.environ or value is os.getenv:
            return dict(os.environ)
        if type(value) is FunctionType:
            held = map(content_of, value.__closure__ or ())
            return [self._content(one, _DEEP) for one in (*held, vars(value).get("registry"))]
        if dotted.endswith(".__subclasses__"):
            cls = self._value(module, dotted.rpartition(".")[0])
            below: list[Any] = type.__subclasses__(cls) if is_a(cls, type) else []
            return [(one.__module__, one.__qualname__) for one in below]
        return self._content(value, _DEEP)

    def _content(self, value: Any, deep: int) -> object:
        """Return what equals the same of a value with the same contents."""
        if type(value) is FunctionType:  # one that is made anew in place of another is the same to who has it
            return value.__module__, value.__qualname__
        if immutable(value):
            return type(value), value
        if not deep or is_a(value, (type, ModuleType)):
            return id(value)
        if is_a(value, MappingProxyType):
            return self._content(dict(value), deep)
        if is_a(value, dict):
            return id(type(value)), self._pairs(value, deep)
        if is_a(value, (list, tuple, deque)):
            return id(type(value)), [self._content(one, deep - 1) for one in self._entries(value)]
        if is_a(value, (set, frozenset)):
            kind: Any = set if is_a(value, set) else frozenset
            return {repr(self._content(one, 0)) for one in kind.__iter__(value)}
        attributes = attributes_of(value) if is_ours(self._swap, type(value)) else {}
        return id(value), self._pairs(attributes, deep - 1)

    def _pairs(self, mapping: Any, deep: int) -> object:
        """Return what equals the same of the same keys and values; the pairs are made for this."""
        held = self._entries(mapping) if deep else ()
        return [(self._content(key, deep - 1), self._content(value, deep - 1)) for key, value in held]

    def _entries(self, container: Any) -> Iterable[Any]:
        registrations = self._swap.registrations
        known = registrations.arranged(container) if registrations is not None else None
        if known is None:
            known = list(dict.items(container)) if is_a(container, dict) else list(container)
        self._left -= len(known)
        return known[: max(self._left + len(known), 0)]
