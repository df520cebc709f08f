"""When are two values the same, and which values may be made anew without losing anything.

Only exact builtin types are compared: a user's ``__eq__`` is the program's code, and planning must not run it.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import operator
import pathlib
import re
import string
import struct
import sys
import types
import typing
import uuid
from collections.abc import Mapping
from typing import Any, Final, TypeGuard, TypeVar

from hotswap._quiet._values import attributes_of as attributes_of

_T = TypeVar("_T")

_ATOMS: Final = (int, str, bool, float, complex, bytes, type(None), type(Ellipsis), type(NotImplemented), range)
_SEQUENCES: Final = (tuple, list)
_SETS: Final = (set, frozenset)
_DICTS: Final = (dict, collections.Counter, collections.OrderedDict, collections.defaultdict)

# What ``typing`` makes of its forms with something in brackets; those of `Callable` and `Union` are subclasses.
_ALIAS: Final = type(typing.Mapping[str, int])

# Types of other values that hold no state of their own: losing one and making an equal one loses nothing.
_STATELESS: Final = (
    *(re.Pattern, pathlib.PurePath, decimal.Decimal, fractions.Fraction, uuid.UUID, functools.partial),
    *(datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo),
    *(types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.GenericAlias, types.UnionType, type),
    *(operator.itemgetter, operator.attrgetter, operator.methodcaller, slice, string.Template, struct.Struct),
    *(types.MappingProxyType, staticmethod, classmethod, property, enum.Enum),
    *(typing.TypeVar, typing.ParamSpec, typing.ForwardRef, _ALIAS),
)

if sys.version_info >= (3, 14):
    from string.templatelib import Template  # PEP 750

    _TEMPLATES: Final[tuple[type, ...]] = (Template,)
else:
    _TEMPLATES: Final[tuple[type, ...]] = ()

# Those of them whose own comparison is the standard library's: it may be asked.
_COMPARABLE: Final = frozenset(
    (
        *(re.Pattern, pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath),
        *(decimal.Decimal, fractions.Fraction, uuid.UUID, datetime.date, datetime.datetime, datetime.time),
        *(datetime.timedelta, datetime.timezone, types.GenericAlias, types.UnionType, types.MappingProxyType),
    )
)


_HOLDERS: Final = (*_SEQUENCES, *_SETS, dict)
_MANY: Final = 1000
"""So many elements a list of modules has at most: data may be longer."""
_OF_C: Final = (types.WrapperDescriptorType, types.MethodDescriptorType, types.BuiltinFunctionType)
_LOOKS: Final = 200
"""So many modules, containers and objects are looked at for modules."""
_REDUCED: Final = (operator.itemgetter, operator.attrgetter, operator.methodcaller, slice)
_INSIDE: Final = ("__func__", "fget", "fset", "fdel")
_OF_RECORDS: Final = ("__module__", "__qualname__", "__doc__", "_fields", "_field_defaults")
_OF_PARAMETERS: Final = ("__name__", "__bound__", "__constraints__", "__covariant__", "__contravariant__")


def attribute(value: object, name: str, default: Any = None) -> Any:
    """Return an attribute of whatever `value` is; `default` also where a proxy raises, as it stands for nothing yet."""
    try:
        return getattr(value, name, default)
    except Exception:  # noqa: BLE001  the program's own code
        return default


def is_a(value: object, kind: type[_T] | tuple[type[_T], ...]) -> TypeGuard[_T]:
    """Whether the type of `value` is `kind`, or below it. A proxy that has another ``__class__`` is not asked."""
    return issubclass(type(value), kind)


def same(old: object, new: object) -> bool:
    """Whether a reader of `new` cannot tell it from `old`: the same object, or equal exact immutable builtins."""
    return old is new or (type(old) is type(new) and immutable(old) and equal(old, new))


def immutable(value: object) -> bool:
    """Whether `value` is of an exact builtin type whose objects nobody can alter, and so is all that it holds."""
    if type(value) in _ATOMS:
        return True
    return type(value) in (tuple, frozenset) and all(immutable(item) for item in value)  # type: ignore[attr-defined]


def equal(old: object, new: object) -> bool:
    """Whether two values of exact builtin types, containers included, are equal; False for all other types.

    Zeros of both signs differ, and a NaN equals itself: it is the text's value that counts, not arithmetic.
    """
    if type(old) is not type(new):
        return False
    if type(old) in (float, complex):
        return repr(old) == repr(new)
    if type(old) in _ATOMS:
        return bool(old == new)
    if type(old) in _SEQUENCES:
        return len(old) == len(new) and all(map(_alike, old, new))  # type: ignore[arg-type,call-overload]
    if type(old) is collections.deque:
        return equal([old.maxlen, *old], [new.maxlen, *new])  # type: ignore[attr-defined,misc]
    if type(old) in _DICTS:
        return _equal_dicts(old, new)  # type: ignore[arg-type]
    return type(old) in _SETS and set(map(_key, old)) == set(map(_key, new))  # type: ignore[call-overload]


def _key(item: object) -> object:
    """Return what equals the key of the same item in another set: of others than plain values the identity alone."""
    return (type(item), item) if type(item) in _ATOMS else id(item)


def _alike(old: object, new: object) -> bool:
    if old is new or equal(old, new) or is_same_bound(old, new) or _is_same_partial(old, new):
        return True
    return type(old) is types.FunctionType and _is_same_text(old, new)


def is_same_bound(old: object, new: object) -> bool:
    """Whether both are one method of one object: each look at it makes another object for that."""
    if isinstance(old, types.MethodType) and isinstance(new, types.MethodType):
        return old.__func__ is new.__func__ and old.__self__ is new.__self__
    if isinstance(old, types.BuiltinMethodType) and isinstance(new, types.BuiltinMethodType):
        return old.__self__ is new.__self__ and old.__name__ == new.__name__
    return False


def _is_same_partial(old: object, new: object) -> bool:
    if type(old) is not functools.partial or type(new) is not functools.partial:
        return False
    callee = old.func is new.func or is_same_bound(old.func, new.func)
    return callee and equal((old.args, old.keywords), (new.args, new.keywords))


def _is_same_text(old: types.FunctionType, new: object) -> bool:
    """Whether two functions come from one place in the text, and hold nothing that the other does not."""
    if type(new) is not types.FunctionType or vars(old) or vars(new):
        return False
    is_same = old.__code__ == new.__code__ and old.__globals__ is new.__globals__
    cells = ([_content(cell) for cell in one.__closure__ or ()] for one in (old, new))
    is_same = is_same and all(map(same, *cells))  # one code, so as many cells
    return is_same and equal((old.__defaults__, old.__kwdefaults__), (new.__defaults__, new.__kwdefaults__))


def _content(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return cell


def _equal_dicts(old: dict[object, object], new: dict[object, object]) -> bool:
    if list(map(type, old)) != list(map(type, new)) or len(old) != len(new):
        return False
    missing, other = (getattr(one, "default_factory", None) for one in (old, new))
    return _alike(missing, other) and all(map(_alike, old, new)) and all(map(_alike, old.values(), new.values()))


def stateless(value: object) -> bool:
    """Whether `value` is of a type whose objects hold nothing that making one anew would lose."""
    if issubclass(type(value), _STATELESS) or type(value) in _TEMPLATES or is_parser(value):
        return True
    items = _items_of(value)
    return is_plain(value) if items is None else all(map(stateless, items))


def is_parser(value: object) -> bool:
    """Whether `value` is of a class of `argparse`: such a one holds what it was told, and nothing of what it parsed."""
    return type(value).__module__ == "argparse"


def is_plain(value: object) -> bool:
    """Whether `value` is a number, text or the like, or a container of Python's own."""
    return type(value) in _ATOMS or type(value) in (*_SEQUENCES, *_SETS, *_DICTS, collections.deque)


def _items_of(value: object) -> tuple[object, ...] | None:
    """Return the items of a named tuple, a frozen dataclass, or what attrs made frozen, which hold no more than
    these; None of others.
    """
    cls: Any = type(value)
    if issubclass(cls, tuple) and hasattr(cls, "_fields") and not cls.__dictoffset__:
        return tuple(tuple.__iter__(value))  # type: ignore[arg-type]  # it is one
    params = cls.__dict__.get("__dataclass_params__")
    if params is not None and params.frozen:
        names = [field.name for field in dataclasses.fields(cls)]
    elif getattr(cls.__dict__.get("__setattr__"), "__name__", "") == "_frozen_setattrs":  # what attrs gives those
        names = [field.name for field in cls.__dict__.get("__attrs_attrs__", ())]
    else:
        return None
    try:
        items = tuple(object.__getattribute__(value, name) for name in names)
    except AttributeError:
        return None
    return items if attributes_of(value).keys() <= set(names) else None


def _is_record_class(value: object) -> bool:
    """Whether `value` is what `collections.namedtuple` makes."""
    return type(value) is type and value.__bases__ == (tuple,) and "_field_defaults" in vars(value)


def alike(made: object, held: object) -> bool:
    """Whether `held` is what a statement that gave `made` left there: equal, or the same function or class made
    again.
    """
    return _is_alike(made, held) or (is_parser(made) and holds_the_same(made, held))


def _is_alike(made: object, held: object) -> bool:
    if made is held or equal(made, held) or is_same_bound(made, held):
        return True
    if type(made) is type(held) and type(made) in (*_SEQUENCES, *_DICTS):
        return _are_all_alike(made, held)
    if type(made) is type(held) and type(made) in _TEMPLATES:
        return equal(_parts(made), _parts(held))
    if type(made) is type(held) and (items := _items_of(made)) is not None:
        other = _items_of(held)
        return other is not None and len(items) == len(other) and all(map(_is_alike, items, other))
    if type(made) is not type(held) or not issubclass(type(made), _STATELESS):
        return False
    if isinstance(made, types.FunctionType) and isinstance(held, types.FunctionType):
        return made.__code__ == held.__code__
    if _is_record_class(made) and _is_record_class(held):
        return all(equal(*(vars(one).get(name) for one in (made, held))) for name in _OF_RECORDS)
    if isinstance(made, (property, staticmethod, classmethod)):
        return all(alike(getattr(made, name, None), getattr(held, name, None)) for name in _INSIDE)
    if type(made) in _REDUCED:
        return equal(*(reduced(one) for one in (made, held)))
    if type(made) in (string.Template, struct.Struct):
        return equal(*(attribute(one, "template", attribute(one, "format")) for one in (made, held)))
    if isinstance(made, functools.partial):
        return _is_same_partial(made, held)
    if isinstance(made, (typing.TypeVar, typing.ParamSpec)):
        return all(getattr(made, name, None) == getattr(held, name, None) for name in _OF_PARAMETERS)
    return (type(made) in _COMPARABLE or isinstance(made, (_ALIAS, types.GenericAlias))) and bool(made == held)


def _are_all_alike(made: Any, held: Any) -> bool:
    if not 0 < len(made) == len(held) <= _MANY:
        return False
    if type(made) in _DICTS:
        missing = [[getattr(one, "default_factory", None)] for one in (made, held)]
        pairs = zip((*missing[0], *made.values()), (*missing[1], *held.values()), strict=True)
        return equal(list(made), list(held)) and all(_is_alike(*pair) for pair in pairs)
    return all(map(_is_alike, made, held))


def holds_the_same(made: object, held: object) -> bool:
    """Whether `held` has in it what `made` has, objects of classes that are written in Python gone into.

    What C code keeps of an object cannot be seen, so such objects are the same only as `alike` says.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [(made, held)]
    while waiting and len(seen) < _MANY:
        pair = waiting.pop()
        key = (id(pair[0]), id(pair[1]))
        if key in seen or _is_alike(*pair):
            continue
        seen.add(key)
        parts = [_contents(one) for one in pair]
        if type(pair[0]) is not type(pair[1]) or None in parts or not equal(*(list(part or ()) for part in parts)):
            return False
        waiting += zip(*((part or {}).values() for part in parts), strict=True)
    return not waiting


def _contents(value: Any) -> dict[Any, object] | None:
    """Return what a container or an object has in it, by key, index or name; None if that cannot be seen."""
    if type(value) in _SEQUENCES:
        return dict(enumerate(value))
    if type(value) is dict:
        return dict(value)
    if is_a(value, type) or any(map(_is_of_c, type(value).__mro__[:-1])):
        return None
    slots = {name: one for base in type(value).__mro__[:-1] for name, one in vars(base).items() if _is_slot(one)}
    held = ((name, slot.__get__(value)) for name, slot in sorted(slots.items()) if _is_set(slot, value))
    return {**dict(held), **attributes_of(value)}


def _is_of_c(cls: type) -> bool:
    own = (one for one in vars(cls).values() if type(one) in _OF_C)
    return any(cls is getattr(one, "__objclass__", getattr(one, "__self__", None)) for one in own)


def _is_slot(member: object) -> TypeGuard[types.MemberDescriptorType]:
    return type(member) is types.MemberDescriptorType


def _is_set(slot: types.MemberDescriptorType, value: object) -> bool:
    try:
        slot.__get__(value)
    except AttributeError:
        return False
    return True


def modules_in(value: object) -> list[types.ModuleType]:
    """Return the modules that `value` is or has in it: as elements of plain containers, or attributes of an object."""
    found: list[types.ModuleType] = []
    waiting: list[object] = [value]
    for _ in range(_LOOKS):
        if not waiting:
            break
        one = waiting.pop()
        if is_a(one, types.ModuleType):
            found.append(one)
        else:
            parts = _parts_of(one)
            kinds = {kind for kind in set(map(type, parts)) if _has_parts(kind)}
            waiting += [part for part in parts if type(part) in kinds] if kinds else ()
    return found


def reduced(value: Any) -> list[object]:
    """Return what an ``itemgetter()`` or its like was made of; keywords come last."""
    maker, given = value.__reduce__()[:2]
    return [*getattr(maker, "args", ()), *given, *getattr(maker, "keywords", {}).items()]


def texts_in(getter: object) -> frozenset[str]:
    """Return the names that an ``attrgetter()`` or `methodcaller` looks up."""
    return frozenset(part for one in reduced(getter) if type(one) is str for part in one.split("."))


def way_to(namespace: Mapping[str, object], dotted: str) -> list[object]:
    """Return what the parts of `dotted` stand for, as far as that is known without running anything."""
    first, *rest = dotted.split(".")
    if first not in namespace:
        return []
    found = [namespace[first]]
    for name in rest:
        value = found[-1]
        held = attributes_of(value).get(name)
        if held is None:
            held = next(
                (
                    vars(base)[name]
                    for base in (value if is_a(value, type) else type(value)).__mro__
                    if name in vars(base)
                ),
                None,
            )
        if held is None:
            break
        found.append(held)
    return found


def elements(container: Any) -> list[Any]:
    """Return what a plain container has in it, of a dict the values; nothing of one that has very much."""
    few = len(container) <= _MANY and container is not sys.modules
    return list(container.values() if isinstance(container, dict) else container) if few else []


def _parts_of(value: Any) -> list[object]:
    """Return the elements of a plain container, else the attributes of an object."""
    if type(value) in _HOLDERS:
        return elements(value)
    try:
        return list(object.__getattribute__(value, "__dict__").values()) if _has_parts(type(value)) else []
    except Exception:  # noqa: BLE001  a proxy that stands for nothing yet
        return []


def _has_parts(cls: type) -> bool:
    return cls in _HOLDERS or bool(cls.__dictoffset__ and not issubclass(cls, (type, types.FunctionType)))


def as_member(value: Any) -> object:
    """Return what a class keeps of `value`: of a member of an enum, and of a field of a dataclass, the plain value."""
    if type(value) is dataclasses.Field:
        return value.default
    return vars(value)["_value_"] if isinstance(type(value), enum.EnumMeta) and "_value_" in vars(value) else value


def _parts(template: Any) -> tuple[object, ...]:
    return (template.strings, *((i.value, i.expression, i.conversion, i.format_spec) for i in template.interpolations))
