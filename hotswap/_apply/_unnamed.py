"""Classes that no name of the module leads to: a decorator returned something else, or a call made them.

All classes are subclasses of `object`, so they are found by their module and qualified name. One that a call made goes
on as a class of the module does, as far as its own functions have cells for what the call knew; the rest is told.
"""

from __future__ import annotations

import ast
import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from hotswap._apply import _below, _generate, _rebuild, _stale, _stars
from hotswap._apply._scopes import CallScope, ClassScope
from hotswap._loader._compile import Outer
from hotswap._model import Diff, Kind, Pair, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import is_a
from hotswap._text._diff import diff, dump, only_code, same_header, shape
from hotswap._text._source import statement_of
from hotswap.patch._classes import living

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_Inside = tuple[tuple[Outer, ...], ast.ClassDef, ast.ClassDef]


_COVERING: Final = (Kind.CLASS, Kind.DEF, Kind.IMPORT)
_IMMUTABLE: Final = 1 << 8
"""Of a class in C, which may stand in the place of one in Python: ``Py_TPFLAGS_IMMUTABLETYPE``."""


def class_of(visit: Visit, pair: Pair) -> type | None:
    """Return the live class that the class statement made, also where its decorators bound something else."""
    name = pair.new.binds[-1]
    public = visit.scope.peek(name)
    given = partial(type.__getattribute__, public)  # whatever its metaclass makes of that
    own = is_a(public, type) and (given("__name__") == name or given("__qualname__") == visit.named(pair.old))
    if own and (inside := _decorated(visit, pair, public)):
        return inside
    taken = own and _is_taken(visit, pair, public)
    if own and not taken and not given("__flags__") & _IMMUTABLE:  # a statement may have given it another `__name__`
        return public  # type: ignore[return-value]
    if not taken and not getattr(pair.old.node, "decorator_list", ()) and not any(_below.by_hand(visit.new, pair.new)):
        return None
    found = living(visit.work.edit.module, visit.named(pair.old))
    if taken or len(found) > 1:
        del found
        gc.collect()  # classes that were made aside, or that undone edits left, go
        found = living(visit.work.edit.module, visit.named(pair.old))
    found = [one for one in found if not taken or one is not public]
    return found[0] if len(found) == 1 else None


def _is_taken(visit: Visit, pair: Pair, public: Any) -> bool:
    """Whether `public` is the class of a statement below the old one, or another module's that one took by its name."""
    name, below = pair.new.binds[-1], [one for one in visit.old if one.lineno > pair.old.lineno]
    if public.__module__ == visit.work.edit.module:
        return any(one.kind is Kind.CLASS and one.binds[-1] == name for one in below)
    return any(name in _stars.names_of(visit, one) for one in below)


def _decorated(visit: Visit, pair: Pair, public: Any) -> type | None:
    """Return the class that a decorator made a subclass of, and gave that the name; None if there is none."""
    named = (visit.work.edit.module, visit.named(pair.old))
    decorated = getattr(pair.old.node, "decorator_list", ()) or any(_below.by_hand(visit.old, pair.old))
    layers = public.__mro__[1:] if decorated else ()
    return next((one for one in reversed(layers) if (one.__module__, one.__qualname__) == named), None)


def gave_none(visit: Visit, statement: Statement) -> bool:
    """Whether a class statement gave no class, though nobody decorates it: what it derived from was none."""
    held = visit.scope.peek(statement.binds[-1])
    decorated = getattr(statement.node, "decorator_list", ())
    if held is MISSING or is_a(held, (type, FunctionType)) or decorated:
        return False
    return not is_covered(visit, statement) and not any(_below.by_hand(visit.new, statement))


def is_covered(visit: Visit, statement: Statement) -> bool:
    """Whether another statement below makes the name of the class `statement`, and nothing between them takes it."""
    name, below = statement.binds[-1], [s for s in visit.new if s.lineno > statement.lineno]
    for one in below:
        if any(read.partition(".")[0] == name for read in one.reads):
            return False
        if name in one.binds:
            return one.kind in _COVERING and not getattr(statement.node, "decorator_list", ())
    return False


def let_go(diffs: Iterable[Diff]) -> None:
    """Collect classes that calls made and that nobody has any more, if such classes change with one of `diffs`.

    A class refers to itself, so it outlives its last use until the next collection; it must not be counted as live.
    """
    for one in diffs:
        for pair in one.changed:
            if pair.inner is not None:
                let_go([pair.inner])
            elif isinstance(pair.old.node, _FUNCTIONS) and isinstance(pair.new.node, _FUNCTIONS):
                inside = _inside(pair.old.node, pair.new.node, ())
                if any(shape(old) != shape(new) for _, old, new in inside):
                    gc.collect()
                    return


def follow_calls(visit: Visit, pair: Pair) -> None:
    """Bring the live classes that calls of a changed function made to its new text."""
    assert isinstance(pair.old.node, _FUNCTIONS) and isinstance(pair.new.node, _FUNCTIONS)
    for around, old, new in list(_inside(pair.old.node, pair.new.node, visit.scope.around)):
        olds = statement_of(old, visit.work.edit.old), statement_of(new, visit.work.edit.new)
        both = Pair(*olds, diff(olds[0].children, olds[1].children))
        assert both.inner is not None
        if _to_run(both.inner) or both.inner.removed or not same_header(both):
            _follow(visit, around, both)


def _inside(old: Outer, new: Outer, around: Sequence[Outer]) -> Iterator[_Inside]:
    """Yield the classes that changed inside a definition, at any depth, with the definitions around each."""
    inner = (*around, new)
    olds, news = _definitions(old), _definitions(new)
    for name in olds.keys() & news.keys():
        before, after = olds[name], news[name]
        if dump(before) == dump(after):
            continue
        if isinstance(before, ast.ClassDef) and isinstance(after, ast.ClassDef) and isinstance(new, _FUNCTIONS):
            yield inner, before, after
        if isinstance(before, ast.ClassDef) is isinstance(after, ast.ClassDef):
            yield from _inside(before, after, inner)


def _definitions(node: Outer) -> dict[str, Outer]:
    """Return the definitions in the scope of `node` itself whose names stand there once."""
    found: dict[str, list[Outer]] = {}
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        one = waiting.pop()
        if isinstance(one, (ast.ClassDef, *_FUNCTIONS)):
            found.setdefault(one.name, []).append(one)
        elif not isinstance(one, ast.expr):
            waiting += ast.iter_child_nodes(one)
    return {name: ones[0] for name, ones in found.items() if len(ones) == 1}


def _to_run(inner: Diff) -> list[Statement]:
    return [*(p.new for p in inner.changed if not only_code(p)), *inner.added]


def _follow(visit: Visit, around: tuple[Outer, ...], pair: Pair) -> None:
    scope = CallScope(visit.scope, around, None)
    place = type(visit)(visit.swap, visit.work, scope)
    name = place.named(pair.new)
    refused: list[tuple[Statement, str]] = []
    found = living(visit.work.edit.module, name)
    for live in found:
        scope.live = live
        _bring(place, pair, live, refused)
    for statement, why in refused:
        what = _what(pair, statement)
        visit.swap.tell(visit.work, "HS217", statement.lineno, name=name, count=len(found), what=what, why=why)


def _what(pair: Pair, statement: Statement) -> str:
    if statement is pair.new:
        return "keep their old header"
    assert pair.inner is not None
    return f"have no {statement.key}" if statement in pair.inner.added else f"keep the old {statement.key}"


def _bring(place: Visit, pair: Pair, live: type, refused: list[tuple[Statement, str]]) -> None:
    assert pair.inner is not None and isinstance(pair.new.node, ast.ClassDef)
    inner = type(place)(place.swap, place.work, place.work.class_scope(place.scope, pair.new.node, live))
    found = [(one, why) for one in _to_run(pair.inner) if (why := _why_not(place, inner, one, live))]
    if not same_header(pair):
        found.append((pair.new, "a call that is over read it"))
    refused += (one for one in found if one not in refused)
    out = {id(one) for one, _ in found}
    _rebuild.change_members(place, _without(pair, lambda one: id(one) not in out), live)


def _why_not(place: Visit, inner: Visit, statement: Statement, live: type) -> str:
    """Return why a statement cannot run again for a class that a call made; "" if it can."""
    assert isinstance(inner.scope, ClassScope)
    if _generate.is_made_whole(place, live) and not _generate.is_plain(place, statement, live):
        return "it is read when the class is made"
    if "__slots__" in statement.binds:
        return "slots are fixed"
    body = inner.scope.body([statement.node])
    missing = [name for name in body.co_freevars if inner.scope.cell(name) is None]
    if missing:
        return f"no cell is left for {', '.join(missing)}"
    return "" if statement.kind is Kind.DEF else _stale.unquiet(inner, statement)


def _without(pair: Pair, wanted: Callable[[Statement], bool]) -> Pair:
    """Return `pair` without the new statements that are not `wanted`; what they were to replace stays."""
    assert pair.inner is not None
    inner = replace(
        pair.inner,
        changed=tuple(p for p in pair.inner.changed if wanted(p.new)),
        added=tuple(filter(wanted, pair.inner.added)),
    )
    return Pair(pair.old, replace(pair.new, children=tuple(filter(wanted, pair.new.children))), inner)
