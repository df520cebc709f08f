"""A module's text without the bodies of its functions: what runs when it is imported, at a third of a parse's cost.

What the bodies mention is collected by words, so it may be too much, never too little. Where the text is stranger than
this looks, what comes out does not parse, and the caller reads the whole text instead.
"""

from __future__ import annotations

import re
from typing import Final

from hotswap._points._way import breathe

Mention = tuple[frozenset[str], frozenset[str], frozenset[str]]
"""The dotted names that a body mentions, the names behind any dot, and the names that stand there without one."""

_STRINGS: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"""'
    r"|'''(?:[^\\]|\\.)*?'''"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'(?:[^'\\\n]|\\.)*'"
    r"|#[^\n]*",
    re.DOTALL,
)
_DEF: Final = re.compile(r"([ \t]*)(?:async[ \t]+)?def\b")
_DOTTED: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_ATTRIBUTE: Final = re.compile(r"\.\s*([^\W\d]\w*)")
_SPREAD: Final = re.compile(r"[\s)\\]+\.\s*|\.\s+")
"""What may stand around the dot of one chain of names: a line's end, and the end of brackets around a name."""
_INDENT: Final = re.compile(r"[ \t]*")


def outline(text: str) -> tuple[str, dict[int, Mention]] | None:
    """Return `text` with ``pass`` for function bodies on the same lines, and what these mention by the line of the def.

    None if it cannot be told where bodies begin and end. A body that imports something is left as it is.
    """
    if "\f" in text or "\\\n" in text or "\r" in text:
        return None
    plain = _STRINGS.sub(_blank, text).split("\n")
    lines = text.split("\n")
    mentions: dict[int, Mention] = {}
    index, size = 0, len(plain)
    while index < size:
        match = _DEF.match(plain[index])
        start = _body_start(plain, index) if match else None
        if match is None or start is None:
            index += 1
            continue
        end = _body_end(plain, start, len(match[1]))
        body = "\n".join(plain[start:end])
        breathe()
        if end > start and "import" not in body:
            mentions[index + 1] = _mention(body, "\n".join(lines[start:end]))
            lines[start:end] = [f"{match[1]} pass", *[""] * (end - start - 1)]
        index = end
    return "\n".join(lines), mentions


def _blank(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n") if "\n" in match[0] else '""' if match[0][0] != "#" else ""


def _body_start(plain: list[str], index: int) -> int | None:
    """Return the index of the first line of the body; None for a body on the line of its ``def``."""
    first = plain[index].rstrip()
    if first.endswith(":") and first.count("(") == first.count(")"):
        return index + 1
    if first.count("(") <= first.count(")"):
        return None
    for number in range(index + 1, min(index + 60, len(plain))):
        if plain[number].rstrip().endswith(":"):
            return number + 1
    return None


def _body_end(plain: list[str], start: int, indent: int) -> int:
    """Return the index behind the last line that is indented deeper than `indent`."""
    end = start
    for number in range(start, len(plain)):
        line = plain[number]
        if not line or line.isspace():
            continue
        found = _INDENT.match(line)
        if found is None or len(found[0]) <= indent:
            break
        end = number + 1
    return end


def _mention(plain: str, body: str) -> Mention:
    text = body if "{" in body else plain  # formatted strings read names as well
    words = {*_DOTTED.findall(text), *_DOTTED.findall(_SPREAD.sub(".", text))}
    found = set(words)
    for word in words:
        while "." in word:
            word = word.rpartition(".")[0]
            found.add(word)
    return frozenset(found), frozenset(_ATTRIBUTE.findall(body)), frozenset(word for word in words if "." not in word)
