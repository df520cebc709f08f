"""Why the text of a file cannot be used: a finding for what the decoder, the parser and the compiler refuse."""

from __future__ import annotations

import re
from typing import Final

from hotswap._findings import finding
from hotswap._model import Finding

WIDTH: Final = 100
"""Characters of a line that are quoted at most: those around the place that is at fault."""

_OURS: Final = re.compile(rb"^<{7}(?: .*)?$", re.MULTILINE)
_THEIRS: Final = re.compile(rb"^>{7}(?: .*)?$", re.MULTILINE)
_ENCODING: Final = ("encoding", "(unicode error) 'utf", "null bytes")


def why(path: str, source: bytes, error: Exception) -> Finding:
    """Return what is to be told of the file `path`, whose text `source` was refused with `error`."""
    marker = _OURS.search(source)
    if marker and _THEIRS.search(source, marker.end()):
        return finding("HS311", path, source.count(b"\n", 0, marker.start()) + 1)
    if isinstance(error, (RecursionError, MemoryError)):
        return finding("HS315", path, 1, message=f"{type(error).__name__}: {error}".removesuffix(": "))
    if isinstance(error, SyntaxError) and error.text is None and any(word in error.msg for word in _ENCODING):
        return finding("HS312", path, _line_of(source, error), message=error.msg)
    if isinstance(error, SyntaxError):
        return finding("HS301", path, error.lineno or 1, message=_quoted(error))
    return finding("HS312", path, _line_of(source, error), message=str(error))


def _line_of(source: bytes, error: Exception) -> int:
    """Return the line of the first byte that is at fault, as far as that is known."""
    if isinstance(error, UnicodeDecodeError):
        return source.count(b"\n", 0, error.start) + 1
    nul = source.find(b"\0")
    if nul >= 0:
        return source.count(b"\n", 0, nul) + 1
    return getattr(error, "lineno", None) or 1


def _quoted(error: SyntaxError) -> str:
    """Return the message, the line that it is about, and a caret below the place."""
    line = (error.text or "").rstrip("\n")
    shown = [f"{type(error).__name__}: {error.msg}"]
    if line.strip():
        stripped = line.lstrip()
        caret = max((error.offset or 1) - 1 - (len(line) - len(stripped)), 0)
        begin = max(caret - WIDTH + 10, 0) if len(stripped) > WIDTH else 0
        shown += [f"    {stripped[begin : begin + WIDTH]}", "    " + " " * (caret - begin) + "^"]
    return "\n".join(shown)
