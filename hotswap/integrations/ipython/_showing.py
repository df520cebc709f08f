"""What is shown under a cell: one line that unfolds into the report, a mark while something is not live, plain text.

Each thing is published as text and as HTML at once; the front end takes what it can. The HTML has no scripts and no
style sheets, as notebooks are stored and passed on, and takes its colours from the page, light or dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from hotswap import _report
from hotswap._model import Finding, Report
from hotswap.integrations.ipython._shell import Shell

MOST_LINES: Final = 8
"""Lines that a report takes under a cell, as text."""

_DIM: Final = 'style="opacity:.65;font-size:.85em;font-family:var(--jp-code-font-family,monospace)"'


def publish(shell: Shell, text: str, html: str) -> None:
    """Show `text`, or `html` where the front end can."""
    shell.display_pub.publish({"text/plain": text, "text/html": html})


def say(shell: Shell, words: str) -> None:
    """Show a line of ours."""
    publish(shell, f"hotswap: {words}", f"<div {_DIM}>hotswap: {escape(words)}</div>")


def show(shell: Shell, report: Report) -> None:
    """Show `report` under the cell that runs."""
    publish(shell, short(report), report.to_html())


def short(report: Report) -> str:
    """Return `report` in at most `MOST_LINES` lines: what changed, then what is not in effect."""
    told = (f"  {line}" for found in _report.findings(report) for line in lines(found))
    shown = [_report.headline(report), *told]
    if len(shown) > MOST_LINES:
        shown[MOST_LINES - 1 :] = [f"  ... {len(shown) - MOST_LINES + 1} more lines: %hotswap status"]
    return "\n".join(shown)


def lines(found: Finding) -> list[str]:
    """Return a finding as lines, the advice left out of those that quote source."""
    return [line.replace(found.path, _report.near(found.path), 1) for line in _report.finding_lines(found)]


def mark(shell: Shell, errors: Sequence[Finding]) -> None:
    """Show that something saved is not live, and where."""
    places = [f"{_report.near(found.path)}:{found.lineno}" for found in errors if found.code != "HS306"] or ["?"]
    shown = ", ".join(places[:2]) + (f" and {len(places) - 2} more" if places[2:] else "")
    words = f"not live: {shown} (the old code runs)"
    dot = '<span style="color:var(--jp-warn-color0,#b26a00)">&#9679;</span>'
    publish(
        shell,
        f"hotswap: {words}",
        f'<div {_DIM} title="%hotswap errors says why">{dot} {escape(words)}</div>',
    )


def lines_html(lines: Iterable[str]) -> str:
    """Return lines of text as HTML, as they stand."""
    return f'<pre style="margin:0;background:none;color:inherit">{escape(chr(10).join(lines))}</pre>'
