"""From-imports as links of chains: names that they give and statements below them make something else of.

``from base import *; APPS = APPS + ["mine"]``: the import is the first link of the chain of ``APPS``. Where that runs
again, no other name of the import is touched: it may be made anew further down as well.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from hotswap._apply import _follow
from hotswap._apply._changes import ALTERED
from hotswap._apply._reach import look_up
from hotswap._apply._segments import makes_of_itself
from hotswap._model import Statement
from hotswap._run._journal import MISSING

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit


def remade(visit: Visit, statements: Sequence[Statement]) -> dict[int, frozenset[str]]:
    """Return, by the id of each star import, the names that it gives and that statements make of themselves."""
    stars = [s for s in statements if "*" in s.binds and isinstance(s.node, ast.ImportFrom)]
    names = {n for s in statements if stars for n in (*s.binds, *s.mutates) if makes_of_itself(n, s)}
    return {id(star): frozenset(name for name in names if gives(visit, star, name)) for star in stars}


def gives(visit: Visit, star: Statement, name: str) -> bool:
    """Whether a statement at the top of a module is a star import that gives `name`."""
    if not isinstance(star.node, ast.ImportFrom):
        return False
    sources = (source for source in _follow.star_sources(visit, star) if source in sys.modules)
    return any(name in _follow.public(visit.swap, source) for source in sources)


def take(visit: Visit, node: ast.ImportFrom, names: AbstractSet[str]) -> bool:
    """Bind of what a from-import gives only `names`, which are made anew; return whether its source has them."""
    source = _follow.absolute(visit, node)
    visit.swap.visit(source)
    found: dict[str, object] = {}
    for alias in node.names:
        given = names & {*_follow.public(visit.swap, source)} if alias.name == "*" else (alias.asname or alias.name,)
        there = {here: here if alias.name == "*" else alias.name for here in given if here in names}
        found |= {here: look_up(visit.swap, source, name) for here, name in there.items()}
    if MISSING in found.values():
        return False
    for name in sorted(found):
        visit.bind(name, found[name])
    return True


def gives_another(visit: Visit, statement: Statement, name: str) -> bool:
    """Whether a from-import gives another object for `name` now, and not the same one with other contents."""
    node = statement.node
    if not isinstance(node, ast.ImportFrom):
        return False
    there = next((one.name for one in node.names if name == (one.asname or one.name)), name)
    return visit.swap.changes.old(_follow.absolute(visit, node), there) not in (MISSING, ALTERED)
