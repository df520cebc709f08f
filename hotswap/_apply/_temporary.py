"""Names that a module's text deletes or binds anew below their use, as in ``import re``, ``WORD = re.compile(...)``,
``del re``.

The process does not have what they were any more. A statement that runs later and reads one gets what the text above it
makes of the name, made again without binding it, if that has no effects.
"""

from __future__ import annotations

import ast
import builtins
import sys
import weakref
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hotswap import _quiet
from hotswap._apply._scopes import AnyScope, ModuleScope
from hotswap._graph._bindings import public
from hotswap._graph._imports import origin_of
from hotswap._model import Statement
from hotswap._run._journal import CONTAINERS, MISSING
from hotswap._run._values import immutable
from hotswap._text._diff import only_doc

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit


class Temporaries:
    """The names of `scope` that are bound more than once; `see` gives the quiet analysis what it asks, for names."""

    def __init__(self, scope: ModuleScope, see: Callable[[dict[str, Any]], _quiet.NamespaceScope]) -> None:
        self._scope, self._see = weakref.proxy(scope), see  # which has us: its trees wait for no collection of garbage

    @cached_property
    def _links(self) -> Mapping[str, list[Statement]]:
        """The statements that bind or alter each name that several of them bind, or that one binds and others alter."""
        found: dict[str, list[Statement]] = {}
        package, statements = str(self._scope.namespace.get("__package__") or ""), self._scope.edit.new.statements
        for statement in statements:
            for name in {*statement.binds, *statement.mutates} - {"*"}:
                found.setdefault(name, []).append(statement)
            if "*" in statement.binds:
                read = {name.partition(".")[0] for one in statements for name in one.reads}
                for name, link in _given_by(statement, package, read):
                    found.setdefault(name, []).append(link)
        return {name: links for name, links in found.items() if len(links) > 1 and any(name in s.binds for s in links)}

    def of(self, nodes: Sequence[ast.stmt]) -> dict[str, object]:
        """Return values for names that `nodes` read and that are something else by now, as far as they can be had."""
        found: dict[str, object] = {}
        if self._links and not isinstance(nodes[-1], ast.Delete):
            for statement in self._makers(nodes, getattr(nodes[-1], "lineno", 0)):
                seen = self._see({**self._scope.namespace, **found})
                if isinstance(statement.node, ast.Pass) or _quiet.unquiet(statement.node, seen):
                    return {}
                layer = self._scope.run([statement.node], found)
                found |= {name: layer[name] for name in layer}
        return found

    def _makers(self, nodes: Sequence[ast.stmt], line: int) -> Iterator[Statement]:
        """Yield the statements above `line` that make the names which `nodes` read as they were there, in order."""
        for name in sorted(_read(nodes) & self._links.keys()):
            links = self._links[name]
            above = [link for link in links if link.end_lineno < line]
            below = [link for link in links if link.lineno > line]
            if above and (self._is_other_by_now(name, below) or self._is_altered_by_now(name, below, nodes)):
                first = max((i for i, link in enumerate(above) if _begins(name, link)), default=0)
                for link in above[first:]:
                    yield from self._makers([link.node], link.lineno)
                    yield link

    def _is_other_by_now(self, name: str, below: Iterable[Statement]) -> bool:
        if name in self._scope.stores:
            return False  # a statement above has just made it
        held = self._scope.peek(name)
        return any(name in link.binds and (_begins(name, link) or immutable(held)) for link in below)

    def _is_altered_by_now(self, name: str, below: Iterable[Statement], nodes: Iterable[ast.stmt]) -> bool:
        """Whether statements `below` put more into the list or dict of that name, which `nodes` only go over."""
        if name in self._scope.stores or type(self._scope.peek(name)) not in CONTAINERS:
            return False
        return any(name in link.mutates for link in below) and all(_goes_over(node, name) for node in nodes)


def _given_by(star: Statement, package: str, read: Container[str]) -> Iterator[tuple[str, Statement]]:
    """Yield those of the names `read` that a star import gives, each with a statement that imports it alone."""
    node = star.node
    if "*" not in star.binds or not isinstance(node, ast.ImportFrom):
        return
    source = vars(sys.modules[origin]) if (origin := origin_of(node, package)) in sys.modules else {}
    for name in (name for name in public(source) if name in read):
        one = ast.copy_location(ast.ImportFrom(node.module, [ast.alias(name)], node.level), node)
        yield name, replace(star, node=ast.fix_missing_locations(one), binds=(name,))


def _goes_over(node: ast.stmt, name: str) -> bool:
    """Whether all that `node` does with the object of that name is to go over what it has."""
    parts = [_viewed(inner.iter) for inner in ast.walk(node) if isinstance(inner, (ast.comprehension, ast.For))]
    known = {id(one) for one in parts if isinstance(one, ast.Name) and one.id == name}
    return all(id(one) in known for one in ast.walk(node) if isinstance(one, ast.Name) and one.id == name)


def _viewed(node: ast.expr) -> ast.expr:
    """Return ``x`` of ``x.items()``, or what else `node` is."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="items" | "keys" | "values"), args=[], keywords=[]):
            return value
    return node


def _begins(name: str, link: Statement) -> bool:
    """Whether `link` makes the name of other things than the name itself."""
    return name in link.binds and not any(read.split(".")[0] == name for read in link.reads)


def give(scopes: Iterable[ModuleScope], is_project: Callable[..., bool], definition: Callable[..., Any]) -> None:
    """Have `scopes` find such names again; the others are asked as the quiet analysis asks them."""
    for scope in scopes:
        scope.temporaries = Temporaries(scope, lambda names: _quiet.NamespaceScope(names, is_project, definition)).of


@contextmanager
def there(scope: AnyScope, statement: Statement) -> Iterator[frozenset[str]]:
    """Have the module bind, for the time being, what `statement` reads and the text deletes below; yield the names."""
    if not isinstance(scope, ModuleScope) or not any(_is_missing(scope, name) for name in statement.reads):
        yield frozenset()
        return
    above = scope.as_above([statement.node])
    with scope.there(above):
        yield frozenset(name for name in above if name in scope.namespace)


def _is_missing(scope: ModuleScope, dotted: str) -> bool:
    name = dotted.partition(".")[0]
    return scope.peek(name) is MISSING and not hasattr(builtins, name)


def stale(visit: Visit, statement: Statement, made: frozenset[str]) -> str:
    """Say why what the text above `statement` makes of names that it deletes is not what it was; "" if it is."""
    diff = visit.work.edit.diff
    changed = (pair.new for pair in diff.changed if not only_doc(pair))
    new = {id(one) for one in (*changed, *diff.added)} if made else set()
    above = (one for one in visit.new if one.lineno < statement.lineno) if made else ()
    for link in above:
        for name in made.intersection(link.binds):
            if id(link) in new or _is_other_at_source(visit, link.node, name):
                return f"reads {name}"
    return ""


def _is_other_at_source(visit: Visit, node: ast.stmt, name: str) -> bool:
    if not isinstance(node, ast.ImportFrom):
        return False
    source = origin_of(node, visit.scope.namespace.get("__package__") or "")
    there = next((alias.name for alias in node.names if name in (alias.asname, alias.name)), name)
    return visit.swap.changes.changed(source, there)


def delete(visit: Visit, statement: Statement) -> bool:
    """Let go what is there of the names that a ``del`` takes; False if it is none, or nothing above it binds them."""
    names = deleted_by(statement.node)
    bound = {name for s in visit.new if s.lineno < statement.lineno for name in s.binds}
    if not names or tuple(names) != statement.binds or not bound.issuperset(names):
        return False
    for name in names:
        if visit.scope.peek(name) is not MISSING:
            visit.swap.drop(visit.work, visit.scope, name)
    return True


def let_go(visit: Visit, statement: Statement) -> None:
    """Let the names go that `statement`, which ran again, binds, and that an unchanged ``del`` below takes."""
    below = (s for s in visit.new if s.lineno > statement.lineno and id(s) in visit.chains.partner)
    for name in {name for one in below for name in deleted_by(one.node)}.intersection(statement.binds):
        if visit.scope.peek(name) is not MISSING and visit.work.before.get(name, MISSING) is MISSING:
            visit.swap.drop(visit.work, visit.scope, name)


def deleted_by(node: ast.stmt) -> list[str]:
    """Return the names that `node` deletes."""
    return [one.id for one in node.targets if isinstance(one, ast.Name)] if isinstance(node, ast.Delete) else []


def _read(nodes: Sequence[ast.stmt]) -> set[str]:
    """Return the names that `nodes` read, but for those that they bind or alter themselves."""
    inside = [inner for node in nodes for inner in ast.walk(node)]
    names = {inner.id for inner in inside if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load)}
    for inner in inside:
        if isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Load):
            names.discard(inner.id)
        elif isinstance(inner, (ast.Attribute, ast.Subscript)) and not isinstance(inner.ctx, ast.Load):
            names.discard(getattr(inner.value, "id", ""))
        elif isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call):
            names.discard(getattr(getattr(inner.value.func, "value", None), "id", ""))
    return names
