"""Which edit is behind an exception: that of the innermost function on its way that a swap has changed."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import dataclass

from hotswap._model import Report
from hotswap._process import PROCESS


@dataclass(frozen=True, slots=True)
class Behind:
    """The generation that brought the code of `name`, and where in it the exception was raised."""

    generation: int
    name: str
    path: str
    lineno: int

    def told(self, error: BaseException) -> str:
        """Return the exception with the edit behind it, in one line."""
        words = "".join(traceback.format_exception_only(error)).strip().splitlines()[0]
        return f"{words}, in {self.name}, which swap {self.generation} changed"


def edit_behind(error: BaseException, reports: Iterable[Report] | None = None) -> Behind | None:
    """Return the last swap among `reports` that changed the innermost function on the way of `error` that any did."""
    brought = _brought(PROCESS.last_reports if reports is None else reports)
    for frame, lineno in reversed(list(traceback.walk_tb(error.__traceback__))):
        code = frame.f_code
        name = code.co_qualname.partition(".<locals>")[0]
        generation = brought.get((code.co_filename, name))
        if generation is not None:
            return Behind(generation, name, code.co_filename, lineno)
    return None


def _brought(reports: Iterable[Report]) -> dict[tuple[str, str], int]:
    """Return the generation that last changed a function, by file and qualified name."""
    return {
        (outcome.step.path, patch.qualname): report.generation
        for report in reports
        for outcome in report.outcomes
        for patch in outcome.patches
    }
