"""Members of a class that become another kind of member: where old functions of theirs, as in bound methods, lead.

A property cannot be called, and a static method takes no object; but who holds the bound method of before means what
the name does now, for the same object.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from types import FunctionType
from typing import Any

from hotswap._apply._scopes import AnyScope, ClassScope
from hotswap._model import Statement
from hotswap._text._names import dotted_of


def callee(scope: AnyScope, value: object) -> object:
    """Return what an old function of a class has to call, with an object first, to do what the member `value` does."""
    if not isinstance(scope, ClassScope):
        return value
    if type(value) is property:
        return value.fget
    if type(value) is functools.cached_property:
        return value.func
    if type(value) in (functools.partialmethod, functools.singledispatchmethod):
        return _as_method(value)
    if type(value) is staticmethod and type(value.__func__) is FunctionType:
        return _without_object(value.__func__)
    if type(value) is classmethod and type(value.__func__) is FunctionType:
        return _with_class(value.__func__)
    return value


def _as_method(member: Any) -> Any:
    def call(_object: object, /, *args: Any, **kwargs: Any) -> Any:
        return member.__get__(_object, type(_object))(*args, **kwargs)

    return call


def _without_object(function: Any) -> Any:
    def call(_object: object, /, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


def _with_class(function: Any) -> Any:
    def call(_object: object, /, *args: Any, **kwargs: Any) -> Any:
        return function(_object if isinstance(_object, type) else type(_object), *args, **kwargs)

    return call


def is_alias_that_left(binder: Statement, new: Iterable[Statement]) -> bool:
    """Whether ``other = name``, or ``other = name.method``, bound of a definition that left the text as well.

    `new` are the statements that bind the names which are seen from there.
    """
    value = getattr(binder.node, "value", None) if isinstance(binder.node, ast.Assign | ast.AnnAssign) else None
    name = (dotted_of(value) or "").partition(".")[0] if value is not None else ""
    return bool(name) and not any(name in statement.binds for statement in new)
