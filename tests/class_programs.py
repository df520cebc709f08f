"""Random modules of classes, and random edits of them, for the property test of classes.

A program is two modules: a list of classes that prints itself as texts; the second module imports the first. Each class
has a kind (what its library writes is checked, too), members of several kinds, and perhaps a base among those above it,
in its own module or the one below.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

Edit = tuple[int, int, int]

PLAIN: Final = ("plain", "abstract", "generic", "slots", "meta", "hooked", "protocol", "total", "noted")
DATACLASSES: Final = ("dataclass", "frozen", "ordered", "slotted")
ENUMS: Final = ("enum", "intenum", "flag", "strenum")
KINDS: Final = (
    *PLAIN,
    *DATACLASSES,
    *ENUMS,
    "namedtuple",
    "typeddict",
    *(("params",) if sys.version_info >= (3, 12) else ()),
)
MEMBERS: Final = (
    "method",
    "property",
    "class",
    "static",
    "attribute",
    "cached",
    "named",
    "special",
    "private",
    "super",
    "setter",
    "computed",
    "partial",
    "nested",
    "wrapped",
    "annotated",
    "lambda",
    "reading",
    "generator",
)
HEAD: Final = """
import abc
import dataclasses
import enum
import functools
import typing

T = typing.TypeVar("T")


class Named:
    def __init__(self, number):
        self.number = number

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        return (self.name, self.number)


class Meta(type):
    def __new__(meta, name, bases, namespace):
        return super().__new__(meta, name, bases, namespace)


class Hooked:
    made = []

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        Hooked.made.append(cls.__name__)


def noted(cls):
    cls.noted = cls.__name__
    return cls


def wrap(function):
    @functools.wraps(function)
    def inner(*arguments):
        return "wrapped", function(*arguments)

    return inner
"""
_SPECIAL: Final = ("__len__", "__eq__", "__repr__", "__hash__", "__call__", "__bool__")


@dataclass(eq=False)
class Member:
    """One member of a class: its kind decides about its text, its number is what edits change."""

    name: str
    kind: str = "method"
    number: int = 1

    def lines(self) -> list[str]:
        """Return the member's text, a line each."""
        name, number = self.name, self.number
        special = _SPECIAL[number % len(_SPECIAL)]
        values = {"__eq__": "other is self", "__repr__": f"'r{number}'", "__bool__": f"{bool(number % 4)}"}
        texts = {
            "method": [f"def {name}(self, x={number}):", f"    return x * 2 + {number}"],
            "property": ["@property", f"def {name}(self):", f"    return {number}"],
            "class": ["@classmethod", f"def {name}(cls):", f"    return cls.__name__, {number}"],
            "static": ["@staticmethod", f"def {name}():", f"    return {number}"],
            "attribute": [f"{name} = {number}"],
            "cached": ["@functools.lru_cache", f"def {name}(self):", f"    return {number}"],
            "named": [f"{name} = Named({number})"],
            "special": [
                f"def {special}(self{', other' if special == '__eq__' else ''}):",
                f"    return {values.get(special, number)}",
            ],
            "private": [
                f"def __{name}(self):",
                f"    return {number}",
                f"def {name}(self):",
                f"    return self.__{name}()",
            ],
            "super": [f"def {name}(self):", f"    return {number}, __class__.__name__, super().__sizeof__() > 0"],
            "setter": [
                *("@property", f"def {name}(self):", f"    return {number}"),
                *(f"@{name}.setter", f"def {name}(self, value):", f"    raise KeyError(value, {number})"),
            ],
            "computed": ["@functools.cached_property", f"def {name}(self):", f"    return {number}"],
            "partial": [
                *(f"def {name}_of(self, a, b=2):", f"    return a + b + {number}"),
                f"{name} = functools.partialmethod({name}_of, {number})",
            ],
            "nested": [
                f"class {name}:",
                f"    number = {number}",
                "    def value(self):",
                f"        return {number}, __class__.__qualname__",
            ],
            "wrapped": ["@wrap", f"def {name}(self):", f"    return {number}"],
            "annotated": [f"{name}: typing.ClassVar[int] = {number}"],
            "lambda": [f"{name} = lambda self, y={number}: y + {number}"],
            "reading": [f"_{name} = {number}", f"{name} = _{name} * 2"],
            "generator": [
                *(f"def {name}(self):", f"    return list(self._{name}())"),
                *(f"def _{name}(self):", f"    yield from range({number % 5})"),
            ],
        }
        return texts[self.kind]


@dataclass(eq=False)
class Class:
    """One class: fields (with a default or without) for those kinds that have them, members, a base, a docstring."""

    name: str
    kind: str = "plain"
    base: Class | None = None
    fields: list[Member] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    doc: int = 0
    comments: int = 0
    high: bool = False

    def text(self) -> str:
        """Return the definition."""
        bases, decorators = self._header()
        body = [f'"""Words {self.doc}."""'] if self.doc else []
        body += self._stated()
        for member in self.members:
            if member.kind not in UNFIT.get(self.kind, ()):
                body += member.lines()
        head = [f"# note {n}" for n in range(self.comments)] + decorators
        return "\n".join([*head, f"class {self.name}{bases}:", *(f"    {line}" for line in body or ["pass"])])

    def _header(self) -> tuple[str, list[str]]:
        bases = {
            "abstract": "abc.ABC", "generic": "typing.Generic[T]", "meta": "metaclass=Meta", "enum": "enum.Enum",
            "intenum": "enum.IntEnum", "namedtuple": "typing.NamedTuple", "typeddict": "typing.TypedDict",
            "flag": "enum.Flag", "strenum": "enum.StrEnum", "protocol": "typing.Protocol", "hooked": "Hooked",
        }  # fmt: skip
        decorators = {
            "frozen": "dataclasses.dataclass(frozen=True)", "ordered": "dataclasses.dataclass(order=True)",
            "dataclass": "dataclasses.dataclass", "slotted": "dataclasses.dataclass(slots=True)",
            "protocol": "typing.runtime_checkable", "total": "functools.total_ordering", "noted": "noted",
        }  # fmt: skip
        found = [f"{'low.' if self.base.high < self.high else ''}{self.base.name}"] if self.base else []
        found += [bases[self.kind]] if self.kind in bases and not (self.base and self.kind == "typeddict") else []
        params = "[T]" if self.kind == "params" else ""
        header = f"{params}({', '.join(found)})" if found else params
        return header, [f"@{decorators[self.kind]}"] if self.kind in decorators else []

    def _stated(self) -> list[str]:
        if self.kind == "slots":
            return ["__slots__ = ()"]
        if self.kind in ("enum", "intenum"):
            return [f"{one.name} = {one.number}" for one in self.fields]
        if self.kind == "flag":
            return [f"{one.name} = {1 << (one.number % 40)}" for one in self.fields]
        if self.kind == "strenum":
            return [f"{one.name} = 'v{one.number}'" for one in self.fields]
        if self.kind == "typeddict":
            return [f"{one.name}: int" for one in self.fields]
        if self.kind in ("namedtuple", *DATACLASSES):
            return [f"{one.name}: int = {one.number}" for one in self.fields]
        if self.kind == "total":
            number = self.fields[0].number if self.fields else 0
            return ["def __lt__(self, other):", f"    return {number}, id(self) < id(other)"]
        return []


_STATIC: Final = (
    "attribute",
    "named",
    "cached",
    "special",
    "private",
    "super",
    "setter",
    "reading",
    "lambda",
    "annotated",
)
_MADE: Final = (*_STATIC, "computed", "partial", "nested", "wrapped", "generator")
UNFIT: Final = {
    "typeddict": MEMBERS,
    **dict.fromkeys((*ENUMS, "namedtuple"), _MADE),
    "protocol": ("computed", "special"),
    "slots": ("computed",),
    "slotted": ("computed", "super", "attribute"),
    "total": ("special",),
}
"""Members that a kind of class cannot have, or makes something of that no fresh class would be equal in."""


@dataclass
class Program:
    """The classes of both modules; those of the first one come first."""

    classes: list[Class] = field(default_factory=list)
    names: Iterator[int] = field(default_factory=itertools.count)

    def texts(self, name: str) -> tuple[str, str]:
        """Return the text of the module `name` and that of the one that imports it."""
        low = [one.text() for one in self.classes if not one.high]
        high = [one.text() for one in self.classes if one.high]
        imported = f"import {name} as low\nfrom {name} import Hooked, Meta, Named, noted, wrap"
        return (
            "\n\n\n".join([HEAD.strip("\n"), *low]) + "\n",
            "\n\n\n".join([HEAD.strip("\n").partition("\n\n\nclass")[0], imported, *high]) + "\n",
        )

    def edit(self, edit: Edit) -> None:
        """Carry out one edit; one that does not apply to this program does nothing."""
        which, where, number = edit
        with suppress(LookupError, ZeroDivisionError):
            EDITS[which % len(EDITS)](self, where, number)

    def fresh(self, prefix: str) -> str:
        """Return a name that was not used before."""
        return f"{prefix}{next(self.names)}"


def start(kinds: list[tuple[int, int]]) -> Program:
    """Return a program with a class of each of the `kinds`, as numbers, with a number that says more of each."""
    program = Program()
    for kind, number in kinds:
        _add_class(program, kind, number)
    return program


def _class(program: Program, where: int) -> Class:
    return program.classes[where % len(program.classes)]


def _add_class(program: Program, where: int, number: int) -> None:
    kind = KINDS[where % len(KINDS)]
    high = number % 3 > 0
    bases = [one for one in program.classes if _may_be_base(one, kind, high=high)]
    base = bases[number % len(bases)] if bases and number % 2 else None
    made = Class(program.fresh("C"), kind, base, high=high)
    made.fields = [Member(program.fresh("f"), number=n + 1) for n in range(2)]
    made.members = [Member(program.fresh("m"), MEMBERS[(number + n) % len(MEMBERS)], number) for n in range(2)]
    program.classes.append(made)


def _may_be_base(one: Class, kind: str, *, high: bool) -> bool:
    if one.high and not high:
        return False
    if kind in ("plain", "abstract", "generic", "noted", "total", "params"):
        return one.kind in ("plain", "noted")
    return (
        one.kind == kind
        if kind in ("typeddict", "dataclass", "frozen")
        else kind == "dataclass" and one.kind == "plain"
    )


def _add_member(program: Program, where: int, number: int) -> None:
    members = _class(program, where).members
    members.insert(number % (len(members) + 1), Member(program.fresh("m"), MEMBERS[number % len(MEMBERS)], number))


def _change_member(program: Program, where: int, number: int) -> None:
    members = _class(program, where).members
    members[number % len(members)].number += number + 1


def _change_kind(program: Program, where: int, number: int) -> None:
    members = _class(program, where).members
    members[where % len(members)].kind = MEMBERS[number % len(MEMBERS)]


def _remove_member(program: Program, where: int, number: int) -> None:
    members = _class(program, where).members
    del members[number % len(members)]


def _move_member(program: Program, where: int, number: int) -> None:
    members = _class(program, where).members
    members.insert(0, members.pop(number % len(members)))


def _add_field(program: Program, where: int, number: int) -> None:
    fields = _class(program, where).fields
    fields.insert(number % (len(fields) + 1), Member(program.fresh("f"), number=number + 10))


def _change_field(program: Program, where: int, number: int) -> None:
    fields = _class(program, where).fields
    fields[number % len(fields)].number += number + 20


def _remove_field(program: Program, where: int, number: int) -> None:
    fields = _class(program, where).fields
    if len(fields) > 1:
        del fields[number % len(fields)]


def _doc(program: Program, where: int, number: int) -> None:
    _class(program, where).doc = number


def _comment(program: Program, where: int, number: int) -> None:
    _class(program, where).comments = number


def _base(program: Program, where: int, number: int) -> None:
    one = _class(program, where)
    above = [
        other for other in program.classes[: program.classes.index(one)] if _may_be_base(other, one.kind, high=one.high)
    ]
    if one.kind in ("plain", "dataclass", "generic", "abstract"):
        one.base = above[number % len(above)] if number % 3 else None


def _decorator(program: Program, where: int, number: int) -> None:
    found = [one for one in program.classes if one.kind in ("plain", "dataclass", "ordered")]
    one = found[where % len(found)]
    if not any(other.base is one for other in program.classes) and not (one.base and one.base.kind != "plain"):
        one.kind = ("plain", "dataclass", "ordered")[number % 3]


def _kind(program: Program, where: int, number: int) -> None:
    """A class gets another metaclass, a decorator, type parameters, or a base that has a hook."""
    found = [one for one in program.classes if one.kind in ("plain", "meta", "hooked", "noted", "params", "abstract")]
    one = found[where % len(found)]
    kinds = ("plain", "meta", "hooked", "noted", "abstract", *(("params",) if "params" in KINDS else ()))
    if one.base is None and not any(other.base is one for other in program.classes):
        one.kind = kinds[number % len(kinds)]


EDITS: Final[tuple[Callable[[Program, int, int], None], ...]] = (
    _add_member,
    _change_member,
    _change_kind,
    _remove_member,
    _move_member,
    _add_field,
    _change_field,
    _remove_field,
    _doc,
    _comment,
    _base,
    _decorator,
    _add_class,
    _kind,
)
