"""The line: one swap, from a batch of paths to a report, stage by stage in the order of their numbers.

Read `Line.swap` first. What is asked for is given as steps, of which some may have to be awaited; `_hooks` carries them
out. What exists once in the process (the lock, the finder, the baselines, the import graph) is in `_process`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final, NamedTuple, TypeVar

from hotswap._data import Data
from hotswap._divide import Parts, Read, apply_parts, divide
from hotswap._elsewhere import Elsewhere
from hotswap._errors import TargetError
from hotswap._findings import finding, graded
from hotswap._history import History
from hotswap._inbox import Inbox
from hotswap._model import Batch, FileChange, Finding, Plan, Report, Severity, Statement
from hotswap._modules import Entry, Loaded
from hotswap._plan._arriving import Arriving
from hotswap._plan._groups import plan_all, unused
from hotswap._plan._prepare import HOLD_EMPTY, Prepared, Reading, undone
from hotswap._plan._targets import Target
from hotswap._points._hooks import Hooks, Steps, run_now, tell
from hotswap._points._turn import PAUSED
from hotswap._points._way import breathe, giving_way
from hotswap._process import PROCESS
from hotswap._report import text
from hotswap._saves import EVERYTHING
from hotswap._settings import Settings
from hotswap._small import SmallEdits
from hotswap._stale._running import is_begun
from hotswap._transactions import Done, Transactions, joined, point_anew

log = logging.getLogger("hotswap")
R = TypeVar("R")


class MoreCame(Exception):  # no error: it ends a swap that has touched nothing
    """More was saved while a batch was read: it went back to the inbox, and all of it is taken together."""


_SOON: Final = 0.05
"""Seconds after which a file is looked at again whose module was being imported."""


class Told(NamedTuple):
    """What came of a turn: its report, the hooks that come after it, and the seconds of its phases."""

    report: Report
    hooks: list[Hooks]
    seconds: dict[str, float]


class Line:
    """The line of one reloader. `in_slices` says that objects are migrated bit by bit, at each poll.

    `look_at_all` has the next swap look at every loaded file. `troubles` are findings that wait for the next report.
    `noticed` is called with the report of each swap. `failure` is what in hotswap itself keeps a save from being live.
    """

    def __init__(self, settings: Settings, inbox: Inbox, history: History, in_slices: Callable[[], bool]) -> None:
        self.inbox, self.history, self._in_slices = inbox, history, in_slices
        self._small = SmallEdits(PROCESS)
        self.take(settings)
        self.transactions = Transactions(PROCESS, settings)
        self.reading = Reading(PROCESS)
        self.look_at_all = False
        self.failure: Finding | None = None
        self.troubles: list[Finding] = []
        self._listen: Callable[[], object] | None = None
        self._spent: list[Statement] = []
        self._all_loaded: Batch | None = None
        self._said: set[Finding] = set()
        self.data, self._arriving = Data(PROCESS), Arriving(PROCESS)
        self.noticed: list[Callable[[Report], object]] = [self.data.learn_from]

    def take(self, settings: Settings) -> None:
        """Go by other settings from now on."""
        self.settings = settings
        self.elsewhere = Elsewhere(settings.scope(), PROCESS.baselines.made_from)
        self.index = PROCESS.index(settings)
        self._loaded = Loaded((), None)

    def entries(self) -> list[Entry]:
        """Return the loaded modules that are looked after; those that were not known are from now on."""
        return PROCESS.arrivals.learn(self.index.entries())

    def rescan(self) -> None:
        """Have the next swap look at every loaded file, and have it soon."""
        self.look_at_all = True
        self.inbox.wake()

    def swap(self, batch: Batch | None, names: Iterable[str] = ()) -> Steps[Report]:
        """Bring the process to the files' texts, and data's: all known ones if `batch` is None, else those it names."""
        looked_at = None if self.look_at_all else batch
        report = yield from self._in_turn(lambda: self._swap(batch, frozenset(names)))
        if not names and (batch is None or EVERYTHING in batch.changes):
            self.failure = None
        for notice in self.noticed:
            notice(report)
        if self.look_at_all:  # there could be no swap
            return report
        paths = self.data.changed(looked_at)
        failed = False
        for wanted in (*self._arriving.stale(self._unloaded(looked_at)), *self.data.stale(paths)):
            further = yield from self.rerun(lambda wanted=wanted: wanted)  # type: ignore[misc]  # bound now
            failed |= further.error is not None
            report = joined(report, further)
        if not failed:
            self._arriving.settle()
        self.data.call(paths)
        return report

    def ahead(self, batch: Batch) -> None:
        """Read, compare, compile and plan what `batch` names, so that its swap finds that done. Nothing is touched.

        For a thread that has time while another one must not lose any. It leaves others their turn.
        """
        with PROCESS.lock.turn() as busy, giving_way():
            if busy or self.look_at_all or EVERYTHING in batch.changes:
                return
            entries = self._known(batch)
            self._small.let_go()
            parts = self._divided(self._named(batch, entries), self.reading.ahead)
            self._small.ahead(parts.small)
            if parts.rest:
                self.transactions.ahead(parts.rest, entries)

    def let_go(self) -> None:
        """Free the syntax trees of the last swap, bit by bit: all at once, that takes as long as a frame."""
        with giving_way():
            self._small.let_go()
            while self._spent:
                self._spent.pop()
                breathe()

    def begin(self, seconds: float) -> bool:
        """Do for so long what can be done before a swap without touching anything; return whether all of it is done."""
        return self._small.begin(time.perf_counter() + seconds)

    def rerun(self, find: Callable[[], Target]) -> Steps[Report]:
        """Run the statements of the target that `find` returns again. Raises what that raises."""
        return self._in_turn(lambda: self._rerun(find))

    def undo(self, generation: int) -> Steps[Report]:
        """Bring the modules of the last swap up to `generation` back to the texts they had before it."""
        return self._in_turn(lambda: self._undo(generation))

    def due(self, listen: Callable[[], object] | None = None) -> Steps[Report | None]:
        """Apply what is due, if anything is, at the safe point that calls this.

        `listen` has what was saved by now put into the inbox. Then a batch is whole if nothing was while it was read:
        the first file of many is not applied alone, and a single one waits for nothing.
        """
        with PROCESS.lock.turn() as busy:  # before it is taken: who looks meanwhile waits until it is live
            batch = None if busy or not PROCESS.lock.is_free() else self.inbox.take()
            if busy or not PROCESS.lock.is_free() or (batch is None and not self.look_at_all):
                return None
            self._listen = None if self.look_at_all else listen
            try:
                return (yield from self.safely(self.swap(batch), batch))
            except MoreCame:
                return None
            finally:
                self._listen = None

    def by_hand(self, take: Callable[[], Batch | None], names: Iterable[str] = ()) -> Steps[Report]:
        """Apply what `take` gives, and if that is nothing whatever changed on disk; with `names` only these."""
        with PROCESS.lock.turn() as busy:
            if busy:
                return self._put_off(busy)
            batch = take()
            self.reading.by_hand = True
            report = (yield from self.safely(self.swap(batch), batch)) if batch is not None and not names else None
            return report or (yield from self.swap(None, names))

    def look(self, take: Callable[[], Batch | None]) -> Steps[Report | None]:
        """Apply what `take` gives."""
        with PROCESS.lock.turn() as busy:
            if busy:
                return self._put_off(busy)
            batch = take()
            return None if batch is None else (yield from self.safely(self.swap(batch), batch)) or None

    def safely(self, steps: Steps[R], batch: Batch | None = None) -> Steps[R | Report]:
        """Carry out `steps`, which apply `batch`; a failure of ours is told and never reaches the program."""
        try:
            return (yield from steps)
        except (TargetError, MoreCame):
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, it is ours
            return (yield from self._fail(error, batch.changes[0].path if batch is not None else ""))

    def fail(self, error: Exception) -> None:
        """Tell a failure of ours, once, from where nothing can be awaited and it may come again each second."""
        if self.failure is None or not self.failure.message.endswith(f"{type(error).__name__}: {error}"):
            run_now(self._fail(error, ""))

    def _fail(self, error: Exception, path: str) -> Steps[Report]:
        """Tell a failure of ours. What was saved is looked at again with the next save: at once it would fail again."""
        found = finding("HS304", path, int(bool(path)), message=f"{type(error).__name__}: {error}")
        self.inbox.hold((EVERYTHING,))
        if self.failure is None or found.message != self.failure.message:
            log.error("bug in hotswap; please report it with this traceback", exc_info=error)
        self.failure = found
        report = Report(PROCESS.generation, findings=(found,), error=error)
        yield from self._finish_safely(report)
        return report

    def errors(self) -> tuple[Finding, ...]:
        """Return what keeps an edit from being live."""
        return (*self.transactions.holding.findings(), *((self.failure,) if self.failure is not None else ()))

    def plan(self) -> Plan:
        """Look at the disk and return what a swap would do at most; nothing is touched."""
        with PROCESS.lock:
            entries = self.entries()
            prepared = Reading(PROCESS).prepare(self.reading.changed(entries))
            return plan_all(PROCESS, prepared, entries)

    def _in_turn(self, act: Callable[[], Steps[Told]]) -> Steps[Report]:
        """Take the turn, `act`, call the hooks that come after, and tell what became of it."""
        with PROCESS.lock.swap() as busy:
            if busy:
                return self._put_off(busy)
            started = time.perf_counter()
            try:
                report, hooks, seconds = yield from act()
                applied = time.perf_counter()
                told: list[Finding] = []
                for one in hooks:
                    told += yield from one.after(report)
            except BaseException as error:
                if not isinstance(error, Exception):  # Ctrl-C
                    self.rescan()  # what was saved is not lost: the next swap finds it
                raise
            done = time.perf_counter()
        seconds |= ({"after": done - applied} if any(one.called for one in hooks) else {}) | {"total": done - started}
        severities = self.settings.severities
        findings = tuple(graded(found, severities) for found in (*report.findings, *told))
        report = replace(report, findings=findings, seconds=seconds)
        yield from self._finish_safely(report)
        for one in hooks:
            if one.interrupt is not None:  # Ctrl-C: all is in order now, and the program has to know
                raise KeyboardInterrupt from None
        return report

    def _swap(self, batch: Batch | None, names: frozenset[str]) -> Steps[Told]:
        started = time.perf_counter()
        entries = self._known(batch)
        changed = self._changed(batch, entries, names)
        self.troubles += self.elsewhere.extensions()
        changed = changed if batch is None else self._imported(changed)
        parts = self._divided(changed, self.reading.prepare)
        self._wait_for_more(batch)
        read = time.perf_counter()
        parts = apply_parts(self._small, parts, self.reading.prepare)
        seconds = {"read": read - started, "apply": time.perf_counter() - read}
        report, done = Report(PROCESS.generation), Done()
        if parts.rest or self.troubles or not parts.outcomes:
            started = time.perf_counter()
            self.reading.let_go(parts.rest, unused(PROCESS, parts.rest, entries))
            for path in parts.rest.emptied:
                self.inbox.put(FileChange(path, "modified"), not_before=HOLD_EMPTY)
            self.data.expect(parts.rest.fresh)
            seconds["read"] += time.perf_counter() - started
            report, done = yield from self._apply_all(parts.rest, entries)
        if parts.outcomes:
            PROCESS.generation += not done.outcomes
            told = () if done.outcomes else (*point_anew(), *self.elsewhere.children())
            outcomes, findings = (*parts.outcomes, *report.outcomes), (*report.findings, *told)
            report = replace(report, generation=PROCESS.generation, outcomes=outcomes, findings=findings)
        self.history.add_texts(report.generation, {**parts.replaced, **done.replaced})
        for phase, spent in done.seconds.items():
            seconds[phase] = seconds.get(phase, 0.0) + spent
        return Told(report, done.hooks, seconds)

    def _divided(self, changed: list[Entry], read: Read) -> Parts:
        """Return the parts of a save; no edit is small while files are held."""
        if self.transactions.holding:
            return Parts(changed, [], read(changed))
        return divide(PROCESS, self._small, changed, self._loaded, read)

    def _imported(self, changed: list[Entry]) -> list[Entry]:
        """Return `changed` without what is in the middle of its import; that is looked at again soon."""
        begun = [entry for entry in changed if is_begun(entry.name)]
        for entry in begun:
            self.inbox.put(FileChange(entry.path, "modified"), not_before=_SOON)
        return [entry for entry in changed if entry not in begun]

    def _wait_for_more(self, batch: Batch | None) -> None:
        """Raise MoreCame if the files of `batch` are not all: it is in the inbox again."""
        if self._listen is not None and batch is not None:
            self._listen()
            if self.inbox.give_back(batch):
                raise MoreCame

    def _rerun(self, find: Callable[[], Target]) -> Steps[Told]:
        entries = self.entries()
        PROCESS.update_graph()
        done = yield from self.transactions.rerun(find(), entries)
        report = Report(PROCESS.generation, tuple(done.outcomes), tuple(done.told), (), done.error)
        return Told(report, done.hooks, done.seconds)

    def _put_off(self, busy: str) -> Report:
        """Tell who asked for a swap, and nobody else, that there can be none; what was saved makes the next one."""
        self.rescan()
        found = finding("HS317", "", 0) if busy == PAUSED else finding("HS307", "", 0, why=busy)
        return Report(PROCESS.generation, findings=(found,))

    def _undo(self, generation: int) -> Steps[Told]:
        entries = self.entries()
        texts = self.history.pop_texts(generation)
        report, done = yield from self._apply_all(self.reading.prepare_texts(entries, texts), entries)
        if report.held:
            self.history.add_texts(PROCESS.generation, texts)
        report = replace(report, findings=(*report.findings, *undone(PROCESS, done.replaced)))
        return Told(report, done.hooks, done.seconds)

    def _known(self, batch: Batch | None) -> list[Entry]:
        """Return what is loaded; for a batch of saves, what was found last if nothing was imported since."""
        if batch is None or EVERYTHING in batch.changes or not self._loaded.is_current(Loaded.mark(PROCESS.shape)):
            mark, shape = Loaded.mark(PROCESS.shape), PROCESS.shape  # first: another thread may import meanwhile
            self._loaded = Loaded(self.entries(), mark, shape)
        return self._loaded.entries

    def _named(self, batch: Batch, entries: list[Entry]) -> list[Entry]:
        """Return the entries that `batch` names, and what is held."""
        paths = [change.path for change in batch.changes]
        found = None if self.transactions.holding else self._loaded.find(paths)
        self._all_loaded = None if found is None else batch
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

    def _apply_all(self, prepared: Prepared, entries: list[Entry]) -> Steps[tuple[Report, Done]]:
        """Apply what is prepared; return the report, and what became of each group."""
        holding, migrations = self.transactions.holding, self.transactions.migrations
        settled, waiting = holding.settle(prepared.same), len(self.troubles)
        troubles = tuple(dict.fromkeys(self.troubles[:waiting]))
        if not prepared or holding.holds_already(prepared):
            told = (*(holding.findings() if prepared else ()), *troubles)
            del self.troubles[:waiting]
            return Report(PROCESS.generation, held=holding.modules, findings=told, settled=settled), Done()
        done = yield from self.transactions.apply_all(prepared, entries)
        if self._in_slices():  # somebody lets them go
            self._spent += (
                one for edit in prepared.edits.values() for one in edit.old.statements + edit.new.statements
            )
        moved = () if self._in_slices() else migrations.finish()  # when polled, a slice at each poll
        children = self.elsewhere.children() if done.outcomes else ()
        findings = (*holding.findings(), *prepared.told, *troubles, *done.told, *moved, *children)
        del self.troubles[:waiting]  # only now: what is not reported is told with the next
        outcomes, held = tuple(done.outcomes), holding.modules
        return Report(PROCESS.generation, outcomes, findings, held, done.error, settled=settled), done

    def _unloaded(self, batch: Batch | None) -> list[str]:
        """Return the files that are not loaded of those that `batch` names, or of all that somebody imports."""
        if batch is None or EVERYTHING in batch.changes:
            return self._arriving.everywhere(self.settings.scope())
        changes = () if batch is self._all_loaded else batch.changes
        return [change.path for change in changes if self._loaded.find([change.path]) is None]

    def _news(self, report: Report) -> Report:
        """Return what is logged: what holds a save is said once, and its modules are named until it is mended."""
        known, self._said = self._said, {found for found in report.findings if found.severity is Severity.HELD}
        news = tuple(found for found in report.findings if found not in known)
        return report if len(news) == len(report.findings) else replace(report, findings=news)

    def _finish_safely(self, report: Report) -> Steps[None]:
        """Keep and tell a report of what is done: nothing that fails here can change it."""
        try:
            yield from self.finish(report)
        except Exception:
            log.exception("bug in hotswap; please report it with this traceback")

    def finish(self, report: Report) -> Steps[None]:
        """Keep and tell a report that has something to say."""
        if report:
            self.history.add(report)
            PROCESS.swapped(report)
            level, news = logging.WARNING if report.told else logging.INFO, self._news(report)
            if log.isEnabledFor(level):
                log.log(level, "%s", text(news).removeprefix("hotswap: "))
            yield from tell(report, (self.settings.on_report, *PROCESS.callbacks.called))
