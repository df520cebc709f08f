"""Folders that never hold source that is worked on: what is new in them is not looked at."""

from __future__ import annotations

import os
from typing import Final

CACHES: Final = frozenset(("__pycache__", ".tox", ".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache"))
FOREIGN: Final = frozenset((".git", ".hg", ".svn", "node_modules", "site-packages", ".venv", "venv"))
BUILT: Final = frozenset(("build", "dist"))


def is_ignored(path: str) -> bool:
    """Return whether the folder at absolute `path` never holds source that is worked on; its parents are not asked.

    Such are caches, version control, installed packages, virtual environments under any name (a folder that holds
    ``pyvenv.cfg``), and ``build`` and ``dist`` unless they are packages. A file that is loaded from one of them and
    belongs to a root is watched all the same: this is asked for what may come to be loaded.
    """
    name = os.path.basename(path)
    if name in CACHES or name in FOREIGN or name.endswith(".egg-info"):
        return True
    if name in BUILT:
        return not os.path.exists(os.path.join(path, "__init__.py"))
    return os.path.exists(os.path.join(path, "pyvenv.cfg"))
