"""Import machinery: a finder that puts a proxy around each module's own loader.

The proxy does two things. When a module is imported, it keeps the text that runs. When we reload a module, it runs the
chosen statements alone, through the same finders and the same loader as `importlib.reload`. Everything else is the
loader's own: `isinstance(module.__loader__, SourceFileLoader)` stays true, `get_data`, `get_source` pass through.
"""

from __future__ import annotations
import __future__ as future

import ast
import copy
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec, SourceFileLoader
from threading import get_ident
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

import wrapt

from hotswap._placing import place

log = logging.getLogger("hotswap")
P = ParamSpec("P")
T = TypeVar("T")
Noting = Callable[[str, str], None]
Seeing = Callable[[str, CodeType], None]
Body = Callable[[], None]
Build = Callable[[ast.Module, str, int], CodeType]

_EXEC_MODULE: Final = SourceFileLoader.exec_module
_IMPORTLIB: Final = "<frozen importlib._bootstrap_external>"

if TYPE_CHECKING:  # wrapt's class is generic for type checkers alone
    _Proxy = wrapt.ObjectProxy[Any]
else:
    _Proxy = wrapt.ObjectProxy


class Finder:
    """Stands first in ``sys.meta_path`` and asks the others. `note` is called with a module's name and its file, before
    its code runs, `seen` with its code afterwards; `covers` says of a file whether it is looked after.

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
        self.note, self.covers = _harmless(note, None), _harmless(covers, False)
        self.seen, self.overtaken = _harmless(seen or _forget, None), _harmless(overtaken, None)
        self.bodies: dict[tuple[str, int], Body] = {}  # by module and thread: another thread's own reload runs it all

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what the other finders find, its loader in a proxy if the module is a Python file that we look
        after.
        """
        if sys.meta_path[0] is not self and self.step_forward():
            self.overtaken()
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
        if loader is None or not spec.has_location or not isinstance(spec.origin, str) or type(loader) is Loader:
            return spec
        if hasattr(loader, "exec_module") and spec.origin.endswith((".py", ".pyw")) and self.covers(spec.origin):
            spec.loader = cast("Any", Loader(loader, self))  # a proxy of the loader passes for it
        return spec

    def invalidate_caches(self) -> None:
        """Nothing is cached here."""


def _harmless(act: Callable[P, T], otherwise: T) -> Callable[P, T]:
    def acting(*given: P.args, **named: P.kwargs) -> T:
        try:
            return act(*given, **named)
        except Exception:
            log.exception("bug in hotswap; please report it with this traceback")
            return otherwise

    return acting


def _forget(name: str, code: CodeType) -> None:
    """What nobody asked to be told of is not kept."""


class Loader(_Proxy):
    """A module's own loader, but for `exec_module`."""

    def __init__(self, wrapped: Any, finder: Finder) -> None:
        super().__init__(wrapped)
        self._self_finder = finder
        self._self_kept: list[CodeType] | None = None

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code, or, inside `reload_with`, the chosen statements."""
        name = module.__name__
        body = self._self_finder.bodies.pop((name, get_ident()), None)
        if body is not None:
            body()
            return
        spec = module.__spec__
        if spec is not None and spec.origin is not None:
            self._self_finder.note(name, spec.origin)
        run = self.__wrapped__.exec_module
        if getattr(run, "__func__", None) is not _EXEC_MODULE:
            run(module)
            return
        self._self_kept = kept = list[CodeType]()
        try:
            _EXEC_MODULE(self, module)  # the loader's own, but that it asks this proxy for the code
        finally:
            self._self_kept = None
        for code in kept:
            self._self_finder.seen(name, code)

    def get_code(self, fullname: str) -> CodeType | None:
        """Return what the loader gives; inside `exec_module` it is kept until the code has run."""
        code: CodeType | None = self.__wrapped__.get_code(fullname)
        if code is not None and self._self_kept is not None:
            self._self_kept.append(code)
        return code

    def __reduce__(self) -> Any:
        return self.__wrapped__.__reduce__()


def take_away(modules: Iterable[object]) -> None:
    """Give each of `modules` its own loader back."""
    for module in modules:
        names = vars(module) if isinstance(module, ModuleType) else {}
        spec: Any = names.get("__spec__")
        for holder, name in ((names, "__loader__"), (vars(spec) if type(spec) is ModuleSpec else {}, "loader")):
            if type(loader := holder.get(name)) is Loader:
                holder[name] = loader.__wrapped__


# CPython drops the frames of importlib from the traceback of a failing import by their file name; ours belongs to them.
Loader.exec_module.__code__ = Loader.exec_module.__code__.replace(co_filename=_IMPORTLIB)
Loader.get_code.__code__ = Loader.get_code.__code__.replace(co_filename=_IMPORTLIB)


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


def _found_again(finder: Finder, module: ModuleType) -> Loader | None:
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
    return loader if type(loader) is Loader else None


# ------------------------------------------------------------------------------------------------- transformations


_PLAIN: Final = (
    SourceFileLoader.source_to_code,
    InspectLoader.source_to_code,
    SourceFileLoader.get_code,
    InspectLoader.get_code,
    SourceFileLoader.get_data,
    SourceFileLoader.exec_module,
    None,
)


def is_foreign(module: ModuleType) -> bool:
    """Whether the loader of `module` does something of its own: what it runs may be other code than Python's."""
    kind = type(_loader_of(module))
    if kind is SourceFileLoader or kind is type(None) or _is_of_pytest(kind):
        return False
    return any(_overridden(kind, name) for name in ("source_to_code", "get_code", "get_data", "exec_module"))


def build_of(module: ModuleType, text: str) -> Build | None:
    """Return how the loader of `module` makes code of a syntax tree from `text`, None if it does so as Python does.

    Type checkers and the like override ``source_to_code`` or ``get_code``; pytest rewrites assertions. Code that is
    swapped has to go the same way as code that is imported.
    """
    loader = _loader_of(module)
    kind = type(loader)
    if _is_of_pytest(kind):
        return _rewriting(loader)
    if _overridden(kind, "source_to_code"):
        return _through(loader, module.__name__, text)
    return _through(loader, module.__name__, text, own=False) if _overridden(kind, "get_code") else None


def _loader_of(module: ModuleType) -> Any:
    loader: Any = module.__dict__.get("__loader__")
    while type(loader) is Loader:
        loader = loader.__wrapped__
    return loader


def loader_name(module: ModuleType) -> str:
    """Return what the class of the loader of `module` is called."""
    return type(_loader_of(module)).__name__


def _is_of_pytest(kind: type) -> bool:
    return kind.__name__ == "AssertionRewritingHook" and kind.__module__ == "_pytest.assertion.rewrite"


def _overridden(kind: type, name: str) -> bool:
    return getattr(kind, name, None) not in _PLAIN


def _rewriting(hook: Any) -> Build:
    def build(tree: ast.Module, origin: str, flags: int) -> CodeType:
        from _pytest.assertion.rewrite import rewrite_asserts

        tree = copy.deepcopy(tree)
        with open(origin, "rb") as file:
            rewrite_asserts(tree, file.read(), origin, hook.config)
        code: CodeType = compile(tree, origin, "exec", flags=flags, dont_inherit=True)
        return code

    return build


def _through(loader: Any, name: str, text: str, *, own: bool = True) -> Build:
    """Ask a copy of `loader` for code, as an import does, with a syntax tree in place of the file's text.

    `compile`, and so most of every ``source_to_code``, takes a tree where it takes text; who does not, gets `text` with
    all else blanked out. `own` says that the loader has such a method; else ``get_code`` is given the tree for what it
    reads from the file. Raises TypeError if it reads that by itself.
    """
    ask = _ask_source_to_code if own else _ask_get_code

    def build(tree: ast.Module, _origin: str, flags: int) -> CodeType:
        given = copy.deepcopy(tree)
        given.body[_after_doc(given) : 0] = _futures(flags)
        try:
            return ask(loader, name, given)
        except (TypeError, AttributeError, ValueError):
            return ask(loader, name, place(tree, text).encode())

    return build


def _ask_source_to_code(loader: Any, name: str, given: ast.Module | bytes) -> CodeType:
    asked = copy.copy(loader)
    kind = type(loader)
    raw = next(vars(base)["source_to_code"] for base in kind.__mro__ if "source_to_code" in vars(base))
    bound = () if isinstance(raw, staticmethod) else (asked,)
    asked.path_stats, asked.get_data = _no_bytecode, lambda _: b""
    asked.source_to_code = lambda _, *rest, **options: kind.source_to_code(*bound, given, *rest, **options)
    code: CodeType = asked.get_code(name)
    return code


def _ask_get_code(loader: Any, name: str, given: ast.Module | bytes) -> CodeType:
    asked, taken = copy.copy(loader), []

    def give(*_: object) -> ast.Module | bytes:
        taken.append(given)
        return given

    def give_text(*_: object) -> ast.Module | str:
        taken.append(given)
        return given.decode() if isinstance(given, bytes) else given

    asked.path_stats, asked.get_data, asked.get_source = _no_bytecode, give, give_text
    code: CodeType = asked.get_code(name)
    if not taken:
        raise TypeError(f"{type(loader).__name__}.get_code reads the file by itself")
    return code


def _no_bytecode(path: str) -> dict[str, int]:
    raise OSError(path)


def _after_doc(tree: ast.Module) -> int:
    first = tree.body[0] if tree.body else None
    return int(
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )


def _futures(flags: int) -> list[ast.stmt]:
    """Return ``from __future__`` lines for compiler flags."""
    names = [name for name in future.all_feature_names if flags & getattr(future, name).compiler_flag]
    found: list[ast.stmt] = [ast.ImportFrom("__future__", [ast.alias(name)], 0) for name in names]
    return [ast.fix_missing_locations(ast.copy_location(node, ast.Pass(lineno=1, col_offset=0))) for node in found]
