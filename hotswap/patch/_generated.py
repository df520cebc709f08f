"""Classes whose members a library wrote: dataclasses, enums, named tuples, typed dicts, regenerated on the same object."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hotswap._journal import MISSING, Journal
from hotswap._values import equal
from hotswap.patch._classes import guard, subclasses

_TABLES: Final = ("_member_names_", "_member_map_", "_value2member_map_", "_unhashable_values_", "_hashable_values_")
_FLAGS: Final = ("_flag_mask_", "_all_bits_", "_singles_mask_", "_inverted_")
_OWN: Final = ("__dict__", "__weakref__", "__module__", "__qualname__", "__doc__", "__firstlineno__", "__static_attributes__")


def kind_of(cls: type) -> str:
    """Return which library wrote members of `cls`, "" if none that has to be asked again."""
    if "__dataclass_fields__" in vars(cls):
        return "dataclass"
    if isinstance(cls, enum.EnumMeta):
        return "enum"
    if issubclass(cls, tuple) and "_field_defaults" in vars(cls):
        return "namedtuple"
    return "typeddict" if typing.is_typeddict(cls) else ""


def strip_dataclass(journal: Journal, cls: type) -> None:
    """Delete at once what `dataclasses.dataclass` wrote on `cls`, so that it can be applied to it again."""
    guard(journal, cls)
    fields: dict[str, Any] = vars(cls)["__dataclass_fields__"]
    matched = tuple(f.name for f in fields.values() if f.init and not f.kw_only)
    for name in [name for name, value in vars(cls).items() if _is_generated(name, value, matched)]:
        type.__delattr__(cls, name)
    if (cls.__doc__ or "").startswith(f"{cls.__name__}("):
        type.__setattr__(cls, "__doc__", None)


def _is_generated(name: str, value: Any, matched: tuple[str, ...]) -> bool:
    if name in ("__dataclass_fields__", "__dataclass_params__"):
        return True
    if name == "__match_args__":
        return bool(value == matched)
    if name == "__hash__":
        return value is None or _is_written(value)
    return name.startswith("__") and type(value) is types.FunctionType and _is_written(value)


def _is_written(value: Any) -> bool:
    """Generated methods are compiled from a string, or are `dataclasses`' own."""
    value = getattr(value, "__wrapped__", value)
    return value.__code__.co_filename == "<string>" or value.__globals__.get("__name__") == "dataclasses"


def renew_sub_dataclasses(journal: Journal, cls: type) -> None:
    """Apply `dataclasses.dataclass` again to the subclasses of `cls` that inherit its fields, bases first."""
    below = [one for one in subclasses(cls) if one is not cls and "__dataclass_fields__" in vars(one)]
    for one in sorted(below, key=lambda sub: len(sub.__mro__)):
        params = vars(one)["__dataclass_params__"]
        given = {n: getattr(params, n) for n in ("init", "repr", "eq", "order", "unsafe_hash", "frozen")}
        given |= {n: getattr(params, n) for n in ("match_args", "kw_only") if hasattr(params, n)}
        own = dict(vars(one)["__dataclass_fields__"])
        strip_dataclass(journal, one)
        for name in vars(one).get("__annotations__", {}):
            field = own.get(name)
            if field is not None and field.default_factory is not dataclasses.MISSING:
                type.__setattr__(one, name, field)
        dataclasses.dataclass(**given)(one)


def merge_enum(journal: Journal, cls: Any, fresh: Any) -> list[str]:
    """Make the enum `cls` what `fresh`, built aside from the new text, is; return the members that were replaced.

    A member whose name stays is the same object as before; a changed value is written into it, but for enums with a
    payload (IntEnum, StrEnum), whose members cannot change what they are.
    """
    replaced: list[str] = []
    members: dict[int, Any] = {}
    for name, new in fresh._member_map_.items():
        old = cls._member_map_.get(name)
        if id(new) in members:
            continue
        members[id(new)] = _kept(journal, cls, old, new, name, replaced)
    table = {name: members[id(new)] for name, new in fresh._member_map_.items()}
    _set_members(journal, cls, fresh, table)
    _set_tables(journal, cls, fresh, members)
    return replaced


def _kept(journal: Journal, cls: Any, old: Any, new: Any, name: str, replaced: list[str]) -> Any:
    if old is not None and old._name_ == name and (equal(old._value_, new._value_) or cls._member_type_ is object):
        for attribute in ("_value_", "_sort_order_"):
            if hasattr(new, attribute):
                journal.set_attribute(old, attribute, getattr(new, attribute))
        return old
    if old is not None:
        replaced.append(name)
    journal.set_attribute(new, "__class__", cls)
    journal.set_attribute(new, "__objclass__", cls)
    return new


def _set_members(journal: Journal, cls: Any, fresh: Any, table: Mapping[str, Any]) -> None:
    for name in cls._member_map_:
        if name not in table:
            journal.del_member(cls, name)
    for name, member in table.items():
        if name in vars(fresh) and vars(cls).get(name) is not member:
            value = vars(fresh)[name]
            journal.set_member(cls, name, member if isinstance(value, fresh) else value)


def _set_tables(journal: Journal, cls: Any, fresh: Any, members: Mapping[int, Any]) -> None:
    for name in _TABLES:
        if hasattr(fresh, name):
            journal.set_member(cls, name, _translated(getattr(fresh, name), members))
    for name in _FLAGS:
        if name in vars(fresh):
            journal.set_member(cls, name, vars(fresh)[name])


def _translated(table: Any, members: Mapping[int, Any]) -> Any:
    if isinstance(table, dict):
        return {key: members.get(id(value), value) for key, value in table.items()}
    return list(table)


def adopt(journal: Journal, cls: type, fresh: type) -> None:
    """Record on `cls` the members of `fresh`, and drop those that it lacks: for classes that are nothing but members."""
    for name, value in vars(fresh).items():
        if name not in _OWN and vars(cls).get(name, MISSING) is not value:
            journal.set_member(cls, name, value)
    for name in _gone(cls, fresh):
        journal.del_member(cls, name)
    if vars(cls).get("__doc__") != vars(fresh).get("__doc__"):
        journal.set_member(cls, "__doc__", vars(fresh).get("__doc__"))


def _gone(cls: type, fresh: type) -> Iterator[str]:
    yield from (name for name in vars(cls) if name not in vars(fresh) and name not in _OWN)
