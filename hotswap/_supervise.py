"""Tasks that begin anew when their code changed: a running ``while True:`` goes on with its old code for ever.

A task that opted in is cancelled at the ``await`` where it stands, and once it has ended (its ``finally`` included, so
there are never two) its function is called again, with its arguments and with what it handed on by `carry`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from types import CodeType, FunctionType, MethodType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, overload

from hotswap import _api
from hotswap._blame import edit_behind
from hotswap._findings import finding
from hotswap._process import PROCESS
from hotswap._stale._living import RESTARTING, awaited_frames

if TYPE_CHECKING:
    import asyncio

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Makes = Callable[_P, Coroutine[Any, Any, _T]]

_CARRIED: Final[ContextVar[SimpleNamespace]] = ContextVar("hotswap carried")


def carry(**defaults: Any) -> SimpleNamespace:
    """Return what this supervised task hands on to the one that takes its place, with `defaults` for what is new.

    It is a namespace: what is set on it is there after the restart. Outside such a task it is a fresh one each time.
    """
    kept = _CARRIED.get(None)
    if kept is None:
        return SimpleNamespace(**defaults)
    for name, value in defaults.items():
        if not hasattr(kept, name):
            setattr(kept, name, value)
    return kept


async def supervise(function: _Makes[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Await ``function(*args, **kwargs)``, begun anew whenever a swap changed code that it is running.

    Returns and raises what the last run does. An exception in code that a swap brought is reported, with that swap.
    """
    result: _T = await _Supervision(function, args, kwargs, fall_back=False).run()
    return result


@overload
def restart_on_swap(function: _Makes[_P, _T], /) -> _Makes[_P, _T]: ...
@overload
def restart_on_swap(*, fall_back: bool = False) -> Callable[[_Makes[_P, _T]], _Makes[_P, _T]]: ...
def restart_on_swap(function: Any = None, /, *, fall_back: bool = False) -> Any:
    """Have each call of a coroutine function be supervised: a decorator, see `supervise`.

    With `fall_back`, a run that fails in code that a swap brought is reported and goes on with the code before it: its
    own of before, or if something else is to blame that it calls or reads, that swap is undone.
    """
    if function is None:
        return functools.partial(_decorate, fall_back=fall_back)
    return _decorate(function, fall_back=fall_back)


def _decorate(function: _Makes[_P, _T], *, fall_back: bool) -> _Makes[_P, _T]:
    @functools.wraps(function)
    async def supervised(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        result: _T = await _Supervision(function, args, kwargs, fall_back=fall_back).run()
        return result

    return supervised


class _Supervision:
    """One supervised call and the runs that it has had.

    `_began` is the code that the run under way began with, `_good` a copy of the code of the last run that a swap
    ended, `_bad` the code that failed: until that changes, runs go on with the good one.
    """

    def __init__(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, fall_back: bool) -> None:
        import asyncio

        self._function, self._args, self._kwargs, self._fall_back = function, args, kwargs, fall_back
        self._kept = SimpleNamespace()
        self._swapped = asyncio.Event()
        self._began: CodeType | None = None
        self._good: CodeType | None = None
        self._bad: CodeType | None = None

    async def run(self) -> Any:
        """Run, and run again, until a run ends by itself."""
        import asyncio

        with self._listening(asyncio.get_running_loop()):
            while True:
                task = self._start()
                if not await self._ended_by_swap(task) and not self._went_wrong(task):
                    return task.result()

    @contextmanager
    def _listening(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        def swapped() -> None:
            loop.call_soon_threadsafe(self._swapped.set)

        PROCESS.after_swap.append(swapped)
        try:
            yield
        finally:
            PROCESS.after_swap.remove(swapped)

    def _start(self) -> asyncio.Task[Any]:
        import asyncio

        self._began = _code_of(self._function)
        function = self._function
        if self._bad is not None and self._began is self._bad and self._good is not None:
            function = _with_code(function, self._good)
        context = copy_context()
        context.run(_CARRIED.set, self._kept)
        own = asyncio.current_task()
        name = own.get_name() if own is not None else None
        coroutine = function(*self._args, **self._kwargs)
        task: asyncio.Task[Any] = asyncio.create_task(coroutine, name=name, context=context)
        RESTARTING.add(task)
        return task

    async def _ended_by_swap(self, task: asyncio.Task[Any]) -> bool:
        """Wait until `task` ends; return whether it was cancelled because of a swap. Who cancels us cancels it."""
        import asyncio

        copy = self._began.replace() if self._fall_back and self._began is not None else None
        while not task.done():
            self._swapped.clear()
            waiting = asyncio.create_task(self._swapped.wait())
            try:
                await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                await _end(task)
                raise
            finally:
                waiting.cancel()
            if not task.done() and self._is_old(task):
                self._good, self._bad = (copy, None) if self._bad is None else (self._good, None)
                await _end(task)
                return task.cancelled()
        return False

    def _is_old(self, task: asyncio.Task[Any]) -> bool:
        """Whether the task runs code that a swap replaced; or, where the new code failed, whether there is another."""
        if self._bad is not None:
            return _code_of(self._function) is not self._bad
        return any(frame.f_code in PROCESS.old_codes for frame in awaited_frames(task))

    def _went_wrong(self, task: asyncio.Task[Any]) -> bool:
        """Report what a run raised because of a swap; return whether the code before it takes over.

        That of its own function is run as long as the new one fails. What it calls is everybody's: that swap is undone.
        """
        error = None if task.cancelled() else task.exception()
        edit = edit_behind(error) if isinstance(error, Exception) else None
        if error is None or edit is None:
            return False
        _api.tell(finding("HS241", edit.path, edit.lineno, name=task.get_name(), error=edit.told(error)))
        if self._fall_back and self._good is not None and self._bad is None:
            self._bad = self._began
            return True
        return self._fall_back and bool(_api.undo(edit.generation).outcomes)


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancel `task` and wait until it has really ended; it may take its time to clean up."""
    import asyncio

    task.cancel()
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:  # who asks for it a second time means it
            task.cancel()
            raise


def _code_of(function: Any) -> CodeType | None:
    function = getattr(function, "__func__", function)
    return function.__code__ if isinstance(function, FunctionType) else None


def _with_code(function: Any, code: CodeType) -> Any:
    """Return a function like `function`, or a method like it, that runs `code`."""
    inner: FunctionType = getattr(function, "__func__", function)
    made = FunctionType(code, inner.__globals__, inner.__name__, inner.__defaults__, inner.__closure__)
    made.__kwdefaults__ = inner.__kwdefaults__
    return MethodType(made, function.__self__) if isinstance(function, MethodType) else made
