"""Each group of a save is one transaction: applied whole, or held until the next save. No group waits for another.

Where one cannot be live alone, as a module that is not edited raises with it, it is tried as one with those of the same
save that this module depends on, too.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import is_
from types import ModuleType
from typing import Any

from hotswap import _surroundings
from hotswap._apply import Applied, Ready, apply, make_ready
from hotswap._apply._adapter import found as find_adapters
from hotswap._apply._instances import Migrations
from hotswap._errors import EditError, HookError, StatementError
from hotswap._holding import Holding, why_not
from hotswap._loader._baselines import Baseline, Packed
from hotswap._model import Action, Edit, Finding, Outcome, Plan, Report
from hotswap._modules import Entry
from hotswap._plan._groups import Group, plan_group, plan_rerun, split
from hotswap._plan._prepare import Prepared
from hotswap._plan._targets import Target
from hotswap._points._hooks import BEFORE, Hooks, Steps
from hotswap._process import Process
from hotswap._settings import Settings
from hotswap._stale._running import Bodies

Planned = tuple[Plan, list[Edit], Ready]
"""A plan, its edits, and what is ready for applying it."""


@dataclass(slots=True)
class Done:
    """What became of the groups of one save. `replaced` are the baselines that were live before.

    `hooks` were called before, and are to be called after.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    told: list[Finding] = field(default_factory=list)
    error: BaseException | None = None
    replaced: dict[str, Baseline] = field(default_factory=dict)
    hooks: list[Hooks] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def spend(self, phase: str, seconds: float) -> None:
        """Add to the time of a phase."""
        self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds


class Transactions:
    """Applies saves for one reloader. `holding` is what could not be applied, `migrations` objects that wait."""

    def __init__(self, process: Process, settings: Settings) -> None:
        self._process, self._settings = process, settings
        self.holding = Holding()
        self.migrations = Migrations()
        self._raised: set[str] = set()
        self._bodies = Bodies()
        self._plans: dict[Group, tuple[tuple[object, ...], Planned]] = {}

    def apply_all(self, prepared: Prepared, entries: list[Entry]) -> Steps[Done]:
        """Apply each group by itself; hold those that cannot be, and what belongs to a file that cannot be read."""
        self.holding.begin(prepared)
        done = Done()
        try:
            waiting = list(split(self._process, prepared, entries))
            while waiting:
                group = waiting.pop(0)
                broken = [name for name in prepared.findings if name in group]
                if broken:
                    self.holding.hold_with(group, broken[0], prepared)
                else:
                    waiting = yield from self._apply_group(group, waiting, prepared, entries, done)
        finally:
            self._process.shape += 1  # not before: what was planned ahead would not count
        for name in self.holding.modules:
            self._process.pin(name)
        self._process.generation += bool(done.outcomes)
        return done

    def ahead(self, prepared: Prepared, entries: list[Entry]) -> None:
        """Plan for a swap that comes soon."""
        find_adapters()  # which takes a while for the first time
        self.forget_ahead()
        for group in split(self._process, prepared, entries):
            mark = self._mark(group, prepared.edits, entries)
            plan, edits = plan_group(self._process, group, prepared.edits, entries)
            ready = make_ready(plan, edits, sys.modules)
            self._plans[group] = mark, (plan, edits, ready)

    def forget_ahead(self) -> None:
        """Let go of what was planned ahead, and of the code that it holds."""
        for _, (_, _, ready) in self._plans.values():
            ready.forget()
        self._plans.clear()

    def _mark(self, group: Group, edits: Mapping[str, Edit], entries: list[Entry]) -> tuple[object, ...]:
        """Return what is another one if the plan of `group` may be."""
        return (
            self._process.generation,
            self._process.shape,
            len(sys.modules),
            entries,
            *(edits.get(name) for name in sorted(group)),
        )

    def _planned(self, group: Group, edits: Mapping[str, Edit], entries: list[Entry]) -> Planned:
        mark, planned = self._plans.pop(group, ((), None))
        now = self._mark(group, edits, entries)
        if planned is not None and len(mark) == len(now) and mark[:3] == now[:3] and all(map(is_, mark[3:], now[3:])):
            return planned
        if planned is not None:  # what is ready holds code, and would be taken for somebody of the program
            planned[2].forget()
        return *plan_group(self._process, group, edits, entries), Ready()

    def _apply_group(
        self, group: Group, waiting: list[Group], prepared: Prepared, entries: list[Entry], done: Done
    ) -> Steps[list[Group]]:
        """Apply a group, if need be with those of `waiting` that it cannot be live without; return what still waits."""
        applied, plan, edits, left = yield from self._try_group(group, prepared, entries, done)
        others = self._others(group, applied, waiting, prepared)
        if others:
            joint = yield from self._try_group(group.union(*others), prepared, entries, done)
            if not _raises_alone(joint[0]):
                applied, plan, edits, left = joint
                waiting = [one for one in waiting if one not in others]
        if applied.outcomes:
            self._accept(applied, edits, prepared, done)
        else:
            done.error = done.error or getattr(applied.error, "error", applied.error)
            self.holding.hold_group(plan, edits, prepared, applied)
        done.told += (*left, *applied.findings, *self._process.tell_running(applied.old_codes))
        return waiting

    def _try_group(
        self, group: Group, prepared: Prepared, entries: list[Entry], done: Done
    ) -> Steps[tuple[Applied, Plan, list[Edit], Iterable[Finding]]]:
        started = time.perf_counter()
        limited, left = self._bodies.limit({name: prepared.edits[name] for name in group})
        plan, edits, ready = self._planned(group, limited, entries)
        done.spend("plan", time.perf_counter() - started)
        edits = self._bodies.limit_dependents(edits)
        applied = yield from self._apply(plan, edits, ready, {}, done)
        return applied, plan, edits, left

    def _others(self, group: Group, applied: Applied, waiting: list[Group], prepared: Prepared) -> list[Group]:
        """Return the groups that a module depends on which is not edited and may be what raised."""
        if not _raises_alone(applied):
            return []
        graph = self._process.graph
        dependents = graph.affected(group) - group
        readable = (one for one in waiting if one.isdisjoint(prepared.findings))
        return [one for one in readable if not dependents.isdisjoint(graph.affected(one))]

    def rerun(self, wanted: Target, entries: list[Entry]) -> Steps[Done]:
        """Run the statements of `wanted` again, and what depends on them."""
        done = Done()
        plan, edits = plan_rerun(self._process, wanted, entries)
        applied = yield from self._apply(plan, edits, Ready(), wanted.ids, done)
        self._process.generation += bool(applied.outcomes)
        done.outcomes += applied.outcomes
        self._process.remains.note(applied.outcomes)
        done.told += (*(() if applied.outcomes else (why_not(applied, edits),)), *applied.findings, *point_anew())
        done.error = getattr(applied.error, "error", applied.error)
        return done

    def _apply(self, plan: Plan, edits: list[Edit], ready: Ready, forced: dict[int, str], done: Done) -> Steps[Applied]:
        """Apply one group between its hooks; those that come after are left for when there is a report."""
        hooks = Hooks(_concerned(plan, edits), {name for name in map(_edits_hook, edits) if name in self._raised})
        done.hooks.append(hooks)
        started = time.perf_counter()
        try:
            yield from hooks.before()
        except HookError as error:
            applied = Applied(error=error)
            self._raised.add(error.name.rpartition(".")[0])
        else:
            if hooks.called:
                done.spend("before", time.perf_counter() - started)
            started = time.perf_counter()
            around = _surroundings.make(self._process, self._settings, forced)
            applied = apply(plan, edits, around, ready, strict=self._settings.strict)
            done.spend("apply", time.perf_counter() - started)
        hooks.interrupt = hooks.interrupt or applied.interrupt
        hooks.error = getattr(applied.error, "error", applied.error)
        if not applied.outcomes and hooks.error is None:
            hooks.error = EditError("\n".join(map(str, applied.findings)), applied.findings)
        return applied

    def _accept(self, applied: Applied, edits: Iterable[Edit], prepared: Prepared, done: Done) -> None:
        """The new texts are what is live."""
        done.outcomes += self._bodies.with_loops(applied.outcomes)
        done.told += point_anew()
        self._process.remains.note(applied.outcomes)
        for edit in edits:
            self._raised.discard(edit.module)  # that is what is live: its hook is called again
            fresh = prepared.fresh.get(edit.module)
            old = self._process.baselines.get(edit.module)
            if fresh is not None and old is not None:
                done.replaced[edit.module] = old
                self._process.unpin(edit.old.origin)
                self._process.baselines.note(edit.module, fresh)
                self._bodies.move(prepared.edits[edit.module])
        for name in applied.given_away:  # what its file said runs elsewhere now: should it come back, all of it is new
            if (gone := self._process.baselines.get(name)) is not None:
                self._process.baselines.note(name, gone._replace(packed=Packed(b"")))
        self._process.note_departed(applied.departed)
        self.migrations.waiting += applied.migrations


def _raises_alone(applied: Applied) -> bool:
    """Whether a statement of the program raised: it may do so as it met only half of the save."""
    is_statement = isinstance(applied.error, StatementError) and not isinstance(applied.error, HookError)
    return applied.interrupt is None and is_statement


def _concerned(plan: Plan, edits: Iterable[Edit]) -> Iterable[ModuleType]:
    """Yield the modules that the plan may change otherwise than by an import that follows, dependencies first."""
    edited = {edit.module for edit in edits if edit.edited and edit.diff}
    for step in plan.steps:
        module = sys.modules.get(step.module)
        if module is not None and (step.module in edited or step.action is Action.RUN):
            yield module


def _edits_hook(edit: Edit) -> str:
    """Return the name of the module if its hook that comes before has another text now, else ""."""
    touched = (*edit.diff.removed, *(pair.new for pair in edit.diff.changed))
    return edit.module if any(BEFORE in statement.binds for statement in touched) else ""


def point_anew() -> Iterable[Finding]:
    """Have each `hotswap.live` follow its name; the room of these is there only if somebody asked for one."""
    live: Any = sys.modules.get("hotswap._live")
    return () if live is None else live.point_anew()


def joined(report: Report, further: Report) -> Report:
    """Return what two swaps say that applied one save, the second what the first made stale."""
    if not report or not further:
        return further or report
    outcomes, findings = (*report.outcomes, *further.outcomes), (*report.findings, *further.findings)
    return replace(further, outcomes=outcomes, findings=findings)
