"""One module of a group while it is applied: its edit, its scopes, its live functions, and what was done to it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import filterfalse
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

from hotswap._apply._expected import Place
from hotswap._apply._scopes import AnyScope, ClassScope, ModuleScope
from hotswap._loader._codemap import CodeMap
from hotswap._model import Edit, Finding, Kind, Patch, Statement
from hotswap._run._values import is_a
from hotswap.patch._answers import Asking
from hotswap.patch._classes import cell_of, cells_of, functions_of, living
from hotswap.patch._finding import Survey, find_functions
from hotswap.patch._functions import DEPARTED


@dataclass(slots=True)
class Log:
    """What was done to one module; findings with the fields that they were made from."""

    ran: list[Statement] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    patches: list[Patch] = field(default_factory=list)
    findings: dict[Finding, Mapping[str, object]] = field(default_factory=dict)


class Work:
    """One module of the group: its edit, its scopes, its live functions by name and line, and its code map.

    `patched` has the new code of each function that got it, by id: lines of new code must not be taken for old ones.
    `docs` has its old and new docstring. `starred` are the names that star imports give the module, or that statements
    stored in it though their text does not say so. `open` are names of chains that are gone through, `gained` cells for
    type parameters that classes gain, `by_text` what statements have set by texts: names of modules.
    """

    def __init__(self, module: ModuleType, edit: Edit) -> None:
        self.edit, self.module = edit, module
        self.scope = ModuleScope(module, edit)
        self.classes: list[ClassScope] = []
        self.codes = CodeMap()
        self.log = Log()
        self.before = dict(vars(module))
        self.patched: dict[int, CodeType] = {}
        self.docs: dict[int, tuple[str | None, str | None]] = {}
        self.starred: set[str] = set()
        self.caches: list[Any] = []
        self.expected: list[Place] | None = None
        self.surveyed: Survey | None = None
        self.gained: dict[tuple[str, str], CellType] = {}
        self.open: list[Mapping[str, object]] = []
        self.by_text: dict[int, tuple[Statement, list[tuple[ModuleType, str]] | None]] = {}
        self._functions: dict[tuple[str, int], list[FunctionType]] | None = None
        self._lines: dict[int, int] = {}
        self._stars: list[tuple[int, str]] | None = None

    @property
    def functions(self) -> dict[tuple[str, int], list[FunctionType]]:
        """Return the live functions by qualified name and first line in the old text."""
        if self._functions is None:
            self._find()
        assert self._functions is not None
        return self._functions

    def _find(self) -> None:
        """Find the live functions, unless those that were found ahead are all there are."""
        if self.surveyed is not None and self.surveyed.is_whole():
            self.caches += self.surveyed.caches
            self.take(self.surveyed.functions)
            self.surveyed.functions.clear()  # it goes on holding their code alone, which is known by its id
            return
        self.surveyed = None
        self.codes.forget_shifted()
        self.take(find_functions(vars(self.module), self.expected, self.caches))

    def take(self, found: Iterable[FunctionType]) -> None:
        """Take `found` for the live functions."""
        self._functions = defaultdict(list)
        for function in filterfalse(DEPARTED.__contains__, found):
            self._functions[function.__code__.co_qualname, function.__code__.co_firstlineno].append(function)

    def live(self, scope: AnyScope, statement: Statement) -> list[FunctionType]:
        """Return the live functions that the ``def`` `statement` of the old text made."""
        assert isinstance(statement.node, (ast.FunctionDef, ast.AsyncFunctionDef))
        name = statement.node.name
        found = self.functions.get((scope.prefix + name, statement.lineno), [])
        own = {id(one) for one in functions_of(scope.cls)} if scope.local and isinstance(scope, ClassScope) else None
        return [f for f in found if f.__code__.co_name == name and (own is None or id(f) in own)]

    def found(self) -> Iterator[list[FunctionType]]:
        """Yield the lists in which the live functions that were looked for are held here."""
        yield from (self._functions or {}).values()

    def old_line(self, function: FunctionType) -> int:
        """Return the first line of `function` in the old text, also when it has the code of the new one by now."""
        if not self._lines:
            self._lines = {id(one): line for (_, line), found in self.functions.items() for one in found}
        return self._lines.get(id(function), function.__code__.co_firstlineno)

    @property
    def only_follows(self) -> bool:
        """Whether nothing of the module is looked at but its imports; its text has not been read for that."""
        return not self.edit.edited and not self.edit.new.text

    def may_run(self, within: AbstractSet[int]) -> bool:
        """Whether any statement may run; `within` are the unchanged ones that may, or have some inside."""
        diff = self.edit.diff
        return bool(diff.added or diff.changed) or any(id(one) in within for one in self.edit.new.statements)

    @cached_property
    def names_before(self) -> frozenset[str]:
        """The names that statements of the old text bind."""
        return frozenset(name for statement in self.edit.old.statements for name in statement.binds)

    @cached_property
    def names_now(self) -> frozenset[str]:
        """The names that statements of the new text bind."""
        return frozenset(name for statement in self.edit.new.statements for name in statement.binds)

    def class_scope(self, parent: AnyScope, node: ast.ClassDef, cls: type) -> ClassScope:
        """Return a scope for the body of the live class `cls`; its members wait for the next wave like the module's."""
        scope = ClassScope(parent, self.scope.stores, node, cls)
        scope.live = partial(self._plain, scope.prefix)
        if scope.local:
            scope.cells = cells_of(cls)
        self.classes.append(scope)
        return scope

    def _plain(self, prefix: str, node: ast.FunctionDef) -> FunctionType | None:
        """Return the live function that a plain ``def`` in a class body has made; None if there is not just one."""
        found = [one for (place, _), held in self.functions.items() if place == prefix + node.name for one in held]
        return found[0] if len(found) == 1 and not node.decorator_list else None

    def stars(self, absolute: Callable[[ast.ImportFrom], str]) -> list[tuple[int, str]]:
        """Return line and source of each star import of the new text, those in suites included."""
        if self._stars is None:
            starred = [s.node for s in self.edit.new.statements if "*" in s.binds]
            nodes = [node for one in starred for node in ast.walk(one) if isinstance(node, ast.ImportFrom)]
            self._stars = [(node.lineno, absolute(node)) for node in nodes if node.names[0].name == "*"]
        return self._stars

    def line_of(self, name: str) -> int:
        """Return the line of the statement that binds `name` (dotted for a member of a class) in the new text."""
        first = name.split(".")[0]
        return next((s.lineno for s in self.edit.new.statements if first in s.binds), 1)

    def cell_for(self, function: FunctionType, name: str) -> CellType | None:
        """Return a cell for the free variable `name` that `function` gains, if it can be had.

        That of a type parameter which its class is about to gain is filled when the class's header is set.
        """
        own = [one for one in getattr(function, "__type_params__", ()) if one.__name__ == name]
        if own:
            return CellType(own[0])
        qualname = function.__code__.co_qualname
        cls = self._owner(function, qualname)
        cell = cell_of(cls, name)
        if cls is None or cell is not None:
            return cell
        if "<locals>" in qualname:
            return cells_of(cls).get(name)  # other methods have those of the call that made the class
        if name in self._parameters(cls.__qualname__):
            cell = self.gained.setdefault((cls.__qualname__, name), CellType())
        return cell

    def _owner(self, function: FunctionType, qualname: str) -> type | None:
        """Return the class that has `function`, a method, made from its text; a wrapper class may go by its name."""
        cls = self.class_of(qualname)
        if cls is None or any(own is function for own in functions_of(cls)):
            return cls if "<locals>" not in qualname else self._made_by_call(function, qualname)
        others = living(self.edit.module, cls.__qualname__)
        return next((one for one in others if any(own is function for own in functions_of(one))), cls)

    def _made_by_call(self, function: FunctionType, qualname: str) -> type | None:
        owners = living(self.edit.module, qualname.rpartition(".")[0])
        return next((one for one in owners if any(own is function for own in functions_of(one))), None)

    def _parameters(self, qualname: str) -> list[str]:
        """Return the names of the type parameters of the class `qualname` in the new text."""
        found: list[Statement] = list(self.edit.new.statements)
        node: object = None
        for part in qualname.split("."):
            one = next((s for s in found if s.kind is Kind.CLASS and s.binds[-1] == part), None)
            node, found = (one.node, list(one.children)) if one is not None else (None, [])
        return [one.name for one in getattr(node, "type_params", ())]

    def class_of(self, qualname: str) -> type | None:
        """Return the live class that the member of the name `qualname` belongs to."""
        value: object = None
        scope: Mapping[str, Any] = vars(self.module)
        dotted = ""
        for part in qualname.split(".<locals>")[0].split(".")[:-1]:
            value, dotted = scope.get(part), f"{dotted}.{part}".lstrip(".")
            if not is_a(value, type) or value.__name__ != part:
                value = next(iter(living(self.edit.module, dotted)), None)  # a decorator returned something else
            if not is_a(value, type):
                return None
            scope = vars(value)
        return value if is_a(value, type) else None


@dataclass(frozen=True, slots=True)
class Ready:
    """What was done ahead for applying a plan: works by module, and the abstract base classes that there are."""

    works: Mapping[str, Work] = field(default_factory=dict)
    asking: Asking | None = None

    def forget(self) -> None:
        """Let go of it all: it refers to itself."""
        for work in self.works.values():
            vars(work).clear()

    def work(self, module: ModuleType, edit: Edit) -> Work:
        """Return the work that is ready, if it is for this edit of the module as it is, else a new one."""
        found = self.works.get(edit.module)
        if found is None or found.edit is not edit or found.module is not module:
            return Work(module, edit)
        found.before = dict(vars(module))
        return found
