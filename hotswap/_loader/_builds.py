"""How a module's loader makes code of text, where that is not Python's own way: type checkers, pytest, and the like.

Code that is swapped has to go the same way as code that is imported.
"""

from __future__ import annotations
import __future__ as future

import ast
import copy
from collections.abc import Callable
from importlib.abc import InspectLoader
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType
from typing import Any, Final

from hotswap._loader import own_loader
from hotswap._loader._placing import place

Build = Callable[[ast.Module, str, int], CodeType]

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
    kind = type(own_loader(module))
    if kind is SourceFileLoader or kind is type(None) or _is_of_pytest(kind):
        return False
    return any(_overridden(kind, name) for name in ("source_to_code", "get_code", "get_data", "exec_module"))


def build_of(module: ModuleType, text: str) -> Build | None:
    """Return how the loader of `module` makes code of a syntax tree from `text`, None if it does so as Python does.

    Type checkers and the like override ``source_to_code`` or ``get_code``; pytest rewrites assertions.
    """
    loader = own_loader(module)
    kind = type(loader)
    if _is_of_pytest(kind):
        return _rewriting(loader)
    if _overridden(kind, "source_to_code"):
        return _through(loader, module.__name__, text)
    return _through(loader, module.__name__, text, own=False) if _overridden(kind, "get_code") else None


def loader_name(module: ModuleType) -> str:
    """Return what the class of the loader of `module` is called."""
    return type(own_loader(module)).__name__


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
