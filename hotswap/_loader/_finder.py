"""A finder that puts a loader of ours in the place of each module's own.

Ours does two things. When a module is imported, it keeps the text that runs. When we reload a module, it runs the
chosen statements alone, through the same finders and the same loader as `importlib.reload`. Around a loader of somebody
else's it is a proxy (`_proxied`). Python's own loader of source files has the class `SourceLoader` until
the module is about to run: nearly all modules come by it, and wrapt takes longer to import than the rest of what a
program needs at its start.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from threading import get_ident
from time import monotonic
from types import CodeType, ModuleType
from typing import Any, Final, cast

from hotswap._loader._baselines import Baseline, cached

Noting = Callable[[str, str], Baseline | None]
Seeing = Callable[[str, CodeType | None], None]
Body = Callable[[], None]

EXEC_MODULE: Final = SourceFileLoader.exec_module
GET_CODE: Final = SourceFileLoader.get_code
_SOURCE: Final = (".py", ".pyw")
_IMPORTLIB: Final = "<frozen importlib._bootstrap_external>"
_HIDDEN: Final[set[CodeType]] = set()
_BEGUN: Final[dict[str, float]] = {}


class Finder:
    """Stands first in ``sys.meta_path`` and asks the others. `note` is called with a module's name and its file, before
    its code runs, and returns what it noted; `seen` is called with the code afterwards, or with None if a cache
    file had it; `covers` says of a file whether it is looked after.

    Other hooks put themselves first, too, and what they load is not noted. `overtaken` is called when that is seen.

    What any of them raises is a failure of ours, and logged: no import of the program may fail because of it.
    """

    def __init__(
        self,
        note: Noting,
        covers: Callable[[str], bool],
        seen: Seeing | None = None,
        overtaken: Callable[[], None] = lambda: None,
    ) -> None:
        self.note, self.covers, self.seen, self.overtaken = note, covers, seen or _forget, overtaken
        self.bodies: dict[tuple[str, int], Body] = {}  # by module and thread: another thread's own reload runs it all

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what the other finders find, its loader in a proxy if the module is a Python file that we look
        after.
        """
        if sys.meta_path[0] is not self and self.step_forward():
            try:
                self.overtaken()
            except Exception as error:  # noqa: BLE001
                _tell_bug(error)
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(name, path, target)
            if spec is not None:
                return self._proxied(spec)
        return None

    def step_forward(self) -> bool:
        """Be the first in ``sys.meta_path`` again; return whether that was needed.

        An import that goes over the list meanwhile meets each of the others once.
        """
        places = [index for index, finder in enumerate(sys.meta_path) if finder is self]
        if not places or not places[0]:
            return False
        sys.meta_path.insert(0, self)
        del sys.meta_path[places[0] + 1]
        return True

    def _proxied(self, spec: ModuleSpec) -> ModuleSpec:
        loader: Any = spec.loader
        own, origin = type(loader), spec.origin
        if own is not SourceFileLoader and (is_ours(loader) or not hasattr(loader, "exec_module")):
            return spec
        if isinstance(origin, str) and origin.endswith(_SOURCE) and spec.has_location and self._covers(origin):
            if own is SourceFileLoader and own.exec_module is EXEC_MODULE and own.get_code is GET_CODE:
                loader._finder = self
                loader.__class__ = SourceLoader
            else:
                from hotswap._loader._proxied import Loader

                spec.loader = cast(Any, Loader(loader, self))
        return spec

    def _covers(self, origin: str) -> bool:
        try:
            return self.covers(origin)
        except Exception as error:  # noqa: BLE001
            _tell_bug(error)
            return False

    def tell(self, name: str, code: CodeType | None) -> None:
        """Say that a module has run."""
        try:
            self.seen(name, code)
        except Exception as error:  # noqa: BLE001
            _tell_bug(error)

    def invalidate_caches(self) -> None:
        """Nothing is cached here."""


def _tell_bug(error: Exception) -> None:
    import logging

    logging.getLogger("hotswap").error("bug in hotswap; please report it with this traceback", exc_info=error)


def _forget(name: str, code: CodeType | None) -> None:
    """What nobody asked to be told of is not kept."""


class Ours:
    """Marks the loaders that are not a module's own: a proxy's `__wrapped__` is that."""

    __slots__ = ()


def is_ours(loader: object) -> bool:
    """Whether `loader` stands in for another one; what it passes for is not asked."""
    return issubclass(type(loader), Ours)


class SourceLoader(SourceFileLoader, Ours):  # type: ignore[misc]  # typeshed's bases of it disagree
    """The class of a `SourceFileLoader` until the module that it loads is about to run.

    As the text has just been read, the code of its cache file is taken up here: `SourceFileLoader.get_code` would ask
    once more for the state of the file, and take half as long again. All else is left to that.
    """

    _finder: Finder
    _codes: list[CodeType | None]

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code, or, inside `reload_with`, the chosen statements."""
        finder, name = self._finder, module.__name__
        if finder.bodies and run_chosen(finder, module):
            return
        noted, spec = note(finder, module), module.__spec__
        self._codes = codes = [cached(noted, spec.cached) if noted and spec else None]
        EXEC_MODULE(self, module)
        finder.tell(name, codes[1] if len(codes) > 1 else None)

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code; for `exec_module`, and the loader is as any other from here on."""
        codes = vars(self).pop("_codes", None)
        if codes is None:
            return GET_CODE(self, fullname)
        self.give_back()
        if codes[0] is None:
            codes.append(GET_CODE(self, fullname))
        code: CodeType | None = codes[-1]
        return code

    def give_back(self) -> None:
        """Be a loader as any other."""
        del self._finder
        self.__class__ = SourceFileLoader  # type: ignore[assignment]  # the class that it had


def run_chosen(finder: Finder, module: ModuleType) -> bool:
    """Run the statements that `reload_with` chose for `module`; return whether there were such."""
    body = finder.bodies.pop((module.__name__, get_ident()), None) if finder.bodies else None
    if body is not None:
        body()
    return body is not None


def note(finder: Finder, module: ModuleType) -> Baseline | None:
    """Note the text that `module` is about to run; return what is known of it."""
    _BEGUN[module.__name__] = monotonic()
    spec = module.__spec__
    try:
        return None if spec is None or spec.origin is None else finder.note(module.__name__, spec.origin)
    except Exception as error:  # noqa: BLE001
        _tell_bug(error)
        return None


def importing_for(module: ModuleType) -> float | None:
    """Return for how many seconds `module` has been run by an import that we saw begin and that has not ended.

    Relies on ``_initializing``, by which the import system knows such a module (3.4 to 3.15).
    """
    begun = _BEGUN.get(module.__name__)
    initializing = getattr(vars(module).get("__spec__"), "_initializing", False)
    return None if begun is None or not initializing else monotonic() - begun


def own_loader(module: ModuleType) -> Any:
    """Return the loader of `module`, or what a loader of ours stands in for."""
    loader: Any = module.__dict__.get("__loader__")
    if type(loader) is SourceLoader:
        return SourceFileLoader(loader.name, loader.path)
    while is_ours(loader):
        loader = loader.__wrapped__
    return loader


def give_back(module: object) -> None:
    """Give a module its own loader back."""
    names = vars(module) if isinstance(module, ModuleType) else {}
    spec: Any = names.get("__spec__")
    for holder, name in ((names, "__loader__"), (vars(spec) if type(spec) is ModuleSpec else {}, "loader")):
        loader: Any = holder.get(name)
        if type(loader) is SourceLoader:
            loader.give_back()
        elif is_ours(loader):
            holder[name] = loader.__wrapped__


def take_away(modules: Iterable[object]) -> None:
    """Give each of `modules` its own loader back."""
    for module in modules:
        give_back(module)


def hide_frames(*functions: Any) -> None:
    """Have tracebacks of failing imports leave `functions` out: CPython drops importlib's frames by their file name."""
    for function in functions:
        function.__code__ = function.__code__.replace(co_filename=_IMPORTLIB)
        _HIDDEN.add(function.__code__)


def is_hidden(code: CodeType) -> bool:
    """Whether `code` is ours, though it passes for importlib's."""
    return code in _HIDDEN


hide_frames(SourceLoader.exec_module, SourceLoader.get_code, run_chosen)


def reload_with(finder: Finder, module: ModuleType, body: Body) -> None:
    """Run `body` in place of the code of `module` as `importlib.reload` runs that: found again, by the loader found.

    `importlib.reload` itself would let other threads notice: it takes the module out of ``sys.modules`` and puts it
    back as the last one (`_exec` in CPython's `importlib._bootstrap`), and sets ``__spec__``, ``__path__`` and their
    like anew. So the finders are asked as it asks them and the same loader is called, and everything stays in its
    place. Nor is the module's import lock taken: the module is initialised, so whoever imports it need not wait, and a
    statement that waits for an import under way in another thread cannot meet that thread waiting for this module.

    Modules that cannot be found again under their name as the same file (``__main__``, those that were loaded by hand)
    run `body` directly.
    """
    loader = _found_again(finder, module)
    if loader is None:
        body()
        return
    key = module.__name__, get_ident()
    try:
        finder.bodies[key] = body
        loader.exec_module(module)
    finally:
        finder.bodies.pop(key, None)


def _found_again(finder: Finder, module: ModuleType) -> Any:
    """Return the loader with which `module` would be loaded now, None if that would be another file."""
    spec = module.__spec__
    if (
        spec is None
        or spec.name != module.__name__
        or sys.modules.get(spec.name) is not module
        or finder not in sys.meta_path
    ):
        return None
    parent = spec.name.rpartition(".")[0]
    if parent and parent not in sys.modules:
        return None
    try:
        path = vars(sys.modules[parent])["__path__"] if parent else None
        found = finder.find_spec(spec.name, path, module)
    except Exception:  # noqa: BLE001  a finder of the program's that fails: then the statements run without a reload
        return None
    loader: Any = None if found is None or found.origin != spec.origin else found.loader
    return loader if is_ours(loader) else None
