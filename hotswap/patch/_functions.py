"""Functions: find those made from a module's text, and give them new code with all that belongs to it.

``__code__`` carries neither defaults nor annotations nor docstring, and its free variables are positional: two code
objects with the same number of them in another order run with the wrong values. So names are compared, never counts.
"""

from __future__ import annotations

import ast
import ctypes
import functools
import inspect
import sys
import sysconfig
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import call
from types import CellType, CodeType, FunctionType
from typing import Any, Final
from weakref import WeakSet

from hotswap._run._journal import MISSING, Journal, Operation, nothing
from hotswap._run._values import attribute, attributes_of
from hotswap.patch._heap import referrers

FORWARDING: Final = "<hotswap>"
"""The file name in the code of a function that only calls another: see `_proxies`."""

MEMO: Final[type] = type(functools.cache(lambda: None))
_CACHES: Final[tuple[type, ...]] = (MEMO, functools.cached_property)
DEPARTED: Final[WeakSet[FunctionType]] = WeakSet()
"""Functions whose definition left its text while somebody has them: others may stand on their lines by now."""

STRAYS: Final[WeakSet[FunctionType]] = WeakSet()
"""Closures that an edit came by. Their code need not be what is inside the function that makes such: it was compiled
for them, or is old, as where a cell is missing. So no count of references tells of them.
"""

CellFor = Callable[[str], CellType | None]

_SORTS: Final = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_IGNORED: Final = ("ignore", None, DeprecationWarning, None, 0)

_LAZY_ANNOTATIONS: Final = sys.version_info >= (3, 14)

# `__closure__` is read-only from Python. PyFunction_SetClosure is public C API and checks its argument; PyDLL keeps the
# GIL, so inside one C call no thread can run the function between its two halves.
_set_closure: Final = ctypes.pythonapi.PyFunction_SetClosure
_set_closure.argtypes = [ctypes.py_object, ctypes.py_object]
_set_closure.restype = ctypes.c_int


def live_functions(namespace: dict[str, Any], caches: list[Any] | None = None) -> list[FunctionType]:
    """Return every function, closure and lambda whose globals are `namespace`; see `live_functions_of`."""
    return live_functions_of([namespace], caches)[0]


def live_functions_of(
    namespaces: Sequence[dict[str, Any]], caches: list[Any] | None = None
) -> list[list[FunctionType]]:
    """Return, for each of `namespaces`, every function whose globals it is, by one pass of the garbage collector.

    Functions are always tracked. The process's `memo_caches`, which the same pass finds as they refer to their type,
    are added to `caches`.
    """
    found = referrers(*namespaces) if caches is None else referrers(*namespaces, *_CACHES)
    if caches is not None:
        caches += (one for one in found if type(one) in _CACHES)
    functions: dict[int, list[FunctionType]] = {id(namespace): [] for namespace in namespaces}
    for one in found:
        if type(one) is FunctionType and (own := functions.get(id(one.__globals__))) is not None:
            own.append(one)
    return [functions[id(namespace)] for namespace in namespaces]


def memo_caches() -> list[Any]:
    """Return every memo cache of `functools` in the process, and every property that computes its values once."""
    return [one for one in referrers(*_CACHES) if type(one) in _CACHES]


def set_code(journal: Journal, function: FunctionType, code: CodeType, cell_for: CellFor) -> tuple[str, ...]:
    """Record that `function` shall run `code`; return the free variables for which no cell can be had.

    If there are any, nothing is recorded: the function keeps its old code. `cell_for` gives cells that the function
    does not have yet, such as ``__class__`` for a method that gains ``super()``.
    """
    old, closure = function.__code__, function.__closure__
    if old.co_filename == FORWARDING != code.co_filename:  # it is a function of its own again
        _unmark_forwarder(journal, function)
    if old.co_freevars == code.co_freevars:
        _do_all(journal, _assign(function, code), partial(_put_back, function, old, closure))
        return ()
    held = dict(zip(old.co_freevars, closure or (), strict=True))
    cells = {name: held.get(name) or cell_for(name) for name in code.co_freevars}
    missing = tuple(name for name, cell in cells.items() if cell is None)
    if not missing:
        operations: list[Operation] = [
            partial(_set_closure, function, tuple(cells.values()) or None),
            *_assign(function, code),
        ]
        _do_all(journal, operations, partial(_put_back, function, old, closure))
    return missing


def _unmark_forwarder(journal: Journal, function: FunctionType) -> None:
    """Record that the marks go which `function` has of the one that it forwards to."""
    target = function.__dict__.get("__wrapped__")
    given = vars(target) if type(target) is FunctionType else {}
    for name in ["__wrapped__", *(n for n, mark in given.items() if vars(function).get(n, MISSING) is mark)]:
        journal.del_item(function.__dict__, name)


def _do_all(journal: Journal, operations: list[Operation], inverse: Operation) -> None:
    journal.do(operations[0], inverse)
    for operation in operations[1:]:
        journal.do(operation, nothing)


def _assign(function: FunctionType, code: CodeType) -> list[Operation]:
    """Return what gives `function` its code, without the warning of 3.14 where its sort changes.

    Where warnings are errors, that one would end a wave in its middle; so the filter is in place for the moment.
    """
    put = partial(setattr, function, "__code__", code)
    if not (function.__code__.co_flags ^ code.co_flags) & _SORTS:
        return [put]
    filters: Any = warnings.filters
    return [partial(filters.insert, 0, _IGNORED), put, partial(filters.remove, _IGNORED)]


def _put_back(function: FunctionType, code: CodeType, closure: tuple[CellType, ...] | None) -> None:
    """Set closure and code in one C call: code must never run with a closure that is too short for it."""
    operations: list[Operation] = [partial(_set_closure, function, closure), *_assign(function, code)]
    deque(map(call, operations), maxlen=0)


def set_doc(journal: Journal, function: FunctionType, old: CodeType, new: CodeType) -> tuple[str | None, str | None]:
    """Record the docstring of `new`, unless the program has set another one; return both, for `set_copied_doc`."""
    before, after = doc_of(old), doc_of(new)
    if before != after and function.__doc__ == before:
        journal.set_attribute(function, "__doc__", after)
    return before, after


def doc_of(code: CodeType) -> str | None:
    """Return the docstring that CPython gives to a function of `code` (its place in the constants differs by
    version).
    """
    cells = tuple(CellType() for _ in code.co_freevars)
    return FunctionType(code, {}, closure=cells or None).__doc__


EXACT_COUNTS: Final = not sysconfig.get_config_var("Py_GIL_DISABLED")
"""Whether `sys.getrefcount` says how many hold an object: without a GIL it does not."""
_MARKS = {"__isabstractmethod__", "__final__", "__override__", "__deprecated__"}


def set_header(journal: Journal, function: FunctionType, fresh: FunctionType) -> None:
    """Record on `function` what evaluating its ``def`` anew gave: defaults, annotations, type parameters."""
    for name in ("__defaults__", "__kwdefaults__", "__type_params__"):
        value = getattr(fresh, name, MISSING)
        if value is not MISSING:
            journal.set_attribute(function, name, value)
    set_annotations(journal, function, fresh)


def unmark(journal: Journal, function: FunctionType, fresh: FunctionType) -> None:
    """Take from `function` what decorators left on it; with ``functools.wraps(other)`` that is what it is called."""
    for mark in _MARKS & vars(function).keys():
        journal.del_item(vars(function), mark)
    if "__wrapped__" in vars(function):
        journal.del_item(vars(function), "__wrapped__")
        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            journal.set_attribute(function, name, getattr(fresh, name))


def set_marks(journal: Journal, function: FunctionType, fresh: FunctionType) -> None:
    """Record on `function` the attributes that decorators gave `fresh`, which stands in its place."""
    for name, value in vars(fresh).items():
        if name != "__wrapped__" and vars(function).get(name, MISSING) is not value:
            journal.set_item(vars(function), name, value)


def set_names(journal: Journal, function: FunctionType, fresh: FunctionType) -> None:
    """Record what ``functools.wraps`` has `fresh`, which stands in the place of `function`, called, or has no more."""
    if vars(fresh).get("__wrapped__", MISSING) is vars(function).get("__wrapped__", MISSING):
        return
    if "__wrapped__" in vars(fresh):
        journal.set_item(vars(function), "__wrapped__", vars(fresh)["__wrapped__"])
    else:
        journal.del_item(vars(function), "__wrapped__")
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        journal.set_attribute(function, name, getattr(fresh, name))


def set_type_parameters(journal: Journal, function: FunctionType, fresh: FunctionType) -> None:
    """Record the type parameters of `fresh` in the cells by which the code of `function`, and code inside it, reads
    them.
    """
    given = {one.__name__: one for one in getattr(fresh, "__type_params__", ())}
    own = {one.__name__ for one in getattr(function, "__type_params__", ())}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if name in given and name in own:
            journal.set_attribute(cell, "cell_contents", given[name])


def set_annotations(journal: Journal, function: Any, fresh: FunctionType) -> None:
    """Record on `function` the annotations of `fresh`: in the dict that is there, which whoever copied it from the
    function has, too, unless the function has it from another one. Lazy ones are not evaluated.
    """
    held: dict[str, Any] = function.__annotations__
    lazy = any(getattr(one, "__annotate__", None) is not None for one in (fresh, function))
    if lazy or attribute(attribute(function, "__wrapped__"), "__annotations__") is held or _are_of_another(function):
        replace_annotations(journal, function, fresh)
        return
    journal.do(held.clear, partial(held.update, dict(held)))
    journal.do(partial(held.update, dict(fresh.__annotations__)), held.clear)


def _are_of_another(function: Any) -> bool:
    """Whether the annotations of `function` name parameters that it has not: a decorator gave it those of another."""
    code = getattr(function, "__code__", None)
    return code is not None and not function.__annotations__.keys() <= {"return", *code.co_varnames}


def replace_annotations(journal: Journal, function: Any, fresh: FunctionType | None) -> None:
    """Record on `function` annotations of its own as those of `fresh`, none if there is no such function."""
    annotate, held = getattr(fresh, "__annotate__", None), getattr(function, "__annotate__", None)
    if annotate is not None:
        new = partial(setattr, function, "__annotate__", annotate)
    else:
        new = partial(setattr, function, "__annotations__", dict(fresh.__annotations__) if fresh else {})
    if held is not None:
        journal.do(new, partial(setattr, function, "__annotate__", held))
    else:
        journal.do(new, partial(setattr, function, "__annotations__", function.__annotations__))


def copies(value: object, function: FunctionType | type) -> Iterator[Any]:
    """Yield what wraps `function`, from `value` inwards, outermost first: all of it may have copied its docstring.

    `functools.wraps` and whatever uses `functools.update_wrapper`, class and static methods, properties, memo caches.
    """
    seen: set[int] = set()
    found: list[object] = []
    while value is not function and value is not None and id(value) not in seen:
        seen.add(id(value))
        found.append(value)
        value = _wrapped(value, function)
    if value is function:
        yield from found


def copied_by(function: FunctionType, docs: tuple[str | None, str | None], *, alone: bool, known: int = 0) -> list[Any]:
    """Return what has copied the docstring of `function`, the first of `docs`, wherever it is.

    Static and class methods of it, functions that have the very text and none of their own (CPython has one object for
    equal texts of a module), and what keeps it in some other way: objects, or their dictionaries. That takes a pass
    over the heap, unless the function is `alone` (nothing makes a method of it) and the text has no more holders than
    its code, the function, `docs` and `known` others.
    """
    doc = docs[0]
    is_known = doc is not None and not doc.isidentifier()  # those are one object in the whole process
    if alone and EXACT_COUNTS and not (is_known and _holders(docs[0]) > _OWN_HOLDERS + known):
        return []
    found = referrers(function, doc) if is_known else referrers(function)
    return [one for one in found if one is not function and _has_copied(one, function, doc if is_known else None)]


def stated_doc(node: ast.AST) -> str | None:
    """Return the very docstring in the tree of a definition: code that was compiled from it has that object."""
    first = node.body[0] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None
    value = first.value if isinstance(first, ast.Expr) else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def _holders(value: object) -> int:
    return sys.getrefcount(value)


def _measure() -> int:
    """Return the count for a docstring that only its function and code hold: interpreters count calls differently."""
    names: dict[str, Any] = {}
    exec(compile('def probe(): "words of a probe"', "<hotswap>", "exec"), names)  # noqa: S102  a constant text of ours
    docs = (names["probe"].__doc__, None)
    doc = docs[0]
    return _holders(docs[0]) if doc is not None else 0


_OWN_HOLDERS: Final = _measure()


def _has_copied(one: Any, function: FunctionType, doc: str | None) -> bool:
    if type(one) in (classmethod, staticmethod):
        return one.__func__ is function
    if type(one) is FunctionType:
        return doc is not None and one.__doc__ is doc and doc_of(one.__code__) is None
    return type(one) is dict and doc is not None and one.get("__doc__") is doc and "__weakref__" not in one


def _wrapped(value: object, function: FunctionType | type) -> object:
    if type(value) in (classmethod, staticmethod):
        return value.__func__  # type: ignore[attr-defined]  # both have it
    if issubclass(type(value), property):
        parts = [vars(property)[name].__get__(value) for name in ("fget", "fset", "fdel")]
        return next((one for one in parts if one is function), parts[0])
    if type(value) is functools.cached_property:
        return value.func
    own = attributes_of(value)
    holds = type(value) is not FunctionType and any(one is function for one in own.values())
    return function if holds else own.get("__wrapped__")


def set_copied_doc(
    journal: Journal, wrapper: Any, function: FunctionType | type, before: str | None, after: str | None
) -> None:
    """Record the docstring `after` on a wrapper that has copied `before` from `function`."""
    if type(wrapper) is property:
        has_copy = wrapper.fget is function
    else:
        has_copy = type(wrapper) is FunctionType or _has_own(wrapper, "__doc__")
    if has_copy and before != after and wrapper.__doc__ == before:
        journal.set_attribute(wrapper, "__doc__", after)


def _has_own(value: object, name: str) -> bool:
    try:
        return name in object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        return False


def set_copied(journal: Journal, wrapper: Any, function: Any, fresh: Any) -> None:
    """Record on a wrapper the header that it copied from `function`, where the copy is still what it copied."""
    if type(wrapper) is not FunctionType and "__annotations__" not in attributes_of(wrapper):
        return
    if _LAZY_ANNOTATIONS and fresh.__annotate__ is not None:
        if getattr(wrapper, "__annotate__", None) is function.__annotate__:
            set_annotations(journal, wrapper, fresh)
    elif wrapper.__annotations__ is not function.__annotations__ == wrapper.__annotations__:
        set_annotations(journal, wrapper, fresh)
    if (
        getattr(wrapper, "__type_params__", ())
        == getattr(function, "__type_params__", ())
        != getattr(fresh, "__type_params__", ())
    ):
        journal.set_attribute(wrapper, "__type_params__", fresh.__type_params__)
