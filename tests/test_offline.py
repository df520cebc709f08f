"""`hotswap plan`: what the edits since a commit would do, without a program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not __import__("shutil").which("git"), reason="git is not installed")

CONFIG = "RATE = 1\n\ndef f():\n    return 1\n"
APP = "import config\n\nAREA = config.RATE * 10\nOTHER = 1\n"


def git(folder: Path, *words: str) -> None:
    name = ("-c", "user.name=t", "-c", "user.email=t@t.example")
    subprocess.run(["git", *name, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "config.py").write_text(CONFIG)
    (tmp_path / "app.py").write_text(APP)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    return tmp_path


def plan(folder: Path, *words: str) -> tuple[int, str]:
    command = [sys.executable, "-Werror", "-m", "hotswap", "plan", *words]
    paths = {"PYTHONPATH": str(Path(__file__).resolve().parent.parent), "PATH": __import__("os").environ["PATH"]}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=paths)
    return done.returncode, done.stdout + done.stderr


def test_what_differs_from_the_commit_is_planned(repository: Path) -> None:
    """What changed runs for certain, what reads it if it changes, and nothing is imported."""
    (repository / "config.py").write_text(CONFIG.replace("RATE = 1", "RATE = 2"))
    (repository / "app.py").write_text(APP + "print('imported')\n" * 0)
    code, said = plan(repository)
    assert (code, said.splitlines()) == (
        0,
        [
            "group: config",
            "config: run (its text changed)",
            "  line 1: RATE runs: changed",
            "app: run (it imports what changed)",
            "  line 3: AREA runs if changed: reads config.RATE",
        ],
    )


def test_nothing_to_do(repository: Path) -> None:
    """Texts that are those of the commit give an empty plan; so does a body, which runs nothing."""
    assert plan(repository) == (0, "nothing to do\n")
    (repository / "config.py").write_text(CONFIG.replace("return 1", "return 2"))
    code, said = plan(repository, ".")
    assert (code, "config: patch" in said, " runs" in said) == (0, True, False)


def test_another_commit(repository: Path) -> None:
    """With ``--since`` the texts of an earlier commit are what runs."""
    (repository / "config.py").write_text(CONFIG.replace("RATE = 1", "RATE = 2"))
    git(repository, "commit", "-qam", "two")
    assert plan(repository) == (0, "nothing to do\n")
    assert "RATE runs: changed" in plan(repository, "--since", "HEAD~1")[1]


def test_a_file_that_cannot_be_read_is_told(repository: Path) -> None:
    """A syntax error is printed as the report would say it, and the exit code is 1."""
    (repository / "config.py").write_text("RATE = (\n")
    code, said = plan(repository)
    assert (code, "HS301" in said) == (1, True)


def test_a_file_that_is_gone_is_told(repository: Path) -> None:
    """A deleted module is named; one that is a package now is not gone, nor is what nobody could import."""
    for name in ("config", "app", "my-notes"):
        (repository / f"{name}.py").write_text(CONFIG)
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "two")
    for name in ("config", "app", "my-notes"):
        (repository / f"{name}.py").unlink()
    (repository / "app").mkdir()
    (repository / "app" / "__init__.py").write_text(CONFIG)
    code, said = plan(repository)
    assert (code, said.count("HS102"), "config.py:1: config has no file any more" in said) == (1, 1, True), said


@pytest.mark.parametrize("words", [("--since", "nowhere"), ("/",)])
def test_what_git_refuses_is_told(repository: Path, words: tuple[str, ...]) -> None:
    """No such commit, and a folder outside of any repository, are told in one line."""
    code, said = plan(repository, *words)
    assert code == 2
    assert said.startswith("hotswap: ")
