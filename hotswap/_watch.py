"""Stage 1: what the system tells about the roots becomes file changes, handed to a callback at once.

watchdog does the watching. It says nothing when the kernel drops events, when a folder below a root cannot be watched,
or when a root is replaced; each would lose a save in silence. So these are seen here, told as HS4xx, and followed by a
request to look at all loaded files, and what cannot be watched is polled. Batching and comparing contents come later.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
import weakref
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from watchdog import events as fs

from hotswap._findings import finding
from hotswap._model import FileChange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from watchdog.observers.api import BaseObserver, EventEmitter, ObservedWatch

    from hotswap._model import ChangeKind, Finding

SUFFIXES: Final = (".py", ".pyw")
CACHES: Final = frozenset(("__pycache__", ".tox", ".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache"))
FOREIGN: Final = frozenset((".git", ".hg", ".svn", "node_modules", "site-packages", ".venv", "venv"))
BUILT: Final = frozenset(("build", "dist"))

_FILES: Final = (fs.FileCreatedEvent, fs.FileMovedEvent, fs.FileDeletedEvent)
_FOLDERS: Final = (fs.DirCreatedEvent, fs.DirMovedEvent, fs.DirDeletedEvent)
_KINDS: Final[dict[str, ChangeKind]] = {
    "created": "created",
    "modified": "modified",
    "closed": "modified",
    "deleted": "deleted",
}
_LIMITS: Final = (errno.ENOSPC, errno.EMFILE)


def is_ignored(path: str) -> bool:
    """Return whether the folder at absolute `path` never holds source that is worked on; its parents are not asked.

    Such are caches, version control, installed packages, virtual environments under any name (a folder that holds
    ``pyvenv.cfg``), and ``build`` and ``dist`` unless they are packages.
    """
    name = os.path.basename(path)
    if name in CACHES or name in FOREIGN or name.endswith(".egg-info"):
        return True
    if name in BUILT:
        return not os.path.exists(os.path.join(path, "__init__.py"))
    return os.path.exists(os.path.join(path, "pyvenv.cfg"))


def translate(event: fs.FileSystemEvent, ignored: Callable[[str], bool]) -> Iterator[FileChange]:
    """Yield the changes of Python files that `event` stands for, those left out for which `ignored` is true.

    A kind says what the system told, not what was there before: a file renamed in from elsewhere counts as created
    also where it replaces one. A new or moved folder stands for all Python files that are in it by now.
    """
    source, target = os.fsdecode(event.src_path), os.fsdecode(event.dest_path)
    for change in _read(event, source, target, ignored):
        if change.path.endswith(SUFFIXES) and not ignored(change.path):
            yield change


def _read(event: fs.FileSystemEvent, source: str, target: str, ignored: Callable[[str], bool]) -> Iterator[FileChange]:
    if isinstance(event, fs.DirCreatedEvent):
        for path in _python_files(source, ignored):
            yield FileChange(path, "created")
    elif isinstance(event, fs.DirMovedEvent):
        for path in _python_files(target, ignored):
            yield FileChange(source + path[len(target) :], "deleted")
            yield FileChange(path, "modified")
    elif isinstance(event, fs.FileMovedEvent):
        yield FileChange(source, "deleted")
        yield FileChange(target, "modified")
    elif not event.is_directory and event.event_type in _KINDS:
        yield FileChange(source, _KINDS[event.event_type])


def _python_files(folder: str, ignored: Callable[[str], bool]) -> Iterator[str]:
    if ignored(folder):
        return
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not ignored(os.path.join(parent, name))]
        yield from (os.path.join(parent, name) for name in files if name.endswith(SUFFIXES))


class _Listener(fs.FileSystemEventHandler):
    def __init__(self, receive: Callable[[fs.FileSystemEvent], None]) -> None:
        self._receive = receive

    def dispatch(self, event: fs.FileSystemEvent) -> None:
        self._receive(event)


class _Watched(NamedTuple):
    observer: BaseObserver
    watch: ObservedWatch
    emitter: EventEmitter
    identity: tuple[int, int] | None


@dataclass(slots=True)
class _Running:
    """What one start made. `exhausted` says of a root why it is polled."""

    native: BaseObserver | None = None
    polling: BaseObserver | None = None
    watched: dict[str, _Watched] = field(default_factory=dict)
    exhausted: dict[str, str] = field(default_factory=dict)


class Watcher:
    """Watches `roots`, folders with all below them or single files, between `start` and `stop`.

    put: called with each change of a Python file, in a thread of watchdog's; its path is absolute, below the root as
        it was given (symbolic links are not resolved). It must return soon, like all that follow.
    wake: called after each event that had changes.
    ignore: asked about each folder between a root and a file, and about the file; true silences what is there. A root
        is never ignored itself, wherever it lies.
    observer_factory: makes a watchdog observer; None is the best one of the platform.
    on_trouble: called with findings: HS401 (polled from now on), HS402 (events lost), HS403 (a root is gone), HS304.
    on_overflow: called when events are or may be missing: the caller looks at all loaded files itself. A folder that
        was moved away or deleted counts, as nobody tells what was in it. May be called often in a row.
    poll_every: seconds between two looks at what has to be polled.
    """

    def __init__(
        self,
        roots: Sequence[str],
        put: Callable[[FileChange], None],
        *,
        wake: Callable[[], None] | None = None,
        ignore: Callable[[str], bool] = is_ignored,
        observer_factory: Callable[[], BaseObserver] | None = None,
        on_trouble: Callable[[Finding], None],
        on_overflow: Callable[[], None],
        poll_every: float = 1.0,
    ) -> None:
        self._roots = tuple(dict.fromkeys(os.path.abspath(root) for root in roots))
        self._put = put
        self._wake = wake
        self._ignore = ignore
        self._factory = observer_factory or _native_observer
        self._on_trouble = on_trouble
        self._on_overflow = on_overflow
        self._poll_every = poll_every
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._orphaned = False
        self._told: set[Finding] = set()
        self._untold: list[Finding] = []
        _watchers.add(self)

    def start(self) -> None:
        """Watch; a save that happens after this returns is seen. A root that cannot be watched is told, not raised.

        Raises OSError or RuntimeError if the system refuses threads or descriptors for a reason other than its limits.
        """
        with self._lock:
            if self._running is not None:
                return
            running = _Running()
            try:
                running.native = self._begin(running, self._factory())
            except OSError as error:
                if error.errno not in _LIMITS:
                    raise
                running.exhausted.update(dict.fromkeys(self._roots, _reason(error)))
            self._running = running
            for root in self._roots:
                self._watch(running, root)
        self._tell_all()

    def stop(self) -> None:
        """End watching and wait for the threads: nothing is called after this returns. No effect if not started."""
        with self._lock:
            running, self._running, self._orphaned = self._running, None, False
        if running is None:
            return
        log = logging.getLogger("watchdog.observers.inotify")
        log.addFilter(_is_news)
        for observer in (running.native, running.polling):
            if observer is not None:
                observer.stop()
                if observer is not threading.current_thread():
                    observer.join()
        log.removeFilter(_is_news)

    def check(self) -> None:
        """Look whether each root still is the folder that is watched, and watch it anew if not: about 5 us a root.

        To be called about once a second. Roots that were deleted, replaced, mounted over or ran out of watches are
        found here, and `on_overflow` is called for what happened meanwhile.
        """
        with self._lock:
            running = self._running
            if running is None:
                return
            off = [root for root in self._roots if _is_off(running, root)]
            for root in off:
                _unwatch(running, root)
                self._watch(running, root)
            mended = any(root in running.watched for root in off)
        self._tell_all()
        if mended:
            self._on_overflow()

    def restart_after_fork(self) -> None:
        """In a forked child, where threads do not live on: watch again if the parent did. Elsewhere no effect."""
        if self._orphaned:
            self.start()

    def forget_after_fork(self) -> None:
        """In a forked child, by itself: drop the observers untouched; to stop them would end the parent's watches."""
        self._orphaned = self._running is not None
        self._running = None
        self._lock = threading.Lock()

    def _begin(self, running: _Running, observer: BaseObserver) -> BaseObserver:
        self._listen_below(running, observer)
        observer.name = "hotswap-observer"
        observer.start()
        return observer

    def _watch(self, running: _Running, root: str) -> None:
        try:
            if not os.path.isfile(root):
                os.scandir(root).close()  # a folder that cannot be read: inotify says nothing (watchdog 7.1)
            self._watch_natively(running, root)
            if root in running.exhausted:
                self._tell(finding("HS401", root, 0, message=running.exhausted[root]))
                _unwatch(running, root)
                self._schedule(running, self._poller(running), root)
        except OSError as error:
            self._tell(finding("HS403", root, 0, path_name=root, message=_reason(error)))
        else:
            self._told = {found for found in self._told if (found.code, found.path) != ("HS403", root)}

    def _watch_natively(self, running: _Running, root: str) -> None:
        if root in running.exhausted or running.native is None:
            return
        try:
            self._schedule(running, running.native, root)
        except OSError as error:
            if error.errno not in _LIMITS:
                raise
            running.exhausted[root] = _reason(error)

    def _schedule(self, running: _Running, observer: BaseObserver, root: str) -> None:
        # Only inotify tells when a written file is closed; there a write before that is none of our business.
        written = fs.FileModifiedEvent if _descriptor(observer) is None else fs.FileClosedEvent
        # The separator makes inotify follow a root that is a symbolic link: without it only what is in its subfolders
        # is seen, as watchdog 7.1 watches the link itself.
        path = os.path.join(root, "") if os.path.islink(root) and os.path.isdir(root) else root
        identity = _identify(root)
        listener = _Listener(partial(self._receive, root))
        watch = observer.schedule(listener, path, recursive=True, event_filter=[written, *_FILES, *_FOLDERS])
        emitter = next(emitter for emitter in observer.emitters if emitter.watch == watch)
        emitter.name = "hotswap-emitter"
        running.watched[root] = _Watched(observer, watch, emitter, identity)

    def _poller(self, running: _Running) -> BaseObserver:
        if running.polling is None:
            from watchdog.observers.polling import PollingObserverVFS

            observer = PollingObserverVFS(os.stat, self._list, polling_interval=self._poll_every)
            running.polling = self._begin(running, observer)
        return running.polling

    def _list(self, folder: str | None) -> Iterator[os.DirEntry[str]]:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(SUFFIXES) or entry.is_dir(follow_symlinks=False):
                    if not self._ignore(entry.path):
                        yield entry

    def _tell(self, found: Finding) -> None:
        if found not in self._told:
            self._told.add(found)
            self._untold.append(found)

    def _tell_all(self) -> None:
        # Outside the lock: the callback may take locks of its own, under which others call `stop`.
        while self._untold:
            self._on_trouble(self._untold.pop(0))

    def _ignored(self, root: str, path: str) -> bool:
        at = len(root) if path.startswith(root) else 0
        while (at := path.find(os.sep, at + 1)) != -1:
            if self._ignore(path[:at]):
                return True
        return path != root and self._ignore(path)

    def _receive(self, root: str, event: fs.FileSystemEvent) -> None:
        ignored = partial(self._ignored, root)
        try:
            changes = list(translate(event, ignored))
            for change in changes:
                self._put(change)
            if isinstance(event, (fs.DirDeletedEvent, fs.DirMovedEvent)) and not ignored(os.fsdecode(event.src_path)):
                self._on_overflow()
            if changes and self._wake is not None:
                self._wake()
        except Exception as error:  # noqa: BLE001  # it would end watchdog's thread, and with it all watching
            message = f"{type(error).__name__}: {error}"
            self._on_trouble(finding("HS304", os.fsdecode(event.src_path), 0, message=message))
            self._on_overflow()

    def _listen_below(self, running: _Running, observer: BaseObserver) -> None:
        """Hear from inotify what watchdog keeps to itself: overflows, and folders below a root that it cannot watch.

        It logs the one, but a logger may be off (`logging.config` disables existing ones), and swallows the other. Both
        pass through two methods of the descriptor. Ignored folders are refused here, so they use up no watches.
        """
        descriptor = _descriptor(observer)
        if descriptor is None:
            return
        add, act = descriptor.add_callback, descriptor.handle_event

        def add_callback(path: bytes, mask: int, callback: Any, id_: int) -> int:
            root = os.fsdecode(callback.path).rstrip(os.sep) or os.sep
            if path != callback.path and self._ignored(root, os.fsdecode(path)):
                raise OSError(errno.ECANCELED, "ignored")
            try:
                return int(add(path, mask, callback, id_))
            except OSError as error:
                if error.errno in _LIMITS:
                    running.exhausted[root] = _reason(error)
                raise

        def handle_event(event: Any) -> None:
            act(event)
            if event.is_queue_overflow:
                self._on_trouble(finding("HS402", "", 0))
                self._on_overflow()

        vars(descriptor).update(add_callback=add_callback, handle_event=handle_event)
        descriptor.name = "hotswap-inotify"


def _native_observer() -> BaseObserver:
    # Imported late: it takes 40 ms, mostly for what the program itself may never need.
    from watchdog.observers import Observer

    return Observer()


def _descriptor(observer: BaseObserver) -> Any:
    return getattr(observer, "_inotify_fd", None)


def _identify(root: str) -> tuple[int, int] | None:
    try:
        # A file has another identity after each atomic save: it is watched, and known, by its folder.
        found = os.stat(os.path.dirname(root) if os.path.isfile(root) else root)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_off(running: _Running, root: str) -> bool:
    watched = running.watched.get(root)
    if watched is None or not watched.emitter.should_keep_running():
        return True
    unseen = root in running.exhausted and watched.observer is running.native
    return unseen or watched.identity != _identify(root)


def _unwatch(running: _Running, root: str) -> None:
    watched = running.watched.pop(root, None)
    if watched is not None:
        watched.observer.unschedule(watched.watch)


def _is_news(record: logging.LogRecord) -> bool:
    # An emitter that has an event in hand while it is stopped logs an error (watchdog 7.1): it is none.
    return "when the thread is inactive" not in str(record.msg)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


_watchers: weakref.WeakSet[Watcher] = weakref.WeakSet()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: list(map(Watcher.forget_after_fork, _watchers)))
