"""Classes: members set on the class object that exists, with everything that a class body would have done for them.

``setattr`` on a class does less than ``class`` does: no ``__set_name__``, no implicit static and class methods, no
``__hash__ = None`` beside ``__eq__``, no look at abstract methods. Each is done here by hand.
"""

from __future__ import annotations

import abc
import contextlib
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from itertools import compress, repeat
from operator import call, is_
from types import CellType, FunctionType, MemberDescriptorType, new_class
from typing import Any

from hotswap._run._constructors import Lead, constructor, lead_of, own_constructor, stand_in, without_lead
from hotswap._run._journal import CONTAINERS, MISSING, Journal, drop_member, restorer, set_raw
from hotswap._run._values import attribute
from hotswap.patch._heap import pass_over
from hotswap.patch._twins import is_detached, is_twin

IMPLICIT = ("__new__", "__init_subclass__", "__class_getitem__")
_FUNCTIONS_IN = ("__func__", "fget", "fset", "fdel", "func", "__wrapped__")
_FAR = 1000  # objects that are looked through before giving up: what a member wraps is near
_HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement
_FIXED = ("__slots__", "__dict__", "__weakref__")


def set_members(journal: Journal, cls: type, members: Mapping[str, Any]) -> None:
    """Record `members`, as a class body bound them, on `cls`. Calls ``__set_name__`` at once, as a class body does."""
    for name, value in members.items():
        raw = _implied(name, value) if name in IMPLICIT and type(value) is FunctionType else value
        journal.set_member(cls, name, raw)
        set_name = getattr(type(raw), "__set_name__", None)
        if set_name is not None:
            set_name(raw, cls, name)


def _implied(name: str, function: FunctionType) -> Any:
    """Return `function` as a class body leaves it under `name`: a class or static method that copied no header."""
    return vars(type("implied", (), {name: function}))[name]


def del_members(journal: Journal, cls: type, names: Iterator[str]) -> None:
    """Record that `names` leave `cls`; the base's members of those names show again."""
    for name in names:
        if name == "__doc__":
            journal.set_member(cls, name, None)  # type.__delattr__ refuses to delete it
        else:
            journal.del_member(cls, name)


def own_cell(functions: Iterator[object], cls: type) -> None:
    """Point the ``__class__`` cell that fresh methods share at `cls`; one write serves the whole body."""
    for function in functions:
        raw = attribute(function, "__func__", function)
        if type(raw) is FunctionType and "__class__" in raw.__code__.co_freevars:
            index = raw.__code__.co_freevars.index("__class__")
            (raw.__closure__ or ())[index].cell_contents = cls


def own_methods(journal: Journal, old: type, new: type) -> None:
    """Record that ``super()`` and ``__class__`` in the methods of `new`, taken from `old`, mean the new class."""
    for value in vars(new).values():
        for raw in (
            value,
            attribute(value, "__func__"),
            *(attribute(value, name) for name in ("fget", "fset", "fdel", "func")),
        ):
            own_method(journal, raw, old, new)


def own_method(journal: Journal, function: Any, old: type, new: type) -> None:
    """Record that ``__class__`` in one function means `new` where it meant `old`."""
    if type(function) is FunctionType and "__class__" in function.__code__.co_freevars:
        cell = (function.__closure__ or ())[function.__code__.co_freevars.index("__class__")]
        if cell.cell_contents is old:
            journal.set_attribute(cell, "cell_contents", new)


def cell_of(cls: type | None, name: str) -> CellType | None:
    """Return a new cell for a free variable that a method of `cls` gains: ``__class__`` or a type parameter."""
    if cls is None:
        return None
    if name == "__class__":
        return CellType(cls)
    if name in ("__classdict__", ".type_params"):
        return CellType(vars(cls) if name == "__classdict__" else getattr(cls, "__type_params__", ()))
    found = [p for p in getattr(cls, "__type_params__", ()) if p.__name__ == name]
    return CellType(found[0]) if found else None


def functions_of(cls: type) -> Iterator[FunctionType]:
    """Yield the functions that the body of `cls` made, as far as its members, and what wraps these, lead to them."""
    inside = f"{cls.__qualname__}."
    seen: set[int] = set()
    waiting: list[Any] = [value for value in vars(cls).values() if not issubclass(type(value), type)]
    while waiting and len(seen) < _FAR:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if type(one) is FunctionType:
            if one.__code__.co_qualname.startswith(inside):
                yield one
            waiting += (cell.cell_contents for cell in one.__closure__ or () if _is_function_in(cell))
            waiting += one.__dict__.values()
        else:
            waiting += (attribute(one, name) for name in _FUNCTIONS_IN)


def _is_function_in(cell: CellType) -> bool:
    try:
        return type(cell.cell_contents) in (FunctionType, staticmethod, classmethod, property, partial)
    except ValueError:
        return False


def cells_of(cls: type) -> dict[str, CellType]:
    """Return the cells that methods of `cls` share with the call that made it, by name."""
    own = (f for f in functions_of(cls) if f.__code__.co_qualname.rpartition(".")[0] == cls.__qualname__)
    return {n: c for f in own for n, c in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)}


def subclasses(cls: type) -> Iterator[type]:
    """Yield `cls` and all its live subclasses, each once, without asking a metaclass."""
    seen: set[int] = set()
    waiting = [cls]
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += type.__subclasses__(one)


def living(module: str, qualname: str) -> list[type]:
    """Return the live classes that were made in `module` under the name `qualname`, whether a name leads to them or
    not.
    """
    return living_at({(module, qualname)})[module, qualname]


def living_at(places: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[type]]:
    """Return the same for several modules and names."""
    found: dict[tuple[str, str], list[type]] = {place: [] for place in places}
    name_of = type.__dict__["__qualname__"].__get__
    for one in subclasses(object) if found else ():
        place = vars(one).get("__module__"), name_of(one)
        if place in found and not is_detached(one):
            found[place].append(one)
    return found


def can_take(change: Callable[[], object], back: Callable[[], object]) -> str | None:
    """Try `change` and take it `back` in one C call; return None, or why CPython refuses it."""
    try:
        deque(map(call, (change, back)), maxlen=0)
    except TypeError as error:
        return str(error)
    return None


def set_bases(journal: Journal, cls: type, bases: tuple[type, ...]) -> str | None:
    """Record other bases for `cls`; return None, or why CPython refuses them (another layout)."""
    old = cls.__bases__
    if old == bases:
        return None
    set_new, set_old = (
        partial(type.__setattr__, cls, "__bases__", bases),
        partial(type.__setattr__, cls, "__bases__", old),
    )
    refused = _loses(cls, bases) or can_take(set_new, set_old)
    if refused is None:
        _keep_callable(journal, cls, bases)
        journal.do(set_new, set_old)
        if (
            issubclass(cls, type)
            and not issubclass(cls, abc.ABCMeta)
            and any(issubclass(b, abc.ABCMeta) for b in bases)
        ):
            _become_abstract(journal, cls)
    return refused


def _keep_callable(journal: Journal, cls: type, bases: tuple[type, ...]) -> None:
    """Record a constructor for a class whose other `bases` have none: CPython would refuse it all arguments."""
    plain: Any = object.__new__
    had = "__new__" not in vars(cls) and cls.__new__ is not plain
    if had and all(one.__new__ is plain for one in bases):
        journal.set_member(cls, "__new__", staticmethod(stand_in(cls)))


def _loses(cls: type, bases: tuple[type, ...]) -> str | None:
    """Return what objects of `cls` would lose with other `bases`: 3.15 loses a base's ``__dict__``."""
    above = [one for base in bases for one in base.__mro__]
    for name in ("__dict__", "__weakref__"):
        if any(name in vars(one) for one in cls.__mro__) and not any(name in vars(one) for one in (cls, *above)):
            return f"its objects would lose their {name}"
    return None


def _become_abstract(journal: Journal, meta: type) -> None:
    """Give the classes of a metaclass that becomes an `ABCMeta` what that keeps on each of its classes."""
    for one in [one for one in subclasses(object) if isinstance(one, meta) and "_abc_impl" not in vars(one)]:
        init = partial(abc._abc_init, one)  # type: ignore[attr-defined]  # what ABCMeta's own constructor calls
        journal.do(init, partial(_drop, one, ("_abc_impl", "__abstractmethods__")))


def _drop(cls: type, names: tuple[str, ...]) -> None:
    for name in names:
        if name in vars(cls):
            type.__delattr__(cls, name)


def guard(journal: Journal, cls: type) -> None:
    """Remember all members of `cls`, and what the lists, dicts and sets among those of its bases hold.

    So `undo` restores them, whatever code of the program, such as ``__init_subclass__``, does to them.
    """
    members = dict(vars(cls))
    journal.note(partial(_restore_members, cls, members))
    for value in containers(cls):
        journal.note(restorer(value))


def containers(cls: type) -> Iterator[Any]:
    """Yield the containers in which code that runs for each new class below `cls` may keep it."""
    return (value for _, value in (*_kept_on([cls]), *registries(cls)))


def registries(cls: type) -> Iterator[tuple[str, Any]]:
    """Yield the containers that code which ran for `cls`, as its bases and metaclass have it, can reach, with names."""
    yield from _kept_on([base for base in (*type.mro(cls), *type.mro(type(cls))) if base is not cls])
    for owner, name in ((cls, "__init_subclass__"), (type(cls), "__new__"), (type(cls), "__init__")):
        hook = next((vars(base)[name] for base in owner.__mro__ if name in vars(base)), None)
        raw = attribute(hook, "__func__", hook)
        if type(raw) is FunctionType:
            found = ((used, raw.__globals__.get(used)) for used in raw.__code__.co_names)
            yield from ((used, value) for used, value in found if type(value) in CONTAINERS)


def _kept_on(classes: list[type]) -> Iterator[tuple[str, Any]]:
    for base in classes:
        if base.__flags__ & _HEAP:
            members = vars(base).items()
            yield from ((f"{base.__name__}.{name}", value) for name, value in members if type(value) in CONTAINERS)


@contextlib.contextmanager
def kept_containers(cls: type) -> Iterator[None]:
    """Have a class like `cls` made inside leave no trace in the registries that its bases keep."""
    restore = [restorer(value) for value in containers(cls)]
    try:
        yield
    finally:
        for act in restore:
            act()


def _restore_members(cls: type, members: Mapping[str, Any]) -> None:
    for name in [name for name in vars(cls) if name not in members and name not in _FIXED]:
        drop_member(cls, name)
    for name, value in members.items():
        if name not in _FIXED and vars(cls).get(name, MISSING) is not value:
            set_raw(cls, name, value)


def instances(*classes: type) -> list[Any]:
    """Return the live objects whose class is exactly one of `classes`. An instance refers to its class, so one pass
    finds them all.

    Objects that the garbage collector does not track (slots without containers) are not found.
    """
    found = pass_over(*classes)  # there may be millions: they are gone through by C code alone
    if len(classes) == 1:
        return list(compress(found, map(is_, map(type, found), repeat(classes[0]))))
    wanted = {id(cls) for cls in classes}
    return list(compress(found, map(wanted.__contains__, map(id, map(type, found)))))


def move_instances(journal: Journal, old: type, new: type) -> int:
    """Give the instances of `old` the class `new`; return how many would not take it."""
    left = 0
    for one in instances(old):
        if one is old:  # a class that is an instance of itself, as sentinels are: what took its place is one, too
            continue
        journal.note(partial(_give_back, one, old))
        try:
            object.__setattr__(one, "__class__", new)
        except TypeError:
            left += 1
    return left


def _give_back(one: object, cls: type) -> None:
    if type(one) is not cls:
        object.__setattr__(one, "__class__", cls)


def replace_base(
    journal: Journal, old: type, new: type, replaced: Mapping[int, type] | None = None
) -> Iterator[tuple[type, type]]:
    """Have the subclasses of `old` inherit from `new`, at once; yield (old, new) for those made anew, too.

    `replaced` are classes by the ids of those that gave way to them: who has another base that is below such a one
    waits for that to be replaced as well, as ``super()`` goes in circles where a class has both above it.
    """
    below: list[Any] = type.__subclasses__(old)
    others = replaced or {}
    for one in below:
        if one is new or new in one.__mro__ or one in new.__mro__ or is_twin(one):
            continue
        bases = tuple(new if base is old else others.get(id(base), base) for base in one.__bases__)
        gets_metaclass = len(bases) == 1 and not issubclass(type(one), type(new))  # of several bases others may follow
        if not gets_metaclass and set_bases(journal, one, bases) is None:
            journal.commit()
        elif not any(id(above) in others for base in bases for above in base.__mro__):
            with contextlib.suppress(TypeError):  # until its metaclass, too, has changed
                yield one, made_anew(one, bases)


_MADE_ANEW = ("__dict__", "__weakref__", "_abc_impl", "__abstractmethods__")


def made_anew(cls: type, bases: tuple[type, ...]) -> type:
    """Return a class like `cls` with other bases; what runs for each new class leaves no trace in registries."""
    own = without_lead(vars(cls))
    members = {n: v for n, v in own.items() if n not in _MADE_ANEW and type(v) is not MemberDescriptorType}
    members["__qualname__"] = type.__getattribute__(cls, "__qualname__")  # no member, but of every class body
    with kept_containers(cls):
        return new_class(cls.__name__, bases, {"metaclass": type(cls)}, lambda namespace: namespace.update(members))


def forward_constructor(old: type, new: Any) -> None:
    """Make calls of the old class build objects of the new one, at once; its subclasses go on as they are.

    Not to be taken back: CPython does not give a class its first constructor again. So it comes after everything else.
    """
    lead = lead_of(old)
    if lead is not None and lead.number == id(old):
        lead.to[:] = [new]
        return
    own = lead.own if lead is not None else own_constructor(old)
    set_raw(old, "__new__", staticmethod(constructor(Lead(id(old), own, [new]))))


def take_constructor_back(made: object) -> None:
    """Have a class whose calls were led to something else make its own objects again: it came back."""
    lead = lead_of(made)
    if lead is not None:
        lead.to.clear()
        settle_constructor(made)


def settle_constructor(made: Any) -> None:
    """Have `inspect.signature` see a class as it is by now, whatever constructor was put on it."""
    lead = lead_of(made)
    if lead is not None and not lead.to:
        own = lead.own if lead.own is not None else stand_in(made, lead)
        set_raw(made, "__new__", staticmethod(own))
