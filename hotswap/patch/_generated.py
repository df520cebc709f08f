"""Classes whose members a library wrote: enums, named tuples, typed dicts, regenerated on the same object."""

from __future__ import annotations

import ast
import enum
import functools
import inspect
import sys
import textwrap
import types
import typing
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, Final

from hotswap._run._journal import MISSING, Journal
from hotswap._run._values import attribute, equal
from hotswap.patch._twins import detach, twin_of

_TABLES: Final = ("_member_names_", "_member_map_", "_value2member_map_", "_unhashable_values_", "_hashable_values_")
_FLAGS: Final = ("_flag_mask_", "_all_bits_", "_singles_mask_", "_inverted_")
LAID_OUT: Final = ("__dict__", "__weakref__", "__slots__", "_abc_impl")
_OWN: Final = (
    "__dict__",
    "__weakref__",
    "__module__",
    "__qualname__",
    "__doc__",
    "__firstlineno__",
    "__static_attributes__",
)


def kind_of(cls: type) -> str:
    """Return which library wrote members of `cls`, "" if none that has to be asked again."""
    if "__dataclass_fields__" in vars(cls):
        return "dataclass"
    if isinstance(cls, enum.EnumMeta):
        return "enum"
    if issubclass(cls, tuple) and "_field_defaults" in vars(cls):
        return "namedtuple"
    return "typeddict" if typing.is_typeddict(cls) else ""


ORDER: Final = ("__lt__", "__le__", "__gt__", "__ge__")


def order_again(journal: Journal, cls: type, members: Mapping[str, Any]) -> None:
    """Record on `cls` what `functools.total_ordering` derives from its `members`; ValueError if there is nothing."""
    derived = [name for name in ORDER if getattr(vars(cls).get(name), "__module__", "") == "functools"]
    twin = twin_of(cls, {n: v for n, v in members.items() if n not in (*derived, *LAID_OUT)})
    functools.total_ordering(twin)
    detach(twin)
    for name in ORDER:
        if name not in vars(twin):
            journal.del_member(cls, name)
        elif name in derived or name not in members:
            journal.set_member(cls, name, vars(twin)[name])


# ------------------------------------------------------------------------------------------------------------ enums


def merge_enum(
    journal: Journal, cls: Any, fresh: Any, names: Collection[str], back: Mapping[str, Any], *, anew: bool
) -> list[tuple[Any, Any]]:
    """Record on the enum `cls` what `fresh`, built aside from the new text, is; return (old, new) of replaced members.

    A member whose name stays is the same object as before; a changed value is written into it, but for enums with a
    payload (IntEnum, StrEnum), whose members cannot change what they are. `names` are those whose statements changed;
    with `anew`, all members take what making them anew gives (another ``__init__``); those in `back` come again.
    """
    replaced: list[tuple[Any, Any]] = []
    members: dict[int, Any] = {}
    for name, new in fresh._member_map_.items():
        if id(new) not in members:
            old = cls._member_map_.get(name, back.get(name))
            members[id(new)] = _kept(journal, cls, old, new, anew)
            if old is not None and old._name_ == name and members[id(new)] is not old:
                replaced.append((old, new))
    table = {name: members[id(new)] for name, new in fresh._member_map_.items()}
    _set_members(journal, cls, fresh, table)
    _set_others(journal, cls, fresh, names)
    _set_tables(journal, cls, fresh, members)
    return replaced


def tables_of(cls: type) -> list[object]:
    """Return the tables in which the enum `cls` has its members: others take their place."""
    return [vars(cls)[name] for name in _TABLES if name in vars(cls)]


def let_go(fresh: Any) -> None:
    """Have an enum that was built aside hold its members no more: they are another's, and would seem to be in use."""
    for name in list(fresh._member_map_):
        if name in vars(fresh):
            type.__delattr__(fresh, name)
    for table in tables_of(fresh):
        table.clear()  # type: ignore[attr-defined]  # lists and dicts


def _kept(journal: Journal, cls: Any, old: Any, new: Any, anew: bool) -> Any:
    same_value = old is not None and equal(old._value_, new._value_)
    if old is not None and old._name_ == new._name_ and (same_value or cls._member_type_ is object):
        for name, value in vars(new).items():
            taken = name in ("_value_", "_sort_order_") or ((anew or not same_value) and name != "__objclass__")
            if taken and not _is_of(new, value):
                journal.set_attribute(old, name, value)
        return old
    journal.note(partial(object.__setattr__, new, "__class__", type(new)))
    journal.do(partial(object.__setattr__, new, "__class__", cls), _nothing)
    journal.do(partial(object.__setattr__, new, "__objclass__", cls), _nothing)
    return new


def _is_of(member: Any, value: Any) -> bool:
    """Whether `value` is a method of `member`, or wraps one: it is no use to another member."""
    inside = (value, *(attribute(value, name) for name in ("__wrapped__", "func")))
    return any(attribute(one, "__self__") is member for one in inside)


def _nothing() -> None:
    """The inverse of what was done to an object that nobody has if the swap is taken back."""


def _set_members(journal: Journal, cls: Any, fresh: Any, table: Mapping[str, Any]) -> None:
    for name in cls._member_map_:
        if name not in table:
            journal.del_member(cls, name)
    for name, member in table.items():
        if name in vars(fresh) and vars(cls).get(name) is not member:
            value = vars(fresh)[name]
            journal.set_member(cls, name, member if isinstance(value, fresh) else value)


def _set_others(journal: Journal, cls: Any, fresh: Any, names: Collection[str]) -> None:
    """Record attributes that are no members, where their statements changed; an own ``__new__`` has other names."""
    for name in (*names, *(("__new_member__", "_new_member_") if "__new__" in names else ())):
        if name in fresh._member_map_ or _goes_on(vars(cls).get(name), vars(fresh).get(name)):
            continue
        if name in vars(fresh):
            journal.set_member(cls, name, vars(fresh)[name])
            _own(vars(fresh)[name], fresh, cls)
        elif name in vars(cls) and name not in cls._member_map_:
            journal.del_member(cls, name)


def _goes_on(live: object, new: object) -> bool:
    """Whether `live` is a function that has been given the code of `new` already."""
    if not isinstance(live, types.FunctionType) or not isinstance(new, types.FunctionType):
        return False
    if sys.version_info < (3, 14) and live.__annotations__ != new.__annotations__:  # else they are in the code
        return False
    return live.__code__ == new.__code__ and equal(live.__defaults__, new.__defaults__)


def _set_tables(journal: Journal, cls: Any, fresh: Any, members: Mapping[int, Any]) -> None:
    for name in _TABLES:
        if hasattr(fresh, name):
            journal.set_member(cls, name, _translated(getattr(fresh, name), members))
    if "_flag_mask_" in vars(fresh):
        made = vars(cls)["_value2member_map_"]
        held = _translated(fresh._value2member_map_, members)
        kept = {
            value: one
            for value, one in made.items()
            if _is_combined(one, value, fresh._flag_mask_) and value not in held
        }
        journal.set_member(cls, "_value2member_map_", held | kept)
    for name in _FLAGS:
        if name in vars(fresh):
            value = vars(fresh)[name]
            journal.set_member(cls, name, members.get(id(value), value))
    order = vars(fresh).get("_iter_member_")  # only where members do not stand in the order of their values
    if isinstance(order, types.MethodType):
        journal.set_member(cls, "_iter_member_", types.MethodType(order.__func__, cls))
    elif "_iter_member_" in vars(cls):
        journal.del_member(cls, "_iter_member_")


def _is_combined(member: Any, value: int, mask: int) -> bool:
    """Whether a member of a flag was made by combining others, all of which are still there."""
    return member._name_ not in type(member)._member_map_ and not value & ~mask


def _translated(table: Any, members: Mapping[int, Any]) -> Any:
    if isinstance(table, dict):
        return {key: members.get(id(value), value) for key, value in table.items()}
    return list(table)


# --------------------------------------------------------------------------------------- named tuples, typed dicts


def adopt(journal: Journal, cls: type, fresh: type, methods: Collection[str] = ()) -> None:
    """Record on `cls` the members of `fresh`, and drop those that it lacks: for classes that are nothing but members.

    `methods` are left as they are.
    """
    for name, value in vars(fresh).items():
        if name not in (*_OWN, *methods) and vars(cls).get(name, MISSING) is not value:
            journal.set_member(cls, name, value)
            _own(value, fresh, cls)
    for name in [name for name in vars(cls) if name not in vars(fresh) and name not in _OWN]:
        journal.del_member(cls, name)
    if vars(cls).get("__doc__") != vars(fresh).get("__doc__"):
        journal.set_member(cls, "__doc__", vars(fresh).get("__doc__"))


def _own(value: Any, fresh: type, cls: type) -> None:
    function = attribute(value, "__func__", value)
    for cell in attribute(function, "__closure__") or ():
        if cell.cell_contents is fresh:
            cell.cell_contents = cls


def keys_of(cls: type) -> dict[str, Any]:
    """Return the keys of `cls` with their annotations, if it is a typed dict."""
    return dict(cls.__annotations__) if typing.is_typeddict(cls) else {}


def adopt_below(journal: Journal, cls: type, before: Mapping[str, Any]) -> None:
    """Record on the typed dicts that inherit from `cls` the keys that they copied from it, which were `before`."""
    if not typing.is_typeddict(cls):
        return
    journal.commit()  # what is below is made of what `cls` has now
    for one in type.__subclasses__(dict):
        bases = _bases_of(one) if typing.is_typeddict(one) else ()
        if cls in bases:
            had = keys_of(one)
            _inherit_keys(journal, one, [base for base in bases if typing.is_typeddict(base)], before)
            journal.commit()
            adopt_below(journal, one, had)


def _bases_of(cls: type) -> tuple[Any, ...]:
    """Return the bases that the text of a typed dict states; it keeps them itself from 3.12 on."""
    held = vars(cls).get("__orig_bases__")
    if held is not None:
        return tuple(held)
    try:
        node = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    except (OSError, TypeError, SyntaxError):
        return ()
    names = getattr(sys.modules.get(cls.__module__), "__dict__", {})
    return tuple(_named(base, names) for base in node.bases) if isinstance(node, ast.ClassDef) else ()


def _named(node: ast.expr, names: Mapping[str, Any]) -> object:
    if isinstance(node, ast.Attribute):
        module = _named(node.value, names)
        return vars(module).get(node.attr) if type(module) is types.ModuleType else None
    return names.get(node.id) if isinstance(node, ast.Name) else None


_KEYS = ("__required_keys__", "__optional_keys__", "__readonly_keys__", "__mutable_keys__")  # the last two from 3.13 on


def _inherit_keys(journal: Journal, cls: Any, bases: list[Any], before: Mapping[str, Any]) -> None:
    held = cls.__annotations__
    sources = (before, *(base.__annotations__ for base in bases))
    known = {key for source in sources for key, value in source.items() if held.get(key, MISSING) == value}
    annotations: dict[str, Any] = {}
    keys: dict[str, frozenset[str]] = {name: frozenset() for name in _KEYS if name in vars(cls)}
    for base in (*bases, cls):
        own = {key: value for key, value in base.__annotations__.items() if base is not cls or key not in known}
        annotations |= own
        keys = {name: frozenset(some - own.keys() | own.keys() & getattr(base, name)) for name, some in keys.items()}
    for name in ("__annotate_func__", "__annotations_cache__"):  # storing annotations on a class moves these (PEP 649)
        journal.del_member(cls, name)
    for name, value in {"__annotations__": annotations, **keys}.items():
        journal.set_member(cls, name, value)
