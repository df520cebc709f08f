"""Stage 7: which statements may have to run because something that they read may change.

An upper bound from names alone: nothing is evaluated, no live object is looked at. Two kinds of taint travel through
the modules of a group, in topological order: a name may be bound to another value, or a function may behave otherwise
when it is called. What really changed is found out while the plan is applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from hotswap._diff import decorators, only_code, same_header
from hotswap._facts import Fact, Facts
from hotswap._model import Diff, Kind, Pair, Statement
from hotswap._sketch import Sketch

_CONSTRUCTORS = ("__init__", "__new__", "__post_init__", "__call__", "__init_subclass__")

WHOLE = frozenset({"dir", "globals", "locals", "vars"})
"""What gives all names of a module, when called without arguments."""


@dataclass(slots=True)
class Taint:
    """What may change in one module. `modules` are its names that are modules, `froms` its from-imports.

    `deferred` are from-imports in function bodies: they bind nothing in the module, but what the body does with them
    may be something else. Of a module that only binds what changes there are no `facts`, but its `own` names.
    """

    facts: Facts | None
    certain: frozenset[int] = frozenset()
    values: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    modules: dict[str, str] = field(default_factory=dict)
    froms: list[tuple[str, str, str]] = field(default_factory=list)
    deferred: list[tuple[str, str, str]] = field(default_factory=list)
    stars: list[str] = field(default_factory=list)
    own: frozenset[str] = frozenset()
    found: dict[tuple[int, ...], str] = field(default_factory=dict)
    follows: bool = False

    def __bool__(self) -> bool:
        return bool(self.values or self.calls)


class Selection:
    """Grows module by module, in topological order, so that a dependent is looked at only if something may reach it.

    `come_or_go` are, by module, the names that only its old text or only its new one binds.
    """

    def __init__(self, come_or_go: Mapping[str, frozenset[str]] | None = None) -> None:
        self._taints: dict[str, Taint] = {}
        self._members: set[str] = set()
        self._late: set[str] = set()
        self._met_late: set[str] = set()
        self._come_or_go = come_or_go or {}

    def add(
        self, facts: Facts, diff: Diff | None = None, held: Mapping[str, str] | None = None, *, leaf: bool = False
    ) -> None:
        """Take in a module; what is tainted in it follows from its `diff` and from the modules taken in before.

        `held` are names of it that are known, from the live module, to be modules; `leaf` says that nobody imports it.
        """
        taint = self._taints[facts.module] = _taint_of(facts, diff, held or {})
        if diff is not None:
            _from_diff(diff, taint, "")
            self._note_members(taint.values | taint.calls)
        self._late |= facts.sources - self._taints.keys()
        if diff is not None or not leaf or not self._only_binds(taint):
            self._spread(taint)

    def meet(self, module: str, sketch: Sketch, *, odd: bool) -> bool:
        """Return whether the facts of `module` are needed; if not, what is tainted in it is noted here.

        `odd` says that it binds imported names in ways that do not simply follow.
        """
        self._met_late |= sketch.imported - self._taints.keys()
        taint = Taint(None, own=sketch.own)
        inner = self._import_sketch(sketch, taint)
        names = {name.partition(".")[0] for name in (*taint.values, *taint.calls, *taint.modules)}
        if not self._members.isdisjoint(sketch.attributes) or (sketch.runs_own and sketch.uses(names | self._members)):
            return True
        if not names and not inner:
            return False
        if (names and odd) or (inner and (sketch.odd or sketch.runs_own)) or self._comes_or_goes(sketch):
            return True
        if not (names | (WHOLE if names else frozenset())).isdisjoint(sketch.runs):
            return True
        if not all(here in sketch.once for _, _, here in sketch.froms if here in names):
            return True
        self._spread_sketch(sketch, taint, names, inner=inner)
        self._taints[module] = taint
        return False

    def _comes_or_goes(self, sketch: Sketch) -> bool:
        """Whether a module imports a name that comes or goes, by itself or with a star, or is served otherwise."""
        known = self._come_or_go
        if any(known.values()) and any(self._taints.get(source) for source in sketch.stars):
            return True
        taints = self._taints
        return any(
            there in known.get(source, ()) or (source in taints and _is_served(there, taints[source]))
            for source, there, _ in sketch.froms
        )

    def _import_sketch(self, sketch: Sketch, taint: Taint) -> bool:
        """Taint what a module imports; return whether function or class bodies import what may change."""
        taints = self._taints
        for source, there, here in sketch.froms:
            if other := taints.get(source):
                self._carry(taint, here, other, there)
            if taints.get(f"{source}.{there}"):
                taint.modules[here] = f"{source}.{there}"
        for here, source in sketch.modules:
            if taints.get(source):
                taint.modules[here] = source
        for source in sketch.stars:
            if other := taints.get(source):
                self._import_star(taint, other)
        return any(
            _changes(taints.get(source), there) or bool(taints.get(f"{source}.{there}" if there else source))
            for source, there in sketch.inner
        )

    def _spread_sketch(self, sketch: Sketch, taint: Taint, names: set[str], *, inner: bool) -> None:
        """Taint the definitions of a module whose functions use what may change."""
        for name, methods in sketch.using(names | self._members, imports=inner):
            taint.calls.add(name)
            self._members |= methods

    def _only_binds(self, taint: Taint) -> bool:
        """Whether nothing that the module runs may be concerned, whatever its functions do: its imports suffice."""
        facts = taint.facts
        assert facts is not None
        if taint.stars or facts.runs_own or facts.nested_imports or not self._members.isdisjoint(facts.by_attribute):
            return False
        if any(
            self._taints.get(module) and here.partition(".")[0] in facts.runs for here, module in taint.modules.items()
        ):
            return False
        self._import(taint)
        return facts.runs.isdisjoint(name.partition(".")[0] for name in (*taint.values, *taint.calls))

    def force(self, module: str, names: Iterable[str]) -> None:
        """Take `names` of a module taken in before as changed: their statements run because somebody asked for it."""
        taint = self._taints[module]
        taint.values |= set(names)
        self._note_members(names)
        self._spread(taint)

    def may_reach(self, imported: Iterable[str], text: str) -> bool:
        """Whether something of the modules `imported` that may change is named in `text`, or star-imported."""
        names = {name.partition(".")[0] for module in imported for name in self._names(module)}
        if bool(names) and ("*" in text or "__getattr__" in names or any(name in text for name in names)):
            return True
        return any(f".{name}" in text for name in self._members)

    def _names(self, module: str) -> Iterator[str]:
        taint = self._taints.get(module)
        if taint is not None:
            yield from taint.values
            yield from taint.calls

    def chosen(self) -> dict[str, dict[tuple[int, ...], str]]:
        """Return, by module, the places of unchanged statements that may have to run, each with its reason.

        Modules of an import cycle may taint each other in either direction, so all are gone through again.
        """
        size = -1
        while self._late & self._taints.keys() and size != (size := self._size()):
            for taint in self._taints.values():
                if taint.facts is not None:
                    self._spread(taint)
        return {module: taint.found for module, taint in self._taints.items()}

    @property
    def members(self) -> frozenset[str]:
        """The last parts of members of classes that may change, which anybody may look up on an object."""
        return frozenset(self._members)

    @property
    def came_late(self) -> bool:
        """Whether something may have changed in a module after one that imports it was taken in."""
        return not self._met_late.isdisjoint(self._taints)

    def values(self, module: str) -> frozenset[str]:
        """Return the names of `module` that may be bound to something else."""
        return frozenset(self._taints[module].values)

    def follows(self, module: str) -> bool:
        """Whether an import binding of `module` may have to be bound anew."""
        return self._taints[module].follows

    def _size(self) -> int:
        return sum(len(taint.values) + len(taint.calls) for taint in self._taints.values())

    def _spread(self, taint: Taint) -> None:
        """Taint what reads or calls something tainted, until nothing is added."""
        assert taint.facts is not None
        mentioned = self._import(taint)
        names = {name.partition(".")[0] for name in (*taint.values, *taint.calls)} | mentioned
        names |= {name.rpartition(".")[2] for name in (*taint.values, *taint.calls)}
        names |= {here.partition(".")[0] for here, module in taint.modules.items() if self._taints.get(module)}
        names |= WHOLE if taint.values else frozenset()
        seen: set[str] = set()
        while names:
            name = names.pop()
            seen.add(name)
            for fact in taint.facts.by_name.get(name, ()):
                names |= self._look(fact, taint, mentioned)
        for name in self._members & taint.facts.by_attribute.keys():
            for fact in taint.facts.by_attribute[name]:
                self._spread_from(fact, taint, f"reads .{name}", mentioned)

    def _spread_from(self, fact: Fact, taint: Taint, reason: str, mentioned: set[str]) -> None:
        assert taint.facts is not None
        names = self._mark(fact, taint, reason)
        while names:
            for other in taint.facts.by_name.get(names.pop(), ()):
                names |= self._look(other, taint, mentioned)

    def _look(self, fact: Fact, taint: Taint, mentioned: set[str]) -> set[str]:
        """Return the names, newly tainted, that `fact` binds; mark it if it may have to run."""
        reason = self._reason(fact, taint)
        if reason:
            return self._mark(fact, taint, reason)
        if fact.mentions and self._mentions(fact, taint, mentioned):
            return self._taint(taint.calls, _called(fact))
        return set()

    def _mark(self, fact: Fact, taint: Taint, reason: str) -> set[str]:
        statement = fact.statement
        if statement.kind is Kind.IMPORT:
            return set()
        if id(statement) not in taint.certain:
            taint.found.setdefault(fact.place, reason)
        if statement.kind in (Kind.DEF, Kind.CLASS):
            decorated = getattr(statement.node, "decorator_list", ()) and statement.kind is Kind.DEF
            made = self._taint(taint.values, {fact.scope + name for name in statement.binds} if decorated else ())
            return made | self._taint(taint.calls, _called(fact))
        names = {fact.scope + name for name in (*statement.binds, *statement.mutates)}
        return self._taint(taint.values, names)

    def _taint(self, kind: set[str], names: Iterable[str]) -> set[str]:
        new = set(names) - kind
        kind |= new
        self._note_members(new)
        return {name.partition(".")[0] for name in new} | {name.rpartition(".")[2] for name in new}

    def _note_members(self, names: Iterable[str]) -> None:
        self._members |= {name.rpartition(".")[2] for name in names if "." in name and not name.endswith(".*")}

    def _reason(self, fact: Fact, taint: Taint) -> str:
        for name in fact.reads:
            if self._is_tainted(name, fact.scope, taint, calls=False):
                return f"reads {name}"
        for name in fact.calls:
            if name in WHOLE and taint.values and not fact.scope:
                return f"calls {name}()"
            if self._is_tainted(name, fact.scope, taint, calls=True):
                return f"calls {name}"
        return ""

    def _mentions(self, fact: Fact, taint: Taint, mentioned: set[str]) -> bool:
        if not mentioned.isdisjoint(fact.mentions):
            return True
        return any(self._is_tainted(name, "", taint, calls=True) for name in fact.mentions)

    def _is_tainted(self, dotted: str, scope: str, taint: Taint, *, calls: bool) -> bool:
        if scope and self._is_tainted(scope + dotted, "", taint, calls=calls):
            return True
        if "." not in dotted:
            return dotted in taint.values or (calls and dotted in taint.calls) or f"{dotted}.*" in taint.values
        parts = dotted.split(".")
        prefixes = [".".join(parts[:size]) for size in range(1, len(parts) + 1)]
        if any(prefix in taint.values or f"{prefix}.*" in taint.values for prefix in prefixes):
            return True
        if calls and dotted in taint.calls:
            return True
        for size in range(len(parts) - 1, 0, -1):
            module = taint.modules.get(".".join(parts[:size]))
            if module is not None and module in self._taints:
                other, rest = self._taints[module], ".".join(parts[size:])
                return other is not taint and (
                    self._is_tainted(rest, "", other, calls=calls) or _is_served(rest.partition(".")[0], other)
                )
        return False

    def _import(self, taint: Taint) -> set[str]:
        """Taint what the module imports; return the names that function bodies import and that may change."""
        for module, there, here in taint.froms:
            other = self._taints.get(module)
            if other:
                self._carry(taint, here, other, there)
        for module in taint.stars:
            other = self._taints.get(module)
            if other:
                self._import_star(taint, other)
        for fact in taint.facts.nested_imports if taint.follows and taint.facts else ():
            if any(name == "*" or fact.scope + name in taint.values for name in fact.statement.binds):
                taint.found.setdefault(fact.place, "imports what changed")
        return {here for module, there, here in taint.deferred if _changes(self._taints.get(module), there)}

    def _import_star(self, taint: Taint, other: Taint) -> None:
        taint.follows = True
        taint.values |= {name for name in other.values if "." not in name or name.partition(".")[0] not in other.values}
        taint.calls |= other.calls

    def _carry(self, taint: Taint, here: str, other: Taint, there: str) -> None:
        if there in other.values or _is_served(there, other):
            taint.values.add(here)
        if there in other.calls:
            taint.calls.add(here)
        taint.follows |= here in taint.values or here in taint.calls
        for mine, theirs in ((taint.values, other.values), (taint.calls, other.calls)):
            mine |= {here + name[len(there) :] for name in theirs if name.startswith(f"{there}.")}


def _taint_of(facts: Facts, diff: Diff | None, held: Mapping[str, str]) -> Taint:
    runs = [] if diff is None else [*(pair.new for pair in diff.changed if not only_code(pair)), *diff.added]
    taint = Taint(facts, frozenset(map(id, runs)), modules=dict(held))
    for edge in facts.edges:
        for there, here in edge.names:
            if here == "*":
                taint.stars.append(edge.imported)
            elif not there:
                taint.modules[here] = edge.imported
            else:
                (taint.deferred if edge.deferred else taint.froms).append((edge.imported, there, here))
    return taint


def _called(fact: Fact) -> set[str]:
    """Return what behaves otherwise if `fact` does: what it binds, and the class that it is a constructor of."""
    statement = fact.statement
    found = {fact.scope + name for name in statement.binds}
    if fact.scope and any(name in _CONSTRUCTORS for name in statement.binds):
        found.add(fact.scope.removesuffix("."))
    return found


def _is_served(name: str, other: Taint) -> bool:
    """Whether `name` of a module may come from its ``__getattr__``, and that may answer otherwise."""
    if "__getattr__" not in other.values and "__getattr__" not in other.calls:
        return False
    if other.facts is None:
        return name not in other.own
    return not any(name in fact.statement.binds for fact in other.facts.every if not fact.scope)


def _changes(other: Taint | None, name: str) -> bool:
    if other is None:
        return False
    prefix = f"{name}."
    names = (*other.values, *other.calls)
    return _is_served(name, other) or any(one == name or one.startswith(prefix) for one in names)


def _from_diff(diff: Diff, taint: Taint, scope: str) -> None:
    for pair in diff.changed:
        _from_pair(pair, taint, scope)
    for statement in (*diff.added, *diff.removed):
        taint.values |= {scope + name for name in (*statement.binds, *statement.mutates)}
        if scope and statement.kind is Kind.DEF:
            _constructor(statement, taint, scope)
    moved = {name for pair in diff.moved for name in (*pair.new.binds, *pair.new.mutates)}
    taint.values |= {scope + name for name in moved}


def _from_pair(pair: Pair, taint: Taint, scope: str) -> None:
    new = pair.new
    if pair.inner is not None and same_header(pair) and new.kind in (Kind.CLASS, Kind.SUITE):
        if new.kind is Kind.CLASS and _may_be_remade(pair):
            taint.values.add(f"{scope}{new.binds[-1]}.*")
        _from_diff(pair.inner, taint, f"{scope}{new.binds[-1]}." if new.kind is Kind.CLASS else scope)
    elif new.kind is Kind.DEF and decorators(pair.old.node) == decorators(new.node):
        taint.calls |= {scope + name for name in new.binds}
        _constructor(new, taint, scope)
    elif not only_code(pair):
        taint.values |= {scope + name for name in (*pair.old.binds, *new.binds, *pair.old.mutates, *new.mutates)}
    else:
        taint.calls |= {scope + name for name in new.binds}


def _may_be_remade(pair: Pair) -> bool:
    """Whether a base or a decorator may make more of the class from what changed in its body: members, fields."""
    if not (getattr(pair.new.node, "bases", ()) or getattr(pair.new.node, "decorator_list", ())) or pair.inner is None:
        return False
    changed = any(not only_code(inner) for inner in pair.inner.changed)
    return changed or bool(pair.inner.added or pair.inner.removed or pair.inner.moved)


def _constructor(statement: Statement, taint: Taint, scope: str) -> None:
    """A changed ``__init__`` changes what calling the class gives."""
    if scope and any(name in _CONSTRUCTORS for name in statement.binds):
        taint.calls.add(scope.removesuffix("."))
