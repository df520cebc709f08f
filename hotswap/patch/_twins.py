"""Classes that are made to be asked what a library writes on a class like them, and are let go."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from hotswap._run._journal import set_raw


class _Quiet:
    """Stands first among a twin's bases, so that making it runs nobody's ``__init_subclass__``."""

    __slots__ = ()

    def __init_subclass__(cls, **keywords: Any) -> None: ...


class _WithAll:
    __slots__ = ("__dict__", "__weakref__")


class _WithWeak:
    __slots__ = ("__weakref__",)


class _WithDict:
    __slots__ = ("__dict__",)


_DETACHED = (_Quiet, _WithAll, _WithWeak, _WithDict)
"""One of them is the base of what served its purpose. CPython looks at the layout of the first class below `object`."""


def is_twin(cls: type) -> bool:
    """Whether `cls` was made to be asked what a library writes on a class like it, and is let go."""
    return _Quiet in cls.__mro__


def is_detached(cls: type) -> bool:
    """Whether `cls` served its purpose, and is not anybody's any more."""
    return not {*_DETACHED}.isdisjoint(cls.__mro__)


def twin_of(cls: type, members: Mapping[str, Any]) -> type:
    """Return an empty class with bases and metaclass of `cls`, and `members` put on it; no code of the program runs."""
    named = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
    bases = (_Quiet, *(base for base in cls.__bases__ if base is not object))
    twin: type = type.__new__(type(cls), cls.__name__, bases, named)
    for name, value in members.items():
        set_raw(twin, name, value)
    return twin


def detach(twin: type) -> bool:
    """Take a class that served its purpose out of the ``__subclasses__()`` of its bases; return whether CPython allows
    it: the base that it gets has to lay out what those did.
    """
    for base in _DETACHED:
        with contextlib.suppress(TypeError):
            type.__setattr__(twin, "__bases__", (base,))
            return True
    return False
