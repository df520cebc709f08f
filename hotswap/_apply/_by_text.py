"""Names that statements set by their texts: ``globals()[name] = value``, ``setattr(module, name, value)`` in a loop.

No statement binds them, so none lets them go. What the old text set is found by evaluating its loops before anything
changes, without the values and without storing anything, and what the new one sets in the same way afterwards.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Final

from hotswap import _quiet
from hotswap._apply._asking import asks_for_all
from hotswap._apply._leaving import is_bound_elsewhere
from hotswap._apply._scopes import ModuleScope
from hotswap._apply._stale import quiet_scope
from hotswap._errors import StatementError
from hotswap._model import Kind, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import is_a

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap, Work
    from hotswap._apply._visit import Visit

_SEEN: Final = "_hotswap_seen"
_Places = list[tuple[ModuleType, str]]


def note(swap: Swap, work: Work) -> None:
    """Note what statements that run again, changed or left have set, before anything changes."""
    diff = work.edit.diff
    again = (pair.new for pair in diff.unchanged if id(pair.new) in swap.within)
    for statement in _setting((*diff.removed, *(pair.old for pair in diff.changed), *again)):
        work.by_text[id(statement)] = (statement, _places(swap, work.scope, statement))


def let_go(visit: Visit) -> None:
    """Let go what statements have set that run again, changed or left, and that nothing sets now; or tell."""
    work = visit.work
    if not work.by_text:
        return
    visit.swap.commit()
    now: _Places = []
    for statement in _setting(work.edit.new.statements):
        now += _places(visit.swap, work.scope, statement) or ()
    stays = {id(pair.new) for pair in work.edit.diff.unchanged} - visit.swap.ran_at.keys()
    for statement, places in (one for key, one in work.by_text.items() if key not in stays):
        left = [place for place in places or () if not any(place[0] is one[0] and place[1] == one[1] for one in now)]
        gone = [_leaves(visit, *place) for place in left]
        if not all(gone) or (places is None and any(map(asks_for_all, ast.walk(statement.node)))):
            visit.swap.tell(work, "HS203", statement.lineno, name=ast.unparse(statement.node).partition("\n")[0][:60])


def _setting(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Yield those of `statements` that set names by their texts."""
    for one in statements:
        if one.kind in (Kind.ASSIGN, Kind.OTHER, Kind.SUITE) and any(map(_sets, ast.walk(one.node))):
            yield one


def _sets(node: ast.AST) -> bool:
    return isinstance(node, ast.stmt) and _set_by(node) is not None


def _set_by(node: ast.stmt) -> ast.expr | None:
    """Return an expression of pairs, object and name, that `node` sets by text; None stands for the module itself."""
    here = ast.Constant(None)
    match node:
        case ast.Assign(targets=[ast.Subscript(value=space, slice=name)]) if asks_for_all(space):
            return ast.Tuple([ast.Tuple([here, name], ast.Load())], ast.Load())
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=space, attr="update"), args=[given], keywords=[])) if (
            asks_for_all(space)
        ):
            pair = ast.Tuple([here, ast.Name("_hotswap_key", ast.Load())], ast.Load())
            each = ast.comprehension(ast.Name("_hotswap_key", ast.Store()), given, [], 0)
            return ast.Call(ast.Name("tuple", ast.Load()), [ast.ListComp(pair, [each])], [])
        case ast.Expr(value=ast.Call(func=ast.Name(id="setattr"), args=[target, name, _], keywords=[])):
            return ast.Tuple([ast.Tuple([target, name], ast.Load())], ast.Load())
    return None


class _Seeing(ast.NodeTransformer):
    """Has statements collect the names that they would set."""

    def visit(self, node: ast.AST) -> ast.AST:
        pairs = _set_by(node) if isinstance(node, ast.stmt) else None
        if pairs is not None:
            return ast.AugAssign(ast.Name(_SEEN, ast.Store()), ast.Add(), pairs)
        return super().generic_visit(node)


def _places(swap: Swap, scope: ModuleScope, statement: Statement) -> _Places | None:
    """Return the modules and names that `statement` sets there; None if evaluating that may have effects."""
    seeing: ast.stmt = _Seeing().visit(copy.deepcopy(statement.node))  # type: ignore[assignment]  # as a statement is
    nothing = ast.Assign([ast.Name(_SEEN, ast.Store())], ast.Tuple([], ast.Load()))
    both = ast.copy_location(ast.If(ast.Constant(value=True), [nothing, seeing], []), statement.node)
    for inner in ast.walk(both):
        if isinstance(inner, (ast.expr, ast.stmt)) and not hasattr(inner, "lineno"):
            ast.copy_location(inner, statement.node)
    ast.fix_missing_locations(both)
    if _quiet.unquiet(both, quiet_scope(swap, scope)):
        return None
    try:
        seen = scope.run([both])[_SEEN]
    except StatementError:
        return None
    found = [(scope.module if one is None else one, name) for one, name in seen]
    return [(one, name) for one, name in found if is_a(one, ModuleType) and type(name) is str]


def _leaves(visit: Visit, target: ModuleType, name: str) -> bool:
    """Have `name` leave the module `target`, unless a statement there binds it; return whether that is all there is."""
    work = visit.swap.works.get(target.__name__)
    held = vars(target).get(name, MISSING)
    if held is MISSING:
        return True
    if target is visit.work.module:
        if any(name in visit.bound_by(one) for one in visit.new) or is_bound_elsewhere(visit.work, name):
            return True
        visit.leave(name)
        return True
    texts = work.edit.new.statements if work is not None else ()
    if work is None or any(name in one.binds for one in texts):
        return False
    visit.swap.drop(work, work.scope, name)
    return True
