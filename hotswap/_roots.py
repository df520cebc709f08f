"""Which files are the program's own: the folders looked after, and the patterns that take files out of them.

Nobody wants to list folders to get started, and nobody wants the standard library or an installed package patched, so
the default is what is being written: the current directory, editable installs, what was put on ``sys.path`` by hand.
Editable installs are read from ``direct_url.json`` beside their metadata (6 us a distribution); importing
`importlib.metadata` alone takes 60 ms. Installs that use a ``.pth`` file are on ``sys.path`` already.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING, Final

from hotswap._patterns import Patterns, compiled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

INSTALLED: Final = ("site-packages", "dist-packages")
ALWAYS_EXCLUDED: Final = (".*", "__pycache__", "node_modules", *INSTALLED)
"""Patterns that hold in every root: hidden files and folders (with ``.venv``), and packages that others wrote."""


def below(path: str, folder: str) -> str | None:
    """Return `path` relative to `folder`, "" if they are the same, None if it lies elsewhere. Both are absolute."""
    if path == folder:
        return ""
    start = folder if folder.endswith(os.sep) else folder + os.sep
    return path[len(start) :] if path.startswith(start) else None


def resolved(path: str) -> str:
    """Return the real path of a file; `path` itself if it is a link that goes at this moment.

    `os.path.realpath` raises there: between seeing that something is a link and reading it. Emacs marks a file that is
    edited by such a link, and takes it away when the file is saved.
    """
    try:
        return os.path.realpath(path)
    except OSError:
        return path


class Scope:
    """The files that are looked after; ``path in scope`` asks for one, by its absolute path.

    `bases` are the roots as given and by real path, the deepest first: the root nearest to a file decides over it.
    Many files are asked for that share a folder, so what is known of a folder is remembered. `plain` says that no
    patterns but `ALWAYS_EXCLUDED` are there: then all sources of a folder are looked after if one is.
    """

    def __init__(self, bases: tuple[str, ...], include: Patterns | None, exclude: Patterns, *, plain: bool) -> None:
        self.bases, self._include, self._exclude, self._plain = bases, include, exclude, plain
        self._folders: dict[str, str | None] = {}
        self._whole: set[str] = set()

    def base(self, path: str) -> str | None:
        """Return the deepest root that `path` is or lies in, None if there is none."""
        return next((base for base in self.bases if below(path, base) is not None), None)

    def reaches(self, path: str) -> bool:
        """Whether the file or folder `path` lies in a root that does not exclude it; `include` is not asked."""
        inner = self._inner(path)
        return inner == "" or (inner is not None and not self._exclude.match(inner))

    def __contains__(self, path: str) -> bool:
        folder, _, name = path.rpartition(os.sep)
        is_plain = self._plain and name.endswith(".py") and not name.startswith(".")
        if is_plain and folder in self._whole:  # asked of each module that a program imports
            return True
        inner = self._inner(path)
        if not inner or self._exclude.match(inner):
            return inner == ""
        if is_plain:
            self._whole.add(folder)
        return self._include is None or self._include.match(inner)

    def _inner(self, path: str) -> str | None:
        """Return `path` relative to its root, "" for a root; None if it lies elsewhere or belongs to Python."""
        if path in self.bases:
            return ""
        folder, _, name = path.rpartition(os.sep)
        if folder not in self._folders:
            self._folders[folder] = self._start(folder or os.sep)
        start = self._folders[folder]
        return None if start is None or path in _libraries() else start + name

    def _start(self, folder: str) -> str | None:
        base = self.base(folder)
        if base is None or _is_foreign(folder, base):
            return None
        inner = _portable(below(folder, base))
        return inner and inner + "/"


def make_scope(roots: Iterable[str], include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Scope:
    """Return the scope of `roots` (absolute paths of folders or files) under patterns relative to them.

    Patterns are those of ``.gitignore``. Those of `exclude` come after `ALWAYS_EXCLUDED`: ``!name`` takes out of that.
    Links are resolved here, once.
    """
    bases = dict.fromkeys(spelling for root in roots for spelling in (root, os.path.realpath(root)))
    return Scope(
        tuple(sorted(bases, key=len, reverse=True)),
        compiled(tuple(include)) if include else None,
        compiled((*ALWAYS_EXCLUDED, *exclude)),
        plain=not include and not exclude,
    )


def merge(roots: Iterable[str], exclude: Sequence[str] = ()) -> tuple[str, ...]:
    """Return `roots` without those that lie inside another one, unless that one excludes them; order is kept."""
    distinct = tuple({os.path.realpath(root): root for root in reversed(list(roots))}.values())[::-1]
    kept = []
    for root in distinct:
        others = make_scope((other for other in distinct if other != root), (), exclude)
        if not others.reaches(os.path.realpath(root)):
            kept.append(root)
    return tuple(kept)


def default_roots(path: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the folders to look after when none are named; `path` stands for ``sys.path``.

    The top of the file system is left out: a service started there would have every file of the machine looked after.
    """
    entries = [entry for entry in (sys.path if path is None else path) if type(entry) is str]  # others are ignored
    found = [*_here(), *(entry for entry in _folders(entries) if not _belongs_to_python(entry)), *_editable(entries)]
    return merge(folder for folder in found if os.path.dirname(folder) != folder)


def _here() -> tuple[str, ...]:
    try:
        return (os.getcwd(),)
    except OSError:  # the current directory was deleted
        return ()


def _folders(entries: Iterable[str]) -> Iterator[str]:
    """Yield the folders among `entries`, made absolute: "" is the current directory, archives are no folders."""
    for entry in entries:
        if os.path.isdir(entry or os.curdir):
            yield os.path.abspath(entry)


def _belongs_to_python(folder: str) -> bool:
    """Whether `folder` is part of a Python installation, of a virtual environment, or of an installed package."""
    if set(INSTALLED) & set(folder.split(os.sep)) or os.path.realpath(folder) in _program_folders():
        return True
    return any(below(folder, library) is not None for library in _libraries()) or _in_environment(folder)


def _in_environment(folder: str) -> bool:
    """Whether `folder` or one above it is a virtual environment (PEP 405: it has a ``pyvenv.cfg``)."""
    while not os.path.isfile(os.path.join(folder, "pyvenv.cfg")):
        folder, inner = os.path.dirname(folder), folder
        if folder == inner:
            return False
    return True


@functools.cache
def _libraries() -> tuple[str, ...]:
    """Return the folders of the standard library, each as given and by real path.

    They are what `sysconfig.get_path` calls ``stdlib`` and ``platstdlib``; its first use takes 5 ms.
    """
    plain = os.path.dirname(os.__file__)
    above = sys.exec_prefix if os.name == "nt" else os.path.join(sys.exec_prefix, sys.platlibdir)
    given = [plain, os.path.join(above, os.path.basename(plain))]
    return tuple(dict.fromkeys(path for folder in given for path in (folder, os.path.realpath(folder))))


@functools.cache
def _program_folders() -> frozenset[str]:
    """Return where installed commands lie: running one of them puts its folder first on ``sys.path``."""
    import sysconfig  # only for who names no roots

    given = [sysconfig.get_path("scripts"), sysconfig.get_path("scripts", f"{os.name}_user")]
    given += [os.path.dirname(program) for program in (sys.executable, os.path.realpath(sys.executable))]
    return frozenset(map(os.path.realpath, filter(None, given)))


def _is_foreign(path: str, base: str) -> bool:
    """Whether `path` is part of the standard library while its root is not: Python lies inside the root."""
    return any(below(path, library) is not None and below(base, library) is None for library in _libraries())


def _editable(entries: Iterable[str]) -> Iterator[str]:
    """Yield the project folders of editable installs (PEP 610: ``direct_url.json`` beside the metadata)."""
    for entry in _folders(entries):
        if os.path.basename(entry) in INSTALLED:
            for name in os.listdir(entry):
                if name.endswith(".dist-info"):
                    yield from _project(os.path.join(entry, name, "direct_url.json"))


def _project(origin: str) -> Iterator[str]:
    import json
    from urllib.parse import unquote, urlsplit

    try:
        with open(origin, "rb") as stream:
            described = json.load(stream)
        editable = described.get("dir_info", {}).get("editable", False)
        folder = unquote(urlsplit(described["url"]).path) if editable else ""
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return  # not there for most distributions; a damaged one is its installer's affair
    folder = folder.lstrip("/") if os.name == "nt" else folder
    if folder and os.path.isdir(folder):
        yield os.path.abspath(folder)


def _portable(inner: str | None) -> str:
    return (inner or "").replace(os.sep, "/")
