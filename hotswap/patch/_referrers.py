"""References: replace an object by another where Python code can hold it, and count the places where it cannot.

Replaced: values of dictionaries (of modules, classes, instances, plain ones), items of lists, closure cells, defaults
of functions. Tuples, keys, sets, frames and C structures hold on to what they have.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from types import CellType, FrameType, FunctionType, GetSetDescriptorType, MemberDescriptorType, WrapperDescriptorType
from typing import Any, Final
from weakref import ReferenceType

from hotswap._journal import Journal
from hotswap.patch._classes import subclasses
from hotswap.patch._functions import FORWARDING
from hotswap.patch._heap import referrers

_NOT_COUNTED: Final = (FrameType, GetSetDescriptorType, MemberDescriptorType, WrapperDescriptorType, ReferenceType)


def replace(journal: Journal, old: object, new: object, ours: Collection[object] = ()) -> int:
    """Record `new` in place of `old` wherever that can be done; return how many holders keep `old`.

    `ours` are containers of our own that hold `old`. One pass over the heap.
    """
    skip = {id(one) for one in ours} | {id(ours)}
    left = 0
    for holder in referrers(old):
        if id(holder) not in skip and not _belongs_to(old, holder):
            left += not _replace_in(journal, holder, old, new)
    return left


def count_held(member: object, ours: Collection[object] = ()) -> int:
    """Return how many lists, dicts, tuples, sets, cells and objects of the program hold `member`."""
    skip = {id(one) for one in ours} | {id(ours)}
    return sum(id(one) not in skip and not _belongs_to(member, one) for one in referrers(member))


def _belongs_to(old: object, holder: Any) -> bool:
    """Whether `holder` is a part of `old`, or goes with it."""
    if isinstance(holder, _NOT_COUNTED) or str(type(holder).__module__).startswith("hotswap."):
        return True
    if type(holder) is tuple and holder and holder[-1] is FORWARDING:
        return True  # the constants of a function that forwards to `old`, or did
    if not isinstance(old, type):
        return type(holder) is dict and any(type(one) is type(old) for one in referrers(holder))
    if type(holder) is tuple:
        return any(holder is part for one in subclasses(old) for part in (one.__mro__, one.__bases__))
    return type(holder) is old or (isinstance(holder, type) and old in holder.__mro__)


def _replace_in(journal: Journal, holder: Any, old: object, new: object) -> bool:
    if isinstance(holder, dict):
        return _in_dict(journal, holder, old, new)
    if type(holder) is list:
        for index in [index for index, item in enumerate(holder) if item is old]:
            journal.do(partial(holder.__setitem__, index, new), partial(_put, holder, index, old))
        return True
    if type(holder) is CellType:
        journal.set_attribute(holder, "cell_contents", new)
        return True
    if type(holder) is tuple:
        return _in_defaults(journal, holder, old, new)
    return _in_slots(journal, holder, old, new)


def _in_defaults(journal: Journal, holder: tuple[Any, ...], old: object, new: object) -> bool:
    """Replace `old` in a tuple of defaults, by another tuple; other tuples may be values of the program."""
    found = [f for f in referrers(holder) if type(f) is FunctionType and f.__defaults__ is holder]
    for function in found:
        journal.set_attribute(function, "__defaults__", tuple(new if item is old else item for item in holder))
    return bool(found)


def _put(holder: list[Any], index: int, old: object) -> None:
    if index < len(holder):
        holder[index] = old


def _in_dict(journal: Journal, holder: dict[Any, Any], old: object, new: object) -> bool:
    found = [key for key, value in dict.items(holder) if value is old]
    for key in found:
        journal.do(partial(dict.__setitem__, holder, key, new), partial(dict.__setitem__, holder, key, old))
    return bool(found)


def _in_slots(journal: Journal, holder: Any, old: object, new: object) -> bool:
    """From 3.11 on an instance without a materialised ``__dict__`` refers to its values itself."""
    attributes = getattr(holder, "__dict__", None)
    return isinstance(attributes, dict) and not isinstance(holder, type) and _in_dict(journal, attributes, old, new)
