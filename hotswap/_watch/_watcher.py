"""The watcher: from roots and loaded files to changes, whatever the system offers for it."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Final

from hotswap._bell import Bell
from hotswap._model import FileChange
from hotswap._roots import below
from hotswap._watch._folders import LEFT, SURE, Folders, Put, absolute, identify, quiet_after
from hotswap._watch._ignored import is_ignored
from hotswap._watch._mounts import shared
from hotswap._watch._polled import Polled
from hotswap._watch._troubles import Troubles, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from watchdog.observers.api import BaseObserver

    from hotswap._model import Finding
    from hotswap._watch._heard import Heard
    from hotswap._watch._inotify import Inotify
    from hotswap._watch._observed import Observed

SELDOM: Final = 10.0
"""Seconds between two looks at what should ring by itself."""

_HAS_INOTIFY: Final = sys.platform == "linux"


class Watcher(Bell):
    """Watches the loaded files below `roots`, folders or single files, between `start` and `stop`.

    put: called with each change of a Python file, by its absolute real path. It must return soon, like all that follow.
    loaded: returns the paths of the files that are loaded, as spelled and real; None if they are as at its last call.
    ignore: asked about each folder that is new; true silences what is there. A root is never ignored, nor is a
        folder from which something is loaded.
    observer_factory: makes a watchdog observer to be used in place of inotify; without inotify it is watchdog's best.
    on_trouble: called with findings: HS401 (polled from now on), HS402 (events lost), HS403 (a root is gone), HS404
        (a file system that tells nothing), HS304.
    on_overflow: called when events are or may be missing: the caller looks at all loaded files itself.
    threads: whether threads may be made, which all but inotify needs.
    Where there is inotify, no thread is made: who sleeps here reads the events, and so does who calls `flush`.
    """

    def __init__(
        self,
        roots: Sequence[str],
        put: Put,
        *,
        loaded: Callable[[], Iterable[str] | None] = lambda: None,
        ignore: Callable[[str], bool] = is_ignored,
        observer_factory: Callable[[], BaseObserver] | None = None,
        on_trouble: Callable[[Finding], None],
        on_overflow: Callable[[], None],
        threads: bool = True,
    ) -> None:
        self._threads = threads
        self._roots = absolute(roots)
        self._put, self._loaded, self._ignore = put, loaded, ignore
        self._factory = observer_factory
        self._on_trouble, self._on_overflow = on_trouble, on_overflow
        self._troubles = Troubles(on_trouble)
        self._lock = threading.RLock()
        self._running = self._orphaned = False
        self._also: Callable[[str], bool] | None = None
        self._kept: set[str] = set()
        self._clear()
        _watchers.add(self)

    def _clear(self) -> None:
        self._bell = Bell()
        self._ears: Inotify | None = None
        self._heard: Heard | None = None
        self._observed: Observed | None = None
        self._polled = Polled()
        self._folders = Folders(self._roots, self._listen, self._listen_to_file)
        self._folders.also = self._also or self._folders.also
        self._identities: dict[str, tuple[int, int]] = {}
        self._deaf: set[str] = set()
        self._relinked: list[str] = []
        self._off, self._grows = False, True

    def start(self) -> None:
        """Watch; a save that happens after this returns is seen. A root that cannot be watched is told, not raised."""
        with self._lock:
            if self._running:
                return
            self._begin()
            self._running = True
            for root in self._roots:
                self._add(root)
        self._cover((*(self._loaded() or ()), *self._kept))

    def stop(self) -> None:
        """End watching: nothing is called after this returns. Nobody may sleep here. No effect if not started."""
        with self._lock:
            running, self._running, self._orphaned = self._running, False, False
            ears, observed = self._ears, self._observed
            if running:
                self._clear()
        if ears is not None:
            ears.close()
        if observed is not None:
            observed.stop()

    def widen(self, roots: Sequence[str]) -> None:
        """Watch `roots` from now on, among which are those that were given before."""
        with self._lock:
            self._roots = self._folders.roots = absolute(roots)
            if self._running:
                self._mend()

    @property
    def pause(self) -> float:  # type: ignore[override]  # a bell has it as an attribute
        """Seconds after which `check` is to be called: seldom where everything that matters rings by itself."""
        rings = self._ears is not None and not self._off and not self._grows
        return SELDOM if rings and len(self._identities) == len(self._roots) else 1.0

    def ring(self) -> None:
        """End the sleep that is under way, or else the next one."""
        self._bell.ring()

    def sleep(self, seconds: float | None) -> None:
        """Sleep until the system tells something, the bell rings, or for `seconds`; files that are polled are looked
        at now and then.
        """
        pause = self._polled.pause
        self._bell.sleep(seconds if pause is None or (seconds is not None and seconds < pause) else pause)
        if pause is not None:
            with self._lock:
                self._polled.look(self._poll_told)

    def check(self) -> None:
        """Look at what tells nothing by itself: some 5 us a root.

        To be called every `pause` seconds. Roots that were deleted, replaced, mounted over or ran out of watches are
        found here, and `on_overflow` is called for what happened meanwhile.
        """
        loaded = self._loaded()
        self._grows = loaded is not None
        if self._cover(loaded or ()):
            self._on_overflow()  # it was loaded past us
        with self._lock:
            if self._running:
                self._look_after_roots()
                self._find_again()
                while self._relinked:
                    self._cover_anew(path := self._relinked.pop())
                    self._put(FileChange(path, "modified"), quiet=SURE)

    def listen(self) -> None:
        """Hand on what the system has told by now; nothing else is looked at."""
        ears = self._ears
        if ears is not None:
            ears.drain()

    def flush(self) -> bool:
        """Hand on all that was saved up to now. Return False where only a look at all loaded files can tell."""
        self._cover(self._loaded() or ())
        with self._lock:
            if not self._running or self._observed is not None or (self._ears is None and not self._threads):
                return False
            self._look_after_roots()
            if self._ears is not None:
                self._ears.drain()
            self._polled.look(self._poll_told, at_once=True)
            return not self._off

    def cover(self, path: str) -> None:
        """Have the file `path`, which is about to be loaded, watched before this returns."""
        if path not in self._folders and self._folders.inside(path):
            self._cover((path,))

    def cover_data(self, path: str) -> None:
        """Have the file `path`, wherever it lies, watched before this returns."""
        self._cover((path,))

    def look_at(self, paths: Iterable[str]) -> None:
        """Look at the files `paths` as well, no more at those of the last call: nobody tells when they may be read."""
        with self._lock:
            self._polled.add_for_now(paths)
        self._bell.ring()

    def cover_all(
        self, wants: Callable[[str], bool] | None = None, note: Callable[[str], object] = lambda _: None
    ) -> None:
        """Have all folders below the roots watched, and changes of files that `wants` names put, if it is given; `note`
        is told of those that there are.
        """
        self._also = self._folders.also = wants or self._folders.also
        for folder, found in self._folders.walk(self._ignore):
            with self._lock:
                self._listen(folder)
            self._cover(found)
            for path in found:
                note(path)

    def restart_after_fork(self) -> None:
        """In a forked child, where threads do not live on: watch again if the parent did. Elsewhere no effect."""
        if self._orphaned:
            self._orphaned = False
            self.start()
            if self._also is not None:
                self.cover_all(self._also)

    def forget_after_fork(self) -> None:
        """In a forked child, by itself: drop what is the parent's; to end its watches would end them there."""
        self._orphaned = self._orphaned or self._running
        self._running, self._kept = False, set(self._folders.files)
        self._lock = threading.RLock()
        ears = self._ears
        self._clear()
        if ears is not None:
            ears.close()

    def _begin(self) -> None:
        if self._factory is None and _HAS_INOTIFY:
            try:
                from hotswap._watch._heard import Heard
                from hotswap._watch._inotify import Inotify

                self._ears = self._bell = Inotify(self._lock, self._receive)
                self._heard = Heard(
                    self._folders, self._ears, self._put, self._ignore, self._listen, self._cover_anew, self._go_astray
                )
            except (OSError, ImportError, AttributeError) as error:  # the last two: a libc without inotify
                self._troubles.tell("HS401", "", message=reason(error))
            return
        if not self._threads:
            return
        from hotswap._watch._observed import Observed

        with self._troubles.limits(""):
            self._observed = Observed(
                self._changed, self._folders, self._ignore, self._on_trouble, self._on_overflow, self._factory
            )

    def _add(self, root: str) -> None:
        """Watch `root`, or tell why that cannot be."""
        folder = os.path.dirname(root) if os.path.isfile(root) else root
        try:
            os.scandir(folder).close()
            if self._observed is not None:
                with self._troubles.limits(root, self._deaf.add):
                    self._observed.add(root)
            self._identities[root] = identify(root)
            self._listen(os.path.realpath(folder))
            if self._ears is not None:
                self._ears.add_above(os.path.realpath(folder))
            self._probe(root, os.path.realpath(folder))
        except OSError as error:
            self._identities.pop(root, None)
            self._troubles.tell_gone(root, error)
        else:
            self._troubles.is_over("HS403", root)

    def _listen(self, folder: str) -> None:
        if self._ears is None or folder in self._ears:
            return
        try:
            with self._troubles.limits(""):
                self._ears.add(folder)
        except (FileNotFoundError, NotADirectoryError):
            return  # it went meanwhile, and what was in it is told by others; or it is an archive
        except OSError as error:
            self._troubles.tell_gone(folder, error)

    def _listen_to_file(self, path: str) -> None:
        if self._ears is not None:
            self._ears.add_file(path)

    def _probe(self, root: str, folder: str) -> None:
        """Have the files below `root` looked at as well where not every write comes as an event."""
        kind = shared(folder)
        if not kind and self._ears is not None and folder in self._ears and not self._ears.tells(folder):
            kind = "a file system without events"
        if kind:
            self._deaf.add(root)
            self._troubles.tell("HS404", root, path_name=root, kind=kind)

    def _cover(self, paths: Iterable[str]) -> bool:
        """Watch the files `paths`; return whether one of them was not watched."""
        new = [path for path in paths if path not in self._folders]
        if not new:
            return False
        with self._lock:
            if self._running:
                covered = [spelled for path in new for spelled in self._folders.cover(path)]
                self._look_at(covered)
        return True

    def _look_at(self, paths: Iterable[str]) -> None:
        """Have those of the files `paths` looked at of which nothing may be heard."""
        some = bool(self._polled)
        self._polled.add(filter(self._is_unheard, paths))
        if self._polled and not some:
            self._bell.ring()  # the sleep that is under way is too long

    def _cover_anew(self, path: str) -> None:
        """Watch the file `path`, whose folder came back, or which is a link now."""
        self._look_at(self._folders.cover_anew(path))

    def _find_again(self) -> None:
        """Watch files whose folder had gone, and tell them, where they are back though nothing above tells of it."""
        if len(self._folders.files) != len(self._folders.covered):
            back = [path for path in self._folders.files - self._folders.covered if os.path.exists(path)]
            self._cover(back)
            for path in back:
                self._put(FileChange(path, "created"), quiet=SURE)

    def _is_unheard(self, path: str) -> bool:
        if any(below(path, root) is not None for deaf in self._deaf for root in (deaf, os.path.realpath(deaf))):
            return True
        if self._observed is not None:
            return not self._observed.hears(path)
        if not self._threads and self._ears is None:
            return False
        folder = os.path.dirname(path)
        if self._ears is not None and (folder in self._ears or os.path.realpath(folder) != folder):
            return False
        return os.path.isdir(folder)  # an archive is none

    def _look_after_roots(self) -> None:
        off = [root for root in self._roots if self._is_off(root)]
        if self._off or any(map(os.path.exists, off)):
            self._mend()
        else:
            for root in off:
                self._add(root)  # which tells that it is gone

    def _is_off(self, root: str) -> bool:
        try:
            same = self._identities.get(root) == identify(root)
        except OSError:
            return True
        return not same or (self._observed is not None and root not in self._deaf and not self._observed.watches(root))

    def _mend(self) -> None:
        """Watch everything anew, as after a start; what was saved meanwhile is to be looked for."""
        files, self._off = self._folders.files, False
        if self._ears is not None:
            for folder in self._ears.below(os.sep):
                self._ears.remove(folder)
        self._folders.forget()
        self._polled.clear()
        for root in self._roots:
            self._add(root)
        self._cover(files)
        self._on_overflow()

    def _go_astray(self, code: str = "") -> None:
        """What is watched is not what should be: `check` mends that, and everything has to be looked at."""
        if code:
            self._troubles.tell(code, "")
            self._troubles.is_over(code, "")
        self._off = True
        self._on_overflow()

    def _poll_told(self, path: str, there: bool) -> None:
        self._put(FileChange(path, "modified" if there else "deleted"), quiet=SURE if there else LEFT)

    def _changed(self, change: FileChange) -> None:
        """Take a change that watchdog told, which may come while the file is being written."""
        if self._folders.is_link(change.path):  # watchdog holds a lock of its own, so `check` sees where it leads
            self._relinked.append(change.path)
        self._put(change, quiet=quiet_after(change))

    def _receive(self, folder: str, name: str, mask: int) -> None:
        try:
            if self._heard is not None:
                self._heard.take(folder, name, mask)
        except Exception as error:  # noqa: BLE001  # what the caller handed in must not end all watching
            self._troubles.tell_bug(folder, error)
            self._on_overflow()


_watchers: weakref.WeakSet[Watcher] = weakref.WeakSet()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: list(map(Watcher.forget_after_fork, _watchers)))
