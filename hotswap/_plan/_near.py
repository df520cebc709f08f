"""Which modules may do more with what changes than bind it, found from sketches, without reading their texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from hotswap._graph._sketch import Sketch
from hotswap._model import Diff, Edit, Kind
from hotswap._process import Process

_Named = tuple[str, str]


def looking_up(process: Process, members: AbstractSet[str], affected: AbstractSet[str]) -> set[str]:
    """Return the modules that, while they run, may look up one of `members` of classes, or call what does.

    What they call may be in a module that knows nothing of these classes, and so may what it calls in turn.
    """
    found = {n for modules in process.bindings.by_attribute(members) for n in modules if n in affected}
    calls = _Calls(process, members)
    read = {name: calls.read_by(name) for name in affected} if members else {}
    there = calls.that_look_up({one for reads in read.values() for one in reads})
    found |= {name for name, reads in read.items() if not there.isdisjoint(reads)}
    return found | {module for module, _ in there}


class _Calls:
    """Who may call whom: definitions, each a module and a name in it, as sketches have them."""

    def __init__(self, process: Process, members: AbstractSet[str]) -> None:
        self._sketches, self._members = process.bindings.sketches, members

    def read_by(self, module: str) -> set[_Named]:
        """Return what `module` may call while it runs."""
        sketch = self._sketches.get(module)
        if sketch is None:
            return set()
        read = {(source, there) for source, there, here in sketch.froms if here in sketch.runs}
        inside = (one for here, one in sketch.modules if here in sketch.runs)
        return read.union(*(self._offered(one, sketch.attributes) for one in inside))

    def that_look_up(self, read: Iterable[_Named]) -> set[_Named]:
        """Return those of `read`, and of what these may call, that may come to look up one of the members."""
        callers: dict[_Named, list[_Named]] = {}
        waiting, seen, found = list(read), set(read), list[_Named]()
        while waiting:
            one = waiting.pop()
            called, looks_up = self._called_by(*one)
            found += [one] if looks_up else []
            for inner in called:
                callers.setdefault(inner, []).append(one)
            waiting += called - seen
            seen |= called
        there = set(found)
        while found:
            further = {one for one in callers.get(found.pop(), ()) if one not in there}
            there |= further
            found += further
        return there

    def _called_by(self, module: str, name: str) -> tuple[set[_Named], bool]:
        """Return what a call of `name` of a module may call, and whether it looks up one of the members itself."""
        sketch = self._sketches.get(module)
        if sketch is None:
            return set(), False
        used = _used_by(sketch, name)
        called = {(source, there) for source, there, here in sketch.froms if here in used or here == name}
        called = called.union(*(self._offered(one, used) for here, one in sketch.modules if here in used))
        return called.union((module, one) for one in used & sketch.own), not self._members.isdisjoint(used)

    def _offered(self, module: str, names: AbstractSet[str]) -> set[_Named]:
        """Return those of `names` that a module has: it binds them."""
        sketch = self._sketches.get(module)
        return set() if sketch is None else {(module, one) for one in names & sketch.own}


def _used_by(sketch: Sketch, name: str) -> AbstractSet[str]:
    """Return the names in what a call of `name` runs; if it is no definition, in all that it may be made of."""
    if name in sketch.bodies:
        bodies = sketch.bodies[name]
        return {one for method, used in bodies if method in (name, "__init__") or method[0] == "<" for one in used}
    if name not in sketch.own or any(name == here for _, _, here in sketch.froms):
        return set()
    return sketch.runs.union(one for bodies in sketch.bodies.values() for _, used in bodies for one in used)


def see_loading(process: Process, edits: Iterable[Edit]) -> None:
    """Have modules count as importers of edited ones if they load modules by computed names and look up, on what they
    get, a name that changed, or may hand on any name.
    """
    for edit in edits if process.dynamic else ():
        names = {name.rpartition(".")[2] for name in names_in(edit.diff)}
        for name in process.dynamic - {edit.module}:
            sketch, known = process.sketch(name), process.graph.imports(name)
            serves = sketch is None or "__getattr__" in sketch.bodies
            if serves or sketch is None or not names.isdisjoint(sketch.attributes) or sketch.uses(names):
                process.graph.update(name, {*known, edit.module})


def names_in(diff: Diff) -> Iterator[str]:
    """Yield the names that statements which changed, came or went bind; of classes those inside, dotted."""
    for pair in diff.changed:
        if pair.inner is None:
            yield from (*pair.old.binds, *pair.new.binds)
        else:
            scope = f"{pair.new.binds[-1]}." if pair.new.kind is Kind.CLASS else ""
            yield from (scope + name for name in names_in(pair.inner))
    for statement in (*diff.added, *diff.removed):
        yield from statement.binds


def find_near(process: Process, edits: Mapping[str, Edit], come_or_go: Mapping[str, frozenset[str]]) -> set[str]:
    """Return the modules that may do more with what changes than bind it, with those on the way to them."""
    served = {name for name, edit in edits.items() if "__getattr__" in edit.new.text}
    near, pending = set(edits), list(edits)
    while pending:
        name = pending.pop()
        found = process.graph.importers(name)
        if name not in served:
            found = _concerned(process, name, found, come_or_go.get(name, ()), bool(any(come_or_go.values())))
        pending += found - near
        near |= found
    return near


def concerned_importers(process: Process, name: str) -> set[str]:
    return _concerned(process, name, process.graph.importers(name), (), any_other=False)


def _concerned(
    process: Process, name: str, importers: AbstractSet[str], other: Iterable[str], any_other: bool
) -> set[str]:
    """Return those of the `importers` of a module that have to be looked at; `other` are names that come or go."""
    bindings = process.bindings
    found = set(importers & process.graph.imported)
    found |= importers & bindings.closer.get(name, set())
    found |= importers & (process.unsketched | process.dynamic)
    found |= importers - bindings.sketches.keys()
    if any_other:
        found |= importers & bindings.starred.get(name, set())
        found |= importers & set(bindings.importers(name, other))
    return found


def names_that_come_or_go(edit: Edit) -> frozenset[str]:
    """Return the names of a module that its old text or its new one does not bind."""
    if not (edit.diff.added or edit.diff.removed or edit.diff.changed):
        return frozenset()
    old, new = ({name for one in snapshot.statements for name in one.binds} for snapshot in (edit.old, edit.new))
    return frozenset(old ^ new | ({"__all__"} & (old | new)))
