"""Stage 4: read a module's text into statements, each with what it binds, reads, calls and mutates while it runs.

Nothing is evaluated. "While it runs" is the point of this stage: a function's body does not run when its ``def`` does,
a class body does, a lambda's body does not, a comprehension does.
"""

from __future__ import annotations
import __future__ as future

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import decode_source
from types import CodeType

from hotswap._model import Kind, Snapshot, Statement
from hotswap._points._way import breathe
from hotswap._text._names import Effects, bound_by
from hotswap._text._slices import parse

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SUITES = (ast.If, ast.Try, ast.TryStar, ast.With)
_IMPORTS = (ast.Import, ast.ImportFrom)
_ASSIGNS = (ast.Assign, ast.AnnAssign)


def read(source: bytes | str, module: str, origin: str) -> Snapshot:
    """Return the snapshot of `source`, the text of `module` in the file `origin`.

    Bytes are decoded as the import system does it (encoding cookie, byte order mark, universal newlines). Raises
    SyntaxError, with the file's name, or UnicodeDecodeError, if Python could not compile the text either.
    """
    text = decode_source(source) if isinstance(source, bytes) else source
    tree = parse(text, origin)
    reader = _Reader(text.split("\n"), future_flags(tree))
    statements = tuple(reader.statements(tree.body, "", first=True))
    return Snapshot(
        module, origin, text, statements, reader.flags, _has_doc(tree.body), frozenset(imported_by(tree.body))
    )


def statement_of(node: ast.stmt, snapshot: Snapshot) -> Statement:
    """Return `node`, which stands somewhere inside the text of `snapshot`, as a statement."""
    return _Reader(snapshot.text.split("\n"), snapshot.flags)._statement(node, "", doc=False)


def read_statements(
    text: str, origin: str, flags: int, *, first: bool = False, nested: bool = False
) -> tuple[Statement, ...]:
    """Return the statements of `text`, a part of the file `origin` that stands where it does in the file.

    `flags` are the compiler flags of the file's ``from __future__`` lines; `first` says that the part begins with the
    first statement of its block, `nested` that the block is the body of a class that is all there is. Raises
    SyntaxError.
    """
    body = parse(text, origin, flags).body
    if nested:
        outer = body[0]
        if len(body) > 1 or not isinstance(outer, ast.ClassDef):
            raise SyntaxError("it does not end inside the class")
        body = outer.body
    return tuple(_Reader(text.split("\n"), flags).statements(body, "", first=first))


def imported_by(body: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that import statements bind in the module's own scope, in suites of any kind as well."""
    for node in body:
        if isinstance(node, _IMPORTS):
            yield from bound_by(node)
        elif not isinstance(node, (*_SCOPES, ast.expr)):
            yield from imported_by(ast.iter_child_nodes(node))


def future_flags(tree: ast.Module) -> int:
    """Return the compiler flags that the ``from __future__`` lines of `tree` ask for.

    What is the rule by now has none: CPython takes the line, and marks no code with it.
    """
    flags = 0
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for feature in (getattr(future, alias.name) for alias in node.names):
                release = feature.getMandatoryRelease()
                flags |= feature.compiler_flag if release is None or release > sys.version_info else 0
    return flags


def start_line(node: ast.stmt | ast.expr) -> int:
    """Return the first line of `node`, decorators included, as `co_firstlineno` counts."""
    decorators = getattr(node, "decorator_list", None)
    return min(node.lineno, decorators[0].lineno) if decorators else node.lineno


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def find_definition(tree: ast.AST, code: CodeType) -> Definition | None:
    """Return the definition in `tree` that `code` is compiled from, by its name and first line, a lambda by its columns
    as well if there are several on that line; None if it cannot be told.
    """
    lambdas = list[ast.Lambda]()
    for node in _around(tree, code.co_firstlineno):
        if isinstance(node, _DEFS):
            if node.name == code.co_name and start_line(node) == code.co_firstlineno:
                return node
        elif isinstance(node, ast.Lambda) and code.co_name == "<lambda>" and node.lineno == code.co_firstlineno:
            lambdas.append(node)
    return lambdas[0] if len(lambdas) == 1 else _innermost(lambdas, code)


def _around(tree: ast.AST, line: int) -> Iterator[ast.AST]:
    """Yield the nodes below `tree` that reach over `line`."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, (ast.stmt, ast.expr)) or start_line(node) <= line <= (node.end_lineno or line):
            yield node
            yield from _around(node, line)


def _innermost(lambdas: Iterable[ast.Lambda], code: CodeType) -> ast.Lambda | None:
    """Return the smallest of `lambdas` whose body has all places of `code`."""
    places = [place for place in code.co_positions() if None not in place and place[2:] != (0, 0)]
    if not places:  # Python was told not to keep them; and until 3.12 what gives a constant has none
        constants = list(map(repr, code.co_consts))
        return next((one for one in lambdas if (_constant(one.body) or "") in constants), None)
    first = min((line, column) for line, _, column, _ in places)
    last = max((line, column) for _, line, _, column in places)
    found = [one for one in lambdas if _begin(one.body) <= first and last <= _end(one.body)]
    return max(found, key=lambda one: _begin(one.body), default=None)


def _constant(node: ast.expr) -> str | None:
    try:
        return repr(ast.literal_eval(node))
    except ValueError:
        return None


def _begin(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.expr) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def suites(node: ast.stmt) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Yield the suites of an `if`, `try` or `with` statement, each with the name of its branch."""
    for name in ("body", "orelse", "finalbody"):
        if body := getattr(node, name, None):
            yield name, body
    for index, except_ in enumerate(getattr(node, "handlers", ())):
        yield f"except{index}", except_.body


def _has_doc(body: list[ast.stmt]) -> bool:
    return bool(body) and _is_text(body[0])


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@dataclass(slots=True)
class _Reader:
    """Turns nodes into statements; `lines` are the text's, for the digests."""

    lines: list[str]
    flags: int

    def statements(self, body: list[ast.stmt], branch: str, *, first: bool = False) -> Iterator[Statement]:
        for index, node in enumerate(body):
            breathe()
            yield self._statement(node, branch, doc=first and index == 0 and _is_text(node))

    def _statement(self, node: ast.stmt, branch: str, *, doc: bool) -> Statement:
        effects = Effects(lazy_annotations=self._lazy())
        effects.visit_statement(node)
        first, last = start_line(node), node.end_lineno or node.lineno
        return Statement(
            key="doc" if doc else key_of(node),
            kind=kind_of(node),
            digest=self._digest(node, first, last),
            lineno=first,
            end_lineno=last,
            binds=("__doc__",) if doc else tuple(effects.binds),
            reads=tuple(effects.reads),
            calls=effects.called(),
            mutates=tuple(effects.mutates),
            children=tuple(self._children(node)),
            branch=branch,
            node=node,
        )

    def _lazy(self) -> bool:
        """Whether annotations are kept as text. Evaluated late (PEP 649), they follow what they read as if at once."""
        return bool(self.flags & future.annotations.compiler_flag)

    def _children(self, node: ast.stmt) -> Iterator[Statement]:
        if isinstance(node, ast.ClassDef):
            yield from self.statements(node.body, "", first=True)
        elif isinstance(node, _SUITES):
            for branch, body in suites(node):
                yield from self.statements(body, branch)

    def _digest(self, node: ast.stmt, first: int, last: int) -> bytes:
        text = "\n".join(self.lines[first - 1 : last])
        shared = f"{node.col_offset}:{node.end_col_offset}" if ";" in self.lines[last - 1] else ""
        return blake2b((shared + text.strip()).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def kind_of(node: ast.stmt) -> Kind:
    """Return what `node` is to the later stages."""
    if isinstance(node, _DEFS):
        return Kind.DEF
    if isinstance(node, ast.ClassDef):
        return Kind.CLASS
    if isinstance(node, _IMPORTS):
        return Kind.IMPORT
    if isinstance(node, _ASSIGNS):
        return Kind.ASSIGN
    return Kind.SUITE if isinstance(node, _SUITES) else Kind.OTHER


def key_of(node: ast.stmt) -> str:
    """Return what `node` is called, the same for the statement that takes its place in the next text."""
    if isinstance(node, _DEFS):
        return f"def {node.name}"
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}"
    if isinstance(node, ast.Assign):
        return ", ".join(ast.unparse(target) for target in node.targets)
    if isinstance(node, (ast.AnnAssign, ast.AugAssign)):
        return ast.unparse(node.target)
    if isinstance(node, _IMPORTS):
        return ast.unparse(node)
    if isinstance(node, _SUITES):
        return type(node).__name__.lower().removesuffix("star")
    return _first_words(node)


def _first_words(node: ast.stmt) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return f"{ast.unparse(node.value.func)}()"
    return type(node).__name__.lower()
