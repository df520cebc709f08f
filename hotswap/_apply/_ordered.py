"""The order in which a module has its names: that of a fresh start, for statements that go over all of them.

``__all__ = [name for name in globals() if name[0] != "_"]`` gives them as they were bound, and a name that comes into
the middle of the text is bound last. So before such a statement runs, the namespace is put in order: each name goes
out and in again in one C call, between two bytecodes of any thread.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hotswap._apply import _follow
from hotswap._apply._scopes import ModuleScope
from hotswap._apply._taken import takes_all_names
from hotswap._apply._unloaded import late_submodules, loading
from hotswap._graph._facts import SPACES, WHOLE
from hotswap._model import Diff, Kind, Statement

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit

_FIRST: Final = frozenset(
    "__name__ __doc__ __package__ __loader__ __spec__ __path__ __file__ __cached__ __builtins__ __annotations__".split()
)
"""What a module has before its first statement runs."""


def goes_over_all(statement: Statement) -> bool:
    """Whether `statement` of a module meets all its names, in their order."""
    return not SPACES.isdisjoint(statement.calls) and takes_all_names(statement.node)


def force(visit: Visit, diff: Diff) -> None:
    """Have unchanged assignments looked at again that meet names in another order, as their statements moved."""
    if not isinstance(visit.scope, ModuleScope) or not any(pair.new.binds for pair in diff.moved):
        return
    for pair in diff.unchanged:
        if pair.new.kind is Kind.ASSIGN and goes_over_all(pair.new):
            visit.swap.forced.setdefault(id(pair.new), "goes over all names of the module, which have another order")


def arrange(visit: Visit, statement: Statement) -> None:
    """Put the names of the module in the order of its text, if `statement` meets them in their order."""
    if not isinstance(visit.scope, ModuleScope):
        return
    takes_all = not WHOLE.isdisjoint(statement.calls) and takes_all_names(statement.node)
    absent = late_submodules(visit.swap, visit.work, statement.lineno) if takes_all else ()
    visit.scope.absent = frozenset(absent)
    if not goes_over_all(statement) or not _is_safe():
        return
    visit.swap.commit()
    names: dict[str, Any] = visit.scope.namespace
    places, held = _places(visit), list(names)
    places |= dict.fromkeys(_FIRST, (-1, 0))
    wanted = sorted(held, key=lambda name: places.get(name, (len(visit.work.edit.new.statements), 0)))
    first = next((index for index, pair in enumerate(zip(held, wanted, strict=True)) if pair[0] != pair[1]), None)
    if first is not None:
        visit.swap.journal.do(partial(_arrange, names, wanted[first:]), partial(_arrange, names, held[first:]))
        visit.swap.commit()


def _is_safe() -> bool:
    """Whether no other thread can look for a name while it is out."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def _places(visit: Visit) -> dict[str, tuple[int, int]]:
    """Return where each name is bound first: the index of its statement, and its place among the names of that; those
    of submodules are bound while what imports them first is still running.
    """
    found: dict[str, tuple[int, int]] = {}
    package = f"{visit.work.edit.module}."
    for index, (statement, loaded) in enumerate(loading(visit.swap, visit.work, visit.work.edit.new.statements)):
        below = (name.removeprefix(package) for name in loaded if name.startswith(package))
        for name in below if hasattr(visit.work.module, "__path__") else ():
            found.setdefault(name, (index, -1))
        for place, name in enumerate(_bound(visit, statement)):
            found.setdefault(name, (index, place))
    return found


def _bound(visit: Visit, statement: Statement) -> Sequence[str]:
    if "*" not in statement.binds:
        return statement.binds
    given = [name for source in _follow.star_sources(visit, statement) for name in _follow.public(visit.swap, source)]
    return (*given, *statement.binds)


def _arrange(names: dict[str, Any], order: Sequence[str]) -> None:
    with suppress(KeyError):  # one that has gone meanwhile: the rest stays where it is
        deque(map(names.__setitem__, order, map(names.pop, order)), maxlen=0)
