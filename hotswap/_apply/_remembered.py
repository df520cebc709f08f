"""What is remembered of old code: results in memo caches, on objects, answers of ``isinstance``, choices of generic
functions.
"""

from __future__ import annotations

from functools import cached_property, partial
from types import FunctionType
from typing import TYPE_CHECKING, Any

from hotswap._apply._inside import unwrapped
from hotswap._apply._reach import behaves_otherwise, operates_otherwise
from hotswap._model import How
from hotswap.patch._answers import forget_answers, forget_dispatch
from hotswap.patch._classes import instances, living_at, subclasses
from hotswap.patch._functions import MEMO, memo_caches

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap


def forget(swap: Swap) -> None:
    """Have it forgotten, wherever it is held, once the swap is in effect."""
    if not swap.changes:
        return
    changed = [name for module in swap.works for name in swap.changes.of(module) if "." in name]
    if changed or any("__subclasshook__" in work.edit.new.text for work in swap.works.values()):
        swap.later.insert(0, partial(forget_answers, swap.ready.asking))  # before what is not taken back
    if any(name.endswith(".*") for name in changed):
        swap.later.insert(0, forget_dispatch)
    _clear_caches(swap)
    _tell_computed(swap)


def _clear_caches(swap: Swap) -> None:
    """Clear the memo caches whose functions behave otherwise now."""
    for one in _stale(swap, MEMO):
        inner = getattr(one, "__wrapped__", None)
        work = swap.works.get(getattr(inner, "__module__", None) or "") or next(iter(swap.works.values()))
        swap.later.append(one.cache_clear)
        swap.patched(work, getattr(inner, "__qualname__", ""), How.IN_PLACE, "its cache was cleared")


def forget_results(swap: Swap) -> None:
    """Clear these caches before a statement calls their functions; and if all is undone, what it left in them."""
    stale = _stale(swap, MEMO) if swap.changes else []
    for one in stale:
        swap.journal.do(one.cache_clear, one.cache_clear)
    if stale:
        swap.commit()


def _tell_computed(swap: Swap) -> None:
    """Tell of cached properties that would compute something else now, where objects have what they computed before.

    It is not taken from them: what is computed once for an object may as well be a connection.
    """
    for one in _stale(swap, cached_property):
        function, name = one.func, one.attrname
        found = (cls for owner in _owners(swap).get(_place(function), ()) for cls in subclasses(owner))
        if any(name in getattr(held, "__dict__", ()) for held in instances(*found)):
            work = swap.works.get(function.__module__) or next(iter(swap.works.values()))
            code = function.__code__
            path = work.edit.path if work.edit.module == function.__module__ else code.co_filename
            swap.tell_of(work, path, "HS214", code.co_firstlineno, name=code.co_qualname)


def _caches(swap: Swap) -> list[Any]:
    """Return the caches that there are, as far as anything of the save may reach one."""
    found = {id(one): one for work in swap.works.values() for one in work.caches}
    if not found and swap.memo and swap.memos is None:
        swap.memos = list(memo_caches())
    return list(found.values()) or swap.memos or []


def _stale(swap: Swap, kind: type) -> list[Any]:
    """Return the caches of that kind which would hold something else now."""
    found = [one for one in _caches(swap) if type(one) is kind]
    return [one for one in found if behaves_otherwise(swap, one) or _computes_otherwise(swap, one)]


def _computes_otherwise(swap: Swap, one: Any) -> bool:
    """Whether a cache that is a member of a class does, by what it looks up on its object."""
    function = _function_of(one)
    if function is None or not swap.is_project(function):
        return False
    name = frozenset({function.__name__})
    return any(operates_otherwise(swap, owner, name, calls=True) for owner in _owners(swap).get(_place(function), ()))


def _function_of(one: Any) -> FunctionType | None:
    function = unwrapped(one)
    return function if type(function) is FunctionType else None


def _place(function: FunctionType) -> tuple[str, str]:
    """Return the module and the qualified name of what a function was defined in."""
    return function.__module__, function.__qualname__.rpartition(".")[0]


def _owners(swap: Swap) -> dict[tuple[str, str], list[type]]:
    """Return the live classes of which caches are members, by module and qualified name."""
    if swap.owners is None:
        functions = filter(None, map(_function_of, _caches(swap)))
        wanted = {_place(function) for function in functions if swap.is_project(function)}
        swap.owners = living_at({place for place in wanted if place[1]})
    return swap.owners
