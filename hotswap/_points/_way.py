"""Work that leaves others their turn: a thread that prepares gives way often, and garbage is collected when it is done.

How soon another thread comes in is the interpreter's switch interval, 5 ms unless somebody asks for less. During a
collection of garbage, nobody does.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

TURN: Final = 0.0005
"""Seconds after which a thread that prepares makes way for one that waits."""

REST: Final = 0.001
"""Seconds for which such a thread sleeps after each turn, so that one that draws a frame has most of the time."""


OF_THE_INTERPRETER: Final = 2_000
"""Some interpreters freeze a few hundred objects of their own while they start (375 on 3.12.1). A server that freezes
its heap before it forks has many thousands."""


class _Mine(threading.local):
    """When the turn of this thread is over, if it gives way."""

    until: float | None = None


_MINE: Final = _Mine()


def breathe() -> None:
    """Sleep for a moment if this thread gives way and has had its turn: called wherever that does no harm."""
    until = _MINE.until
    if until is not None and time.perf_counter() > until:
        time.sleep(REST)
        _MINE.until = time.perf_counter() + TURN


def gives_way() -> bool:
    """Whether this thread works so that others lose as little time as can be."""
    return _MINE.until is not None


@contextmanager
def collecting_later() -> Iterator[None]:
    """Have no collection of garbage begin by itself meanwhile, while large trees are there: nobody comes in during one.

    Trees go by themselves when they are not needed any more, and a collection after that does not meet them. It is the
    threshold that says so, as the program may turn the collector off and on at the same time.
    """
    before = gc.get_threshold()
    if before[0]:
        gc.set_threshold(0, *before[1:])
    try:
        yield
    finally:
        if before[0] and gc.get_threshold()[0] == 0:
            gc.set_threshold(*before)


def count_as_old() -> None:
    """Have what was made while nothing was collected count as old, without a look at it: that would take some frames.

    It stays, or goes by itself. `gc.unfreeze` gives the oldest generation what `gc.freeze` took from all; where the
    program has frozen its heap itself, it stays so.
    """
    if gc.get_freeze_count() <= OF_THE_INTERPRETER:
        gc.freeze()
        gc.unfreeze()


@contextmanager
def giving_way() -> Iterator[None]:
    """Have other threads come in soon while this one works: those that draw frames or answer."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, TURN))
    _MINE.until = 0.0
    try:
        with collecting_later():
            yield
    finally:
        _MINE.until = None
        if abs(sys.getswitchinterval() - min(before, TURN)) < 1e-5:  # else the program asked for something else
            sys.setswitchinterval(before)
