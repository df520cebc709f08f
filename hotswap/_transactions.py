"""Each group of a save is one transaction: applied whole, or held until the next save. No group waits for another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hotswap import _surroundings
from hotswap._apply import Applied, apply
from hotswap._apply._instances import Migrations
from hotswap._baselines import Baseline
from hotswap._groups import Group, plan_group, split
from hotswap._holding import Holding
from hotswap._model import Edit, Finding, Outcome
from hotswap._modules import Entry
from hotswap._prepare import Prepared
from hotswap._process import Process
from hotswap._settings import Settings


@dataclass(slots=True)
class Done:
    """What became of the groups of one save. `replaced` are the baselines that were live before."""

    outcomes: list[Outcome] = field(default_factory=list)
    told: list[Finding] = field(default_factory=list)
    error: BaseException | None = None
    replaced: dict[str, Baseline] = field(default_factory=dict)


class Transactions:
    """Applies saves for one reloader. `holding` is what could not be applied, `migrations` objects that wait."""

    def __init__(self, process: Process, settings: Settings) -> None:
        self._process, self._settings = process, settings
        self.holding = Holding()
        self.migrations = Migrations()

    def apply_all(self, prepared: Prepared, entries: list[Entry]) -> Done:
        """Apply each group by itself; hold those that cannot be, and what belongs to a file that cannot be read."""
        self.holding.begin(prepared)
        self._process.shape += 1
        done = Done()
        for group in split(self._process, prepared, entries):
            broken = [name for name in prepared.findings if name in group]
            if broken:
                self.holding.hold_with(group, broken[0], prepared)
            else:
                self._apply_group(group, prepared, entries, done)
        for name in self.holding.modules:
            self._process.pin(name)
        self._process.generation += bool(done.outcomes)
        return done

    def _apply_group(self, group: Group, prepared: Prepared, entries: list[Entry], done: Done) -> None:
        plan, edits = plan_group(self._process, group, prepared.edits, entries)
        around = _surroundings.make(self._process, self._settings)
        applied = apply(plan, edits, around, strict=self._settings.strict)
        if applied.outcomes:
            self._accept(applied, edits, prepared, done)
        else:
            done.error = done.error or getattr(applied.error, "error", applied.error)
            self.holding.hold_group(plan, edits, prepared, applied)
        done.told += (*applied.findings, *self._process.tell_running(applied.old_codes))

    def _accept(self, applied: Applied, edits: Iterable[Edit], prepared: Prepared, done: Done) -> None:
        """The new texts are what is live."""
        done.outcomes += applied.outcomes
        for edit in edits:
            fresh = prepared.fresh.get(edit.module)
            old = self._process.baselines.get(edit.module)
            if fresh is not None and old is not None:
                done.replaced[edit.module] = old
                self._process.unpin(edit.old.origin)
                self._process.baselines.note(edit.module, fresh)
        self._process.note_departed(applied.departed)
        self.migrations.waiting += applied.migrations
