"""Whether what several statements have made can be made anew: they are quiet, and nobody touched it since.

A statement that makes one name may make others as well (a loop that fills two tables, a group of options that is its
parser's, too): then all of them are made anew, or none.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from hotswap import _quiet
from hotswap._apply import _follow, _stale, _stars
from hotswap._apply._altering import Altering
from hotswap._apply._dispatch import is_registration
from hotswap._apply._scopes import AnyScope, ModuleScope
from hotswap._apply._segments import segments
from hotswap._apply._temporary import deleted_by
from hotswap._errors import StatementError
from hotswap._model import Kind, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import alike, immutable, stateless
from hotswap._text._names import filled_by

if TYPE_CHECKING:
    from hotswap._apply._chains import Chains
    from hotswap._apply._swap import Swap, Work
    from hotswap._apply._visit import Visit

IN_PLACE: Final = (Kind.DEF, Kind.CLASS)
TAKES: Final = (ast.Name, ast.Attribute, ast.Subscript, ast.IfExp, ast.BoolOp)


def links_of(
    visit: Visit, name: str, statements: Sequence[Statement], stars: Container[int], lost: Container[int] = ()
) -> list[Statement]:
    """Return the statements that bind or mutate `name`; a branch that is not taken does neither.

    So do star imports among the ids `stars`; those among `lost` bind what they gave. A call of a function fills what
    that stores into.
    """
    functions = {s.binds[-1]: s.node for s in statements if s.kind is Kind.DEF and isinstance(visit.scope, ModuleScope)}
    return [
        s
        for s in statements
        if name in s.mutates
        or id(s) in stars
        or (s.kind is Kind.OTHER and name in filled_by(s.node, functions))
        or (name in s.binds and name in visit.bound_by(s))
        or ("*" in s.binds and id(s) in lost and name in _follow.names_bound(visit, s))
    ]


def unquiet_link(visit: Visit, chains: Chains, link: Statement, name: str) -> str:
    """Altering the chain's own object is what links do; everything else has to be quiet."""
    node = link.node
    if deleted_by(node):
        return ""
    if link.kind is Kind.DEF and name in link.binds:
        if not getattr(node, "decorator_list", ()):
            return ""
        old = chains.partner.get(id(link))
        if old is not None and visit.work.live(visit.scope, old) and returns_what_it_gets(visit, node):
            return ""
    elif link.kind is not Kind.CLASS:
        node = ast.fix_missing_locations(
            Altering(_together(visit, visit.new, {name: [link]})).visit(copy.deepcopy(node))
        )
    return _unquiet(visit, node, name)


def _unquiet(visit: Visit, node: ast.stmt, name: str) -> str:
    """Return why `node`, a link of `name`, is not quiet; what earlier links made may be of another kind than what the
    name holds in the end.
    """
    why = _quiet.unquiet(node, _stale.quiet_scope(visit.swap, visit.scope))
    if why and not _quiet.unquiet(node, _stale.quiet_scope(visit.swap, visit.scope, {name: _quiet.ANYTHING})):
        return ""
    return why or ""


def hindered(visit: Visit, chains: Chains, name: str, segment: list[Statement]) -> str:
    """Return why another name that links of `name` make as well cannot be made anew, "" if all can."""
    olds = _together(visit, visit.old, {name: links_of(visit, name, visit.old, ())})
    for other, links in _together(visit, visit.new, {name: segment}).items():
        if other != name and other in olds:
            loud = next(filter(None, (unquiet_link(visit, chains, link, other) for link in links)), "")
            if why := loud or touched(visit, other, olds[other]):
                return why
    return ""


def _together(
    visit: Visit, statements: Sequence[Statement], found: dict[str, list[Statement]]
) -> dict[str, list[Statement]]:
    """Return the last segments of the names in `found`, and of all names of the block that their links make as well."""
    waiting = [*found]
    for name in waiting:
        for other in dict.fromkeys(n for link in found[name] for n in (*link.binds, *link.mutates) if n not in found):
            links = [link for link in links_of(visit, other, statements, ()) if link.kind not in IN_PLACE]
            if len(links) > 1 and links[0].kind is Kind.ASSIGN and other in links[0].binds:
                found[other] = segments(other, links)[-1]
                waiting.append(other)
    return found


def touched(visit: Visit, name: str, olds: list[Statement]) -> str:
    """Return why `name` does not hold what the old segment `olds` gives, "" if it does."""
    known = visit.swap.probed.get((visit.work.edit.module, visit.scope.prefix + name))
    if known is not None:
        return known
    held = visit.scope.peek(name)
    if held is MISSING or not olds or any(_defines(one, name) for one in olds) or alters_borrowed(visit, name, olds):
        return ""
    if not makes_it(name, olds):
        return "" if name in visit.above else "it is made elsewhere"  # which they must not alter once more
    if not stateless(held):
        return "it holds an object with state"
    together = _together(visit, visit.old, {name: olds})
    olds = sorted({id(one): one for links in together.values() for one in links}.values(), key=lambda one: one.lineno)
    for link in olds:
        altering = Altering(together)
        node = ast.fix_missing_locations(altering.visit(copy.deepcopy(link.node)))
        if why := _unquiet(visit, node, name):
            return why
    try:
        made = visit.scope.run(visit.wrap([link.node for link in olds]), doc=olds[0].key == "doc")
    except StatementError:
        return "its text does not give it any more"
    is_given = alike(made.get(name, MISSING), held) or any(alike(was, held) for was in _given_before(visit, name, olds))
    return "" if is_given else f"{name} was changed since"


def _given_before(visit: Visit, name: str, olds: Sequence[Statement]) -> Iterator[object]:
    """Yield what imports among `olds` gave for `name` until their modules changed with this swap."""
    for node in (link.node for link in olds if isinstance(link.node, ast.ImportFrom)):
        changed = visit.swap.changes.of(_follow.absolute(visit, node))
        for alias in node.names:
            if alias.name == "*" or name == (alias.asname or alias.name):
                yield changed.get(name if alias.name == "*" else alias.name, MISSING)


def _defines(statement: Statement, name: str) -> bool:
    """Whether `statement` is the definition of `name`, or has it in a suite."""
    inside = (child for child in statement.children if statement.kind is Kind.SUITE and name in child.binds)
    return statement.kind in IN_PLACE or any(_defines(child, name) for child in inside)


def makes_it(name: str, segment: Sequence[Statement]) -> bool:
    """Whether the first link of `segment` binds `name`, and does not only alter its object."""
    return not {name, "*"}.isdisjoint(segment[0].binds)


def touched_before(swap: Swap, work: Work, scope: AnyScope, name: str, old: Sequence[Statement]) -> str | None:
    """Return, before anything is applied, why `name` does not hold what its links in `old` give; "" if it does, None if
    no several links make it: those of a suite may only alter what a statement around it made.
    """
    block = block_of(swap, work, scope, old)
    links = links_before(swap, work, scope, name, old)
    last = segments(name, links)[-1] if len(links) > 1 else []
    return touched(block, name, last) if last and makes_it(name, last) else None


def links_before(swap: Swap, work: Work, scope: AnyScope, name: str, old: Sequence[Statement]) -> list[Statement]:
    """Return those of the statements `old` that bind or mutate `name`, star imports that give it among them."""
    stars = [link for link in old if "*" in link.binds]
    block = block_of(swap, work, scope, old) if stars else None
    giving = {id(link) for link in stars if block is not None and _stars.gives(block, link, name)}
    return [link for link in old if name in link.binds or name in link.mutates or id(link) in giving]


def block_of(swap: Swap, work: Work, scope: AnyScope, old: Sequence[Statement]) -> Visit:
    """Return a block of which the statements were `old`, to ask about them before anything is applied."""
    from hotswap._apply._visit import Visit as Block  # a block plans its chains: the two know each other

    block = Block(swap, work, scope)
    block.old = tuple(old)
    return block


def alters_borrowed(visit: Visit, name: str, segment: list[Statement]) -> bool:
    """Whether links of `segment` alter an object that its first link took from elsewhere: it is not theirs to make."""
    first, held = segment[0], visit.scope.peek(name)
    if first.kind is not Kind.IMPORT and not isinstance(getattr(first.node, "value", None), TAKES):
        return False
    concerned = (link for link in segment[1:] if name in (*link.mutates, *link.binds))
    second = next(concerned, first)  # one that makes another object has those below alter that
    return name in second.mutates and held is not MISSING and not immutable(held)


def returns_what_it_gets(visit: Visit, node: ast.stmt) -> bool:
    """Whether the decorators of a ``def`` are none, or registrations of `functools.singledispatch`."""
    return all(is_registration(visit, decorator) for decorator in getattr(node, "decorator_list", ()))
