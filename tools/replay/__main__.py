"""Replay histories and print a table: ``python tools/replay more-itertools tomlkit --tool hotswap --json found.json``.

Each row is a project under a tool: of how many steps the living process equalled a fresh one, level by level (each
includes the ones before it), what findings told, and what a step cost. ``-v`` lists what differs and was not told.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from digest import LEVELS
from peers import TOOLS
from releases import PROJECTS, History, Project, download
from steps import SHOWN, Replay, Step


def is_equal(step: Step, shown: str) -> bool:
    """Whether nothing differs, untold, after `step` up to and including the level `shown`."""
    levels = LEVELS[: LEVELS.index(shown) + 1] if shown in LEVELS else (shown,)
    return not step.crash and not any(step.silent(level) for level in levels)


def row(name: str, steps: list[Step]) -> str:
    """Return the line of the table for the `steps` of one project and tool; those that are no measure are left out."""
    last, steps = steps[-1:], [step for step in steps if not step.failed]
    if not steps:
        return f"| {name} | 0 |"
    shares = [f"{100 * sum(is_equal(step, shown) for step in steps) / len(steps):.0f}%" for shown in SHOWN]
    cpu = sorted(1e3 * step.cpu for step in steps)
    codes: Counter[str] = sum((step.codes() for step in steps), Counter())
    told = ", ".join(f"{code} {count}" for code, count in sorted(codes.items())) or "-"
    things = sum(step.edited for step in steps)
    rate = f"{things} / {100 * sum(codes.values()) / max(things, 1):.2f}"
    times = f"{statistics.median(cpu):.0f} / {cpu[math.ceil(0.95 * (len(cpu) - 1))]:.0f} / {cpu[-1]:.0f}"
    shares += (f"{one.passed - len(one.lost)} of {one.passed}" if one.passed else "-" for one in last)
    return f"| {name} | {len(steps)} | {' | '.join(shares)} | {told} | {rate} | {times} |"


HEAD = (
    f"| project, tool | steps | {' | '.join(SHOWN)} | tests | findings"
    " | edits / told per 100 | CPU ms: median / 95% / most |\n"
    f"|---|---|{'---|' * len(SHOWN)}---|---|---|---|"
)


def lines_of(step: Step, most: int) -> Iterator[str]:
    """Yield what there is to say of one step: its cost, what was told, what was not."""
    if step.failed:
        yield f"  {step.version}: cannot be imported; told: {dict(step.codes())}"
        return
    counts = ", ".join(f"{shown} {len(step.silent(shown))}" for shown in SHOWN)
    yield f"  {step.version}: {1e3 * step.cpu:.0f} ms; not told: {counts} {step.crash}; told: {dict(step.codes())}"
    for told in step.told if most else ():
        yield "      " + " ".join(map(str, told))[:300]
    for shown in SHOWN:
        yield from (f"    {one}"[:400] for one in step.silent(shown)[:most])


def _replay(history: History, given: argparse.Namespace, tool: str) -> list[Step]:
    versions = [v for v in history.places if _within(v, list(history.places), given.first, given.last)]
    replay = Replay(history, given.cache, tool)
    steps = []
    for step in replay.alone(versions) if given.alone else replay.cumulative(versions):
        steps.append(step)
        print("\n".join(lines_of(step, given.verbose * given.most)), flush=True)
        if step.crash:
            break
    if given.tests and steps and not steps[-1].crash and not given.alone:
        replay.run_tests(steps[-1])
        print(f"  tests: {steps[-1].passed} pass in a fresh process, {len(steps[-1].lost)} of them not in this one")
        print("".join(f"    {name}\n" for name in steps[-1].lost[: given.most]), end="")
    replay.close()
    return steps


def _within(version: str, versions: list[str], first: str | None, last: str | None) -> bool:
    index = versions.index(version)
    return (not first or index >= versions.index(first)) and (not last or index <= versions.index(last))


def _history(project: Project, given: argparse.Namespace) -> History:
    if given.git:
        return History.of_commits(project, given.git, given.steps + 1, given.last or "HEAD")
    return History.of_folders(project, given.folder) if given.folder else History.of_releases(project, given.cache)


def main() -> int:
    """Replay what the arguments name; return 1 if hotswap was silent about a difference."""
    parser = argparse.ArgumentParser(prog="replay", description=__doc__)
    parser.add_argument("projects", nargs="*", help=f"of {', '.join(PROJECTS)}; all if none is named")
    parser.add_argument(
        "--tool", action="append", choices=list(TOOLS), help="hotswap if none is named; may be repeated"
    )
    parser.add_argument("--steps", type=int, default=30, help="how many releases to download, or commits to take")
    parser.add_argument("--download", action="store_true", help="have pip fetch what the cache lacks")
    parser.add_argument("--git", type=Path, help="a git repository: its last commits; the project names the package")
    parser.add_argument("--folder", type=Path, help="a history of one folder a version; the project names the package")
    parser.add_argument("--first", help="the version to start at")
    parser.add_argument("--last", help="the version to end with")
    parser.add_argument("--alone", action="store_true", help="each step in a process of its own")
    parser.add_argument("--tests", action="store_true", help="then run the last version's own tests in the process")
    parser.add_argument("--cache", type=Path, default=Path(os.path.expanduser("~/.cache/hotswap-replay")))
    parser.add_argument("--json", type=Path, help="write every step with its differences to this file")
    parser.add_argument("--most", type=int, default=8, help="with -v: how many differences of each level")
    parser.add_argument("-v", "--verbose", action="store_true")
    given = parser.parse_args()
    found: dict[str, list[Step]] = {}
    for name in given.projects or list(PROJECTS):
        project = PROJECTS.get(name) or Project(name, (name,))
        if given.download:
            download(project, given.steps + 1, given.cache)
        history = _history(project, given)
        for tool in given.tool or ["hotswap"]:
            print(f"{name}, {tool}")
            found[f"{name}, {tool}"] = _replay(history, given, tool)
    print(HEAD)
    for title, steps in found.items():
        print(row(title, steps))
    if given.json:
        given.json.write_text(json.dumps({title: [asdict(step) for step in steps] for title, steps in found.items()}))
    swapped = [step for title, steps in found.items() if title.endswith("hotswap") for step in steps]
    return int(any(not is_equal(step, "lines") for step in swapped))


if __name__ == "__main__":
    sys.exit(main())
