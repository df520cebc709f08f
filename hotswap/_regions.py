"""Stages 4 and 5 for small edits: of two texts only the region that differs is parsed, so the cost is that of the edit.

A region begins one statement before the first line that differs, as that one may go on (``else:``, a decorator), and
ends where an old statement starts behind the last. It is looked for in the body of a class as well, which is then
parsed under an empty class. What does not parse alone, and whatever else is out of the ordinary, is left to the plain
route: `compare` returns None, and the whole text is read.
"""

from __future__ import annotations

import ast
import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from typing import Any, NamedTuple, TypeGuard

from hotswap._diff import diff, dump
from hotswap._model import Diff, Edit, Kind, Pair, Snapshot, Statement
from hotswap._source import future_flags, imported_by, read_statements, start_line

_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ACTS = (ast.Call, ast.NamedExpr, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Await)
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.Match)
_SHELL = "class _:\n"
_IMPORT = re.compile(r"\bimport\b")


Place = tuple[str, int]
"""The qualified name of a function and its first line."""


class Inside(NamedTuple):
    """A class whose body can be looked into; it is `plain` if it has neither decorators nor keywords."""

    name: str
    block: Block
    plain: bool


@dataclass(frozen=True, slots=True)
class Block:
    """Where the statements of a module or class body start: character offsets and lines, from where the block starts.

    For each statement, `classes` has what it is if it is a class whose body can be looked into, else None; `places`
    the functions that it makes otherwise, with lines counted from its first, None where that cannot be told.
    """

    starts: list[int]
    lines: list[int]
    places: list[tuple[Place, ...] | None]
    classes: list[Inside | None]
    indent: int = 0

    def functions(self, first: int, line: int = 1, prefix: str = "") -> Iterator[Place | None]:
        """Yield the functions of the block, which starts on `line`, from the line `first` on."""
        for number, places, known in zip(self.lines, self.places, self.classes, strict=True):
            if known is not None:
                yield from known.block.functions(first, line + number, f"{prefix}{known.name}.")
            if line + number >= first and places is None:
                yield None
            elif line + number >= first and places is not None:
                yield from ((prefix + name, line + number + at) for name, at in places)


@dataclass(frozen=True, slots=True)
class Index:
    """What has to be known of a text to find regions in it, without its trees.

    `flags` are those of its ``from __future__`` lines, of which the last is the statement before number `head`;
    `imports` are the names that its import statements bind.
    """

    text: str
    flags: int
    head: int
    imports: frozenset[str]
    block: Block


@dataclass(frozen=True, slots=True)
class Region:
    """How a text became another: functions of which only the body differs, and functions that are new.

    `around` are the classes that surround them, outermost first, as statements without bodies; `plain` says that they
    are. `moved` are spans of old lines and how many lines further down they stand. `text` is what was parsed of the
    new text; `before` and `after` are the indexes of both.
    """

    before: Index
    around: tuple[ast.ClassDef, ...]
    plain: bool
    changed: tuple[Pair, ...]
    added: tuple[Statement, ...]
    moved: tuple[tuple[int, int, int], ...]
    text: str
    after: Index

    def as_edit(self, module: str, origin: str) -> Edit:
        """Return the edit of `module`, the file `origin`, of which all that does not differ is left out."""
        diff = Diff(changed=self.changed, added=self.added)
        old, new = tuple(pair.old for pair in self.changed), (*(pair.new for pair in self.changed), *self.added)
        for outer in reversed(self.around):
            shell = Statement(
                f"class {outer.name}", Kind.CLASS, b"", outer.lineno, outer.lineno, (outer.name,), node=outer
            )
            diff, old, new = Diff(changed=(Pair(shell, shell, diff),)), (shell,), (shell,)
        before = Snapshot(module, origin, self.before.text, old, self.before.flags)
        after = Snapshot(module, origin, self.after.text, new, self.after.flags)
        return Edit(module, origin, before, after, diff, part=True)

    @property
    def prefix(self) -> str:
        """What qualified names in the region begin with."""
        return "".join(f"{outer.name}." for outer in self.around)


# ------------------------------------------------------------------------------------------------------------ index


def index_of(text: str, origin: str) -> Index | None:
    """Return the index of `text`; None if a line of it may hold what stands on no line of its own.

    Costs a parse of the text, some half of what compiling it costs. Raises SyntaxError.
    """
    if "\f" in text:
        return None
    tree = compile(text, origin, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    futures = (isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
    head = max([1, *(number for number, is_future in enumerate(futures, 1) if is_future)])
    block = _block(tree.body, text, _offsets(text, 1, 0), 0, 1)
    return Index(text, future_flags(tree), head, frozenset(imported_by(tree.body)), block)


def _offsets(text: str, line: int, offset: int) -> dict[int, int]:
    """Return the offset of each line of `text`, which begins on `line` at `offset`."""
    lengths = (len(part) + 1 for part in text.split("\n"))
    return dict(enumerate(accumulate(lengths, initial=offset), line))


def _block(body: Sequence[ast.stmt], text: str, offsets: Mapping[int, int], base: int, line: int) -> Block:
    """Return the block of `body`; what it is part of starts at the offset `base` of `text`, on `line`."""
    lines = [start_line(node) for node in body]
    starts = [offsets[first] for first in lines]
    classes = [
        Inside(node.name, _block(node.body, text, offsets, start, first), not (node.decorator_list or node.keywords))
        if _is_open(node, text, offsets)
        else None
        for node, start, first in zip(body, starts, lines, strict=True)
    ]
    places = [_places(node, first, known) for node, first, known in zip(body, lines, classes, strict=True)]
    indent = body[0].col_offset if body else 0
    return Block([start - base for start in starts], [first - line for first in lines], places, classes, indent)


def _places(node: ast.stmt, first: int, known: Inside | None) -> tuple[Place, ...] | None:
    """Return the functions that `node` makes, by lines counted from `first`; of a class `known`, those of its head."""
    parts = list(_head_of(node)) if known is not None else [node]
    found = [place for part in parts for place in _functions(part)]
    return None if None in found else tuple((place[0], place[1] - first) for place in found if place is not None)


def _functions(node: ast.AST) -> Iterator[Place | None]:
    """Yield the functions that `node` makes, by its lines; None for a class not to be looked into, and for a loop."""
    if isinstance(node, ast.Lambda):
        yield "<lambda>", node.lineno
        return
    if isinstance(node, ast.ClassDef) or (isinstance(node, _LOOPS) and any(map(_makes_code, ast.walk(node)))):
        yield None
        return
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node.name, start_line(node)
    for child in _head_of(node) if isinstance(node, _DEFS) else ast.iter_child_nodes(node):
        yield from _functions(child)


def _head_of(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what of a function or class statement is not its body."""
    return (child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt))


def _makes_code(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)


def _is_open(node: ast.stmt, text: str, offsets: Mapping[int, int]) -> TypeGuard[ast.ClassDef]:
    """Whether `node` is a class whose body begins on a line of its own; a generic one compiles otherwise."""
    if not isinstance(node, ast.ClassDef) or getattr(node, "type_params", None):
        return False
    start = offsets[start_line(node.body[0])]
    return text[start : start + node.body[0].col_offset].isspace()


# ---------------------------------------------------------------------------------------------------------- compare


def compare(index: Index, text: str, origin: str) -> Region | None:
    """Return how `text` differs from the text of `index`; None if it is to be read whole, which is never wrong."""
    if "\f" in text or text == index.text:
        return None
    try:
        return _Comparison(index, text, origin).region()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Level(NamedTuple):
    """A block inside the old text: it belongs to what starts at offset `base`, on `line`, and ends before `end`."""

    block: Block
    base: int
    line: int
    end: int
    around: tuple[ast.ClassDef, ...] = ()
    plain: bool = True


class _Comparison:
    """Two texts, and the span of the old one that differs: from the line that starts at `first` up to `stop`."""

    def __init__(self, index: Index, new: str, origin: str) -> None:
        self.index, self.old, self.new, self.origin = index, index.text, new, origin
        self.longer = len(new) - len(self.old)
        start = _common_start(self.old, new)
        self.first = self.old.rfind("\n", 0, start) + 1
        self.stop = len(self.old) - _common_end(self.old, new, min(len(self.old), len(new)) - start)

    def region(self) -> Region | None:
        found = self._within(_Level(self.index.block, 0, 1, len(self.old)))
        return None if found is None else found[0](replace(self.index, text=self.new, block=found[1]))

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
                around = (*level.around, _shell(known.name, line, block.indent))
                found = self._within(_Level(known.block, base, line, end, around, level.plain and known.plain))
                if found is not None:
                    return found[0], self._with_class(block, at, known._replace(block=found[1]))
        return self._parsed(level, at, behind, end)

    def _with_class(self, block: Block, at: int, known: Inside) -> Block:
        """Return `block` after its class number `at` got other lines."""
        delta = self.new.count("\n") - self.old.count("\n")
        return Block(
            [*block.starts[: at + 1], *(start + self.longer for start in block.starts[at + 1 :])],
            [*block.lines[: at + 1], *(line + delta for line in block.lines[at + 1 :])],
            block.places,
            [*block.classes[:at], known, *block.classes[at + 1 :]],
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
        if any(map(_IMPORT.search, texts)):
            return None
        old, new = (self._statements(text, line, first=at == 0, nested=nested) for text in texts)
        found = _small(old, new) if len(old) == behind - at else None
        if found is None or any(statement.node.col_offset != block.indent for statement in new):
            return None
        delta = texts[1].count("\n") - texts[0].count("\n")
        offsets = _offsets(texts[1], line, begin)
        fresh = _block([s.node for s in new], self.new, offsets, level.base, level.line)
        merged = Block(
            [*block.starts[:at], *fresh.starts, *(start + self.longer for start in block.starts[behind:])],
            [*block.lines[:at], *fresh.lines, *(number + delta for number in block.lines[behind:])],
            [*block.places[:at], *fresh.places, *block.places[behind:]],
            [*block.classes[:at], *fresh.classes, *block.classes[behind:]],
            block.indent,
        )
        pairs, added, unchanged = found
        moved = [(p.old.lineno, p.old.end_lineno, p.new.lineno - p.old.lineno) for p in unchanged]
        moved.append((old[-1].end_lineno + 1, sys.maxsize, delta))
        spans = tuple(span for span in moved if span[2])
        return partial(Region, self.index, level.around, level.plain, pairs, added, spans, texts[1]), merged

    def _statements(self, text: str, line: int, *, first: bool, nested: bool) -> tuple[Statement, ...]:
        lead = "\n" * (line - 2) + _SHELL if nested else "\n" * (line - 1)
        return read_statements(lead + text, self.origin, self.index.flags, first=first, nested=nested)


def _shell(name: str, line: int, column: int) -> ast.ClassDef:
    where = {"lineno": line, "end_lineno": line, "col_offset": column, "end_col_offset": column}
    fields: dict[str, Any] = {"bases": [], "keywords": [], "body": [], "decorator_list": [], **where}
    if sys.version_info >= (3, 12):
        fields["type_params"] = []
    return ast.ClassDef(name=name, **fields)


def _common_start(old: str, new: str) -> int:
    """Return how many characters at the start are the same; a comparison of slices is one of memory."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_end(old: str, new: str, most: int) -> int:
    """Return how many characters at the end are the same, `most` at most."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if old[len(old) - middle : len(old) - low] == new[len(new) - middle : len(new) - low]:
            low = middle
        else:
            high = middle - 1
    return low


_Small = tuple[tuple[Pair, ...], tuple[Statement, ...], tuple[Pair, ...]]


def _small(old: Sequence[Statement], new: Sequence[Statement]) -> _Small | None:
    """Return functions of which only the body differs, new ones, and what is unchanged; None if there is more."""
    if len(old) == len(new) and all(one.key == other.key for one, other in zip(old, new, strict=True)):
        pairs = [Pair(*both) for both in zip(old, new, strict=True)]
        added: tuple[Statement, ...] = ()
    else:
        found = diff(old, new)
        if found.removed or found.moved:
            return None
        pairs, added = [*found.changed, *found.unchanged], found.added
    changed = tuple(pair for pair in pairs if pair.old.digest != pair.new.digest)
    if not all(map(_is_small, changed)) or not all(map(_is_plain, added)):
        return None
    return changed, added, tuple(pair for pair in pairs if pair.old.digest == pair.new.digest)


def _is_small(pair: Pair) -> bool:
    """Whether only the body of a function differs, of which its ``def`` makes nothing."""
    old, new = pair.old.node, pair.new.node
    if type(old) is not type(new) or not isinstance(new, _DEFS) or not isinstance(old, _DEFS):
        return False
    return _head(old) == _head(new) and not getattr(new, "type_params", ())


def _is_plain(statement: Statement) -> bool:
    """Whether `statement` is a ``def`` that runs nothing of the program's, so that it may run twice."""
    node = statement.node
    if not isinstance(node, _DEFS) or node.decorator_list or getattr(node, "type_params", None):
        return False
    parts = [*ast.walk(node.args), *(ast.walk(node.returns) if node.returns else ())]
    return not any(isinstance(part, _ACTS) for part in parts)


def _head(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    parts = [node.args, *node.decorator_list, *([node.returns] if node.returns else [])]
    return "|".join(map(dump, parts))
