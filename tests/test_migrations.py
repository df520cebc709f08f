"""Live objects are migrated in slices, after the save is live, and errors of their hooks are told at the end."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hotswap import Reloader
from hotswap._apply import _instances
from hotswap._apply._instances import Migration, Migrations
from hotswap._model import ClassChange

numbers = itertools.count()


class Thing:
    """Counts its migrations; every 50th fails."""

    made = 0

    def __init__(self) -> None:
        Thing.made += 1
        self.number, self.calls = Thing.made, 0

    def __hotswap_migrate__(self, change: ClassChange) -> None:
        self.calls += 1
        if self.number % 50 == 0:
            raise ValueError(self.number)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock takes a millisecond."""
    ticks = itertools.count()
    monkeypatch.setattr(_instances.time, "perf_counter", lambda: next(ticks) / 1000)


def make(count: int) -> tuple[list[Thing], Migrations]:
    """Return that many objects, and migrations that wait for them."""
    Thing.made = 0
    things = [Thing() for _ in range(count)]
    migrations = Migrations()
    migrations.waiting.append(Migration("a.py", 3, Thing, list(things), ClassChange((), (), {}, {})))
    return things, migrations


@pytest.mark.usefixtures("clock")
def test_a_slice_ends_when_its_time_is_over() -> None:
    """A step migrates some of the objects; the last step tells how many failed, and each was called once."""
    things, migrations = make(1000)
    told, steps = [], 0
    while migrations.waiting:
        before = sum(one.calls for one in things)
        told += migrations.step()
        steps += 1
        assert 0 < sum(one.calls for one in things) - before <= 128
    assert steps > 4 and [one.calls for one in things] == [1] * 1000
    assert [(one.code, one.path, one.lineno) for one in told] == [("HS215", "a.py", 3)]
    assert "20 live objects, last ValueError" in told[0].message


class Loop:
    """Keeps what it is asked to call."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], object]] = []

    def call_soon(self, function: Callable[..., object], *args: object) -> None:
        """Note a callback."""
        self.waiting.append(lambda: function(*args))


@pytest.mark.usefixtures("clock")
def test_an_event_loop_gets_a_slice_between_its_callbacks() -> None:
    """Each callback of the loop does one slice and asks for the next, until all objects are done."""
    things, migrations = make(1000)
    loop, told, callbacks = Loop(), list[Any](), 0
    migrations.spread(loop, told.extend)
    while loop.waiting:
        loop.waiting.pop()()
        callbacks += 1
    assert callbacks > 4 and all(one.calls == 1 for one in things) and len(told) == 1


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of modules on `sys.path`."""
    sys.path.insert(0, str(tmp_path))
    yield tmp_path
    sys.path.remove(str(tmp_path))


TEXT = """
class Dog:
    def __init__(self, number):
        self.number = number

    def __hotswap_migrate__(self, change):
        self.double = self.number * 2

    def value(self):
        return self.number
"""


def test_a_game_loop_migrates_at_each_poll(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The save is live at once, objects follow poll by poll, and the last poll reports the hooks that raised."""
    name = f"dogs_{next(numbers)}"
    path = folder / f"{name}.py"
    path.write_text(TEXT, encoding="utf-8")
    module: Any = importlib.import_module(name)
    dogs = [module.Dog(number) for number in (*range(300), None)]
    monkeypatch.setattr(_instances, "_SLICE", 0.0)
    reports: list[Any] = []
    with Reloader(folder, apply="poll", on_report=reports.append) as reloader:
        new = TEXT.replace("self.number = number", "self.number = number\n        self.double = 0")
        path.write_text(new.replace("return self.number", "return self.double"), encoding="utf-8")
        first = reloader.reload()
        assert first and not first.findings and not hasattr(dogs[0], "double")
        polls = 0
        while len(reports) < 2:
            reloader.poll()
            polls += 1
            assert polls < 100
    assert polls >= 300 // 64 and [one.value() for one in dogs[:-1]] == [2 * number for number in range(300)]
    assert [found.code for found in reports[1].findings] == ["HS215"] and not hasattr(dogs[-1], "double")
    del sys.modules[name]
