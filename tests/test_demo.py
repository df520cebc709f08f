"""The demo: what a stranger sees first has to work, to end soon, and to leave nothing behind."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hotswap import demo
from hotswap._model import Report
from hotswap.demo_files import EDITS, FILES


class Deaf:
    """A reloader that sees nothing, or says something else than expected."""

    said: Report | None = None

    def __init__(self, folder: Path, on_report: Callable[[Report], object], **settings: Any) -> None:
        self.on_report = on_report

    def start(self) -> None:
        """Say what there is to say."""
        if self.said is not None:
            self.on_report(self.said)

    def stop(self) -> None:
        """Stop nothing."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def is_clean(place: Path) -> bool:
    """Whether nothing of the demo is left: no file, path, module or thread."""
    modules = {Path(name).stem for name in FILES} & set(sys.modules)
    paths = [path for path in sys.path if path.startswith(str(place.resolve()))]
    threads = [thread for thread in threading.enumerate() if "serve" in thread.name]
    return not (list(place.iterdir()) or modules or paths or threads)


def test_demo_plays_every_edit(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each edit is live for the running bot, its answers are counted through, and nothing stays behind."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    code = demo.run_demo()
    shown = capsys.readouterr().out
    assert code == 0, shown
    assert all(f"{number}. {edit.title}" in shown for number, edit in enumerate(EDITS, 1))
    assert f"{len(EDITS)} edits, {2 * len(EDITS) + 3} answers" in shown
    assert re.findall("HS[0-9]+", shown) == ["HS301"]
    assert "\033" not in shown
    assert shown.isascii()
    assert is_clean(place)


def test_demo_fails_if_no_report_comes(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watcher that sees nothing ends the demo with words and exit code 1."""
    monkeypatch.setattr(demo, "Reloader", Deaf)
    monkeypatch.setattr(demo, "_DEADLINE", 0.05)
    assert demo.run_demo() == 1
    assert "went wrong: hotswap did not report the edit of commands.py" in capsys.readouterr().out
    assert is_clean(place)


def test_demo_fails_if_the_answer_is_old(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report alone is not believed: an old answer after it ends the demo with exit code 1."""
    monkeypatch.setattr(demo, "Reloader", Deaf)
    monkeypatch.setattr(demo, "_is_answer", lambda report, edit: True)
    monkeypatch.setattr(Deaf, "said", Report(1))
    assert demo.run_demo() == 1
    assert "went wrong: the bot should have answered 'Hello, Ann! Nice to see you.'" in capsys.readouterr().out
    assert is_clean(place)


def test_control_c_leaves_nothing_behind(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle ends with the shell's code for it, and the files are gone."""

    def interrupt(*_: object) -> None:
        assert list(place.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "Reloader", Deaf)
    monkeypatch.setattr(demo, "_play_all", interrupt)
    assert demo.run_demo() == 130
    assert "Stopped" in capsys.readouterr().out
    assert is_clean(place)


class Terminal:
    """Standard output that says it is a terminal."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        """Flush nothing."""


@pytest.mark.parametrize(("wish", "coloured"), [("", True), ("1", False)], ids=["colours", "NO_COLOR"])
def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch, wish: str, coloured: bool) -> None:
    """A terminal gets colours unless NO_COLOR is set to something."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("NO_COLOR", wish)
    demo._Screen().say("word", "red")
    assert ("\033[31m" in terminal.text) is coloured
    assert "word" in terminal.text


def test_edits_apply_to_the_files_one_after_the_other() -> None:
    """Every edit finds its old text exactly once, and only those marked as broken do not compile."""
    files = dict(FILES)
    for edit in EDITS:
        assert not edit.old or files[edit.file].count(edit.old) == 1
        files[edit.file] = files[edit.file].replace(edit.old, edit.new) if edit.old else files[edit.file] + edit.new
        try:
            compile(files[edit.file], edit.file, "exec")
        except SyntaxError:
            assert edit.broken
        else:
            assert not edit.broken


def test_command_ends_in_time() -> None:
    """The command itself, as typed, is done well within 15 seconds."""
    folder = Path(demo.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "hotswap", "demo"], cwd=folder, timeout=15, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
