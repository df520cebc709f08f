"""Stage 8: everything that was read and compared, as a plan: which modules, in which order, what may run, and why.

The plan is an upper bound made without looking at any live object: what runs only if a value really changes is marked
so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hotswap._model import Action, Diff, Edit, Kind, Plan, Planned, Step
from hotswap._text._diff import only_code, same_header


def make(
    group: Iterable[str],
    edits: Mapping[str, Edit],
    order: Iterable[tuple[str, ...]],
    maybe: Mapping[str, tuple[Planned, ...]],
) -> Plan:
    """Return the plan for `group`: `order` has the affected modules, dependencies first; `maybe` what may be stale."""
    steps, cycles = [], []
    for component in order:
        if len(component) > 1:
            cycles.append(component)
        steps += [_step(edits[name], maybe.get(name, ())) for name in component if name in edits]
    return Plan(tuple(group), tuple(steps), tuple(cycles))


def _step(edit: Edit, maybe: tuple[Planned, ...]) -> Step:
    certain = tuple(_certain(edit.diff))
    statements = certain + maybe
    action = Action.RUN if statements else Action.PATCH if edit.edited else Action.SKIP
    reason = "its text changed" if edit.edited else "it imports what changed"
    return Step(edit.module, edit.path, action, statements, reason)


def _certain(diff: Diff) -> Iterable[Planned]:
    """Yield the statements that run because their own text changed or is new."""
    for pair in diff.changed:
        if pair.inner is not None and pair.new.kind in (Kind.CLASS, Kind.SUITE) and same_header(pair):
            yield from _certain(pair.inner)
        elif not only_code(pair):
            yield Planned(pair.new, certain=True, reason="changed")
    for statement in diff.added:
        yield Planned(statement, certain=True, reason="new")
