"""Names that leave a module with the save, as a statement that runs meanwhile has to find them: not at all."""

from __future__ import annotations

import ast
import builtins
import sys
from typing import TYPE_CHECKING

from hotswap._apply._follow import names_bound
from hotswap._apply._scopes import ModuleScope
from hotswap._graph._facts import WHOLE
from hotswap._model import Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import same

if TYPE_CHECKING:
    from hotswap._apply._swap import Work
    from hotswap._apply._visit import Visit


def left_over(visit: Visit, statement: Statement) -> frozenset[str]:
    """Return the names that `statement` reads and a fresh start would not find in the module: those that leave it, as
    no statement binds them any more, and those of builtins, or of a statement that left, which no statement above this
    one binds.
    """
    edit = visit.work.edit
    if not isinstance(visit.scope, ModuleScope) or not edit.edited or edit.part or edit.unknown:
        return frozenset()
    read = {name.partition(".")[0] for name in (*statement.reads, *statement.calls)} & visit.work.names_before
    if takes_all := not WHOLE.isdisjoint(statement.calls):
        lost = [*edit.diff.removed, *(pair.old for pair in edit.diff.changed)]
        read = set(visit.work.names_before).union(n for s in lost if "*" in s.binds for n in names_bound(visit, s))
    late = _bound_anew(visit, statement) if takes_all else frozenset()
    if not read or "*" in visit.work.names_now:
        return late
    taken = {n for s in edit.new.statements for n in visit.bound_by(s)} if takes_all else frozenset()
    now = taken or visit.work.names_now  # a branch that does not run binds nothing
    stated = {name for one in edit.diff.removed for name in one.binds} - {"__annotations__", "__doc__"}
    gone = (name for name in read - now if name[:2] != "__" or name in stated)
    above = {
        name for s in edit.new.statements if s.lineno <= statement.lineno and s is not statement for name in s.binds
    }
    first = (read & visit.work.names_now).intersection(vars(builtins)) - above  # bound here or below
    return late.union(name for name in (*first, *gone) if not is_bound_elsewhere(visit.work, name))


def _bound_anew(visit: Visit, statement: Statement) -> frozenset[str]:
    """Return what statements that left have bound, and only `statement`, which is new, binds now:
    ``if "size" not in globals(): size = 3``.
    """
    diff = visit.work.edit.diff
    if all(one is not statement for one in diff.added):
        return frozenset()
    above = [one for one in visit.work.edit.new.statements if one.lineno < statement.lineno]
    left = {name for one in diff.removed for name in one.binds}
    return frozenset(left & {*statement.binds} - {name for one in above for name in names_bound(visit, one)})


def is_bound_elsewhere(work: Work, name: str) -> bool:
    """Whether `name` of the module is bound by something else than its statements: a submodule, or a ``global``."""
    if f"{work.edit.module}.{name}" in sys.modules:
        return True
    text = work.edit.new.text
    if "global" not in text or name not in text:
        return False
    if _is_as_stated(work, name):
        return False
    trees = (statement.node for statement in work.edit.new.statements)
    return any(isinstance(n, ast.Global) and name in n.names for tree in trees for n in ast.walk(tree))


def _is_as_stated(work: Work, name: str) -> bool:
    """Whether `name` holds the constant that the old text gave it: no function has bound it since."""
    values = [getattr(one.node, "value", None) for one in work.edit.old.statements if name in one.binds]
    value = values[0] if len(values) == 1 else None
    return isinstance(value, ast.Constant) and same(value.value, work.before.get(name, MISSING))
