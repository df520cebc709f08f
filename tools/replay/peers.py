"""What brings a living process to the files' new texts: hotswap, its peers, and the two controls.

Each tool is started once everything is imported, then told of the files that changed. It returns what it tells of the
save: findings as (code, path, line, message). Only hotswap tells anything; a peer's silence counts as its word.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Final

Told = tuple[str, str, int, str]
Update = Callable[[list[str]], list[Told]]
Start = Callable[[str, Callable[[str], bool]], Update]


def hotswap(root: str, is_ours: Callable[[str], bool]) -> Update:
    """Swap by hand, as `hotswap.reload()` does."""
    from hotswap import Reloader  # only this tool needs it

    del is_ours
    reloader = Reloader(root, apply="manual").start()

    def update(changed: list[str]) -> list[Told]:
        del changed
        reports = [reloader.reload()]
        if any(one.code == "HS305" for one in reports[0].findings):  # a file that is gone is believed at another look
            reports.append(reloader.reload())
        waited = ("HS305", "HS306")  # it has been believed since, and nothing waits for it any more
        found = [
            one for report in reports for one in report.findings if one.code not in waited or report is reports[-1]
        ]
        return [(one.code, one.path, one.lineno, one.message) for one in found]

    return update


def nothing(root: str, is_ours: Callable[[str], bool]) -> Update:
    """The negative control: no tool at all."""
    del root, is_ours

    def update(changed: list[str]) -> list[Told]:
        del changed
        return []

    return update


def anew(root: str, is_ours: Callable[[str], bool]) -> Update:
    """The positive control: forget every module and import all of it anew."""
    del root

    def update(changed: list[str]) -> list[Told]:
        del changed
        names = [name for name in sys.modules if is_ours(name)]
        for name in names:
            del sys.modules[name]
        _import_all(names)
        return []

    return update


def plain(root: str, is_ours: Callable[[str], bool]) -> Update:
    """`importlib.reload` of the changed modules and of all modules that import one, in the order of ``sys.modules``."""
    del root

    def update(changed: list[str]) -> list[Told]:
        wanted = {name for name in sys.modules if is_ours(name) and _file(name) in changed}
        for name in [name for name in list(sys.modules) if is_ours(name)]:
            if name in wanted or _imports_one(name, wanted):
                _quietly(importlib.reload, sys.modules[name])
        return []

    return update


def jurigged(root: str, is_ours: Callable[[str], bool]) -> Update:
    """The registry of jurigged, asked to look at each changed file."""
    del root
    live, register = (importlib.import_module(f"jurigged.{name}") for name in ("live", "register"))
    registry: Any = register.registry
    for name in [name for name in sys.modules if is_ours(name) and _file(name)]:
        registry.prepare(name, _file(name))
    watcher = live.Watcher(registry)

    def update(changed: list[str]) -> list[Told]:
        for path in changed:
            _quietly(watcher.refresh, path)
        return []

    return update


def ipython(root: str, is_ours: Callable[[str], bool]) -> Update:
    """The reloader of IPython's ``%autoreload 2``."""
    del root, is_ours
    autoreload: Any = importlib.import_module("IPython.extensions.autoreload")
    reloader = autoreload.ModuleReloader()
    reloader.enabled = reloader.check_all = True
    reloader.autoload_obj = False
    _quietly(reloader.check, True, False)

    def update(changed: list[str]) -> list[Told]:
        for path in changed:  # it compares whole seconds
            later = os.stat(path).st_mtime + 5 if os.path.exists(path) else 0
            if later:
                os.utime(path, (later, later))
        _quietly(reloader.check, True)
        return []

    return update


TOOLS: Final[dict[str, Start]] = {
    "hotswap": hotswap,
    "anew": anew,
    "none": nothing,
    "plain": plain,
    "jurigged": jurigged,
    "ipython": ipython,
}


def _file(name: str) -> str:
    return getattr(sys.modules.get(name), "__file__", None) or ""


def _imports_one(name: str, wanted: set[str]) -> bool:
    values = vars(sys.modules[name]).values()
    return any((v.__name__ if isinstance(v, ModuleType) else getattr(v, "__module__", None)) in wanted for v in values)


def _import_all(names: Iterable[str]) -> None:
    for name in names:
        _quietly(importlib.import_module, name)


def _quietly(call: Callable[..., object], *arguments: object) -> None:
    """Call, and print what it raises: a peer that fails leaves the process as it is, which is then measured."""
    try:
        call(*arguments)
    except BaseException as error:  # noqa: BLE001  a module of another version may raise anything
        print(f"{getattr(call, '__name__', call)}{arguments}: {type(error).__name__}: {error}", file=sys.stderr)
