"""Chains: a name that several statements bind or mutate is made by all of them together, in order.

``X = []; X += a; X += b``, ``f = deco(f)``, ``__all__``, a property and its setter, two functions called ``_``. A chain
falls into segments; each begins with a statement that binds the name without reading it. A segment of which a link was
added, changed, removed or moved runs again from its beginning; the last segment is what the name holds in the end.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import TYPE_CHECKING

from hotswap import _quiet
from hotswap._apply import _annotations, _below, _follow, _stale, _stars, _unnamed
from hotswap._apply._remaking import (
    IN_PLACE,
    alters_borrowed,
    hindered,
    links_of,
    returns_what_it_gets,
    touched,
    unquiet_link,
)
from hotswap._apply._reordered import note_readers
from hotswap._apply._scopes import ClassScope
from hotswap._apply._segments import makes_of_itself, segments
from hotswap._apply._temporary import deleted_by
from hotswap._model import Diff, Kind, Pair, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import is_parser
from hotswap._text._diff import changed_places, decorators, dump, only_code, same_header
from hotswap.patch._proxies import is_forwarder

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit


@dataclass(slots=True)
class Chains:
    """What becomes of the links of one block, by the id of the statement.

    `again` are unchanged links that run again, `skip` links that must not run, as the rest of their chain cannot, and
    `kept` definitions of such a chain, which go on without making anything of the name.
    `last` are the names of which a statement is the last link. `stacked` are names of classes that have a class of the
    same name for a base (``class A(A)``): one object cannot go on for both, so they are made anew. `starred` are the
    names that star imports give and statements below make something else of (``from base import *; APPS += [x]``),
    `changed` those that are others there now, `taken` the names that imports give again, `inside` what statements of
    suites make of which something else changed.
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
    inside: dict[int, frozenset[str]] = field(default_factory=dict)

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
    visit.work.open += [chains.open] if not visit.scope.prefix else []
    past = changed_places(diff)
    chains.starred = _stars.remade(visit, new, past)
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
    names |= dict.fromkeys(sorted(past))
    passed = note_readers(visit, diff, old, new, chains.partner)
    names |= dict.fromkeys(passed)
    stale |= {id(statement) for statement in new if not passed.isdisjoint((*statement.binds, *statement.mutates))}
    chains.inside = {id(pair.new): _changed_inside(visit, pair) for pair in diff.changed if pair.new.kind is Kind.SUITE}
    names |= dict.fromkeys(sorted(frozenset().union(*chains.inside.values())))
    waiting = [*names]
    for name in waiting:  # it grows: what makes one name again may make others as well
        if _is_kept_for_registrations(visit, name, affected, new):
            continue
        stars = chains.stars(name)
        links, olds = links_of(visit, name, new, stars), links_of(visit, name, old, stars, lost)
        if len(links) > 1 or len(olds) > 1:
            parts = {id(link) for link in links if name in chains.inside.get(id(link), ())}
            _plan_one(visit, chains, name, links, olds, affected | parts, stale)
            more = [link for link in links if id(link) in chains.again and id(link) not in stale]
            stale |= set(map(id, more))
            waiting += [other for link in more for other in (*link.binds, *link.mutates) if other != name]
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
                about & {name.partition(".")[0] for name in statement.reads} or _stale.is_stale_suite(visit, statement)
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
    yield from (pair.old for pair in diff.changed if pair.old.kind not in IN_PLACE and _lost(pair))


def _lost(pair: Pair) -> bool:
    """Whether what is bound by `pair`, which changed, may be less than it was."""
    if pair.inner is None or "*" in pair.old.binds:
        return True
    inside = [name for s in (*pair.inner.removed, *(one.old for one in pair.inner.changed)) for name in s.binds]
    return bool(inside) or not same_header(pair)


def _affected(visit: Visit, diff: Diff) -> set[int]:
    """Return the ids of the statements that will run, or have to; what is patched in place is not among them."""
    found = {id(statement) for statement in diff.added}
    return found | {id(pair.new) for pair in diff.changed if _runs(visit, pair)}


def _runs(visit: Visit, pair: Pair) -> bool:
    if pair.old.kind is pair.new.kind is Kind.CLASS and _unnamed.class_of(visit, pair) is None:
        return True  # the text deletes it further down, or binds something else
    if only_code(pair) or _annotations.is_all(pair.old.node, pair.new.node):
        return False
    if pair.new.kind is Kind.DEF:
        return decorators(pair.old.node) != decorators(pair.new.node) or not visit.work.live(visit.scope, pair.old)
    if pair.new.kind is Kind.SUITE and pair.inner is not None:
        inner = _affected(visit, pair.inner) | {id(s) for s in pair.inner.removed}
        return any(s.mutates for s in (*pair.new.children, *pair.inner.removed) if id(s) in inner)
    return pair.inner is None


def _changed_inside(visit: Visit, pair: Pair) -> frozenset[str]:
    """Return the names that statements of a suite with the same header bind or alter which changed, came or left."""
    if pair.inner is None or not same_header(pair):
        return frozenset()
    other = (one.new for one in pair.inner.changed if one.new.kind not in IN_PLACE and _runs(visit, one))
    found = (*pair.inner.added, *pair.inner.removed, *other)
    names = {name for one in found for name in (*one.binds, *one.mutates)}
    below = (_changed_inside(visit, one) for one in pair.inner.changed if one.new.kind is Kind.SUITE)
    return frozenset(names).union(*below)


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
    _tell_altered(visit, name, links, olds)
    if any(link.kind is Kind.CLASS and makes_of_itself(name, link) for link in (*links, *olds)):
        chains.stacked.add(name)
    were = [tuple(map(id, segment)) for segment in segments(name, olds)]
    parts = segments(name, links)
    if not _stars.gives_another(visit, parts[-1][0], name) and alters_borrowed(visit, name, parts[-1]):
        return
    removed = were[-1:] != [tuple(id(chains.partner[id(link)]) for link in parts[-1] if id(link) in chains.partner)]
    changed = any(id(link) in affected and id(link) in chains.partner for link in parts[-1])
    held = visit.scope.peek(name)
    put = (removed or changed) and (
        type(held) in (list, dict, set) or is_parser(held)
    )  # it has what the old link put in
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
    last = chains.last.setdefault(id(links[-1]), [])
    last += [name] if name not in last else []
    chains.open[name] = visit.scope.peek(name)


def _tell_altered(visit: Visit, name: str, links: list[Statement], olds: list[Statement]) -> None:
    """Tell of links that left, ``own += own``, and altered what the first link took from elsewhere: it stays so."""
    segment = segments(name, olds)[-1] if olds else []
    kept = [dump(one.node) for one in links]
    left = [one for one in segment if isinstance(one.node, ast.AugAssign) and dump(one.node) not in kept]
    if left and alters_borrowed(visit, name, segment):
        visit.swap.tell(visit.work, "HS203", left[0].lineno, name=ast.unparse(left[0].node)[:60])


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
    run = [link for link in segment if id(link) not in affected or (len(segment) > 1 and _in_part(chains, link))]
    if not run and not is_last:
        return
    was_made_of = segments(name, olds)[-1] if olds else []
    if len(segment) == 1 and not run:
        return
    loud = next(filter(None, (unquiet_link(visit, chains, link, name) for link in run)), "")
    why = loud or (touched(visit, name, was_made_of) if is_last else "") or hindered(visit, chains, name, segment)
    if not why:
        chains.again |= {id(link): f"{name} is made by several statements" for link in run}
        for link in run:
            if link.kind is Kind.IMPORT:
                chains.taken.setdefault(id(link), set()).add(name)
    elif run:
        first = next((link for link in segment if id(link) in affected), segment[0])
        code, told = "HS201" if loud else "HS226", visit.scope.prefix + name
        target = f"{visit.work.edit.module}:{told}"
        others = frozenset().union(*(chains.inside.get(id(link), ()) for link in segment)) - {name}
        named = ", ".join([told, *(visit.scope.prefix + other for other in sorted(others))])
        visit.swap.tell(visit.work, code, first.lineno, name=named, why=why, target=target)
        own = {id(link): link.kind in IN_PLACE for link in segment if makes_of_itself(name, link)}
        chains.skip |= {link for link, goes_on in own.items() if not goes_on}
        chains.kept |= {link for link, goes_on in own.items() if goes_on}


def put_class_back(visit: Visit, statement: Statement) -> None:
    """Before the last class statement of a name: its class is what the name held, not what a link above made."""
    was = visit.chains.partner.get(id(statement))
    if was is None or not was.kind is statement.kind is Kind.CLASS:
        return
    below = {name for one in visit.new if one.lineno > statement.lineno for name in one.binds}
    for name in visit.passing.intersection(statement.binds) - below:
        if not makes_of_itself(name, statement):
            visit.restore(name, visit.chains.open[name])


def _in_part(chains: Chains, link: Statement) -> bool:
    """Whether of `link`, an ``if`` or the like that changed inside, only what changed would run."""
    old = chains.partner.get(id(link))
    return link.kind is Kind.SUITE and old is not None and same_header(Pair(old, link))


def live_link(visit: Visit, chains: Chains, link: Statement) -> object:
    """Return the live object that the unchanged ``def`` or ``class`` `link` bound, MISSING if it is not known."""
    old = chains.partner.get(id(link))
    if old is None:
        return MISSING
    if link.kind is Kind.CLASS:
        held = chains.open.get(link.binds[-1], MISSING)
        return held if isinstance(held, type) and held.__name__ == link.binds[-1] else MISSING
    raws = raws_of(visit, old) if link.kind is Kind.DEF else []
    return raws[0] if len(raws) == 1 and returns_what_it_gets(visit, link.node) else MISSING


def raws_of(visit: Visit, old: Statement) -> list[FunctionType]:
    """Return the live functions that a ``def`` made, without those that lead to what took their name."""
    return [one for one in visit.work.live(visit.scope, old) if not is_forwarder(one)]
