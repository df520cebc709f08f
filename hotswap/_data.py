"""Files that are no modules: the program is called when they change, or says which of its statements depend on them.

A statement says so by a comment in it or right above it, ``# hotswap: depends on data/levels.json``. A comment that
stands by itself is about the whole file: it concerns the assignments that name the data file.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from hotswap._apply._adapter import Reader, found_readers
from hotswap._arrivals import SAID, find_data
from hotswap._loader._baselines import Baseline
from hotswap._model import Action, Batch, Kind, Report, Statement
from hotswap._modules import Entry, signature
from hotswap._patterns import Patterns, compiled
from hotswap._plan._prepare import untouched
from hotswap._plan._targets import Target, leaves
from hotswap._process import Process
from hotswap._roots import below

log = logging.getLogger("hotswap")

_COMMENT: Final = re.compile(r"#\s*hotswap: depends on\s+(\S.*?)\s*$", re.MULTILINE)


_READING: Final = ("jinja2", "django", "babel.support")
"""Libraries that read files of their own; only with one of them adapters are looked for without an edit."""

_NEWS: Final = b"whatever it says"

_TICK: Final = 1_000_000_000
"""Nanoseconds by which the time of a file may lie before that of its save: file systems round it."""


class _Said(NamedTuple):
    line: int
    path: str


class _Asked(NamedTuple):
    patterns: Patterns
    callback: Callable[[str], object]


class Data:
    """What one reloader knows of data files."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.connect(lambda: (), lambda _: None)
        self._said: dict[str, tuple[_Said, ...]] = {}
        self._asked: list[_Asked] = []
        self._live: dict[str, bytes] = {}
        self._readers: list[Reader] = []
        self._new: list[Reader] = []
        self._counted: tuple[int, bool] = 0, False

    def connect(self, roots: Callable[[], Iterable[str]], cover: Callable[[str], object]) -> None:
        """Say which folders data is looked for in, and what has a file watched."""
        self._roots, self._cover = roots, cover

    def start(self, entries: Iterable[Entry]) -> None:
        """Learn what the modules that are loaded say, and from now on what those say that will be."""
        self.learn_again(entry.name for entry in entries)
        self._process.on_text.append(self.learn)

    def outdated(self) -> list[str]:
        """Return the data files that were saved after a text that depends on them began to run, and before we did."""
        return [path for path, digest in self._live.items() if digest is _NEWS]

    def stop(self) -> None:
        """Learn no more."""
        if self.learn in self._process.on_text:
            self._process.on_text.remove(self.learn)

    def learn_from(self, report: Report) -> None:
        """Note what the texts say that a swap made live."""
        self.learn_again(one.step.module for one in report.outcomes if one.step.action is not Action.SKIP)

    def learn_again(self, modules: Iterable[str]) -> None:
        """Note what the texts of `modules` say that are live."""
        for module in modules:
            baseline = self._process.baselines.get(module)
            if baseline is not None:
                self.learn(module, baseline.origin, baseline.source)

    def ask(self, pattern: str, callback: Callable[[str], object]) -> None:
        """Have `callback` called with the path of each file that changes and matches `pattern`, below any root."""
        self._asked.append(_Asked(compiled((pattern,)), callback))

    def ask_libraries(self) -> bool:
        """Have libraries that came to be loaded be told of the files that they read; return whether one was new."""
        counted = len(sys.modules), _has_catalogues()
        if counted != self._counted and (counted[1] or any(name in sys.modules for name in _READING)):
            self._new = [reader for reader in found_readers() if reader not in self._readers]
            self._readers += self._new
            self._asked += [_Asked(compiled(reader.files), reader.reread) for reader in self._new]
            self._counted = counted
            return bool(self._new)
        return False

    def found(self, path: str) -> None:
        """Take the file `path` of a library that is new. What was saved since we began it may have read before that."""
        self.note(path)
        if _saved_after(path, self._process.arrivals.began - _TICK):
            patterns = ((compiled(reader.files), reader) for reader in self._new)
            inner = tuple(self._inner(path))
            for reader in (reader for found, reader in patterns if any(map(found.match, inner))):
                _call(reader.reread, path)

    def note(self, path: str) -> None:
        """Take the file `path` as it is now for what the program knows of it."""
        digest = self._read(path)
        if digest is not None:
            self._live[path] = digest

    def _read(self, path: str) -> bytes | None:
        seen = self._process.arrivals.data
        if path in seen:
            seen[path] = signature(path)  # before it is read, so that a later save differs from it
        return _digest(path)

    def wants(self, path: str) -> bool:
        """Whether somebody asked for the file `path`."""
        return any(asked.patterns.match(inner) for asked in self._asked for inner in self._inner(path))

    def learn(self, module: str, origin: str, source: bytes) -> None:
        """Note what the text of a module says it depends on, before it runs."""
        if SAID not in source and module not in self._said:
            return
        self._said[module] = tuple(self._sayings(origin, source))
        for _, path in self._said[module]:
            self._cover(path)
            seen = self._process.arrivals.data
            if path not in self._live and path in seen and signature(path) != seen[path]:
                self._live[path] = _NEWS
            elif path not in self._live:
                self.note(path)

    def expect(self, texts: Mapping[str, Baseline]) -> None:
        """Note data as it is before `texts` run that say they depend on it: what is saved while they run is news."""
        said = {path for many in self._said.values() for _, path in many}
        for text in texts.values():
            for _, path in self._sayings(text.origin, text.source) if SAID in text.source else ():
                self._cover(path)
                if path not in said and not self.wants(path):
                    self.note(path)

    def _sayings(self, origin: str, source: bytes) -> Iterator[_Said]:
        text = source.decode("utf-8", "replace")
        for one in _COMMENT.finditer(text):
            yield _Said(text.count("\n", 0, one.start()) + 1, self._find(origin, one[1]))

    def changed(self, batch: Batch | None) -> list[str]:
        """Return the data files that say something else than before, of those in `batch` or, for None, of all."""
        if not (self._said or self._asked):
            return []
        named = None if batch is None else [change.path for change in batch.changes]
        if named is None or "" in named:
            named = list(self._live)
        said = {path for many in self._said.values() for _, path in many}
        found = []
        for path in named:
            digest = self._read(path) if path in said or self.wants(path) else None
            if digest is not None and self._live.get(path) != digest:
                self._live[path] = digest
                found.append(path)
        return found

    def stale(self, paths: Iterable[str]) -> Iterator[Target]:
        """Yield, module by module, the statements that depend on one of `paths`."""
        given = set(paths)
        for module, many in list(self._said.items()):
            concerned = [one for one in many if one.path in given]
            baseline = self._process.baselines.get(module)
            if concerned and baseline is not None:
                edit = untouched(module, baseline, None)
                every = leaves(edit)
                lines = edit.new.text.split("\n")
                chosen = {id(s) for one in concerned for s in _meant([s for _, s in every], one, lines)}
                if chosen:
                    yield Target.of(edit, [(scope, s) for scope, s in every if id(s) in chosen])

    def call(self, paths: Iterable[str]) -> None:
        """Call those who asked for `paths`. What they raise is logged: it is the program's error."""
        for path in paths:
            for asked in self._asked:
                if any(map(asked.patterns.match, self._inner(path))):
                    _call(asked.callback, path)

    def _inner(self, path: str) -> Iterator[str]:
        for root in self._roots():
            inner = below(path, os.path.realpath(root))
            if inner:
                yield inner.replace(os.sep, "/")

    def _find(self, origin: str, said: str) -> str:
        """Return the real path of what the module in `origin` calls `said`: from its folder, or from a root."""
        return find_data(said, (os.path.dirname(origin), *self._roots()))


def _meant(statements: list[Statement], said: _Said, lines: list[str]) -> list[Statement]:
    """Return the statements that a comment is about."""
    own = [s for s in statements if s.lineno <= said.line <= s.end_lineno]
    own = own or [s for s in statements if s.lineno == said.line + 1]
    if own:
        return own[-1:]
    name = os.path.basename(said.path)
    return [
        s
        for s in statements
        if s.kind is Kind.ASSIGN and any(name in line for line in lines[s.lineno - 1 : s.end_lineno])
    ]


def _call(callback: Callable[[str], object], path: str) -> None:
    try:
        callback(path)
    except Exception:
        log.exception("what is called for %s raised", path)


def _has_catalogues() -> bool:
    """Whether the program translates: argparse alone has `gettext` imported."""
    return bool(getattr(sys.modules.get("gettext"), "_translations", None))


def _saved_after(path: str, moment: int) -> bool:
    try:
        return os.stat(path).st_ctime_ns > moment
    except OSError:
        return False


def _digest(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except OSError:  # gone, for a moment or for good: what is live stays
        return None
