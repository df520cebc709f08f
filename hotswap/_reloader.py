"""A reloader: roots, settings and callbacks; when it looks at the files, where it applies what changed, whom it tells.

What a swap is, stage by stage, is in `_line`; what exists once in the process is in `_process`.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import ModuleType
from typing import Final, Self, Unpack

from hotswap import _loops
from hotswap._graph import ImportGraph
from hotswap._history import History, Reports
from hotswap._hooks import Steps, run_now, run_on_loop
from hotswap._host import Host
from hotswap._inbox import Inbox
from hotswap._line import Line
from hotswap._model import Batch, FileChange, Finding, Plan, Report
from hotswap._process import PROCESS
from hotswap._remains import everything
from hotswap._roots import merge
from hotswap._saves import Saves
from hotswap._settings import Apply, Options
from hotswap._settings import make as make_settings
from hotswap._stale import Stale
from hotswap._targets import find as find_target
from hotswap._turn import Pause
from hotswap._why import Why, explain

log = logging.getLogger("hotswap")
Path = str | os.PathLike[str]

AFTER_FORK: Final = 0.2
"""Seconds after which a forked child watches: one that is to become another program has done so by then."""

_UNWATCHED: Final = ("manual", "signal")

_RUNNING: weakref.WeakSet[Reloader] = weakref.WeakSet()


class Reloader:
    """Keeps the modules below some roots in step with their files, between `start` and `stop`.

    Args: `paths` are folders or files; none means the current directory, editable installs and the entries of
    ``sys.path`` outside site-packages and the standard library. `settings` are the options of `Settings`.

    Raises SettingsError for an option that is not accepted.
    """

    def __init__(self, *paths: Path, **settings: Unpack[Options]) -> None:
        self.settings = make_settings(*paths, **settings)
        self.inbox = Inbox()
        self.history = History()
        self._in_slices = False
        self._line = Line(self.settings, self.inbox, self.history, self._migrates_in_slices)
        self._saves = Saves(self.settings, self.inbox, self._line.index, self._line.troubles.append)
        self._line.data.connect(lambda: self.settings.roots, self._saves.cover)
        self._line.noticed.append(self._saves.look_out_for)
        free = PROCESS.lock.is_free
        rescan, fail = self._line.rescan, self._line.fail
        self._host = Host(self.settings.apply, self.inbox, self._act, self._idle, rescan, free, self._ahead, fail)
        self._running = False

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Note what is loaded and begin to watch; return self. Starting twice does nothing.

        Raises OverlapError if a running reloader has one of these roots.
        """
        if self._running:
            return self
        PROCESS.enter(self.settings)
        self._running = True
        self._saves.start(threads=self._host.mode not in _UNWATCHED)
        with PROCESS.lock:  # after that: what is saved from now on is told
            entries = self._line.entries()
            self._line.data.start(entries)
            unseen = PROCESS.unseen(entries)
        for entry in unseen:  # edited while the program was starting
            self.inbox.put(FileChange(entry.path, "modified"))
        try:
            self._host.start()
        except BaseException:
            self.stop()
            raise
        _RUNNING.add(self)
        self.tell(list(PROCESS.at_start()))
        return self

    def widen(self, *paths: Path) -> None:
        """Look after what is below `paths` as well: for hosts in which the program says late where its modules are.

        Raises OverlapError if another running reloader has one of them.
        """
        old = self.settings
        roots = merge((*old.roots, *map(os.path.abspath, paths)), old.exclude)
        if not self._running or set(roots) <= set(old.roots):
            return
        wider = replace(old, roots=roots)
        PROCESS.exchange(old, wider)
        self.settings = wider
        self._line.take(wider)
        self._saves.widen(wider, self._line.index)
        with PROCESS.lock:
            self._line.entries()
        self._line.rescan()

    def follow_fork(self) -> None:
        """In a forked child, where threads do not live on: watch there as well, unless it starts another program at
        once.
        """
        if self._running and self._host.mode != "manual":
            later = threading.Timer(AFTER_FORK, self._start_again)
            later.daemon = True
            later.start()

    def _start_again(self) -> None:
        if self._running:
            self._saves.restart_after_fork()
            self._host.start_thread()
            self._line.rescan()

    def stop(self) -> None:
        """Stop watching and release every thread and watch. The swapped code stays. Stopping twice does nothing."""
        if not self._running:
            return
        self._running = False
        _RUNNING.discard(self)
        PROCESS.leave(self.settings)
        self._host.stop()
        self._saves.stop()
        self._line.data.stop()
        self.history.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def apply_as(self, mode: Apply) -> None:
        """Change where changes are applied, for a program that asks for another way than what started it."""
        if mode != "auto":
            self._host.become(mode)

    def adopt_main(self, path: str, text: bytes) -> None:
        """Take `text` as what ``__main__`` is about to run from the file `path`: for those who run programs."""
        with PROCESS.lock:
            PROCESS.adopt_main(path, text)

    def _act(self) -> Steps[Report | None]:
        """Apply what is due, if anything is, at the safe point that calls this."""
        loop = _loops.here()
        self._in_slices = loop is not None
        try:
            report = yield from self._line.due(self._saves.listen if loop is None else None)
        finally:
            self._in_slices = False
        if loop is not None:
            self._line.transactions.migrations.spread(loop, self.tell)
        return report

    def _migrates_in_slices(self) -> bool:
        return self._in_slices or self._host.mode == "poll"

    def tell(self, found: list[Finding]) -> Report | None:
        """Report what became known since the save went live: of objects that were migrated, of tasks that failed."""
        report = Report(PROCESS.generation, findings=tuple(found)) if found else None
        if report is not None:
            run_now(self._line.finish(report))
        return report

    def _ahead(self) -> None:
        """Read what is due, for the safe point at which it will be applied; that does what fails here once more."""
        try:
            self._line.ahead(self.inbox.peek())
        except Exception:
            log.debug("reading ahead failed", exc_info=True)

    def _idle(self) -> bool:
        self._saves.check()
        PROCESS.catch_up()
        self._ask_libraries()
        return self._line.look_at_all

    def _ask_libraries(self) -> None:
        if self._line.data.ask_libraries():
            self._saves.cover_all(self._line.data.wants, self._line.data.found)

    def _take_all(self, *, deferred: bool = False) -> Batch | None:
        self._ask_libraries()
        return self._saves.take_all(deferred=deferred)

    # -- verbs ---------------------------------------------------------------------------------------------------------

    def poll(self, budget: float | None = None) -> Report | None:
        """Apply here what the watcher has seen, if there is something; return the report, or None.

        Costs some attribute reads when idle. The first call of an ``auto`` reloader turns it to ``poll``. What is saved
        is read, compiled and planned on another thread, and applied by a call after that. What is left to prepare takes
        `budget` seconds of each call at most; what runs, and what is set, falls into one call.
        """
        if self._host.mode == "auto":
            self._host.become("poll")
        waiting = self._line.transactions.migrations.waiting
        due = not (self.inbox.empty and not self._line.look_at_all) and self._host.is_ready
        return run_now(self._line.safely(self._poll(budget, due=due))) if due or waiting else None

    def _poll(self, budget: float | None, *, due: bool) -> Steps[Report | None]:
        migrations = self._line.transactions.migrations
        told = self.tell(migrations.step()) if migrations.waiting else None
        if not due or (budget is not None and not self._line.begin(budget)):
            return told
        return (yield from self._line.due())

    def reload(self, *modules: str | ModuleType) -> Report:
        """Look at the disk now, apply what changed here, and return the report. Never raises for a bad edit.

        With `modules` (names or module objects), only these and what depends on them. What the watcher has seen does
        not matter. An edit that failed is not tried again before something was saved: that is what `retry` is for.
        """
        names = {m if isinstance(m, str) else m.__name__ for m in modules}
        return run_now(self._line.safely(self._line.by_hand(lambda: self._take_all(deferred=True), names)))

    def look(self) -> Report | None:
        """Apply here all that was saved up to now, and return the report; None if nothing was.

        For whoever is about to run something and must not run old code: a cell of a notebook, a request, a test.
        Unlike `poll` it does not wait for a burst of saves to end; unlike `reload` it trusts what the system told,
        where that tells as soon as a file is closed (Linux). There a look that finds nothing costs some 10 us.
        """
        return run_now(self._line.safely(self._line.look(self._take_all)))

    def retry(self) -> Report:
        """Try again what could not be applied, though nothing was saved since; its statements run again."""
        self._line.transactions.holding.forget_texts()
        return self.reload()

    def rerun(self, target: str) -> Report:
        """Run the statements that make `target` again, and what depends on them; return the report.

        `target` is a value that was kept, as ``module:name`` or ``module.name``; a name inside a class is
        ``module:Class.name``, and a statement without a name goes by what its finding calls it. Raises TargetError if
        no loaded module has such a statement.
        """
        return run_now(self._line.safely(self._line.rerun(lambda: find_target(PROCESS, target))))

    def watch_data(self, pattern: str, callback: Callable[[str], object]) -> None:
        """Have `callback` called with the path of each file below a root that changes and matches `pattern`.

        A pattern is one of ``.gitignore``. It is called where changes are applied, after the swap of the same save, if
        the file says something else than before; what it raises is logged.
        """
        self._line.data.ask(pattern, callback)
        self._saves.cover_all(self._line.data.wants, self._line.data.note)

    def undo(self) -> Report:
        """Bring the modules of the last swap back to the texts they had before it, whatever the disk says.

        It is a swap like any other, and the disk counts again for a file once it is saved. Up to 10 swaps can be undone
        one after the other. An empty report means that there is nothing to undo.
        """
        return run_now(self._line.safely(self._line.undo()))

    def plan(self) -> Plan:
        """Look at the disk and return what a reload would do at most; nothing is touched."""
        return self._line.plan()

    def why(self, name: str) -> Why:
        """Return what the last swaps did to `name`, why, and what would become of it if what it reads changed.

        `name` is ``module:name``, ``module.name``, or a name that one module alone makes. Raises TargetError if nothing
        that is loaded answers to it.
        """
        with PROCESS.lock:
            self._line.entries()
            return explain(PROCESS, self.settings, self.history.reports(), self.errors(), name)

    def pause(self) -> Pause:
        """Have nothing applied until the pause that is returned ends: ``with reloader.pause():``, or `Pause.resume`.

        A swap under way in another thread comes to its end first. In all of the process nothing is swapped meanwhile;
        what is saved is applied afterwards, and who asks for a swap by hand is told (HS317). Pauses may overlap.
        """
        return Pause(PROCESS.lock, self._line.rescan)

    def stale(self) -> tuple[Stale, ...]:
        """Return what is still old: frames, tasks, suspended coroutines and generators, closures that keep their code,
        values that were not computed anew, objects that lack an attribute, registrations that stay.

        An entry vanishes when the thing ends or is made anew. Takes one pass over the heap, some 50 ms for a million
        objects.
        """
        with PROCESS.lock:
            return everything(PROCESS.old_codes, PROCESS.remains)

    def graph(self, package: str = "") -> ImportGraph:
        """Return who imports whom among the modules that are loaded and watched; with `package`, among those below
        it.
        """
        with PROCESS.lock:
            entries = self._line.entries()
            return PROCESS.import_graph(e for e in entries if not package or f"{e.name}.".startswith(f"{package}."))

    def errors(self) -> tuple[Finding, ...]:
        """Return what keeps an edit from being live, by file and line; empty when the process is in step."""
        return self._line.errors()

    def reports(self) -> Reports:
        """Return the reports of the last swaps, the newest last; ``async for`` waits for those that come."""
        return self.history.reports()

    def swap(self, batch: Batch | None, names: Iterable[str] = ()) -> Report:
        """Bring the process to the files' texts: all loaded ones if `batch` is None, else those it names.

        One swap runs at a time. A save that arrives meanwhile makes the next one.
        """
        return run_now(self._line.safely(self._line.swap(batch, names), batch))

    async def swap_on_loop(self, batch: Batch | None, names: Iterable[str] = ()) -> Report:
        """Do the same on the running event loop: hooks that are coroutine functions are awaited, and nothing else is.

        What changes the program happens between two callbacks of the loop.
        """
        return await run_on_loop(self._line.safely(self._line.swap(batch, names), batch))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: list(map(Reloader.follow_fork, _RUNNING)))
