"""Live instances of a class whose attributes changed: told if they lack what new code reads, or given to a hook."""

from __future__ import annotations

import ast
import functools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from hotswap._apply._uses import use_of
from hotswap._findings import finding
from hotswap._model import ClassChange, Finding, Pair, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import attribute, is_a
from hotswap.patch import _generated
from hotswap.patch._classes import instances, subclasses

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit

HOOK: Final = "__hotswap_migrate__"
_MAKERS: Final = ("__init__", "__new__", "__post_init__", "__attrs_post_init__")
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_EACH: Final = 64


@dataclass(frozen=True, slots=True)
class Attributes:
    """What the objects of a class are given, by name, with the text that gives it; `fields` are stated in the body."""

    given: Mapping[str, str]
    fields: frozenset[str]


def look(visit: Visit, pair: Pair, live: type) -> Attributes | None:
    """Return what the old text gives to objects of `live`, None if the new text gives the same."""
    kept = _has_fields(visit, live)
    old, new = _attributes(pair.old, kept, live), _attributes(pair.new, kept, live)
    return None if old.given.keys() == new.given.keys() else old


def _has_fields(visit: Visit, live: type) -> bool:
    from hotswap._apply import _adapter

    if _generated.kind_of(live) in ("dataclass", "namedtuple"):
        return True
    adapter = _adapter.of(visit.swap, live)
    return adapter is not None and adapter.regenerates


def _attributes(statement: Statement, has_fields: bool, live: type) -> Attributes:
    given: dict[str, str] = {}
    fields: set[str] = set()
    makers = _makers(statement, live)
    for child in statement.children:
        node = child.node
        if isinstance(node, _FUNCTIONS) and node.name in makers:
            given |= dict(_assigned(node))
        elif has_fields and isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            text = ast.unparse(node.annotation)
            if "ClassVar" not in text and "InitVar" not in text:
                fields.add(node.target.id)
                given[node.target.id] = f"{text} = {ast.dump(node.value) if node.value else ''}"
    return Attributes(given, frozenset(fields))


def _makers(statement: Statement, live: type) -> set[str]:
    """Return the names of the methods that run when an object is made: constructors, inherited ones as well, and what
    they call on the object.
    """
    own = {child.node.name: child.node for child in statement.children if isinstance(child.node, _FUNCTIONS)}
    found: set[str] = set()
    waiting = list(_MAKERS)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name in own:
            waiting += _reads_of_itself(own[name])
        for base in live.__mro__[1:-1]:
            raw = attribute(vars(base).get(name), "__func__", vars(base).get(name))
            if type(raw) is FunctionType:
                waiting += (other for other in use_of(raw.__code__).attributes if other in own)
    return found


def _reads_of_itself(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Yield the attributes that a method looks up on its first argument, or on ``super()``."""
    first = _first_argument(node)
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Load):
            value = inner.value.func if isinstance(inner.value, ast.Call) else inner.value
            if isinstance(value, ast.Name) and value.id in (first, "super"):
                yield inner.attr


def _first_argument(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return next((argument.arg for argument in (*node.args.posonlyargs, *node.args.args)), "")


def _assigned(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, str]]:
    """Yield the attributes that a method assigns to its first argument, with the text of the value."""
    first = _first_argument(node)
    texts: dict[int, str] = {}
    for inner in ast.walk(node):
        if isinstance(inner, (ast.Assign, ast.AnnAssign)) and inner.value:
            targets = inner.targets if isinstance(inner, ast.Assign) else [inner.target]
            parts = (p for t in targets for p in (t.elts if isinstance(t, (ast.Tuple, ast.List)) else [t]))
            texts |= dict.fromkeys(map(id, parts), ast.unparse(inner.value))
        elif isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store):
            if isinstance(inner.value, ast.Name) and inner.value.id == first:
                yield inner.attr, texts.get(id(inner), "")


def tell(visit: Visit, pair: Pair, live: type, before: Attributes | None) -> None:
    """Tell of live objects that lack what new code reads, or note them for their hook; tell of values that stay."""
    _tell_computed(visit, pair, live)
    if before is None:
        return
    after = _attributes(pair.new, _has_fields(visit, live), live)
    added = {name for name in after.given if name not in before.given}
    gone = {name for name in before.given if name not in after.given}
    found = _all_instances(live)
    if not found:
        return
    if _member(live, HOOK) is not MISSING:
        renamed = _renamed(before, after, gone, added)
        change = ClassChange(tuple(added - {*renamed.values()}), tuple(gone - renamed.keys()), renamed, {})
        visit.swap.migrations.append(Migration(visit.work.edit.path, pair.new.lineno, live, found, change))
        return
    _tell_lacking(visit, pair, [n for n in after.given if n in added], after.fields, found)


def _tell_lacking(visit: Visit, pair: Pair, added: Iterable[str], fields: frozenset[str], found: list[Any]) -> None:
    lacking: dict[int, list[str]] = {}
    for name in added:
        lacking.setdefault(_count_lacking(found, name), []).append(name)
    if not any(name in fields or _is_read(visit, name) for names in lacking.values() for name in names):
        return
    for count, names in lacking.items():
        if count:
            missing, target = ", ".join(names), ", ".join(f"{visit.target(pair.new)}.{name}" for name in names)
            given = {"count": count, "name": visit.named(pair.new), "missing": missing, "target": target}
            visit.swap.tell(visit.work, "HS210", pair.new.lineno, **given)


def _is_read(visit: Visit, name: str) -> bool:
    """Whether the new text of a module of the group reads an attribute of that name."""
    for work in visit.swap.works.values():
        if f".{name}" in work.edit.new.text:
            for node in (inner for s in work.edit.new.statements for inner in ast.walk(s.node)):
                if isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Load):
                    return True
    return False


def _count_lacking(found: list[Any], name: str) -> int:
    """Return how many objects lack an attribute. For classes that answer by themselves, C code asks all objects."""
    kinds = set(map(type, found))
    left = 0
    for kind in kinds:
        objects = [one for one in found if type(one) is kind] if len(kinds) > 1 else found
        if _answers_itself(kind, name):
            left += len(objects) - sum(map(hasattr, objects, repeat(name)))
        else:
            left += sum(_lacks(one, name) for one in objects)
    return left


def _answers_itself(cls: type, name: str) -> bool:
    """Whether asking an object of `cls` for the attribute runs no code of the program."""
    plain = vars(object)["__getattribute__"]
    if _member(cls, "__getattr__") is not MISSING or _member(cls, "__getattribute__") is not plain:
        return False
    held = _member(cls, name)
    return not issubclass(cls, tuple) and (held is MISSING or type(held).__name__ == "member_descriptor")


def _lacks(one: object, name: str) -> bool:
    """Whether reading the attribute fails, found out without running code of the program."""
    held = _member(type(one), name)
    if is_a(one, tuple) and name in getattr(type(one), "_fields", ()):
        names: tuple[str, ...] = type(one)._fields  # type: ignore[attr-defined]  # a named tuple's
        return names.index(name) >= len(one)
    if held is not MISSING and type(held).__name__ != "member_descriptor":
        return False
    try:
        object.__getattribute__(one, name)
    except AttributeError:
        return True
    return False


def _member(cls: type, name: str) -> object:
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), MISSING)


def _all_instances(live: type) -> list[Any]:
    return instances(*subclasses(live))


def _renamed(before: Attributes, after: Attributes, gone: set[str], added: set[str]) -> dict[str, str]:
    """Return the names that another one took the place of: given the same text, and no other does."""
    found = {}
    for name in gone:
        texts = [other for other in added if after.given[other] == before.given[name]]
        others = [other for other in gone if before.given[other] == before.given[name]]
        if len(texts) == len(others) == 1:
            found[name] = texts[0]
    return found


def _tell_computed(visit: Visit, pair: Pair, live: type) -> None:
    """Tell of cached properties with other code, where objects have values that the old code computed."""
    cached = {n: v for n, v in vars(live).items() if is_a(v, functools.cached_property)}
    if not cached:
        return
    codes = visit.swap.changes.codes
    replaced = {
        name for name in cached if visit.swap.changes.changed(visit.work.edit.module, f"{visit.named(pair.new)}.{name}")
    }
    for name, value in cached.items():
        if name in replaced or getattr(value.func, "__code__", None) in codes:
            if any(name in getattr(one, "__dict__", ()) for one in _all_instances(live)):
                line = next((s.lineno for s in pair.new.children if name in s.binds), pair.new.lineno)
                visit.swap.tell(visit.work, "HS214", line, name=f"{visit.named(pair.new)}.{name}")


class Migration:
    """The live objects of one class that wait for their `__hotswap_migrate__`, after the save is live."""

    def __init__(self, path: str, lineno: int, cls: type, waiting: list[Any], change: ClassChange) -> None:
        self.path, self.lineno, self.cls = path, lineno, cls
        self.change = change
        self.findings: list[Finding] = []
        self._waiting = waiting
        self._failed = 0

    def step(self, seconds: float) -> bool:
        """Call the hook of as many objects as `seconds` allow; return whether all are done. Errors are noted."""
        end = time.perf_counter() + seconds
        while self._waiting:
            for one in self._waiting[-_EACH:]:
                self._call(one)
            del self._waiting[-_EACH:]
            if time.perf_counter() >= end:
                break
        return not self._waiting

    def _call(self, one: Any) -> None:
        held = getattr(one, "__dict__", {})
        gone = (*self.change.removed, *self.change.renamed)
        old = {name: held[name] for name in gone if name in held}
        try:
            getattr(type(one), HOOK)(one, ClassChange(self.change.added, self.change.removed, self.change.renamed, old))
        except Exception as error:  # noqa: BLE001  one object's error must not keep the others from being migrated
            self._failed += 1
            message = f"{type(error).__name__}: {error}"
            told = finding(
                "HS215", self.path, self.lineno, name=self.cls.__qualname__, count=self._failed, message=message
            )
            self.findings[:] = [told]


_SLICE: Final = 0.002


class Migrations:
    """The migrations of a reloader that are under way: a slice at a time, so that nobody waits long."""

    def __init__(self) -> None:
        self.waiting: list[Migration] = []

    def step(self) -> list[Finding]:
        """Migrate for two milliseconds; return what is to be told of classes whose objects are all done."""
        if not self.waiting or not self.waiting[0].step(_SLICE):
            return []
        return self.waiting.pop(0).findings

    def spread(self, loop: Any, tell: Callable[[list[Finding]], object]) -> None:
        """Migrate a slice now and the others between the callbacks of the event loop; `tell` what is to be told."""
        if self.waiting:
            tell(self.step())
            loop.call_soon(self.spread, loop, tell)

    def finish(self) -> Iterator[Finding]:
        """Migrate all that wait, and let other threads run in between; yield what is to be told."""
        while self.waiting:
            yield from self.step()
            time.sleep(0)
