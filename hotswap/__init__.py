"""Hot module reloading in the running process: save a file, and the program runs the new code with its state kept."""

import logging as _logging

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
from hotswap._graph import ImportGraph
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

# What the library says is for the program to show; only the command line adds an output of its own.
_logging.getLogger("hotswap").addHandler(_logging.NullHandler())


def load_ipython_extension(shell: object) -> None:
    """Start in an IPython shell: what ``%load_ext hotswap`` calls. Nothing of it is imported before."""
    from hotswap.integrations.ipython import load

    load(shell)


def unload_ipython_extension(shell: object) -> None:
    """Leave the shell as it was: what ``%unload_ext hotswap`` calls. The code that was swapped stays."""
    from hotswap.integrations.ipython import unload

    unload(shell)
