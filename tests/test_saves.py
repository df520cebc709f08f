"""Save styles against the ways to notice them, on real files with the real thread: nothing lost, nothing twice."""

from __future__ import annotations

import importlib
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from saved import Project
from saves import STYLES, Style

from hotswap import Reloader, Report
from hotswap._line import Line

if TYPE_CHECKING:
    from conftest import Files

    from hotswap._model import Batch

TIMES: Final = int(os.environ.get("HOTSWAP_SAVES", "2"))
"""How often each style is tried; 50 take some minutes."""


@pytest.mark.parametrize("style", [style for style in STYLES if style.possible], ids=lambda style: style.name)
def test_each_save_is_one_swap(style: Style, means: str, project: Project) -> None:
    """However a file is saved, what it says is live soon after; nothing runs twice, and nothing is ever missing."""
    with Reloader(project.root, apply="thread", on_report=project.reports.append) as reloader:
        for number in range(1, TIMES + 1):
            before = project.changes()
            style.save(project.path, project.text(number))
            assert project.wait_for(lambda number=number: project.is_at(number)), f"save {number} was lost"
            assert project.wait_for(lambda before=before: project.changes() >= before + style.least)
            project.settle(reloader)
            assert project.changes() <= before + style.swaps, project.reports[-1]
    assert project.runs == [1000 + number for number in range(TIMES + 1)]


def test_a_save_of_the_same_text_is_no_swap(means: str, project: Project) -> None:
    """Saving what is there already does nothing, and the save after it is seen."""
    with Reloader(project.root, apply="thread", on_report=project.reports.append) as reloader:
        for _ in range(TIMES):
            project.path.write_text(project.text(0), encoding="utf-8")
            project.settle(reloader)
        assert not any(report.changed for report in project.reports)
        project.path.write_text(project.text(1), encoding="utf-8")
        assert project.wait_for(lambda: project.is_at(1))
    assert project.runs == [1000, 1001]


linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere events come in their own time")


@linux
@pytest.mark.parametrize("text", ["def f():\n    return {}\n", "NUMBER = {}\n\ndef f():\n    return NUMBER\n"])
def test_files_saved_while_the_first_is_read_are_one_swap(
    files: Files, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Before anything is applied it is seen that more came: the first file of many is not live alone."""
    for stem in ("one", "two"):
        files.path(stem).write_text(text.format(1), encoding="utf-8")
    modules = [files.load(stem) for stem in ("one", "two")]
    looked, told = Line._known, threading.Event()
    reports: list[Report] = []
    saves = [text.format(2), text.format(3)]

    def saved_meanwhile(line: Line, batch: Batch | None) -> Any:
        if saves:
            files.path("two").write_text(saves.pop(0), encoding="utf-8")
        return looked(line, batch)

    def tell(report: Report) -> None:
        reports.append(report)
        told.set()

    monkeypatch.setattr(Line, "_known", saved_meanwhile)
    with Reloader(files.root, apply="thread", on_report=tell) as reloader:
        reloader.inbox._cap = 60.0  # however busy the machine is
        files.path("one").write_text(text.format(2), encoding="utf-8")
        assert told.wait(30)
    assert [module.f() for module in modules] == [2, 3]
    assert [{outcome.step.module for outcome in report.outcomes} for report in reports] == [
        {module.__name__ for module in modules}
    ]


FILES: Final = 300
_trees = itertools.count()


class Checkout:
    """A repository of modules on two branches, on the first of which it is."""

    def __init__(self, root: Path, stem: str) -> None:
        self.root, self.names = root, [f"{stem}{number}" for number in range(FILES)]
        root.mkdir()
        self.git("init", "-q", "-b", "one")
        self.write(1)
        self.commit()
        self.git("checkout", "-q", "-b", "two")
        self.write(2)
        self.commit()
        self.git("checkout", "-q", "one")

    def git(self, *arguments: str) -> None:
        settings = ("user.name=me", "user.email=me@example.org", "commit.gpgsign=false", "gc.auto=0")
        options = itertools.chain.from_iterable(("-c", setting) for setting in settings)
        subprocess.run(["git", *options, *arguments], cwd=self.root, check=True, capture_output=True, timeout=60)

    def write(self, number: int) -> None:
        for name in self.names:
            (self.root / f"{name}.py").write_text(f"NUMBER = {number}\n", encoding="utf-8")

    def commit(self) -> None:
        self.git("add", ".")
        self.git("commit", "-q", "-m", "next")

    def numbers(self) -> set[int]:
        return {sys.modules[name].NUMBER for name in self.names}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Checkout]:
    made = Checkout(tmp_path / "repository", f"tree{next(_trees)}_")
    monkeypatch.syspath_prepend(str(made.root))
    for name in made.names:
        importlib.import_module(name)
    yield made
    for name in made.names:
        del sys.modules[name]


@linux
def test_a_checkout_is_one_transaction(checkout: Checkout) -> None:
    """What git writes in one command, 300 files, is one swap: checkout, stash and its return, rebase."""
    reports: list[Report] = []

    def settle(number: int, swaps: int) -> None:
        until = time.monotonic() + 20
        while len(reports) < swaps and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(0.2)  # no other one may come: there is no event for that
        assert checkout.numbers() == {number}, [str(report) for report in reports]
        assert [len(report.outcomes) for report in reports] == [FILES] * swaps

    with Reloader(checkout.root, apply="thread", on_report=reports.append):
        checkout.git("checkout", "-q", "two")
        settle(2, 1)
        checkout.git("checkout", "-q", "one")
        settle(1, 2)
        checkout.git("checkout", "-q", "two", "--", ".")
        settle(2, 3)
        checkout.git("stash")
        settle(1, 4)
        checkout.git("stash", "pop")
        settle(2, 5)
        checkout.git("reset", "-q", "--hard")
        settle(1, 6)
        (checkout.root / "notes.txt").write_text("more\n", encoding="utf-8")
        checkout.commit()
        checkout.git("rebase", "-q", "two")
        settle(2, 7)


@linux
@pytest.mark.parametrize("command", ["rebase", "cherry-pick"])
def test_a_rebase_of_several_commits_is_one_transaction(checkout: Checkout, command: str) -> None:
    """Each of its steps takes git's lock anew and writes files of its own; they are one swap."""
    reports: list[Report] = []
    for part in range(3):
        for name in checkout.names[part::3]:
            (checkout.root / f"{name}.py").write_text("NUMBER = 3\n", encoding="utf-8")
        checkout.commit()
    checkout.git("branch", "three")
    checkout.git("reset", "-q", "--hard", "HEAD~3")
    (checkout.root / "notes.txt").write_text("more\n", encoding="utf-8")
    checkout.commit()
    with Reloader(checkout.root, apply="thread", on_report=reports.append) as reloader:
        checkout.git(*(("rebase", "-q", "HEAD", "three") if command == "rebase" else (command, "three~3..three")))
        until = time.monotonic() + 30
        while checkout.numbers() != {3} and time.monotonic() < until:
            time.sleep(0.01)
        reloader.look()
    assert checkout.numbers() == {3}
    assert [len(report.outcomes) for report in reports] == [FILES]


@linux
def test_many_files_without_git_change_once_each(checkout: Checkout) -> None:
    """Whatever writes them, in however many swaps: each module follows once, and none is left."""
    reports: list[Report] = []
    with Reloader(checkout.root, apply="thread", on_report=reports.append) as reloader:
        checkout.write(2)
        until = time.monotonic() + 30
        while checkout.numbers() != {2} and time.monotonic() < until:
            time.sleep(0.01)
        reloader.look()
    assert checkout.numbers() == {2}
    assert sum(len(report.outcomes) for report in reports) == FILES
    if os.environ.get("HOTSWAP_SAVES"):
        print(f"{FILES} files: {len(reports)} swaps")


@linux
def test_a_save_amid_more_events_than_the_system_keeps(project: Project) -> None:
    """The queue is full when it comes: that is told, everything is looked at, and the save is live, once."""
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 50_000:
        pytest.skip("too many events for a test")
    with Reloader(project.root, apply="manual") as reloader:
        assert not reloader.look()
        noise = project.root / "noise"
        for _ in range(most // 3 + 10):  # made, closed, gone: equal events one after the other are kept once
            os.close(os.open(noise, os.O_CREAT | os.O_WRONLY))
            noise.unlink()
        project.path.write_text(project.text(1), encoding="utf-8")
        report = reloader.look()
        assert project.is_at(1)
        assert report is not None
        assert [found.code for found in report.findings] == ["HS402", "HS203"]
        project.path.write_text(project.text(2), encoding="utf-8")
        reloader.look()
        assert project.is_at(2)
    assert project.runs == [1000, 1001, 1002]
