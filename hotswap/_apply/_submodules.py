"""Names of a package that a statement binds, and one of its submodules has as well: whoever comes last has it.

``import typing`` stands in ``pkg/__init__.py``, and ``pkg.typing`` is imported further down, or by others: importing a
submodule binds its name in the package, so a fresh start ends with the submodule. What stands below its import binds
the name once more, and keeps it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from hotswap._apply._moves import has_file
from hotswap._apply._unloaded import imports, names_in
from hotswap._apply._visit import Visit
from hotswap._model import Kind, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import is_a

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap, Work


def settle_submodules(swap: Swap) -> set[str]:
    """Give names of packages to whom a fresh start would leave them, where the save has given them to somebody else.

    Return the packages in which a submodule has got one.
    """
    found = set[str]()
    for work in [one for one in swap.works.values() if one.edit.edited and hasattr(one.module, "__path__")]:
        visit = Visit(swap, work, work.scope)
        for name, module in _loaded_below(work):
            held, before = work.scope.peek(name), work.before.get(name, MISSING)
            last = _last_that_binds(visit, name)
            if MISSING in (held, before) or held is before or last is None:
                continue
            comes_first = f"{work.edit.module}.{name}" in _imported(swap, work, last)
            if comes_first and held is module and last.kind in (Kind.DEF, Kind.CLASS):
                swap.bind(work, work.scope, name, before)
            elif not comes_first and held is not module:
                swap.too_early |= swap.bind(work, work.scope, name, module)
                work.scope.store(name, module)  # also where it is what the name was before the save
                found.add(work.edit.module)
    return found


def _loaded_below(work: Work) -> Iterator[tuple[str, ModuleType]]:
    package = work.edit.module
    for name in work.names_now:
        module = sys.modules.get(f"{package}.{name}")
        if is_a(module, ModuleType) and has_file(module):
            yield name, module


def _last_that_binds(visit: Visit, name: str) -> Statement | None:
    links = [one for one in visit.work.edit.new.statements if name in one.binds and name in visit.bound_by(one)]
    return links[-1] if links else None


def _imported(swap: Swap, work: Work, last: Statement) -> set[str]:
    """Return the modules that are loaded when the statement `last` of a package has run: what it and those above it
    import, and what these do.
    """
    above = [one for one in work.edit.new.statements if one.lineno <= last.lineno]
    waiting = list(_names(work.edit.module, work.edit.module, above))
    found = {work.edit.module}
    while waiting:
        name = waiting.pop()
        if name in found or not name:
            continue
        found.add(name)
        waiting += [name.rpartition(".")[0], *_imports_of(swap, name)]
    return found


def _imports_of(swap: Swap, name: str) -> Iterator[str]:
    work = swap.works.get(name)
    if work is None:
        module = swap.modules.get(name)
        yield from swap.imports(name) if module is not None and swap.is_project(module) else ()
    else:
        package = name if hasattr(work.module, "__path__") else name.rpartition(".")[0]
        yield from _names(name, package, work.edit.new.statements)


def _names(module: str, package: str, statements: list[Statement] | tuple[Statement, ...]) -> Iterator[str]:
    for statement in statements:
        for node in imports(statement.node):
            yield from (one for one in names_in(node, package) if one != module)
