"""`hotswap --restart`: a program is started anew where an edit cannot be applied while it runs, and only there.

As with the reloaders of web servers, a parent waits and the program runs in a child. When a report has a refusal, the
child leaves a mark and ends itself as `kill` would end it: servers close their connections, `finally` and `atexit` run.
The parent finds the mark and starts the program again. What else ends the program, ends the parent with the same exit
code.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from hotswap._model import Report, Severity

log = logging.getLogger("hotswap")

GRACE: Final = 10.0
"""Seconds that a program has for its end."""

_MARK: Final = "HOTSWAP_RESTART"
_LEAVES: Final = 3
"""The exit code of a program that is to be started anew; Django's reloader has the same."""
_FORWARDED: Final = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def is_child() -> bool:
    """Whether a parent waits for this process."""
    return _MARK in os.environ


def keep_running(words: Sequence[str]) -> int:
    """Run ``python -m hotswap`` with `words` again and again, as long as it leaves the mark; return its exit code.

    Of a program that a signal killed it is minus the signal's number. Signals that end a program, or tell it something,
    are handed on; Ctrl-C reaches all of a terminal's foreground processes by itself.
    """
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # as multiprocessing does
    command = [sys.executable, *flags, "-m", "hotswap", *words]
    with tempfile.TemporaryDirectory(prefix="hotswap-") as folder:
        mark = Path(folder, "restart")
        while True:
            code = _run(command, mark)
            if not mark.exists():
                return code
            mark.unlink()


def _run(command: Sequence[str], mark: Path) -> int:
    child = subprocess.Popen(command, env={**os.environ, _MARK: str(mark)})  # noqa: S603  our own words, once more
    before = {number: signal.signal(number, lambda sent, _: child.send_signal(sent)) for number in _FORWARDED}
    try:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:  # the child has it, too, and says what comes of it
                continue
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Leaving:
    """Ends this process when a report refuses something. To be made in the main thread, before the program begins.

    `tell` is called with each report before. A program that has a handler for SIGTERM of its own is asked by that
    signal; in any other `SystemExit` is raised, by a handler that is ours. After `GRACE` seconds the process ends in
    any case.
    """

    def __init__(self, tell: Callable[[Report], None]) -> None:
        self._tell, self._mark, self._leaves = tell, Path(os.environ.pop(_MARK)), False
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._leave)

    def __call__(self, report: Report) -> None:
        """Have `report` told, and begin to end the process if it says that something needs a restart."""
        self._tell(report)
        refused = [found for found in report.findings if found.severity is Severity.REFUSED or found.code == "HS316"]
        if refused and not self._leaves:
            self._leaves = True
            log.warning("the program is started anew, as %s cannot be applied while it runs", refused[0].code)
            self._mark.touch()
            threading.Thread(target=self._end, name="hotswap-restart", daemon=True).start()

    def _end(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(_LEAVES)

    def _leave(self, number: int, _: FrameType | None) -> None:
        if self._leaves:
            raise SystemExit(_LEAVES)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
