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
from hotswap._findings import finding
from hotswap._graph import ImportGraph
from hotswap._history import History, Reports
from hotswap._host import Host
from hotswap._inbox import Inbox
from hotswap._line import Line
from hotswap._model import Batch, FileChange, Finding, Plan, Report
from hotswap._process import PROCESS
from hotswap._report import text
from hotswap._roots import merge
from hotswap._saves import Saves
from hotswap._settings import Apply, Options
from hotswap._settings import make as make_settings
from hotswap._stale import Stale

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
        self._line = Line(self.settings, self.inbox, self.history)
        self._saves = Saves(self.settings, self.inbox, self._line.index, self._line.troubles.append)
        self._host = Host(self.settings.apply, self.inbox, self._act, self._idle, self._rescan)
        self._running = False
        self._in_slices = False
        self._telling: set[int] = set()

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
            unseen = PROCESS.unseen(self._line.entries())
        for entry in unseen:  # edited while the program was starting
            self.inbox.put(FileChange(entry.path, "modified"))
        try:
            self._host.start()
        except BaseException:
            self.stop()
            raise
        _RUNNING.add(self)
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
        self._rescan()

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
            self._rescan()

    def stop(self) -> None:
        """Stop watching and release every thread and watch. The swapped code stays. Stopping twice does nothing."""
        if not self._running:
            return
        self._running = False
        _RUNNING.discard(self)
        PROCESS.leave(self.settings)
        self._host.stop()
        self._saves.stop()
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

    def _act(self) -> None:
        """Apply what is due, if anything is, at the safe point that calls this."""
        loop = _loops.here()
        self._in_slices = loop is not None
        self._apply_due()
        self._in_slices = False
        if loop is not None:
            self._line.transactions.migrations.spread(loop, self.tell)

    def tell(self, found: list[Finding]) -> Report | None:
        """Report what became known since the save went live: of objects that were migrated, of tasks that failed."""
        return self._finish(Report(PROCESS.generation, findings=tuple(found))) if found else None

    def _apply_due(self) -> Report | None:
        with PROCESS.lock.turn() as busy:  # before it is taken: who looks meanwhile waits until it is live
            batch = None if busy else self.inbox.take()
            if busy or (batch is None and not self._line.look_at_all):
                return None
            return self._safely(lambda: self.swap(batch))

    def _idle(self) -> bool:
        self._saves.check()
        return self._line.look_at_all

    def _rescan(self) -> None:
        """Events were lost: the next swap looks at every loaded file."""
        self._line.look_at_all = True
        self.inbox.wake()

    @staticmethod
    def _safely(act: Callable[[], Report]) -> Report:
        """Swap; a failure of ours is told and never reaches the program."""
        try:
            return act()
        except Exception as error:
            log.exception("bug in hotswap: please report it; the old code runs on")
            found = finding("HS304", "", 0, message=f"{type(error).__name__}: {error}")
            return Report(PROCESS.generation, findings=(found,), error=error)

    # -- verbs ---------------------------------------------------------------------------------------------------------

    def poll(self, budget: float | None = None) -> Report | None:  # noqa: ARG002
        """Apply here what the watcher has seen, if there is something; return the report, or None.

        Costs an attribute read when idle. The first call of an ``auto`` reloader turns it to ``poll``.
        """
        if self._host.mode == "auto":
            self._host.become("poll")
        waiting = self._line.transactions.migrations.waiting
        told = self.tell(self._line.transactions.migrations.step()) if waiting else None
        if self.inbox.empty and not self._line.look_at_all:
            return told
        return self._apply_due()

    def reload(self, *modules: str | ModuleType) -> Report:
        """Look at the disk now, apply what changed here, and return the report. Never raises for a bad edit.

        With `modules` (names or module objects), only these and what depends on them. What the watcher has seen does
        not matter. An edit that failed is not tried again before something was saved: that is what `retry` is for.
        """
        names = {m if isinstance(m, str) else m.__name__ for m in modules}
        with PROCESS.lock.turn() as busy:
            if busy:
                return self._finish(self._line.put_off(busy))
            batch = self._saves.take_all(deferred=True)
            self._line.reading.by_hand = True
            report = self._safely(lambda: self.swap(batch)) if batch is not None and not names else None
            return report or self._safely(lambda: self.swap(None, names))

    def look(self) -> Report | None:
        """Apply here all that was saved up to now, and return the report; None if nothing was.

        For whoever is about to run something and must not run old code: a cell of a notebook, a request, a test.
        Unlike `poll` it does not wait for a burst of saves to end; unlike `reload` it trusts what the system told,
        where that tells as soon as a file is closed (Linux). There a look that finds nothing costs some 10 us.
        """
        with PROCESS.lock.turn() as busy:
            if busy:
                return self._finish(self._line.put_off(busy))
            batch = self._saves.take_all()
            return None if batch is None else self._safely(lambda: self.swap(batch)) or None

    def retry(self) -> Report:
        """Try again what could not be applied, though nothing was saved since; its statements run again."""
        self._line.transactions.holding.forget_texts()
        return self.reload()

    def rerun(self, target: str) -> Report:
        """Run the statements that make `target` (``module:name``) again, and what depends on them; return the report.

        For a value that was kept. A name inside a class is ``module:Class.name``; a statement without a name goes by
        what its finding calls it. Raises TargetError if no loaded module has such a statement.
        """
        return self._finish(self._line.rerun(target))

    def undo(self) -> Report:
        """Bring the modules of the last swap back to the texts they had before it, whatever the disk says.

        It is a swap like any other, and the disk counts again for a file once it is saved. Up to 10 swaps can be undone
        one after the other. An empty report means that there is nothing to undo.
        """
        return self._safely(lambda: self._finish(self._line.undo()))

    def plan(self) -> Plan:
        """Look at the disk and return what a reload would do at most; nothing is touched."""
        return self._line.plan()

    def stale(self) -> tuple[Stale, ...]:
        """Return what still runs or holds old code: frames, tasks, suspended coroutines and generators, closures.

        An entry vanishes when the thing ends. Takes one pass over the heap, some 15 ms for a million objects.
        """
        with PROCESS.lock:
            return PROCESS.old_codes.everything()

    def graph(self, package: str = "") -> ImportGraph:
        """Return who imports whom among the modules that are loaded and watched; with `package`, among those below
        it.
        """
        with PROCESS.lock:
            entries = self._line.entries()
            return PROCESS.import_graph(e for e in entries if not package or f"{e.name}.".startswith(f"{package}."))

    def errors(self) -> tuple[Finding, ...]:
        """Return what keeps an edit from being live, by file and line; empty when the process is in step."""
        return self._line.transactions.holding.findings()

    def reports(self) -> Reports:
        """Return the reports of the last swaps, the newest last; ``async for`` waits for those that come."""
        return self.history.reports()

    def swap(self, batch: Batch | None, names: Iterable[str] = ()) -> Report:
        """Bring the process to the files' texts: all loaded ones if `batch` is None, else those it names."""
        return self._finish(self._line.swap(batch, names, slices=self._in_slices or self._host.mode == "poll"))

    def _finish(self, report: Report) -> Report:
        """Keep and tell a report that has something to say."""
        if not report:
            return report
        self.history.add(report)
        PROCESS.swapped(report)
        log.log(logging.WARNING if report.findings else logging.INFO, "%s", text(report).removeprefix("hotswap: "))
        here = threading.get_ident()
        if self.settings.on_report is not None and here not in self._telling:  # it may ask for a swap itself
            self._telling.add(here)
            try:
                self.settings.on_report(report)
            except Exception:  # a callback that fails is the program's error, not a reason to stop watching
                log.exception("on_report raised")
            finally:
                self._telling.discard(here)
        return report


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: list(map(Reloader.follow_fork, _RUNNING)))
