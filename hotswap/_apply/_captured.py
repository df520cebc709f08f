"""Old values that the program still holds: in objects, closures and containers, where no name says that they are old.

A name stands for another object now, and who reads the name has that. Who took the old object in before, as
``self.settings = SETTINGS`` did, keeps it. This is asked after a swap has let go of everything, so that the reference
count answers for nearly all values. Numbers, strings and tuples are left out: an equal one may come from anywhere.
"""

from __future__ import annotations

import ast
import gc
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import BuiltinFunctionType, CellType, FrameType, FunctionType, ModuleType
from typing import Final

from hotswap._apply._remaking import TAKES
from hotswap._apply._swap import Swap
from hotswap._findings import finding
from hotswap._model import Finding, Kind, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import attributes_of, immutable, is_a, stateless

_NEVER: Final = (type, ModuleType, FunctionType, BuiltinFunctionType, tuple, frozenset)
_CONTAINERS: Final = (list, dict, set)
_MOST: Final = 2000
"""So many objects are looked through for what belongs to a value itself, as the children that know their parent."""
_SHOWN: Final = 3
_ALONE: Final = 2
"""References that a value has which nobody holds: the entry's own, and the argument's."""


@dataclass(slots=True)
class Old:
    """A value that a statement made, and another one took the place of. `kept` are ids of what was told as kept."""

    path: str
    lineno: int
    name: str
    value: object
    kept: frozenset[int]


def replaced_values(swap: Swap) -> list[Old]:
    """Return the values with an identity that names of the module had, and have no more."""
    kept = frozenset(swap.kept)
    found = []
    for module, work in swap.works.items():
        for name, value in swap.changes.of(module).items():
            made = _made_by(name, work.edit.old.statements) if _counts(name, value) else None
            if made is not None and work.scope.peek(name) is not MISSING:
                found.append(Old(work.edit.path, work.line_of(name), name, value, kept))
    return found


def _counts(name: str, value: object) -> bool:
    if value is MISSING or "." in name or name.startswith("__") or is_a(value, _NEVER) or immutable(value):
        return False
    return type(value) in _CONTAINERS or not stateless(value)


def _made_by(name: str, statements: Iterable[Statement]) -> Statement | None:
    """Return the statement that made the value of `name`; None if it took an object that was there."""
    found = None
    for statement in statements:
        if name in statement.binds:
            inner = _made_by(name, statement.children) if statement.kind is Kind.SUITE else None
            makes = isinstance(statement.node, ast.Assign | ast.AnnAssign)
            found = inner or (statement if makes and not isinstance(statement.node.value, TAKES) else None)  # type: ignore[attr-defined]  # both have one
    return found


def tell(olds: list[Old], is_ours: Callable[[str], bool]) -> Iterator[Finding]:
    """Yield a finding for each of `olds` that the program still holds; `is_ours` says it of a module's name."""
    if all(sys.getrefcount(old.value) <= _ALONE for old in olds):
        return
    own = {id(one): one for old in olds for one in _belonging(old.value)}
    among = Counter(id(one) for holder in own.values() for one in gc.get_referents(holder))
    suspects = [old for old in olds if sys.getrefcount(old.value) > _ALONE + 1 + among[id(old.value)]]  # `own` holds it
    skip = {id(one) for one in (*olds, olds, suspects, own)} | own.keys()
    if not any(_holders(old, skip, is_ours) for old in suspects):
        return
    gc.collect()  # it may be garbage that holds them; that takes longer than to look who does
    for old in suspects:
        holders = _holders(old, skip, is_ours)
        if holders:
            where = ", ".join(f"{count} {kind}" for kind, count in Counter(holders).most_common(_SHOWN))
            yield finding("HS219", old.path, old.lineno, name=old.name, where=where)


def _holders(old: Old, skip: AbstractSet[int], is_ours: Callable[[str], bool]) -> list[str]:
    """Return what holds the value, by kind; nothing if it is a value of the program still, under another name.

    `skip` are the ids of what is ours, or goes with one of the values: who holds that is told of it.
    """
    value = old.value
    found = []
    for holder in gc.get_referrers(value):
        if id(holder) in skip or is_a(holder, FrameType) or id(holder) in old.kept:
            continue
        owner = _owner(holder)
        if is_a(owner, ModuleType):
            return []
        if id(owner) not in old.kept and (_is_made_here(value, is_ours) or _is_made_here(owner, is_ours)):
            found.append(_kind(owner))
    return found


def _belonging(value: object) -> list[object]:
    """Return what is reached from `value` alone, which may refer back to it, and `value`."""
    seen = {id(value)}
    found = [value]
    for one in found:
        if len(found) >= _MOST:
            break
        for inner in gc.get_referents(one):
            if id(inner) not in seen and not is_a(inner, _NEVER):
                seen.add(id(inner))
                found.append(inner)
    return found


def _owner(holder: object) -> object:
    """Return the module or object whose namespace `holder` is, else `holder`."""
    if type(holder) is not dict:
        return holder
    module = sys.modules.get(str(holder.get("__name__")))
    if module is not None and vars(module) is holder:
        return module
    return next((one for one in gc.get_referrers(holder) if attributes_of(one) is holder), holder)


def _is_made_here(value: object, is_ours: Callable[[str], bool]) -> bool:
    """Whether `value` is of a class of the program, or a plain container; others may be held by their own library."""
    return type(value) in (*_CONTAINERS, CellType) or is_ours(type(value).__module__)


def _kind(holder: object) -> str:
    if type(holder) is CellType:
        return "closure"
    cls = type(holder)
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
