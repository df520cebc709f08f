"""A failure of hotswap itself, at whatever stage: it is named, the program runs on, and the next save is applied."""

from __future__ import annotations

import logging
import queue
import threading
from typing import NoReturn

import pytest
from conftest import Files

from hotswap import Reloader, Report, _blame
from hotswap._inbox import Inbox
from hotswap._line import Line
from hotswap._plan._prepare import Reading
from hotswap._points._host import Host
from hotswap._process import PROCESS
from hotswap._small import SmallEdits
from hotswap._transactions import Transactions

STAGES = [
    (Inbox, "take"),
    (Line, "_known"),
    (SmallEdits, "find"),
    (Reading, "prepare"),
    (Transactions, "apply_all"),
]


def fail(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("a bug")


def codes(report: Report | None) -> list[str]:
    return [found.code for found in report.findings] if report is not None else []


@pytest.fixture(autouse=True)
def quiet_log(caplog: pytest.LogCaptureFixture) -> None:
    """Tracebacks of bugs are looked at, not shown."""
    caplog.set_level(logging.CRITICAL + 1, "hotswap")


@pytest.mark.parametrize(("owner", "stage"), STAGES)
def test_the_next_save_brings_what_a_failure_held(
    files: Files, monkeypatch: pytest.MonkeyPatch, owner: type, stage: str
) -> None:
    """A bug in a stage is told by file, the old code runs on, and a save of another module makes both live."""
    for stem in ("one", "two"):
        files.write(stem, "X = 1\n")
    one, two = files.load("one"), files.load("two")
    with Reloader(files.root, apply="manual") as reloader:
        with monkeypatch.context() as patching:
            patching.setattr(owner, stage, fail)
            files.write("one", "X = int('2')\n")
            report = reloader.reload()
        assert (codes(report), one.X) == (["HS304"], 1)
        assert reloader.errors() == report.findings
        assert [codes(told) for told in reloader.reports()] == [["HS304"]]
        files.write("two", "X = 2\n")
        reloader.reload()
        assert (one.X, two.X, reloader.errors()) == (2, 2, ())


def test_a_failure_names_the_file_that_was_saved(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads of a bug reads which save it was."""
    files.write("one", "X = 1\n")
    files.load("one")
    with Reloader(files.root, apply="manual") as reloader, monkeypatch.context() as patching:
        patching.setattr(Reading, "prepare", fail)
        files.write("one", "X = int('2')\n")
        report = reloader.look()
    assert report is not None
    assert [(one.code, one.path) for one in report.findings] == [("HS304", str(files.path("one").resolve()))]


def test_what_fails_is_not_tried_all_the_time(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is told once for each save: a poll after it finds nothing to do."""
    files.write("one", "X = 1\n")
    one = files.load("one")
    with Reloader(files.root, apply="poll") as reloader:
        while reloader.poll() is not None:
            pass
        with monkeypatch.context() as patching:
            patching.setattr(Reading, "prepare", fail)
            files.write("one", "X = int('2')\n")
            while (report := reloader.poll()) is None:
                pass
            assert codes(report) == ["HS304"]
            assert [reloader.poll() for _ in range(3)] == [None] * 3
        reloader.reload()
    assert one.X == 2


@pytest.mark.parametrize(("owner", "stage"), [(Line, "due"), (Host, "_at_safe_point")])
def test_the_thread_outlives_what_fails_in_it(
    files: Files, monkeypatch: pytest.MonkeyPatch, owner: type, stage: str
) -> None:
    """A bug in what hotswap's thread does is told once, and the thread goes on when that is over."""
    files.write("one", "X = 1\n")
    one = files.load("one")
    monkeypatch.setattr("hotswap._points._host.REST", 0.01)
    reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
    rounds: queue.SimpleQueue[None] = queue.SimpleQueue()

    def fail_again(*_: object) -> NoReturn:
        rounds.put(None)
        raise RuntimeError("a bug")

    with Reloader(files.root, apply="thread", on_report=reports.put):
        with monkeypatch.context() as patching:
            patching.setattr(owner, stage, fail_again)
            files.write("one", "X = 2\n")
            rounds.get(timeout=10)
            assert codes(reports.get(timeout=10)) == ["HS304"]
            rounds.get(timeout=10)  # it fails again
            rounds.get(timeout=10)
            assert reports.empty()
        files.write("one", "X = 3\n")
        while not reports.get(timeout=10).changed or one.X != 3:
            pass
        assert "hotswap-apply" in {thread.name for thread in threading.enumerate()}


def test_an_import_does_not_fail_with_us(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in what is noted of an import is logged; the module is there, and its edits are applied."""
    files.write("one", "X = 1\n")
    with Reloader(files.root, apply="manual") as reloader:
        with monkeypatch.context() as patching:
            patching.setattr(PROCESS.baselines, "note", fail)
            one = files.load("one")
        reloader.reload()
        files.write("one", "X = 2\n")
        reloader.reload()
    assert one.X == 2


def test_a_report_that_nobody_can_be_told_of_is_returned(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in telling what is live changes nothing of it."""
    files.write("one", "X = 1\n")
    one = files.load("one")
    with Reloader(files.root, apply="manual") as reloader, monkeypatch.context() as patching:
        patching.setattr(Line, "finish", fail)
        files.write("one", "X = 2\n")
        report = reloader.reload()
    assert (report.changed, codes(report), one.X) == (True, [], 2)


def test_an_exception_is_told_though_we_cannot_name_the_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in looking for the edit behind an exception leaves the program's own hook its turn."""
    told: list[object] = []
    monkeypatch.setattr(_blame, "_REPLACED", [lambda *error: told.append(error)])
    monkeypatch.setattr(_blame, "edit_behind", fail)
    error = ValueError("the program's")
    _blame._name_and_go_on(ValueError, error, None)
    assert told == [(ValueError, error, None)]
    assert not hasattr(error, "__notes__")
