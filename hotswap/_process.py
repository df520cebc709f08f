"""What exists once in a process, however many reloaders there are: lock, finder, baselines, import graph,
generation.
"""

from __future__ import annotations

import io
import linecache
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.util import decode_source
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Final

from hotswap._baselines import Baseline, Baselines, pack
from hotswap._errors import OverlapError
from hotswap._facts import Facts, is_dynamic
from hotswap._graph import ImportGraph, build
from hotswap._imports import Graph, mentions
from hotswap._loader import Finder, build_of
from hotswap._model import Edit, Finding
from hotswap._modules import Entry, ModuleIndex, signature
from hotswap._roots import Scope
from hotswap._settings import Settings, overlap
from hotswap._stale import OldCodes, findings
from hotswap._turn import Turn
from hotswap._witness import runs

if TYPE_CHECKING:
    from hotswap._apply import Departed

KEPT: Final = 10
"""Generations for which a definition that left its module is remembered: if it comes back, its objects go on."""

_MEMO: Final = re.compile(r"cache|memo|once", re.IGNORECASE)


class Process:
    """The one of this process is `PROCESS`. `lock` is held while anything of it changes."""

    def __init__(self) -> None:
        self.lock = Turn()
        self.lock.follow_forks()
        self.baselines = Baselines()
        self.graph = Graph()
        self.rank: dict[str, int] = {}
        self.generation = 0
        self.memo: set[str] = set()
        self.ran_again: set[str] = set()
        self.old_codes = OldCodes()
        self.finder = Finder(self._note, self._covers)
        self._running: list[tuple[Settings, Scope]] = []
        self._graphed: dict[str, bytes] = {}
        self.facts: dict[str, tuple[bytes, Facts]] = {}
        self.followers: dict[str, tuple[Facts, Edit]] = {}
        self._departed: dict[tuple[str, str], tuple[int, Departed]] = {}
        self._main: ModuleType | None = None
        self._texts: dict[str, tuple[Entry, Callable[[], str]]] = {}
        self._first = True

    def enter(self, settings: Settings) -> None:
        """Take up the roots of a reloader that starts. Raises OverlapError if they overlap with a running one's."""
        with self.lock:
            self._refuse_overlap(settings)
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
        """Give up the roots of a reloader that stops; with the last one the finder goes."""
        with self.lock:
            self._running = [pair for pair in self._running if pair[0] is not settings]
            if not self._running and self.finder in sys.meta_path:
                sys.meta_path.remove(self.finder)

    def _covers(self, origin: str) -> bool:
        return any(origin in scope for _, scope in self._running)

    def _note(self, module: str, origin: str) -> None:
        """Keep the text that is about to run. The signature is taken first: a later save then differs from it."""
        if module in self.baselines:  # run again by the program: its old functions have code of their own
            self.ran_again.add(module)
        seen = signature(origin)
        try:
            with open(origin, "rb") as file:
                source = file.read()
        except OSError:
            return
        self.baselines.note(module, Baseline(origin, origin, pack(source), seen))

    def adopt_main(self, path: str, text: bytes) -> None:
        """Take `text` as what the module ``__main__`` is about to run from the file `path`."""
        self.baselines.note("__main__", Baseline(path, path, pack(text), signature(path)))
        self._main = sys.modules.get("__main__")

    def adopt_text(self, module: str, origin: str, text: Callable[[], str]) -> None:
        """Take what `text` returns for the text of a loaded module that has no file, as a notebook's.

        It is asked for before each swap; `origin` names it in findings. Only its imports are looked at: they follow.
        """
        with self.lock:
            self._texts[module] = (Entry(module, "", "", origin), text)

    def forget_text(self, module: str) -> None:
        """Let go of a text that was adopted."""
        with self.lock:
            if self._texts.pop(module, None) is not None:
                self.baselines.forget(module)
                self.graph.update(module, ())
                self._graphed.pop(module, None)

    def _learn_texts(self) -> Iterator[Entry]:
        for name, (entry, text) in self._texts.items():
            packed, known = pack(text().encode()), self.baselines.get(name)
            if known is None or known.packed != packed:
                self.baselines.note(name, Baseline(entry.file, "", packed, None))
            yield entry

    def learn(self, entries: Iterable[Entry]) -> list[Entry]:
        """Give a baseline to every module that has none, from the file as it is now; return those that have one."""
        known = list(self._learn_texts())
        first, self._first = self._first, False
        for name in sys.modules:
            self.rank.setdefault(name, len(self.rank))
        for entry in entries:
            if entry.name in self._texts:
                continue
            if entry.name == "__main__" and self._main is not sys.modules["__main__"]:
                self.baselines.forget("__main__")
                self._main = sys.modules["__main__"]
            if entry.name not in self.baselines:
                self._learn_late(entry, first=first)
            if entry.name in self.baselines:
                known.append(entry)
        return known

    def _learn_late(self, entry: Entry, *, first: bool) -> None:
        """Take a file's text for what a module runs; of one that another import hook let past us, after a look at
        it.
        """
        seen = signature(entry.path)
        try:
            with open(entry.path, "rb") as file:
                source = file.read()
        except OSError:
            return
        baseline = Baseline(entry.file, entry.path, pack(source), seen, certain=False)
        module = sys.modules.get(entry.name)
        if not first and module is not None and not runs(module, text_of(baseline), entry.file, build_of(module)):
            baseline = Baseline(entry.file, entry.path, pack(source + b"\n"), None, certain=False)  # to be looked at
        self.baselines.note(entry.name, baseline)

    def update_graph(self, entries: Iterable[Entry]) -> None:
        """Bring the import graph up to date with the baselines; a text that did not change is not looked at again."""
        for entry in entries:
            baseline = self.baselines.get(entry.name)
            if baseline is None or self._graphed.get(entry.name) is baseline.packed:
                continue
            text = text_of(baseline)
            (self.memo.add if _MEMO.search(text) else self.memo.discard)(entry.name)
            self._graphed[entry.name] = baseline.packed if not is_dynamic(text) else b""
            self.graph.update(entry.name, {*mentions(text, entry.package), *modules_held(entry.name, text).values()})

    def import_graph(self, entries: Iterable[Entry]) -> ImportGraph:
        """Return the imports of `entries` among each other, from the texts that are live."""
        known = ((entry, self.baselines.get(entry.name)) for entry in entries)
        texts = {entry.name: (text_of(baseline), entry.package) for entry, baseline in known if baseline is not None}
        held = {name: modules_held(name, text).values() for name, (text, _) in texts.items()}
        return build(texts, held)

    def departed(self) -> dict[tuple[str, str], Departed]:
        """Return the definitions that left their modules within the last `KEPT` generations."""
        oldest = self.generation - KEPT
        self._departed = {place: known for place, known in self._departed.items() if known[0] >= oldest}
        return {place: known for place, (_, known) in self._departed.items()}

    def note_departed(self, departed: Iterable[Departed]) -> None:
        """Remember definitions that leave with the generation under way."""
        self._departed |= {(one.module, one.name): (self.generation, one) for one in departed}

    def pin(self, module: str) -> None:
        """Have tracebacks show the text that runs, while the file says something else."""
        baseline = self.baselines.get(module)
        if baseline is not None:
            lines = [line if line.endswith("\n") else f"{line}\n" for line in io.StringIO(text_of(baseline))]
            if not lines and sys.version_info >= (3, 13):  # `linecache` itself does so from there on
                lines = ["\n"]
            linecache.cache[baseline.origin] = (len(baseline.source), None, lines, baseline.origin)

    def unpin(self, origin: str) -> None:
        """Have tracebacks read the file again."""
        linecache.cache.pop(origin, None)

    def tell_running(self, codes: Iterable[CodeType]) -> tuple[Finding, ...]:
        """Remember code that was replaced, and tell who is running it right now."""
        these = OldCodes()
        these.add(codes)
        self.old_codes.add(codes)
        return findings(these.running())

    def index(self, settings: Settings) -> ModuleIndex:
        """Return a new index of the loaded modules below the roots of `settings`."""
        return ModuleIndex(settings)


def text_of(baseline: Baseline) -> str:
    """Return the text of `baseline`, decoded as the import system does it; "" if it cannot be."""
    try:
        return decode_source(baseline.source)
    except (SyntaxError, UnicodeDecodeError):
        return ""


def modules_held(name: str, text: str) -> dict[str, str]:
    """Return the names of a live module that are modules though no import statement says so, as by `importlib`."""
    module = sys.modules.get(name)
    if module is None or not is_dynamic(text):
        return {}
    found = {name: value for name, value in list(vars(module).items()) if type(value) is ModuleType}
    return {name: value.__name__ for name, value in found.items() if not name.startswith("__")}


PROCESS = Process()
