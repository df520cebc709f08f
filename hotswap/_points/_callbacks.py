"""Who is called with each report: noted also while there is nothing to report yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from hotswap._model import Report

Callback = Callable[["Report"], object]
C = TypeVar("C", bound=Callback)


class Callbacks:
    """What is called with each report; each once, however often it is added."""

    def __init__(self) -> None:
        self.called: tuple[Callback, ...] = ()

    def add(self, callback: C) -> C:
        """Have `callback` called with each report from now on; return it."""
        if not callable(callback):
            raise TypeError(f"on_reload takes a callable with one argument, the report, not {callback!r}")
        if callback not in self.called:
            self.called = (*self.called, callback)
        return callback

    def remove(self, callback: Callback) -> None:
        """Have `callback` not called any more."""
        self.called = tuple(one for one in self.called if one != callback)
