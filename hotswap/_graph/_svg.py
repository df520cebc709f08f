"""The import graph as a picture, drawn by hand: columns from what imports nothing to what nobody imports.

No layout engine is asked: modules in topological order fall into columns by themselves, and a few passes that put each
near its neighbours leave few crossings. Cycles stand in one column, in red; the modules that most depend on are filled.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotswap._graph._view import ImportGraph

_ROW: Final = 34
_HEIGHT: Final = 22
_GAP: Final = 90
_LETTER: Final = 7.2
"""Pixels that a letter of the font takes."""
_PASSES: Final = 4
_STYLE: Final = (
    "text{font:12px ui-monospace,monospace}rect{fill:#fff;stroke:#888}path{fill:none;stroke:#bbb}"
    ".cycle{stroke:#c00;stroke-width:2}.hot{fill:#fd8}path.cycle{stroke:#c00}"
)


def draw(graph: ImportGraph) -> str:
    """Return `graph` as an SVG document; arrows run from the importer to what it imports."""
    columns = _columns(graph)
    places = dict(_places(columns))
    width = max((x + w for x, _, w in places.values()), default=0) + 20
    height = max((y for _, y, _ in places.values()), default=0) + _ROW
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="to" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8"/></marker></defs>',
        *_arrows(graph, places),
        *_boxes(graph, places),
        "</svg>",
    ]
    return "\n".join(lines)


def _columns(graph: ImportGraph) -> list[list[str]]:
    """Return the modules by column: each to the right of all that it imports, those of a cycle in one."""
    group = {name: cycle for cycle in graph.cycles for name in cycle}
    imports: dict[str, list[str]] = {name: [] for name in graph.modules}
    near: dict[str, list[str]] = {name: [] for name in graph.modules}
    for importer, imported in graph.edges:
        imports[importer].append(imported)
        near[importer].append(imported)
        near[imported].append(importer)
    depth: dict[str, int] = {}
    for name in graph.modules:  # what is imported stands first
        members = group.get(name, (name,))
        below = [one for member in members for one in imports[member] if one not in members]
        depth[name] = max((depth[one] for one in below if one in depth), default=-1) + 1
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in graph.modules:
        columns[depth[name]].append(name)
    for _ in range(_PASSES):
        _untangle(columns, near)
    return columns


def _untangle(columns: list[list[str]], near: dict[str, list[str]]) -> None:
    """Put each module near the middle of its neighbours."""
    row = {name: index for column in columns for index, name in enumerate(column)}
    middle = {name: sum(row[one] for one in others) / (len(others) or 1) for name, others in near.items()}
    for column in columns:
        column.sort(key=middle.__getitem__)


def _places(columns: list[list[str]]) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Yield left edge, middle and width of each module's box."""
    left = 10.0
    for column in columns:
        width = max(len(name) for name in column) * _LETTER + 16
        yield from ((name, (left, 20.0 + _ROW * index, width)) for index, name in enumerate(column))
        left += width + _GAP


def _arrows(graph: ImportGraph, places: dict[str, tuple[float, float, float]]) -> Iterator[str]:
    group = {name: cycle for cycle in graph.cycles for name in cycle}
    for importer, imported in graph.edges:
        (x, y, _), (left, middle, width) = places[importer], places[imported]
        mark = ' class="cycle"' if importer in group and group[importer] == group.get(imported) else ""
        end, bend = left + width, _GAP / 2
        curve = f"C{x - bend:.0f} {y:.0f} {end + bend:.0f} {middle:.0f} {end:.0f} {middle:.0f}"
        yield f'<path{mark} marker-end="url(#to)" d="M{x:.0f} {y:.0f}{curve}"/>'


def _boxes(graph: ImportGraph, places: dict[str, tuple[float, float, float]]) -> Iterator[str]:
    in_cycle = {name for cycle in graph.cycles for name in cycle}
    hot = set(graph.hottest)
    for name, (x, y, width) in places.items():
        marks = " ".join([*(["cycle"] if name in in_cycle else []), *(["hot"] if name in hot else [])])
        mark = f' class="{marks}"' if marks else ""
        told = f"{name}: {graph.dependents.get(name, 0)} modules depend on it"
        yield f"<g><title>{escape(told)}</title>"
        yield f'<rect{mark} x="{x:.0f}" y="{y - _HEIGHT / 2:.0f}" width="{width:.0f}" height="{_HEIGHT}" rx="4"/>'
        yield f'<text x="{x + 8:.0f}" y="{y + 4:.0f}">{escape(name)}</text></g>'
