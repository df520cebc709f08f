"""The command line: which words are ours, what a program is started with, and where the log goes."""

from __future__ import annotations

import contextlib
import logging
import logging.config
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hotswap import _program, cli, demo
from hotswap._errors import SettingsError
from hotswap._model import Report
from hotswap._settings import Settings


class Recorder:
    """Stands for the reloader and for the program: notes what it was made with and what was run."""

    made: list[tuple[tuple[str, ...], dict[str, Any]]]
    ran: list[tuple[str, str, list[str]]]

    def __init__(self, *paths: str, **settings: Any) -> None:
        if settings.get("apply") == "manual":
            raise SettingsError("apply='manual' is refused here")
        self.settings = Settings(("/a", "/b"))
        self.made.append((paths, settings))

    def start(self) -> None:
        """Start nothing."""

    def stop(self) -> None:
        """Stop nothing."""

    def adopt_main(self, path: str, text: bytes) -> None:
        """Adopt nothing."""


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> type[Recorder]:
    """A recorder in the places of the reloader and of the program."""
    Recorder.made, Recorder.ran = [], []

    def run_path(path: str, argv: Sequence[str], start: _program.Start) -> None:
        start("/folder")("/folder/x.py", b"")
        Recorder.ran.append(("script", path, list(argv)))

    def run_module(name: str, argv: Sequence[str], start: _program.Start) -> None:
        start("/folder")
        Recorder.ran.append(("module", name, list(argv)))

    monkeypatch.setattr("hotswap._reloader.Reloader", Recorder)
    monkeypatch.setattr(cli.atexit, "register", lambda function: function)
    monkeypatch.setattr(_program, "run_path", run_path)
    monkeypatch.setattr(_program, "run_module", run_module)
    return Recorder


def named_loggers() -> dict[str, logging.Logger]:
    """All loggers of this process by name."""
    found = logging.Logger.manager.loggerDict
    return {name: logger for name, logger in found.items() if isinstance(logger, logging.Logger)}


@pytest.fixture(autouse=True)
def logger() -> Iterator[logging.Logger]:
    """The logger of hotswap, afterwards as it was."""
    logger = cli.LOGGER
    before = logger.handlers[:], logger.level, logger.propagate
    others = logging.getLogger().handlers[:], {name: found.disabled for name, found in named_loggers().items()}
    yield logger
    for added in set(logger.handlers) - set(before[0]):
        added.close()
    logger.handlers[:], logger.level, logger.propagate = before
    logging.getLogger().handlers[:] = others[0]
    for name, disabled in others[1].items():
        logging.getLogger(name).disabled = disabled


RUNS = [
    ("x.py", ("script", "x.py", [])),
    ("x.py a -q --root b", ("script", "x.py", ["a", "-q", "--root", "b"])),
    ("x.py -m y", ("script", "x.py", ["-m", "y"])),
    ("-q x.py -q", ("script", "x.py", ["-q"])),
    ("--root demo x.py", ("script", "x.py", [])),
    ("--apply=poll --log-file=log x.py", ("script", "x.py", [])),
    ("-- x.py --", ("script", "x.py", ["--"])),
    ("x.py -- y", ("script", "x.py", ["--", "y"])),
    ("-m pkg", ("module", "pkg", [])),
    ("-m pkg -q --version", ("module", "pkg", ["-q", "--version"])),
    ("-mpkg x", ("module", "pkg", ["x"])),
    ("-qvmpkg x", ("module", "pkg", ["x"])),
    ("-q -m pkg -- x", ("module", "pkg", ["--", "x"])),
    ("-m demo", ("module", "demo", [])),
    ("run x.py run", ("script", "x.py", ["run"])),
    ("run -q x.py", ("script", "x.py", [])),
    ("run demo", ("script", "demo", [])),
    ("run run", ("script", "run", [])),
    ("run -m plan a", ("module", "plan", ["a"])),
    ("./demo", ("script", "./demo", [])),
    ("./plan x", ("script", "./plan", ["x"])),
]


@pytest.mark.parametrize(("line", "ran"), RUNS, ids=[line for line, _ in RUNS])
def test_options_before_the_program_are_ours(
    recorder: type[Recorder],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    ran: tuple[str, str, list[str]],
) -> None:
    """Every word behind the script or module belongs to it, whatever it looks like."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(line.split()) is None
    assert recorder.ran == [ran]


REFUSED = [
    ("graph nowhere", "nowhere: no such package, module or folder"),
    ("demo x", "the demo takes no arguments (to run a file of that name: hotswap ./demo)"),
    ("-", "a program on standard input has no file to watch; give it a file"),
    ("-m", "argument expected for the -m option"),
    ("--apply manual x.py", "apply='manual' is refused here"),
]


@pytest.mark.parametrize(("line", "said"), REFUSED, ids=[line for line, _ in REFUSED])
def test_refused_lines_end_with_one_line_and_code_2(
    recorder: type[Recorder], capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    """What cannot be done is said in one line on standard error, and nothing is run."""
    assert cli.main(line.split()) == 2
    assert capsys.readouterr() == ("", f"hotswap: {said}\n")
    assert recorder.ran == []


@pytest.mark.parametrize("line", ["--apply sometimes x.py", "--nonsense x.py", "--root", "-c pass", "--qui x.py"])
def test_wrong_options_end_with_usage_and_code_2(
    recorder: type[Recorder], capsys: pytest.CaptureFixture[str], line: str
) -> None:
    """An option that does not exist, or a value that is not accepted, is told before anything runs."""
    with pytest.raises(SystemExit) as ending:
        cli.main(line.split())
    assert ending.value.code == 2
    assert "usage: hotswap [options] SCRIPT" in capsys.readouterr().err
    assert recorder.made == []


def test_settings_are_only_what_was_asked_for(recorder: type[Recorder]) -> None:
    """Options that were not given are left to pyproject.toml, and without roots the default ones are taken."""
    cli.main(["x.py"])
    cli.main(["--strict", "--apply", "poll", "--root", "a", "--root=b", "x.py"])
    made = [
        (paths, {name: value for name, value in given.items() if name != "on_report"}) for paths, given in recorder.made
    ]
    assert made == [((), {}), (("/folder", "a", "b"), {"strict": True, "apply": "poll"})]


def test_script_folder_is_watched_although_it_is_not_on_the_path(
    recorder: type[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -P the interpreter does not put the script's folder on sys.path; it is watched beside the default ones."""

    class Flags:
        safe_path = True

    monkeypatch.setattr(sys, "flags", Flags)
    monkeypatch.setattr(cli, "default_roots", lambda: ("/usual",))
    cli.main(["x.py"])
    assert [paths for paths, _ in recorder.made] == [("/folder", "/usual")]


def test_no_program_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a program the help is shown on standard error, and the exit code is that of a wrong call."""
    assert cli.main([]) == 2
    assert "usage: hotswap [options] SCRIPT" in capsys.readouterr().err


def test_help_names_every_command_and_what_wins(capsys: pytest.CaptureFixture[str]) -> None:
    """The help says that a command wins over a file of its name, and how to run the file."""
    with pytest.raises(SystemExit) as ending:
        cli.main(["--help"])
    shown = capsys.readouterr().out
    assert ending.value.code == 0
    assert 'the command wins: "hotswap demo" is the command, "hotswap ./demo" runs the file' in shown
    assert max(map(len, shown.splitlines())) <= 120


def test_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is shown with that of Python, as both are asked for in a bug report."""
    assert cli.main(["--version"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("hotswap ")
    assert sys.version.split()[0] in said


LEVELS = [
    ("x.py", ["info", "warning"]),
    ("-q x.py", ["warning"]),
    ("-v x.py", ["watching /a, /b", "debug", "info", "warning"]),
]


@pytest.mark.parametrize(("line", "shown"), LEVELS, ids=[line for line, _ in LEVELS])
def test_log_goes_to_standard_error_once(
    recorder: type[Recorder], logger: logging.Logger, capsys: pytest.CaptureFixture[str], line: str, shown: list[str]
) -> None:
    """Each line begins with hotswap, and a root logger that the program sets up does not write it again."""
    root = logging.StreamHandler(sys.stderr)
    logging.getLogger().addHandler(root)
    try:
        cli.main(line.split())
        logger.debug("debug")
        logger.info("hotswap: info")
        logger.warning("warning")
    finally:
        logging.getLogger().removeHandler(root)
    assert capsys.readouterr() == ("", "".join(f"hotswap: {word}\n" for word in shown))


def test_reports_are_heard_although_the_program_configures_logging(
    recorder: type[Recorder], logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program that sets up logging in the usual way disables our logger; the next report is shown all the same."""
    cli.main(["x.py"])
    on_report = recorder.made[0][1]["on_report"]
    logging.config.dictConfig({"version": 1})
    logger.info("lost")
    on_report(Report(1))
    on_report(Report(2))
    logger.info("heard")
    assert capsys.readouterr().err.splitlines() == ["hotswap: no swap", "hotswap: heard"]


def test_details_are_logged_when_asked_for(recorder: type[Recorder], capsys: pytest.CaptureFixture[str]) -> None:
    """With -v a report's short line is followed by what was done to each module, and the phases' times."""
    cli.main(["-v", "x.py"])
    recorder.made[0][1]["on_report"](Report(3, seconds={"read": 0.001}))
    assert capsys.readouterr().err.splitlines()[1:] == ["hotswap: details", "  generation 3", "  read 1.0 ms"]


def test_log_file_is_appended_to(
    recorder: type[Recorder], logger: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log file keeps what it had, and nothing is written to the screen of a full-screen program."""
    (tmp_path / "log").write_text("before\n", encoding="utf-8")
    cli.main(["--log-file", str(tmp_path / "log"), "x.py"])
    logger.info("one")
    assert (tmp_path / "log").read_text(encoding="utf-8") == "before\nhotswap: one\n"
    assert capsys.readouterr() == ("", "")


def test_log_file_that_cannot_be_opened_is_told(
    recorder: type[Recorder], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log that cannot be written is told before the program runs."""
    assert cli.main(["--log-file", str(tmp_path / "no" / "log"), "x.py"]) == 2
    assert capsys.readouterr().err.startswith("hotswap: --log-file: ")
    assert recorder.ran == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_log_file_on_a_full_disk_is_told_once(
    recorder: type[Recorder], logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be logged costs one line, and the program runs on."""
    cli.main(["--log-file", "/dev/full", "x.py"])
    for _ in range(2):
        logger.info("lost")
    assert capsys.readouterr().err == "hotswap: /dev/full cannot be written: [Errno 28] No space left on device\n"
    handler = logger.handlers[-1]
    assert isinstance(handler, logging.FileHandler)
    with contextlib.suppress(OSError):
        handler.stream.close()
    handler.stream = open(os.devnull, "w")  # noqa: SIM115  closed with the handler


def test_a_reader_that_goes_is_no_failure(tmp_path: Path) -> None:
    """Who reads the first line of a graph and closes the pipe sees no traceback."""
    (tmp_path / "one.py").touch()
    command = [sys.executable, "-m", "hotswap", "graph"]
    paths = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, env=paths)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_namesake_of_a_loaded_module_is_told(
    recorder: type[Recorder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that the program cannot import, because hotswap has loaded its namesake, is named; others are not."""
    for name in ("logging.py", "os.py", "sys.py", "own.py", "__main__.py", "argparse/part.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(_program, "run_path", lambda path, argv, start: start(str(tmp_path)))
    cli.main(["x.py"])
    path = tmp_path / "logging.py"
    said = f"hotswap: {path} cannot be imported: hotswap has loaded another module of that name\n"
    assert capsys.readouterr() == ("", said)


def test_demo_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's exit code is that of the command."""
    monkeypatch.setattr(demo, "run_demo", lambda: 1)
    assert cli.main(["demo"]) == 1
