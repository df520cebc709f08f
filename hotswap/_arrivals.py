"""What the process runs, noted as it is imported: all that a program needs of hotswap before the first edit.

Most of a program's modules are never edited, and everybody waits for its start. So this room, and what it imports, is
kept small; the engine behind `_process` comes when imports pause, or when it is asked for.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import CodeType, ModuleType
from typing import Final

from hotswap._errors import OverlapError
from hotswap._loader import Finder, take_away
from hotswap._loader._baselines import Baseline, Baselines, Packed, read, text_of
from hotswap._modules import Entry, ModuleIndex, Signature, signature
from hotswap._points._callbacks import Callbacks
from hotswap._points._turn import Turn
from hotswap._roots import Scope
from hotswap._settings import Settings, overlap

SAID: Final = b"hotswap: depends on"
"""What a module says of a data file, in a comment."""

_TICK: Final = 20_000_000
"""Nanoseconds: a file system's clock is that much behind at most."""
_LOADED: Final = time.time()
_EARLIER: Final = 600.0  # seconds; a program that starts longer than that before it imports hotswap is not looked at


class Arrivals:
    """What was imported below the roots of running reloaders. `lock` is held while anything of the process changes.

    `shape` is another number once modules were imported, or edited in more than what small edits alter: until then
    what is known of who uses what holds. `rank` is the order of first imports, `ran_again` who was reloaded by the
    program. `data` are the files that texts say they depend on, as they were before these ran, or when somebody looked
    last. `began` is when the first reloader started, in nanoseconds since the epoch, or a little before. `on_load` is
    called with a module's file before its text is read, `on_text` with module, file and text.
    """

    def __init__(self) -> None:
        self.lock = Turn()
        self.lock.follow_forks()
        self.baselines = Baselines()
        self.shape = 0
        self.rank: dict[str, int] = {}
        self.ran_again: set[str] = set()
        self.texts: dict[str, tuple[Entry, Callable[[], str]]] = {}
        self.data: dict[str, Signature | None] = {}
        self.codes: deque[tuple[str, Packed, CodeType | None]] = deque()
        self.on_load: list[Callable[[str], object]] = []
        self.on_text: list[Callable[[str, str, bytes], object]] = []
        self.callbacks = Callbacks()
        self.began = 0
        self.finder = Finder(self._note, self._covers, self._saw, self._note_missed)
        self._running: list[tuple[Settings, Scope]] = []
        self._main: ModuleType | None = None
        self._first = True

    def enter(self, settings: Settings) -> None:
        """Take up the roots of a reloader that starts. Raises OverlapError if they overlap with a running one's."""
        with self.lock:
            self._refuse_overlap(settings)
            if not self._running:
                self.began = time.time_ns() - _TICK
            self._running.append((settings, settings.scope()))
            self._first = True
            if self.finder not in sys.meta_path:
                sys.meta_path.insert(0, self.finder)

    def _refuse_overlap(self, settings: Settings, but: Settings | None = None) -> None:
        for other, _ in self._running:
            found = overlap(settings, other) if other is not but else None
            if found is not None:
                raise OverlapError(f"{found[0]} is watched already: {found[1]} belongs to another running Reloader")

    def exchange(self, old: Settings, new: Settings) -> None:
        """Put settings with more roots in the place of a running reloader's. Raises OverlapError as `enter` does."""
        with self.lock:
            self._refuse_overlap(new, but=old)
            self._running = [(new, new.scope()) if one is old else (one, scope) for one, scope in self._running]

    def leave(self, settings: Settings) -> None:
        """Give up the roots of a reloader that stops; with the last one the finder goes, and its loaders."""
        with self.lock:
            self._running = [pair for pair in self._running if pair[0] is not settings]
            if not self._running and self.finder in sys.meta_path:
                sys.meta_path.remove(self.finder)
                take_away(list(sys.modules.values()))

    def _covers(self, origin: str) -> bool:
        for _, scope in self._running:  # noqa: SIM110  any() takes a generator, for every module of the program
            if origin in scope:
                return True
        return False

    def _note(self, module: str, origin: str) -> Baseline | None:
        """Keep the text that is about to run, and return what is known of it."""
        self.shape += 1
        if module in self.baselines:  # run again by the program: its old functions have code of their own
            self.ran_again.add(module)
        for tell in self.on_load:  # first: what is saved from now on is seen
            tell(origin)
        found = read(origin)
        if found is None:
            return None
        seen, source = found
        self._note_data(origin, source)
        for know in self.on_text:
            know(module, origin, source)
        baseline = Baseline(origin, origin, Packed(source), seen)
        self.baselines.note(module, baseline)
        return baseline

    def _note_data(self, origin: str, source: bytes) -> None:
        """Note the files that a text says it depends on."""
        if SAID in source:
            folders = os.path.dirname(origin), *(root for settings, _ in self._running for root in settings.roots)
            for said in source.split(SAID)[1:]:
                path = find_data(said.partition(b"\n")[0].decode("utf-8", "replace").strip(), folders)
                self.data.setdefault(path, signature(path))

    def _saw(self, module: str, code: CodeType | None) -> None:
        """Note what has just run until somebody asks who imports what: importing it must not take longer.

        The code is kept only where no cache file has it: the tuples in it have the garbage collector run more often.
        """
        baseline = self.baselines.get(module)
        if baseline is not None:
            self.codes.append((module, baseline.packed, code if sys.dont_write_bytecode else None))
            self.shape += 1

    def adopt_main(self, path: str, text: bytes) -> None:
        """Take `text` as what the module ``__main__`` is about to run from the file `path`."""
        with self.lock:
            self._note_data(path, text)
            self.baselines.note("__main__", Baseline(path, path, Packed(text), signature(path)))
            self._main = sys.modules.get("__main__")

    def _learn_texts(self) -> Iterator[Entry]:
        for name, (entry, text) in self.texts.items():
            packed, known = Packed(text().encode()), self.baselines.get(name)
            if known is None or known.packed != packed:
                self.baselines.note(name, Baseline(entry.file, "", packed, None))
            yield entry

    def learn(self, entries: Iterable[Entry]) -> list[Entry]:
        """Give a baseline to every module that has none, from the file as it is now; return those that have one."""
        known = list(self._learn_texts())
        self.finder.step_forward()
        first, self._first = self._first, False
        for name in sys.modules:
            self.rank.setdefault(name, len(self.rank))
        for entry in entries:
            if entry.name in self.texts:
                continue
            if entry.name == "__main__" and self._main is not sys.modules["__main__"]:
                self.baselines.forget("__main__")
                self._main = sys.modules["__main__"]
            if entry.name not in self.baselines:
                self.shape += 1
                self._learn_late(entry, look=not first or _is_young(entry.path))
            if entry.name in self.baselines:
                known.append(entry)
        return known

    def outdated(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return those of `entries` whose file is not as it was when the text that they run was read from it."""
        known = ((entry, self.baselines.get(entry.name)) for entry in entries if entry.path)
        return [one for one, old in known if old is not None and (old.seen is None or old.seen != signature(old.path))]

    def _note_missed(self) -> None:
        """Keep the texts of modules that another import hook, in front of ours, has let past us just now."""
        for settings, _ in list(self._running):
            for entry in ModuleIndex(settings).entries():
                if entry.name not in self.baselines:
                    self._learn_late(entry, look=False)

    def _learn_late(self, entry: Entry, *, look: bool) -> None:
        """Take a file's text for what a module runs; with `look`, if that may be so."""
        path = entry.file if os.path.isabs(entry.file) else entry.path  # a link may be pointed elsewhere, or replaced
        found = read(path)
        if found is None:
            return
        seen, source = found
        self._note_data(entry.file, source)
        baseline = Baseline(entry.file, path, Packed(source), seen, certain=False)
        module = sys.modules.get(entry.name)
        if look and module is not None and not _is_witnessed(module, baseline):
            baseline = Baseline(entry.file, path, Packed(source + b"\n"), None, certain=False)  # to be looked at
        self.baselines.note(entry.name, baseline)


def _is_witnessed(module: ModuleType, baseline: Baseline) -> bool:
    from hotswap._loader._builds import build_of  # these compile and compare: only for files that changed lately
    from hotswap._loader._witness import is_witnessed

    text = text_of(baseline)
    return is_witnessed(module, text, baseline.origin, build_of(module, text))


def find_data(said: str, folders: Iterable[str]) -> str:
    """Return the real path of what a text calls `said`, from the first of `folders` where it is."""
    places = [os.path.join(folder, said) for folder in folders]
    return os.path.realpath(next(filter(os.path.exists, places), places[0]))


def _is_young(path: str) -> bool:
    seen = signature(path)
    return seen is not None and is_younger(max(seen[:2]))


def is_younger(changed_ns: int) -> bool:
    """Whether a file that was last changed at `changed_ns` (since the epoch) may be younger than this process."""
    return changed_ns / 1e9 > _started() - 2.0


def _started() -> float:
    """Return when this process started: exactly on Linux, elsewhere a time before hotswap was imported."""
    with suppress(OSError, ValueError, IndexError, AttributeError):
        with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        with open("/proc/uptime", encoding="ascii") as file:
            up = float(file.read().split()[0])
        return time.time() - up + ticks / os.sysconf("SC_CLK_TCK")
    return _LOADED - _EARLIER


ARRIVALS: Final = Arrivals()
