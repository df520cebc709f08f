"""State that goes because the statement that makes it changed: it runs, as its text says so, and that is told."""

from __future__ import annotations

import ast
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

from hotswap import _quiet
from hotswap._apply._filled import is_filled
from hotswap._apply._scopes import AnyScope
from hotswap._apply._stale import quiet_scope
from hotswap._apply._swap import Swap, Work
from hotswap._errors import StatementError
from hotswap._model import Diff, Kind, Statement
from hotswap._run._journal import CONTAINERS, MISSING
from hotswap._run._values import attribute, attributes_of, equal, immutable, is_a
from hotswap._text._diff import dump
from hotswap._text._names import dotted_of, filled_by

_BUFFERS: Final = (bytearray, array)


def tell_lost(swap: Swap, work: Work) -> None:
    """Before anything changes: tell of containers whose statement changed, or gave way to another one that binds their
    name, or got another name or a place in another class, and that the program has filled since.
    """
    diff = work.edit.diff
    classes = [pair for pair in diff.changed if pair.new.kind is Kind.CLASS and pair.inner is not None]
    added = [*diff.added, *(inner for one in diff.added for inner in one.children)]
    inside = [one for pair in classes for one in pair.inner.added]  # type: ignore[union-attr]  # these have one
    pairs = [*_changed(diff), *_instead(diff, [*added, *inside])]
    _tell(swap, work, "", work.before, work.edit.old.statements, pairs)
    for pair in classes:
        live = work.before.get(pair.new.binds[-1])
        if pair.inner is not None and is_a(live, type):
            elsewhere = [*pair.inner.added, *added]
            prefix = f"{pair.new.binds[-1]}."
            _tell(swap, work, prefix, vars(live), pair.old.children, [*_instead(pair.inner, elsewhere)])


def stored(work: Work) -> dict[str, object]:
    """Return the containers that statements of the module have put on its functions and classes, by dotted names."""
    targets = [_target(one.node) for one in work.edit.old.statements if one.kind is Kind.ASSIGN and one.mutates]
    found = {name: _held(work, name) for name in targets if name}
    return {name: held for name, held in found.items() if type(held) in CONTAINERS}


def _target(node: ast.stmt) -> str | None:
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    return dotted_of(target) if isinstance(target, ast.Attribute) else None


def _held(work: Work, name: str) -> object:
    first, _, rest = name.partition(".")
    held: Any = attribute(work.scope.peek(first), "__dict__", {})
    return held.get(rest, MISSING)


def tell_replaced(swap: Swap, before: Mapping[str, Mapping[str, object]]) -> None:
    """After the last wave: tell of other such containers, of a text that says what they were, whatever had that run: a
    header above it, another base, a decorator. `before` are those on functions and classes, by module.
    """
    for module, work in swap.works.items():
        told = {fields.get("name") for fields in work.log.findings.values()}
        for name, old in {**swap.changes.of(module), **before.get(module, {})}.items():
            if type(old) in CONTAINERS and old and name not in told and not _is_there(work, name, old):
                if (made := _made_by(name, work.edit.old.statements)) is not None and is_filled(made, old):
                    swap.tell(work, "HS223", work.line_of(name), name=name)


def _is_there(work: Work, name: str, old: object) -> bool:
    """Whether the name left, or the value goes on under whatever name."""
    value = _held(work, name) if "." in name else work.scope.peek(name)
    return value is MISSING or any(one is old for one in (value, *work.scope.namespace.values()))


def _made_by(name: str, statements: Sequence[Statement]) -> ast.expr | None:
    """Return the expression of the only statement that binds `name`, by whichever of its names, or alters what it
    stands for.
    """
    found = [*_makers(name, statements)]
    prefix, _, last = name.rpartition(".")
    together = [f"{prefix}.{one}" if prefix else one for one in (found[0].binds if found else ())]
    if len(found) != 1 or any(len([*_makers(one, statements)]) != 1 for one in together):
        return None
    return _value_of(found[0].node, name) or _value_of(found[0].node, last)


def _makers(name: str, statements: Iterable[Statement]) -> Iterator[Statement]:
    """Yield the statements that bind or alter `name`; a member of a class is bound in the class or below it."""
    first, _, rest = name.partition(".")
    for one in statements:
        if rest and one.kind is Kind.CLASS and first in one.binds:
            yield from _makers(rest, one.children)
        elif one.kind is Kind.SUITE and first in (*one.binds, *one.mutates):
            yield from _makers(name, one.children)
        elif first in one.mutates if rest else first in (*one.binds, *one.mutates):
            if not rest or (_target(one.node) or name) == name:
                yield one


def _value_of(node: ast.stmt, name: str) -> ast.expr | None:
    if isinstance(node, ast.AnnAssign) and dotted_of(node.target) == name:
        return node.value
    if not isinstance(node, ast.Assign):
        return None
    for target in node.targets:
        if dotted_of(target) == name:
            return node.value
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = zip(target.elts, node.value.elts, strict=False)
            return next((value for one, value in pairs if dotted_of(one) == name), None)
    return None


def _tell(
    swap: Swap,
    work: Work,
    prefix: str,
    names: Mapping[str, Any],
    old: Sequence[Statement],
    pairs: Iterable[tuple[Statement, Statement]],
) -> None:
    functions = {one.binds[-1]: one.node for one in old if one.kind is Kind.DEF}
    filled = {name for one in old if one.kind is Kind.OTHER for name in filled_by(one.node, functions)}
    for was, now in pairs:
        alone = all(sum(name in one.binds or name in one.mutates for one in old) == 1 for name in was.binds)
        alone = alone and filled.isdisjoint(was.binds)
        for name in was.binds if alone else ():
            if name == "__annotations__":  # each has an entry of its own there, none is state
                continue
            held = names.get(name)
            kept = swap.is_kept(f"{work.edit.module}:{prefix}{name}")  # its inputs are others than those it was made of
            if _may_have_state(swap, held) and _is_filled(swap, work.scope, was, name, held, kept=kept):
                swap.tell(work, "HS223", now.lineno, name=prefix + name)


def _changed(diff: Diff) -> Iterator[tuple[Statement, Statement]]:
    """Yield assignments that have another value now, or bind further names."""
    for pair in diff.changed:
        names = pair.old.kind is Kind.ASSIGN and set(pair.old.binds) <= set(pair.new.binds)
        is_same = pair.old.binds == pair.new.binds and _value(pair.old) == _value(pair.new)
        if names and not is_same:  # else an annotation came, went or changed
            yield pair.old, pair.new


def _instead(diff: Diff, added: Sequence[Statement]) -> Iterator[tuple[Statement, Statement]]:
    """Yield assignments of one name that left with what came for them: what binds that name now, as an import, in a
    suite, or the one assignment of the same value to another name.
    """
    for was in diff.removed:
        if was.kind is Kind.ASSIGN and len(was.binds) == 1:
            now = next((one for one in added if was.binds[0] in one.binds), None)
            alike = [one for one in added if one.kind is Kind.ASSIGN and _value(one) == _value(was)]
            if now is not None or len(alike) == 1:
                yield was, now or alike[0]


def _value(statement: Statement) -> str:
    value = getattr(statement.node, "value", None)
    return dump(value) if value is not None else ""


def _may_have_state(swap: Swap, held: Any) -> bool:
    """Whether the program may have put something into `held`: a container with items, or an object of its own."""
    if type(held) in CONTAINERS:
        return bool(held)
    home = sys.modules.get(type(held).__module__)
    return type(held) in (SimpleNamespace, *_BUFFERS) or (home is not None and swap.is_project(home))


def _is_other(made: Mapping[str, Any], held: Mapping[str, Any], *, kept: bool) -> bool:
    """Whether attributes came or went, are containers of other sizes than they were made or, unless the object was
    `kept` while what it is made of changed, other numbers or texts.
    """
    if made.keys() != held.keys():
        return True
    pairs = [(made[name], value) for name, value in held.items()]
    sizes = ((one, value) for one, value in pairs if type(value) in CONTAINERS and type(one) is type(value))
    values = ((one, value) for one, value in pairs if immutable(value) and not kept)
    return any(len(one) != len(value) for one, value in sizes) or not all(equal(one, value) for one, value in values)


def _is_filled(swap: Swap, scope: AnyScope, statement: Statement, name: str, held: Any, *, kept: bool) -> bool:
    """Whether the container `held` has other keys, or more or fewer items, than `statement` gives it, or an object
    other attributes.
    """
    if _quiet.unquiet(statement.node, quiet_scope(swap, scope)):
        return False
    try:
        made: Any = scope.run([statement.node]).get(name)
    except StatementError:
        return False
    if type(made) is not type(held):
        return False
    if type(held) not in CONTAINERS:
        is_other = _is_other(attributes_of(made), attributes_of(held), kept=kept)
        return is_other or (type(held) in _BUFFERS and made != held)
    if len(made) != len(held):
        return True
    if type(held) is not dict:
        return False
    known = ((made.get(key), value) for key, value in held.items() if type(key) is str)
    return any(immutable(one) and immutable(other) and not equal(one, other) for one, other in known)
