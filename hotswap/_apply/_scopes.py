"""Where statements run: in a module, or in the body of a class that exists. Stores wait here until the wave is set."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import partial
from types import CellType, CodeType, MemberDescriptorType, ModuleType
from typing import Any, TypeGuard

from hotswap._apply import _asking
from hotswap._errors import StatementError
from hotswap._loader._builds import build_of
from hotswap._loader._compile import Outer, all_codes, class_body, compile_in, imported_by
from hotswap._model import Edit
from hotswap._run._execute import Layer, Stores, run
from hotswap._run._journal import MISSING, Journal
from hotswap.patch._classes import cell_of, del_members, own_cell, set_members

_NONE: Mapping[str, object] = {}
_OF_IMPORTS = ("__builtins__", "__name__", "__package__", "__spec__", "__path__", "__file__", "__loader__")


class Scope:
    """What all kinds of scope have. `around` are the definitions that surround it, outermost first, `hidden` names that
    leave it, and that what runs now must not find.

    `local` says that a function is among them, whose call is over.
    """

    namespace: dict[str, Any]
    outer: Stores
    around: tuple[Outer, ...]
    local = False
    hidden: frozenset[str] = frozenset()
    cls: type | None = None
    temporaries: Callable[[Sequence[ast.stmt]], Mapping[str, object]] | None = None

    def __init__(self, module: ModuleType, edit: Edit) -> None:
        self.module, self.edit, self.namespace = module, edit, vars(module)
        self.build = build_of(module, edit.new.text)
        self.annotations_changed = self.annotations_anew = False
        self.fresh = set[int]()

    @contextmanager
    def before(self, _node: ast.stmt) -> Iterator[None]:
        """Have the scope seen as it is where a statement begins to run; a module's names are looked up as they are."""
        yield

    @property
    def prefix(self) -> str:
        """What qualified names in this scope begin with."""
        return "".join(
            f"{outer.name}." if isinstance(outer, ast.ClassDef) else f"{outer.name}.<locals>." for outer in self.around
        )

    def compile(self, nodes: Sequence[ast.stmt], *, doc: bool = False) -> CodeType:
        """Return the module code of `nodes`, standing in this scope, made as the module's loader does it."""
        new = self.edit.new
        code = compile_in(nodes, self.around, new.origin, new.flags, imports=new.imports, doc=doc, build=self.build)
        self.note_added(code)
        return self.noted(code)

    def noted(self, code: CodeType) -> CodeType:
        """Note that `code` and what is inside it are `fresh`: of the new text, whatever stood there in the old one."""
        self.fresh.update(map(id, all_codes(code)))
        return code

    def as_above(self, nodes: Sequence[ast.stmt]) -> Mapping[str, object]:
        """Return what names that `nodes` read, and the module deletes or binds anew below them, stand for there."""
        return self.temporaries(nodes) if self.temporaries is not None else _NONE

    def note_added(self, code: CodeType) -> None:
        """Bind with the next wave what the module's loader had `code` import for its own use, as type checkers do."""
        if self.build is None:
            return
        own = {name for statement in self.edit.new.statements for name in statement.binds}
        for module, name, here in imported_by(code):
            if here not in own and here not in self.namespace and (known := sys.modules.get(module)) is not None:
                if name in vars(known):
                    self.outer[here] = vars(known)[name]


class ModuleScope(Scope):
    """A module's own namespace. `absent` are submodules that a statement which goes over all names does not meet."""

    around: tuple[Outer, ...] = ()
    absent: frozenset[str] = frozenset()

    def __init__(self, module: ModuleType, edit: Edit) -> None:
        super().__init__(module, edit)
        self.stores = Stores(self.namespace)
        self.outer = self.stores

    def mangled(self, name: str) -> str:
        """Return `name`: only classes store private names otherwise."""
        return name

    plain = mangled

    def peek(self, name: str) -> object:
        """Return what `name` is bound to, the wave that is not set yet included; MISSING if it is not bound."""
        if name in self.stores.gone:
            return MISSING
        value = dict.get(self.stores, name, MISSING)
        return self.namespace.get(name, MISSING) if value is MISSING else value

    def run(self, nodes: Sequence[ast.stmt], given: Mapping[str, object] = _NONE, *, doc: bool = False) -> Layer:
        """Run `nodes`, with the names `given` bound as well; return what they bound, which is not stored yet."""
        above = self.as_above(nodes)
        asking = _asking.of_module(nodes, self.namespace)
        own = {_asking.NAMES: partial(self._names_above, nodes[0].lineno)} if asking is not nodes else _NONE
        ran = Layer({**above, **given, **own}, self.stores, self.hidden)
        code = self.compile(asking, doc=doc)
        if any(getattr(node, "is_lazy", False) for node in nodes):  # PEP 810: only where globals and locals are one
            own = {name: self.namespace[name] for name in _OF_IMPORTS if name in self.namespace}
            run(code, own, own, self.edit.path, nodes[0].lineno)
            ran.update((name, value) for name, value in own.items() if name not in _OF_IMPORTS)
            return ran
        with self.there(above), self.without(self.hidden):
            run(code, self.namespace, ran, self.edit.path, nodes[0].lineno)
        if ran.pop("__conditional_annotations__", None) is not None:  # its function gives those of `nodes` alone
            del ran["__annotate__"], ran.gone["__annotate__"]
            self.annotations_changed = True
        return ran

    def _names_above(self, line: int) -> dict[str, Any]:
        """Return what a fresh start would have bound above `line`, the wave that is not set yet included."""
        names = {**self.namespace, **dict(dict.items(self.stores))}
        without = {*self.stores.gone, *self.absent}
        left = {name: value for name, value in names.items() if name not in without}
        return _asking.names_above(self.edit.new.statements, line, left)

    @contextmanager
    def there(self, above: Mapping[str, object]) -> Iterator[None]:
        """Have the module bind those names of `above` that it deletes further down: class bodies look there alone."""
        missing = {name: value for name, value in above.items() if name not in self.namespace}
        self.namespace.update(missing)
        try:
            yield
        finally:
            for name in missing:
                self.namespace.pop(name, None)

    @contextmanager
    def without(self, names: Iterable[str]) -> Iterator[None]:
        """Have the module lack `names`, which leave it with the save: code that is given the namespace looks there."""
        held = {name: self.namespace.pop(name) for name in names if name in self.namespace}
        try:
            yield
        finally:
            for name, value in held.items():
                self.namespace.setdefault(name, value)

    def store(self, name: str, value: object) -> None:
        """Bind `name` with the next wave."""
        self.stores[name] = value

    def drop(self, name: str) -> None:
        """Unbind `name` with the next wave."""
        del self.stores[name]

    def flush(self, journal: Journal) -> None:
        """Hand the waiting stores to `journal`."""
        for name, value in self.stores.items():
            if self.namespace.get(name, MISSING) is not value:
                journal.set_item(self.namespace, name, value)
        for name in self.stores.gone:
            journal.del_item(self.namespace, name)
        self.stores.clear()

    def annotations(self) -> dict[str, Any]:
        """Return a copy of the module's ``__annotations__``."""
        return dict(self.namespace.get("__annotations__", {}))


class CallScope(ModuleScope):
    """A call, which is over, of a function that made a class: its names are seen by the class's cells alone."""

    local = True

    def __init__(self, parent: Scope, around: tuple[Outer, ...], live: type | None) -> None:
        super().__init__(parent.module, parent.edit)
        self.around, self.live, self.fresh = around, live, parent.fresh

    def peek(self, name: str) -> object:
        """Return what `name` is bound to: the class itself, or what the module binds; MISSING if neither."""
        return self.live if self.live is not None and name == self.live.__name__ else super().peek(name)

    def compile(self, nodes: Sequence[ast.stmt], *, doc: bool = False) -> CodeType:
        """Return the module code of `nodes`, as if they stood in the module itself."""
        new = self.edit.new
        return self.noted(compile_in(nodes, (), new.origin, new.flags, imports=new.imports, doc=doc, build=self.build))


class ClassScope(Scope):
    """The body of the class `cls`, which exists, stated by `node` in `parent`."""

    def __init__(self, parent: Scope, outer: Stores, node: ast.ClassDef, cls: type) -> None:
        super().__init__(parent.module, parent.edit)
        self.fresh = parent.fresh
        self.outer, self.node, self.temporaries = outer, node, parent.temporaries
        self.cls: type = cls
        self.around = (*parent.around, node)
        self.local = parent.local
        self.cells: Mapping[str, CellType] = {}
        self.parameters: Mapping[str, CellType] = {}
        self.keys: Mapping[str, Any] = {}  # of a typed dict, as they were
        self.members: dict[str, Any] = {}
        self.gone: dict[str, None] = {}
        self.aside: dict[str, Any] = {}
        self.held_back: frozenset[str] = frozenset()
        self.touched: set[str] = set()
        self.late: AbstractSet[str] = frozenset()
        self.live: Callable[[ast.FunctionDef], object] = lambda _: None  # what a plain ``def`` has made, if one has it
        self.left: frozenset[str] = frozenset()  # what the body does not bind any more: the module's is meant now
        self._stored: dict[int, set[str]] = {}

    def mangled(self, name: str) -> str:
        """Return `name` as a class body stores it: private names carry that of the class."""
        return f"_{self.node.name.lstrip('_')}{name}" if _is_private(name) and self.node.name.strip("_") else name

    def plain(self, name: str) -> str:
        """Return `name`, as a class body stores it, as the text has it."""
        own = f"_{self.node.name.lstrip('_')}"
        return name[len(own) :] if name.startswith(f"{own}__") and self.mangled(name[len(own) :]) == name else name

    def peek(self, name: str) -> object:
        """Return the raw member `name` of the class itself, MISSING if it has none."""
        name = self.mangled(name)
        if name in self.gone or name in self.late:
            return MISSING
        held = self.aside.get(name, MISSING)
        return self.members.get(name, vars(self.cls).get(name, MISSING)) if held is MISSING else held

    @contextmanager
    def before(self, node: ast.stmt) -> Iterator[None]:
        """Have the class seen as it is where `node` begins to run: ``size = size()`` calls the module's."""
        late, self.late = self.late, self._late(node)
        try:
            yield
        finally:
            self.late = late

    def run(self, nodes: Sequence[ast.stmt], given: Mapping[str, object] = _NONE, *, doc: bool = False) -> Layer:
        """Run `nodes` as a class body of their own that sees the members that exist; return what they bound."""
        members: dict[str, Any] = {"__annotations__": {}}  # else those of the module would be found
        hidden = {*self.gone, *map(self.mangled, self.left), *self._not_there_yet(nodes)}
        members |= {name: value for name, value in vars(self.cls).items() if name not in hidden}
        members |= {**self.members, **self.aside, **given}
        members = {**self.as_above(nodes), **members}
        if above := self._deleted(nodes, members):
            members |= (known := {one.name: held for one in above if (held := self.live(one)) is not None})
            rest = [one for one in above if one.name not in known]
            members |= self.run(rest, given) if rest else {}
        body = self.body(nodes, doc=doc)
        layer = Layer(members, self.outer)
        closure = tuple(map(self.cell, body.co_freevars))
        run(body, self.namespace, layer, self.edit.path, nodes[0].lineno, closure)
        cell = dict.get(layer, "__classcell__")
        if cell is not None:
            cell.cell_contents = self.cls
        own_cell(iter(layer.values()), self.cls)
        self.annotations_changed |= "__annotate_func__" in set(layer)
        if "__classdictcell__" in set(layer):
            layer["__classdictcell__"].cell_contents = vars(self.cls)
        for name in layer.keys() - dict(layer.written(set().union(*map(_assigned, nodes)))).keys():
            layer.pop(name)
        return layer

    def _deleted(self, nodes: Sequence[ast.stmt], members: Mapping[str, Any]) -> list[ast.FunctionDef]:
        """Return the definitions of names that `nodes` read and that a ``del`` below took from the class."""
        read = {inner.id for node in nodes for inner in ast.walk(node) if _loads(inner)} - members.keys()
        below = (one for one in self.node.body if isinstance(one, ast.Delete) and one.lineno > nodes[-1].lineno)
        gone = {inner.id for one in below for inner in one.targets if isinstance(inner, ast.Name)} & read
        above = (one for one in self.node.body if one.lineno < nodes[0].lineno)
        return [one for one in above if isinstance(one, ast.FunctionDef) and one.name in gone] if gone else []

    def _not_there_yet(self, nodes: Sequence[ast.stmt]) -> set[str]:
        """Return names that `nodes` read, and that the body binds below alone: ``size = size`` reads the module's.

        So does what has the name of a slot, which the class has when its body is over.
        """
        return {name for node in nodes for name in self._late(node)}

    def _late(self, node: ast.stmt) -> set[str]:
        held = vars(self.cls)
        read = {inner.id for inner in ast.walk(node) if _loads(inner)} & {*held, *self.members}
        if not read:
            return set()
        below = self._assigned(one for one in self.node.body if (one.end_lineno or node.lineno) >= node.lineno)
        late = {name for name in read if name in below or type(held.get(name)) is MemberDescriptorType}
        if not late:
            return late
        given = {"__module__", "__doc__"} if ast.get_docstring(self.node, clean=False) else {"__module__"}
        return late - given - self._assigned(one for one in self.node.body if one.lineno < node.lineno)

    def _assigned(self, nodes: Iterable[ast.stmt]) -> set[str]:
        """Return the names that are stored in `nodes` of the body; it is asked of each statement, so it is kept."""
        found = set[str]()
        for node in nodes:
            if id(node) not in self._stored:
                self._stored[id(node)] = _assigned(node)
            found |= self._stored[id(node)]
        return found

    def body(self, nodes: Sequence[ast.stmt], *, doc: bool = False) -> CodeType:
        """Return the code of `nodes` as a class body of their own."""
        return class_body(self.compile(nodes, doc=doc), [outer.name for outer in self.around])

    def cell(self, name: str) -> CellType | None:
        """Return a cell for the free variable `name` of the class body or a method, None if there is none."""
        return self.parameters.get(name) or cell_of(self.cls, name) or self.cells.get(name)

    def store(self, name: str, value: object) -> None:
        """Set the member `name` with the next wave; what is `held_back` waits for the one who writes the class anew."""
        name = self.mangled(name)
        self.touched.add(name)
        (self.aside if name in self.held_back else self.members)[name] = value
        self.gone.pop(name, None)

    def drop(self, name: str) -> None:
        """Remove the member `name` with the next wave."""
        name = self.mangled(name)
        self.touched.add(name)
        self.members.pop(name, None)
        self.aside.pop(name, None)
        self.gone[name] = None

    def flush(self, journal: Journal) -> None:
        """Hand the waiting members to `journal`."""
        old = vars(self.cls)
        try:
            set_members(journal, self.cls, {n: v for n, v in self.members.items() if old.get(n, MISSING) is not v})
        except Exception as error:  # of a ``__set_name__``, as the class statement would raise it
            raise StatementError(error, self.edit.path, self.node.lineno) from error
        del_members(journal, self.cls, (name for name in self.gone if name in old))
        self.members, self.gone = {}, {}

    def annotations(self) -> dict[str, Any]:
        """Return a copy of the class's own ``__annotations__``."""
        return dict(vars(self.cls).get("__annotations__", {}))


def _is_private(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__") and "." not in name


AnyScope = ModuleScope | ClassScope


def reaches_code(nodes: Iterable[ast.AST]) -> bool:
    """Whether running `nodes` may reach code that must be new already: what they call, or scopes of their own.

    Scopes of their own (class bodies, comprehensions, lambdas) look names up in the module, not among the stores.
    """
    return any(_reaches(node) for node in nodes)


_OWN_SCOPE = (ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_CONSTRUCTORS = frozenset(
    {"int", "str", "float", "bool", "bytes", "tuple", "list", "dict", "set", "frozenset", "len", "range"}
)


def _reaches(node: ast.AST) -> bool:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return bool(node.decorator_list) or _reaches(node.args)
    if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in _CONSTRUCTORS):
        return True
    return isinstance(node, _OWN_SCOPE) or any(map(_reaches, ast.iter_child_nodes(node)))


def _loads(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def _assigned(node: ast.stmt) -> set[str]:
    """Return the names that are stored anywhere in `node`, or defined by it."""
    found = list(ast.walk(node))
    names = {inner.id for inner in found if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)}
    imported = {inner.asname or inner.name.partition(".")[0] for inner in found if isinstance(inner, ast.alias)}
    return names | imported | {getattr(inner, "name", None) or "" for inner in found}
