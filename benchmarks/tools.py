"""What is compared: each tool is started on a folder, and then asked to make the process follow a save.

The floor is no tool but an oracle: it knows which function changed, reads and compiles the whole file and assigns one
``__code__``. Nothing that reads the file again can be cheaper, unless it reads less of it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

Follow = Callable[[Path], object]


def floor(root: Path) -> Follow:
    """Return what reads and compiles a file, and assigns the code of its first function."""
    del root

    def follow(path: Path) -> None:
        with open(path, "rb") as file:
            code = compile(file.read(), str(path), "exec")
        found = {const.co_name: const for const in code.co_consts if isinstance(const, CodeType)}
        module: Any = sys.modules[path.stem]
        module.f0.__code__ = found["f0"]

    return follow


def hotswap(root: Path) -> Follow:
    """Return what `Reloader.reload` does."""
    from hotswap import Reloader

    reloader = Reloader(root, apply="manual").start()

    def follow(path: Path) -> object:
        report = reloader.reload()
        if report.findings:
            raise RuntimeError(f"{path}: {report}")
        return report

    return follow


def jurigged(root: Path) -> Follow:
    """Return what jurigged does once its watcher has told it of a file."""
    from jurigged.live import Watcher, registry

    registry.auto_register(filter=lambda path: str(path).startswith(str(root)))
    watcher = Watcher(registry, debounce=0)
    return lambda path: watcher.refresh(str(path))


def autoreload(root: Path) -> Follow:
    """Return what ``%autoreload 2`` does before each cell."""
    del root
    from IPython.extensions.autoreload import ModuleReloader

    reloader: Any = ModuleReloader()
    reloader.check_all = True
    reloader.enabled = True
    return lambda _: reloader.check(True)


TOOLS: dict[str, Callable[[Path], Follow]] = {
    "floor": floor,
    "hotswap": hotswap,
    "jurigged": jurigged,
    "autoreload": autoreload,
}


def load(root: Path, names: list[str]) -> None:
    """Import `names` from `root`."""
    sys.path.insert(0, str(root))
    for name in names:
        importlib.import_module(name)
