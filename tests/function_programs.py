"""Random modules full of functions, and random edits of them, for the property test of functions.

A module is a list of items that print themselves. An edit is three integers, which makes failures shrink well; one that
does not apply does nothing. What refers to what is known, so that each text is one that a fresh process can run.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeVar

Edit = tuple[int, int, int]
T = TypeVar("T")

SORTS: Final = ("plain", "generator", "async", "async generator")
SHAPES: Final = ("tuple", "comprehension", "inner", "lambda", "class", "maker", "global", "mutual")
DECORATORS: Final = (
    "own",
    "wrapped",
    "factory(1)",
    "factory(2)",
    "functools.lru_cache(maxsize=None)",
    "functools.cache",
    "contextlib.contextmanager",
    "registered",
)
BLOCKS: Final = ("", "if", "else", "try", "except", "with", "for", "twice", "overload", "rebound")


@dataclass(eq=False)
class Item:
    """Something at the top of a module. `uses` are the items that must stand above it."""

    name: str
    number: int = 1
    comments: int = 0

    def uses(self) -> list[Item]:
        return []

    def lines(self) -> list[str]:
        raise NotImplementedError

    def text(self) -> str:
        return "\n".join([f"# note {n}" for n in range(self.comments)] + self.lines())


@dataclass(eq=False)
class Function(Item):
    """A ``def`` with everything that one may have."""

    sort: int = 0
    shape: int = 0
    doc: int = 0
    annotated: bool = False
    parameters: int = 0
    default: Item | None = None
    default_number: int = 0
    decorators: list[int] = field(default_factory=list)
    free: tuple[str, ...] = ("a",)
    block: int = 0
    inner_default: int = 0

    def uses(self) -> list[Item]:
        return [item for item in (self.default,) if item is not None]

    def _parameters(self) -> str:
        default = self.default.name if self.default else f"{self.default_number}"
        note = ": int" if self.annotated else ""
        return ", ".join(
            (
                (f"x{note}", f"y{note}={default}"),
                (f"x{note}", "/", f"y={default}"),
                (f"x{note}", "*rest", f"k{note}={default}"),
                (f"x={default}", "*", f"k={default}", "**more"),
                ("*args", "**kwargs"),
            )[self.parameters % 5]
        )

    def _inner(self) -> str:
        """Return the parameters of the function inside; some defaults are evaluated by each call of the outer one."""
        n = self.inner_default
        return ("z=0", f"z={n}", f"z=0, *, w={n}", f"z=({n}, b)", f"z: int = {n}", f"z: str = {n}")[n % 6]

    def _x(self) -> str:
        return "args" if self.parameters % 5 == 4 else "x"

    def _values(self) -> list[str]:
        x, n = self._x(), self.number
        return [
            f"return ({x}, {n})",
            f"return [({x}, i + {n}) for i in range(2)]",
            "return inner(1)",
            f"return (lambda v: (v, {n}))({x})",
            "return Local().tell()",
            "return inner",
            f"return ({x}, LIMIT, {n})",
            f"return ({x}, None is None, {n})",
        ]

    def _before(self) -> list[str]:
        shape = SHAPES[self.shape % 8]
        if shape in ("inner", "maker"):
            used = "".join(f", {name}" for name in self.free)
            return [
                f"a = {self._x()}",
                f"b = {self.number}",
                "c = 'c'",
                f"def inner({self._inner()}):",
                f"    return (z, {self.number}{used})",
            ]
        if shape == "class":
            return ["class Local:", "    def tell(self):", f"        return ({self._x()}, {self.number})"]
        return []

    def lines(self) -> list[str]:
        sort = SORTS[self.sort % 4]
        head = "async def" if "async" in sort else "def"
        result = " -> object" if self.annotated else ""
        body = [f'"""Words {self.doc}."""'] if self.doc else []
        value = self._values()[self.shape % 8]
        body += [*self._before(), value.replace("return", "yield", 1) if "generator" in sort else value]
        decorated = [f"@{DECORATORS[d % 8]}" for d in self.decorators if self._fits(d % 8, sort)]
        lines = [*decorated, f"{head} {self.name}({self._parameters()}){result}:", *(f"    {line}" for line in body)]
        return self._blocked(lines)

    def _fits(self, decorator: int, sort: str) -> bool:
        """Context managers are made of generators; a cache would hand out one generator or coroutine twice."""
        return sort == "generator" if decorator == 6 else sort == "plain" or decorator not in (4, 5)

    def _blocked(self, lines: list[str]) -> list[str]:
        deep = [f"    {line}" for line in lines]
        stub = f"def {self.name}(x, y=0):"
        other = [f"    {stub}", f"        return ('other', {self.number})"]
        return {
            "": lines,
            "if": ["if LIMIT:", *deep, "else:", *other],
            "else": ["if not LIMIT:", *other, "else:", *deep],
            "try": ["try:", *deep, "except ImportError:", *other],
            "except": ["try:", "    import missing_module", "except ImportError:", *deep],
            "with": ["with contextlib.suppress(KeyError):", *deep],
            "for": ["for _i in range(2):", *deep],
            "twice": [stub, f"    return ('first', {self.number})", "", *lines],
            "overload": [
                "@typing.overload",
                f"def {self.name}(x: int) -> int: ...",
                "@typing.overload",
                f"def {self.name}(x: str) -> str: ...",
                *lines,
            ],
            "rebound": [*lines, f"{self.name} = own({self.name})"],
        }[BLOCKS[self.block % 10]]


@dataclass(eq=False)
class Decorator(Item):
    """A decorator of the program's own; `number` is in its wrapper, `made` is worked out when it decorates."""

    sort: str = "own"
    made: int = 0

    def lines(self) -> list[str]:
        inner = [
            "def wrapper(*args, **kwargs):",
            f"    return ({self.name!r}, {self.number}, made, function(*args, **kwargs))",
        ]
        inner = inner if self.sort == "own" else ["@functools.wraps(function)", *inner]
        inner = [f"made = {self.made}", *inner, "return wrapper"]
        if self.sort != "factory":
            return [f"def {self.name}(function):", *(f"    {line}" for line in inner)]
        inner[0] = f"made = {self.made} + level"
        deep = ["def decorate(function):", *(f"    {line}" for line in inner), "return decorate"]
        return [f"def {self.name}(level):", *(f"    {line}" for line in deep)]


@dataclass(eq=False)
class Made(Item):
    """A closure that a function of the module made when it was imported, a partial, or a value from a call."""

    source: Function | None = None
    sort: int = 0

    def uses(self) -> list[Item]:
        return [self.source] if self.source else []

    def lines(self) -> list[str]:
        assert self.source is not None
        call = (
            f"{self.source.name}({self.number})",
            f"functools.partial({self.source.name}, {self.number})",
            f"[{self.source.name}, {self.number}]",
            f"{self.source.name}",
        )
        return [f"{self.name} = {call[self.sort % 4]}"]


@dataclass(eq=False)
class Lambdas(Item):
    """Lambdas in a dictionary, or under a name."""

    count: int = 2

    def lines(self) -> list[str]:
        return [
            f"{self.name} = {{",
            *(f"    {n}: lambda v=0: (v, {self.number if n else 7}, {n})," for n in range(self.count)),
            "}",
        ]


@dataclass(eq=False)
class Dispatch(Item):
    """A generic function with registrations that are all called ``_``."""

    kinds: tuple[str, ...] = ("int", "str")

    def lines(self) -> list[str]:
        found = ["@functools.singledispatch", f"def {self.name}(v=None):", f"    return ('any', {self.number})"]
        for place, kind in enumerate(self.kinds):
            number = self.number if place else 5
            found += [f"@{self.name}.register", f"def _(v: {kind}):", f"    return ({kind!r}, {number})"]
        return found


@dataclass(eq=False)
class Chain(Item):
    """A list that several statements make."""

    links: tuple[int, ...] = (1,)

    def lines(self) -> list[str]:
        return [f"{self.name} = [{self.number}]", *(f"{self.name} += [{link}]" for link in self.links)]


@dataclass(eq=False)
class Holder(Item):
    """A class whose methods gain and lose ``super()``, a property of two parts, static and class methods."""

    parent: bool = False
    setter: bool = True

    def lines(self) -> list[str]:
        inner = "super().__init__()" if self.parent else "self.made = 1"
        found = [
            f"class {self.name}:",
            "    def __init__(self):",
            f"        {inner}",
            f"        self.n = {self.number}",
            "    @property",
            "    def size(self):",
            f"        return {self.number}",
        ]
        if self.setter:
            found += ["    @size.setter", "    def size(self, value):", f"        self.n = value + {self.number}"]
        return [
            *found,
            "    @staticmethod",
            "    def fixed(v=0):",
            f"        return (v, {self.number})",
            "    @classmethod",
            "    def named(cls):",
            f"        return (cls.__name__, {self.number})",
        ]


@dataclass
class Program:
    """One module: decorators first, then items in an order that works."""

    decorators: list[Decorator]
    items: list[Item]
    limit: int = 1
    names: Iterator[int] = field(default_factory=itertools.count)

    def text(self) -> str:
        head = [
            "import contextlib\nimport functools\nimport typing",
            "REGISTRY = []",
            "STATE = ['started']",
            "def registered(function):\n    REGISTRY.append(function.__name__)\n    return function",
        ]
        return (
            "\n\n".join([*head, f"LIMIT = {self.limit}", *(i.text() for i in (*self.decorators, *self.items))]) + "\n"
        )

    def edit(self, edit: Edit) -> str:
        """Carry out one edit; return what it was called."""
        act = EDITS[edit[0] % len(EDITS)]
        with suppress(LookupError):
            act(self, edit[1], edit[2])
        return act.__name__

    def used(self, item: Item) -> bool:
        return any(item in other.uses() for other in self.items)

    def fresh(self, prefix: str) -> str:
        return f"{prefix}{next(self.names)}"


def start() -> Program:
    """Return the module that all sequences begin with."""
    decorators = [Decorator("own"), Decorator("wrapped", sort="wrapped"), Decorator("factory", sort="factory")]
    plain, maker = Function("plain"), Function("maker", shape=5)
    return Program(
        decorators,
        [
            plain,
            maker,
            Function("cached", decorators=[4]),
            Function("decorated", decorators=[1, 2]),
            Made("closure", source=maker),
            Made("bound", source=plain, sort=1),
            Lambdas("TABLE"),
            Dispatch("tell"),
            Chain("CHAIN"),
            Holder("Holder"),
            Function("guarded", block=1),
            Function("tried", block=3),
        ],
    )


# ------------------------------------------------------------------------------------------------------- edits


def _pick(found: list[T], where: int) -> T:
    if not found:
        raise LookupError("no such item in this module")
    return found[where % len(found)]


def _functions(program: Program) -> list[Function]:
    return [item for item in program.items if isinstance(item, Function)]


def body(program: Program, where: int, number: int) -> None:
    _pick([*program.items, *program.decorators], where).number = number


def function_body(program: Program, where: int, number: int) -> None:
    _pick(_functions(program), where).number = number


def comment(program: Program, where: int, number: int) -> None:
    _pick([*program.decorators, *program.items], where).comments = number


def docstring(program: Program, where: int, number: int) -> None:
    _pick(_functions(program), where).doc = number


def annotations(program: Program, where: int, number: int) -> None:
    function = _pick(_functions(program), where)
    function.annotated = not function.annotated


def parameters(program: Program, where: int, number: int) -> None:
    _pick(_functions(program), where).parameters = number


def default_number(program: Program, where: int, number: int) -> None:
    function = _pick(_functions(program), where)
    function.default, function.default_number = None, number


def default_function(program: Program, where: int, number: int) -> None:
    place = where % len(program.items)
    function = program.items[place]
    if isinstance(function, Function):
        above = [item for item in program.items[:place] if isinstance(item, Function | Lambdas)]
        function.default = _pick(list(above), number)


def sort(program: Program, where: int, number: int) -> None:
    _pick(_functions(program), where).sort = number


def shape(program: Program, where: int, number: int) -> None:
    _pick(_functions(program), where).shape = number


def free(program: Program, where: int, number: int) -> None:
    found = [f for f in _functions(program) if SHAPES[f.shape % 8] in ("inner", "maker")]
    every = [(), ("a",), ("b",), ("a", "b"), ("b", "a"), ("a", "b", "c"), ("c", "b"), ("c", "a", "b")]
    _pick(found, where).free = every[number % 8]


def inner_header(program: Program, where: int, number: int) -> None:
    found = [f for f in _functions(program) if SHAPES[f.shape % 8] in ("inner", "maker")]
    _pick(found, where).inner_default = number


def decorate(program: Program, where: int, number: int) -> None:
    function = _pick(_functions(program), where)
    function.decorators = [*function.decorators[-1:], number] if number % 3 else [number]


def undecorate(program: Program, where: int, number: int) -> None:
    function = _pick([f for f in _functions(program) if f.decorators], where)
    del function.decorators[number % len(function.decorators)]


def decorator_body(program: Program, where: int, number: int) -> None:
    _pick(program.decorators, where).number = number


def decorator_made(program: Program, where: int, number: int) -> None:
    _pick(program.decorators, where).made = number


def block(program: Program, where: int, number: int) -> None:
    _pick(_functions(program), where).block = number


def add_function(program: Program, where: int, number: int) -> None:
    made = Function(program.fresh("f"), number, shape=where, block=number if where % 2 else 0)
    program.items.insert(number % (len(program.items) + 1), made)


def add_made(program: Program, where: int, number: int) -> None:
    source = _pick(_functions(program), where)
    program.items.append(Made(program.fresh("m"), number, source=source, sort=number))


def made_number(program: Program, where: int, number: int) -> None:
    _pick(
        [i for i in program.items if isinstance(i, Made | Lambdas | Dispatch | Chain | Holder)], where
    ).number = number


def remove(program: Program, where: int, number: int) -> None:
    program.items.remove(_pick([item for item in program.items if not program.used(item)], where))


def move(program: Program, where: int, number: int) -> None:
    place = where % max(1, len(program.items) - 1)
    pair = program.items[place : place + 2]
    if len(pair) == 2 and pair[0] not in pair[1].uses():
        program.items[place : place + 2] = reversed(pair)


def lambdas(program: Program, where: int, number: int) -> None:
    _pick([i for i in program.items if isinstance(i, Lambdas)], where).count = 1 + number % 4


def dispatch(program: Program, where: int, number: int) -> None:
    every = [("int", "str"), ("str", "int"), ("int",), ("int", "list", "str"), ("float", "int", "str")]
    _pick([i for i in program.items if isinstance(i, Dispatch)], where).kinds = every[number % 5]


def chain(program: Program, where: int, number: int) -> None:
    every = [(), (1,), (2,), (1, 2), (2, 1), (1, 2, 3), (3, 1, 2)]
    _pick([i for i in program.items if isinstance(i, Chain)], where).links = every[number % 7]


def holder(program: Program, where: int, number: int) -> None:
    found = _pick([i for i in program.items if isinstance(i, Holder)], where)
    found.parent, found.setter = bool(number % 2), bool(number % 3)


def rename(program: Program, where: int, number: int) -> None:
    _pick(program.items, where).name = program.fresh("renamed")


def limit(program: Program, where: int, number: int) -> None:
    program.limit = 1 + number


EDITS: Final[tuple[Callable[[Program, int, int], None], ...]] = (
    body,
    function_body,
    function_body,
    comment,
    docstring,
    annotations,
    parameters,
    default_number,
    default_function,
    sort,
    shape,
    free,
    free,
    inner_header,
    decorate,
    undecorate,
    decorator_body,
    decorator_made,
    block,
    add_function,
    add_made,
    made_number,
    remove,
    move,
    lambdas,
    dispatch,
    chain,
    holder,
    rename,
    limit,
)
