"""What a module's code object says of its imports: which names they bind, and which names it reads while it runs.

The import system has compiled the module anyway, so this costs some 50 microseconds and no parse, where the facts of a
text cost milliseconds. It answers the common question after an edit: does this importer only bind the changed name,
to use it in functions that run later? It may say too much is read, never too little. Instructions are told apart on the
bytes of `co_code`, in which inline caches are zeros (CPython's `_PyCode_GetCode` clears them).
"""

from __future__ import annotations

import dis
import inspect
import os
import re
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import compress
from types import CodeType
from typing import Final

from hotswap._graph._facts import GETTERS, HINTS
from hotswap._graph._imports import absolute_origin
from hotswap._graph._overrides import runs_for_classes

_OPS: Final[Mapping[str, int]] = dis.opmap
_EXTENDED: Final = _OPS["EXTENDED_ARG"]
_IMPORT: Final = _OPS["IMPORT_NAME"]
_FROM: Final = _OPS["IMPORT_FROM"]
_STORE: Final = _OPS["STORE_NAME"]
_POP: Final = _OPS["POP_TOP"]
_SMALL: Final = _OPS.get("LOAD_SMALL_INT", -1)
_LOAD_GLOBAL: Final = _OPS["LOAD_GLOBAL"]
_STORE_GLOBAL: Final = _OPS["STORE_GLOBAL"]
_DELETE_GLOBAL: Final = _OPS["DELETE_GLOBAL"]
_GLOBAL_STORES: Final = frozenset((_STORE_GLOBAL, _DELETE_GLOBAL))
_INTRINSIC: Final = _OPS.get("CALL_INTRINSIC_1", -1)
_TYPE_ALIAS: Final = 11
"""`INTRINSIC_TYPEALIAS`: the value of a ``type`` statement is a function that runs when it is first asked for."""

KNOWN: Final = sys.version_info < (3, 15)
"""Whether the instructions are those that this reads: from 3.15 on imports are encoded otherwise (PEP 810)."""


def _table(*names: str) -> bytes:
    chosen = {_OPS[name] for name in names if name in _OPS}
    return bytes(code in chosen for code in range(256))


_LOADS: Final = _table("LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS", "DELETE_NAME")
_ATTRIBUTES: Final = _table("LOAD_ATTR")
_METHODS: Final = _table("LOAD_METHOD")
_SHIFTED: Final = int(sys.version_info >= (3, 12))
"""From 3.12 on the lowest bit of a ``LOAD_ATTR`` says whether a method is meant."""
_GLOBAL_LOADS: Final = _table("LOAD_GLOBAL")
_STORES: Final = _table("STORE_NAME", "DELETE_NAME", "STORE_GLOBAL", "DELETE_GLOBAL")


Body = tuple[str, tuple[str, ...]]
HELD: Final = "<held>"
"""Under this, bodies have what a module's own statements may have others look up, by ``attrgetter("size")``."""


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """One module, as its code object has it.

    `imported` are the absolute names of all modules that may be imported, as `_imports.mentions` has them, and of
    submodules that may be reached through those. `froms` are the from-imports at module level (source, name there,
    name here), `modules` names that are modules, `stars` the sources of star imports, `inner` the (source, name) that
    functions and class bodies import, where the empty name is the module itself; `odd`: a class body is among these.

    `runs` are all names that may be read while the module runs, `attributes` those of them behind a dot; `runs_own`
    says that something defined here is read. `bodies` has the functions in each definition, by name, with the names in
    them. `once` are names that nothing but one import binds, `own` all that the module binds. `memo`: it may have memo
    caches, `hints`: it evaluates annotations. `dynamic`: it may hold modules that no import names.
    """

    imported: frozenset[str]
    froms: tuple[tuple[str, str, str], ...]
    modules: tuple[tuple[str, str], ...]
    stars: tuple[str, ...]
    inner: frozenset[tuple[str, str]]
    odd: bool
    runs: frozenset[str]
    runs_own: bool
    attributes: frozenset[str]
    bodies: Mapping[str, list[Body]]
    once: frozenset[str]
    own: frozenset[str]
    memo: bool
    hints: bool
    dynamic: bool

    def uses(self, names: AbstractSet[str]) -> bool:
        """Whether a function of the module has one of `names` in it."""
        if not names:
            return False
        return any(_any_uses(bodies, names) for bodies in self.bodies.values())

    def using(
        self, names: AbstractSet[str], *, imports: bool, but: Container[str] = ()
    ) -> Iterator[tuple[str, set[str]]]:
        """Yield the definitions whose functions use one of `names`, or one of these definitions, each with its methods.

        With `imports`, what functions import counts as well; in which of them that is, is not known. Those in `but` do
        not count.
        """
        names, left = set(names), {name: bodies for name, bodies in self.bodies.items() if name not in but}
        while found := [name for name, bodies in left.items() if imports or _any_uses(bodies, names)]:
            for name in found:
                yield name, {method for method, _ in left.pop(name) if method != name}
            names |= set(found)

    def makes_classes(self, module: str, names: AbstractSet[str]) -> bool:
        """Whether a function that runs when classes are made has one of `names` in it."""
        every = (
            (f"{name}.{one}", used) for name, bodies in self.bodies.items() for one, used in bodies if one[:2] == "__"
        )
        return any(not names.isdisjoint(used) and runs_for_classes(module, method) for method, used in every)


_WORDS: Final = re.compile(r"[^\W\d]\w*")


class _Drawing:
    """Collects; one level of code objects after the other."""

    def __init__(self, package: str, is_module: Callable[[str], bool]) -> None:
        self.package, self.is_module = package, is_module
        self.froms: list[tuple[str, str, str]] = []
        self.modules: list[tuple[str, str]] = []
        self.stars: list[str] = []
        self.inner: set[tuple[str, str]] = set()
        self.odd = False
        self.runs: set[str] = set()
        self.attributes: set[str] = set()
        self.every: list[str] = []
        self.bodies: dict[str, list[Body]] = {}
        self.shaky: set[str] = set()
        self.own: frozenset[str] = frozenset()

    def draw(self, code: CodeType) -> None:
        """Take in the module's own code."""
        raw = code.co_code
        ops, args = raw[::2], raw[1::2]
        self._loads(code, ops, args)
        stored = list(_names(code, ops, args, _STORES))
        self.own = frozenset(stored)
        if len(self.own) != len(stored):
            self.shaky.update(name for name in self.own if stored.count(name) > 1)
        for index in _hits(ops, _IMPORT):
            self._import(code, ops, args, index)
        alias = _INTRINSIC >= 0 and any(args[at] == _TYPE_ALIAS for at in _hits(ops, _INTRINSIC))
        self._inside(code, "", runs=alias)
        if os.path.basename(code.co_filename).startswith("__init__."):  # it has its submodules without a name for them
            below = [(name, f"{self.package}.{name}") for name in self.runs - self.own]
            self.modules += [(name, module) for name, module in below if self.is_module(module)]

    def _loads(self, code: CodeType, ops: bytes, args: bytes) -> None:
        self.runs.update(_names(code, ops, args, _LOADS))
        if _LOAD_GLOBAL in ops:
            self.runs.update(_names(code, ops, args, _GLOBAL_LOADS, 1))
        self.attributes.update(_names(code, ops, args, _ATTRIBUTES, _SHIFTED), _names(code, ops, args, _METHODS))
        if texts := _texts(code):
            self.attributes.update(texts)
            self.bodies.setdefault(HELD, []).append(("", (*texts,)))
        if "eval" in code.co_names:
            texts = (const for const in code.co_consts if type(const) is str)
            self.runs.update(word for text in texts for word in _WORDS.findall(text))
        self.every += code.co_names

    def _inside(self, code: CodeType, owner: str, *, runs: bool) -> None:
        """Take in the codes that stand in `code`, those of functions under the definition `owner`."""
        for const in code.co_consts:
            if type(const) is not CodeType:
                continue
            name = const.co_name
            if not const.co_flags & inspect.CO_OPTIMIZED:
                self._class_body(const, owner or name)
            elif runs or name[0] == "<" or name == "__annotate__":
                self._running(const, owner, runs=runs)
            else:
                self._function(const, self.bodies.setdefault(owner or name, []))

    def _class_body(self, code: CodeType, owner: str) -> None:
        raw = code.co_code
        ops, args = raw[::2], raw[1::2]
        self._loads(code, ops, args)
        self.bodies.setdefault(owner, [])
        if _IMPORT in ops:
            self.odd = True
        self._scan(code)
        self._inside(code, owner, runs=False)

    def _running(self, code: CodeType, owner: str, *, runs: bool) -> None:
        """Take in a scope of its own that runs with the module, or may: a comprehension, a lambda, type parameters."""
        self.runs.update(code.co_names)
        self.attributes.update((*code.co_names, *_texts(code)))
        self.every += code.co_names
        self._scan(code)
        self._inside(code, owner, runs=runs or not code.co_name.startswith("<generic"))

    def _function(self, code: CodeType, found: list[Body]) -> None:
        if code.co_names:
            found.append((code.co_name, (*code.co_names, *_texts(code))))
            self.every += code.co_names
            self._scan(code)
        for const in code.co_consts:
            if type(const) is CodeType:
                self._function(const, found)

    def _scan(self, code: CodeType) -> None:
        """Look for imports, and for names of the module that are bound or deleted from within."""
        raw = code.co_code
        if _IMPORT in raw and _IMPORT in (ops := raw[::2]):
            self._deferred(code, ops, raw[1::2])
        if (_STORE_GLOBAL in raw or _DELETE_GLOBAL in raw) and not _GLOBAL_STORES.isdisjoint(raw[::2]):
            self.shaky.update(code.co_names)

    def _deferred(self, code: CodeType, ops: bytes, args: bytes) -> None:
        for index in _hits(ops, _IMPORT):
            origin, listed = self._origin(code, ops, args, index)
            if listed is None:
                self.inner.update((part, "") for part in _with_parents(origin))
            elif origin:
                self.inner.update((origin, name) for name in listed)

    def _origin(self, code: CodeType, ops: bytes, args: bytes, index: int) -> tuple[str, tuple[str, ...] | None]:
        """Return the absolute name of the module that is imported at `index`, and the names asked of it."""
        name = code.co_names[_argument(ops, args, index)]
        at = _before(ops, index)
        listed = code.co_consts[_argument(ops, args, at)]
        at = _before(ops, at)
        level = args[at] if ops[at] == _SMALL else code.co_consts[_argument(ops, args, at)]
        return absolute_origin("." * level + name, self.package), listed

    def _import(self, code: CodeType, ops: bytes, args: bytes, index: int) -> None:
        origin, listed = self._origin(code, ops, args, index)
        if listed == ("*",):
            if origin:
                self.stars.append(origin)
            return
        there, at = "", index + 1
        if listed is None and ops[_past(ops, at)] == _STORE:  # import a.b: binds a
            here = code.co_names[_argument(ops, args, _past(ops, at))]
            self.modules += [(part, part) for part in _with_parents(origin)] if "." in origin else [(here, origin)]
            return
        left = 1 if listed is None else len(listed)
        while left and at < len(ops):
            at = _past(ops, at)
            if ops[at] == _FROM:
                there = code.co_names[_argument(ops, args, at)]
            elif ops[at] in (_STORE, _STORE_GLOBAL):
                here = code.co_names[_argument(ops, args, at)]
                if listed is None:
                    self.modules.append((here, origin))
                elif origin:
                    self.froms.append((origin, there, here))
                left -= 1
            at += 1

    def _imported(self) -> frozenset[str]:
        asked = [*((source, there) for source, there, _ in self.froms), *self.inner]
        found = {source for source, _ in asked}
        found.update([f"{source}.{there}" for source, there in asked if there])
        found.update(self.stars)
        for _, module in self.modules:
            found.add(module)
            below = [f"{module}.{name}" for name in self.attributes]  # it may be a submodule that others imported
            found.update(filter(self.is_module, below))
        return frozenset(found)

    def done(self) -> Sketch:
        """Return what was collected."""
        every = " ".join(self.every)
        return Sketch(
            self._imported(),
            tuple(self.froms),
            tuple(self.modules),
            tuple(self.stars),
            frozenset(self.inner),
            self.odd,
            frozenset(self.runs),
            not self.runs.isdisjoint(self.bodies),
            frozenset(self.attributes),
            self.bodies,
            frozenset([here for _, _, here in self.froms]) - self.shaky,
            self.own,
            any(word in every.lower() for word in ("cache", "memo", "once", "__subclasshook__")),
            HINTS in every,
            "import_module" in every or "__import__" in every or ("modules" in every and "sys" in self.own),
        )


def _texts(code: CodeType) -> Iterable[str]:
    """Return what may be names that ``attrgetter("size")`` and its like look up."""
    if GETTERS.isdisjoint(code.co_names):
        return ()
    return [part for const in code.co_consts if type(const) is str for part in const.split(".") if part.isidentifier()]


def _any_uses(bodies: list[Body], names: AbstractSet[str]) -> bool:
    return any(not names.isdisjoint(used) for _, used in bodies)


def _names(code: CodeType, ops: bytes, args: bytes, table: bytes, shift: int = 0) -> Iterable[str]:
    """Return the names that the instructions which `table` marks have as argument, in order."""
    names = code.co_names
    if len(names) <= (256 >> shift):
        return [names[arg >> shift] for arg in compress(args, ops.translate(table))]
    marked = compress(range(len(ops)), ops.translate(table))
    return [names[_argument(ops, args, index) >> shift] for index in marked]


def _hits(ops: bytes, op: int) -> Iterator[int]:
    at = ops.find(op)
    while at >= 0:
        yield at
        at = ops.find(op, at + 1)


def _argument(ops: bytes, args: bytes, index: int) -> int:
    value, shift = args[index], 8
    while index and ops[index - 1] == _EXTENDED:
        index -= 1
        value |= args[index] << shift
        shift += 8
    return value


def _before(ops: bytes, index: int) -> int:
    """Return the index of the instruction before the one at `index`."""
    index -= 1
    while ops[index] == _EXTENDED:
        index -= 1
    return index


def _past(ops: bytes, index: int) -> int:
    while ops[index] == _EXTENDED:
        index += 1
    return index


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:size]) for size in range(1, len(parts) + 1)]


def sketch_of(code: CodeType, package: str, is_module: Callable[[str], bool] = frozenset[str]().__contains__) -> Sketch:
    """Return the sketch of the module whose code object is `code`.

    Args: `package` is its ``__package__``; `is_module` says of a dotted name whether it is a loaded module.
    """
    drawing = _Drawing(package, is_module)
    drawing.draw(code)
    return drawing.done()
