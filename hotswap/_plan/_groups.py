"""From edits to plans: which changed modules belong together, who depends on them, and in which order they are applied.

Only what may be reached is read: a dependent whose text names nothing that may change is left out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial

from hotswap._apply import moves
from hotswap._graph._bindings import follower as bound_by_import
from hotswap._graph._facts import Facts, facts_of, statement_at
from hotswap._graph._followers import Follower, Followers
from hotswap._graph._imports import edges
from hotswap._graph._select import Selection
from hotswap._graph._taint import Altered
from hotswap._loader._baselines import Baseline, text_of
from hotswap._model import Edit, Plan, Planned
from hotswap._modules import Entry
from hotswap._plan._altered import altered_by
from hotswap._plan._aside import evaluated_aside, further
from hotswap._plan._near import concerned_importers, find_near, looking_up, names_that_come_or_go, see_loading
from hotswap._plan._prepare import Prepared, follower, snapshot_of
from hotswap._plan._steps import make as make_plan
from hotswap._plan._targets import Target
from hotswap._plan._unedited import concerned
from hotswap._points._way import collecting_later
from hotswap._process import Process, modules_held
from hotswap._text._outline import outline
from hotswap._text._source import read

Group = frozenset[str]


def split(
    process: Process, prepared: Prepared, entries: Iterable[Entry], others: Iterable[str] = ()
) -> tuple[Group, ...]:
    """Return the groups of changed modules: two are in one if one reaches the other by imports, old or new.

    Modules that could not be read are among them, as what belongs to them has to wait for them; so are `others`, whose
    imports did not change.
    """
    process.update_graph()
    packages = _packages(entries, prepared.edits)
    for name, edit in prepared.edits.items():
        found = edges(edit.new, packages[name], sys.modules.__contains__)
        process.graph.update(name, {*process.graph.imports(name), *(edge.imported for edge in found)})
    for here, there, _ in moves(prepared.edits.values()):  # what moves makes one group, the new place first
        process.graph.update(here, {*process.graph.imports(here), there})
    return process.graph.groups([*prepared.edits, *prepared.findings, *others])


def _packages(entries: Iterable[Entry], edits: Mapping[str, Edit]) -> dict[str, str]:
    """Return the packages that relative imports start from, by module; a module may become a package with its edit."""
    found = {entry.name: entry.package for entry in entries}
    for name, edit in edits.items():
        if edit.new.origin != edit.old.origin:
            is_package = os.path.basename(edit.new.origin).startswith("__init__.")
            found[name] = name if is_package else name.rpartition(".")[0]
    return found


def unused(process: Process, prepared: Prepared, entries: Iterable[Entry]) -> frozenset[str]:
    """Return the modules whose file vanished in the save that took the last import of them away."""
    left = set(prepared.vanished)
    if not left:
        return frozenset()
    process.update_graph()
    packages = _packages(entries, prepared.edits)
    imports = {
        name: {edge.imported for edge in edges(edit.new, packages[name], sys.modules.__contains__)}
        for name, edit in prepared.edits.items()
    }
    size = -1
    while size != (size := len(left)):  # what only a module imports that goes itself goes with it
        left -= {name for name in left if not _is_unused(process.graph.dependents(name), name, left, imports)}
    return frozenset(left)


def _is_unused(importers: Iterable[str], name: str, gone: Container[str], imports: Mapping[str, set[str]]) -> bool:
    importers = tuple(importers)
    return bool(importers) and all(one in gone or (one in imports and name not in imports[one]) for one in importers)


def plan_all(process: Process, prepared: Prepared, entries: list[Entry]) -> Plan:
    """Return the plans of all groups as one; what belongs to a file that cannot be read is left out."""
    groups = [group for group in split(process, prepared, entries) if not group & prepared.findings.keys()]
    plans = [plan_group(process, group, prepared.edits, entries)[0] for group in groups]
    steps = tuple(step for plan in plans for step in (*plan.steps, *plan.following()))
    cycles = tuple(cycle for plan in plans for cycle in plan.cycles)
    return Plan(tuple(prepared.edits), steps, cycles)


def plan_rerun(process: Process, target: Target, entries: Iterable[Entry]) -> tuple[Plan, list[Edit]]:
    """Return the plan for running the statements of `target` again, and the edits of the modules it may concern."""
    edits = {target.edit.module: target.edit}
    return plan_group(process, frozenset(edits), edits, entries, forced=target.names)


def plan_group(
    process: Process, group: Group, edits: Mapping[str, Edit], entries: Iterable[Entry], *, forced: Iterable[str] = ()
) -> tuple[Plan, list[Edit]]:
    """Return the plan of `group` and its edits, dependencies first, those of dependents that may be reached included.

    `forced` are names of its one module that are taken as changed.
    """
    with collecting_later():  # nothing of the program runs here, and what is made is kept
        return _plan_group(process, group, edits, entries, forced)


def _plan_group(
    process: Process, group: Group, edits: Mapping[str, Edit], entries: Iterable[Entry], forced: Iterable[str]
) -> tuple[Plan, list[Edit]]:
    see_loading(process, (edits[name] for name in group))
    gone = process.gone - group  # nothing of what has no file any more runs again
    packages = {name: package for name, package in _packages(entries, edits).items() if name not in gone}
    affected = process.graph.affected(group)
    selected, order = select(process, affected, {name: edits[name] for name in group}, packages, forced)
    found = selected.selection.chosen()
    touched = affected.union(*map(process.graph.imports, group)) & process.baselines.names()
    others = further(process.sketch, affected & packages.keys() - selected.of.keys(), touched, process.rank)
    read = {name: known_facts(process, name, packages[name], selected.selection, needed=True) for name in others}
    facts = {**selected.of, **{name: one for name, one in read.items() if one is not None}}
    aside = evaluated_aside(facts, edits, touched, found)
    order = process.graph.order({*(name for one in order for name in one), *aside} & packages.keys(), process.rank)
    chosen: dict[str, Edit] = {}
    for name in (name for component in order for name in _begun_in(component) if name in selected.of or name in aside):
        places = (*found.get(name, ()), *aside.get(name, ()))
        edit = edits[name] if name in group else _dependent(process, facts[name], selected.selection, places)
        if edit is not None:
            chosen[name] = edit
    maybe = {name: tuple(_planned(chosen[name], places)) for name, places in found.items() if name in chosen}
    plan = make_plan(sorted(group), chosen, order, maybe)
    memo = not affected.isdisjoint(process.memo) or not affected.isdisjoint(process.ran_again)
    followers = followers_of(process, selected, chosen.keys())
    texts = ((chosen[name].new.statements, places) for name, places in aside.items())
    beside = {id(statement_at(statements, place)) for statements, places in texts for place in places}
    plan = replace(plan, memo=memo, followers=followers, altered=selected.altered.names, aside=frozenset(beside))
    return plan, list(chosen.values())


def _begun_in(cycle: Sequence[str]) -> Sequence[str]:
    """Return the modules of an import cycle in the order in which they began to be imported, as far as that is known.

    A package begins before what is in it, and what was imported first ended last: beginning there, each import finds
    what it found at the start.
    """
    inside, ended = [f"{name}." for name in cycle], {name: place for place, name in enumerate(cycle)}
    return sorted(cycle, key=lambda name: (sum(map(name.startswith, inside)), -ended[name]))


class Selected:
    """The facts of the modules that may be reached, and what was selected among them."""

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self.of: dict[str, Facts] = {}
        self.altered = Altered()


def select(
    process: Process,
    affected: AbstractSet[str],
    edits: Mapping[str, Edit],
    packages: Mapping[str, str],
    forced: Iterable[str],
) -> tuple[Selected, tuple[tuple[str, ...], ...]]:
    """Return what is selected, and the modules that were looked at for it, in topological order.

    Most dependents only bind what they import. Those are not looked at, unless it turns out that members of classes may
    change, which anybody may look up.
    """
    passing = {name: names_that_come_or_go(edit) for name, edit in edits.items()}
    near = find_near(process, edits, passing)
    if hinting := affected & process.hinting - near:
        near |= process.graph.between(affected, hinting)
    altered, members = Altered(), frozenset[str]()
    while True:
        order = process.graph.order(near & packages.keys(), process.rank)
        selected = _go_through(process, order, edits, packages, forced, Selection(passing, altered, members))
        if selected.selection.came_late:  # a loose import of a cycle: no order is right, so all are read
            again = Selection(None, altered, members)
            selected = _go_through(process, order, edits, packages, forced, again, sketches=False)
        selected.altered, members = altered, selected.selection.members
        importers = partial(concerned_importers, process)
        more = altered_by(process, selected.selection, edits, packages.keys(), importers)
        if more.adds_to(altered):
            altered, near = altered | more, near | (more.late & packages.keys())
            continue
        further = looking_up(process, members, affected) - near
        if not further:
            return selected, order
        near |= process.graph.between(affected, further)


def _go_through(
    process: Process,
    order: Iterable[tuple[str, ...]],
    edits: Mapping[str, Edit],
    packages: Mapping[str, str],
    forced: Iterable[str],
    selection: Selection,
    *,
    sketches: bool = True,
) -> Selected:
    selected = Selected(selection)
    for component in order:
        for name in component * min(len(component), 2):  # in a cycle, one may reach another that comes before it
            if name in selected.of:
                continue
            edit = edits.get(name)
            if sketches and len(component) == 1 and _needs_no_facts(process, name, edit, selection):
                continue
            facts = _facts(process, name, edit, packages[name], selection)
            if facts is not None:
                selected.of[name] = facts
                leaf = not process.graph.importers(name)
                held, inside = modules_held(name) if name in process.dynamic else ({}, {})
                selection.add(facts, edit.diff if edit else None, _held(facts, held), inside, leaf=leaf)
                if edit is not None and forced:
                    selection.force(name, forced)
        if len(component) > 1:  # before others ask what may change there
            selection.settle()
    return selected


def _needs_no_facts(process: Process, name: str, edit: Edit | None, selection: Selection) -> bool:
    """Whether the sketch of a module tells enough; then what is tainted in it is noted."""
    if name in process.dynamic or (edit is not None and not edit.part):
        return False
    sketch = process.sketch(name)
    diff = edit.diff if edit is not None else None
    return sketch is not None and not selection.meet(name, sketch, diff, odd=name in process.bindings.odd)


def followers_of(process: Process, selected: Selected, works: AbstractSet[str]) -> dict[tuple[str, str], Followers]:
    """Return, by module and name that may change there, who is bound anew with it; `works` see to their own names."""
    found: dict[tuple[str, str], Followers] = {}
    lazy = [one for one in process.dynamic - works if one in sys.modules and _serves(process, one)]
    for module in (*works, *(selected.altered.names.keys() - works)):
        for name in (*selected.selection.values(module), *_set_by_text(process, module)):
            followers = follow(process, module, name, works)
            if keeping := [follower for one in lazy if (follower := _keeping(process, one, module, name)) is not None]:
                followers = Followers.of((*followers.members, *keeping))
            if followers.members:
                found[module, name] = followers
    return found


def _set_by_text(process: Process, module: str) -> Iterable[str]:
    """Return the names that a loaded module has, and that no statement binds: ``globals()[name] = value``."""
    sketch = process.bindings.sketches.get(module)
    if sketch is None or "globals" not in sketch.runs or module not in sys.modules:
        return ()
    return [name for name in vars(sys.modules[module]) if name not in sketch.own and name[:2] != "__"]


def _serves(process: Process, module: str) -> bool:
    sketch = process.bindings.sketches.get(module)
    return sketch is not None and "__getattr__" in sketch.bodies


def _keeping(process: Process, module: str, source: str, name: str) -> Follower | None:
    """Return `module` as follower of a name that its ``__getattr__`` has stored, as it seems, from `source`."""
    held, baseline = vars(sys.modules[module]), process.baselines.get(module)
    if name in process.bindings.sketches[module].own or name not in held or baseline is None or source == module:
        return None
    given = source in sys.modules and vars(sys.modules[source]).get(name, held) is held[name]
    return bound_by_import(module, baseline.path, name) if given else None


def follow(process: Process, module: str, name: str, works: AbstractSet[str]) -> Followers:
    direct = process.bindings.followers(module, name)
    modules = direct.by_module.keys()
    if modules.isdisjoint(works) and modules.isdisjoint(process.graph.imported):
        return direct
    result: dict[tuple[str, str], Follower] = {}
    pending = [(module, name)]
    while pending:
        for one in process.bindings.followers(*pending.pop()).members:
            if one.module not in works and (one.module, one.here) not in result:
                result[one.module, one.here] = one
                if one.module in process.graph.imported:
                    pending.append((one.module, one.here))
    return Followers.of(result.values())


def _facts(process: Process, name: str, edit: Edit | None, package: str, selection: Selection) -> Facts | None:
    """Return the facts of a module; None for a dependent that names nothing that may change."""
    if edit is not None and edit.part:
        return known_facts(process, name, package, selection, needed=True)
    if edit is not None:
        found = outline(edit.new.text)
        bodies = found[1] if found else {}
        return facts_of(edit.new, package, sys.modules.__contains__, nodes=True, bodies=bodies)
    unnamed = name in process.dynamic or name in process.hinting  # it may name nothing of what it has to do with
    return known_facts(process, name, package, selection, needed=unnamed)


def known_facts(
    process: Process, name: str, package: str, selection: Selection, *, needed: bool = False
) -> Facts | None:
    """Return the facts of the live text of a module; None if it names nothing that may change and is not `needed`."""
    baseline = process.baselines.get(name)
    if baseline is None:
        return None
    known = process.facts.get(name)
    if known is not None and known[0] is baseline.packed:
        return known[1]
    if not needed and not selection.may_reach(process.graph.imports(name), text_of(baseline)):
        return None
    facts = _read_facts(name, baseline, package)
    process.facts[name] = (baseline.packed, facts)
    return facts


def _read_facts(name: str, baseline: Baseline, package: str) -> Facts:
    """Return the facts of a module, of which function bodies are not parsed where that can be avoided."""
    found = outline(text_of(baseline))
    if found is not None:
        try:
            snapshot = read(found[0], name, baseline.origin)
            return facts_of(snapshot, package, sys.modules.__contains__, bodies=found[1])
        except SyntaxError:
            pass
    return facts_of(snapshot_of(name, baseline), package, sys.modules.__contains__)


def _held(facts: Facts, live: dict[str, str]) -> dict[str, str]:
    """Return the names of a module, dotted ones as well, that are modules though no import of its own binds them.

    `live` are those that are known from the live module.
    """
    found = {**_submodules(facts), **live}
    known = [(here, edge.imported) for edge in facts.edges for there, here in edge.names if not there]
    while known:
        here, module = known.pop()
        below = [name for name in facts.by_attribute if f"{module}.{name}" in sys.modules]
        for name in below:
            if f"{here}.{name}" not in found:
                found[f"{here}.{name}"] = f"{module}.{name}"
                known.append((f"{here}.{name}", f"{module}.{name}"))
    return found


def _submodules(facts: Facts) -> dict[str, str]:
    """Return the names that a package reads and has from importing its submodules."""
    names = vars(sys.modules[facts.module]) if facts.module in sys.modules else {}
    if "__path__" not in names:
        return {}
    below = {name: f"{facts.module}.{name}" for name in facts.by_name}
    return {name: whole for name, whole in below.items() if names.get(name) is sys.modules.get(whole, names)}


def _dependent(
    process: Process, facts: Facts, selection: Selection, places: Collection[tuple[int, ...]]
) -> Edit | None:
    """Return what is to be looked at of a dependent: statements that may run, or its imports alone; None if nothing."""
    baseline = process.baselines.get(facts.module)
    assert baseline is not None
    if places:
        return _concerned_edit(process, facts, baseline, frozenset(place[0] for place in places))
    if not selection.follows(facts.module):
        return None
    known = process.followers.get(facts.module)
    if known is None or known[0] is not facts or known[1].path != baseline.origin:
        known = process.followers[facts.module] = (facts, follower(facts, baseline))
    return known[1]


def _concerned_edit(process: Process, facts: Facts, baseline: Baseline, places: frozenset[int]) -> Edit:
    known = process.concerned.get(facts.module)
    if known is None or known[0] is not facts or known[1] != places or known[2].path != baseline.origin:
        known = process.concerned[facts.module] = (facts, places, concerned(facts, baseline, places))
    return known[2]


def _planned(edit: Edit, places: Mapping[tuple[int, ...], str]) -> Iterable[Planned]:
    for place, reason in places.items():
        yield Planned(statement_at(edit.new.statements, place), certain=False, reason=reason)
