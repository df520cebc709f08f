"""Tables in which a hook notes classes, and that the save made anew: it is called once more for those that exist."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

from hotswap._apply._uses import use_of
from hotswap._model import Kind
from hotswap._run._journal import CONTAINERS
from hotswap._run._values import attribute

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap


def were_lost(swap: Swap, hook: object) -> bool:
    """Whether all that is otherwise for `hook` is that its tables were made anew; it has no others to fill twice."""
    swap.commit()
    function = attribute(hook, "__func__", hook)
    if type(function) is not FunctionType or function.__code__ in swap.changes.codes:
        return False
    names, module, changes = function.__globals__, str(function.__globals__.get("__name__")), swap.changes
    chains = use_of(function.__code__).chains
    tables = {chain for chain in chains if type(names.get(chain)) in CONTAINERS}
    if not tables or any(type(changes.old(module, one)) not in CONTAINERS for one in tables):
        return False
    others = (chain for chain in chains if chain.partition(".")[0] not in tables)
    return not any(changes.reads(names, module, chain, altered=False) for chain in others)


def made_before(swap: Swap, classes: list[Any]) -> tuple[Any, ...]:
    """Return those of `classes` whose statements did not run in this save: the hook was not called for them."""
    ran = {(name, s.binds[-1]) for name, work in swap.works.items() for s in work.log.ran if s.kind is Kind.CLASS}
    return tuple(one for one in classes if (one.__module__, one.__qualname__) not in ran)
