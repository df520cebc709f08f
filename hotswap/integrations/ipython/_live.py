"""Applying between cells: what was saved is live at once, in the thread that runs the cells, while that is idle.

A thread of our own waits for what the watcher sees and asks the loop in which the shell waits, a kernel's or a
prompt's, to apply it. While a cell runs, the loop does not turn; then it comes behind the cell.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any, Final

from hotswap._inbox import Inbox
from hotswap.integrations.ipython._shell import Shell

_PATIENCE: Final = 1.0
"""Seconds after which a thread that waits looks whether it is still needed."""


class Live:
    """Applies what `inbox` gets, by `apply`, in the loop of `shell`."""

    def __init__(self, shell: Shell, inbox: Inbox, apply: Callable[[], None]) -> None:
        self._shell, self._inbox, self._apply = shell, inbox, apply
        self._context = contextvars.copy_context()
        self._cell_loop = _running_loop()
        self._running = True
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work, name="hotswap-live", daemon=True)

    def start(self) -> None:
        """Begin to wait."""
        self._thread.start()

    def stop(self) -> None:
        """End; nothing is applied after this returns."""
        self._running = False
        self._done.set()
        self._inbox.wake()
        if self._thread is not threading.current_thread():
            self._thread.join(2 * _PATIENCE)

    def note_context(self) -> None:
        """Have what is shown between cells go below the cell that runs now."""
        self._context = contextvars.copy_context()

    def _work(self) -> None:
        while self._running:
            if self._inbox.wait(_PATIENCE):
                self._done.clear()
                if not self._ask() or not self._done.wait(_PATIENCE):
                    self._done.wait(0.1)  # a cell runs; what comes first, its end or our turn, applies it

    def _ask(self) -> bool:
        """Have the loop apply; return False if no loop waits."""
        loop = self._loop()
        if loop is None or not loop.is_running():
            return False
        loop.call_soon_threadsafe(self._step, context=self._context.copy())
        return True

    def _step(self) -> None:
        try:
            if self._running and not self._inbox.empty:
                self._apply()
        finally:
            self._done.set()

    def _loop(self) -> Any:
        """Return the loop in which the shell waits: that of the prompt in a terminal, else the kernel's."""
        prompt = getattr(getattr(self._shell, "pt_app", None), "app", None)
        return prompt.loop if prompt is not None else self._cell_loop


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
