"""Stage 6, the import graph: who imports whom, who is affected by a change, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, KeysView, Mapping
    from collections.abc import Set as AbstractSet

_EMPTY: Final[frozenset[str]] = frozenset()


class Graph:
    """Imports both ways, kept up to date edge by edge.

    Names that are no loaded modules do no harm: nothing comes from them unless it is asked for, and that never raises.
    """

    def __init__(self) -> None:
        self._imports: dict[str, set[str]] = {}
        self._importers: dict[str, set[str]] = {}
        self._firm_importers: dict[str, set[str]] = {}

    def update(self, module: str, imported: Iterable[str], loose: Iterable[str] = ()) -> None:
        """Set what `module` imports, in place of what it imported before. An import of itself is left out.

        `loose` are those of them that `order` may break a cycle at. While a swap is under way, pass what the old and
        the new text import: groups hold by either.
        """
        new = {name for name in imported if name != module}
        firm = new.difference(loose)
        old = self._imports.get(module, set())
        _redirect(self._importers, module, old - new, new - old)
        _redirect(self._firm_importers, module, old - firm, firm)
        self._imports[module] = new

    def forget(self, module: str) -> None:
        """Drop what `module` imports. Those who import it stay its dependents: their texts still name it."""
        self.update(module, ())
        del self._imports[module]

    def imports(self, module: str) -> tuple[str, ...]:
        """Return what `module` imports directly, by name."""
        return tuple(sorted(self._imports.get(module, _EMPTY)))

    def dependents(self, module: str) -> tuple[str, ...]:
        """Return the direct importers of `module`, by name."""
        return tuple(sorted(self._importers.get(module, _EMPTY)))

    def importers(self, module: str) -> AbstractSet[str]:
        """Return the direct importers of `module`; what is returned is the graph's own, and changes with it."""
        return self._importers.get(module, _EMPTY)

    @property
    def imported(self) -> KeysView[str]:
        """The modules that somebody imports."""
        return self._importers.keys()

    def between(self, modules: AbstractSet[str], ends: Iterable[str]) -> set[str]:
        """Return those of `modules` that are `ends`, or are imported by one of them, directly or through others."""
        return _reach(ends, {name: self._imports.get(name, set()) & modules for name in modules})

    def affected(self, modules: Iterable[str]) -> frozenset[str]:
        """Return `modules` and all that import one of them, directly or through others."""
        return frozenset(_reach(modules, self._importers))

    def groups(self, modules: Iterable[str]) -> tuple[frozenset[str], ...]:
        """Split `modules` so that two are in one group if one imports the other, directly or through any module.

        Two that merely import, or are imported by, the same third module are in separate groups. Groups come in the
        order in which `modules` names their first member.
        """
        chosen = dict.fromkeys(modules)
        if len(chosen) == 1:
            return (frozenset(chosen),)
        # On a path between two of them lies just what both imports one and is imported by one.
        between = _reach(chosen, self._importers) & _reach(chosen, self._imports)
        near = {n: between & (self._imports.get(n, _EMPTY) | self._importers.get(n, _EMPTY)) for n in between}
        taken: set[str] = set()
        components = (_reach((module,), near, taken) for module in chosen)
        return tuple(frozenset(component & chosen.keys()) for component in components if component)

    def order(self, modules: Iterable[str], rank: Mapping[str, int]) -> tuple[tuple[str, ...], ...]:
        """Return `modules` in topological order, what is imported first; an import cycle is one tuple.

        `rank` says the order of first import: it decides between modules that don't depend on each other and inside
        a cycle; modules without a rank come last, by name. Note it from ``sys.modules`` before anything is reloaded:
        CPython puts a module at its end when the body has *ended*, so that even in a cycle what ended first stands
        first, and puts it there again at each `importlib.reload`. Paths through modules outside `modules` count; loose
        imports do as long as they make no cycle. Takes linear time in affected modules and edges, but for one sort.
        """
        chosen = set(modules)
        if len(chosen) == 1:
            return (tuple(chosen),)
        scope = self._between_importers(chosen)
        ranked = sorted(scope, key=lambda name: (name not in rank, rank.get(name, 0), name))
        components: list[list[str]] = []
        for component in _components(ranked, self._importers):
            components += [component] if len(component) == 1 else _components(component, self._firm_importers)
        shown = ([name for name in component if name in chosen] for component in components)
        return tuple(tuple(names) for names in shown if names)

    def _between_importers(self, chosen: set[str]) -> set[str]:
        """Return `chosen` and all that import them, but for modules outside `chosen` that nobody imports."""
        scope, pending, imported = set(chosen), list(chosen), self._importers.keys()
        while pending:
            new = (self._importers.get(pending.pop(), _EMPTY) & imported) - scope
            scope |= new
            pending.extend(new)
        return scope

    def cycles(self, modules: Iterable[str]) -> tuple[tuple[str, ...], ...]:
        """Return the import cycles among `modules`, each by name; loose imports make none."""
        return tuple(component for component in self.order(modules, {}) if len(component) > 1)


def _redirect(importers: dict[str, set[str]], module: str, gone: set[str], come: set[str]) -> None:
    for name in gone & importers.keys():
        importers[name].discard(module)
        if not importers[name]:
            del importers[name]
    for name in come:
        importers.setdefault(name, set()).add(module)


def _components(nodes: list[str], near: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected components of `nodes`, imported ones first, each in the order of `nodes`.

    Kosaraju's algorithm: in the reverse of the order in which a walk along the imports leaves the modules, all
    importers (`near`) that a module reaches and that are not taken yet are in a cycle with it.
    """
    position = {name: index for index, name in enumerate(nodes)}
    inside = set(nodes)
    importers = {name: inside & near.get(name, _EMPTY) for name in nodes}
    imports: dict[str, list[str]] = {name: [] for name in nodes}
    for name in nodes:
        for importer in importers[name]:
            imports[importer].append(name)  # by rank, as nodes are: no further sort
    taken: set[str] = set()
    components = [_reach((name,), importers, taken) for name in reversed(_leaving_order(imports))]
    return [sorted(names, key=position.__getitem__) for names in reversed(components) if names]


def _reach(start: Iterable[str], near: Mapping[str, set[str]], taken: set[str] | None = None) -> set[str]:
    """Return `start` and all that it reaches, without what is in `taken`, and take it."""
    seen = set() if taken is None else taken
    pending = [name for name in start if name not in seen]
    result = set(pending)
    seen |= result
    while pending:
        new = near.get(pending.pop(), _EMPTY) - seen
        seen |= new
        result |= new
        pending.extend(new)
    return result


def _leaving_order(near: Mapping[str, list[str]]) -> list[str]:
    """Return all of `near` in the order in which a walk in depth, started at each in turn, is done with them."""
    seen: set[str] = set()
    result: list[str] = []
    for root in near:
        stack = [] if root in seen else [(root, iter(near[root]))]
        seen.add(root)
        while stack:
            name, pending = stack[-1]
            for other in pending:
                if other not in seen:
                    seen.add(other)
                    stack.append((other, iter(near[other])))
                    break
            else:
                stack.pop()
                result.append(name)
    return result
