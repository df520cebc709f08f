"""What another header leaves behind: attributes that a decorator or hook of the old one set, entries in registries.

A decorator that left the text set attributes on the class, and so did ``__init_subclass__`` of a base that is none any
more; a fresh class would not have them. Their code names what they set, so these go, and what the new header calls sets
its own. Registries that get the class once more while they have it already lose the second entry; if they hold
anything else twice, that is told.
"""

from __future__ import annotations

import ast
import builtins
import dis
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

from hotswap._apply import _collectors, _generate
from hotswap._apply._reach import stored
from hotswap._model import Pair
from hotswap._run._journal import CONTAINERS, MISSING
from hotswap._run._values import attribute
from hotswap.patch import _generated
from hotswap.patch._classes import containers

if TYPE_CHECKING:
    from hotswap._apply._header import Header
    from hotswap._apply._visit import Visit

_HARMLESS: Final = frozenset(("setattr", "getattr", "hasattr", "delattr", "isinstance", "issubclass", "type", "super"))
_STORES: Final = frozenset(("STORE_GLOBAL", "STORE_SUBSCR", "DELETE_SUBSCR", "STORE_DEREF"))


def called_for(visit: Visit, node: ast.stmt, bases: Iterable[type]) -> dict[str, FunctionType]:
    """Return what runs for a class with the header of `node`, that is, with `bases`: decorators, and their hooks."""
    found: dict[str, FunctionType] = {}
    for base in dict.fromkeys(above for one in bases for above in one.__mro__):
        hook = vars(base).get(_collectors.HOOK)
        raw = attribute(hook, "__func__", hook)
        if type(raw) is FunctionType:
            found[f"{_collectors.HOOK} of {base.__name__}"] = raw
    for decorator in getattr(node, "decorator_list", ()):
        called: Any = _generate.called(visit, decorator)
        if type(called) is FunctionType:
            found[f"@{ast.unparse(decorator)}"] = called
    return found


def let_go(visit: Visit, pair: Pair, live: type, header: Header, before: dict[str, FunctionType]) -> None:
    """Record that the attributes go which what ran `before`, and belongs to the `header` no more, had set on `live`."""
    after = called_for(visit, pair.new.node, header.bases)
    gone = {who: function for who, function in before.items() if after.get(who) is not function}
    stated = {name for side in (pair.old, pair.new) for child in side.children for name in child.binds}
    for who, function in gone.items():
        for name in {*stored(function.__code__), *_derived(who, live, after)} - stated:
            if name in vars(live):
                visit.swap.journal.del_member(live, name)
        if who not in after and _reaches_out(function.__code__) and not _is_standard(function):
            visit.swap.tell(visit.work, "HS203", pair.old.lineno, name=f"what {who} did for {visit.named(pair.new)}")


def _derived(who: str, live: type, after: dict[str, FunctionType]) -> Iterator[str]:
    """Yield the comparisons that ``total_ordering`` derived, if that is what left."""
    if "total_ordering" in who and not any("total_ordering" in other for other in after):
        yield from (n for n in _generated.ORDER if getattr(vars(live).get(n), "__module__", "") == "functools")


def _is_standard(function: FunctionType) -> bool:
    return _collectors.is_known(function)


def _reaches_out(code: CodeType) -> bool:
    """Whether code may have done more than set attributes: it stores elsewhere, or calls something."""
    names = {name for name in code.co_names if name not in _HARMLESS and not hasattr(builtins, name)}
    calls = any(step.opname.startswith("CALL") for step in dis.get_instructions(code))
    stores = any(step.opname in _STORES for step in dis.get_instructions(code))
    inner = any(_reaches_out(const) for const in code.co_consts if isinstance(const, CodeType))
    return stores or inner or (calls and bool(names - {*stored(code), "__init_subclass__", "__name__"}))


class Registries:
    """The containers in which what runs for a class once more may note it, with what they hold now."""

    def __init__(self, visit: Visit, pair: Pair, live: type, before: dict[str, FunctionType]) -> None:
        after = called_for(visit, pair.new.node, live.__bases__)
        again = {who: function for who, function in after.items() if before.get(who) is function}
        found = list(containers(live)) if any(who.startswith(_collectors.HOOK) for who in again) else []
        for function in again.values():
            found += (function.__globals__.get(name, MISSING) for name in function.__code__.co_names)
        every = {id(one): one for one in found if type(one) in CONTAINERS}
        self._noted = [(one, list(one)) for one in every.values()]
        self._live = live

    def settle(self) -> bool:
        """Take the class out of lists that have it twice now; return whether anything else was noted once more."""
        for one, items in self._noted:
            added = list(one)[len(items) :] if type(one) is list else []
            if added and all(item is self._live for item in added) and any(item is self._live for item in items):
                del one[len(items) :]
        return any(len(one) != len(items) for one, items in self._noted)
