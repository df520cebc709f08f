"""Modules that a save brings: their statements run as well, and may put something into the tables of loaded ones."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final

from hotswap._graph._imports import edges, origin_of
from hotswap._model import Kind, Snapshot, Statement
from hotswap._modules import package_of
from hotswap._plan._arriving import place
from hotswap._text._source import read

_Running = tuple[Statement, Mapping[str, object]]
_DEEP: Final = 3
"""Modules that import modules that are new as well."""


class Coming:
    """What a save brings; each module is read once. Those of libraries, which know nothing of the program, are not.

    `project` are the loaded modules of the program: others of it lie where these do.
    """

    def __init__(self, project: AbstractSet[str]) -> None:
        self._project, self._seen = project, set[str]()

    def of(self, importer: str, statement: Statement) -> Iterator[_Running]:
        """Yield the statements of the modules that `statement` loads, each with the names that it will find."""
        module = sys.modules.get(importer)
        if module is not None and statement.kind is Kind.IMPORT:
            yield from self._loaded(package_of(module), statement, _DEEP)

    def _loaded(self, package: str, statement: Statement, deep: int) -> Iterator[_Running]:
        for name in _asked(statement.node, package) if deep else ():
            snapshot = self._snapshot(name)
            if snapshot is None:
                continue
            own = name if _is_package(snapshot.origin) else name.rpartition(".")[0]
            names = dict(_names(snapshot, own))
            for one in snapshot.statements:
                yield one, names
                if one.kind is Kind.IMPORT:
                    yield from self._loaded(own, one, deep - 1)

    def _snapshot(self, name: str) -> Snapshot | None:
        if name in sys.modules or name in self._seen:
            return None
        self._seen.add(name)
        path = place(name)
        return _read(name, path) if path and _folder(name, path) in self._folders else None

    @cached_property
    def _folders(self) -> frozenset[str]:
        """The folders in which the program's modules are found."""
        files = ((name, getattr(sys.modules.get(name), "__file__", None)) for name in self._project)
        return frozenset(_folder(name, os.path.realpath(file)) for name, file in files if isinstance(file, str))


def _is_package(path: str) -> bool:
    return os.path.basename(path).startswith("__init__.")


def _folder(name: str, path: str) -> str:
    """Return the folder in which the file `path` is found as the module `name`."""
    for _ in range(name.count(".") + 1 + _is_package(path)):
        path = os.path.dirname(path)
    return path


def _asked(node: ast.stmt, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        origin = origin_of(node, package)
        yield from (origin, *(f"{origin}.{alias.name}" for alias in node.names))


def _read(name: str, path: str) -> Snapshot | None:
    try:
        with open(path, "rb") as file:
            return read(file.read(), name, path)
    except (OSError, SyntaxError, ValueError):
        return None


def _names(snapshot: Snapshot, package: str) -> Iterator[tuple[str, object]]:
    """Yield what the imports of a new module bind, as far as it is loaded."""
    for edge in edges(snapshot, package, sys.modules.__contains__):
        loaded = sys.modules.get(edge.imported)
        for there, here in edge.names if loaded is not None else ():
            if not there:
                yield here, loaded
            elif there in vars(loaded):
                yield here, vars(loaded)[there]
