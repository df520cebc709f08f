"""Random little programs of two modules, and random edits of them, for the property test.

A program is a model that prints itself as text: what refers to what is held as objects, so that a rename or a removal
leaves a program that a fresh process can start. An edit is three integers, which makes failures shrink well.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeVar

Edit = tuple[int, int, int]
T = TypeVar("T")


@dataclass(eq=False)
class Function:
    """A function or method; its numbers are what edits change."""

    name: str
    factor: int = 2
    default: int = 1
    doc: str = ""
    comments: int = 0
    nested: bool = False

    def text(self, first: str = "") -> str:
        """Return the definition; `first` is the parameter before the others."""
        body = [f"def {self.name}({first}x: int, y={self.default}):"]
        body += [f'    """{self.doc}"""'] if self.doc else []
        body += (
            ["    def inner(z):", f"        return z + {self.factor}", "    return inner(x) * y"] if self.nested else []
        )
        body += [] if self.nested else [f"    return x * {self.factor} + y"]
        return "\n".join([f"# note {n}" for n in range(self.comments)] + body)


@dataclass(eq=False)
class Class:
    """A class with an attribute, methods, and perhaps a base."""

    name: str
    base: Class | None = None
    size: int = 1
    methods: list[Function] = field(default_factory=list)
    comments: int = 0

    def text(self) -> str:
        """Return the definition."""
        base = f"({self.base.name})" if self.base else ""
        body = [f"size = {self.size}", *(method.text("self, ") for method in self.methods)]
        lines = [f"# note {n}" for n in range(self.comments)] + [f"class {self.name}{base}:"]
        return "\n".join(lines + [f"    {line}" for part in body for line in part.split("\n")])


@dataclass(eq=False)
class Value:
    """An assignment: a number, or what is computed from something above it or in the imported module."""

    name: str
    number: int = 1
    source: Item | None = None
    comments: int = 0
    prefix: str = ""

    def text(self) -> str:
        """Return the assignment."""
        if self.source is None:
            expression = f"{self.number}"
        elif isinstance(self.source, Function):
            expression = f"{self.prefix}{self.source.name}({self.number})"
        else:
            attribute = ".size" if isinstance(self.source, Class) else ""
            expression = f"{self.prefix}{self.source.name}{attribute} + {self.number}"
        return "\n".join([f"# note {n}" for n in range(self.comments)] + [f"{self.name} = {expression}"])


Item = Function | Class | Value


@dataclass
class Program:
    """The module `lib`, and `app` that imports from it."""

    lib_name: str
    lib: list[Item]
    app: list[Item] = field(default_factory=list)
    imported: list[Item] = field(default_factory=list)
    names: Iterator[int] = field(default_factory=itertools.count)

    def texts(self) -> tuple[str, str]:
        """Return the text of both modules."""
        state = ["STATE = []", "STATE.append('started')"]
        imports = [f"import {self.lib_name} as lib", *(f"from {self.lib_name} import {i.name}" for i in self.imported)]
        lib, app = ([item.text() for item in items] for items in (self.lib, self.app))
        return "\n\n".join([*state, *lib]) + "\n", "\n\n".join([*imports, *app]) + "\n"

    def edit(self, edit: Edit) -> None:
        """Carry out one edit; one that does not apply to this program does nothing."""
        which, where, number = edit
        with suppress(LookupError):
            EDITS[which % len(EDITS)](self, where, number)

    def fresh(self, prefix: str) -> str:
        """Return a name that was not used before."""
        return f"{prefix}{next(self.names)}"

    def used(self, item: Item) -> bool:
        """Whether something else refers to `item`."""
        everything = [*self.lib, *self.app]
        sources = [other.source for other in everything if isinstance(other, Value)]
        bases = [other.base for other in everything if isinstance(other, Class)]
        return item in sources or item in bases or item in self.imported


def start(lib_name: str) -> Program:
    """Return the program that all sequences begin with."""
    area, limit = Function("area"), Value("LIMIT", 5)
    shape = Class("Shape", methods=[Function("grow"), Function("shrink")])
    lib: list[Item] = [limit, area, Value("TWICE", 2, limit), shape, Value("MADE", 3, area)]
    app: list[Item] = [Value("FROM_NAME", 1, limit), Value("FROM_MODULE", 1, area, prefix="lib.")]
    return Program(lib_name, lib, [*app, Class("Child", shape, methods=[Function("own")])], [limit, shape])


# ------------------------------------------------------------------------------------------------------- edits


def _functions(program: Program) -> list[Function]:
    everything = [*program.lib, *program.app]
    methods = [method for item in everything if isinstance(item, Class) for method in item.methods]
    return [item for item in everything if isinstance(item, Function)] + methods


def _classes(program: Program) -> list[Class]:
    return [item for item in (*program.lib, *program.app) if isinstance(item, Class)]


def _values(program: Program) -> list[Value]:
    return [item for item in (*program.lib, *program.app) if isinstance(item, Value)]


def _pick(items: list[T], where: int) -> T:
    if not items:
        raise LookupError("no such item in this program")
    return items[where % len(items)]


def _body(program: Program, where: int, number: int) -> None:
    _pick(_functions(program), where).factor = number


def _shape(program: Program, where: int, number: int) -> None:
    function = _pick(_functions(program), where)
    function.nested = not function.nested


def _default(program: Program, where: int, number: int) -> None:
    _pick(_functions(program), where).default = number


def _docstring(program: Program, where: int, number: int) -> None:
    _pick(_functions(program), where).doc = f"Words {number}." if number else ""


def _comment(program: Program, where: int, number: int) -> None:
    _pick([*program.lib, *program.app, *_functions(program)], where).comments = number


def _number(program: Program, where: int, number: int) -> None:
    _pick(_values(program), where).number = number


def _size(program: Program, where: int, number: int) -> None:
    _pick(_classes(program), where).size = number


def _add_function(program: Program, where: int, number: int) -> None:
    module = _pick([program.lib, program.app], where)
    module.insert(number % (len(module) + 1), Function(program.fresh("f"), factor=number))


def _add_value(program: Program, where: int, number: int) -> None:
    source = _pick(program.lib, where)
    if number % 2:
        program.app.append(Value(program.fresh("V"), number, source, prefix="lib."))
    else:
        program.lib.append(Value(program.fresh("V"), number, source))


def _add_class(program: Program, where: int, number: int) -> None:
    bases = [item for item in program.lib if isinstance(item, Class)]
    methods = [Function("own", factor=number)]
    program.lib.append(Class(program.fresh("C"), _pick(bases, where) if number % 2 else None, methods=methods))


def _add_method(program: Program, where: int, number: int) -> None:
    _pick(_classes(program), where).methods.append(Function(program.fresh("m"), factor=number))


def _remove_method(program: Program, where: int, number: int) -> None:
    methods = _pick(_classes(program), where).methods
    if methods:
        del methods[number % len(methods)]


def _remove(program: Program, where: int, number: int) -> None:
    module = _pick([program.lib, program.app], where)
    free = [item for item in module if not program.used(item)]
    if free:
        module.remove(_pick(free, number))


def _rename(program: Program, where: int, number: int) -> None:
    items = [*program.lib, *program.app]
    _pick(items, where).name = program.fresh("renamed")


def _import(program: Program, where: int, number: int) -> None:
    item = _pick(program.lib, where)
    needed = any(isinstance(other, Class) and other.base is item for other in program.app)
    needed = needed or any(isinstance(o, Value) and o.source is item and not o.prefix for o in program.app)
    if item not in program.imported:
        program.imported.append(item)
    elif not needed:
        program.imported.remove(item)


def _swap(program: Program, where: int, number: int) -> None:
    module = _pick([program.lib, program.app], where)
    place = number % max(1, len(module) - 1)
    pair = module[place : place + 2]
    if len(pair) == 2 and pair[0] not in (getattr(pair[1], "source", None), getattr(pair[1], "base", None)):
        module[place : place + 2] = reversed(pair)


EDITS: Final[tuple[Callable[[Program, int, int], None], ...]] = (
    _body,
    _number,
    _default,
    _comment,
    _docstring,
    _size,
    _shape,
    _add_function,
    _add_value,
    _add_class,
    _add_method,
    _remove_method,
    _remove,
    _rename,
    _import,
    _swap,
)
