"""References: replace an object by another where Python code can hold it, and count the places where it cannot.

Replaced: values of dictionaries (of modules, classes, instances, plain ones), items of lists, closure cells, defaults of
functions, bases of classes. Tuples, keys, sets, frames and C structures hold on to what they have.
"""

from __future__ import annotations

import gc
from functools import partial
from types import CellType, FrameType, FunctionType
from typing import Any

from hotswap._journal import Journal


def replace(journal: Journal, old: object, new: object, ours: tuple[object, ...] = ()) -> int:
    """Record `new` in place of `old` wherever that can be done; return how many holders keep `old`.

    `ours` are containers of our own that hold `old`. One pass over the heap.
    """
    skip = {id(one) for one in ours} | {id(ours)}
    left = 0
    for holder in gc.get_referrers(old):
        if id(holder) in skip or isinstance(holder, FrameType):
            continue
        left += not _replace_in(journal, holder, old, new)
    return left


def _replace_in(journal: Journal, holder: Any, old: object, new: object) -> bool:
    if type(holder) is dict or isinstance(holder, dict):
        return _in_dict(journal, holder, old, new)
    if type(holder) is list:
        for index in [index for index, item in enumerate(holder) if item is old]:
            journal.do(partial(holder.__setitem__, index, new), partial(_put, holder, index, old))
        return True
    if type(holder) is CellType:
        journal.set_attribute(holder, "cell_contents", new)
        return True
    if type(holder) is FunctionType and holder.__defaults__ and any(item is old for item in holder.__defaults__):
        journal.set_attribute(holder, "__defaults__", tuple(new if item is old else item for item in holder.__defaults__))
        return True
    return _in_slots(journal, holder, old, new)


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
