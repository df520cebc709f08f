"""What exceptions keep of a swap. Classes that a save made which was taken back leave ``__subclasses__()``.

The garbage collector sees to most of them. One that the frames of the exception have, which are kept for debuggers, may
live as long as the exception.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from inspect import CO_OPTIMIZED
from types import FrameType, ModuleType, TracebackType
from typing import TYPE_CHECKING

from hotswap._run._execute import forget_frames
from hotswap._run._values import attribute, is_a
from hotswap.patch._twins import detach

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap


def detach_made(swap: Swap, error: BaseException) -> None:
    """Detach the classes in the frames of `error` that statements of the save made, once all is as it was.

    Where CPython refuses that, the frame lets go of all that it has.
    """
    for frame in _frames(error):
        seen = frame.f_locals
        made = [one for one in seen.values() if is_a(one, type) and _is_made(swap, one)]
        if [one for one in made if not detach(one)]:
            with suppress(RuntimeError):  # it runs still
                frame.clear()
        if type(seen) is dict and frame.f_code.co_flags & CO_OPTIMIZED:  # before 3.13 a copy, which the frame keeps
            seen.clear()


def _is_made(swap: Swap, cls: type) -> bool:
    module, name = cls.__module__, vars(type)["__qualname__"].__get__(cls)
    return "<locals>" not in name and _may_have_made(swap, module, name) and _at(module, name) is not cls


def _frames(error: BaseException | None) -> Iterator[FrameType]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        trace: TracebackType | None = error.__traceback__
        while trace is not None:
            yield trace.tb_frame
            trace = trace.tb_next
        error = error.__cause__ or error.__context__


def _may_have_made(swap: Swap, module: str, qualname: str) -> bool:
    """Whether a statement that ran, or may have, binds the class of that name, or the one that it is a member of."""
    work = swap.works.get(module)
    first = qualname.partition(".")[0]
    diff = work.edit.diff if work is not None else None
    if diff is None:
        return False
    run = [*diff.added, *(p.new for p in diff.changed), *(p.new for p in diff.unchanged if id(p.new) in swap.maybe)]
    run += [statement for tried, _, statement in swap.tried if tried is work]
    return any(first in statement.binds for statement in run)


def _at(module: str, qualname: str) -> object:
    found: object = sys.modules.get(module)
    for part in qualname.split("."):
        found = attribute(found, "__dict__", {}).get(part)
    return found


def let_frames_go(swap: Swap) -> None:
    """Clear the frames of the swap that exceptions lead to which modules keep: ``except ImportError as e: why = e``.

    Each frame knows the one behind it, so they would keep all old objects, and these would be taken to be in use.
    """
    loaded = [module for name, module in list(sys.modules.items()) if name not in swap.known]
    for module in (*loaded, *(work.module for work in swap.works.values())):
        for value in list(vars(module).values()) if is_a(module, ModuleType) else ():
            if is_a(value, BaseException):
                forget_frames(value)
