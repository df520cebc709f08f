"""The extension in a real terminal: IPython as a person starts it, typed into and read through a pseudo-terminal."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pexpect = pytest.importorskip("pexpect")
pytest.importorskip("IPython")

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")
LONGEST = 60


class Terminal:
    """IPython in `folder`, with its plain prompt: one that draws with escape sequences cannot be read back."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        options = ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor", "--no-confirm-exit"]
        self._child = pexpect.spawn(
            sys.executable,
            [*options, *arguments],
            cwd=str(folder),
            encoding="utf-8",
            timeout=LONGEST,
            echo=False,
            env={**os.environ, "IPYTHONDIR": str(folder / "profile"), "TERM": "dumb"},
        )
        self._number = 1
        self._prompt()

    def _prompt(self) -> str:
        self._child.expect(re.escape(f"In [{self._number}]: "))
        return ANSI.sub("", self._child.before).replace("\r\n", "\n").strip()

    def run(self, line: str) -> str:
        """Type a line; return what is shown until the next prompt."""
        self._child.sendline(line)
        self._number += 1
        return self._prompt()

    def send(self, line: str, prompt: str) -> str:
        """Type a line into something that has a prompt of its own; return what is shown until that."""
        self._child.sendline(line)
        self._child.expect_exact(prompt)
        return ANSI.sub("", self._child.before)

    def write(self, name: str, text: str) -> None:
        """Write a module."""
        (self.folder / f"{name}.py").write_text(text, encoding="utf-8")

    def stop(self) -> int | None:
        """Leave as with Ctrl-D; return the exit code."""
        self._child.sendeof()
        self._child.expect(pexpect.EOF)
        self._child.close()
        code: int | None = self._child.exitstatus
        return code


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path_factory.mktemp("terminal"), "--InteractiveShellApp.extensions=hotswap")
    yield terminal
    assert terminal.stop() == 0


def test_a_line_right_behind_the_save_runs_the_new_code(terminal: Terminal) -> None:
    """Also where the extension came from the configuration: one line about the swap, then the value."""
    terminal.write("plain", "RATE = 1\n\n\ndef f():\n    return RATE\n")
    terminal.run("from plain import RATE, f")
    terminal.write("plain", "RATE = 2\n\n\ndef f():\n    return RATE\n")
    swap, value = terminal.run("RATE, f()").splitlines()
    assert swap.startswith("hotswap: plain - RATE; __main__ - RATE (")
    assert value.endswith("(2, 2)")


def test_a_syntax_error_takes_few_lines(terminal: Terminal) -> None:
    """File, line and caret; the line that was typed runs with the old code, and a mark follows until it is mended."""
    terminal.write("torn", "V = 1\n")
    terminal.run("import torn")
    terminal.write("torn", "V = (\n")
    shown = terminal.run("torn.V").splitlines()
    assert len(shown) <= 10 and any("torn.py:1: SyntaxError" in line for line in shown) and "^" in "".join(shown)
    assert terminal.run("torn.V").splitlines()[1:] == ["hotswap: not live: torn.py:1 (the old code runs)"]
    terminal.write("torn", "V = 2\n")
    assert terminal.run("torn.V").splitlines()[-1].endswith("2")


def test_the_magic_answers_in_text(terminal: Terminal) -> None:
    """Status and help are plain text; unloading takes the magic away."""
    assert "looked at before each cell" in terminal.run("%hotswap")
    assert "%hotswap rerun NAME" in terminal.run("%hotswap?")
    assert terminal.run("%hotswap off").endswith("off: nothing is applied until %hotswap on")
    terminal.run("%hotswap on")


def test_a_debugger_stands_on_the_new_lines(terminal: Terminal) -> None:
    """`%debug` behind an exception in swapped code."""
    terminal.write("raises", "def f():\n    raise ValueError\n")
    terminal.run("import raises")
    terminal.write("raises", "# moved\n\n\ndef f():\n    where = 'new'\n    raise ValueError(where)\n")
    assert "raises.py:6" in terminal.run("raises.f()")
    terminal.send("%debug", "ipdb> ")
    assert "'new'" in terminal.send("p where", "ipdb> ")
    terminal.run("q")
