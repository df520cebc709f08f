"""What was saved, for one reloader: its watcher, the inbox that the watcher fills, and the files that are loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final

from hotswap._bell import Bell
from hotswap._inbox import Inbox
from hotswap._model import Batch, FileChange, Finding, Report
from hotswap._modules import ModuleIndex
from hotswap._process import PROCESS
from hotswap._settings import Settings
from hotswap._watch import Git, Watcher

EVERYTHING: Final = FileChange("", "modified")
"""Stands for every loaded file: what changed is not known."""


class Saves:
    """Fills `inbox` between `start` and `stop`; `tell` is called with trouble in watching."""

    def __init__(self, settings: Settings, inbox: Inbox, index: ModuleIndex, tell: Callable[[Finding], None]) -> None:
        self._settings, self._inbox, self._index, self._tell = settings, inbox, index, tell
        self._watcher: Watcher | None = None
        self._counted = -1
        self._covers_rest = False
        self._unread: set[str] = set()

    def start(self, *, threads: bool) -> None:
        """Watch: what is saved after this returns is told. Without `threads` only where that needs none."""
        self._counted = -1
        self._watcher = self._inbox.bell = watcher = Watcher(
            self._settings.roots,
            self._inbox.put,
            loaded=self._loaded,
            on_trouble=self._tell,
            on_overflow=lambda: self._inbox.put(EVERYTHING),
            threads=threads,
        )
        self._inbox.patience = Git(self._settings.roots).patience
        PROCESS.on_load.append(watcher.cover)
        watcher.start()

    def stop(self) -> None:
        """Watch no longer; nobody may sleep on the inbox."""
        if self._watcher is not None:
            PROCESS.on_load.remove(self._watcher.cover)
            self._watcher.stop()
            self._watcher, self._inbox.bell = None, Bell()

    def widen(self, settings: Settings, index: ModuleIndex) -> None:
        """Watch the roots of `settings` from now on."""
        self._settings, self._index, self._counted = settings, index, -1
        self._inbox.patience = Git(settings.roots).patience
        if self._watcher is not None:
            self._watcher.widen(settings.roots)

    def cover(self, path: str) -> None:
        """Have the file `path` watched, whatever it is."""
        if self._watcher is not None:
            self._watcher.cover_data(path)

    def cover_all(self, wants: Callable[[str], bool], note: Callable[[str], object]) -> None:
        """Have every file below the roots watched that `wants` names; `note` is called with those that there are."""
        if self._watcher is not None:
            self._watcher.cover_all(wants, note)

    def look_out_for(self, report: Report) -> None:
        """Watch folders from which nothing is loaded as well, if an import failed: what it looks for may come there.

        Files that may not be read are looked at: no event tells that they may be, once somebody allows it.
        """
        unread = {found.path for found in report.findings if found.code == "HS302"}
        if unread != self._unread and self._watcher is not None:
            self._unread = unread
            self._watcher.look_at(unread)
        if isinstance(report.error, ImportError) and self._watcher is not None and not self._covers_rest:
            self._covers_rest = True
            self._watcher.cover_all()
            self._inbox.put(EVERYTHING)  # it may have come meanwhile

    def check(self) -> None:
        """Look at what tells nothing by itself; to be called every `pause` seconds of the bell."""
        if self._watcher is not None:
            self._watcher.check()

    def restart_after_fork(self) -> None:
        """Watch in a forked child as well."""
        if self._watcher is not None:
            self._watcher.restart_after_fork()

    def listen(self) -> None:
        """Put what the system has told by now."""
        if self._watcher is not None:
            self._watcher.listen()

    def take_all(self, *, deferred: bool = False) -> Batch | None:
        """Take all that was saved up to now, whether or not it was told; with `deferred` also what is put off."""
        if self._watcher is None or not self._watcher.flush():
            self._inbox.put(EVERYTHING)
        return None if self._inbox.empty else self._inbox.take(at_once=True, deferred=deferred)

    def _loaded(self) -> set[str] | None:
        """Return the files of the loaded modules, as spelled and real; None if nothing was loaded since."""
        count = len(sys.modules)
        if count == self._counted:
            return None
        with PROCESS.lock.turn() as busy:
            entries = () if busy else self._index.entries()
        self._counted = -1 if busy else count
        return {path for entry in entries for path in (entry.path, os.path.abspath(entry.file))}
