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
from hotswap._apply._unloaded import loading
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
    """Return the modules that are loaded when the statement `last` of a package has run."""
    above = [one for one in work.edit.new.statements if one.lineno <= last.lineno]
    return {name for _, loaded in loading(swap, work, above) for name in loaded}
