"""What exists once in a process, however many reloaders there are: lock, finder, baselines, graph, generation."""

from __future__ import annotations

import io
import linecache
import logging
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Final

from hotswap._arrivals import ARRIVALS, Arrivals
from hotswap._elsewhere import at_start
from hotswap._graph._bindings import Bindings
from hotswap._graph._facts import HINTS, Facts, is_dynamic
from hotswap._graph._imports import mentions
from hotswap._graph._order import Graph
from hotswap._graph._sketch import KNOWN, Sketch, sketch_of
from hotswap._graph._view import ImportGraph, build
from hotswap._loader._baselines import Baseline, Packed, compiled, text_of
from hotswap._model import Edit, Finding, Report
from hotswap._modules import Entry, ModuleIndex, package_of
from hotswap._run._values import elements, modules_in
from hotswap._settings import Settings
from hotswap._stale._living import OldCodes, findings_of
from hotswap._stale._remains import Remains

if TYPE_CHECKING:
    from hotswap._apply import Departed

KEPT: Final = 1000
"""Definitions that left their modules and are remembered, at most: if one comes back, its objects go on."""

REPORTS: Final = 50
"""Reports that are kept to say which edit is behind an exception."""

_MEMO: Final = re.compile(r"cache|memo|once|__subclasshook__", re.IGNORECASE)


class Process:
    """The one of this process is `PROCESS`: what `arrivals` noted, and all that is worked out of it."""

    def __init__(self, arrivals: Arrivals) -> None:
        self.arrivals = arrivals
        self.lock, self.baselines, self.finder = arrivals.lock, arrivals.baselines, arrivals.finder
        self.rank, self.ran_again = arrivals.rank, arrivals.ran_again
        self.on_load, self.on_text, self.callbacks = arrivals.on_load, arrivals.on_text, arrivals.callbacks
        self.graph = Graph()
        self.generation = 0
        self.memo: set[str] = set()
        self.hinting: set[str] = set()
        self.gone: set[str] = set()
        self.old_codes = OldCodes()
        self.after_swap: list[Callable[[], object]] = []
        self.last_reports: deque[Report] = deque(maxlen=REPORTS)
        self.bindings = Bindings(self.baselines.__contains__)
        self.unsketched: set[str] = set()
        self.dynamic: set[str] = set()
        self.remains = Remains()
        self._untold = True
        self._graphed: dict[str, Packed] = {}
        self.facts: dict[str, tuple[Packed, Facts]] = {}
        self.followers: dict[str, tuple[Facts, Edit]] = {}
        self.concerned: dict[str, tuple[Facts, frozenset[int], Edit]] = {}
        self._departed: dict[tuple[str, str], Departed] = {}

    @property
    def shape(self) -> int:
        """What `Arrivals.shape` is."""
        return self.arrivals.shape

    @shape.setter
    def shape(self, number: int) -> None:
        self.arrivals.shape = number

    def at_start(self) -> tuple[Finding, ...]:
        """Return what is to be told of this process, once."""
        first, self._untold = self._untold, False
        return tuple(at_start()) if first else ()

    def adopt_text(self, module: str, origin: str, text: Callable[[], str]) -> None:
        """Take what `text` returns for the text of a loaded module that has no file, as a notebook's.

        It is asked for before each swap; `origin` names it in findings. Only its imports are looked at: they follow.
        """
        with self.lock:
            self.arrivals.texts[module] = (Entry(module, "", "", origin), text)

    def forget_text(self, module: str) -> None:
        """Let go of a text that was adopted."""
        with self.lock:
            if self.arrivals.texts.pop(module, None) is not None:
                self.baselines.forget(module)
                self.graph.update(module, ())
                self._graphed.pop(module, None)

    def catch_up(self) -> None:
        """Read what was imported lately, unless somebody swaps, and keep it small: for a thread that has time."""
        with self.lock.at_once() as free:
            if free:
                self._take_arrivals()
        self.baselines.shrink()

    def _take_arrivals(self) -> None:
        while self.arrivals.codes:
            module, packed, code = self.arrivals.codes.popleft()
            baseline = self.baselines.get(module)
            if baseline is None or baseline.packed is not packed:
                continue
            sketch = _sketch(module, code or compiled(baseline))
            if sketch is not None:
                self._sketched(module, baseline, sketch)

    def _sketched(self, module: str, baseline: Baseline, sketch: Sketch) -> None:
        if module not in self._graphed:
            self.bindings.arrive(module)
        self._graphed[module] = baseline.packed
        self.baselines.noted.pop(module, None)
        self.unsketched.discard(module)
        self.bindings.learn(module, baseline.origin, sketch)
        (self.memo.add if sketch.memo else self.memo.discard)(module)
        (self.hinting.add if sketch.hints else self.hinting.discard)(module)
        self._see_modules(module, sketch.imported, dynamic=sketch.dynamic)

    def update_graph(self) -> None:
        """Bring the import graph up to date with the baselines; a text that did not change is not looked at again."""
        self._take_arrivals()
        while self.baselines.noted:  # other threads may import meanwhile
            name, _ = self.baselines.noted.popitem()
            baseline = self.baselines.get(name)
            if baseline is None or self._graphed.get(name) is baseline.packed:
                continue
            sketch = None if baseline.certain else _sketch(name, compiled(baseline))
            if sketch is not None:
                self._sketched(name, baseline, sketch)
            else:
                self._read_imports(name, baseline)
        for name in self.dynamic:
            self.graph.update(name, {*self.graph.imports(name), *_all_held(name)})

    def _read_imports(self, name: str, baseline: Baseline) -> None:
        text = text_of(baseline)
        if name not in self._graphed:
            self.bindings.arrive(name)
        self._graphed[name] = baseline.packed
        self.bindings.forget(name)
        self.unsketched.add(name)
        (self.memo.add if speaks_of_caches(text) else self.memo.discard)(name)
        (self.hinting.add if HINTS in text else self.hinting.discard)(name)
        self._see_modules(name, mentions(text, _package(name)), dynamic=is_dynamic(text))

    def _see_modules(self, name: str, imported: AbstractSet[str], *, dynamic: bool) -> None:
        """Note what a module imports, and what it has if it looks for modules, or has some that it does not import."""
        dynamic = dynamic or any(one in self.baselines and one not in imported for one in _found(name))
        (self.dynamic.add if dynamic else self.dynamic.discard)(name)
        self.graph.update(name, {*imported, *(_all_held(name) if dynamic else ())})

    def sketch(self, name: str) -> Sketch | None:
        """Return the sketch of a module, made now if its text is newer than its code; None if there cannot be one."""
        baseline = self.baselines.get(name)
        if name in self.unsketched and baseline is not None:
            self.unsketched.discard(name)
            sketch = _sketch(name, compiled(baseline))
            if sketch is not None:
                self._sketched(name, baseline, sketch)
        return self.bindings.sketches.get(name)

    def first_imports(self, name: str) -> tuple[str, ...]:
        """Return what a loaded module imported as it was imported: not what its functions do, or what type checkers
        alone read, whose names it does not have.
        """
        sketch, module = self.sketch(name), sys.modules.get(name)
        if sketch is None or module is None:
            return self.graph.imports(name)
        has = vars(module)
        asked = [one for source, there, here in sketch.froms if here in has for one in (source, f"{source}.{there}")]
        return tuple(dict.fromkeys((*asked, *sketch.stars, *(one for here, one in sketch.modules if here in has))))

    def import_graph(self, entries: Iterable[Entry]) -> ImportGraph:
        """Return the imports of `entries` among each other, from the texts that are live."""
        known = ((entry, self.baselines.get(entry.name)) for entry in entries)
        texts = {entry.name: (text_of(baseline), entry.package) for entry, baseline in known if baseline is not None}
        held = {name: _all_held(name) for name, (text, _) in texts.items() if is_dynamic(text)}
        return build(texts, held)

    def departed(self) -> dict[tuple[str, str], Departed]:
        """Return the definitions that left their modules and that somebody still has, the last `KEPT` at most."""
        held = [(place, known) for place, known in self._departed.items() if known.ref() is not None]
        self._departed = dict(held[-KEPT:])
        return dict(self._departed)

    def note_departed(self, departed: Iterable[Departed]) -> None:
        """Remember definitions that leave with the generation under way."""
        for one in departed:
            known = self._departed.get((one.module, one.name))
            if known is None or not isinstance(known.ref(), type) or isinstance(one.ref(), type):
                self._departed[one.module, one.name] = one  # else the class, which may have objects, may come back

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


def speaks_of_caches(text: str) -> bool:
    """Whether results may be remembered by what `text` makes."""
    return _MEMO.search(text) is not None


def modules_held(name: str) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Return the names of a live module that are modules, whatever bound them, as `importlib` may, and those that have
    modules inside.
    """
    module = sys.modules.get(name)
    held, inside = dict[str, str](), dict[str, tuple[str, ...]]()
    for here, value in list(vars(module).items()) if module is not None else ():
        if here.startswith("__"):
            continue
        if type(value) is ModuleType:
            held[here] = value.__name__
        elif found := modules_in(value):
            inside[here] = tuple(one.__name__ for one in found)
    return held, inside


def _all_held(name: str) -> set[str]:
    held, inside = modules_held(name)
    return {*held.values(), *(module for modules in inside.values() for module in modules)}


def _found(name: str) -> Iterator[str]:
    """Yield the modules that the live module `name` has, but for its own submodules: names of it, or in its lists."""
    module = sys.modules.get(name)
    for here, value in list(vars(module).items()) if module is not None else ():
        if type(value) is ModuleType and value.__name__ != f"{name}.{here}":
            yield value.__name__
        elif type(value) in (list, tuple, dict) and here[:2] != "__":
            yield from (one.__name__ for one in elements(value) if type(one) is ModuleType)


def _package(name: str) -> str:
    module = sys.modules.get(name)
    return package_of(module) if isinstance(module, ModuleType) else name.rpartition(".")[0]


def _sketch(name: str, code: CodeType | None) -> Sketch | None:
    """Return the sketch of a module; None where its instructions are not known."""
    try:
        return sketch_of(code, _package(name), sys.modules.__contains__) if code is not None and KNOWN else None
    except (LookupError, ValueError, TypeError):  # code that another tool has made: it is read as text
        return None


PROCESS = Process(ARRIVALS)

# What the library says is for the program to show; only the command line adds an output of its own.
logging.getLogger("hotswap").addHandler(logging.NullHandler())
