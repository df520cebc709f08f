"""Modules that were imported before anybody looked: is the text that their file had then the one that they run?

Never asked of a ``.pyc`` header, which knows whole seconds and the size alone: the text is compiled, and the code of
the module's live functions has to be in it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType

from hotswap._compile import Build, all_codes


def runs(module: ModuleType, text: str, origin: str, build: Build | None) -> bool:
    """Whether the functions of `module` and of its classes that come from the file `origin` are those of `text`."""
    try:
        tree = ast.parse(text)
        whole = build(tree, origin, 0) if build else compile(text, origin, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    known = set(all_codes(whole))
    return all(code in known for code in _live(vars(module), module.__name__, origin, 8))


def _live(names: dict[str, object], module: str, origin: str, depth: int) -> Iterator[CodeType]:
    for value in list(names.values()):
        inner = getattr(value, "__func__", value) if isinstance(value, (staticmethod, classmethod)) else value
        if type(inner) is FunctionType and inner.__code__.co_filename == origin:
            yield inner.__code__
        elif isinstance(inner, type) and vars(inner).get("__module__") == module and depth:
            yield from _live(dict(vars(inner)), module, origin, depth - 1)
