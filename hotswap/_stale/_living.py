"""Who still runs old code: frames, suspended coroutines and generators, tasks. Nothing can change a frame that runs.

Old code objects are remembered by weak references. Once nobody runs one any more it is freed, and its entry is gone.
"""

from __future__ import annotations

import gc
import inspect
import sys
import threading
import weakref
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, FunctionType, GeneratorType
from typing import Any, Final

from hotswap._findings import finding
from hotswap._model import Finding
from hotswap._points import _loops
from hotswap._stale._body import is_renewed


@dataclass(frozen=True, slots=True)
class Stale:
    """Something that is still old: `kind` is ``frame``, ``task``, ``coroutine``, ``generator``, ``function``,
    ``value``, ``object`` or ``registration``.

    `path` and `lineno` say where it stands, `where` in which thread or task.
    """

    kind: str
    name: str
    path: str
    lineno: int
    where: str = ""

    def __str__(self) -> str:
        where = f" in {self.where}" if self.where else ""
        return f"{self.path}:{self.lineno}: {self.name}, a {self.kind}{where}, {_STILL.get(self.kind, _RUNS)}"


_RUNS: Final = "goes on with its old code"
_STILL: Final = {
    "value": "was not made anew",
    "object": "was made before its class gave that",
    "registration": "stays though its decorator left",
}

_SUSPENDED: Final[dict[type, str]] = {
    CoroutineType: "coroutine",
    GeneratorType: "generator",
    AsyncGeneratorType: "generator",
}


_FRAMES: Final = ("cr_frame", "gi_frame", "ag_frame")
_AWAITED: Final = ("cr_await", "gi_yieldfrom", "ag_await")

RESTARTING: Final[weakref.WeakSet[Any]] = weakref.WeakSet()
"""Tasks that are begun anew when their code changed: nothing of them stays old, so nothing is told."""


class OldCodes:
    """The code objects that swaps replaced and that somebody may still run."""

    def __init__(self) -> None:
        self._alive: dict[int, weakref.ref[CodeType]] = {}

    def add(self, codes: Iterable[CodeType]) -> None:
        """Remember code objects that were replaced by ones that behave otherwise."""
        for code in codes:
            key = id(code)
            self._alive[key] = weakref.ref(code, lambda _, key=key: self._alive.pop(key, None))  # type: ignore[misc]

    def __contains__(self, code: CodeType) -> bool:
        held = self._alive.get(id(code))
        return held is not None and held() is code

    def running(self) -> tuple[Stale, ...]:
        """Return the frames on thread stacks and in tasks that run old code; takes some 0.1 ms."""
        return tuple(_unique((*self._frames(), *self._tasks(RESTARTING)))) if self._alive else ()

    def suspended(self, codes: tuple[CodeType, ...]) -> tuple[Stale, ...]:
        """Return what is suspended in one of `codes`, which nobody else holds: one pass of the heap, if there can be
        any.
        """
        counts = zip(codes, _references(codes), strict=True)
        held = [code for code, count in counts if code.co_flags & _SUSPENDABLE and count > _ALONE]
        holders = gc.get_referrers(*held) if held else ()
        return tuple(_unique(one for one in _held_by(holders, self) if one.kind != "function"))

    def everything(self, holders: Iterable[Any] | None = None) -> tuple[Stale, ...]:
        """Return all that runs or holds old code, suspended generators and unpatched closures too.

        `holders` are the objects that refer to one of `codes`, if that is known: to find them takes a pass of the heap.
        """
        if not self._alive:
            return ()
        if holders is None:
            holders = gc.get_referrers(*self.codes())
        return tuple(_unique((*self._frames(), *self._tasks(), *_held_by(holders, self))))

    def codes(self) -> list[CodeType]:
        """Return the old code objects that are alive."""
        return [code for held in list(self._alive.values()) if (code := held()) is not None]

    def _frames(self) -> Iterator[Stale]:
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for ident, top in sys._current_frames().items():
            frame: FrameType | None = top
            while frame is not None:
                if frame.f_code in self and not is_renewed(frame):
                    yield _entry("frame", frame.f_code, frame.f_lineno, f"thread {names.get(ident, ident)}")
                frame = frame.f_back
            del top  # it may be the frame of this very call: a cycle, which would keep what its callers hold

    def _tasks(self, without: Container[Any] = ()) -> Iterator[Stale]:
        asyncio = sys.modules.get("asyncio")
        for task in _all_tasks() if asyncio is not None else ():
            for frame in awaited_frames(task):
                if frame.f_code in self and task not in without:
                    yield _entry("task", frame.f_code, frame.f_lineno, f"task {task.get_name()}")


_SUSPENDABLE: Final = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def _references(codes: tuple[CodeType, ...]) -> list[int]:
    return [sys.getrefcount(code) for code in codes]


(_ALONE,) = _references((compile("0", "", "eval"),))
"""References to a code object that nothing but a tuple holds; CPython 3.14 counts otherwise than 3.13."""


def _held_by(holders: Iterable[Any], old: OldCodes) -> Iterator[Stale]:
    for holder in holders:
        kind = _SUSPENDED.get(type(holder))
        if kind is not None:
            code, frame = _code_and_frame(holder)
            if frame is not None and code in old:
                yield _entry(kind, code, frame.f_lineno, "")
        elif type(holder) is FunctionType and holder.__code__ in old:
            yield _entry("function", holder.__code__, holder.__code__.co_firstlineno, "")


def _code_and_frame(holder: Any) -> tuple[CodeType, FrameType | None]:
    prefix = {CoroutineType: "cr", GeneratorType: "gi", AsyncGeneratorType: "ag"}[type(holder)]
    return getattr(holder, f"{prefix}_code"), getattr(holder, f"{prefix}_frame")


def awaited_frames(task: Any) -> Iterator[FrameType]:
    """Yield the frames that a task is suspended in, the outermost first."""
    awaited: Any = task.get_coro()
    while awaited is not None:
        if type(awaited).__name__ in ("async_generator_asend", "async_generator_athrow"):
            inside = (one for one in gc.get_referents(awaited) if isinstance(one, AsyncGeneratorType))
            awaited = next(inside, None)  # what ``async for`` awaits; it has no attribute that leads there
        frame: FrameType | None = next(filter(None, (getattr(awaited, name, None) for name in _FRAMES)), None)
        if frame is not None:
            yield frame
        awaited = next(filter(None, (getattr(awaited, name, None) for name in _AWAITED)), None)


def _all_tasks() -> list[Any]:
    """Return the tasks that are not done of all loops that run, in whatever thread."""
    import asyncio

    return [task for loop in _loops.running() for task in asyncio.all_tasks(loop)]


def _entry(kind: str, code: CodeType, lineno: int, where: str) -> Stale:
    return Stale(kind, code.co_qualname, code.co_filename, lineno, where)


def _unique(found: Iterable[Stale]) -> list[Stale]:
    """A coroutine of a task is told as that task; the same place in the same thread is told once."""
    kept: dict[tuple[str, str, int], Stale] = {}
    for one in found:
        kept.setdefault((one.name, one.path, one.lineno), one)
    return list(kept.values())


def findings_of(codes: tuple[CodeType, ...]) -> tuple[Finding, ...]:
    """Return a finding for each thing that goes on with one of `codes`, which nobody else may hold."""
    these = OldCodes()
    these.add(codes)
    running = these.running()
    places = {(one.path, one.lineno) for one in running}
    begun_anew = (frame for task in list(RESTARTING) for frame in awaited_frames(task))
    places |= {(frame.f_code.co_filename, frame.f_lineno) for frame in begun_anew}
    suspended = (one for one in these.suspended(codes) if (one.path, one.lineno) not in places)
    return (*findings(running), *findings_of_suspended(suspended))


def findings_of_suspended(suspended: Iterable[Stale]) -> tuple[Finding, ...]:
    """Return a finding for each generator or coroutine that is suspended in old code."""
    return tuple(finding("HS222", one.path, one.lineno, name=f"{one.name}, a {one.kind},") for one in suspended)


def findings(running: Iterable[Stale]) -> tuple[Finding, ...]:
    """Return a finding for each thing that goes on with old code."""
    return tuple(
        finding("HS207", one.path, one.lineno, name=f"{one.name} ({one.where or one.kind})") for one in running
    )
