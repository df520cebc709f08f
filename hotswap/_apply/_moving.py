"""Functions that a small edit does not change, but that stand on other lines now: found and shifted, also ahead."""

from __future__ import annotations

from collections.abc import Sequence
from types import CodeType, FunctionType
from typing import Any

from hotswap._loader._compile import Shifts, shift
from hotswap._points._way import breathe
from hotswap._regions import Region, Span
from hotswap.patch._finding import Survey, Walk


class Moving:
    """Functions that stand on other lines now, each with the id of its code, which `survey` holds, and with the code
    that says so.
    """

    def __init__(self, survey: Survey, functions: Sequence[FunctionType], fresh: dict[int, CodeType]) -> None:
        self._survey = survey
        self._found = tuple((function, id(function.__code__), fresh[id(function.__code__)]) for function in functions)

    def take(self) -> list[tuple[FunctionType, CodeType, CodeType]] | None:
        """Return functions, old and new code; None if one has other code by now, or somebody else has theirs."""
        if any(id(function.__code__) != key for function, key, _ in self._found) or not self._survey.is_whole():
            return None
        return [(function, function.__code__, new) for function, _, new in self._found]


def find_moving(names: dict[str, Any], origin: str, region: Region) -> Moving | None:
    """Return the functions that stand on other lines now of the module with the globals `names` and the file `origin`.

    None if not all are known, or one has to be compiled. Nothing is touched. It may be made ahead, by a thread that
    leaves others their turn.
    """
    first = min(span[0] for span in region.moved)
    places = list(region.before.block.functions(first))
    expected = {place for place in places if place is not None and delta_at(region.moved, place[1])}
    walk = Walk(names)
    moving = [one for one in walk.functions if _is_moving(one.__code__, origin, region.moved)]
    found = {(one.__code__.co_qualname, one.__code__.co_firstlineno) for one in moving}
    fresh, known = dict[int, CodeType](), Shifts()
    if None in places or not expected <= found:
        return None
    survey = Survey(walk, moving)
    for function in moving:
        breathe()
        code = function.__code__
        new = fresh.get(id(code)) or shift(code, delta_at(region.moved, code.co_firstlineno), known)
        if new is None:
            return None
        fresh[id(code)] = new
    return Moving(survey, moving, fresh)


def _is_moving(code: CodeType, origin: str, moved: Sequence[Span]) -> bool:
    breathe()
    return code.co_filename == origin and bool(delta_at(moved, code.co_firstlineno))


def delta_at(moved: Sequence[Span], line: int) -> int:
    """Return how many lines further down what was on `line` stands."""
    return next((delta for first, last, delta in moved if first <= line <= last), 0)
