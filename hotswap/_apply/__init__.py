"""Stage 11: carry out a plan. Waves in topological and source order, one commit each; any exception takes all back.

Read `apply` from top to bottom: probe what must not be touched, patch bodies, go through the modules, let names go.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from operator import call
from types import CodeType, FunctionType, ModuleType
from typing import Final

from hotswap._apply import _annotations, _by_text, _captured, _codes, _left, _moves, _registrations
from hotswap._apply._adapter import Adapter, found, found_registrars
from hotswap._apply._ahead import make_ready
from hotswap._apply._altered import Altered
from hotswap._apply._bodies import map_codes, patch_bodies
from hotswap._apply._closures import see_to_headers, tell_holders
from hotswap._apply._departed import Departed
from hotswap._apply._enrolled import take_places, tell_enrolled
from hotswap._apply._expected import expected_places
from hotswap._apply._files import follow_files
from hotswap._apply._follow import let_names_go
from hotswap._apply._handed_back import hand_back
from hotswap._apply._hooked import call_for_all
from hotswap._apply._instances import Migration
from hotswap._apply._lines import patch_lines, set_origin
from hotswap._apply._lost import stored, tell_lost, tell_replaced
from hotswap._apply._missing import do_without, find_missing, tell_second_modules
from hotswap._apply._moves import moves
from hotswap._apply._probe import Block, probe, within
from hotswap._apply._registrations import Registrar
from hotswap._apply._remembered import forget
from hotswap._apply._replaced import give_way
from hotswap._apply._rounds import follow_imports, visit_unchanged
from hotswap._apply._submodules import settle_submodules
from hotswap._apply._swap import Ready, Swap, Work
from hotswap._apply._texts import definition_now
from hotswap._apply._undone import detach_made, let_frames_go
from hotswap._apply._unnamed import let_go
from hotswap._apply._visit import looked_at, visit_module
from hotswap._findings import gathered
from hotswap._model import Edit, Finding, Outcome, Plan, Severity, Statement
from hotswap._points import _interrupt
from hotswap._quiet._values import Definition
from hotswap._run._execute import forget_frames
from hotswap.patch._functions import live_functions_of

__all__ = ["Applied", "Departed", "Ready", "Surroundings", "apply", "make_ready", "moves"]

_NOTHING: Final = Ready()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What applying asks of the reloader: loaded modules, what belongs to the project, and where a function is defined.

    `run_in` calls back from the module's loader, as `importlib.reload` would, so that import hooks see it. `keep` and
    `rerun` are targets of which the settings say so; `forced` are ids of statements that run because somebody
    asked, or that are stale for the reason that is given.
    `departed` are definitions that left lately, by module and name. `severities` are what the settings say of codes.
    `of_code` are the modules whose texts speak of ``__code__``. `mentions` says whether the text of another module than
    the one named has a piece of text in it, `known_text` is the text that a module runs, "" if nobody knows.
    `imports` gives the modules that a module imports as it is imported.
    `is_kept` says of a target whether it was told to be kept as it is although what it depends on changed.
    """

    modules: Mapping[str, ModuleType]
    is_project: Callable[[ModuleType | FunctionType], bool]
    definition: Callable[[FunctionType], Definition | None]
    run_in: Callable[[ModuleType, Callable[[], None]], None]
    adapters: Callable[[], Sequence[Adapter]] = found
    registrars: Callable[[], Sequence[Registrar]] = found_registrars
    keep: frozenset[str] = frozenset()
    rerun: frozenset[str] = frozenset()
    forced: dict[int, str] = field(default_factory=dict)
    departed: Mapping[tuple[str, str], Departed] = field(default_factory=dict)
    severities: Mapping[str, Severity] = field(default_factory=dict)
    of_code: frozenset[str] = frozenset()
    mentions: Callable[[str, str], bool] = lambda *_: False
    known_text: Callable[[str], str] = lambda _: ""
    imports: Callable[[str], Iterable[str]] = lambda _: ()
    is_kept: Callable[[str], bool] = lambda _: False

    def is_ours(self, module: str) -> bool:
        """Whether the module of that name belongs to the project."""
        found = self.modules.get(module)
        return isinstance(found, ModuleType) and self.is_project(found)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a group: outcomes if it is live, else the exception that took everything back.

    `old_codes` are the code objects that were replaced by ones that behave otherwise, `departed` the definitions that
    left, `given_away` modules without a file of which another one has what they defined, `interrupt` is a Ctrl-C that
    came meanwhile.
    """

    outcomes: tuple[Outcome, ...] = ()
    findings: tuple[Finding, ...] = ()
    error: BaseException | None = None
    old_codes: tuple[CodeType, ...] = ()
    migrations: tuple[Migration, ...] = ()
    departed: tuple[Departed, ...] = ()
    given_away: tuple[str, ...] = ()
    interrupt: BaseException | None = None


def apply(
    plan: Plan,
    edits: Sequence[Edit],
    around: Surroundings,
    ready: Ready = _NOTHING,
    *,
    strict: bool = False,
) -> Applied:
    """Bring the modules of `edits`, which are in topological order, to their new texts, or leave all as it was.

    `ready` is what `make_ready` gave for this plan.

    Nothing escapes: whatever is raised, by the program's statements or by us, is in the result, and the program is as
    it was before. With `strict`, a finding of HS1xx counts as failure.
    """
    swap: Swap | None = None
    done: Applied | None = None
    try:
        swap = Swap(edits, around.modules, around.is_project, around.definition, ready)
        swap.adapters, swap.mentions, swap.known_text = around.adapters, around.mentions, around.known_text
        swap.keep, swap.rerun, swap.forced = around.keep, around.rerun, around.forced
        swap.maybe = around.forced.keys() | {
            id(p.statement) for step in plan.steps for p in step.statements if not p.certain
        }
        swap.aside = plan.aside - swap.maybe
        looked_at = swap.maybe | swap.aside
        swap.within = looked_at and frozenset(within(looked_at, _looked_through(swap)))
        swap.memo, swap.severities = plan.memo, around.severities
        swap.imports, swap.is_kept, swap.has_cycles = around.imports, around.is_kept, bool(plan.cycles)
        swap.following.expect(plan.followers)
        swap.altered = Altered(swap, plan.altered)
        if not plan.memo:
            _expect_places(swap)
        _moves.expect(swap, around.departed)
        _carry_out(swap, around)
        findings = tuple(found for work in swap.works.values() for found in gathered(work.log.findings))
        if strict and any(found.severity is Severity.REFUSED for found in findings):
            stays, _, late = _take_back(swap, None)
            swap.forget()
            return Applied(findings=(*findings, *stays), interrupt=_interrupt.find(late))
        deque(map(call, swap.later), maxlen=0)
        done = _applied(plan, swap, findings)
        olds = _captured.replaced_values(swap)
        let_frames_go(swap)
        swap.forget()
        return replace(done, findings=(*done.findings, *_captured.tell(olds, around.is_ours))) if olds else done
    except BaseException as error:  # noqa: BLE001  an edit may raise anything, SystemExit included; all is taken back
        if done is not None:  # an interruption that comes too late: all is live, and has to be known to be
            return replace(done, interrupt=_interrupt.find(error))
        stays, made, late = _take_back(swap, error) if swap is not None else ((), False, None)
        forget_frames(error)
        if swap is not None:
            if made:
                detach_made(swap, error)
            swap.forget()
        if made:  # a class that nobody has stays among the subclasses of its bases until then
            gc.collect()
        return Applied(findings=stays, error=error, interrupt=_interrupt.find(error, late))


def _take_back(swap: Swap, why: BaseException | None) -> tuple[tuple[Finding, ...], bool, BaseException | None]:
    """Undo all; return what may stay, judged while what it calls still has its names, and what `Swap.undo` returns.

    Also what was raised meanwhile: why the edit failed is what matters, and is not lost over that.
    """
    stays: tuple[Finding, ...] = ()
    late: BaseException | None = None
    made = False
    try:
        stays = _left.left(swap, why)
    except BaseException as error:  # noqa: BLE001  Ctrl-C is for the program, once all is in order
        late = error
        forget_frames(error)
    finally:
        made = swap.undo()
    return stays, made, late


def _looked_through(swap: Swap) -> Iterator[Statement]:
    for work in swap.works.values():
        yield from work.edit.new.statements


def _expect_places(swap: Swap) -> None:
    for work in swap.works.values():
        if work.surveyed is None:
            work.expected = expected_places(work.edit, swap.maybe)


def _applied(plan: Plan, swap: Swap, findings: tuple[Finding, ...]) -> Applied:
    outcomes, departed = tuple(_outcomes(plan, swap)), tuple(_moves.departures(swap))
    return Applied(
        outcomes, findings, None, tuple(swap.old_codes), tuple(swap.migrations), departed, tuple(swap.given_away)
    )


def _carry_out(swap: Swap, around: Surroundings) -> None:
    works = [work for work in swap.works.values() if not work.only_follows]
    let_go(work.edit.diff for work in works if work.edit.edited)
    for work in works:
        probe(swap, work, work.scope, looked_at(work.edit), Block(work.edit.diff, work.edit.old.statements))
        if not work.codes:
            map_codes(work)
        _by_text.note(swap, work)
        tell_lost(swap, work)
    filled = {work.edit.module: stored(work) for work in works}
    swap.definition = partial(definition_now, swap, around.definition)
    _find_together([work for work in works if work.expected is None])
    for work in works:
        set_origin(swap, work)
        see_to_headers(swap, work)
        patch_bodies(swap, work)
        patch_lines(swap, work)
    _codes.follow_copies(swap, around.of_code)
    _registrations.begin(swap, around.registrars())
    swap.unvisited = {name: partial(_run, swap, work, around) for name, work in swap.works.items()}
    for name in swap.works:
        swap.visit(name)
    call_for_all(swap)
    settle_submodules(swap)
    swap.is_first_round = False
    if swap.too_early:
        _go_round(swap)
        packages = settle_submodules(swap)  # an import that followed has bound such a name once more
        for work in swap.works.values() if packages else ():
            if work.edit.module not in packages:
                follow_imports(swap, work)
    swap.commit()
    follow_files(swap)
    _registrations.end(swap)
    swap.altered = None  # what is not held any more by anybody else is counted next
    for work in works:
        _annotations.forget_stale(swap, work)
    forget(swap)
    missing = find_missing(swap)
    tell_second_modules(swap)
    hand_back(swap)
    let_names_go(swap)
    swap.commit()
    known = len(swap.last)
    if do_without(swap, missing):
        _go_round(swap)
        hand_back(swap, known)
        let_names_go(swap, known)
        swap.commit()
    for module, name, one in swap.following.left_behind:
        swap.tell(swap.works[module], "HS205", 1, name=name, module=module, holder=one.module)
    _codes.follow(swap, around.of_code)
    take_places(swap)
    give_way(swap)
    gave_way = {id(old) for _, _, old, _ in swap.replaced}
    swap.replace_references()
    tell_replaced(swap, filled)
    tell_holders(swap)
    tell_enrolled(swap, gave_way)
    _moves.let_go(swap)


def _go_round(swap: Swap) -> None:
    """Go through all modules again, for what one of a cycle made anew that another read before: until nothing is.

    What two rounds make alike is nothing new: definitions whose headers read each other.
    """
    last: frozenset[tuple[str, str]] | None = None
    for _ in swap.works:
        before = swap.changes.now
        for work in swap.works.values():
            visit_unchanged(swap, work)
        made = swap.changes.names_since(before)
        if swap.changes.now == before or made == last:
            break
        last = made
    for work in swap.works.values():
        follow_imports(swap, work)


def _find_together(works: Sequence[Work]) -> None:
    """Find all live functions of several modules by one pass over the heap."""
    caches: list[object] = []
    found = live_functions_of([vars(work.module) for work in works], caches) if len(works) > 1 else ()
    for work, functions in zip(works, found, strict=False):
        work.caches += caches
        work.take(functions)


def _run(swap: Swap, work: Work, around: Surroundings) -> None:
    """Go through a module; called by its loader, as in a reload, if any of its statements may run."""
    if work.only_follows:
        follow_imports(swap, work)
    elif work.may_run(swap.within):
        around.run_in(work.module, partial(visit_module, swap, work))  # a frame keeps the cells of a lambda
    else:
        visit_module(swap, work)


def _outcomes(plan: Plan, swap: Swap) -> list[Outcome]:
    found = []
    for step in plan.steps:
        work = swap.works.get(step.module)
        if work is not None:
            log = work.log
            found.append(
                Outcome(step, tuple(log.ran), tuple(log.patches), tuple(gathered(log.findings)), tuple(log.reasons))
            )
    return found + swap.following.outcomes()
