"""Tasks that begin anew when their code changed: one at a time, with arguments and state, and back if they fail."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import hotswap
from hotswap import _program

_numbers = itertools.count()

BEATS = """
import asyncio
import hotswap

log = []
running = 0
LIMIT = 1


def limit():
    return 1 // LIMIT


@hotswap.restart_on_swap(fall_back=FALLS_BACK)
async def heartbeat(name):
    global running
    running += 1
    assert running == 1, "two at once"
    kept = hotswap.carry(beats=0)
    try:
        while True:
            limit()
            kept.beats += 1
            log.append(f"{name} {kept.beats}")
            await asyncio.sleep(0)
    finally:
        await asyncio.sleep(0)
        running -= 1


async def inner():
    while True:
        log.append("inner")
        await asyncio.sleep(0)


async def outer():
    log.append("begin")
    await inner()


async def plain():
    while True:
        log.append("plain")
        await asyncio.sleep(0)
"""


class Program:
    """A module with tasks, and the reloader that applies its edits."""

    def __init__(self, folder: Path, text: str) -> None:
        self.name, self.text = f"supervised_{next(_numbers)}", text
        self.path = folder / f"{self.name}.py"
        self.path.write_text(text, encoding="utf-8")
        self.module: ModuleType = importlib.import_module(self.name)
        self.reloader = hotswap.watch(folder, apply="manual")

    def edit(self, old: str, new: str) -> hotswap.Report:
        assert self.text.count(old) == 1
        self.text = self.text.replace(old, new)
        self.path.write_text(self.text, encoding="utf-8")
        return self.reloader.reload()

    async def until(self, entry: str) -> None:
        """Wait until `entry` is in the log; it is cleared then."""
        for _ in range(1000):
            if entry in self.module.log:
                self.module.log.clear()
                return
            await asyncio.sleep(0)
        raise AssertionError(f"{entry!r} did not come: {self.module.log[-5:]}")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    sys.path.insert(0, str(tmp_path))
    importlib.invalidate_caches()
    made: list[Program] = []

    def start(*, falls_back: bool = False) -> Program:
        made.append(Program(tmp_path, BEATS.replace("FALLS_BACK", str(falls_back))))
        return made[-1]

    yield start
    for one in made:
        one.reloader.stop()
        del sys.modules[one.name]
    sys.path.remove(str(tmp_path))


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_loop_begins_anew_with_its_arguments_and_state(start: Callable[..., Program]) -> None:
    """The task is never there twice, counts on, runs the new body, and nothing is told of it."""

    async def main() -> None:
        program = start()
        task = asyncio.create_task(program.module.heartbeat("a"))
        await program.until("a 2")
        report = program.edit('f"{name} {kept.beats}"', 'f"{name}: {kept.beats}"')
        assert report.findings == ()
        for _ in range(20):
            await asyncio.sleep(0)
        log = program.module.log
        first = next(i for i, entry in enumerate(log) if entry.startswith("a: "))
        assert int(log[first].removeprefix("a: ")) == int(log[first - 1].removeprefix("a ")) + 1
        assert all(entry.startswith("a: ") for entry in log[first:])
        program.edit("await asyncio.sleep(0)\n    finally", "await asyncio.sleep(0)  # a comment\n    finally")
        assert program.module.running == 1
        program.edit("log = []", "# another line\nlog = []")
        await asyncio.sleep(0)
        await end(task)
        assert program.module.running == 0

    asyncio.run(main())


def test_what_the_task_awaits_counts_too(start: Callable[..., Program]) -> None:
    """A supervised function begins anew if a function that it is awaiting changed."""

    async def main() -> None:
        program = start()
        task = asyncio.create_task(hotswap.supervise(program.module.outer))
        await program.until("inner")
        assert not program.edit('"inner"', '"within"').findings
        await program.until("begin")
        await program.until("within")
        program.edit('log.append("begin")', 'log.append("start")')
        await program.until("start")
        await end(task)

    asyncio.run(main())


def test_a_task_that_did_not_opt_in_is_told_by_name_and_line(start: Callable[..., Program]) -> None:
    """A plain task goes on with its old body, which is told once, with its name and where it stands."""

    async def main() -> None:
        program = start()
        task = asyncio.create_task(program.module.plain(), name="greeter")
        await program.until("plain")
        (found,) = program.edit('"plain"', '"other"').findings
        assert (found.code, found.path) == ("HS207", str(program.path))
        assert "task greeter" in found.message
        assert program.text.splitlines()[found.lineno - 1].strip() == "await asyncio.sleep(0)"
        assert not program.edit("log = []", "log = []  # seen").findings
        await program.until("plain")
        await end(task)

    asyncio.run(main())


def test_a_task_that_fails_in_new_code_is_reported(start: Callable[..., Program]) -> None:
    """The exception ends the task, as ever; the report names the function and the swap that brought its code."""

    async def main() -> None:
        program = start()
        task = asyncio.create_task(program.module.heartbeat("a"), name="beats")
        await program.until("a 2")
        program.edit("kept.beats += 1", "kept.beats += 1 / 0")
        with pytest.raises(ZeroDivisionError):
            await task
        (found,) = program.reloader.reports()[-1].findings
        assert found.code == "HS241"
        assert "beats failed: ZeroDivisionError" in found.message
        assert "in heartbeat, which swap" in found.message
        assert "1 / 0" in program.text.splitlines()[found.lineno - 1]

    asyncio.run(main())


def test_a_task_that_fails_falls_back_to_the_code_before(start: Callable[..., Program]) -> None:
    """If it was asked for, the old code goes on, with its state, until the next swap."""

    async def main() -> None:
        program = start(falls_back=True)
        task = asyncio.create_task(program.module.heartbeat("a"))
        await program.until("a 2")
        program.edit('log.append(f"{name} {kept.beats}")', 'log.append(f"{name} {kept.beat}")')
        for _ in range(20):
            await asyncio.sleep(0)
        assert not task.done()
        assert program.reloader.reports()[-1].findings[0].code == "HS241"
        assert program.module.log[-1].startswith("a ")
        program.module.log.clear()
        program.edit("{kept.beat}", "is {kept.beats}")
        for _ in range(20):
            await asyncio.sleep(0)
        assert program.module.log[-1].startswith("a is ")
        await end(task)

    asyncio.run(main())


@pytest.mark.parametrize("edit", [("1 // LIMIT", "1 // 0"), ("LIMIT = 1", "LIMIT = 0")])
def test_a_task_that_fails_in_what_it_calls_falls_back(start: Callable[..., Program], edit: tuple[str, str]) -> None:
    """What is to blame belongs to others as well: that swap is undone, and the task goes on with its state."""

    async def main() -> None:
        program = start(falls_back=True)
        task = asyncio.create_task(program.module.heartbeat("a"), name="heart")
        await program.until("a 3")
        program.edit(*edit)
        await program.until("a 9")
        assert not task.done()
        told = [found for report in program.reloader.reports() for found in report.findings]
        assert [found.code for found in told] == ["HS241", "HS224"]
        assert "heart failed: ZeroDivisionError" in told[0].message and "in limit, " in told[0].message
        await end(task)

    asyncio.run(main())


def test_a_task_that_fails_in_what_it_calls_is_reported(start: Callable[..., Program]) -> None:
    """Without falling back the exception ends the task, and the swap behind it is told."""

    async def main() -> None:
        program = start()
        task = asyncio.create_task(program.module.heartbeat("a"))
        await program.until("a 3")
        program.edit("1 // LIMIT", "1 // 0")
        with pytest.raises(ZeroDivisionError):
            await task
        assert [found.code for found in program.reloader.reports()[-1].findings] == ["HS241"]

    asyncio.run(main())


def test_an_exception_that_ends_a_program_names_the_swap(
    start: Callable[..., Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ``python -m hotswap`` prints has a line for the swap that changed the function which raised."""
    program = start()
    program.edit('log.append("begin")', "raise KeyError")
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(KeyError) as caught:
        _program._cut(lambda: asyncio.run(program.module.outer()))
    assert "outer was changed by swap" in caught.value.__notes__[0]
    with pytest.raises(KeyError) as caught:
        _program._cut(lambda: {}["missing"])
    assert not hasattr(caught.value, "__notes__")


def test_carry_outside_of_such_a_task_is_a_namespace_of_its_own() -> None:
    """A function that carries state can be called by anybody; then nothing is handed on."""
    assert hotswap.carry(beats=1).beats == 1
    assert hotswap.carry(beats=2).beats == 2
