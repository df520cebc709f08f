"""Modules that statements imported before their swap failed: they go again, for a fresh try would import them anew."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType


def unload_new(known: frozenset[str], is_project: Callable[[ModuleType], bool]) -> None:
    """Take the project's modules back that came into ``sys.modules`` since it had the names `known`."""
    for name in reversed([name for name in list(sys.modules) if name not in known]):
        module = sys.modules[name]
        if type(module) is ModuleType and is_project(module):
            _unload(name, module)


def _unload(name: str, module: ModuleType) -> None:
    """Take a module out of ``sys.modules``, and out of its package."""
    sys.modules.pop(name, None)
    parent, _, last = name.rpartition(".")
    package = sys.modules.get(parent)
    if package is not None and vars(package).get(last) is module:
        vars(package).pop(last)
