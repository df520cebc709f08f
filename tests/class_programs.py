"""Random modules of classes, and random edits of them, for the property test of classes.

A module is a list of classes that prints itself as text. Each class has a kind (what its library writes is checked,
too), members of several kinds, and perhaps a base among those above it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

Edit = tuple[int, int, int]

PLAIN: Final = ("plain", "abstract", "generic", "slots", "meta")
KINDS: Final = (*PLAIN, "dataclass", "frozen", "ordered", "enum", "intenum", "namedtuple", "typeddict")
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

    def text(self) -> str:
        """Return the definition."""
        bases, decorators = self._header()
        body = [f'"""Words {self.doc}."""'] if self.doc else []
        body += self._stated()
        for member in self.members:
            if self.kind != "typeddict" and not (
                self.kind in ("enum", "intenum", "namedtuple") and member.kind in _UNFIT
            ):
                body += member.lines()
        head = [f"# note {n}" for n in range(self.comments)] + decorators
        return "\n".join([*head, f"class {self.name}{bases}:", *(f"    {line}" for line in body or ["pass"])])

    def _header(self) -> tuple[str, list[str]]:
        bases = {
            "abstract": "abc.ABC", "generic": "typing.Generic[T]", "meta": "metaclass=Meta", "enum": "enum.Enum",
            "intenum": "enum.IntEnum", "namedtuple": "typing.NamedTuple", "typeddict": "typing.TypedDict",
        }  # fmt: skip
        arguments = {"frozen": "(frozen=True)", "ordered": "(order=True)", "dataclass": ""}
        decorators = [f"@dataclasses.dataclass{arguments[self.kind]}"] if self.kind in arguments else []
        found = [self.base.name] if self.base else []
        found += [bases[self.kind]] if self.kind in bases else []
        return f"({', '.join(found)})" if found else "", decorators

    def _stated(self) -> list[str]:
        if self.kind == "slots":
            return ["__slots__ = ()"]
        if self.kind in ("enum", "intenum"):
            return [f"{one.name} = {one.number}" for one in self.fields]
        if self.kind == "typeddict":
            return [f"{one.name}: int" for one in self.fields]
        if self.kind in ("namedtuple", "dataclass", "frozen", "ordered"):
            return [f"{one.name}: int = {one.number}" for one in self.fields]
        return []


_UNFIT: Final = ("attribute", "named", "cached", "special", "private", "super", "setter")


@dataclass
class Program:
    """The module's classes."""

    classes: list[Class] = field(default_factory=list)
    names: Iterator[int] = field(default_factory=itertools.count)

    def text(self) -> str:
        """Return the module's text."""
        return "\n\n\n".join([HEAD.strip("\n"), *(one.text() for one in self.classes)]) + "\n"

    def edit(self, edit: Edit) -> None:
        """Carry out one edit; one that does not apply to this program does nothing."""
        which, where, number = edit
        with suppress(LookupError, ZeroDivisionError):
            EDITS[which % len(EDITS)](self, where, number)

    def fresh(self, prefix: str) -> str:
        """Return a name that was not used before."""
        return f"{prefix}{next(self.names)}"


def start(kinds: list[int]) -> Program:
    """Return a program with a class of each of the `kinds`, as numbers."""
    program = Program()
    for number in kinds:
        _add_class(program, number, number)
    return program


def _class(program: Program, where: int) -> Class:
    return program.classes[where % len(program.classes)]


def _add_class(program: Program, where: int, number: int) -> None:
    kind = KINDS[where % len(KINDS)]
    bases = [one for one in program.classes if one.kind == "plain"]
    base = bases[number % len(bases)] if bases and kind in ("plain", "dataclass") and number % 2 else None
    made = Class(program.fresh("C"), kind, base)
    made.fields = [Member(program.fresh("f"), number=n + 1) for n in range(2)]
    made.members = [Member(program.fresh("m"), MEMBERS[(number + n) % len(MEMBERS)], number) for n in range(2)]
    program.classes.append(made)


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
    above = [other for other in program.classes[: program.classes.index(one)] if other.kind == "plain"]
    if one.kind in ("plain", "dataclass", "generic", "abstract"):
        one.base = above[number % len(above)] if number % 3 else None


def _decorator(program: Program, where: int, number: int) -> None:
    found = [one for one in program.classes if one.kind in ("plain", "dataclass", "ordered")]
    one = found[where % len(found)]
    if not any(other.base is one for other in program.classes):
        one.kind = ("plain", "dataclass", "ordered")[number % 3]


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
)
