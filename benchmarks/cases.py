"""What is measured: each case is a function that runs in a process of its own and returns numbers.

Times are CPU seconds of the whole process, threads included, if their name does not say otherwise. What is compared is
done by turns in one process, so that a machine that slows down slows down both.
"""

from __future__ import annotations

import gc
import itertools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import projects

import tools

Numbers = dict[str, float]
KINDS: Final = ("leaf", "hot", "added", "method")


def cpu(act: Callable[[], object]) -> float:
    """Return the CPU seconds that `act` takes."""
    began = time.process_time()
    act()
    return time.process_time() - began


def middle(times: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(times)


class Project:
    """A project in a folder of its own, imported; a twin of the edited file is there for the floor to work on."""

    def __init__(self, tool: str, modules: int, lines: int = 120, edited: str = "") -> None:
        self.root, self.lines = Path(tempfile.mkdtemp()), lines
        self.aside = Path(tempfile.mkdtemp())
        self.names = projects.write(self.root, modules, lines)
        self.edited = edited or self.names[-1]
        self.path, self.twin = self.root / f"{self.edited}.py", self.aside / "twin.py"
        self.head = self.path.read_text().partition("import json")[0]
        self.twin.write_text(self.path.read_text())
        self.follow = tools.TOOLS[tool](self.root)
        tools.load(self.root, self.names)
        tools.load(self.aside, ["twin"])
        self.follow(self.path)  # what a tool does while nothing happens is no part of the first edit
        self.floor, self.turn = tools.floor(self.aside), False

    def save(self, **change: int) -> None:
        """Save the edited file and its twin with the same change."""
        for path in (self.path, self.twin):
            path.write_text(projects.text(self.lines, head=self.head, **change))

    def both(self, **change: int) -> tuple[float, float]:
        """Save, and return what the floor and the tool take to follow; who comes first changes each time."""
        self.save(**change)
        self.turn = not self.turn
        acts = [lambda: self.floor(self.twin), lambda: self.follow(self.path)]
        times = [cpu(act) for act in acts[:: 1 if self.turn else -1]]
        return (times[0], times[1]) if self.turn else (times[1], times[0])

    def live(self) -> Any:
        """Return the edited module."""
        return sys.modules[self.edited]


def edit(tool: str, kind: str, modules: int, lines: int, times: int) -> Numbers:
    """One small edit after the other: in a leaf's or the hot module's function or method, or a function more."""
    project = Project(tool, modules, lines, projects.HOT if kind == "hot" else "")
    pairs = []
    for number in range(1, times + 1):
        pairs.append(project.both(**{kind if kind in ("added", "method") else "value": number}))
        if kind == "added" and tool == "hotswap":
            assert hasattr(project.live(), f"added{number - 1}")
        elif number > 1:
            live = project.live()
            assert (live.C0(0).get(0) - 1 if kind == "method" else live.f0(0)) == number, (tool, kind, number)
    return {
        "floor": middle(pair[0] for pair in pairs[2:]),
        "tool": middle(pair[1] for pair in pairs[2:]),
        "first": pairs[0][1],
        "second": middle(pair[1] for pair in pairs[1:4]),
        "last": middle(pair[1] for pair in pairs[-5:]),
    }


def heap(tool: str, objects: int, times: int) -> Numbers:
    """The same small edit with and without `objects` more objects on the heap, by turns in one process.

    Some edits before each, which do not count, have the processor's caches and the interpreter's free memory alike in
    both: making so many objects and going through them leaves neither.
    """
    project = Project(tool, 10)
    values = itertools.count(1)

    def settled() -> tuple[float, float]:
        return [project.both(value=next(values)) for _ in range(10)][-1]

    plain, full = [], []
    for _ in range(times):
        plain.append(settled())
        more = [[] for _ in range(objects)]
        gc.collect()
        full.append(settled())
        del more
    return {
        "tool": middle(pair[1] for pair in plain[1:]),
        "full": middle(pair[1] for pair in full[1:]),
        "floor": middle(pair[0] for pair in plain[1:]),
        "floor full": middle(pair[0] for pair in full[1:]),
    }


def constant(tool: str, importers: int, times: int) -> Numbers:
    """A constant of one module that `importers` modules import by name."""
    project = Project(tool, 2, edited=projects.HOT)
    for number in range(importers):
        text = projects.text(120, head=f"from {projects.HOT} import LIMIT as HERS\n")
        (project.root / f"user{number}.py").write_text(text)
    names = [f"user{number}" for number in range(importers)]
    tools.load(project.root, names)
    pairs = []
    for number in range(2, times + 2):
        pairs.append(project.both(limit=number))
        fresh = sum(number == sys.modules[name].HERS for name in names)
        if tool == "hotswap":
            assert fresh == importers, (fresh, importers)
    return {
        "floor": middle(pair[0] for pair in pairs[1:]),
        "tool": middle(pair[1] for pair in pairs[1:]),
        "first": pairs[0][1],
        "fresh": fresh / importers,
    }


def many(tool: str, files: int, times: int) -> Numbers:
    """`files` files in one save, one function of each edited; the floor compiles them all."""
    project = Project(tool, files)
    paths = [project.root / f"{name}.py" for name in project.names]
    heads = {path: path.read_text().partition("import json")[0] for path in paths}
    floors, found = [], []
    for number in range(1, times + 1):
        for path in paths:
            path.write_text(projects.text(120, head=heads[path], value=number))
        floors.append(cpu(lambda: [compile(path.read_bytes(), str(path), "exec") for path in paths]))
        found.append(cpu(lambda: [project.follow(path) for path in (paths if tool == "jurigged" else paths[:1])]))
        if number > 1:
            assert all(sys.modules[path.stem].f0(0) == number for path in paths)
    return {"floor": middle(floors), "tool": middle(found[1:] or found), "first": found[0]}


def wall(times: int) -> Numbers:
    """Seconds of wall time from the end of a save until the new code runs: with a watcher, and with an oracle.

    A report by itself is no sign of that: the first one may be about the file while it is still empty.
    """
    from watchdog.observers.inotify_c import inotify_add_watch, inotify_init

    import hotswap

    project = Project("floor", 10)
    done = threading.Event()
    saved: list[float] = []
    wanted = [1]

    def look(_: object) -> None:
        if project.live().f0(0) == wanted[0]:
            done.set()

    with hotswap.Reloader(project.root, apply="thread", on_report=look):
        ours, floors = [], []
        descriptor = inotify_init()
        inotify_add_watch(descriptor, str(project.aside).encode(), 0x8)  # IN_CLOSE_WRITE
        ready = threading.Event()

        def oracle() -> None:
            while True:
                os.read(descriptor, 4096)
                project.floor(project.twin)
                ready.set()

        threading.Thread(target=oracle, daemon=True).start()
        for number in range(1, times + 1):
            wanted[0] = number
            text = projects.text(120, head=project.head, value=number)
            for path, event, found in ((project.twin, ready, floors), (project.path, done, ours)):
                event.clear()
                path.write_text(text)
                saved.append(time.perf_counter())
                assert event.wait(10), path
                found.append(time.perf_counter() - saved[-1])
    return {"floor": middle(floors[1:]), "tool": middle(ours[1:])}


def start(tool: str, modules: int) -> Numbers:
    """CPU seconds and memory (MiB) of importing `modules` modules, the tool's own import included; and without it."""
    root = Path(tempfile.mkdtemp())
    names = projects.write(root, modules)
    sys.dont_write_bytecode = False
    tools.load(root, names)
    found = [(_started("floor", root, names), _started(tool, root, names)) for _ in range(9)]
    return {
        "floor": middle(plain[0] for plain, _ in found),
        "tool": middle(one[0] for _, one in found),
        "memory": middle(one[1] - plain[1] for plain, one in found),
    }


_START: Final = """
import os, resource, sys, time
sys.path[:0] = [{root!r}, {here!r}]
import tools
began = time.process_time()
{act}
for name in {names!r}:
    __import__(name)
print(time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
os._exit(0)
"""
_WATCHDOG: Final = """
import watchdog.events, watchdog.observers
observer = watchdog.observers.Observer()
observer.schedule(watchdog.events.FileSystemEventHandler(), {root!r}, recursive=True)
observer.start()
"""


def _started(tool: str, root: Path, names: list[str]) -> tuple[float, float]:
    acts = {"floor": "", "watchdog": _WATCHDOG.format(root=str(root))}
    act = acts.get(tool, f"import pathlib; tools.TOOLS[{tool!r}](pathlib.Path({str(root)!r}))")
    said = _run(_START.format(root=str(root), here=str(Path(__file__).parent), act=act, names=names)).split()
    return float(said[0]), float(said[1])


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def calls(times: int) -> Numbers:
    """Nanoseconds of a call and of an attribute, before and after 20 edits, and of a call that forwards."""
    project = Project("hotswap", 10)
    live = project.live()
    f0, thing = live.f0, live.C0(1)
    before = _per(lambda: f0(0), times), _per(lambda: thing.size, times)
    for number in range(1, 21):
        project.both(value=number)
    after = _per(lambda: f0(0), times), _per(lambda: thing.size, times)
    decorated = "def passed_on(f):\n    return lambda *a, **k: f(*a, **k)\n\n\n@passed_on\ndef f0(a, b=2):"
    project.path.write_text(project.path.read_text().replace("def f0(a, b=2):", decorated))
    project.follow(project.path)
    there = project.live().f0
    assert f0 is not there
    assert f0(3) == there(3)
    return {
        "call": before[0], "attribute": before[1], "call after": after[0], "attribute after": after[1],
        "forwarded": _per(lambda: there(0), times), "forwarded after": _per(lambda: f0(0), times),
    }  # fmt: skip


def _per(act: Callable[[], object], times: int) -> float:
    best = []
    for _ in range(7):
        began = time.perf_counter()
        for _ in range(times):
            act()
        best.append((time.perf_counter() - began) / times * 1e9)
    return min(best)


def poll(times: int) -> Numbers:
    """Nanoseconds of a `poll` that finds nothing."""
    import hotswap

    project = Project("floor", 10)
    with hotswap.Reloader(project.root, apply="poll") as reloader:
        reloader.poll()
        return {"tool": _per(reloader.poll, times)}


def importing(times: int) -> Numbers:
    """CPU seconds of ``import hotswap`` beyond those of what it depends on."""
    code = "import time, watchdog.observers, wrapt; began = time.process_time(); import hotswap"
    return {"tool": middle(float(_run(f"{code}; print(time.process_time() - began)")) for _ in range(times))}


def thousand(times: int) -> Numbers:
    """After `times` small edits: what grew. Objects and code objects are counted from the 50th edit on."""
    project = Project("hotswap", 10)
    for number in range(1, times + 1):
        project.both(value=number)
        if number == 50:
            gc.collect()
            before = len(gc.get_objects()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    gc.collect()
    after = len(gc.get_objects()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"objects": after[0] - before[0], "memory": (after[1] - before[1]) / 1024}
