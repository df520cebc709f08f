"""Who still runs old code."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

import pytest

from hotswap._stale._living import OldCodes, findings


def make(text: str) -> FunctionType:
    """Return the function that `text` defines, in a namespace of its own."""
    names: dict[str, Any] = {}
    exec(compile(text, "prog.py", "exec"), names)
    return next(value for value in names.values() if type(value) is FunctionType)


def swap(function: FunctionType, text: str) -> CodeType:
    """Give `function` the code of `text`; return the old code."""
    old = function.__code__
    function.__code__ = make(text).__code__
    return old


@pytest.fixture
def codes() -> OldCodes:
    return OldCodes()


def test_nothing_is_stale_without_old_code(codes: OldCodes) -> None:
    """With no code replaced, nothing is looked at."""
    assert codes.running() == () == codes.everything()


def test_a_frame_in_a_thread(codes: OldCodes) -> None:
    """A function that runs in a thread while it is swapped is found with its line and the thread's name, until it
    returns.
    """
    entered, leave = threading.Event(), threading.Event()
    work = make("def work(entered, leave):\n    entered.set()\n    leave.wait(10)\n")
    thread = threading.Thread(target=work, args=(entered, leave), name="worker")
    thread.start()
    assert entered.wait(10)
    codes.add([swap(work, "def work(entered, leave):\n    return 2\n")])
    (found,) = codes.running()
    assert (found.kind, found.name, found.path, found.lineno) == ("frame", "work", "prog.py", 3)
    assert "worker" in found.where
    leave.set()
    thread.join(10)
    gc.collect()
    assert codes.running() == () == codes.everything()


def test_a_task_and_what_it_awaits(codes: OldCodes) -> None:
    """A coroutine that a task awaits is found under the name of the task."""

    async def main() -> None:
        inner = make("async def inner(event):\n    await event.wait()\n")
        event = asyncio.Event()

        async def outer() -> None:
            await inner(event)

        task = asyncio.create_task(outer(), name="poller")
        await asyncio.sleep(0)
        codes.add([swap(inner, "async def inner(event):\n    return 2\n")])
        (found,) = codes.running()
        assert (found.kind, found.name, found.lineno, found.where) == ("task", "inner", 2, "task poller")
        event.set()
        await task

    asyncio.run(main())


def test_a_suspended_generator_until_it_is_dropped(codes: OldCodes) -> None:
    """A suspended generator is found by the pass over the heap, and its entry vanishes with it."""
    numbers = make("def numbers():\n    yield 1\n    yield 2\n")
    held: Iterator[int] | None = numbers()
    next(held)
    codes.add([swap(numbers, "def numbers():\n    yield 3\n")])
    assert codes.running() == ()
    (found,) = codes.everything()
    assert (found.kind, found.name, found.lineno) == ("generator", "numbers", 2)
    held = None
    gc.collect()
    assert codes.everything() == ()


def test_an_exhausted_generator_runs_nothing(codes: OldCodes) -> None:
    """A generator that is kept but has ended is no user of old code."""
    numbers = make("def numbers():\n    yield 1\n")
    held = numbers()
    assert list(held) == [1]
    codes.add([swap(numbers, "def numbers():\n    yield 3\n")])
    assert codes.everything() == ()


def test_a_closure_that_could_not_be_patched(codes: OldCodes) -> None:
    """A function that kept its old code is found."""
    kept = make("def kept():\n    return 1\n")
    codes.add([kept.__code__])
    assert [(one.kind, one.name) for one in codes.everything()] == [("function", "kept")]


def test_findings_name_thread_file_and_line(codes: OldCodes) -> None:
    """Each thing that runs old code is told by name, place and line."""
    entered, leave = threading.Event(), threading.Event()
    work = make("def work(entered, leave):\n    entered.set()\n    leave.wait(10)\n")
    thread = threading.Thread(target=work, args=(entered, leave), name="worker")
    thread.start()
    assert entered.wait(10)
    codes.add([swap(work, "def work(entered, leave):\n    return 2\n")])
    (found,) = findings(codes.running())
    leave.set()
    thread.join(10)
    assert (found.code, found.path, found.lineno) == ("HS207", "prog.py", 3)
    assert "work (thread worker)" in found.message
