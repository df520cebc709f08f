"""What a cell costs under hotswap and under `%autoreload 2`, beside a shell with neither: CPU time, in one run.

    python benchmarks/cells.py [--modules 1000] [--cells 2000] [--saves 20]

Each way runs in a process of its own, with a real IPython shell that has imported so many modules of 40 lines. First
cells are run with nothing saved between them, and the best of ten rounds counts; then one file is saved before each
cell, which edits one function. What a cell costs without an extension is taken off. Of a cell behind a save, what the
swap itself takes stands in a column of its own. CPU time is that of the whole process, its threads included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WAYS = ("neither", "hotswap", "autoreload 2")


def write_modules(folder: Path, count: int) -> None:
    """Write `count` modules, ten in each package, each of which imports the one before it in its package."""
    for number in range(count):
        package = folder / f"part{number // 10}"
        package.mkdir(exist_ok=True)
        (package / "__init__.py").touch()
        (package / f"m{number}.py").write_text(_text(number), encoding="utf-8")


def _text(number: int, version: int = 0) -> str:
    neighbour = f"from part{(number - 1) // 10} import m{number - 1} as before\n" if number % 10 else ""
    functions = "".join(
        f"\n\ndef f{n}(x):\n    return x + LIMIT + {n + (version if n == 0 else 0)}\n" for n in range(9)
    )
    return f"{neighbour}\nLIMIT = {number}\n{functions}"


def _cpu(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def measure(way: str, folder: Path, count: int, cells: int, saves: int) -> dict[str, Any]:
    """Return the seconds of CPU of an idle cell, of each cell behind a save, and of the swaps in those."""
    from IPython.core.interactiveshell import InteractiveShell

    sys.path.insert(0, str(folder))
    shell: Any = InteractiveShell.instance(history_length=0)
    shell.history_manager.enabled = False
    for number in range(count):
        shell.run_cell(f"import part{number // 10}.m{number}", store_history=False)
    swaps = _load(shell, way)
    for _ in range(20):
        shell.run_cell("None")
    rounds = [_cpu(lambda: [shell.run_cell("None") for _ in range(cells // 10)]) for _ in range(10)]
    idle = min(rounds) / (cells // 10)
    behind, swapped, right = [], [], 0
    for version in range(1, saves + 1):
        number = count // 2
        (folder / f"part{number // 10}" / f"m{number}.py").write_text(_text(number, version), encoding="utf-8")
        swaps.clear()
        behind.append(_cpu(lambda: shell.run_cell(f"found = part{count // 20}.m{count // 2}.f0(0)")))
        swapped.append(sum(swaps))
        right += shell.user_ns.get("found") == number + version
    return {"idle": idle, "behind": behind, "swap": swapped, "right": right}


def _load(shell: Any, way: str) -> list[float]:
    """Load the extension of `way` into `shell`; return the list that gets the CPU time of each swap of hotswap."""
    swaps: list[float] = []
    if way == "autoreload 2":
        shell.run_cell("%load_ext autoreload\n%autoreload 2")
    elif way == "hotswap":
        shell.run_cell("%load_ext hotswap")
        from hotswap._reloader import Reloader

        swap = Reloader.swap

        def timed(*args: Any, **options: Any) -> Any:
            began = time.process_time()
            try:
                return swap(*args, **options)
            finally:
                swaps.append(time.process_time() - began)

        Reloader.swap = timed  # type: ignore[method-assign]  # to tell the swap from what is around it
        shell.display_pub = type("Silent", (), {"publish": staticmethod(lambda *_, **__: None)})()
    return swaps


def _one(way: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one way in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        write_modules(Path(folder), options.modules)
        command = [sys.executable, __file__, "--way", way, "--folder", folder]
        command += [f"--{name}={getattr(options, name)}" for name in ("modules", "cells", "saves")]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--modules", type=int, default=1000)
    parser.add_argument("--cells", type=int, default=2000)
    parser.add_argument("--saves", type=int, default=20)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(measure(options.way, options.folder, options.modules, options.cells, options.saves)))
        return
    found = {way: _one(way, options) for way in WAYS}
    plain, plain_behind = found["neither"]["idle"], statistics.median(found["neither"]["behind"])
    print(f"{options.modules} modules; CPU ms per cell beyond the {plain * 1e3:.3f} ms of a cell without extension")
    print(f"{'':14} {'idle':>8} {'behind a save':>14} {'of it the swap':>15} {'right at once':>14}")
    for way in WAYS[1:]:
        one = found[way]
        behind, swap = statistics.median(one["behind"]) - plain_behind, statistics.median(one["swap"])
        told = f"{swap * 1e3:15.2f}" if way == "hotswap" else f"{'':15}"
        right = f"{one['right']}/{options.saves}"
        print(f"{way:14} {(one['idle'] - plain) * 1e3:8.3f} {behind * 1e3:14.2f} {told} {right:>14}")


if __name__ == "__main__":
    main()
