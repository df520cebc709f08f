"""What still stands on a name that left its module: a fresh start would not find it.

Names go in the last wave, so a statement that reads one while its module is gone through gives what it gave before.
Once they left, those run again that do without; of the others is told.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Final, NamedTuple

from hotswap._apply import _header, _stale
from hotswap._apply._changes import Changes
from hotswap._apply._follow import ask_again
from hotswap._apply._scopes import AnyScope, ClassScope, ModuleScope
from hotswap._apply._stale import any_maybe
from hotswap._apply._swap import Swap, Work
from hotswap._apply._visit import Visit, looked_at
from hotswap._apply._wishes import KEEP, wish
from hotswap._errors import StatementError
from hotswap._graph._imports import static_truth
from hotswap._model import Kind, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import is_a

_SHOWN: Final = 3


class Missing(NamedTuple):
    """A statement that stands on a name that leaves: why it is stale, and what `left`."""

    visit: Visit
    statement: Statement
    why: str
    left: str


def find_missing(swap: Swap) -> list[Missing]:
    """Return the statements whose values were made of names that leave with this swap."""
    gone = [(scope, name) for scope, name in swap.last if isinstance(scope, ModuleScope)]
    if not gone:
        return []
    before, swap.changes = swap.changes, Changes()
    swap.only_leaving = True  # what imports a module by a computed name does not say that it wants just these
    try:
        for scope, name in gone:
            swap.changes.note(scope.edit.module, name, before.old(scope.edit.module, name), MISSING)
        left = " and ".join([f"{name} left {scope.edit.module}" for scope, name in gone][:_SHOWN])
        works = [work for work in swap.works.values() if not work.only_follows]
        return [one for work in works for one in _missing(Visit(swap, work, work.scope), left)]
    finally:
        swap.changes, swap.only_leaving = before, False


def do_without(swap: Swap, found: Iterable[Missing]) -> bool:
    """Now that names left, run the statements that do without them, tell of the others; return whether any ran."""
    ran = set[int]()
    for visit, statement, why, left in found:
        whole = _try_around(visit, statement)
        if id(whole) in ran or _runs_without(visit, statement, whole, f"{why}; {left}"):
            ran.add(id(whole))
        else:
            _stale.tell_kept(visit, statement, why, left)
            swap.maybe -= {id(statement)}  # a fresh start would fail there, and so would this one
    for visit, statement, source, name in swap.left_imports:
        whole = _try_around(visit, statement)
        is_caught = whole is not statement and not isinstance(visit.scope, ClassScope)
        if id(whole) in ran or (is_caught and _runs_without(visit, statement, whole, f"{name} left {source}")):
            ran.add(id(whole))
        elif _ask_instead(visit, statement, source, name):
            ran.add(id(statement))
        else:
            swap.tell(visit.work, "HS205", statement.lineno, name=name, module=source, holder=visit.work.edit.module)
    return bool(ran)


def _ask_instead(visit: Visit, statement: Statement, source: str, name: str) -> bool:
    """Import `name`, which left the module `source`, from the ``__getattr__`` of that module, if it has one."""
    node, module = statement.node, sys.modules.get(source)
    if module is None or "__getattr__" not in vars(module) or not isinstance(node, ast.ImportFrom):
        return False
    try:
        ask_again(visit, statement, next(alias for alias in node.names if alias.name == name))
    except StatementError:
        return False
    return True


def _try_around(visit: Visit, statement: Statement) -> Statement:
    """Return the ``try`` of the module in which `statement` stands, else itself."""
    tries = (one for one in visit.work.edit.new.statements if isinstance(one.node, (ast.Try, ast.TryStar)))
    return next((one for one in tries if one.lineno <= statement.lineno <= one.end_lineno), statement)


def _runs_without(visit: Visit, statement: Statement, whole: Statement, why: str) -> bool:
    """Run `whole` if it asks whether a name is there, as ``getattr(config, "LIMIT", 9)`` does, and is quiet."""
    if statement.kind is Kind.DEF or visit.swap.touched.get(id(statement)) or wish(visit, statement) == KEEP:
        return False
    if _stale.unquiet(visit, whole):
        return False
    try:
        visit.scope.run(visit.wrap([whole.node]))
    except StatementError:
        return False
    if whole is statement:
        visit.execute(whole, why)
    else:
        visit = Visit(visit.swap, visit.work, visit.work.scope)
        visit.new = looked_at(visit.work.edit)
        _stale.run_unit(visit, whole, why)
    visit.swap.commit()
    return True


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


def _missing(visit: Visit, left: str) -> Iterator[Missing]:
    edit = visit.work.edit
    known = {id(pair.new) for pair in edit.diff.unchanged if not any_maybe(visit.swap, pair.new)}
    statements = [statement for statement in looked_at(edit) if id(statement) not in known]
    for scope, statement in _each(visit.work, visit.scope, statements):
        inner = visit if scope is visit.scope else Visit(visit.swap, visit.work, scope)
        if id(statement) in visit.swap.idle or _found_none(inner, statement):
            continue
        if why := _stale.stale_because(inner, _evaluated(statement)):
            yield Missing(inner, statement, why, left)


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
