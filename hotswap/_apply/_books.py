"""Containers of a library: which statement made each entry, which of them leave, and where what came belongs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from hotswap._model import Statement

if TYPE_CHECKING:
    from hotswap._apply._swap import Work

Objects = Callable[[Any], Iterable[object]]
"""Gives the objects of the program that an entry of a container stands for: its callback, the command itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """A statement of the old text that may have registered `objects`. `new` is what becomes of it, None if it leaves.

    `leaves` says whether its entries do: it left the text, or its new text is about to run. `handed` are the methods
    that it calls, each with the objects that it hands them; `over` is what a loop goes over.
    """

    work: Work
    old: Statement
    new: Statement | None
    objects: tuple[object, ...]
    leaves: bool
    public: tuple[object, ...] = ()
    handed: tuple[tuple[str, tuple[object, ...]], ...] = ()
    over: tuple[object, ...] = ()

    def times(self, objects: Same) -> int:
        """How many entries it made for `objects`: a loop one for each that it found."""
        return sum(one in objects for one in self.over) if self.over else 1

    def names_now(self, value: object) -> bool:
        """Whether its new text has `value` still, as a function goes on that is defined with another header."""
        return self.new is not None and any(self.work.scope.peek(name) is value for name in self.new.binds[-1:])

    def hands(self, method: str, objects: Same) -> bool:
        """Whether it hands one of `objects` to a method of that name; ``message.register`` says of which attribute."""
        named = [given for name, given in self.handed if f".{name}".endswith(f".{method}")]
        return any(one in objects for given in named for one in given)


Spot = tuple[Any, bool]
"""A place in a container: what identifies the entry, and whether it came with this save."""


class Same:
    """Tells whether an object is among others, by identity alone."""

    def __init__(self, objects: Iterable[object]) -> None:
        self._ids = set(map(id, objects))

    def __contains__(self, value: object) -> bool:
        return id(value) in self._ids


class Book:
    """A container as it was, what in it leaves, and which statement made what came."""

    def __init__(self, container: Any, objects: Objects) -> None:
        self.container, self.objects = container, objects
        self.write: Callable[[list[Any]], object] = getattr(container, "fill", None) or partial(fill, container)
        self.is_mapping = isinstance(container, MutableMapping)
        self.withdraws = False
        self.by: Sequence[str] = ()
        self.sorts = False
        self.before = self.entries()
        self.leaving: set[Any] = set()
        self.owner: dict[Any, Claim] = {}
        self.made: dict[Any, Statement] = {}

    def entries(self) -> dict[Any, Any]:
        """Return the entries by what identifies them, in order."""
        if self.is_mapping:
            return {(key, id(value)): (key, value) for key, value in self.container.items()}
        return {id(entry): entry for entry in self.container}

    def content(self) -> list[Any]:
        """Return what the container holds, what stands there twice included."""
        return entries_of(self.container)

    def came(self) -> dict[Any, Any]:
        """Return the entries that were not there before, or leave and were handed over a second time."""
        back = self.leaving if self.withdraws else self.leaving & self._twice()
        return {key: entry for key, entry in self.entries().items() if key not in self.before or key in back}

    def _twice(self) -> frozenset[Any]:
        """Return what stands in a list a second time, or was set again in a mapping that notes it."""
        if self.is_mapping:
            return getattr(self.container, "back", frozenset())
        return frozenset(key for key, count in Counter(map(id, self.container)).items() if count > 1)

    def withdraw(self, keys: Container[Any]) -> None:
        """Take out at once the entries that leave by `keys`; what statements have put back since stays."""
        self.write([entry for key, entry in self.entries().items() if key not in keys])

    def pairs(self) -> list[tuple[Any, Any]]:
        """Return what leaves with what the same statement, in its new text, made instead."""
        came = {id(statement): key for key, statement in self.made.items()}
        now = self.entries()
        olds = [(key, self.owner[key].new) for key in self.leaving]
        return [(self.before[k], now[came[id(n)]]) for k, n in olds if n is not None and came.get(id(n)) in now]

    def arranged(self, ran: set[int]) -> list[Any]:
        """Return the entries in the order in which a fresh start would have made them."""
        now = self.entries()
        left = {key for key in self.leaving if self._is_over(self.owner[key], ran)}
        if self.sorts:
            return [entry for key, entry in now.items() if key not in left]
        order = self._in_text_order(list(self.before))
        free = [place for place in order if place[0] in left]
        for key in self.came():
            order.insert(self._place(key, order, free, left), (key, True))
        return [now[key] if new else self.before[key] for key, new in order if new or key not in left]

    def _in_text_order(self, keys: list[Any]) -> list[Spot]:
        """Have entries that stood in the order of their statements follow where those changed places."""
        groups: dict[int, list[int]] = {}
        for at, key in enumerate(keys):
            if key in self.owner and self.owner[key].new is not None:
                groups.setdefault(id(self.owner[key].work), []).append(at)
        for places in groups.values():
            olds = [self.owner[keys[at]].old.lineno for at in places]
            moved = sorted((keys[at] for at in places), key=lambda key: self._line(key, new=False) or 0)
            for at, key in zip(places, moved, strict=True) if olds == sorted(olds) else ():
                keys[at] = key
        return [(key, False) for key in keys]

    def is_done(self, key: Any, ran: set[int]) -> bool:
        """Whether the statement that made an entry which leaves has run again, or is gone."""
        return self._is_over(self.owner[key], ran)

    @staticmethod
    def _is_over(claim: Claim, ran: set[int]) -> bool:
        """Whether what took the statement's place ran, or nothing did: else its entry stays."""
        return claim.new is None or id(claim.new) in ran

    def _place(self, key: Any, order: list[Spot], free: list[Spot], left: set[Any]) -> int:
        statement = self.made.get(key)
        if statement is None:
            return len(order)
        for spot in free:
            if self.owner[spot[0]].new is statement:
                free.remove(spot)
                return order.index(spot)
        lines = {i: self._line(spot[0], new=spot[1]) for i, spot in enumerate(order) if spot[1] or spot[0] not in left}
        behind = [i for i, line in lines.items() if line is not None and line > statement.lineno]
        if behind:
            return min(behind)
        ahead = [i for i, line in lines.items() if line is not None]
        if ahead:
            return max(ahead) + 1
        return order.index(free.pop(0)) if free else len(order)

    def _line(self, key: Any, *, new: bool) -> int | None:
        """Return the line, in the new text, of the statement that made an entry."""
        statement = self.made.get(key) if new else self.owner[key].new if key in self.owner else None
        return None if statement is None else statement.lineno


def alike(one: list[Any], other: list[Any]) -> bool:
    if len(one) != len(other):
        return False
    return all(a is b or (type(a) is tuple and a[0] == b[0] and a[1] is b[1]) for a, b in zip(one, other, strict=True))


def entries_of(container: Any) -> list[Any]:
    """Return what a list or mapping holds, of a mapping the items, what stands there twice included."""
    return list(container.items() if isinstance(container, MutableMapping) else container)


def fill(container: Any, entries: list[Any]) -> None:
    """Make a list or mapping hold exactly `entries`, in their order."""
    if not isinstance(container, MutableMapping):
        container[:] = entries
        return
    wanted = dict(entries)
    for key in [key for key in container if key not in wanted]:
        del container[key]
    if list(container) != list(wanted)[: len(container)]:
        for key in wanted:
            container.pop(key, None)
    container.update(wanted)
