"""What became of one name with the last swaps, and why: from the reports, and from what the cells did with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hotswap._model import Finding, Outcome, Report
from hotswap._process import PROCESS
from hotswap.integrations.ipython import _showing
from hotswap.integrations.ipython._cells import Cells


def explain(name: str, cells: Cells, reports: Iterable[Report], held: Iterable[Finding]) -> list[str]:
    """Return lines about `name`: ``module:name`` with dots for members, or a name of the notebook alone."""
    lines, target = _in_notebook(name, cells) if ":" not in name else ([], name)
    if target:
        module, _, there = target.partition(":")
        found = [line for report in reports for line in _in_report(report, module, there)]
        waiting = [f"not live: {_showing.lines(one)[0]}" for one in held if _concerns(one, module, there)]
        lines += [*waiting, *(found or [f"{target}: no swap has concerned it"])]
    return lines


def _in_notebook(name: str, cells: Cells) -> tuple[list[str], str]:
    """Return what the cells say of a name, and what it stands for if that is a module's."""
    first, dot, rest = name.partition(".")
    origin = cells.origin(first)
    if origin is None:
        return [f"{first}: no cell bound it"], ""
    if isinstance(origin, int):
        return [f"{first}: In[{origin}] bound it, so it is yours and follows nothing"], ""
    source = f"{origin.module}:{origin.there}{dot}{rest}" if origin.there else f"{origin.module}:{rest}"
    return [f"{first}: In[{origin.number}] has it by {str(origin)!r}, so it follows {origin.module}"], source


def _in_report(report: Report, module: str, name: str) -> Iterator[str]:
    for outcome in report.outcomes:
        if outcome.step.module == module:
            yield from (f"swap {report.generation}: {line}" for line in _in_outcome(outcome, name))


def _in_outcome(outcome: Outcome, name: str) -> Iterator[str]:
    """Yield what was done to `name`, why its statement ran, and what was told of it."""
    reasons = {planned.statement: planned.reason for planned in outcome.step.statements}
    for patch in outcome.patches:
        if _is_part(patch.qualname, name):
            note = f", {patch.note}" if patch.note else ""
            yield f"{patch.qualname} {patch.how.value}{note} ({outcome.step.reason})"
    for statement in outcome.ran:
        if any(_is_part(bound, name) for bound in statement.binds) and reasons.get(statement):
            yield f"line {statement.lineno} ran: {reasons[statement]}"
    for found in outcome.findings:
        if _concerns(found, "", name):
            yield _showing.lines(found)[0]


def _is_part(qualname: str, name: str) -> bool:
    return not name or qualname == name or qualname.startswith(f"{name}.") or name.startswith(f"{qualname}.")


def _concerns(found: Finding, module: str, name: str) -> bool:
    """Whether a finding speaks of `name`; of a module that is held, it does of all that is in it."""
    baseline = PROCESS.baselines.get(module)
    if baseline is not None and found.path in (baseline.origin, baseline.path):
        return True
    return bool(name) and name in found.message.replace(",", " ").split()
