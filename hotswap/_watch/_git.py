"""git at work: it writes many files, and says so by a lock beside its index.

The lock is the file of the next index. It is empty until the last file of the work tree is written: one with something
in it is waiting for somebody's words, such as that of ``git commit -a`` while an editor is open.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Final

SETTLED: Final = 0.005
"""Seconds to wait once the lock is gone, so that the last events are read as well."""
BETWEEN: Final = 0.5
"""Seconds between two steps of a rebase at most, of which each takes the lock anew."""
STALE: Final = 10.0
"""Seconds after which a lock is taken for one that a killed git left behind, if nothing is written meanwhile."""
LONGEST: Final = 60.0
"""Seconds after which it is, whatever is written: somebody else may be writing."""

AT_WORK: Final = 2.0
"""Seconds for which a rebase counts as under way after its last note; one that stopped waits for somebody to save."""

_STEPS: Final = ("rebase-merge", "rebase-apply", "sequencer")


class Git:
    """The repositories that `roots` lie in. `clock` is in seconds and never goes back; `time` is that of files."""

    def __init__(
        self,
        roots: Iterable[str],
        clock: Callable[[], float] = time.monotonic,
        time: Callable[[], float] = time.time,
    ) -> None:
        self._folders = tuple(dict.fromkeys(filter(None, map(_folder_of, roots))))
        self._locks = tuple(os.path.join(folder, "index.lock") for folder in self._folders)
        self._steps = tuple(os.path.join(folder, step) for folder in self._folders for step in _STEPS)
        self._clock, self._time = clock, time
        self._since: float | None = None
        self._last = -BETWEEN
        self._left: set[tuple[int, int]] = set()

    def patience(self, quiet: float) -> float:
        """Return for how many seconds nothing may have come before a batch is whole: 0.0 if git is not at work.

        For `quiet` seconds nothing has come. A look at a lock costs a microsecond, and is taken when a batch is due.
        """
        locked = [state for state in map(_state, self._locks) if state is not None and state not in self._left]
        now = self._clock()
        if locked:
            self._since = now if self._since is None else self._since
            self._last = now
            locked_for = now - self._since
            if locked_for < STALE or (quiet < STALE and locked_for < LONGEST):
                return float("inf")
            self._left.update(locked)
        self._since = None
        if now - self._last < SETTLED:
            return float("inf")
        return BETWEEN if any(map(self._is_at_work, self._steps)) else 0.0

    def _is_at_work(self, folder: str) -> bool:
        try:
            return abs(self._time() - os.stat(folder).st_mtime) < AT_WORK
        except OSError:
            return False


def _state(path: str) -> tuple[int, int] | None:
    """Return what tells the empty lock `path` from another one, None if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return None if found.st_size else (found.st_ino, found.st_mtime_ns)


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
