"""State that goes because the statement that makes it changed: it runs, as its text says so, and that is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hotswap import _quiet
from hotswap._apply._scopes import AnyScope
from hotswap._apply._stale import quiet_scope
from hotswap._apply._swap import Swap, Work
from hotswap._errors import StatementError
from hotswap._model import Diff, Kind, Statement
from hotswap._run._journal import CONTAINERS
from hotswap._text._diff import dump


def tell_lost(swap: Swap, work: Work) -> None:
    """Before anything changes: tell of containers whose statement changed, or gave way to another one that binds their
    name, and that the program has filled since.
    """
    old = work.edit.old.statements
    for was, now in _instead(work.edit.diff):
        (name,) = was.binds
        held = work.before.get(name)
        alone = sum(name in one.binds or name in one.mutates for one in old) == 1
        if alone and type(held) in CONTAINERS and held and _is_filled(swap, work.scope, was, held):
            swap.tell(work, "HS223", now.lineno, name=name)


def _instead(diff: Diff) -> Iterator[tuple[Statement, Statement]]:
    """Yield assignments of one name with what binds that name now: with another value, or as an import, in a suite."""
    for pair in diff.changed:
        one_name = pair.old.kind is Kind.ASSIGN and len(pair.old.binds) == 1 and pair.new.binds == pair.old.binds
        if one_name and _value(pair.old) != _value(pair.new):  # else an annotation came, went or changed
            yield pair.old, pair.new
    for was in diff.removed:
        if was.kind is Kind.ASSIGN and len(was.binds) == 1:
            now = next((one for one in diff.added if was.binds[0] in one.binds), None)
            if now is not None:
                yield was, now


def _value(statement: Statement) -> str:
    value = getattr(statement.node, "value", None)
    return dump(value) if value is not None else ""


def _is_filled(swap: Swap, scope: AnyScope, statement: Statement, held: Any) -> bool:
    """Whether the container `held` has other keys, or more or fewer items, than `statement` gives it."""
    if _quiet.unquiet(statement.node, quiet_scope(swap, scope)):
        return False
    try:
        made: Any = scope.run([statement.node]).get(statement.binds[0])
    except StatementError:
        return False
    if type(made) is not type(held) or len(made) != len(held):
        return type(made) is type(held)
    return type(held) is dict and [k for k in held if type(k) is str] != [k for k in made if type(k) is str]
