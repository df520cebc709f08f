"""Measure `hotswap.stale()` in a process with a million objects: `python tools/measure_stale.py`.

There is something of each sort: a suspended generator, a closure that could not be patched, a kept value, an object
that lacks an attribute. Prints the median and the longest of eleven calls, in milliseconds.
"""

from __future__ import annotations

import importlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

from hotswap import Reloader

BEFORE = """\
RATE = 1
POOL = object() if RATE else None

class A:
    def __init__(self):
        self.x = 1
    def m(self):
        return self.x

def count():
    yield 1
    yield 2

def outer(step, limit):
    def inner():
        return step
    return inner
"""
AFTER = (
    BEFORE.replace("RATE = 1", "RATE = 2")
    .replace("self.x = 1", "self.x = 1\n        self.y = 2")
    .replace("return self.x", "return self.y")
    .replace("yield 2", "yield 3")
    .replace("return step", "return min(step, limit)")
)


def main() -> None:
    """Swap once, then measure."""
    root = Path(tempfile.mkdtemp())
    sys.path.insert(0, str(root))
    path = root / "measured.py"
    path.write_text(BEFORE)
    measured = importlib.import_module("measured")
    kept = [measured.A(), measured.count(), measured.outer(1, 2)]
    next(kept[1])
    heap = [[number] for number in range(1_000_000)]
    with Reloader(root, apply="manual") as reloader:
        path.write_text(AFTER)
        reloader.reload()
        spent = []
        for _ in range(11):
            begun = time.perf_counter()
            entries = reloader.stale()
            spent.append((time.perf_counter() - begun) * 1e3)
    print(f"{len(heap):,} lists, {len(entries)} entries: {', '.join(sorted(one.kind for one in entries))}")
    print(f"median {statistics.median(spent):.1f} ms, longest {max(spent):.1f} ms")


if __name__ == "__main__":
    main()
