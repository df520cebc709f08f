"""Statements that did not change but read what did: quiet and untouched ones run again, others are kept and told."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from hotswap import _quiet
from hotswap._apply import (
    _aside,
    _called,
    _chains,
    _decorators,
    _definitions,
    _follow,
    _header,
    _members,
    _passed,
    _reach,
    _rebuild,
    _registrations,
    _taken,
    _templates,
    _temporary,
    _unnamed,
    _wholes,
)
from hotswap._apply._reach import behaves_otherwise, makes_otherwise, operates_otherwise
from hotswap._apply._scopes import AnyScope, ClassScope
from hotswap._apply._specials import ENTRY, looked_up
from hotswap._apply._swap import Swap, resolve
from hotswap._apply._wishes import KEEP, RERUN, wish
from hotswap._errors import StatementError
from hotswap._graph._imports import static_truth
from hotswap._model import Diff, How, Kind, Pair, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import is_a
from hotswap._text._names import dotted_of, handed, only_held

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit

_NOTHING: Final[Mapping[str, object]] = {}
_BODY: Final = frozenset(("dir", "locals", "vars"))
_VALUES = (Kind.ASSIGN, Kind.OTHER)


def keep(visit: Visit, pair: Pair) -> None:
    """See whether a statement that did not change is stale, and do what can be done."""
    swap, statement = visit.swap, pair.new
    if swap.altered is not None:
        swap.altered.look()
    if statement.kind is Kind.OTHER:
        _follow.follow_stars(visit, statement)
    if (why := swap.forced.get(id(statement))) is not None:
        if not why:
            visit.execute(statement, "asked for")
        elif statement.kind is Kind.CLASS and (live := _unnamed.class_of(visit, pair)) is not None:
            _rebuild.change_header(visit, Pair(pair.old, statement, _members.inner(visit, pair, live)), live)
        elif not _fails_still(visit, statement) and run_or_tell(visit, statement, why):
            visit.forget([pair.old], visit.new)
    elif statement.kind is Kind.IMPORT:
        _follow.follow(visit, statement)
    elif id(statement) in swap.aside:
        if why := _gives_otherwise(visit, statement):
            run_or_tell(visit, statement, why)
    elif not swap.maybe:
        return
    elif statement.kind is Kind.CLASS:
        _keep_class(visit, pair)
    elif statement.kind is Kind.SUITE:
        _keep_suite(visit, pair)
    elif id(statement) in swap.maybe and (why := reason(visit, statement) or _gives_otherwise(visit, statement)):
        if statement.kind is Kind.DEF:
            keep_def(visit, pair, why)
        elif swap.registers_again(pair.old):
            if id(statement) not in swap.ran_at:  # a registry may refuse what it has by now
                visit.execute(statement, why)
        elif isinstance(statement.node, ast.AnnAssign) and not value_reason(visit, statement):
            visit.annotate(statement, statement.node)
        elif own := _chains.own_links(visit, statement):
            _keep_link(visit, statement, own, why)
        elif not (visit.work.module.__name__ == "__main__" and _is_over(statement, why)):
            run_or_tell(visit, statement, why)


def keep_code(visit: Visit, pair: Pair) -> None:
    """See whether a statement that only got other code in its lambdas is stale, as it has them called."""
    called = _passed.runs_lambda(visit.swap, visit.scope, pair) if pair.new.kind is Kind.ASSIGN else ""
    if called:
        run_or_tell(visit, pair.new, f"has {called} call a lambda that changed")
    else:
        keep(visit, pair)


def _fails_still(visit: Visit, statement: Statement) -> bool:
    from hotswap._apply import _branches  # which suites ran is asked for stale ones, too: the two know each other

    return _branches.fails_still(visit, statement)


def _keep_link(visit: Visit, statement: Statement, own: set[str], why: str) -> None:
    """``f = deco(f)`` holds the object that it was given, which is patched in place; to run it alone would be twice.

    Unless the statement above it has just made that object anew.
    """
    if not visit.scope.prefix and any(visit.scope.peek(n) is not visit.work.before.get(n, MISSING) for n in own):
        run_or_tell(visit, statement, why)
        return
    found = (statement.reads, statement.calls)
    reads, calls = (tuple(name for name in names if name.partition(".")[0] not in own) for names in found)
    reason = stale_because(visit, replace(statement, reads=reads, calls=calls))
    if reason and reason.rpartition(" ")[2].partition(".")[0] not in own:
        tell_kept(visit, statement, reason, "what it was made of is not there any more")


def _is_over(statement: Statement, reason: str) -> bool:
    """Whether `statement` acted, once, through code that changed: ``main()``, ``app.run()``, a loop.

    It holds no value that could be old. What it did belongs to the past, and what it still does is told as running.
    """
    if statement.kind is not Kind.OTHER or statement.binds or not reason.startswith("calls "):
        return False
    return not statement.mutates or isinstance(statement.node, ast.While)


def _gives_otherwise(visit: Visit, statement: Statement) -> str:
    asked = id(statement) in visit.swap.repeatable and not unquiet(visit, statement)
    return _aside.gives_otherwise(visit, statement) if asked else ""


def value_reason(visit: Visit, statement: Statement) -> str:
    """Say why the value of an assignment is stale, whatever its annotation reads; "" if it is not."""
    value = getattr(statement.node, "value", None)
    parts = ast.walk(value) if value is not None else ()
    names = {dotted_of(one) for one in parts if isinstance(one, ast.expr)}
    reads, calls = ([name for name in found if name in names] for found in (statement.reads, statement.calls))
    return stale_because(visit, replace(statement, reads=tuple(reads), calls=tuple(calls)))


def reason(visit: Visit, statement: Statement) -> str:
    """Say why `statement` is stale; if it ran in this swap already, only by what changed since: nothing runs twice."""
    _follow.visit_sources(visit, statement)
    if visit.swap.altered is not None:
        visit.swap.altered.look()
    swap, changes = visit.swap, visit.swap.changes
    swap.changes = changes.since(swap.ran_at[id(statement)]) if id(statement) in swap.ran_at else changes
    try:
        return stale_because(visit, statement)
    finally:
        swap.changes = changes


def unchanged_inner(pair: Pair) -> Diff:
    """Return the diff of the inside of a statement that did not change."""
    return Diff(unchanged=tuple(map(Pair, pair.old.children, pair.new.children))) if pair.inner is None else pair.inner


def any_maybe(swap: Swap, statement: Statement) -> bool:
    """Whether `statement`, or one inside it, may be stale."""
    return id(statement) in swap.within


def _keep_class(visit: Visit, pair: Pair) -> None:
    if not any_maybe(visit.swap, pair.new):
        return
    if (live := _unnamed.class_of(visit, pair)) is None:
        if _unnamed.gave_none(visit, pair.new) and has_stale_header(visit, pair.new):
            run_or_tell(visit, pair.new, reason(visit, pair.new))
        return
    inner = Pair(pair.old, pair.new, _members.inner(visit, pair, live))
    why_header = _stale_header(visit, pair.new)
    if why_header.startswith("calls ") and (
        why := _header.unquiet_header(pair.new.node, quiet_scope(visit.swap, visit.scope))
    ):
        tell_kept(visit, pair.new, why_header, why)
        return
    change = _rebuild.change_header if has_stale_header(visit, pair.new) else _rebuild.change_members
    change(visit, inner, live)


def has_stale_header(visit: Visit, statement: Statement) -> bool:
    """Whether bases, keywords or decorators of a class read what changed, or call what behaves otherwise."""
    node = statement.node
    assert isinstance(node, ast.ClassDef)
    found = node.decorator_list
    if _stale_header(visit, statement) or any(_decorators.gets_otherwise(visit, one) for one in found):
        return True
    return any(_decorators.reads(visit, one) for one in (*node.bases, *found))


def _stale_header(visit: Visit, statement: Statement) -> str:
    """Say what bases or keywords of a class call that behaves otherwise, or why a keyword would get something else."""
    if called := _decorators.calls_in(visit, _header.made_of(statement.node)):
        return f"calls {called}"
    given = [one.value for one in getattr(statement.node, "keywords", ())]
    return stale_because(visit, _header.alone(statement, given)) if given else ""


def _keep_suite(visit: Visit, pair: Pair) -> None:
    if id(pair.new) in visit.swap.units:
        if why := reason(visit, pair.new):
            run_unit(visit, pair.new, why)
    elif id(pair.new) in visit.swap.maybe and _stale_head(visit, pair.new):
        run_for_head(visit, pair)
    elif any_maybe(visit.swap, pair.new) or _imports_inside(pair.new):
        visit.suite(Pair(pair.old, pair.new, unchanged_inner(pair)))


def run_unit(visit: Visit, statement: Statement, why: str) -> None:
    """Run a ``try`` or ``with`` that makes values; what it does not make this time goes."""
    made, visit.made = visit.made, set()
    if run_or_tell(visit, statement, why):
        binds = replace(statement, binds=tuple(visit.made))
        visit.forget([statement], [binds if one is statement else one for one in visit.new])
    visit.made |= made


def run_for_head(visit: Visit, pair: Pair) -> bool:
    """Run an ``if`` or ``with`` whole if its header gives something else, or tell; return whether it ran."""
    why = _stale_head(visit, pair.new)
    ran = bool(why) and run_or_tell(visit, pair.new, why)
    if ran:
        visit.forget([pair.old], visit.new)  # what the suite that ran before bound, and this one does not
    return ran


def is_stale_suite(visit: Visit, statement: Statement) -> bool:
    """Whether the header of an unchanged suite would give something else now, or what a statement in it reads."""
    if statement.kind is not Kind.SUITE or not isinstance(statement.node, ast.If):
        return bool(stale_because(visit, statement))
    inside = (child for child in statement.children if id(child) in visit.swap.within)
    return bool(_stale_head(visit, statement)) or any(is_stale_suite(visit, child) for child in inside)


def _stale_head(visit: Visit, statement: Statement) -> str:
    """Say why the header of an ``if`` or ``with`` would give something else now; "" if it would not."""
    swap, node = visit.swap, statement.node
    if isinstance(node, ast.If):
        why = stale_because(visit, _header.alone(statement, [node.test]))
        before = swap.truths.get(id(statement)) if why else None
        if before is None:
            return why
        visit.make_ready(statement, [ast.copy_location(ast.Expr(node.test), node)])
        return why if truth(visit, node) is not before else ""
    head, scope = _expressions(statement), visit.scope
    stale = [n for n in statement.reads if n in head and swap.changes.reads(scope.namespace, visit.work.edit.module, n)]
    entered = ENTRY if isinstance(node, ast.With) else ()
    stale += [n for n in statement.calls if n in head and behaves_otherwise(swap, resolve(scope, n), entered)]
    return f"reads {stale[0]}" if stale else ""


def _imports_inside(statement: Statement) -> bool:
    return any(child.kind is Kind.IMPORT or _imports_inside(child) for child in statement.children)


def _expressions(statement: Statement) -> frozenset[str]:
    """Return the dotted names that the header of a ``with`` reads."""
    inside = (inner for one in getattr(statement.node, "items", ()) for inner in ast.walk(one))
    return frozenset(dotted_of(inner) or "" for inner in inside if isinstance(inner, ast.expr))


def keep_def(visit: Visit, pair: Pair, reason: str) -> None:
    """A ``def`` whose defaults, annotations or decorators read what changed."""
    raws = visit.work.live(visit.scope, pair.old)
    node = pair.new.node
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    header = bool(raws) and bool(stale_because(visit, _header.of_def(pair.new, node)))
    stale = _decorators.stale(visit, pair, header=header)
    again = not unquiet(visit, pair.new) or visit.swap.registers_again(pair.old) if stale else False
    if header and not again:
        _definitions.redefine(visit, pair.new, raws)
        visit.swap.patched(visit.work, visit.named(pair.new), How.IN_PLACE)
    if stale and raws and again:
        _definitions.redecorate(visit, pair, raws)
    elif stale:
        tell_kept(visit, pair.new, reason, unquiet(visit, pair.new) or "its function is not there any more")
    elif header:
        _definitions.register_again(visit, pair, raws)


def run_or_tell(visit: Visit, statement: Statement, reason: str) -> bool:
    """Run `statement`, or tell why it is kept; return whether it ran."""
    if _is_renewed(visit, statement):
        return False
    said = wish(visit, statement)
    loud = unquiet(visit, statement)
    why = loud or visit.swap.touched.get(id(statement), "")
    if why and not loud and not said and _aside.gives_the_same(visit, statement):
        return False
    if said == KEEP or (why and said != RERUN):
        why = "# hotswap: keep" if said == KEEP else why
        tell_kept(visit, statement, reason, why, "HS201" if loud or said == KEEP else "HS226")
        return False
    return visit.swap.runs_in_time(partial(visit.execute, statement, reason), sure=bool(loud))


def _is_renewed(visit: Visit, statement: Statement) -> bool:
    """Whether a library has brought what `statement` made of changed classes to what they are now."""
    swap, scope, module = visit.swap, visit.scope, visit.work.edit.module
    made = [scope.cls] if isinstance(scope, ClassScope) else [resolve(scope, name) for name in statement.binds]
    if not swap.renewed or not made or any(id(one) not in swap.renewed for one in made):
        return False
    read = [name for name in statement.reads if swap.changes.reads(scope.namespace, module, name)]
    read += (name for name in statement.reads if swap.changes.remade(scope.namespace, name))
    return all(isinstance(resolve(scope, name), type) and name not in statement.calls for name in read)


def unquiet(visit: Visit, statement: Statement) -> str:
    """Return why running `statement` may have effects; "" if it has none."""
    with _temporary.there(visit.scope, statement), visit.scope.before(statement.node):
        found = _quiet.unquiet(statement.node, quiet_scope(visit.swap, visit.scope))
    if found is None and isinstance(visit.scope, ClassScope) and not _BODY.isdisjoint(statement.calls):
        return "asks for all names of the class body" if _taken.takes_all_names(statement.node) else ""
    return "" if found is None or _registrations.makes_anew(visit.swap, statement) else found


def quiet_scope(swap: Swap, scope: AnyScope, given: Mapping[str, object] = _NOTHING) -> _quiet.NamespaceScope:
    """Return how the quiet analysis sees `scope`, the wave that is not set yet and names `given` included."""
    names = {**scope.namespace, **dict(dict.items(scope.outer)), **given}
    if isinstance(scope, ClassScope):
        names |= {name: value for name, value in vars(scope.cls).items() if name not in scope.late}
    return _quiet.NamespaceScope(names, swap.is_project, swap.definition, swap.names_of)


def tell_kept(visit: Visit, statement: Statement, reason: str, why: str, code: str = "HS201") -> None:
    visit.swap.kept |= {id(visit.scope.peek(bound)) for bound in (*statement.binds, *statement.mutates)}
    given = {"why": f"{reason}; {why}", "target": visit.target(statement)}
    if statement.binds:
        several = statement.kind is Kind.SUITE and len(statement.binds) > 1
        given["name"] = ", ".join(statement.binds) if several else visit.named(statement)
    visit.swap.tell(visit.work, code if statement.binds else "HS202", statement.lineno, **given)


def stale_because(visit: Visit, statement: Statement) -> str:
    """Return why `statement`, as it stands, would give something else now; "" if it would not."""
    with _temporary.there(visit.scope, statement) as made, visit.scope.before(statement.node):
        return _stale_because(visit, statement) or _temporary.stale(visit, statement, made)


def _stale_because(visit: Visit, statement: Statement) -> str:
    swap, scope, module = visit.swap, visit.scope, visit.work.edit.module
    for name in statement.reads:
        if isinstance(scope, ClassScope) and swap.changes.changed(module, scope.prefix + name):
            return f"reads {name}"
        if swap.changes.is_altered_by(statement.mutates, module, name):
            continue
        if swap.changes.reads(scope.namespace, module, name) or _taken.is_served_anew(swap, scope, name):
            return f"reads {name}"
        remade = statement.kind in _VALUES and swap.changes.remade(scope.namespace, name)
        if remade and name in only_held(statement.node):
            remade = swap.changes.remade(scope.namespace, name, held=True)
        if remade or name.partition(".")[0] in visit.passing:
            return f"reads {name}"
    if why := _wholes.looked_at(swap, scope, module, statement):
        return why
    given = (_reach.looked_up_by(swap, resolve(scope, name)) for name in statement.calls)
    attributes = looked_up(statement.node).union(*given)
    modules = [*_taken.modules_read(scope, statement), *_taken.modules_loaded(swap, statement.node)]
    if modules and (name := _taken.reads_of(swap, scope, modules, statement, attributes)):
        return f"reads {name}"
    for name in (*statement.calls, *(name for name in statement.reads if "." in name)):
        value = resolve(scope, name)
        read = name not in statement.calls and is_a(value, (type, *_reach.METHODS))  # and no property
        levels = _called.levels_of(swap, statement, name, value)
        if not read and behaves_otherwise(swap, value, attributes, modules=modules, levels=levels):
            return f"calls {name}"
    for name in handed(statement.node) if statement.kind is Kind.ASSIGN else ():
        if behaves_otherwise(swap, resolve(scope, name)) and _passed.is_called(swap, scope, statement.node, name):
            return f"calls {name}"
    for name in _called.called_twice(statement.node) if swap.changes.codes else ():
        if makes_otherwise(swap, resolve(scope, name)):
            return f"calls {name}"
    for name in _taken.behind_modules(scope, statement) if attributes else ():
        if operates_otherwise(swap, resolve(scope, name), attributes, calls=bool(statement.calls)):
            return f"calls {name}"
    return _templates.made_with(swap, scope, statement)


def truth(visit: Visit, node: ast.If) -> bool | None:
    """Evaluate the test of an ``if`` if that is quiet; None if it is not. Type checkers' needs no name to be known."""
    if static_truth(node.test) is False:
        return False
    test = ast.copy_location(ast.Assign([ast.Name("test", ast.Store())], node.test), node)
    ast.fix_missing_locations(test)
    if _quiet.unquiet(test, quiet_scope(visit.swap, visit.scope)):
        return None
    try:
        return bool(visit.scope.run([test])["test"])
    except StatementError:
        return None
