"""A reloader: roots, settings and callbacks; when it looks at the files, where it applies what changed, whom it tells.

What a swap is, stage by stage, is in `_line`; what exists once in the process is in `_arrivals` and `_process`; what a
reloader works with is `_works`, which is imported when the program's own imports pause.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Final, Self, Unpack

from hotswap._arrivals import ARRIVALS
from hotswap._modules import ModuleIndex
from hotswap._points import _loops
from hotswap._points._turn import Lock, Pause
from hotswap._roots import merge
from hotswap._settings import Apply
from hotswap._settings import make as make_settings

if TYPE_CHECKING:
    from hotswap._graph._view import ImportGraph
    from hotswap._history import Reports
    from hotswap._inbox import Inbox
    from hotswap._model import Batch, Finding, Plan, Report
    from hotswap._settings import Options
    from hotswap._stale._living import Stale
    from hotswap._why import Why
    from hotswap._works import Works

Path = str | os.PathLike[str]

AFTER_FORK: Final = 0.2
"""Seconds after which a forked child watches: one that is to become another program has done so by then."""

QUIET: Final = 0.05
"""Seconds without an import after which a program has started, as far as we know: then the engine is imported."""
LOOKS: Final = 40
"""Times that we wait for that at most."""

_RUNNING: weakref.WeakSet[Reloader] = weakref.WeakSet()

_MAKING: Final = Lock(30.0)
"""Held while the engine is imported: in a forked child, what another thread had half imported would stay so."""


class Reloader:
    """Keeps the modules below some roots in step with their files, between `start` and `stop`.

    Args: `paths` are folders or files; none means the current directory, editable installs and the entries of
    ``sys.path`` outside site-packages and the standard library. `settings` are the options of `Settings`.

    Raises SettingsError for an option that is not accepted.
    """

    def __init__(self, *paths: Path, **settings: Unpack[Options]) -> None:
        self.settings = make_settings(*paths, **settings)
        self._mode = self.settings.apply
        self._made: Works | None = None
        self._home = _loops.here()
        self._running = False
        self._stopped = threading.Event()

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Note what is loaded and begin to watch; return self. Starting twice does nothing.

        What is saved after this returns is found, though watching begins a moment later, when nothing is imported.

        Raises OverlapError if a running reloader has one of these roots.
        """
        if self._running:
            return self
        ARRIVALS.enter(self.settings)
        self._running, self._home = True, _loops.here()
        self._stopped.clear()
        try:
            with ARRIVALS.lock:
                outdated = ARRIVALS.outdated(ARRIVALS.learn(ModuleIndex(self.settings).entries()))
            if self._made is not None:
                self._made.start(self._home)
            elif outdated or self._mode == "signal" or "hotswap._works" in sys.modules:
                self._works()
            else:
                self._await_quiet()
        except BaseException:
            self.stop()
            raise
        _RUNNING.add(self)
        return self

    def _works(self) -> Works:
        """Return what this reloader works with, made now if it is not there yet."""
        made = self._made
        if made is None:
            _follow_forks()
            with _MAKING:
                made = self._made or self._make()
        return made

    def _make(self) -> Works:
        from hotswap._works import Works

        made = Works(self.settings, self._mode)
        if self._running:
            made.start(self._home)
        self._made = made
        return made

    def _await_quiet(self) -> None:
        """Have a thread import the engine and begin to watch once nothing was imported for a moment."""
        if self._mode != "manual":
            threading.Thread(target=self._begin, name="hotswap-start", daemon=True).start()

    def _begin(self) -> None:
        for _ in range(LOOKS):
            loaded = len(sys.modules)
            if self._stopped.wait(QUIET) or loaded == len(sys.modules):
                break
        if self._running:
            self._works()

    @property
    def inbox(self) -> Inbox:
        """What was saved and is not yet applied."""
        return self._works().inbox

    def widen(self, *paths: Path) -> None:
        """Look after what is below `paths` as well: for hosts in which the program says late where its modules are.

        Raises OverlapError if another running reloader has one of them.
        """
        old = self.settings
        roots = merge((*old.roots, *map(os.path.abspath, paths)), old.exclude)
        if not self._running or set(roots) <= set(old.roots):
            return
        wider = old._replace(roots=roots)
        ARRIVALS.exchange(old, wider)
        self.settings = wider
        with ARRIVALS.lock:
            ARRIVALS.learn(ModuleIndex(wider).entries())
            if self._made is not None:
                self._made.widen(wider)

    def follow_fork(self) -> None:
        """In a forked child, where threads do not live on: watch there as well, unless it starts another program at
        once.
        """
        if self._running and self._mode != "manual":
            later = threading.Timer(AFTER_FORK, self._start_again)
            later.daemon = True
            later.start()

    def _start_again(self) -> None:
        if self._running and self._made is None:
            self._works()
        elif self._running and self._made is not None:
            self._made.restart_after_fork()

    def stop(self) -> None:
        """Stop watching and release every thread and watch. The swapped code stays. Stopping twice does nothing."""
        if not self._running:
            return
        self._running = False
        self._stopped.set()
        _RUNNING.discard(self)
        ARRIVALS.leave(self.settings)
        if self._made is not None:
            self._made.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def apply_as(self, mode: Apply) -> None:
        """Change where changes are applied, for a program that asks for another way than what started it."""
        if mode != "auto":
            before, self._mode = self._mode, mode
            if self._made is not None:
                self._made.host.become(mode)
            elif self._running and mode == "signal":
                self._works()
            elif self._running and before == "manual":
                self._await_quiet()

    def adopt_main(self, path: str, text: bytes) -> None:
        """Take `text` as what ``__main__`` is about to run from the file `path`: for those who run programs."""
        ARRIVALS.adopt_main(path, text)

    def tell(self, found: list[Finding]) -> Report | None:
        """Report what became known since the save went live: of objects that were migrated, of tasks that failed."""
        return self._works().tell(found)

    # -- verbs ---------------------------------------------------------------------------------------------------------

    def poll(self, budget: float | None = None) -> Report | None:
        """Apply here what the watcher has seen, if there is something; return the report, or None.

        Costs some attribute reads when idle. The first call of an ``auto`` reloader turns it to ``poll``. What is saved
        is read, compiled and planned on another thread, and applied by a call after that. What is left to prepare takes
        `budget` seconds of each call at most; what runs, and what is set, falls into one call.
        """
        made = self._made
        if made is None and self._running:
            self._mode = "poll" if self._mode == "auto" else self._mode
            return None  # what was saved up to now waits until the engine is there
        return (made or self._works()).poll(budget)

    def reload(self, *modules: str | ModuleType) -> Report:
        """Look at the disk now, apply what changed here, and return the report. Never raises for a bad edit.

        With `modules` (names or module objects), only these and what depends on them. What the watcher has seen does
        not matter. An edit that failed is not tried again before something was saved: that is what `retry` is for.

        Raises TargetError for a module that is not loaded, or not watched.
        """
        names = {m if isinstance(m, str) else m.__name__ for m in modules}
        return self._works().reload(names)

    def look(self) -> Report | None:
        """Apply here all that was saved up to now, and return the report; None if nothing was.

        For whoever is about to run something and must not run old code: a cell of a notebook, a request, a test.
        Unlike `poll` it does not wait for a burst of saves to end; unlike `reload` it trusts what the system told,
        where that tells as soon as a file is closed (Linux). There a look that finds nothing costs some 10 us.
        """
        return self._works().look()

    def retry(self) -> Report:
        """Try again what could not be applied, though nothing was saved since; its statements run again."""
        self._works().line.transactions.holding.forget_texts()
        return self.reload()

    def rerun(self, target: str) -> Report:
        """Run the statements that make `target` again, and what depends on them; return the report.

        `target` is a value that was kept, as ``module:name`` or ``module.name``; a name inside a class is
        ``module:Class.name``, and a statement without a name goes by what its finding calls it. Raises TargetError if
        no loaded module has such a statement.
        """
        return self._works().rerun(target)

    def watch_data(self, pattern: str, callback: Callable[[str], object]) -> None:
        """Have `callback` called with the path of each file below a root that changes and matches `pattern`.

        A pattern is one of ``.gitignore``. It is called where changes are applied, after the swap of the same save, if
        the file says something else than before; what it raises is logged.
        """
        self._works().watch_data(pattern, callback)

    def undo(self, generation: int | None = None) -> Report:
        """Bring the modules of the last swap back to the texts they had before it, whatever the disk says.

        With `generation` it is the last swap up to that one; what swaps after it changed stays. It is a swap like any
        other, and the disk counts again for a file once it is saved. Up to 10 swaps can be undone one after the other.
        An empty report means that there is nothing to undo.
        """
        return self._works().undo(generation)

    def plan(self) -> Plan:
        """Look at the disk and return what a reload would do at most; nothing is touched."""
        return self._works().line.plan()

    def why(self, name: str) -> Why:
        """Return what the last swaps did to `name`, why, and what would become of it if what it reads changed.

        `name` is ``module:name``, ``module.name``, or a name that one module alone makes. Raises TargetError if nothing
        that is loaded answers to it.
        """
        return self._works().why(name)

    def pause(self) -> Pause:
        """Have nothing applied until the pause that is returned ends: ``with reloader.pause():``, or `Pause.resume`.

        A swap under way in another thread comes to its end first. In all of the process nothing is swapped meanwhile;
        what is saved is applied afterwards, and who asks for a swap by hand is told (HS317). Pauses may overlap.
        """
        return Pause(ARRIVALS.lock, lambda: self._works().line.rescan())

    def stale(self) -> tuple[Stale, ...]:
        """Return what is still old: frames, tasks, suspended coroutines and generators, closures that keep their code,
        values that were not computed anew, objects that lack an attribute, registrations that stay.

        An entry vanishes when the thing ends or is made anew. Takes one pass over the heap, some 50 ms for a million
        objects.
        """
        return self._works().stale()

    def graph(self, package: str = "") -> ImportGraph:
        """Return who imports whom among the modules that are loaded and watched; with `package`, among those below
        it.
        """
        return self._works().graph(package)

    def errors(self) -> tuple[Finding, ...]:
        """Return what keeps an edit from being live, by file and line; empty when the process is in step."""
        return self._works().line.errors()

    def reports(self) -> Reports:
        """Return the reports of the last swaps, the newest last; ``async for`` waits for those that come."""
        return self._works().history.reports()

    def swap(self, batch: Batch | None, names: Iterable[str] = ()) -> Report:
        """Bring the process to the files' texts: all loaded ones if `batch` is None, else those it names.

        One swap runs at a time. A save that arrives meanwhile makes the next one.
        """
        return self._works().swap(batch, names)

    async def swap_on_loop(self, batch: Batch | None, names: Iterable[str] = ()) -> Report:
        """Do the same on the running event loop: hooks that are coroutine functions are awaited, and nothing else is.

        What changes the program happens between two callbacks of the loop.
        """
        return await self._works().swap_on_loop(batch, names)


@functools.cache
def _follow_forks() -> None:
    """Have forks wait for `_MAKING`. What asks for that last is asked first; the engine takes the lock of `logging`."""
    import logging  # noqa: F401  it asks, too

    _MAKING.follow_forks()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: list(map(Reloader.follow_fork, _RUNNING)))
