"""A bot whose hooks are coroutines: they are awaited on its loop, and other tasks run meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotswap import Reloader, Report

_numbers = itertools.count()
PATIENCE = 20.0

BOT = """
import asyncio
import threading

log = []


async def __hotswap_before__(data):
    log.append(("before", threading.get_ident(), answer()))
    data["waiting"] = 1
    await asyncio.sleep(0.01)


async def __hotswap_after__(data, report):
    await asyncio.sleep(0.01)
    log.append(("after", threading.get_ident(), answer(), data["waiting"], report.error))


def answer():
    return 1
"""


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / f"hooked_{next(_numbers)}.py"
    path.write_text(BOT, encoding="utf-8")
    sys.path.insert(0, str(tmp_path))
    __import__(path.stem)
    yield path
    sys.path.remove(str(tmp_path))
    del sys.modules[path.stem]


async def _next(reloader: Reloader) -> Report:
    async for report in reloader.reports():
        return report
    raise AssertionError


def save(bot: Path) -> None:
    bot.write_text(BOT.replace("return 1", "return 2"), encoding="utf-8")


def test_hooks_are_awaited_on_the_loop_and_messages_go_on(bot: Path) -> None:
    """The hook before meets the old code, the hook after the new; a task that answers is never kept waiting by them."""
    answers: list[int] = []
    module = sys.modules[bot.stem]

    async def reply() -> None:
        while True:
            answers.append(module.answer())
            await asyncio.sleep(0)

    async def main() -> None:
        with Reloader(bot.parent) as reloader:
            replying = asyncio.create_task(reply())
            waiting = asyncio.create_task(_next(reloader))
            await asyncio.sleep(0)
            save(bot)
            report = await asyncio.wait_for(waiting, PATIENCE)
            assert report.error is None
            replying.cancel()

    asyncio.run(main())
    here = threading.get_ident()
    assert module.log == [("before", here, 1), ("after", here, 2, 1, None)]
    assert sorted(answers) == answers
    assert set(answers) == {1, 2}
