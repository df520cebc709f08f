"""Where a function is defined in the texts of now, for who has to read what it does."""

from __future__ import annotations

import ast
from types import FunctionType

from hotswap._apply._swap import DefinitionOf, Swap
from hotswap._quiet import Definition
from hotswap._text._source import find_definition


def definition_now(swap: Swap, before: DefinitionOf, function: FunctionType) -> Definition | None:
    """Return the definition of what `function` runs once the wave is set; `before` knows those of the old texts."""
    work, code = swap.works.get(function.__globals__.get("__name__", "")), swap.pending_code(function)
    if work is None or not work.edit.edited:
        return before(function)
    is_new = code is not function.__code__ or code in swap.changes.codes or id(function) in work.patched
    if not is_new and (found := before(function)) is not None:
        return found
    around = [s.node for s in work.edit.new.statements if s.lineno <= code.co_firstlineno <= s.end_lineno]
    return find_definition(ast.Module(around, []), code)
