"""What exists once in a process, however many reloaders there are: lock, finder, baselines, graph, generation."""

from __future__ import annotations

import io
import linecache
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from importlib.util import decode_source
from os.path import isabs
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Final

from hotswap._baselines import Baseline, Baselines, compiled, pack
from hotswap._bindings import Bindings
from hotswap._elsewhere import at_start
from hotswap._errors import OverlapError
from hotswap._facts import Facts, is_dynamic
from hotswap._graph import ImportGraph, build
from hotswap._hooks import Callbacks
from hotswap._imports import mentions
from hotswap._loader import Finder, build_of, take_away
from hotswap._model import Edit, Finding, Report
from hotswap._modules import Entry, ModuleIndex, package_of, signature
from hotswap._order import Graph
from hotswap._remains import Remains
from hotswap._roots import Scope
from hotswap._settings import Settings, overlap
from hotswap._sketch import KNOWN, Sketch, sketch_of
from hotswap._stale import OldCodes, findings_of
from hotswap._turn import Turn
from hotswap._witness import differing, is_younger, runs

if TYPE_CHECKING:
    from hotswap._apply import Departed

KEPT: Final = 10
"""Generations for which a definition that left its module is remembered: if it comes back, its objects go on."""

REPORTS: Final = 50
"""Reports that are kept to say which edit is behind an exception."""

_MEMO: Final = re.compile(r"cache|memo|once", re.IGNORECASE)


class Process:
    """The one of this process is `PROCESS`. `lock` is held while anything of it changes.

    `shape` is another number once modules were imported, or edited in more than what small edits alter: until then
    what is known of who uses what holds.
    """

    def __init__(self) -> None:
        self.lock = Turn()
        self.lock.follow_forks()
        self.baselines = Baselines()
        self.graph = Graph()
        self.rank: dict[str, int] = {}
        self.generation = 0
        self.shape = 0
        self.memo: set[str] = set()
        self.ran_again: set[str] = set()
        self.old_codes = OldCodes()
        self.after_swap: list[Callable[[], object]] = []
        self.last_reports: deque[Report] = deque(maxlen=REPORTS)
        self.bindings = Bindings(self.baselines.__contains__)
        self.unsketched: set[str] = set()
        self.dynamic: set[str] = set()
        self._arrived: deque[tuple[str, bytes, CodeType]] = deque()
        self.callbacks = Callbacks()
        self.remains = Remains()
        self._untold = True
        self.finder = Finder(self._note, self._covers, self._saw, self._note_missed)
        self.on_load: list[Callable[[str], object]] = []
        self.on_text: list[Callable[[str, str, bytes], object]] = []
        self._running: list[tuple[Settings, Scope]] = []
        self._graphed: dict[str, bytes] = {}
        self.facts: dict[str, tuple[bytes, Facts]] = {}
        self.followers: dict[str, tuple[Facts, Edit]] = {}
        self.concerned: dict[str, tuple[Facts, frozenset[int], Edit]] = {}
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

    def at_start(self) -> tuple[Finding, ...]:
        """Return what is to be told of this process, once."""
        first, self._untold = self._untold, False
        return tuple(at_start()) if first else ()

    def leave(self, settings: Settings) -> None:
        """Give up the roots of a reloader that stops; with the last one the finder goes, and its loaders."""
        with self.lock:
            self._running = [pair for pair in self._running if pair[0] is not settings]
            if not self._running and self.finder in sys.meta_path:
                sys.meta_path.remove(self.finder)
                take_away(list(sys.modules.values()))

    def _covers(self, origin: str) -> bool:
        return any(origin in scope for _, scope in self._running)

    def _note(self, module: str, origin: str) -> None:
        """Keep the text that is about to run. The signature is taken first: a later save then differs from it."""
        self.shape += 1
        if module in self.baselines:  # run again by the program: its old functions have code of their own
            self.ran_again.add(module)
        for tell in self.on_load:  # first: what is saved from now on is seen
            tell(origin)
        seen = signature(origin)
        source = _read(origin)
        if source is None:
            return
        for know in self.on_text:
            know(module, origin, source)
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
        self.finder.step_forward()
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
                self.shape += 1
                self._learn_late(entry, look=not first or _is_young(entry.path))
            if entry.name in self.baselines:
                known.append(entry)
        return known

    def unseen(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return those of `entries` that do not run the text of their file, though it was not saved since."""
        known = ((entry, self.baselines.get(entry.name)) for entry in entries if entry.path)
        return [entry for entry, baseline in known if baseline is not None and baseline.seen is None]

    def _note_missed(self) -> None:
        """Keep the texts of modules that another import hook, in front of ours, has let past us just now."""
        for settings, _ in list(self._running):
            for entry in ModuleIndex(settings).entries():
                if entry.name not in self.baselines:
                    self._learn_late(entry, look=False)

    def _learn_late(self, entry: Entry, *, look: bool) -> None:
        """Take a file's text for what a module runs; with `look`, if that may be so."""
        path = entry.file if isabs(entry.file) else entry.path  # a link may be pointed elsewhere, or replaced
        seen = signature(path)
        source = _read(path)
        if source is None:
            return
        baseline = Baseline(entry.file, path, pack(source), seen, certain=False)
        module = sys.modules.get(entry.name)
        if look and module is not None and not self._is_witnessed(module, baseline):
            baseline = Baseline(entry.file, path, pack(source + b"\n"), None, certain=False)  # to be looked at
        self.baselines.note(entry.name, baseline)

    def _is_witnessed(self, module: ModuleType, baseline: Baseline) -> bool:
        text = text_of(baseline)
        build = build_of(module, text)
        return runs(module, text, baseline.origin, build) and not differing(module, text, baseline.origin, build)

    def _saw(self, module: str, code: CodeType) -> None:
        """Keep the code that has just run until somebody asks who imports what: importing it must not take longer."""
        baseline = self.baselines.get(module)
        if baseline is not None:
            self._arrived.append((module, baseline.packed, code))
            self.shape += 1

    def catch_up(self) -> None:
        """Read what was imported lately, unless somebody swaps: for a thread that has nothing else to do."""
        with self.lock.at_once() as free:
            if free:
                self._take_arrivals()

    def _take_arrivals(self) -> None:
        while self._arrived:
            module, packed, code = self._arrived.popleft()
            baseline = self.baselines.get(module)
            if baseline is not None and baseline.packed is packed and (sketch := _sketch(module, code)) is not None:
                self._sketched(module, baseline, sketch)

    def _sketched(self, module: str, baseline: Baseline, sketch: Sketch) -> None:
        if module not in self._graphed:
            self.bindings.arrive(module)
        self._graphed[module] = baseline.packed
        self.baselines.noted.discard(module)
        self.unsketched.discard(module)
        self.bindings.learn(module, baseline.origin, sketch)
        (self.memo.add if sketch.memo else self.memo.discard)(module)
        (self.dynamic.add if sketch.dynamic else self.dynamic.discard)(module)
        self.graph.update(module, {*sketch.imported, *(modules_held(module).values() if sketch.dynamic else ())})

    def update_graph(self) -> None:
        """Bring the import graph up to date with the baselines; a text that did not change is not looked at again."""
        self._take_arrivals()
        while self.baselines.noted:  # other threads may import meanwhile
            name = self.baselines.noted.pop()
            baseline = self.baselines.get(name)
            if baseline is None or self._graphed.get(name) is baseline.packed:
                continue
            sketch = None if baseline.certain else _sketch(name, compiled(baseline))
            if sketch is not None:
                self._sketched(name, baseline, sketch)
            else:
                self._read_imports(name, baseline)
        for name in self.dynamic:
            self.graph.update(name, {*self.graph.imports(name), *modules_held(name).values()})

    def _read_imports(self, name: str, baseline: Baseline) -> None:
        text = text_of(baseline)
        if name not in self._graphed:
            self.bindings.arrive(name)
        self._graphed[name] = baseline.packed
        self.bindings.forget(name)
        self.unsketched.add(name)
        (self.memo.add if speaks_of_caches(text) else self.memo.discard)(name)
        (self.dynamic.add if is_dynamic(text) else self.dynamic.discard)(name)
        self.graph.update(name, mentions(text, _package(name)))

    def sketch(self, name: str) -> Sketch | None:
        """Return the sketch of a module, made now if its text is newer than its code; None if there cannot be one."""
        baseline = self.baselines.get(name)
        if name in self.unsketched and baseline is not None:
            self.unsketched.discard(name)
            sketch = _sketch(name, compiled(baseline))
            if sketch is not None:
                self._sketched(name, baseline, sketch)
        return self.bindings.sketches.get(name)

    def import_graph(self, entries: Iterable[Entry]) -> ImportGraph:
        """Return the imports of `entries` among each other, from the texts that are live."""
        known = ((entry, self.baselines.get(entry.name)) for entry in entries)
        texts = {entry.name: (text_of(baseline), entry.package) for entry, baseline in known if baseline is not None}
        held = {name: modules_held(name).values() for name, (text, _) in texts.items() if is_dynamic(text)}
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
            text = text_of(baseline)
            if baseline.seen is None:  # a line was added, so that its file is looked at
                text = text.removesuffix("\n")
            lines = [line if line.endswith("\n") else f"{line}\n" for line in io.StringIO(text)]
            if not lines and sys.version_info >= (3, 13):  # `linecache` itself does so from there on
                lines = ["\n"]
            linecache.cache[baseline.origin] = (len(baseline.source), None, lines, baseline.origin)

    def unpin(self, origin: str) -> None:
        """Have tracebacks read the file again."""
        linecache.cache.pop(origin, None)

    def swapped(self, report: Report) -> None:
        """Note that a swap is live, and let those know who wait for it."""
        self.last_reports.append(report)
        for act in list(self.after_swap):
            act()

    def tell_running(self, codes: tuple[CodeType, ...]) -> tuple[Finding, ...]:
        """Remember code that was replaced, and tell who is running it right now."""
        self.old_codes.add(codes)
        return findings_of(codes)

    def index(self, settings: Settings) -> ModuleIndex:
        """Return a new index of the loaded modules below the roots of `settings`."""
        return ModuleIndex(settings)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def speaks_of_caches(text: str) -> bool:
    """Whether results may be remembered by what `text` makes."""
    return _MEMO.search(text) is not None


def _is_young(path: str) -> bool:
    seen = signature(path)
    return seen is not None and is_younger(max(seen[:2]))


def text_of(baseline: Baseline) -> str:
    """Return the text of `baseline`, decoded as the import system does it; "" if it cannot be."""
    try:
        return decode_source(baseline.source)
    except (SyntaxError, UnicodeDecodeError):
        return ""


def modules_held(name: str) -> dict[str, str]:
    """Return the names of a live module that are modules, whatever bound them, as `importlib` may."""
    module = sys.modules.get(name)
    if module is None:
        return {}
    found = {name: value for name, value in list(vars(module).items()) if type(value) is ModuleType}
    return {name: value.__name__ for name, value in found.items() if not name.startswith("__")}


def _package(name: str) -> str:
    module = sys.modules.get(name)
    return package_of(module) if isinstance(module, ModuleType) else name.rpartition(".")[0]


def _sketch(name: str, code: CodeType | None) -> Sketch | None:
    """Return the sketch of a module; None where its instructions are not known."""
    try:
        return sketch_of(code, _package(name), sys.modules.__contains__) if code is not None and KNOWN else None
    except (LookupError, ValueError, TypeError):  # code that another tool has made: it is read as text
        return None


PROCESS = Process()
