"""One loaded extension: what happens before a cell and behind it, and what is taken away again when it is unloaded.

Before each cell the disk is looked at, in the thread that runs the cell, so what a cell calls is what was saved.
Between cells nothing is applied, unless `live` was asked for.
"""

from __future__ import annotations

import os
import sys
from typing import Final

from hotswap import _api
from hotswap._errors import HotswapError
from hotswap._model import Finding, Report
from hotswap._process import PROCESS
from hotswap._reloader import Reloader
from hotswap._roots import default_roots
from hotswap.integrations.ipython import _rivals, _showing
from hotswap.integrations.ipython._cells import ORIGIN, Cells
from hotswap.integrations.ipython._live import Live
from hotswap.integrations.ipython._shell import Cell, Result, Shell

LEFT_OUT: Final = "%%hotswap off"
"""The first line of a cell before which, and for which alone, the disk is not looked at."""


class Session:
    """The extension in one shell, between `start` and `stop`. `mode` is ``on``, ``live`` or ``off``."""

    def __init__(self, shell: Shell) -> None:
        self.shell, self.mode = shell, "on"
        self.reloader = Reloader(apply="poll")
        self.cells = Cells(shell.user_ns, shell.transform_cell, lambda: PROCESS.baselines)
        self._live: Live | None = None
        self._told: frozenset[Finding] = frozenset()
        self._by_default = self.reloader.settings.roots == default_roots()
        self._searched = _searched()
        self._quiet = False
        self._gave_way = False

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Look after what is loaded, from now on. Raises OverlapError if another reloader does so already."""
        self.reloader.start()
        _api.adopt(self.reloader)
        if sys.modules.get("__main__") is self.shell.user_module:  # not so where a shell is embedded in a program
            history = getattr(self.shell.history_manager, "input_hist_parsed", None) or ()
            for number, text in enumerate(history):
                self.cells.add(number, text)
            PROCESS.adopt_text("__main__", ORIGIN, self.cells.text)
        self.shell.events.register("pre_run_cell", self.before_cell)
        self.shell.events.register("post_run_cell", self.after_cell)
        self.shell.input_transformers_cleanup.append(leave_out)

    def stop(self) -> None:
        """Leave the shell and the process as they were; the code that was swapped stays."""
        self.set_mode("off")
        self.shell.input_transformers_cleanup.remove(leave_out)
        self.shell.events.unregister("pre_run_cell", self.before_cell)
        self.shell.events.unregister("post_run_cell", self.after_cell)
        PROCESS.forget_text("__main__")
        _api.release(self.reloader)
        self.reloader.stop()

    def set_mode(self, mode: str) -> None:
        """Look before each cell (``on``), apply between cells too (``live``), or do neither (``off``)."""
        self.mode = mode
        if self._live is not None:
            self._live.stop()
            self._live = None
        if mode == "live":
            self._live = Live(self.shell, self.reloader.inbox, self.look)
            self._live.start()

    # -- cells ---------------------------------------------------------------------------------------------------------

    def before_cell(self, info: Cell) -> None:
        """Bring the process to what is on disk, then let the cell run."""
        self._quiet = info.raw_cell.startswith(LEFT_OUT)
        if self._live is not None:
            self._live.note_context()
        if self.mode != "off" and not self._quiet:
            self.look()

    def after_cell(self, result: Result | None) -> None:
        """Note what the cell was. While something saved is not live, say so in few words at the end of each cell."""
        if result is not None and result.info is not None:
            text = getattr(result.info, "transformed_cell", None)
            self.cells.add(result.execution_count or 1, text or self.shell.transform_cell(result.info.raw_cell))
        if self._searched != (searched := _searched()):
            self._searched = searched
            self._widen()
        if self.mode == "live" and not self._quiet:
            self.look()
        errors = self.reloader.errors() if self.mode != "off" and not self._quiet else ()
        if errors:
            _showing.mark(self.shell, errors)

    def _widen(self) -> None:
        """Look after folders that the cell added to ``sys.path``, and where it went, unless settings name folders."""
        if self._by_default:
            try:
                self.reloader.widen(*default_roots())
            except HotswapError as error:
                _showing.say(self.shell, str(error))

    def look(self) -> None:
        """Look at the disk; show what came of it, if something did."""
        report = None if self._gives_way() else self.reloader.look()
        if report is not None:
            self.tell(report)

    def tell(self, report: Report, *, again: bool = False) -> None:
        """Show a report, unless it says only what was said before; `again` shows it all the same."""
        told = frozenset(report.errors)
        if again or report.changed or set(report.findings) - self._told:
            _showing.show(self.shell, report)
        self._told = told

    def _gives_way(self) -> bool:
        """Whether ``%autoreload`` was turned on meanwhile; said once each time."""
        rival = _rivals.autoreload_is_on(self.shell)
        if rival and not self._gave_way:
            _showing.say(self.shell, _rivals.ADVICE)
        self._gave_way = rival
        return rival


def leave_out(lines: list[str]) -> list[str]:
    """Make the line ``%%hotswap off`` a comment, so that the cell runs as any other, with its lines where they are."""
    if lines and lines[0].rstrip() == LEFT_OUT:
        return [f"# {lines[0]}", *lines[1:]]
    return lines


def _searched() -> tuple[str, ...]:
    """Return what says where modules are found; asked for after each cell, as notebooks add folders late."""
    try:
        return (os.getcwd(), *sys.path)
    except OSError:
        return tuple(sys.path)


_session: Session | None = None


def load(shell: Shell) -> Session:
    """Start the extension in `shell`. Raises HotswapError if another reloader is at work."""
    global _session
    if _session is not None:
        raise HotswapError("hotswap is loaded in another shell of this process; there can be one")
    if _rivals.autoreload_is_on(shell):
        raise HotswapError(_rivals.ADVICE)
    session = Session(shell)
    session.start()
    _session = session
    return session


def unload() -> None:
    """Stop the extension."""
    global _session
    if _session is not None:
        _session.stop()
        _session = None
