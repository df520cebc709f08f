"""What statements that run may alter through what they call: a decorator's table, a list that a base class keeps.

``@on("start")`` binds nothing but its function, and still whoever made something of the table of ``on`` reads what it
put there. Which objects that may be, live functions say by the names in their code; whether they were, applying finds
out.
"""

from __future__ import annotations

import ast
import os
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from hotswap._apply._altered import ENVIRONMENT
from hotswap._apply._inside import content_of
from hotswap._apply._uses import alters_things, globals_set, use_of
from hotswap._graph._select import Selection
from hotswap._graph._sketch import Sketch
from hotswap._graph._taint import Altered
from hotswap._loader._compile import all_codes
from hotswap._model import Diff, Edit, Kind, Statement
from hotswap._plan._coming import Coming
from hotswap._process import Process
from hotswap._run._values import attribute, attributes_of, is_a, way_to
from hotswap._text._diff import decorators, only_code, out_of_order, same_header
from hotswap._text._names import dotted_of

_HOLDERS: Final = (list, dict, set, deque)
_MAKING: Final = ("__init__", "__post_init__", "__set_name__")
_BELOW: Final = ("__init_subclass__",)
_OF_META: Final = ("__new__", "__init__", "__prepare__", "__call__")
_DEEP: Final = 3
_FAR: Final = 300
"""Functions that are gone through: what a statement of a module's top level alters is near."""


def altered_by(
    process: Process,
    selection: Selection,
    edits: Mapping[str, Edit],
    project: AbstractSet[str],
    importers: Callable[[str], AbstractSet[str]],
) -> Altered:
    """Return what the statements that run, of `edits` and of those that `selection` has chosen, may alter by calls.

    `importers` gives those importers of a module that do more with its names than bind them.
    """
    walk, altering, coming = _Walk(project), set[str](), Coming(project)
    running: list[tuple[str, Statement, AbstractSet[str]]] = [
        (name, one, _behind(one)) for name, edit in edits.items() for one in _certain(edit.diff)
    ]
    running += selection.running()  # most of them will not run
    for module, statement, attributes in running:
        if walk.start(_names_of(module), statement, attributes):
            altering.add(module)
        for one, names_there in coming.of(module, statement):
            if walk.start(names_there, one, _behind(one)):
                altering.add(module)
    holding, handed = _Walk(project), set[str]()
    handing = [(name, one) for name, edit in edits.items() for one in _decorated(edit.diff)]
    handing += ((name, one) for name, one, _ in selection.running(handing=True))
    for module, statement in handing:
        if holding.start(_names_of(module), statement, ()):
            handed.add(module)
    names, members = _places(walk, project) if walk.found else ({}, set[str]())
    holders, _ = _places(holding, project) if holding.found else ({}, ())
    if not names and not holders:
        return Altered()
    late = (_late(process, names, altering, importers) if names else set()) | altering
    late |= _late(process, holders, handed, importers) if holders else set()
    by_module, others = walk.by_module(), holding.by_module()
    calls = {module: set(found) for module, found in holders.items()}
    for found, but in ((names, by_module), (holders, others)):
        for module, dotted in found.items():
            sketch = process.sketch(module)
            firsts = {name.partition(".")[0] for name in dotted}
            for name, methods in sketch.using(firsts, imports=False, but=but.get(module, ())) if sketch else ():
                calls.setdefault(module, set()).add(name)
                members |= methods
            if sketch is not None and (using := set(_methods_with(sketch, dotted)) - {*but.get(module, ())}):
                calls.setdefault(module, set()).update(using)
    by = {module: {*by_module.get(module, ()), *others.get(module, ())} for module in {**by_module, **others}}
    return Altered(names, calls, by, frozenset(members), frozenset(late), holders)


def _methods_with(sketch: Sketch, names: Iterable[str]) -> Iterator[str]:
    """Yield the methods that use one of `names` which are members of their class: those that say ``cls._items``."""
    for cls, _, member in (name.rpartition(".") for name in names):
        yield from (f"{cls}.{method}" for method, used in sketch.bodies.get(cls, ()) if member in used)


def _names_of(module: str) -> Mapping[str, object]:
    return vars(sys.modules[module]) if module in sys.modules else {}


def is_handed(diff: Diff) -> bool:
    """Whether somebody was given functions of which nothing but the code differs."""
    return any(True for _ in _decorated(diff))


def _decorated(diff: Diff) -> Iterator[Statement]:
    """Yield the decorated functions of which nothing but the code differs: whoever has them was given them then."""
    for pair in diff.changed:
        if pair.inner is not None and same_header(pair):
            yield from _decorated(pair.inner)
        elif pair.new.kind is Kind.DEF and only_code(pair) and decorators(pair.new.node):
            yield pair.new


def _certain(diff: Diff) -> Iterator[Statement]:
    """Yield the statements that run because their text changed, those which left: what they did is taken back, and
    those that changed places, as what they registered does.
    """
    yield from diff.added
    yield from (one for one in diff.removed if one.kind is not Kind.CLASS)
    yield from (pair.new for pair in out_of_order(diff))
    for pair in diff.changed:
        if pair.inner is not None and same_header(pair):
            yield from _certain(pair.inner)
        elif not only_code(pair):
            yield from (pair.old, pair.new)


def _behind(statement: Statement) -> frozenset[str]:
    """Return the names behind a dot in a statement that may store there."""
    nodes = ast.walk(statement.node) if statement.mutates else ()
    return frozenset(one.attr for one in nodes if isinstance(one, ast.Attribute))


def _bases(statement: Statement, namespace: Mapping[str, object]) -> list[type]:
    """Return the bases of a class whose text changed, as far as they are known by name."""
    nodes = statement.node.bases if isinstance(statement.node, ast.ClassDef) else []
    found = [path[-1] for node in nodes if (name := dotted_of(node)) and (path := way_to(namespace, name))]
    return [one for one in found if is_a(one, type)]


def _late(
    process: Process, names: Iterable[str], by: AbstractSet[str], importers: Callable[[str], AbstractSet[str]]
) -> set[str]:
    """Return the modules that import one of those which have the `names`, and ran after one that alters there."""
    rank = process.rank
    first = min((rank.get(one, 0) for one in by), default=0)
    above = process.graph.between(process.graph.affected(names), by) - by
    found, pending = set[str](), list(names)
    while pending:
        for one in importers(pending.pop()):
            if one not in found and one not in above and rank.get(one, first + 1) > first:
                found.add(one)
                pending.append(one)
    return found


@dataclass(frozen=True, slots=True)
class _Made:
    """An object that is about to be made: what is stored on it alters nothing."""

    cls: type


@dataclass(slots=True)
class _Walk:
    """Goes from what is called to what that may alter: `objects` by id, through the functions `altering`.

    `inside` are members of classes, `names` those of modules, that statements set or alter by name.
    """

    project: AbstractSet[str]
    objects: dict[int, object] = field(default_factory=dict)
    altering: dict[int, FunctionType] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    inside: set[tuple[type, str]] = field(default_factory=set)
    names: set[tuple[str, str]] = field(default_factory=set)
    _seen: set[int] = field(default_factory=set)
    _alters: dict[int, bool] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Whether anything may be altered."""
        return bool(self.objects or self.inside or self.names)

    def start(self, namespace: Mapping[str, object], statement: Statement, attributes: Collection[str]) -> bool:
        """Go through what a statement calls, by the names of its module; return whether that may alter anything.

        `attributes` are the names behind a dot in it.
        """
        for name in statement.mutates:
            self._alter(namespace.get(name), attributes, _DEEP)
        found = [self._once(path, self._call) for name in statement.calls if (path := way_to(namespace, name))]
        for name in (name for name in statement.calls if name.endswith(".register")):
            for one in way_to(namespace, name.rpartition(".")[0])[-1:]:
                if type(one) is FunctionType:  # a generic function of `functools`
                    self.names.add((one.__module__, one.__name__))
                    found.append(True)
        for base in _bases(statement, namespace):
            self.inside |= {(one, "__subclasses__") for one in base.__mro__ if one.__module__ in self.project}
            found.append(True)
        for name in statement.reads if statement.kind is Kind.CLASS else ():
            found += [self._once(path, self._base) for path in [way_to(namespace, name)] if path]
        found.append(bool(statement.mutates))
        if any(found):  # it may have been handed the table
            for name in (*statement.reads, "__all__"):
                self._hold(one for one in way_to(namespace, name) if not is_a(one, type))
        return any(found)

    def _alter(self, value: Any, attributes: Collection[str], deep: int) -> None:
        """Note that a statement stores into `value`, or into what it has under one of `attributes`."""
        if value is os.environ or (value is os and "environ" in attributes):
            self.names |= {("os", name) for name in ENVIRONMENT}
            self.objects |= {id(one): one for one in (os.environ, os.getenv)}
            return
        if not is_a(value, (ModuleType, type)):
            self._hold([value])
            return
        for name in attributes if deep else ():
            inner = vars(value).get(name)
            if is_a(value, ModuleType):
                self.names |= {(value.__name__, name)} if value.__name__ in self.project else set()
            elif is_a(value, type) and self._is_ours(value):
                self.inside.add((value, name))
            self._alter(inner, attributes, deep - 1)

    def _once(self, path: list[object], go: Callable[[list[object]], None]) -> bool:
        key, before = id(path[-1]), len(self.altering)
        if key not in self._alters:
            go(path)
            self._alters[key] = len(self.altering) > before
        return self._alters[key]

    def by_module(self) -> dict[str, set[str]]:
        """Return the qualified names of the functions that alter, by module."""
        found: dict[str, set[str]] = {}
        for one in self.altering.values():
            name = one.__code__.co_qualname.partition(".<locals>")[0]
            found.setdefault(one.__globals__.get("__name__", ""), set()).add(name)
        return found

    def _call(self, path: list[object]) -> None:
        value: Any = path[-1] if path else None
        owner = path[-2] if len(path) > 1 else None
        for _ in range(8):
            if type(value) is MethodType:
                value, owner = value.__func__, value.__self__
            elif is_a(value, partial):
                self._hold([*value.args, *value.keywords.values()])
                value = value.func
            elif is_a(value, (staticmethod, classmethod)):
                value = attribute(value, "__func__")
            elif type(value) is not FunctionType and "__wrapped__" in attributes_of(value):
                value = attributes_of(value)["__wrapped__"]
            else:
                break
        if type(value) is FunctionType:
            self._function(value, None if is_a(owner, ModuleType) else owner)
        elif is_a(value, type):
            self._members(value, value, ("__new__",))
            self._members(value, _Made(value), _MAKING)
        elif value is not None and self._is_ours(type(value)):
            self._members(type(value), value, ("__call__",))

    def _base(self, path: list[object]) -> None:
        cls = path[-1]
        if is_a(cls, type):
            self._members(cls, cls, _BELOW)
            self._members(type(cls), cls, _OF_META)

    def _members(self, cls: type, owner: object, names: Iterable[str]) -> None:
        for name in names if self._is_ours(cls) else ():
            for base in cls.__mro__[:-1]:
                member = vars(base).get(name)
                self._call([owner, getattr(member, "__func__", member)])

    def _function(self, function: FunctionType, owner: object) -> None:
        ours = function.__globals__.get("__name__") in self.project
        if id(function) in self._seen or not ours or len(self._seen) > _FAR:
            return
        self._seen.add(id(function))
        made = type(owner) is _Made
        names, stores = use_of(function.__code__).chains, alters_things(function.__code__, made=made)
        cells = [content_of(cell) for cell in function.__closure__ or ()]
        paths = [way_to(function.__globals__, name) for name in names]
        if stores:
            self.altering[id(function)] = function
            self.attributes |= {name.rpartition(".")[2] for name in names} | {*_every_name(function.__code__)}
            self._hold([*(() if made else (owner,)), *cells, *(one for path in paths for one in path)])
        for path in (*paths, *([one] for one in cells)):
            self._call(path)
        if type(owner) is _Made and stores:
            for name in _data(owner.cls, _every_name(function.__code__)):
                self.inside |= {(owner.cls, name)} if is_a(getattr(owner.cls, name), _HOLDERS) else set()
        if stores:
            home = str(function.__globals__["__name__"])
            self.names |= {(home, name) for name in globals_set(function.__code__)}
        if owner is not None:
            cls = owner.cls if type(owner) is _Made else _class_of(owner)
            self._members(cls, owner, [name for name in _every_name(function.__code__) if name[:2] != "__"])

    def _hold(self, values: Iterable[object]) -> None:
        for one in values:
            if is_a(one, _HOLDERS) or (not is_a(one, (FunctionType, ModuleType)) and self._is_ours(_class_of(one))):
                self.objects[id(one)] = one

    def _is_ours(self, cls: type) -> bool:
        return any(base.__module__ in self.project for base in cls.__mro__[:-1])


def _places(walk: _Walk, project: Iterable[str]) -> tuple[dict[str, set[str]], set[str]]:
    """Return the names that lead to what may be altered, by module, and the attributes that hold it."""
    names: dict[str, set[str]] = {}
    members = {name for _, name in walk.inside}
    for module, name in walk.names:
        names.setdefault(module, set()).add(name)
    for cls, name in walk.inside:
        names.setdefault(cls.__module__, set()).add(f"{cls.__qualname__}.{name}")
    for module in project:
        found = sys.modules.get(module)
        for name, value in list(vars(found).items()) if found is not None else ():
            if name[:2] == "__" and name != "__all__":
                continue
            if id(value) not in walk.objects:
                if type(value) is not FunctionType or not value.__closure__ or id(value) in walk.altering:
                    continue
                if any(id(content_of(cell)) in walk.objects for cell in value.__closure__):
                    names.setdefault(module, set()).add(name)
            elif is_a(value, type):
                below = _data(value, walk.attributes)
                members |= below
                home = names.setdefault(value.__module__, set())
                home |= {f"{value.__qualname__}.{one}" for one in below}
            else:
                members |= {one for one in attributes_of(value) if one in walk.attributes}
                names.setdefault(module, set()).add(name)
    return {module: found for module, found in names.items() if found}, members


def _data(cls: type, names: Iterable[str]) -> set[str]:
    """Return those of `names` that are members of a class, and no functions."""
    found = {name: vars(base)[name] for base in cls.__mro__[-2::-1] for name in names if name in vars(base)}
    return {name for name, value in found.items() if name[:2] != "__" and not hasattr(type(value), "__get__")}


def _class_of(value: object) -> type:
    return value if is_a(value, type) else type(value)


def _every_name(code: CodeType) -> set[str]:
    return {name for one in all_codes(code) for name in one.co_names}
