"""The first wave: live functions get the code of the new text, where nothing but code changed.

Functions whose header changed wait for their statement, so that code and defaults are set together.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect, bisect_left
from collections.abc import Callable, Iterable
from functools import cache, partial
from types import CellType, CodeType, FunctionType

from hotswap._apply._swap import Swap, Work
from hotswap._loader._builds import build_of
from hotswap._loader._compile import class_body, compile_in, own_content, own_steps, without_annotations
from hotswap._loader._pairs import RolesOf
from hotswap._model import Diff, Edit, Kind, Pair, Snapshot, Statement
from hotswap._stale._making import may_make
from hotswap._text._diff import only_code, renamed
from hotswap._text._roles import roles
from hotswap.patch._functions import STRAYS, doc_of, set_code, set_doc
from hotswap.patch._proxies import is_forwarder

Around = tuple[ast.ClassDef, ...]


def map_codes(work: Work) -> None:
    """Fill the code map of `work` from its diff: which code object of the old text became which of the new one."""
    if work.edit.unknown:
        new = work.edit.new
        nodes = [statement.node for statement in new.statements]
        work.codes.go_by_names(compile_in(nodes, (), new.origin, new.flags, doc=new.doc, build=work.scope.build))
    else:
        _map(work, work.edit.diff, (), (), _imported_otherwise(work.edit))


def _imported_otherwise(edit: Edit) -> Callable[[Statement], bool]:
    """Return what says of a statement whether it mentions a name that an import binds in one of the texts alone."""
    names = edit.old.imports ^ edit.new.imports
    if not names:
        return lambda _: False
    text, lines, at, line = edit.new.text, list[int](), 0, 1
    for found in re.finditer(rf"\b(?:{'|'.join(map(re.escape, names))})\b", text):
        line += text.count("\n", at, found.start())
        at = found.start()
        lines.append(line)
    return lambda one: bisect_left(lines, one.lineno) < bisect(lines, one.end_lineno)


def _map(
    work: Work, diff: Diff, old_around: Around, new_around: Around, otherwise: Callable[[Statement], bool]
) -> None:
    old, new = work.edit.old, work.edit.new
    same = old.flags == new.flags and old.origin == new.origin
    for pair in diff.unchanged:
        both = partial(_compile_both, work, pair, old_around, new_around)
        if same and pair.old.digest == pair.new.digest and not (otherwise(pair.new) and _calls_on(pair.new, old, new)):
            work.codes.move(pair.old.lineno, pair.old.end_lineno, pair.new.lineno - pair.old.lineno, both)
        else:
            work.codes.add(*both())
    for one, other in renamed(diff):
        before, after = _compile_both(work, Pair(one, other), old_around, new_around)
        olds, news = ([*map(_name, around), s.binds[-1]] for around, s in ((old_around, one), (new_around, other)))
        work.codes.add(class_body(before, olds), class_body(after, news))
    for pair in diff.changed:
        if pair.inner is not None and pair.new.kind in (Kind.CLASS, Kind.SUITE):
            _map(work, pair.inner, _into(old_around, pair.old.node), _into(new_around, pair.new.node), otherwise)
        else:
            work.codes.add(*_compile_both(work, pair, old_around, new_around), _roles_of(pair))


def _roles_of(pair: Pair) -> RolesOf:
    return cache(lambda: (roles(pair.old.node), roles(pair.new.node)))


def _name(outer: ast.ClassDef) -> str:
    return outer.name


def _calls_on(statement: Statement, old: Snapshot, new: Snapshot) -> bool:
    """Whether `statement` calls ``name.attribute()`` of such a name, which is compiled otherwise if it is imported."""
    names = old.imports ^ new.imports
    called = (node.func for node in ast.walk(statement.node) if isinstance(node, ast.Call))
    values = (one.value for one in called if isinstance(one, ast.Attribute))
    return any(isinstance(one, ast.Name) and one.id in names for one in values)


def _into(around: Around, node: ast.stmt) -> Around:
    return (*around, node) if isinstance(node, ast.ClassDef) else around


def _compile_both(work: Work, pair: Pair, old_around: Around, new_around: Around) -> tuple[CodeType, CodeType]:
    old, new, build = work.edit.old, work.edit.new, work.scope.build
    was = build_of(work.module, old.text) if build else None
    before, after = without_annotations(pair.old.node), without_annotations(pair.new.node)
    made = (
        compile_in(
            [before], old_around, old.origin, old.flags, imports=old.imports, doc=pair.old.key == "doc", build=was
        ),
        compile_in(
            [after], new_around, new.origin, new.flags, imports=new.imports, doc=pair.new.key == "doc", build=build
        ),
    )
    work.scope.note_added(made[1])
    return made


def patch_bodies(swap: Swap, work: Work) -> None:
    """Record new code for every live function of `work` but those that wait for their statement."""
    if not work.codes:
        return
    _note_behaviour(swap, work)
    waiting = set(_headers(work.edit.diff, ""))
    found = (one for place, functions in work.functions.items() if place not in waiting for one in functions)
    for function in _move(swap, work, found):
        patch(swap, work, function)


def _move(swap: Swap, work: Work, functions: Iterable[FunctionType]) -> list[FunctionType]:
    """Record in one go the code of those `functions` that was shifted ahead, maybe thousands; return the others."""
    rest = list[FunctionType]()
    moved, olds, news = list[FunctionType](), list[CodeType](), list[CodeType]()
    for function in functions:
        old = function.__code__
        new = work.codes.shifted(old)
        if new is None or "<locals>" in old.co_qualname or id(function) in work.patched or is_forwarder(function):
            rest.append(function)
        else:
            work.patched[id(function)] = new
            moved.append(function)
            olds.append(old)
            news.append(new)
    if moved:
        swap.journal.set_on_all(moved, "__code__", news, olds)
    return rest


def patch(swap: Swap, work: Work, function: FunctionType, fresh: FunctionType | None = None) -> CodeType | None:
    """Record the code that takes the place of that of `function`; return it, or None if it stays as it is.

    `fresh` is the function with its new header, whose type parameters the code may read.
    """
    if id(function) in work.patched:
        return work.patched[id(function)]
    if is_forwarder(function):
        return None
    old = function.__code__
    new = work.codes.successor(old)
    if new is not None and "<locals>" in old.co_qualname:
        STRAYS.add(function)
    if new is None or (new == old and new.co_qualname == old.co_qualname):
        return new
    if function.__qualname__ == old.co_qualname != new.co_qualname:  # what it stands in has another name
        swap.journal.set_attribute(function, "__qualname__", new.co_qualname)
    if work.codes.shifted(old) is not None:
        work.patched[id(function)] = new
        swap.journal.do(partial(setattr, function, "__code__", new), partial(setattr, function, "__code__", old))
        return new
    missing = set_code(swap.journal, function, new, partial(_cell_for, work, function, fresh))
    if missing:
        for header in ("__defaults__", "__kwdefaults__"):  # they go with the code that it keeps
            swap.journal.set_attribute(function, header, getattr(function, header))
        swap.without_cells.append((work, new.co_firstlineno, ", ".join(missing), function))
        swap.old_codes.append(old)
        return None
    work.docs[id(function)] = set_doc(swap.journal, function, old, new)
    work.patched[id(function)] = new
    if new in swap.changes.codes and (own_content(old) != own_content(new) or may_make(old)):
        swap.old_codes.append(old)
    return new


def _cell_for(work: Work, function: FunctionType, fresh: FunctionType | None, name: str) -> CellType | None:
    own = [one for one in getattr(fresh, "__type_params__", ()) if one.__name__ == name]
    return CellType(own[0]) if own else work.cell_for(function, name) or _shared_cell(work, function, name)


def _shared_cell(work: Work, function: FunctionType, name: str) -> CellType | None:
    """Return the cell for `name` of another function that the same call made: they have some cell in common."""
    made_in = _call_of(function.__code__.co_qualname)
    own = set(map(id, function.__closure__ or ()))
    for (qualname, _), functions in work.functions.items():
        for one in functions if own and _call_of(qualname) == made_in else ():
            cells = dict(zip(one.__code__.co_freevars, one.__closure__ or (), strict=True))
            if name in cells and not own.isdisjoint(map(id, cells.values())):
                return cells[name]
    return None


def _call_of(qualname: str) -> str:
    """Return the name of the function whose call made what is called `qualname`: classes between them have no cells."""
    return qualname.rpartition("<locals>")[0]


def _headers(diff: Diff, prefix: str) -> list[tuple[str, int]]:
    """Return the places, in the old text, of functions that more changed of than their code."""
    found = []
    for pair in diff.changed:
        if pair.inner is not None and pair.new.kind in (Kind.CLASS, Kind.SUITE):
            inner = f"{prefix}{pair.old.binds[-1]}." if pair.new.kind is Kind.CLASS else prefix
            found += _headers(pair.inner, inner)
        elif pair.new.kind is Kind.DEF and not only_code(pair):
            found.append((prefix + pair.old.binds[-1], pair.old.lineno))
    return found


def _note_behaviour(swap: Swap, work: Work) -> None:
    """Note the new code objects that behave otherwise when called, not counting functions that they only make."""
    called = frozenset(_called_names(work.edit.diff))
    for old, new in work.codes.pairs():
        if own_content(old, called) == own_content(new, called):
            continue
        if doc_of(old) != doc_of(new) and own_steps(old, called) == own_steps(new, called):
            swap.changes.docs.setdefault(new)
        else:
            swap.changes.codes.setdefault(new)
            swap.changes.note_called_back(work.edit.module, new.co_qualname)


def _called_names(diff: Diff) -> list[str]:
    """Return the simple names that changed statements call anywhere inside."""
    nodes = (inner for pair in diff.changed for inner in ast.walk(pair.new.node))
    return [n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
