"""What saving costs the frames of a game: ``python benchmarks/frames.py [SECONDS]``, at 60 and at 144 frames a second.

Each tool runs the same loop in a process of its own: 2 ms of work a frame, a module of 6,000 lines and 200 small ones.
Meanwhile this process saves: small edits of the long module, all 200 small ones at once, and nothing, to compare with.
A frame's time is the CPU time of the whole process from the frame's begin to the end of its work, so that a thread
which holds the interpreter is counted, and what other programs do is not. "added" is the worst frame's time over the
median of the frames while nothing is saved; the worst of those is given beside it, as the noise of the machine. "own"
is the same for the CPU time of the game's own thread, which other programs cannot disturb. Files are renamed into their
place; for jurigged, which does not see that, they are written there.
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
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
SMALL: Final = 200
CLASSES: Final = 545  # 11 lines each: 6,000 lines
RATES: Final = (60, 144)
WORK: Final = 0.002
IN_PLACE = False


def long_text(version: int) -> str:
    """Return the long module; one method in its middle differs from version to version."""
    parts = ["import math\n"]
    for i in range(CLASSES):
        result = version if i == CLASSES // 2 else 0
        parts.append(
            f"\n\nclass Entity{i}:\n    def update(self, dt):\n        y = dt + {i}\n        if y > 1e9:\n"
            f"            return math.sin(y)\n        return {result}\n\n"
            "    def reach(self):\n        return [self.update(n) for n in range(3)]\n"
        )
    return "".join(parts)


def small_text(number: int, version: int) -> str:
    """Return one of the small modules."""
    return f"def step(x):\n    y = x + {number}\n    return {version}\n\n\ndef twice(x):\n    return step(step(x))\n"


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
    seen = (0, 0)
    due = time.perf_counter()
    while phases[-1] != "end":
        due += 1 / rate
        begin, own = time.process_time(), time.thread_time()
        poll()
        working = time.thread_time()
        while time.thread_time() - working < WORK:
            pass
        times.setdefault(phases[-1], []).append((time.process_time() - begin, time.thread_time() - own))
        seen = (getattr(modules[0], f"Entity{CLASSES // 2}")().update(0), min(m.step(0) for m in modules[1:]))
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
        for phase, edit in (("idle", None), ("small", edit_long), ("many", edit_many)):
            child.stdin.write(f"{phase}\n")
            child.stdin.flush()
            for version in range(1, 6):
                if edit is not None:
                    edit(folder, version)
                time.sleep(seconds / 5)
        output, _ = child.communicate("end\n", timeout=60)
        return dict(json.loads(output.splitlines()[-1]))


def edit_long(folder: Path, version: int) -> None:
    """Change a body in the long module."""
    save(folder / "long.py", long_text(version))


def edit_many(folder: Path, version: int) -> None:
    """Change a body in each small module, at once."""
    for number in range(SMALL):
        save(folder / f"small{number}.py", small_text(number, version))


def main(seconds: float) -> None:
    """Print a table."""
    global IN_PLACE
    print(
        "CPU time in ms, whole process (own thread)      worst idle     added: small edit      added: 200 files   live"
    )
    for rate in RATES:
        for tool in TOOLS:
            if tool == "jurigged" and find_spec(tool) is None:
                continue
            IN_PLACE = tool == "jurigged"
            found = measure(tool, rate, seconds)
            cells = []
            for phase in ("idle", "small", "many"):
                both = [list(column) for column in zip(*found["times"][phase], strict=True)]
                idle = [statistics.median(column) for column in zip(*found["times"]["idle"], strict=True)]
                added = [(max(column) - usual) * 1e3 for column, usual in zip(both, idle, strict=True)]
                cells.append(f"{added[0]:12.1f} ({added[1]:5.1f})")
            print(f"{tool:10} {rate:4} Hz {'':8}{'   '.join(cells)}   {tuple(found['seen'])}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        play(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
