"""What the calls that a finding names would have put into containers: if the statement is not run, they lack it.

``A depends on what changed but keeps its value: calls register(), which ...``: the tables that ``register`` fills are
as they were, which is told with the statement. So they are if a decorator is gone and what it did stays.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

CODES: Final = ("HS201", "HS202", "HS203", "HS227")
_FILLING: Final = frozenset("append add update setdefault insert extend pop remove discard clear".split())
_WRITTEN: Final = re.compile(r"writes (\w+), a global")
_REGISTERED: Final = re.compile(r"(\w+)\.register\b")
_CALLED: Final = re.compile(r"(?:calls?|@|stays:) ?([\w.]+)")


def stored(files: Mapping[str, str], message: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield for each of `files` the qualified names of the containers that what `message` says is called fills."""
    called = {part for found in _CALLED.findall(message) for part in found.split(".")}
    written = set(_WRITTEN.findall(message))
    for path, text in files.items():
        names = frozenset(name for function, name in _fills(text) if function in called)
        names |= {f"{name}.registry" for name in _REGISTERED.findall(message) if f"def {name}(" in text}
        names |= {name for name in written if f"global {name}" in text}
        if names:
            yield path, names


@lru_cache(maxsize=256)
def _fills(text: str) -> tuple[tuple[str, str], ...]:
    """Return pairs: a function, or the class that it is a method of, and a container of the module that it fills."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return ()
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found: set[tuple[str, str]] = set()
    owners: list[ast.Module | ast.ClassDef] = [tree, *classes]
    for owner in owners:
        for node in owner.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                callers = {node.name, getattr(owner, "name", node.name)}
                found |= {(who, name) for who in callers for name in _filled(node, classes)}
    return tuple(found)


def _filled(node: ast.AST, classes: list[ast.ClassDef]) -> Iterator[str]:
    for inner in ast.walk(node):
        target: ast.expr | None = None
        if isinstance(inner, ast.Subscript) and not isinstance(inner.ctx, ast.Load):
            target = inner.value
        elif isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr in _FILLING:
            target = inner.func.value
        if isinstance(target, ast.Subscript):
            target = target.value
        if isinstance(target, ast.Name):
            yield target.id
        elif isinstance(target, ast.Attribute):
            yield from (f"{cls.name}.{target.attr}" for cls in classes)
