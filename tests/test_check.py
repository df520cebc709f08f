"""`hotswap check`: whether a running program could take the edits since a commit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not __import__("shutil").which("git"), reason="git is not installed")

SHAPES = "class Square:\n    __slots__ = ('side',)\n\n    def area(self):\n        return self.side ** 2\n"
APP = "from pkg import shapes\n\nHELD = [shapes.Square()]\nprint('imported')\n"


def git(folder: Path, *words: str) -> None:
    name = ("-c", "user.name=t", "-c", "user.email=t@t.example")
    subprocess.run(["git", *name, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("")
    (tmp_path / "pkg" / "shapes.py").write_text(SHAPES)
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "old.py").write_text("X = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    return tmp_path


def check(folder: Path, *words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "hotswap", "check", *words]
    paths = {"PYTHONPATH": str(Path(__file__).resolve().parent.parent), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=paths)
    return done.returncode, done.stdout + done.stderr


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_what_can_be_taken_is_listed(repository: Path) -> None:
    """A body that differs from the commit is swapped in the child; the files on disk stay as they are."""
    edit(repository / "pkg" / "shapes.py", "** 2", "* self.side")
    code, said = check(repository, "app")
    assert (code, said.splitlines()[0]) == (0, "imported")
    assert said.splitlines()[1].startswith("hotswap: pkg.shapes - Square.area (")
    assert len(said.splitlines()) == 2


def test_what_cannot_be_taken_fails(repository: Path) -> None:
    """Objects that cannot be given other slots are told under the name of the file on disk, and the exit code is 1."""
    edit(repository / "pkg" / "shapes.py", "('side',)", "('side', 'name')")
    code, said = check(repository, "app", "old")
    assert code == 1
    assert f"HS101 {repository / 'pkg' / 'shapes.py'}:1: " in said


def test_a_file_that_cannot_be_read_fails(repository: Path) -> None:
    """A syntax error is held, so that nothing of it could be taken."""
    edit(repository / "app.py", "HELD", "HELD = (")
    code, said = check(repository, "app")
    assert (code, "HS301" in said) == (1, True)


def test_files_that_come_and_go_are_seen(repository: Path) -> None:
    """A module that no commit has is found, one that is gone counts at once, and what did not change says so."""
    assert check(repository, "app") == (0, "imported\nnothing to do\n")
    (repository / "old.py").unlink()
    (repository / "late.py").write_text("Y = 2\n")
    (repository / "app.py").write_text(APP + "from late import Y\n")
    code, said = check(repository, "app", "old")
    assert (code, "HS102" in said, "app - Y" in said, "HS305" in said) == (1, True, True, False)


def test_what_cannot_be_imported_is_said(repository: Path) -> None:
    """A module, a commit or a folder that is not there is told in one line, and the exit code is 2."""
    said = "hotswap: nope cannot be imported as it is in the commit: ModuleNotFoundError: No module named 'nope'\n"
    assert check(repository, "nope") == (2, said)
    assert check(repository, "--since", "nope", "app") == (2, "hotswap: bad revision 'nope'\n")
    assert check(repository)[0] == 2
