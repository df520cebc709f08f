"""`hotswap demo`: a small bot runs while its files are edited, and is asked before and after each edit.

Nothing is staged: the files are saved, the watcher sees them, and the next answer is waited for only once its report
has come. An answer other than the expected one ends the demo with exit code 1, so it serves as a smoke test too.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import os
import queue
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from hotswap import _report
from hotswap._errors import HotswapError
from hotswap._model import Report, Severity
from hotswap._reloader import Reloader
from hotswap.demo_files import CLOSING, EDITS, FILES, OPENING, Edit

_DEADLINE: Final = 10.0
"""Seconds to wait for one report or answer; both take well below 0.2 s on an idle machine."""

_READING_TIME: Final = 1.1
"""Seconds that a person gets to read one edit; nobody reads along if the output goes to a file."""

_COLOURS: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "cyan": "36"}


class _Unexpected(Exception):
    """The demo did not go as it should; the message says what came instead."""


class _Screen:
    """Standard output, in colours and at reading speed if it is a terminal (and ``NO_COLOR`` is not set)."""

    def __init__(self) -> None:
        self.live = sys.stdout.isatty()
        self.coloured = self.live and not os.environ.get("NO_COLOR")

    def say(self, text: str = "", colour: str = "") -> None:
        code = _COLOURS.get(colour) if self.coloured and text else None
        sys.stdout.write(f"\033[{code}m{text}\033[0m\n" if code else f"{text}\n")
        sys.stdout.flush()

    def pause(self) -> None:
        if self.live:
            time.sleep(_READING_TIME)

    def show_edit(self, edit: Edit, before: str, after: str) -> None:
        diff = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
        shown = [line for line in list(diff)[3:] if line.strip("+-")]
        self.say(f"   {edit.file}")
        for line in shown:
            self.say(f"     {line[0]} {line[1:]}", "green" if line.startswith("+") else "red")

    def show_report(self, report: Report, seconds: float, folder: str) -> None:
        for line in _report.text(report).splitlines():
            self.say(f"   {line.replace(folder + os.sep, '')}", "cyan")
        self.say(f"   ({seconds * 1e3:.0f} ms after the save)", "dim")

    def show_talk(self, when: str, ask: str, answer: str, number: int) -> None:
        self.say(f"   {when:<7}you: {ask:<15} bot: {answer:<36} #{number}")


class _Talk:
    """The running bot, its thread and its folder, and the reports that come in while its files are edited."""

    def __init__(self, folder: Path, screen: _Screen, reports: queue.SimpleQueue[Report]) -> None:
        self.folder = folder
        self.screen = screen
        self.reports = reports
        self.inbox: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.outbox: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.bot: Any = importlib.import_module("bot").Bot()
        self.thread = threading.Thread(target=self.bot.serve, args=(self.inbox, self.outbox), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.inbox.put(None)
        self.thread.join(_DEADLINE)

    def ask(self, when: str, line: str, expected: str) -> None:
        """Say `line` to the bot and show its answer. Raises _Unexpected if it is not `expected`."""
        self.inbox.put(line)
        try:
            answer = self.outbox.get(timeout=_DEADLINE)
        except queue.Empty:
            raise _Unexpected(f"the bot did not answer {line!r} within {_DEADLINE:.0f} s") from None
        self.screen.show_talk(when, line, answer, self.bot.answered)
        if answer != expected:
            raise _Unexpected(f"the bot should have answered {expected!r}")

    def play(self, number: int, edit: Edit) -> float:
        """Save `edit`, wait for the watcher's report, show all, and return the seconds between the two."""
        path = self.folder / edit.file
        old = path.read_text(encoding="utf-8")
        new = old.replace(edit.old, edit.new, 1) if edit.old else old + edit.new
        self.screen.say()
        self.screen.say(f"{number}. {edit.title}", "bold")
        self.ask("before", edit.ask, edit.before)
        self.screen.show_edit(edit, old, new)
        began = time.perf_counter()
        path.write_text(new, encoding="utf-8")
        report = self.await_report(edit)
        seconds = time.perf_counter() - began
        self.screen.show_report(report, seconds, str(self.folder))
        self.ask("after", edit.ask, edit.after)
        self.screen.pause()
        return seconds

    def await_report(self, edit: Edit) -> Report:
        """Return the report that says that `edit` is live, or if it is broken, that it is held."""
        deadline = time.monotonic() + _DEADLINE
        seen: list[str] = []
        while (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                report = self.reports.get(timeout=left)
                if _is_answer(report, edit):
                    return report
                seen.append(str(report))
        heard = "; it said: " + " / ".join(seen) if seen else ""
        raise _Unexpected(f"hotswap did not report the edit of {edit.file} within {_DEADLINE:.0f} s{heard}")


def run_demo() -> int:
    """Play the demo on standard output and return its exit code: 0, 1 if it went wrong, 130 after Ctrl-C.

    Takes below 15 seconds. The bot's files lie in a temporary folder that is removed in every case.
    """
    screen = _Screen()
    try:
        with tempfile.TemporaryDirectory(prefix="hotswap-demo-") as folder, _bot_in(Path(folder), screen) as talk:
            _play_all(talk, screen)
        return 0
    except (_Unexpected, HotswapError) as exc:
        screen.say()
        screen.say(f"The demo went wrong: {exc}.", "red")
        return 1
    except KeyboardInterrupt:
        screen.say()
        screen.say("Stopped. The demo's files are removed.")
        return 130


@contextlib.contextmanager
def _bot_in(folder: Path, screen: _Screen) -> Iterator[_Talk]:
    """Start a bot from files written to `folder`, watched; afterwards take all of it out of this process again."""
    folder = folder.resolve()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
    with contextlib.ExitStack() as ending:
        sys.path.insert(0, str(folder))
        ending.callback(_forget, str(folder))
        reloader = Reloader(folder, apply="thread", on_report=reports.put)
        reloader.start()
        ending.callback(reloader.stop)
        talk = _Talk(folder, screen, reports)
        ending.callback(talk.stop)
        yield talk


def _forget(folder: str) -> None:
    sys.path.remove(folder)
    for name in FILES:
        sys.modules.pop(Path(name).stem, None)


def _play_all(talk: _Talk, screen: _Screen) -> None:
    screen.say("A small bot runs in this process, and its files are edited while it runs.", "bold")
    screen.say(
        f"process {os.getpid()}, files in {talk.folder} (removed at the end), #n is the bot's n-th answer", "dim"
    )
    for line, expected in OPENING:
        talk.ask("", line, expected)
    screen.pause()
    seconds = [talk.play(number, edit) for number, edit in enumerate(EDITS, 1)]
    screen.say()
    screen.say("The end", "bold")
    talk.ask("", *CLOSING)
    median = sorted(seconds)[len(seconds) // 2] * 1e3
    screen.say(f"   {len(EDITS)} edits, {talk.bot.answered} answers, one process, one bot: nothing was restarted.")
    screen.say(f"   From save to live: {median:.0f} ms (median), {max(seconds) * 1e3:.0f} ms at most.")
    screen.say()
    screen.say("Now yours:  hotswap your_script.py    or    hotswap -m your_module")


def _is_answer(report: Report, edit: Edit) -> bool:
    if edit.broken:
        return any(finding.severity is Severity.HELD for finding in _report.findings(report))
    return report.changed
