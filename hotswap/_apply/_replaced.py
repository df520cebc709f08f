"""Classes that something else took the place of: instances, references and calls follow, as do functions and members
that somebody holds.
"""

from __future__ import annotations

from functools import partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from hotswap._apply import _adapter, _hooked
from hotswap._apply._adapter import ClassEdit
from hotswap._model import How
from hotswap._run._values import attribute
from hotswap.patch import _generated
from hotswap.patch._classes import (
    forward_constructor,
    guard,
    move_instances,
    own_methods,
    replace_base,
    take_constructor_back,
)
from hotswap.patch._heap import referrers
from hotswap.patch._methods import keep_methods
from hotswap.patch._proxies import forward, forwarders

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap, Work


def leave_class(swap: Swap, work: Work, name: str, old: type, value: object) -> None:
    """Let `value` take the place of the class `old`: instances move, references follow, its constructor forwards."""
    _hooked.tell_left(swap, work, name, old, value)
    behind = _leave(swap, work, name, old, value)
    for work in dict.fromkeys(work for work, _, _ in behind):
        names, counts = zip(*((name, left) for here, name, left in behind if here is work), strict=True)
        told, line = ", ".join(names), work.line_of(names[0])
        swap.tell(work, "HS101", line, name=told, why="CPython refuses", left=sum(counts))


def _leave(swap: Swap, work: Work, name: str, old: type, value: object) -> list[tuple[Work, str, int]]:
    """Replace `old`; return which classes, it and those below it, leave how many objects behind."""
    left, behind = 0, list[tuple["Work", str, int]]()
    guard(swap.journal, old)
    if _generated.kind_of(old) == "enum":
        _lead_members(swap, work, name, old, value)
    elif isinstance(value, type):
        left = move_instances(swap.journal, old, value)
        if left:
            swap.later.append(partial(keep_methods, old, value))
        elif old not in value.__mro__:  # else its functions call those of `old` by ``super()``
            _lead_functions(swap, work, old, value)
        swap.gives_way[id(old)] = value
        for below, made in list(replace_base(swap.journal, old, value, swap.gives_way)):
            behind += _leave_below(swap, work, below, made)
        _adapter.inherit(swap, ClassEdit(swap.journal, value, value, frozenset(), lambda: swap.commit()))
    if callable(value):
        for one in forwarders(old):
            forward(swap.journal, one, value)
        swap.later += (partial(take_constructor_back, value), partial(forward_constructor, old, value))
    swap.replaced.append((work, name, old, value))
    swap.patched(work, name, How.REBOUND)
    return [(work, name, left), *behind] if left else behind


def _leave_below(swap: Swap, work: Work, below: type, made: type) -> list[tuple[Work, str, int]]:
    """Let `made` take the place of a subclass, at once: its own statement, if it is still to come, finds it there."""
    own_methods(swap.journal, below, made)
    name = below.__qualname__
    here = swap.works.get(below.__module__)
    if here is not None and here.scope.peek(name) is below:
        swap.bind(here, here.scope, name, made)
    return _leave(swap, here or work, name, below, made)


def _lead_functions(swap: Swap, work: Work, old: type, new: type) -> None:
    """Lead who holds a function of the class to the one that took its place."""
    found = {name: attribute(member, "__func__", member) for name, member in vars(new).items()}
    kept = set(map(id, found.values()))
    for name, member in vars(old).items():
        was, now = attribute(member, "__func__", member), found.get(name)
        if type(was) is not FunctionType or type(now) is not FunctionType or id(was) in kept:
            continue
        if was.__qualname__ == f"{old.__qualname__}.{name}" and swap.is_project(was):
            forward(swap.journal, was, now)
            swap.forwarded.add(was)
            swap.led[was] = work, now


def give_way(swap: Swap) -> None:
    """Have bound methods of functions that lead to others now give way to those of what took their place."""
    gone, swap.led = swap.led, {}
    for one in referrers(*gone) if gone else ():
        if type(one) is MethodType and type(one.__func__) is FunctionType and one.__func__ in gone:
            work, now = gone[one.__func__]
            swap.replaced.append((work, now.__qualname__, one, MethodType(now, one.__self__)))


def _lead_members(swap: Swap, work: Work, name: str, old: Any, value: object) -> None:
    """Members of an enum that was made anew take the places of those of the same names."""
    members = attribute(value, "_member_map_", {})
    for key, member in old._member_map_.items():
        if key in members:
            swap.replaced.append((work, f"{name}.{key}", member, members[key]))
