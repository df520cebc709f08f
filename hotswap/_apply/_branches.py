"""Which suites of an ``if`` or ``try`` ran when the module was imported: only those are gone into."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from hotswap._apply._follow import absolute
from hotswap._apply._segments import suppresses
from hotswap._apply._stale import has_stale_header, stale_because, truth, unquiet
from hotswap._apply._temporary import deleted_by
from hotswap._errors import StatementError
from hotswap._graph._facts import WHOLE
from hotswap._model import Diff, Kind, Pair, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import alike, is_a
from hotswap._text._diff import branch_of, dump, only_code

Wrap = Callable[[list[ast.stmt]], list[ast.stmt]]

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit


def is_taken(visit: Visit, pair: Pair, branch: str) -> bool:
    """Whether `branch` of an ``if``, ``try`` or ``with`` is the one that ran."""
    node = pair.new.node
    if isinstance(node, ast.If):
        taken = truth(visit, node)
        if taken is None and (taken := _ran_by_what_is_there(visit, pair.old)) is None:
            _tell_unknown(visit, pair, "", "its test cannot be asked again, and nothing shows which branch ran")
        return taken is (branch == "body")
    if branch.startswith("except"):
        ran = _handler_ran(visit, pair.old, branch)
        if not ran and _may_have_run(visit, pair.old, branch):
            _tell_unknown(visit, pair, branch, "nothing shows whether its body came to its end")
        return ran
    handlers = range(len(getattr(node, "handlers", ())) if branch == "orelse" else 0)
    return not any(_handler_ran(visit, pair.old, f"except{number}") for number in handlers)


def fails_otherwise(visit: Visit, pair: Pair) -> bool:
    """Whether the body of a ``try`` that did not come to its end changed: it may come further, so it starts again."""
    if not _may_end_early(pair.new.node) or pair.inner is None:
        return False
    changed = [*(p.new for p in pair.inner.changed if not only_code(p)), *pair.inner.added, *pair.inner.removed]
    changed += (p.new for p in pair.inner.unchanged if _may_come_now(visit, p.new))
    never = idle(visit, pair)
    if not any(statement.branch == "body" and id(statement) not in never for statement in changed):
        return False
    return _ended_early(visit, pair)


def _may_come_now(visit: Visit, statement: Statement) -> bool:
    """Whether what an unchanged statement would bind is not there, and depends on what changed."""
    if id(statement) not in visit.swap.within or not statement.binds:
        return False
    if any(visit.scope.peek(name) is not MISSING for name in statement.binds):
        return False
    if statement.kind is Kind.CLASS:
        return has_stale_header(visit, statement)
    return statement.kind is Kind.ASSIGN and bool(stale_because(visit, statement))


def _ran_by_what_is_there(visit: Visit, old: Statement) -> bool | None:
    """Whether the body of an ``if`` ran whose test cannot be asked again, or its ``else``; None if nothing shows."""
    ran = {child.branch for child in old.children if _shows(visit, old, child)}
    return "body" in ran if len(ran) == 1 else None


def _tell_unknown(visit: Visit, pair: Pair, branch: str, why: str) -> None:
    """Tell of an ``if`` or ``try`` that may have to run other statements than it did, and nothing says which."""
    inner = branch_of(pair.inner or Diff(), branch) if branch else pair.inner or Diff()
    if inner.added or inner.removed or any(not only_code(one) for one in inner.changed):
        visit.swap.tell(visit.work, "HS202", pair.new.lineno, why=why, target=visit.target(pair.new))


def _shows(visit: Visit, old: Statement, child: Statement) -> bool:
    """Whether something is there that `child` made, and nothing in the other branch can have made."""
    if child.kind is Kind.SUITE:
        return any(one.kind is Kind.DEF and bool(visit.work.live(visit.scope, one)) for one in _inside(child))
    ran = _has_run(visit, old, child, "orelse" if child.branch == "body" else "body")
    return _gives_what_is_there(visit, child) if ran is None else ran


def _gives_what_is_there(visit: Visit, child: Statement) -> bool:
    if child.kind is not Kind.ASSIGN or not child.binds or unquiet(visit, child):
        return False
    try:
        made = visit.scope.run([child.node])
    except StatementError:
        return False
    return all(alike(made.get(name, MISSING), visit.scope.peek(name)) for name in child.binds)


def _inside(statement: Statement) -> Iterator[Statement]:
    for child in statement.children:
        yield child
        yield from _inside(child) if child.kind is Kind.SUITE else ()


def begins_again(visit: Visit, pair: Pair) -> bool:
    """Whether a ``try`` that may come further, or has to catch its error once more, can run whole: it is quiet, or its
    first statement was what failed.
    """
    if not (fails_otherwise(visit, pair) or _reads_error(visit, pair)):
        return False
    return failed_import(visit, pair.old) is pair.old.children[0] or not unquiet(visit, pair.new)


def _reads_error(visit: Visit, pair: Pair) -> bool:
    """Whether a statement that has to run in a handler that ran reads the error by its name, which is gone by now."""
    assert pair.inner is not None
    to_run = (*(one.new for one in pair.inner.changed if not only_code(one)), *pair.inner.added)
    for number, handler in enumerate(getattr(pair.new.node, "handlers", ())):
        own = (s for s in to_run if s.branch == f"except{number}")
        read = {name.partition(".")[0] for s in own for name in (*s.reads, *s.calls)}
        if handler.name in read and _handler_ran(visit, pair.old, f"except{number}"):
            return True
    return False


def _may_end_early(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Try, ast.TryStar)) or suppresses(node)


def _ended_early(visit: Visit, pair: Pair) -> bool:
    """Whether the body of a ``try`` did not come to its end; a ``with suppress()`` has no handlers to tell by."""
    handlers = range(len(getattr(pair.new.node, "handlers", "1")))
    return any(_handler_ran(visit, pair.old, f"except{number}") for number in handlers)


def _handler_ran(visit: Visit, old: Statement, branch: str) -> bool:
    """Whether the ``except`` suite `branch` ran: if the body did not come to its end, or something it bound is
    there.
    """
    if failed_import(visit, old) is not None:
        return True
    body = [child for child in old.children if child.branch == "body"]
    ended = _has_run(visit, old, body[-1], branch) if body else True
    handler = [child for child in old.children if child.branch == branch]
    if ended is None:
        return any(_has_run(visit, old, child, "") for child in handler) or _took_over(visit, body[-1], handler)
    return not ended and all(_has_run(visit, old, child, "body") is not False for child in handler)


def _may_have_run(visit: Visit, old: Statement, branch: str) -> bool:
    """Whether nothing says if the ``except`` suite `branch` ran: body and handler bind the same, by unknown calls."""
    body = [child for child in old.children if child.branch == "body"]
    own = [child for child in old.children if child.branch == branch and child.kind is Kind.ASSIGN]
    if not body or _has_run(visit, old, body[-1], branch) is not None or not body[-1].binds:
        return False
    return bool(unquiet(visit, body[-1])) and any(unquiet(visit, child) for child in own)


def _took_over(visit: Visit, last: Statement, handler: Iterable[Statement]) -> bool:
    """Whether a handler ran that binds what the body would bind with `last`: that fails, or only the handler gives
    what is there.
    """
    if last.kind is Kind.ASSIGN and not unquiet(visit, last):
        try:
            made = visit.scope.run([last.node])
        except StatementError:
            return True
        if all(alike(made.get(name, MISSING), visit.scope.peek(name)) for name in last.binds):
            return False
    return any(_gives_what_is_there(visit, child) for child in handler)


def _has_run(visit: Visit, old: Statement, child: Statement, other: str) -> bool | None:
    """Whether `child` of the old statement has run, by what it bound; None if the suite `other` may have bound it,
    too, or without that any other one.
    """
    if child.kind is Kind.DEF:
        return bool(visit.work.live(visit.scope, child))
    held = [visit.scope.peek(name) for name in child.binds]
    if child.kind is Kind.IMPORT:
        return bool(held) and all(value is not MISSING and _is_import(child.node, value) for value in held)
    others = (one for one in old.children if (one.branch == other if other else one.branch != child.branch))
    shared = {name for statement in others for name in statement.binds}
    return None if not held or shared.intersection(child.binds) else MISSING not in held


def _is_import(node: ast.stmt, value: object) -> bool:
    """Whether `value` may be what the import `node` bound: a module, or a member of the module that it names."""
    if isinstance(node, ast.Import):
        return is_a(value, ModuleType)
    source = sys.modules.get(getattr(node, "module", None) or "")
    return source is None or getattr(node, "level", 0) > 0 or any(value is one for one in vars(source).values())


def failed_import(visit: Visit, statement: Statement) -> Statement | None:
    """Return the import in the body of a ``try`` that failed: its module is not there, or lacks the name."""
    for child in statement.children:
        if child.branch == "body" and isinstance(child.node, ast.ImportFrom):
            module = absolute(visit, child.node)
            names = [alias.name for alias in child.node.names if alias.name != "*"]
            if module not in sys.modules or any(not _has(module, name) for name in names):
                return child
        elif child.branch == "body" and isinstance(child.node, ast.Import):
            if any(alias.name not in sys.modules for alias in child.node.names):
                return child
    return None


def fails_still(visit: Visit, statement: Statement) -> bool:
    """Whether the import that a ``try`` did without fails once more: what its handler made stays then."""
    failed = failed_import(visit, statement) if isinstance(statement.node, ast.Try) else None
    if failed is None:
        return False
    visit.make_ready(statement, [failed.node])
    try:
        visit.scope.run([failed.node])
    except StatementError as error:
        return isinstance(error.error, ImportError)
    return False


def bound_by(visit: Visit, statement: Statement) -> Iterator[str]:
    """Yield the names that `statement` binds; of an ``if`` only those of the branch taken, if that is known: whether a
    name is in ``globals()`` it may have seen to itself.

    A ``try`` binds none from an import on that did not come about; of one that ran just now it is known.
    """
    node = statement.node
    ran = visit.swap.ran_bound.get(id(statement)) if _may_end_early(node) else None
    if ran is not None:
        yield from (name for name in statement.binds if name in ran)
        return
    failed = failed_import(visit, statement) if _may_end_early(node) else None
    if failed is not None:
        inner = (one for one in statement.children if not _is_behind(one, failed))
        yield from (name for one in inner for name in bound_by(visit, one))
        return
    asks = not WHOLE.isdisjoint(statement.calls)
    if asks or not isinstance(node, ast.If) or (taken := truth(visit, node)) is None:
        yield from statement.binds
        return
    inside = {name for child in statement.children for name in child.binds}
    yield from (name for name in statement.binds if name not in inside)  # the test's own: ``if (n := read()):``
    for child in statement.children:
        if (child.branch == "body") is taken:
            yield from bound_by(visit, child)


def idle(visit: Visit, pair: Pair) -> Container[int]:
    """Return the ids of the statements of a ``try``, old and new, that do not run: one above fails still."""
    failed = failed_import(visit, pair.new) if _may_end_early(pair.new.node) else None
    unchanged = pair.inner.unchanged if pair.inner and _may_end_early(pair.new.node) else ()
    both = next((one for one in unchanged if one.new is failed or _has_failed(visit, pair, one)), None)
    if both is None:
        return set()
    sides = ((pair.old, both.old), (pair.new, both.new))
    return {id(one) for side, end in sides for one in side.children if one is not end and _is_behind(one, end)}


def _has_failed(visit: Visit, pair: Pair, inner: Pair) -> bool:
    """Whether an assignment in the body of a ``try`` did not come about, and depends on nothing that changed."""
    statement = inner.new
    if statement.branch != "body" or statement.kind is not Kind.ASSIGN or not statement.binds:
        return False
    deleted = {name for one in visit.work.edit.new.statements for name in deleted_by(one.node)}
    if any(visit.scope.peek(name) is not MISSING or name in deleted for name in statement.binds):
        return False
    return _ended_early(visit, pair) and not stale_because(visit, statement)


def without(idle: Container[int], diff: Diff) -> Diff:
    """Return `diff` but for the statements whose ids are `idle`."""
    return Diff(
        unchanged=tuple(p for p in diff.unchanged if id(p.new) not in idle),
        moved=tuple(p for p in diff.moved if id(p.new) not in idle),
        changed=tuple(p for p in diff.changed if id(p.new) not in idle),
        added=tuple(s for s in diff.added if id(s) not in idle),
        removed=tuple(s for s in diff.removed if id(s) not in idle),
    )


def _is_behind(child: Statement, failed: Statement) -> bool:
    """Whether `child` of a ``try`` does not run because the statement `failed` of its body, or it is that."""
    return child.branch == "orelse" or (child.branch == "body" and child.lineno >= failed.lineno)


def _has(module: str, name: str) -> bool:
    names = vars(sys.modules[module])
    return name in names or "__getattr__" in names


def wrapping(node: ast.stmt, branch: str, outer: Wrap) -> Wrap:
    """Return what puts statements back into the suite `branch` of `node`, so that its handlers and exits apply."""

    def wrap(nodes: list[ast.stmt]) -> list[ast.stmt]:
        if branch == "body" and isinstance(node, (ast.Try, ast.TryStar)):
            again: ast.stmt = type(node)(
                body=[*nodes, _marking(node, nodes[-1])],
                handlers=node.handlers or [_reraise()],
                orelse=[],
                finalbody=[],
            )
        elif branch == "body" and isinstance(node, ast.With):
            ending = [_marking(node, nodes[-1])] if suppresses(node) else []
            again = ast.With(items=node.items, body=[*nodes, *ending])
        else:
            return outer(nodes)
        return outer([ast.fix_missing_locations(ast.copy_location(again, node))])

    return wrap


def marks(node: ast.stmt, branch: str) -> frozenset[str]:
    """Return the name that is bound when a part of the suite `branch` of `node`, which may end early, came to its
    end.
    """
    return frozenset((_mark(node),)) if branch == "body" and _may_end_early(node) else frozenset()


def _mark(node: ast.stmt) -> str:
    return f"__hotswap_ended_{id(node)}__"


def stop(visit: Visit, old: Sequence[Statement], new: Sequence[Statement]) -> None:
    """Let go what only statements bound that did not run this time: one above them raised, and that was caught."""
    failed = next(index for index, one in enumerate(new) if id(one) == visit.closing)
    visit.swap.idle |= {id(one) for one in new[failed:]}
    seen_to = new[failed].kind is Kind.SUITE  # what it did not come to went with the statement inside that raised
    visit.forget(old, new[: failed + 1] if seen_to else new[:failed])


def end_early(visit: Visit, pair: Pair, inner: Visit) -> None:
    """End a suite of which the body raised when a part of it ran: its handlers have run, what was behind it goes."""
    visit.ended = inner.ended - marks(pair.new.node, "body")
    inner.siblings = frozenset(name for one in pair.new.children for name in one.binds)
    inner.forget([one for one in pair.old.children if one.branch == "orelse"], ())
    visit.swap.idle |= {id(one) for one in pair.new.children if one.branch == "orelse"}


def _marking(node: ast.stmt, last: ast.stmt) -> ast.stmt:
    assign = ast.Assign([ast.Name(_mark(node), ast.Store())], ast.Constant(True))
    return ast.fix_missing_locations(ast.copy_location(assign, last))


def _reraise() -> ast.ExceptHandler:
    return ast.ExceptHandler(type=None, name=None, body=[ast.Raise()])


def is_main_guard(node: ast.stmt) -> bool:
    """Whether `node` is the ``if __name__ == "__main__"`` of a script."""
    return isinstance(node, ast.If) and "__name__" in dump(node.test) and "__main__" in dump(node.test)
