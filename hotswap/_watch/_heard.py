"""What the events of inotify mean for loaded files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hotswap._model import FileChange
from hotswap._watch import _inotify as fs
from hotswap._watch._folders import LEFT, SURE, Folders, Put, how_linked

if TYPE_CHECKING:
    from collections.abc import Callable


class Heard:
    """Turns events into changes that it puts, and keeps `folders` and `ears` true to what happens to folders.

    `go_astray` is called, with the code of a finding or none, when what is watched has to be worked out anew.
    """

    def __init__(
        self,
        folders: Folders,
        ears: fs.Inotify,
        put: Put,
        ignore: Callable[[str], bool],
        listen: Callable[[str], None],
        cover_anew: Callable[[str], None],
        go_astray: Callable[..., None],
    ) -> None:
        self._folders, self._ears, self._put = folders, ears, put
        self._ignore, self._listen = ignore, listen
        self._cover_anew, self._go_astray = cover_anew, go_astray

    def take(self, folder: str, name: str, mask: int) -> None:
        """Take one event: of what is called `name` in `folder`, or of `folder` itself if that is ""."""
        path = os.path.join(folder, name)
        if mask & fs.LOST:
            self._go_astray("HS402")
        elif not name:
            if mask & fs.ITSELF:
                self._lose(folder)
            elif mask & fs.WRITTEN:  # a file, by another name
                self._put(FileChange(folder, "modified"), quiet=SURE)
        elif mask & fs.FOLDER:
            self._take_folder(path, gone=bool(mask & fs.LEFT))
        elif path in self._folders.links:
            self._go_astray()
        elif self._folders.wants(path):
            self._take_file(path, mask)

    def _take_file(self, path: str, mask: int) -> None:
        linked = mask & (fs.MADE | fs.RENAMED) and how_linked(path)
        if linked:
            self._cover_anew(path)
        if mask & fs.WRITTEN:
            self._put(FileChange(path, "modified"), quiet=SURE)
        elif mask & fs.LEFT:
            self._put(FileChange(path, "deleted"), quiet=LEFT)
        elif linked:  # nobody writes it and closes it then
            self._put(FileChange(path, "created"), quiet=SURE)

    def _take_folder(self, path: str, *, gone: bool) -> None:
        if gone:
            self._lose(path)
        elif not self._ignore(path) or self._folders.below(path):
            self._adopt(path)

    def _lose(self, folder: str) -> None:
        """A folder is not where it was. Who is below it is told as deleted; a root is looked for by `check`."""
        for path in self._ears.below(folder):
            self._ears.remove(path)
        for path in self._folders.drop(folder):
            self._put(FileChange(path, "deleted"), quiet=LEFT)
        if self._folders.leads_to_root(folder):
            self._go_astray()

    def _adopt(self, folder: str) -> None:
        """Watch a new folder with all below it; what is in it by now is told."""
        for path in self._folders.below(folder):
            if os.path.dirname(path) == folder:
                self._cover_anew(path)
        self._listen(folder)
        try:
            with os.scandir(folder) as found:
                entries = list(found)
        except OSError:
            return  # gone again, or not ours to read
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                self._take_folder(entry.path, gone=False)
            elif self._folders.wants(entry.path):
                self._put(FileChange(entry.path, "created"), quiet=SURE)
