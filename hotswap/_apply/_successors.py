"""What takes the place of an object whose definition left the text: old references to it lead there.

An old function that leads to an object which has a home of its own (an alias, an import) is remembered with the name
that led it there, and goes where that name goes.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from hotswap._apply import _kinds, _replaced
from hotswap._apply._defined import functions_in, parts_of, was_defined, wrapped_by, wraps_class
from hotswap._apply._scopes import ClassScope
from hotswap._apply._swap import Swap
from hotswap._model import How
from hotswap._run._journal import MISSING
from hotswap._run._values import attribute, immutable, is_a
from hotswap.patch._functions import DEPARTED
from hotswap.patch._proxies import forward, forwarders, is_forwarder

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit

_DESCRIPTORS = (staticmethod, classmethod, property)

# The functions and classes that a name, by its module, has led to another object.
_LED: Final[dict[tuple[str, str], dict[int, weakref.ref[Any]]]] = {}


def go_on(visit: Visit, name: str, old: object, value: object) -> None:
    """Lead what `name` has led elsewhere, or what left with it, to `value`: it stands for that now instead of `old`."""
    place = visit.work.edit.module, visit.scope.prefix + name
    target = _kinds.callee(visit.scope, value)
    for one in list(_led(visit, place)) if callable(target) else ():
        if one is not target and one.__dict__.get("__wrapped__") is not target:
            _lead(visit, name, one, target)
    was = old if visit.scope.prefix else visit.work.before.get(name, MISSING)
    known = visit.swap.departed.get(place) if place not in visit.swap.taken_up else None
    if known is not None and (was is MISSING or immutable(was)):
        left = known.ref()
        if left is not None and callable(value) and not _has_name(visit, left):
            leave_to(visit, name, left, value)


def _led(visit: Visit, place: tuple[str, str]) -> Iterator[Any]:
    """Yield what goes where the name goes that `place` is; forget what has a name again, or lives on by itself."""
    led = _LED.get(place, {})
    taken = visit.swap.arrivals.get(place) if place in visit.swap.taken_up else None
    for key, ref in list(led.items()):
        one = ref()
        if type(one) is FunctionType and one in visit.swap.forwarded:  # just now
            continue
        if taken is not None and taken.ref() is one:  # it is what the name stands for from now on
            continue
        leads = is_a(one, type) or (type(one) is FunctionType and (one in DEPARTED or is_forwarder(one)))
        if leads and not _has_name(visit, one):
            yield one
        else:
            del led[key]


def _has_name(visit: Visit, value: object) -> bool:
    """Whether the module, or the class that is gone through, has `value` by another name."""
    names = vars(visit.scope.cls) if isinstance(visit.scope, ClassScope) else visit.scope.namespace
    return any(attribute(one, "__func__", one) is value for one in names.values())


def _lead(visit: Visit, name: str, one: Any, value: object) -> None:
    if is_a(one, type):
        _replaced.leave_class(visit.swap, visit.work, visit.scope.prefix + name, one, value)
    elif not holds(value, one):
        forward(visit.swap.journal, one, value)
        visit.swap.forwarded.add(one)
        if _is_at_home_elsewhere(visit, name, value):
            note_led((visit.work.edit.module, visit.scope.prefix + name), one)


def note_led(place: tuple[str, str], old: Any) -> None:
    """Have `old` go where the name goes that `place` is."""
    if type(old) is FunctionType or is_a(old, type):
        _LED.setdefault(place, {})[id(old)] = weakref.ref(old)


def leave(visit: Visit, name: str, old: object) -> None:
    """Have those that lead to `old` go on with `name`, which leaves; or with what the class inherits."""
    place = visit.work.edit.module, visit.scope.prefix + name
    for one in forwarders(old):
        note_led(place, one)
    above = visit.scope.cls.__mro__[1:] if isinstance(visit.scope, ClassScope) else ()
    inherited = next((vars(cls)[name] for cls in above if name in vars(cls)), None)
    goes_on = any(known.ref() is old for known in visit.swap.arrivals.values())  # by another name, or elsewhere
    if type(inherited) is FunctionType and not goes_on:
        if type(old) is FunctionType and was_defined(visit, name, old):
            leave_to(visit, name, old, inherited)
        for one in list(_led(visit, place)):
            _lead(visit, name, one, inherited)


def _is_at_home_elsewhere(visit: Visit, name: str, value: object) -> bool:
    """Whether `value` is a function or class that another statement defined: it does not go where `name` goes. What
    members of a class lead to may be made for that alone.
    """
    if isinstance(visit.scope, ClassScope):
        return True
    if type(value) is not FunctionType and not is_a(value, type):
        return False
    home = value.__module__, value.__qualname__
    return home != (visit.work.edit.module, visit.scope.prefix + name) and "<" not in value.__qualname__


def replace(visit: Visit, name: str, old: object, value: object) -> None:
    """Have `value` take the place of `old` where it is held, and those lead to it that led to `old`."""
    visit.swap.replaced.append((visit.work, visit.scope.prefix + name, old, value))
    for one in forwarders(old) if callable(value) else ():
        if value is not one:
            _lead(visit, name, one, value)


def leave_to(visit: Visit, name: str, old: object, value: object) -> None:
    """Have `old`, which the text defined as `name` and does no more, lead to `value`, which the name stands for now."""
    swap = visit.swap
    if is_a(old, type):
        if wraps_class(value, old):  # it goes on inside: what leads to it there must not lead back
            return
        _replaced.leave_class(visit.swap, visit.work, visit.scope.prefix + name, old, value)
        if _is_at_home_elsewhere(visit, name, value):
            note_led((visit.work.edit.module, visit.scope.prefix + name), old)
        return
    target = _kinds.callee(visit.scope, value) if type(old) is FunctionType else value
    if target is value and (type(old) in _DESCRIPTORS or type(value) in _DESCRIPTORS):
        _leave_member(visit, name, old, value)
        return
    value = target
    clear = None
    if type(old) is not FunctionType:
        replace(visit, name, old, value)
        clear, old = attribute(old, "cache_clear"), wrapped_by(old)
    if type(old) is FunctionType and callable(value) and _is_ours(swap, old) and not holds(value, old):
        for one in (*forwarders(old), old):
            _lead(visit, name, one, value)
        swap.patched(visit.work, visit.scope.prefix + name, How.FORWARDED)
        if clear is not None:
            swap.later.append(clear)


def _is_ours(swap: Swap, old: FunctionType) -> bool:
    """Whether `old` is the program's, or a closure that a library, as `contextlib`, made around what is."""
    if swap.is_project(old):
        return True
    return "<locals>" in old.__code__.co_qualname and any(map(swap.is_project, functions_in(old)))


def _leave_member(visit: Visit, name: str, old: object, value: object) -> None:
    """Have the function of a static or class method lead to the new one; of other kinds of members, note who has it.

    What was a property, or a static or class method, and becomes another kind of member is called otherwise: nobody
    can forward for it.
    """
    swap, qualname = visit.swap, visit.scope.prefix + name
    for function, successor in zip(parts_of(old), parts_of(value), strict=False):
        if type(function) is not FunctionType or function is successor or not swap.is_project(function):
            continue
        if type(old) is not type(value):
            swap.other_kinds.append((visit.work, qualname, function, old, value))
        elif type(successor) is FunctionType and not holds(successor, function):
            for one in (*forwarders(function), function):
                forward(swap.journal, one, successor)
                swap.forwarded.add(one)


def holds(value: object, old: FunctionType) -> bool:
    """Whether calling `value` may come back to `old`, which it wraps."""
    return any(function is old for function in functions_in(value))
