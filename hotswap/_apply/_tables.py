"""The program's own registries: lists and dicts that its decorators and functions put what they are handed in.

A statement that registers calls code of the project, and that code names, holds or belongs to what it stores into. If
such a container has what the statement handed over, the entry is the statement's: it leaves with it, and what the
statement makes in its new text takes the place of the entry. Libraries have adapters for that.
"""

from __future__ import annotations

import dis
import inspect
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from types import BuiltinMethodType, CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

from hotswap._apply import _noting
from hotswap._apply._books import Claim, Same, entries_of, fill
from hotswap._model import Kind
from hotswap._run._journal import MISSING
from hotswap._run._values import attribute, immutable, is_a
from hotswap._text._diff import is_documented_anew, out_of_order
from hotswap.patch._functions import MEMO

if TYPE_CHECKING:
    from hotswap._apply._registrations import Registrations
    from hotswap._apply._swap import Swap
    from hotswap._apply._work import Work
    from hotswap._model import Statement

_NOTE: Final = "tables"
_DEEP: Final = 3
_MAKERS: Final = ("__init__", "__new__", "__call__")
_ADDING: Final = frozenset({"append", "extend", "insert", "setdefault", "update"})
_ORDERING: Final = frozenset({"sort", "sorted", "insort", "insort_left", "insort_right", "heappush"})
_RAISES: Final = dis.opmap["RAISE_VARARGS"]
_SETS: Final = dis.opmap["STORE_SUBSCR"]


def watch(swap: Swap, registrations: Registrations) -> None:
    """Watch the containers that have what statements registered which leave, may run again, or have new ones beside."""
    found = registrations.notes.setdefault(_NOTE, {})
    edits = [work.edit for work in swap.works.values() if work.edit.edited]
    concerned = swap.maybe | {id(pair.new) for edit in edits for pair in out_of_order(edit.diff)}
    concerned |= {id(pair.new) for edit in edits for pair in edit.diff.changed if is_documented_anew(pair)}
    coming = {(edit.module, called) for edit in edits for one in edit.diff.added for called in one.calls}
    for claim in registrations.claims:
        beside = any((claim.work.edit.module, called) in coming for called in claim.old.calls)  # its entry has a place
        if beside or (claim.old.kind is not Kind.CLASS and (claim.leaves or id(claim.new) in concerned)):
            for container in _containers(swap, claim):
                found[id(container)] = container
                if type(container) is list:
                    registrations.watch(container, _objects, sorts=_sorts(swap, claim))
                else:  # a dict does not show that an entry was set once more, as it was
                    registrations.watch(container, _objects_in_dict, withdraw=claim.new is not None or _refuses(claim))


def arrange(registrations: Registrations) -> None:
    """Put what came at its place."""
    for container in registrations.notes.get(_NOTE, {}).values():
        registrations.arrange(container)


def take_out(swap: Swap, work: Work, statement: Statement) -> None:
    """Record that the object leaves the containers of what made it which an assignment bound that left the text."""
    name = statement.binds[-1] if len(statement.binds) == 1 else ""
    held = work.before.get(name, MISSING)
    home = sys.modules.get(type(held).__module__)
    if not statement.calls or name in work.names_now or home is None or not swap.is_project(home):
        return
    for container in _containers(swap, Claim(work, statement, None, (held,), leaves=True)):
        before = entries_of(container)
        find = _objects_in_dict if type(container) is dict else _objects
        wanted = [entry for entry in before if not any(one is held for one in find(entry))]
        swap.journal.do(partial(fill, container, wanted), partial(fill, container, before))


def _containers(swap: Swap, claim: Claim) -> Iterator[Any]:
    """Yield the lists and dicts behind what the statement calls that have an object of its."""
    if not any(_stores(swap, one, _DEEP) for name in claim.old.calls for one in _called(claim, name)):
        return
    for container in _noting.containers(swap, claim.work.scope, claim.old, reaching=True):
        if type(container) is list and _has_of(claim, (one for entry in container for one in _objects(entry))):
            if len(set(map(id, container))) == len(container):  # what stands there twice has no place of its own
                yield container
        elif type(container) is dict and "__builtins__" not in container:
            if _has_of(claim, (one for item in list(container.items()) for one in _objects_in_dict(item))):
                yield container


def _has_of(claim: Claim, found: Iterable[object]) -> bool:
    """Whether objects of a container are what a statement handed over. Texts and numbers that a loop goes over may be
    in others by chance: of these it takes half.
    """
    objects, plain = Same(claim.objects), {id(one) for one in claim.over if immutable(one)}
    ours = {id(one) for one in found if one in objects}
    return bool(ours - plain) or 2 * len(ours) >= len(plain) > 0


def _called(claim: Claim, name: str) -> Iterator[object]:
    """Yield the functions behind what the statement calls by `name`: of a class those that make an object."""
    owner, _, method = name.rpartition(".")
    value = _noting.held(claim.work.scope, name)
    if value is MISSING and owner:
        value = inspect.getattr_static(_noting.held(claim.work.scope, owner), method, MISSING)
    made = [vars(value).get(one) for one in _MAKERS] if is_a(value, type) else [value, _call_of(value)]
    yield from (getattr(one, "__func__", one) for one in made)


def _call_of(value: object) -> object:
    """Return the function that a call of an object runs, None if its class has none."""
    return next((vars(base)["__call__"] for base in type(value).__mro__[:-1] if "__call__" in vars(base)), None)


def _stores(swap: Swap, value: object, depth: int) -> bool:
    """Whether a function of the project, or one of its that it names, may put something into a list or dict."""
    codes = _codes_behind(swap, value, depth)
    return any(_ADDING & {*code.co_names} or _SETS in code.co_code[::2] for code in codes)


def _sorts(swap: Swap, claim: Claim) -> bool:
    """Whether what the statement calls puts things in an order of their own, which is not that of the text."""
    called = (one for name in claim.old.calls for one in _called(claim, name))
    return any(_ORDERING & {*code.co_names} for one in called for code in _codes_behind(swap, one, _DEEP))


def _codes_behind(swap: Swap, value: object, depth: int) -> Iterator[CodeType]:
    """Yield the code of a function of the project, and of those of its that it names."""
    if type(value) is not FunctionType or not swap.is_project(value) or not depth:
        return
    codes = list(_codes(value.__code__))
    yield from codes
    for one in (value.__globals__.get(name) for code in codes for name in code.co_names):
        if one is not value:
            yield from _codes_behind(swap, one, depth - 1)


def _refuses(claim: Claim) -> bool:
    """Whether what the statement calls may raise, as registries do that take a name but once."""
    called = [one for name in claim.old.calls for one in _called(claim, name) if type(one) is FunctionType]
    return any(_RAISES in code.co_code[::2] for one in called for code in _codes(one.__code__))


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)


def _objects(entry: object) -> tuple[object, ...]:
    """Return what an entry stands for: itself, what is in it, the function whose memo cache it is a method of."""
    owner = entry.__self__ if type(entry) is BuiltinMethodType else None
    if type(owner) is MEMO:
        return (entry, owner, attribute(owner, "__wrapped__"))
    return (entry, *entry) if type(entry) is tuple else (entry,)


def _objects_in_dict(item: tuple[object, object]) -> tuple[object, ...]:
    return (item[0], *_objects(item[1]))
