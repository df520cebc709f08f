"""Statements that did not change but read what did: quiet and untouched ones run again, others are kept and told."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from hotswap import _quiet
from hotswap._apply import _definitions, _follow, _rebuild
from hotswap._apply._reach import behaves_otherwise
from hotswap._apply._scopes import AnyScope, ClassScope
from hotswap._apply._swap import Swap, Work, resolve
from hotswap._diff import decorators
from hotswap._journal import MISSING
from hotswap._model import Diff, Kind, Pair, Statement
from hotswap._values import alike, stateless
from hotswap.errors import StatementError

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit


def keep(visit: Visit, pair: Pair) -> None:
    """See whether a statement that did not change is stale, and do what can be done."""
    swap, statement = visit.swap, pair.new
    if statement.kind is Kind.IMPORT:
        _follow.follow(visit, statement)
    elif not swap.changes and not swap.maybe:
        return
    elif statement.kind is Kind.CLASS:
        _keep_class(visit, pair)
    elif statement.kind is Kind.SUITE:
        _keep_suite(visit, pair)
    elif id(statement) in swap.maybe and (reason := stale_because(visit, statement)):
        if statement.kind is Kind.DEF:
            _keep_def(visit, pair, reason)
        else:
            _run_or_tell(visit, statement, reason)


def _unchanged_inner(pair: Pair) -> Diff:
    return Diff(unchanged=tuple(map(Pair, pair.old.children, pair.new.children)))


def _any_maybe(swap: Swap, statement: Statement) -> bool:
    return id(statement) in swap.maybe or any(_any_maybe(swap, child) for child in statement.children)


def _keep_class(visit: Visit, pair: Pair) -> None:
    live = visit.scope.peek(pair.new.binds[-1])
    if not isinstance(live, type) or not _any_maybe(visit.swap, pair.new):
        return
    inner = Pair(pair.old, pair.new, _unchanged_inner(pair))
    if any(visit.swap.changes.reads(visit.scope.namespace, visit.work.edit.module, name) for name in _header_reads(pair.new)):
        _rebuild.change_header(visit, inner, live)
    else:
        _rebuild.change_members(visit, inner, live)


def _header_reads(statement: Statement) -> Iterator[str]:
    assert isinstance(statement.node, ast.ClassDef)
    node = statement.node
    for expression in (*node.bases, *(k.value for k in node.keywords), *node.decorator_list):
        yield from (inner.id for inner in ast.walk(expression) if isinstance(inner, ast.Name))


def _keep_suite(visit: Visit, pair: Pair) -> None:
    header_reads = [name for name in pair.new.reads if name in _expressions(pair.new)]
    stale = [n for n in header_reads if visit.swap.changes.reads(visit.scope.namespace, visit.work.edit.module, n)]
    if stale and id(pair.new) in visit.swap.maybe:
        _run_or_tell(visit, pair.new, f"reads {stale[0]}")
    elif _any_maybe(visit.swap, pair.new) or _imports_inside(pair.new):
        visit.suite(Pair(pair.old, pair.new, _unchanged_inner(pair)))


def _imports_inside(statement: Statement) -> bool:
    return any(child.kind is Kind.IMPORT or _imports_inside(child) for child in statement.children)


def _expressions(statement: Statement) -> frozenset[str]:
    """Return the dotted names that the header of an ``if`` or ``with`` reads."""
    node = statement.node
    parts: list[ast.AST] = [node.test] if isinstance(node, ast.If) else list(getattr(node, "items", ()))
    return frozenset(_dotted(inner) for part in parts for inner in ast.walk(part) if isinstance(inner, (ast.Name, ast.Attribute)))


def _dotted(node: ast.AST) -> str:
    from hotswap._source import dotted_of

    return (dotted_of(node) if isinstance(node, ast.expr) else None) or ""


def _keep_def(visit: Visit, pair: Pair, reason: str) -> None:
    """A ``def`` whose defaults, annotations or decorators read what changed."""
    raws = visit.work.live(visit.scope, pair.old)
    node = pair.new.node
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    stale = [d for d in node.decorator_list if _reads_changed(visit, d) or _calls_changed(visit, d)]
    if not stale and raws:
        _definitions.redefine(visit, pair.new, raws)
        visit.swap.patched(visit.work, visit.named(pair.new), _definitions.How.IN_PLACE)
    elif stale and raws and not _unquiet(visit, pair.new):
        _definitions.redecorate(visit, pair, raws)
    elif stale:
        _tell_kept(visit, pair.new, reason, _unquiet(visit, pair.new) or "its function is not there any more")


def _reads_changed(visit: Visit, expression: ast.expr) -> bool:
    names = {_dotted(inner) for inner in ast.walk(expression)} - {""}
    return any(visit.swap.changes.reads(visit.scope.namespace, visit.work.edit.module, name) for name in names)


def _calls_changed(visit: Visit, decorator: ast.expr) -> bool:
    name = _dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
    return bool(name) and behaves_otherwise(visit.swap, resolve(visit.scope, name))


def _run_or_tell(visit: Visit, statement: Statement, reason: str) -> None:
    why = _unquiet(visit, statement) or visit.swap.touched.get(id(statement), "")
    if why:
        _tell_kept(visit, statement, reason, why)
    else:
        visit.execute(statement, reason)


def _unquiet(visit: Visit, statement: Statement) -> str:
    return _quiet.unquiet(statement.node, quiet_scope(visit.swap, visit.scope)) or ""


def unquiet_with(visit: Visit, node: ast.stmt, given: dict[str, object]) -> str:
    """Return why `node` is not quiet, the names `given` bound as well; "" if it is."""
    names = {**visit.scope.namespace, **given}
    return _quiet.unquiet(node, _quiet.NamespaceScope(names, visit.swap.is_project, visit.swap.definition)) or ""


def quiet_scope(swap: Swap, scope: AnyScope) -> _quiet.NamespaceScope:
    """Return how the quiet analysis sees `scope`."""
    names = {**scope.namespace, **(vars(scope.cls) if isinstance(scope, ClassScope) else {})}
    return _quiet.NamespaceScope(names, swap.is_project, swap.definition)


def _tell_kept(visit: Visit, statement: Statement, reason: str, why: str) -> None:
    name = visit.named(statement)
    if statement.binds:
        visit.swap.tell(visit.work, "HS201", statement.lineno, name=name, why=f"{reason}; {why}", target=visit.target(statement))
    else:
        visit.swap.tell(visit.work, "HS202", statement.lineno, why=f"{reason}; {why}", target=visit.target(statement))


def stale_because(visit: Visit, statement: Statement) -> str:
    """Return why `statement`, as it stands, would give something else now; "" if it would not."""
    swap, scope, module = visit.swap, visit.scope, visit.work.edit.module
    for name in statement.reads:
        if isinstance(scope, ClassScope) and swap.changes.changed(module, scope.prefix + name):
            return f"reads {name}"
        if swap.changes.reads(scope.namespace, module, name) or _is_served_anew(swap, scope, name):
            return f"reads {name}"
    attributes = _attributes(statement.node)
    for name in (*statement.calls, *(name for name in statement.reads if "." in name)):
        if behaves_otherwise(swap, resolve(scope, name), attributes):
            return f"calls {name}"
    first = {name.partition(".")[0] for name in statement.reads if attributes} if attributes else ()
    for name in first:
        value = resolve(scope, name)
        if not isinstance(value, type | ModuleType | FunctionType) and behaves_otherwise(swap, value, attributes):
            return f"calls {name}"
    return ""


def _attributes(node: ast.stmt) -> frozenset[str]:
    return frozenset(inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute))


def _is_served_anew(swap: Swap, scope: AnyScope, dotted: str) -> bool:
    """Whether `dotted` is a name that a module's ``__getattr__`` gives, and that may answer otherwise."""
    first, *parts = dotted.split(".")
    value = scope.peek(first) if not isinstance(scope, ClassScope) else scope.namespace.get(first)
    while parts and isinstance(value, ModuleType):
        held = vars(value).get(parts[0], MISSING)
        if held is MISSING:
            return behaves_otherwise(swap, vars(value).get("__getattr__"))
        value = held
        parts.pop(0)
    return False


def probe(swap: Swap, work: Work, scope: AnyScope, statements: tuple[Statement, ...]) -> None:
    """Before anything changes: note which statements that may run again bound something that was touched since."""
    for statement in statements:
        if id(statement) in swap.maybe and statement.kind is Kind.ASSIGN:
            why = _touched(swap, scope, statement)
            if why:
                swap.touched[id(statement)] = why
        if statement.kind is Kind.SUITE:
            probe(swap, work, scope, statement.children)
        elif statement.kind is Kind.CLASS and isinstance(live := scope.peek(statement.binds[-1]), type):
            assert isinstance(statement.node, ast.ClassDef)
            inner = ClassScope(scope, work.scope.stores, statement.node, live)
            probe(swap, work, inner, statement.children)


def _touched(swap: Swap, scope: AnyScope, statement: Statement) -> str:
    """Return why the names that an assignment bound do not hold, untouched, what its text gives; "" if they do."""
    held = {name: scope.peek(name) for name in statement.binds if name != "__annotations__"}
    if not all(stateless(value) for value in held.values()):
        return "it holds an object with state"
    if _quiet.unquiet(statement.node, quiet_scope(swap, scope)):
        return ""  # told for that reason, should it be stale
    try:
        made = scope.run([statement.node])
    except StatementError:
        return "its text does not give it any more"
    changed = [name for name, value in held.items() if not alike(made.get(name, MISSING), value)]
    return f"{changed[0]} was changed since" if changed else ""


def is_taken(visit: Visit, statement: Statement, branch: str) -> bool:
    """Whether `branch` of an ``if``, ``try`` or ``with`` is the one that ran."""
    node = statement.node
    if isinstance(node, ast.If):
        return truth(visit, node) is (branch == "body")
    if branch.startswith("except"):
        return _handler_ran(visit, statement, branch)
    return True


def truth(visit: Visit, node: ast.If) -> bool | None:
    """Evaluate the test of an ``if`` if that is quiet; None if it is not."""
    test = ast.copy_location(ast.Assign([ast.Name("test", ast.Store())], node.test), node)
    ast.fix_missing_locations(test)
    if _quiet.unquiet(test, quiet_scope(visit.swap, visit.scope)):
        return None
    try:
        return bool(visit.scope.run([test])["test"])
    except StatementError:
        return None


def _handler_ran(visit: Visit, statement: Statement, branch: str) -> bool:
    """An ``except`` suite ran if something that only it binds is what is there."""
    children = [child for child in statement.children if child.branch == branch]
    if _import_failed(visit, statement):
        return True
    for child in children:
        if child.kind is Kind.DEF:
            public = visit.scope.peek(child.binds[-1])
            first = getattr(getattr(public, "__code__", None), "co_firstlineno", None)
            if first is not None and child.lineno <= first <= child.end_lineno:
                return True
    return False


def tell_effects(visit: Visit, diff: Diff) -> None:
    """Tell of statements that left the text, or gave way to others, while what they did beyond binding names stays."""
    replaced = (
        pair.old
        for pair in diff.changed
        if pair.old.kind is Kind.OTHER or decorators(pair.old.node) != decorators(pair.new.node)
    )
    for statement in (*diff.removed, *replaced):
        _tell_removed(visit, statement)


def _tell_removed(visit: Visit, statement: Statement) -> None:
    if statement.kind is Kind.OTHER and not statement.binds and _unquiet(visit, statement):
        line = statement.lineno
        visit.swap.tell(visit.work, "HS203", line, name=ast.unparse(statement.node).splitlines()[0][:60])
    elif statement.kind is Kind.DEF and getattr(statement.node, "decorator_list", ()):
        why = _unquiet(visit, statement)
        if why:
            visit.swap.tell(visit.work, "HS203", statement.lineno, name=f"the registration of {statement.binds[-1]} ({why})")


def _import_failed(visit: Visit, statement: Statement) -> bool:
    """Whether an import in the body of a ``try`` did not come about: the module is not there, or lacks the name."""
    for child in statement.children:
        if child.branch == "body" and isinstance(child.node, ast.ImportFrom):
            module = _follow.absolute(visit, child.node)
            names = [alias.name for alias in child.node.names if alias.name != "*"]
            if module not in sys.modules or any(not _has(module, name) for name in names):
                return True
        elif child.branch == "body" and isinstance(child.node, ast.Import):
            if any(alias.name not in sys.modules for alias in child.node.names):
                return True
    return False


def _has(module: str, name: str) -> bool:
    names = vars(sys.modules[module])
    return name in names or "__getattr__" in names
