"""From changed paths to modules, through ``sys.modules`` and each module's ``__spec__``.

A file may be loaded under two names or reached through links, so files are told apart by real path. Looking must not
change the program: only the dictionaries of true module objects are read, by the type's own descriptor, so a lazy
module stays unloaded and no ``__getattr__`` runs. What was found is remembered, because this happens before each
reload by hand.
"""

# without `from __future__ import annotations`: `typing` would compile the fields of the tuple below, and the first
# compile of a process makes the classes of `ast`, which takes a millisecond of each program's start
import importlib.machinery
import os
import stat
import sys
import zipimport
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hotswap._roots import resolved

if TYPE_CHECKING:
    from hotswap._settings import Settings

Signature = tuple[int, int, int, int]
"""Modification and change time in nanoseconds, size in bytes, inode: a file that keeps all four was not written."""

_SOURCE: Final = tuple(importlib.machinery.SOURCE_SUFFIXES)
_NO_SOURCE: Final = (*importlib.machinery.BYTECODE_SUFFIXES, *importlib.machinery.EXTENSION_SUFFIXES)
_namespace: Final[Callable[[object], dict[str, Any]]] = vars(ModuleType)["__dict__"].__get__
_OURS: Final = __name__.partition(".")[0]


class Entry(NamedTuple):
    """A loaded module of the program. `path` is the real path of its source, `file` the one its code objects carry."""

    name: str
    path: str
    package: str
    file: str


class Loaded:
    """What was found loaded at one time, for those who ask again and again. `entries` are in the order of
    ``sys.modules``; `shape` is what our own finder had counted before they were looked for.
    """

    def __init__(self, entries: Sequence[Entry], mark: object, shape: int = 0) -> None:
        self.entries, self._mark, self.shape = list(entries), mark, shape
        self._by_path: dict[str, list[Entry]] = {}
        for entry in entries:
            for path in {entry.path, entry.file}:
                self._by_path.setdefault(path, []).append(entry)

    def is_current(self, mark: object) -> bool:
        """Whether nothing was imported since; `mark` is `Loaded.mark` of now."""
        return self._mark == mark

    def find(self, paths: Iterable[str]) -> list[Entry] | None:
        """Return the modules loaded from `paths`; None if one of these is not spelled like any module's file."""
        found: dict[str, Entry] = {}
        for path in paths:
            entries = self._by_path.get(path)
            if entries is None or os.path.islink(path):
                return None
            for entry in entries:
                found[entry.name] = entry
        return list(found.values())

    @staticmethod
    def mark(shape: int) -> object:
        """Return what is another value once a module was imported; `shape` is what our own finder counts."""
        modules = sys.modules
        return shape, len(modules), next(reversed(modules), ""), id(modules.get("__main__"))


class ModuleIndex:
    """The loaded modules whose source lies below a root of `settings`, found anew at each call.

    A name costs a file system access the first time only; after that, while nothing is loaded, a module costs some
    0.1 us. One thread at a time may use an index.
    """

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self.forget()

    def forget(self) -> None:
        """Drop what is remembered of paths and links: for when a link was pointed elsewhere."""
        self._scope = self._settings.scope()
        self._known: dict[str, tuple[str | None, Entry | None]] = {}
        self._folders: dict[str, str] = {}
        self._objects: list[int] = []
        self._files: dict[int, object] = {}
        self._found: tuple[Entry, ...] = ()

    def entries(self, modules: Mapping[str, object] | None = None) -> tuple[Entry, ...]:
        """Return one entry for each module object, in the order of `modules` (``sys.modules`` if None).

        A module that stands under several names appears under its own ``__name__`` if that is one of them. Left out
        are modules without a source file (namespace packages, extensions, sourceless ``.pyc``, archives), lazy modules
        that have not run yet (their first use reads the new file), objects that are no modules, and hotswap itself.
        """
        given = list((sys.modules if modules is None else modules).items())
        if self._is_as_before(given):
            return self._found
        found, self._files, lazy, kind = dict[int, Entry](), {}, False, _kind_of_lazy()
        made = dict[int, Entry]()
        for at, (name, module) in enumerate(given):
            try:
                namespace = _namespace(module)
            except TypeError:  # not a module: nothing of it is touched
                continue
            known = self._known.get(name)
            file = namespace.get("__file__")
            entry = known[1] if known is not None and known[0] is file else self._learn(name, namespace)
            lazy = lazy or type(module) is kind
            if entry is None or type(module) is kind:
                continue
            self._files[at] = file
            if id(module) not in found or namespace.get("__name__") == name:
                found[id(module)] = entry
                if namespace.get("__spec__") is None and name != "__main__":
                    made[id(module)] = entry
        for key in _put_there(found, made) if made else ():
            del found[key]
        self._objects = [] if lazy else [id(module) for _, module in given]  # a lazy one may run at any time
        self._found = tuple(found.values())
        return self._found

    def _is_as_before(self, given: list[tuple[str, object]]) -> bool:
        """Whether these are the objects that were looked at last, with the same files: some 0.1 us a module.

        Only their numbers are kept, so that nothing is kept alive; who takes another's number has a file of its own.
        """
        return [id(module) for _, module in given] == self._objects and all(
            _namespace(given[at][1]).get("__file__") is file for at, file in self._files.items()
        )

    def loaded(self, modules: Mapping[str, object] | None = None) -> dict[str, tuple[str, ...]]:
        """Return the names of the loaded modules by the real path of their source, both in the order of `modules`."""
        names: dict[str, tuple[str, ...]] = {}
        for entry in self.entries(modules):
            names[entry.path] = (*names.get(entry.path, ()), entry.name)
        return names

    def find(self, paths: Iterable[str], modules: Mapping[str, object] | None = None) -> tuple[str, ...]:
        """Return the names of the modules loaded from `paths`, in the order of `modules`.

        The paths may be spelled through links and need not exist any more. A link among them may have been pointed
        elsewhere, so what is remembered is dropped for it.
        """
        given = list(paths)
        if any(map(os.path.islink, given)):
            self.forget()
        wanted = {spelling for path in given for spelling in (os.path.abspath(path), resolved(path))}
        return tuple(entry.name for entry in self.entries(modules) if entry.path in wanted or entry.file in wanted)

    def _learn(self, name: str, namespace: Mapping[str, Any]) -> Entry | None:
        file = _source_of(name, namespace)
        entry = self._entry(name, file, namespace) if file and not _is_ours(name) else None
        spelled = namespace.get("__file__")
        if spelled is None or type(spelled) is str:  # anything else is the program's object: not kept alive by us
            self._known[name] = (spelled, entry)
        return entry

    def _entry(self, name: str, file: str, namespace: Mapping[str, Any]) -> Entry | None:
        absolute = os.path.abspath(file)
        path = self._real(absolute)
        if path in self._scope or (absolute != path and absolute in self._scope):
            return Entry(name, path, _package_in(name, namespace), file)
        return None

    def _real(self, path: str) -> str:
        """Return the real path of the absolute `path`; its folder, which many modules share, is resolved once."""
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        joined = os.path.join(self._folders[folder], name)
        return resolved(joined) if os.path.islink(joined) else joined


def _put_there(found: Mapping[int, Entry], made: Mapping[int, Entry]) -> list[int]:
    """Return those of `made`, modules without a spec, that say they are from a file which another one was loaded from:
    that one has put them into ``sys.modules``, as a place for what it imports or gives, and no text of theirs ran.
    """
    loaded = {entry.path for key, entry in found.items() if key not in made and entry.name != "__main__"}
    return [key for key, entry in made.items() if entry.path in loaded]


def _kind_of_lazy() -> type | None:
    """Return the class of lazy modules that have not run yet, their only mark; None if nobody can have made one.

    `importlib.util`, which has it, takes as long to import as three rooms of ours.
    """
    util = sys.modules.get("importlib.util")
    return getattr(util, "_LazyModule", None)


def is_source(path: str) -> bool:
    """Whether `path` is named like Python source."""
    return path.endswith(_SOURCE)


def signature(path: str) -> Signature | None:
    """Return what tells one state of the file `path` from another without reading it; None if there is no such file.

    Links are followed. Some editors and tools put an old modification time back, hence the other three.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None
    return signature_of(found)


def signature_of(found: os.stat_result) -> Signature | None:
    """Return the signature of a file of which `found` is known, None if it is no regular file."""
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def package_of(module: ModuleType) -> str:
    """Return the package that relative imports in `module` start from, "" for a top-level module.

    As importlib does: ``__package__``, else the spec's parent, else from ``__name__`` and ``__path__``.
    """
    namespace = _namespace(module)
    return _package_in(str(namespace.get("__name__", "")), namespace)


def _package_in(name: str, namespace: Mapping[str, Any]) -> str:
    package = namespace.get("__package__")
    if isinstance(package, str):
        return package
    spec = namespace.get("__spec__")
    if isinstance(spec, importlib.machinery.ModuleSpec) and spec.parent is not None:
        return spec.parent
    return name if "__path__" in namespace else name.rpartition(".")[0]


def _source_of(name: str, namespace: Mapping[str, Any]) -> str:
    """Return the source file as the module spells it, "" if it has none that can be edited."""
    file, loader = namespace.get("__file__"), namespace.get("__loader__")
    spec = namespace.get("__spec__")
    if type(file) is not str and isinstance(spec, importlib.machinery.ModuleSpec) and spec.has_location:
        file, loader = spec.origin, spec.loader
    if not isinstance(file, str) or isinstance(loader, zipimport.zipimporter):
        return ""
    plain = name == "__main__" or isinstance(loader, importlib.machinery.SourceFileLoader)  # a script needs no suffix
    return file if is_source(file) or (plain and not file.endswith(_NO_SOURCE)) else ""


def _is_ours(name: str) -> bool:
    return name == _OURS or name.startswith(f"{_OURS}.")
