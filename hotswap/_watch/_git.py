"""git at work: it writes many files, and says so by a lock beside its index."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Final

SETTLED: Final = 0.005
"""Seconds to wait once the lock is gone, so that the last events are read as well."""
BETWEEN: Final = 0.1
"""Seconds between two steps of a rebase, of which each takes the lock anew."""
STALE: Final = 10.0
"""Seconds after which a lock is taken for one that a killed git left behind: no checkout takes that long to write."""

_STEPS: Final = ("rebase-merge", "rebase-apply")


class Git:
    """The repositories that `roots` lie in. `clock` is in seconds and never goes back."""

    def __init__(self, roots: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._folders = tuple(dict.fromkeys(filter(None, map(_folder_of, roots))))
        self._locks = tuple(os.path.join(folder, "index.lock") for folder in self._folders)
        self._clock = clock
        self._since: float | None = None
        self._last = -BETWEEN
        self._left: set[tuple[int, int]] = set()

    def patience(self) -> float:
        """Return for how many seconds nothing may have come before a batch is whole: 0.0 if git is not at work.

        A look at a lock costs a microsecond, and is taken when a batch is due.
        """
        locked = [state for state in map(_state, self._locks) if state is not None and state not in self._left]
        now = self._clock()
        if locked:
            self._since = now if self._since is None else self._since
            self._last = now
            if now - self._since < STALE:
                return float("inf")
            self._left.update(locked)
        self._since = None
        if now - self._last < SETTLED:
            return float("inf")
        return BETWEEN if any(os.path.isdir(os.path.join(f, step)) for f in self._folders for step in _STEPS) else 0.0


def _state(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _folder_of(root: str) -> str:
    """Return the folder with the index of the repository that `root` lies in, "" if it lies in none."""
    folder = os.path.realpath(root)
    while not os.path.exists(os.path.join(folder, ".git")):
        folder, inner = os.path.dirname(folder), folder
        if folder == inner:
            return ""
    place = os.path.join(folder, ".git")
    return place if os.path.isdir(place) else _pointed_at(folder, place)


def _pointed_at(folder: str, place: str) -> str:
    """Return where the file ``.git`` of a worktree or a submodule says that its folder is."""
    try:
        with open(place, encoding="utf-8") as file:
            word, _, target = file.read().strip().partition(": ")
    except (OSError, UnicodeDecodeError):
        return ""
    return os.path.normpath(os.path.join(folder, target)) if word == "gitdir" else ""
