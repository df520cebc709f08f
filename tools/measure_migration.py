"""Measure how long a program stands still while a million live objects are migrated.

    python tools/measure_migration.py [objects]

A class with ``__hotswap_migrate__`` gets a new attribute. Three programs are measured, each in a process of its own: a
game loop that polls, an event loop that wakes each millisecond, and a thread that does the same while hotswap's own
thread applies. Printed are the longest time between two of its steps before the save (what the machine does by itself),
while the save is applied, and while the objects are migrated, and how long all of that took.
"""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hotswap

OLD = """
class Thing:
    __slots__ = ("number", "__dict__")

    def __init__(self, number):
        self.number = number

    def __hotswap_migrate__(self, change):
        self.double = self.number * 2

    def value(self):
        return self.number
"""
NEW = OLD.replace(
    "        self.number = number\n", "        self.number = number\n        self.double = number * 2\n"
).replace("return self.number\n", "return self.double\n")


class Steps:
    """When the program took its steps."""

    def __init__(self) -> None:
        self.times = [time.perf_counter()]

    def take(self) -> None:
        """Note a step."""
        self.times.append(time.perf_counter())

    def longest(self, start: float, end: float) -> float:
        """Return the longest time in milliseconds between two steps, one of which was taken from `start` to `end`."""
        pairs = zip(self.times, self.times[1:], strict=False)
        return max((b - a for a, b in pairs if b >= start and a <= end), default=0.0) * 1000


def measure(kind: str, count: int) -> None:
    """Run one program and print its figures."""
    folder = Path(tempfile.mkdtemp())
    path = folder / "things.py"
    path.write_text(OLD, encoding="utf-8")
    sys.path.insert(0, str(folder))
    things: Any = importlib.import_module("things")
    objects = [things.Thing(number) for number in range(count)]
    steps = Steps()
    seen: list[float] = []
    saved = PROGRAMS[kind](folder, path, steps, objects, seen)
    committed, done = seen[0], time.perf_counter()
    assert all(one.value() == one.number * 2 for one in objects)
    print(
        f"{kind:>8}: before {steps.longest(0, saved):5.1f} ms, applied {steps.longest(saved, committed):6.1f} ms, "
        f"migrated {steps.longest(committed, done):5.1f} ms; all done after {done - saved:.2f} s"
    )


def _until(steps: Steps, path: Path, objects: list[Any], step: Callable[[], object], seen: list[float]) -> float:
    """Take steps for a second, save, and go on until all objects are migrated; return when it was saved."""
    end = time.perf_counter() + 1
    while time.perf_counter() < end:
        step()
        steps.take()
    saved = time.perf_counter()
    path.write_text(NEW, encoding="utf-8")
    while not _is_done(objects, seen):
        step()
        steps.take()
    return saved


def _is_done(objects: list[Any], seen: list[float]) -> bool:
    if not seen and type(objects[0]).value.__code__.co_names == ("double",):
        seen.append(time.perf_counter())
    return bool(seen) and hasattr(objects[0], "double") and hasattr(objects[-1], "double")


def run_poll(folder: Path, path: Path, steps: Steps, objects: list[Any], seen: list[float]) -> float:
    """A game loop."""
    with hotswap.watch(folder, apply="poll") as reloader:

        def frame() -> None:
            reloader.poll()
            time.sleep(0.001)

        return _until(steps, path, objects, frame, seen)


def run_asyncio(folder: Path, path: Path, steps: Steps, objects: list[Any], seen: list[float]) -> float:
    """An event loop."""

    async def main() -> float:
        with hotswap.watch(folder, apply="asyncio"):
            end = time.perf_counter() + 1
            while time.perf_counter() < end:
                await asyncio.sleep(0.001)
                steps.take()
            saved = time.perf_counter()
            path.write_text(NEW, encoding="utf-8")  # noqa: ASYNC240  a small file, and nothing else runs
            while not _is_done(objects, seen):
                await asyncio.sleep(0.001)
                steps.take()
            return saved

    return asyncio.run(main())


def run_thread(folder: Path, path: Path, steps: Steps, objects: list[Any], seen: list[float]) -> float:
    """A thread that works while another one applies."""
    found: list[float] = []
    with hotswap.watch(folder, apply="thread"):
        worker = threading.Thread(
            target=lambda: found.append(_until(steps, path, objects, lambda: time.sleep(0.001), seen))
        )
        worker.start()
        worker.join()
    return found[0]


PROGRAMS = {"poll": run_poll, "asyncio": run_asyncio, "thread": run_thread}


def main() -> None:
    """Measure all programs, or the one that is named."""
    if len(sys.argv) > 2:
        measure(sys.argv[2], int(sys.argv[1]))
        return
    count = sys.argv[1] if len(sys.argv) > 1 else "1000000"
    print(f"{int(count):,} objects, Python {sys.version.split()[0]}")
    for kind in PROGRAMS:
        subprocess.run([sys.executable, __file__, count, kind], check=True)


if __name__ == "__main__":
    main()
