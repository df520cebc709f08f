"""Why a name is what it is: what the last swaps did to it, for which reason, and what the next one would do."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hotswap import _surroundings
from hotswap._errors import TargetError
from hotswap._model import Finding, How, Kind, Outcome, Report
from hotswap._plan._targets import Target, find, split
from hotswap._process import Process
from hotswap._quiet import NamespaceScope, unquiet
from hotswap._settings import Settings


@dataclass(frozen=True, slots=True)
class Why:
    """What became of `target` (``module:name``), which stands at `path` and `lineno`; `reasons` are whole sentences."""

    target: str
    path: str
    lineno: int
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([f"{self.target} ({self.path}:{self.lineno})", *(f"  {reason}" for reason in self.reasons)])


def explain(process: Process, settings: Settings, reports: Iterable[Report], held: Iterable[Finding], name: str) -> Why:
    """Return why `name` is what it is: ``module:name``, ``module.name``, or a name that one module alone binds.

    `held` is what was saved and is not live. Raises TargetError if nothing that is loaded answers to it.
    """
    module, inner = _locate(process, name)
    target = find(process, f"{module}:{inner}")
    first = target.statements[-1]
    told = [line for report in reversed(list(reports)) for line in _of_report(report, module, inner)]
    told = told or ["no swap has touched it"]
    waiting = [f"not live: {one}" for one in held if one.path in (target.edit.path, target.edit.new.origin)]
    running = [str(one) for one in process.old_codes.everything() if one.name == inner and one.path == target.edit.path]
    reasons = (*waiting, *told, *running, *_outlook(process, settings, module, target))
    return Why(f"{module}:{inner}", target.edit.path, first.lineno, tuple(dict.fromkeys(reasons)))


def _locate(process: Process, name: str) -> tuple[str, str]:
    """Return module and name of what `name` stands for, which may be said without its module."""
    module, inner = split(process, name)
    if inner:
        return module, inner
    first = name.partition(".")[0]
    holders = [known for known in process.baselines if first in vars(sys.modules.get(known, sys))]
    made = [known for known in holders if _makes(process, known, name)]
    if len(made) != 1:
        where = f"several modules make it: {', '.join(made[:6])}" if made else "no module that is watched makes it"
        raise TargetError(f"{name}: {where}; say it as 'module:name'")
    return made[0], name


def _makes(process: Process, module: str, name: str) -> bool:
    try:
        found = find(process, f"{module}:{name}")
    except TargetError:
        return False
    return any(statement.kind is not Kind.IMPORT for statement in found.statements)


def _of_report(report: Report, module: str, name: str) -> Iterator[str]:
    when = f"generation {report.generation}"
    for outcome in report.outcomes:
        if outcome.step.module == module:
            yield from (f"{when}: {line}" for line in _of_outcome(outcome, name))
    for found in report.findings:
        if f"{module}:{name}" in found.target.split(", ") or found.message.startswith(f"{name} "):
            yield f"{when}: {found.code}, {found.message}"


def _of_outcome(outcome: Outcome, name: str) -> Iterator[str]:
    ran = [r for one, r in zip(outcome.ran, outcome.reasons, strict=False) if name in (*one.binds, one.key)]
    yield from (f"its statement ran: {reason}" for reason in ran)
    for patch in outcome.patches:
        if (patch.qualname == name and not ran) or patch.qualname.startswith(f"{name}."):
            note = f", {patch.note}" if patch.note else ""
            yield f"{patch.qualname} {_done(patch.how)}{note}: {outcome.step.reason}"


def _done(how: How) -> str:
    return {How.IN_PLACE: "was changed in place", How.RAN: "ran", How.STALE: "is stale"}.get(how, f"was {how.value}")


def _outlook(process: Process, settings: Settings, module: str, target: Target) -> Iterator[str]:
    """Yield what would become of the statements if something that they read changed."""
    around = _surroundings.make(process, settings)
    scope = NamespaceScope(vars(sys.modules[module]), around.is_project, around.definition)
    for statement in target.statements:
        if statement.kind in (Kind.DEF, Kind.CLASS):
            yield "its code is changed in place when its text changes"
        elif statement.kind is not Kind.IMPORT and not statement.reads:
            yield f"line {statement.lineno} reads nothing that can change"
        elif statement.kind is not Kind.IMPORT:
            reads = ", ".join(dict.fromkeys(statement.reads))
            yield f"line {statement.lineno} reads {reads}: {_fate(unquiet(statement.node, scope))}"


def _fate(why: str | None) -> str:
    if why:
        return f"if that changes, it is kept and told, as it {why}"
    return "if that changes, it is computed anew, unless the program has changed it since"
