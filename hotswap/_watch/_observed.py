"""watchdog's observer, for systems other than Linux: roots with all that is below them, read in threads of its own."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from watchdog import events as fs

from hotswap._findings import finding
from hotswap._model import FileChange
from hotswap._roots import below
from hotswap._watch._folders import SUFFIXES, Folders, how_linked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watchdog.observers.api import BaseObserver, EventEmitter, ObservedWatch

    from hotswap._model import ChangeKind, Finding

_WRITTEN: Final = (fs.FileModifiedEvent, fs.FileClosedEvent)
_FILES: Final = (fs.FileCreatedEvent, fs.FileMovedEvent, fs.FileDeletedEvent)
_FOLDERS: Final = (fs.DirCreatedEvent, fs.DirMovedEvent, fs.DirDeletedEvent)
_KINDS: Final[dict[str, ChangeKind]] = {
    "created": "created",
    "modified": "modified",
    "closed": "modified",
    "deleted": "deleted",
}


def is_python(path: str) -> bool:
    """Whether `path` is named as Python source."""
    return path.endswith(SUFFIXES)


def translate(
    event: fs.FileSystemEvent, ignored: Callable[[str], bool], wants: Callable[[str], bool] = is_python
) -> Iterator[FileChange]:
    """Yield the changes of files that `event` stands for: those that `wants` names, but for what is `ignored`.

    A kind says what the system told, not what was there before: a file renamed in from elsewhere counts as created
    also where it replaces one. A new or moved folder stands for all such files that are in it by now.
    """
    source, target = os.fsdecode(event.src_path), os.fsdecode(event.dest_path)
    for change in _read(event, source, target, ignored):
        if wants(change.path) and not ignored(change.path):
            yield change


def _read(event: fs.FileSystemEvent, source: str, target: str, ignored: Callable[[str], bool]) -> Iterator[FileChange]:
    if isinstance(event, fs.DirCreatedEvent):
        for path in _files_in(source, ignored):
            yield FileChange(path, "created")
    elif isinstance(event, fs.DirMovedEvent):
        for path in _files_in(target, ignored):
            yield FileChange(source + path[len(target) :], "deleted")
            yield FileChange(path, "modified")
    elif isinstance(event, fs.FileMovedEvent):
        yield FileChange(source, "deleted")
        yield FileChange(target, "modified")
    elif not event.is_directory and event.event_type in _KINDS:
        yield FileChange(source, _KINDS[event.event_type])


def _files_in(folder: str, ignored: Callable[[str], bool]) -> Iterator[str]:
    if ignored(folder):
        return
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not ignored(os.path.join(parent, name))]
        yield from (os.path.join(parent, name) for name in files)


class _Listener(fs.FileSystemEventHandler):
    def __init__(self, receive: Callable[[fs.FileSystemEvent], None]) -> None:
        self._receive = receive

    def dispatch(self, event: fs.FileSystemEvent) -> None:
        self._receive(event)


class _Watched(NamedTuple):
    watch: ObservedWatch
    emitter: EventEmitter


class Observed:
    """Watches roots by an observer that `factory` makes; None is watchdog's best one of the platform.

    put: called with each change of a file that `folders` want. on_trouble, on_overflow: as for the watcher.
    """

    def __init__(
        self,
        put: Callable[[FileChange], None],
        folders: Folders,
        ignore: Callable[[str], bool],
        on_trouble: Callable[[Finding], None],
        on_overflow: Callable[[], None],
        factory: Callable[[], BaseObserver] | None,
    ) -> None:
        self._put, self._folders, self._ignore = put, folders, ignore
        self._on_trouble, self._on_overflow = on_trouble, on_overflow
        self._observer = (factory or _native_observer)()
        self._observer.name = "hotswap-observer"
        self._observer.start()
        self._watched: dict[str, _Watched] = {}

    def watches(self, root: str) -> bool:
        """Whether `root` is watched still: an emitter ends by itself when its folder goes."""
        watched = self._watched.get(root)
        return watched is not None and watched.emitter.should_keep_running()

    def hears(self, path: str) -> bool:
        """Whether writes to the file `path` are told: below a root, where nothing is ignored, by its only name."""
        folder, name = os.path.split(path)
        real = os.path.join(os.path.realpath(folder), name)
        inner = ((root, below(real, os.path.realpath(root))) for root in self._watched)
        heard = any(rest is not None and not self._ignored(root, os.path.join(root, rest)) for root, rest in inner)
        return heard and how_linked(path) != "hard"

    def add(self, root: str) -> None:
        """Watch `root` with all below it, anew if it is watched. Raises OSError where that is refused."""
        self.remove(root)
        path = os.path.join(root, "") if os.path.islink(root) and os.path.isdir(root) else root
        listener = _Listener(partial(self._receive, root))
        watch = self._observer.schedule(
            listener, path, recursive=True, event_filter=[*_WRITTEN, *_FILES, *_FOLDERS], follow_symlink=False
        )
        emitter = next(emitter for emitter in self._observer.emitters if emitter.watch == watch)
        emitter.name = "hotswap-emitter"
        self._watched[root] = _Watched(watch, emitter)

    def remove(self, root: str) -> None:
        """Watch `root` no longer."""
        watched = self._watched.pop(root, None)
        if watched is not None:
            self._observer.unschedule(watched.watch)

    def stop(self) -> None:
        """End watching and wait for the threads."""
        self._observer.stop()
        self._observer.join()

    def _ignored(self, root: str, path: str) -> bool:
        at = len(root) if path.startswith(root) else 0
        while (at := path.find(os.sep, at + 1)) != -1:
            if self._ignore(path[:at]):
                return True
        return path != root and self._ignore(path)

    def _wants(self, path: str) -> bool:
        return self._folders.wants(self._folders.spelled(path))

    def _receive(self, root: str, event: fs.FileSystemEvent) -> None:
        ignored = partial(self._ignored, root)
        try:
            for change in translate(event, ignored, self._wants):
                self._put(FileChange(self._folders.spelled(change.path), change.kind))
            if isinstance(event, (fs.DirDeletedEvent, fs.DirMovedEvent)) and not ignored(os.fsdecode(event.src_path)):
                self._on_overflow()
        except Exception as error:  # noqa: BLE001  # it would end watchdog's thread, and with it all watching
            message = f"{type(error).__name__}: {error}"
            self._on_trouble(finding("HS304", os.fsdecode(event.src_path), 0, message=message))
            self._on_overflow()


def _native_observer() -> BaseObserver:
    # Imported late: it takes 40 ms, mostly for what the program itself may never need.
    from watchdog.observers import Observer

    return Observer()
