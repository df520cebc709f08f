"""Members of enums, and fields of named tuples, that read what changed: the class statement makes something of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from hotswap._apply import _generate, _stale
from hotswap._model import Diff, Kind, Pair

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit


def inner(visit: Visit, pair: Pair, live: type) -> Diff:
    """Return the diff of an unchanged class body; stale members of an enum or named tuple count as changed,
    and so do fields of which a library has made something.

    That is, if making the class anew has no effects, as the library knows of its own; else they are told.
    """
    if pair.inner is not None:
        return pair.inner
    unchanged = tuple(map(Pair, pair.old.children, pair.new.children))
    made_by_library = _generate.is_made_whole(visit, live) and _generate.kind_of(visit, live) == ""
    if not made_by_library and _generate.kind_of(visit, live) not in ("enum", "namedtuple"):
        return Diff(unchanged=unchanged)
    from hotswap._apply._visit import Visit as Block  # the two call each other: a class body is a block

    assert isinstance(pair.new.node, ast.ClassDef)
    block = Block(visit.swap, visit.work, visit.work.class_scope(visit.scope, pair.new.node, live))
    wanted = (p for p in unchanged if p.new.kind is Kind.ASSIGN and id(p.new) in visit.swap.maybe)
    stale = {id(p): reason for p in wanted if (reason := _stale.reason(block, p.new))}
    why = _stale.unquiet(visit, pair.new) if stale and not made_by_library else ""
    for one in unchanged if why else ():
        if id(one) in stale:
            _stale.tell_kept(block, one.new, stale[id(one)], why)
    if why:
        return Diff(unchanged=tuple(one for one in unchanged if id(one) not in stale))
    changed = tuple(one for one in unchanged if id(one) in stale)
    return Diff(unchanged=tuple(one for one in unchanged if id(one) not in stale), changed=changed)
