"""Patterns on paths, in the syntax of ``.gitignore`` files: one list, of which the last pattern that matches decides.

A library such as pathspec would be one more thing to install for a page of code, and as an extra it would make the same
settings mean something else where it is missing. git itself says what is meant: these are tested against it.
"""

from __future__ import annotations

import functools
import os
import re
from itertools import groupby
from typing import Final

_FLAGS: Final = re.IGNORECASE if os.name == "nt" else re.NOFLAG


class Patterns:
    """Some patterns; `match` asks for one path."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        read = [one for one in map(_read, patterns) if one is not None]
        self._runs = [
            (negated, re.compile("|".join(regex for _, regex in run), _FLAGS))
            for negated, run in groupby(read, key=lambda one: one[0])
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
        for negated, regex in self._runs:
            if regex.fullmatch(path):
                return not negated
        return False


@functools.lru_cache(maxsize=64)
def compiled(patterns: tuple[str, ...]) -> Patterns:
    """Return `patterns` ready for use."""
    return Patterns(patterns)


def _read(pattern: str) -> tuple[bool, str] | None:
    """Return whether a pattern takes out what it matches, and its regular expression; None for a comment or blank."""
    plain = pattern if re.search(r"\\ +$", pattern) else pattern.rstrip()
    if not plain or plain.startswith("#"):
        return None
    negated = plain.startswith("!")
    plain = plain[negated:].removeprefix("./")
    parts = plain.strip("/").split("/")
    anchored = plain.startswith("/") or len(parts) > 1
    regex = _regex(parts if anchored else ["**", *parts])
    return negated, regex + ("/" if plain.endswith("/") else "/?")


def _regex(parts: list[str]) -> str:
    """Return the expression for a path from the root: `parts` stand between slashes. One of a folder ends in one."""
    *inner, last = parts
    found = "".join("(?:[^/]+/)*" if part == "**" else f"{_part(part)}/" for part in inner)
    return f"{found}.*[^/]" if last == "**" else f"{found}{_part(last)}"


_TOKEN: Final = re.compile(r"\\(.)|(\*+)|(\?)|\[([!^]?)(\]?(?:\\.|[^\]\\])*)\]|(.)", re.DOTALL)


def _part(part: str) -> str:
    """Return the expression for what stands between two slashes."""
    return "".join(map(_token, _TOKEN.finditer(part)))


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
