"""The source of functions that are not the project's: what a library does is judged by its code, as the project is."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
import tokenize
from collections.abc import Sequence
from functools import lru_cache
from types import FunctionType
from typing import Final

from hotswap._quiet._values import Definition

_LONGEST: Final = 300  # lines: what is longer does more than make a value


@lru_cache(256)
def definition_of(function: FunctionType) -> Definition | None:
    """Return the syntax tree of `function` as the file says that it was compiled from; None if that is not known.

    Only the lines from its first one on are parsed: a library's file may have ten thousand. A file that is another one
    by now has another definition there, or none.
    """
    code = function.__code__
    lines = linecache.getlines(code.co_filename, function.__globals__)[code.co_firstlineno - 1 :][:_LONGEST]
    found = _parsed(lines)
    if not isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef)) or found.name != code.co_name:
        return None
    return found if _parameters(found) == code.co_varnames[: len(_parameters(found))] else None


def _parsed(lines: Sequence[str]) -> ast.stmt | None:
    try:
        body = ast.parse(textwrap.dedent("".join(inspect.getblock(lines)))).body
    except (SyntaxError, ValueError, IndexError, tokenize.TokenError):  # a lambda inside a line, or too long
        return None
    return body[0] if len(body) == 1 else None


def _parameters(found: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, ...]:
    spec = found.args
    places = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    return tuple(arg.arg for arg in (*places, spec.vararg, spec.kwarg) if arg is not None)
