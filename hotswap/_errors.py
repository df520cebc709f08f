"""Every exception that hotswap raises: one root, so that one ``except`` catches them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hotswap._model import Finding


class HotswapError(Exception):
    """Root of everything that hotswap raises on purpose."""


class SettingsError(HotswapError, ValueError):
    """An option has a value that is not accepted; the message names the option and the accepted values."""


class OverlapError(HotswapError, ValueError):
    """Two running reloaders were given roots of which one contains the other."""


class NotRunningError(HotswapError, RuntimeError):
    """A verb needs a running reloader and none was started; the message shows the call that starts one."""


class TargetError(HotswapError, LookupError):
    """A target such as ``shop.prices:TABLE`` names nothing that is loaded; the message says what is missing."""


class EditError(HotswapError):
    """An edit is not in effect: raised by `Report.raise_for_errors` alone, never by a swap.

    `findings` holds what the report says, each with file, line, message and advice.
    """

    def __init__(self, message: str, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(message)
        self.findings = findings


class StatementError(HotswapError):
    """A statement of the program raised while it was run for a swap; never leaves hotswap.

    `error` is what it raised, `path` and `lineno` say where in the user's files.
    """

    def __init__(self, error: BaseException, path: str, lineno: int) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.error, self.path, self.lineno = error, path, lineno


class HookError(StatementError):
    """A hook `name` of a module raised before a swap; never leaves hotswap."""

    def __init__(self, error: BaseException, path: str, lineno: int, name: str) -> None:
        super().__init__(error, path, lineno)
        self.name = name


class NotAwaitedError(HotswapError):
    """A hook is a coroutine function and the swap does not run on an event loop; the report tells it."""
