"""Decorators of functions: which of them would give something else now, and what they look at while they decorate.

A decorator runs itself and, if it is made by a call (``@times(3)``), the function that this gave; what comes out runs
when the decorated function is called, so what it reads is not the decorator's.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final

from hotswap._apply._adapter import libraries
from hotswap._apply._collectors import is_known
from hotswap._apply._inside import content_of
from hotswap._apply._passed import decorates_with
from hotswap._apply._reach import behaves_otherwise, look_up, makes_otherwise
from hotswap._apply._swap import Swap, resolve
from hotswap._apply._uses import imported, stored, use_of
from hotswap._graph._taint import HEADER
from hotswap._model import Pair, Statement
from hotswap._run._journal import CONTAINERS, MISSING
from hotswap._run._values import attribute, attributes_of, is_a, way_to
from hotswap._text._diff import decorators, is_documented_anew, only_code, shape
from hotswap._text._names import dotted_of

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit

_DOCS: Final = frozenset(("__doc__", "getdoc", "cleandoc"))
_HEADERS: Final = frozenset(
    ("__annotations__", "__defaults__", "__kwdefaults__", "getfullargspec", "get_annotations", "get_type_hints")
) | {"return_annotation", "signature", "signature_no_eval"}
_MANY: Final = 500
"""Functions of a library that are looked through for one decorator."""
_Def = ast.FunctionDef | ast.AsyncFunctionDef


def stale(visit: Visit, pair: Pair, *, header: bool = False) -> list[ast.expr]:
    """Return the decorators of a ``def`` that would give something else now; `header`: its defaults or annotations are
    other ones, whatever its text.
    """
    node = pair.new.node
    assert isinstance(node, _Def)
    seen = (_changed(pair) | (_HEADERS if header else frozenset())) if node.decorator_list else frozenset()
    old = pair.old.node.decorator_list if isinstance(pair.old.node, _Def) and pair.old.node is not node else None
    return [
        d
        for d in node.decorator_list
        if reads(visit, d)
        or _calls(visit, d)
        or _looks_at(visit, pair, d, seen)
        or (old is not None and decorates_with(visit.swap, visit.scope, d, old))
    ]


def reads(visit: Visit, expression: ast.expr) -> bool:
    """Whether an expression of a module or class body, a decorator or a base, reads a name that changed.

    Decorators put into tables what they get: that a table has other contents makes none of them stale.
    """
    if not visit.swap.changes:
        return False
    names = {dotted_of(inner) or "" for inner in ast.walk(expression) if isinstance(inner, ast.expr)} - {""}
    namespace, module = visit.scope.namespace, visit.work.edit.module
    return any(visit.swap.changes.reads(namespace, module, name, altered=False) for name in names)


def drop_marks(visit: Visit, pair: Pair, functions: Iterable[object]) -> None:
    """Record that the attributes go which the old decorators of a ``def`` left on `functions`: it is decorated anew.

    They are those that the decorators' code sets by name, that `functools.wraps` copied, and special ones; other names
    are state.
    """
    node = pair.old.node
    called = [_called(visit, one)[0] for one in (node.decorator_list if isinstance(node, _Def) else ())]
    names = {name for one in called if type(one) is FunctionType for name in stored(one.__code__)}
    for function in functions:
        marks = vars(function) if type(function) is FunctionType else {}
        copied = attributes_of(marks.get("__wrapped__"))
        for name in list(marks):
            ours = name == "__wrapped__" or name.startswith("__hotswap")
            was_copied = name in copied and copied[name] is marks[name]
            if not ours and (name in names or was_copied or (name.startswith("__") and name.endswith("__"))):
                visit.swap.journal.del_item(vars(function), name)


def note_marks(visit: Visit, name: str, old: Mapping[str, object], new: Mapping[str, object]) -> None:
    """Note which attributes that decorators leave on a function are other ones, for who reads them by its name."""
    for mark in {*old, *new} if old or new else ():
        dotted = f"{visit.scope.prefix}{name}.{mark}"
        visit.swap.changes.note(visit.work.edit.module, dotted, old.get(mark, MISSING), new.get(mark, MISSING))


def note_header(visit: Visit, statement: Statement) -> None:
    """Note that what a function is called with may be something else, for who looks at that."""
    for name in HEADER:
        visit.swap.changes.note(visit.work.edit.module, f"{visit.named(statement)}.{name}", MISSING, statement)


@contextmanager
def marking(visit: Visit, name: str) -> Iterator[None]:
    """Do so for a function that is decorated meanwhile and stays the one that `name` stands for."""
    public = visit.scope.peek(name)
    marks = dict(vars(public)) if type(public) is FunctionType else {}
    yield
    if type(public) is FunctionType and visit.scope.peek(name) is public:
        note_marks(visit, name, marks, vars(public))


def holds_less(old: object, new: object) -> bool:
    """Whether what a decorator made had a list or dict inside that the program filled, and the new one has not."""
    if type(old) is not FunctionType or type(new) is not FunctionType or old.__code__ != new.__code__:
        return False
    cells = zip(old.__closure__ or (), new.__closure__ or (), strict=True)
    held: list[tuple[Any, Any]] = [(content_of(was), content_of(now)) for was, now in cells]
    return any(type(was) in CONTAINERS and type(now) is type(was) and len(now) < len(was) for was, now in held)


def gets_otherwise(visit: Visit, decorator: ast.expr) -> bool:
    """Whether a decorator's arguments call what behaves otherwise now: ``@tag(size())``."""
    parts = [*decorator.args, *(one.value for one in decorator.keywords)] if isinstance(decorator, ast.Call) else []
    return bool(calls_in(visit, parts))


def calls_in(visit: Visit, parts: Iterable[ast.expr]) -> str:
    """Return what `parts` of a header call that behaves otherwise now; "" if there is nothing."""
    calls = (one for part in parts for one in ast.walk(part) if isinstance(one, ast.Call))
    names = [name for call in calls if (name := dotted_of(call.func))]
    return next((name for name in names if behaves_otherwise(visit.swap, resolve(visit.scope, name))), "")


def _calls(visit: Visit, decorator: ast.expr) -> bool:
    called, levels = _called(visit, decorator)
    if gets_otherwise(visit, decorator):
        return True
    return behaves_otherwise(visit.swap, called, levels=levels) or (
        isinstance(decorator, ast.Call) and makes_otherwise(visit.swap, called)
    )


def _called(visit: Visit, decorator: ast.expr) -> tuple[object, int]:
    """Return what is called, and how many functions that come out of it run while decorating."""
    made = isinstance(decorator, ast.Call)
    name = _name(decorator)
    return resolve(visit.scope, name) if name else None, int(made)


def _name(decorator: ast.expr) -> str:
    return dotted_of(decorator.func if isinstance(decorator, ast.Call) else decorator) or ""


def _changed(pair: Pair) -> frozenset[str]:
    """Return by which names a decorator gets at what changed of a function that is not its code."""
    old, new = pair.old.node, pair.new.node
    if old is new or not isinstance(old, _Def) or not isinstance(new, _Def) or decorators(old) != decorators(new):
        return frozenset()
    docs = _DOCS if is_documented_anew(pair) else frozenset()
    return docs if only_code(pair) or shape(old) == shape(new) else docs | _HEADERS


def _looks_at(visit: Visit, pair: Pair, decorator: ast.expr, names: frozenset[str]) -> bool:
    called, levels = _called(visit, decorator) if names else (None, 0)
    if called is MISSING:  # a method of an object
        called = (way_to(visit.scope.namespace, _name(decorator)) or [None])[-1]
    raw = called.__func__ if isinstance(called, MethodType) else called
    return type(raw) is FunctionType and not _is_seen_to(visit, pair, raw) and _looks(visit.swap, raw, levels, names)


def _is_seen_to(visit: Visit, pair: Pair, decorator: FunctionType) -> bool:
    """Whether a decorator of the standard library, or an adapter of what it registers with, sees to such a change."""
    if not is_known(decorator) or _top(decorator) not in libraries():
        return is_known(decorator)
    if visit.swap.only_makes(pair.old):
        return False
    return visit.swap.is_registered(pair.old) or visit.swap.tends(visit.scope.cls)


def _looks(swap: Swap, first: FunctionType, levels: int | None, names: frozenset[str]) -> bool:
    """Whether `first`, or a function of the project or of its own library that it calls, looks up one of `names`."""
    waiting, seen = deque([first]), {first}
    while waiting and len(seen) < _MANY:
        function = waiting.popleft()
        use = use_of(function.__code__, levels if function is first and swap.is_project(first) else None)
        if not names.isdisjoint(use.attributes | use.chains):
            return True
        found = [way[-1] for one in use.chains if len(way := way_to(function.__globals__, one)) > one.count(".")]
        found += (look_up(swap, module, name) for module, name in imported(function, use) if name)
        above = _above(function, use.attributes)
        found = [one for value in found for one in (_making(value) if is_a(value, type) else [value])]
        for one in (*found, *above):
            is_near = type(one) is FunctionType and (swap.is_project(one) or _top(one) == _top(function))
            if type(one) is FunctionType and one not in seen and (is_near or one in above):
                seen.add(one)
                waiting.append(one)
    return False


def _above(method: FunctionType, names: frozenset[str]) -> list[object]:
    """Return what a method that uses ``super()`` finds by one of `names` in the classes above its own."""
    cells = dict(zip(method.__code__.co_freevars, method.__closure__ or (), strict=True))
    own = content_of(cells["__class__"]) if "__class__" in cells else None
    above = own.__mro__[1:] if is_a(own, type) else ()
    members = (next((vars(cls)[name] for cls in above if name in vars(cls)), None) for name in names)
    return [attribute(one, "__func__", one) for one in members if one is not None]


def _making(cls: type) -> list[object]:
    """Return what makes an object of a class: its constructor, and the methods that this calls."""
    made = vars(cls).get("__init__")
    names = use_of(made.__code__).attributes if type(made) is FunctionType else ()
    return [made, *(vars(cls)[name] for name in names if name in vars(cls))]


def _top(function: FunctionType) -> str:
    return str(function.__globals__.get("__name__")).partition(".")[0]
