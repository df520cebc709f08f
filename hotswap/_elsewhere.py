"""What no swap reaches: extension modules, modules of another form, other processes, another reloader, no lock.

None of it is a failure of an edit, so it is told beside what a save did: each thing once.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Final

from hotswap._findings import finding
from hotswap._model import Finding
from hotswap._modules import Signature, signature
from hotswap._roots import Scope

_SUFFIXES: Final = tuple(importlib.machinery.EXTENSION_SUFFIXES)
_RELOADERS: Final = {"WERKZEUG_RUN_MAIN": "Werkzeug", "RUN_MAIN": "Django"}


def at_start() -> Iterator[Finding]:
    """Yield what is to be told of the process once, as soon as hotswap runs in it."""
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        yield finding("HS405", "", 0)
    for variable, name in _RELOADERS.items():
        if os.environ.get(variable) == "true":
            yield finding("HS406", "", 0, name=name, variable=variable)
    if _is_uvicorns():
        yield finding("HS406", "", 0, name="uvicorn", variable="--reload")


def _is_uvicorns() -> bool:
    """Whether uvicorn's reloader has made this process: it sets no variable, but hands its settings on."""
    process: Any = sys.modules.get("multiprocessing.process")
    current = process.current_process() if process is not None else None
    target = getattr(current, "_target", None)
    if getattr(target, "__module__", None) != "uvicorn._subprocess":
        return False
    return bool(getattr(getattr(current, "_kwargs", {}).get("config"), "reload", False))


class Elsewhere:
    """What was seen beyond the reach of swaps, so that each is told once. `scope` has the files to look after.

    `made_from` gives the file that a module was made from when it was imported, as it was then, if that is known.
    """

    def __init__(self, scope: Scope, made_from: Callable[[str], tuple[str, Signature | None]]) -> None:
        self._scope, self._made_from = scope, made_from
        self._loaded = 0
        self._fixed: dict[str, tuple[str, Signature | None, str]] = {}
        self._children: set[int | None] = set()

    def extensions(self) -> Iterator[Finding]:
        """Yield a finding for each loaded module that no text makes anew whose file is another one than when it was
        last seen.
        """
        self.extension_files()
        for name, (path, seen, why) in list(self._fixed.items()):
            now = signature(path)
            if now is not None and now != seen:
                self._fixed[name] = path, now, why
                yield finding("HS107" if why else "HS106", path, 1, module=name, why=why)

    def extension_files(self) -> list[str]:
        """Return the files of the loaded modules of that kind; what is new is as it is now."""
        if len(sys.modules) != self._loaded:
            self._loaded = len(sys.modules)
            self._find_fixed()
        return [path for path, seen, _ in self._fixed.values() if seen is not None]

    def _find_fixed(self) -> None:
        for name, module in list(sys.modules.items()):
            path, seen, why = self._form(name, module) if name not in self._fixed else ("", None, "")
            if path and os.path.realpath(path) in self._scope:
                self._fixed[name] = path, seen, why

    def _form(self, name: str, module: object) -> tuple[str, Signature | None, str]:
        """Return the file of a module that no text makes anew, and why that is, "" for extension modules."""
        if not issubclass(type(module), ModuleType):
            return (*self._made_from(name), "has put another object in its place in sys.modules")
        names = vars(module) if type(module) is ModuleType else {}
        path, folders = names.get("__file__"), names.get("__path__")
        if isinstance(path, str) and path.endswith(_SUFFIXES):
            return path, signature(path), ""
        folder = next(iter(folders), "") if path is None and folders is not None else ""
        return os.path.join(folder, "__init__.py") if folder else "", None, "was imported as a package without a file"

    def children(self) -> Iterator[Finding]:
        """Yield a finding for each process that was not forked, and so has imported the program for itself."""
        process: Any = sys.modules.get("multiprocessing.process")
        for child in list(process._children) if process is not None else ():
            if getattr(child, "_start_method", "fork") != "fork" and child.pid not in self._children:
                self._children.add(child.pid)
                yield finding("HS225", "", 0, name=child.name, pid=child.pid, method=child._start_method)
