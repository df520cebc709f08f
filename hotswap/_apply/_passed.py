"""Functions that are handed to a function of the program which calls them: ``x = apply(f)`` runs `f` as well.

Most functions that take one keep it for later (a registry, a thread), so the text of the function that is called says
whether it calls what it was given.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType
from typing import TYPE_CHECKING

from hotswap._apply._swap import Swap, resolve
from hotswap._text._names import dotted_of

if TYPE_CHECKING:
    from hotswap._apply._scopes import AnyScope


def is_called(swap: Swap, scope: AnyScope, node: ast.stmt, name: str) -> bool:
    """Whether a function of the program that `node` calls with `name` as an argument calls that in its turn."""
    for call in (inner for inner in ast.walk(node) if isinstance(inner, ast.Call)):
        places = [place for place, given in _arguments(call) if given == name]
        dotted = dotted_of(call.func) if places else None
        function = resolve(scope, dotted) if dotted else None
        if type(function) is FunctionType and swap.is_project(function) and _calls(swap, function, places):
            return True
    return False


def _arguments(call: ast.Call) -> Iterator[tuple[int | str | None, str]]:
    """Yield place or keyword of each argument that is a dotted name."""
    given: list[tuple[int | str | None, ast.expr]] = [*enumerate(call.args), *((k.arg, k.value) for k in call.keywords)]
    for place, value in given:
        if dotted := dotted_of(value):
            yield place, dotted


def _calls(swap: Swap, function: FunctionType, places: list[int | str | None]) -> bool:
    definition = swap.definition(function)
    if definition is None:
        return False
    names = [arg.arg for arg in (*definition.args.posonlyargs, *definition.args.args)]
    known = (place for place in places if not isinstance(place, int) or place < len(names))
    wanted = {names[place] if isinstance(place, int) else place for place in known}
    calls = (inner.func for inner in ast.walk(definition) if isinstance(inner, ast.Call))
    return any(isinstance(called, ast.Name) and called.id in wanted for called in calls)
