"""A module that is saved while a reloader watches it: what it says, what ran, what was told."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Final

from hotswap import Reloader, Report

TEXT: Final = "import saves_seen\n\nsaves_seen.RUNS.append(NUMBER)\n\ndef f():\n    return NUMBER\n"
PATIENCE: Final = 30.0
"""Seconds after which something that has not come is lost: the machine may be busy."""

_numbers = itertools.count()


class Project:
    """A module under a name of its own, the numbers that its statement was run with, and the reports of its swaps."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "above" / "project"
        self.root.mkdir(parents=True)
        self.name = f"saved_{next(_numbers)}"
        self.path = self.root / f"{self.name}.py"
        self.path.write_text(self.text(0), encoding="utf-8")
        self.seen = ModuleType("saves_seen")
        self.seen.__dict__["RUNS"] = self.runs = []
        self.reports: list[Report] = []

    @staticmethod
    def text(number: int) -> str:
        return TEXT.replace("NUMBER", f"{1000 + number}")

    def wait_for(self, done: Callable[[], bool]) -> bool:
        """Wait until `done`; meanwhile the function is there and gives a number, whatever happens to its file."""
        f = sys.modules[self.name].f
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            assert sys.modules[self.name].f() == f()
            if done():
                return True
            time.sleep(0.001)
        return False

    def is_at(self, number: int) -> bool:
        return bool(sys.modules[self.name].f() == 1000 + number)

    def changes(self) -> int:
        return sum(1 for report in self.reports if report.changed)

    def settle(self, reloader: Reloader) -> None:
        """Wait until all that was saved is live, and what may come of it twice has come."""
        assert self.wait_for(lambda: reloader.inbox.empty)
        time.sleep(0.08)  # nothing may come: there is no event for that
        reloader.look()  # waits for a swap under way, and has what a busy machine did not get to yet

    @contextmanager
    def live(self) -> Iterator[Live]:
        """Have a reloader watch; at the end each number has run once, in the order in which they were live."""
        with Reloader(self.root, apply="thread", on_report=self.reports.append):
            live = Live(self)
            yield live
        assert self.runs == live.numbers


class Live:
    """What a test expects of a project that is watched."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.numbers = [1000]

    def comes_to(self, number: int) -> None:
        """The text with `number` is live soon."""
        assert self._project.wait_for(lambda: self._project.is_at(number)), f"save {number} was lost"
        self.numbers.append(1000 + number)

    def stays(self, number: int) -> None:
        """The text with `number` is live, for a while at least."""
        until = time.monotonic() + 0.1  # nothing may come: there is no event for that
        assert self._project.wait_for(lambda: not self._project.is_at(number) or time.monotonic() > until)
        assert self._project.is_at(number)

    def tells(self, code: str) -> None:
        """A finding of `code` is told soon."""
        reports = self._project.reports
        assert self._project.wait_for(lambda: any(found.code == code for one in reports for found in one.findings))
