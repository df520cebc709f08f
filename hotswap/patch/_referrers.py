"""References: replace an object by another where Python code can hold it, and count the places where it cannot.

Replaced: keys and values of dictionaries (of modules, classes, instances, plain ones), items of lists and sets, closure
cells, defaults of functions, and tuples that these have. Frames, C structures and other tuples keep what they have.
"""

from __future__ import annotations

import gc
import typing
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from types import (
    CellType,
    FrameType,
    FunctionType,
    GenericAlias,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    UnionType,
    WrapperDescriptorType,
)
from typing import Any, Final
from weakref import ReferenceType

from hotswap._run._journal import Journal
from hotswap._run._values import attribute, is_a
from hotswap.patch._classes import subclasses
from hotswap.patch._functions import FORWARDING
from hotswap.patch._heap import referrers

_NOT_COUNTED: Final = (FrameType, GetSetDescriptorType, MemberDescriptorType, WrapperDescriptorType, ReferenceType)
_CARRIERS: Final = (
    *(property, staticmethod, classmethod, partial, CellType, FunctionType, MethodType),
    *(tuple, GenericAlias, UnionType),
)
_BY_IDENTITY: Final[tuple[object, ...]] = (object.__hash__, object.__eq__, type.__hash__, type.__eq__)
_DEEPEST: Final = 8  # carriers inside carriers; what is carried further counts as held

Pair = tuple[object, object]


def replace(journal: Journal, pairs: Sequence[Pair], ours: Collection[object] = ()) -> list[int]:
    """Set, for each of the `pairs`, the second in place of the first wherever that can be done.

    Return for each how many holders keep the first. What a pair puts in place may itself be the first of a later pair:
    references go straight to what is last. `ours` are containers of our own that hold such objects. The heap is passed
    over once for all, and once more for those tuples and dicts of which it matters who has them.
    """
    if any(is_a(old, type) for old, _ in pairs):
        _clear_typing()
    targets = _Targets(pairs)
    skip = {id(one) for one in (ours, pairs, targets, *vars(targets).values(), *pairs, *ours)}
    holders = [one for one in referrers(*targets.olds) if id(one) not in skip]
    owners = _owners(holders, targets)
    left: dict[int, list[object]] = {id(old): [] for old, _ in pairs}
    for holder in holders:
        for old in targets.held_by(holder):
            if not _belongs_to(old, holder, owners) and not _replace_in(journal, holder, old, targets, owners):
                left[id(old)].append(holder)
    journal.commit()
    carriers = [one for found in left.values() for one in found if is_a(one, _CARRIERS)]
    mine = (*ours, *left.values(), left, holders, owners, *owners.values(), pairs, *pairs, *vars(targets).values())
    held = still_held(carriers, mine) if carriers else frozenset()
    return [sum(not is_a(one, _CARRIERS) or id(one) in held for one in left[id(old)]) for old, _ in pairs]


def _clear_typing() -> None:
    """Have `typing` forget what it keeps of ``List[A]`` and the like: nobody else has that (CPython's tests do so)."""
    for clear in getattr(typing, "_cleanups", ()):
        clear()


class _Targets:
    """What is replaced, and what by."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.olds = tuple({id(old): old for old, _ in pairs}.values())
        self._next = {id(pair[0]): pair for pair in pairs}

    def last(self, value: object) -> Any:
        """Return what comes at the end in the place of `value`; itself if it is not replaced."""
        for _ in self._next:
            found = self._next.get(id(value))
            if found is None:
                break
            value = found[1]
        return value

    def held_by(self, holder: object) -> list[object]:
        """Return those of the replaced objects that `holder` refers to."""
        found = {id(one): one for one in gc.get_referents(holder) if id(one) in self._next}
        return list(found.values())


def _owners(holders: list[Any], targets: _Targets) -> dict[int, list[Any]]:
    """Return who has those `holders` of which it matters: dicts of what is no class, and tuples."""
    asked = tuple(  # a list would be handed on as a tuple of which nobody knows (3.11)
        [
            one
            for one in holders
            if type(one) is tuple
            or (isinstance(one, dict) and not all(is_a(old, type) for old in targets.held_by(one)))
        ]
    )
    wanted = {id(one) for one in asked}
    found: dict[int, list[Any]] = {}
    for owner in referrers(*asked):
        for part in gc.get_referents(owner) if owner is not asked and owner is not holders else ():
            if id(part) in wanted:
                found.setdefault(id(part), []).append(owner)
    return found


def count_held(member: object, ours: Collection[object] = ()) -> int:
    """Return how many lists, dicts, tuples, sets, cells and objects of the program hold `member`."""
    skip = {id(one) for one in ours} | {id(ours)}
    found = [one for one in referrers(member) if id(one) not in skip]
    owners = _owners(found, _Targets([(member, None)]))
    left = 0
    for holder in found:  # a generator expression would hold `member` in a cell, from the start of this call
        left += not _belongs_to(member, holder, owners)
    return left


def still_held(members: Sequence[object], ours: Collection[object] = ()) -> frozenset[int]:
    """Return the ids of those `members` that somebody has, `ours` apart.

    What only carries one (a property, a cell, another function's closure) counts if somebody has that in its turn.
    """
    known: dict[int, object] = {id(one): one for one in members}
    skip = {id(one) for one in ours} | {id(ours), id(members), id(known)}
    carried: dict[int, set[int]] = {}
    held: set[int] = set()
    level: tuple[object, ...] = tuple(members)  # a list would be handed on as a tuple of which nobody knows (3.11)
    for _ in range(_DEEPEST if level else 0):
        asked, above = {id(one) for one in level}, list[object]()
        found = [one for one in referrers(*level) if id(one) not in skip and one is not level]
        for holder in found:
            inside = asked.intersection(map(id, gc.get_referents(holder)))
            if is_a(holder, _CARRIERS):
                carried.setdefault(id(holder), set()).update(inside)
                above += [] if id(holder) in known else [holder]
                known[id(holder)] = holder
            elif not is_a(holder, _NOT_COUNTED):
                held |= inside
        skip |= {id(found), id(above)}
        level = tuple(above)
    _spread(held.union(map(id, level)), carried, held)
    return frozenset(held.intersection(map(id, members)))


def _spread(new: Iterable[int], carried: Mapping[int, set[int]], held: set[int]) -> None:
    """Add to `held` what is carried by what is."""
    waiting = list(new)
    while waiting:
        inside = carried.get(waiting.pop(), set()) - held
        held |= inside
        waiting += inside


def _belongs_to(old: object, holder: Any, owners: Mapping[int, list[Any]]) -> bool:
    """Whether `holder` is a part of `old`, or goes with it."""
    if is_a(holder, _NOT_COUNTED) or str(type(holder).__module__).startswith("hotswap."):
        return True
    if type(holder) is tuple and holder and holder[-1] is FORWARDING:
        return True  # the constants of a function that forwards to `old`, or did
    if not is_a(old, type):
        return type(holder) is dict and any(type(one) is type(old) for one in owners.get(id(holder), ()))
    if type(holder) is tuple:
        return any(holder is part for one in subclasses(old) for part in (one.__mro__, one.__bases__))
    return type(holder) is old or (is_a(holder, type) and old in holder.__mro__)


def _replace_in(journal: Journal, holder: Any, old: object, targets: _Targets, owners: Mapping[int, list[Any]]) -> bool:
    new = targets.last(old)
    if is_a(holder, dict):
        return _in_dict(journal, holder, old, targets)
    if type(holder) is list:
        for index in [index for index, item in enumerate(holder) if item is old]:
            journal.do(partial(holder.__setitem__, index, new), partial(_put, holder, index, old))
        return True
    if type(holder) is CellType:
        journal.set_attribute(holder, "cell_contents", new)
        return True
    if type(holder) is tuple:
        return _by_another_tuple(journal, holder, targets, owners)
    if type(holder) is set and _is_known_by_identity(old, new):
        journal.do(partial(holder.add, new), partial(holder.discard, new))
        journal.do(partial(holder.discard, old), partial(holder.add, old))
        return True
    return _in_slots(journal, holder, old, new)


def _by_another_tuple(
    journal: Journal, holder: tuple[Any, ...], targets: _Targets, owners: Mapping[int, list[Any]]
) -> bool:
    """Have who has the tuple `holder` have another one, with the new objects; False if somebody cannot."""
    having = [one for one in owners.get(id(holder), ()) if not is_a(one, _NOT_COUNTED)]
    other = tuple(map(targets.last, holder))
    done = [_has_another(journal, one, holder, other) for one in having]
    return bool(done) and all(done)


def _has_another(journal: Journal, owner: Any, holder: object, other: object) -> bool:
    if type(owner) is FunctionType and owner.__defaults__ is holder:
        journal.set_attribute(owner, "__defaults__", other)
        return True
    if is_a(owner, (tuple, set, FunctionType)):
        return False
    if is_a(owner, dict):
        return _in_values(journal, owner, holder, other)
    return _replace_in(journal, owner, holder, _Targets([(holder, other)]), {})


def _is_known_by_identity(*values: object) -> bool:
    """Whether hashing and comparing `values` runs none of the program's code."""
    kinds = set(map(type, values)) - {str, int, bytes}
    return all(one.__hash__ in _BY_IDENTITY and one.__eq__ in _BY_IDENTITY for one in kinds)


def _put(holder: list[Any], index: int, old: object) -> None:
    if index < len(holder):
        holder[index] = old


def _in_dict(journal: Journal, holder: dict[Any, Any], old: object, targets: _Targets) -> bool:
    items = list(dict.items(holder))
    if type(holder) is not dict or all(targets.last(key) is key for key, _ in items):
        return _in_values(journal, holder, old, targets.last(old))
    if not _is_known_by_identity(*holder, *map(targets.last, holder)):
        return False
    own = set(map(id, holder))  # what stands there by itself goes before what would come in its place
    both = [(targets.last(key), targets.last(value), key) for key, value in items]
    others = [(new, value) for new, value, key in both if new is key or id(new) not in own]
    journal.do(holder.clear, partial(holder.update, items))
    journal.do(partial(holder.update, others), holder.clear)
    return True


def _in_values(journal: Journal, holder: dict[Any, Any], old: object, new: object) -> bool:
    found = [key for key, value in dict.items(holder) if value is old]
    for key in found:
        journal.do(partial(dict.__setitem__, holder, key, new), partial(dict.__setitem__, holder, key, old))
    return bool(found)


def _in_slots(journal: Journal, holder: Any, old: object, new: object) -> bool:
    """From 3.11 on an instance without a materialised ``__dict__`` refers to its values itself."""
    attributes = attribute(holder, "__dict__")
    return isinstance(attributes, dict) and not is_a(holder, type) and _in_values(journal, attributes, old, new)
