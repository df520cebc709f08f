"""Headers of nested functions: defaults, annotations and decorators that a call, which is over, has evaluated.

The code of a live closure is exchanged as that of any function. Its header stands in the code of the function around it
and is evaluated by a call of that. Constants can be set all the same; of the rest, live closures are told.
"""

from __future__ import annotations
import __future__ as future

import ast
import builtins
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any, Final, NamedTuple

from hotswap._apply._defined import carriers
from hotswap._apply._swap import Swap, Work
from hotswap._model import Diff
from hotswap._run._journal import MISSING
from hotswap._text._names import bound_by
from hotswap._text._source import start_line
from hotswap.patch._proxies import is_forwarder
from hotswap.patch._referrers import count_held, still_held

_Node = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_NODES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_UNCLEAR: Final = "code, as the text does not say which of its lambdas they are"
_LAZY: Final = sys.version_info >= (3, 14)


class OldHeader(NamedTuple):
    """A live function, and what of its header (`what`) is other in the text, where it is `node`."""

    work: Work
    lineno: int
    what: str
    function: FunctionType
    node: _Node | None


def see_to_headers(swap: Swap, work: Work) -> None:
    """Before bodies are patched: set changed constants of nested headers, note live functions for which there are
    others.
    """
    for one, lineno in work.codes.unclear:
        found = work.functions.get((one.co_qualname, one.co_firstlineno), ())
        told = (OldHeader(work, lineno, _UNCLEAR, function, None) for function in found)
        swap.old_headers += (entry for entry in told if entry.function.__code__ == one)
    live = {place for place in work.functions if "<locals>" in place[0]}
    pairs = [(old, new) for old, new in work.codes.pairs() if (old.co_qualname, old.co_firstlineno) in live]
    if not pairs:
        return
    befores, afters = _nested(work.edit.diff, old=True), _nested(work.edit.diff, old=False)
    for old, new in pairs:
        before = befores.get((old.co_name, old.co_firstlineno))
        after = afters.get((new.co_name, new.co_firstlineno))
        if before is not None and after is not None:
            for function in work.functions[old.co_qualname, old.co_firstlineno]:
                what = _changed(swap, function, before, after)
                if what:
                    swap.old_headers.append(OldHeader(work, new.co_firstlineno, what, function, after))


def _nested(diff: Diff, *, old: bool) -> dict[tuple[str, int], _Node]:
    """Return the functions in changed statements by name and first line, but for lambdas that share a line."""
    found: dict[tuple[str, int], list[_Node]] = {}
    for pair in diff.changed:
        for node in ast.walk(pair.old.node if old else pair.new.node):
            if isinstance(node, _NODES):
                name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
                line = node.lineno if isinstance(node, ast.Lambda) else start_line(node)
                found.setdefault((name, line), []).append(node)
    return {place: nodes[0] for place, nodes in found.items() if len(nodes) == 1}


def _changed(swap: Swap, function: FunctionType, before: _Node, after: _Node) -> str:
    """Set what constants can give; return what else of the header changed, "" if nothing."""
    if list(map(ast.dump, _decorators(before))) != list(map(ast.dump, _decorators(after))):
        return "decorators"
    if _dumped(before.args.defaults) != _dumped(after.args.defaults):
        if not all(isinstance(default, ast.Constant) for default in after.args.defaults):
            return "defaults"
        values = tuple(d.value for d in after.args.defaults if isinstance(d, ast.Constant))
        swap.journal.set_attribute(function, "__defaults__", values or None)
    if (given := _keywords(after)) != _keywords(before):
        constants = {name: node.value for name, node in _kept(after) if isinstance(node, ast.Constant)}
        if len(constants) != len(given):
            return "defaults"
        swap.journal.set_attribute(function, "__kwdefaults__", constants or None)
    return "annotations" if not _LAZY and _annotations(before) != _annotations(after) else ""


def _decorators(node: _Node) -> list[ast.expr]:
    return getattr(node, "decorator_list", [])


def _dumped(nodes: Iterable[ast.expr]) -> list[str]:
    return [ast.dump(node) for node in nodes]


def _kept(node: _Node) -> Iterator[tuple[str, ast.expr]]:
    for arg, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if default is not None:
            yield arg.arg, default


def _keywords(node: _Node) -> dict[str, str]:
    return {name: ast.dump(default) for name, default in _kept(node)}


def _annotations(node: _Node) -> list[str]:
    return [f"{name}: {ast.dump(annotation)}" for name, annotation in _annotated(node)]


def _annotated(node: _Node) -> Iterator[tuple[str, ast.expr]]:
    """Yield names and annotations, in the order in which CPython evaluates them."""
    args = node.args
    for arg in (*args.args, *args.posonlyargs, args.vararg, *args.kwonlyargs, args.kwarg):
        if arg is not None and arg.annotation is not None:
            yield arg.arg, arg.annotation
    returns = None if isinstance(node, ast.Lambda) else node.returns
    if returns is not None:
        yield "return", returns


def tell_holders(swap: Swap) -> None:
    """After the last wave: tell of functions that are not, or not wholly, what their text says, if anybody has them."""
    headers = [one for one in swap.old_headers if not _is_live(swap, one)]
    cells, kinds = [one for one in swap.without_cells if not is_forwarder(one[-1])], swap.other_kinds
    swap.old_headers, swap.without_cells, swap.other_kinds = [], [], []
    functions = [*(one.function for one in headers), *(function for *_, function in cells)]
    held = still_held(functions, (headers, *headers, cells, *cells, *_ours(swap))) if functions else frozenset()
    counts = Counter(
        (work.edit.module, lineno, what, function.__qualname__)
        for work, lineno, what, function, _ in headers
        if id(function) in held
    )
    for (module, lineno, what, name), count in sorted(counts.items()):
        swap.tell(swap.works[module], "HS230", lineno, name=name, count=count, what=what)
    for work, lineno, missing, function in cells:
        if id(function) in held:
            swap.tell(work, "HS204", lineno, name=function.__qualname__, missing=missing)
    for owner, name, function, old, new in kinds:
        ours = (kinds, *kinds, *carriers(new), *_ours(swap))  # the new member may be made of the old function
        ours = ours if still_held((old,), ours) else (*ours, old)
        if left := count_held(function, ours):
            swap.tell(owner, "HS206", owner.line_of(name), name=name, count=left, why="it is called otherwise now")
    swap.journal.commit()


def _is_live(swap: Swap, entry: OldHeader) -> bool:
    """Whether a live function has, after all, what its text says."""
    work, _, what, function, node = entry
    if is_forwarder(function):
        return True
    return what == "annotations" and node is not None and _set_annotations(swap, work, function, node)


def _ours(swap: Swap) -> tuple[object, ...]:
    """Return the containers in which the swap itself holds old functions."""
    lists = (one for work in swap.works.values() for one in work.found())
    return (*lists, *swap.changes.kept(), *swap.journal.noted(), *(work.before for work in swap.works.values()))


def _set_annotations(swap: Swap, work: Work, function: FunctionType, node: _Node) -> bool:
    """Set the annotations of a live closure if looking names up in the module is all that it takes."""
    made: dict[str, object] = {}
    for name, annotation in _annotated(node):
        if work.edit.new.flags & future.annotations.compiler_flag:
            made[name] = ast.unparse(annotation)
            continue
        local = {name for inner in ast.walk(annotation) if isinstance(inner, ast.Name) for name in [inner.id]}
        if local & set(_bound_around(work, node)):
            return False
        value = _looked_up(function.__globals__, annotation)
        if value is MISSING:
            return False
        made[name] = value
    swap.journal.set_attribute(function, "__annotations__", made)
    return True


def _bound_around(work: Work, node: _Node) -> Iterator[str]:
    """Yield the names that the functions around `node` bind: what they held is known to a call alone."""
    for statement in work.edit.new.statements:
        if statement.lineno <= node.lineno <= statement.end_lineno:
            for inner in ast.walk(statement.node):
                if isinstance(inner, ast.arg):
                    yield inner.arg
                elif isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Load):
                    yield inner.id
                elif isinstance(inner, (*_NODES[:2], ast.ClassDef)) and inner is not statement.node:
                    yield inner.name
                elif isinstance(inner, (ast.Import, ast.ImportFrom)):
                    yield from bound_by(inner)


def _looked_up(names: Mapping[str, Any], node: ast.expr) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id, vars(builtins).get(node.id, MISSING))
    owner = _looked_up(names, node.value) if isinstance(node, ast.Attribute) else MISSING
    if isinstance(owner, ModuleType | type) and isinstance(node, ast.Attribute):
        return vars(owner).get(node.attr, MISSING)
    return MISSING
