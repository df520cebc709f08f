"""The verbs of the module `hotswap`, over one default reloader: the one that `watch` started last."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Unpack

from hotswap._arrivals import ARRIVALS
from hotswap._errors import NotRunningError
from hotswap._points._callbacks import C
from hotswap._points._turn import Pause
from hotswap._reloader import Path, Reloader
from hotswap._settings import overlap

if TYPE_CHECKING:
    from hotswap._graph._view import ImportGraph
    from hotswap._history import Reports
    from hotswap._model import Finding, Plan, Report
    from hotswap._settings import Options
    from hotswap._stale._living import Stale
    from hotswap._why import Why

_default: Reloader | None = None
_outer: Reloader | None = None


def watch(*paths: Path, **settings: Unpack[Options]) -> Reloader:
    """Start to keep the modules below `paths` in step with their files; return the running `Reloader`.

    No paths means the current directory, editable installs and the entries of ``sys.path`` outside site-packages and
    the standard library. The verbs of this module then speak to this reloader. In a program that ``python -m hotswap``
    runs, what is watched already is not watched twice: its reloader is returned. Raises SettingsError for an option
    that is not accepted, OverlapError if a running reloader has one of these roots.
    """
    global _default
    reloader = Reloader(*paths, **settings)
    if _outer is not None and overlap(reloader.settings, _outer.settings):
        _outer.apply_as(reloader.settings.apply)
        return _outer
    _default = reloader.start()
    return reloader


def adopt(reloader: Reloader) -> None:
    """Make the running `reloader` of the command line the one that the verbs speak to, and that `watch` returns."""
    global _default, _outer
    _default = _outer = reloader


def release(reloader: Reloader) -> None:
    """Have the verbs speak to nobody if they speak to `reloader`, which stops."""
    global _default, _outer
    _default = None if _default is reloader else _default
    _outer = None if _outer is reloader else _outer


def _running() -> Reloader:
    if _default is None:
        raise NotRunningError(
            "nothing is watched yet: call hotswap.watch() first, or start the program with python -m hotswap"
        )
    return _default


def tell(found: Finding) -> None:
    """Report something that became known between two swaps, if anything is watched."""
    if _default is not None:
        _default.tell([found])


def is_running() -> bool:
    """Whether anything is watched."""
    return _default is not None


def poll(budget: float | None = None) -> Report | None:
    """Apply here what the watcher has seen since the last call; None if there is nothing. For the top of each frame.

    With `budget`, in seconds, what can wait for the next frames does once that much time is spent.
    """
    return _running().poll(budget)


def reload(*modules: str | ModuleType) -> Report:
    """Look at the disk now, apply what changed here, return the report. Never raises for a bad edit."""
    return _running().reload(*modules)


def retry() -> Report:
    """Try again what could not be applied, though nothing was saved since; its statements run again."""
    return _running().retry()


def undo(generation: int | None = None) -> Report:
    """Bring the modules of the last swap back to the texts they had before it, whatever the disk says.

    With `generation`, a number as in reports, it is the last swap up to that one; what swaps after it changed stays.
    """
    return _running().undo(generation)


def pause() -> Pause:
    """Have nothing applied until the pause ends: ``with hotswap.pause():``, or call `resume` of what is returned."""
    return _running().pause()


def plan() -> Plan:
    """Return what `reload` would do at most; nothing is touched."""
    return _running().plan()


def why(name: str) -> Why:
    """Return what became of ``module:name`` with the last swaps, and why; `str()` of it is for people."""
    return _running().why(name)


def stale() -> tuple[Stale, ...]:
    """Return what still runs or holds old code: frames, tasks, suspended coroutines and generators, closures."""
    return _running().stale()


def errors() -> tuple[Finding, ...]:
    """Return what keeps an edit from being live, by file and line; empty when the process is in step."""
    return _running().errors()


def reports() -> Reports:
    """Return the reports of the last swaps, the newest last; ``async for`` waits for those that come."""
    return _running().reports()


def on_reload(callback: C) -> C:
    """Have `callback` called with the report of each swap from now on; return it, so that this serves as a decorator.

    A coroutine function is awaited where the swap runs on an event loop. It is called once a report, however often it
    is given. What it raises is logged. Works also while nothing is watched yet.
    """
    return ARRIVALS.callbacks.add(callback)


def rerun(target: str) -> Report:
    """Run the statements that make `target` (``module:name``) again, and what depends on them. Raises TargetError."""
    return _running().rerun(target)


def watch_data(pattern: str, callback: Callable[[str], object]) -> None:
    """Have `callback` called with the path of each file below a root that changes and matches `pattern`."""
    _running().watch_data(pattern, callback)


def graph(package: str = "") -> ImportGraph:
    """Return who imports whom among the modules that are loaded and watched; with `package`, among those below it."""
    return _running().graph(package)
