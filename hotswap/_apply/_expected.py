"""Which live functions a diff is about: the places, in the old text, of definitions that change or move.

They are looked for without a pass over the heap where that can be trusted. Edits that reach further (another kind of
statement, a suite with another header) and text that makes functions in loops take the careful way.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from hotswap._model import Diff, Edit, Kind, Pair, Statement
from hotswap._text._diff import same_header

Place = tuple[str, int]


class _Careful(Exception):
    """The places cannot be told from the text."""


def expected_places(edit: Edit, maybe: AbstractSet[int]) -> list[Place] | None:
    """Return the places of the functions of `edit` that are to be patched, None if all functions have to be found.

    `maybe` are the ids of unchanged statements that may run again.
    """
    try:
        if edit.edited:
            if edit.old.origin != edit.new.origin or edit.old.flags != edit.new.flags:
                return None
            return list(_of_diff(edit.diff, "", maybe))
        return list(_of_maybe(edit.new.statements, "", maybe))
    except _Careful:
        return None


def _of_diff(diff: Diff, prefix: str, maybe: AbstractSet[int]) -> Iterator[Place]:
    for statement in diff.removed:
        yield from _inside(statement, prefix)
    for pair in diff.changed:
        yield from _of_changed(pair, prefix, maybe)
    for pair in diff.unchanged:
        if pair.old.lineno != pair.new.lineno or pair.old.digest != pair.new.digest:
            yield from _inside(pair.old, prefix)
        else:
            yield from _of_maybe([pair.new], prefix, maybe)


def _of_changed(pair: Pair, prefix: str, maybe: AbstractSet[int]) -> Iterator[Place]:
    old, new = pair.old, pair.new
    same = pair.inner is None or same_header(pair)
    if old.kind is not new.kind or (new.kind is not Kind.CLASS and not same):
        raise _Careful
    if same and pair.inner is not None and new.kind in (Kind.CLASS, Kind.SUITE):
        yield from _of_diff(pair.inner, _into(old, prefix), maybe)
    else:
        yield from _inside(old, prefix)


def _into(statement: Statement, prefix: str) -> str:
    return f"{prefix}{statement.binds[-1]}." if statement.kind is Kind.CLASS else prefix


def _inside(statement: Statement, prefix: str) -> Iterator[Place]:
    """Yield the places of all functions that `statement`, of the old text, makes."""
    if statement.kind is Kind.DEF:
        yield prefix + statement.binds[-1], statement.lineno
        parts: list[ast.AST] = [*getattr(statement.node, "decorator_list", ()), _arguments(statement.node)]
    elif statement.children:
        for child in statement.children:
            yield from _inside(child, _into(statement, prefix))
        parts = [
            node for node in ast.iter_child_nodes(statement.node) if not isinstance(node, ast.stmt | ast.ExceptHandler)
        ]
    else:
        parts = [statement.node]
    for part in parts:
        yield from _lambdas(part, prefix)


def _arguments(node: ast.stmt) -> ast.AST:
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return node.args


def _lambdas(node: ast.AST, prefix: str) -> Iterator[Place]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        raise _Careful
    if isinstance(node, ast.Lambda):
        yield f"{prefix}<lambda>", node.lineno
        return
    for child in ast.iter_child_nodes(node):
        yield from _lambdas(child, prefix)


def _of_maybe(statements: Iterable[Statement], prefix: str, maybe: AbstractSet[int]) -> Iterator[Place]:
    for statement in statements:
        if id(statement) in maybe:
            if statement.kind is Kind.SUITE:
                raise _Careful
            yield from _inside(statement, prefix)
        else:
            yield from _of_maybe(statement.children, _into(statement, prefix), maybe)
