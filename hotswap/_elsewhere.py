"""What no swap reaches: code of extension modules, processes of their own, another reloader, a build without the lock.

None of it is a failure of an edit, so it is told beside what a save did: each thing once.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
from collections.abc import Iterator
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
    """What was seen beyond the reach of swaps, so that each is told once. `scope` has the files to look after."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._loaded = 0
        self._extensions: dict[str, tuple[str, Signature | None]] = {}
        self._children: set[int | None] = set()

    def extensions(self) -> Iterator[Finding]:
        """Yield a finding for each loaded extension module whose file is another one than when it was last seen."""
        self.extension_files()
        for name, (path, seen) in list(self._extensions.items()):
            now = signature(path)
            if now is not None and now != seen:
                self._extensions[name] = path, now
                yield finding("HS106", path, 1, module=name)

    def extension_files(self) -> list[str]:
        """Return the files of the loaded extension modules; what is new is as it is now."""
        if len(sys.modules) != self._loaded:
            self._loaded = len(sys.modules)
            self._find_extensions()
        return [path for path, _ in self._extensions.values()]

    def _find_extensions(self) -> None:
        for name, module in list(sys.modules.items()):
            path = getattr(module, "__file__", None) if type(module) is type(sys) else None
            if isinstance(path, str) and path.endswith(_SUFFIXES) and name not in self._extensions:
                if os.path.realpath(path) in self._scope:
                    self._extensions[name] = path, signature(path)

    def children(self) -> Iterator[Finding]:
        """Yield a finding for each process that was not forked, and so has imported the program for itself."""
        process: Any = sys.modules.get("multiprocessing.process")
        for child in list(process._children) if process is not None else ():
            if getattr(child, "_start_method", "fork") != "fork" and child.pid not in self._children:
                self._children.add(child.pid)
                yield finding("HS225", "", 0, name=child.name, pid=child.pid, method=child._start_method)
