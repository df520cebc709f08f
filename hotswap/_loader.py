"""Import machinery: a finder that puts a proxy around each module's own loader.

The proxy does two things. When a module is imported, it keeps the text that runs. When we reload a module, it runs the
chosen statements alone, so that `importlib.reload` and whatever other hooks hang on it work as always. Everything else is
the loader's own: `isinstance(module.__loader__, SourceFileLoader)` stays true, `get_data`, `get_source` pass through.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

import wrapt

Noting = Callable[[str, str], None]
Body = Callable[[], None]

_ATTRIBUTES: Final = ("__spec__", "__loader__", "__file__", "__cached__", "__path__", "__package__")
_IMPORTLIB: Final = "<frozen importlib._bootstrap_external>"


class Finder:
    """Stands first in ``sys.meta_path`` and asks the others. `note` is called with a module's name and its file, before
    its code runs; `covers` says of a file whether it is looked after."""

    def __init__(self, note: Noting, covers: Callable[[str], bool]) -> None:
        self.note, self.covers = note, covers
        self.bodies: dict[str, Body] = {}

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return what the other finders find, its loader in a proxy if the module is a Python file that we look after."""
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(name, path, target)
            if spec is not None:
                return self._proxied(spec)
        return None

    def _proxied(self, spec: ModuleSpec) -> ModuleSpec:
        loader = spec.loader
        if loader is None or not spec.has_location or not isinstance(spec.origin, str) or type(loader) is Loader:
            return spec
        if hasattr(loader, "exec_module") and spec.origin.endswith((".py", ".pyw")) and self.covers(spec.origin):
            spec.loader = Loader(loader, self)  # type: ignore[assignment]  # a proxy of the loader passes for it
        return spec

    def invalidate_caches(self) -> None:
        """Nothing is cached here."""


class Loader(wrapt.ObjectProxy):  # type: ignore[misc]  # wrapt's proxies are untyped
    """A module's own loader, but for `exec_module`."""

    def __init__(self, wrapped: Any, finder: Finder) -> None:
        super().__init__(wrapped)
        self._self_finder = finder

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code, or, inside `reload_with`, the chosen statements."""
        name = module.__name__
        body = self._self_finder.bodies.pop(name, None)
        if body is not None:
            body()
            return
        spec = module.__spec__
        if spec is not None and spec.origin is not None:
            self._self_finder.note(name, spec.origin)
        self.__wrapped__.exec_module(module)

    def __reduce__(self) -> Any:
        return self.__wrapped__.__reduce__()


# CPython drops the frames of importlib from the traceback of a failing import by their file name; ours belongs to them.
Loader.exec_module.__code__ = Loader.exec_module.__code__.replace(co_filename=_IMPORTLIB)


def reload_with(finder: Finder, module: ModuleType, body: Body) -> None:
    """Have `importlib.reload` run `body` in place of the code of `module`, whose identity and attributes stay.

    Modules that cannot be found again under their name as the same file (``__main__``, those that were loaded by hand)
    run `body` directly.
    """
    name = module.__name__
    if not _is_found_again(finder, module):
        body()
        return
    saved = {key: vars(module)[key] for key in _ATTRIBUTES if key in vars(module)}
    finder.bodies[name] = body
    try:
        importlib.reload(module)
    finally:
        finder.bodies.pop(name, None)
        vars(module).update(saved)
        for key in _ATTRIBUTES:
            if key not in saved:
                vars(module).pop(key, None)


def _is_found_again(finder: Finder, module: ModuleType) -> bool:
    spec = module.__spec__
    if spec is None or spec.name != module.__name__ or sys.modules.get(spec.name) is not module or finder not in sys.meta_path:
        return False
    parent = spec.name.rpartition(".")[0]
    if parent and parent not in sys.modules:
        return False
    try:
        path = vars(sys.modules[parent])["__path__"] if parent else None
        found = finder.find_spec(spec.name, path, module)
    except Exception:  # noqa: BLE001  a finder of the program's that fails: then the statements run without a reload
        return False
    return found is not None and found.origin == spec.origin and type(found.loader) is Loader
