"""The spine: one swap, from a batch of paths to a report, stage by stage in the order of their numbers.

Read `Reloader.swap` first. A `Reloader` is roots, settings and callbacks; what exists once in the process (the lock,
the finder, the baselines, the import graph, the generation) is in `_process`.
"""

from __future__ import annotations

import ast
import logging
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any, Self, Unpack

from hotswap._apply import Applied, Surroundings, apply
from hotswap._execute import StatementError
from hotswap._findings import finding
from hotswap._history import History
from hotswap._imports import edges
from hotswap._inbox import Inbox
from hotswap._loader import Body, reload_with
from hotswap._model import Batch, Edit, Finding, Outcome, Plan, Planned, Report
from hotswap._modules import Entry
from hotswap._plan import make as make_plan
from hotswap._prepare import Prepared, Reading, untouched
from hotswap._process import PROCESS, text_of
from hotswap._select import Selection
from hotswap._settings import Options, make as make_settings
from hotswap._source import start_line
from hotswap._watch import Watcher, is_ignored

log = logging.getLogger("hotswap")
Path = str | os.PathLike[str]


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
        self._index = PROCESS.index(self.settings)
        self._reading = Reading(PROCESS)
        self._failed: dict[str, tuple[bytes, Finding]] = {}
        self._watcher: Watcher | None = None
        self._thread: threading.Thread | None = None
        self._mode = self.settings.apply
        self._running = False
        self._look_at_all = False
        self._troubles: list[Finding] = []

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
            self._watcher = Watcher(
                self.settings.roots, self.inbox.put, ignore=is_ignored, on_trouble=self._troubles.append, on_overflow=self._rescan
            )
            self._watcher.start()
        if self._mode in ("auto", "thread"):
            self._thread = threading.Thread(target=self._work, name="hotswap-apply", daemon=True)
            self._thread.start()
        return self

    def stop(self) -> None:
        """Stop watching and release every thread and watch. The swapped code stays. Stopping twice does nothing."""
        if not self._running:
            return
        self._running = False
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

    def adopt_main(self, path: str, text: bytes) -> None:
        """Take `text` as what ``__main__`` is about to run from the file `path`: for those who run programs."""
        with PROCESS.lock:
            PROCESS.adopt_main(path, text)

    def _work(self) -> None:
        """The thread that applies changes as they come, until `stop` or the first `poll`."""
        while self._running and self._mode != "poll":
            due = self.inbox.wait(1.0)
            if self._watcher is not None and not due:
                self._watcher.check()
            batch = self.inbox.take() if due and self._mode != "poll" else None
            if batch is not None or self._look_at_all:
                self._safely(batch)

    def _safely(self, batch: Batch | None) -> Report:
        """Swap; a failure of ours is told and never reaches the program."""
        try:
            return self.swap(batch)
        except Exception as error:  # the host must go on: the failure is named as ours, the old code runs
            log.exception("bug in hotswap: please report it; the old code runs on")
            return Report(PROCESS.generation, findings=(finding("HS304", "", 0, message=f"{type(error).__name__}: {error}"),))

    def _rescan(self) -> None:
        """Events were lost: the next swap looks at every loaded file."""
        self._look_at_all = True
        self.inbox.wake()

    # -- verbs ---------------------------------------------------------------------------------------------------------

    def poll(self) -> Report | None:
        """Apply here what the watcher has seen, if there is something; return the report, or None.

        Costs an attribute read when idle. The first call of an ``auto`` reloader turns it to ``poll``.
        """
        if self._mode == "auto":
            self._mode = "poll"
            self.inbox.wake()
        if self.inbox.empty and not self._look_at_all:
            return None
        batch = self.inbox.take()
        return self._safely(batch) if batch is not None or self._look_at_all else None

    def reload(self, *modules: str | ModuleType) -> Report:
        """Look at the disk now, apply what changed here, and return the report. Never raises for a bad edit.

        With `modules` (names or module objects), only these and what depends on them. Anything may have happened to the
        files: what the watcher has seen does not matter.
        """
        self.inbox.take(at_once=True)
        names = {m if isinstance(m, str) else m.__name__ for m in modules}
        self._look_at_all = True
        try:
            return self.swap(None, names)
        except Exception as error:
            log.exception("bug in hotswap: please report it; the old code runs on")
            return Report(PROCESS.generation, findings=(finding("HS304", "", 0, message=f"{type(error).__name__}: {error}"),))

    def plan(self) -> Plan:
        """Look at the disk and return what a reload would do at most; nothing is touched."""
        with PROCESS.lock:
            entries = PROCESS.learn(self._index.entries())
            prepared = Reading(PROCESS).prepare(self._reading.changed(entries))
            plans = [plan for plan, _ in self._plans(prepared, entries)]
        steps = tuple(step for plan in plans for step in plan.steps)
        cycles = tuple(cycle for plan in plans for cycle in plan.cycles)
        return Plan(tuple(prepared.edits), steps, cycles)

    def errors(self) -> tuple[Finding, ...]:
        """Return what keeps an edit from being live, by file and line; empty when the process is in step."""
        return tuple(found for _, found in self._failed.values())

    def reports(self) -> tuple[Report, ...]:
        """Return the reports of the last swaps, the newest last."""
        return self.history.reports()

    # -- the line ------------------------------------------------------------------------------------------------------

    def swap(self, batch: Batch | None, names: Iterable[str] = ()) -> Report:
        """Bring the process to the files' texts: all loaded ones if `batch` is None, else those it names.

        One swap runs at a time. A save that arrives meanwhile makes the next one.
        """
        with PROCESS.lock:
            started = time.perf_counter()
            entries = PROCESS.learn(self._index.entries())
            chosen = self._changed(batch, entries, frozenset(names))
            prepared = self._reading.prepare(chosen)
            read_at = time.perf_counter()
            report = self._swap(prepared, entries)
            done = time.perf_counter()
        seconds = {"read": read_at - started, "apply": done - read_at, "total": done - started}
        return self._finish(report, seconds)

    def _changed(self, batch: Batch | None, entries: list[Entry], names: frozenset[str]) -> list[Entry]:
        """Return the entries to read: those that the batch names, or whose file is in another state; held ones too."""
        if batch is None or self._look_at_all:
            self._look_at_all = False
            found = self._reading.changed(entries)
        else:
            wanted = set(self._index.find(change.path for change in batch.changes))
            found = [entry for entry in entries if entry.name in wanted or entry.name in self._failed]
        return [entry for entry in found if not names or entry.name in names]

    def _swap(self, prepared: Prepared, entries: list[Entry]) -> Report:
        if not prepared.edits and not prepared.findings and not prepared.told:
            return Report(PROCESS.generation)
        if self._is_known_to_fail(prepared):
            return Report(PROCESS.generation, held=tuple(self._failed), findings=self.errors())
        self._failed = {name: (b"", found) for name, found in prepared.findings.items()}
        outcomes: list[Outcome] = []
        error: BaseException | None = None
        told: list[Finding] = [*prepared.told, *self._take_troubles()]
        for plan, edits in self._plans(prepared, entries):
            applied = apply(plan, edits, self._surroundings(), strict=self.settings.strict)
            error = error or applied.error
            outcomes += applied.outcomes
            self._settle(plan, edits, prepared, applied, told)
        for name in self._failed:
            PROCESS.pin(name)
        PROCESS.generation += bool(outcomes)
        return Report(PROCESS.generation, tuple(outcomes), (*self.errors(), *told), tuple(self._failed), error)

    def _is_known_to_fail(self, prepared: Prepared) -> bool:
        """Whether nothing was saved since a group failed: then its statements are not run a second time."""
        if prepared.findings or prepared.told or not self._failed:
            return False
        return all(name in self._failed and self._failed[name][0] == prepared.fresh[name].packed for name in prepared.edits)

    def _settle(self, plan: Plan, edits: list[Edit], prepared: Prepared, applied: Applied, told: list[Finding]) -> None:
        """Move the baselines of a group that is live; hold one that is not."""
        if applied.outcomes:
            told += applied.findings
            for edit in edits:
                if edit.module in prepared.fresh:
                    PROCESS.unpin(edit.old.origin)
                    PROCESS.baselines.note(edit.module, prepared.fresh[edit.module])
            return
        why = _why(applied, edits)
        told += applied.findings
        first = _blamed(why, edits)
        for name in plan.group:
            found = why if name == first else finding("HS306", prepared.edits[name].path, 1, module=name, other=first)
            self._failed[name] = (prepared.fresh[name].packed, found)

    def _take_troubles(self) -> list[Finding]:
        troubles, self._troubles[:] = list(self._troubles), []
        return troubles

    def _plans(self, prepared: Prepared, entries: list[Entry]) -> Iterator[tuple[Plan, list[Edit]]]:
        """Yield each group of changed modules with its plan and its edits, dependencies first, dependents included."""
        if not prepared.edits:
            return
        PROCESS.update_graph(entries)
        by_name = {entry.name: entry for entry in entries}
        for name, edit in prepared.edits.items():
            found = edges(edit.new, by_name[name].package, sys.modules.__contains__)
            PROCESS.graph.update(name, {*PROCESS.graph.imports(name), *(edge.imported for edge in found)})
        for group in PROCESS.graph.groups(prepared.edits):
            yield self._plan_group(group, prepared.edits, by_name)

    def _plan_group(
        self, group: Iterable[str], edits: Mapping[str, Edit], by_name: Mapping[str, Entry]
    ) -> tuple[Plan, list[Edit]]:
        members = frozenset(group)
        order = PROCESS.graph.order(PROCESS.graph.affected(members) & by_name.keys(), PROCESS.rank)
        selection = Selection()
        chosen: dict[str, Edit] = {}
        for component in order:
            for name in component * min(len(component), 2):
                if name in chosen:
                    continue
                edit = edits[name] if name in members else self._dependent(name, selection)
                if edit is not None:
                    chosen[name] = edit
                    selection.add(edit, edges(edit.new, by_name[name].package, sys.modules.__contains__))
        in_order = [chosen[name] for component in order for name in component if name in chosen]
        maybe: Mapping[str, tuple[Planned, ...]] = selection.chosen()
        return make_plan(sorted(members), chosen, order, maybe), in_order

    def _dependent(self, name: str, selection: Selection) -> Edit | None:
        """Return a dependent to look at, None if nothing that may change is named in its text."""
        baseline = PROCESS.baselines.get(name)
        if baseline is None or not selection.reaches(PROCESS.graph.imports(name), text_of(baseline)):
            return None
        return untouched(name, baseline)

    def _surroundings(self) -> Surroundings:
        trees: dict[str, ast.Module] = {}

        def is_project(thing: ModuleType | FunctionType) -> bool:
            names: dict[str, Any] = thing.__globals__ if type(thing) is FunctionType else vars(thing)
            return names.get("__name__") in PROCESS.baselines

        def definition(function: FunctionType) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
            module = function.__globals__.get("__name__", "")
            baseline = PROCESS.baselines.get(module)
            if baseline is None:
                return None
            if module not in trees:
                trees[module] = ast.parse(text_of(baseline))
            return _find_definition(trees[module], function)

        def run_in(module: ModuleType, body: Body) -> None:
            reload_with(PROCESS.finder, module, body)

        return Surroundings(sys.modules, is_project, definition, run_in)

    def _finish(self, report: Report, seconds: dict[str, float]) -> Report:
        report = Report(report.generation, report.outcomes, report.findings, report.held, report.error, seconds)
        if not report:
            return report
        self.history.add(report)
        log.log(logging.WARNING if report.errors else logging.INFO, "%s", str(report).removeprefix("hotswap: "))
        if self.settings.on_report is not None:
            try:
                self.settings.on_report(report)
            except Exception:  # a callback that fails is the program's error, not a reason to stop watching
                log.exception("on_report raised")
        return report


def _find_definition(tree: ast.Module, function: FunctionType) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
    code = function.__code__
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.name == code.co_name and start_line(node) == code.co_firstlineno:
                return node
        elif isinstance(node, ast.Lambda) and code.co_name == "<lambda>" and node.lineno == code.co_firstlineno:
            return node
    return None


def _why(applied: Applied, edits: list[Edit]) -> Finding:
    """Return the finding for a group that was taken back."""
    error = applied.error
    if isinstance(error, StatementError):
        message = f"{type(error.error).__name__}: {error.error}".removesuffix(": ")
        return finding("HS303", error.path, error.lineno, message=message)
    if error is None:
        return next(found for found in applied.findings if found.code.startswith("HS1"))
    log.error("bug in hotswap", exc_info=error)
    return finding("HS304", edits[0].path, 1, message=f"{type(error).__name__}: {error}")


def _blamed(found: Finding, edits: list[Edit]) -> str:
    edited = [edit for edit in edits if edit.edited]
    return next((edit.module for edit in edited if edit.path == found.path), edited[0].module)
