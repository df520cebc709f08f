"""Work that leaves others their turn: a long text is parsed in pieces, and a thread that prepares gives way often.

CPython's parser holds the GIL until it is done, 60 ms for 6,000 lines: as many frames of a game. Between pieces other
threads come in; how soon is the interpreter's switch interval, 5 ms unless somebody asks for less.
"""

from __future__ import annotations

import ast
import gc
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

LONG: Final = 400
"""Lines from which on a text is parsed in pieces; that many take some 4 ms."""

PIECE: Final = 100
"""Lines that a piece has at least."""

TURN: Final = 0.0005
"""Seconds after which a thread that prepares makes way for one that waits."""

REST: Final = 0.001
"""Seconds for which such a thread sleeps after each turn, so that one that draws a frame has most of the time."""

# A line at which a statement of the module may begin. Whether it does shows when what stands before it is parsed.
_BEGIN: Final = re.compile(r"(?!(?:else|elif|except|finally|case)\b)[^\W\d]|@")


def parse(text: str, origin: str) -> ast.Module:
    """Return the syntax tree of `text`, as ``ast.parse`` does. Raises what that raises, with the lines it gives."""
    lines = text.split("\n")
    if len(lines) <= LONG:
        return _parse(text, origin)
    body: list[ast.stmt] = []
    begin, least = 0, PIECE
    for end in (*_ends(lines), len(lines)):
        if end - begin < least and end < len(lines):
            continue
        try:
            piece = _parse("\n" * begin + "\n".join(lines[begin:end]), origin)
        except SyntaxError:
            if end == len(lines):
                return _parse(text, origin)  # it fails, with its own words; or the pieces were cut wrongly
            least = 2 * (end - begin)  # in the middle of a string or a statement: the piece goes on
            continue
        body += piece.body
        breathe()
        begin, least = end, PIECE
    return ast.Module(body=body, type_ignores=[])


def _parse(text: str, origin: str) -> ast.Module:
    tree = compile(text, origin, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


def _ends(lines: list[str]) -> Iterator[int]:
    """Yield the lines that a piece may end before: a statement may begin there, and none goes on."""
    for number in range(1, len(lines)):
        if (
            _BEGIN.match(lines[number])
            and not lines[number - 1].endswith("\\")
            and not lines[number - 1].startswith("@")
        ):
            yield number


class _Mine(threading.local):
    """When the turn of this thread is over, if it gives way."""

    until: float | None = None


_MINE: Final = _Mine()


def breathe() -> None:
    """Sleep for a moment if this thread gives way and has had its turn: called wherever that does no harm."""
    until = _MINE.until
    if until is not None and time.perf_counter() > until:
        time.sleep(REST)
        _MINE.until = time.perf_counter() + TURN


@contextmanager
def giving_way() -> Iterator[None]:
    """Have other threads come in soon while this one works: those that draw frames or answer.

    The many objects of a syntax tree would set off collections of all garbage, in which nobody comes in. They go
    without one, so there is none until the end.
    """
    before, collecting = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(min(before, TURN))
    gc.disable()
    _MINE.until = 0.0
    try:
        yield
    finally:
        _MINE.until = None
        if collecting:
            gc.enable()
        if abs(sys.getswitchinterval() - min(before, TURN)) < 1e-5:  # else the program asked for something else
            sys.setswitchinterval(before)
