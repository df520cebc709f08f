"""What hotswap asks of those who know a third-party library, and how they are found.

An adapter is an object under the entry point group ``hotswap.adapters``, named as the library's top module. It is
loaded only once that module is, so nothing is imported that the program does not use. One that has `owns` knows classes
that the library makes (`Adapter`), one that has `forget` knows where statements register things (`Registrar`).
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any, Final, Protocol

from hotswap._points._turn import Lock
from hotswap._run._journal import MISSING, Journal
from hotswap._run._values import attribute
from hotswap.patch import _dataclasses
from hotswap.patch._classes import guard, instances, subclasses
from hotswap.patch._twins import twin_of

if TYPE_CHECKING:
    from hotswap._apply._registrations import Registrar
    from hotswap._apply._swap import Swap

log = logging.getLogger("hotswap")

_GROUP: Final = "hotswap.adapters"
_OURS: Final = (
    "attr",
    "pydantic",
    "sqlalchemy",
    "gettext",  # before Django, which has it forget its files
    "django",
    "discord",
    "aiogram",
    "telegram",
    "click",
    "flask",
    "blinker",
    "starlette",
    "jinja2",
    "django.forms",
    "rest_framework",
)


@dataclass(frozen=True, slots=True)
class ClassEdit:
    """A class of which a library wrote parts, and `fresh`, made aside from the new text by the same library.

    `cls` is the class that goes on living; its methods have their new code already. `names` are the names that changed
    statements bind. All writes go through the methods below, so that a save that fails is taken back.
    """

    journal: Journal
    cls: Any
    fresh: Any
    names: frozenset[str]
    commit: Callable[[], None]
    regenerated: bool = True

    def set(self, name: str, value: object) -> None:
        """Set a member of the class itself with the next wave."""
        if vars(self.cls).get(name, MISSING) is not value:
            self.journal.set_member(self.cls, name, value)

    def drop(self, name: str) -> None:
        """Remove a member of the class itself with the next wave."""
        if name in vars(self.cls):
            self.journal.del_member(self.cls, name)

    def take(self, name: str) -> None:
        """Give the class the member `name` of the fresh one, or take it away if that has none."""
        if name in vars(self.fresh):
            self.set(name, self.owned(vars(self.fresh)[name]))
        else:
            self.drop(name)

    def owned(self, value: Any) -> Any:
        """Return a member of the fresh class whose closures mean the class that goes on living."""
        function = attribute(value, "__func__", value)
        for cell in attribute(function, "__closure__") or ():
            if cell.cell_contents is self.fresh:
                cell.cell_contents = self.cls
        return value

    def guard(self, cls: type) -> None:
        """Note all that is on a class before a library writes to it by itself."""
        guard(self.journal, cls)

    def twin(self, cls: type, members: Mapping[str, Any]) -> type:
        """Return an empty class like `cls` with `members`, to be decorated; no code of the program runs for it."""
        return twin_of(cls, members)

    def guard_object(self, one: Any) -> None:
        """Note the attributes of an object, in its dictionary or its slots, before a library sets them by itself."""
        names = {name for base in type(one).__mro__ for name in _slots_of(base)}
        for name in {*getattr(one, "__dict__", ()), *names}:
            self.journal.note_attribute(one, name)

    def renew_dataclasses_below(self) -> None:
        """Write anew what `dataclasses` wrote on the live subclasses, which inherit the fields of the class."""
        for one in _dataclasses.below(self.cls):
            _dataclasses.renew_inherited(self.journal, one)
            self.commit()

    def below(self) -> Iterator[type]:
        """Yield the live subclasses of the class, bases first."""
        found = [one for one in subclasses(self.cls) if one not in (self.cls, self.fresh)]
        yield from sorted(found, key=lambda one: len(one.__mro__))


def _slots_of(cls: type) -> tuple[str, ...]:
    return slots_in(vars(cls), cls.__name__)


def slots_in(members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the slots that `members` of a class called `name` ask for, as the class will have them."""
    found = members.get("__slots__", ())
    names = (found,) if isinstance(found, str) else tuple(found) if isinstance(found, Iterable) else ()
    strings = (n for n in names if isinstance(n, str))  # what else is there Python refuses
    return tuple(f"_{name.lstrip('_')}{n}" if n.startswith("__") and not n.endswith("__") else n for n in strings)


def live_objects(*classes: type) -> list[Any]:
    """Return the live objects whose class is exactly one of `classes`, as far as the garbage collector tracks them."""
    return instances(*classes) if classes else []


def live_classes() -> list[type]:
    """Return all live classes."""
    return list(subclasses(object))


class Adapter(Protocol):
    """What hotswap knows of one library that makes classes.

    An adapter may have more. ``follow(edit) -> list[object]`` is called for each class that gained members or whose
    members were regenerated, of any library, to bring what was made of it elsewhere to what it is now; what it returns
    is in effect, and need not be told. ``inherit(edit)`` is called when another class took the place of one: its live
    subclasses have other fields. ``makes`` are names of methods that the library looks at when it makes a class.

    `regenerates` says whether the class statement may run again, aside, for `renew`; False where that has effects, as
    with tables that register themselves: then members that `fixed` does not name are set on the class as they are.
    """

    regenerates: bool

    def owns(self, cls: type) -> bool:
        """Whether the library wrote parts of `cls`."""

    def decorates(self, called: object) -> bool:
        """Whether `called` is a decorator of the library, to be applied to a class made aside as well."""

    def fixed(self, cls: type, name: str, maker: object, annotation: str) -> str:
        """Return why the member `name` cannot come, change or go while the program runs; "" if it can.

        `maker` is what the statement calls for the value, None if it calls nothing; `annotation` is its text.
        """

    def renew(self, edit: ClassEdit) -> bool:
        """Give the class what the library wrote on the fresh one; return False if the layout differs."""


class Reader(Protocol):
    """What hotswap knows of a library that reads files of its own and keeps what it made of them."""

    files: tuple[str, ...]
    """Patterns of those files, as in ``.gitignore``, below the watched folders."""

    def reread(self, path: str) -> None:
        """Have the library read the file `path`, which changed, when it is needed next."""


class _Found:
    """The adapters of this process, each loaded when its library is there."""

    def __init__(self) -> None:
        self._lock = Lock(30.0)
        self._lock.follow_forks()
        self._waiting: dict[str, str] | None = None
        self._loaded: list[Adapter] = []
        self.registrars: list[Registrar] = []
        self.readers: list[Reader] = []
        self.names: frozenset[str] = frozenset()

    def all(self) -> Sequence[Adapter]:
        """Return the adapters whose libraries are loaded by now; of two threads that ask, one loads what is to be."""
        if self._waiting is None or any(name in sys.modules for name in list(self._waiting)):
            with self._lock:
                self._load_all()
        return self._loaded

    def _load_all(self) -> None:
        if self._waiting is None:
            waiting = {name: f"hotswap.adapters.{name.replace('.', '_')}:ADAPTER" for name in _OURS} | _of_others()
            self.names = frozenset((*waiting, "attrs"))
            self._waiting = waiting
        for name in [name for name in self._waiting if name in sys.modules]:
            self._load(self._waiting[name])
            del self._waiting[name]  # last: an exception on the way leaves it to be done again

    def _load(self, value: str) -> None:
        module, _, attribute = value.partition(":")
        try:
            adapter = getattr(importlib.import_module(module), attribute or "ADAPTER")
        except Exception:  # an adapter that does not load must not keep edits from being applied
            log.exception("the adapter %s could not be loaded", value)
            return
        if hasattr(adapter, "owns"):
            self._loaded.append(adapter)
        if hasattr(adapter, "forget"):
            self.registrars.append(adapter)
        if hasattr(adapter, "reread"):
            self.readers.append(adapter)


def _of_others() -> dict[str, str]:
    """Return the adapters that installed packages have, each with the name of its library.

    `importlib.metadata` is asked only where a package may have one: it takes 40 ms to say that none has.
    """
    own = any(finder is not PathFinder and hasattr(finder, "find_distributions") for finder in sys.meta_path)
    if not own and not any(map(_may_declare, sys.path)):
        return {}
    from importlib.metadata import entry_points

    return {found.name: found.value for found in entry_points(group=_GROUP)}


def _may_declare(entry: str) -> bool:
    """Whether the metadata of a package below `entry` of ``sys.path`` names our group; an archive may always."""
    try:
        names = os.listdir(entry or os.curdir)
    except OSError:
        return os.path.isfile(entry)
    kept = (name for name in names if name.endswith((".dist-info", ".egg-info", ".egg")))
    return any(_names_group(os.path.join(entry, name)) for name in kept)


def _names_group(folder: str) -> bool:
    for inner in ("entry_points.txt", "EGG-INFO/entry_points.txt"):
        with suppress(OSError), open(os.path.join(folder, inner), "rb") as file:
            return _GROUP.encode() in file.read()
    return False


_FOUND: Final = _Found()


def found() -> Sequence[Adapter]:
    """Return the adapters for the libraries that the program has loaded."""
    return _FOUND.all()


def found_registrars() -> Sequence[Registrar]:
    """Return the adapters that know registrations, for the libraries that the program has loaded."""
    _FOUND.all()
    return _FOUND.registrars


def of(swap: Swap, cls: type) -> Adapter | None:
    """Return the adapter whose library wrote parts of `cls`, None if there is none."""
    return next((adapter for adapter in swap.adapters() if adapter.owns(cls)), None)


def follow(swap: Swap, edit: ClassEdit) -> None:
    """Have the libraries bring what they made of a class that changed to what it is now."""
    for adapter in swap.adapters():
        act = getattr(adapter, "follow", None)
        for one in act(edit) if act is not None else ():
            swap.renewed[id(one)] = one


def libraries() -> frozenset[str]:
    """Return the top modules of the libraries that have an adapter."""
    _FOUND.all()
    return _FOUND.names


def makes(swap: Swap, cls: type) -> frozenset[str]:
    """Return the names of methods that the library which wrote parts of `cls` looks at when it makes a class."""
    found: frozenset[str] = getattr(of(swap, cls), "makes", frozenset())
    return found


def inherit(swap: Swap, edit: ClassEdit) -> None:
    """Have fields written anew on the subclasses of a class that took the place of another one."""
    edit.renew_dataclasses_below()
    for adapter in swap.adapters():
        act = getattr(adapter, "inherit", None)
        if act is not None:
            act(edit)


def decorates(swap: Swap, called: object) -> bool:
    """Whether `called` is a class decorator of a library that has an adapter."""
    return any(adapter.decorates(called) for adapter in swap.adapters())


def found_readers() -> Sequence[Reader]:
    """Return the adapters that know files of the libraries that the program has loaded."""
    _FOUND.all()
    return _FOUND.readers
