"""Patterns on paths, in the syntax of ``.gitignore`` files: one list, of which the last pattern that matches decides.

A library such as pathspec would be one more thing to install for a page of code, and as an extra it would make the same
settings mean something else where it is missing. git itself says what is meant: these are tested against it.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from itertools import groupby
from typing import Final

_FLAGS: Final = re.IGNORECASE if os.name == "nt" else re.NOFLAG
_SPECIAL: Final = frozenset("\\/*?[")


class Patterns:
    """Some patterns; `match` asks for one path."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        read = [one for one in map(_read, patterns) if one is not None]
        self._runs = [
            (negated, _matcher([plain for _, plain in run])) for negated, run in groupby(read, key=lambda one: one[0])
        ][::-1]
        self._folders: dict[str, bool] = {}

    def match(self, path: str) -> bool:
        """Whether `path`, relative and with ``/`` between folders, is matched, or lies in a folder that is."""
        folder = path.rpartition("/")[0]
        return (folder != "" and self._lies_inside(folder)) or self._decide(path)

    def _lies_inside(self, folder: str) -> bool:
        """Whether `folder` is matched, or lies in one that is; many files ask for one folder."""
        found = self._folders.get(folder)
        if found is None:
            above = folder.rpartition("/")[0]
            found = (above != "" and self._lies_inside(above)) or self._decide(f"{folder}/")
            self._folders[folder] = found
        return found

    def _decide(self, path: str) -> bool:
        for negated, matches in self._runs:
            if matches(path):
                return not negated
        return False


@functools.lru_cache(maxsize=64)
def compiled(patterns: tuple[str, ...]) -> Patterns:
    """Return `patterns` ready for use."""
    return Patterns(patterns)


def _read(pattern: str) -> tuple[bool, str] | None:
    """Return whether a pattern takes out what it matches, and the rest of it; None for a comment or blank."""
    plain = pattern if "\\ " in pattern and re.search(r"\\ +$", pattern) else pattern.rstrip()
    if not plain or plain.startswith("#"):
        return None
    negated = plain.startswith("!")
    return negated, plain[negated:].removeprefix("./")


def _matcher(patterns: list[str]) -> Callable[[str], object]:
    """Return what says whether one of `patterns` matches a path; that of a folder ends in a slash.

    Names, and their beginnings, are matched without a regular expression: what always holds consists of these, and
    compiling one would be a good part of what a program's start takes longer.
    """
    if _FLAGS or any(_SPECIAL.intersection(pattern.removesuffix("*")) for pattern in patterns):
        return re.compile("|".join(map(_expression, patterns)), _FLAGS).fullmatch
    names = frozenset(patterns)
    starts = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))

    def matches(path: str) -> bool:
        name = path.removesuffix("/").rpartition("/")[2]
        return name in names or name.startswith(starts)

    return matches


def _expression(plain: str) -> str:
    """Return the regular expression of a pattern."""
    parts = plain.strip("/").split("/")
    anchored = plain.startswith("/") or len(parts) > 1
    return _regex(parts if anchored else ["**", *parts]) + ("/" if plain.endswith("/") else "/?")


def _regex(parts: list[str]) -> str:
    """Return the expression for a path from the root: `parts` stand between slashes. One of a folder ends in one."""
    *inner, last = parts
    found = "".join("(?:[^/]+/)*" if part == "**" else f"{_part(part)}/" for part in inner)
    return f"{found}.*[^/]" if last == "**" else f"{found}{_part(last)}"


_PIECE: Final = r"(?s)\\(.)|(\*+)|(\?)|\[([!^]?)(\]?(?:\\.|[^\]\\])*)\]|(.)"


def _part(part: str) -> str:
    """Return the expression for what stands between two slashes."""
    return "".join(map(_token, re.finditer(_PIECE, part)))


def _token(found: re.Match[str]) -> str:
    escaped, stars, one, negated, members, plain = found.groups()
    if stars:
        return "[^/]*"
    if one:
        return "[^/]"
    if members is not None:
        inner = re.sub(r"\\(.)|([\[&~|\]^])", lambda m: "\\" + (m[1] or m[2]), members)
        return f"(?!/)[{'^' if negated else ''}{inner}]"
    return re.escape(escaped or plain)
