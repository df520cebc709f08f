"""What ``%hotswap`` shows: whether the session looks, what is not live, and the last reports."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from hotswap import _report
from hotswap._process import PROCESS
from hotswap.integrations.ipython import _showing

if TYPE_CHECKING:
    from hotswap.integrations.ipython._session import Session

MODES: Final = {
    "on": "on: the disk is looked at before each cell",
    "live": "live: what is saved is applied at once, also between cells",
    "off": "off: nothing is applied until %hotswap on",
}
SHOWN: Final = 5
"""Reports that are shown, the newest first."""


def both(session: Session) -> tuple[str, str]:
    """Return the status as text and as HTML."""
    reports = session.reloader.reports()[: -SHOWN - 1 : -1]
    errors = session.reloader.errors()
    text = [f"hotswap {MODES[session.mode]}", f"  {_looked_after(session)}"]
    text += [f"  not live: {line}" for one in errors for line in _showing.lines(one)[:1]]
    text += [f"  {report.headline.removeprefix('hotswap: ')}" for report in reports]
    folded = (report.to_html().replace(" open><summary", "><summary", 1) for report in reports)
    shown = "".join(f"<div>{one}</div>" for one in folded)
    wrong = "".join(f"<div>&#9888; {escape(line)}</div>" for one in errors for line in _showing.lines(one)[:1])
    html = (
        f'<div style="font-size:.95em"><div><b>hotswap</b> is {escape(MODES[session.mode])}</div>'
        f'<div style="opacity:.65;margin-bottom:.4em">{escape(_looked_after(session))}</div>{wrong}{shown}</div>'
    )
    return "\n".join(text), html


def last_swapped(session: Session) -> frozenset[str]:
    """Return the modules that the last swap changed."""
    reports = [report for report in session.reloader.reports() if report.changed]
    outcomes = reports[-1].outcomes if reports else ()
    return frozenset(outcome.step.module for outcome in outcomes if outcome.patches or outcome.ran)


def _looked_after(session: Session) -> str:
    modules = sum(name.partition(".")[0] not in ("__main__", "hotswap") for name in PROCESS.baselines)
    roots = ", ".join(map(_report.near, session.reloader.settings.roots))
    return f"{modules} module{'s' if modules != 1 else ''} below {roots}; swap {PROCESS.generation}"
