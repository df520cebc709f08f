"""Whether an object may have an attribute of its own where its class has one: a load may give anything then."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any, Final

from hotswap._quiet._values import list_members

_BY_TEXT: Final = frozenset(("__dict__", "__setattr__", "__setstate__", "setattr", "vars"))
"""What code that sets attributes by their names looks up."""


def may_be_shadowed(kind: type, name: str) -> bool:
    """Whether a method of `kind`, or of a class above it, sets the attribute `name` of whatever object."""
    members = (member for layer in kind.__mro__ if layer is not object for member in list_members(layer).values())
    return any(_sets(function.__code__, name) for member in members for function in _functions(member))


def _functions(member: Any) -> Iterator[FunctionType]:
    parts: list[Any] = [member.fget, member.fset, member.fdel] if type(member) is property else [member]
    for part in parts:
        function = part.__func__ if type(part) in (classmethod, staticmethod) else part
        while type(function) is FunctionType:
            yield function
            function = vars(function).get("__wrapped__")


def _sets(code: CodeType, name: str) -> bool:
    if not _BY_TEXT.isdisjoint(code.co_names):
        return True
    if name in code.co_names and any(
        step.opname == "STORE_ATTR" and step.argval == name for step in dis.get_instructions(code)
    ):
        return True
    return any(_sets(inner, name) for inner in code.co_consts if type(inner) is CodeType)
