"""Modules that were imported before anybody looked: is the text that their file has now the one that they run?

Never asked of a ``.pyc`` header, which knows whole seconds and the size alone: the text is compiled, and the code of
the module's live functions has to be in it. What the text defines has to be there, and plain constants have to be what
it says: of those the program may have set some itself, so that is told and nothing more.
"""

from __future__ import annotations

import ast
import dis
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, Final

from hotswap._loader._compile import Build, all_codes, inner_codes, is_class_body
from hotswap._points._way import breathe
from hotswap._text._names import bound_by
from hotswap._text._slices import PIECE, parse
from hotswap._text._source import future_flags, start_line

_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_CONSTANTS: Final = ("LOAD_CONST", "LOAD_SMALL_INT", "LOAD_COMMON_CONSTANT")
_COMMON: Final = {"None": None, "True": True, "False": False}
_DEEP: Final = 8
_IMMUTABLE: Final = (int, str, bytes, float, bool, complex, type(None))


def runs(module: ModuleType, text: str, origin: str, build: Build | None) -> bool:
    """Whether the functions of `module` and of its classes that come from the file `origin` are those of `text`.

    What `text` defines at its top has to be there as well, unless the body of the module still runs.
    """
    compiled = _compiled(text, origin, build)
    return compiled is not None and _runs(module, *compiled, origin)


def is_witnessed(module: ModuleType, text: str, origin: str, build: Build | None) -> bool:
    """Whether `module` runs `text`, by `runs` and by `differing`: compiled once for both."""
    compiled = _compiled(text, origin, build)
    if compiled is None or not _runs(module, *compiled, origin):
        return False
    return not _differing(module, *compiled, plain=build is None)


def _compiled(text: str, origin: str, build: Build | None) -> tuple[ast.Module, list[CodeType]] | None:
    """Return the tree of `text` and the code of its pieces, None if they cannot be had."""
    try:
        tree = parse(text, origin)
        return tree, list(_pieces(tree, origin, build))
    except Exception:  # noqa: BLE001  a loader of the program's that does not take a tree may raise anything
        return None


def _runs(module: ModuleType, tree: ast.Module, pieces: Sequence[CodeType], origin: str) -> bool:
    known = {code for piece in pieces for code in all_codes(piece)}
    return all(code in known for code in _live(vars(module), module.__name__, origin, _DEEP)) and (
        _body_runs(module) or not _missing(module, tree)
    )


def _pieces(tree: ast.Module, origin: str, build: Build | None) -> Iterator[CodeType]:
    """Yield the code of `tree`: of some statements after the others if no `build` makes it, so that others have a turn.

    The imports of the module are compiled with each: from 3.12 on code calls what a module imports in another way.
    """
    if build is not None:
        yield build(tree, origin, 0)
        return
    flags, imports = future_flags(tree), list(_imports(tree.body))
    piece: list[ast.stmt] = []
    for node in tree.body:
        piece.append(node)
        if node is tree.body[-1] or (node.end_lineno or 0) - piece[0].lineno >= PIECE:
            breathe()
            yield compile(ast.Module([*imports, *piece], []), origin, "exec", flags, dont_inherit=True)
            piece = []


def _imports(body: Iterable[ast.AST]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif not isinstance(node, (*_DEFINITIONS, ast.expr)):
            yield from _imports(ast.iter_child_nodes(node))


def code_of(text: str, origin: str, build: Build | None) -> CodeType | None:
    """Return the code of `text`, made by `build` if there is one; None if it cannot be had."""
    try:
        return build(ast.parse(text), origin, 0) if build else compile(text, origin, "exec", dont_inherit=True)
    except Exception:  # noqa: BLE001  a loader of the program's that does not take a tree may raise anything
        return None


def _live(names: dict[str, object], module: str, origin: str, depth: int) -> Iterator[CodeType]:
    for name, value in list(names.items()):
        if name == "__annotate__" and depth == _DEEP:
            continue  # from 3.14 on a module has one of all its annotations, which no piece has
        inner = getattr(value, "__func__", value) if issubclass(type(value), (staticmethod, classmethod)) else value
        if type(inner) is FunctionType and inner.__code__.co_filename == origin:
            yield inner.__code__
        elif issubclass(type(inner), type) and vars(inner).get("__module__") == module and depth:
            yield from _live(dict(vars(inner)), module, origin, depth - 1)


def _missing(module: ModuleType, tree: ast.Module) -> bool:
    """Whether a name that the text defines, imports or assigns at its top is not there, and nothing takes it away."""
    gone = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del)}
    return any(name not in vars(module) and name not in gone and name != "*" for name in _names(tree.body))


def _names(body: Iterable[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, _DEFINITIONS):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and getattr(node, "module", "") != "__future__":
            yield from bound_by(node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def _body_runs(module: ModuleType) -> bool:
    tops: list[FrameType | None] = [*sys._current_frames().values()]
    found = False
    while tops:
        frame = tops.pop()
        while frame is not None:
            found = found or (frame.f_globals is vars(module) and frame.f_code.co_name == "<module>")
            frame = frame.f_back
    return found


def differing(module: ModuleType, text: str, origin: str, build: Build | None) -> list[tuple[str, int]]:
    """Return names and lines of constants, class attributes and defaults that are not what `text` says.

    Only constants of immutable builtin types, of names that no other statement of the text binds or stores into: what
    the text itself changes while it runs says nothing of the file.
    """
    compiled = _compiled(text, origin, build)
    return [] if compiled is None else _differing(module, *compiled, plain=build is None)


def _differing(
    module: ModuleType, tree: ast.Module, pieces: Sequence[CodeType], *, plain: bool
) -> list[tuple[str, int]]:
    if _body_runs(module):
        return []
    found = list(_constants(pieces, vars(module), tree.body, "", _altered(tree)))
    return [*found, *_defaults(tree.body, vars(module), "")] if plain else found


def _altered(tree: ast.Module) -> set[str]:
    """Return the names that are stored behind a dot, or declared ``global``, anywhere in the text."""
    found: set[str] = set()
    for node in ast.walk(tree):
        breathe()
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            found.add(node.attr)
        elif isinstance(node, ast.Global):
            found.update(node.names)
    return found


def _times_bound(body: Iterable[ast.AST]) -> Counter[str]:
    """Count how often each name is bound by the statements of one block, those in suites included."""
    counts: Counter[str] = Counter()
    for node in body:
        if isinstance(node, _DEFINITIONS):
            counts[node.name] += 1
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            counts.update(bound_by(node))
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            counts[node.id] += 1
        elif not isinstance(node, ast.Lambda):
            counts.update(_times_bound(ast.iter_child_nodes(node)))
    return counts


def _constants(
    pieces: Sequence[CodeType], names: Mapping[str, Any], body: Sequence[ast.stmt], prefix: str, altered: set[str]
) -> Iterator[tuple[str, int]]:
    counts = _times_bound(body)
    for piece in pieces:
        breathe()
        for name, said, line in _stored(piece):
            known = counts[name] == 1 and name not in altered and name in names
            if known and type(said) in _IMMUTABLE and not _is(names[name], said):
                yield prefix + name, line
    classes = {c.co_name: c for piece in pieces for c in inner_codes(piece) if is_class_body(c)}
    for node, live in _plain_classes(body, names):
        if node.name in classes and counts[node.name] == 1:
            yield from _constants([classes[node.name]], vars(live), node.body, f"{prefix}{node.name}.", altered)


def _stored(code: CodeType) -> Iterator[tuple[str, object, int]]:
    """Yield the constants that `code` stores, each with its name and line; none of one branch of ``a if b else c``."""
    steps = list(dis.get_instructions(code))
    stores = Counter(step.argval for step in steps if step.opname == "STORE_NAME")
    for before, step in pairwise(steps):
        if step.opname != "STORE_NAME" or before.opname not in _CONSTANTS or stores[step.argval] > 1:
            continue
        if not before.is_jump_target and not step.is_jump_target:
            said = _COMMON.get(before.argrepr, before) if before.opname == _CONSTANTS[2] else before.argval
            yield step.argval, said, step.positions.lineno or 1 if step.positions else 1


def _plain_classes(body: Iterable[ast.stmt], names: Mapping[str, Any]) -> Iterator[tuple[ast.ClassDef, type]]:
    """Yield the classes of a block, without those whose attributes may be made of what their bodies say, and without
    those that another module has given their names.
    """
    home = names.get("__name__", names.get("__module__"))
    for node in body:
        if isinstance(node, ast.ClassDef) and not (node.decorator_list or node.bases or node.keywords):
            live = names.get(node.name)
            if type(live) is type and vars(live).get("__module__") == home:
                yield node, live


def _defaults(body: Sequence[ast.stmt], names: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, int]]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            function = names.get(node.name)
            if type(function) is FunctionType and not _has_defaults(function, node):
                yield f"{prefix}{node.name}", start_line(node)
    for inner, live in _plain_classes(body, names):
        yield from _defaults(inner.body, vars(live), f"{prefix}{inner.name}.")


def _has_defaults(function: FunctionType, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    if function.__code__.co_firstlineno != start_line(node) or function.__code__.co_name != node.name:
        return True
    held, kept = function.__defaults__ or (), function.__kwdefaults__ or {}
    said = dict(zip((arg.arg for arg in node.args.kwonlyargs), node.args.kw_defaults, strict=True))
    said = {name: default for name, default in said.items() if default is not None}
    if len(held) != len(node.args.defaults) or kept.keys() != said.keys():
        return False
    pairs = [*zip(held, node.args.defaults, strict=True), *((kept[name], said[name]) for name in kept)]
    return all(type(literal) is not ast.Constant or _is(value, literal.value) for value, literal in pairs)


def _is(held: object, said: object) -> bool:
    return type(held) is type(said) and repr(held) == repr(said)
