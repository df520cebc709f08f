"""The replay tool, on a made-up history of three versions: it must find differences, and hotswap must leave none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[1] / "tools" / "replay"

CORE_1 = """
LIMIT = 3

def grow(n: int, by=LIMIT):
    'Old.'
    return n + by

class Tree:
    def size(self):
        return 1
"""

CORE_2 = """
LIMIT = 4

def grow(n: float, by=LIMIT):
    'New.'
    return n + by + 1

class Tree:
    leaves = 2

    def size(self):
        return self.leaves
"""

CORE_3 = """
import enum

LIMIT = 4

class Kind(enum.Enum):
    ONE = 1

class Tree:
    def size(self, kind=Kind.ONE):
        return kind
"""

MORE_3 = """
from app.core import LIMIT

def grow(n: float, by=LIMIT):
    return n * by
"""

HISTORY = {
    "1": {"__init__.py": "from app.core import LIMIT, grow\n__version__ = '1'\n", "core.py": CORE_1},
    "2": {"__init__.py": "from app.core import LIMIT, Tree, grow\n__version__ = '2'\n", "core.py": CORE_2},
    "3": {
        "__init__.py": "from app.core import LIMIT, Tree\nfrom app.more import grow\n",
        "core.py": CORE_3,
        "more.py": MORE_3,
    },
}


@pytest.fixture
def history(tmp_path: Path) -> Path:
    folder = tmp_path / "history"
    for version, files in HISTORY.items():
        write(folder / version / "app", files)
    return folder


def write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def replay(history: Path, *options: str) -> dict[str, list[str]]:
    """Run the tool; return the cells of the table by project and tool."""
    command = [sys.executable, str(TOOL), "app", "--folder", str(history), "--cache", str(history.parent), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, 1), done.stderr
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in done.stdout.splitlines()
        if line.startswith("| app")
    ]
    assert rows, done.stdout + done.stderr
    return {row[0]: row[1:] for row in rows}


def test_hotswap_equals_a_fresh_process_at_every_step(history: Path) -> None:
    """Behaviour, core, full, lines, held references and client bindings are those of a fresh process, cumulatively."""
    assert replay(history)["app, hotswap"][:7] == ["2", *["100%"] * 6]


def test_each_step_can_be_run_alone(history: Path) -> None:
    """A step in a process of its own tells the same."""
    assert replay(history, "--alone")["app, hotswap"][:7] == ["2", *["100%"] * 6]


def test_the_controls_show_that_the_comparison_sees_what_it_should(history: Path) -> None:
    """Importing all anew is right everywhere but in what was held; without a tool nothing is right."""
    rows = replay(history, "--tool", "anew", "--tool", "none")
    assert rows["app, anew"][:5] == ["2", "100%", "100%", "100%", "100%"]
    assert rows["app, anew"][5] == "0%"
    assert rows["app, none"][:5] == ["2", "0%", "0%", "0%", "0%"]


COUNTED = """
class Tree:
    made = 0

    def __init__(self):
        Tree.made += 1

    def size(self):
        return {size}
"""


def test_what_is_no_measure_is_not_counted(tmp_path: Path) -> None:
    """Versions that cannot be imported are no steps, and a counter that the process had moved is no difference."""
    texts = ("import nothing_like_it", COUNTED.format(size=1), "import nothing_like_it", COUNTED.format(size=2))
    for version, text in enumerate(texts):
        write(tmp_path / "history" / str(version) / "app", {"__init__.py": text})
    row = replay(tmp_path / "history")["app, hotswap"]
    assert row[:9] == ["1", *["100%"] * 6, "-", "-"]
