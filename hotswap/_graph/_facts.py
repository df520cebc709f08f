"""What a module's text says of each of its statements, without the syntax trees: names bound, read, called, mentioned.

Facts cost a parse of the text, once per version of it. They are small enough to be kept, trees are not; so whether a
change elsewhere concerns a module is mostly answered without reading it again. Only import statements keep their node.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from hotswap._graph._imports import edges
from hotswap._model import ImportEdge, Kind, Snapshot, Statement
from hotswap._points._way import breathe
from hotswap._text._names import handed
from hotswap._text._outline import Mention

_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef)
LOADERS = frozenset({"__import__", "import_module", "importlib"})
"""What gives modules that no import statement names."""
WHOLE = frozenset({"dir", "globals", "locals", "vars"})
"""What gives all names of a module, when called without arguments."""
SPACES = WHOLE - {"dir"}
"""What gives them with their values, in the order in which they were bound."""
BY_NAME = WHOLE | {"attrgetter", "getattr", "getmembers", "hasattr"}
"""What takes names of a module that no dot stands before."""
HINTS = "get_type_hints"
"""What evaluates annotations that are texts, with the names of the module where they stand."""
GETTERS = frozenset({"attrgetter", "methodcaller"})
"""What is given the names that it looks up as texts."""
_NOTHING: frozenset[str] = frozenset()
_NO_BODIES: Mapping[int, Mention] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """One statement. `statement` has its node only if it is an import, or if the text is being applied.

    `scope` is what its names begin with (``A.`` in the body of class A), `place` the way to it through the children.
    `reads` and `calls` are the statement's; of a class or suite those of its head, as its children are facts as well.
    `mentions` are the dotted names in the bodies of functions that it defines, `behind` the names behind a dot there,
    `wholes` those of them that are modules and have no dot behind them; `attributes` are those behind a dot in what
    runs with it, `stores` those that it only assigns. `decorated` is said of a function.
    """

    statement: Statement
    scope: str
    place: tuple[int, ...]
    reads: tuple[str, ...]
    calls: tuple[str, ...]
    mentions: frozenset[str]
    attributes: frozenset[str]
    behind: frozenset[str]
    wholes: frozenset[str] = _NOTHING
    stores: frozenset[str] = _NOTHING
    decorated: bool = False

    @property
    def behind_altered(self) -> frozenset[str]:
        """The names behind a dot in a statement that may store into something."""
        return self.attributes | self.stores if self.statement.mutates else _NOTHING


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """One module. `by_name` and `by_attribute` find the statements that a changed name may concern, `together`
    the assignments that bind it with others.

    `runs` are the first names of all that is read or called while the module runs, in lambdas as well; `runs_own`:
    something defined here is among them. `caches`: it may have memo caches. `dynamic`: it may hold modules that no
    import statement names.
    """

    module: str
    statements: tuple[Statement, ...]
    edges: tuple[ImportEdge, ...]
    every: tuple[Fact, ...]
    by_name: dict[str, list[Fact]] = field(default_factory=dict)
    by_attribute: dict[str, list[Fact]] = field(default_factory=dict)
    behind: dict[str, list[Fact]] = field(default_factory=dict)
    together: dict[str, list[Fact]] = field(default_factory=dict)
    sources: frozenset[str] = _NOTHING
    nested_imports: tuple[Fact, ...] = ()
    runs: frozenset[str] = _NOTHING
    runs_own: bool = True
    caches: bool = False
    dynamic: bool = False


def facts_of(
    snapshot: Snapshot,
    package: str,
    is_module: Callable[[str], bool],
    *,
    nodes: bool = False,
    bodies: Mapping[int, Mention] = _NO_BODIES,
) -> Facts:
    """Return the facts of `snapshot`; with `nodes` the statements keep their trees, as those of an edited module must.

    `bodies` has what function bodies mention that are left out of the snapshot, by the line of their ``def``.
    """
    found = list(_walk(snapshot.statements, "", (), bodies))
    statements = snapshot.statements
    imports = edges(snapshot, package, is_module)
    if not nodes:
        statements = tuple(map(_bare, statements))
        found = [replace(fact, statement=statement_at(statements, fact.place)) for fact in found]
    if not (dynamic := is_dynamic(snapshot.text)):
        modules = {here for edge in imports for there, here in edge.names if not there}
        found = [replace(fact, wholes=fact.wholes & modules) if fact.wholes else fact for fact in found]
    runs = frozenset(name.partition(".")[0] for fact in found for name in _running(fact))
    own = {name for fact in found if fact.statement.kind in (Kind.DEF, Kind.CLASS) for name in fact.statement.binds}
    facts = Facts(
        snapshot.module,
        statements,
        imports,
        tuple(found),
        sources=frozenset(edge.imported for edge in imports),
        nested_imports=tuple(f for f in found if _imports_inside(f)),
        runs=runs,
        runs_own=not runs.isdisjoint(own),
        caches="cache" in snapshot.text,
        dynamic=dynamic,
    )
    for fact in found:
        breathe()
        for name in first_names(fact):
            facts.by_name.setdefault(name, []).append(fact)
        for name in fact.statement.binds if fact.statement.kind is Kind.ASSIGN and fact.statement.binds[1:] else ():
            facts.together.setdefault(name, []).append(fact)
        for name in fact.attributes:
            facts.by_attribute.setdefault(name, []).append(fact)
        for name in fact.behind:
            facts.behind.setdefault(name, []).append(fact)
    return facts


def _running(fact: Fact) -> Iterator[str]:
    """Yield what `fact` reads or calls, and what lambdas in it do: those need no name of ours to be called by."""
    yield from fact.reads
    yield from fact.calls
    if fact.statement.kind not in (Kind.DEF, Kind.CLASS):
        yield from fact.mentions


def _imports_inside(fact: Fact) -> bool:
    """Whether `fact` is an import inside a suite or a class, or a loop with a star import in it."""
    kind = fact.statement.kind
    return (len(fact.place) > 1 and kind is Kind.IMPORT) or (kind is Kind.OTHER and "*" in fact.statement.binds)


def is_dynamic(text: str) -> bool:
    """Whether a module of this text may hold modules that no import statement names."""
    return "import_module" in text or "__import__" in text or "sys.modules" in text


def names_loaders(names: Iterable[str]) -> bool:
    """Whether one of `names` gives modules that no import statement names."""
    return any(name.rpartition(".")[2] in LOADERS or name in ("sys.modules", "modules") for name in names)


def _walk(
    statements: Iterable[Statement], scope: str, above: tuple[int, ...], bodies: Mapping[int, Mention]
) -> Iterator[Fact]:
    for index, statement in enumerate(statements):
        breathe()
        place = (*above, index)
        yield _fact(statement, scope, place, bodies)
        if statement.children:
            inner = f"{scope}{statement.binds[-1]}." if statement.kind is Kind.CLASS else scope
            yield from _walk(statement.children, inner, place, bodies)


def _fact(statement: Statement, scope: str, place: tuple[int, ...], bodies: Mapping[int, Mention]) -> Fact:
    body = bodies.get(statement.node.lineno) if statement.kind is Kind.DEF else None
    decorated = statement.kind is Kind.DEF and bool(getattr(statement.node, "decorator_list", ()))
    if body is not None:
        mentions, attributes, behind, wholes, stores = _inside([*_own_parts(statement.node)])
        found = (mentions | body[0], attributes, behind | body[1], wholes | body[2], stores)
        return Fact(statement, scope, place, statement.reads, statement.calls, *found, decorated)
    if not statement.children:
        calls = (*statement.calls, *(handed(statement.node) if statement.kind is Kind.ASSIGN else ()))
        return Fact(statement, scope, place, statement.reads, calls, *_inside([statement.node]), decorated)
    own = _own_parts(statement.node)
    found = _inside(own)
    names = {name for part in own for node in ast.walk(part) if isinstance(node, ast.expr) and (name := _dotted(node))}
    reads = tuple(name for name in statement.reads if name in names)
    calls = tuple(name for name in statement.calls if name in names)
    return Fact(statement, scope, place, reads, calls, *found)


def _bare(statement: Statement) -> Statement:
    children = tuple(map(_bare, statement.children))
    if statement.kind is Kind.IMPORT:
        return statement
    return replace(statement, children=children, node=_NO_NODE)


_NO_NODE = ast.Pass()


def statement_at(statements: tuple[Statement, ...], place: tuple[int, ...]) -> Statement:
    """Return the statement that stands at `place`, through the children."""
    first, *rest = place
    statement = statements[first]
    return statement_at(statement.children, tuple(rest)) if rest else statement


def bound_around(facts: Facts | None, place: tuple[int, ...]) -> Iterator[str]:
    """Yield what each ``try`` around `place` binds: it comes to another end if what stands in it does."""
    statements = facts.statements if facts is not None else ()
    for size in range(1, len(place)) if statements else ():
        around = statement_at(statements, place[:size])
        yield from around.binds if isinstance(around.node, (ast.Try, ast.TryStar)) else ()


def first_names(fact: Fact) -> set[str]:
    """Return the first parts of all that a statement reads, calls or mentions; `Facts.by_name` has it under these."""
    return {name.partition(".")[0] for name in (*fact.reads, *fact.calls, *fact.mentions)}


_Names = frozenset[str]


def _inside(own: list[ast.AST]) -> tuple[_Names, _Names, _Names, _Names, _Names]:
    """Return what functions that `own` makes mention in their bodies, names behind a dot, outside and inside, names
    that have none behind them, inside, and those behind a dot that are only assigned, outside.
    """
    mentions: set[str] = set()
    wholes: set[str] = set()
    stores: set[str] = set()
    attributes: tuple[set[str], set[str]] = (set(), set())
    stack: list[tuple[ast.AST, bool]] = [(node, False) for node in own]
    while stack:
        node, in_body = stack.pop()
        if isinstance(node, ast.Attribute):
            stored = not in_body and isinstance(node.ctx, ast.Store)
            if stored or not _is_of_builtin(node):
                (stores if stored else attributes[in_body]).add(node.attr)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Attribute):
            attributes[in_body].add(node.target.attr)
        elif isinstance(node, ast.Call):
            attributes[in_body].update(by_text(node))
        if in_body:
            _mention(node, mentions)
        body = _body(node)
        for child in ast.iter_child_nodes(node):
            inside = in_body or child in body
            if inside and isinstance(child, ast.Name) and not isinstance(node, ast.Attribute):
                wholes.add(child.id)
            stack.append((child, inside))
    behind = frozenset(attributes[False]), frozenset(attributes[True])
    return frozenset(mentions), *behind, frozenset(wholes), frozenset(stores)


def _is_of_builtin(node: ast.Attribute) -> bool:
    """Whether `node` is ``object.__setattr__``, ``type.__new__`` or the like, which nobody can change."""
    return node.attr[:2] == "__" and isinstance(node.value, ast.Name) and node.value.id in ("object", "type")


def by_text(call: ast.Call) -> Iterator[str]:
    """Yield the names behind a dot that ``attrgetter("size.width")`` has, or `methodcaller`."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    for one in call.args if name in GETTERS else ():
        yield from one.value.split(".") if isinstance(one, ast.Constant) and isinstance(one.value, str) else ()


def _body(node: ast.AST) -> list[ast.stmt] | list[ast.expr]:
    """Return what of `node` runs only when the function that it makes is called."""
    if isinstance(node, ast.Lambda):
        return [node.body]
    return node.body if isinstance(node, _DEFS) else []


def _own_parts(node: ast.AST) -> list[ast.AST]:
    """Return what of a class or suite is no statement of its own: bases, decorators, tests, context managers."""
    return [child for child in ast.iter_child_nodes(node) if not isinstance(child, (ast.stmt, ast.ExceptHandler))]


def _mention(node: ast.AST, found: set[str]) -> None:
    if isinstance(node, ast.Name):
        found.add(node.id)
    elif isinstance(node, ast.Attribute):
        dotted = _dotted(node)
        if dotted:
            found.add(dotted)
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        found.update(alias.asname or alias.name for alias in node.names)


def _dotted(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""
