"""What the program says about a stale statement: make it anew, or keep it. By a comment, or by the settings.

A comment stands at the end of one of the statement's lines, or on a line of its own right above it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit
    from hotswap._model import Statement

KEEP: Final = "keep"
RERUN: Final = "rerun"
_COMMENT: Final = re.compile(r"#\s*hotswap:\s*(keep|rerun)\b")


def wish(visit: Visit, statement: Statement) -> str:
    """Return `KEEP`, `RERUN`, or "" if nothing is said of `statement`; a comment goes before the settings."""
    said = in_text(visit.work.edit.new.text, statement)
    if said:
        return said
    module, prefix = visit.work.edit.module, visit.scope.prefix
    targets = {f"{module}:{prefix}{name}" for name in (*statement.binds, *statement.mutates, statement.key)}
    if targets & visit.swap.keep:
        return KEEP
    return RERUN if targets & visit.swap.rerun else ""


def in_text(text: str, statement: Statement) -> str:
    """Return what a comment in or above `statement` says."""
    if "hotswap:" not in text:
        return ""
    lines = text.split("\n")
    own = lines[statement.lineno - 1 : statement.end_lineno]
    above = lines[statement.lineno - 2 : statement.lineno - 1] if statement.lineno > 1 else []
    if above and not above[0].lstrip().startswith("#"):
        above = []
    found = [match[1] for line in (*own, *above) if (match := _COMMENT.search(line))]
    return found[0] if found else ""
