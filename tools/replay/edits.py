"""What was edited between two versions, thing by thing: a function, a method, a class's header, a name, an import.

Comments, blank lines and formatting are no edits; what is nested in a function is part of it.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

Things = dict[str, str]


def edited(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[str]:
    """Return what `after` has otherwise than `before`, as ``module:name``; files by their path."""
    found = []
    for path in sorted({*before, *after}):
        if path.endswith(".py") and before.get(path) != after.get(path):
            old, new = things(before.get(path, b"")), things(after.get(path, b""))
            found += [f"{module_of(path)}:{name}" for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    return found


def module_of(path: str) -> str:
    """Return the name of the module in the file at `path`."""
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def things(text: bytes) -> Things:
    """Return each thing of a module by its name; empty if the text cannot be parsed."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}
    found: Things = {}
    seen: Counter[str] = Counter()
    for name, content in _things(tree.body, ""):
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name}#{seen[name]}"] = content
    return found


def _things(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, str]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            header = [*node.bases, *node.keywords, *node.decorator_list]
            yield prefix + node.name, " ".join(map(ast.dump, header))
            yield from _things(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            source = getattr(node, "module", "")
            yield from ((f"{prefix}import {source}.{one.name}", str(one.asname)) for one in node.names)
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            yield from _suites(node, prefix)
        else:
            yield prefix + name_of(node), ast.dump(node)


def _suites(node: ast.If | ast.Try | ast.With, prefix: str) -> Iterator[tuple[str, str]]:
    yield prefix + type(node).__name__, ast.dump(node.test) if isinstance(node, ast.If) else ""
    for suite in ("body", "orelse", "finalbody"):
        yield from _things(getattr(node, suite, []), prefix)
    for caught in getattr(node, "handlers", []):
        yield from _things(caught.body, prefix)


def name_of(node: ast.stmt) -> str:
    """Return what the statement `node` is called: the first name that it binds, else its kind."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return node.name
    alone = node.target if isinstance(node, (ast.AnnAssign, ast.AugAssign)) else None
    targets = node.targets if isinstance(node, ast.Assign) else [alone]
    return ast.unparse(targets[0]) if targets[0] is not None else type(node).__name__


Names = frozenset[str]

_FILLING: Final = ("append", "add", "extend", "insert", "update")

ANY: Final = "*"
"""Among the names of a statement that may bind any, by ``globals()``."""


def lines(text: bytes) -> dict[int, Names]:
    """Return what a finding at each line speaks of: the definition or the names bound by the innermost statement there.

    A statement that acts (a call, a loop) has effects on what it names, and what the functions name that it calls.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}
    functions: dict[str, ast.AST] = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    functions |= _picked(tree, functions)
    return dict(_lines(tree.body, "", functions))


def _picked(tree: ast.Module, functions: Mapping[str, ast.AST]) -> dict[str, ast.AST]:
    """Return the functions that go by another name, as in ``run = _run_slowly``, by that name."""
    picks = (node for node in ast.walk(tree) if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name))
    found = ((target, node.value) for node in picks for target in node.targets if isinstance(target, ast.Name))
    return {target.id: functions[value.id] for target, value in found if value.id in functions}  # type: ignore[attr-defined]


def _lines(body: list[ast.stmt], prefix: str, functions: Mapping[str, ast.AST]) -> Iterator[tuple[int, Names]]:
    for node in body:
        name = prefix + name_of(node)
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(one.lineno for one in decorators)])
        names = frozenset({name}) if name_of(node) != type(node).__name__ else _named(node, functions)
        yield from ((line, names) for line in range(first, (node.end_lineno or first) + 1))
        inner = f"{name}." if isinstance(node, ast.ClassDef) else prefix
        if isinstance(node, (ast.ClassDef, ast.If, ast.Try, ast.With)):
            for suite in ("body", "orelse", "finalbody"):
                yield from _lines(getattr(node, suite, []), inner, functions)


def made_of(text: bytes, names: Names) -> Names:
    """Return `names` and what the module's own statements compute from them, one from the other."""
    body = _body(text)
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    found = set(names)
    for name, read in (*_made(body, ""), *_filled(body, functions)):
        found |= {name} if read & found else set()
    return frozenset(found)


def filled_by_call(text: bytes, line: int, files: Mapping[str, bytes]) -> Iterator[tuple[str, Names]]:
    """Yield, by module, the function that the statement at `line` is a call of, and the tables that it stores into.

    It is told by its name alone: of several functions of that name in `files` none is meant.
    """
    calls = [node.value for node in _body(text) if isinstance(node, ast.Expr) and node.lineno == line]
    names = [one.func.attr for one in calls if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)]
    found = [(path, node) for path in files for node in _body(files[path]) if getattr(node, "name", "") in names]
    for path, node in found if len(found) == 1 else ():
        if isinstance(node, ast.FunctionDef):
            stored = {one.value.id for one in ast.walk(node) if _is_item(one)}  # type: ignore[attr-defined]
            yield module_of(path), frozenset({node.name, *stored})


def _body(text: bytes) -> list[ast.stmt]:
    try:
        return ast.parse(text).body
    except (SyntaxError, ValueError):
        return []


def _is_item(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)


def _filled(body: list[ast.stmt], functions: Mapping[str, ast.FunctionDef]) -> Iterator[tuple[str, set[str]]]:
    """Yield what a call such as ``_init()`` stores into, and what the function reads: names, and those of defaults."""
    for node in body:
        call = node.value if isinstance(node, ast.Expr) else None
        called = functions.get(call.func.id) if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else None
        for inner in ast.walk(called) if called is not None else ():
            if _is_item(inner):
                yield inner.value.id, set(_named(node, functions))  # type: ignore[attr-defined]


def _made(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, set[str]]]:
    """Yield what assignments and defaults make, and the names that they read; in a class, those of its own as well."""
    for node in body:
        names, values = [prefix + name_of(node)], list[ast.expr]()
        if isinstance(node, ast.ClassDef):
            yield from _made(node.body, f"{names[0]}.")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            values = [*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None)]
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            values = [node.value]
            names = [prefix + ast.unparse(one) for one in getattr(node, "targets", ())] or names
        elif isinstance(node, ast.Expr) and isinstance(call := node.value, ast.Call) and _is_filling(call.func):
            values, names = [*call.args], [prefix + ast.unparse(call.func.value)]  # type: ignore[attr-defined]
        for suite in ("body", "orelse", "finalbody") if isinstance(node, (ast.If, ast.Try, ast.With)) else ():
            yield from _made(getattr(node, suite, []), prefix)
        read = {one.id for value in values for one in ast.walk(value) if isinstance(one, ast.Name)}
        yield from ((name, read | {prefix + one for one in read}) for name in names)


def _is_filling(called: ast.expr) -> bool:
    """Whether what is called puts what it is given into a list, dict or set that has a name."""
    return isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.attr in _FILLING


def _named(node: ast.AST, functions: Mapping[str, ast.AST]) -> Names:
    found: set[str] = set()
    waiting: list[ast.AST] = [node]
    while waiting:
        new = {one.id for one in ast.walk(waiting.pop()) if isinstance(one, ast.Name)} - found
        waiting += (functions[name] for name in new if name in functions)
        found |= new
    return frozenset(found | ({ANY} if "globals" in found else set()))
