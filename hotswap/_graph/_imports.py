"""Stage 6, imports: which modules a text imports, and under which names.

Two precisions, because of their cost. `mentions` is a scan of the text without a parse, cheap enough for every module
of a program; it may name too much, never too little. `edges` reads the statements of one snapshot, which a swap has
parsed anyway, and says which names an import binds. A `Graph` is fed from either.

An edge from a submodule to its package is never implied. Python does run ``p`` before ``p.q``, but ``p/__init__.py``
mostly imports ``p.q`` itself: the implied edge would make a cycle of nearly every package. Without it, a package that
imports its submodules comes after them, and one that does not is ahead of them by rank: its body ended earlier.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hotswap._model import ImportEdge, Snapshot, Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

# Identifiers may have marks that \w lacks: all that is not ASCII passes.
_LAST_FROM: Final = re.compile(r"(?s:.*)\bfrom\b([\s\\.\w\x80-\U0010ffff]*)")
_LOGICAL_LINE: Final = re.compile(r"(?:[^\n\\;#(]++|\\\n)*+")
_PARENTHESISED: Final = re.compile(r"\((?:[\w\s,\\\x80-\U0010ffff]++|#[^\n]*+)*+")
_COMMENT: Final = re.compile(r"#[^\n]*")
_AFTER_IMPORT: Final = frozenset(" \t\f\\(*")
_EMPTY: Final[frozenset[str]] = frozenset()


def mentions(text: str, package: str) -> frozenset[str]:
    """Return at least the absolute names of all modules that import statements of `text` may import, at any depth.

    `package` is the module's ``__package__``, which relative imports start from; those that leave it are left out, as
    they raise ImportError. ``from p import q`` gives ``p`` and ``p.q``, as q may be a submodule; ``import a.b`` gives
    ``a.b`` and ``a``, which it binds. Imports in strings and comments are taken for statements. Never raises.
    """
    text = _with_plain_line_ends(text)
    found: set[str] = set()
    hits = [*_find_imports(text)]
    # No import statement reaches over the word in another one, so neither search does: the scan stays linear.
    for floor, at, end in zip([0, *hits], hits, [*hits[1:], len(text)], strict=False):
        names = _names_after(text, at + 6, end)
        origin, sure = _origin_before(text, floor, at)
        if origin and (origin := absolute_origin(origin, package)):
            found.add(origin)
            found.update([f"{origin}.{name}" for name, _ in names if name != "*"])
        if not sure:
            found.update([name for name, _ in names])
            found.update([parent for name, renamed in names if not renamed for parent in _parents(name)])
    if not text.isascii():  # the parser normalises identifiers so, PEP 3131
        found = {unicodedata.normalize("NFKC", name) for name in found}
    return frozenset(found)


def _with_plain_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _find_imports(text: str) -> Iterator[int]:
    # str.find takes a tenth of the time of a regular expression here, and every import statement has the word.
    at = text.find("import")
    while at >= 0:
        if text[at + 6 : at + 7] in _AFTER_IMPORT and not (at and f"_{text[at - 1]}".isidentifier()):
            yield at
        at = text.find("import", at + 6)


def _origin_before(text: str, floor: int, at: int) -> tuple[str, bool]:
    """Return what stands between ``from`` and the ``import`` at `at`, and whether it surely belongs to it."""
    start = line = text.rfind("\n", floor, at) + 1 or floor
    while start > floor + 1 and text[start - 2] == "\\":
        start = text.rfind("\n", floor, start - 1) + 1 or floor
    match = _LAST_FROM.fullmatch(text, start, at) if start < at else None
    if match is None:
        return "", False
    # A comment that ends with a backslash looks like a continued line: the import may then be a plain one.
    return "".join(match[1].replace("\\", " ").split()), match.start(1) > line


def _names_after(text: str, at: int, end: int) -> list[tuple[str, bool]]:
    """Return the names imported from `at` on, each with whether it is bound by an ``as``."""
    match = _LOGICAL_LINE.match(text, at, end)
    end = match.end() if match else end
    names = text[at:end]
    if text.startswith("(", end) and (match := _PARENTHESISED.match(text, end)):
        names = _COMMENT.sub("", match[0][1:])
    result = []
    for part in names.replace("\\", " ").split(","):
        words = part.split()
        if len(words) == 1:
            result.append((words[0], False))
        elif words:
            renamed = "as" in words
            result.append(("".join(words[: words.index("as")] if renamed else words), renamed))
    return result


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def origin_of(node: ast.ImportFrom, package: str) -> str:
    """Return the module that `node` imports from in `package`; empty if it leaves the top package."""
    return absolute_origin("." * node.level + (node.module or ""), package)


def absolute_origin(origin: str, package: str) -> str:
    """Resolve `origin`, relative if it begins with dots; empty if it leaves the top package."""
    name = origin.lstrip(".")
    level = len(origin) - len(name)
    if not level:
        return name
    parts = package.split(".") if package else []
    base = ".".join(parts[: len(parts) - level + 1]) if level <= len(parts) else ""
    return f"{base}.{name}" if base and name else base


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an import stands: in which class (dotted), whether it runs with the module, names declared global."""

    scope: str = ""
    deferred: bool = False
    outer: set[str] = field(default_factory=set)


def edges(
    snapshot: Snapshot, package: str, is_module: Callable[[str], bool] = _EMPTY.__contains__
) -> tuple[ImportEdge, ...]:
    """Return what the module of `snapshot` imports and under which names, in source order.

    Args: `package` is the module's ``__package__``; `is_module` says of a dotted name whether it is a loaded module.
    In an edge's `names`, (name there, name here), *here* is a dotted path that starts in the importer's namespace:

    - ``import a.b`` gives an edge to ``a.b`` with ``("", "a.b")`` and one to ``a`` with ``("", "a")``: the empty name
      stands for the module itself. ``import a.b as c`` gives one edge, with ``("", "c")``.
    - ``from p import q as r`` gives an edge to ``p`` with ``("q", "r")``, because r follows when p binds q to
      something else, and, if ``p.q`` is a module, one to ``p.q`` with ``("", "r")`` as well.
    - ``from p import *`` gives an edge to ``p`` with ``("*", "*")``.
    - An import in the body of class A binds ``A.name``.

    So names of the importer that are module Y itself are the *here* of ("", here) in edges to Y; from-imports of Y's
    name n are those of (n, here). `deferred` are imports in function bodies, unless they bind a name declared
    ``global``, and those under a test that is false at run time (``if TYPE_CHECKING:``); their names are not bound
    when the module has run. Relative imports that leave the package are left out, as they raise ImportError.
    """
    result: list[ImportEdge] = []
    for statement in _with_imports(snapshot):
        shift = statement.lineno - _first_line(statement.node)
        for node, place in _imports_within(statement.node):
            lineno = node.lineno + shift
            for imported, names in _bindings(node, package, is_module):
                result.append(_edge(snapshot.module, imported, names, lineno, place))
    return tuple(result)


def _with_imports(snapshot: Snapshot) -> Iterator[Statement]:
    """Yield the statements that have the word in their lines: the trees of all others need no walk."""
    text = _with_plain_line_ends(snapshot.text)
    lines, line, last = [], 1, 0
    for at in _find_imports(text):
        line += text.count("\n", last, at)
        last = at
        lines.append(line)
    for statement in snapshot.statements:
        index = bisect_left(lines, statement.lineno)
        if index < len(lines) and lines[index] <= statement.end_lineno:
            yield statement


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _imports_within(top: ast.stmt) -> Iterator[tuple[ast.Import | ast.ImportFrom, _Place]]:
    # A stack of our own: each elif is nested in the one before, deeper than the recursion limit allows.
    stack: list[tuple[ast.AST, _Place]] = [(top, _Place())]
    while stack:
        node, place = stack.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, place
        elif isinstance(node, ast.Global):
            place.outer.update(node.names)  # it stands above the names it declares, else it is a SyntaxError
        else:
            stack.extend(reversed(list(_inside(node, place))))


def _inside(node: ast.AST, place: _Place) -> Iterator[tuple[ast.AST, _Place]]:
    """Yield what stands in the suites of `node`, with its place."""
    body = orelse = place
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        body = _Place(deferred=True)
    elif isinstance(node, ast.ClassDef):
        body = _Place(f"{place.scope}{node.name}.", place.deferred)
    elif isinstance(node, ast.If):
        truth = static_truth(node.test)
        never = _Place(deferred=True)
        body, orelse = (never if truth is False else place), (never if truth is True else place)
    for suite in ("body", "handlers", "cases"):
        yield from ((child, body) for child in getattr(node, suite, ()))
    for suite in ("orelse", "finalbody"):
        yield from ((child, orelse) for child in getattr(node, suite, ()))


def static_truth(test: ast.expr) -> bool | None:
    """Return what `test` is at run time, None if that cannot be said from the text."""
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return False
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            truth = static_truth(operand)
            return None if truth is None else not truth
        case ast.BoolOp(op=ast.And(), values=values) if any(static_truth(value) is False for value in values):
            return False
    return None


def _bindings(
    node: ast.Import | ast.ImportFrom, package: str, is_module: Callable[[str], bool]
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the modules that `node` imports with the names it binds of each."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name, [("", alias.asname or alias.name)]
            if alias.asname is None:
                yield from ((parent, [("", parent)]) for parent in _parents(alias.name))
        return
    origin = origin_of(node, package)
    if origin:
        yield origin, [(alias.name, alias.asname or alias.name) for alias in node.names]
        for alias in node.names:
            if alias.name != "*" and is_module(f"{origin}.{alias.name}"):
                yield f"{origin}.{alias.name}", [("", alias.asname or alias.name)]


def _edge(importer: str, imported: str, names: list[tuple[str, str]], lineno: int, place: _Place) -> ImportEdge:
    outer = {here for _, here in names if here.partition(".")[0] in place.outer}
    bound = tuple((there, here if here in outer or here == "*" else place.scope + here) for there, here in names)
    return ImportEdge(importer, imported, bound, lineno, place.deferred and not outer)


def loose(found: Collection[ImportEdge]) -> frozenset[str]:
    """Return the modules that need not have run before their importer, for `Graph.update`.

    They are imported by deferred edges alone, or are packages of which the importer takes only submodules: nearly every
    ``from . import sibling`` stands in a cycle with a package that imports its submodules, and none of them matters.
    """
    whole = {edge.imported for edge in found if any(not there for there, _ in edge.names)}
    firm = {
        edge.imported
        for edge in found
        if not edge.deferred and not all(there and f"{edge.imported}.{there}" in whole for there, _ in edge.names)
    }
    return frozenset(edge.imported for edge in found) - firm
