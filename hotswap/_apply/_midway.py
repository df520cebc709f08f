"""Modules that are imported above others which ran long ago: what they register comes before what those registered.

``import plugins.two`` between ``one`` and ``three`` appends to the tables at their ends. A fresh start would run it
before ``three``: where entries tell which module they are of, the new ones are put before those of modules below.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hotswap._apply._books import alike, entries_of, fill
from hotswap._apply._follow import absolute, loads
from hotswap._apply._unloaded import imports
from hotswap._model import Kind
from hotswap._run._values import attribute, attributes_of, is_a

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit
    from hotswap._model import Statement

_Tables = list[tuple[Any, list[Any]]]


@contextmanager
def in_its_place(visit: Visit, statement: Statement) -> Iterator[None]:
    """While `statement` runs: if it loads modules, have what these register stand before what is imported below."""
    before = _tables(visit, statement) if statement.kind is Kind.IMPORT and loads(visit, statement) else []
    yield
    _put_before(visit, statement, before)


def _tables(visit: Visit, statement: Statement) -> _Tables:
    """Return the tables of the program with what is in them, if statements below `statement` import modules."""
    if not any(True for _ in _below(visit, statement)):
        return []
    found = {id(one): one for one in _containers(visit)}
    return [(one, entries_of(one)) for one in found.values()]


def _put_before(visit: Visit, statement: Statement, before: _Tables) -> None:
    """Put what came into `before` while `statement` ran before the entries of modules that are imported below it."""
    below = frozenset(_below(visit, statement)) if before else frozenset()
    for container, old in before:
        now = entries_of(container)
        if len(now) <= len(old) or not alike(now[: len(old)], old):
            continue
        place = next((at for at, entry in enumerate(old) if _is_of(entry, below)), len(old))
        if place < len(old):
            wanted = [*old[:place], *now[len(old) :], *old[place:]]
            visit.swap.journal.do(partial(fill, container, wanted), partial(fill, container, now))
            visit.swap.commit()


def _below(visit: Visit, statement: Statement) -> Iterator[str]:
    """Yield the loaded modules that statements below `statement` import."""
    for one in (one for one in visit.new if one.lineno > statement.lineno):
        for node in imports(one.node):
            source = absolute(visit, node) if isinstance(node, ast.ImportFrom) else ""
            names = {f"{source}.{alias.name}".lstrip(".") for alias in node.names} | {source}
            yield from names & sys.modules.keys()


def _containers(visit: Visit) -> Iterator[Any]:
    """Yield the lists and dicts of the program's modules, and of objects of its classes there."""
    for module in list(visit.swap.modules.values()):
        if not is_a(module, ModuleType) or not visit.swap.is_project(module):
            continue
        for name, value in list(vars(module).items()):
            if name[:2] != "__":
                yield from (one for one in (value, *attributes_of(value).values()) if type(one) in (list, dict))


def _is_of(entry: Any, modules: frozenset[str]) -> bool:
    """Whether an entry, or what is in it, is a function or class of one of `modules`, or the name of one."""
    parts = entry if type(entry) is tuple else (entry,)
    named = [vars(sys.modules[one]).get(text) for text in parts if type(text) is str for one in modules]
    return any(attribute(one, "__module__") in modules for one in (*parts, *named) if callable(one))
