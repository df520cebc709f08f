"""`hotswap --restart`: the program ends and begins anew where an edit cannot be applied while it runs, nowhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import hotswap

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="signals of POSIX")

HOME = str(Path(hotswap.__file__).parents[1])
LIB = "class A:\n    __slots__ = ('x',)\n\nold = A()\n\ndef word():\n    return 'one'\n"
APP = """\
import atexit, os, sys, time
import lib
atexit.register(lambda: print("atexit", flush=True))
print("begin", os.getpid(), flush=True)
said = ""
while not os.path.exists("end"):
    if lib.word() != said:
        said = lib.word()
        print(said, os.getpid(), flush=True)
    time.sleep(0.01)
sys.exit(7)
"""


class Running:
    """A program below `hotswap --restart`, and what it prints."""

    def __init__(self, folder: Path, app: str = APP) -> None:
        self.folder = folder
        (folder / "lib.py").write_text(LIB)
        (folder / "app.py").write_text(app)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hotswap", "--restart", "app.py"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": HOME},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self) -> list[str]:
        """Return the words of the next line that the program prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().split()

    def save(self, old: str, new: str) -> None:
        (self.folder / "lib.py").write_text((self.folder / "lib.py").read_text().replace(old, new))

    def end(self) -> tuple[int, str]:
        (self.folder / "end").touch()
        _, told = self.process.communicate(timeout=60)
        return self.process.returncode, told


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    one = Running(tmp_path)
    yield one
    one.process.kill()
    one.process.communicate()


def test_only_what_cannot_be_applied_starts_the_program_anew(running: Running) -> None:
    """A body is changed in the same process; another layout begins a new one, with the words of the first."""
    _, first = running.line()
    assert running.line() == ["one", first]
    running.save("'one'", "'two'")
    assert running.line() == ["two", first]
    running.save("('x',)", "('x', 'y')")
    assert running.line() == ["atexit"]
    _, second = running.line()
    assert second != first and running.line() == ["two", second]
    code, told = running.end()
    assert code == 7
    assert "the program is started anew, as HS1" in told and told.count("started anew") == 1


def test_a_program_that_is_killed_is_not_started_again(running: Running) -> None:
    """SIGTERM goes to the program, whose end is that of the process which was started."""
    running.line()
    running.process.send_signal(signal.SIGTERM)
    running.process.communicate(timeout=60)
    assert running.process.returncode == -signal.SIGTERM


def test_a_handler_of_the_program_is_asked(tmp_path: Path) -> None:
    """A program that ends in its own way upon SIGTERM does so before it begins anew."""
    closing = "import signal, sys\ndef close(*_):\n    print('closing', flush=True)\n    sys.exit(0)\n"
    running = Running(tmp_path, f"{closing}signal.signal(signal.SIGTERM, close)\n{APP}")
    assert [running.line()[0] for _ in range(2)] == ["begin", "one"]
    running.save("('x',)", "('x', 'y')")
    assert [running.line()[0] for _ in range(3)] == ["closing", "atexit", "begin"]
    assert running.end()[0] == 7


@pytest.mark.parametrize("words", [[], ["-"], ["-m"]])
def test_no_program_is_refused_at_once(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What names no program is told before anything is started."""
    from hotswap.cli import main

    assert main(["--restart", *words]) == 2
    assert capsys.readouterr().err
