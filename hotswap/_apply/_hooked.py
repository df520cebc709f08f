"""Classes that were made before one above them got an ``__init_subclass__``: it is called for them at their place.

A fresh start calls it for each of them, and nobody has called it so far: they are noted once. Where it refuses them, as
it wants a keyword or knows them already, this is told. A hook that took the place of another one is not called again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hotswap._apply import _collectors, _noting
from hotswap._run._journal import CONTAINERS
from hotswap._run._values import is_a
from hotswap.patch._classes import guard, subclasses

if TYPE_CHECKING:
    from hotswap._apply._swap import Hooked, Swap, Work
    from hotswap._apply._visit import Visit
    from hotswap._model import Statement


def call_above(visit: Visit, statement: Statement) -> None:
    """Call what was expected for the classes that stand above `statement`, which is about to run, or elsewhere."""
    if visit.swap.hooked and not visit.scope.prefix:
        above = {one.binds[-1] for one in visit.work.edit.new.statements if one.binds and one.lineno < statement.lineno}
        for hooked in visit.swap.hooked:
            ready = [one for one in hooked.below if _stands_above(visit, one, above)]
            _call(visit.swap, hooked, ready)


def call_for_all(swap: Swap) -> None:
    """Call what was expected for all other classes; tell of those that refused."""
    for hooked in swap.hooked:
        _call(swap, hooked, hooked.below)
        if hooked.refused:
            _collectors.tell_older_hook(swap, hooked, len(hooked.refused))


def tell_left(swap: Swap, work: Work, name: str, old: type, value: object) -> None:
    """Tell of classes below `old` for which its hook was called, if `value` takes its place and has none."""
    hook = _collectors.HOOK
    found = sum(one is not old and _collectors.is_named(one) for one in subclasses(old)) if hook in vars(old) else 0
    if found and not (is_a(value, type) and hook in vars(value)):
        swap.tell(work, "HS229", work.line_of(name), name=f"{name}.{hook}", count=found, what="classes")


def _stands_above(visit: Visit, one: type, above: set[str]) -> bool:
    if one.__module__ == visit.work.edit.module:
        return one.__qualname__.partition(".")[0] in above
    return one.__module__ not in visit.swap.unvisited and one.__module__ not in visit.swap.under_way


def _call(swap: Swap, hooked: Hooked, classes: Sequence[type]) -> None:
    left = [one for one in classes if id(one) not in swap.initialised and _collectors.is_named(one)]
    if not left:
        return
    swap.commit()
    own = vars(hooked.live)[_collectors.HOOK]
    names = getattr(own, "__func__", own).__globals__
    before = {name: len(value) for name, value in names.items() if type(value) in CONTAINERS}
    with swap.journal.noting(_noting.reached(swap, own, *left, calls=_collectors.HOOK)):
        hooked.refused.extend(one for one in left if not _called(swap, one))
    for name in (name for name, size in before.items() if len(names[name]) != size):
        swap.following.alter(str(names.get("__name__")), name, names[name])
        swap.too_early = True


def _called(swap: Swap, one: Any) -> bool:
    swap.initialised.add(id(one))
    guard(swap.journal, one)
    try:
        super(one, one).__init_subclass__()
    except Exception:  # noqa: BLE001  told
        return False
    return True
