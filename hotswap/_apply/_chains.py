"""Chains: a name that several statements bind or mutate is made by all of them together, in order.

``X = []; X += a; X += b`` or ``__all__``: a link added, changed, removed or moved runs the chain again from the last
statement before it that does not read the name. A mutator added at the end needs only itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hotswap import _quiet
from hotswap._apply import _stale
from hotswap._diff import decorators, only_code
from hotswap._execute import StatementError
from hotswap._journal import MISSING
from hotswap._model import Diff, Kind, Statement
from hotswap._values import alike, stateless

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit


def again(visit: Visit, diff: Diff, old: Sequence[Statement], new: Sequence[Statement]) -> dict[int, str]:
    """Return, by id, the unchanged statements of `new` that have to run again as links of a chain, each with a reason."""
    affected = _affected(diff)
    found: dict[int, str] = {}
    gone = {name for statement in diff.removed for name in (*statement.binds, *statement.mutates)}
    touched = {name for s in new if id(s) in affected for name in (*s.binds, *s.mutates)} | gone
    for name in touched:
        links = [s for s in new if name in s.binds or name in s.mutates]
        if len(links) + (name in gone) > 1:
            for link in _to_run(visit, name, links, [s for s in old if name in s.binds or name in s.mutates], affected):
                found.setdefault(id(link), f"{name} is made by several statements")
    return {key: reason for key, reason in found.items() if key not in affected}


def _affected(diff: Diff) -> set[int]:
    found = {id(statement) for statement in diff.added} | {id(pair.new) for pair in diff.moved}
    for pair in diff.changed:
        same_decorators = pair.new.kind is Kind.DEF and decorators(pair.old.node) == decorators(pair.new.node)
        if not same_decorators and pair.inner is None and not only_code(pair):
            found.add(id(pair.new))
    return found


def _to_run(
    visit: Visit, name: str, links: list[Statement], olds: list[Statement], affected: set[int]
) -> Iterator[Statement]:
    """Yield the links that have to run for `name`; none, and a finding, if that would lose what the program did to it."""
    first = _first_affected(links, olds, affected)
    if first is None or _only_added_mutators(name, links, affected):
        return
    start = max((i for i in range(first + 1) if name in links[i].binds and name not in links[i].reads), default=None)
    if start is None:
        return
    run = [link for link in links[start:] if id(link) not in affected]
    if not run:
        return
    why = next(filter(None, (_unquiet_link(visit, link) for link in run)), "") or _touched(visit, name, olds)
    if why:
        line = links[first].lineno
        visit.swap.tell(visit.work, "HS201", line, name=name, why=why, target=f"{visit.work.edit.module}:{name}")
    else:
        yield from run


def _first_affected(links: list[Statement], olds: list[Statement], affected: set[int]) -> int | None:
    first = next((index for index, link in enumerate(links) if id(link) in affected), None)
    if first is not None or len(olds) == len(links):
        return first
    texts = [link.digest for link in links]  # a link was removed: the first place where old and new part
    parted = next((i for i, link in enumerate(olds) if i >= len(texts) or texts[i] != link.digest), 0)
    return min(parted, len(links) - 1) if links else None


def _only_added_mutators(name: str, links: list[Statement], affected: set[int]) -> bool:
    tail = [link for link in links if id(link) in affected]
    return links[len(links) - len(tail) :] == tail and all(name not in link.binds for link in tail)


def _unquiet_link(visit: Visit, link: Statement) -> str:
    """Altering the chain's own object is what links do; everything else has to be quiet."""
    if link.kind is Kind.DEF and not getattr(link.node, "decorator_list", ()):
        return ""
    node = link.node
    if isinstance(node, ast.AugAssign):
        node = ast.copy_location(ast.Expr(node.value), node)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        node = ast.copy_location(ast.Expr(ast.Tuple(list(node.value.args), ast.Load())), node)
        ast.fix_missing_locations(node)
    return _quiet.unquiet(node, _stale.quiet_scope(visit.swap, visit.scope)) or ""


def _touched(visit: Visit, name: str, olds: list[Statement]) -> str:
    """Return why `name` does not hold what the old chain gives, "" if it does."""
    held = visit.scope.peek(name)
    if held is MISSING or any(link.kind in (Kind.DEF, Kind.CLASS) for link in olds):
        return ""
    if not stateless(held):
        return "it holds an object with state"
    try:
        made = visit.scope.run([link.node for link in olds])
    except StatementError:
        return "its text does not give it any more"
    return "" if alike(made.get(name, MISSING), held) else f"{name} was changed since"
