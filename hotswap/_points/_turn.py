"""Whose turn it is: one swap at a time, and nobody waits for it who would wait for ever.

That would be a statement that a swap runs and that asks for a swap itself, and a thread in the middle of an import: a
statement of the swap under way may wait for just that import. Both are told, and what they asked for comes next.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Self

BEFORE_FORK: Final = 1.0
"""Seconds for which a fork waits for a swap under way in another thread, so that the child does not get half of one."""

PAUSED: Final = "hotswap is paused"
_IMPORTLIB: Final = "<frozen importlib._bootstrap>"


class Lock:
    """A lock that a fork waits for, so that the child does not get half of something; its thread may take it again.

    `patience` are the seconds for which a fork waits at most: that thread may be waiting for the one that forks.
    """

    def __init__(self, patience: float) -> None:
        self._lock = threading.RLock()
        self._patience = patience
        self._held_for_fork = False

    def __enter__(self) -> Self:
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def before_fork(self) -> None:
        """Wait until no other thread has it, but not for ever."""
        self._held_for_fork = self._lock.acquire(timeout=self._patience)

    def after_fork(self) -> None:
        """In the parent: go on."""
        if self._held_for_fork:
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Threads other than this one are gone, whatever they held."""
        self._lock = threading.RLock()

    def follow_forks(self) -> None:
        """Be told of forks from now on; for the one of the process."""
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self.before_fork, after_in_parent=self.after_fork, after_in_child=self.after_fork_in_child
            )


class Turn(Lock):
    """A lock for each use of what the process has once; as a context manager it waits."""

    def __init__(self) -> None:
        super().__init__(BEFORE_FORK)
        self._swapping = 0
        self._pauses = 0
        self._free = threading.Event()
        self._free.set()

    def pause(self) -> None:
        """Have no swap begin until `go_on` is called as often; one that another thread is at comes to its end first."""
        with self._lock:
            self._pauses += 1
            self._free.clear()

    def go_on(self) -> None:
        """End a pause."""
        with self._lock:
            self._pauses -= 1
            if not self._pauses:
                self._free.set()

    def is_free(self, seconds: float = 0.0) -> bool:
        """Wait until no pause is in force, for `seconds` at most; return whether none is."""
        return self._free.wait(seconds)

    @contextmanager
    def at_once(self) -> Iterator[bool]:
        """Take the turn if it is free and this thread is not swapping; give whether it was."""
        free = self._swapping != threading.get_ident() and self._lock.acquire(blocking=False)
        lock = self._lock
        try:
            yield free
        finally:
            if free:
                lock.release()

    @contextmanager
    def turn(self) -> Iterator[str]:
        """Take the turn and give ""; else, at once, why it cannot be taken now. A swap may begin within it."""
        if self._swapping == threading.get_ident():
            yield "a statement that a swap runs asked for it"
            return
        if not self._lock.acquire(blocking=not _is_importing()):
            yield "it was asked for by an import, while another thread swaps"
            return
        lock = self._lock
        try:
            yield ""
        finally:
            lock.release()  # in a child that was forked meanwhile, `self` has another one

    @contextmanager
    def swap(self) -> Iterator[str]:
        """Take the turn for a swap, as `turn` does."""
        with self.turn() as busy:
            if busy or self._pauses:
                yield busy or PAUSED
                return
            self._swapping = threading.get_ident()
            try:
                yield ""
            finally:
                self._swapping = 0

    def after_fork_in_child(self) -> None:
        """Threads other than this one are gone, whatever they held."""
        super().after_fork_in_child()
        self._free = threading.Event()
        if not self._pauses:
            self._free.set()
        if self._swapping != threading.get_ident():
            self._swapping = 0


class Pause:
    """A time in which nothing is applied, from the call that gives it to `resume`, or as a context manager to its end.

    `then` is called when it is over; what was saved meanwhile is applied from there on.
    """

    def __init__(self, turn: Turn, then: Callable[[], object]) -> None:
        self._turn, self._then, self._over = turn, then, False
        turn.pause()

    def resume(self) -> None:
        """End the pause. Ending it twice does nothing."""
        if not self._over:
            self._over = True
            self._turn.go_on()
            self._then()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.resume()


def _is_importing() -> bool:
    """Whether this thread is in the middle of an import, and so may hold the lock of a module."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTLIB and frame.f_code.co_name == "_find_and_load":
            return True
        frame = frame.f_back
    return False
