"""Applying on an event loop and at a signal; reports that a task waits for."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotswap import Reloader, SettingsError
from hotswap._points import _loops

_numbers = itertools.count()
PATIENCE = 20.0


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Path]:
    """A module that notes on which thread its last statement ran."""
    name = f"looped_{next(_numbers)}"
    path = tmp_path / f"{name}.py"
    path.write_text("import threading\nran_on = threading.get_ident()\ndef answer():\n    return 1\n", encoding="utf-8")
    sys.path.insert(0, str(tmp_path))
    __import__(name)
    yield path
    sys.path.remove(str(tmp_path))
    del sys.modules[name]


def save(path: Path, number: int) -> None:
    text = "import threading\nran_on = (threading.get_ident(), NUMBER)\ndef answer():\n    return NUMBER\n"
    path.write_text(text.replace("NUMBER", str(number)), encoding="utf-8")


async def next_report(reloader: Reloader) -> object:
    async for report in reloader.reports():
        return report
    return None


@pytest.mark.parametrize("way", ["auto", "asyncio"])
def test_a_save_is_applied_on_the_loops_thread(module: Path, way: str) -> None:
    """The statement that a save changes runs on the thread of the loop in which watching began."""

    async def main() -> None:
        with Reloader(module.parent, apply=way) as reloader:
            waiting = asyncio.create_task(next_report(reloader))
            await asyncio.sleep(0)
            save(module, 2)
            await asyncio.wait_for(waiting, PATIENCE)
            live = sys.modules[module.stem]
            assert live.ran_on == (threading.get_ident(), 2)
            assert live.answer() == 2

    asyncio.run(main())


def test_the_loop_may_start_after_the_watcher(module: Path) -> None:
    """A save before there is a loop waits for it, if only a loop will do."""
    with Reloader(module.parent, apply="asyncio") as reloader:
        save(module, 3)
        deadline = time.monotonic() + PATIENCE
        while reloader.inbox.empty and time.monotonic() < deadline:
            time.sleep(0.001)

        async def main() -> None:
            while sys.modules[module.stem].answer() != 3:  # noqa: ASYNC110  what is waited for is no event of a loop
                await asyncio.sleep(0.001)

        asyncio.run(asyncio.wait_for(main(), PATIENCE))
        assert sys.modules[module.stem].ran_on == (threading.get_ident(), 3)


def test_files_saved_within_a_tenth_of_a_second_are_one_swap(tmp_path: Path) -> None:
    """A program with a loop answers in between, so it waits until all of a save is there."""
    names = [f"part_{next(_numbers)}" for _ in range(3)]
    sys.path.insert(0, str(tmp_path))
    for name in names:
        (tmp_path / f"{name}.py").write_text("def answer():\n    return 1\n", encoding="utf-8")
        __import__(name)

    async def main() -> None:
        with Reloader(tmp_path) as reloader:
            waiting = asyncio.create_task(next_report(reloader))
            for name in names:
                (tmp_path / f"{name}.py").write_text("def answer():\n    return 2\n", encoding="utf-8")
                await asyncio.sleep(0.03)  # as far apart as a slow checkout writes them
            report = await asyncio.wait_for(waiting, PATIENCE)
            assert sorted(outcome.step.module for outcome in report.outcomes) == names

    try:
        asyncio.run(main())
    finally:
        sys.path.remove(str(tmp_path))


def test_a_task_that_waits_for_reports_ends_with_the_reloader(module: Path) -> None:
    """``async for`` over the reports comes to its end when the reloader stops."""

    async def main() -> None:
        reloader = Reloader(module.parent).start()
        waiting = asyncio.create_task(next_report(reloader))
        await asyncio.sleep(0)
        reloader.stop()
        assert await asyncio.wait_for(waiting, PATIENCE) is None

    asyncio.run(main())


def test_who_stops_on_the_loop_does_not_wait_for_itself(module: Path) -> None:
    """A reloader can be stopped by a callback of the loop that it is about to apply on."""

    async def main() -> None:
        reloader = Reloader(module.parent, apply="asyncio").start()
        save(module, 4)
        time.sleep(0.3)  # noqa: ASYNC251  the loop is busy until the thread waits for it
        started = time.monotonic()
        reloader.stop()
        assert time.monotonic() - started < 4

    asyncio.run(main())
    assert sys.modules[module.stem].answer() == 1


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_a_signal_applies_what_was_deployed(module: Path) -> None:
    """Saved files wait for SIGHUP; whoever listened to it before hears it as well, and again after the stop."""
    heard: list[int] = []
    before = signal.signal(signal.SIGHUP, lambda number, _: heard.append(number))
    try:

        async def main() -> None:
            with Reloader(module.parent, apply="signal") as reloader:
                save(module, 5)
                assert sys.modules[module.stem].answer() == 1
                waiting = asyncio.create_task(next_report(reloader))
                await asyncio.sleep(0)
                os.kill(os.getpid(), signal.SIGHUP)
                await asyncio.wait_for(waiting, PATIENCE)
                assert sys.modules[module.stem].ran_on == (threading.get_ident(), 5)

        asyncio.run(main())
        os.kill(os.getpid(), signal.SIGHUP)
        assert len(heard) == 2
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_is_for_the_main_thread(module: Path) -> None:
    """Whoever asks for SIGHUP on another thread is told that only the main thread can have it."""
    raised: list[BaseException] = []

    def start() -> None:
        try:
            Reloader(module.parent, apply="signal").start()
        except SettingsError as error:
            raised.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(raised[0])


def test_loops_are_found_from_other_threads() -> None:
    """The loop that runs in the main thread is found from any thread, and not once it has stopped."""
    found: list[object] = []

    async def main() -> None:
        await asyncio.to_thread(lambda: found.append(_loops.of_main_thread()))
        assert found == [asyncio.get_running_loop()]
        assert _loops.running() == found

    asyncio.run(main())
    assert _loops.of_main_thread() is None
