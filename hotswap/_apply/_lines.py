"""Positions that are not in code objects: from 3.13 on a class knows the first line of its statement."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from hotswap._apply._swap import Swap, Work
from hotswap._model import Kind, Statement


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
        if isinstance(live, type) and vars(live).get("__firstlineno__", statement.lineno) != statement.lineno:
            swap.journal.set_member(live, "__firstlineno__", statement.lineno)
        if isinstance(live, type):
            _patch(swap, work, statement.children, vars(live))
