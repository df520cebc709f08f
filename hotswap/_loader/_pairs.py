"""Which code object of a statement took the place of which, when both texts of it are compiled."""

from __future__ import annotations

import dis
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from types import CodeType
from typing import Final

from hotswap._loader._compile import PARAMETERS, content, inner_codes, is_class_body
from hotswap._text._roles import Span

_LAMBDA: Final = "<lambda>"

RolesOf = Callable[[], tuple[Mapping[Span, str], Mapping[Span, str]]]
"""Gives the roles of the lambdas in the old and in the new statement; asked only if there are several."""


def no_roles() -> tuple[Mapping[Span, str], Mapping[Span, str]]:
    """Return that nothing is known of any lambda."""
    return {}, {}


@dataclass(slots=True)
class Pairs:
    """What became of the code objects in a statement, at any depth. `without` have no successor.

    Of the lambdas among those, `unclear` may have one, on the given line, but the text does not tell which.
    """

    roles_of: RolesOf = no_roles
    found: list[tuple[CodeType, CodeType]] = field(default_factory=list)
    without: list[CodeType] = field(default_factory=list)
    unclear: list[tuple[CodeType, int]] = field(default_factory=list)

    def match(self, old: CodeType, new: CodeType) -> None:
        """Pair the code objects inside `old` with those inside `new`.

        Lambdas of the same role first, where only one has it; then equal content in order, which anchors the rest;
        between anchors, the same name in order; last, a name that is unique.
        """
        olds, news = _made_in(old), _made_in(new)
        pairs, skipped = self._by_role(old, new) if _LAMBDA in {one.co_name for one in olds} else ([], [])
        done = {id(one) for pair in pairs for one in pair} | set(map(id, skipped))
        left, free = ([one for one in side if id(one) not in done] for side in (olds, news))
        partners = [*_partners(left, free)]
        pairs += ((left[one], free[other]) for one, other in partners)
        self.without += skipped
        self._note_left(left, free, partners)
        for one, other in pairs:
            self.found.append((one, other))
            self.match(one, other)

    def _by_role(self, old: CodeType, new: CodeType) -> tuple[list[tuple[CodeType, CodeType]], list[CodeType]]:
        """Return the lambdas of the same role, and those that several share which are not alike in `new`.

        CPython 3.12 gives equal lambdas of one line, such as ``[lambda: 1, lambda: 1]``, the same code object.
        """
        uses = _uses(old), _uses(new)
        if max(map(len, uses)) < 2:
            return [], []
        was, now = (
            [(one, known.get(at) if at else None) for one, at in side]
            for side, known in zip(uses, self.roles_of(), strict=True)
        )
        counts = [Counter(role for _, role in side) for side in (was, now)]
        known = {role: one for one, role in now if counts[0][role] == counts[1][role] == 1}
        became: defaultdict[int, list[CodeType | None]] = defaultdict(list)
        for at, (one, role) in enumerate(was):
            shares = sum(one is other for other, _ in was) > 1
            became[id(one)].append(known.get(role) or (now[at][0] if shares and len(was) == len(now) else None))
        pairs, skipped = [], []
        for one in {id(one): one for one, _ in was}.values():
            after = [other for other in became[id(one)] if other is not None]
            if len({content(other or one) for other in became[id(one)]}) == 1 and after:
                pairs.append((one, after[0]))
            elif len(became[id(one)]) > 1 and after:
                skipped.append(one)
                self.unclear.append((one, after[0].co_firstlineno))
        return pairs, skipped

    def _note_left(self, left: list[CodeType], free: list[CodeType], partners: list[tuple[int, int]]) -> None:
        """Note what has no partner; lambdas among it are unclear if there are some on the other side as well."""
        paired, taken = {one for one, _ in partners}, {other for _, other in partners}
        lines = [one.co_firstlineno for at, one in enumerate(free) if at not in taken and one.co_name == _LAMBDA]
        alone = [one for at, one in enumerate(left) if at not in paired]
        self.without += alone
        self.unclear += ((one, lines[0]) for one in alone if lines and one.co_name == _LAMBDA)


def _uses(code: CodeType) -> list[tuple[CodeType, Span | None]]:
    """Return the lambdas that `code` makes, each as often as the text has it, with where it stands."""
    found = {
        (id(step.argval), step.positions): (step.argval, step.positions)
        for maker in (code, *(one for one in inner_codes(code) if one.co_name.startswith(PARAMETERS)))
        for step in dis.get_instructions(maker)
        if isinstance(step.argval, CodeType) and step.argval.co_name == _LAMBDA
    }
    return [*found.values()]


def _made_in(code: CodeType) -> list[CodeType]:
    """Return the code objects inside `code`; those in a scope of type parameters (PEP 695) in the place of it.

    So a definition is matched that becomes generic, or is so no more.
    """
    found: list[CodeType] = []
    for inner in inner_codes(code):
        found += inner_codes(inner) if inner.co_name.startswith(PARAMETERS) else [inner]
    return found


def _partners(olds: list[CodeType], news: list[CodeType]) -> Iterator[tuple[int, int]]:
    left = {index: (olds[index].co_name, is_class_body(olds[index])) for index in range(len(olds))}
    free = {index: (news[index].co_name, is_class_body(news[index])) for index in range(len(news))}
    start, other = 0, 0
    for one, two, size in _equal_blocks([content(c) for c in olds], [content(c) for c in news]):
        gap = _same_names(range(start, one), range(other, two), left, free)
        equal = [(one + offset, two + offset) for offset in range(size)]
        for pair in (*gap, *equal):
            del left[pair[0]], free[pair[1]]
            yield pair
        start, other = one + size, two + size
    yield from _same_names(list(left), list(free), left, free)


def _equal_blocks(was: list[tuple[object, ...]], now: list[tuple[object, ...]]) -> Iterator[tuple[int, int, int]]:
    """Yield where both are equal, and how far. Among lambdas of one text those at the same place belong together."""
    start = _common(was, now)
    end = _common(was[start:][::-1], now[start:][::-1])
    yield 0, 0, start
    middle = SequenceMatcher(None, was[start : len(was) - end], now[start : len(now) - end], autojunk=False)
    yield from ((one + start, two + start, size) for one, two, size in middle.get_matching_blocks())
    yield len(was) - end, len(now) - end, end


def _common(one: list[tuple[object, ...]], other: list[tuple[object, ...]]) -> int:
    """Return how many items both begin with."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _same_names(
    olds: Sequence[int], news: Sequence[int], left: dict[int, tuple[str, bool]], free: dict[int, tuple[str, bool]]
) -> list[tuple[int, int]]:
    """Pair what has the same name, in order; lambdas, which all have one, only if there are as many on both sides."""
    waiting: defaultdict[tuple[str, bool], list[int]] = defaultdict(list)
    for index in news:
        waiting[free[index]].append(index)
    lambdas = (_LAMBDA, False)
    if len(waiting[lambdas]) != sum(left[index] == lambdas for index in olds):
        waiting[lambdas] = []
    return [(index, waiting[left[index]].pop(0)) for index in olds if waiting[left[index]]]
