"""Whether a function that is running goes on to make functions: those would have the code that it began with."""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import CodeType, FrameType
from typing import Final

from hotswap._stale._running import outwards

_SUSPENDABLE: Final = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR


def may_make(code: CodeType) -> bool:
    """Whether a call of `code` that is under way may still make a function; of what may be suspended, always."""
    return bool(code.co_flags & _SUSPENDABLE) or any(_goes_on_to_make(frame) for frame in _running(code))


def _running(code: CodeType) -> Iterator[FrameType]:
    for top in sys._current_frames().values():
        yield from (frame for frame in outwards(top) if frame.f_code is code)
        del top  # it may be the frame of this very call: a cycle, which would keep what its callers hold


def _goes_on_to_make(frame: FrameType) -> bool:
    """Whether code is loaded behind the instruction at which `frame` is, or in a loop around that."""
    steps = list(dis.get_instructions(frame.f_code))
    first, before = frame.f_lasti, -1
    while first != before:
        before = first
        back = (one.argval for one in steps if one.offset >= first and "JUMP_BACKWARD" in one.opname)
        first = min((target for target in back if isinstance(target, int)), default=first)
        first = min(first, before)
    return any(one.offset >= first and isinstance(one.argval, CodeType) for one in steps)
