"""Where a judge looks names up: the namespace of the statement, and modules that are loaded."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any, Protocol

from hotswap._quiet._values import MISSING, Definition, find_member


def find_global(namespace: Mapping[str, object], name: str) -> object:
    """Return what `name` is in `namespace` or among the builtins, else `MISSING`."""
    found = namespace.get(name, MISSING)
    return vars(builtins).get(name, MISSING) if found is MISSING else found


def _as_is(namespace: dict[str, Any]) -> Mapping[str, object]:
    return namespace


class Scope(Protocol):
    """What a judge needs to know of the program; no method of it may run the program's code."""

    def resolve(self, dotted: str) -> object:
        """Return what the dotted name is where the statement stands, `MISSING` if that is not known."""

    def is_project(self, thing: ModuleType | FunctionType) -> bool:
        """Whether `thing` is of the project, so that its source is what `definition` gives, and not what a file has."""

    def definition(self, function: FunctionType) -> Definition | None:
        """Return the syntax tree of `function`, with its defaults and body; None if its source is not known."""

    def globals_of(self, function: FunctionType) -> Mapping[str, object]:
        """Return the global names that a call of `function` finds."""


@dataclass(frozen=True, slots=True)
class NamespaceScope:
    """The scope of a statement that runs in `namespace`, a module's dictionary or a ChainMap over a class body's.

    `is_project` and `definition` are asked as `Scope` says. `pending` gives for a module's dictionary what it is about
    to be, which is what the statement will find when it runs.
    """

    namespace: Mapping[str, object]
    is_project: Callable[[ModuleType | FunctionType], bool]
    definition: Callable[[FunctionType], Definition | None]
    pending: Callable[[dict[str, Any]], Mapping[str, object]] = _as_is

    def globals_of(self, function: FunctionType) -> Mapping[str, object]:
        """Return the global names of `function`, with those that are about to be bound."""
        return self.pending(function.__globals__)

    def resolve(self, dotted: str) -> object:
        """Return what `dotted` is: in the namespace, then in builtins; further parts in modules and classes alone.

        Attributes of modules come from their ``__dict__``, those of classes raw from the dictionaries along the MRO;
        of anything else, `MISSING`.
        """
        first, *rest = dotted.split(".")
        found = find_global(self.namespace, first)
        for name in rest:
            found = find_member(found, name)
        return found


def find_imported(module: str, names: list[str]) -> object:
    """Return a loaded module, or what it has by `names`; `MISSING` if it is not loaded. Nothing is imported."""
    found: object = sys.modules.get(module, MISSING)
    for name in names:
        found = find_member(found, name)
    return found
