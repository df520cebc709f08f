"""Bases that let live instances take another class.

CPython moves an instance to a class of the same layout that got it in the same place. A class without bases got its
``__dict__`` by itself; one below `abc.ABC`, `typing.Generic` or a mixin without fields got it on top of that base, so
neither takes the other's instances. A base that has nothing but the layout stands in between.
"""

from __future__ import annotations

from typing import Any, Final, Generic, Protocol, TypeVar

from hotswap._run._journal import Journal
from hotswap.patch._classes import instances, set_bases, subclasses


class WithDict:
    """Has what a class without bases lays out, and nothing else."""

    __slots__ = ("__dict__", "__weakref__")


class WithoutDict:
    """Has nothing: stands where another base without fields stood."""

    __slots__ = ()


_T = TypeVar("_T")


class OfGeneric(Generic[_T]):
    """Has what `typing.Generic` lays out, and nothing else."""

    __slots__ = ()


_PROTOCOL: Final[Any] = Protocol
_GENERIC: Final[Any] = Generic


def bases_for(journal: Journal, cls: type, bases: tuple[type, ...]) -> tuple[type, ...]:
    """Return the `bases` of a class in the place of `cls`, with one in front that its live instances, and those of its
    subclasses, need, if any.

    `cls` itself gets other bases at once, where they need that.
    """
    if "__slots__" in vars(cls) or _PROTOCOL in bases or not instances(*subclasses(cls)):
        return bases
    first = cls.__base__
    if first is object:
        return (WithDict, *bases) if bases != (object,) and all(map(_is_bare, bases)) else bases
    if first is None or not _is_bare(first):
        return bases
    if set_bases(journal, cls, (WithoutDict,)) is None:
        journal.commit()
        return (WithoutDict, *(base for base in bases if base is not object))
    # From 3.15 on the two layouts have to come from the same class, not only to be equal.
    return (OfGeneric, *bases) if first is _GENERIC and _GENERIC in bases else bases


def _is_bare(cls: type) -> bool:
    """Whether `cls` adds nothing to the layout of `object`."""
    return cls.__basicsize__ == object.__basicsize__ and not cls.__dictoffset__ and not cls.__weakrefoffset__
