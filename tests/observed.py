"""All that a program can see of itself and that a swap may touch, as facts that can be compared.

From the project's modules and some names on: names with the identities of what they hold, and what functions, classes,
containers and instances are made of. What is compared by identity is kept alive, so that no identity is used twice.
"""

from __future__ import annotations

import _abc
import functools
import gc
import linecache
import sys
from collections import deque
from collections.abc import Iterator
from types import CellType, FunctionType, MappingProxyType, ModuleType
from typing import Any, Final

from hotswap._process import PROCESS

_ATOMS: Final = (int, str, bool, float, complex, bytes, type(None), type(Ellipsis), type(NotImplemented), range)
_SEQUENCES: Final = (list, tuple, deque)
_UNSEEN: Final = ("__weakref__", "__dict__", "_abc_impl", "__slotnames__")  # the last is a cache of `copyreg`
_COUNTS: Final = ("_routes_version",)  # of FastAPI, which compares it with what it was: it may only grow
_MEMO: Final[type] = type(functools.cache(lambda: None))


class Observed:
    """Facts by place. `kept` holds what they identify."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}
        self.kept: list[Any] = []

    def differences(self, later: Observed, live: set[str]) -> list[str]:
        """Return in which places `later` differs, those left out that belong to the modules `live`."""
        found, news = [], {_of_object(place): fact for place, fact in later.facts.items()}
        for place, old in self.facts.items():
            new = news.get(_of_object(place), old)  # what is not reached any more: who held it differs
            if place == "departed" and new < old:
                continue  # the collector came to what nobody has
            if old != new and not any(place.startswith((f"{name}.", f"{name}@", f"{name} ")) for name in live):
                found.append(f"{place}: {_shown(old)} became {_shown(new)}")
        return sorted(found)


def _of_object(place: str) -> str:
    """Return the part of `place` that begins with the identity of an object, whichever way that was reached."""
    return place.rpartition("@")[2]


def _shown(fact: Any) -> str:
    return str(fact)[:300]


def observe(names: dict[str, Any]) -> Observed:
    """Return the facts about the project's modules, what they reach, and what `names` reach."""
    walk = _Walk()
    modules = {name: module for name, module in sys.modules.items() if name in PROCESS.baselines}
    for name, module in modules.items():
        walk.module(name, module)
    for name, value in names.items():
        if not issubclass(type(value), ModuleType):
            walk.facts[f"<held>.{name}"] = walk.token(value)
            walk.wait(f"<held>.{name}", value)
    for name, module in modules.items():
        for referrer in gc.get_referrers(vars(module)):
            if type(referrer) is FunctionType:
                walk.wait(f"{name}.<function {referrer.__qualname__} {id(referrer):x}>", referrer)
    walk.run()
    walk.process(modules)
    return walk.observed


class _Walk:
    def __init__(self) -> None:
        self.observed = Observed()
        self.facts, self.kept = self.observed.facts, self.observed.kept
        self._seen: set[int] = set()
        self._waiting: deque[tuple[str, Any]] = deque()

    def token(self, value: Any) -> Any:
        """Return what is compared of a value: type and text of atoms, the identity of all else."""
        if type(value) in _ATOMS:
            return (type(value).__name__, repr(value))
        self.kept.append(value)
        return f"{type(value).__name__} {id(value):x}"

    def wait(self, place: str, value: Any) -> None:
        if type(value) not in _ATOMS and id(value) not in self._seen:
            self._seen.add(id(value))
            self.kept.append(value)
            self._waiting.append((f"{place}@{id(value):x}", value))

    def run(self) -> None:
        while self._waiting:
            place, value = self._waiting.popleft()
            self._look(place, value)

    def module(self, name: str, module: ModuleType) -> None:
        names = {key: value for key, value in vars(module).items() if key != "__builtins__"}
        self.facts[f"{name} names"] = list(names)
        self._items(name, names)

    def process(self, modules: dict[str, ModuleType]) -> None:
        """Note what is not reached from the modules."""
        facts = self.facts
        facts["sys.modules"] = [(name, id(sys.modules[name])) for name in modules]
        facts["sys.meta_path"] = [id(one) for one in sys.meta_path]
        facts["sys.path"] = list(sys.path)
        facts["generation"] = PROCESS.generation
        facts["departed"] = set(PROCESS.departed())
        facts["bodies"] = list(PROCESS.finder.bodies)
        for name, module in modules.items():
            baseline = PROCESS.baselines.get(name)
            assert baseline is not None
            facts[f"{name} baseline"] = hash(baseline.source), baseline.origin
            facts[f"{name} lines"] = linecache.getlines(getattr(module, "__file__", None) or "", vars(module))

    def _items(self, place: str, items: dict[Any, Any]) -> None:
        for key, value in items.items():
            inner = (
                f"{place}.{key}"
                if type(key) is str
                else f"{place}[{key!r:.40}]"
                if type(key) in _ATOMS
                else f"{place}[?]"
            )
            self.facts[inner] = self.token(value)
            self.wait(inner, value)

    def _look(self, place: str, value: Any) -> None:  # a proxy is asked nothing: its own type says what it is
        if issubclass(type(value), ModuleType) or type(value).__module__.startswith("hotswap."):
            return
        if type(value) is FunctionType:
            self._function(place, value)
        elif issubclass(type(value), type):
            if value.__module__ in PROCESS.baselines or value.__module__ == "scenario_program":
                self._class(place, value)
        elif issubclass(type(value), (dict, MappingProxyType)):
            self.facts[f"{place} keys"] = [self.token(key) for key in value]
            self._items(place, dict(value))
        elif issubclass(type(value), _SEQUENCES):
            self.facts[f"{place} items"] = [self.token(item) for item in value]
            self._items(place, dict(enumerate(value)))
        elif issubclass(type(value), (set, frozenset)):
            self.facts[f"{place} items"] = sorted(str(self.token(item)) for item in value)
        else:
            self._object(place, value)

    def _function(self, place: str, function: FunctionType) -> None:
        facts = self.facts
        facts[f"{place} code"] = f"{id(function.__code__):x} line {function.__code__.co_firstlineno}"
        self.kept.append(function.__code__)
        facts[f"{place} header"] = (
            self.token(function.__defaults__),
            self.token(function.__kwdefaults__),
            function.__doc__,
        )
        facts[f"{place} names"] = (function.__name__, function.__qualname__, function.__module__)
        facts[f"{place} annotations"] = _annotations(function)
        self._items(f"{place} dict", dict(function.__dict__))
        facts[f"{place} dict keys"] = list(function.__dict__)
        facts[f"{place} cells"] = [self.token(cell) for cell in function.__closure__ or ()]
        parts = {"defaults": function.__defaults__, "kwdefaults": function.__kwdefaults__}
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            parts[f"cell {name}"] = _content(cell)
            facts[f"{place} cell {name}"] = self.token(parts[f"cell {name}"])
        for name, part in parts.items():
            self.wait(f"{place} {name}", part)

    def _class(self, place: str, cls: type) -> None:
        facts = self.facts
        facts[f"{place} bases"] = [self.token(one) for one in cls.__mro__]
        facts[f"{place} meta"] = self.token(type(cls))
        facts[f"{place} named"] = (cls.__name__, cls.__qualname__, cls.__module__)
        members = {name: value for name, value in vars(cls).items() if name not in _UNSEEN}
        facts[f"{place} members"] = sorted(members)
        facts[f"{place} abstract"] = sorted(getattr(cls, "__abstractmethods__", ())), cls.__flags__ & (1 << 20)
        facts[f"{place} subclasses"] = sorted(self.token(one) for one in type.__subclasses__(cls))
        if "_abc_impl" in vars(cls):
            facts[f"{place} registered"] = sorted(str(ref()) for ref in _abc._get_dump(cls)[0])
        self._items(place, members)

    def _object(self, place: str, value: Any) -> None:
        kind = type(value)
        self.facts[f"{place} class"] = self.token(kind)
        if kind is _MEMO:
            self.facts[f"{place} cache"] = str(value.cache_info())
        for name in ("__func__", "__self__", "__wrapped__", "fget", "fset", "fdel", "func", "args", "keywords"):
            if kind.__module__ in ("builtins", "functools") and (part := _part(value, name)) is not None:
                self.facts[f"{place} {name}"] = (
                    self.token(part) if name not in ("__func__", "__self__", "args", "keywords") else ""
                )
                self.wait(f"{place} {name}", part)
        if kind.__module__ in sys.stdlib_module_names and kind.__module__ not in ("types", "functools", "builtins"):
            return
        attributes = _part(value, "__dict__")
        if isinstance(attributes, dict):
            self.facts[f"{place} attributes"] = list(attributes)
            self._items(place, {name: held for name, held in attributes.items() if name not in _COUNTS})
        for name, held in _slots(value):
            self.facts[f"{place}.{name}"] = self.token(held)
            self.wait(f"{place}.{name}", held)


def _slots(value: Any) -> Iterator[tuple[str, Any]]:
    for cls in type(value).__mro__:
        if cls.__module__ in PROCESS.baselines:
            for name, member in vars(cls).items():
                if type(member).__name__ == "member_descriptor":
                    try:
                        yield name, member.__get__(value)
                    except AttributeError:
                        yield name, "unset"


def _part(value: Any, name: str) -> Any:
    try:
        return object.__getattribute__(value, name)
    except Exception:  # noqa: BLE001  a property of the scenario's own may raise anything
        return None


def _annotations(function: FunctionType) -> Any:
    if sys.version_info >= (3, 14):
        return id(function.__annotate__)
    return sorted((name, str(value)) for name, value in function.__annotations__.items())


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return "empty"
