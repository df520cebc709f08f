"""A program that runs live in a process of its own, and is waited for by what it prints and by what hotswap reports."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import hotswap

DEADLINE = 30.0
"""Seconds after which a test gives up waiting for a line; an idle machine needs a tenth of one."""


def wait_until(is_so: Callable[[], bool]) -> None:
    """Look every 5 ms whether something outside of this process is so: for files, which have no event to wait for."""
    deadline = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to be in time"
        time.sleep(0.005)


class Lines:
    """The lines of one stream, collected by a thread so that waiting for them can end."""

    def __init__(self, stream: IO[str]) -> None:
        self.seen: list[str] = []
        self._arrived: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._collect, args=(stream,), daemon=True).start()

    def _collect(self, stream: Iterable[str]) -> None:
        for line in stream:
            self._arrived.put(line.rstrip("\n"))
        self._arrived.put(None)

    def wait_for(self, pattern: str) -> str:
        """Return the next line in which `pattern` is found; those before it are passed over."""
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                line = self._arrived.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"no line with {pattern!r} came; before it:\n" + "\n".join(self.seen[-40:]))
            self.seen.append(line)
            if re.search(pattern, line):
                return line

    def rest(self) -> list[str]:
        """Return the lines that were not waited for, once the stream has ended."""
        return list(iter(lambda: self._arrived.get(timeout=DEADLINE), None))


class Running:
    """`files` in `folder`, run by ``python -m hotswap`` with `words`: a context manager that ends the process.

    Only `folder` is watched, unless `own` says otherwise by options of the command line.

    `out` are the lines of its standard output, `log` those of its standard error.
    """

    def __init__(self, folder: Path, files: Mapping[str, str], *words: str, own: Sequence[str] | None = None) -> None:
        self.folder = folder
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hotswap", *(("--root", str(folder)) if own is None else own), *words],
            cwd=folder,
            env=kept | {"PYTHONPATH": str(Path(hotswap.__file__).parents[1]), "PYTHONUNBUFFERED": "1"},
            text=True,
            encoding="utf-8",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.out = Lines(self.process.stdout)
        self.log = Lines(self.process.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait(DEADLINE)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def edit(self, name: str, old: str, new: str) -> None:
        """Save `name` with `new` in place of `old`, which has to be there."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def edit_and_wait(self, name: str, old: str, new: str, reported: str = "^hotswap: ") -> str:
        """Edit, and return the line of the log in which `reported` is found."""
        self.edit(name, old, new)
        return self.log.wait_for(reported)

    def say(self, line: str) -> None:
        """Write `line` to the program's standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def end_input(self) -> int:
        """Close the program's standard input, and return its exit code when it has ended."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(DEADLINE)
