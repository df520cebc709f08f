"""What hotswap's thread sleeps on, so that whoever has something for it wakes it without asking how it sleeps."""

from __future__ import annotations

import threading


class Bell:
    """One thread sleeps, any thread rings. A ring that comes before the sleep ends it at once: none is lost.

    `pause` are the seconds after which the thread should look whether all is well though nothing rang.
    """

    pause: float = 1.0

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        """End the sleep that is under way, or else the next one."""
        self._rung.set()

    def sleep(self, seconds: float | None) -> None:
        """Sleep until the bell rings, or for `seconds`; None is as long as it takes."""
        self._rung.wait(seconds)
        self._rung.clear()
