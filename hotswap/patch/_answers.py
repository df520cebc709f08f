"""What ``isinstance`` and `functools.singledispatch` remember of classes, to be asked anew once these changed.

An ABC keeps its answers in caches of its own (`collections.abc.Sized` looks for ``__len__`` once for each class), and
a generic function keeps the implementation that it found for a class.
"""

from __future__ import annotations

import abc
import contextlib
import functools
import sys
from collections.abc import Sequence
from types import CodeType, FunctionType
from typing import Any, Final
from weakref import ReferenceType, ref

from hotswap._points._way import breathe
from hotswap.patch._classes import subclasses
from hotswap.patch._heap import referrers

_DISPATCH: Final = next(
    const
    for const in functools.singledispatch.__code__.co_consts
    if isinstance(const, CodeType) and const.co_name == "wrapper"
)

_REGISTERING: Final = abc.ABCMeta("Registering", (), {})


Asking = Sequence[ReferenceType[Any]]
"""Abstract base classes, by weak references: whoever counts what holds a class must not meet them."""


def find_asking() -> Asking:
    """Return the abstract base classes that there are. With thousands of classes it takes a while."""
    found = []
    for one in subclasses(object):
        breathe()
        if abc.ABCMeta in vars(type)["__mro__"].__get__(type(one)):
            found.append(ref(one))
    return found


def forget_answers(asking: Asking | None = None) -> None:
    """Have every abstract base class ask again which classes are below it; generic functions follow.

    They hold their caches valid as long as `abc.get_cache_token` gives the same, which changes with a registration.
    `asking` are the abstract base classes, if they were looked for just before.
    """
    for found in find_asking() if asking is None else asking:
        one = found()
        if one is not None:
            with contextlib.suppress(AttributeError, TypeError):  # one that ABCMeta's own constructor did not make
                abc._reset_caches(one)  # type: ignore[attr-defined]  # what ABCMeta's own test-suite uses
    _REGISTERING.register(type("asked", (), {}))


class _Generic:
    """The generic functions that there are, known by weak references as long as the count of them stays the same."""

    def __init__(self) -> None:
        self._known: list[ReferenceType[FunctionType]] = []
        self._others = -1

    def all(self) -> list[FunctionType]:
        """Return them; a pass over the heap finds them only if one may have come."""
        found = [one for known in self._known if (one := known()) is not None]
        if sys.getrefcount(_DISPATCH) - len(found) != self._others:
            found = [one for one in referrers(_DISPATCH) if type(one) is FunctionType]
            self._known, self._others = [ref(one) for one in found], sys.getrefcount(_DISPATCH) - len(found)
        return found


_GENERIC: Final = _Generic()


def forget_dispatch() -> None:
    """Have every generic function look up again which implementation is a class's, as classes have other bases."""
    for one in _GENERIC.all():
        if (clear := vars(one).get("_clear_cache")) is not None:  # it may have become another function since
            clear()  # what `register` does
