"""Loaded files that are looked at one by one, where the system tells nothing: two microseconds each."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from hotswap._watch._folders import is_cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

EVERY: Final = 0.5
"""Seconds between two looks."""
SETTLING: Final = 0.05
"""Seconds for which a file that was found changed has to stay as it is: then it is whole. One that ends in the middle
of a line has to for five times as long."""

_CUT: Final = 5

State = tuple[int, int, int, int] | None
"""Times of change in nanoseconds, size in bytes, inode; None is no file. Compared for being the same, so a clock that
jumps hides nothing."""


class Polled:
    """Files, each with the state that was told last.

    A file in a new state is told when it is in the same state at the next look: until then somebody may be writing.
    """

    def __init__(self) -> None:
        self._told: dict[str, State] = {}
        self._for_now: set[str] = set()
        self._seen: dict[str, tuple[State, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._told)

    @property
    def pause(self) -> float | None:
        """Seconds until the next look; None if there is nothing to look at. Soon if a file was just found changed."""
        if not self._told:
            return None
        return SETTLING if self._seen else EVERY

    def add(self, paths: Iterable[str]) -> None:
        """Look at `paths` as well from now on."""
        self._told.update((path, _state(path)) for path in paths if path not in self._told)

    def add_for_now(self, paths: Iterable[str]) -> None:
        """Look at `paths` as well until the next call of this."""
        wanted = set(paths)
        for path in self._for_now - wanted:
            del self._told[path]
        self._for_now = {path for path in wanted if path in self._for_now or path not in self._told}
        self.add(wanted)

    def clear(self) -> None:
        """Look at nothing any more, but for what is looked at for now."""
        self._told = {path: self._told[path] for path in self._for_now}
        self._seen.clear()

    def look(self, tell: Callable[[str, bool], None], *, at_once: bool = False) -> None:
        """Call `tell` with each file that changed, and whether it is there; `at_once` also for those just found so."""
        found: dict[str, State] = {}
        for path, told in self._told.items():
            state = _state(path)
            if state != told:
                found[path] = state
        before, self._seen = self._seen, {}
        for path, state in found.items():
            seen, often = before.get(path, (state, 0))
            times = often if seen == state else 0
            if at_once or times >= (_CUT if is_cut(path) else 1):
                self._told[path] = state
                tell(path, state is not None)
            else:
                self._seen[path] = state, times + 1


def _state(path: str) -> State:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
