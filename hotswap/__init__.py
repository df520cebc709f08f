"""Hot module reloading in the running process: save a file, and the program runs the new code with its state kept."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hotswap._api import (
        errors,
        graph,
        on_reload,
        pause,
        plan,
        poll,
        reload,
        reports,
        rerun,
        retry,
        stale,
        undo,
        watch,
        watch_data,
        why,
    )
    from hotswap._errors import EditError, HotswapError, NotRunningError, OverlapError, SettingsError, TargetError
    from hotswap._frames import frames
    from hotswap._graph._view import ImportGraph
    from hotswap._live import live
    from hotswap._model import Finding, Plan, Report
    from hotswap._reloader import Reloader
    from hotswap._supervise import carry, restart_on_swap, supervise

__all__ = [
    "EditError",
    "Finding",
    "HotswapError",
    "ImportGraph",
    "NotRunningError",
    "OverlapError",
    "Plan",
    "Reloader",
    "Report",
    "SettingsError",
    "TargetError",
    "carry",
    "errors",
    "frames",
    "graph",
    "live",
    "on_reload",
    "pause",
    "plan",
    "poll",
    "reload",
    "reports",
    "rerun",
    "restart_on_swap",
    "retry",
    "stale",
    "supervise",
    "undo",
    "watch",
    "watch_data",
    "why",
]

_WHERE = {
    "_api": "errors graph on_reload pause plan poll reload reports rerun retry stale undo watch watch_data why",
    "_errors": "EditError HotswapError NotRunningError OverlapError SettingsError TargetError",
    "_frames": "frames",
    "_graph._view": "ImportGraph",
    "_live": "live",
    "_model": "Finding Plan Report",
    "_reloader": "Reloader",
    "_supervise": "carry restart_on_swap supervise",
}


def __getattr__(name: str) -> object:
    """Import what `name` needs when it is first asked for (PEP 562): ``import hotswap`` costs next to nothing."""
    for module, names in _WHERE.items():
        if name in names.split():
            value: object = getattr(_import_module(f"hotswap.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: object) -> None:
    """Start in an IPython shell: what ``%load_ext hotswap`` calls. Nothing of it is imported before."""
    from hotswap.integrations.ipython import load

    load(shell)


def unload_ipython_extension(shell: object) -> None:
    """Leave the shell as it was: what ``%unload_ext hotswap`` calls. The code that was swapped stays."""
    from hotswap.integrations.ipython import unload

    unload(shell)
