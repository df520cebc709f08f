"""Statements below a definition that make more of it: a member for a class, a decoration by hand."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from hotswap._model import Diff, Kind, Statement
from hotswap._text._diff import only_code

if TYPE_CHECKING:
    pass


def overriding(diff: Diff, new: Sequence[Statement]) -> Iterator[Statement]:
    """Yield unchanged statements that give a class a member (``A.x = 2``) which its body, above, is about to set."""
    set_anew: dict[str, set[str]] = {}
    for pair in diff.changed:
        if pair.new.kind is Kind.CLASS and pair.inner is not None:
            inner = (*(p.new for p in pair.inner.changed if not only_code(p)), *pair.inner.added)
            set_anew[pair.new.binds[-1]] = {name for statement in inner for name in statement.binds}
    unchanged = {id(pair.new) for pair in diff.unchanged} if set_anew else set()
    for statement in new:
        if id(statement) in unchanged and isinstance(statement.node, ast.Assign):
            targets = [target for target in statement.node.targets if isinstance(target, ast.Attribute)]
            if any(target.attr in set_anew.get(ast.unparse(target.value), ()) for target in targets):
                yield statement


def by_hand(block: Iterable[Statement], statement: Statement) -> Iterator[ast.expr]:
    """Yield what decorates the definition `statement` of the `block` by hand, below it, such as ``A = decorate(A)``."""
    name = statement.binds[-1]
    for link in block:
        value = link.node.value if isinstance(link.node, ast.Assign) and link.lineno > statement.lineno else None
        if isinstance(value, ast.Call) and name in link.binds:
            if any(isinstance(given, ast.Name) and given.id == name for given in value.args[:1]):
                yield value.func
