"""Where things stand, as far as code objects do not say it: a class's first line, a module's file."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from importlib.util import spec_from_file_location
from typing import Any

from hotswap._apply._swap import Swap, Work
from hotswap._model import Kind, Statement
from hotswap._run._values import is_a


def patch_lines(swap: Swap, work: Work) -> None:
    """Record the new ``__firstlineno__`` of the classes of `work` that moved."""
    if sys.version_info >= (3, 13) and work.edit.edited:
        _patch(swap, work, work.edit.new.statements, vars(work.module))


def _patch(swap: Swap, work: Work, statements: Iterable[Statement], names: Mapping[str, Any]) -> None:
    for statement in statements:
        if statement.kind is Kind.SUITE:
            _patch(swap, work, statement.children, names)
        if statement.kind is not Kind.CLASS:
            continue
        assert isinstance(statement.node, ast.ClassDef)
        live = names.get(statement.node.name)
        if is_a(live, type) and vars(live).get("__firstlineno__", statement.lineno) != statement.lineno:
            swap.journal.set_member(live, "__firstlineno__", statement.lineno)
        if is_a(live, type):
            _patch(swap, work, statement.children, vars(live))


def set_origin(swap: Swap, work: Work) -> None:
    """Set at once where the module comes from, if that changed: a module became a package, or the other way round.

    Statements that run need it: relative imports start from ``__package__``.
    """
    old, new = work.edit.old.origin, work.edit.new.origin
    spec = spec_from_file_location(work.edit.module, new) if old != new else None
    if spec is None:
        return
    names = vars(work.module)
    places = spec.submodule_search_locations
    values = {
        "__file__": new,
        "__spec__": spec,
        "__loader__": spec.loader,
        "__package__": spec.parent,
        "__cached__": spec.cached,
    }
    for name, value in values.items():
        swap.journal.set_item(names, name, value)
    if places is not None:
        swap.journal.set_item(names, "__path__", places)
    elif "__path__" in names:
        swap.journal.del_item(names, "__path__")
    swap.journal.commit()
