"""Where changes are applied: on a thread of ours, between two callbacks of an event loop, at a poll, at a signal.

One thread waits for what the watcher sees. It never applies on a loop's behalf: it asks the loop to call, and waits for
that, so a handler that was suspended at an ``await`` meets either all of a swap or nothing of it before it goes on.
"""

from __future__ import annotations

import queue
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from hotswap._errors import SettingsError
from hotswap._points import _loops
from hotswap._points._hooks import begin_on_loop, run_now
from hotswap._points._way import collecting_later, count_as_old

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from hotswap._inbox import Inbox
    from hotswap._points._hooks import Steps
    from hotswap._settings import Apply

TOGETHER: Final = 0.1
"""Seconds within which files are taken for one save by a program with an event loop: it answers while others write."""

REST: Final = 1.0
"""Seconds for which nothing is tried after a failure of ours: what fails at once would fail all the time."""

SHORTEST: Final = 0.25
"""Seconds between two looks at what tells nothing by itself, while the program loads modules."""

LONGEST: Final = 10.0
"""Seconds to which that grows once it has ended."""

TAKEN: Final = 0.25
"""Seconds within which a game is expected to poll, and no garbage is collected for what was prepared for that."""

_ON_LOOP: Final = ("auto", "asyncio", "signal")
_WITH_THREAD: Final = ("auto", "thread", "asyncio", "poll", "signal")


class Host:
    """The safe point of one reloader.

    `act` applies what is due, as steps of which some may have to be awaited; `idle` is called now and then without
    news, and says whether all files have to be looked at; `look` asks for that; `free` waits while swaps are paused.
    `ahead` reads what is due without applying it, for somebody in a hurry, who sets `taken` when it is applied; then
    `let_go` frees what that needed. `fail` tells what any of them raised.
    """

    def __init__(
        self,
        mode: Apply,
        inbox: Inbox,
        act: Callable[[], Steps[object]],
        idle: Callable[[], bool],
        look: Callable[[], object],
        free: Callable[[float], bool],
        ahead: Callable[[], object],
        let_go: Callable[[], object],
        fail: Callable[[Exception], object],
    ) -> None:
        self.mode, self._free = mode, free
        self._inbox, self._act, self._idle, self._look = inbox, act, idle, look
        self._ahead, self._let_go, self._fail, self._read = ahead, let_go, fail, 0
        self._stopped, self.taken = threading.Event(), threading.Event()
        self._home: AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._replaced: Any = None
        self._running = False
        self._counted, self._rest = 0, SHORTEST

    def start(self, home: AbstractEventLoop | None) -> None:
        """Begin to wait for changes; `home` is the loop of who asks for it.

        Raises SettingsError for ``signal`` where there is none or on another thread.
        """
        self._running = True
        self._stopped.clear()
        self._home = home
        if self.mode == "signal":
            self._listen()
        self.start_thread()

    def start_thread(self) -> None:
        """Start the thread that waits, if this way of applying has one: also in a forked child."""
        if self.mode in _WITH_THREAD:
            work = self._follow_signals if self.mode == "signal" else self._work
            self._thread = threading.Thread(target=work, name="hotswap-apply", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread, and give the signal back."""
        self._running = False
        self._stopped.set()
        self.taken.set()
        self._unlisten()
        self._wake()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(5)

    def become(self, mode: Apply) -> None:
        """Apply in another way from now on. Raises SettingsError as `start` does."""
        before, self.mode = self.mode, mode
        if before == mode or not self._running:
            return
        self._unlisten()
        self._wake()
        if mode == "signal":
            self._listen()
        if before not in _WITH_THREAD or "signal" in (before, mode):
            self.start_thread()

    def _wake(self) -> None:
        self._inbox.wake()
        self._signals.put(0)

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while self._waits_for_files():
            self._carefully(self._follow_files)

    def _carefully(self, act: Callable[[], object]) -> None:
        """Do one round of the thread, which lives on whatever fails."""
        try:
            act()
        except Exception as error:  # noqa: BLE001  whatever it is, it is ours
            self._fail(error)
            self._stopped.wait(REST)

    def _follow_files(self) -> None:
        if self.mode == "poll":
            self._read_ahead()
        elif (self._inbox.wait(self._pause()) or self._idle()) and self._waits_for_files():
            if self._free(1.0):
                self._at_safe_point()

    def _pause(self) -> float:
        """Return the seconds until all is looked at though nothing rang: soon while the program still loads modules."""
        count = len(sys.modules)
        self._rest = min(2 * self._rest, LONGEST) if count == self._counted else SHORTEST
        self._counted = count
        return min(self._rest, self._inbox.bell.pause)

    def _read_ahead(self) -> None:
        """Read what the system tells, and what was saved once that is due, so that a poll finds it ready."""
        if self._read == self._inbox.puts:
            self._inbox.bell.sleep(self._pause())
            self._idle()
        elif self._inbox.wait(self._inbox.bell.pause):
            read = self._inbox.puts
            self.taken.clear()
            with collecting_later():
                self._ahead()
                self._read = read
                self.taken.wait(TAKEN)
                self._let_go()
                count_as_old()

    def is_ready(self) -> bool:
        """Whether what waits in the inbox has been read, or nobody reads it ahead."""
        return self._read == self._inbox.puts or self._thread is None or not self._thread.is_alive()

    def _waits_for_files(self) -> bool:
        return self._running and self.mode in ("auto", "thread", "asyncio", "poll")

    def _at_safe_point(self) -> None:
        loop = self.loop() if self.mode in _ON_LOOP else None
        if loop is not None:
            waits = self._inbox.widen(TOGETHER)  # then it is due a little later, with what is saved till then
            with collecting_later():
                self._ahead()
                if not waits:
                    self._on_loop(loop)
                    self._let_go()
                count_as_old()
        elif self.mode != "asyncio":
            run_now(self._act())
        else:
            self._stopped.wait(0.05)  # there will be a loop

    def loop(self) -> AbstractEventLoop | None:
        """Return the loop to apply on: that of the thread that started us, else the main thread's, if it runs."""
        if self._home is not None and self._home.is_closed():
            self._home = None
        if self._home is not None:
            return self._home if self._home.is_running() else None
        return _loops.of_main_thread()

    def _on_loop(self, loop: AbstractEventLoop) -> None:
        """Apply between two callbacks of `loop`, and wait until that is done, or the loop does not run any more.

        A callback that comes too late finds nothing left to take. Raises what fails there: it is no affair of the loop.
        """
        done, failed = threading.Event(), list[Exception]()

        def apply() -> None:
            if self._running:
                begin_on_loop(loop, self._keep(failed), done.set)
            else:
                done.set()

        try:
            loop.call_soon_threadsafe(apply)
        except RuntimeError:  # closed in this moment
            return
        while not done.wait(0.05) and self._running and loop.is_running():
            pass
        for error in failed:
            raise error

    def _keep(self, failed: list[Exception]) -> Steps[object]:
        try:
            return (yield from self._act())
        except Exception as error:  # noqa: BLE001  told by the thread that waits for this
            failed.append(error)
            return None

    # -- the signal ----------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        number = getattr(signal, "SIGHUP", None)
        if number is None:
            raise SettingsError("apply='signal' is not accepted; this system has no SIGHUP")
        try:
            before = signal.signal(number, self._on_signal)
        except ValueError as error:
            raise SettingsError("apply='signal' is not accepted here; signals are for the main thread alone") from error
        self._replaced = before

    def _unlisten(self) -> None:
        before, self._replaced = self._replaced, None
        if before is not None and signal.getsignal(signal.SIGHUP) == self._on_signal:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGHUP, before)

    def _on_signal(self, number: int, frame: Any) -> None:
        """Between any two bytecodes of the main thread: only ask. `SimpleQueue.put` may interrupt itself."""
        self._signals.put(number)
        if callable(self._replaced):
            self._replaced(number, frame)

    def _follow_signals(self) -> None:
        while self._running and self.mode == "signal":
            if self._signals.get():
                self._carefully(self._apply_all)

    def _apply_all(self) -> None:
        self._look()
        loop = self.loop()
        run_now(self._act()) if loop is None else self._on_loop(loop)
