"""Files that arrive and that a ``try`` had missed: ``try: import fast`` with a handler that does without.

A file that nobody asked for is imported when somebody imports it. One that a statement looked for when its module ran,
and went another way without, makes that statement stale.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.machinery import ModuleSpec, PathFinder
from typing import Final

from hotswap._graph._imports import origin_of
from hotswap._loader._baselines import text_of
from hotswap._model import Kind, Statement
from hotswap._modules import Signature, is_source, package_of, signature
from hotswap._plan._prepare import untouched
from hotswap._plan._targets import Target
from hotswap._process import Process
from hotswap._roots import Scope, resolved
from hotswap._text._source import read

_LISTING: Final = re.compile(r"\b(?:iter_modules|walk_packages|listdir|iterdir|glob)\b")
_RUNS: Final = (Kind.ASSIGN, Kind.OTHER, Kind.SUITE)


class Arriving:
    """Finds them for one reloader. Each state of a file counts once, but for failures."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._seen: dict[str, Signature] = {}
        self._met: dict[str, Signature] = {}

    def stale(self, paths: Iterable[str]) -> Iterator[Target]:
        """Yield, module by module, the ``try`` statements that did not find what is in one of `paths` now."""
        process = self._process
        self._met = {}
        new = [path for path in paths if is_source(path) and self._is_new(path)]
        if new:
            process.update_graph()
        for path in new:
            for name in list(_missed(process, path)):
                for importer in sorted(process.graph.importers(name)):
                    yield from _stale_in(process, importer, name, path)
            for package in _packages_of(process, path):
                yield from _listing(process, package, path)

    def settle(self) -> None:
        """Note that what was found stale has run, or was told: the same files do not count again."""
        self._seen |= self._met
        self._met = {}

    def everywhere(self, scope: Scope) -> list[str]:
        """Return the files in `scope` that some module imports, and that are not loaded."""
        self._process.update_graph()
        ours = {folder: os.path.join(folder, "any.py") in scope for folder in sys.path}
        found = []
        for above, _, last in (name.rpartition(".") for name in self._process.graph.imported - sys.modules.keys()):
            for folder in _folders(above) if above else sys.path:
                if ours.setdefault(folder, os.path.join(folder, "any.py") in scope):
                    found += [os.path.join(folder, f"{last}.py"), os.path.join(folder, last, "__init__.py")]
        for folder in (one for name in self._process.dynamic for one in _folders(name)):
            if ours.setdefault(folder, os.path.join(folder, "any.py") in scope) and os.path.isdir(folder):
                found += [os.path.join(folder, one) for one in os.listdir(folder) if is_source(one)]
        return list(filter(os.path.isfile, found))

    def _is_new(self, path: str) -> bool:
        state = signature(path)
        if state is None or state[1] < self._process.arrivals.began or self._seen.get(path) == state:
            return False
        self._met[path] = state
        return True


def _stale_in(process: Process, importer: str, name: str, path: str) -> Iterator[Target]:
    module, baseline = sys.modules.get(importer), process.baselines.get(importer)
    if module is None or baseline is None or name in sys.modules:
        return
    edit = untouched(importer, baseline, None)
    found = [one for one in _tries(edit.new.statements) if name in _imported(one.node, package_of(module))]
    if found:
        target = Target.of(edit, (("", one) for one in found), f"imports {name}, which is there now")
        yield replace(target, names=target.names | _starred(path)) if "*" in target.names else target


def _folders(name: str) -> list[str]:
    """Return where the modules of a package are looked for, also of one that is not loaded; nothing is imported."""
    if name in sys.modules:
        return list(getattr(sys.modules[name], "__path__", ()))
    spec = _spec(name)
    return list(spec.submodule_search_locations or ()) if spec is not None else []


def _packages_of(process: Process, path: str) -> list[str]:
    """Return the packages that import modules by computed names and have the file `path`, which is not loaded."""
    folder, file = os.path.split(path)
    stem = file.partition(".")[0]
    found = [name for name in process.dynamic if folder in _folders(name)]
    return sorted(name for name in found if stem != "__init__" and f"{name}.{stem}" not in sys.modules)


def _listing(process: Process, package: str, path: str) -> Iterator[Target]:
    """Yield the statements of a package that went through its files, and would find one more."""
    baseline = process.baselines.get(package)
    if baseline is None or not _LISTING.search(text_of(baseline)):
        return
    edit = untouched(package, baseline, None)
    found = [one for one in edit.new.statements if one.kind in _RUNS and _LISTING.search(ast.unparse(one.node))]
    if found:
        name = os.path.basename(path).partition(".")[0]
        yield Target.of(edit, (("", one) for one in found), f"goes through {package}, which has {name} now")


def _starred(path: str) -> frozenset[str]:
    """Return the names that a star import of the file `path` may give."""
    try:
        with open(path, "rb") as file:
            return frozenset(name for one in read(file.read(), "", path).statements for name in one.binds)
    except (OSError, SyntaxError, ValueError):
        return frozenset()


def _missed(process: Process, path: str) -> Iterator[str]:
    """Yield the names under which a loaded module would import the file `path`, which it has not."""
    folder, file = os.path.split(path)
    stem = os.path.basename(folder) if file.startswith("__init__.") else file.partition(".")[0]
    for name in [name for name in process.graph.imported if name.rpartition(".")[2] == stem]:
        if name not in sys.modules and place(name) == resolved(path):
            yield name


def place(name: str) -> str:
    """Return the file that importing `name` would load; "" if there is none."""
    PathFinder.invalidate_caches()
    spec = _spec(name)
    return os.path.realpath(spec.origin) if spec is not None and spec.has_location and spec.origin else ""


def _spec(name: str) -> ModuleSpec | None:
    above = name.rpartition(".")[0]
    folders = _folders(above) if above else None
    return None if above and not folders else PathFinder.find_spec(name, folders)


def _tries(statements: Iterable[Statement]) -> Iterator[Statement]:
    for statement in statements:
        if isinstance(statement.node, ast.Try):
            yield statement
        elif isinstance(statement.node, ast.If):
            yield from _tries(statement.children)


def _imported(node: ast.stmt, package: str) -> set[str]:
    """Return the names of modules that imports in the body of a ``try`` may load."""
    found = set[str]()
    for one in getattr(node, "body", ()):
        if isinstance(one, ast.Import):
            found.update(alias.name for alias in one.names)
        elif isinstance(one, ast.ImportFrom):
            origin = origin_of(one, package)
            found.update((origin, *(f"{origin}.{alias.name}" for alias in one.names)))
    return found
