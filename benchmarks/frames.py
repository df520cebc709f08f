"""What saving costs the frames of a game: ``python benchmarks/frames.py [SECONDS [RUNS]]``, at 60 and at 144 Hz.

Each tool runs the same loop in a process of its own: 2 ms of work a frame, a module of 6,000 lines and 200 small ones.
Meanwhile this process saves, five times each: nothing, to compare with ("idle"); the body of a method in the long
module, by a line more ("small"); a table at its top from which a class and a list are made, by a row more, so that all
of the module is gone through and moves ("large"); all 200 small ones at once ("many"); and so that every tenth has a
constant and a table that is made of it changed as well ("mixed").

A frame's time is the CPU time of the whole process from the frame's begin to the end of its work, so that a thread
which holds the interpreter is counted, and what other programs do is not. What is printed is by how much the worst
frame's time is above the median of the frames while nothing is saved, and in brackets the same for the CPU time of the
game's own thread, which other programs cannot disturb; of several runs the median. Files are renamed into their place;
for jurigged, which does not see that, they are written there.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
SMALL: Final = 200
CLASSES: Final = 545  # 11 lines each: 6,000 lines
RATES: Final = (60, 144)
WORK: Final = 0.002
REST: Final = 2.0
PHASES: Final = ("idle", "small", "large", "many", "mixed")
IN_PLACE = False


def long_text(version: int, table: int = 0) -> str:
    """Return the long module; a method in its middle differs from version to version, and what is made of `table`.

    Both have a line more each time, so that all that stands below them moves.
    """
    parts = ["import math\n\nTABLE = [\n", f"    {table},\n" * (1 + table), "]\n"]
    for i in range(CLASSES):
        result = version if i == CLASSES // 2 else 0
        more = "        y += 1\n" * result
        parts.append(
            f"\n\nclass Entity{i}:\n    def update(self, dt):\n        y = dt + {i}\n        if y > 1e9:\n"
            f"            return math.sin(y)\n{more}        return {result}\n\n"
            "    def reach(self):\n        return [self.update(n) for n in range(3)]\n"
        )
    parts.append("\n\nTWICE = [2 * n for n in TABLE]\n\n\nclass Map:\n    size = TABLE[0]\n")
    return "".join(parts)


def small_text(number: int, version: int, row: int = 0) -> str:
    """Return one of the small modules; every tenth has a table with `row` in it."""
    table = f"ROW = {row}\nTABLE = [ROW, [ROW]]\n\n\n" if number % 10 == 0 else ""
    step = f"def step(x):\n    y = x + {number}\n    return {version}\n"
    return f"{table}{step}\n\ndef twice(x):\n    return step(step(x))\n"


def save(path: Path, text: str) -> None:
    """Save as editors do that write aside and rename, or in place."""
    aside = path if IN_PLACE else path.with_suffix(".tmp")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


# ------------------------------------------------------------------------------------------------- in the child


def nothing(_: str) -> Callable[[], object]:
    """Follow no files."""
    return lambda: None


def hotswap(folder: str) -> Callable[[], object]:
    """Poll at the top of each frame."""
    import hotswap

    hotswap.watch(folder, apply="poll")
    return lambda: hotswap.poll(0.002)


def jurigged(folder: str) -> Callable[[], object]:
    """Have it watch in its own thread: it has no other way."""
    import jurigged

    jurigged.watch(f"{folder}/*.py", logger=lambda _: None)
    return lambda: None


TOOLS: Final = {"nothing": nothing, "hotswap": hotswap, "jurigged": jurigged}


def play(tool: str, rate: int, folder: str) -> None:
    """Run frames until standard input says so; print one line of times for each phase that it names."""
    import threading

    sys.path.insert(0, folder)
    poll = TOOLS[tool](folder)
    modules = [__import__(name) for name in ("long", *(f"small{n}" for n in range(SMALL)))]
    phases: list[str] = ["begin"]
    threading.Thread(target=lambda: phases.extend(line.strip() for line in sys.stdin), daemon=True).start()
    times: dict[str, list[tuple[float, float]]] = {}
    seen = (0, 0, 0, 0)
    due = time.perf_counter()
    while phases[-1] != "end":
        due += 1 / rate
        begin, own = time.process_time(), time.thread_time()
        poll()
        working = time.thread_time()
        while time.thread_time() - working < WORK:
            pass
        times.setdefault(phases[-1], []).append((time.process_time() - begin, time.thread_time() - own))
        method, long = getattr(modules[0], f"Entity{CLASSES // 2}")().update, modules[0]
        rows = min(m.TABLE[1][0] for m in modules[1::10])
        seen = (method(0), min(long.TWICE[0] // 2, long.Map.size), min(m.step(0) for m in modules[1:]), rows)
        time.sleep(max(0.0, due - time.perf_counter()))
    print(json.dumps({"times": times, "seen": seen}))


# ------------------------------------------------------------------------------------------------ in the parent


def measure(tool: str, rate: int, seconds: float) -> dict[str, Any]:
    """Return the times of each phase, in seconds, of one tool."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        save(folder / "long.py", long_text(0))
        for number in range(SMALL):
            save(folder / f"small{number}.py", small_text(number, 0))
        command = [sys.executable, __file__, "--play", tool, str(rate), str(folder)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        assert child.stdin is not None
        time.sleep(3)  # it imports
        for phase, edit in zip(PHASES, EDITS, strict=True):
            enter(child.stdin, phase)
            for version in range(1, 6):
                if edit is not None:
                    edit(folder, version)
                time.sleep(seconds / 5)
            time.sleep(REST)  # the last save of a phase belongs to no other
        output, _ = child.communicate("end\n", timeout=60)
        return dict(json.loads(output.splitlines()[-1]))


def enter(child: IO[str], phase: str) -> None:
    """Have the frames from now on count for `phase`."""
    child.write(f"{phase}\n")
    child.flush()


def edit_method(folder: Path, version: int) -> None:
    """Change a body in the long module."""
    save(folder / "long.py", long_text(version))


def edit_table(folder: Path, version: int) -> None:
    """Change a value in the long module that others are made from."""
    save(folder / "long.py", long_text(5, version))


def edit_many(folder: Path, version: int) -> None:
    """Change a body in each small module, at once."""
    for number in range(SMALL):
        save(folder / f"small{number}.py", small_text(number, version))


def edit_mixed(folder: Path, version: int) -> None:
    """Change a body in each small module, and a value and what is made of it in some, at once."""
    for number in range(SMALL):
        save(folder / f"small{number}.py", small_text(number, 5 + version, version))


EDITS: Final = (None, edit_method, edit_table, edit_many, edit_mixed)


def added(found: dict[str, Any]) -> list[float]:
    """Return for each phase how many ms its worst frame is above the usual one: of the process, and of the thread."""
    usual = [statistics.median(column) for column in zip(*found["times"]["idle"], strict=True)]
    worst = (map(max, zip(*found["times"][phase], strict=True)) for phase in PHASES)
    return [(most - least) * 1e3 for both in worst for most, least in zip(both, usual, strict=True)]


def main(seconds: float, runs: int) -> None:
    """Print a table."""
    global IN_PLACE
    print("CPU time in ms, whole process (own thread)" + "".join(f"{phase:>17}" for phase in PHASES) + "   live")
    for rate in RATES:
        for tool in TOOLS:
            if tool == "jurigged" and find_spec(tool) is None:
                continue
            IN_PLACE = tool == "jurigged"
            found = [measure(tool, rate, seconds) for _ in range(runs)]
            times = [statistics.median(column) for column in zip(*map(added, found), strict=True)]
            cells = (f"{whole:8.1f} ({own:6.1f})" for whole, own in zip(times[::2], times[1::2], strict=True))
            print(f"{tool:10} {rate:4} Hz {'':24}{''.join(cells)}   {tuple(found[-1]['seen'])}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        play(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    else:
        given = [*sys.argv[1:], "10", "3"]
        main(float(given[0]), int(given[1] if len(sys.argv) > 2 else given[-1]))
