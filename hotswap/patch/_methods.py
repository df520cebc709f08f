"""Methods of a class that another one took the place of, for objects that could not be moved there."""

from __future__ import annotations

from operator import is_
from types import CellType, FunctionType
from typing import Any

from hotswap._run._journal import set_raw


def keep_methods(cls: type, other: type) -> None:
    """Give `cls` methods of its own, at once: its functions go on in `other`, and their ``super()`` means that one."""
    for name, member in list(vars(cls).items()):
        own = _own(member, cls, other)
        if own is not member:
            set_raw(cls, name, own)


def _own(member: Any, cls: type, other: type) -> Any:
    if type(member) in (classmethod, staticmethod):
        inner = _own(member.__func__, cls, other)
        return member if inner is member.__func__ else type(member)(inner)
    if type(member) is property:
        parts = (member.fget, member.fset, member.fdel)
        fget, fset, fdel = (_own(part, cls, other) for part in parts)
        return member if all(map(is_, parts, (fget, fset, fdel))) else property(fget, fset, fdel, member.__doc__)
    return _copied(member, cls, other) if type(member) is FunctionType else member


def _copied(function: FunctionType, cls: type, other: type) -> FunctionType:
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    cell = cells.get("__class__")
    if cell is None or cell.cell_contents is not other:
        return function
    closure = tuple({**cells, "__class__": CellType(cls)}.values())
    made = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, closure)
    made.__kwdefaults__, made.__qualname__ = function.__kwdefaults__, function.__qualname__
    made.__dict__.update(function.__dict__)
    made.__module__, made.__doc__ = function.__module__, function.__doc__
    return made
