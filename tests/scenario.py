"""Scenarios: Markdown files that tell what an edit does, and are run as tests. This file knows their form.

`tests/scenarios/README.md` describes it for those who write them; `scenario_run` runs them.
"""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent / "scenarios"
_HEADING: Final = re.compile(r"^## +(?P<title>[^{]*?) *(?P<marks>(?:\{[^}]*\} *)*)$")
_MARK: Final = re.compile(r"\{([^}]*)\}")
_FENCE: Final = re.compile(r"^(`{3,})(\S*) ?(.*)$")
_MARKS: Final = ("xfail", "warm only", "python", "needs")
SETUP: Final = ("file", "raw")
SAVES: Final = ("file", "raw", "edit", "delete", "rename", "touch", "again")
_BLOCKS: Final = (*SAVES, "earlier", "before", "check", "report")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: `language kind=argument words...` and its text, which begins behind line `lineno`."""

    language: str
    kind: str
    argument: str
    words: tuple[str, ...]
    text: str
    lineno: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """One `##` section of a scenario file: its claim in words, and its blocks."""

    path: Path
    index: int
    title: str
    marks: tuple[str, ...]
    claim: str
    blocks: tuple[Block, ...]
    lineno: int

    @property
    def slug(self) -> str:
        """The title as the anchor that renderers of Markdown give its heading."""
        return slug(self.title)

    def mark(self, name: str) -> str | None:
        """Return what a mark of the title says (``{xfail: why}``), "" if it says no more, None if it is absent."""
        for mark in self.marks:
            head, _, rest = mark.partition(":")
            if head.strip() == name:
                return rest.strip()
        return None

    def bound(self, sign: str) -> tuple[int, ...] | None:
        """Return a bound of the Python versions that the scenario is for, from a mark like ``{python>=3.12}``."""
        found = [mark.removeprefix(f"python{sign}") for mark in self.marks if mark.startswith(f"python{sign}")]
        return tuple(int(part) for part in found[0].split(".")) if found else None

    def is_about(self, version: tuple[int, int]) -> bool:
        """Whether the scenario is for that version of Python."""
        first, after = self.bound(">="), self.bound("<")
        return (first is None or version >= first) and (after is None or version < after)


class FormError(ValueError):
    """A scenario file is not written as it should be; the message names file and line."""


def slug(title: str) -> str:
    """Return the anchor of a heading: lower case, punctuation dropped, spaces as hyphens."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


# -------------------------------------------------------------------------------------------------------- reading


def read(path: Path) -> list[Scenario]:
    """Return the scenarios of one file, in order. Raises FormError."""
    lines = path.read_text(encoding="utf-8").splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("## ") and not _fenced(lines, number)]
    bounds = zip(starts, [*starts[1:], len(lines)], strict=True)
    return [_scenario(path, index, lines, start, end) for index, (start, end) in enumerate(bounds)]


def _fenced(lines: list[str], number: int) -> bool:
    fence = ""
    for line in lines[:number]:
        if fence:
            fence = "" if line.rstrip() == fence else fence
        elif match := _FENCE.match(line):
            fence = match[1]
    return bool(fence)


def _scenario(path: Path, index: int, lines: list[str], start: int, end: int) -> Scenario:
    heading = _HEADING.match(lines[start])
    if heading is None:
        raise FormError(f"{path}:{start + 1}: not a heading of a scenario: {lines[start]}")
    marks = tuple(_MARK.findall(heading["marks"]))
    for mark in marks:
        if not mark.startswith(_MARKS):
            raise FormError(f"{path}:{start + 1}: unknown mark {mark!r}; there are {', '.join(_MARKS)}")
    blocks = tuple(_blocks(path, lines, start, end))
    prose = " ".join(line for line in _prose(lines[start + 1 : end]) if line)
    scenario = Scenario(path, index, heading["title"], marks, prose, blocks, start + 1)
    if not prose or not {"check", "report"} & {block.kind for block in blocks}:
        raise FormError(f"{path}:{start + 1}: a scenario needs a sentence that claims something, and a check or report")
    return scenario


def _prose(lines: list[str]) -> Iterator[str]:
    fence = ""
    for line in lines:
        match = _FENCE.match(line)
        if fence:
            fence = "" if line.rstrip() == fence else fence
        elif match:
            fence = match[1]
        else:
            yield line.strip()


def _blocks(path: Path, lines: list[str], start: int, end: int) -> Iterator[Block]:
    number = start + 1
    while number < end:
        match = _FENCE.match(lines[number])
        number += 1
        if match is None:
            continue
        first = number
        while number < end and lines[number].rstrip() != match[1]:
            number += 1
        if number == end:
            raise FormError(f"{path}:{first}: this block is not closed")
        yield _block(path, match, lines[first:number], first)
        number += 1


def _block(path: Path, fence: re.Match[str], lines: list[str], lineno: int) -> Block:
    head, *words = fence[3].split() or [""]
    kind, _, argument = head.partition("=")
    if kind not in _BLOCKS:
        raise FormError(f"{path}:{lineno}: unknown block {kind!r}; there are {', '.join(_BLOCKS)}")
    return Block(fence[2], kind, argument, tuple(words), "".join(f"{line}\n" for line in lines), lineno)


# -------------------------------------------------------------------------------------------------------- editing


def write(root: Path, block: Block) -> None:
    """Carry out one block that lays or changes a file below `root`. Raises FormError where a diff does not fit."""
    path = root / block.argument
    path.parent.mkdir(parents=True, exist_ok=True)
    if block.kind == "again":
        return
    if block.kind == "raw":
        path.write_bytes(ast.literal_eval(block.text.strip()))
    elif block.kind == "delete":
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    elif block.kind == "rename":
        path.rename(root / block.words[0].removeprefix("to="))
    elif block.kind == "touch":
        path.touch()
    elif block.language == "diff":
        path.write_text(_patched(path.read_text(encoding="utf-8"), block), encoding="utf-8")
    else:
        path.write_text(block.text, encoding="utf-8")


def _patched(text: str, block: Block) -> str:
    for hunk in re.split(r"^@@.*\n", block.text, flags=re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] if line[:1] in "-+ " else line for line in lines if line[0] != "+")
        new = "".join(line[1:] if line[:1] in "-+ " else line for line in lines if line[0] != "-")
        places = [found.start() for found in re.finditer(f"^{re.escape(old)}", text, re.MULTILINE)]
        if len(places) != 1 and hunk:
            raise FormError(f"line {block.lineno}: the old lines of this diff stand {len(places)} times in the file")
        text = text[: places[0]] + new + text[places[0] + len(old) :]
    return text
