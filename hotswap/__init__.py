"""Hot module reloading in the running process: save a file, and the program runs the new code with its state kept."""

from hotswap._api import errors, plan, poll, reload, reports, watch
from hotswap._model import Finding, Plan, Report
from hotswap._reloader import Reloader
from hotswap.errors import EditError, HotswapError, NotRunningError, OverlapError, SettingsError

__all__ = [
    "EditError",
    "Finding",
    "HotswapError",
    "NotRunningError",
    "OverlapError",
    "Plan",
    "Reloader",
    "Report",
    "SettingsError",
    "errors",
    "plan",
    "poll",
    "reload",
    "reports",
    "watch",
]
