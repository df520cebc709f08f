"""Statements that left the text: what they did beyond binding names stays, and is told."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hotswap._apply import _dispatch, _remaking, _stores, _tables, _taken_off
from hotswap._apply._put_again import is_put_again
from hotswap._apply._scopes import ClassScope
from hotswap._apply._stale import unquiet
from hotswap._model import Diff, How, Kind, Statement
from hotswap._run._journal import CONTAINERS, MISSING
from hotswap._text._diff import decorators

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit


def tell_effects(visit: Visit, diff: Diff) -> None:
    """Tell of statements that left the text, or gave way to others, while what they did beyond binding names stays."""
    replaced = [
        pair.old
        for pair in diff.changed
        if pair.old.kind is Kind.OTHER
        or isinstance(pair.old.node, ast.AugAssign)
        or decorators(pair.old.node) != decorators(pair.new.node)
    ]
    before = visit.swap.changes.now
    _stores.take_back(visit, (*diff.removed, *(pair.old for pair in diff.changed if pair.old.kind is Kind.ASSIGN)))
    undone = {id(one) for one in (*diff.removed, *replaced) if _taken_off.undo(visit, one)}
    for statement in diff.removed:
        if statement.kind in (Kind.ASSIGN, Kind.OTHER) and _stores.undo_call(visit, statement):
            undone.add(id(statement))
        if not statement.binds and visit.swap.is_registered(statement):
            visit.swap.patched(visit.work, _said(statement), How.REMOVED)
    if visit.swap.changes.now != before:  # statements above have read what was taken back just now
        visit.swap.too_early = True
    for statement in diff.removed if not visit.scope.prefix else ():
        if statement.kind is Kind.ASSIGN:
            _tables.take_out(visit.swap, visit.work, statement)
    come = [*diff.added, *(pair.new for pair in diff.changed)]
    for statement in (*diff.removed, *replaced):
        if (
            id(statement) not in undone
            and not is_put_again(visit, statement, come)
            and not visit.swap.is_registered(statement)
            and not visit.swap.tends(visit.scope.cls)
        ):
            _tell_removed(visit, statement)


def _went_with_its_object(visit: Visit, statement: Statement) -> bool:
    """Whether all that `statement` did was to alter the object of a name that leaves, or was made anew without it."""
    if len(statement.mutates) != 1 or statement.kind is not Kind.OTHER or isinstance(visit.scope, ClassScope):
        return False
    name = statement.mutates[0]
    was, now = visit.work.before.get(name, MISSING), visit.scope.peek(name)
    leaves = (visit.scope, name) in visit.swap.last and not _has_other_name(visit, name, was)
    gone = leaves if now is was else now is not MISSING
    return was is not MISSING and gone and not _remaking.unquiet_link(visit, visit.chains, statement, name)


def _has_marked(visit: Visit, statement: Statement) -> bool:
    """Whether `statement` is a loop that set attributes of what it went over, as none does now, and bound no names but
    its variables.
    """
    node = statement.node
    if not isinstance(node, ast.For) or id(statement) in visit.work.by_text:
        return False
    own = {inner.id for inner in ast.walk(node.target) if isinstance(inner, ast.Name)}
    now = {name for one in visit.new for name in _marks(one.node)}
    return not now.issuperset(_marks(node)) and own.issuperset((*statement.binds, *statement.mutates))


def _marks(node: ast.stmt) -> Iterator[str]:
    """Yield the attributes that a loop sets on names."""
    for inner in ast.walk(node) if isinstance(node, ast.For) else ():
        if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and isinstance(inner.value, ast.Name):
            yield inner.attr


def _has_other_name(visit: Visit, name: str, held: object) -> bool:
    return any(value is held and other != name for other, value in visit.scope.namespace.items())


def _has_added(visit: Visit, statement: Statement) -> bool:
    """Whether `statement` added, by ``+=``, to a list or the like that another module made, and has still."""
    node = statement.node
    if not isinstance(node, ast.AugAssign) or isinstance(visit.scope, ClassScope) or not statement.binds:
        return False
    name = statement.binds[0]
    was = visit.work.before.get(name, MISSING)
    links = [one for one in visit.work.edit.old.statements if name in one.binds and one.kind is not Kind.IMPORT]
    is_own = any(not isinstance(one.node, ast.AugAssign) for one in links)
    return type(was) in CONTAINERS and visit.scope.peek(name) is was and not is_own


def _tell_removed(visit: Visit, statement: Statement) -> None:
    if _went_with_its_object(visit, statement):
        return
    acted = statement.kind is Kind.OTHER and not statement.binds
    if _has_added(visit, statement) or (acted and unquiet(visit, statement)) or _has_marked(visit, statement):
        visit.swap.tell(visit.work, "HS203", statement.lineno, name=_said(statement))
    elif statement.kind is Kind.CLASS and not _arrived(visit, statement):
        for child in statement.children:
            if child.kind is Kind.DEF and decorators(child.node):
                _tell_removed(visit, child)
    elif statement.kind is Kind.DEF and decorators(statement.node) and not _dispatch.only_registers(visit, statement):
        why = "" if _is_part_of_property(statement) else unquiet(visit, statement)
        if why:
            visit.swap.tell(
                visit.work, "HS227", statement.lineno, name=statement.binds[-1], why=why, target=visit.target(statement)
            )


def _is_part_of_property(statement: Statement) -> bool:
    """Whether a function is decorated by ``@name.setter`` alone: its name may be a property no more."""
    own = [f"{statement.binds[-1]}.{part}" for part in ("setter", "getter", "deleter")]
    return all(ast.unparse(one) in own for one in getattr(statement.node, "decorator_list", ()))


def _arrived(visit: Visit, statement: Statement) -> bool:
    """Whether the class that left goes on elsewhere, or under another name."""
    place = (visit.work.edit.module, visit.scope.prefix + statement.binds[-1])
    return any((known.module, known.name) == place for known in visit.swap.arrivals.values())


def _said(statement: Statement) -> str:
    return ast.unparse(statement.node).splitlines()[0][:60]
