"""Whether what runs is what the file says, for modules that nobody saw being imported."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from hotswap import Reloader
from hotswap._arrivals import is_younger
from hotswap._loader._witness import differing, runs

ORIGIN = "/project/mod.py"
TEXT = """
import os
SIZE = 60 * 60
NAMES = ["a"]
class Box:
    height = 1
    def size(self, k=2, *, deep=False):
        return k
class Odd(Box):
    height = 5
def price(n, k=3):
    return n
COUNT = 0
def count():
    global COUNT
    COUNT += 1
"""


def made(text: str) -> ModuleType:
    module = ModuleType("mod")
    exec(compile(text, ORIGIN, "exec", dont_inherit=True), vars(module))
    return module


def told(text: str) -> list[str]:
    """Return what differs between `TEXT`, as it runs, and the file's `text`."""
    return [name for name, _ in differing(made(TEXT), text, ORIGIN, None)]


def test_a_text_that_runs_is_known() -> None:
    """Nothing differs from the text that was run, whatever the program did to what it may do something to."""
    module = made(TEXT)
    module.count()
    module.NAMES.append("b")
    assert runs(module, TEXT, ORIGIN, None)
    assert differing(module, TEXT, ORIGIN, None) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return n", "return n + 1"),
        ("return k", "return -k"),
        ("import os", "import os\n"),
        ("COUNT = 0", "COUNT = 0\ndef more(): pass"),
        ("COUNT = 0", "COUNT = 0; MORE = 1"),
        ("import os", "import os, json"),
    ],
)
def test_another_text_is_noticed(old: str, new: str) -> None:
    """Other code, other lines and names that are not there show that another text runs."""
    assert not runs(made(TEXT), TEXT.replace(old, new), ORIGIN, None)


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("60 * 60", "60 * 61", "SIZE"),
        ("SIZE = 60 * 60", "SIZE = None", "SIZE"),
        ("    height = 1", "    height = 1.0", "Box.height"),
        ("n, k=3", "n, k=4", "price"),
        ("self, k=2", "self, k=True", "Box.size"),
        ("deep=False", "deep=None", "Box.size"),
    ],
)
def test_other_constants_are_named(old: str, new: str, name: str) -> None:
    """Constants, attributes of plain classes and defaults are compared with the text, by type as well."""
    assert told(TEXT.replace(old, new)) == [name]


@pytest.mark.parametrize(
    ("old", "new"),
    [('["a"]', '["b"]'), ("COUNT = 0", "COUNT = 9"), ("height = 5", "height = 6"), ("import os\n", "\n")],
)
def test_what_may_be_state_is_not(old: str, new: str) -> None:
    """What the text itself alters, what can be altered and what a base may have made something of says nothing."""
    assert told(TEXT.replace(old, new)) == []


@pytest.mark.parametrize("text", ["C = True\nX = 1 if C else 2\nassert X\n", "C = 0\nX = 'a' if C else 'b'\n"])
def test_one_branch_of_a_choice_is_not_what_the_text_says(text: str) -> None:
    """A constant that a conditional expression may give is none that the file promises."""
    assert differing(made(text), text, ORIGIN, None) == []


def test_a_body_under_way_says_nothing() -> None:
    """While the body of a module runs, what it has yet to bind is no sign of an edit."""
    module = ModuleType("mod")
    seen: list[object] = []
    vars(module)["look"] = lambda text: seen.append(
        (runs(module, text, ORIGIN, None), differing(module, text, ORIGIN, None))
    )
    text = "A = 1\nlook(TEXT)\nB = 2\ndef f(): pass\n"
    vars(module)["TEXT"] = text
    exec(compile(text, ORIGIN, "exec", dont_inherit=True), vars(module))
    assert seen == [(True, [])]


def test_files_are_younger_or_older_than_the_process() -> None:
    """A file that was changed just now may be younger than this process, one of last year is not."""
    assert is_younger(time.time_ns())
    assert not is_younger(time.time_ns() - 365 * 86400 * 10**9)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder on `sys.path`."""
    sys.path.insert(0, str(tmp_path))
    importlib.invalidate_caches()
    yield tmp_path
    sys.path.remove(str(tmp_path))
    sys.modules.pop("witnessed", None)
    sys.modules.pop("witnessed_too", None)
    sys.modules.pop("witnessed_game", None)


def test_what_was_edited_while_the_program_started_is_told(folder: Path) -> None:
    """A file that was edited after its import and before the start is looked at without another edit."""
    path = folder / "witnessed.py"
    path.write_text("SIZE = 1\ndef price(n):\n    return n\n", encoding="utf-8")
    module = importlib.import_module("witnessed")
    path.write_text("SIZE = 1\ndef price(n):\n    return n + 1\n", encoding="utf-8")
    with Reloader(folder, apply="manual") as reloader:
        report = reloader.reload()
        assert [found.code for found in report.findings] == ["HS212"]
        assert module.price(1) == 2
        assert not reloader.reload().findings


def test_a_game_is_told_what_was_edited_while_it_started(folder: Path) -> None:
    """What is found out while a file is read ahead of a poll is in the report of that poll."""
    path = folder / "witnessed_game.py"
    path.write_text("SIZE = 1\ndef price(n):\n    return n\n", encoding="utf-8")
    module = importlib.import_module("witnessed_game")
    path.write_text("SIZE = 1\ndef price(n):\n    return n + 1\n", encoding="utf-8")
    with Reloader(folder, apply="poll") as reloader:
        report = next(filter(None, iter(reloader.poll, False)))
        assert [found.code for found in report.findings] == ["HS212"]
        assert module.price(1) == 2


def test_a_constant_that_was_edited_while_the_program_started_is_told(folder: Path) -> None:
    """A constant is left as it is, told once, and made anew by `rerun`."""
    path = folder / "witnessed_too.py"
    path.write_text("SIZE = 1\n", encoding="utf-8")
    module = importlib.import_module("witnessed_too")
    path.write_text("SIZE = 2\n", encoding="utf-8")
    os.utime(path)
    with Reloader(folder, apply="manual") as reloader:
        assert [found.code for found in reloader.reload().findings] == ["HS231"]
        assert module.SIZE == 1
        assert not reloader.reload().findings
        reloader.rerun("witnessed_too:SIZE")
        assert module.SIZE == 2
