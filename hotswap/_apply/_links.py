"""A link of a chain that runs again: a definition puts its live object back, everything else runs."""

from __future__ import annotations

import ast
from types import FunctionType
from typing import TYPE_CHECKING

from hotswap._apply import _chains, _definitions, _stale, _stars, _unnamed
from hotswap._model import Kind, Pair, Statement
from hotswap._run._journal import MISSING
from hotswap._text._diff import decorators, only_code

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit

_WHY = "a link of a chain"


def run(visit: Visit, statement: Statement, pair: Pair | None) -> None:
    """Run a link of a chain again; `pair` has its old statement, if it had one."""
    taken = visit.chains.taken.get(id(statement), {"*"})
    if isinstance(statement.node, ast.ImportFrom) and "*" not in taken:
        if pair is not None:
            _stale.keep(visit, pair)
        if _stars.take(visit, statement.node, taken):
            return
    if statement.kind is Kind.CLASS and statement.binds[-1] in visit.chains.stacked:
        visit.execute(statement, _WHY)
        return
    if pair is not None and statement.kind is Kind.CLASS and (made := _unnamed.class_of(visit, pair)):
        public = visit.scope.peek(statement.binds[-1])
        if pair.inner is not None:
            _definitions.change_class(visit, pair)
        if (now := visit.scope.peek(statement.binds[-1])) is public or now is made:  # else it had to be made anew
            _put_back(visit, statement.binds[-1], made, statement)
        return
    live = _chains.live_link(visit, visit.chains, statement)
    name = statement.binds[-1] if statement.binds else ""
    if live is not MISSING and not _must_be_new(visit, statement, name, live):
        if type(live) is FunctionType and pair is not None and not only_code(pair):
            _definitions.redefine(visit, statement, [live])
        _put_back(visit, name, live, statement)
        if type(live) is FunctionType and pair is not None and only_code(pair) and not decorators(statement.node):
            _stale.keep(visit, pair)  # its defaults may read what changed
    elif pair is not None and statement.kind is Kind.DEF and (raws := _chains.raws_of(visit, pair.old)):
        _decorate(visit, statement, pair, raws)
    else:
        visit.execute(statement, _WHY)


def _decorate(visit: Visit, statement: Statement, pair: Pair, raws: list[FunctionType]) -> None:
    if _definitions.is_bare(visit.scope.peek(statement.binds[-1]), raws):
        del visit.chains.partner[id(statement)]  # its function gives way to the one that is made now
        visit.execute(statement, _WHY)
        return
    if not only_code(pair):
        _definitions.redefine(visit, statement, raws)
    _definitions.decorate_again(visit, pair, raws)


def _put_back(visit: Visit, name: str, live: object, statement: Statement) -> None:
    """Bind `name` to an object of before; one that was registered under the same name does not forward to it."""
    if name in visit.chains.last.get(visit.closing, ()) and getattr(statement.node, "decorator_list", []):
        visit.chains.open.pop(name, None)
        visit.swap.bind(visit.work, visit.scope, name, live)
    else:
        visit.bind(name, live)


def _must_be_new(visit: Visit, statement: Statement, name: str, live: object) -> bool:
    """Whether old references are to `live` itself, which later links of the chain wrap: then it becomes a forwarder."""
    if type(live) is not FunctionType or name in visit.chains.last.get(id(statement), ()):
        return False
    if not any(name in one.binds for one in visit.new if one.lineno > statement.lineno):  # they alter it, at most
        return False
    return _definitions.is_bare(visit.chains.open.get(name, MISSING), [live])
