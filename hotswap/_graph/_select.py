"""Stage 7: which statements may have to run because something that they read may change.

An upper bound from names alone: nothing is evaluated, no live object is looked at. Two kinds of taint travel through
the modules of a group, in topological order: a name may be bound to another value, or a function may behave otherwise
when it is called. What really changed is found out while the plan is applied.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from hotswap._graph import _facts
from hotswap._graph._facts import BY_NAME, HINTS, LOADERS, Fact, Facts, bound_around, names_loaders
from hotswap._graph._overrides import runs_for_classes
from hotswap._graph._sketch import Sketch
from hotswap._graph._taint import (
    DOC,
    HEADER,
    Altered,
    Taint,
    called,
    changes_in,
    comes_or_goes,
    from_diff,
    inherited_by,
    is_looked_up,
    is_rebound,
    is_tainted,
    more_than_docs,
    parts_of,
    taint_of,
)
from hotswap._model import Diff, Kind, Statement

_ITSELF = _facts.WHOLE | {"sys"}
"""What a module may get at itself with, by ``sys.modules[__name__]`` among others."""
_VALUES = (Kind.ASSIGN, Kind.OTHER)


class Selection:
    """Grows module by module, in topological order, so that a dependent is looked at only if something may reach it.

    `come_or_go` are, by module, the names that only its old text or only its new one binds, `members` those of classes
    that are known to change.
    """

    def __init__(
        self,
        come_or_go: Mapping[str, frozenset[str]] | None = None,
        altered: Altered | None = None,
        members: AbstractSet[str] = frozenset(),
    ) -> None:
        self._altered = altered or Altered()
        self._taints: dict[str, Taint] = self._altered.taints()
        self._members: set[str] = {*self._altered.members, *members}
        self._late: set[str] = set()
        self._met_late: set[str] = set()
        self._come_or_go = come_or_go or {}

    def add(
        self,
        facts: Facts,
        diff: Diff | None = None,
        held: Mapping[str, str] | None = None,
        inside: Mapping[str, Collection[str]] | None = None,
        *,
        leaf: bool = False,
    ) -> None:
        """Take in a module; what is tainted in it follows from its `diff` and from the modules taken in before.

        `held` are names of it that are known, from the live module, to be modules, `inside` names of containers of
        modules; `leaf` says that nobody imports it.
        """
        taint = self._taints[facts.module] = taint_of(facts, diff, held or {}, inside or {})
        if diff is not None:
            from_diff(diff, taint, "")
            self._note_members(taint.values | taint.calls)
        taint.alter(self._altered, facts.module)
        self._late |= facts.sources - self._taints.keys()
        if diff is not None or not leaf or not self._only_binds(taint):
            self._spread(taint)
        taint.passes = any(self._taints.get(other) for name, other in taint.modules.items() if "." not in name)

    def meet(self, module: str, sketch: Sketch, diff: Diff | None = None, *, odd: bool) -> bool:
        """Return whether the facts of `module` are needed; if not, what is tainted in it is noted here.

        `odd` says that it binds imported names in ways that do not simply follow. Of a module that `diff` edits they
        are not needed if nothing differs but functions, and nothing that runs by itself may call these.
        """
        self._met_late |= sketch.imported - self._taints.keys()
        taint = Taint(None, own=sketch.own, module=module)
        if self._altered.concerns(module) or (sketch.hints and any(one.values for one in self._taints.values())):
            return True
        taint.alter(self._altered, module)
        if diff is not None:
            from_diff(diff, taint, "")
            self._note_members(taint.values | taint.calls)
            if diff.added or any(name.rpartition(".")[2] not in (*HEADER, DOC) for name in taint.values):
                return True
        inner = self._import_sketch(sketch, taint)
        names = {name.partition(".")[0] for name in (*taint.values, *taint.calls, *taint.modules)}
        if not self._members.isdisjoint(sketch.attributes) or (sketch.runs_own and sketch.uses(names | self._members)):
            return True
        if not names and not inner and not sketch.uses(self._members):
            return False
        if (names and odd) or (inner and (sketch.odd or sketch.runs_own)):
            return True
        if comes_or_goes(sketch, self._taints, self._come_or_go):
            return True
        if not (names | (_ITSELF if names else frozenset())).isdisjoint(sketch.runs):
            return True
        if not all(here in sketch.once for _, _, here in sketch.froms if here in taint.values):
            return True
        taint.passes = bool(taint.modules)
        needed = self._spread_sketch(module, sketch, taint, names, inner=inner)
        if not needed:
            self._taints[module] = taint
        return needed

    def _import_sketch(self, sketch: Sketch, taint: Taint) -> bool:
        """Taint what a module imports; return whether function or class bodies import what may change."""
        taints = self._taints
        for source, there, here in sketch.froms:
            if other := taints.get(source):
                taint.carry(here, other, there)
            if taints.get(f"{source}.{there}"):
                taint.modules[here] = f"{source}.{there}"
        met = [name for name in sketch.imported & taints.keys() if taints[name]]
        for here, source in sketch.modules:
            if any(name == source or name.startswith(f"{source}.") for name in met):
                taint.modules[here] = source
        for source in sketch.stars:
            if other := taints.get(source):
                taint.take_all(other)
        return any(
            changes_in(taints.get(source), there) or bool(taints.get(f"{source}.{there}" if there else source))
            for source, there in sketch.inner
        )

    def _spread_sketch(self, module: str, sketch: Sketch, taint: Taint, names: set[str], *, inner: bool) -> bool:
        """Taint the definitions of a module whose functions use what may change; return whether these made classes."""
        by = self._altered.by.get(module, ())
        used = names | self._members
        for name, methods in sketch.using(used, imports=inner, but=by):
            taint.calls.add(name)
            self._members |= methods
        return sketch.makes_classes(module, used | taint.calls)

    def _only_binds(self, taint: Taint) -> bool:
        """Whether nothing that the module runs may be concerned, whatever its functions do: its imports suffice."""
        facts = taint.facts
        assert facts is not None
        hints = any(HINTS in names for names in (facts.by_name, facts.by_attribute, facts.behind))
        if taint.stars or facts.runs_own or facts.nested_imports or facts.dynamic or hints:
            return False
        if any(name in facts.by_attribute or name in facts.behind for name in self._members):
            return False
        if any(
            self._taints.get(module) and here.partition(".")[0] in facts.runs for here, module in taint.modules.items()
        ):
            return False
        if any(here in facts.runs and any(map(self._taints.get, inside)) for here, inside in taint.inside.items()):
            return False
        self._import(taint)
        names = {name.partition(".")[0] for name in (*taint.values, *taint.calls)}
        return facts.runs.isdisjoint(names | (_ITSELF if names else names))

    def force(self, module: str, names: Iterable[str]) -> None:
        """Take `names` of a module taken in before as changed: their statements run because somebody asked for it."""
        taint = self._taints[module]
        taint.values |= set(names)
        self._note_members(names)
        self._spread(taint)

    def may_reach(self, imported: Iterable[str], text: str) -> bool:
        """Whether something of the modules `imported` that may change is named in `text`, or star-imported."""
        imported = list(imported)
        names = {name.partition(".")[0] for module in imported for name in self._names(module)}
        names |= {module.rpartition(".")[2] for module in imported if names and self._taints.get(module)}
        if bool(names) and ("*" in text or "__getattr__" in names or any(name in text for name in names)):
            return True
        dot = "" if any(getter in text for getter in _facts.GETTERS) else "."
        return any(dot + name in text for name in self._members)

    def _names(self, module: str) -> Iterator[str]:
        taint = self._taints.get(module)
        if taint is not None:
            yield from taint.values
            yield from taint.calls
            yield from (here for here, other in taint.modules.items() if self._taints.get(other))

    def chosen(self) -> dict[str, dict[tuple[int, ...], str]]:
        """Return, by module, the places of unchanged statements that may have to run, each with its reason."""
        self.settle()
        return {module: taint.found for module, taint in self._taints.items()}

    def settle(self) -> None:
        """Go through all modules again: those of an import cycle may taint each other in either direction."""
        size = -1
        while self._late & self._taints.keys() and size != (size := self._size()):
            for taint in self._taints.values():
                if taint.facts is not None:
                    self._spread(taint)

    @property
    def members(self) -> frozenset[str]:
        """The last parts of members of classes that may change, which anybody may look up on an object."""
        return frozenset(self._members)

    @property
    def came_late(self) -> bool:
        """Whether something may have changed in a module after one that imports it was taken in."""
        return not self._met_late.isdisjoint(self._taints)

    def has_met(self, module: str) -> bool:
        """Whether something may change in `module`, or its facts were taken in."""
        return module in self._taints

    def values(self, module: str) -> frozenset[str]:
        """Return the names of `module` that may be bound to something else."""
        return frozenset(self._taints[module].values) if module in self._taints else frozenset()

    def follows(self, module: str) -> bool:
        """Whether an import binding of `module` may have to be bound anew."""
        return self._taints[module].follows

    def running(self, *, handing: bool = False) -> Iterator[tuple[str, Statement, AbstractSet[str]]]:
        """Yield, with modules, unchanged statements that may run, or those `handing` on what behaves otherwise; with
        those that may store into something the names behind a dot in them.
        """
        for module, taint in self._taints.items():
            places = taint.handing if handing else taint.found
            for fact in taint.facts.every if taint.facts is not None and places else ():
                if fact.place in places:
                    yield module, fact.statement, fact.behind_altered

    def runs(self) -> bool:
        """Whether a statement of any module may have to run."""
        return any(taint.found for taint in self._taints.values())

    def _size(self) -> int:
        return sum(len(taint.values) + len(taint.calls) for taint in self._taints.values())

    def _spread(self, taint: Taint) -> None:
        """Taint what reads or calls something tainted, until nothing is added."""
        assert taint.facts is not None
        mentioned = self._import(taint)
        names = {name.partition(".")[0] for name in (*taint.values, *taint.calls)} | mentioned
        names |= {name.rpartition(".")[2] for name in (*taint.values, *taint.calls)}
        names |= {here.partition(".")[0] for here, module in taint.modules.items() if self._taints.get(module)}
        names |= {here for here, modules in taint.inside.items() if any(map(self._taints.get, modules))}
        names |= _ITSELF if taint.values else frozenset()
        names |= {*LOADERS, "modules", "sys"} if taint.facts.dynamic else frozenset()
        names |= {HINTS, "typing"}
        while names:
            names |= self._reached(names.pop(), taint, mentioned)
        seen = set[str]()
        while new := self._members - seen:  # methods that call methods that changed, by ``self``
            seen |= new
            for name in new & taint.facts.by_attribute.keys():
                facts = taint.facts.by_attribute[name]
                names |= {n for fact in facts for n in self._mark(fact, taint, f"reads .{name}")}
            for name in new & taint.facts.behind.keys():
                own = name in self._altered.members
                facts = [fact for fact in taint.facts.behind[name] if not (own and taint.sees_to(fact))]
                names |= {n for fact in facts for n in self._taint(taint.calls, called(fact))}
            while names:
                names |= self._reached(names.pop(), taint, mentioned)

    def _reached(self, name: str, taint: Taint, mentioned: set[str]) -> set[str]:
        """Return the names, newly tainted, of what uses `name`, or is bound together with it."""
        assert taint.facts is not None
        found = {n for fact in taint.facts.by_name.get(name, ()) for n in self._look(fact, taint, mentioned)}
        for fact in taint.facts.together.get(name, ()):
            if fact.scope + name in taint.values:
                found |= self._taint(taint.values, {fact.scope + one for one in fact.statement.binds})
        return found

    def _look(self, fact: Fact, taint: Taint, mentioned: set[str]) -> set[str]:
        """Return the names, newly tainted, that `fact` binds; mark it if it may have to run."""
        inherited = inherited_by(fact, taint, self._taints) if fact.statement.kind is Kind.CLASS else ()
        return self._taint(taint.values, inherited) | self._look_at(fact, taint, mentioned)

    def _look_at(self, fact: Fact, taint: Taint, mentioned: set[str]) -> set[str]:
        taken = self._takes_module(fact, taint)
        reason = self._reason(fact, taint)
        if reason:
            return self._mark(fact, taint, reason)
        if fact.mentions and (self._mentions(fact, taint, mentioned) or self._loads(fact)):
            if fact.scope and any(runs_for_classes(taint.module, fact.scope + one) for one in fact.statement.binds):
                taint.found.setdefault(fact.place, "classes were made by it")
            return self._taint(taint.calls, called(fact))
        if fact.statement.kind is not Kind.IMPORT and (taken or self._holds(fact, taint)):
            given = any(self._held(name, taint) for name in fact.reads)
            by_name = [name for name in fact.calls if name.rpartition(".")[2] in BY_NAME or given]
            if by_name or "__dict__" in fact.attributes:
                return self._mark(fact, taint, "".join(f"calls {name}" for name in by_name[:1]))
            if fact.statement.kind is Kind.OTHER and fact.calls:
                taint.handing.add(fact.place)
            return self._taint(taint.calls, called(fact) | {fact.scope + name for name in fact.statement.mutates})
        return set()

    def _takes_module(self, fact: Fact, taint: Taint) -> bool:
        """Whether `fact` has to do with a module, as an object, in which something may change: wherever that gets to,
        the names of it are looked up behind a dot. What a function has to do with comes to who calls it.
        """
        read = [other for name in fact.reads for other in self._held(name, taint)]
        self._members |= {one.partition(".")[0] for other in read for one in (*other.values, *other.calls)}
        return bool(read) or any(self._held(name, taint) for name in fact.wholes)

    def _held(self, name: str, taint: Taint) -> list[Taint]:
        """Return what is tainted in the modules that `name` is or has inside."""
        inside = taint.inside.get(name.partition(".")[0], ())
        found = map(self._taints.get, (*inside, taint.modules.get(name.partition(".__dict__")[0], "")))
        return [other for other in found if other and other is not taint]

    def _holds(self, fact: Fact, taint: Taint) -> bool:
        """Whether what `fact` binds may be, or have in it, a function that behaves otherwise: another name, a table."""
        return any(is_tainted(name, fact.scope, taint, self._taints, calls=True) for name in fact.reads)

    def _mark(self, fact: Fact, taint: Taint, reason: str) -> set[str]:
        statement = fact.statement
        if statement.kind is Kind.IMPORT:
            return set()
        if id(statement) not in taint.certain:
            taint.found.setdefault(fact.place, reason)
        if statement.kind in (Kind.DEF, Kind.CLASS):
            names = {fact.scope + name for name in statement.binds}
            bases = fact.reads if statement.kind is Kind.CLASS else ()
            other_base = any(is_rebound(name, taint, self._taints) for name in bases)
            inherited = {*names, *(f"{name}.*" for name in names)} if other_base else set()  # it may be another object
            made = self._taint(taint.values, names if fact.decorated else inherited)
            return made | self._taint(taint.calls, called(fact))
        names = {fact.scope + name for name in (*statement.binds, *statement.mutates)}
        names |= {f"{fact.scope}*"} if fact.scope and taint.may_make_whole(fact) else set()
        names |= {fact.scope + one for one in bound_around(taint.facts, fact.place)}
        return self._taint(taint.values, names)

    def _taint(self, kind: set[str], names: Iterable[str]) -> set[str]:
        new = set(names) - kind
        kind |= new
        self._note_members(new)
        return {name.partition(".")[0] for name in new} | {name.rpartition(".")[2] for name in new}

    def _note_members(self, names: Iterable[str]) -> None:
        self._members |= {name.rpartition(".")[2] for name in names if "." in name and not name.endswith(".*")}

    def _reason(self, fact: Fact, taint: Taint) -> str:
        gives = fact.decorated or fact.statement.kind is Kind.CLASS  # decorators and bases put something in
        for name in fact.reads:
            if not (gives and taint.is_altered(name)) and is_tainted(
                name, fact.scope, taint, self._taints, calls=False
            ):
                return f"reads {name}"
        looks = fact.statement.kind in _VALUES and (fact.calls or "__dict__" in fact.attributes)
        for name in (*fact.reads, *(one.rpartition(".")[0] for one in fact.calls)) if looks else ():
            if any(parts_of(name, taint, self._taints)):
                return f"looks through {name}"
        if taint.values and {"sys.modules", "__name__"}.issubset(fact.reads):
            return "reads sys.modules[__name__]"
        if names_loaders((*fact.reads, *fact.calls)) and is_looked_up(fact.attributes, self._taints):
            return "loads modules by name"
        if self._evaluates(fact.calls):
            return "evaluates annotations"
        for name in fact.calls:
            if name in _facts.WHOLE and (taint.has_parts(fact.scope[:-1]) if fact.scope else taint.values):
                return f"calls {name}()"
            if is_tainted(name, fact.scope, taint, self._taints, calls=True):
                return f"calls {name}"
        return ""

    def _evaluates(self, names: Iterable[str]) -> bool:
        """Whether one of `names` evaluates annotations, and something may change that these have in them."""
        return any(name.endswith(HINTS) for name in names) and any(other.values for other in self._taints.values())

    def _loads(self, fact: Fact) -> bool:
        """Whether functions of `fact` evaluate annotations, or look up what may change in modules of computed names."""
        by_name = not BY_NAME.isdisjoint(fact.mentions) and any(map(more_than_docs, self._taints.values()))
        loads = names_loaders(fact.mentions) and (by_name or is_looked_up(fact.behind, self._taints))
        return loads or self._evaluates(fact.mentions)

    def _mentions(self, fact: Fact, taint: Taint, mentioned: set[str]) -> bool:
        if not mentioned.isdisjoint(fact.mentions):
            return True
        names = taint.unaltered(fact.mentions) if taint.sees_to(fact) else fact.mentions
        return any(is_tainted(name, "", taint, self._taints, calls=True) for name in names)

    def _import(self, taint: Taint) -> set[str]:
        """Taint what the module imports; return the names that function bodies import and that may change."""
        for module, there, here in taint.froms:
            if other := self._taints.get(module):
                taint.carry(here, other, there)
        for module in taint.stars:
            if other := self._taints.get(module):
                taint.take_all(other)
        for fact in taint.facts.nested_imports if taint.follows and taint.facts else ():
            if any(name == "*" or fact.scope + name in taint.values for name in fact.statement.binds):
                taint.found.setdefault(fact.place, "imports what changed")
        return {here for module, there, here in taint.deferred if changes_in(self._taints.get(module), there)}
