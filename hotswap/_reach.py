"""How far a small edit reaches: does anything have to run after it, and who binds a constant of it anew?"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from hotswap._graph._bindings import follower
from hotswap._graph._facts import Facts
from hotswap._graph._followers import Follower, Followers
from hotswap._graph._select import WHOLE, Selection
from hotswap._loader._baselines import compiled
from hotswap._loader._compile import all_codes
from hotswap._model import Diff, Edit, Kind
from hotswap._modules import Entry
from hotswap._plan._groups import find_near, follow, followers_of, known_facts, names_that_come_or_go, select
from hotswap._points._hooks import AFTER, BEFORE
from hotswap._process import Process

_ARE_LATE: Final = sys.version_info >= (3, 14)
Reached = Mapping[tuple[str, str], Followers]


def reach(process: Process, edit: Edit, entries: Iterable[Entry]) -> Reached | None:
    """Return who only binds constants of `edit`, a part of one, by module and name; None if there is more to it.

    That is where a statement of any module may have to run, or a name to be bound anew with anything but a constant.
    Also where caches may hold results of what changes, as that takes more than a look at texts.
    """
    affected = process.graph.affected([edit.module])
    if not affected.isdisjoint(process.memo) or not affected.isdisjoint(process.ran_again):
        return None
    names = {name for pair in edit.diff.changed if pair.new.kind is Kind.ASSIGN for name in pair.new.binds}
    if _is_named_nowhere(process, edit, affected):
        return {(edit.module, name): follow(process, edit.module, name, {edit.module}) for name in names}
    packages, paths = {entry.name: entry.package for entry in entries}, {entry.name: entry.path for entry in entries}
    selected, _ = select(process, affected, {edit.module: edit}, packages, ())
    selected.selection.chosen()
    if selected.selection.runs():
        return None
    others = [selected.of[name] for name in selected.of if name != edit.module and selected.selection.follows(name)]
    found = followers_of(process, selected, {edit.module, *(one.module for one in others)})
    constant = found.keys() <= {(edit.module, name) for name in names}
    if not constant or not _are_bound_once(process, edit, names, packages) or any(map(_has_hook, others)):
        return None
    if _ARE_LATE and _annotates(process, edit.module, names):
        return None
    own: dict[tuple[str, str], list[Follower]] = {(edit.module, name): [] for name in names}
    for one in others:
        bound = {here: there for there, here in _froms(one, edit.module) if there in names}
        if bound.keys() != selected.selection.values(one.module) or not all(_binds_once(one, here) for here in bound):
            return None
        for here, there in bound.items():
            own[edit.module, there].append(follower(one.module, paths[one.module], here))
    none = Followers.of(())
    return {place: Followers.of((*found.get(place, none).members, *more)) for place, more in own.items()}


def _has_hook(facts: Facts) -> bool:
    return any(name in (BEFORE, AFTER) for fact in facts.every for name in fact.statement.binds)


def _annotates(process: Process, module: str, names: AbstractSet[str]) -> bool:
    """Whether annotations of the module, evaluated once they were asked for, may have one of `names` in them."""
    baseline = process.baselines.get(module)
    code = compiled(baseline) if baseline is not None else None
    return code is None or any(
        one.co_name == "__annotate__" and not names.isdisjoint(one.co_names) for one in all_codes(code)
    )


def _froms(facts: Facts, source: str) -> Iterator[tuple[str, str]]:
    """Yield the names that a module imports from `source`, and what they are called there."""
    for edge in facts.edges:
        if edge.imported == source and not edge.deferred:
            yield from edge.names


def _binds_once(facts: Facts, name: str) -> bool:
    """Whether one statement alone binds `name`, and none alters what it stands for."""
    bound = [one for fact in facts.every for one in (*fact.statement.binds, *fact.statement.mutates) if one == name]
    return len(bound) == 1


def _are_bound_once(process: Process, edit: Edit, names: AbstractSet[str], packages: Mapping[str, str]) -> bool:
    facts = known_facts(process, edit.module, packages[edit.module], Selection(), needed=True) if names else None
    return facts is None or all(_binds_once(facts, name) for name in names)


def _is_named_nowhere(process: Process, edit: Edit, affected: AbstractSet[str]) -> bool:
    """Whether what `edit` changes is named nowhere but where it stands, which is found out without a parse."""
    text = edit.new.text
    names = [name.rpartition(".")[2] for name in _names_of(edit.diff)]
    if any(text.count(name) != 1 or name.startswith("__") for name in names):
        return False
    if any(f"{name}(" in text for name in WHOLE):
        return False
    if any(module in affected for modules in process.bindings.by_attribute(names) for module in modules):
        return False
    return find_near(process, {edit.module: edit}, {edit.module: names_that_come_or_go(edit)}) == {edit.module}


def _names_of(diff: Diff) -> Iterator[str]:
    for pair in diff.changed:
        yield from [pair.new.binds[-1]] if pair.inner is None else _names_of(pair.inner)
    yield from (statement.binds[-1] for statement in diff.added)
