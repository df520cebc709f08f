"""attrs: classes with slots keep their identity while their slots stay the same; those without slots always do."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Final

from hotswap.adapters import ClassEdit

_FIELDS: Final = "__attrs_attrs__"
_WRITTEN: Final = (
    *(_FIELDS, "__attrs_props__", "__attrs_own_setattr__", "__attrs_init__", "__match_args__"),
    *("__init__", "__repr__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__"),
    *("__setattr__", "__delattr__", "__getstate__", "__setstate__", "__replace__", "__annotations__"),
)
_LAID_OUT: Final = (
    *("__dict__", "__weakref__", "__slots__"),
    *("__annotations__", "__annotations_cache__", "__annotate_func__", "__annotate__"),
)


class Attrs:
    """See `hotswap.adapters.Adapter`."""

    regenerates = True
    makes = frozenset(
        ("__attrs_post_init__", "__attrs_pre_init__", "__eq__", "__ne__", "__repr__", "__hash__", "__setattr__")
    ) | {"__lt__", "__le__", "__gt__", "__ge__"}

    def owns(self, cls: type) -> bool:
        """Whether attrs wrote members of `cls` itself; what a class body states as its fields is a plain tuple."""
        return type(vars(cls).get(_FIELDS, ())) is not tuple

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
        self.inherit(edit)
        return True

    def inherit(self, edit: ClassEdit) -> None:
        """Write anew what attrs wrote on the live subclasses, which inherit the fields of the class."""
        for one in edit.below():
            if self.owns(one):
                _renew_inherited(edit, one)


def _renew_inherited(edit: ClassEdit, cls: Any) -> None:
    twin = edit.twin(cls, {n: v for n, v in vars(cls).items() if n not in _LAID_OUT and not _is_written(cls, n)})
    made = sys.modules["attr"].attrs(**_arguments(cls))(twin)
    inner = replace(edit, cls=cls, fresh=made)
    for name in _WRITTEN:
        if name != "__annotations__" and (name not in vars(cls) or _is_written(cls, name)):
            inner.take(name)
    inner.commit()


def _is_written(cls: Any, name: str) -> bool:
    """Whether attrs put the member `name` on `cls`."""
    value = vars(cls).get(name)
    code = getattr(value, "__code__", None)
    if code is not None:
        return str(code.co_filename).startswith("<attrs generated") or value.__module__.partition(".")[0] == "attr"
    return name in _WRITTEN or isinstance(value, (MemberDescriptorType, GetSetDescriptorType))


def _arguments(cls: Any) -> dict[str, Any]:
    """Return what the decorator was given, as far as the class shows it."""
    held = vars(cls)
    props = held.get("__attrs_props__")
    hook = getattr(props, "on_setattr_hook", None)
    setters: Any = sys.modules.get("attr.setters")
    if any(_is_frozen(base) for base in cls.__mro__[1:]):
        hook = None
    elif props is None and held.get("__attrs_own_setattr__") and setters is not None:
        hook = [setters.convert, setters.validate]
    return {
        "these": {one.name: _again(one) for one in held[_FIELDS] if not one.inherited},
        "slots": "__slots__" in held,
        "frozen": _is_frozen(cls),
        "init": _is_written(cls, "__init__") if "__init__" in held else False,
        "repr": "__repr__" in held and _is_written(cls, "__repr__"),
        "eq": "__eq__" in held and _is_written(cls, "__eq__"),
        "order": "__lt__" in held and _is_written(cls, "__lt__"),
        "hash": (True if held["__hash__"] is not None else None) if _is_written(cls, "__hash__") else False,
        "match_args": "__match_args__" in held,
        "collect_by_mro": True,
        "auto_exc": True,
        "on_setattr": hook,
    }


def _is_frozen(cls: Any) -> bool:
    return getattr(vars(cls).get("__setattr__"), "__name__", "") == "_frozen_setattrs"


def _again(one: Any) -> Any:
    """Return the attribute as its text stated it."""
    names = ("default", "validator", "repr", "hash", "init", "metadata", "type", "converter", "kw_only", "on_setattr")
    given = {name: getattr(one, name) for name in (*names, "alias") if hasattr(one, name)}
    given |= {"eq": one.eq_key or one.eq, "order": one.order_key or one.order}
    return sys.modules["attr"].ib(**given)


ADAPTER: Final = Attrs()
