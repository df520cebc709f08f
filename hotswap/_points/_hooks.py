"""What the program asked to be called for: hooks of its modules, and callbacks that get each report.

A module says ``def __hotswap_before__(data)`` and ``def __hotswap_after__(data, report)``; both are found by name, so
that nothing has to be imported. Any of them may be a coroutine function. So a swap is a generator that yields what has
to be awaited, and there is a way to carry it out for each kind of caller: `run_now` and `run_on_loop`.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Container, Generator, Iterable
from contextvars import ContextVar
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from hotswap._errors import HookError, NotAwaitedError
from hotswap._findings import finding, line_in
from hotswap._model import Finding, Report
from hotswap._points import _interrupt
from hotswap._points._callbacks import Callback

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

log = logging.getLogger("hotswap")
T = TypeVar("T")
Steps = Generator[Awaitable[Any], Any, T]

BEFORE: Final = "__hotswap_before__"
AFTER: Final = "__hotswap_after__"
_TELLING: Final = ContextVar("hotswap_telling", default=False)


def run_now(steps: Steps[T]) -> T:
    """Carry `steps` out where nothing can be awaited: who asks for it gets a NotAwaitedError."""
    try:
        awaited = next(steps)
        while True:
            if inspect.iscoroutine(awaited):
                awaited.close()  # it was not begun, and Python would warn of it
            awaited = steps.throw(NotAwaitedError("it has to be awaited, and this swap does not run on an event loop"))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def run_on_loop(steps: Steps[T]) -> T:
    """Carry `steps` out on the running event loop, awaiting what they ask for; other tasks run meanwhile.

    If the task is cancelled meanwhile, that is raised once the steps have come to their end.
    """
    try:
        awaited = next(steps)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    return await _go_on(steps, awaited)


def begin_on_loop(loop: AbstractEventLoop, steps: Steps[Any], done: Callable[[], object]) -> None:
    """Carry `steps` out in a callback of `loop`, which calls this; from the first that is to be awaited on, in a task.

    `done` is called at the end.
    """
    try:
        awaited = next(steps)
    except BaseException as error:
        done()
        if not isinstance(error, StopIteration):
            raise
    else:
        task = loop.create_task(_go_on(steps, awaited), name="hotswap")
        task.add_done_callback(lambda _: done())


async def _go_on(steps: Steps[T], awaited: Awaitable[Any]) -> T:
    import asyncio  # a loop runs, so it is there; other programs are spared its 30 ms

    cancelled: BaseException | None = None
    try:
        while True:
            try:
                result = await awaited
            except BaseException as error:  # noqa: BLE001  the steps say what a failure means
                task = asyncio.current_task()
                if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                    cancelled = error
                awaited = steps.throw(error)
            else:
                awaited = steps.send(result)
    except StopIteration as end:
        if cancelled is not None:
            raise cancelled from None
        return end.value  # type: ignore[no-any-return]


class Hooks:
    """The hooks of the modules that a group concerns, given in the order of imports: dependencies first.

    `before` is called when all is compiled and nothing is changed yet, `after` when the report is there. `mended` are
    modules whose hook raised the last time and has another text now: it is passed over, as nobody else could mend it.
    """

    def __init__(self, modules: Iterable[ModuleType], mended: Container[str] = ()) -> None:
        self._modules, self._mended = tuple(modules), mended
        self._data: dict[str, dict[str, Any]] = {}
        self.error: BaseException | None = None
        self.called = False
        self.interrupt: BaseException | None = None

    def before(self) -> Steps[None]:
        """Call the hooks that come before, the last importer's first. Raises HookError from what one of them raises.

        Then those of what it imports are not called.
        """
        for module in reversed(self._modules):
            hook = vars(module).get(BEFORE)
            data = self._data[module.__name__] = {}
            if callable(hook) and module.__name__ not in self._mended:
                self.called = True
                try:
                    yield from _call(hook, data)
                except BaseException as error:
                    raise HookError(error, *_place(error, hook, module), name=_named(module, BEFORE)) from error

    def after(self, report: Report) -> Steps[tuple[Finding, ...]]:
        """Call the hooks that come after, dependencies first; return what has to be told of them.

        All are called whose module had its turn before, whatever has become of the group: `report.error` says it.
        """
        told = []
        for module in self._modules:
            hook = vars(module).get(AFTER)
            data = self._data.get(module.__name__)
            if callable(hook) and data is not None:
                self.called = True
                try:
                    yield from _call(hook, data, replace(report, error=self.error))
                except NotAwaitedError as error:
                    told.append(_not_awaited(hook, module, error))
                except BaseException as error:  # noqa: BLE001  what was swapped is live; the hook's failure is told
                    self.interrupt = self.interrupt or _interrupt.find(error)
                    path, line = _place(error, hook, module)
                    message = f"{type(error).__name__}: {error}".removesuffix(": ")
                    told.append(finding("HS228", path, line, name=_named(module, AFTER), message=message))
        return tuple(told)


def _call(hook: Callable[..., Any], *arguments: Any) -> Steps[None]:
    result = hook(*arguments)
    if inspect.isawaitable(result):
        yield result


def _not_awaited(hook: Any, module: ModuleType, error: BaseException) -> Finding:
    return finding("HS220", *_place(error, hook, module), name=_named(module, AFTER), why=error)


def _named(module: ModuleType, name: str) -> str:
    return f"{module.__name__}.{name}"


def _place(error: BaseException, hook: Any, module: ModuleType) -> tuple[str, int]:
    """Return the file and line to tell: where the hook was when it raised, else where it begins."""
    code = getattr(hook, "__code__", None)
    path: str = getattr(code, "co_filename", None) or getattr(module, "__file__", None) or ""
    begin: int = getattr(code, "co_firstlineno", 1)
    return path, line_in(error.__traceback__, path) or begin


def tell(report: Report, callbacks: Iterable[Callback | None]) -> Steps[None]:
    """Call all `callbacks`, but not for a swap that one of them asked for. One that fails is logged."""
    if _TELLING.get():
        return
    token = _TELLING.set(True)
    try:
        for callback in callbacks:
            if callback is not None:
                yield from _tell(callback, report)
    finally:
        _TELLING.reset(token)


def _tell(callback: Callback, report: Report) -> Steps[None]:
    try:
        yield from _call(callback, report)
    except Exception:  # a callback that fails is the program's error, not a reason to stop watching
        log.exception("a callback of a report raised")
