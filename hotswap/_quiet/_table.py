"""Finding the entries of the table: by identity, and only where the module that an entry names is loaded.

Nothing is imported for an entry: what is not loaded is not called either.
"""

from __future__ import annotations

import builtins
import sys
from dataclasses import dataclass
from types import GenericAlias, ModuleType
from typing import TYPE_CHECKING, Any, Final

from hotswap._quiet._calls import (
    ALTERS,
    APPLIES,
    CALLS,
    CONTAINERS,
    CONTEXTS,
    COPIES,
    HOOKS,
    IMMUTABLE,
    METACLASSES,
    OBJECTS,
    RESULTS,
    TRUSTED,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry: its dotted name and what a caller has to look at before the call is quiet.

    `applies` are positions and keywords of functions that it calls, `hooks` special methods of its arguments that it
    runs; with `alters` the first argument must have been made by the statement, with `copies` it must be a builtin.
    `result` says what comes out: the dotted name of a class (``str``, ``re.Pattern``), ``list[str]``, ``self`` (as the
    receiver), ``first`` or ``second`` (that argument), ``class``, ``decorator``, ``modifier``, ``first or modifier``,
    or nothing.
    """

    name: str
    applies: tuple[int | str, ...] = ()
    hooks: tuple[str, ...] = ()
    alters: bool = False
    copies: bool = False
    result: str = ""


def list_names(groups: Mapping[str, str]) -> tuple[str, ...]:
    """Return the dotted names of `groups`, in order."""
    return tuple(f"{prefix}.{name}" for prefix, names in groups.items() for name in names.split())


def _list_results() -> dict[str, str]:
    return {
        f"{prefix}.{name}": result
        for prefix, kinds in RESULTS.items()
        if prefix not in OBJECTS
        for result, names in kinds.items()
        for name in names.split()
    }


def _list_entries() -> dict[str, Listed]:
    results, alters, copies = _list_results(), list_names(ALTERS), list_names(COPIES)
    names = [*(name for groups in CALLS for name in list_names(groups)), *alters, *copies, *APPLIES, *results]
    return {
        name: Listed(
            name,
            APPLIES.get(name, ()),
            tuple(HOOKS.get(name, "").split()),
            name in alters,
            name in copies,
            results.get(name, ""),
        )
        for name in names
    }


ENTRIES: Final[Mapping[str, Listed]] = _list_entries()


def decorate(thing: object) -> object:
    """Stand for what a decorator factory returned: something that keeps `thing`, which is returned."""
    return thing


def modify(thing: object) -> object:
    """Stand for what a decorator factory returned that alters `thing`, which is returned."""
    return thing


def find_raw(dotted: str) -> object:
    """Return what `dotted` names, out of module and class dictionaries; None if there is nothing, or not yet.

    The longest prefix that is in `sys.modules` is the module. Of a class the raw object is returned, as it stands in
    the dictionary of the class that has it: no descriptor is run, no module is imported.
    """
    parts = dotted.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        found: Any = sys.modules.get(".".join(parts[:cut]))
        if found is not None:
            for name in parts[cut:]:
                found = _find_part(found, name)
            return found
    return None


def origin_of(obj: Any) -> object:
    """Return the class behind ``Box[int]``, whose members that gives as well; of anything else itself."""
    return obj.__origin__ if type(obj) is GenericAlias or type(obj) is _ALIAS else obj


def _find_part(whole: Any, name: str) -> object:
    if issubclass(type(whole), ModuleType):
        return object.__getattribute__(whole, "__dict__").get(name)
    if issubclass(type(whole), type):
        return next((vars(layer)[name] for layer in whole.__mro__ if name in vars(layer)), None)
    return None


class Table:
    """The entries, found by the identity of what is called. A process has one, `TABLE`; tests make their own."""

    __slots__ = (
        "_declared",
        "_found",
        "_loaded",
        "_methods",
        "_waiting",
        "containers",
        "contexts",
        "metaclasses",
        "trusted",
    )

    def __init__(self) -> None:
        self._waiting: dict[str, Listed] = dict(ENTRIES)
        self._found: dict[int, tuple[object, Listed]] = {}
        self._methods: dict[tuple[int, str], Listed] = {}
        self._declared: dict[str, Listed] = {}
        self._loaded = -1
        self.containers = self.contexts = self.metaclasses = self.trusted = frozenset[int]()
        self._take(decorate, Listed("decorator", result="first"))
        self._take(modify, Listed("modifier", alters=True, result="first"))

    def extend(self, names: Iterable[str]) -> None:
        """Take `names`, dotted paths to functions, classes or methods, for quiet, as the project says they are.

        A class may also be used with operators then. These names are looked up anew each time, as a swap may give
        them other objects.
        """
        self._declared.update((name, Listed(name)) for name in names)

    def find(self, called: object) -> Listed | None:
        """Return the entry of `called`, compared by identity and not touched; None if it has none."""
        self.catch_up()
        entry = self._found.get(id(called))
        if entry is not None:
            return entry[1]
        return next((listed for name, listed in self._declared.items() if find_raw(name) is called), None)

    def find_method(self, receiver: object, name: str) -> Listed | None:
        """Return the entry of the method `name` of this very object; None if it has none."""
        return self._methods.get((id(receiver), name))

    def trusts(self, owner: type) -> bool:
        """Whether operators and conversions that `owner` defines, and its construction, are quiet."""
        return id(owner) in self.trusted or any(find_raw(name) is owner for name in self._declared)

    def is_builtin(self, kind: type) -> bool:
        """Whether `kind` is a builtin value type or container; a subclass of one is not."""
        return id(kind) in _IMMUTABLE or id(kind) in self.containers

    def _take(self, thing: object, listed: Listed) -> None:
        self._found.setdefault(id(thing), (thing, listed))  # held, so that its id stays its own

    def catch_up(self) -> None:
        """Look up what may have come with the modules that were loaded since; whoever judges calls it first."""
        if self._loaded == len(sys.modules):
            return
        loaded = len(sys.modules)
        for name, listed in [*self._waiting.items()]:
            if (found := find_raw(name)) is not None:
                self._take(found, listed)
                del self._waiting[name]
        for prefix, names in OBJECTS.items():
            receiver, results = find_raw(prefix), {n: r for r, ns in RESULTS[prefix].items() for n in ns.split()}
            self._methods.update(
                ((id(receiver), name), Listed(f"{prefix}.{name}", result=results.get(name, "")))
                for name in names.split()
            )
        self.containers, self.contexts = _find_types(CONTAINERS), _find_types(CONTEXTS)
        self.metaclasses = _find_types(METACLASSES)
        self.trusted = _find_types(TRUSTED, with_bases=True) | self.containers | self.metaclasses | _ALWAYS
        self._loaded = loaded  # last: an exception on the way leaves it to be done again


def _find_types(groups: Mapping[str, str], *, with_bases: bool = False) -> frozenset[int]:
    """Return the ids of the classes: to hash or compare a class may run its metaclass."""
    found = [kind for kind in map(find_raw, list_names(groups)) if isinstance(kind, type)]
    return frozenset(id(base) for kind in found for base in (kind.__mro__ if with_bases else (kind,)))


_EXCEPTIONS: Final = tuple(
    kind for kind in vars(builtins).values() if isinstance(kind, type) and issubclass(kind, BaseException)
)
_IMMUTABLE: Final = frozenset(map(id, IMMUTABLE))
_ALWAYS: Final = _IMMUTABLE | frozenset(map(id, _EXCEPTIONS))

TABLE: Final = Table()


def extend(names: Iterable[str]) -> None:
    """Declare `names` quiet in this process's table; see `Table.extend`."""
    TABLE.extend(names)


_ALIAS: Final = find_raw("typing._GenericAlias")
