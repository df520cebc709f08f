"""Which folders are watched: those of loaded files, those above them up to the root, and what is new in these.

A folder costs the system a kilobyte and us a call, so folders from which nothing is loaded, and they are most, are left
alone. A folder is known by its real path, under which its events come; links on the way to it are watched as well.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final, Literal, Protocol

from hotswap._roots import below, resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hotswap._model import FileChange

SUFFIXES: Final = (".py", ".pyw")

SURE: Final = 0.0
"""Seconds to wait after a file was closed or renamed into its place: it is whole."""
WRITING: Final = 0.02
"""Seconds to wait where the system does not tell when a file is closed."""
CUT: Final = 0.25
"""Seconds to wait there for a file that ends in the middle of a line: most likely it is being written."""
LEFT: Final = 0.05
"""Seconds to wait after a file went: most editors that remove it put another in its place."""


class Put(Protocol):
    """Takes a change, and the seconds for which nothing may come after it before it counts."""

    def __call__(self, change: FileChange, /, *, quiet: float | None = None) -> None: ...


class Folders:
    """What is known of the folders below `roots`, of which `listen` watches one. A folder is listened to once.

    `listen_to_file` watches a file that has other names as well, by which it may be written.

    `files` are the loaded files, by every spelling that was given; `links` the real places of the links that lead to
    them; `covered` those whose folder is watched. `also` says which other files count.
    """

    def __init__(
        self,
        roots: Iterable[str],
        listen: Callable[[str], None],
        listen_to_file: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.roots = tuple(roots)
        self.also: Callable[[str], bool] = lambda _: False
        self._listen, self._listen_to_file = listen, listen_to_file
        self.forget()

    def forget(self) -> None:
        """Drop all: for when it is not known any more what is where."""
        self.files: set[str] = set()
        self._folded: dict[str, str] = {}
        self._fold_count = 0
        self.covered: set[str] = set()
        self.links: set[str] = set()
        self._real: dict[str, str] = {}
        self._tops = tuple(dict.fromkeys(spelled for root in self.roots for spelled in (root, os.path.realpath(root))))

    def __contains__(self, path: object) -> bool:
        return path in self.covered

    def cover(self, path: str) -> tuple[str, ...]:
        """Have the folder of the file `path` watched, and those above it; return what it is called, if that is new."""
        if path in self.covered:
            return ()
        folder, name = os.path.split(path)
        both = (path, os.path.join(self._cover(folder), name))
        self.files.update(both)
        self.covered.update(both)
        linked = how_linked(path)
        if linked == "hard":
            self._listen_to_file(path)
        return (*both, *(self.cover(resolved(path)) if linked == "soft" else ()))

    def cover_anew(self, path: str) -> tuple[str, ...]:
        """Do so for the file `path` though it was covered: another link, or none, is in its place."""
        self.covered.discard(path)
        return self.cover(path)

    def is_link(self, path: str) -> bool:
        """Whether the loaded file `path` is a soft link now."""
        return path in self.files and how_linked(path) == "soft"

    def drop(self, folder: str) -> list[str]:
        """Take it that `folder` is not there any more; return the loaded files below it."""
        lost = self.below(folder)
        self._real = {spelled: real for spelled, real in self._real.items() if below(real, folder) is None}
        self.covered.difference_update(lost)
        return lost

    def below(self, folder: str) -> list[str]:
        """Return the loaded files below `folder`, whether they are there or not."""
        return [path for path in self.files if below(path, folder) is not None]

    def wants(self, path: str) -> bool:
        """Whether a change of the file `path` counts: it is loaded, or could come to be."""
        return path in self.files or (path.endswith(SUFFIXES) and self.inside(path)) or self.also(path)

    def walk(self, ignore: Callable[[str], bool]) -> Iterator[tuple[str, list[str]]]:
        """Yield each folder below the roots that `ignore` does not name, with the files in it that `also` names."""
        for root in self.roots:
            for folder, folders, files in os.walk(os.path.realpath(root)):
                folders[:] = [name for name in folders if not ignore(os.path.join(folder, name))]
                yield folder, list(filter(self.also, (os.path.join(folder, name) for name in files)))

    def spelled(self, path: str) -> str:
        """Return the file `path` as the program spells it: macOS and Windows tell how it was when it was made."""
        if path in self.files:
            return path
        if self._fold_count != len(self.files):
            self._fold_count, self._folded = len(self.files), {_fold(one): one for one in list(self.files)}
        return self._folded.get(_fold(path), path)

    def inside(self, path: str) -> bool:
        """Whether `path` is or lies below a root."""
        return any(below(path, top) is not None for top in self._tops)

    def leads_to_root(self, folder: str) -> bool:
        """Whether `folder` is a root, has it in it, or lies above it."""
        return any(below(top, folder) is not None for top in self._tops)

    def _cover(self, folder: str) -> str:
        if folder not in self._real:
            self._real[folder] = real = os.path.realpath(folder)
            for step in self._steps(real):
                self._listen(step)
            if real != folder:
                self._follow(folder)
        return self._real[folder]

    def _steps(self, folder: str) -> Iterator[str]:
        """Yield `folder` and those above it that are no higher than a root."""
        yield folder
        while folder not in self._tops and self.inside(folder := os.path.dirname(folder)):
            yield folder

    def _follow(self, folder: str) -> None:
        """Watch the links on the way to `folder`, from the root on: one may be pointed elsewhere."""
        while self.inside(folder):
            above, name = os.path.split(folder)
            if os.path.islink(folder):
                place = os.path.realpath(above)
                self.links.add(os.path.join(place, name))
                self._listen(place)
            folder = above


def _fold(path: str) -> str:
    import unicodedata  # only where files are not told by the names that they have

    return unicodedata.normalize("NFC", path).casefold()


def quiet_after(change: FileChange) -> float:
    """Return the seconds for which nothing may come after `change` where nobody tells when files are whole."""
    if change.kind == "deleted":
        return LEFT
    return CUT if is_cut(change.path) else WRITING


def is_cut(path: str) -> bool:
    """Whether the file `path` has something in it, and ends in the middle of a line."""
    try:
        with open(path, "rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() not in (b"\n", b"\r")
    except OSError:  # none, or an empty one
        return False


def how_linked(path: str) -> Literal["", "soft", "hard"]:
    """Return whether the file `path` is a link, or one of several names of a file; "" if it is neither."""
    try:
        found = os.lstat(path)
    except OSError:
        return ""
    if stat.S_ISLNK(found.st_mode):
        return "soft"
    return "hard" if found.st_nlink > 1 and stat.S_ISREG(found.st_mode) else ""


def identify(root: str) -> tuple[int, int]:
    """Return what tells the folder of `root` from another one at its place. Raises OSError if there is none.

    A file has another identity after each atomic save: it is watched, and known, by its folder.
    """
    found = os.stat(os.path.dirname(root) if os.path.isfile(root) else root)
    return found.st_dev, found.st_ino


def absolute(roots: Iterable[str]) -> tuple[str, ...]:
    """Return `roots` as absolute paths, each once."""
    return tuple(dict.fromkeys(map(os.path.abspath, roots)))
