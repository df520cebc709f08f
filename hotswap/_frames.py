"""Frames of a game: poll, wait for the next frame, and run the body of the loop as the live text has it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from hotswap import _api
from hotswap._blame import edit_behind
from hotswap._findings import finding
from hotswap._loader._baselines import Baseline, text_of
from hotswap._process import PROCESS
from hotswap._stale._body import RENEWED, Run, Variables, body
from hotswap._stale._place import Place


def frames(clock: Any = None, rate: float = 60.0, *, budget: float = 0.002, fall_back: bool = False) -> Frames:
    """Return what a game's main loop goes over: ``for dt in hotswap.frames(clock):``.

    Before each frame it polls, for `budget` seconds at most, and waits for the clock: one with ``tick(rate)`` in
    milliseconds (pygame's), a callable that waits and returns seconds, or none for one of its own with `rate` frames a
    second. `dt` are the seconds since the frame before. If a swap changed the body of the loop, that is what runs from
    the next frame on, with the loop's variables. With `fall_back`, an exception of a frame that comes from code that a
    swap brought is reported, that swap is undone, and the loop goes on.
    """
    return Frames(_ticker(clock, rate), budget, fall_back=fall_back)


class Frames(Iterator[float]):
    """The frames of one loop; made by `frames`."""

    def __init__(self, tick: Callable[[], float], budget: float, *, fall_back: bool) -> None:
        self._tick, self._budget, self._fall_back = tick, budget, fall_back
        self._place: Place | None = None
        self._variables: Variables | None = None
        self._body: Run | None = None
        self._baseline: Baseline | None = None
        self._renewed = True

    def __next__(self) -> float:
        frame = sys._getframe(1)
        if self._place is None:
            self._begin(frame)
        while True:
            self._poll()
            dt = self._tick()
            self._look(frame)
            if self._body is None:
                return dt
            if not self._run(self._body, dt):
                raise StopIteration

    def _begin(self, frame: FrameType) -> None:
        self._baseline = _baseline(frame)
        self._place = Place("" if self._baseline is None else text_of(self._baseline), frame)
        RENEWED[self] = lambda one: one is frame and self._look(frame)
        if self._fall_back:
            self._take(frame)

    def _look(self, frame: FrameType) -> bool:
        """Take the loop's body as the live text has it; return whether nothing else of its function has changed."""
        baseline = _baseline(frame)
        if baseline is not self._baseline:
            self._baseline = baseline
            self._take(frame)
        return self._renewed

    def _take(self, frame: FrameType) -> None:
        """Take another body, if there is one that the frame can run; what runs cannot be left for the frame's own."""
        assert self._place is not None
        loop = None if self._baseline is None else self._place.find(text_of(self._baseline))
        same = loop is not None and self._body is None and self._place.is_original(loop)
        around = loop is not None and self._place.is_rest(loop)
        found = None
        if loop is not None and (self._fall_back or not same):
            variables = self._variables or Variables(frame)
            found = body(loop, variables)
            if found is not None:  # else the frame goes on, and its variables with it
                self._variables, self._body = variables, found
        self._renewed = around and (same or found is not None)

    def _run(self, body: Run, dt: float) -> bool:
        try:
            return body(dt)
        except Exception as error:
            if not self._fall_back or not self._undone(error):
                raise
            return True

    def _undone(self, error: Exception) -> bool:
        """Take back the swap that is behind `error`; return whether there is one."""
        edit = edit_behind(error)
        if edit is None:
            return False
        _api.tell(finding("HS241", edit.path, edit.lineno, name="a frame", error=edit.told(error)))
        return bool(_api.undo(edit.generation).outcomes)

    def _poll(self) -> None:
        if _api.is_running():
            _api.poll(self._budget)


def _baseline(frame: FrameType) -> Baseline | None:
    """Return what is live of the module that `frame` belongs to; None for what hotswap does not follow."""
    return PROCESS.baselines.get(frame.f_globals.get("__name__", ""))


def _ticker(clock: Any, rate: float) -> Callable[[], float]:
    if hasattr(clock, "tick"):
        return lambda: float(clock.tick(rate)) / 1000.0
    if callable(clock):
        return clock  # type: ignore[no-any-return]
    return _Clock(rate).wait


class _Clock:
    """A clock for loops without a library that has one."""

    def __init__(self, rate: float) -> None:
        self._every, self._last = 1.0 / rate, time.perf_counter()

    def wait(self) -> float:
        """Wait for the next frame; return the seconds since the one before."""
        left = self._last + self._every - time.perf_counter()
        if left > 0:
            time.sleep(left)
        now = time.perf_counter()
        last, self._last = self._last, now
        return now - last
