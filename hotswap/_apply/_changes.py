"""What changed so far in a swap: names bound to something else, members of classes, functions with new code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

from hotswap._graph._overrides import is_called_back
from hotswap._graph._taint import DOC
from hotswap._run._journal import CONTAINERS, MISSING
from hotswap._run._values import is_a, same

_MADE = ("*", "__dataclass_fields__")
ALTERED: Final = ...
"""Stands for the old value of a name that stands for the same object, which has other contents now."""


class Changes:
    """Old values of changed names by module; `codes` are new code objects that behave differently from the old,
    `docs` those that have another docstring, and behave alike.

    `members` are the last parts of changed members of classes: what a method reads by ``self`` and ``cls`` has no owner
    in its code; `altered` those that hold other contents, `called_back` those that a base of the class asks for.
    `rebased` is what classes that got other bases had above them before, by id. `follow` is called with each change of
    a name: module, name, old and new value.
    """

    def __init__(self) -> None:
        self._names: dict[str, dict[str, Any]] = {}
        self._order: list[Mapping[str, str]] = []
        self._followed: list[tuple[Mapping[str, str], object]] = []
        self.codes: dict[CodeType, None] = {}
        self.docs: dict[CodeType, None] = {}
        self._between: dict[tuple[str, str], list[Any]] = {}
        self.members: set[str] = set()
        self.altered: set[str] = set()
        self.called_back: set[str] = set()
        self.rebased: dict[int, tuple[type, ...]] = {}
        self.follow: Callable[[str, str, Any, Any], None] | None = None
        self._reached: tuple[tuple[int, ...], dict[object, frozenset[str]]] = ((), {})

    def __bool__(self) -> bool:
        return bool(self._names or self.codes or self.docs)

    def kept(self) -> Iterator[object]:
        """Yield what old values are held in here, and those of them that hold others."""
        yield from self._names.values()
        for names in self._names.values():
            yield from (old for old in names.values() if type(old) in (*CONTAINERS, tuple))
        yield from self._between.values()
        yield from self._followed

    def note(self, module: str, name: str, old: object, new: object) -> bool:
        """Note that `name` (dotted for a member of a class) was `old` and is `new`; return whether readers can tell."""
        if same(old, new):
            return False
        if name in self._names.setdefault(module, {}):
            self._between.setdefault((module, name), []).append(old)
        self._names[module].setdefault(name, old)
        self._order.append({module: name})
        if "." in name and not name.endswith(("*", "__")):
            self.members.add(name.rpartition(".")[2])
            self.note_called_back(module, name)
        if self.follow is not None:
            self.follow(module, name, old, new)
        return True

    def note_doc(self, module: str, name: str) -> None:
        """Note that a function has another docstring: for who reads that of whatever it is given as well."""
        self.note(module, f"{name}.{DOC}", MISSING, self)
        self.members.add(DOC)

    def says_otherwise(self, value: object) -> bool:
        """Whether `value` is a function that got another docstring."""
        return type(value) is FunctionType and self.changed(value.__module__, f"{value.__qualname__}.{DOC}")

    def note_called_back(self, module: str, name: str) -> None:
        """Note a member of a class, which is another one or behaves otherwise, if a base of its class asks for it."""
        if is_called_back(module, name):
            self.called_back.add(name.rpartition(".")[2])

    def alter(self, module: str, name: str) -> None:
        """Note that what `name` stands for has other contents: that is for who reads it, not for who binds it."""
        self._names.setdefault(module, {}).setdefault(name, ALTERED)
        self._order.append({module: name})
        if "." in name:
            self.altered.add(name.rpartition(".")[2])

    def is_altered_by(self, mutates: Iterable[str], module: str, dotted: str) -> bool:
        """Whether the object that `dotted` starts from has other contents, of which who `mutates` it puts in some."""
        first = dotted.partition(".")[0]
        return self.old(module, first) is ALTERED and first in mutates

    def note_followers(self, names: Mapping[str, str], old: object) -> None:
        """Note that each name, by the module that imports it, is not `old` any more; looked at when it is asked for."""
        self._order.append(names)
        self._followed.append((names, old))

    @property
    def modules(self) -> list[str]:
        """The modules of which names changed."""
        return list(self._names)

    @property
    def now(self) -> tuple[int, int]:
        """How much has changed so far."""
        return len(self._order), len(self.codes)

    def names_since(self, then: tuple[int, int]) -> frozenset[tuple[str, str]]:
        """Return the names, with their modules, that changed after `then`, an earlier `now`."""
        return frozenset(pair for names in self._order[then[0] :] for pair in names.items())

    def since(self, then: tuple[int, int]) -> Changes:
        """Return what has changed after `then`, an earlier `now`."""
        later = Changes()
        for names in self._order[then[0] :]:
            for module, name in names.items():
                later.note(module, name, self.old(module, name), later)
        later.rebased, later.docs = self.rebased, self.docs
        later.codes = dict.fromkeys(list(self.codes)[then[1] :])
        return later

    def reached(self, *also: int) -> dict[object, frozenset[str]]:
        """Return what was gone through and is as it was, by id, with the attributes asked of it, and questions.

        It is forgotten when something else changes; `also` are counts of what else may make a difference.
        """
        now = (*self.now, len(self.rebased), len(self.members), *also)
        if self._reached[0] != now:
            self._reached = (now, {})
        return self._reached[1]

    def old(self, module: str, name: str) -> object:
        """Return what `name` was before the swap, or MISSING if it did not change (or did not exist)."""
        return self.of(module).get(name, MISSING)

    def held(self, module: str, name: str, value: object) -> bool:
        """Whether `value` is what `name` was before the swap, or on the way."""
        return any(same(one, value) for one in (self.old(module, name), *self._between.get((module, name), ())))

    def of(self, module: str) -> dict[str, Any]:
        """Return the changed names of `module` with their old values."""
        for names, old in self._followed:
            if module in names:
                self._names.setdefault(module, {}).setdefault(names[module], old)
        return self._names.get(module, {})

    def changed(self, module: str, dotted: str, *, altered: bool = True) -> bool:
        """Whether reading `dotted` in the scope of `module` may give something else now.

        ``A.x`` changed if `A` was bound anew or its member `x` changed; a bare ``A`` only if it was bound anew.
        ``A.*`` stands for members that were all made anew. Other contents of the same object count if `altered`.
        """
        names = self._told(module, altered=altered)
        if not names:
            return False
        return any(prefix in names or (prefix != dotted and f"{prefix}.*" in names) for prefix in _prefixes(dotted))

    def _told(self, module: str, *, altered: bool) -> Mapping[str, Any]:
        names = self.of(module)
        return names if altered else {name: old for name, old in names.items() if old is not ALTERED}

    def reads(self, namespace: dict[str, Any], module: str, dotted: str, *, altered: bool = True) -> bool:
        """Whether the value of `dotted`, read with `namespace` as globals, changed; runs no code of the program."""
        if not self._names:
            return False
        if self.changed(module, dotted, altered=altered):
            return True
        first, *parts = dotted.split(".")
        value: object = namespace.get(first)
        while parts and value is not None:
            if is_a(value, ModuleType):
                if self.changed(value.__name__, ".".join(parts), altered=altered):
                    return True
                value = vars(value).get(parts.pop(0))
                continue
            if type(value) is FunctionType:
                return self.changed(value.__module__, f"{value.__qualname__}.{parts[0]}", altered=altered)
            cls = value if is_a(value, type) else type(value)
            if self.member_changed(cls, parts[0], altered=altered):
                return True
            found = next((vars(base)[parts[0]] for base in cls.__mro__ if parts[0] in vars(base)), None)
            if not is_a(value, type) and type(found) is not FunctionType:  # else ``obj.method.__doc__``
                return False
            value = found
            parts.pop(0)
        return False

    def remade(self, namespace: dict[str, Any], dotted: str, *, held: bool = False) -> bool:
        """Whether `dotted` is a class whose members a library made anew: who takes the class as a whole may see it.

        Who only has it `held`, or called, sees of one that got other bases what its objects are asked for.
        """
        first, *parts = dotted.split(".")
        value: object = namespace.get(first)
        while parts and is_a(value, (ModuleType, type)):
            value = vars(value).get(parts.pop(0))
        if parts or not is_a(value, type):
            return False
        return any(f"{value.__qualname__}.{made}" in self.of(value.__module__) for made in _MADE[held:])

    def inherits_otherwise(self, cls: type, name: str) -> bool:
        """Whether `cls` may have got or lost the member `name` because it, or a class above, has other bases."""
        for base in cls.__mro__[:-1] if self.rebased else ():
            if name in vars(base):
                return False
            if id(base) in self.rebased:
                now, before = _first_with(name, base.__mro__[1:-1]), _first_with(name, self.rebased[id(base)][1:-1])
                return now is not before
        return False

    def member_changed(self, cls: type, name: str, *, altered: bool = True, rebased: bool = True) -> bool:
        """Whether what `cls`, or an object of it, gives for `name` changed on it or on a base.

        Without `rebased` a class that got other bases counts for its own members alone: `inherits_otherwise` says more.
        """
        for base in cls.__mro__[:-1]:
            names = self._told(base.__module__, altered=altered)
            whole = rebased or id(base) not in self.rebased
            if names and (f"{base.__qualname__}.{name}" in names or (whole and f"{base.__qualname__}.*" in names)):
                return True
        return False


def _first_with(name: str, line: tuple[type, ...]) -> type | None:
    return next((cls for cls in line if name in vars(cls)), None)


def _prefixes(dotted: str) -> Iterator[str]:
    parts = dotted.split(".")
    for size in range(1, len(parts) + 1):
        yield ".".join(parts[:size])
