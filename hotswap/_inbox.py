"""Stage 2: changes from any thread are merged by path and taken as one batch once their burst is over.

A file that was closed or renamed into its place is whole and due at once. While more keeps arriving, as in a checkout,
a batch is due after a quiet period that starts short and doubles, and goes on from where it was if another file follows
soon; so it is from the first for a file of which nobody says that it is whole. What could not be applied waits here as
well: held changes ride with the next batch, deferred ones come back.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Final, NamedTuple

from hotswap._bell import Bell
from hotswap._model import Batch, FileChange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LONGEST_QUIET: Final = 0.05
"""Seconds to which the quiet period grows at most."""
LONGEST: Final = 75.0
"""Seconds for which a batch is put off at most, whatever is at work on the files."""
STEP: Final = 0.01
"""Seconds between two looks whether that is over."""


class _Deferred(NamedTuple):
    until: float
    seen: float
    change: FileChange


class Inbox:
    """Changes that wait to be looked at. Safe to use from any thread; `clock` is in seconds and never goes back.

    `quiet` is the first quiet period and `cap` the longest that a batch may be put off after its first change, both in
    seconds. `patience` is asked, once a batch would be due, for how many seconds nothing may have come before it is
    whole, and told for how many nothing has: for a tool that says when it is done with all its files. `bell` is what
    the waiting thread sleeps on. `empty` is a plain attribute, so that asking it each frame costs an attribute read:
    true if nothing here will ever become due by itself. Held changes do not count.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        quiet: float = 0.005,
        cap: float = 0.3,
        patience: Callable[[float], float] = lambda _: 0.0,
    ) -> None:
        self.empty = True
        self.puts = 0
        self.bell = Bell()
        self.patience = patience
        self._clock = clock
        self._shortest = 0.0
        self._whole = False
        self._usual = quiet
        self._cap = cap
        self._lock = threading.Lock()
        self._pending: dict[str, FileChange] = {}
        self._deferred: dict[str, _Deferred] = {}
        self._held: dict[str, FileChange] = {}
        self._taken: frozenset[str] = frozenset()
        self._first, self._last = 0.0, -cap
        self._quiet = quiet
        self._number = 0
        self._woken = False
        self._sleeper = 0
        _inboxes.add(self)

    def put(self, change: FileChange, *, not_before: float = 0.0, quiet: float | None = None) -> None:
        """Add `change`; of several for one path the last kind counts, and created after deleted is modified.

        `quiet` are the seconds for which nothing may come after it before it is due: 0.0 for a file that is known to be
        whole, None for the usual. With `not_before`, in seconds from now, the path is deferred: it joins a batch only
        after that time, unless a plain `put` replaces it. Deferring a path that a newer change waits for does nothing:
        that comes first.
        """
        with self._lock:
            self.puts += 1
            now = self._clock()
            if not_before > 0:
                self._defer(change, now, now + not_before)
            else:
                self._add(change, now, self._usual if quiet is None else quiet)
            self.empty = False
            self._rouse()

    def hold(self, changes: Iterable[FileChange]) -> None:
        """Put back what could not be applied: it makes no batch due, but rides with the next one."""
        with self._lock:
            self._held.update((change.path, change) for change in changes)

    def held(self) -> tuple[FileChange, ...]:
        """Return what `hold` put back and no batch has taken since."""
        with self._lock:
            return tuple(self._held.values())

    def peek(self) -> Batch:
        """Return what waits as the batch that it may become, without taking it."""
        with self._lock:
            changes = {**self._held, **self._pending}
            return Batch(self._number + 1, tuple(changes.values()), self._first)

    def due(self, now: float) -> float | None:
        """Return the seconds from `now` until a batch may be taken, 0.0 if it may be now, None if there is nothing."""
        with self._lock:
            return self._due(now)

    def take(self, *, at_once: bool = False, deferred: bool = True) -> Batch | None:
        """Return what is due as one batch, with what is held; None if nothing is due.

        `at_once` takes all that waits, also within the quiet period and, but for `deferred` being false, what is
        deferred. Held changes alone are no batch.
        """
        with self._lock:
            now = self._clock()
            if at_once:
                return self._collect(float("inf") if deferred else now)
            due = self._due(now)
            return self._collect(now) if due is not None and due <= 0 else None

    def give_back(self, batch: Batch) -> bool:
        """Put `batch` back if more came since it was taken, so that all of it is one; return whether it was.

        A batch that was put off for long enough stays taken.
        """
        with self._lock:
            if not self._pending or self._clock() >= batch.seen_at + self._cap:
                return False
            merged = {change.path: change for change in batch.changes}
            if merged.keys() != self._pending.keys():
                self._quiet = max(self._quiet, self._usual)
            for change in self._pending.values():
                _merge(merged, change)
            self._pending, self._first = merged, batch.seen_at
            return True

    def wait(self, timeout: float | None) -> bool:
        """Block until a batch is due, `timeout` seconds have passed or `wake` is called; return whether one is due.

        Made for one waiting thread. No timeout: as long as it takes.
        """
        until = None if timeout is None else self._clock() + timeout
        while True:
            with self._lock:
                now = self._clock()
                due = self._due(now)
                if due is not None and due <= 0:
                    return True
                left = None if until is None else until - now
                if self._woken or (left is not None and left <= 0):
                    self._woken = False
                    return False
                self._sleeper = threading.get_ident()
            self.bell.sleep(min((s for s in (due, left) if s is not None), default=None))
            self._sleeper = 0

    def widen(self, quiet: float) -> bool:
        """Have the quiet period of what waits be at least `quiet` seconds; return whether it has to wait for that."""
        with self._lock:
            self._shortest = max(self._shortest, quiet)
            due = self._due(self._clock())
            return due is not None and due > 0

    def wake(self) -> None:
        """Make the `wait` that is under way, or else the next one, return at once."""
        with self._lock:
            self._woken = True
        self.bell.ring()

    def restart_after_fork(self) -> None:
        """Forget which thread held the lock: in a forked child that thread is gone. Called there by itself."""
        self._lock = threading.Lock()
        self._sleeper = 0

    def _rouse(self) -> None:
        """Have the thread that sleeps look again; it needs no bell for what it puts itself, before it goes on."""
        if self._sleeper and self._sleeper != threading.get_ident():
            self.bell.ring()

    def _add(self, change: FileChange, now: float, quiet: float) -> None:
        self._deferred.pop(change.path, None)
        goes_on = self._pending or (now < self._last + self._cap and change.path not in self._taken)
        if goes_on and (quiet or self._pending.keys() != {change.path}):
            self._quiet = max(quiet, min(max(self._quiet * 2, self._usual), max(LONGEST_QUIET, self._usual)))
        else:  # a file by itself, or the one that something was waited for is whole
            self._quiet = quiet
        if not self._pending:
            self._first = now
        self._last = now
        self._whole = False
        _merge(self._pending, change)

    def _defer(self, change: FileChange, now: float, until: float) -> None:
        if change.path not in self._pending:
            self._deferred[change.path] = _Deferred(until, now, change)

    def _due(self, now: float) -> float | None:
        if self._pending:
            until = min(self._last + max(self._quiet, self._shortest), self._first + self._cap)
            return until - now if until > now else self._put_off(now)
        if not self._deferred:
            return None
        times = sorted(entry.until for entry in self._deferred.values())
        # What was deferred together, a moment apart, comes back together.
        return max(0.0, max(t for t in times if t <= times[0] + LONGEST_QUIET) - now)

    def _put_off(self, now: float) -> float:
        """Return the seconds after which to ask again whether a tool is done with its files; 0.0 if none is at work.

        What was whole once is so until more comes.
        """
        asked = 0.0 if self._whole else self.patience(now - self._last)
        left = max(0.0, min(self._last + asked - now, self._first + LONGEST - now, STEP)) if asked else 0.0
        self._whole = not left
        return left

    def _collect(self, until: float) -> Batch | None:
        ready = [entry for entry in self._deferred.values() if entry.until <= until]
        if not ready and not self._pending:
            return None
        for entry in ready:
            del self._deferred[entry.change.path]
        merged = self._held
        for change in [*(entry.change for entry in ready), *self._pending.values()]:
            _merge(merged, change)
        self._taken = frozenset(self._pending)
        seen = [entry.seen for entry in ready] + ([self._first] if self._pending else [])
        self._held, self._pending, self._shortest = {}, {}, 0.0
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
