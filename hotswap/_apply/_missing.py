"""What still stands on a name that left its module: a fresh start would not find it.

Names go in the last wave, so a statement that reads one while its module is gone through gives what it gave before.
Which those are is told once all that leaves is known.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Final

from hotswap._apply import _header, _stale
from hotswap._apply._changes import Changes
from hotswap._apply._scopes import AnyScope, ClassScope, ModuleScope
from hotswap._apply._stale import any_maybe
from hotswap._apply._swap import Swap, Work
from hotswap._apply._visit import Visit, looked_at
from hotswap._graph._imports import static_truth
from hotswap._model import Kind, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import is_a

_SHOWN: Final = 3


def tell_missing(swap: Swap) -> None:
    """Tell which values were made of names that leave with this swap, and are kept."""
    gone = [(scope, name) for scope, name in swap.last if isinstance(scope, ModuleScope)]
    if not gone:
        return
    before, swap.changes = swap.changes, Changes()
    swap.only_leaving = True  # what imports a module by a computed name does not say that it wants just these
    try:
        for scope, name in gone:
            swap.changes.note(scope.edit.module, name, before.old(scope.edit.module, name), MISSING)
        left = [f"{name} left {scope.edit.module}" for scope, name in gone]
        for work in swap.works.values():
            if not work.only_follows:
                _tell(Visit(swap, work, work.scope), " and ".join(left[:_SHOWN]))
    finally:
        swap.changes, swap.only_leaving = before, False


def tell_second_modules(swap: Swap) -> None:
    """Tell of modules that the program ran a second time, as another object, where somebody has the first one still."""
    works = {name: work for name, work in swap.works.items() if work.edit.edited and swap.memo}
    for name, module in list(sys.modules.items()) if works else ():
        if not is_a(module, ModuleType) or not swap.is_project(module):
            continue
        for here, value in list(vars(module).items()):
            known = works.get(value.__name__) if type(value) is ModuleType else None
            if known is not None and value is not known.module:
                swap.tell(known, "HS219", 1, name=f"the module {value.__name__}", where=f"{name}.{here}")


def _tell(visit: Visit, left: str) -> None:
    edit = visit.work.edit
    known = {id(pair.new) for pair in edit.diff.unchanged if not any_maybe(visit.swap, pair.new)}
    statements = [statement for statement in looked_at(edit) if id(statement) not in known]
    for scope, statement in _each(visit.work, visit.scope, statements):
        inner = visit if scope is visit.scope else Visit(visit.swap, visit.work, scope)
        if _found_none(inner, statement):
            continue
        if why := _stale.stale_because(inner, _evaluated(statement)):
            _stale.tell_kept(inner, statement, why, left)


def _found_none(visit: Visit, statement: Statement) -> bool:
    """Whether `statement` ran in this swap, and found nothing of what leaves: its own module has hidden that."""
    if id(statement) not in visit.swap.ran_at:
        return False
    gone = visit.swap.ran_without.get(id(statement), ())
    others = (one for one in visit.swap.last if one[0] is not visit.work.scope)
    return all(any(scope is one and name == left for one, left in gone) for scope, name in others)


def _evaluated(statement: Statement) -> Statement:
    """Return of a ``def`` its header: what a call of it looks up then is no value that it holds."""
    node = statement.node
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return statement
    return _header.alone(statement, [*node.decorator_list, *_header.parts_of(node)])


def _each(work: Work, scope: AnyScope, statements: Iterable[Statement]) -> Iterator[tuple[AnyScope, Statement]]:
    """Yield the statements that hold a value, those in suites and class bodies among them."""
    for statement in statements:
        node = statement.node
        if statement.kind in (Kind.ASSIGN, Kind.DEF):
            yield scope, statement
        elif statement.kind is Kind.SUITE and not (isinstance(node, ast.If) and static_truth(node.test) is False):
            yield from _each(work, scope, statement.children)
        elif isinstance(node, ast.ClassDef) and isinstance(live := scope.peek(node.name), type):
            yield from _each(work, ClassScope(scope, work.scope.stores, node, live), statement.children)
