"""The numbers of a run as a picture: ``python benchmarks/plot.py all.json docs/images/performance.svg``.

One bar a row, on a scale of powers of ten: blue up to what is to be reached, red beyond, grey where nothing is; a line
marks the limit. Rows that are no ratios are left out.
"""

from __future__ import annotations

import json
import math
import sys
from html import escape
from pathlib import Path
from typing import Any, Final

LEFT, WIDE, HIGH, FROM, TO = 250, 420, 20, 0.05, 1000.0
UNITS: Final = ("(ms)", "(us)", "MiB")


def place(value: float) -> float:
    """Return how far to the right `value` stands."""
    share = (math.log10(value) - math.log10(FROM)) / (math.log10(TO) - math.log10(FROM))
    return LEFT + WIDE * min(max(share, 0.0), 1.0)


def bar(row: dict[str, Any], top: int) -> str:
    """Return one row, with its name, its bar, its number and its limit."""
    value, limit = row["value"], row["limit"]
    color = "#9a9a9a" if not limit else "#3b78b5" if value <= limit else "#c0504d"
    end = place(value)
    parts = [
        f'<text x="{LEFT - 8}" y="{top + 13}" text-anchor="end">{escape(row["name"])}</text>',
        f'<rect x="{LEFT}" y="{top + 3}" width="{end - LEFT:.1f}" height="{HIGH - 7}" fill="{color}"/>',
        f'<text x="{end + 5:.1f}" y="{top + 13}">{value:.2f}</text>',
    ]
    if limit:
        at = place(limit)
        parts.append(f'<path d="M{at:.1f} {top}v{HIGH - 1}" stroke="#222" stroke-dasharray="3 2"/>')
    return "".join(parts)


def draw(rows: list[dict[str, Any]]) -> str:
    """Return the picture."""
    ratios = [row for row in rows if not any(unit in row["name"] for unit in UNITS)]
    height = HIGH * (len(ratios) + 2)
    bars = "\n".join(bar(row, HIGH * number) for number, row in enumerate(ratios))
    ticks = [0.1, 1.0, 10.0, 100.0, 1000.0]
    marks = "".join(
        f'<text x="{place(tick):.1f}" y="{height - 12}" text-anchor="middle">{tick:g}</text>' for tick in ticks
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDE + 70} {height}" font-size="11"'
    title = "<title>Ratios to the floor; dashed: to reach</title>"
    return f'{head} font-family="sans-serif">\n{title}\n{bars}\n{marks}\n</svg>\n'


if __name__ == "__main__":
    found = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Path(sys.argv[2]).write_text(draw(found), encoding="utf-8")
