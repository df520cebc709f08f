"""Modules that are about to be loaded for the first time: what their texts import comes to its new text before.

A statement may import a file that came with the save, which imports modules of the group in turn. Python would have run
those first; nobody has the new one's statements in a plan, so its text is asked when its import is about to run.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import decode_source
from types import ModuleType
from typing import TYPE_CHECKING

from hotswap._graph._imports import origin_of, static_truth
from hotswap._run._values import is_a

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap, Work
    from hotswap._model import Statement

_COMPOUND = (ast.If, ast.Try, ast.TryStar, ast.With, ast.For, ast.While, ast.Match, ast.ExceptHandler, ast.match_case)


def visit_before(swap: Swap, name: str, importer: str) -> None:
    """Have what the text of the module `name`, if that is not loaded yet, imports brought to its new texts.

    The packages that `importer` is in began before it: their ends may wait for it in turn.
    """
    if name and name not in sys.modules:
        for module in list(_imported(swap, name, importer, set())):
            swap.visit(module)


def visit_imported(swap: Swap, module: str, imported: Iterable[str]) -> None:
    """Have what the loaded `module`, which has no edit, imports brought to its new texts, but for packages that it, or
    a module under way, is in: they began before it.
    """
    begun = (module, *swap.under_way)
    for name in imported:
        if not any(one.startswith(f"{name}.") for one in begun):
            swap.visit(name)


def imports(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that running `node` may run: none in functions, and none for type checkers."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield node
    elif isinstance(node, ast.If) and static_truth(node.test) is False:
        yield from (one for inner in node.orelse for one in imports(inner))
    elif isinstance(node, _COMPOUND):
        yield from (one for inner in ast.iter_child_nodes(node) for one in imports(inner))


def loading(swap: Swap, work: Work, statements: Iterable[Statement]) -> Iterator[tuple[Statement, set[str]]]:
    """Yield each of `statements`, which begin the text of a package, with the modules that a fresh start loads for it:
    what it imports, and what that imports in turn.
    """
    found = {work.edit.module}
    for statement in statements:
        waiting, before = list(_stated(work.edit.module, work.edit.module, [statement])), set(found)
        while waiting:
            name = waiting.pop()
            if name in found or not name:
                continue
            found.add(name)
            waiting += [name.rpartition(".")[0], *_imports_of(swap, name)]
        yield statement, found - before


def late_submodules(swap: Swap, work: Work, line: int) -> Iterator[str]:
    """Yield the names of submodules that a package has by now, and that no statement above `line` loads."""
    package = work.edit.module
    if hasattr(work.module, "__path__"):
        above = [one for one in work.edit.new.statements if one.lineno < line]
        loaded = {name for _, names in loading(swap, work, above) for name in names}
        for name, value in vars(work.module).items():
            if is_a(value, ModuleType) and f"{package}.{name}" in sys.modules and f"{package}.{name}" not in loaded:
                yield name


def _imports_of(swap: Swap, name: str) -> Iterator[str]:
    work = swap.works.get(name)
    if work is None:
        module = swap.modules.get(name)
        yield from swap.imports(name) if module is not None and swap.is_project(module) else ()
    else:
        package = name if hasattr(work.module, "__path__") else name.rpartition(".")[0]
        yield from _stated(name, package, work.edit.new.statements)


def _stated(module: str, package: str, statements: Iterable[Statement]) -> Iterator[str]:
    for statement in statements:
        for node in imports(statement.node):
            yield from (one for one in names_in(node, package) if one != module)


def _imported(swap: Swap, name: str, importer: str, seen: set[str]) -> Iterator[str]:
    """Yield the loaded modules that importing `name` would import, through other new ones as well, in its order."""
    if name in sys.modules:
        yield name
        return
    parent = name.rpartition(".")[0]
    if parent and not importer.startswith(f"{parent}."):
        yield from _imported(swap, parent, importer, seen)
    spec = None if name in seen else _spec(swap, name)
    seen.add(name)
    if spec is None or not spec.origin:
        return
    package = parent if spec.submodule_search_locations is None else name
    for node in (found for statement in _body(spec.origin) for found in imports(statement)):
        for one in names_in(node, package):
            yield from _imported(swap, one, importer, seen)


def names_in(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[str]:
    """Yield what `node` may import: ``from p import q`` also p.q, as q may be a module."""
    origin = ""
    if isinstance(node, ast.ImportFrom):
        origin = origin_of(node, package)
        yield origin
    yield from (f"{origin}.{alias.name}" if origin else alias.name for alias in node.names if alias.name != "*")


def _body(origin: str) -> list[ast.stmt]:
    try:
        with open(origin, "rb") as file:
            return ast.parse(decode_source(file.read())).body
    except (OSError, SyntaxError, ValueError):
        return []  # its import says what is wrong


def _spec(swap: Swap, name: str) -> ModuleSpec | None:
    """Return where the project has a module that is not loaded, without running anything; None if it has none."""
    path = _path(swap, name.rpartition(".")[0])
    return PathFinder.find_spec(name, path) if path else None


def _path(swap: Swap, package: str) -> Sequence[str] | None:
    if not package:
        works = (work for name, work in swap.works.items() if "." not in name)
        return [os.path.dirname(work.edit.path) for work in works if not hasattr(work.module, "__path__")]
    module = sys.modules.get(package)
    if module is None:
        spec = _spec(swap, package)
        return spec.submodule_search_locations if spec is not None else None
    return list(getattr(module, "__path__", ())) if swap.is_project(module) else None
