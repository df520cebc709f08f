"""Stage 7: which statements may have to run because something that they read may change.

An upper bound from names alone: nothing is evaluated, no live object is looked at. Two kinds of taint travel through
the modules of a group, in topological order: a name may be bound to another value, or a function may behave otherwise
when it is called. What really changed is found out while the plan is applied.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hotswap._diff import decorators, only_code, same_header
from hotswap._model import Diff, Edit, ImportEdge, Kind, Pair, Planned, Statement

_CONSTRUCTORS = ("__init__", "__new__", "__post_init__", "__call__", "__init_subclass__")


@dataclass(slots=True)
class Taint:
    """What may change in one module. `modules` are its names that are modules, `froms` its from-imports."""

    values: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    modules: dict[str, str] = field(default_factory=dict)
    froms: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    bodies: dict[int, frozenset[str]] = field(default_factory=dict)


class Selection:
    """Grows module by module, in topological order, so that a dependent is read only if something may reach it."""

    def __init__(self) -> None:
        self._taints: dict[str, Taint] = {}
        self._edits: list[Edit] = []
        self._found: dict[str, dict[int, Planned]] = {}

    def add(self, edit: Edit, edges: Iterable[ImportEdge]) -> None:
        """Take in a module; what is tainted in it follows from those taken in before."""
        self._taints[edit.module] = _taint_of(edit, edges)
        self._found[edit.module] = {}
        self._edits.append(edit)
        self._settle([edit])

    def _settle(self, edits: list[Edit]) -> None:
        size = -1
        while size != (size := _size(self._taints)):
            for edit in edits:
                _spread(edit, self._taints, self._found[edit.module])

    def reaches(self, imported: Iterable[str], text: str) -> bool:
        """Whether something of the modules `imported` that may change is named in `text`, or star-imported."""
        names = {name.split(".")[0] for module in imported for name in self._names(module)}
        return bool(names) and ("*" in text or any(name in text for name in names))

    def _names(self, module: str) -> set[str]:
        taint = self._taints.get(module)
        return taint.values | taint.calls if taint else set()

    def chosen(self) -> dict[str, tuple[Planned, ...]]:
        """Return, by module, the unchanged statements that may have to run.

        Modules of an import cycle may taint each other in either direction, so all are gone through once more.
        """
        self._settle(self._edits)
        return {module: tuple(planned.values()) for module, planned in self._found.items() if planned}


def escapes(diff: Diff) -> frozenset[str]:
    """Return the names of a module that other modules may find changed in any way after its `diff` is applied."""
    taint = Taint()
    _from_diff(diff, taint, "")
    return frozenset(name.split(".")[0] for name in taint.values | taint.calls)


def _size(taints: Mapping[str, Taint]) -> int:
    return sum(len(taint.values) + len(taint.calls) for taint in taints.values())


def _taint_of(edit: Edit, edges: Iterable[ImportEdge]) -> Taint:
    taint = Taint()
    for edge in edges:
        for there, here in () if edge.deferred else edge.names:
            if here == "*":
                taint.stars.append(edge.imported)
            elif there:
                taint.froms.setdefault(here, []).append((edge.imported, there))
            else:
                taint.modules[here] = edge.imported
    _from_diff(edit.diff, taint, "")
    return taint


def _from_diff(diff: Diff, taint: Taint, scope: str) -> None:
    for pair in diff.changed:
        _from_pair(pair, taint, scope)
    for statement in (*diff.added, *diff.removed):
        taint.values |= {scope + name for name in (*statement.binds, *statement.mutates)}
        if scope and statement.kind is Kind.DEF:
            _constructor(statement, taint, scope)


def _from_pair(pair: Pair, taint: Taint, scope: str) -> None:
    new = pair.new
    if pair.inner is not None and same_header(pair) and new.kind in (Kind.CLASS, Kind.SUITE):
        _from_diff(pair.inner, taint, f"{scope}{new.binds[-1]}." if new.kind is Kind.CLASS else scope)
    elif new.kind is Kind.DEF and decorators(pair.old.node) == decorators(new.node):
        taint.calls |= {scope + name for name in new.binds}
        _constructor(new, taint, scope)
    elif not only_code(pair):
        taint.values |= {scope + name for name in (*pair.old.binds, *new.binds, *new.mutates)}


def _constructor(statement: Statement, taint: Taint, scope: str) -> None:
    """A changed ``__init__`` changes what calling the class gives."""
    if scope and any(name in _CONSTRUCTORS for name in statement.binds):
        taint.calls.add(scope.removesuffix("."))


def _spread(edit: Edit, taints: Mapping[str, Taint], found: dict[int, Planned]) -> None:
    taint = taints[edit.module]
    _import_taint(taint, taints)
    certain = {id(pair.new) for pair in edit.diff.changed} | {id(statement) for statement in edit.diff.added}
    _spread_over(edit.new.statements, taint, taints, found, "", certain)


def _import_taint(taint: Taint, taints: Mapping[str, Taint]) -> None:
    for here, sources in taint.froms.items():
        for module, there in sources:
            other = taints.get(module)
            if other is not None:
                _carry(taint, here, other, there)
    for module in taint.stars:
        other = taints.get(module)
        if other is not None:
            taint.values |= {name for name in other.values if "." not in name}
            taint.calls |= {name for name in other.calls if "." not in name}


def _carry(taint: Taint, here: str, other: Taint, there: str) -> None:
    if there in other.values:
        taint.values.add(here)
    if there in other.calls:
        taint.calls.add(here)
    for mine, theirs in ((taint.values, other.values), (taint.calls, other.calls)):
        mine |= {here + name[len(there) :] for name in theirs if name.startswith(f"{there}.")}


def _spread_over(
    statements: Iterable[Statement], taint: Taint, taints: Mapping[str, Taint], found: dict[int, Planned], scope: str, certain: set[int]
) -> None:
    for statement in statements:
        reason = _reason(statement, taint, taints)
        if reason and statement.kind is not Kind.IMPORT:
            _mark(statement, reason, taint, found, scope, certain)
        if statement.kind is Kind.DEF and _body_tainted(statement.node, taint, taints):
            taint.calls |= {scope + name for name in statement.binds}
            _constructor(statement, taint, scope)
        if statement.children:
            inner = f"{scope}{statement.binds[-1]}." if statement.kind is Kind.CLASS else scope
            _spread_over(statement.children, taint, taints, found, inner, certain)


def _mark(statement: Statement, reason: str, taint: Taint, found: dict[int, Planned], scope: str, certain: set[int]) -> None:
    if statement.kind is Kind.DEF:
        taint.calls |= {scope + name for name in statement.binds}
    elif statement.kind is not Kind.CLASS or scope:
        taint.values |= {scope + name for name in (*statement.binds, *statement.mutates)}
    else:
        taint.calls |= set(statement.binds)
    if id(statement) not in certain:
        found.setdefault(id(statement), Planned(statement, certain=False, reason=reason))


def _reason(statement: Statement, taint: Taint, taints: Mapping[str, Taint]) -> str:
    for name in statement.reads:
        if _is_tainted(name, taint, taints, calls=False):
            return f"reads {name}"
    for name in statement.calls:
        if _is_tainted(name, taint, taints, calls=True):
            return f"calls {name}"
    return ""


def _is_tainted(dotted: str, taint: Taint, taints: Mapping[str, Taint], *, calls: bool) -> bool:
    parts = dotted.split(".")
    if any(".".join(parts[:size]) in taint.values for size in range(1, len(parts) + 1)):
        return True
    if calls and dotted in taint.calls:
        return True
    for size in range(len(parts) - 1, 0, -1):
        module = taint.modules.get(".".join(parts[:size]))
        if module in taints:
            other, rest = taints[module], ".".join(parts[size:])
            return other is not taint and _is_tainted(rest, other, taints, calls=calls)
    return False


def _body_tainted(node: ast.stmt, taint: Taint, taints: Mapping[str, Taint]) -> bool:
    names = taint.bodies.get(id(node))
    if names is None:
        names = taint.bodies[id(node)] = _names_in(node)
    return any(_is_tainted(name, taint, taints, calls=True) for name in names)


def _names_in(node: ast.stmt) -> frozenset[str]:
    """Return the dotted names that a function's body reads, nested functions included."""
    found = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            found.add(inner.id)
        elif isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
            found.add(f"{inner.value.id}.{inner.attr}")
    return frozenset(found)
