"""Two texts to a region: where they differ, and what stands there."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from hotswap._model import Statement
from hotswap._regions._index import Block, Index, Inside, Parsed, block_of, offsets_of
from hotswap._regions._parts import Around, NotSmall, Parts, Region, shell
from hotswap._text._source import read_statements

_SHELL = "class _:\n"
_MORE = re.compile(r"\bimport\b|^\s*class\b")


def compare(index: Index, text: str, origin: str) -> Region | None:
    """Return how `text` differs from the text of `index`; None if it is to be read whole, which is never wrong."""
    if "\f" in text or text == index.text:
        return None
    try:
        return _Comparison(index, text, origin).region()
    except (NotSmall, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Level(NamedTuple):
    """A block inside the old text: it belongs to what starts at offset `base`, on `line`, and ends before `end`."""

    block: Block
    base: int
    line: int
    end: int
    around: Around = ()
    plain: bool = True


class _Comparison:
    """Two texts, and the span of the old one that differs: from the line that starts at `first` up to `stop`."""

    def __init__(self, index: Index, new: str, origin: str) -> None:
        self.index, self.old, self.new, self.origin = index, index.text, new, origin
        self.parsed: Parsed | None = None
        self.longer = len(new) - len(self.old)
        start = _common_start(self.old, new)
        self.first = self.old.rfind("\n", 0, start) + 1
        self.stop = len(self.old) - _common_end(self.old, new, min(len(self.old), len(new)) - start)

    def region(self) -> Region | None:
        found = self._within(_Level(self.index.block, 0, 1, len(self.old)))
        return (
            None if found is None else found[0](replace(self.index, text=self.new, block=found[1], parsed=self.parsed))
        )

    def _within(self, level: _Level) -> tuple[Callable[[Index], Region], Block] | None:
        """Return the region, which waits for its index, and the block that `level` becomes."""
        block = level.block
        at = bisect_right(block.starts, self.first - level.base) - 1
        behind = bisect_right(block.starts, self.stop - level.base)
        known = block.classes[at] if at >= 0 and behind == at + 1 else None
        end = level.base + block.starts[behind] if behind < len(block.starts) else level.end
        if known is not None:
            base, line = level.base + block.starts[at], level.line + block.lines[at]
            if self.first >= base + known.block.starts[0]:
                around = (*level.around, shell(known.name, line, block.indent))
                found = self._within(_Level(known.block, base, line, end, around, level.plain and known.plain))
                if found is not None:
                    return found[0], self._with_class(block, at, known._replace(block=found[1]))
        return self._parsed(level, at, behind, end)

    def _with_class(self, block: Block, at: int, known: Inside) -> Block:
        """Return `block` after its class number `at` got other lines."""
        delta = self.new.count("\n") - self.old.count("\n")
        return Block(
            (*block.starts[: at + 1], *(start + self.longer for start in block.starts[at + 1 :])),
            (*block.lines[: at + 1], *(line + delta for line in block.lines[at + 1 :])),
            block.places,
            (*block.classes[:at], known, *block.classes[at + 1 :]),
            block.indent,
        )

    def _parsed(self, level: _Level, at: int, behind: int, end: int) -> tuple[Callable[[Index], Region], Block] | None:
        """Parse, in both texts, from the statement before number `at` up to number `behind`, which starts at `end`."""
        block, nested = level.block, bool(level.around)
        if behind < (1 if nested else self.index.head):
            return None  # what stands before a docstring or a line from __future__ has its own rules
        at = max(at - 1, 0)
        while at and block.starts[at] == block.starts[at - 1]:
            at -= 1
        begin = level.base + block.starts[at] if nested or at else 0
        line = self.old.count("\n", 0, begin) + 1
        texts = self.old[begin:end], self.new[begin : end + self.longer]
        old, new = (self._statements(text, line, first=at == 0, nested=nested) for text in texts)
        self.parsed = Parsed(texts[1], line, at == 0, nested, new)
        if len(old) != behind - at or any(statement.node.col_offset != block.indent for statement in new):
            return None
        parts = Parts()
        parts.add(old, new, level.around, plain=level.plain)
        if any(_do_more(texts[0], line, parts.before)) or any(_do_more(texts[1], line, parts.after)):
            return None  # who imports whom is kept, from functions too; and classes that calls made are live
        delta = texts[1].count("\n") - texts[0].count("\n")
        offsets = offsets_of(texts[1], line, begin)
        fresh = block_of([s.node for s in new], self.new, offsets, level.base, level.line)
        merged = Block(
            (*block.starts[:at], *fresh.starts, *(start + self.longer for start in block.starts[behind:])),
            (*block.lines[:at], *fresh.lines, *(number + delta for number in block.lines[behind:])),
            (*block.places[:at], *fresh.places, *block.places[behind:]),
            (*block.classes[:at], *fresh.classes, *block.classes[behind:]),
            block.indent,
        )
        moved = parts.moved((old[-1].end_lineno + 1, sys.maxsize, delta if end < len(self.old) else 0))
        return partial(Region, self.index, tuple(parts.found), moved, texts[1]), merged

    def _statements(self, text: str, line: int, *, first: bool, nested: bool) -> tuple[Statement, ...]:
        known = self.index.parsed
        if known is not None and known[:4] == (text, line, first, nested):
            return known.statements
        lead = "\n" * (line - 2) + _SHELL if nested else "\n" * (line - 1)
        return read_statements(lead + text, self.origin, self.index.flags, first=first, nested=nested)


def _do_more(text: str, line: int, statements: Iterable[Statement]) -> Iterator[bool]:
    """Yield for each of `statements` of `text`, which begins on `line`, whether it may import or make a class."""
    lines = text.split("\n")
    for one in statements:
        yield any(map(_MORE.search, lines[one.lineno - line : one.end_lineno - line + 1]))


def _common_start(old: str, new: str) -> int:
    """Return how many characters at the start are the same."""
    return _most(min(len(old), len(new)), lambda low, middle: old[low:middle] == new[low:middle])


def _common_end(old: str, new: str, most: int) -> int:
    """Return how many characters at the end are the same, `most` at most."""
    ends = len(old), len(new)
    return _most(
        most, lambda low, middle: old[ends[0] - middle : ends[0] - low] == new[ends[1] - middle : ends[1] - low]
    )


def _most(most: int, same: Callable[[int, int], bool]) -> int:
    """Return how far two texts are the `same`, which is asked for one stretch each: a comparison of memory."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if same(low, middle):
            low = middle
        else:
            high = middle - 1
    return low
