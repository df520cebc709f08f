"""The line: one swap, from a batch of paths to a report, stage by stage in the order of their numbers.

Read `Line.swap` first. What exists once in the process (the lock, the baselines, the import graph, the generation) is
in `_process`; who asks for swaps, and when, is the reloader's affair.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

from hotswap import _surroundings
from hotswap._apply import apply
from hotswap._apply._small import apply_small
from hotswap._baselines import Baseline
from hotswap._findings import finding
from hotswap._groups import plan_group, plan_rerun, split, unused
from hotswap._history import History
from hotswap._holding import why_not
from hotswap._inbox import Inbox
from hotswap._model import Batch, FileChange, Finding, Plan, Report
from hotswap._modules import Entry, Loaded
from hotswap._prepare import HOLD_EMPTY, Prepared, Reading
from hotswap._process import PROCESS
from hotswap._saves import EVERYTHING
from hotswap._settings import Settings
from hotswap._small import SmallEdits
from hotswap._targets import find as find_target
from hotswap._transactions import Transactions


class Line:
    """What one reloader needs to bring the process to the files' texts.

    `look_at_all` says that events were lost, so that the next swap looks at every loaded file. `troubles` are findings
    that the next report tells.
    """

    def __init__(self, settings: Settings, inbox: Inbox, history: History) -> None:
        self.inbox, self.history = inbox, history
        self.transactions = Transactions(PROCESS, settings)
        self.reading = Reading(PROCESS)
        self.look_at_all = False
        self.troubles: list[Finding] = []
        self._small = SmallEdits(PROCESS)
        self.take(settings)

    def take(self, settings: Settings) -> None:
        """Go by other settings from now on."""
        self.settings = settings
        self.index = PROCESS.index(settings)
        self._loaded = Loaded((), None)

    def entries(self) -> list[Entry]:
        """Return what is loaded and looked after, each with a baseline."""
        return PROCESS.learn(self.index.entries())

    def swap(self, batch: Batch | None, names: Iterable[str] = (), *, slices: bool = False) -> Report:
        """Bring the process to the files' texts: all loaded ones if `batch` is None, else those it names.

        One swap runs at a time. A save that arrives meanwhile makes the next one. With `slices`, objects that migrate
        wait for somebody who has time for them.
        """
        with PROCESS.lock.swap() as busy:
            if busy:
                return self.put_off(busy)
            clock = _Clock()
            entries = self._known(batch)
            changed = self._changed(batch, entries, frozenset(names))
            report = self._swap_small(changed, entries, clock)
            if report is not None:
                return report
            prepared = self.reading.prepare(changed)
            self.reading.let_go(prepared, unused(PROCESS, prepared, entries))
            for path in prepared.emptied:
                self.inbox.put(FileChange(path, "modified"), not_before=HOLD_EMPTY)
            clock.note("read")
            report, replaced = self._apply_all(prepared, entries, slices=slices)
            self.history.add_texts(replaced)
            return clock.stamped(report)

    def undo(self) -> Report:
        """Bring the modules of the last swap back to the texts they had before it."""
        with PROCESS.lock.swap() as busy:
            if busy:
                return self.put_off(busy)
            clock = _Clock()
            entries = self.entries()
            texts = self.history.pop_texts()
            report, _ = self._apply_all(self.reading.prepare_texts(entries, texts), entries)
            if report.held:
                self.history.add_texts(texts)
            return clock.stamped(report)

    def rerun(self, target: str) -> Report:
        """Run the statements that make `target` again, and what depends on them. Raises TargetError."""
        with PROCESS.lock.swap() as busy:
            if busy:
                return self.put_off(busy)
            clock = _Clock()
            entries = self.entries()
            PROCESS.update_graph()
            wanted = find_target(PROCESS, target)
            plan, edits = plan_rerun(PROCESS, wanted, entries)
            around = _surroundings.make(PROCESS, self.settings, wanted.ids)
            applied = apply(plan, edits, around, strict=self.settings.strict)
            PROCESS.generation += bool(applied.outcomes)
            why = () if applied.outcomes else (why_not(applied, edits),)
            error = getattr(applied.error, "error", applied.error)
            return clock.stamped(Report(PROCESS.generation, applied.outcomes, (*why, *applied.findings), (), error))

    def plan(self) -> Plan:
        """Look at the disk and return what a swap would do at most; nothing is touched."""
        with PROCESS.lock:
            entries = self.entries()
            prepared = Reading(PROCESS).prepare(self.reading.changed(entries))
            groups = [group for group in split(PROCESS, prepared, entries) if not group & prepared.findings.keys()]
            plans = [plan_group(PROCESS, group, prepared.edits, entries)[0] for group in groups]
        steps = tuple(step for plan in plans for step in (*plan.steps, *plan.following()))
        cycles = tuple(cycle for plan in plans for cycle in plan.cycles)
        return Plan(tuple(prepared.edits), steps, cycles)

    def put_off(self, busy: str) -> Report:
        """Tell who asked for a swap where there can be none; what was saved makes the next one."""
        self.look_at_all = True
        self.inbox.wake()
        return Report(PROCESS.generation, findings=(finding("HS307", "", 0, why=busy),))

    # -- what to read --------------------------------------------------------------------------------------------------

    def _known(self, batch: Batch | None) -> list[Entry]:
        """Return what is loaded; for a batch of saves, what was found last if nothing was imported since."""
        if batch is None or EVERYTHING in batch.changes or not self._loaded.is_current(Loaded.mark(PROCESS.shape)):
            entries = self.entries()
            self._loaded = Loaded(entries, Loaded.mark(PROCESS.shape))
        return self._loaded.entries

    def _named(self, batch: Batch, entries: list[Entry]) -> list[Entry]:
        """Return the entries that `batch` names, and what is held."""
        paths = [change.path for change in batch.changes]
        found = None if self.transactions.holding else self._loaded.find(paths)
        if found is None:
            wanted = set(self.index.find(paths))
            found = [entry for entry in entries if entry.name in wanted or entry.name in self.transactions.holding]
        return found

    def _changed(self, batch: Batch | None, entries: list[Entry], names: frozenset[str]) -> list[Entry]:
        """Return the entries to read: those that the batch names, or whose file is in another state; held ones too."""
        if batch is None or self.look_at_all or EVERYTHING in batch.changes:
            self.look_at_all = False
            found = self.reading.changed(entries)
        else:
            found = self._named(batch, entries)
        return [entry for entry in found if not names or entry.name in names]

    # -- what to do ----------------------------------------------------------------------------------------------------

    def _swap_small(self, changed: list[Entry], entries: list[Entry], clock: _Clock) -> Report | None:
        """Apply what is nothing but small edits; None, with nothing done, if there is more to it."""
        if not changed or self.transactions.holding or self.troubles:
            return None
        found = self._small.find(changed, entries)
        clock.note("read")
        try:
            outcomes = apply_small([one.edit for one in found]) if found else None
        except BaseException:  # the program is being ended; should it go on after all, nothing is lost
            self.look_at_all = True
            raise
        if not found or outcomes is None:
            return None
        PROCESS.generation += 1
        self.history.add_texts(self._small.accept(found))
        return clock.stamped(Report(PROCESS.generation, outcomes))

    def _apply_all(
        self, prepared: Prepared, entries: list[Entry], *, slices: bool = False
    ) -> tuple[Report, dict[str, Baseline]]:
        """Apply what is prepared; return the report and the baselines that were live before."""
        holding, migrations = self.transactions.holding, self.transactions.migrations
        if not prepared or holding.holds_already(prepared):
            told = holding.findings() if prepared else ()
            return Report(PROCESS.generation, held=holding.modules, findings=told), {}
        troubles = self._take_troubles()
        done = self.transactions.apply_all(prepared, entries)
        moved = () if slices else migrations.finish()
        findings = (*holding.findings(), *prepared.told, *troubles, *done.told, *moved)
        report = Report(PROCESS.generation, tuple(done.outcomes), findings, holding.modules, done.error)
        return report, done.replaced

    def _take_troubles(self) -> list[Finding]:
        troubles, self.troubles[:] = list(self.troubles), []
        return troubles


class _Clock:
    """Wall time in seconds, by phase, since it was made."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()
        self._seconds: dict[str, float] = {}

    def note(self, phase: str) -> None:
        """End the phase `phase`; the next begins."""
        now = time.perf_counter()
        self._seconds[phase], self._last = now - self._last, now

    def stamped(self, report: Report) -> Report:
        """Return `report` with the times; what was not noted yet went into applying."""
        self.note("apply")
        return replace(report, seconds={**self._seconds, "total": self._last - self._started})
