"""Which event loops run, in which thread. `asyncio` is never imported for this: a program without it has no loop.

`asyncio` has no list of loops, and from 3.14 on none of all tasks that Python code could read. But a loop that runs is
the ``self`` of its own `run_forever` on its thread's stack. Loops written in C have no frame there; the runner that
`asyncio.run` made for them has.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop


def here() -> AbstractEventLoop | None:
    """Return the loop that runs in this thread."""
    asyncio: Any = sys.modules.get("asyncio")
    return None if asyncio is None else asyncio._get_running_loop()


def of_main_thread() -> AbstractEventLoop | None:
    """Return the loop that runs in the main thread, the innermost if there are several; None if there is none."""
    if "asyncio" not in sys.modules:
        return None
    return next(_on_stack(sys._current_frames().get(threading.main_thread().ident or 0)), None)


def running() -> list[AbstractEventLoop]:
    """Return the loops that run, in whatever thread."""
    if "asyncio" not in sys.modules:
        return []
    found = [here()]
    for top in sys._current_frames().values():
        found += _on_stack(top)
    del top  # it may be the frame of this very call: a cycle, which would keep what its callers hold
    return list({id(loop): loop for loop in found if loop is not None}.values())


def _on_stack(frame: FrameType | None) -> Iterator[AbstractEventLoop]:
    while frame is not None:
        name = frame.f_code.co_name
        if name in ("run_forever", "run"):
            loop: Any = frame.f_locals.get("self")
            if name == "run":
                loop = getattr(loop, "_loop", None) if isinstance(loop, sys.modules["asyncio"].Runner) else None
            if hasattr(loop, "call_soon_threadsafe") and loop.is_running():
                yield loop
        frame = frame.f_back
