"""Find the live functions of a module without a pass over the heap, and know when that has found them all.

A walk from the module's names finds nearly every function. Whether it found all is not guessed: the reference count of
a code object says how many hold it, so a holder that the walk did not meet shows as a residue. Then, or where a
definition of the text was not met at all, one pass of the garbage collector finds the rest.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from operator import gt
from types import CellType, CodeType, FrameType, FunctionType, GetSetDescriptorType, MethodType, ModuleType
from typing import Any, Final

from hotswap._points._way import breathe
from hotswap.patch._functions import EXACT_COUNTS, MEMO, STRAYS, live_functions

_SMALL: Final = 100
_DEEP: Final = 4
_OF_IMPORT: Final = frozenset(("__builtins__", "__loader__", "__spec__"))
_EMPTY: Final = frozenset((int, str, float, bool, bytes, type(None), ModuleType, GetSetDescriptorType))
_WRAPPERS: Final = (staticmethod, classmethod, MethodType)
_PARTIALS: Final = (functools.partial, functools.partialmethod)


def _counts(codes: list[CodeType]) -> list[int]:
    """Return the reference counts of `codes`, which nobody else in here may refer to but their list."""
    return [sys.getrefcount(code) for code in codes]


def _measure() -> int:
    """Return what `_counts` says of a code object without holders.

    Interpreters differ in how many references a call itself takes (3.14 borrows some), so it is measured.
    """
    names: dict[str, Any] = {}
    exec(compile("def probe(): pass", "<hotswap>", "exec"), names)  # noqa: S102  a constant text of ours
    return _counts([names["probe"].__code__])[0] - 1


_BASE: Final = _measure()


def is_alone(function: FunctionType) -> bool:
    """Whether nothing but `function` holds its code, and nothing but that code what is inside it.

    Then there is no copy of it, no frame runs it, and no function, generator or class that it made is alive. Only the
    body of its module may hold it as well, if that still runs, as a script's does.
    """
    if not EXACT_COUNTS or any(_is_inside(one, function) for one in _strays(function.__globals__)):
        return False
    return _is_held_once(function, {}) or _is_held_once(function, _bodies(function.__globals__))


def _is_inside(one: FunctionType, function: FunctionType) -> bool:
    return one.__code__.co_qualname.startswith(f"{function.__code__.co_qualname}.")


def _strays(namespace: dict[str, Any]) -> list[FunctionType]:
    """Return the closures of a module that no count of references tells of."""
    return [one for one in list(STRAYS) if one.__globals__ is namespace]


def _is_held_once(function: FunctionType, bodies: dict[int, CodeType]) -> bool:
    parents: dict[int, int] = {}
    _with_inner(bodies, parents)
    codes = _with_inner({0: function.__code__}, parents)
    expected = [parents.get(id(code), 0) for code in codes]
    expected[0] += 1
    return all(count - _BASE <= held for count, held in zip(_counts(codes), expected, strict=True))


def _bodies(namespace: dict[str, Any]) -> dict[int, CodeType]:
    """Return the bodies of the module with these globals that threads are running."""
    bodies: dict[int, CodeType] = {}
    for top in sys._current_frames().values():
        frame: FrameType | None = top
        while frame is not None:
            if frame.f_globals is namespace and frame.f_code.co_name == "<module>":
                bodies[id(frame.f_code)] = frame.f_code
            frame = frame.f_back
    return bodies


def find_functions(
    namespace: dict[str, Any], expected: Iterable[tuple[str, int]] | None, caches: list[Any]
) -> list[FunctionType]:
    """Return the live functions whose globals are `namespace`: all of them, as far as it matters for `expected`.

    `expected` are the places (qualified name, first line) of the definitions that are to be patched; their nested
    functions are looked after as well. None says that the places cannot be told. Functions found beyond those are
    returned too; memo caches met on the way are added to `caches`.
    """
    found = survey(namespace, expected) if expected is not None else None
    if found is None or not found.is_whole():
        return live_functions(namespace, caches)
    caches += found.caches
    return found.functions


def survey(namespace: dict[str, Any], expected: Iterable[tuple[str, int]]) -> Survey | None:
    """Return what a walk finds of a module whose functions at the places `expected` matter; None if one is missing.

    Nothing is touched. It may be made ahead, by a thread that leaves others their turn.
    """
    if not EXACT_COUNTS:
        return None
    walk = Walk(namespace)
    places: dict[tuple[str, int], list[FunctionType]] = {}
    for function in walk.functions:
        places.setdefault((function.__code__.co_qualname, function.__code__.co_firstlineno), []).append(function)
    try:
        wanted = [function for place in expected for function in places[place]]
    except KeyError:
        return None
    return Survey(walk, wanted)


class Survey:
    """The `functions` that a walk found, and the `caches` that it met.

    It holds the code of those that matter, so that a count says later whether all who hold it are known still.
    """

    def __init__(self, walk: Walk, wanted: Iterable[FunctionType]) -> None:
        self.functions, self.caches = walk.functions, walk.caches
        self._namespace = walk.namespace
        parents: dict[int, int] = {}
        self._codes = _with_inner({id(function.__code__): function.__code__ for function in wanted}, parents)
        ids = [id(code) for code in self._codes]
        self._places = {key: index for index, key in enumerate(ids)}
        self._most = [walk.holders.get(key, 0) + parents.get(key, 0) + _BASE for key in ids]

    def is_whole(self) -> bool:
        """Whether every holder of the code that matters, and of the code inside it, is known: functions, and frames."""
        most = list(self._most)
        for key, count in _held_by_frames(self._namespace).items():
            if key in self._places:
                most[self._places[key]] += count
        return not any(map(gt, _counts(self._codes), most))


class Walk:
    """The functions of a module that its names lead to, through classes, wrappers, closures and small containers."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self._name = namespace.get("__name__")
        self._seen: set[int] = set()
        self.functions: list[FunctionType] = []
        self.caches: list[Any] = []
        self.holders: dict[int, int] = {}
        waiting = [(value, 0) for name, value in list(namespace.items()) if name not in _OF_IMPORT]
        waiting += ((one, 0) for one in _strays(namespace))
        while waiting:
            value, depth = waiting.pop()
            kind = type(value)
            if kind in _EMPTY or id(value) in self._seen:
                continue
            breathe()
            self._seen.add(id(value))
            if depth < _DEEP:
                deeper = depth + (kind is not FunctionType)
                waiting += [(inner, deeper) for inner in self._inside(value)]

    def _inside(self, value: Any) -> Iterable[Any]:
        kind = type(value)
        if kind is FunctionType:
            return self._inside_function(value)
        if issubclass(type(value), type):  # not asked by isinstance: a proxy answers with code of its own
            return list(vars(value).values()) if value.__module__ == self._name else ()
        if kind in _WRAPPERS:
            return (value.__func__,)
        if kind is property:
            return (value.fget, value.fset, value.fdel)
        if kind in _PARTIALS:
            return (value.func, *value.args, *value.keywords.values())
        if kind is functools.cached_property:
            return (value.func,)
        if kind is MEMO:
            self.caches.append(value)
        if kind in (dict, list, tuple, set, frozenset):
            return list(value.values() if kind is dict else value) if len(value) < _SMALL else ()
        return _wrapped(value)

    def _inside_function(self, function: FunctionType) -> Iterable[Any]:
        if function.__globals__ is self.namespace:
            self.functions.append(function)
            code = id(function.__code__)
            self.holders[code] = self.holders.get(code, 0) + 1
        inside = [*map(_content, function.__closure__ or ()), *(function.__defaults__ or ())]
        return [*inside, *(function.__kwdefaults__ or {}).values(), *function.__dict__.values()]


def _held_by_frames(namespace: dict[str, Any]) -> dict[int, int]:
    """Return how often frames, by id, hold code of a module: each its own, and a body that runs what it defines."""
    held: dict[int, int] = {}
    bodies: dict[int, CodeType] = {}
    tops: list[FrameType | None] = [*sys._current_frames().values()]
    while tops:  # emptied: our own frame is among them, and would hold itself, and all its callers have
        frame = tops.pop()
        while frame is not None:
            if frame.f_globals is namespace:
                key = id(frame.f_code)
                held[key] = held.get(key, 0) + 1
                if frame.f_code.co_name == "<module>":
                    bodies[key] = frame.f_code
            frame = frame.f_back
    _with_inner(bodies, held)
    return held


def _with_inner(found: dict[int, CodeType], parents: dict[int, int]) -> list[CodeType]:
    """Return the code objects of `found`, which is emptied, and all inside them; count in `parents` who holds those."""
    codes: list[CodeType] = []
    while found:
        _, code = found.popitem()
        codes.append(code)
        for inner in {id(const): const for const in code.co_consts if type(const) is CodeType}.values():
            parents[id(inner)] = parents.get(id(inner), 0) + 1
            found[id(inner)] = inner
    return codes


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _wrapped(value: Any) -> Iterable[Any]:
    """Look into what ``functools`` made, and into plain instances that wrap (class decorators), by their
    dictionaries.
    """
    if type(value) is ModuleType:
        return ()
    try:
        names = object.__getattribute__(value, "__dict__")
    except Exception:  # noqa: BLE001  there is none; or a proxy's is a property of its own
        return ()
    return list(names.values()) if type(names) is dict and len(names) < _SMALL else ()
