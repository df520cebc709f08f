"""All that is measured of speed, as ratios: ``python benchmarks``, or ``python benchmarks --quick``.

Each case runs in a process of its own and compares by turns what it compares, so ratios hold on a busy machine where
times do not. ``--json FILE`` writes the numbers; ``--only WORD`` runs the rows whose name has the word; ``--check``
ends with 1 if a ratio is far beyond its limit.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
PEERS: Final = {"jurigged": "jurigged", "autoreload": "IPython"}
"""Tools that are measured beside, if their package is installed."""
WIDE: Final = 2.5
"""How far beyond its limit a ratio has to be for ``--check`` to fail: machines are noisy, and regressions are not."""

Numbers = dict[str, float]
Row = tuple[str, float, Callable[[], tuple[float, str]]]


@dataclass(frozen=True, slots=True)
class Result:
    """One row: what was measured, the ratio (or the value, with its unit in `note`), and what it is to stay below."""

    name: str
    value: float
    limit: float
    note: str


def run(case: str, *arguments: object) -> Numbers:
    """Run a case in a process of its own. Raises CalledProcessError."""
    code = f"import json, cases; print(json.dumps(cases.{case}(*{arguments!r})), flush=True); import os; os._exit(0)"
    said = subprocess.run([sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, timeout=900)
    if said.returncode:
        sys.stderr.write(said.stderr[-2000:])
        said.check_returncode()
    found: Numbers = json.loads(said.stdout.splitlines()[-1])
    return found


def rows(*, quick: bool) -> Iterator[Row]:
    """Yield what is measured, with the limit of each."""
    times, sizes = (12, (10, 100)) if quick else (40, (10, 100, 1000))

    def against(case: str, *arguments: Any) -> Callable[[], tuple[float, str]]:
        def measure() -> tuple[float, str]:
            one = run(case, *arguments)
            return one["tool"] / one["floor"], f"{one['tool'] * 1e3:.2f} ms; first {one['first'] * 1e3:.1f} ms"

        return measure

    yield "the floor against itself", 1.1, against("edit", "floor", "leaf", 10, 120, times)
    for kind in ("leaf", "hot", "added", "method"):
        yield f"small edit: {kind}, 120 lines", 1.3, against("edit", "hotswap", kind, 10, 120, times)
        yield f"small edit: {kind}, 2,000 lines", 0.3, against("edit", "hotswap", kind, 10, 2000, times)
    yield "one line of 10,000 (ms)", 5, lambda: (run("edit", "hotswap", "leaf", 10, 10_000, 8)["tool"] * 1e3, "ms")
    for size in sizes:
        yield f"small edit: hot, {size:,} modules", 1.3, against("edit", "hotswap", "hot", size, 120, times)
    if not quick:
        yield "5,000 modules over 100", 1.1, lambda: _over("edit", "tool", ("leaf", 5000), ("leaf", 100), times)
    objects = 500_000 if quick else 5_000_000
    yield f"{objects:,} more objects on the heap", 1.1, lambda: _heap(objects, 5 if quick else 15)
    yield "40th edit over the 2nd", 1.1, lambda: _slope(times)
    yield "constant into 300 importers", 3, against("constant", "hotswap", 300, times // 2)
    yield "200 files in one save", 1.3, against("many", "hotswap", 200, 4)
    yield "save to live, wall", 1.5, lambda: _wall(times)
    yield "start: importing 1,000 modules", 1.1, lambda: _start("hotswap", 1000)
    yield "a call after 20 edits", 1.05, lambda: _calls("call")
    yield "an attribute after 20 edits", 1.05, lambda: _calls("attribute")
    yield "a call of what became another one", 1.6, lambda: _calls("forwarded")
    yield "a poll that finds nothing (us)", 1, lambda: (run("poll", 100_000)["tool"] / 1e3, "us")
    yield "import hotswap (ms)", 25, lambda: (run("importing", 7)["tool"] * 1e3, "ms beyond its dependencies")
    if not quick:
        yield "after 1,000 edits (MiB more)", 2, _thousand
        for tool in (tool for tool, package in PEERS.items() if find_spec(package)):
            yield f"{tool}: small edit", 0, against("edit", tool, "leaf", 1000, 120, 10)
            yield f"{tool}: 200 files", 0, against("many", tool, 200, 2)
            yield f"{tool}: start", 0, lambda tool=tool: _start(tool, 1000)  # type: ignore[misc]
        yield "watchdog alone: start", 0, lambda: _start("watchdog", 1000)


def _over(case: str, key: str, one: tuple[str, int], other: tuple[str, int], times: int) -> tuple[float, str]:
    found = [run(case, "hotswap", kind, size, 120, times) for kind, size in (one, other)]
    ratios = [numbers[key] / numbers["floor"] for numbers in found]
    return ratios[0] / ratios[1], f"{ratios[0]:.2f} and {ratios[1]:.2f} of the floor"


def _heap(objects: int, times: int) -> tuple[float, str]:
    found = run("heap", "hotswap", objects, times)
    floor = found["floor full"] / found["floor"]
    return found["full"] / found["tool"], f"{found['full'] * 1e3:.2f} ms; the floor {floor:.2f}"


def _slope(times: int) -> tuple[float, str]:
    found = run("edit", "hotswap", "leaf", 10, 120, times)
    return found["last"] / found["second"], f"{found['last'] * 1e3:.2f} ms"


def _wall(times: int) -> tuple[float, str]:
    found = run("wall", times)
    return found["tool"] / found["floor"], f"{found['tool'] * 1e3:.2f} ms over {found['floor'] * 1e3:.2f} ms"


def _start(tool: str, modules: int) -> tuple[float, str]:
    found = run("start", tool, modules)
    note = f"{found['tool'] * 1e3:.0f} ms over {found['floor'] * 1e3:.0f} ms; {found['memory']:.1f} MiB"
    return found["tool"] / found["floor"], note


def _calls(kind: str) -> tuple[float, str]:
    found = run("calls", 200_000)
    return found[f"{kind} after"] / found[kind], f"{found[f'{kind} after']:.0f} ns"


def _thousand() -> tuple[float, str]:
    found = run("thousand", 1000)
    return found["memory"], f"{found['objects']:.0f} objects more"


def main() -> int:
    """Measure, print a table, return what the process shall end with."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    results = []
    for name, limit, measure in rows(quick=given.quick):
        if given.only in name:
            value, note = measure()
            results.append(Result(name, value, limit, note))
            allowed = f"<= {limit:g}" if limit else ""
            print(f"{name:36} {value:8.2f}  {allowed:8} {note}", flush=True)
    if given.json:
        given.json.write_text(json.dumps([asdict(one) for one in results], indent=1) + "\n", encoding="utf-8")
    far = [one.name for one in results if one.limit and one.value > one.limit * WIDE]
    if given.check and far:
        print("far beyond the limit:", "; ".join(far), file=sys.stderr)
    return int(bool(given.check and far))


if __name__ == "__main__":
    raise SystemExit(main())
