"""Stage 4: read a module's text into statements, each with what it binds, reads, calls and mutates while it runs.

Nothing is evaluated. "While it runs" is the point of this stage: a function's body does not run when its ``def`` does,
a class body does, a lambda's body does not, a comprehension does.
"""

from __future__ import annotations
import __future__ as future

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.util import decode_source

from hotswap._model import Kind, Snapshot, Statement
from hotswap._slices import breathe, parse

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
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
    tree = compile(text, origin, "exec", ast.PyCF_ONLY_AST | flags, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    body = tree.body
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


def bound_by(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """Yield the names that an import statement binds."""
    for alias in node.names:
        yield alias.asname or (alias.name.split(".")[0] if isinstance(node, ast.Import) else alias.name)


def future_flags(tree: ast.Module) -> int:
    """Return the compiler flags that the ``from __future__`` lines of `tree` ask for."""
    flags = 0
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for alias in node.names:
                flags |= getattr(future, alias.name).compiler_flag
    return flags


def start_line(node: ast.stmt) -> int:
    """Return the first line of `node`, decorators included, as `co_firstlineno` counts."""
    decorators = getattr(node, "decorator_list", None)
    return min(node.lineno, decorators[0].lineno) if decorators else node.lineno


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
        effects = _Effects(lazy_annotations=self._lazy())
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
            calls=tuple(effects.calls),
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


_APPLY = frozenset({"map", "filter", "reduce", "starmap", "takewhile", "dropwhile"})


@dataclass(slots=True)
class _Effects:
    """Collects names by walking what runs. Order is kept and names are unique: dicts serve as ordered sets."""

    lazy_annotations: bool
    binds: dict[str, None] = field(default_factory=dict)
    reads: dict[str, None] = field(default_factory=dict)
    calls: dict[str, None] = field(default_factory=dict)
    mutates: dict[str, None] = field(default_factory=dict)
    local: frozenset[str] = frozenset()

    def visit_statement(self, node: ast.stmt) -> None:
        """Dispatch on the statement's type; whatever has no rule of its own is walked child by child."""
        if isinstance(node, _DEFS):
            self._function(node)
        elif isinstance(node, ast.ClassDef):
            self._class(node)
        elif isinstance(node, _IMPORTS):
            self.binds |= dict.fromkeys(bound_by(node))
        elif isinstance(node, ast.AnnAssign):
            self._annotated(node)
        elif isinstance(node, ast.AugAssign):
            self._augmented(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self._called_for_effect(node.value)
        else:
            self._walk(ast.iter_child_nodes(node))

    def _walk(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            if isinstance(node, ast.stmt):
                self.visit_statement(node)
            elif isinstance(node, ast.expr):
                self._expression(node)
            else:
                self._other(node)

    def _other(self, node: ast.AST) -> None:
        if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            self.binds[node.name] = None
        elif isinstance(node, ast.MatchMapping) and node.rest:
            self.binds[node.rest] = None
        self._walk(ast.iter_child_nodes(node))

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self._expression(decorator)
            self._call_of(decorator)
        self._arguments(node.args)
        if node.returns and not self.lazy_annotations:
            self._expression(node.returns)
        self.binds[node.name] = None

    def _arguments(self, args: ast.arguments) -> None:
        for default in (*args.defaults, *args.kw_defaults):
            if default is not None:
                self._expression(default)
        if not self.lazy_annotations:
            for arg in (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg):
                if arg is not None and arg.annotation:
                    self._expression(arg.annotation)

    def _class(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self._expression(decorator)
            self._call_of(decorator)
        self._walk([*node.bases, *node.keywords])
        body = _Effects(self.lazy_annotations, local=self.local)
        for statement in node.body:
            body.visit_statement(statement)
        self.reads |= {name: None for name in body.reads if name.split(".")[0] not in body.binds}
        self.calls |= body.calls
        self.mutates |= {name: None for name in body.mutates if name not in body.binds}
        self.binds[node.name] = None

    def _annotated(self, node: ast.AnnAssign) -> None:
        if not self.lazy_annotations:
            self._expression(node.annotation)
        if node.value is not None:
            self._expression(node.value)
            self._expression(node.target)
        elif isinstance(node.target, ast.Name):
            self.binds["__annotations__"] = None

    def _augmented(self, node: ast.AugAssign) -> None:
        self._expression(node.value)
        self._expression(node.target)
        if root := root_of(node.target):
            self.reads[root] = None
            self.mutates[root] = None

    def _called_for_effect(self, call: ast.Call) -> None:
        self._expression(call)
        if isinstance(call.func, ast.Attribute) and (root := root_of(call.func)):
            self.mutates[root] = None

    def _expression(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name):
            self._name(node)
        elif isinstance(node, ast.Attribute):
            self._attribute(node)
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            self._stored_into(node)
        elif isinstance(node, ast.Lambda):
            self._arguments(node.args)
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node)
        else:
            if isinstance(node, ast.Call):
                self._called(node.func)
                self._called_for_it(node)
            self._walk(ast.iter_child_nodes(node))

    def _name(self, node: ast.Name) -> None:
        if node.id in self.local:
            return
        if isinstance(node.ctx, ast.Load):
            self.reads[node.id] = None
        else:
            self.binds[node.id] = None

    def _attribute(self, node: ast.Attribute) -> None:
        dotted = dotted_of(node)
        if dotted is None:
            self._expression(node.value)
        elif dotted.split(".")[0] in self.local:
            return
        elif isinstance(node.ctx, ast.Load):
            self.reads[dotted] = None
        else:
            self._stored_into(node)

    def _stored_into(self, node: ast.Attribute | ast.Subscript) -> None:
        self._walk(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
        if (root := root_of(node)) and root not in self.local:
            self.mutates[root] = None

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        targets = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
        inner = _Effects(self.lazy_annotations, self.binds, self.reads, self.calls, self.mutates, self.local | targets)
        inner._walk(ast.iter_child_nodes(node))

    def _call_of(self, function: ast.expr) -> None:
        while isinstance(function, ast.Call):
            function = function.func
        dotted = dotted_of(function)
        if dotted and dotted.split(".")[0] not in self.local:
            self.calls[dotted] = None

    def _called_for_it(self, call: ast.Call) -> None:
        """Note what `call` may call in its turn: ``map(f, ...)``, ``sorted(..., key=f)``."""
        if (dotted_of(call.func) or "").rpartition(".")[2] in _APPLY and call.args:
            self._called(call.args[0])
        for keyword in call.keywords:
            if keyword.arg == "key":
                self._called(keyword.value)

    def _called(self, function: ast.expr) -> None:
        """Note that `function` is called at once: the body of a lambda then runs, too."""
        if isinstance(function, ast.Lambda):
            local = self.local | {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
            _Effects(self.lazy_annotations, {}, self.reads, self.calls, self.mutates, local)._expression(function.body)
        else:
            self._call_of(function)


def handed(node: ast.AST) -> tuple[str, ...]:
    """Return the dotted names that `node` hands to calls: a function among them may be called there."""
    calls = (inner for inner in ast.walk(node) if isinstance(inner, ast.Call))
    given = (one for call in calls for one in (*call.args, *(keyword.value for keyword in call.keywords)))
    return tuple(dict.fromkeys(name for one in given if (name := dotted_of(one))))


def dotted_of(node: ast.expr) -> str | None:
    """Return ``a.b.c`` if `node` is that chain of names, else None."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def root_of(node: ast.expr) -> str | None:
    """Return the name that a chain of attributes, subscripts and calls starts from, or None."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call, ast.Starred)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None
