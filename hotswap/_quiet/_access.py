"""What the load of an attribute, an operator, an iteration or a store runs, and whether that is quiet.

Each of them is a call in disguise: of a special method, a property, a descriptor. What a class in C does there alters
nothing but the object at hand; what a class defines in Python is judged as a call of that function.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from enum import EnumMeta
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

from hotswap._quiet._results import make_result
from hotswap._quiet._scope import Scope
from hotswap._quiet._shadowed import may_be_shadowed
from hotswap._quiet._table import origin_of
from hotswap._quiet._values import (
    MISSING,
    NOTHING,
    UNKNOWN,
    Arguments,
    Value,
    attributes_of,
    describe_items,
    find_enum_member,
    find_enum_values,
    find_member,
    is_class,
    is_module,
    join_all,
    know,
    list_members,
    look_up,
    name_class,
    runs_python,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hotswap._quiet._table import Table

Found = tuple[type, Any]
_TEXT = Value(kind=str, own=True)
_NAMES = frozenset(("__doc__", "__module__", "__name__", "__qualname__"))
"""Attributes that are texts, of whatever has them."""
_OVERRIDES = frozenset(("__getattr__", "__getattribute__"))
_ALTERABLE = frozenset(map(id, (dict, list, set)))


class LoudError(Exception):
    """The statement is not quiet; `reason` says why, so that "it" can stand before it. Never leaves `_quiet`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Access(ABC):
    """Judges what runs when an object is used otherwise than by calling it."""

    def __init__(self, scope: Scope, table: Table) -> None:
        self.scope = scope
        self.table = table
        self.altered = False  # whether it stores into what was there before
        self.stored = set[str]()  # attributes, of whatever objects
        self.given: dict[int, object] = {}
        table.catch_up()

    @abstractmethod
    def call(self, called: Value, given: Arguments, label: str) -> Value:
        """Judge a call of `called`; return its result. Raises LoudError if it is not quiet."""

    @abstractmethod
    def call_raw(self, found: Found, name: str, given: Arguments, label: str) -> Value:
        """Judge the call of a method as it stands in a class's dictionary, its receiver being the first argument."""

    def each_of(self, value: Value, judge: Callable[[Value], Value]) -> Value:
        """Judge each object that `value` may be; return what is true of all results."""
        return join_all(tuple(judge(know(one)) for one in value.either)) or UNKNOWN

    # --- attributes

    def load(self, value: Value, name: str) -> Value:
        """Judge ``value.name``; return what is known of the attribute."""
        if value is NOTHING:
            return value
        found = self._load(value, name)
        return _TEXT if found is UNKNOWN and name in _NAMES else found

    def loads_any(self, value: Value) -> bool:
        """Whether no attribute of `value`, a module or class, runs code when it is loaded."""
        found = value.either or (value.obj,)
        return all(is_module(one) or is_class(one) for one in found) and not any(map(self._may_run, found))

    def _may_run(self, one: Any) -> bool:
        if is_module(one):
            return type(one) is not ModuleType or find_member(one, "__getattr__") is not MISSING
        layers = [layer for layer in (*one.__mro__, *type(one).__mro__) if not self.table.trusts(layer)]
        members = [member for layer in layers for member in list_members(layer).values()]
        own = any(_OVERRIDES & list_members(layer).keys() for layer in type(one).__mro__ if layer in layers)
        getters = (look_up(type(member), "__get__") for member in members)
        return own or any(found and runs_python(found[1]) for found in getters)

    def _load(self, value: Value, name: str) -> Value:
        if value.either:
            return self.each_of(value, lambda one: self.load(one, name))
        if value.obj is not MISSING and not value.after:
            if is_module(value.obj):
                return self._load_from_module(value, name)
            if is_class(value.obj):
                return self._load_from_class(value, name)
            if name[:2] != "__" and (origin := origin_of(value.obj)) is not value.obj:
                return self._load(know(origin), name)
        if value.kind is None:
            return UNKNOWN
        if name == "value" and value.obj is MISSING and (values := find_enum_values(value.kind)):
            return join_all(tuple(map(know, values))) or UNKNOWN
        self._use_override(value, "__getattribute__", name)
        found = look_up(value.kind, name, value.after)
        if name == "__dict__" and value.own:
            return Value(kind=dict, own=True)
        own = attributes_of(value.obj) if value.obj is not MISSING and not self.altered else {}
        if name in own and (found is None or not look_up(type(found[1]), "__set__")):
            return know(own[name])
        if found is None:
            self._use_override(value, "__getattr__", name)
            return UNKNOWN
        return self._load_raw(found, value, name)

    def _load_from_module(self, value: Value, name: str) -> Value:
        found = find_member(value.obj, name)
        if found is MISSING:
            self._use_override(value, "__getattribute__", name)
            self._use_override(value, "__getattr__", name)
            if name == "__dict__":
                return self.give_names(attributes_of(value.obj))
            getter = find_member(value.obj, "__getattr__")
            if getter is not MISSING:
                return self.call(know(getter), Arguments((_TEXT,)), "the module's __getattr__")
        return know(found)

    def _load_from_class(self, value: Value, name: str) -> Value:
        owner: Any = value.obj
        if issubclass(type(owner), EnumMeta) and (member := find_enum_member(owner, name)) is not MISSING:
            return know(member)
        if name == "__dict__" or (name == "__members__" and issubclass(type(owner), EnumMeta)):
            return Value(kind=MappingProxyType, own=True)
        self._use_override(value, "__getattribute__", name)
        meta, found = look_up(type(owner), name), look_up(owner, name)
        if meta and (found is None or look_up(type(meta[1]), "__set__")):
            return self._load_raw(meta, value, name)
        if found is None:
            self._use_override(value, "__getattr__", name)
            return UNKNOWN
        raw = found[1]
        if type(raw) is staticmethod:
            return know(raw.__func__)
        self._use_descriptor(raw, name)
        return UNKNOWN if type(raw) is classmethod else know(raw)

    def _load_raw(self, found: Found, value: Value, name: str) -> Value:
        """Judge the load of a raw object found in the class of `value`.

        Of a plain class attribute that is what comes out, unless the instance may have its own by that name.
        """
        owner, raw = found
        if (listed := self.table.find(raw)) is not None:
            return make_result(listed, UNKNOWN, Arguments((value,)))
        if self.table.trusts(owner):
            return UNKNOWN
        if type(raw) is functools.cached_property:
            if not value.own:
                raise LoudError(f"loads .{name}, which is computed and stored at its first load")
            return self.call(know(raw.func), Arguments((value,)), f"the property {name}")
        if type(raw) is property:
            return self.call(know(raw.fget), Arguments((value,)), f"the property {name}")
        self._use_descriptor(raw, name)
        if look_up(type(raw), "__get__") or name in self.stored or value.kind is None:
            return UNKNOWN
        return UNKNOWN if may_be_shadowed(value.kind, name) else know(raw)

    def _use_descriptor(self, raw: object, name: str) -> None:
        getter = look_up(type(raw), "__get__")
        if getter and runs_python(getter[1]) and not self.table.trusts(getter[0]):
            self.call_raw(getter, "__get__", Arguments((know(raw), UNKNOWN, UNKNOWN)), f"{name}.__get__()")

    def _use_override(self, value: Value, hook: str, name: str) -> None:
        found = value.kind and look_up(value.kind, hook)
        if found and runs_python(found[1]) and not self.table.trusts(found[0]):
            self.call_raw(found, hook, Arguments((value, _TEXT)), f"the {hook} that finds .{name}")

    # --- operators

    def use(self, value: Value, *hooks: str) -> None:
        """Judge the special methods `hooks` of `value`, those that its class defines in Python."""
        if value.kind is None or self.table.trusts(value.kind):
            return
        for hook in hooks:
            found = None if self.table.find_method(value.obj, hook) else look_up(value.kind, hook)
            if found is not None and not self.table.trusts(found[0]) and runs_python(found[1]):
                self.call_raw(found, hook, Arguments((value,), open=True), f"{name_class(value.kind)}.{hook}()")

    def iterate(self, value: Value) -> Value:
        """Judge an iteration over `value`; return what is known of the items."""
        if value is NOTHING:
            return value
        if value.kind is not None and not value.own and look_up(value.kind, "__next__"):
            raise LoudError("advances an iterator that was there before")
        self.use(value, "__iter__", "__getitem__")
        return UNKNOWN if self.may_differ(value) else describe_items(value)

    def may_differ(self, value: Value) -> bool:
        """Whether `value` is a container that was there before, and the statement has stored into such ones."""
        return self.altered and value.obj is not MISSING and id(value.kind) in _ALTERABLE

    def give_names(self, namespace: Mapping[str, object]) -> Value:
        """Return what is known of a namespace that was asked for: it is looked through, and not stored into."""
        names = dict(namespace)
        self.given[id(names)] = names
        return Value(names, dict)

    # --- stores

    def store(self, value: Value, hook: str, name: str, *, anywhere: bool) -> None:
        """Judge a store or deletion of an attribute or item, by the special method `hook`; `name` is for the reason.

        With `anywhere` the object may be one that was there before.
        """
        if not value.own and (not anywhere or id(value.obj) in self.given):
            raise LoudError(f"stores into {name}, which it did not make")
        self.altered = self.altered or not value.own
        if value.kind is None:
            return
        if hook.endswith("attr__"):
            self._use_setter(value, hook, name)
        found = look_up(value.kind, hook)
        if found and runs_python(found[1]):
            self.call_raw(found, hook, Arguments((value,), open=True), f"{name_class(value.kind)}.{hook}()")
        elif found and not self.table.trusts(found[0]) and not is_module(value.obj):
            raise LoudError(f"stores into {name} by a method that is not known to be quiet")

    def _use_setter(self, value: Value, hook: str, name: str) -> None:
        """Judge the property or descriptor that takes the store of an attribute."""
        attribute = name.rpartition(".")[2]
        found = look_up(value.kind, attribute) if value.kind else None
        raw = found[1] if found else None
        if type(raw) is property:
            setter = raw.fset if hook == "__setattr__" else raw.fdel
            self.call(know(setter), Arguments((value, UNKNOWN)), f"the property {attribute}")
        elif (taker := look_up(type(raw), "__set__")) and runs_python(taker[1]):
            self.call_raw(taker, "__set__", Arguments((know(raw), value, UNKNOWN)), f"{attribute}.__set__()")
