"""Methods that a class decorator has put a wrapper around: it gets them bare once more, as from a class body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import TYPE_CHECKING

from hotswap._apply._defined import functions_in
from hotswap._apply._uses import stored
from hotswap._model import Kind, Pair
from hotswap.patch._classes import IMPLICIT, set_members
from hotswap.patch._proxies import forward

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap
    from hotswap._apply._visit import Visit


def take_off(visit: Visit, pair: Pair, live: type, before: Mapping[str, FunctionType]) -> dict[str, object]:
    """Give `live` the functions that its text defines in the place of what wraps them, and what it inherits in that of
    what decorators, among what was called for it `before`, have made of it; return the wrappers by name.
    """
    found: dict[str, object] = {}
    inner = pair.inner
    for one in (*inner.unchanged, *inner.changed) if inner is not None else ():
        name = one.new.binds[-1] if one.new.kind is Kind.DEF else ""
        held = vars(live).get(name)
        raws = visit.work.functions.get((f"{visit.named(pair.old)}.{name}", one.old.lineno), [])
        wrapped = held is not None and len(raws) == 1 and held is not raws[0] and raws[0] in functions_in(held)
        implied = name in IMPLICIT and getattr(held, "__func__", None) in raws  # as the class body itself wraps it
        if wrapped and not implied and not getattr(one.new.node, "decorator_list", ()):
            found[name] = held
            set_members(visit.swap.journal, live, {name: raws[0]})
    for name in set_by(before, pair, live):
        found[name] = vars(live)[name]
        visit.swap.journal.del_member(live, name)
    visit.swap.commit()
    return found


def set_by(before: Mapping[str, FunctionType], pair: Pair, live: type) -> Iterator[str]:
    """Yield the members of `live` that decorators, among what was called for it `before`, set and its body does not:
    it inherits what they read there.
    """
    decorators = [one for who, one in before.items() if who.startswith("@")]
    stated = {name for side in (pair.old, pair.new) for child in side.children for name in child.binds}
    for name in dict.fromkeys(name for one in decorators for name in stored(one.__code__)):
        is_special = name[:2] == name[-2:] == "__" and type(vars(live).get(name)) is not FunctionType
        if name in vars(live) and name not in stated and not is_special and hasattr(super(live, live), name):
            yield name


def lead(swap: Swap, live: type, wrapped: dict[str, object]) -> None:
    """Lead who holds a wrapper to the one that took its place."""
    for name, old in wrapped.items():
        new = vars(live).get(name)
        if type(old) is FunctionType and type(new) is FunctionType and new is not old and swap.is_project(old):
            if old not in functions_in(new):
                forward(swap.journal, old, new)
                swap.forwarded.add(old)
