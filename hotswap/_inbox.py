"""Stage 2: changes from any thread are merged by path and taken as one batch once their burst is over.

An editor's save is one to four events within a millisecond, a checkout hundreds within a few tenths of a second. So a
batch is due after a quiet period that starts short, for the single save, and doubles while more keeps arriving, for the
checkout. What could not be applied waits here as well: held changes ride with the next batch, deferred ones come back.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Final, NamedTuple

from hotswap._model import Batch, FileChange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LONGEST_QUIET: Final = 0.05
"""Seconds to which the quiet period grows at most."""


class _Deferred(NamedTuple):
    until: float
    seen: float
    change: FileChange


class Inbox:
    """Changes that wait to be looked at. Safe to use from any thread; `clock` is in seconds and never goes back.

    `quiet` is the first quiet period and `cap` the longest that a batch may be put off after its first change, both in
    seconds. `empty` is a plain attribute, so that asking it each frame costs an attribute read: true if nothing here
    will ever become due by itself. Held changes do not count.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, quiet: float = 0.005, cap: float = 0.3) -> None:
        self.empty = True
        self._clock = clock
        self._shortest = quiet
        self._cap = cap
        self._changed = threading.Condition(threading.Lock())
        self._pending: dict[str, FileChange] = {}
        self._deferred: dict[str, _Deferred] = {}
        self._held: dict[str, FileChange] = {}
        self._first = self._last = 0.0
        self._quiet = quiet
        self._number = 0
        self._woken = False
        _inboxes.add(self)

    def put(self, change: FileChange, *, not_before: float = 0.0) -> None:
        """Add `change`; of several for one path the last kind counts, and created after deleted is modified.

        With `not_before`, in seconds from now, the path is deferred: it joins a batch only after that time, unless a
        plain `put` replaces it. Deferring a path that a newer change waits for does nothing: that comes first.
        """
        with self._changed:
            now = self._clock()
            if not_before > 0:
                self._defer(change, now, now + not_before)
            else:
                self._add(change, now)
            self.empty = False

    def hold(self, changes: Iterable[FileChange]) -> None:
        """Put back what could not be applied: it makes no batch due, but rides with the next one."""
        with self._changed:
            self._held.update((change.path, change) for change in changes)

    def held(self) -> tuple[FileChange, ...]:
        """Return what `hold` put back and no batch has taken since."""
        with self._changed:
            return tuple(self._held.values())

    def due(self, now: float) -> float | None:
        """Return the seconds from `now` until a batch may be taken, 0.0 if it may be now, None if there is nothing."""
        with self._changed:
            return self._due(now)

    def take(self, *, at_once: bool = False) -> Batch | None:
        """Return what is due as one batch, with what is held; None if nothing is due.

        `at_once` takes all that waits, also within the quiet period and also what is deferred. Held changes alone
        are no batch.
        """
        with self._changed:
            now = self._clock()
            due = self._due(now)
            if due is None or (due > 0 and not at_once):
                return None
            return self._collect(float("inf") if at_once else now)

    def wait(self, timeout: float | None) -> bool:
        """Block until a batch is due, `timeout` seconds have passed or `wake` is called; return whether one is due.

        Made for one waiting thread. No timeout: as long as it takes.
        """
        with self._changed:
            start = self._clock()
            while True:
                now = self._clock()
                due = self._due(now)
                if due is not None and due <= 0:
                    return True
                left = None if timeout is None else start + timeout - now
                if self._woken or (left is not None and left <= 0):
                    self._woken = False
                    return False
                self._changed.wait(min((s for s in (due, left) if s is not None), default=None))

    def widen(self, quiet: float) -> bool:
        """Have the quiet period be at least `quiet` seconds from now on; return whether what was due has to wait."""
        with self._changed:
            self._shortest = max(self._shortest, quiet)
            self._quiet = max(self._quiet, self._shortest)
            due = self._due(self._clock())
            return due is not None and due > 0

    def wake(self) -> None:
        """Make the `wait` that is under way, or else the next one, return at once."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def restart_after_fork(self) -> None:
        """Forget which thread held the lock: in a forked child that thread is gone. Called there by itself."""
        self._changed = threading.Condition(threading.Lock())

    def _add(self, change: FileChange, now: float) -> None:
        self._deferred.pop(change.path, None)
        if self._pending:
            self._quiet = min(self._quiet * 2, max(LONGEST_QUIET, self._shortest))
        else:
            self._first, self._quiet = now, self._shortest
            # Later changes only put the batch off, which a waiting thread finds when it wakes.
            self._changed.notify_all()
        self._last = now
        _merge(self._pending, change)

    def _defer(self, change: FileChange, now: float, until: float) -> None:
        if change.path not in self._pending:
            self._deferred[change.path] = _Deferred(until, now, change)
            self._changed.notify_all()

    def _due(self, now: float) -> float | None:
        if self._pending:
            return max(0.0, min(self._last + self._quiet, self._first + self._cap) - now)
        if not self._deferred:
            return None
        times = sorted(entry.until for entry in self._deferred.values())
        # What was deferred together, a moment apart, comes back together.
        return max(0.0, max(t for t in times if t <= times[0] + LONGEST_QUIET) - now)

    def _collect(self, until: float) -> Batch:
        ready = [entry for entry in self._deferred.values() if entry.until <= until]
        for entry in ready:
            del self._deferred[entry.change.path]
        merged = self._held
        for change in [*(entry.change for entry in ready), *self._pending.values()]:
            _merge(merged, change)
        seen = [entry.seen for entry in ready] + ([self._first] if self._pending else [])
        self._held, self._pending = {}, {}
        self.empty = not self._deferred
        self._number += 1
        return Batch(self._number, tuple(merged.values()), min(seen))


def _merge(changes: dict[str, FileChange], change: FileChange) -> None:
    before = changes.get(change.path)
    if before is not None and before.kind == "deleted" and change.kind == "created":
        change = FileChange(change.path, "modified")
    changes[change.path] = change


_inboxes: weakref.WeakSet[Inbox] = weakref.WeakSet()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: list(map(Inbox.restart_after_fork, _inboxes)))
