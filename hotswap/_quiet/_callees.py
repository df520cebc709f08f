"""What is called, and whether it is quiet: an entry of the table, code in Python whose body is walked, or neither.

A function of the project, or of a library, as its file has it, is judged with what is known of its arguments, so that
one which fills a list that its caller made is quiet, and one that fills a list of the module is not. A recursive call
is taken for quiet while it is being judged: the first reason found ends the whole, so nothing rests on that but the
absence of reasons.
"""

from __future__ import annotations

import dataclasses
import functools
from abc import abstractmethod
from enum import EnumMeta
from operator import methodcaller
from types import BuiltinFunctionType, FunctionType, MappingProxyType, MethodType
from typing import Any, Final

from hotswap._quiet._access import Found, LoudError
from hotswap._quiet._calls import LIKE_VALUES
from hotswap._quiet._entries import Entries
from hotswap._quiet._frames import bind_parameters, open_closure
from hotswap._quiet._items import use_items
from hotswap._quiet._libraries import definition_of
from hotswap._quiet._results import look_into
from hotswap._quiet._scope import Scope, find_global
from hotswap._quiet._table import Table, origin_of
from hotswap._quiet._values import (
    ABSENT,
    MISSING,
    NOTHING,
    UNKNOWN,
    Arguments,
    Definition,
    Frame,
    Items,
    Local,
    Value,
    is_class,
    is_module,
    join_all,
    know,
    list_members,
    look_up,
    lose_items,
    methods_named,
    name_class,
)

_DEEPEST: Final = 40  # calls inside calls: far more than a constant needs, far less than the recursion limit
_CLASS_METHOD_IN_C: Final = type(vars(dict)["fromkeys"])
_MEMO: Final = type(functools.cache(id))
_OF_ATTRS: Final = "__attrs_attrs__"


class Callees(Entries):
    """Judges calls; the bodies of functions are walked by the class below."""

    looks_into_libraries = True

    def __init__(self, scope: Scope, table: Table) -> None:
        super().__init__(scope, table)
        self._judged: dict[tuple[object, ...], tuple[Value, object]] = {}
        self._depth = self._again = 0
        self._named: dict[str, list[tuple[type, FunctionType]]] = {}

    @abstractmethod
    def run_body(self, node: Definition, frame: Frame) -> Value:
        """Walk the body of a function whose parameters are bound in `frame`; return what it returns."""

    @property
    def is_at_top(self) -> bool:
        """Whether the statement itself is judged, and not a function that it calls."""
        return not self._depth

    # --- plain calls

    def call(self, called: Value, given: Arguments, label: str) -> Value:
        """Judge a call of `called`; return its result. Raises LoudError if it is not quiet."""
        if called is NOTHING:
            return called
        if called.local is not None:
            return self._call_local(called.local, given, label)
        if called.either:
            return self.each_of(called, lambda one: self.call(one, given, label))
        if called.obj is MISSING:
            return self._call_instance(called, given, label)
        listed = self.table.find(called.obj)
        if listed is not None:
            return self.call_listed(listed, called, given, label)
        if type(called.obj) is FunctionType:
            return self._call_function(called.obj, given, label)
        if is_class(called.obj):
            return self.make(called.obj, given, label)
        return self._call_wrapped(called, given, label)

    def _call_wrapped(self, called: Value, given: Arguments, label: str) -> Value:
        """Judge the call of an object that stands for another: a bound method, a partial, a memo, ``Stack[int]``."""
        obj: Any = called.obj
        if type(obj) is MethodType:
            return self.call(know(obj.__func__), given.after(know(obj.__self__)), label)
        if type(obj) is BuiltinFunctionType and not (obj.__self__ is None or is_module(obj.__self__)):
            return self.call_member(know(obj.__self__), obj.__name__, given, label)
        if type(obj) is functools.partial:
            names = {name: know(value) for name, value in obj.keywords.items()} | dict(given.names)
            return self.call(know(obj.func), Arguments((*map(know, obj.args), *given.values), names, given.open), label)
        if (origin := origin_of(obj)) is not obj:
            return self.call(know(origin), given, label)
        if type(obj) is methodcaller and given.values:
            return self._call_named(obj, given.values[0])
        if type(obj) is _MEMO:  # what it remembers is what its function gives, and cleared when that changes
            return dataclasses.replace(self.call(know(obj.__wrapped__), given, label), own=False)
        return self._call_instance(called, given, label)

    def _call_named(self, caller: Any, receiver: Value) -> Value:
        """Judge the call of a `methodcaller`, which says by itself what it was made of."""
        maker, values = caller.__reduce__()[:2]  # with keywords, a partial of its class
        parts: list[Any] = [*getattr(maker, "args", ()), *values]
        name, rest = parts[0], parts[1:]
        names = {one: know(value) for one, value in getattr(maker, "keywords", {}).items()}
        return self.call_member(receiver, name, Arguments(tuple(map(know, rest)), names), f".{name}()")

    def _call_instance(self, called: Value, given: Arguments, label: str) -> Value:
        found = called.kind and look_up(called.kind, "__call__")
        if not found:
            raise LoudError(f"calls {label}, which is not known to be quiet")
        return self.call_raw(found, "__call__", given.after(called), label)

    # --- methods

    def call_member(self, receiver: Value, name: str, given: Arguments, label: str) -> Value:
        """Judge ``receiver.name(...)``."""
        if receiver.either:
            return self.each_of(receiver, lambda one: self.call_member(one, name, given, label))
        if not self.may_differ(receiver) and (item := look_into(receiver, name, given)) is not None:
            return item
        if receiver is NOTHING:
            return receiver
        if name[:2] != "__" and (origin := origin_of(receiver.obj)) is not receiver.obj:
            return self.call_member(know(origin), name, given, label)
        if (item := use_items(receiver, name, given)) is not None:
            return item
        found: Found | None = None
        if receiver.obj is not MISSING and not receiver.after:
            listed = self.table.find_method(receiver.obj, name)
            if listed is not None:
                return self.call_listed(listed, UNKNOWN, given.after(receiver), label)
            if is_module(receiver.obj):
                return self.call(self.load(receiver, name), given, label)
            if is_class(receiver.obj) and (found := look_up(receiver.obj, name)):  # type: ignore[arg-type]  # a class
                given = given.after(receiver) if _is_class_method(found[1]) else given
                return self._call_found(found, name, receiver, given, label)
        found = look_up(receiver.kind, name, receiver.after) if receiver.kind else None
        if found is None:
            held = self.load(receiver, name)
            if held.obj is not MISSING:
                return self.call(held, given, label)
            if receiver.kind is None and name in LIKE_VALUES and receiver is not ABSENT:
                return self._call_any(name, given.after(receiver), label)
            raise LoudError(f"calls {label}, a method of an object that is not known")
        given = given if name == "__new__" else _pass_receiver(found[1], receiver, given)
        return self._call_found(found, name, receiver, given, label)

    def _call_any(self, name: str, given: Arguments, label: str) -> Value:
        """Judge a method of texts or mappings on what is not known: classes of the project may have one of its own."""
        if name not in self._named:
            self._named[name] = [found for found in methods_named(name) if self.scope.is_project(found[1])]
        for found in self._named[name]:
            self.call_raw(found, name, given, label)
        return UNKNOWN

    def _call_found(self, found: Found, name: str, receiver: Value, given: Arguments, label: str) -> Value:
        raw = found[1]
        if is_class(raw):
            return self.call(know(raw), given, label)
        if look_up(type(raw), "__set__"):  # a property, a slot: what it holds is called
            return self.call(self.load(receiver, name), given, label)
        return self.call_raw(found, name, given, label)

    def call_raw(self, found: Found, name: str, given: Arguments, label: str) -> Value:
        """Judge the call of a raw method, its receiver being the first argument."""
        owner, raw = found
        listed = self.table.find(raw)
        if listed is not None:
            return self.call_listed(listed, UNKNOWN, given, label)
        first = given.values[0] if given.values else UNKNOWN
        if _is_generated(owner, raw):
            return self._call_generated(found, name, given, label)
        function = _unwrap(raw)
        if type(function) is FunctionType or type(function) is _MEMO:
            return self.call(know(function), given, label)
        if id(owner) in self.table.containers and not first.own:
            raise LoudError(f"mutates {label.rpartition('.')[0] or 'its argument'} through .{name}()")
        lose_items(first)
        if self._is_quiet_method(owner, name):
            made: Any = first.obj if name == "__new__" and is_class(first.obj) else None
            return Value(kind=made, own=made is not None)
        raise LoudError(f"calls {label}, which is not known to be quiet")

    def _is_quiet_method(self, owner: type, name: str) -> bool:
        """Whether a method in C is quiet that has no entry: any of a builtin value, a special one of a class in C."""
        if self.table.is_builtin(owner):
            return True
        return self.table.trusts(owner) and name.startswith("__") and name not in ("__call__", "__next__")

    # --- functions in Python

    def _call_function(self, function: FunctionType, given: Arguments, label: str) -> Value:
        is_project = self.scope.is_project(function)
        if not is_project and (generic := self._call_generic(function, given, label)) is not None:
            return generic
        named = tuple((name, value.key()) for name, value in given.names.items())
        key = (id(function), given.open, tuple(value.key() for value in given.values), named)
        if key in self._judged:
            if self._judged[key][0] is UNKNOWN:  # it is under way, perhaps, and may put more into what it is given
                self._again += 1
                lose_items(*given.everything())
            return self._judged[key][0]
        node = self._definition(function, is_project=is_project)
        if node is None:
            why = "whose source is not known" if is_project else "which is not known to be quiet"
            raise LoudError(f"calls {label}, {why}")
        self._judged[key] = UNKNOWN, given  # kept, so that ids in the key stay what they are
        find = functools.partial(find_global, self.scope.globals_of(function))
        frame = Frame(find, outer=open_closure(function))
        keywords = {name: know(value) for name, value in (function.__kwdefaults__ or {}).items()}
        local = Local(node, frame, tuple(map(know, function.__defaults__ or ())), keywords)
        result = self._enter(local, frame, given, label)
        self._judged[key] = result, given
        return result

    def _definition(self, function: FunctionType, *, is_project: bool) -> Definition | None:
        if is_project:
            return self.scope.definition(function)
        return definition_of(function) if self.looks_into_libraries else None

    def _call_generic(self, function: FunctionType, given: Arguments, label: str) -> Value | None:
        """Judge a call of what `functools.singledispatch` made: any of the functions in its registry may run."""
        registry = vars(function).get("registry")
        if type(registry) is not MappingProxyType or function.__code__.co_filename != functools.__file__:
            return None
        return join_all(tuple(self.call(know(one), given, label) for one in registry.values())) or UNKNOWN

    def _call_local(self, local: Local, given: Arguments, label: str) -> Value:
        key = ("local", id(local))
        if key in self._judged:
            self._again += 1
            lose_items(*given.everything(), *local.frame.visible())
            return UNKNOWN
        self._judged[key] = UNKNOWN, local
        result = self._enter(local, Frame(local.frame.find, outer=local.frame), given, label)
        del self._judged[key]
        return result

    def _enter(self, local: Local, frame: Frame, given: Arguments, label: str) -> Value:
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise LoudError("goes deeper than is judged")
            return self._walk(local, frame, given)
        except LoudError as loud:
            raise LoudError(f"calls {label}, which {loud.reason}") from None
        finally:
            self._depth -= 1

    def _walk(self, local: Local, frame: Frame, given: Arguments) -> Value:
        """Walk a body; once more if it calls itself, for what it puts into containers behind that."""
        bind_parameters(local, frame, given)
        before, calls = Items.changes, self._again
        result = self.run_body(local.node, frame)
        if calls == self._again or before == Items.changes:
            return result
        bind_parameters(local, frame, given)
        return self.run_body(local.node, frame)

    # --- objects

    def make(self, made: Any, given: Arguments, label: str) -> Value:
        """Judge the call of a class that the table does not list; return the object."""
        if id(type(made)) not in self.table.metaclasses:
            raise LoudError(f"makes an object by {label}, whose metaclass is not known to be quiet")
        if look_up(made, "__del__"):
            raise LoudError(f"makes an object by {label}, whose __del__ will run")
        if issubclass(type(made), EnumMeta):
            return self._find_enum_value(made)
        new = self._construct(made, "__new__", given.after(know(made)))
        if new.kind is None:
            new = Value(kind=made, own=True)
        if new.kind is made:
            self._construct(made, "__init__", given.after(new))
        return new

    def _construct(self, made: Any, name: str, given: Arguments) -> Value:
        found = look_up(made, name)
        if found is None or self.table.trusts(found[0]):
            return UNKNOWN
        return self.call_raw(found, name, given, f"{name_class(made)}.{name}()")

    def _find_enum_value(self, made: type) -> Value:
        found = look_up(made, "_missing_")
        if found and not self.table.trusts(found[0]):
            self.call_raw(found, "_missing_", Arguments((know(made), UNKNOWN)), f"{name_class(made)}._missing_()")
        return Value(kind=made)

    def _call_generated(self, found: Found, name: str, given: Arguments, label: str) -> Value:
        """Judge a method that `dataclass`, attrs or `namedtuple` wrote: an ``__init__`` runs factories and a hook."""
        owner: Any = found[0]
        if issubclass(owner, tuple):
            made: Any = given.values[0].obj if given.values and is_class(given.values[0].obj) else None
            return Value(kind=made, own=made is not None)
        if name == "__init__" and given.values:
            new = given.values[0]
            if not new.own:
                raise LoudError(f"stores into its argument, by {label}")
            if _OF_ATTRS in list_members(owner):
                self._fill_attrs(owner, new)
                return UNKNOWN
            for each in list_members(owner)["__dataclass_fields__"].values():
                if each.default_factory is not dataclasses.MISSING:
                    self.call(know(each.default_factory), Arguments(), f"the default factory of {each.name}")
            self._call_hook(owner, "__post_init__", new, Arguments((new,), open=True))
        return UNKNOWN

    def _call_hook(self, owner: type, name: str, new: Value, given: Arguments) -> None:
        if hook := look_up(new.kind or owner, name):
            self.call_raw(hook, name, given, f"{name_class(owner)}.{name}()")

    def _fill_attrs(self, owner: type, new: Value) -> None:
        """Judge an ``__init__`` that attrs wrote: factories, converters and validators run, and hooks."""
        for each in list_members(owner)[_OF_ATTRS]:
            factory = getattr(each.default, "factory", None)
            given = Arguments((new,)) if getattr(each.default, "takes_self", False) else Arguments()
            if factory is not None:
                self.call(know(factory), given, f"the default factory of {each.name}")
            for called, what in ((each.converter, "converter"), (each.validator, "validator")):
                if called is not None:
                    self.call(know(called), Arguments(open=True), f"the {what} of {each.name}")
        self._call_hook(owner, "__attrs_pre_init__", new, Arguments((new,), open=True))
        self._call_hook(owner, "__attrs_post_init__", new, Arguments((new,)))


def _is_class_method(raw: object) -> bool:
    return type(raw) is classmethod or type(raw) is _CLASS_METHOD_IN_C


def _unwrap(raw: Any) -> object:
    return raw.__func__ if type(raw) is staticmethod or type(raw) is classmethod else raw


def _pass_receiver(raw: object, receiver: Value, given: Arguments) -> Arguments:
    """Return the arguments with the instance in front, or its class, or neither, as the kind of method asks."""
    if _is_class_method(raw):
        return given.after(know(receiver.obj if is_class(receiver.obj) else receiver.kind))
    if type(raw) is staticmethod:
        return given
    return given.after(dataclasses.replace(receiver, after=None))


def _is_generated(owner: type, raw: Any) -> bool:
    """Whether `dataclass`, attrs or `namedtuple` wrote this method: its code has no file, or is in their modules."""
    function = _unwrap(raw)
    if type(function) is not FunctionType:
        return False
    if _OF_ATTRS in list_members(owner):
        return function.__code__.co_filename.startswith("<attrs generated")
    function = vars(function).get("__wrapped__", function)  # a dataclass's `__repr__` is wrapped against recursion
    if "__dataclass_fields__" in list_members(owner):
        return bool(function.__code__.co_filename == "<string>")
    if not issubclass(owner, tuple) or "_fields" not in list_members(owner):
        return False
    return str(function.__globals__.get("__name__")).startswith(("namedtuple_", "collections"))
