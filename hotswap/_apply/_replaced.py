"""Classes that another one took the place of: who holds a function or member of them is led to that of the new one."""

from __future__ import annotations

from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from hotswap._run._values import attribute
from hotswap.patch._heap import referrers
from hotswap.patch._proxies import forward

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap, Work


def lead_functions(swap: Swap, work: Work, old: type, new: type) -> None:
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


def lead_members(swap: Swap, work: Work, name: str, old: Any, value: object) -> None:
    """Members of an enum that was made anew take the places of those of the same names."""
    members = attribute(value, "_member_map_", {})
    for key, member in old._member_map_.items():
        if key in members:
            swap.replaced.append((work, f"{name}.{key}", member, members[key]))
