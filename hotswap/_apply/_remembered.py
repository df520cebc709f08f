"""What is remembered of old code: results in memo caches, answers of ``isinstance``, choices of generic functions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from hotswap._apply._reach import behaves_otherwise
from hotswap._model import How
from hotswap.patch._answers import forget_answers, forget_dispatch
from hotswap.patch._functions import memo_caches

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap


def forget(swap: Swap) -> None:
    """Have it forgotten, wherever it is held, once the swap is in effect."""
    if not swap.changes:
        return
    changed = [name for module in swap.works for name in swap.changes.of(module) if "." in name]
    if changed or any("__subclasshook__" in work.edit.new.text for work in swap.works.values()):
        swap.later.append(partial(forget_answers, swap.ready.asking))
    if any(name.endswith(".*") for name in changed):
        swap.later.append(forget_dispatch)
    _clear_caches(swap)


def _clear_caches(swap: Swap) -> None:
    """Clear the memo caches whose functions behave otherwise now."""
    for one in _stale_caches(swap):
        inner = getattr(one, "__wrapped__", None)
        work = swap.works.get(getattr(inner, "__module__", None) or "") or next(iter(swap.works.values()))
        swap.later.append(one.cache_clear)
        swap.patched(work, getattr(inner, "__qualname__", ""), How.IN_PLACE, "its cache was cleared")


def forget_results(swap: Swap) -> None:
    """Clear these caches before a statement calls their functions; and if all is undone, what it left in them."""
    stale = _stale_caches(swap) if swap.changes else []
    for one in stale:
        swap.journal.do(one.cache_clear, one.cache_clear)
    if stale:
        swap.commit()


def _stale_caches(swap: Swap) -> list[Any]:
    found = {id(one): one for work in swap.works.values() for one in work.caches}
    if not found and swap.memo and swap.memos is None:
        swap.memos = list(memo_caches())
    return [one for one in found.values() or swap.memos or () if behaves_otherwise(swap, one)]
