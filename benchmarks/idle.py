"""What watching costs while nothing is saved: CPU time, wake-ups, threads and descriptors of an idle program.

Each tool watches the same tree in a process of its own, which then sleeps: ``python benchmarks/idle.py [SECONDS]``.
"nothing" is that program without any. jurigged is left out where it is not installed. Wake-ups are the voluntary
context switches of all threads, which only Linux tells. Starting is not counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

FILES: Final = 5000
FOLDERS: Final = 100
LOADED: Final = 500
"""Modules that the program imports, five of each folder."""

ROOT: Final = Path(__file__).resolve().parent.parent


def make(root: Path) -> None:
    """Make the tree: packages of small modules."""
    for folder in range(FOLDERS):
        package = root / f"package{folder}"
        package.mkdir()
        (package / "__init__.py").touch()
        for number in range(1, FILES // FOLDERS):
            (package / f"part{number}.py").write_text(f"def f():\n    return {number}\n", encoding="utf-8")


def load() -> None:
    """Import some modules of each package of the tree, which is first on the path."""
    for folder in range(FOLDERS):
        for number in range(1, LOADED // FOLDERS + 1):
            __import__(f"package{folder}.part{number}")


def nothing(_: str) -> None:
    """Watch nothing."""
    load()


def hotswap(root: str) -> None:
    """Watch as `hotswap.watch` does."""
    import hotswap

    hotswap.watch(root)
    load()


def watchdog(root: str) -> None:
    """Watch the tree as its documentation says, with a handler that does nothing."""
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers import Observer

    load()
    observer = Observer()
    observer.schedule(FileSystemEventHandler(), root, recursive=True)
    observer.start()


def jurigged(root: str) -> None:
    """Watch as its documentation says."""
    from jurigged import watch  # type: ignore[import-not-found]

    watch(f"{root}/**/*.py", logger=lambda _: None)
    load()


TOOLS: Final[dict[str, Callable[[str], None]]] = {
    tool.__name__: tool for tool in (nothing, hotswap, watchdog, jurigged)
}


def wakeups() -> int:
    """Return the voluntary context switches of all threads so far, 0 where nobody counts them."""
    word = "voluntary_ctxt_switches:"
    tasks = Path("/proc/self/task")
    if not tasks.exists():
        return 0
    texts = [(task / "status").read_text() for task in tasks.iterdir()]
    return sum(int(line.removeprefix(word)) for text in texts for line in text.splitlines() if line.startswith(word))


def measure(tool: str, root: str, seconds: float) -> None:
    """Be the idle program under `tool`, and print what `seconds` of it cost."""
    sys.path.insert(0, root)
    TOOLS[tool](root)
    time.sleep(12)  # what starting puts off is over: new modules are counted when next there is nothing to do
    switches, spent = wakeups(), time.process_time()
    time.sleep(seconds)
    spent, switches = time.process_time() - spent, wakeups() - switches
    files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    found = {"cpu": spent, "wakeups": switches, "threads": threading.active_count(), "files": files}
    print(json.dumps(found), flush=True)
    os._exit(0)  # not all of them end by themselves


def main(seconds: float) -> None:
    """Measure each tool, one after the other, and print a table."""
    print(
        f"{FILES:,} files in {FOLDERS} folders, {LOADED} modules loaded, {seconds:g} s, Python {sys.version.split()[0]}"
    )
    print(f"{'':10}{'CPU s a minute':>16}{'wake-ups a s':>14}{'threads':>9}{'descriptors':>13}")
    with tempfile.TemporaryDirectory() as root:
        make(Path(root))
        for tool in TOOLS:
            if tool in ("watchdog", "jurigged") and find_spec(tool) is None:
                continue
            command = [sys.executable, __file__, tool, root, str(seconds)]
            path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
            done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
            cpu, often = found["cpu"] * 60 / seconds, found["wakeups"] / seconds
            print(f"{tool:10}{cpu:16.5f}{often:14.2f}{found['threads']:9}{found['files']:13}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        measure(sys.argv[1], sys.argv[2], float(sys.argv[3]))
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
