"""Functions that are handed to a function of the program which calls them: ``x = apply(f)`` runs `f` as well.

Most functions that take one keep it for later (a registry, a thread), so the text of the function that is called says
whether it calls what it was given.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from types import FunctionType
from typing import TYPE_CHECKING

from hotswap._apply._swap import Swap, resolve
from hotswap._model import Pair
from hotswap._run._values import is_a
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


def runs_lambda(swap: Swap, scope: AnyScope, pair: Pair) -> str:
    """Return what `pair`, which differs in lambdas alone, gives one of these to that calls it; "" if nothing."""
    olds = {ast.dump(one) for one in ast.walk(pair.old.node) if isinstance(one, ast.Lambda)}
    for call in (inner for inner in ast.walk(pair.new.node) if isinstance(inner, ast.Call)):
        given = ((place, one) for place, one in _given(call) if isinstance(one, ast.Lambda))
        places = [place for place, one in given if ast.dump(one) not in olds]
        dotted = dotted_of(call.func) if places else None
        function = resolve(scope, dotted) if dotted else None
        if is_a(function, type):
            function = next((vars(base)["__init__"] for base in function.__mro__ if "__init__" in vars(base)), None)
            places = [place + 1 if isinstance(place, int) else place for place in places]
        if type(function) is FunctionType and swap.is_project(function) and _calls(swap, function, places):
            return dotted or ""
    return ""


def decorates_with(swap: Swap, scope: AnyScope, decorator: ast.expr, before: list[ast.expr]) -> bool:
    """Whether a lambda that is given to `decorator`, and was to none of `before`, runs while it decorates: called by
    the function that is called there, or by the one which that makes.
    """
    if not isinstance(decorator, ast.Call):
        return False
    olds = {ast.dump(inner) for one in before for inner in ast.walk(one) if isinstance(inner, ast.Lambda)}
    places = [place for place, one in _given(decorator) if isinstance(one, ast.Lambda) and ast.dump(one) not in olds]
    dotted = dotted_of(decorator.func) if places else None
    function = resolve(scope, dotted) if dotted else None
    if type(function) is not FunctionType or not swap.is_project(function):
        return False
    return _calls(swap, function, places, deep=1)


_Place = int | str | None


def _given(call: ast.Call) -> list[tuple[_Place, ast.expr]]:
    """Return the arguments of a call, each with its place or keyword."""
    return [*enumerate(call.args), *((k.arg, k.value) for k in call.keywords)]


def _arguments(call: ast.Call) -> Iterator[tuple[_Place, str]]:
    """Yield place or keyword of each argument that is a dotted name."""
    for place, value in _given(call):
        if dotted := dotted_of(value):
            yield place, dotted


def _calls(swap: Swap, function: FunctionType, places: list[_Place], *, deep: int = sys.maxsize) -> bool:
    definition = swap.definition(function)
    if definition is None:
        return False
    names = [arg.arg for arg in (*definition.args.posonlyargs, *definition.args.args)]
    known = (place for place in places if not isinstance(place, int) or place < len(names))
    wanted = {names[place] if isinstance(place, int) else place for place in known}
    calls = (inner.func for inner in _within(definition, deep + 1) if isinstance(inner, ast.Call))
    return any(isinstance(called, ast.Name) and called.id in wanted for called in calls)


def _within(node: ast.AST, deep: int) -> Iterator[ast.AST]:
    """Yield what is in `node`, in functions inside it as far as they are not `deep` or deeper."""
    yield node
    deep -= isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    for child in ast.iter_child_nodes(node) if deep >= 0 else ():
        yield from _within(child, deep)
