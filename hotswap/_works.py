"""What stands behind a reloader once there is something to do: the line, the saves that it is fed with, the host.

A program imports this, and the engine with it, when its own imports pause, or when it asks for a swap: its start does
not wait for that. Nothing is lost meanwhile: the texts that run are known (`_arrivals`), and `start` looks whether a
file is another one by now.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from hotswap._arrivals import ARRIVALS
from hotswap._blame import name_at_end, stop_naming
from hotswap._errors import TargetError
from hotswap._graph._view import ImportGraph
from hotswap._history import History
from hotswap._inbox import Inbox
from hotswap._line import Line
from hotswap._model import Batch, FileChange, Finding, Report
from hotswap._plan._targets import find as find_target
from hotswap._points import _loops
from hotswap._points._hooks import Steps, run_now, run_on_loop
from hotswap._points._host import Host
from hotswap._process import PROCESS
from hotswap._saves import Saves
from hotswap._stale._living import Stale
from hotswap._stale._remains import everything
from hotswap._why import Why, explain

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from hotswap._settings import Apply, Settings

log = logging.getLogger("hotswap")

_UNWATCHED: Final = ("manual", "signal")


class Works:
    """What one reloader works with; its `line` does the swaps. `mode` is where changes are applied."""

    def __init__(self, settings: Settings, mode: Apply) -> None:
        self.inbox = Inbox()
        self.history = History()
        self._in_slices = False
        self._is_new = True
        self.line = Line(settings, self.inbox, self.history, self._migrates_in_slices)
        self.saves = Saves(settings, self.inbox, self.line.index, self.line.troubles.append)
        self.line.data.connect(lambda: self.line.settings.roots, self.saves.cover)
        self.line.noticed.append(self.saves.look_out_for)
        free, rescan, fail = PROCESS.lock.is_free, self.line.rescan, self.line.fail
        self.host = Host(mode, self.inbox, self._act, self._idle, rescan, free, self._ahead, self.line.let_go, fail)

    def start(self, home: AbstractEventLoop | None) -> None:
        """Begin to watch, and take what was saved since the texts were noted; `home` is the loop of who asked for it.

        Raises SettingsError where changes cannot be applied as they shall be.
        """
        self.saves.start(threads=self.host.mode not in _UNWATCHED)
        PROCESS.after_swap.append(name_at_end)
        with PROCESS.lock:
            entries = self.line.entries()
            self.line.data.start(entries)
            outdated = [entry.path for entry in ARRIVALS.outdated(entries)]
        self._cover_others()
        for path in (*outdated, *self.line.data.outdated()):
            self.inbox.put(FileChange(path, "modified"))
        try:
            self.host.start(home)
        except BaseException:
            self.stop()
            raise
        self.tell(list(PROCESS.at_start()))

    def stop(self) -> None:
        """Release every thread and watch."""
        self.host.stop()
        self.saves.stop()
        self.line.data.stop()
        self.history.close()
        if name_at_end in PROCESS.after_swap:
            PROCESS.after_swap.remove(name_at_end)
            stop_naming()

    def widen(self, wider: Settings) -> None:
        """Go by `wider` from now on, which has more roots."""
        self.line.take(wider)
        self.saves.widen(wider, self.line.index)
        with PROCESS.lock:
            self.line.entries()
        self.line.rescan()

    def restart_after_fork(self) -> None:
        """In a forked child: watch there as well."""
        self.saves.restart_after_fork()
        self.host.start_thread()
        self.line.rescan()

    def poll(self, budget: float | None) -> Report | None:
        """Apply what is due; see `Reloader.poll`."""
        if self.host.mode == "auto":
            self.host.become("poll")
        migrations = self.line.transactions.migrations
        due = not (self.inbox.empty and not self.line.look_at_all) and self.host.is_ready()
        return run_now(self.line.safely(self._poll(budget, due=due))) if due or migrations.waiting else None

    def _is_whole(self) -> bool:
        """Whether what was read ahead is all that was saved, also of what the system has not told until now."""
        self.saves.listen()
        if not self.host.is_ready():
            self.host.taken.set()  # nobody takes what was read: it is read again
        return self.host.is_ready()

    def _poll(self, budget: float | None, *, due: bool) -> Steps[Report | None]:
        migrations = self.line.transactions.migrations
        told = self.tell(migrations.step()) if migrations.waiting else None
        if not due or (budget is not None and not self.line.begin(budget)) or not self._is_whole():
            return told
        report = yield from self.line.due()
        self.host.taken.set()
        return report

    def tell(self, found: list[Finding]) -> Report | None:
        """Report what became known since the save went live: of objects that were migrated, of tasks that failed."""
        report = Report(PROCESS.generation, findings=tuple(found)) if found else None
        if report is not None:
            run_now(self.line.finish(report))
        return report

    def take_all(self, *, deferred: bool = False) -> Batch | None:
        """Take all that was saved up to now; with `deferred` also what is put off."""
        self._ask_libraries()
        return self.saves.take_all(deferred=deferred)

    # -- verbs, as `Reloader` describes them --------------------------------------------------------------------------

    def reload(self, names: set[str]) -> Report:
        """Apply what changed on disk, of the modules `names` if there are any."""
        if unknown := sorted(name for name in names if name not in PROCESS.baselines):
            raise TargetError(f"{', '.join(unknown)}: no such module is loaded and watched")
        self.line.look_at_all |= self._is_new  # files that came between the start and us were told to nobody
        self._is_new = False
        report = run_now(self.line.safely(self.line.by_hand(lambda: self.take_all(deferred=True), names)))
        self._keep_small()
        return report

    def look(self) -> Report | None:
        """Apply what was saved."""
        return run_now(self.line.safely(self.line.look(self.take_all)))

    def rerun(self, target: str) -> Report:
        """Run the statements of `target` again."""
        return run_now(self.line.safely(self.line.rerun(lambda: find_target(PROCESS, target))))

    def undo(self, generation: int | None) -> Report:
        """Go back by one swap: the last one, or the last up to `generation`."""
        return run_now(self.line.safely(self.line.undo(PROCESS.generation if generation is None else generation)))

    def swap(self, batch: Batch | None, names: Iterable[str]) -> Report:
        """Swap where nothing can be awaited."""
        return run_now(self.line.safely(self.line.swap(batch, names), batch))

    async def swap_on_loop(self, batch: Batch | None, names: Iterable[str]) -> Report:
        """Swap on the running event loop."""
        return await run_on_loop(self.line.safely(self.line.swap(batch, names), batch))

    def why(self, name: str) -> Why:
        """Return what became of `name`."""
        with PROCESS.lock:
            self.line.entries()
            errors = self.line.errors()
            return explain(PROCESS, self.line.settings, self.history.reports(), errors, name)

    def stale(self) -> tuple[Stale, ...]:
        """Return what is still old."""
        with PROCESS.lock:
            return everything(PROCESS.old_codes, PROCESS.remains)

    def graph(self, package: str) -> ImportGraph:
        """Return who imports whom, below `package`."""
        with PROCESS.lock:
            entries = self.line.entries()
            return PROCESS.import_graph(e for e in entries if not package or f"{e.name}.".startswith(f"{package}."))

    def watch_data(self, pattern: str, callback: Callable[[str], object]) -> None:
        """Have `callback` called for the files that `pattern` names."""
        self.line.data.ask(pattern, callback)
        self._cover_data()

    # -- called by the host -------------------------------------------------------------------------------------------

    def _act(self) -> Steps[Report | None]:
        """Apply what is due, if anything is, at the safe point that calls this."""
        loop = _loops.here()
        self._in_slices = loop is not None
        try:
            report = yield from self.line.due(self.saves.listen if loop is None else None)
        finally:
            self._in_slices = False
        self._keep_small()
        if loop is not None:
            self.line.transactions.migrations.spread(loop, self.tell)
        return report

    def _keep_small(self) -> None:
        """Do what is done in idle times where there is no thread for that."""
        if self.host.mode in _UNWATCHED:
            PROCESS.baselines.shrink()

    def _migrates_in_slices(self) -> bool:
        return self._in_slices or self.host.mode == "poll"

    def _ahead(self) -> None:
        """Read what is due, for the safe point at which it will be applied; that does what fails here once more."""
        try:
            self.line.ahead(self.inbox.peek())
        except Exception:
            log.debug("reading ahead failed", exc_info=True)

    def _idle(self) -> bool:
        self.saves.check()
        PROCESS.catch_up()
        self._ask_libraries()
        self._cover_others()
        if "multiprocessing.process" in sys.modules:
            self._tell_processes()
        return self.line.look_at_all

    def _tell_processes(self) -> None:
        """Tell of processes of their own if they alone have the program: no swap will come here that tells it."""
        with PROCESS.lock.turn() as busy:
            without = not busy and not self.line.index.entries()
        if without:
            self.tell(list(self.line.elsewhere.children()))

    def _cover_others(self) -> None:
        for path in self.line.elsewhere.extension_files():
            self.saves.cover(path)

    def _ask_libraries(self) -> None:
        if self.line.data.ask_libraries():
            self._cover_data()

    def _cover_data(self) -> None:
        self.saves.cover_all(self.line.data.wants, self.line.data.found)
