"""inotify, through watchdog's bindings: folders one by one, read by the thread that sleeps on it.

watchdog's own observer costs two threads and more for each root, hands every event on twice, keeps a rename back for
0.5 s to pair it with another one, and drops what it cannot watch without a word. Its bindings to the system's three
functions have none of that. The kernel queues an event before the call that caused it returns: who reads the queue
after a save has the save.
"""

from __future__ import annotations

import ctypes
import math
import os
import select
import struct
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from watchdog.observers.inotify_c import InotifyConstants as In
from watchdog.observers.inotify_c import WatchDescriptor, inotify_add_watch, inotify_init, inotify_rm_watch

from hotswap._bell import Bell

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import RLock

WRITTEN: Final[int] = In.IN_CLOSE_WRITE | In.IN_MOVED_TO
RENAMED: Final[int] = In.IN_MOVED_TO
MADE: Final[int] = In.IN_CREATE
LEFT: Final[int] = In.IN_DELETE | In.IN_MOVED_FROM
ITSELF: Final[int] = In.IN_DELETE_SELF | In.IN_MOVE_SELF | In.IN_UNMOUNT | In.IN_IGNORED
OPENED: Final[int] = In.IN_OPEN
FOLDER: Final[int] = In.IN_ISDIR
LOST: Final[int] = In.IN_Q_OVERFLOW

NAP: Final = 0.005
"""Seconds that a second thread sleeps at a time."""

_ASKED_ITSELF: Final[int] = In.IN_DELETE_SELF | In.IN_MOVE_SELF | In.IN_ONLYDIR
_ASKED: Final[int] = WRITTEN | MADE | LEFT | _ASKED_ITSELF
_HEAD: Final = struct.Struct("iIII")
_SIZE: Final = 1 << 13  # 8 KiB: a hundred events and more
_LONGEST: Final = _HEAD.size + 256  # an event with the longest name that there is


class Inotify(Bell):
    """Watches folders, not what is below them.

    lock: held while events are read and handed on, and while folders are added.
    receive: called for each event with the folder as it was given, the name in it ("" for the folder itself or, with
        `LOST`, for none) and the event's mask, in the thread that reads.

    Raises OSError where the system refuses another instance (EMFILE).
    """

    def __init__(self, lock: RLock, receive: Callable[[str, str, int], None]) -> None:
        self._lock = lock
        self._receive = receive
        self._fd = _checked(inotify_init())
        self._woken, self._wake = os.pipe()
        for descriptor in (self._fd, self._woken, self._wake):
            os.set_blocking(descriptor, False)
            os.set_inheritable(descriptor, False)
        self._asleep = threading.Lock()
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        self._poll.register(self._woken, select.POLLIN)
        self._paths: dict[int, tuple[str, ...]] = {}
        self._watches: dict[str, int] = {}
        self._narrow: set[str] = set()

    def __contains__(self, folder: object) -> bool:
        return folder in self._watches and folder not in self._narrow

    def add(self, folder: str) -> None:
        """Watch `folder` and what is in it from now on. Raises OSError where that is refused."""
        with self._lock:
            if folder not in self._watches or folder in self._narrow:
                self._narrow.discard(folder)
                self._add(folder, _ASKED)

    def add_itself(self, folder: str) -> None:
        """Watch whether `folder` is renamed or deleted, but not what is in it. Raises OSError where that is refused."""
        with self._lock:
            if folder not in self._watches:
                self._add(folder, _ASKED_ITSELF)
                self._narrow.add(folder)

    def add_file(self, path: str) -> None:
        """Watch whether the file `path` is written, by whatever name; one that went meanwhile is told by its folder."""
        with self._lock, suppress(OSError):
            self._add(path, In.IN_CLOSE_WRITE)

    def add_above(self, folder: str) -> None:
        """Watch whether a folder above `folder` is renamed or goes, as far as one may: that is told to nobody below."""
        with suppress(OSError):
            while folder != (folder := os.path.dirname(folder)):
                self.add_itself(folder)

    def _add(self, folder: str, asked: int) -> None:
        watch = _checked(inotify_add_watch(self._fd, os.fsencode(folder), asked))
        self._watches[folder] = watch
        paths = self._paths.get(watch, ())
        self._paths[watch] = paths if folder in paths else (*paths, folder)  # one may be mounted at two places

    def remove(self, folder: str) -> None:
        """Watch `folder` no longer; nothing happens if it is not watched."""
        with self._lock:
            self._narrow.discard(folder)
            watch = self._watches.pop(folder, None)
            if watch is None:
                return
            left = tuple(path for path in self._paths.pop(watch, ()) if path != folder)
            if left:
                self._paths[watch] = left
            else:
                inotify_rm_watch(self._fd, WatchDescriptor(watch))

    def below(self, folder: str) -> list[str]:
        """Return the folders that are watched at or below `folder`."""
        start = os.path.join(folder, "")
        return [path for path in self._watches if path == folder or path.startswith(start)]

    def tells(self, folder: str) -> bool:
        """Whether events of the watched `folder` come at all: it is opened, which changes nothing, and asked for."""
        with self._lock:
            self.drain()
            watch = self._watches[folder]
            inotify_add_watch(self._fd, os.fsencode(folder), _ASKED | OPENED)
            os.close(os.open(folder, os.O_RDONLY))
            inotify_add_watch(self._fd, os.fsencode(folder), _ASKED)
            data = self._read()
            heard = any(one == watch and mask & OPENED for one, mask, _ in _events(data))
            self._dispatch(data)
            return heard

    def drain(self) -> None:
        """Hand on all that the system has told so far. In another thread than the one that sleeps: wait for that."""
        with self._lock:
            while True:
                data = self._read()
                self._dispatch(data)
                if len(data) <= _SIZE - _LONGEST:  # there was room for one more
                    return

    def ring(self) -> None:
        """End the sleep that is under way, or else the next one."""
        try:
            os.write(self._wake, b"!")
        except OSError:  # the pipe is full of rings, or closed
            return

    def sleep(self, seconds: float | None) -> None:
        """Sleep until there are events, which are handed on, until the bell rings, or for `seconds`.

        Made for one thread; another one only naps, as the first one reads.
        """
        if not self._asleep.acquire(blocking=False):
            time.sleep(NAP if seconds is None else min(seconds, NAP))
            return
        try:
            ready = self._poll.poll(None if seconds is None else math.ceil(seconds * 1000))
        finally:
            self._asleep.release()
        for descriptor, _ in ready:
            if descriptor == self._woken:
                os.read(self._woken, 4096)
            else:
                self.drain()

    def close(self) -> None:
        """Give everything back; nobody may sleep. In a forked child this leaves the parent's watches alone."""
        descriptors, self._fd = (self._fd, self._woken, self._wake), -1
        self._paths.clear()
        self._watches.clear()
        for descriptor in descriptors:
            os.close(descriptor)

    def _read(self) -> bytes:
        if self._fd < 0:
            return b""
        try:
            return os.read(self._fd, _SIZE)
        except BlockingIOError:
            return b""

    def _dispatch(self, data: bytes) -> None:
        for watch, mask, name in _events(data):
            for folder in self._paths.get(watch, ("",) if mask & LOST else ()):
                self._receive(folder, name, mask)
            if mask & In.IN_IGNORED:
                for folder in self._paths.pop(watch, ()):
                    self._watches.pop(folder, None)


def _events(data: bytes) -> list[tuple[int, int, str]]:
    """Return the watch, the mask and the name of each event in `data`."""
    found = []
    at = 0
    while at < len(data):
        watch, mask, _, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size + length
        found.append((watch, mask, os.fsdecode(data[at - length : at].rstrip(b"\0"))))
    return found


def _checked(result: int) -> int:
    """Return what the system answered. Raises OSError for a refusal."""
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
