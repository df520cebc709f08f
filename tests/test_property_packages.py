"""After any sequence of edits of a package, whatever differs from a fresh process is told, and state is kept.

`HOTSWAP_PROPERTY=2000 pytest tests/test_property_packages.py` tries that many sequences, new ones each time; without it
a fixed set runs, short enough for each commit.
"""

from __future__ import annotations

import importlib
import itertools
import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from packages import EDITS, Edit, Item, Package

from hotswap import Reloader, Report

WANTED = os.environ.get("HOTSWAP_PROPERTY")
BOX = """
LOG = []

class Box:
    def __init__(self, size):
        self.size = size
        self.inside = []
"""
numbers = itertools.count()
edits = st.tuples(st.integers(0, len(EDITS) - 1), st.integers(0, 5), st.integers(0, 11))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a fresh process is a fork of this one")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Reloader]]:
    """A folder of packages on `sys.path`, and the reloader that looks at it."""
    folder = tmp_path_factory.mktemp("packages")
    sys.path.insert(0, str(folder))
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # of two versions of a second, one .pyc
    with Reloader(folder, apply="manual") as reloader:
        logging.disable()  # the examples that hypothesis tries while it shrinks a failure would bury it
        yield folder, reloader
        logging.disable(logging.NOTSET)
    sys.dont_write_bytecode = writes
    sys.path.remove(str(folder))


class Living:
    """A package that runs: its files and its modules."""

    def __init__(self, folder: Path, size: int, first: list[Edit]) -> None:
        self.name = f"pkg_{next(numbers)}"
        self.folder = folder / self.name
        self.folder.mkdir()
        (self.folder / "__init__.py").write_text("", encoding="utf-8")
        (self.folder / "box.py").write_text(BOX, encoding="utf-8")
        self.package = Package(self.name, size)
        self.written: dict[str, str] = {}
        self.save(first)
        self.modules: dict[str, ModuleType] = {}
        self.states: dict[str, tuple[ModuleType, list[str]]] = {}
        self.told: set[str] = set()
        self.load_new()

    def load_new(self) -> None:
        """Import the modules that are not there yet, and fill what they have of state."""
        importlib.invalidate_caches()
        loaded = self.load()
        for short in self.modules.keys() - loaded.keys():  # its file has gone, or has another name
            del self.modules[short], self.states[short]
        for short, module in loaded.items():
            if short not in self.modules:
                self.modules[short] = module
                self.states[short] = (module, vars(module)[f"state_{short}"])
                self.states[short][1].append("kept")

    def load(self) -> dict[str, ModuleType]:
        """Import all modules, the last one first, and return them."""
        names = [module.name for module in reversed(self.package.modules)]
        return {name: importlib.import_module(f"{self.name}.{name}") for name in names}

    def save(self, edits: list[Edit]) -> None:
        """Edit the package and write the files that differ."""
        for edit in edits:
            self.package.edit(edit)
        texts = self.package.texts()
        for name in [name for name in self.written if name not in texts]:
            note(f"--- {name} goes")
            (self.folder / name).unlink()
            del self.written[name]
        for name, text in texts.items():
            if self.written.get(name) != text:
                note(f"--- {name}\n{text}")
                (self.folder / name).parent.mkdir(exist_ok=True)
                (self.folder / name).write_text(text, encoding="utf-8")
                self.written[name] = text

    def fresh(self) -> Any:
        """Return what a process that starts now sees: a fork that forgets the modules and imports them again."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.close(reading)
                for name in [name for name in sys.modules if name.partition(".")[0] == self.name]:
                    del sys.modules[name]
                importlib.invalidate_caches()
                sys.meta_path[:] = [f for f in sys.meta_path if type(f).__module__ != "hotswap._loader._finder"]
                with open(writing, "w", encoding="utf-8") as answer:
                    json.dump(observe(self.load()), answer)
            except BaseException as error:  # noqa: BLE001  the parent tells what became of it
                os.write(writing, json.dumps({"error": repr(error)}).encode())
            finally:
                os._exit(0)
        os.close(writing)
        with open(reading, encoding="utf-8") as answer:
            text = answer.read()
        os.waitpid(child, 0)
        return json.loads(text)

    def leave(self) -> None:
        """Take the modules out of the interpreter."""
        for name in [name for name in sys.modules if name.partition(".")[0] == self.name]:
            del sys.modules[name]

    def items(self) -> Iterator[tuple[str, Item]]:
        """Yield each item with the name of its module."""
        for module in self.package.modules:
            yield from ((module.name, item) for item in module.items)


def observe(modules: dict[str, ModuleType]) -> dict[str, str]:
    """Return what can be seen of all modules, as text by ``module.name``."""
    return {
        f"{short}.{name}": repr(_seen(value))
        for short, module in modules.items()
        for name, value in vars(module).items()
        if not name.startswith("__") and not name.startswith("state_") and name not in ("LOG", "Box", "TYPE_CHECKING")
    }


def _seen(value: Any) -> Any:
    if isinstance(value, FunctionType):
        return value(3), value.__defaults__, value.__qualname__, value.__module__.rpartition(".")[2]
    if isinstance(value, type):
        return value.size, value().area(), value().total(), value.__qualname__, value.__module__.rpartition(".")[2]
    if type(value).__name__ == "Box":
        return "Box", value.size
    return value.__name__.rpartition(".")[2] if isinstance(value, ModuleType) else value


def check(living: Living, report: Report) -> None:
    """Compare the living package with a fresh one: what differs has been told, or depends on what has been told."""
    assert not report.held, report
    fresh, here = living.fresh(), observe(living.modules)
    for finding in report.findings:
        assert finding.code in ("HS102", "HS201", "HS202", "HS203", "HS205", "HS226"), finding
        path = Path(finding.path)
        short = path.parent.name if path.stem == "__init__" else path.stem
        living.told |= {f"{short}.{word}" for word in re.findall(r"\w+", finding.message)}
    excused = {item.name for short, item in living.items() if any(_is_told(living, one) for one in item.needs())}
    differing = {name for name in {*fresh, *here} if fresh.get(name) != here.get(name)}
    # Whether a star import in a cycle gives what its source binds last depends on who was imported first.
    differing -= {name for name in here.keys() - fresh.keys() if name.partition(".")[2].startswith("late_")}
    untold = {name for name in differing if name not in living.told and name.partition(".")[2] not in excused}
    assert not untold, {name: (here.get(name), "fresh:", fresh.get(name)) for name in untold}
    for short, (module, value) in living.states.items():
        assert vars(module)[f"state_{short}"] is value
        assert value == ["kept"]


def _is_told(living: Living, item: Item) -> bool:
    return f"{living.package.home(item).name}.{item.name}" in living.told


@settings(
    max_examples=int(WANTED or 60),
    derandomize=WANTED is None,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    size=st.integers(2, 5),
    first=st.lists(edits, max_size=12),
    later=st.lists(st.lists(edits, min_size=1, max_size=4), min_size=1, max_size=4),
)
def test_what_differs_is_told(
    watched: tuple[Path, Reloader], size: int, first: list[Edit], later: list[list[Edit]]
) -> None:
    """After each save, all names of all modules are those of a fresh process, or the report has said why not."""
    folder, reloader = watched
    living = Living(folder, size, first)
    try:
        for save in later:
            living.save(save)
            report = reloader.reload()
            if any(finding.code == "HS305" for finding in report.findings):  # a file that is gone counts at the second
                report = reloader.reload()
            note(str(report))
            living.load_new()
            check(living, report)
    finally:
        living.leave()
