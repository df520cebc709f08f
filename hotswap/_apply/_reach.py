"""What a call may run, and whether it behaves otherwise now: through names, closures, modules, classes, methods."""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from hotswap._apply._inside import content_of, unwrapped, wrapped_in
from hotswap._apply._keeping import defaults_used, only_keeps
from hotswap._apply._specials import COMPARISON
from hotswap._apply._uses import Use, alters_things, imported, of_arguments, setters, use_of, uses_itself
from hotswap._graph._facts import BY_NAME, LOADERS
from hotswap._loader._compile import inner_codes
from hotswap._run._journal import CONTAINERS, MISSING
from hotswap._run._values import attribute, attributes_of, elements, is_a, texts_in
from hotswap._text._names import calls_unnamed
from hotswap.patch._proxies import is_forwarder

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap

METHODS: Final = (FunctionType, staticmethod, classmethod)
_NOTHING: Final = frozenset[str]()
_SETTING: Final = frozenset({"__setattr__"})
_CONSTRUCTORS = ("__new__", "__init__", "__post_init__", "__dataclass_fields__")
_HOLDERS = (*CONTAINERS, tuple, frozenset)
_GETTERS = (operator.attrgetter, operator.methodcaller)
_MANY = 1000
"""Elements of a container that are looked at: a table of functions is shorter, and data need not be."""


def behaves_otherwise(
    swap: Swap,
    value: object,
    attributes: Iterable[str] = (),
    *,
    levels: int | None = None,
    modules: Sequence[ModuleType] = (),
    named: str = "",
) -> bool:
    """Whether calling `value` may give something else now: its code, what it calls, or a global it reads changed.

    `attributes` are names behind a dot that the caller looks up, on what it gets among others: methods of those names
    belong to what may run. `levels` says how many functions that come out of the call, one out of the other, run as
    well: all that it makes, if that is not known. `modules` are what the call has to do with as objects, `named` is
    the only name that it may look up without a dot.
    """
    known = _known(swap)
    question = id(value), frozenset(attributes), tuple(map(id, modules)), levels, named
    if question in known:
        return False
    walk = _Walk(swap, {} if modules or named or levels is not None else known, levels, named)
    walk.meet(modules)
    walk.reach(value, question[1])
    if walk.goes_otherwise():
        return True
    known[question] = _NOTHING
    return False


def _known(swap: Swap) -> dict[object, frozenset[str]]:
    return swap.changes.reached(len(swap.tried), len(swap.forwarded), *swap.journal.written)


def operates_otherwise(swap: Swap, value: object, attributes: frozenset[str], *, calls: bool) -> bool:
    """Whether looking up `attributes` on `value`, an object or a class, may run something else now.

    Unless anything `calls` what is found, a method runs nothing.
    """
    attributes = attributes if calls else _run_by_looking(swap, value, attributes)
    walk = _Walk(swap, _known(swap))
    if is_a(value, type):
        walk.operate(value, attributes)
    compared = type(value) in _HOLDERS
    attributes = attributes.intersection(COMPARISON) if compared else attributes
    found = (elements(value) if attributes else ()) if compared else (value,)
    for one in found:
        if not is_a(one, (ModuleType, FunctionType, type)):
            walk.reach(one, attributes)
    return walk.goes_otherwise()


def looked_up_by(swap: Swap, value: object) -> frozenset[str]:
    """Return what calling the function `value` looks up on what it is given, its own object among that."""
    if type(value) in _GETTERS:
        return texts_in(value)
    function = unwrapped(value)
    if type(function) is not FunctionType or not swap.is_project(function):
        return _NOTHING
    return of_arguments(swap.pending_code(function))


def _names_in(member: object) -> tuple[str, ...]:
    function = unwrapped(member.fget if is_a(member, property) else member)
    return function.__code__.co_names if type(function) is FunctionType else ()


def _run_by_looking(swap: Swap, value: object, attributes: frozenset[str]) -> frozenset[str]:
    """Return those of `attributes` of `value` that run something when they are looked up: not methods, whose old code
    nobody has.
    """
    cls = value if is_a(value, type) else type(value)
    return frozenset(name for name in attributes if not _is_method(swap, cls, name))


def _is_method(swap: Swap, cls: type, name: str) -> bool:
    owner = next((base for base in cls.__mro__ if name in vars(base)), None)
    if owner is None or name.startswith("__") or type(vars(owner)[name]) not in METHODS:
        return False
    return not swap.changes.changed(owner.__module__, f"{owner.__qualname__}.{name}")


def makes_otherwise(swap: Swap, value: object) -> bool:
    """Whether the functions that a call of `value` makes, themselves, behave otherwise now."""
    value = unwrapped(value)
    if type(value) is not FunctionType or not swap.is_project(value):
        return False
    return any(inner in swap.changes.codes for inner in inner_codes(swap.pending_code(value)))


@dataclass(slots=True)
class _Walk:
    """One question. What is met once more is gone through for the attributes alone that were not asked of it yet.

    `known` is what earlier questions met that found nothing.
    """

    swap: Swap
    known: dict[object, frozenset[str]]
    levels: int | None = None
    named: str = ""
    modules: dict[int, ModuleType] = field(default_factory=dict)
    unchanged: set[int] = field(default_factory=set)
    seen: dict[object, frozenset[str]] = field(default_factory=dict)
    members: dict[int, frozenset[str]] = field(default_factory=dict)
    found: bool = False
    waiting: dict[int, tuple[object, frozenset[str]]] = field(default_factory=dict)

    def goes_otherwise(self) -> bool:
        """Go through what waits, and what that leads to; return whether any of it changed."""
        while self.waiting and not self.found:
            waiting, self.waiting = self.waiting, {}
            for value, attributes in waiting.values():
                self._go_through(value, attributes)
        if not self.found:
            self.known.update(self.seen)
        return self.found

    def _asked(self, value: object) -> frozenset[str] | None:
        return self.seen.get(id(value), self.known.get(id(value)))

    def _unasked(self, value: object, attributes: frozenset[str]) -> frozenset[str] | None:
        """Return which of `attributes` were not asked of `value` before, None if there is nothing left to do."""
        known = self._asked(value)
        new = attributes if known is None else attributes - known
        self.seen[id(value)] = new.union(known or ())
        return new if new or known is None else None

    def reach(self, value: object, attributes: frozenset[str]) -> None:
        """Have gone through what calling `value`, or looking up `attributes` on it or on what it makes, may run."""
        if value is not MISSING and value is not None:
            _, known = self.waiting.get(id(value), (value, _NOTHING))
            self.waiting[id(value)] = value, attributes | known

    def _go_through(self, value: object, attributes: frozenset[str]) -> None:
        if is_a(value, type):
            self._class(value, attributes)
            return
        value = unwrapped(value)
        if type(value) is FunctionType and not self._is_ours(value):
            self._foreign(value, attributes)
        elif type(value) is FunctionType:
            self._function(value, attributes)
        elif is_a(value, property):
            for part in (value.fget, value.fset):
                self.reach(part, frozenset())
        elif type(value) in _HOLDERS:
            self._elements(value, attributes)
        elif type(value) in _GETTERS:
            self.found = self.found or not self.swap.changes.members.isdisjoint(texts_in(value))
        elif not is_a(value, ModuleType) and is_ours(self.swap, type(value)):
            self._members(type(value), attributes | {"__call__"})
            self._held_by(value, attributes)
        elif self.levels is None:
            self.reach(wrapped_in(value), attributes)

    def _is_ours(self, function: FunctionType) -> bool:
        return id(function) in self.swap.copies or self.swap.is_project(function)

    def _foreign(self, function: FunctionType, attributes: frozenset[str]) -> None:
        """Go through what a function of a library holds: a decorator of its made it, around one of ours or a table."""
        if self.levels is None and self._unasked(function, attributes) is not None:
            for one in (*map(content_of, function.__closure__ or ()), *function.__dict__.values()):
                self.reach(one, attributes)

    def _held_by(self, value: object, attributes: frozenset[str]) -> None:
        """Go through what an object has under one of `attributes`, or under one that its methods look up."""
        held = attributes_of(value)
        names = attributes | self.seen.get(id(type(value)), _NOTHING)
        for name in names & held.keys() if held and self._unasked(value, names) is not None else ():
            if type(held[name]) not in _HOLDERS or not only_keeps(self.swap, type(value), names, name):
                self.reach(held[name], names)

    def _elements(self, container: Any, attributes: frozenset[str]) -> None:
        """Go through functions and objects in a container: who has it, or its table of functions, may call them."""
        new = self._unasked(container, attributes) if len(container) <= _MANY else None
        if new is not None:
            for one in list(container.values() if isinstance(container, dict) else container):
                self.reach(one, new)

    def _class(self, cls: type, attributes: frozenset[str]) -> None:
        if is_ours(self.swap, cls):
            self._members(cls, attributes.union(_CONSTRUCTORS))
            if type(cls) is not type and is_ours(self.swap, type(cls)):
                self._members(type(cls), frozenset({"__call__"}))

    def operate(self, cls: type, attributes: frozenset[str]) -> None:
        """Go through what an operator on the class itself may run: ``A[int]``, and methods of its metaclass."""
        if "__class_getitem__" in attributes and is_ours(self.swap, cls):
            self._members(cls, frozenset({"__class_getitem__"}))
        if is_ours(self.swap, cls):
            self._members(cls, frozenset(name for name in attributes if not name.startswith("__")))
        if is_ours(self.swap, type(cls)):
            self._members(type(cls), attributes)

    def _members(self, cls: type, names: frozenset[str]) -> None:
        inside = names
        while inside and not self.found and (new := self._unasked(cls, inside)) is not None:
            names, inside = self.seen[id(cls)], _NOTHING  # the next time around: what its methods look up by ``self``
            self.found = any(self._differs(cls, name) for name in new)
            for name in names & self._all_members(cls):
                for member in (vars(base)[name] for base in cls.__mro__ if name in vars(base)):
                    inside |= self._member(member, names if name in new else new)
                    inside |= self._set_by(cls, member)
                    if "super" not in _names_in(member):
                        break

    def _differs(self, cls: type, name: str) -> bool:
        changes = self.swap.changes
        return changes.inherits_otherwise(cls, name) or changes.member_changed(cls, name, rebased=False)

    def _all_members(self, cls: type) -> frozenset[str]:
        if id(cls) not in self.members:
            self.members[id(cls)] = frozenset().union(*map(vars, cls.__mro__))
        return self.members[id(cls)]

    def _member(self, member: object, names: frozenset[str]) -> frozenset[str]:
        """Go through what a member of a class runs; return which attributes it looks up."""
        if is_a(member, type):
            return _NOTHING
        if is_a(member, property):
            self.reach(member, _NOTHING)
            member = member.fget
        else:
            self.reach(attribute(member, "__func__", member), names)
        return looked_up_by(self.swap, member).union(_CONSTRUCTORS if uses_itself(member) else ())

    def _set_by(self, cls: type, member: object) -> frozenset[str]:
        """Go through what runs as a method sets attributes of its object; return the names looked up for it."""
        function = unwrapped(member)
        if type(function) is not FunctionType or not self._is_ours(function):
            return _NOTHING
        for name, raw in setters(cls, self.swap.pending_code(function)):
            self.found = self.found or self.swap.changes.member_changed(cls, name, rebased=False)
            self.reach(raw, frozenset({"__set__"}))
        return _SETTING

    def _function(self, function: FunctionType, asked: frozenset[str]) -> None:
        """Go through what `function` runs; `asked` are names that are looked up on what it returns, among others."""
        is_known = self._asked(function) is not None
        new = self._unasked(function, asked)
        if new is None:
            return
        if is_forwarder(function):
            self.found = function in self.swap.forwarded
            self.reach(function.__dict__.get("__wrapped__"), new)
            return
        code = self.swap.pending_code(function)
        use, self.levels = use_of(code, self.levels), None
        attributes = new if is_known else use.attributes | new
        changes, alters = self.swap.changes, alters_things(code)
        members = changes.members if alters else changes.members | changes.altered
        otherwise = not is_known and (code in changes.codes or not members.isdisjoint(use.attributes))
        otherwise = otherwise or ("__doc__" in new and code in changes.docs)
        if otherwise or (not is_known and _reads_changed(self.swap, function, use, altered=not alters)):
            self.found = True
            return
        namespace = function.__globals__
        for default in defaults_used(self.swap, function, asked):
            self.reach(default, attributes)
        for chain in use.chains:
            held = _static(namespace, chain)
            if chain in use.wholes and self.meet(_modules_among(held)):
                self.known = {}  # what was met without them may look into them
            if type(held) not in _HOLDERS or self._calls_unnamed(function):
                self.reach(held, attributes)
        for module, name in imported(function, use):
            self.meet([] if name else _modules_among(sys.modules.get(module)))
            self.reach(look_up(self.swap, module, name), attributes)
        for cell in function.__closure__ or ():
            self.reach(content_of(cell), attributes)
        if not self.swap.only_leaving and not LOADERS.isdisjoint(use.chains | use.attributes):
            package = namespace.get("__package__") or ""
            self.meet(one for one in changed_modules(self.swap) if one.__name__.startswith(package))
        self._look_into_modules(use, attributes)

    def meet(self, modules: Iterable[ModuleType]) -> bool:
        """Note `modules` that the call has to do with as objects; return whether any is new."""
        count = len(self.modules)
        self.modules.update((id(one), one) for one in modules)
        return len(self.modules) > count

    def _look_into_modules(self, use: Use, attributes: frozenset[str]) -> None:
        """Go through what a function with `use` may look up on modules that it has to do with as objects."""
        by_name = "__dict__" in attributes or any(chain.rpartition(".")[2] in BY_NAME for chain in use.chains)
        if by_name and self.named:
            by_name, attributes = False, attributes | {self.named}
        for module in self.modules.values():
            otherwise = by_name and self._has_changed(module)
            self.found = self.found or otherwise or not attributes.isdisjoint(self.swap.changes.of(module.__name__))
            for name in attributes.intersection(vars(module)):
                self.reach(look_up(self.swap, module.__name__, name), attributes)

    def _has_changed(self, module: ModuleType) -> bool:
        """Whether a name of `module` changed, or the code of a function in it."""
        if id(module) in self.unchanged:
            return False
        self.unchanged.add(id(module))
        return bool(self.swap.changes.of(module.__name__)) or any(map(self._is_otherwise, list(vars(module).values())))

    def _is_otherwise(self, value: object) -> bool:
        return type(value) is FunctionType and self.swap.pending_code(value) in self.swap.changes.codes

    def _calls_unnamed(self, function: FunctionType) -> bool:
        """Whether `function` itself calls what no name says, as ``TABLE[key]()`` does, and ``one()`` in a loop.

        One that only puts what it is given into a table calls nothing of that.
        """
        node = self.swap.definition(function)
        return node is None or calls_unnamed(node, function.__code__.co_varnames)


def changed_modules(swap: Swap) -> list[ModuleType]:
    """Return the modules of which names or functions may have changed."""
    names = dict.fromkeys((*swap.works, *swap.changes.modules))
    return [one for name in names if (one := swap.modules.get(name)) is not None]


def _modules_among(value: Any) -> list[ModuleType]:
    """Return `value` if it is a module, else the modules among the elements of a plain container."""
    if type(value) in _HOLDERS:
        return [one for one in elements(value) if type(one) is ModuleType]
    return [value] if type(value) is ModuleType else []


def _reads_changed(swap: Swap, function: FunctionType, use: Use, *, altered: bool) -> bool:
    namespace, module = function.__globals__, function.__globals__.get("__name__", "")
    changes = swap.changes
    if any(changes.reads(namespace, module, chain, altered=altered) for chain in use.chains):
        return True
    if any(changes.remade(namespace, chain) for chain in use.chains):
        return True
    return any(name in swap.changes.of(source) for source, name in imported(function, use))


def _static(namespace: dict[str, Any], chain: str) -> object:
    """Return what `chain` is, through modules alone: what lies behind other objects is looked up by attribute."""
    first, *rest = chain.split(".")
    value = namespace.get(first)
    for name in rest:
        if not is_a(value, ModuleType):
            return None
        value = vars(value).get(name)
    return value


def is_ours(swap: Swap, cls: type) -> bool:
    """Whether `cls` is a class of the project: such a class alone can have members that change."""
    return any(base.__module__ in swap.works or _is_loaded(swap, base.__module__) for base in cls.__mro__[:-1])


def _is_loaded(swap: Swap, name: str) -> bool:
    module = sys.modules.get(name)
    return isinstance(module, ModuleType) and swap.is_project(module)


def look_up(swap: Swap, module: str, name: str) -> object:
    """Return what `name` of `module` is, the wave that is not set yet included."""
    work = swap.works.get(module)
    if work is not None:
        gone = any(scope is work.scope and gone == name for scope, gone in swap.last)
        return MISSING if gone else work.scope.peek(name)
    if (value := swap.following.peek(module, name)) is not MISSING:
        return value
    found = sys.modules.get(module)
    return MISSING if found is None else vars(found).get(name, MISSING)
