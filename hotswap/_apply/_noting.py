"""What a statement may alter besides binding names: noted before it runs, so that a failure can put it back.

That are the containers which it names, and, if it calls something, those that the called code of the project names
or holds: of functions their globals and closures, of objects and classes their attributes. All is noted shallowly. What
the statement left as it was is forgotten at once: its own doing is taken back, not that of other threads later.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, MutableMapping
from functools import partial
from itertools import accumulate
from operator import setitem
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from hotswap._apply._inside import content_of
from hotswap._apply._scopes import AnyScope, ModuleScope
from hotswap._apply._swap import Swap, resolve
from hotswap._apply._uses import use_of
from hotswap._run._journal import CONTAINERS, MISSING
from hotswap._run._values import attributes_of, is_a
from hotswap._text._names import dotted_of

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit
    from hotswap._model import Statement

_FAR: Final = 300
"""Objects that are looked through; what a statement of a module's top level alters is near."""

_LARGE: Final = 10_000
"""Items of a container that is not named by the statement itself and too large to be copied for every statement."""

_CONSTRUCTORS: Final = frozenset(
    ("__new__", "__init__", "__post_init__", "__call__", "__set_name__", "__init_subclass__")
)


def containers(swap: Swap, scope: AnyScope, statement: Statement, *, reaching: bool) -> list[Any]:
    """Return the containers that `statement` names; if it is `reaching`, calling something, those behind that, too."""
    named = (*statement.reads, *statement.mutates)
    values = [resolve(scope, n) for name in dict.fromkeys(named) for n in accumulate(name.split("."), "{}.{}".format)]
    found = {id(value): value for value in values if type(value) in CONTAINERS}
    if reaching:
        walk = _Walk(swap, frozenset(name.rpartition(".")[2] for name in statement.calls))
        walk.go([value for value in values if value is not MISSING])
        found |= walk.found
        found.pop(id(scope.namespace), None)  # what is stored there past the buffer is noted name by name
    return list(found.values())


def reached(swap: Swap, *values: object, calls: str) -> list[Any]:
    """Return the containers that a call of `values`, or of what they call `calls`, may alter, but for namespaces."""
    walk = _Walk(swap, frozenset((calls,)))
    walk.go([value for value in values if value is not MISSING])
    return [one for one in walk.found.values() if id(one) not in walk.spaces]


def attributes(scope: AnyScope, statement: Statement) -> list[tuple[str, object, str, object]]:
    """Return what `statement` sets or deletes, as ``settings.DEBUG = True`` does: how it calls the object, the object,
    the attribute's name and what it is now.
    """
    nodes = (n for n in ast.walk(statement.node) if isinstance(n, ast.Attribute) and not isinstance(n.ctx, ast.Load))
    found = [(dotted, held(scope, dotted), n.attr) for n in nodes if (dotted := dotted_of(n.value))]
    return [(d, one, attr, _attribute(one, attr)) for d, one, attr in found if one is not MISSING]


def _attribute(target: object, name: str) -> object:
    return (vars(target) if is_a(target, type) else attributes_of(target)).get(name, MISSING)


def set_otherwise(visit: Visit, before: list[tuple[str, object, str, object]]) -> None:
    """Note which attributes are not as in `before`: by the name that whoever reads them finds them by."""
    for dotted, target, name, old in before:
        if is_a(target, ModuleType):
            place = target.__name__, name
        elif isinstance(target, (type, FunctionType)):
            place = target.__module__, f"{target.__qualname__}.{name}"
        else:
            place = visit.work.edit.module, f"{visit.scope.prefix}{dotted}.{name}"
        visit.swap.changes.note(*place, old, _attribute(target, name))


def held(scope: AnyScope, dotted: str) -> object:
    """Return what `dotted` is, through objects too, without running code of the program; MISSING if unknown."""
    first, *rest = dotted.split(".")
    value = resolve(scope, first)
    for name in rest:
        try:
            own = object.__getattribute__(value, "__dict__")
        except (AttributeError, TypeError):
            return MISSING
        value = own.get(name, MISSING)
    return value


class _Walk:
    """Goes from values to what they may alter. `calls` are the names of methods that may be called on them."""

    def __init__(self, swap: Swap, calls: frozenset[str]) -> None:
        self.found: dict[int, Any] = {}
        self.spaces: set[int] = set()
        self._swap, self._calls = swap, calls
        self._seen: set[int] = set()

    def go(self, waiting: list[Any]) -> None:
        while waiting and len(self._seen) < _FAR:
            value = waiting.pop()
            if id(value) not in self._seen:
                self._seen.add(id(value))
                waiting += self._next(value)

    def _next(self, value: Any) -> Iterator[Any]:
        if type(value) in CONTAINERS:
            self._take(value)
            items = value.values() if is_a(value, MutableMapping) else value
            yield from (item for item in list(items)[:_FAR] if type(item) in CONTAINERS)
        elif type(value) is FunctionType:
            if self._swap.is_project(value):
                yield from self._of_function(value)
            else:
                yield from map(content_of, value.__closure__ or ())
        elif is_a(value, type):
            if self._is_ours(value):
                yield from self._of_class(value, self._calls | _CONSTRUCTORS)
        elif type(value) is MethodType:
            yield from (value.__func__, value.__self__)
        elif is_a(value, (partial, staticmethod, classmethod)) or hasattr(type(value), "cache_info"):
            yield getattr(value, "func", getattr(value, "__wrapped__", None))
        elif not is_a(value, ModuleType) and self._is_ours(type(value)):
            yield from self._of_object(value)

    def _take(self, value: Any) -> None:
        if len(value) <= _LARGE:
            self.found[id(value)] = value

    def _take_space(self, names: dict[str, Any]) -> None:
        self.spaces.add(id(names))
        self._take(names)

    def _is_ours(self, cls: type) -> bool:
        module = self._swap.modules.get(cls.__module__)
        return isinstance(module, ModuleType) and self._swap.is_project(module)

    def _of_function(self, function: FunctionType) -> Iterator[Any]:
        names = function.__globals__
        self._take_space(names)
        use = use_of(function.__code__)
        self._calls |= use.attributes
        for chain in use.chains:
            first, *rest = chain.split(".")
            value = names.get(first, MISSING)
            while rest and is_a(value, ModuleType):
                value = vars(value).get(rest.pop(0), MISSING)
            yield value
        yield from map(content_of, function.__closure__ or ())
        yield from (*(function.__defaults__ or ()), function.__dict__)

    def _of_class(self, cls: type, methods: frozenset[str]) -> Iterator[Any]:
        for base in cls.__mro__[:-1]:
            if self._is_ours(base):
                yield from (v for n, v in vars(base).items() if type(v) in CONTAINERS or n in methods)

    def _of_object(self, value: Any) -> Iterator[Any]:
        try:
            attributes = object.__getattribute__(value, "__dict__")
        except (AttributeError, TypeError):
            attributes = {}
        if type(attributes) is dict:
            self._take_space(attributes)
            yield from (held for held in list(attributes.values())[:_FAR] if not is_a(held, (str, int, float)))
        yield from self._of_class(type(value), self._calls | frozenset(("__call__",)))


def contents(scope: AnyScope, statement: Statement) -> dict[str, list[int]]:
    """Return what is in the lists, dicts and sets that a statement of a module alters by name."""
    names = statement.mutates if isinstance(scope, ModuleScope) else ()
    return {name: found for name in names if (found := _items(scope.peek(name))) is not None}


def altered(visit: Visit, before: Mapping[str, list[int]]) -> None:
    """Note which of them have other contents than `before`: the name stands for the same object, and means another."""
    for name, items in before.items():
        value = visit.scope.peek(name)
        if _items(value) not in (items, None):
            visit.swap.following.alter(visit.work.edit.module, name, value)


def _items(value: Any) -> list[int] | None:
    if type(value) not in CONTAINERS or len(value) > _LARGE:
        return None
    return [*map(id, value), *map(id, value.values() if isinstance(value, MutableMapping) else ())]


def bypassed(visit: Visit, before: dict[str, object], bound: Mapping[str, object]) -> None:
    """Find stores that went around the buffer (``global``, ``globals()[...]``) and note how to take them back.

    A submodule that importing put into its package gives way at once to what the statement itself binds the name to.
    """
    namespace = visit.scope.namespace
    for name in before.keys() | namespace.keys() if before else ():
        old, new = before.get(name, MISSING), namespace.get(name, MISSING)
        if old is not new and name not in bound:
            visit.swap.changes.note(visit.work.edit.module, name, old, new)
            visit.work.starred |= {name} if new is not MISSING else set()
            back = partial(namespace.pop, name, None) if old is MISSING else partial(setitem, namespace, name, old)
            visit.swap.journal.note(back)
        elif old is not new and old is not MISSING and is_a(new, ModuleType):
            namespace[name] = old
