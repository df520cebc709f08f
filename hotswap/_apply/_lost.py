"""State that goes because the statement that makes it changed: it runs, as its text says so, and that is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hotswap import _quiet
from hotswap._apply._scopes import AnyScope
from hotswap._apply._stale import quiet_scope
from hotswap._apply._swap import Swap, Work
from hotswap._errors import StatementError
from hotswap._model import Diff, Kind, Statement
from hotswap._run._journal import CONTAINERS
from hotswap._run._values import is_a
from hotswap._text._diff import dump


def tell_lost(swap: Swap, work: Work) -> None:
    """Before anything changes: tell of containers whose statement changed, or gave way to another one that binds their
    name, or got another name or a place in another class, and that the program has filled since.
    """
    diff = work.edit.diff
    _tell(swap, work, "", work.before, work.edit.old.statements, [*_changed(diff), *_instead(diff, diff.added)])
    for pair in diff.changed:
        live = work.before.get(pair.new.binds[-1]) if pair.new.kind is Kind.CLASS else None
        if pair.inner is not None and is_a(live, type):
            elsewhere = [*pair.inner.added, *(inner for one in diff.added for inner in one.children)]
            prefix = f"{pair.new.binds[-1]}."
            _tell(swap, work, prefix, vars(live), pair.old.children, [*_instead(pair.inner, elsewhere)])


def _tell(
    swap: Swap,
    work: Work,
    prefix: str,
    names: Mapping[str, Any],
    old: Sequence[Statement],
    pairs: Iterable[tuple[Statement, Statement]],
) -> None:
    for was, now in pairs:
        (name,) = was.binds
        held = names.get(name)
        alone = sum(name in one.binds or name in one.mutates for one in old) == 1
        if alone and type(held) in CONTAINERS and held and _is_filled(swap, work.scope, was, held):
            swap.tell(work, "HS223", now.lineno, name=prefix + name)


def _changed(diff: Diff) -> Iterator[tuple[Statement, Statement]]:
    """Yield assignments of one name that have another value now."""
    for pair in diff.changed:
        one_name = pair.old.kind is Kind.ASSIGN and len(pair.old.binds) == 1 and pair.new.binds == pair.old.binds
        if one_name and _value(pair.old) != _value(pair.new):  # else an annotation came, went or changed
            yield pair.old, pair.new


def _instead(diff: Diff, added: Sequence[Statement]) -> Iterator[tuple[Statement, Statement]]:
    """Yield assignments of one name that left with what came for them: what binds that name now, as an import, in a
    suite, or the one assignment of the same value to another name.
    """
    for was in diff.removed:
        if was.kind is Kind.ASSIGN and len(was.binds) == 1:
            now = next((one for one in added if was.binds[0] in one.binds), None)
            alike = [one for one in added if one.kind is Kind.ASSIGN and _value(one) == _value(was)]
            if now is not None or len(alike) == 1:
                yield was, now or alike[0]


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
