"""Enums: members stay the objects that they are; one that left and comes back is the one that it was."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from hotswap._apply import _counted
from hotswap._apply._adapter import ClassEdit
from hotswap._apply._departed import Departed
from hotswap._model import Kind, Pair, Statement
from hotswap.patch import _generated
from hotswap.patch._proxies import forward

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit


def merge(visit: Visit, pair: Pair, edit: ClassEdit, *, anew: bool) -> None:
    """Bring an enum to what it is when made aside from its new text; with `anew`, all members are made otherwise."""
    swap, name = visit.swap, visit.named(pair.new)
    live, fresh = edit.cls, edit.fresh
    gone = [m for key, m in live._member_map_.items() if key not in fresh._member_map_ and m._name_ == key]
    _counted.tell_values(visit, pair, live, fresh)
    swap.tables += _generated.tables_of(live)
    back = {key: one for key in fresh._member_map_ if (one := _that_left(visit, f"{name}.{key}")) is not None}
    for old, new in _generated.merge_enum(swap.journal, live, fresh, edit.names, back, anew=anew):
        swap.replaced.append((visit.work, f"{name}.{old._name_}", old, new))
    for member in gone:
        _note_left(visit, f"{name}.{member._name_}", member, pair.old)
        swap.removed.append((visit.work, pair.new.lineno, f"{name}.{member._name_}", member))
    swap.commit()
    _lead_methods(visit, pair, live)
    _generated.let_go(fresh)


def _lead_methods(visit: Visit, pair: Pair, live: type) -> None:
    """Have methods that became something else that is called, as a class, lead to that."""
    for one in pair.inner.removed if pair.inner is not None else ():
        now = vars(live).get(one.binds[-1]) if one.kind is Kind.DEF else None
        place = f"{visit.named(pair.new)}.{one.binds[-1]}" if callable(now) else ""
        for raw in visit.work.functions.get((place, one.lineno), ()):
            forward(visit.swap.journal, raw, now)


def _note_left(visit: Visit, name: str, member: object, statement: Statement) -> None:
    """Note a member that leaves an enum, as far as it can be referred to weakly: it may come back."""
    if type(member).__weakrefoffset__:
        visit.swap.left.append(Departed(visit.work.edit.module, name, weakref.ref(member), statement))


def _that_left(visit: Visit, name: str) -> object:
    """Return the member of an enum that left it under that name lately; None if nobody has it."""
    known = visit.swap.departed.get((visit.work.edit.module, name))
    return known.ref() if known is not None else None
