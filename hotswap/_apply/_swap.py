"""One group's transaction while it is applied: what is known of its modules, what changed so far, what was done."""

from __future__ import annotations

import ast
import sys
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from hotswap._apply import _temporary
from hotswap._apply._changes import Changes
from hotswap._apply._following import Following
from hotswap._apply._scopes import AnyScope, ClassScope
from hotswap._apply._unload import unload_new
from hotswap._apply._unloaded import visit_imported
from hotswap._apply._work import Ready, Work
from hotswap._errors import StatementError
from hotswap._findings import finding, graded
from hotswap._model import Edit, How, Kind, Patch, Severity, Statement
from hotswap._quiet._table import origin_of
from hotswap._quiet._values import Definition
from hotswap._run._journal import MISSING, Journal
from hotswap._run._values import is_a
from hotswap.patch._proxies import calls_forwarder
from hotswap.patch._referrers import count_held, replace

if TYPE_CHECKING:
    from hotswap._apply._adapter import Adapter
    from hotswap._apply._altered import Altered
    from hotswap._apply._closures import OldHeader
    from hotswap._apply._departed import Departed
    from hotswap._apply._instances import Migration
    from hotswap._apply._registrations import Registrations
    from hotswap._apply._visit import Visit

__all__ = ["DefinitionOf", "IsProject", "Ready", "Swap", "Work", "resolve"]

IsProject = Callable[[ModuleType | FunctionType], bool]
DefinitionOf = Callable[[FunctionType], Definition | None]


_KEPT: Final = ("HS201", "HS202", "HS226")


@dataclass(frozen=True, slots=True)
class Hooked:
    """A class `live` that got the hook `statement`, classes `below` that were made before, and those it `refused`."""

    work: Work
    statement: Statement
    live: Any
    below: tuple[Any, ...]
    refused: list[Any] = field(default_factory=list)


class Swap:
    """The state of a transaction. Every write to a live object goes through its journal."""

    def __init__(
        self,
        edits: Iterable[Edit],
        modules: Mapping[str, ModuleType],
        is_project: IsProject,
        definition: DefinitionOf,
        ready: Ready,
    ) -> None:
        self.is_project, self.definition, self.modules = is_project, definition, modules
        self.journal, self.ready = Journal(), ready
        self.changes = Changes()
        self.following = Following(self.journal, self.changes, modules)
        self.works = {edit.module: ready.work(modules[edit.module], edit) for edit in edits}
        _temporary.give((work.scope for work in self.works.values()), is_project, definition)
        self.left_imports: list[tuple[Visit, Statement, str, str]] = []
        self.maybe: AbstractSet[int] = frozenset()
        self.within: AbstractSet[int] = frozenset()
        self.aside: AbstractSet[int] = frozenset()
        self.touched, self.renewed = dict[int, str](), dict[int, object]()
        self.probed: dict[tuple[str, str], str] = {}
        self.repeatable, self.units, self.truths = set[int](), set[int](), dict[int, bool | None]()
        self.keep, self.rerun, self.forced = frozenset[str](), frozenset[str](), dict[int, str]()
        self.mentions: Callable[[str, str], bool] = lambda *_: False
        self.known_text: Callable[[str], str] = lambda _: ""
        self.departed: Mapping[tuple[str, str], Departed] = {}
        self.arrivals: dict[tuple[str, str], Departed] = {}
        self.taken_up = set[tuple[str, str]]()
        self.left: list[Departed] = []
        self.given_away = set[str]()
        self.last: list[tuple[AnyScope, str]] = []
        self.later: list[Callable[[], object]] = []
        self.memos: list[Any] | None = None
        self.owners: dict[tuple[str, str], list[type]] | None = None
        self.known = frozenset(sys.modules)
        self.replaced: list[tuple[Work, str, object, object]] = []
        self.gives_way: dict[int, type] = {}
        self.led: dict[FunctionType, tuple[Work, FunctionType]] = {}
        self.idle = set[int]()
        self.kept, self.forwarded, self.registered = set[int](), set[FunctionType](), frozenset[int]()
        self.memo, self.too_early, self.only_leaving, self.is_first_round = True, False, False, True
        self.unvisited: dict[str, Callable[[], None]] = {}
        self.under_way, self.passed = set[str](), set[str]()
        self.imports: Callable[[str], Iterable[str]] = lambda _: ()
        self.is_kept: Callable[[str], bool] = lambda _: False
        self.has_cycles = False
        self.adapters: Callable[[], Sequence[Adapter]] = tuple
        self.old_headers: list[OldHeader] = []
        self.other_kinds: list[tuple[Work, str, FunctionType, object, object]] = []
        self.without_cells: list[tuple[Work, int, str, FunctionType]] = []
        self.ran_at: dict[int, tuple[int, int]] = {}
        self.ran_bound: dict[int, frozenset[str]] = {}
        self.ran_without: dict[int, list[tuple[AnyScope, str]]] = {}
        self.removed: list[tuple[Work, int, str, object]] = []
        self.tables, self.copies, self.old_codes = list[object](), dict[int, str](), list[CodeType]()
        self.migrations: list[Migration] = []
        self.registrations: Registrations | None = None
        self.altered: Altered | None = None
        self.severities: Mapping[str, Severity] = {}
        self.hooked, self.initialised = list[Hooked](), set[int]()
        self.tried: list[tuple[Work, AnyScope, Statement]] = []

    def commit(self) -> None:
        """Set the wave: everything that waits, at once."""
        for work in self.works.values():
            scopes: tuple[AnyScope, ...] = (work.scope, *work.classes)
            for scope in scopes:
                scope.flush(self.journal)
        self.following.flush()
        self.journal.commit()

    def undo(self) -> bool:
        """Take everything back, and forget the project's modules that were imported on the way.

        Return whether classes may have been made, in whose bases' ``__subclasses__()`` they would be seen.
        """
        diffs = [work.edit.diff for work in self.works.values()]
        run = [s for diff in diffs for s in (*diff.added, *(pair.new for pair in diff.changed))]
        made = any(s.kind in (Kind.CLASS, Kind.SUITE, Kind.OTHER) and not isinstance(s.node, ast.Expr) for s in run)
        for work in self.works.values():
            work.scope.stores.clear()
        self.following.waiting.clear()
        try:
            self.journal.undo()
        finally:
            unload_new(self.known, self.is_project)
        return made

    def forget(self) -> None:
        """Let go of everything: it refers to itself, and would be taken for references of the program's."""
        for work in self.works.values():
            vars(work).clear()
        vars(self.following).clear()  # it and what changed know each other
        vars(self).clear()

    def visit(self, module: str) -> None:
        """Bring `module` to its new text, unless it is done or under way; one that is not of the group passes it on.

        Whoever meets a module under way, in a cycle of imports, has to be gone through again at the end.
        """
        act = self.unvisited.pop(module, None)
        if act is not None:
            self.under_way.add(module)
            act()
            self.under_way.discard(module)
        elif module in self.under_way:
            self.too_early = True
        elif self.has_cycles and module not in self.passed and module not in self.works:
            self.passed.add(module)
            visit_imported(self, module, self.imports(module))

    def replace_references(self) -> None:
        """After the last wave: put new objects in the place of old ones wherever a reference can be replaced."""
        replaced, self.replaced = self.replaced, []
        if replaced:
            self._replace(replaced)
        for work, lineno, name, member in self.removed:
            if left := count_held(member, (*self.removed, *self.tables, *self._kept())):
                self.tell(work, "HS216", lineno, name=name, count=left)

    def _kept(self) -> Iterator[object]:
        """Yield what old objects are held in here, for those who count references."""
        yield self.changes
        yield from (work.before for work in self.works.values())
        yield from (*self.changes.kept(), *self.following.kept(), *self.journal.noted())

    def _replace(self, replaced: list[tuple[Work, str, object, object]]) -> None:
        pairs = [(old, value) for _, _, old, value in replaced]
        later = (*self.later, *(one.args for one in self.later if isinstance(one, partial)))
        ours = (replaced, *replaced, *later, *self._kept())
        gone = {id(old) for old, _ in pairs}
        for (work, name, old, value), count in zip(replaced, replace(self.journal, pairs, ours), strict=True):
            below: list[Any] = type.__subclasses__(old) if isinstance(old, type) and is_a(value, type) else []
            left = count + sum(id(one) not in gone for one in below)
            if left and not calls_forwarder(old):
                self.tell(
                    work, "HS206", work.line_of(name), name=name, count=left, why="in tuples, keys, sets or C code"
                )

    def pending_code(self, function: FunctionType) -> CodeType:
        """Return the code that `function` runs once the wave is set."""
        work = self.works.get(self.copies.get(id(function)) or function.__globals__.get("__name__", ""))
        code = function.__code__
        if work is None or code in self.changes.codes or id(code) in work.scope.fresh:
            return code
        if id(function) in work.patched:
            return work.patched[id(function)]
        return work.codes.successor(code) or code

    def bind(self, work: Work, scope: AnyScope, name: str, value: object) -> bool:
        """Store `value` under `name` if readers can tell it from what is there; return whether they can."""
        old = scope.peek(name)
        changed = self.changes.note(work.edit.module, scope.prefix + name, old, value)
        if changed or old is MISSING:
            scope.store(name, value)
        return changed

    def names_of(self, namespace: dict[str, Any]) -> Mapping[str, object]:
        """Return what a module's `namespace` is once the wave is set that waits."""
        work = self.works.get(str(namespace.get("__name__")))
        if work is None or not work.scope.stores or vars(work.module) is not namespace:
            return namespace
        return ChainMap(dict(dict.items(work.scope.stores)), namespace)

    def drop(self, work: Work, scope: AnyScope, name: str) -> None:
        """Unbind `name`, now; names that leave with the save itself go in the last wave."""
        if scope.peek(name) is not MISSING:
            self.changes.note(work.edit.module, scope.prefix + name, scope.peek(name), MISSING)
            scope.drop(name)

    def tell(self, work: Work, code: str, lineno: int, **fields: object) -> None:
        """Add a finding about a line of the module's file, once; why something is kept is told once as well."""
        told = ((one.code, one.lineno, of.get("name")) for one, of in work.log.findings.items())
        if code not in _KEPT or (code, lineno, fields.get("name")) not in told:
            self.tell_of(work, work.edit.path, code, lineno, **fields)

    def tell_of(self, work: Work, path: str, code: str, lineno: int, **fields: object) -> None:
        """Add a finding about a line of the file `path`, which what was done in the module is behind, once."""
        work.log.findings.setdefault(graded(finding(code, path, lineno, **fields), self.severities), fields)

    def ran(self, work: Work, statement: Statement, reason: str) -> None:
        """Add to the report that `statement` ran and why; what it registered is its."""
        work.log.ran.append(statement)
        work.log.reasons.append(reason)
        if self.registrations is not None:
            self.registrations.ran(statement)

    def runs_in_time(self, run: Callable[[], object], *, sure: bool) -> bool:
        """Run a statement that did not change; return False if it raises, but may not once all modules were gone
        through: what it reads may come further down, as in a cycle of imports.
        """
        try:
            run()
        except StatementError:
            if sure or not self.is_first_round:
                raise
            self.too_early = True
            return False
        return True

    def is_registered(self, old: Statement) -> bool:
        """Whether an adapter knows what the old statement registered, so that it is replaced or goes."""
        return self.registrations is not None and self.registrations.owns(old)

    def only_makes(self, old: Statement) -> bool:
        """Whether an adapter knows that the old statement does nothing but make an object."""
        return self.registrations is not None and id(old) in self.registrations.quiet

    def registers_again(self, old: Statement) -> bool:
        """Whether what the old statement registered is known, and leaves now because the statement runs again."""
        return self.registrations is not None and self.registrations.again(old)

    def takes_over(self, old: object, new: object) -> bool:
        """Whether a library's object goes on with the settings of the one that its statement has just made."""
        return self.registrations is not None and self.registrations.takes_over(old, new)

    def is_kept_by_library(self, value: object) -> bool:
        """Whether statements register with `value`, an object of a library that has an adapter."""
        return self.registrations is not None and self.registrations.keeps(value)

    def tends(self, cls: type | None) -> bool:
        """Whether an adapter gives live objects of `cls` what its members become."""
        return cls is not None and self.registrations is not None and self.registrations.tends(cls)

    def patched(self, work: Work, qualname: str, how: How, note: str = "") -> None:
        """Add to the report what became of `qualname`."""
        patch = Patch(qualname, how, note)
        if patch not in work.log.patches:
            work.log.patches.append(patch)


def resolve(scope: AnyScope, dotted: str) -> object:
    """Return what `dotted` is, through modules and classes by their dictionaries alone; MISSING if it is not there."""
    first, *rest = dotted.split(".")
    value = scope.peek(first)
    if value is MISSING and isinstance(scope, ClassScope):
        value = scope.outer.get(first, scope.namespace.get(first, MISSING))
    if value is MISSING:
        builtins = scope.namespace.get("__builtins__") or {}
        value = (builtins if isinstance(builtins, dict) else vars(builtins)).get(first, MISSING)
    for part in rest:
        value = _member(value, part)
    return value


def _member(value: object, name: str) -> object:
    value = origin_of(value)
    if is_a(value, type):
        return next((vars(base)[name] for base in value.__mro__ if name in vars(base)), MISSING)
    return vars(value).get(name, MISSING) if is_a(value, ModuleType) else MISSING
