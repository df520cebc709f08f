"""Modules that a save brings: their statements run as well, and may put something into the tables of loaded ones."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Final

from hotswap._graph._imports import edges, origin_of
from hotswap._model import Kind, Snapshot, Statement
from hotswap._modules import package_of
from hotswap._plan._arriving import place
from hotswap._text._source import read

_DEEP: Final = 3
"""Modules that import modules that are new as well."""


def coming(importer: str, statement: Statement) -> Iterator[tuple[Statement, Mapping[str, object]]]:
    """Yield the statements of the modules that `statement` loads, each with the names that it will find."""
    module = sys.modules.get(importer)
    if module is not None and statement.kind is Kind.IMPORT:
        yield from _coming(package_of(module), statement, _DEEP)


def _coming(package: str, statement: Statement, deep: int) -> Iterator[tuple[Statement, Mapping[str, object]]]:
    for name in _asked(statement.node, package) if deep else ():
        path = place(name) if name not in sys.modules else ""
        snapshot = _read(name, path) if path else None
        if snapshot is None:
            continue
        own = name if os.path.basename(path).startswith("__init__.") else name.rpartition(".")[0]
        names = dict(_names(snapshot, own))
        for one in snapshot.statements:
            yield one, names
            if one.kind is Kind.IMPORT:
                yield from _coming(own, one, deep - 1)


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
