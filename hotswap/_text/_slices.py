"""A long text is parsed in pieces, so that other threads have their turn.

CPython's parser holds the GIL until it is done, 60 ms for 6,000 lines: as many frames of a game. Between pieces other
threads come in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from hotswap._points._way import breathe

LONG: Final = 400
"""Lines from which on a text is parsed in pieces; that many take some 4 ms."""

PIECE: Final = 100
"""Lines that a piece has at least."""

# A line at which a statement of the module may begin. Whether it does shows when what stands before it is parsed.
_BEGIN: Final = re.compile(r"(?!(?:else|elif|except|finally|case)\b)[^\W\d]|@")


def parse(text: str, origin: str, flags: int = 0) -> ast.Module:
    """Return the syntax tree of `text`, as ``ast.parse`` does. Raises what that raises, with the lines it gives.

    `flags` are those of the compiler. Empty lines that it begins with do not make a text long.
    """
    lines = text.split("\n")
    if len(lines) - (len(text) - len(text.lstrip("\n"))) <= LONG:
        return _parse(text, origin, flags)
    body: list[ast.stmt] = []
    begin, least = 0, PIECE
    for end in (*_ends(lines), len(lines)):
        if end - begin < least and end < len(lines):
            continue
        try:
            piece = _parse("\n" * begin + "\n".join(lines[begin:end]), origin, flags)
        except SyntaxError:
            if end == len(lines):
                return _parse(text, origin, flags)  # it fails, with its own words; or the pieces were cut wrongly
            least = 2 * (end - begin)  # in the middle of a string or a statement: the piece goes on
            continue
        body += piece.body
        breathe()
        begin, least = end, PIECE
    return ast.Module(body=body, type_ignores=[])


def _parse(text: str, origin: str, flags: int) -> ast.Module:
    tree = compile(text, origin, "exec", ast.PyCF_ONLY_AST | flags, dont_inherit=True)
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
