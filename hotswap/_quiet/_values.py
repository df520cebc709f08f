"""What is known of a value without running anything: the very object, or its class, and who made it.

Objects are looked at through module and type dictionaries alone. `isinstance` is avoided on them, as it asks an object
for its ``__class__``, which a proxy computes; no attribute of an instance is read, no comparison made but by identity.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, EnumMeta
from operator import methodcaller
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    NoneType,
    WrapperDescriptorType,
)
from typing import Any, ClassVar, Final

from hotswap._quiet._calls import IMMUTABLE

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_IMMUTABLE: Final = frozenset(map(id, IMMUTABLE))  # by identity: hashing or comparing a class may run its metaclass
_SAMPLED: Final = frozenset(map(id, (list, tuple, set, frozenset, dict)))
_CHOSEN: Final = frozenset(
    map(id, (FunctionType, BuiltinFunctionType, MethodType, ModuleType, functools.partial, methodcaller, type))
)
_CHOICES: Final = 32  # functions in a table that are judged one by one
_ENOUGH: Final = 256  # elements of a live container that are looked at, so that a long list costs no more


class Missing(Enum):
    """The type of `MISSING`."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
ANYTHING: Final = object()
"""What a name stands for of which nothing is known but that it is bound."""


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """What an expression gives. Nothing set: anything.

    `obj` is the very object, where known; `kind` its exact class (of what `pathlib.Path` makes: that class or one
    below). `own`: whoever alters it is not noticed, as the judged statement made it or nobody can alter it. `each` is
    what iterating over it gives, `parts` its items one by one. `local` is a function that the statement itself
    defines. `after` makes it ``super()``: attributes are looked for after this class. It is one of `either`, if any.
    `items` is what was put into a container that the statement made.
    """

    obj: object = MISSING
    kind: type | None = None
    own: bool = False
    each: Value | None = None
    parts: tuple[Value, ...] = ()
    local: Local | None = None
    after: type | None = None
    either: tuple[object, ...] = ()
    items: Items | None = None

    def key(self) -> tuple[object, ...]:
        """Return what equals the key of another value that says the same."""
        each = self.each and self.each.key()
        parts = tuple(part.key() for part in self.parts)
        either = tuple(map(id, self.either))
        items = self.items and self.items.key()
        return id(self.obj), id(self.kind), self.own, each, parts, id(self.local), id(self.after), either, items


@dataclass(slots=True, eq=False)
class Items:
    """What was put into a list, or as values into a dict, that the judged code made: `each` is true of all of it.

    None: nothing was, so that what takes something out of it cannot be reached yet. All names of the container have
    the same `Items`; where one may be without it, or others have the container, it is not `known` any more.
    """

    each: Value | None = None
    known: bool = True
    changes: ClassVar[int] = 0

    def key(self) -> tuple[object, ...]:
        """Return what changes with the contents."""
        return id(self), self.known, self.each and self.each.key()

    def put(self, value: Value) -> None:
        """Note that `value` is in the container now, and reached through that as well."""
        if _holds(value, self):  # it is in itself
            self.lose()
            value = replace(value, items=None)
        each = join(self.each, value)
        if self.each is None or each.key() != self.each.key():
            self.each = each
            Items.changes += 1

    def lose(self) -> None:
        """Note that anything may be in the container."""
        Items.changes += self.known
        self.known = False


def _holds(value: Value | None, items: Items) -> bool:
    if value is None:
        return False
    inside = (value.each, *value.parts, value.items.each if value.items else None)
    return value.items is items or any(_holds(one, items) for one in inside)


UNKNOWN: Final = Value()
MADE: Final = Value(own=True)
ABSENT: Final = Value()
"""What a name gives that is not bound: nothing is known of it, and to run what reads it would raise."""
NOTHING: Final = Value(own=True)
"""What is taken out of an empty container: the code behind that does not run, or not before something is put in."""


def is_unknown(value: Value) -> bool:
    """Whether nothing is known of `value`."""
    return value.key() == UNKNOWN.key()


def lose_items(*values: Value) -> None:
    """Note that others may put things into containers among `values`."""
    for value in values:
        if value.items is not None:
            value.items.lose()


def items_of(value: Value) -> Value | None:
    """Return what is true of all that was put into `value`; None if that is not known."""
    if value.items is None or not value.items.known:
        return None
    return value.items.each or NOTHING


@dataclass(slots=True)
class Frame:
    """The names of one function, class body or statement while its code is walked.

    `find` looks a global name up. `outer` is the function around it. `top`: the judged statement itself, or the body
    of its class (`hidden`: a class body, whose names functions inside do not see). `shared` are names declared global
    or nonlocal, `receiver` is what the first parameter was given. While `weak` is above 0, a name that is bound may
    have been so or not, and keeps what it was as well. Dotted names in `names` are attributes of own objects.
    """

    find: Callable[[str], object]
    names: dict[str, Value] = field(default_factory=dict)
    outer: Frame | None = None
    top: bool = False
    hidden: bool = False
    shared: set[str] = field(default_factory=set)
    weak: int = 0
    receiver: Value | None = None
    returned: Value | None = None
    yielded: Value | None = None

    def read(self, name: str) -> Value:
        """Return what `name` is here, in the functions around, or globally."""
        frame: Frame | None = self
        while frame is not None:
            if (found := frame.names.get(name)) is not None:
                return found
            frame = frame.outer
        there = self.find(name)
        return ABSENT if there is MISSING else know(there)

    def visible(self) -> list[Value]:
        """Return what all names of this frame and of those around it hold."""
        return [*self.names.values(), *(self.outer.visible() if self.outer else ())]

    def bind(self, name: str, value: Value) -> None:
        """Give `name` a value; forget what was known of its attributes."""
        before = self.names.get(name) if self.weak else None
        if self.weak and self.top and before is None and (there := self.find(name)) is not MISSING:
            before = know(there)
        self.names[name] = join(before, value)
        self.forget(f"{name}.")

    def forget(self, prefix: str = "") -> None:
        """Forget what attributes hold: those whose dotted name starts with `prefix`, or all."""
        for name in [known for known in self.names if "." in known and known.startswith(prefix)]:
            del self.names[name]


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """A function that the judged statement defines, with its defaults, evaluated, and the frame around it."""

    node: Definition
    frame: Frame
    defaults: tuple[Value, ...] = ()
    keywords: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a call hands over. `open`: there are ``*`` or ``**`` among them, so that more may come."""

    values: tuple[Value, ...] = ()
    names: Mapping[str, Value] = field(default_factory=dict)
    open: bool = False

    def after(self, *first: Value) -> Arguments:
        """Return these arguments behind `first`."""
        return Arguments((*first, *self.values), self.names, self.open)

    def everything(self) -> tuple[Value, ...]:
        """Return all values, positional ones first."""
        return (*self.values, *self.names.values())


def know(obj: object) -> Value:
    """Return all that is known of `obj`, a live object; of `MISSING`, nothing."""
    if obj is MISSING or obj is ANYTHING:
        return UNKNOWN
    kind = type(obj)
    return Value(obj, kind, own=id(kind) in _IMMUTABLE)


def join(one: Value | None, other: Value) -> Value:
    """Return what is true of both. None stands for no value at all; the kind of None yields to the other kind."""
    if one is None or one is other or one is NOTHING:
        return other
    if other is NOTHING:
        return one
    if one.key() == other.key():
        return other
    if one.items is not other.items:
        lose_items(one, other)
    same = one.kind is other.kind or other.kind is type(None)
    kind = one.kind if same else other.kind if one.kind is type(None) else None
    each = join(one.each, other.each) if one.each and other.each else None
    parts: tuple[Value, ...] = ()
    if len(one.parts) == len(other.parts):
        parts = tuple(map(join, one.parts, other.parts))
    items = one.items if one.items is other.items else None
    return Value(kind=kind, own=one.own and other.own, each=each, parts=parts, either=_choose(one, other), items=items)


def _choose(one: Value, other: Value) -> tuple[object, ...]:
    """Return what `one` and `other` may be, if that is a handful of functions, classes and modules."""
    both = [value.either or ((value.obj,) if id(type(value.obj)) in _CHOSEN else ()) for value in (one, other)]
    found = {id(obj): obj for found in both for obj in found} if all(both) else {}
    return tuple(found.values()) if len(found) <= _CHOICES else ()


def join_all(values: tuple[Value, ...]) -> Value | None:
    """Return what is true of all `values`; None if there are none."""
    joined: Value | None = None
    for value in values:
        joined = join(joined, value)
    return joined


def describe_items(value: Value) -> Value:
    """Return what iterating over `value` gives, as far as that is static or the object is an exact builtin."""
    if value.kind is list and (held := items_of(value)) is not None:
        return held
    if value.each or value.parts:
        each = value.each or join_all(value.parts) or UNKNOWN
        return _loosen(each) if id(value.kind) in _SAMPLED and value.kind is not tuple else each
    if value.kind is str or value.kind is bytes:
        return Value(kind=str if value.kind is str else int, own=True)
    if issubclass(type(value.obj), EnumMeta):
        return Value(kind=value.obj)  # type: ignore[arg-type]  # a class, as its type is a metaclass
    if value.kind is range:
        return Value(kind=int, own=True)
    return sample(value.obj) if id(value.kind) in _SAMPLED else UNKNOWN


def _loosen(item: Value) -> Value:
    """Return an item of a container that may have got others since: none is known to be made here."""
    if id(item.kind) in _IMMUTABLE and item.kind is not tuple:
        return item
    return Value(item.obj, item.kind, own=False, parts=tuple(map(_loosen, item.parts)), either=item.either)


def sample(container: object) -> Value:
    """Return what all items of a live builtin container, or values of a view of one, have in common."""
    if container is MISSING or len(container) > _ENOUGH:  # type: ignore[arg-type]  # of an exact builtin type
        return UNKNOWN
    items: tuple[object, ...] = tuple(container)  # type: ignore[arg-type]  # as above; one C call: threads cannot disturb
    return join_all(tuple(map(_outline, items))) or UNKNOWN


def _outline(item: object) -> Value:
    kind = type(item)
    parts = tuple(map(_outline, item)) if type(item) is tuple and len(item) < 10 else ()
    return Value(item if id(kind) in _CHOSEN else MISSING, kind, own=id(kind) in _IMMUTABLE, parts=parts)


# --- looking into dictionaries

_module_dict: Final[Callable[[Any], dict[str, Any]]] = vars(ModuleType)["__dict__"].__get__
_type_mro: Final[Callable[[Any], tuple[type, ...]]] = vars(type)["__mro__"].__get__
list_members: Final[Callable[[Any], Mapping[str, Any]]] = vars(type)["__dict__"].__get__
name_class: Final[Callable[[Any], str]] = vars(type)["__name__"].__get__


def attributes_of(value: object) -> dict[str, Any]:
    """Return the attributes that an object has itself, without running code of the program."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except Exception:  # noqa: BLE001  a property of the program's, as a proxy may have
        return {}
    return found if type(found) is dict else {}


def is_class(obj: object) -> bool:
    """Whether `obj` is a class; its ``__class__`` is not asked."""
    return issubclass(type(obj), type)


def is_module(obj: object) -> bool:
    """Whether `obj` is a module; its ``__class__`` is not asked."""
    return issubclass(type(obj), ModuleType)


def is_standard(kind: type) -> bool:
    """Whether the class `kind` is of the standard library."""
    return kind.__module__.partition(".")[0] in sys.stdlib_module_names


_IN_C: Final = frozenset(
    map(id, (BuiltinFunctionType, ClassMethodDescriptorType, GetSetDescriptorType, MemberDescriptorType,
             MethodDescriptorType, NoneType, WrapperDescriptorType))
)  # fmt: skip


def runs_python(raw: object) -> bool:
    """Whether a raw special method may run Python code; those that C defines alter nothing but their receiver."""
    return id(type(raw)) not in _IN_C


def look_up(kind: type, name: str, after: type | None = None) -> tuple[type, Any] | None:
    """Return the class along the MRO of `kind` that has `name`, and the raw object in its dictionary.

    With `after`, the search starts behind that class, as that of ``super()`` does. No descriptor is run.
    """
    layers = _type_mro(kind)
    start = next((at for at, layer in enumerate(layers, 1) if layer is after), 0) if after else 0
    for layer in layers[start:]:
        found = list_members(layer).get(name, MISSING)
        if found is not MISSING:
            return layer, found
    return None


def methods_named(name: str) -> list[tuple[type, FunctionType]]:
    """Return the functions that classes written in Python have as their member `name`, each with its class."""
    found, seen, waiting = list[tuple[type, FunctionType]](), {id(type)}, list[type]([object])
    while waiting:
        below: list[Any] = type.__subclasses__(waiting.pop())
        new = [one for one in below if id(one) not in seen]
        seen.update(map(id, new))
        waiting += new
        members = ((one, list_members(one).get(name)) for one in new)
        found += ((one, member) for one, member in members if isinstance(member, FunctionType))
    return found


def find_member(obj: object, name: str) -> object:
    """Return the attribute `name` of a module or a class out of their dictionaries, raw; `MISSING` of anything else."""
    if is_module(obj):
        return _module_dict(obj).get(name, MISSING)
    if not is_class(obj):
        return MISSING
    if issubclass(type(obj), EnumMeta):
        found = find_enum_member(obj, name)
        if found is not MISSING:
            return found
    entry = look_up(obj, name)  # type: ignore[arg-type]  # a class, as was just seen
    return entry[1] if entry else MISSING


def find_enum_member(enum: object, name: str) -> object:
    """Return the member `name` of an Enum class; `MISSING` if it has none, or is still being made."""
    members = list_members(enum).get("_member_map_")
    return members.get(name, MISSING) if type(members) is dict else MISSING


def find_enum_values(enum: object) -> list[object]:
    """Return the values of an Enum class that has none but texts and numbers, whose `value` is Enum's own."""
    members = list_members(enum).get("_member_map_") if issubclass(type(enum), EnumMeta) else None
    found = [vars(member).get("_value_") for member in members.values()] if type(members) is dict else []
    own = look_up(enum, "value") if found else None  # type: ignore[arg-type]  # a class, as its type is a metaclass
    return found if own and own[0] is Enum and all(id(type(one)) in _IMMUTABLE for one in found) else []
