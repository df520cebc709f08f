"""Definitions that move to another module in one save, and definitions that come back: their objects live on.

A class keeps its identity; its functions are made anew, as a function's globals cannot be changed. A function that
comes back takes up its old object; one that moved is new, and the old one forwards to it.
"""

from __future__ import annotations

import ast
import os
import sys
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import SequenceMatcher
from functools import partial
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from hotswap._apply import _kinds, _replaced, _successors
from hotswap._apply._collectors import collectors
from hotswap._apply._departed import Departed
from hotswap._apply._moved_classes import function_of, take_class
from hotswap._model import Diff, Edit, How, Kind, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import attribute, is_a
from hotswap._text._diff import renamed
from hotswap._text._source import read
from hotswap.patch._functions import DEPARTED, set_code, set_doc, set_header
from hotswap.patch._proxies import forward, forwarders, is_forwarder

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap
    from hotswap._apply._visit import Visit

_DEFINITIONS = (Kind.DEF, Kind.CLASS)
LIKE = 0.5


def moves(edits: Iterable[Edit]) -> list[tuple[str, str, str]]:
    """Return the top-level definitions that left one module and came to another: from where, to where, which name."""
    edits = [edit for edit in edits if edit.edited]
    came: dict[tuple[Kind, str], list[tuple[str, Statement]]] = {}
    for edit in edits:
        for statement in edit.diff.added:
            if statement.kind in _DEFINITIONS:
                came.setdefault((statement.kind, statement.binds[-1]), []).append((edit.module, statement))
    found = []
    for edit in edits:
        for old in edit.diff.removed:
            places = came.get((old.kind, old.binds[-1]), ()) if old.kind in _DEFINITIONS else ()
            if len(places) == 1 and places[0][0] != edit.module and _alike(old, places[0][1]):
                found.append((edit.module, places[0][0], old.binds[-1]))
    return found


def _alike(old: Statement, new: Statement) -> bool:
    if old.digest == new.digest:
        return True
    texts = ast.unparse(old.node), ast.unparse(new.node)
    return SequenceMatcher(None, *texts, autojunk=False).ratio() >= LIKE


def expect(swap: Swap, departed: Mapping[tuple[str, str], Departed]) -> None:
    """Note what statements that will run are to take up: what moves in this save, and what left in an earlier one."""
    edits = [work.edit for work in swap.works.values()]
    swap.departed = departed
    moved = moves(edits)
    gone = {(here, name) for here, _, name in moved}
    for here, there, name in moved:
        old = next(s for s in swap.works[here].edit.diff.removed if s.kind in _DEFINITIONS and s.binds[-1] == name)
        live = swap.works[here].before.get(name)
        if is_a(live, (type, FunctionType)):
            swap.arrivals[there, name] = Departed(here, name, weakref.ref(live), old)
    for edit in edits:
        for statement in (one for prefix, one in _added(edit.diff, "") if not prefix):
            _expect_from_gone(swap, edit.module, statement)
        for prefix, old, new in _all_renamed(edit.diff, ""):
            live = _resolved(swap.works[edit.module].before, prefix + old.binds[-1])
            if is_a(live, (type, FunctionType)) and (edit.module, old.binds[-1]) not in gone:
                left = Departed(edit.module, prefix + old.binds[-1], weakref.ref(live), old)
                swap.arrivals.setdefault((edit.module, prefix + new.binds[-1]), left)
    for edit in edits if departed else ():
        for prefix, statement in _added(edit.diff, ""):
            known = departed.get((edit.module, prefix + statement.binds[-1]))
            if known is None or known.statement.kind is not statement.kind:
                continue
            if not _goes_by_another(known, edit, swap.works[edit.module].before):
                swap.arrivals.setdefault((edit.module, known.name), known)
        for known in (departed[place] for place in _missed(edit, swap.works[edit.module].before) & departed.keys()):
            swap.arrivals.setdefault((edit.module, known.name), known)


def _goes_by_another(known: Departed, edit: Edit, before: Mapping[str, object]) -> bool:
    """Whether what once had the name `known` got another one, and the text has it still."""
    name = getattr(known.ref(), "__qualname__", known.name)
    if name == known.name or name in _names_gone(edit.diff, ""):
        return False
    return _resolved(before, name) is not None  # else a decorator has given it that name


def _names_gone(diff: Diff, prefix: str) -> set[str]:
    """Return the qualified names of the definitions that left a text, those in class bodies as well."""
    found = {prefix + one.binds[-1] for one in removed(diff)}
    inside = (p for p in diff.changed if p.inner is not None and p.new.kind is Kind.CLASS)
    return found.union(*(_names_gone(p.inner, f"{prefix}{p.old.binds[-1]}.") for p in inside if p.inner))


def _missed(edit: Edit, before: Mapping[str, object]) -> set[tuple[str, str]]:
    """Return the names that suites of the module define, and did not come to when they ran last."""
    suites = (statement for statement in edit.new.statements if statement.kind is Kind.SUITE)
    found = {one.binds[-1] for statement in suites for one in statement.children if one.kind in _DEFINITIONS}
    return {(edit.module, name) for name in found - before.keys()}


def _all_renamed(diff: Diff, prefix: str) -> Iterator[tuple[str, Statement, Statement]]:
    """Yield what only got another name, methods of classes included, with what the qualified names begin with."""
    yield from ((prefix, old, new) for old, new in renamed(diff) if not prefix or new.kind is Kind.DEF)
    for pair in diff.changed:
        if pair.inner is not None and pair.new.kind is Kind.CLASS:
            yield from _all_renamed(pair.inner, f"{prefix}{pair.new.binds[-1]}.")


def _resolved(names: Mapping[str, Any], dotted: str) -> object:
    first, *rest = dotted.split(".")
    value = names.get(first)
    for name in rest:
        if not is_a(value, type):
            return None
        private = name.startswith("__") and not name.endswith("__")
        value = vars(value).get(f"_{value.__name__.lstrip('_')}{name}" if private else name)
    return value


def _expect_from_gone(swap: Swap, module: str, statement: Statement) -> None:
    """Note what a definition that is new here is to take up, if the module had it from one whose file is gone, or has
    it still from a time before its own file went and came back.
    """
    name = statement.binds[-1] if statement.kind in _DEFINITIONS else ""
    live = swap.works[module].before.get(name)
    home = sys.modules.get(str(live.__module__)) if is_a(live, type) or type(live) is FunctionType else None
    if type(live) is FunctionType and home is not None and home.__name__ == module and is_forwarder(live):
        swap.arrivals.setdefault((module, name), Departed(module, name, weakref.ref(live), statement))
    if home is None or home.__name__ == module or getattr(live, "__qualname__", "") != name:
        return
    if type(home) is ModuleType and swap.is_project(home) and not has_file(home):
        was = _statement_there(swap, home, statement)
        swap.arrivals.setdefault((module, name), Departed(home.__name__, name, weakref.ref(live), was))
        swap.given_away.add(home.__name__)


def _statement_there(swap: Swap, home: ModuleType, statement: Statement) -> Statement:
    """Return the statement of that name in the text that `home` runs, whose file is gone; `statement` if none."""
    known = swap.known_text(home.__name__)
    found = read(known, home.__name__, str(vars(home).get("__file__"))).statements if known else ()
    alike = (one for one in found if one.kind is statement.kind and one.binds[-1:] == statement.binds[-1:])
    return next(alike, statement)


def _added(diff: Diff, prefix: str) -> Iterator[tuple[str, Statement]]:
    """Yield the definitions that are new, those in class bodies as well, with what their qualified names begin with."""
    yield from ((prefix, s) for s in diff.added if s.kind is Kind.DEF or (s.kind is Kind.CLASS and not prefix))
    yield from ((prefix, s) for s in _inside(diff.added) if not prefix)
    for pair in diff.changed:
        if pair.inner is not None and pair.new.kind is Kind.CLASS:
            yield from _added(pair.inner, f"{prefix}{pair.new.binds[-1]}.")
        elif pair.inner is not None and pair.new.kind is Kind.SUITE:
            yield from _added(pair.inner, prefix)


def removed(diff: Diff) -> Iterator[Statement]:
    """Yield the definitions that left the module, those in its suites as well."""
    yield from (statement for statement in diff.removed if statement.kind in _DEFINITIONS)
    yield from _inside(diff.removed)
    for pair in diff.changed:
        if pair.inner is not None and pair.new.kind is Kind.SUITE:
            yield from removed(pair.inner)


def _inside(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Yield the definitions in those of `statements` that are suites."""
    for statement in statements:
        if statement.kind is Kind.SUITE:
            yield from (child for child in statement.children if child.kind in _DEFINITIONS)
            yield from _inside(statement.children)


def has_file(module: ModuleType) -> bool:
    return os.path.exists(vars(module).get("__file__") or sys.executable)


def departures(swap: Swap) -> Iterator[Departed]:
    """Yield what left its module, or its class, with this save and did not arrive in another one, what goes by another
    name, and what took the place of a class that had left before.
    """
    yield from swap.left
    for known in swap.departed.values():
        now = swap.gives_way.get(id(known.ref()))
        if now is not None:
            yield replace(known, ref=weakref.ref(now))
    arrived = {(known.module, known.name) for known in swap.arrivals.values()}
    yield from (known for place, known in swap.arrivals.items() if known.module == place[0] and known.name != place[1])
    for module, work in swap.works.items():
        for statement in removed(work.edit.diff) if work.edit.edited else ():
            name = statement.binds[-1]
            live = work.before.get(name)
            if callable(live) and (module, name) not in arrived and type(live).__weakrefoffset__:
                if vars(work.module).get(name) is not live:
                    _successors.note_led((module, name), live)
                    yield Departed(module, name, weakref.ref(live), statement)


def let_go(swap: Swap) -> None:
    """Note the functions whose definitions left the text, to be forgotten once the swap is in effect."""
    arrived = {id(known.ref()) for known in swap.arrivals.values()}
    for work in swap.works.values():
        named = arrived.union(map(id, vars(work.module).values()))
        for place in _left_places(work.edit.diff, "") if work.edit.edited else ():
            gone = [one for one in work.functions.get(place, ()) if id(one) not in named and not is_forwarder(one)]
            swap.later.extend(partial(DEPARTED.add, one) for one in gone)


def _left_places(diff: Diff, prefix: str) -> Iterator[tuple[str, int]]:
    """Yield the places of the functions that left, those of classes and suites that changed included."""
    for statement in (*diff.removed, *_inside(diff.removed)):
        if statement.kind is Kind.DEF:
            yield prefix + statement.binds[-1], statement.lineno
    for pair in diff.changed:
        if pair.inner is not None:
            yield from _left_places(
                pair.inner, f"{prefix}{pair.old.binds[-1]}." if pair.old.kind is Kind.CLASS else prefix
            )


def take_up(visit: Visit, statement: Statement) -> bool:
    """Run the definition `statement`, new here, with the object that it had elsewhere or before; False if none."""
    if statement.kind not in _DEFINITIONS:
        return False
    place = visit.work.edit.module, visit.scope.prefix + statement.binds[-1]
    known = visit.swap.arrivals.get(place)
    live = _live(visit.swap, known)
    if known is None or live is None or _is_bound_later(visit, statement):
        return False
    if statement.kind is Kind.CLASS and isinstance(live, type):
        visit.swap.taken_up.add(place)
        registrations = visit.swap.registrations
        registered = registrations is not None and registrations.owns(known.statement)
        same_name = known.name == visit.scope.prefix + statement.binds[-1]
        if not registered and (same_name or not any(collectors(visit, statement, live))):
            take_class(visit, statement, known, live)
        else:  # what runs for each class goes by its name, or has let go of it
            visit.execute(statement, "new")
            _replaced.leave_class(visit.swap, visit.work, known.name, live, visit.scope.peek(statement.binds[-1]))
        return True
    if statement.kind is Kind.DEF and type(live) is FunctionType:
        visit.swap.taken_up.add(place)
        _take_function(visit, statement, live)
        _lead_departed(visit, place, statement.binds[-1])
        return True
    return False


def _lead_departed(visit: Visit, place: tuple[str, str], name: str) -> None:
    """Lead a function that had that place once, and left it, to what got its name from another definition."""
    known = visit.swap.departed.get(place)
    old, now = known.ref() if known is not None else None, function_of(visit.scope.peek(name))
    if type(old) is FunctionType and now is not None and old is not now and old in DEPARTED:
        forward(visit.swap.journal, old, now)


def _live(swap: Swap, known: Departed | None) -> object:
    """Return what is to be taken up; a class whose base was made anew in this save has given way to another one."""
    live: object = known.ref() if known is not None else None
    for _, _, old, value in swap.replaced if is_a(live, type) else ():
        live = value if old is live else live
    return live


def take_place(visit: Visit, name: str, held: object, value: object) -> None:
    """Let `value`, which a suite that ran whole has bound to `name`, take the place of what had that name before.

    The module itself `held` nothing by that name just now, or what another one has defined.
    """
    if held is not MISSING and attribute(held, "__module__") == visit.work.edit.module:
        return
    known = visit.swap.arrivals.get((visit.work.edit.module, visit.scope.prefix + name))
    live = _live(visit.swap, known)
    if live is value:  # it has the place already
        return
    if is_a(live, type) and is_a(value, type):
        _replaced.leave_class(visit.swap, visit.work, visit.scope.prefix + name, live, value)
    elif type(live) is FunctionType and type(value) is FunctionType:
        forward(visit.swap.journal, live, value)


def note_left(visit: Visit, statement: Statement, name: str) -> None:
    """Note a method that leaves its class, or gave way to something else: somebody may have it, it may come back."""
    raws = visit.work.live(visit.scope, statement) if statement.kind is Kind.DEF else []
    member = function_of(visit.scope.peek(name)) or next(iter(raws), None)
    arrived = any(known.ref() is member for known in visit.swap.arrivals.values())
    if visit.scope.prefix and statement.kind is Kind.DEF and member is not None and not arrived:
        known = Departed(visit.work.edit.module, visit.scope.prefix + name, weakref.ref(member), statement)
        visit.swap.left.append(known)


def _is_bound_later(visit: Visit, statement: Statement) -> bool:
    """Whether another statement of the block gives the name its object in the end, as behind an ``@overload``."""
    name = statement.binds[-1]
    return next((s for s in reversed(visit.new) if name in s.binds), statement) is not statement


def _take_function(visit: Visit, statement: Statement, live: FunctionType) -> None:
    swap, name = visit.swap, statement.binds[-1]
    held = visit.scope.peek(name)
    visit.execute(statement, "new")
    fresh = visit.scope.peek(name)
    if (
        type(fresh) is FunctionType
        and fresh.__globals__ is live.__globals__
        and {"__class__"}.issuperset((*fresh.__code__.co_freevars, *live.__code__.co_freevars))
    ):
        old = live.__code__
        set_code(swap.journal, live, fresh.__code__, partial(visit.work.cell_for, fresh))
        set_header(swap.journal, live, fresh)
        for attribute_name in ("__name__", "__qualname__"):
            swap.journal.set_attribute(live, attribute_name, getattr(fresh, attribute_name))
        if is_forwarder(live):
            swap.journal.set_attribute(live, "__doc__", fresh.__doc__)
        else:
            set_doc(swap.journal, live, old, fresh.__code__)
        swap.changes.codes.setdefault(fresh.__code__)
        swap.later.append(partial(DEPARTED.discard, live))
        if name in visit.chains.open:  # others below it make the name
            visit.scope.store(name, live)
        else:
            swap.bind(visit.work, visit.scope, name, live)
        if held is not MISSING:  # what led to it leads to what was run just now
            swap.replaced = [(w, n, o, live if value is fresh else value) for w, n, o, value in swap.replaced]
            swap.commit()
            if vars(live).get("__wrapped__") is fresh:  # the name had it, which led it there
                swap.journal.del_item(vars(live), "__wrapped__")
            for one in (*forwarders(fresh), fresh):
                forward(swap.journal, one, live)
    elif callable(target := _kinds.callee(visit.scope, fresh)):
        forward(swap.journal, live, target)
        swap.patched(visit.work, name, How.FORWARDED)
