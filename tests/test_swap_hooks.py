"""Hooks and callbacks, where a swap runs on an event loop and where it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from conftest import Files

import hotswap
from hotswap import Reloader, Report
from hotswap._errors import NotAwaitedError
from hotswap._points._hooks import run_now, run_on_loop
from hotswap._process import PROCESS

HOOKED = """\
import asyncio
LINES = []
RATE = 1

async def __hotswap_before__(data):
    LINES.append(("before", RATE))
    await asyncio.sleep(0)
    data["rate"] = RATE

async def __hotswap_after__(data, report):
    await asyncio.sleep(0)
    LINES.append(("after", data["rate"], RATE, type(report.error).__name__))
"""


@pytest.fixture
def reports() -> Iterator[list[Report]]:
    """The reports that a callback got."""
    told: list[Report] = []
    add = told.append
    hotswap.on_reload(add)
    yield told
    PROCESS.callbacks.remove(add)


def test_coroutine_hooks_are_awaited_on_a_loop(files: Files, reloader: Reloader) -> None:
    """Both hooks come to their end, one before anything changes, the other when all is live."""
    files.write("mod", HOOKED)
    mod = files.load("mod")
    files.write("mod", HOOKED.replace("RATE = 1", "RATE = 22"))
    report = asyncio.run(reloader.swap_on_loop(None))
    assert report.changed
    assert not report.findings
    assert mod.LINES == [("before", 1), ("after", 1, 22, "NoneType")]


def test_a_coroutine_hook_that_raises_holds_the_save(files: Files, reloader: Reloader) -> None:
    """What a hook raises behind an await is told with its line, and nothing is live."""
    text = HOOKED.replace('data["rate"] = RATE', "raise LookupError('gone')")
    files.write("mod", text)
    mod = files.load("mod")
    files.write("mod", text.replace("RATE = 1", "RATE = 22"))
    report = asyncio.run(reloader.swap_on_loop(None))
    assert [(found.code, found.lineno) for found in report.findings] == [("HS228", 12), ("HS318", 8)][::-1]
    assert "LookupError: gone" in report.findings[0].message
    assert mod.RATE == 1


def test_other_tasks_run_while_a_hook_waits(files: Files, reloader: Reloader) -> None:
    """Awaiting a hook gives the loop to others; a swap that one of them asks for is put off, and told to it alone."""
    files.write("mod", HOOKED)
    files.load("mod")
    files.write("mod", HOOKED.replace("RATE = 1", "RATE = 22"))

    async def main() -> tuple[Report, Report]:
        swap = asyncio.ensure_future(reloader.swap_on_loop(None))
        await asyncio.sleep(0)
        return reloader.reload(), await swap

    other, report = asyncio.run(main())
    assert [found.code for found in other.findings] == ["HS307"]
    assert not report.findings
    assert other not in reloader.reports()


def test_a_task_that_is_cancelled_ends_its_swap_first(files: Files, reloader: Reloader) -> None:
    """A cancelled swap is taken back and then raises; a hook that only awaited what it cancelled itself is its own."""
    files.write("mod", HOOKED)
    mod = files.load("mod")
    files.write("mod", HOOKED.replace("RATE = 1", "RATE = 22"))

    async def main() -> None:
        swap = asyncio.ensure_future(reloader.swap_on_loop(None))
        await asyncio.sleep(0)
        swap.cancel()
        with pytest.raises(asyncio.CancelledError):
            await swap

    asyncio.run(main())
    assert mod.RATE == 1
    assert [found.code for found in reloader.errors()] == ["HS318"]


def test_callbacks_get_each_report(files: Files, reloader: Reloader, reports: list[Report]) -> None:
    """A callback is called once a report, however often it was added, and not for swaps that did nothing."""
    hotswap.on_reload(reports.append)
    files.write("mod", "X = 1\n")
    files.load("mod")
    files.write("mod", "X = 22\n")
    report = reloader.reload()
    reloader.reload()
    assert reports == [report]


def test_a_callback_may_ask_for_a_swap(files: Files, reloader: Reloader, reports: list[Report]) -> None:
    """What a callback reloads itself is swapped, and does not call it again."""
    files.write("mod", "X = 1\n")
    mod = files.load("mod")

    def again(report: Report) -> None:
        files.write("mod", "X = 333\n")
        reloader.reload()

    hotswap.on_reload(again)
    try:
        files.write("mod", "X = 22\n")
        reloader.reload()
    finally:
        PROCESS.callbacks.remove(again)
    assert mod.X == 333
    assert len(reports) == 1


def test_a_coroutine_function_serves_as_callback(files: Files, reloader: Reloader) -> None:
    """A coroutine function is awaited where the swap runs on a loop."""
    told = []

    @hotswap.on_reload
    async def tell(report: Report) -> None:
        await asyncio.sleep(0)
        told.append(report)

    try:
        files.write("mod", "X = 1\n")
        files.load("mod")
        files.write("mod", "X = 22\n")
        report = asyncio.run(reloader.swap_on_loop(None))
    finally:
        PROCESS.callbacks.remove(tell)
    assert told == [report]


def test_only_what_can_be_called_is_taken() -> None:
    """A mistake in a call of `on_reload` shows there and not at the next save."""
    with pytest.raises(TypeError, match="callable"):
        hotswap.on_reload(None)  # type: ignore[type-var]


def test_where_nothing_can_be_awaited_the_steps_are_told() -> None:
    """`run_now` raises into the steps, and closes coroutines that were not begun."""

    async def never() -> None:
        raise AssertionError

    def steps() -> Iterator[object]:
        with pytest.raises(NotAwaitedError):
            yield never()
        with pytest.raises(NotAwaitedError):
            yield asyncio.Event()
        return "done"

    assert run_now(steps()) == "done"  # type: ignore[arg-type]


def test_on_a_loop_results_and_errors_go_back_into_the_steps() -> None:
    """`run_on_loop` sends what was awaited, or raises it where it was asked for."""

    async def one() -> int:
        return 1

    async def fail() -> None:
        raise LookupError

    def steps() -> Iterator[object]:
        result = yield one()
        with pytest.raises(LookupError):
            yield fail()
        return result

    assert asyncio.run(run_on_loop(steps())) == 1  # type: ignore[arg-type]


def test_a_program_with_a_loop_needs_nothing_more(files: Files) -> None:
    """What is saved while a loop runs is applied there, and its coroutine hooks are awaited."""
    files.write("mod", HOOKED)
    mod = files.load("mod")

    async def main() -> None:
        with Reloader(files.root, apply="asyncio") as reloader:
            reports = reloader.reports()
            files.write("mod", HOOKED.replace("RATE = 1", "RATE = 22"))
            async for report in reports:
                assert not report.findings
                break

    asyncio.run(asyncio.wait_for(main(), 20))
    assert mod.LINES == [("before", 1), ("after", 1, 22, "NoneType")]
