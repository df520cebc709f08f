"""The import graph as a picture in SVG, what is imported on the left, and as text; the modules of the last swap marked.

Modules stand in columns: each one column right of what it imports, as far as there are no cycles. Inside a column the
order is that of the neighbours to the left, which keeps most lines from crossing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from html import escape
from typing import Final

from hotswap._graph._view import ImportGraph

MOST: Final = 80
"""Modules that a picture shows; of larger graphs, those next to the last swap."""

_ROW: Final = 32
_GAP: Final = 44
_HEIGHT: Final = 22
_LETTER: Final = 7.3

_FAINT: Final = 'stroke="currentColor" stroke-opacity=".28"'
_MARK: Final = "var(--jp-success-color1,var(--vscode-charts-green,currentColor))"
_PAPER: Final = "var(--jp-layout-color0,var(--vscode-editor-background,Canvas))"

Place = tuple[float, float, float]


def tree(graph: ImportGraph, marked: Collection[str]) -> str:
    """Return the graph as text, with ``*`` at the modules in `marked`."""
    lines = []
    for line in graph.tree().splitlines():
        words = line.split()
        lines.append(f"{line} *" if words and words[0] in marked else line)
    return "\n".join(lines)


def draw(graph: ImportGraph, marked: Collection[str]) -> str:
    """Return the graph as SVG in HTML; the modules in `marked`, and the imports between them, stand out."""
    shown = _shown(graph, marked)
    places = _places(graph, shown)
    lines = [_line(places, one, two, {one, two} <= set(marked)) for one, two in graph.edges if {one, two} <= set(shown)]
    boxes = [_box(name, places[name], name in marked, graph.dependents.get(name, 0)) for name in shown]
    width = max((x + w for x, _, w in places.values()), default=0) + 2
    height = max((y for _, y, _ in places.values()), default=0) + _HEIGHT + 2
    left_out = len(graph.modules) - len(shown)
    note = f'<div style="opacity:.65">{left_out} more modules: %hotswap graph PACKAGE</div>' if left_out else ""
    return (
        f'<div style="overflow-x:auto"><svg role="img" aria-label="imports" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="var(--jp-code-font-family,monospace)" font-size="12">'
        f"{''.join(lines)}{''.join(boxes)}</svg></div>{note}"
    )


def _shown(graph: ImportGraph, marked: Collection[str]) -> list[str]:
    if len(graph.modules) <= MOST:
        return list(graph.modules)
    near = {name for edge in graph.edges if not marked.__contains__(edge[0]) ^ (edge[1] in marked) for name in edge}
    wanted = [name for name in graph.modules if name in marked]
    wanted += [name for name in graph.modules if name in near and name not in marked]
    wanted += [name for name in graph.modules if name not in near and name not in marked]
    kept = set(wanted[:MOST])
    return [name for name in graph.modules if name in kept]


def _places(graph: ImportGraph, shown: list[str]) -> Mapping[str, Place]:
    """Return for each module left edge, top edge and width, in pixels."""
    column: dict[str, int] = {}
    for name in shown:  # imported ones come first
        column[name] = max((column[one] + 1 for one in graph.imports(name) if one in column), default=0)
    places: dict[str, Place] = {}
    tallest, left = max(Counter(column.values()).values(), default=0), 1.0
    for number in range(max(column.values(), default=-1) + 1):
        names = [name for name in shown if column[name] == number]
        names.sort(key=lambda name: _height_of(graph, name, places))
        top = 1.0 + (tallest - len(names)) * _ROW / 2
        width = max(len(name) for name in names) * _LETTER + 16
        for row, name in enumerate(names):
            places[name] = (left, top + row * _ROW, width)
        left += width + _GAP
    return places


def _height_of(graph: ImportGraph, name: str, places: Mapping[str, Place]) -> float:
    heights = [places[one][1] for one in graph.imports(name) if one in places]
    return sum(heights) / len(heights) if heights else 0.0


def _line(places: Mapping[str, Place], importer: str, imported: str, marked: bool) -> str:
    x1, y1, w1 = places[imported]
    x2, y2, _ = places[importer]
    start, end = (x1 + w1, y1 + _HEIGHT / 2), (x2, y2 + _HEIGHT / 2)
    bend = max(abs(end[0] - start[0]) / 2, 20)
    look = f'style="stroke:{_MARK}" stroke-width="2"' if marked else _FAINT
    return (
        f'<path fill="none" {look} d="M{start[0]:.0f} {start[1]:.0f}'
        f'C{start[0] + bend:.0f} {start[1]:.0f} {end[0] - bend:.0f} {end[1]:.0f} {end[0]:.0f} {end[1]:.0f}"/>'
    )


def _box(name: str, place: Place, marked: bool, dependents: int) -> str:
    x, y, width = place
    look = f'style="fill:{_PAPER};stroke:{_MARK}" stroke-width="2"' if marked else f'style="fill:{_PAPER}" {_FAINT}'
    weight = ' font-weight="600"' if marked else ""
    told = f"{dependents} module{'s' if dependents != 1 else ''} depend{'s' if dependents == 1 else ''} on it"
    return (
        f"<g><title>{escape(name)}: {told}{', in the last swap' if marked else ''}</title>"
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{_HEIGHT}" rx="6" {look}/>'
        f'<text x="{x + 8:.0f}" y="{y + 15:.0f}" fill="currentColor"{weight}>'
        f"{escape(name)}</text></g>"
    )
