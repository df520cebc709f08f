"""What may change in one module: names that may be bound to something else, functions that may behave otherwise."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from hotswap._graph._facts import Fact, Facts
from hotswap._graph._overrides import is_called_back
from hotswap._graph._sketch import Sketch
from hotswap._model import Diff, Kind, Pair, Statement
from hotswap._text._diff import changed_places, decorators, only_code, only_doc, same_header, says_otherwise


@dataclass(frozen=True, slots=True, eq=False)
class Altered:
    """What may have other contents though it stays the same object, because statements that run call what alters it.

    `names` lead there, by module, and definitions that read it are `calls`; `by` are the functions that alter it: they
    don't count as readers. It is found under the attributes `members` of objects. `late` are the modules that ran after
    who alters it, or alter it.
    """

    names: Mapping[str, Collection[str]] = field(default_factory=dict)
    calls: Mapping[str, Collection[str]] = field(default_factory=dict)
    by: Mapping[str, Collection[str]] = field(default_factory=dict)
    members: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    holds: Mapping[str, Collection[str]] = field(default_factory=dict)

    def taints(self) -> dict[str, Taint]:
        """Return what this taints in modules of which nothing else does."""
        return {
            module: Taint(None, values=set(found), calls=set(self.calls.get(module, ())), altered=set(found))
            for module in (*self.names, *(self.calls.keys() - self.names.keys()))
            for found in [self.names.get(module, ())]
        }

    def concerns(self, module: str) -> bool:
        """Whether the module has names for it, and read them after who alters it."""
        return module in self.late and bool(self.names.get(module))

    def __or__(self, other: Altered) -> Altered:
        pairs = ((self.names, other.names), (self.calls, other.calls), (self.by, other.by), (self.holds, other.holds))
        names, calls, by, holds = (
            {name: {*one.get(name, ()), *two.get(name, ())} for name in {**one, **two}} for one, two in pairs
        )
        return Altered(names, calls, by, self.members | other.members, self.late | other.late, holds)

    def adds_to(self, known: Altered) -> bool:
        """Whether there is anything here that is not in `known`."""
        sides = ((self.names, known.names), (self.calls, known.calls))
        return any(not set(found) <= set(old.get(module, ())) for new, old in sides for module, found in new.items())


HEADER: Final = ("__annotations__", "__defaults__", "__kwdefaults__", "__code__")
"""Attributes of a function that its header makes."""
DOC: Final = "__doc__"


@dataclass(slots=True)
class Taint:
    """What may change in one module. `modules` are its names that are modules, `inside` the modules that those of its
    names hold which are containers, as far as no import says it; `froms` are its from-imports.

    `deferred` are from-imports in function bodies: they bind nothing in the module, but what the body does with them
    may be something else. Of a module that only binds what changes there are no `facts`, but its `own` names. `passes`
    says that one of its `modules` may change, `rebinds` that a name of it may have to be bound to another object.
    `handing` are statements that gave a call what behaves otherwise; `altered` are those of the `values` that may have
    other contents only, `alters` the functions that see to that.
    """

    facts: Facts | None
    certain: frozenset[int] = frozenset()
    values: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    modules: dict[str, str] = field(default_factory=dict)
    inside: Mapping[str, Collection[str]] = field(default_factory=dict)
    froms: list[tuple[str, str, str]] = field(default_factory=list)
    deferred: list[tuple[str, str, str]] = field(default_factory=list)
    stars: list[str] = field(default_factory=list)
    own: frozenset[str] = frozenset()
    found: dict[tuple[int, ...], str] = field(default_factory=dict)
    follows: bool = False
    passes: bool = False
    rebinds: bool = False
    handing: set[tuple[int, ...]] = field(default_factory=set)
    altered: set[str] = field(default_factory=set)
    holds: Collection[str] = ()
    alters: Collection[str] = ()
    module: str = ""

    def alter(self, altered: Altered, module: str) -> None:
        """Take in what may have other contents, and what may hold functions that behave otherwise."""
        self.calls |= set(altered.calls.get(module, ()))
        self.holds, self.alters = altered.holds.get(module, ()), altered.by.get(module, ())
        if module in altered.late:
            self.altered = set(altered.names.get(module, ())) - self.values
            self.values |= self.altered

    def has_parts(self, dotted: str) -> bool:
        """Whether something of what `dotted` stands for may change, such as a member of a class."""
        return any(name.startswith(f"{dotted}.") for name in self.values)

    def is_altered(self, dotted: str) -> bool:
        """Whether what `dotted` begins with may have other contents, and is the same object."""
        return any(dotted == name or dotted.startswith(f"{name}.") for name in (*self.altered, *self.holds))

    def unaltered(self, names: Iterable[str]) -> list[str]:
        """Return those of `names` that lead to nothing of the kind."""
        return [name for name in names if not self.is_altered(name)]

    def may_make_whole(self, fact: Fact) -> bool:
        """Whether `fact` stands in a class with bases or decorators, which may make more of its members."""
        every = self.facts.every if self.facts is not None else ()
        return any(one.reads for one in every if one.place == fact.place[:-1])

    def sees_to(self, fact: Fact) -> bool:
        """Whether `fact` is a function that alters what it gets at: it does not read that as others do."""
        return any(fact.scope + one in self.alters for one in fact.statement.binds)

    def __bool__(self) -> bool:
        return bool(self.values or self.calls or self.passes)

    def take_all(self, other: Taint) -> None:
        """Take in what a star import gives."""
        self.follows = True
        self.rebinds |= bool(other.values)
        self.values |= {name for name in other.values if "." not in name or name.partition(".")[0] not in other.values}
        self.calls |= other.calls

    def carry(self, here: str, other: Taint, there: str) -> None:
        """Take in what an import binds `here` to."""
        if there in other.values or is_served(there, other):
            if there not in other.altered:
                self.altered.discard(here)
            elif here not in self.values:
                self.altered.add(here)
            self.values.add(here)
        if there in other.calls:
            self.calls.add(here)
        if there in other.modules and there not in other.values:  # a module under another name
            self.modules.setdefault(here, other.modules[there])
        self.follows |= here in self.values or here in self.calls
        self.rebinds |= here in self.values
        for mine, theirs in ((self.values, other.values), (self.calls, other.calls)):
            mine |= {here + name[len(there) :] for name in theirs if name.startswith(f"{there}.")}


def taint_of(facts: Facts, diff: Diff | None, held: Mapping[str, str], inside: Mapping[str, Collection[str]]) -> Taint:
    runs = [] if diff is None else [*(pair.new for pair in diff.changed if not only_code(pair)), *diff.added]
    taint = Taint(facts, frozenset(map(id, runs)), module=facts.module, modules=dict(held), inside=inside)
    for edge in facts.edges:
        for there, here in edge.names:
            if here == "*":
                taint.stars.append(edge.imported)
            elif not there:
                taint.modules[here] = edge.imported
            else:
                (taint.deferred if edge.deferred else taint.froms).append((edge.imported, there, here))
    return taint


def parts_of(dotted: str, taint: Taint, taints: Mapping[str, Taint]) -> Iterator[str]:
    """Yield what may change of what `dotted` stands for, such as members of a class, by their names there."""
    above, _, name = dotted.rpartition(".")
    other = taints.get(taint.modules.get(above, ""))
    for one, known in ((dotted, taint), (name, other)):
        for value in known.values if known is not None else ():
            if value.startswith(f"{one}."):
                yield value[len(one) + 1 :]


def inherited_by(fact: Fact, taint: Taint, taints: Mapping[str, Taint]) -> set[str]:
    """Return the members that the class `fact` has from bases of which these may change."""
    own = fact.scope + fact.statement.binds[-1]
    parts = {part for name in fact.reads for part in parts_of(name, taint, taints)}
    return {f"{own}.{part}" for part in parts if "." not in part and part != "*"}


def is_tainted(dotted: str, scope: str, taint: Taint, taints: Mapping[str, Taint], *, calls: bool) -> bool:
    """Whether `dotted`, read in `scope`, may be something else, or if it `calls` that behave otherwise."""
    dotted = dotted.removesuffix(".__code__")
    if scope and is_tainted(scope + dotted, "", taint, taints, calls=calls):
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
        if module is not None and module in taints:
            other, rest = taints[module], ".".join(parts[size:])
            return other is not taint and (
                is_tainted(rest, "", other, taints, calls=calls) or is_served(rest.partition(".")[0], other)
            )
    return False


def called(fact: Fact) -> set[str]:
    """Return what behaves otherwise if `fact` does: what it binds, and the class that it is a special method of."""
    statement = fact.statement
    found = {fact.scope + name for name in statement.binds}
    if fact.scope and any(map(_is_special, statement.binds)):
        found.add(fact.scope.removesuffix("."))
    return found


def is_served(name: str, other: Taint) -> bool:
    """Whether `name` of a module may come from its ``__getattr__``, and that may answer otherwise."""
    if "__getattr__" not in other.values and "__getattr__" not in other.calls:
        return False
    if other.facts is None:
        return name not in other.own
    return not any(name in fact.statement.binds for fact in other.facts.every if not fact.scope)


def changes_in(other: Taint | None, name: str) -> bool:
    if other is None:
        return False
    prefix = f"{name}."
    names = (*other.values, *other.calls)
    return is_served(name, other) or any(one == name or one.startswith(prefix) for one in names)


def comes_or_goes(sketch: Sketch, taints: Mapping[str, Taint], known: Mapping[str, Collection[str]]) -> bool:
    """Whether a module imports a name that comes or goes, by itself or with a star, or is served otherwise."""
    if any(known.values()) and any(taints.get(source) for source in sketch.stars):
        return True
    return any(
        there in known.get(source, ()) or (source in taints and is_served(there, taints[source]))
        for source, there, _ in sketch.froms
    )


def is_looked_up(attributes: AbstractSet[str], taints: Mapping[str, Taint]) -> bool:
    """Whether a name of any module that may change is among `attributes`."""
    return any(not attributes.isdisjoint(one) for other in taints.values() for one in (other.values, other.calls))


def is_rebound(dotted: str, taint: Taint, taints: Mapping[str, Taint]) -> bool:
    """Whether `dotted` itself may stand for another object, and not only something of it."""
    above, _, name = dotted.rpartition(".")
    other = taints.get(taint.modules.get(above, ""))
    return dotted in taint.values or (other is not None and name in other.values)


def more_than_docs(taint: Taint) -> bool:
    """Whether something may change that is no docstring."""
    return bool(taint.calls) or any(name.rpartition(".")[2] != DOC for name in taint.values)


def from_diff(diff: Diff, taint: Taint, scope: str) -> None:
    for pair in diff.changed:
        _from_pair(pair, taint, scope)
    for statement in (*diff.added, *diff.removed):
        taint.values |= {scope + name for name in (*statement.binds, *statement.mutates)}
        taint.values |= _starred(statement, taint.facts) | _annotated(statement, statement, scope)
        if scope and statement.kind is Kind.DEF:
            _constructor(statement, taint, scope)
    moved = {name for pair in diff.moved for name in (*pair.new.binds, *pair.new.mutates)}
    taint.values |= {scope + name for name in moved | changed_places(diff)}


def _from_pair(pair: Pair, taint: Taint, scope: str) -> None:
    new = pair.new
    if pair.inner is not None and same_header(pair) and new.kind in (Kind.CLASS, Kind.SUITE):
        if new.kind is Kind.CLASS and _may_be_remade(pair):
            taint.values.add(f"{scope}{new.binds[-1]}.*")
        if new.kind is Kind.CLASS and _has_other_slots(pair.inner):  # it is another object then
            taint.values.add(f"{scope}{new.binds[-1]}")
        if isinstance(new.node, ast.Try | ast.TryStar):  # it may come to another end now
            taint.values |= {scope + name for name in (*pair.old.binds, *new.binds)} - {f"{scope}*"}
        from_diff(pair.inner, taint, f"{scope}{new.binds[-1]}." if new.kind is Kind.CLASS else scope)
    elif new.kind is Kind.DEF and decorators(pair.old.node) == decorators(new.node):
        taint.calls |= set() if only_doc(pair) else {scope + name for name in new.binds}
        if not only_code(pair):
            taint.values |= {f"{scope}{name}.{part}" for name in new.binds for part in HEADER}
        if decorators(new.node) and (not only_code(pair) or _is_given_names(new)):  # it may be decorated anew
            taint.values |= {scope + name for name in new.binds}
        if says_otherwise(pair):
            taint.values |= {f"{scope}{name}.{DOC}" for name in new.binds}
        _constructor(new, taint, scope)
    elif not only_code(pair):
        taint.values |= _starred(pair.old, taint.facts) | _starred(new, taint.facts)
        taint.values |= {scope + name for name in (*pair.old.binds, *new.binds, *pair.old.mutates, *new.mutates)}
        taint.values |= _annotated(pair.old, new, scope)
    else:
        taint.calls |= {scope + name for name in new.binds}
        if any(isinstance(one, ast.Call) for one in ast.walk(new.node)):  # which may call a lambda that it is given
            taint.values |= {scope + name for name in new.binds}


def _annotated(old: Statement, new: Statement, scope: str) -> set[str]:
    annotated = isinstance(old.node, ast.AnnAssign) or isinstance(new.node, ast.AnnAssign)
    return {f"{scope}__annotations__"} if annotated else set()


def _starred(statement: Statement, facts: Facts | None) -> set[str]:
    """Return the names that star imports of `statement` may give; if that is not known, those that the module reads."""
    found: set[str] = set()
    for node in ast.walk(statement.node) if "*" in statement.binds and facts is not None else ():
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            assert facts is not None
            known = [sys.modules.get(name) for name in _origins(node, facts.module)]
            given = {name for module in known if module is not None for name in vars(module)}
            found |= given or facts.runs
    return found


def _origins(node: ast.ImportFrom, module: str) -> Iterator[str]:
    """Yield what `node` may mean as a module or as a package: which of the two `module` is does not matter here."""
    parts = module.split(".")
    for size in (len(parts) - node.level + 1, len(parts) - node.level) if node.level else (0,):
        yield ".".join([*parts[: max(size, 0)], *([node.module] if node.module else [])])


def _may_be_remade(pair: Pair) -> bool:
    """Whether the layout is another one, or a base or a decorator may make more of what changed in the body."""
    if pair.inner is None:
        return False
    changed = [inner.new for inner in pair.inner.changed if not only_code(inner)]
    found = [*changed, *pair.inner.added, *pair.inner.removed, *(inner.new for inner in pair.inner.moved)]
    if any("__slots__" in statement.binds for statement in found):
        return True
    makers = (getattr(pair.new.node, "bases", ()), getattr(pair.new.node, "decorator_list", ()))
    return bool(found) and any(makers)


def _is_given_names(statement: Statement) -> bool:
    """Whether a decorator is called with what names stand for, which may be something else now."""
    called = (one for one in getattr(statement.node, "decorator_list", ()) if isinstance(one, ast.Call))
    given = (one for call in called for one in (*call.args, *(keyword.value for keyword in call.keywords)))
    return any(isinstance(one, (ast.Name, ast.Attribute)) for one in given)


def _has_other_slots(inner: Diff) -> bool:
    found = (*(pair.new for pair in inner.changed), *inner.added, *inner.removed)
    return any("__slots__" in statement.binds for statement in found)


def _constructor(statement: Statement, taint: Taint, scope: str) -> None:
    """A changed ``__init__`` changes what calling the class gives, other special methods what is done with that, and
    what a base class asks for changes both.
    """
    if scope and any(_is_special(name) or is_called_back(taint.module, scope + name) for name in statement.binds):
        taint.calls.add(scope.removesuffix("."))
    if scope and "__class_getitem__" in statement.binds:
        taint.values.add(scope.removesuffix("."))


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
