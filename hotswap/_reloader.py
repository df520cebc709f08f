"""The spine: one swap, from a batch of paths to a report, stage by stage in the order of their numbers.

Read `Reloader.swap` first. A `Reloader` is roots, settings and callbacks; what exists once in the process (the lock,
the finder, the baselines, the import graph, the generation) is in `_process`.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Final, Self, Unpack

from hotswap import _surroundings
from hotswap._apply import apply
from hotswap._apply._instances import Migrations
from hotswap._baselines import Baseline
from hotswap._findings import finding
from hotswap._graph import ImportGraph
from hotswap._groups import plan_group, plan_rerun, split, unused
from hotswap._history import History
from hotswap._holding import Holding, why_not
from hotswap._inbox import Inbox
from hotswap._model import Batch, Edit, FileChange, Finding, Outcome, Plan, Report
from hotswap._modules import Entry
from hotswap._prepare import HOLD_EMPTY, Prepared, Reading
from hotswap._process import PROCESS
from hotswap._report import text
from hotswap._settings import Apply, Options
from hotswap._settings import make as make_settings
from hotswap._stale import Stale
from hotswap._targets import find as find_target
from hotswap._watch import Watcher, is_ignored

log = logging.getLogger("hotswap")
Path = str | os.PathLike[str]

AFTER_FORK: Final = 0.2
"""Seconds after which a forked child watches: one that is to become another program has done so by then."""

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
        self.holding = Holding()
        self._index = PROCESS.index(self.settings)
        self._reading = Reading(PROCESS)
        self._watcher: Watcher | None = None
        self._thread: threading.Thread | None = None
        self._mode = self.settings.apply
        self._running = False
        self._look_at_all = False
        self._troubles: list[Finding] = []
        self._telling: set[int] = set()
        self._migrations = Migrations()

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Note what is loaded and begin to watch; return self. Starting twice does nothing.

        Raises OverlapError if a running reloader has one of these roots.
        """
        if self._running:
            return self
        PROCESS.enter(self.settings)
        self._running = True
        with PROCESS.lock:
            PROCESS.learn(self._index.entries())
        if self._mode != "manual":
            self._watcher = self._make_watcher()
            self._watcher.start()
        self._start_thread()
        _RUNNING.add(self)
        return self

    def _start_thread(self) -> None:
        if self._mode in ("auto", "thread"):
            self._thread = threading.Thread(target=self._work, name="hotswap-apply", daemon=True)
            self._thread.start()

    def follow_fork(self) -> None:
        """In a forked child, where threads do not live on: watch there as well, unless it starts another program at
        once.
        """
        if self._running and self._mode != "manual":
            later = threading.Timer(AFTER_FORK, self._start_again)
            later.daemon = True
            later.start()

    def _start_again(self) -> None:
        if self._running and self._watcher is not None:
            self._watcher.restart_after_fork()
            self._start_thread()
            self._rescan()

    def _make_watcher(self) -> Watcher:
        roots, tell = self.settings.roots, self._troubles.append
        return Watcher(roots, self.inbox.put, ignore=is_ignored, on_trouble=tell, on_overflow=self._rescan)

    def stop(self) -> None:
        """Stop watching and release every thread and watch. The swapped code stays. Stopping twice does nothing."""
        if not self._running:
            return
        self._running = False
        _RUNNING.discard(self)
        PROCESS.leave(self.settings)
        self.inbox.wake()
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5)
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def apply_as(self, mode: Apply) -> None:
        """Change where changes are applied, for a program that asks for another way than what started it."""
        if mode == "poll" and self._mode in ("auto", "thread"):
            self._turn_to_poll()

    def adopt_main(self, path: str, text: bytes) -> None:
        """Take `text` as what ``__main__`` is about to run from the file `path`: for those who run programs."""
        with PROCESS.lock:
            PROCESS.adopt_main(path, text)

    def _work(self) -> None:
        """The thread that applies changes as they come, until `stop` or the first `poll`."""
        while self._applies_here():
            due = self.inbox.wait(1.0)
            if self._watcher is not None and not due:
                self._watcher.check()
            batch = self.inbox.take() if due and self._applies_here() else None
            if batch is not None or (self._look_at_all and self._applies_here()):
                self._safely(lambda batch=batch: self.swap(batch))  # type: ignore[misc]  # bound now, called now

    def _applies_here(self) -> bool:
        return self._running and self._mode != "poll"

    def _rescan(self) -> None:
        """Events were lost: the next swap looks at every loaded file."""
        self._look_at_all = True
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

    def poll(self) -> Report | None:
        """Apply here what the watcher has seen, if there is something; return the report, or None.

        Costs an attribute read when idle. The first call of an ``auto`` reloader turns it to ``poll``.
        """
        if self._mode == "auto":
            self._turn_to_poll()
        if self._migrations.waiting:
            self._troubles += self._migrations.step()
        if self.inbox.empty and not self._look_at_all:
            return None
        batch = self.inbox.take()
        return self._safely(lambda: self.swap(batch)) if batch is not None or self._look_at_all else None

    def _turn_to_poll(self) -> None:
        self._mode = "poll"
        self.inbox.wake()

    def reload(self, *modules: str | ModuleType) -> Report:
        """Look at the disk now, apply what changed here, and return the report. Never raises for a bad edit.

        With `modules` (names or module objects), only these and what depends on them. What the watcher has seen does
        not matter. An edit that failed is not tried again before something was saved: that is what `retry` is for.
        """
        self.inbox.take(at_once=True)
        names = {m if isinstance(m, str) else m.__name__ for m in modules}
        self._reading.by_hand = True
        self._look_at_all = True
        return self._safely(lambda: self.swap(None, names))

    def retry(self) -> Report:
        """Try again what could not be applied, though nothing was saved since; its statements run again."""
        self.holding.forget_texts()
        return self.reload()

    def rerun(self, target: str) -> Report:
        """Run the statements that make `target` (``module:name``) again, and what depends on them; return the report.

        For a value that was kept. A name inside a class is ``module:Class.name``; a statement without a name goes by
        what its finding calls it. Raises TargetError if no loaded module has such a statement.
        """
        with PROCESS.lock.swap() as busy:
            if busy:
                return self._put_off(busy)
            started = time.perf_counter()
            entries = PROCESS.learn(self._index.entries())
            PROCESS.update_graph(entries)
            wanted = find_target(PROCESS, target)
            plan, edits = plan_rerun(PROCESS, wanted, entries)
            applied = apply(
                plan, edits, _surroundings.make(PROCESS, self.settings, wanted.ids), strict=self.settings.strict
            )
            PROCESS.generation += bool(applied.outcomes)
            why = () if applied.outcomes else (why_not(applied, edits),)
            error = getattr(applied.error, "error", applied.error)
            report = Report(PROCESS.generation, applied.outcomes, (*why, *applied.findings), (), error)
            done = time.perf_counter()
        return self._finish(report, {"apply": done - started, "total": done - started})

    def undo(self) -> Report:
        """Bring the modules of the last swap back to the texts they had before it, whatever the disk says.

        It is a swap like any other, and the disk counts again for a file once it is saved. Up to 10 swaps can be undone
        one after the other. An empty report means that there is nothing to undo.
        """
        return self._safely(self._undo)

    def plan(self) -> Plan:
        """Look at the disk and return what a reload would do at most; nothing is touched."""
        with PROCESS.lock:
            entries = PROCESS.learn(self._index.entries())
            prepared = Reading(PROCESS).prepare(self._reading.changed(entries))
            groups = [group for group in split(PROCESS, prepared, entries) if not group & prepared.findings.keys()]
            plans = [plan_group(PROCESS, group, prepared.edits, entries)[0] for group in groups]
        steps = tuple(step for plan in plans for step in plan.steps)
        cycles = tuple(cycle for plan in plans for cycle in plan.cycles)
        return Plan(tuple(prepared.edits), steps, cycles)

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
            entries = PROCESS.learn(self._index.entries())
            return PROCESS.import_graph(e for e in entries if not package or f"{e.name}.".startswith(f"{package}."))

    def errors(self) -> tuple[Finding, ...]:
        """Return what keeps an edit from being live, by file and line; empty when the process is in step."""
        return self.holding.findings()

    def reports(self) -> tuple[Report, ...]:
        """Return the reports of the last swaps, the newest last."""
        return self.history.reports()

    # -- the line ------------------------------------------------------------------------------------------------------

    def swap(self, batch: Batch | None, names: Iterable[str] = ()) -> Report:
        """Bring the process to the files' texts: all loaded ones if `batch` is None, else those it names.

        One swap runs at a time. A save that arrives meanwhile makes the next one.
        """
        with PROCESS.lock.swap() as busy:
            if busy:
                return self._put_off(busy)
            started = time.perf_counter()
            entries = PROCESS.learn(self._index.entries())
            prepared = self._reading.prepare(self._changed(batch, entries, frozenset(names)))
            self._reading.let_go(prepared, unused(PROCESS, prepared, entries))
            for path in prepared.emptied:
                self.inbox.put(FileChange(path, "modified"), not_before=HOLD_EMPTY)
            read = time.perf_counter()
            replaced: dict[str, Baseline] = {}
            report = self._apply_all(prepared, entries, replaced)
            self.history.add_texts(replaced)
            done = time.perf_counter()
        return self._finish(report, {"read": read - started, "apply": done - read, "total": done - started})

    def _put_off(self, busy: str) -> Report:
        """Tell who asked for a swap where there can be none; what was saved makes the next one."""
        self._rescan()
        return self._finish(Report(PROCESS.generation, findings=(finding("HS307", "", 0, why=busy),)), {})

    def _undo(self) -> Report:
        with PROCESS.lock.swap() as busy:
            if busy:
                return self._put_off(busy)
            started = time.perf_counter()
            entries = PROCESS.learn(self._index.entries())
            texts = self.history.pop_texts()
            report = self._apply_all(self._reading.prepare_texts(entries, texts), entries, {})
            if report.held:
                self.history.add_texts(texts)
            done = time.perf_counter()
        return self._finish(report, {"apply": done - started, "total": done - started})

    def _changed(self, batch: Batch | None, entries: list[Entry], names: frozenset[str]) -> list[Entry]:
        """Return the entries to read: those that the batch names, or whose file is in another state; held ones too."""
        if batch is None or self._look_at_all:
            self._look_at_all = False
            found = self._reading.changed(entries)
        else:
            wanted = set(self._index.find(change.path for change in batch.changes))
            found = [entry for entry in entries if entry.name in wanted or entry.name in self.holding]
        return [entry for entry in found if not names or entry.name in names]

    def _apply_all(self, prepared: Prepared, entries: list[Entry], replaced: dict[str, Baseline]) -> Report:
        """Apply each group by itself; hold those that cannot be, and what belongs to a file that cannot be read.

        The baselines that were live before are added to `replaced`.
        """
        if not prepared or self.holding.holds_already(prepared):
            return Report(
                PROCESS.generation, held=self.holding.modules, findings=self.holding.findings() if prepared else ()
            )
        self.holding.begin(prepared)
        outcomes: list[Outcome] = []
        told: list[Finding] = [*prepared.told, *self._take_troubles()]
        error: BaseException | None = None
        for group in split(PROCESS, prepared, entries):
            broken = [name for name in prepared.findings if name in group]
            if broken:
                self.holding.hold_with(group, broken[0], prepared)
                continue
            plan, edits = plan_group(PROCESS, group, prepared.edits, entries)
            applied = apply(plan, edits, _surroundings.make(PROCESS, self.settings), strict=self.settings.strict)
            if applied.outcomes:
                outcomes += applied.outcomes
                self._move_baselines(edits, prepared, replaced)
                PROCESS.note_departed(applied.departed)
                self._migrations.waiting += applied.migrations
            else:
                error = error or getattr(applied.error, "error", applied.error)
                self.holding.hold_group(plan, edits, prepared, applied)
            told += (*applied.findings, *PROCESS.tell_running(applied.old_codes))
        for name in self.holding.modules:
            PROCESS.pin(name)
        PROCESS.generation += bool(outcomes)
        if self._mode != "poll":  # there, a slice at each poll
            told += self._migrations.finish()
        return Report(
            PROCESS.generation, tuple(outcomes), (*self.holding.findings(), *told), self.holding.modules, error
        )

    def _move_baselines(self, edits: Iterable[Edit], prepared: Prepared, replaced: dict[str, Baseline]) -> None:
        """The new texts are what is live."""
        for edit in edits:
            fresh = prepared.fresh.get(edit.module)
            old = PROCESS.baselines.get(edit.module)
            if fresh is not None and old is not None:
                replaced[edit.module] = old
                PROCESS.unpin(edit.old.origin)
                PROCESS.baselines.note(edit.module, fresh)

    def _take_troubles(self) -> list[Finding]:
        troubles, self._troubles[:] = list(self._troubles), []
        return troubles

    def _finish(self, report: Report, seconds: dict[str, float]) -> Report:
        report = Report(report.generation, report.outcomes, report.findings, report.held, report.error, seconds)
        if not report:
            return report
        self.history.add(report)
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
