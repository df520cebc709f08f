"""attrs: classes with slots keep their identity while their slots stay the same; those without slots always do."""

from __future__ import annotations

import sys
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Final

from hotswap.adapters import ClassEdit

_FIELDS: Final = "__attrs_attrs__"
_WRITTEN: Final = (
    *(_FIELDS, "__attrs_props__", "__attrs_own_setattr__", "__attrs_init__", "__match_args__"),
    *("__init__", "__repr__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__"),
    *("__setattr__", "__delattr__", "__getstate__", "__setstate__", "__replace__", "__annotations__"),
)


class Attrs:
    """See `hotswap.adapters.Adapter`."""

    regenerates = True

    def owns(self, cls: type) -> bool:
        """Whether attrs wrote members of `cls` itself."""
        return _FIELDS in vars(cls)

    def decorates(self, called: object) -> bool:
        """Whether `called` is a decorator of attrs, its own or one that a project made of it."""
        called = getattr(called, "func", called)
        library: Any = sys.modules["attr"]
        names = ("s", "define", "mutable", "frozen", "dataclass")
        return any(called is getattr(library, name, None) for name in names)

    def fixed(self, cls: type, name: str, maker: object, annotation: str) -> str:
        """Any member may change: what the class cannot take shows in its slots."""
        return ""

    def renew(self, edit: ClassEdit) -> bool:
        """Take over the fields and the methods that attrs wrote; False if the slots differ."""
        if vars(edit.cls).get("__slots__") != vars(edit.fresh).get("__slots__"):
            return False
        for name in (*_WRITTEN, *edit.names):
            if not isinstance(vars(edit.cls).get(name), (MemberDescriptorType, GetSetDescriptorType)):
                edit.take(name)
        edit.commit()
        return True


ADAPTER: Final = Attrs()
