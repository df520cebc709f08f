"""The first wave: live functions get the code of the new text, where nothing but code changed.

Functions whose header changed wait for their statement, so that code and defaults are set together.
"""

from __future__ import annotations

import ast
from functools import partial
from types import CellType, CodeType, FunctionType

from hotswap._apply._swap import Swap, Work
from hotswap._loader._builds import build_of
from hotswap._loader._compile import compile_in, own_content, without_annotations
from hotswap._model import Diff, Kind, Pair, Snapshot, Statement
from hotswap._text._diff import only_code
from hotswap.patch._functions import set_code, set_doc
from hotswap.patch._proxies import is_forwarder

Around = tuple[ast.ClassDef, ...]


def map_codes(work: Work) -> None:
    """Fill the code map of `work` from its diff: which code object of the old text became which of the new one."""
    if work.edit.unknown:
        new = work.edit.new
        nodes = [statement.node for statement in new.statements]
        work.codes.go_by_names(compile_in(nodes, (), new.origin, new.flags, doc=new.doc, build=work.scope.build))
    else:
        _map(work, work.edit.diff, (), ())


def _map(work: Work, diff: Diff, old_around: Around, new_around: Around) -> None:
    for pair in diff.unchanged:
        both = partial(_compile_both, work, pair, old_around, new_around)
        if pair.old.digest == pair.new.digest and _same_ground(work.edit.old, work.edit.new, pair.new):
            work.codes.move(pair.old.lineno, pair.old.end_lineno, pair.new.lineno - pair.old.lineno, both)
        else:
            work.codes.add(*both())
    for pair in diff.changed:
        if pair.inner is not None and pair.new.kind in (Kind.CLASS, Kind.SUITE):
            _map(work, pair.inner, _into(old_around, pair.old.node), _into(new_around, pair.new.node))
        else:
            work.codes.add(*_compile_both(work, pair, old_around, new_around))


def _same_ground(old: Snapshot, new: Snapshot, statement: Statement) -> bool:
    """Whether `statement` compiles to equal code: the same file, the same ``from __future__`` lines, like imports."""
    if old.flags != new.flags or old.origin != new.origin:
        return False
    other = old.imports ^ new.imports
    return not other or not any(_calls_on(node, other) for node in ast.walk(statement.node))


def _calls_on(node: ast.AST, names: frozenset[str]) -> bool:
    function = node.func if isinstance(node, ast.Call) else None
    return isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id in names


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
    for place, functions in work.functions.items():
        if place not in waiting:
            for function in functions:
                patch(swap, work, function)


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
    if new is None or new == old:
        return new
    missing = set_code(swap.journal, function, new, partial(_cell_for, work, function, fresh))
    if missing:
        swap.without_cells.append((work, new.co_firstlineno, ", ".join(missing), function))
        swap.old_codes.append(old)
        return None
    work.docs[id(function)] = set_doc(swap.journal, function, old, new)
    work.patched[id(function)] = new
    if new in swap.changes.codes:
        swap.old_codes.append(old)
    return new


def _cell_for(work: Work, function: FunctionType, fresh: FunctionType | None, name: str) -> CellType | None:
    own = [one for one in getattr(fresh, "__type_params__", ()) if one.__name__ == name]
    return CellType(own[0]) if own else work.cell_for(function, name)


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
        if own_content(old, called) != own_content(new, called):
            swap.changes.codes.setdefault(new)


def _called_names(diff: Diff) -> list[str]:
    """Return the simple names that changed statements call anywhere inside."""
    nodes = (inner for pair in diff.changed for inner in ast.walk(pair.new.node))
    return [n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
