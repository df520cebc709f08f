"""Where the statements of a text stand, without their trees: what is kept of a file that was edited."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple, TypeGuard

from hotswap._model import Statement
from hotswap._points._way import breathe
from hotswap._text._slices import parse
from hotswap._text._source import future_flags, imported_by, start_line

_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.Match)

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
    the functions that it makes otherwise, with lines counted from its first, None where that cannot be told. All are
    tuples: those of numbers alone the garbage collector lets go.
    """

    starts: tuple[int, ...]
    lines: tuple[int, ...]
    places: tuple[tuple[Place, ...] | None, ...]
    classes: tuple[Inside | None, ...]
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


class Parsed(NamedTuple):
    """The statements of a part of a text, which begins on `line`; `first` and `nested` say how it was read."""

    text: str
    line: int
    first: bool
    nested: bool
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """What has to be known of a text to find regions in it, without its trees.

    `flags` are those of its ``from __future__`` lines, of which the last is the statement before number `head`;
    `imports` are the names that its import statements bind. `parsed` is the region that was read of it last, with its
    place: who edits a function mostly edits it again.
    """

    text: str
    flags: int
    head: int
    imports: frozenset[str]
    block: Block
    parsed: Parsed | None = None


def index_of(text: str, origin: str) -> Index | None:
    """Return the index of `text`; None if a line of it may hold what stands on no line of its own.

    Costs a parse of the text, some half of what compiling it costs. Raises SyntaxError.
    """
    if "\f" in text:
        return None
    tree = parse(text, origin)
    futures = (isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
    head = max([1, *(number for number, is_future in enumerate(futures, 1) if is_future)])
    block = block_of(tree.body, text, offsets_of(text, 1, 0), 0, 1)
    return Index(text, future_flags(tree), head, frozenset(imported_by(tree.body)), block)


def offsets_of(text: str, line: int, offset: int) -> dict[int, int]:
    """Return the offset of each line of `text`, which begins on `line` at `offset`."""
    lengths = (len(part) + 1 for part in text.split("\n"))
    return dict(enumerate(accumulate(lengths, initial=offset), line))


def block_of(body: Sequence[ast.stmt], text: str, offsets: Mapping[int, int], base: int, line: int) -> Block:
    """Return the block of `body`; what it is part of starts at the offset `base` of `text`, on `line`."""
    lines = tuple(start_line(node) for node in body)
    starts = tuple(offsets[first] for first in lines)
    classes = tuple(
        Inside(node.name, block_of(node.body, text, offsets, start, first), not (node.decorator_list or node.keywords))
        if _is_open(node, text, offsets)
        else None
        for node, start, first in zip(body, starts, lines, strict=True)
    )
    lambdas = "lambda" in text
    places = tuple(
        _places(node, first, known, lambdas=lambdas) for node, first, known in zip(body, lines, classes, strict=True)
    )
    indent = body[0].col_offset if body else 0
    offset = tuple(start - base for start in starts)
    return Block(offset, tuple(first - line for first in lines), places, classes, indent)


def _places(node: ast.stmt, first: int, known: Inside | None, *, lambdas: bool) -> tuple[Place, ...] | None:
    """Return the functions that `node` makes, by lines counted from `first`; of a class `known`, those of its head.

    Without `lambdas` expressions make none, and need not be looked into.
    """
    breathe()
    parts = list(_head_of(node)) if known is not None else [node]
    found = [place for part in parts for place in _functions(part, lambdas=lambdas)]
    return None if None in found else tuple((place[0], place[1] - first) for place in found if place is not None)


def _functions(node: ast.AST, *, lambdas: bool) -> Iterator[Place | None]:
    """Yield the functions that `node` makes, by its lines; None for a class not to be looked into, and for a loop."""
    if isinstance(node, ast.Lambda):
        yield "<lambda>", node.lineno
        return
    if isinstance(node, ast.ClassDef) or (isinstance(node, _LOOPS) and any(map(_makes_code, ast.walk(node)))):
        yield None
        return
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node.name, start_line(node)
    if not lambdas and (isinstance(node, _DEFS) or not hasattr(node, "body")):
        return
    for child in _head_of(node) if isinstance(node, _DEFS) else ast.iter_child_nodes(node):
        yield from _functions(child, lambdas=lambdas)


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
