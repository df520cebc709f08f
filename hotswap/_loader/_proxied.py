"""A proxy around a loader that is not Python's own for source files: pytest's, a type checker's, the program's.

Everything but `exec_module` and `get_code` is the loader's own, `isinstance` included. It stays in the module's place.
"""

from __future__ import annotations

from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

import wrapt

from hotswap._loader._finder import EXEC_MODULE, Finder, Ours, hide_frames, note, run_chosen

if TYPE_CHECKING:  # wrapt's class is generic for type checkers alone
    _Proxy = wrapt.ObjectProxy[Any]
else:
    _Proxy = wrapt.ObjectProxy


class Loader(Ours, _Proxy):
    """A module's own loader, but for `exec_module`."""

    def __init__(self, wrapped: Any, finder: Finder) -> None:
        super().__init__(wrapped)
        self._self_finder = finder
        self._self_kept: list[CodeType] | None = None

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code, or, inside `reload_with`, the chosen statements."""
        name = module.__name__
        if run_chosen(self._self_finder, module):
            return
        note(self._self_finder, module)
        run = self.__wrapped__.exec_module
        if getattr(run, "__func__", None) is not EXEC_MODULE:
            run(module)
            return
        self._self_kept = kept = list[CodeType]()
        try:
            EXEC_MODULE(self, module)  # the loader's own, but that it asks this proxy for the code
        finally:
            self._self_kept = None
        for code in kept:
            self._self_finder.tell(name, code)

    def get_code(self, fullname: str) -> CodeType | None:
        """Return what the loader gives; inside `exec_module` it is kept until the code has run."""
        code: CodeType | None = self.__wrapped__.get_code(fullname)
        if code is not None and self._self_kept is not None:
            self._self_kept.append(code)
        return code

    def __reduce__(self) -> Any:
        return self.__wrapped__.__reduce__()


hide_frames(Loader.exec_module, Loader.get_code)
