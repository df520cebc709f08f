"""After any sequence of edits, the living process equals a fresh one, and has kept what it had.

`HOTSWAP_PROPERTY=5000 pytest tests/test_property.py` tries that many sequences, new ones each time; without it a fixed
set runs, short enough for each commit.
"""

from __future__ import annotations

import importlib
import itertools
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from programs import EDITS, Class, Edit, Function, start

from hotswap import Reloader

WANTED = os.environ.get("HOTSWAP_PROPERTY")
numbers = itertools.count()
small = st.integers(0, 9)
edits = st.tuples(st.integers(0, len(EDITS) - 1), small, small)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Path]]:
    """Return a new folder on `sys.path` with each call."""
    path = sys.path.copy()

    def make() -> Path:
        sys.path[:] = [str(tmp_path_factory.mktemp("program")), *path]
        return Path(sys.path[0])

    logging.disable()  # the reports of all that hypothesis tries while it shrinks a failure would bury it
    yield make
    logging.disable(logging.NOTSET)
    sys.path[:] = path


class Living:
    """A program that runs: its files, its modules, and what was held of it when it started."""

    def __init__(self, folder: Path, first: list[Edit]) -> None:
        number = next(numbers)
        self.names = f"lib_{number}", f"app_{number}"
        self.folder = folder
        self.program = start(self.names[0])
        self.save(first)
        importlib.invalidate_caches()
        self.app = importlib.import_module(self.names[1])
        self.lib = sys.modules[self.names[0]]
        self.lib.STATE.append("kept")
        self.state = self.lib.STATE
        self.held = {id(item): (item.name, module, getattr(module, item.name)) for module, item in self.definitions()}
        self.instances = {key: held() for key, (_, _, held) in self.held.items() if isinstance(held, type)}

    def definitions(self) -> Iterator[tuple[ModuleType, Any]]:
        """Yield each function and class of the program, with its module."""
        for module, items in ((self.lib, self.program.lib), (self.app, self.program.app)):
            yield from ((module, item) for item in items if isinstance(item, Function | Class))

    def save(self, edits: list[Edit]) -> None:
        """Edit the program and write both files."""
        for edit in edits:
            self.program.edit(edit)
        for name, text in zip(self.names, self.program.texts(), strict=True):
            note(f"--- {name}.py\n{text}")
            (self.folder / f"{name}.py").write_text(text, encoding="utf-8")

    def fresh(self) -> tuple[ModuleType, ModuleType]:
        """Execute the texts as new modules of the same names, which nobody can import afterwards."""
        living = {name: sys.modules[name] for name in self.names}
        try:
            return self._executed(self.names[0]), self._executed(self.names[1])
        finally:
            sys.modules.update(living)

    def _executed(self, name: str) -> ModuleType:
        path = self.folder / f"{name}.py"
        module = sys.modules[name] = ModuleType(name)
        exec(compile(path.read_bytes(), path, "exec", dont_inherit=True), module.__dict__)
        return module

    def leave(self) -> None:
        """Take the modules out of the interpreter."""
        for name in self.names:
            del sys.modules[name]


def seen(value: Any) -> Any:
    """Return what can be observed of an object, as comparable data."""
    if isinstance(value, FunctionType):
        code = value.__code__
        calls = None if "self" in code.co_varnames else (value(3), value(3, 4))
        named = (value.__name__, value.__qualname__, value.__module__, value.__doc__, value.__annotations__)
        return calls, named, value.__defaults__, code.co_firstlineno, list(code.co_positions())
    if isinstance(value, type):
        instance = value()
        members = {name: seen(member) for name, member in vars(value).items() if name[:2] != "__"}
        public = {name: getattr(instance, name) for name in dir(value) if name[:2] != "__"}
        methods = {name: method(3) for name, method in public.items() if callable(method)}
        return members, methods, value.__qualname__, value.__module__, [base.__name__ for base in value.__mro__]
    return value.__name__ if isinstance(value, ModuleType) else value


def namespace(module: ModuleType) -> dict[str, Any]:
    """Return what can be observed of a module; `STATE` is what may differ."""
    return {name: seen(value) for name, value in vars(module).items() if name[:2] != "__" and name != "STATE"}


def check(living: Living) -> None:
    """Compare the living modules with fresh ones, and what was held with what they have."""
    lib, app = living.fresh()
    assert namespace(living.lib) == namespace(lib)
    assert namespace(living.app) == namespace(app)
    assert living.lib.STATE is living.state
    assert living.state == ["started", "kept"]
    for module, item in living.definitions():
        name, _, held = living.held.get(id(item), ("", None, None))
        if name == item.name:
            assert getattr(module, name) is held, f"{name} is another object"
        if name == item.name and id(item) in living.instances:
            assert type(living.instances[id(item)]) is held


@settings(
    max_examples=int(WANTED or 150),
    derandomize=WANTED is None,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    first=st.lists(edits, max_size=8),
    later=st.lists(st.lists(edits, min_size=1, max_size=3), min_size=1, max_size=5),
)
def test_living_equals_fresh(folders: Callable[[], Path], first: list[Edit], later: list[list[Edit]]) -> None:
    """After each save all names, values, code and lines are those of a fresh process; objects and state are kept."""
    folder = folders()
    with Reloader(folder, apply="manual") as reloader:
        living = Living(folder, first)
        try:
            for save in later:
                living.save(save)
                report = reloader.reload()
                note(str(report))
                assert report.findings == ()
                check(living)
        finally:
            living.leave()
