"""From-imports as links of chains: names that they give and statements below them make something else of.

``from base import *; APPS = APPS + ["mine"]``: the import is the first link of the chain of ``APPS``. Where that runs
again, no other name of the import is touched: it may be made anew further down as well.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from hotswap._apply import _follow
from hotswap._apply._changes import ALTERED
from hotswap._apply._reach import look_up
from hotswap._model import Statement
from hotswap._run._journal import MISSING

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit


def remade(visit: Visit, statements: Sequence[Statement], past: AbstractSet[str]) -> dict[int, frozenset[str]]:
    """Return, by the id of each star import, the names that it gives and that others below it bind or alter, where a
    statement reads them: itself to make them of themselves, or one between the two. Of names whose statements went
    `past` it counts whether they are below.
    """
    stars = [s for s in statements if "*" in s.binds]
    read = {name.partition(".")[0] for s in statements if stars for name in s.reads}
    names = {n for s in statements for n in (*s.binds, *s.mutates) if n in read and n != "*"} if stars else set()
    names |= _given_twice(visit, stars, read)
    names |= past if stars else set()
    return {id(star): frozenset(name for name in names if gives(visit, star, name)) for star in stars}


def _given_twice(visit: Visit, stars: Sequence[Statement], read: AbstractSet[str]) -> set[str]:
    """Return those of the names `read` that more than one of `stars` gives."""
    given = Counter(name for star in stars if stars[1:] for name in _given(visit, star) if name in read)
    return {name for name, times in given.items() if times > 1}


def _given(visit: Visit, star: Statement) -> set[str]:
    sources = (source for source in _follow.star_sources(visit, star) if source in sys.modules)
    return {name for source in sources for name in _follow.public(visit.swap, source)}


def names_of(visit: Visit, statement: Statement) -> Iterable[str]:
    """Return the names that a statement binds, those of its star imports among them."""
    return (*statement.binds, *(_given(visit, statement) if "*" in statement.binds else ()))


def gives(visit: Visit, star: Statement, name: str) -> bool:
    """Whether a statement at the top of a module is a star import that gives `name`, or has one inside."""
    return "*" in star.binds and name in _given(visit, star)


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
