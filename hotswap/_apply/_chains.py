"""Chains: a name that several statements bind or mutate is made by all of them together, in order.

``X = []; X += a; X += b``, ``f = deco(f)``, ``__all__``, a property and its setter, two functions called ``_``. A chain
falls into segments; each begins with a statement that binds the name without reading it. A segment of which a link was
added, changed, removed or moved runs again from its beginning; the last segment is what the name holds in the end.
"""

from __future__ import annotations

import ast
import copy
import sys
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hotswap import _quiet
from hotswap._apply import _below, _follow, _stale, _stars, _unnamed
from hotswap._apply._altering import Altering
from hotswap._apply._dispatch import is_registration
from hotswap._apply._reordered import bound_last_by_others, note_readers
from hotswap._apply._scopes import AnyScope, ClassScope, ModuleScope
from hotswap._apply._temporary import deleted_by
from hotswap._errors import StatementError
from hotswap._model import Diff, Kind, Pair, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import alike, immutable, stateless
from hotswap._text._diff import decorators, only_code, same_header
from hotswap._text._names import dotted_of, filled_by

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap, Work
    from hotswap._apply._visit import Visit

_IN_PLACE = (Kind.DEF, Kind.CLASS)
TAKES = (ast.Name, ast.Attribute, ast.Subscript, ast.IfExp, ast.BoolOp)


@dataclass(slots=True)
class Chains:
    """What becomes of the links of one block, by the id of the statement.

    `again` are unchanged links that run again, `skip` links that must not run, as the rest of their chain cannot, and
    `kept` definitions of such a chain, which go on without making anything of the name.
    `last` are the names of which a statement is the last link. `stacked` are names of classes that have a class of the
    same name for a base (``class A(A)``): one object cannot go on for both, so they are made anew. `starred` are the
    names that star imports give and statements below make something else of (``from base import *; APPS += [x]``),
    `changed` those that are others there now, `taken` the names that imports give again.
    """

    again: dict[int, str] = field(default_factory=dict)
    skip: set[int] = field(default_factory=set)
    kept: set[int] = field(default_factory=set)
    last: dict[int, list[str]] = field(default_factory=dict)
    open: dict[str, object] = field(default_factory=dict)
    partner: dict[int, Statement] = field(default_factory=dict)
    stacked: set[str] = field(default_factory=set)
    starred: dict[int, frozenset[str]] = field(default_factory=dict)
    changed: dict[int, frozenset[str]] = field(default_factory=dict)
    taken: dict[int, set[str]] = field(default_factory=dict)

    def bound_by(self, statement: Statement) -> Iterable[str]:
        """Return the names that a statement of the new text binds, those of a star import that are `starred`."""
        return (*statement.binds, *self.starred.get(id(statement), ()))

    def is_about(self, link: Statement, name: str) -> bool:
        """Whether a stale `link` of `name` is stale for its sake: a star import gives others as well."""
        return id(link) not in self.starred or name in self.changed[id(link)]

    def stars(self, name: str) -> set[int]:
        """Return the ids of the star imports, in both texts, that give `name` if it is `starred`."""
        found = {one for one, given in self.starred.items() if name in given}
        return found | {id(self.partner.get(one)) for one in found}


def plan(visit: Visit, diff: Diff, old: Sequence[Statement], new: Sequence[Statement]) -> Chains:
    """Work out what the links of chains have to do; tells of those that cannot run again."""
    chains = Chains()
    chains.starred = _stars.remade(visit, new)
    affected = _affected(visit, diff)
    stale = _stale_links(visit, diff, affected, new, chains)
    lost = {id(statement): statement for statement in _may_have_lost(diff)}
    gone = [name for s in lost.values() for name in (*_follow.names_bound(visit, s), *s.mutates)]
    names = dict.fromkeys(
        [n for s in new if id(s) in affected | stale for n in (*chains.bound_by(s), *s.mutates)] + gone
    )
    names.pop("__annotations__", None)  # each annotation has an entry of its own there
    chains.partner = {id(pair.new): pair.old for pair in (*diff.unchanged, *diff.changed)}
    names |= dict.fromkeys([name for pair in diff.moved for name in (*pair.new.binds, *pair.new.mutates)])
    names |= dict.fromkeys(bound_last_by_others(old, new, chains.partner) if diff.changed else ())
    passed = note_readers(visit, diff, old, new, chains.partner)
    names |= dict.fromkeys(passed)
    stale |= {id(statement) for statement in new if not passed.isdisjoint((*statement.binds, *statement.mutates))}
    for name in names:
        if _is_kept_for_registrations(visit, name, affected, new):
            continue
        stars = chains.stars(name)
        links, olds = _links(visit, name, new, stars), _links(visit, name, old, stars, lost)
        if len(links) > 1 or len(olds) > 1:
            _plan_one(visit, chains, name, links, olds, affected, stale)
    for statement in _below.overriding(diff, new):
        if not _quiet.unquiet(statement.node, _stale.quiet_scope(visit.swap, visit.scope)):
            chains.again.setdefault(id(statement), "its class has that member from its body now")
    return chains


def _is_kept_for_registrations(visit: Visit, name: str, affected: set[int], new: Sequence[Statement]) -> bool:
    """Whether `name` stays a library's object that statements register with: they come and go one by one."""
    registrations = visit.swap.registrations
    if registrations is None or not registrations.keeps(visit.scope.peek(name)):
        return False
    return not any(name in statement.binds for statement in new if id(statement) in affected)


def _stale_links(visit: Visit, diff: Diff, affected: set[int], new: Sequence[Statement], chains: Chains) -> set[int]:
    """Return the ids of unchanged links that read what changed, or what a statement of this block is about to
    change.
    """
    if not visit.swap.maybe:
        return set()
    first = min((s.lineno for s in new if id(s) in affected), default=sys.maxsize)
    runs = {id(s) for s in new if id(s) in affected or _is_import_to_follow(visit, s, first, chains)}
    about = {name for s in new if id(s) in runs for name in chains.bound_by(s)}
    times = Counter(name for s in new for name in {*chains.bound_by(s), *s.mutates})
    found = set()
    for statement in (pair.new for pair in diff.unchanged):
        if not any(times[name] > 1 for name in (*chains.bound_by(statement), *statement.mutates)):
            continue
        if statement.kind is Kind.IMPORT:
            stale = _is_import_to_follow(visit, statement, first, chains)
        else:
            stale = id(statement) in visit.swap.maybe | visit.swap.units and bool(
                about & {name.partition(".")[0] for name in statement.reads} or _stale.stale_because(visit, statement)
            )
        found |= {id(statement)} if stale else set()
    return found


def _is_import_to_follow(visit: Visit, statement: Statement, first: int, chains: Chains) -> bool:
    if id(statement) not in chains.starred:
        return statement.kind is Kind.IMPORT and _follow.will_follow(visit, statement, first)
    if id(statement) not in chains.changed:
        changed = _follow.changed_at_source(visit, statement, first)
        chains.changed[id(statement)] = chains.starred[id(statement)].intersection(changed)
    return bool(chains.changed[id(statement)])


def _may_have_lost(diff: Diff) -> Iterator[Statement]:
    """Yield the old statements that may have bound a name which their new text, if any, does not bind."""
    yield from diff.removed
    yield from (pair.old for pair in diff.changed if pair.old.kind not in _IN_PLACE and _lost(pair))


def _lost(pair: Pair) -> bool:
    """Whether what is bound by `pair`, which changed, may be less than it was."""
    if pair.inner is None or "*" in pair.old.binds:
        return True
    inside = [name for s in (*pair.inner.removed, *(one.old for one in pair.inner.changed)) for name in s.binds]
    return bool(inside) or not same_header(pair)


def _links(
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


def _affected(visit: Visit, diff: Diff) -> set[int]:
    """Return the ids of the statements that will run, or have to; what is patched in place is not among them."""
    found = {id(statement) for statement in diff.added}
    return found | {id(pair.new) for pair in diff.changed if _runs(visit, pair)}


def _runs(visit: Visit, pair: Pair) -> bool:
    if pair.old.kind is pair.new.kind is Kind.CLASS and _unnamed.class_of(visit, pair) is None:
        return True  # the text deletes it further down, or binds something else
    if only_code(pair):
        return False
    if pair.new.kind is Kind.DEF:
        return decorators(pair.old.node) != decorators(pair.new.node) or not visit.work.live(visit.scope, pair.old)
    if pair.new.kind is Kind.SUITE and pair.inner is not None:
        inner = _affected(visit, pair.inner) | {id(s) for s in pair.inner.removed}
        return any(s.mutates for s in (*pair.new.children, *pair.inner.removed) if id(s) in inner)
    return pair.inner is None


def _plan_one(
    visit: Visit,
    chains: Chains,
    name: str,
    links: list[Statement],
    olds: list[Statement],
    affected: set[int],
    stale: set[int],
) -> None:
    if not links:
        return
    if any(link.kind is Kind.CLASS and makes_of_itself(name, link) for link in (*links, *olds)):
        chains.stacked.add(name)
    were = [tuple(map(id, segment)) for segment in segments(name, olds)]
    parts = segments(name, links)
    if not _stars.gives_another(visit, parts[-1][0], name) and _alters_borrowed(visit, name, parts[-1]):
        return
    removed = were[-1:] != [tuple(id(chains.partner[id(link)]) for link in parts[-1] if id(link) in chains.partner)]
    changed = any(id(link) in affected and id(link) in chains.partner for link in parts[-1])
    put = (removed or changed) and type(visit.scope.peek(name)) in (list, dict, set)  # it has what the old link put in
    if _only_added_mutators(name, parts[-1], affected) and len(parts) == len(were) and not put:
        return
    for segment in parts:
        partners = tuple(id(chains.partner.get(id(link))) for link in segment)
        known = were[-1:] if segment is parts[-1] else were
        makes_and_deletes = (
            segment is parts[-1] and deleted_by(segment[0].node) and any(id(s) in affected for s in links)
        )
        if (
            makes_and_deletes
            or partners not in known
            or any(id(link) in affected or (id(link) in stale and chains.is_about(link, name)) for link in segment)
        ):
            _run_segment(visit, chains, name, segment, olds, affected, is_last=segment is parts[-1])
    if id(links[-1]) in chains.skip and parts[-1][0].kind is Kind.CLASS:
        return  # the class goes on by itself, whatever has become of what is made of it
    chains.last.setdefault(id(links[-1]), []).append(name)
    chains.open[name] = visit.scope.peek(name)


def segments(name: str, links: Iterable[Statement]) -> list[list[Statement]]:
    """Return the links of `name` in parts, each of which begins with one that surely binds it, without reading it."""
    found: list[list[Statement]] = []
    for link in links:
        if found and (name not in link.binds or makes_of_itself(name, link) or _may_leave(name, link)):
            found[-1].append(link)
        else:
            found.append([link])
    return found


def _may_leave(name: str, link: Statement) -> bool:
    """Whether a ``try``, or a ``with suppress()``, may come to its end without binding `name`."""
    node = link.node
    if isinstance(node, ast.With):
        called = (one.context_expr.func for one in node.items if isinstance(one.context_expr, ast.Call))
        return any((dotted_of(one) or "").rpartition(".")[2] == "suppress" for one in called)
    binding = {child.branch for child in link.children if name in child.binds}
    handlers = [f"except{number}" for number in range(len(getattr(node, "handlers", ())))]
    return isinstance(node, (ast.Try, ast.TryStar)) and bool(binding) and not binding.issuperset(("body", *handlers))


def makes_of_itself(name: str, link: Statement) -> bool:
    """Whether `link` reads the `name` that it binds, itself or a member of it."""
    return any(read.split(".")[0] == name for read in link.reads)


def own_links(visit: Visit, link: Statement) -> set[str]:
    """Return the names that `link` makes of themselves. In a class, ``size = size`` takes the module's at first."""
    own = {name for name in link.binds if makes_of_itself(name, link)}
    if isinstance(visit.scope, ClassScope):
        own = {name for name in own if next((s for s in visit.new if name in s.binds), link) is not link}
    return own


def _only_added_mutators(name: str, links: list[Statement], affected: set[int]) -> bool:
    """Whether all that happened to the chain is that something is done to its object after everything else."""
    tail = [link for link in links if id(link) in affected]
    return bool(tail) and links[len(links) - len(tail) :] == tail and all(_only_mutates(name, link) for link in tail)


def _alters_borrowed(visit: Visit, name: str, segment: list[Statement]) -> bool:
    """Whether links of `segment` alter an object that its first link took from elsewhere: it is not theirs to make."""
    first, held = segment[0], visit.scope.peek(name)
    if first.kind is not Kind.IMPORT and not isinstance(getattr(first.node, "value", None), TAKES):
        return False
    concerned = (link for link in segment[1:] if name in (*link.mutates, *link.binds))
    second = next(concerned, first)  # one that makes another object has those below alter that
    return name in second.mutates and held is not MISSING and not immutable(held)


def _only_mutates(name: str, link: Statement) -> bool:
    return name not in link.binds


def _run_segment(
    visit: Visit,
    chains: Chains,
    name: str,
    segment: list[Statement],
    olds: list[Statement],
    affected: set[int],
    *,
    is_last: bool,
) -> None:
    """Have a segment run; or leave it alone, and tell, if that would lose what the program did to its object."""
    run = [link for link in segment if id(link) not in affected]
    if not run and not is_last:
        return
    was_made_of = segments(name, olds)[-1] if olds else []
    if len(segment) == 1 and not run:
        return
    loud = next(filter(None, (unquiet_link(visit, chains, link, name) for link in run)), "")
    why = loud or (_touched(visit, name, was_made_of) if is_last else "")
    if not why:
        chains.again |= {id(link): f"{name} is made by several statements" for link in run}
        for link in run:
            if link.kind is Kind.IMPORT:
                chains.taken.setdefault(id(link), set()).add(name)
    elif run:
        first = next((link for link in segment if id(link) in affected), segment[0])
        code, told = "HS201" if loud else "HS226", visit.scope.prefix + name
        target = f"{visit.work.edit.module}:{told}"
        visit.swap.tell(visit.work, code, first.lineno, name=told, why=why, target=target)
        own = {id(link): link.kind in _IN_PLACE for link in segment if makes_of_itself(name, link)}
        chains.skip |= {link for link, goes_on in own.items() if not goes_on}
        chains.kept |= {link for link, goes_on in own.items() if goes_on}


def unquiet_link(visit: Visit, chains: Chains, link: Statement, name: str) -> str:
    """Altering the chain's own object is what links do; everything else has to be quiet."""
    node = link.node
    if deleted_by(node):
        return ""
    if link.kind is Kind.DEF and name in link.binds:
        if not getattr(node, "decorator_list", ()):
            return ""
        old = chains.partner.get(id(link))
        if old is not None and visit.work.live(visit.scope, old) and _returns_what_it_gets(visit, node):
            return ""
    elif link.kind is not Kind.CLASS:
        node = ast.fix_missing_locations(Altering(name).visit(copy.deepcopy(node)))
    return _quiet.unquiet(node, _stale.quiet_scope(visit.swap, visit.scope)) or ""


def _touched(visit: Visit, name: str, olds: list[Statement]) -> str:
    """Return why `name` does not hold what the old segment `olds` gives, "" if it does."""
    known = visit.swap.probed.get((visit.work.edit.module, visit.scope.prefix + name))
    if known is not None:
        return known
    held = visit.scope.peek(name)
    if held is MISSING or not olds or any(one.kind in _IN_PLACE for one in olds) or _alters_borrowed(visit, name, olds):
        return ""
    if not stateless(held):
        return "it holds an object with state"
    scope = _stale.quiet_scope(visit.swap, visit.scope)
    for link in olds:
        node = ast.fix_missing_locations(Altering(name).visit(copy.deepcopy(link.node)))
        if why := _quiet.unquiet(node, scope):
            return why
    try:
        made = visit.scope.run(visit.wrap([link.node for link in olds]))
    except StatementError:
        return "its text does not give it any more"
    return "" if alike(made.get(name, MISSING), held) else f"{name} was changed since"


def touched_before(swap: Swap, work: Work, scope: AnyScope, name: str, old: Sequence[Statement]) -> str | None:
    """Return, before anything is applied, why `name` does not hold what its links in `old` give; "" if it does, None if
    no several links make it.
    """
    from hotswap._apply._visit import Visit as Block  # a block plans its chains: the two know each other

    block = Block(swap, work, scope)
    own = [link for link in old if name in link.binds or name in link.mutates]
    stars = [link for link in old if "*" in link.binds] if any(makes_of_itself(name, link) for link in own) else []
    stars = [link for link in stars if _stars.gives(block, link, name)]
    links = sorted((*own, *stars), key=lambda link: link.lineno)
    return _touched(block, name, segments(name, links)[-1]) if len(links) > 1 else None


def live_link(visit: Visit, chains: Chains, link: Statement) -> object:
    """Return the live object that the unchanged ``def`` or ``class`` `link` bound, MISSING if it is not known."""
    old = chains.partner.get(id(link))
    if old is None:
        return MISSING
    if link.kind is Kind.CLASS:
        held = chains.open.get(link.binds[-1], MISSING)
        return held if isinstance(held, type) and held.__name__ == link.binds[-1] else MISSING
    raws = visit.work.live(visit.scope, old) if link.kind is Kind.DEF else []
    return raws[0] if len(raws) == 1 and _returns_what_it_gets(visit, link.node) else MISSING


def _returns_what_it_gets(visit: Visit, node: ast.stmt) -> bool:
    """Whether the decorators of a ``def`` are none, or registrations of `functools.singledispatch`."""
    return all(is_registration(visit, decorator) for decorator in getattr(node, "decorator_list", ()))
