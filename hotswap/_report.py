"""A report in the form in which someone reads it: text for a terminal or log, data for a program, HTML for a notebook.

The first line says what changed and in which time; everything that is not in effect follows, each with file, line,
reason and advice. More is shown only when asked for: a watcher prints after every save.

The nouns are known here by their types alone, so that a `Report` can draw itself with what is in this room.
"""

from __future__ import annotations

import json
import os
from html import escape
from textwrap import dedent
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hotswap._model import Finding, Outcome, Patch, Plan, Report, Statement, Step

_MOST_LINES: Final = 6  # with the first line of a report and what is held: eight
_PRESSING: Final = ("refused", "held")


def text(report: Report, *, verbose: bool = False) -> str:
    """Return `report` for a terminal, without a final line break.

    First one line with what changed, then each finding on a line of its own (one that quotes source takes up to six),
    then held modules. `verbose` adds, module by module, what was patched and how, which statements ran, and the
    milliseconds of each phase.
    """
    lines = [headline(report)]
    for finding in _shown(report):
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


def _shown(report: Report) -> list[Finding]:
    return [finding for finding in findings(report) if finding.severity.value != "ignored"]


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
        "settled": list(report.settled),
        "error": _error_data(report.error),
        "seconds": {phase: float(spent) for phase, spent in report.seconds.items()},
    }


def to_json(report: Report) -> str:
    """Return `as_dict` as JSON on one line, in ASCII, so that any stream can take it."""
    return json.dumps(as_dict(report))


def html(report: Report) -> str:
    """Return `report` as one line that unfolds, for a notebook; open if an edit is not in effect.

    Inside, parts that fold: what is told, kept and held, what was patched, which statements ran, why, and the time of
    each phase. Without scripts, style sheets, links and colours of its own: it takes those of the page, light or dark.
    """
    told = _shown(report)
    kept = [one for one in told if one.severity.value == "stale"]
    rest = [one for one in told if one.severity.value != "stale"]
    pressing = _is_pressing(report)
    tint = _TINTS["held" if pressing else "kept" if told else "live"]
    why = [(outcome.step.module, outcome.step.reason) for outcome in report.outcomes if outcome.step.reason]
    parts = (
        _part("told", len(rest), "".join(map(_finding_html, rest))),
        _part("kept", len(kept), "".join(map(_finding_html, kept))),
        _part("held until the next save", len(report.held), _rows((module,) for module in report.held), shown=False),
        _part("patched", *_grid((o.step.module, p.qualname, _how(p)) for o in report.outcomes for p in o.patches)),
        _part("ran", *_grid((o.step.module, s.key, _place(s)) for o in report.outcomes for s in o.ran)),
        _part("why", 0, _rows([*why, *(("", line) for line in _undone(report))])),
        _part("times", 0, _rows([(f"generation {report.generation}", " · ".join(_times(report)))]), shown=not pressing),
    )
    return (
        f'<details class="hotswap" style="{_FONT};margin:1px 0"{" open" if pressing else ""}>'
        f'<summary style="cursor:pointer">{_title(report, tint, len(told))}</summary>'
        f'<div style="border-left:2px solid {tint};margin:.35em 0 .6em .3em;padding-left:1em">{"".join(parts)}</div>'
        "</details>"
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


# -- HTML --------------------------------------------------------------------------------------------------------------

_FONT: Final = "font:12.5px/1.55 var(--jp-code-font-family,ui-monospace,monospace)"
_DIM: Final = "opacity:.62"
_TINTS: Final = {
    "live": "var(--jp-success-color1,var(--vscode-charts-green,currentColor))",
    "kept": "var(--jp-warn-color1,var(--vscode-charts-orange,currentColor))",
    "held": "var(--jp-error-color1,var(--vscode-charts-red,currentColor))",
}
"""Colours of the page, by the names that JupyterLab and VS Code have for them; elsewhere that of its text."""


def _title(report: Report, tint: str, told: int) -> str:
    """Return the line that is always seen: a dot, what changed, what is told, and the time at its end."""
    words = headline(report).removeprefix("hotswap: ")
    changed, _, spent = words.rpartition(" (")
    parts = [
        f'<span style="display:inline-block;margin-right:1em">{_span(module, _DIM)} {escape(names)}</span>'
        for module, names in _pairs(changed)
    ]
    count = _span(f"{told} finding{'s' if told > 1 else ''}", f"color:{tint};margin-right:1em") if told else ""
    shown = f"{_span('●', f'color:{tint}')} {''.join(parts)}"
    return f"{shown}{count}{_span(spent.removesuffix(')'), _DIM)}"


def _pairs(changed: str) -> Iterator[tuple[str, str]]:
    for part in changed.split("; "):
        module, dash, names = part.partition(" - ")
        yield (module, names) if dash else ("", part)


def _part(title: str, count: int, inner: str, *, shown: bool = True) -> str:
    """Return a part of the report that folds, "" if there is nothing in it."""
    if not inner:
        return ""
    head = f'<summary style="cursor:pointer;{_DIM}">{title}{f" {count}" if count else ""}</summary>'
    return (
        f'<details{" open" if shown else ""} style="margin:.15em 0">{head}'
        f'<div style="margin:.1em 0 .35em 1.1em">{inner}</div></details>'
    )


def _grid(rows: Iterable[tuple[str, str, str]]) -> tuple[int, str]:
    """Return how many rows there are, and them: name and what became of it, each module said once."""
    shown, last = [], ""
    for module, name, rest in rows:
        shown.append(("" if module == last else module, name, rest))
        last = module
    return len(shown), _rows(shown)


def _rows(rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table without lines; what stands in the outer columns is dim."""
    cells = []
    for row in (rows := list(rows)):
        middle = len(row) // 2 if len(row) > 2 else 0
        cells += [f'<span style="{"" if at == middle else _DIM}">{escape(word)}</span>' for at, word in enumerate(row)]
    if not rows:
        return ""
    columns = f"repeat({len(rows[0]) - 1},max-content) auto" if len(rows[0]) > 1 else "auto"
    style = f"display:grid;grid-template-columns:{columns};column-gap:1.4em"
    return f'<div style="{style}">{"".join(cells)}</div>'


def _how(patch: Patch) -> str:
    return patch.how.value + (f", {patch.note}" if patch.note else "")


def _span(words: str, style: str) -> str:
    return f'<span style="{style}">{escape(words)}</span>'


def _finding_html(finding: Finding) -> str:
    """Return a finding: where, code, words; the source that it quotes as it stands; then the advice."""
    first, *quoted = finding.message.expandtabs(4).splitlines() or [""]
    tint = _TINTS["held" if finding.severity.value in _PRESSING else "kept"]
    place = f"<b>{escape(near(finding.path))}:{finding.lineno}</b> " if finding.path else ""
    source = dedent("\n".join(line.rstrip() for line in quoted[: _MOST_LINES - 1]))
    code = f'<pre style="{_FONT};background:none;color:inherit;margin:.1em 0 .1em 1em">{escape(source)}</pre>'
    advice = f'<div style="{_DIM}">{escape(finding.advice)}</div>' if finding.advice else ""
    head = f"{place}{escape(first)} {_span(finding.code, f'color:{tint};margin-left:.4em')}"
    return f'<div style="margin:.15em 0 .45em">{head}{code if source else ""}{advice}</div>'


def near(path: str) -> str:
    """Return `path` from the current directory if it lies below it: as short as it can be said here."""
    try:
        near = os.path.relpath(path)
    except (OSError, ValueError):
        return path
    return path if near.startswith(os.pardir) else near
