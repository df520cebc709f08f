"""Which edit is behind an exception: that of the innermost function on its way that a swap has changed.

Or whose line reads what a swap has changed: another constant, a name that has gone, a function that takes other
arguments.
"""

from __future__ import annotations

import dis
import logging
import sys
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import FrameType, FunctionType, TracebackType
from typing import Any, Final

from hotswap._model import Report
from hotswap._process import PROCESS

log = logging.getLogger("hotswap")


@dataclass(frozen=True, slots=True)
class Behind:
    """The generation that brought `name`, and where it was raised: in `function`, which is that or reads it."""

    generation: int
    name: str
    function: str
    path: str
    lineno: int

    def told(self, error: BaseException) -> str:
        """Return the exception with the edit behind it, in one line."""
        words = "".join(traceback.format_exception_only(error)).strip().splitlines()[0]
        reads = "" if self.name == self.function else f" which reads {self.name},"
        return f"{words}, in {self.function},{reads} which swap {self.generation} changed"


def name_edit(error: BaseException) -> None:
    """Add to an exception that nobody caught which swap changed what raised it, if one did and that can be told."""
    try:
        edit = edit_behind(error)
    except Exception:  # whatever it is, the program's own error comes first
        log.debug("naming the edit behind an exception failed", exc_info=True)
        return
    if edit is not None:
        note = f"hotswap: {edit.name} was changed by swap {edit.generation}, while the program ran"
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)


_REPLACED: Final[list[Any]] = []


def name_at_end() -> None:
    """Have an exception that ends the program name the swap behind it, through the hook that is set by now.

    A program that ``python -m hotswap`` runs has this from there.
    """
    if not _REPLACED and hasattr(sys, "excepthook") and "hotswap._program" not in sys.modules:
        _REPLACED.append(sys.excepthook)
        sys.excepthook = _name_and_go_on


def stop_naming() -> None:
    """Give the hook back, if nobody else has taken it."""
    if _REPLACED and sys.excepthook is _name_and_go_on:
        sys.excepthook = _REPLACED.pop()


def _name_and_go_on(kind: type[BaseException], error: BaseException, tb: TracebackType | None) -> None:
    name_edit(error)
    _REPLACED[0](kind, error, tb)


def edit_behind(error: BaseException, reports: Iterable[Report] | None = None) -> Behind | None:
    """Return the last swap among `reports` that changed the innermost function on the way of `error` that any did.

    A function counts as well whose line reads what a swap changed; if the swap did both, its own name is told.
    """
    brought = _brought(PROCESS.last_reports if reports is None else reports)
    leaves = {name.rpartition(".")[2]: (generation, name) for (_, name), generation in brought.items()}
    for frame, lineno in reversed(list(traceback.walk_tb(error.__traceback__))):
        own = frame.f_code.co_filename, frame.f_code.co_qualname.partition(".<locals>")[0]
        found = [(brought[key], key[1]) for key in (own, *_globals_read(frame, lineno)) if key in brought]
        found += [leaves[name] for name in _read(frame, lineno, _ATTRIBUTES) if name in leaves]
        if found:
            generation, name = max(found, key=lambda one: one[0])
            return Behind(generation, name, own[1], own[0], lineno)
    return None


_ATTRIBUTES: Final = ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM")
_GLOBALS: Final = ("LOAD_GLOBAL", "LOAD_NAME")


def _read(frame: FrameType, lineno: int, instructions: tuple[str, ...]) -> Iterator[str]:
    """Yield the names that `instructions` of one line read."""
    for one in dis.get_instructions(frame.f_code):
        if one.positions is not None and one.positions.lineno == lineno and one.opname in instructions:
            yield one.argval


def _globals_read(frame: FrameType, lineno: int) -> Iterator[tuple[str, str]]:
    """Yield the global names that a line reads, each as its module has it, and as that which made its object does."""
    for name in _read(frame, lineno, _GLOBALS):
        yield frame.f_code.co_filename, name
        value = frame.f_globals.get(name)
        if isinstance(value, FunctionType):
            yield value.__code__.co_filename, value.__code__.co_qualname


def _brought(reports: Iterable[Report]) -> dict[tuple[str, str], int]:
    """Return the generation that last changed a function, by file and qualified name."""
    return {
        (outcome.step.path, patch.qualname): report.generation
        for report in reports
        for outcome in report.outcomes
        for patch in outcome.patches
    }
