"""Whether what a name holds is what its statement defined, or made for it; what such things are made of."""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING

from hotswap._apply import _follow
from hotswap._apply._inside import content_of
from hotswap._apply._kinds import is_alias_that_left
from hotswap._apply._segments import makes_of_itself
from hotswap._model import Kind, Statement
from hotswap._run._values import attribute, is_a

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit

_FAR = 1000  # objects that are looked through before giving up: what a wrapper wraps is near
_OBJECTS = (Kind.DEF, Kind.CLASS)


def was_defined(visit: Visit, name: str, old: object) -> bool:
    """Whether the statement that bound `old` defined it; an assignment that picks an existing object does not."""
    flat = _flat(visit.work.edit.old.statements, visit.scope.prefix)
    binders = [s for s in flat if name in _follow.names_bound(visit, s) and s.kind is not Kind.SUITE]
    if not binders:
        return False
    for function in functions_in(old) if callable(old) else ():
        line = visit.work.old_line(function)
        if function.__globals__ is visit.scope.namespace and any(s.lineno <= line <= s.end_lineno for s in binders):
            return True  # in whichever branch of an `if` or `try` that ran
    if is_a(old, type) and _home(old) == (visit.work.edit.module, visit.scope.prefix + name):
        return any(_makes_class(one, name) for one in binders)  # the last may be for what raises, in another suite
    if is_a(old, type):
        is_definition = _home(old)[0] == visit.work.edit.module
    else:  # of a function that was imported, others go on with it
        is_definition = type(old) in (FunctionType, MethodType) and _is_of_module(visit, old)
    there = (*visit.new, *visit.work.edit.new.statements)
    if _was_made(old, binders[-1]) or (is_definition and is_alias_that_left(binders[-1], there)):
        return True
    return binders[-1].kind in _OBJECTS or (
        makes_of_itself(name, binders[-1]) and any(s.kind in _OBJECTS for s in binders)
    )


def is_taken_between(visit: Visit, name: str) -> bool:
    """Whether the class that the text defines as `name`, above what is about to bind it, is read between the two."""
    above = [s for s in _flat(visit.work.edit.new.statements, visit.scope.prefix) if s.lineno < visit.line]
    defining = [index for index, s in enumerate(above) if s.kind is Kind.CLASS and s.binds[-1] == name]
    below = above[defining[-1] + 1 :] if defining else []
    return any(name == read.partition(".")[0] for s in below if s.kind is not Kind.SUITE for read in s.reads)


def _is_of_module(visit: Visit, value: object) -> bool:
    return any(function.__globals__ is visit.scope.namespace for function in functions_in(value))


def _home(cls: type) -> tuple[str, str]:
    return cls.__module__, cls.__qualname__


def _makes_class(binder: Statement, name: str) -> bool:
    """Whether `binder` has the statement of a class of that name in it, or calls what makes one, as `namedtuple`."""
    if isinstance(binder.node, ast.Assign | ast.AnnAssign):
        return isinstance(binder.node.value, ast.Call)
    return any(isinstance(node, ast.ClassDef) and node.name == name for node in ast.walk(binder.node))


def _was_made(old: object, binder: Statement) -> bool:
    """Whether `old` is a closure that the assignment `binder` had made by a call, for the name that it binds alone.

    Or a property of such closures, or a class that was made inside a function, or by a call that gave it its name.
    """
    names = [one.__code__.co_qualname for one in parts_of(old) if type(one) is FunctionType]
    names += [_home(old)[1]] if is_a(old, type) else []
    value = getattr(binder.node, "value", None) if len(binder.binds) == 1 else None
    if not names or binder.kind is not Kind.ASSIGN or not isinstance(value, ast.Call):
        return False
    said = [one.value for one in value.args[:1] if isinstance(one, ast.Constant)]  # namedtuple("Size", ...)
    return all("<locals>" in name for name in names) or (is_a(old, type) and said == names)


def _flat(statements: tuple[Statement, ...], prefix: str) -> list[Statement]:
    """Return the statements of the scope that `prefix` names, those in suites included."""
    found: list[Statement] = []
    for statement in statements:
        found.append(statement)
        if statement.kind is Kind.SUITE:
            found += _flat(statement.children, "")
    if not prefix:
        return found
    first, _, rest = prefix.partition(".")
    return [inner for s in found if s.kind is Kind.CLASS and s.binds == (first,) for inner in _flat(s.children, rest)]


def parts_of(member: object) -> tuple[object, ...]:
    """Return what a member of a class is made of: the functions of a property, or one."""
    return (member.fget, member.fset, member.fdel) if is_a(member, property) else (made_of(member),)


def made_of(member: object) -> object:
    """Return the function that a member of a class is made of."""
    if is_a(member, property):
        return member.fget
    return member.__func__ if is_a(member, staticmethod) or is_a(member, classmethod) else member


def functions_in(value: object) -> Iterator[FunctionType]:
    """Yield `value`, if it is a function, and those that it wraps: in closures, defaults, attributes, C objects."""
    return (one for one in _inside(value) if type(one) is FunctionType)


def carriers(value: object) -> Iterator[object]:
    """Yield `value` and what holds its parts: what is inside, closure cells, and the dicts of functions."""
    for one in _inside(value):
        yield one
        if type(one) is FunctionType:
            yield from one.__closure__ or ()
            yield one.__dict__


def wraps_class(value: object, old: type) -> bool:
    """Whether `value`, which is no class itself, has the class `old` inside, as what a decorator makes of it."""
    return not is_a(value, type) and any(one is old for one in _inside(value))


def _inside(value: object) -> Iterator[object]:
    """Yield `value` and what it holds; classes and modules are not gone into."""
    seen: set[int] = set()
    waiting = [value]
    while waiting and len(seen) < _FAR:
        one = waiting.pop()
        if id(one) in seen:
            continue
        yield one
        if is_a(one, (type, ModuleType, str)):
            continue
        seen.add(id(one))
        if type(one) is FunctionType:
            waiting += map(content_of, one.__closure__ or ())
            waiting += (*(one.__defaults__ or ()), *one.__dict__.values())
        else:
            waiting += gc.get_referents(one)


def wrapped_by(public: object) -> object:
    """Return the function that a memo cache, a partial or another C object around a function calls."""
    if type(public) in (staticmethod, classmethod):
        return made_of(public)
    if type(public) is FunctionType or type(public).__module__ != "functools":
        return None
    return public.func if is_a(public, partial) else attribute(public, "__wrapped__")
