"""What another header leaves behind: attributes that a decorator or hook of the old one set, entries in registries.

A decorator that left the text set attributes on the class, and so did ``__init_subclass__`` of a base that is none any
more; a fresh class would not have them. Their code names what they set, so these go, and what the new header calls sets
its own. Lists and dicts that a decorator which left, or is called otherwise now, put the class in lose it. Registries
that get the class once more while they have it already lose the second entry; if they hold anything else twice, that
is told.
"""

from __future__ import annotations

import ast
import builtins
import dis
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

from hotswap._apply import _collectors, _noting
from hotswap._apply._books import alike, entries_of, fill
from hotswap._apply._enrolled import unquiet_decorators
from hotswap._apply._swap import resolve
from hotswap._apply._uses import stored
from hotswap._model import Kind, Pair, Statement
from hotswap._run._journal import CONTAINERS, MISSING
from hotswap._run._values import attribute
from hotswap._text._names import dotted_of
from hotswap.patch import _generated
from hotswap.patch._classes import containers, subclasses

if TYPE_CHECKING:
    from hotswap._apply._header import Header
    from hotswap._apply._visit import Visit

_HARMLESS: Final = frozenset(("setattr", "getattr", "hasattr", "delattr", "isinstance", "issubclass", "type", "super"))
_STORES: Final = frozenset(("STORE_GLOBAL", "STORE_SUBSCR", "DELETE_SUBSCR", "STORE_DEREF"))


def called_for(visit: Visit, node: ast.stmt, bases: Iterable[type]) -> dict[str, FunctionType]:
    """Return what runs for a class with the header of `node`, that is, with `bases`: decorators, and their hooks."""
    found: dict[str, FunctionType] = {}
    for base in dict.fromkeys(above for one in bases for above in one.__mro__):
        hook = vars(base).get(_collectors.HOOK)
        raw = attribute(hook, "__func__", hook)
        if type(raw) is FunctionType:
            found[f"{_collectors.HOOK} of {base.__name__}"] = raw
    for decorator in getattr(node, "decorator_list", ()):
        called = _callee(visit, decorator)[1]
        if type(called) is FunctionType:
            found[f"@{ast.unparse(decorator)}"] = called
    return found


def _callee(visit: Visit, decorator: ast.expr) -> tuple[object, object, str]:
    """Return the object that a decorator is a method of, and what is called, MISSING if unknown, and by which name."""
    dotted = dotted_of(decorator.func if isinstance(decorator, ast.Call) else decorator) or ""
    before, _, name = dotted.rpartition(".")
    owner: Any = _noting.held(visit.scope, before) if before else MISSING
    called: Any = resolve(visit.scope, dotted) if dotted else MISSING
    if called is MISSING and owner is not MISSING:
        called = next((vars(base)[name] for base in type(owner).__mro__ if name in vars(base)), MISSING)
    return owner, attribute(called, "__func__", called), name


def let_go(
    visit: Visit, pair: Pair, live: type, header: Header, before: dict[str, FunctionType], *, stays: bool
) -> Withdrawn:
    """Record that the attributes go which what ran `before`, and belongs to the `header` no more, had set on `live`,
    and, if that `stays` the class, that it leaves the containers which have it for that.
    """
    after = called_for(visit, pair.new.node, header.bases)
    gone = {who: function for who, function in before.items() if after.get(who) is not function}
    left = [one for one in getattr(pair.old.node, "decorator_list", ()) if _leaves(visit, one, after)]
    again = list(containers(live)) if stays and header.differs else []
    withdrawn = Withdrawn(visit, live, left if stays else [], again)
    stated = {name for side in (pair.old, pair.new) for child in side.children for name in child.binds}
    for who, function in gone.items():
        for name in {*stored(function.__code__), *_derived(who, live, after), *_made_by(function, live)} - stated:
            if name in vars(live):
                visit.swap.journal.del_member(live, name)
        did = who not in after and who not in withdrawn.whose and reaches_out(function.__code__)
        if did and not _is_standard(function) and unquiet_decorators(visit.swap, visit.work, pair.old):
            visit.swap.tell(visit.work, "HS203", pair.old.lineno, name=f"what {who} did for {visit.named(pair.new)}")
    _let_go_below(visit, live, header, [hook for who, hook in gone.items() if who.startswith(_collectors.HOOK)])
    return withdrawn


def _let_go_below(visit: Visit, live: type, header: Header, hooks: Sequence[FunctionType]) -> None:
    """Record that classes below `live` lose what its `hooks`, which are not called any more, had set on them."""
    for one in subclasses(live) if hooks else ():
        having = [attribute(vars(base).get(_collectors.HOOK), "__func__") for base in _above(one, live, header.bases)]
        left = {name for hook in hooks if hook not in having for name in stored(hook.__code__)} & vars(one).keys()
        found = _statement(visit, one) if left and one is not live else None
        stated = {name for child in found.children for name in child.binds} if found is not None else left
        for name in left - stated:
            visit.swap.journal.del_member(one, name)


def _above(cls: type, live: type, bases: Iterable[type]) -> Iterator[type]:
    """Yield `cls` and the classes above it, once `live` has `bases`."""
    yield cls
    for base in bases if cls is live else cls.__bases__:
        yield from _above(base, live, bases)


def _statement(visit: Visit, cls: type) -> Statement | None:
    """Return the statement of a class, if the text of its module is at hand; those in suites are looked at as well."""
    work = visit.swap.works.get(cls.__module__)
    waiting, found = list(work.edit.new.statements) if work is not None else [], list[Statement]()
    for part in cls.__qualname__.split("."):
        for one in waiting:
            waiting += one.children if one.kind is Kind.SUITE else ()
        found = [one for one in waiting if one.kind is Kind.CLASS and one.binds[-1] == part]
        waiting = list(found[-1].children) if found else []
    return found[-1] if found else None


def _key_in(container: Any) -> Callable[[Any], Any]:
    return id if type(container) is list else itemgetter(0)


def _leaves(visit: Visit, decorator: ast.expr, after: Collection[str]) -> bool:
    """Whether a decorator left the text, or is about to be called with something else than before."""
    return f"@{ast.unparse(decorator)}" not in after or (isinstance(decorator, ast.Call) and bool(visit.swap.maybe))


class Withdrawn:
    """The lists and dicts that `live` leaves because of what called decorators of its old header put there.

    Also those, `again`, in which its hook notes it once more: it may refuse a class that it knows. `whose` are the
    decorators behind one of them.
    """

    def __init__(self, visit: Visit, live: type, gone: list[ast.expr], again: list[Any]) -> None:
        self._swap, self._live, self.whose = visit.swap, live, set[str]()
        self._dicts: dict[int, dict[Any, Any]] = {}
        self._before: dict[int, tuple[Any, list[Any]]] = {}
        for decorator in gone:
            owner, called, name = _callee(visit, decorator)
            found = _noting.reached(visit.swap, owner, called, calls=name)
            self._dicts |= {id(one): one for one in found if type(one) is dict}
            having = [one for one in found if type(one) in (list, dict) and self._has(entries_of(one))]
            self.whose |= {f"@{ast.unparse(decorator)}"} if having else set()
            self._before |= {id(one): (one, entries_of(one)) for one in having}
        noted = [one for one in again if type(one) in (list, dict) and self._has(entries_of(one))]
        self._before |= {id(one): (one, entries_of(one)) for one in noted}
        for one, before in self._before.values():
            self._fill(one, [entry for entry in before if not self._is_live(entry)])

    def __contains__(self, container: object) -> bool:
        return id(container) in self._before

    def settle(self) -> None:
        """Record that the class has its old places where it was put once more, and that lists go that it left empty."""
        for one, before in self._before.values():
            now = entries_of(one)
            if self._has(now):
                self._fill(one, self._placed(before, now, _key_in(one)))
        for mapping in self._dicts.values():
            empty = [key for key, one in mapping.items() if id(one) in self._before and not one]
            if empty:
                self._fill(mapping, [entry for entry in mapping.items() if entry[0] not in empty])
        self._swap.commit()  # what goes over them next meets them in order

    def _placed(self, before: list[Any], now: list[Any], key: Callable[[Any], Any]) -> list[Any]:
        """Return what is there `now` in the order of `before`; another entry of the class is where its old one was."""
        keys, known = {key(entry) for entry in before}, {key(entry): entry for entry in now}
        came = [one for one in known if one not in keys and self._is_live(known[one])]
        order = []
        for entry in before:
            if key(entry) in known:
                order.append(key(entry))
            elif came and self._is_live(entry):
                order.append(came.pop(0))
        return [*(known.pop(one) for one in order), *known.values()]

    def _fill(self, container: Any, entries: list[Any]) -> None:
        before = entries_of(container)
        if not alike(before, entries):
            self._swap.journal.do(partial(fill, container, entries), partial(fill, container, before))

    def _has(self, entries: list[Any]) -> bool:
        return any(map(self._is_live, entries))

    def _is_live(self, entry: Any) -> bool:
        return entry is self._live or (type(entry) is tuple and len(entry) == 2 and entry[1] is self._live)


def _made_by(function: FunctionType, live: type) -> Iterator[str]:
    """Yield the members of `live` that `function`, a decorator or hook, made."""
    yield from (name for name, member in vars(live).items() if _is_made_by(member, function))


def _derived(who: str, live: type, after: dict[str, FunctionType]) -> Iterator[str]:
    """Yield the comparisons that ``total_ordering`` derived, if that is what left."""
    if "total_ordering" in who and not any("total_ordering" in other for other in after):
        yield from (n for n in _generated.ORDER if getattr(vars(live).get(n), "__module__", "") == "functools")


def _is_made_by(value: object, function: FunctionType) -> bool:
    """Whether `value` is a function that `function` defines inside, or a property or the like of one."""
    inside = (
        (attribute(value, name) for name in ("fget", "func", "__func__")) if type(value) is not FunctionType else ()
    )
    inner = next((one for one in inside if one is not None), value)
    if type(inner) is not FunctionType or inner.__globals__ is not function.__globals__:
        return False
    return inner.__code__.co_qualname.startswith(f"{function.__code__.co_qualname}.<locals>.")


def _is_standard(function: FunctionType) -> bool:
    return _collectors.is_known(function)


def reaches_out(code: CodeType) -> bool:
    """Whether code may have done more than set attributes: it stores elsewhere, or calls something."""
    names = {name for name in code.co_names if name not in _HARMLESS and not hasattr(builtins, name)}
    calls = any(step.opname.startswith("CALL") for step in dis.get_instructions(code))
    stores = any(step.opname in _STORES for step in dis.get_instructions(code))
    inner = any(reaches_out(const) for const in code.co_consts if isinstance(const, CodeType))
    return stores or inner or (calls and bool(names - {*stored(code), "__init_subclass__", "__name__"}))


class Registries:
    """The containers in which what runs for a class once more may note it, with what they hold now."""

    def __init__(
        self, visit: Visit, pair: Pair, live: type, before: dict[str, FunctionType], withdrawn: Withdrawn
    ) -> None:
        after = called_for(visit, pair.new.node, live.__bases__)
        again = {who: function for who, function in after.items() if before.get(who) is function}
        found = list(containers(live)) if any(who.startswith(_collectors.HOOK) for who in again) else []
        for function in again.values():
            found += (function.__globals__.get(name, MISSING) for name in function.__code__.co_names)
        every = {id(one): one for one in found if type(one) in CONTAINERS and one not in withdrawn}
        self._noted = [(one, list(one)) for one in every.values()]
        self._live, self._again, self._journal = live, again.values(), visit.swap.journal
        self._members = dict(vars(live))

    def settle(self) -> bool:
        """Take the class out of lists that have it twice now; return whether anything else was noted once more.

        What a decorator made for the class before, and has not made again, goes.
        """
        for function in self._again:
            made = list(_made_by(function, self._live))
            old = [name for name in made if self._members.get(name) is vars(self._live)[name]]
            for name in old if len(old) < len(made) else ():  # it ran
                self._journal.del_member(self._live, name)
        for one, items in self._noted:
            added = list(one)[len(items) :] if type(one) is list else []
            if added and all(item is self._live for item in added) and any(item is self._live for item in items):
                del one[len(items) :]
        return any(len(one) != len(items) for one, items in self._noted)
