"""A report in the form in which someone reads it: text for a terminal or log, data for a program, HTML for a notebook.

The first line says what changed and in which time; everything that is not in effect follows, each with file, line,
reason and advice. More is shown only when asked for: a watcher prints after every save.

The nouns are known here by their types alone, so that a `Report` can draw itself with what is in this room.
"""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hotswap._model import Finding, Outcome, Patch, Plan, Report, Statement, Step

_MOST_LINES: Final = 8
_PRESSING: Final = ("refused", "held")


def text(report: Report, *, verbose: bool = False) -> str:
    """Return `report` for a terminal, without a final line break.

    First one line with what changed, then each finding on a line of its own (one that quotes source takes up to eight),
    then held modules. `verbose` adds, module by module, what was patched and how, which statements ran, and the
    milliseconds of each phase.
    """
    lines = [headline(report)]
    for finding in findings(report):
        lines += (f"  {line}" for line in finding_lines(finding))
    if report.held:
        lines.append(f"  held until the next save: {', '.join(report.held)}")
    if verbose:
        lines += (f"  {line}" for line in _details(report))
    return "\n".join(lines)


def headline(report: Report) -> str:
    """Return the one line that says what changed and how long it took."""
    return str(report).partition("\n")[0]


def findings(report: Report) -> tuple[Finding, ...]:
    """Return the findings of `report` and of its outcomes, each once."""
    inner = (finding for outcome in report.outcomes for finding in outcome.findings)
    return tuple(dict.fromkeys((*report.findings, *inner)))


def finding_lines(finding: Finding) -> list[str]:
    """Return `finding` as lines: code, place, first line of the message and advice, then what the message quotes."""
    first, *quoted = finding.message.expandtabs(4).splitlines() or [""]
    place = f"{finding.path}:{finding.lineno}: " if finding.path else ""
    advice = f" ({finding.advice})" if finding.advice else ""
    lines = [f"{finding.code} {place}{first}{advice}", *(f"    {line.rstrip()}" for line in quoted)]
    return lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], "    ..."]


def as_dict(report: Report) -> dict[str, Any]:
    """Return `report` as dicts, lists, strings and numbers that `json` can write.

    The keys are public and stable: a version may add keys, never rename or drop them. Seconds are floats, line numbers
    1-based, an empty path means that no file is at fault.
    """
    return {
        "generation": report.generation,
        "changed": report.changed,
        "modules": [_outcome_data(outcome) for outcome in report.outcomes],
        "findings": [_finding_data(finding) for finding in findings(report)],
        "held": list(report.held),
        "error": _error_data(report.error),
        "seconds": {phase: float(spent) for phase, spent in report.seconds.items()},
    }


def to_json(report: Report) -> str:
    """Return `as_dict` as JSON on one line, in ASCII, so that any stream can take it."""
    return json.dumps(as_dict(report))


def html(report: Report) -> str:
    """Return `report` as nested ``<details>`` blocks for a notebook, open if an edit is not in effect.

    Its parts are what is told, kept and held, what was patched, which statements ran, why, and the time of each phase.
    Without scripts, style sheets, links and colours of its own: it takes those of the page, light or dark.
    """
    told = findings(report)
    kept = [one for one in told if one.severity.value == "stale"]
    rest = [one for one in told if one.severity.value != "stale"]
    ran = [f"{o.step.module} {_place(s)}: {s.key}" for o in report.outcomes for s in o.ran]
    patched = [f"{o.step.module}.{_patch_line(p)}" for o in report.outcomes for p in o.patches]
    parts = (
        _part("told", [_finding_html(one) for one in rest], shown=True),
        _part("kept", [_finding_html(one) for one in kept], shown=True),
        _part("held until the next save", [_pre(module) for module in report.held], shown=True),
        _part("patched", [_pre(line) for line in patched]),
        _part("ran", [_pre(line) for line in ran]),
        _part("why", [*map(_pre, _undone(report)), *(_pre(_step_line(o.step)) for o in report.outcomes)], count=False),
        _part("times", [_pre(f"generation {report.generation}"), *map(_pre, _times(report))], count=False),
    )
    title = f"<code>{escape(headline(report))}</code>{_count(len(told))}"
    return (
        f'<details class="hotswap"{" open" if _is_pressing(report) else ""}>'
        f'<summary style="cursor:pointer">{title}</summary>'
        f'<div style="margin:0.3em 0 0.3em 1.2em">{"".join(parts)}</div></details>'
    )


def plan_text(plan: Plan) -> str:
    """Return `plan` for a terminal: its group, its import cycles, and step by step what would run and why.

    A plan is an upper bound: what "runs if changed" may stay as it is.
    """
    lines = [f"group: {', '.join(plan.group)}"] if plan.group else []
    lines += (f"import cycle: {' -> '.join((*cycle, cycle[0]))}" for cycle in plan.cycles)
    for step in plan.steps:
        lines.append(_step_line(step))
        for planned in step.statements:
            sure = "runs" if planned.certain else "runs if changed"
            lines.append(f"  {_place(planned.statement)}: {planned.statement.key} {sure}: {planned.reason}")
    return "\n".join(lines) if plan.steps else "nothing to do"


def _details(report: Report) -> Iterator[str]:
    yield f"generation {report.generation}"
    yield from _undone(report)
    for outcome in report.outcomes:
        yield _step_line(outcome.step)
        yield from (f"  {_patch_line(patch)}" for patch in outcome.patches)
        yield from (f"  ran {_place(statement)}: {statement.key}" for statement in outcome.ran)
    if report.seconds:
        yield ", ".join(_times(report))


def _undone(report: Report) -> Iterator[str]:
    if report.error is not None:
        yield f"undone by {type(report.error).__name__}: {_words(report.error)}"


def _times(report: Report) -> Iterator[str]:
    yield from (f"{phase} {seconds * 1e3:.1f} ms" for phase, seconds in report.seconds.items())


def _step_line(step: Step) -> str:
    return f"{step.module}: {step.action.value}" + (f" ({step.reason})" if step.reason else "")


def _patch_line(patch: Patch) -> str:
    return f"{patch.qualname}: {patch.how.value}" + (f", {patch.note}" if patch.note else "")


def _place(statement: Statement) -> str:
    if statement.end_lineno > statement.lineno:
        return f"lines {statement.lineno}-{statement.end_lineno}"
    return f"line {statement.lineno}"


def _outcome_data(outcome: Outcome) -> dict[str, Any]:
    step = outcome.step
    return {
        "module": step.module,
        "path": step.path,
        "action": step.action.value,
        "reason": step.reason,
        "ran": [_statement_data(statement) for statement in outcome.ran],
        "patches": [{"qualname": each.qualname, "how": each.how.value, "note": each.note} for each in outcome.patches],
        "findings": [_finding_data(finding) for finding in outcome.findings],
    }


def _statement_data(statement: Statement) -> dict[str, Any]:
    return {
        "key": statement.key,
        "kind": statement.kind.value,
        "lineno": statement.lineno,
        "end_lineno": statement.end_lineno,
    }


def _finding_data(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "path": finding.path,
        "lineno": finding.lineno,
        "message": finding.message,
        "advice": finding.advice,
    }


def _error_data(error: BaseException | None) -> dict[str, str] | None:
    return None if error is None else {"type": type(error).__name__, "message": _words(error)}


def _words(error: BaseException) -> str:
    """Return the first line of what `error` says; a program's exception may fail at saying anything."""
    try:
        return str(error).partition("\n")[0]
    except Exception:  # noqa: BLE001  # it is the program's own method
        return "(no message: its __str__ raised)"


def _is_pressing(report: Report) -> bool:
    return any(finding.severity.value in _PRESSING for finding in findings(report))


def _count(number: int) -> str:
    return "" if not number else f" <strong>{number} finding{'s' if number > 1 else ''}</strong>"


def _part(title: str, items: Iterable[str], *, shown: bool = False, count: bool = True) -> str:
    """Return a part of the report that folds, "" if there is nothing in it."""
    items = list(items)
    if not items:
        return ""
    number = f" ({len(items)})" if count else ""
    head = f'<summary style="cursor:pointer">{title}{number}</summary>'
    inner = f'<div style="margin:0.2em 0 0.2em 1.2em">{"".join(items)}</div>'
    return f"<details{' open' if shown else ''}>{head}{inner}</details>"


def _pre(words: str) -> str:
    return f'<pre style="background:none;color:inherit;margin:0">{escape(words)}</pre>'


def _finding_html(finding: Finding) -> str:
    first, *quoted = finding_lines(finding)
    source = _pre("\n".join(quoted)) if quoted else ""
    weight = "4px" if finding.severity.value in _PRESSING else "1px"
    return (
        f'<div style="border-left:{weight} solid currentColor;padding-left:0.5em;margin:0.3em 0">'
        f"{escape(first)}{source}</div>"
    )
