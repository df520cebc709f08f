"""The import graph as a value, and as text: who imports whom, what is in a cycle, and on what most depends."""

from __future__ import annotations

import importlib.machinery
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import decode_source
from typing import Final

from hotswap._errors import TargetError
from hotswap._graph._imports import edges, loose, mentions
from hotswap._graph._order import Graph
from hotswap._text._source import read

HOT: Final = 3
"""How many of the modules on which most others depend are marked."""

_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "build", "dist"})


@dataclass(frozen=True, slots=True)
class ImportGraph:
    """Modules, those that are imported first, and their imports of each other as pairs (importer, imported).

    `cycles` are groups that import each other while they are imported; imports in function bodies and below
    ``if TYPE_CHECKING:`` make edges, but no cycles. `dependents` counts the modules that depend on one, also through
    others: so many a change of it may concern.
    """

    modules: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    cycles: tuple[tuple[str, ...], ...] = ()
    dependents: Mapping[str, int] = field(default_factory=dict)

    def imports(self, module: str) -> tuple[str, ...]:
        """Return what `module` imports directly."""
        return tuple(imported for importer, imported in self.edges if importer == module)

    def importers(self, module: str) -> tuple[str, ...]:
        """Return the direct importers of `module`."""
        return tuple(importer for importer, imported in self.edges if imported == module)

    @property
    def hottest(self) -> tuple[str, ...]:
        """The modules on which most others depend, the first one first; none that nothing depends on."""
        ranked = sorted(self.modules, key=lambda name: (-self.dependents.get(name, 0), name))
        return tuple(name for name in ranked[:HOT] if self.dependents.get(name))

    def tree(self) -> str:
        """Return the graph as text: each module that nobody imports, what it imports below it, each subtree once."""
        return "\n".join(_tree(self)) or "no modules"

    def mermaid(self) -> str:
        """Return the graph in the language of Mermaid, which many viewers of Markdown draw."""
        number = {name: f"m{index}" for index, name in enumerate(self.modules)}
        lines = ["graph LR", *(f'  {number[name]}["{name}"]' for name in self.modules)]
        lines += [f"  {number[importer]} --> {number[imported]}" for importer, imported in self.edges]
        lines += ["  classDef cycle stroke:#c00,stroke-width:2px", "  classDef hot fill:#fd8"]
        lines += [f"  class {number[name]} cycle" for cycle in self.cycles for name in cycle]
        return "\n".join([*lines, *(f"  class {number[name]} hot" for name in self.hottest)])

    def dot(self) -> str:
        """Return the graph in the language of Graphviz."""
        marks = {name: ["color=red"] for cycle in self.cycles for name in cycle}
        for name in self.hottest:
            marks.setdefault(name, []).append('style=filled, fillcolor="#ffdd88"')
        lines = [f'  "{name}" [{", ".join(marks.get(name, ()))}];' for name in self.modules]
        lines += [f'  "{importer}" -> "{imported}";' for importer, imported in self.edges]
        return "\n".join(["digraph imports {", "  rankdir=LR;", *lines, "}"])

    def svg(self) -> str:
        """Return the graph as a picture, an SVG document that browsers show; drawn here, with no other program."""
        from hotswap._graph._svg import draw  # only who asks for a picture needs it

        return draw(self)

    def __str__(self) -> str:
        return self.tree()


def _tree(graph: ImportGraph) -> Iterator[str]:
    imported = {name for _, name in graph.edges}
    shown: set[str] = set()
    roots = [name for name in graph.modules if name not in imported]
    for root in (*sorted(roots), *graph.modules):
        if root not in shown:
            yield from _branch(graph, root, shown)
    for cycle in graph.cycles:
        yield f"cycle: {' -> '.join((*cycle, cycle[0]))}"
    for name in graph.hottest:
        yield f"hot: {name} ({graph.dependents[name]} modules depend on it)"


def _branch(graph: ImportGraph, root: str, shown: set[str]) -> Iterator[str]:
    in_cycle = {name for cycle in graph.cycles for name in cycle}
    hot = set(graph.hottest)
    stack = [(root, 0)]  # a stack of our own: chains of imports may be deeper than the recursion limit
    while stack:
        name, depth = stack.pop()
        marks = "".join([" (cycle)" if name in in_cycle else "", " (hot)" if name in hot else ""])
        below = graph.imports(name)
        again = " ..." if name in shown and below else ""
        yield f"{'  ' * depth}{name}{marks}{again}"
        if name not in shown:
            shown.add(name)
            stack.extend((inner, depth + 1) for inner in reversed(below))


def build(sources: Mapping[str, tuple[str, str]], extra: Mapping[str, Iterable[str]] | None = None) -> ImportGraph:
    """Return the graph of `sources`, text and ``__package__`` by module; `extra` are imports that no text shows."""
    graph = Graph()
    for name, (text, package) in sources.items():
        found = mentions(text, package) | set((extra or {}).get(name, ()))
        graph.update(name, found & sources.keys())
    rank = {name: index for index, name in enumerate(sources)}
    for cycle in graph.cycles(sources):
        for name in cycle:
            _look_closer(graph, name, *sources[name], sources, set((extra or {}).get(name, ())))
    order = [name for component in graph.order(sources, rank) for name in component]
    pairs = tuple((name, imported) for name in order for imported in graph.imports(name) if imported in sources)
    counts = {name: len(graph.affected([name]) & sources.keys()) - 1 for name in order}
    return ImportGraph(tuple(order), pairs, graph.cycles(sources), counts)


def _look_closer(
    graph: Graph, name: str, text: str, package: str, sources: Mapping[str, object], held: set[str]
) -> None:
    """Replace what the text of `name` may import by what it does import, and note what need not come before it."""
    try:
        found = edges(read(text, name, name), package, sources.__contains__)
    except (SyntaxError, ValueError):
        return
    graph.update(name, {*held, *(edge.imported for edge in found)} & sources.keys(), loose(found))


def of_files(target: str, folder: str) -> ImportGraph:
    """Return the graph of the package, module or folder `target`, read from its files; nothing is imported.

    "" means all of `folder`, which is where packages are looked for first. Raises TargetError if there is none.
    """
    return build(dict(_sources(target, folder)))


def files_below(folder: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, path and package of each module below `folder`, as it would be imported from there."""
    return _below(folder, "")


def name_below(path: str, folder: str) -> str:
    """Return the module that the file `path` would be imported as from `folder`, "" if it would not be."""
    *packages, name = os.path.relpath(path, folder).removesuffix(".py").split(os.sep)
    parts = [*packages, name] if name != "__init__" else packages
    return ".".join(parts) if _SKIPPED.isdisjoint(packages) and all(map(str.isidentifier, parts)) else ""


def _sources(target: str, folder: str) -> Iterator[tuple[str, tuple[str, str]]]:
    if not target or os.path.isdir(target):
        for found in files_below(os.path.abspath(target or folder)):
            yield from _file(*found)
        return
    spec = importlib.machinery.PathFinder.find_spec(target, [folder]) or importlib.machinery.PathFinder.find_spec(
        target
    )
    if spec is None:
        raise TargetError(f"{target}: no such package, module or folder")
    for place in spec.submodule_search_locations or ():
        for found in _below(place, target):
            yield from _file(*found)
    if not spec.submodule_search_locations and spec.origin:
        yield from _file(target, spec.origin, target.rpartition(".")[0])


def _below(folder: str, package: str) -> Iterator[tuple[str, str, str]]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name, ending = os.path.splitext(entry.name)
        dotted = f"{package}.{name}" if package else name
        if entry.is_dir() and name.isidentifier() and name not in _SKIPPED and not ending:
            yield from _below(entry.path, dotted)
        elif ending == ".py" and name == "__init__" and package:
            yield package, entry.path, package
        elif ending == ".py" and name.isidentifier() and name != "__init__":
            yield dotted, entry.path, package


def _file(name: str, path: str, package: str) -> Iterator[tuple[str, tuple[str, str]]]:
    try:
        with open(path, "rb") as file:
            yield name, (decode_source(file.read()), package)
    except (OSError, SyntaxError, UnicodeDecodeError):
        return
