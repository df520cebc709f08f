"""Functions: find those made from a module's text, and give them new code with all that belongs to it.

``__code__`` carries neither defaults nor annotations nor docstring, and its free variables are positional: two code
objects with the same number of them in another order run with the wrong values. So names are compared, never counts.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from operator import call
from types import CellType, CodeType, FunctionType
from typing import Any, Final

from hotswap._journal import MISSING, Journal

CellFor = Callable[[str], CellType | None]

_LAZY_ANNOTATIONS: Final = sys.version_info >= (3, 14)

# `__closure__` is read-only from Python. PyFunction_SetClosure is public C API and checks its argument; PyDLL keeps the
# GIL, so inside one C call no thread can run the function between its two halves.
_set_closure: Final = ctypes.pythonapi.PyFunction_SetClosure
_set_closure.argtypes = [ctypes.py_object, ctypes.py_object]
_set_closure.restype = ctypes.c_int


def live_functions(namespace: dict[str, Any]) -> list[FunctionType]:
    """Return every function, closure and lambda whose globals are `namespace`, by one pass of the garbage collector.

    Functions are always tracked. `gc.freeze` hides objects from the pass, so they are unfrozen for it.
    """
    frozen = gc.get_freeze_count()
    if frozen:
        gc.unfreeze()
    try:
        return [f for f in gc.get_referrers(namespace) if type(f) is FunctionType and f.__globals__ is namespace]
    finally:
        if frozen:
            gc.freeze()


def set_code(journal: Journal, function: FunctionType, code: CodeType, cell_for: CellFor) -> tuple[str, ...]:
    """Record that `function` shall run `code`; return the free variables for which no cell can be had.

    If there are any, nothing is recorded: the function keeps its old code. `cell_for` gives cells that the function does
    not have yet, such as ``__class__`` for a method that gains ``super()``.
    """
    old, closure = function.__code__, function.__closure__
    if old.co_freevars == code.co_freevars:
        journal.do(partial(setattr, function, "__code__", code), partial(_put_back, function, old, closure))
        return ()
    held = dict(zip(old.co_freevars, closure or (), strict=True))
    cells = {name: held.get(name) or cell_for(name) for name in code.co_freevars}
    missing = tuple(name for name, cell in cells.items() if cell is None)
    if not missing:
        journal.do(partial(_set_closure, function, tuple(cells.values()) or None), partial(_put_back, function, old, closure))
        journal.do(partial(setattr, function, "__code__", code), _nothing)
    return missing


def _put_back(function: FunctionType, code: CodeType, closure: tuple[CellType, ...] | None) -> None:
    """Set closure and code in one C call: code must never run with a closure that is too short for it."""
    operations = [partial(_set_closure, function, closure), partial(setattr, function, "__code__", code)]
    deque(map(call, operations), maxlen=0)


def _nothing() -> None:
    """The inverse of an operation that another inverse takes back."""


def set_doc(journal: Journal, function: FunctionType, old: CodeType, new: CodeType) -> None:
    """Record the docstring of `new`, also on wrappers' copies, unless the program has set another one."""
    before, after = doc_of(old), doc_of(new)
    if before != after and function.__doc__ == before:
        journal.set_attribute(function, "__doc__", after)


def doc_of(code: CodeType) -> str | None:
    """Return the docstring that CPython gives to a function of `code` (its place in the constants differs by version)."""
    cells = tuple(CellType() for _ in code.co_freevars)
    return FunctionType(code, {}, closure=cells or None).__doc__


def set_header(journal: Journal, function: FunctionType, fresh: FunctionType) -> None:
    """Record on `function` what evaluating its ``def`` anew gave: defaults, annotations, type parameters."""
    for name in ("__defaults__", "__kwdefaults__", "__type_params__"):
        value = getattr(fresh, name, MISSING)
        if value is not MISSING and value != getattr(function, name):
            journal.set_attribute(function, name, value)
    if _LAZY_ANNOTATIONS:
        journal.set_attribute(function, "__annotate__", fresh.__annotate__)
    elif fresh.__annotations__ != function.__annotations__:
        journal.set_attribute(function, "__annotations__", fresh.__annotations__)


def copies(value: object, function: FunctionType) -> Iterator[FunctionType]:
    """Yield the wrappers around `function` that `functools.wraps` made, starting from `value`, outermost first."""
    seen: set[int] = set()
    found: list[FunctionType] = []
    while value is not function and id(value) not in seen:
        seen.add(id(value))
        if type(value) is FunctionType:
            found.append(value)
        value = _attribute(value, "__wrapped__")
    if value is function:
        yield from found


def _attribute(value: object, name: str) -> object:
    """Read an instance attribute without running code of the program."""
    try:
        return object.__getattribute__(value, "__dict__").get(name)
    except (AttributeError, TypeError):
        return None


def set_copied(journal: Journal, wrapper: FunctionType, function: FunctionType, fresh: FunctionType, doc: str | None) -> None:
    """Record on a wrapper what `functools.wraps` copied from `function`, where the copy is still what it copied."""
    if wrapper.__doc__ == function.__doc__ and doc != function.__doc__:
        journal.set_attribute(wrapper, "__doc__", doc)
    if _LAZY_ANNOTATIONS:
        if wrapper.__annotate__ is function.__annotate__:
            journal.set_attribute(wrapper, "__annotate__", fresh.__annotate__)
    elif wrapper.__annotations__ == function.__annotations__ and fresh.__annotations__ != function.__annotations__:
        journal.set_attribute(wrapper, "__annotations__", fresh.__annotations__)
    if getattr(wrapper, "__type_params__", ()) == getattr(function, "__type_params__", ()) != getattr(fresh, "__type_params__", ()):
        journal.set_attribute(wrapper, "__type_params__", fresh.__type_params__)  # type: ignore[attr-defined]  # 3.12+


def caches_around(value: object, function: FunctionType) -> Iterator[Any]:
    """Yield the `functools` memo caches on the chain of wrappers from `value` to `function`."""
    seen: set[int] = set()
    while value is not None and value is not function and id(value) not in seen:
        seen.add(id(value))
        if type(value).__name__ == "_lru_cache_wrapper" and type(value).__module__ == "functools":
            yield value
        value = _attribute(value, "__wrapped__")
