"""Functions that a small edit does not change, but that stand on other lines now: found and shifted, also ahead."""

from __future__ import annotations

from collections.abc import Sequence
from types import CodeType, FunctionType
from typing import Any

from hotswap._loader._compile import Shifts, shift
from hotswap._points._way import breathe
from hotswap._regions import Place, Region, Span
from hotswap.patch._finding import Survey, Walk


class Moving:
    """Functions that stand on other lines now, each with the id of its code, which `survey` holds, and with the code
    that says so.
    """

    def __init__(self, survey: Survey, functions: list[FunctionType], news: list[CodeType]) -> None:
        self._survey, self._functions, self._news = survey, functions, news
        self._keys = [id(function.__code__) for function in functions]

    def take(self) -> tuple[list[FunctionType], list[CodeType], list[CodeType]] | None:
        """Return functions, old and new code; None if one has other code by now, or somebody else has theirs."""
        if [id(function.__code__) for function in self._functions] != self._keys or not self._survey.is_whole():
            return None
        return self._functions, [function.__code__ for function in self._functions], self._news


def find_moving(names: dict[str, Any], origin: str, region: Region) -> Moving | None:
    """Return the functions that stand on other lines now of the module with the globals `names` and the file `origin`.

    None if not all are known, or one has to be compiled. Nothing is touched. It may be made ahead, by a thread that
    leaves others their turn.
    """
    first = min(span[0] for span in region.moved)
    places = list(region.before.block.functions(first))
    if None in places:
        return None
    walk = Walk(names)
    moving, fresh, known, found = list[FunctionType](), list[CodeType](), Shifts(), set[Place]()
    for function in walk.functions:
        breathe()
        code = function.__code__
        delta = delta_at(region.moved, code.co_firstlineno) if code.co_filename == origin else 0
        if delta:
            new = shift(code, delta, known)
            if new is None:
                return None
            moving.append(function)
            fresh.append(new)
            found.add((code.co_qualname, code.co_firstlineno))
    if any(delta_at(region.moved, place[1]) for place in {*places} - found if place is not None):
        return None
    return Moving(Survey(walk, moving), moving, fresh)


def delta_at(moved: Sequence[Span], line: int) -> int:
    """Return how many lines further down what was on `line` stands."""
    for first, last, delta in moved:  # a loop: it is asked of every function of the module
        if first <= line <= last:
            return delta
    return 0
