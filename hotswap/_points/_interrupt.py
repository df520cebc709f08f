"""Ctrl-C: whether a KeyboardInterrupt came from outside, so that it has to reach the program once all is in order."""

from __future__ import annotations

import functools
import opcode
import signal
from types import CodeType, TracebackType
from typing import Any, Final

_RAISES: Final = frozenset(opcode.opmap[name] for name in ("RAISE_VARARGS", "RERAISE"))


def find(*errors: BaseException | None) -> BaseException | None:
    """Return the first of `errors` that is a Ctrl-C, or was raised from one by us; None if none is."""
    for error in errors:
        inner = getattr(error, "error", error)
        if isinstance(inner, KeyboardInterrupt) and _from_outside(inner.__traceback__):
            return inner
    return None


def _from_outside(traceback: TracebackType | None) -> bool:
    """Whether no `raise` made it, or only that of the program's own handler of the signal.

    CPython calls the handler between two bytecodes; its own is written in C and leaves no frame, so that the innermost
    frame then stands at whatever it was doing.
    """
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return True
    code, at = traceback.tb_frame.f_code, traceback.tb_lasti
    return code.co_code[at] not in _RAISES or code is _code_of(signal.getsignal(signal.SIGINT))


def _code_of(handler: Any) -> CodeType | None:
    while isinstance(handler, functools.partial):
        handler = handler.func
    return getattr(getattr(handler, "__func__", handler), "__code__", None)
