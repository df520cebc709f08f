"""Which statements may have registered something with a library, and which objects they name for it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from hotswap._model import Diff, Kind, Pair, Statement
from hotswap._run._journal import CONTAINERS, MISSING
from hotswap._run._values import elements, is_a
from hotswap._text._diff import is_documented_anew, only_code, same_header
from hotswap._text._names import dotted_of
from hotswap._text._source import start_line

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap, Work


def statements(work: Work, diff: Diff, forced: Iterable[int]) -> Iterator[tuple[Statement, Statement | None, bool]]:
    """Yield the old statements that may have registered, what becomes of them, and whether their entries go."""
    for statement in diff.removed:
        if _may_register(statement):
            yield statement, None, True
    for pair in diff.changed:
        if pair.inner is not None and pair.new.kind is Kind.SUITE and same_header(pair):
            yield from statements(work, pair.inner, forced)
        elif _may_register(pair.old):
            yield pair.old, pair.new if _may_register(pair.new) else None, not only_code(pair)
    for pair in diff.unchanged:
        if _may_register(pair.old):
            yield pair.old, pair.new, id(pair.new) in forced


def only_body(pair: Pair) -> bool:
    same_kind = type(pair.old.node) is type(pair.new.node)  # not a coroutine function now
    return only_code(pair) and same_kind and not is_documented_anew(pair)


def _may_register(statement: Statement) -> bool:
    if statement.kind in (Kind.DEF, Kind.CLASS):
        return bool(getattr(statement.node, "decorator_list", ()))
    return statement.kind is Kind.OTHER and bool(statement.calls)


def values(work: Work, statement: Statement, *but: type) -> list[object]:
    """Return what the dotted names that `statement` reads stand for: through modules, up to the first other object."""
    found = [value for dotted in statement.reads for value in _named(work, dotted)]
    return [value for value in found if not issubclass(type(value), but or (ModuleType, type))]


def decorators(work: Work, statement: Statement) -> Iterator[object]:
    """Yield what each decorator of a definition is, or is made by a call of; MISSING for what no name says."""
    for node in getattr(statement.node, "decorator_list", ()):
        called = node.func if isinstance(node, ast.Call) else node
        yield next(iter(_named(work, dotted_of(called) or "")), MISSING)


def gone_over(work: Work, statement: Statement) -> Iterator[object]:
    """Yield what a loop finds in the containers that it names: ``for name, function in TABLE.items():``."""
    waiting = values(work, statement) if isinstance(statement.node, ast.For) else []
    for container in waiting:
        for one in elements(container) if type(container) in (*CONTAINERS, tuple) else ():
            yield from one if type(one) is tuple else (one,)


def _named(work: Work, dotted: str) -> list[object]:
    first, *rest = dotted.split(".")
    value = work.scope.peek(first)
    while is_a(value, ModuleType) and rest:
        value = vars(value).get(rest.pop(0), MISSING)
    return [] if value is MISSING else [value]


def handed(work: Work, statement: Statement) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield the methods that `statement` calls, as it names them, each with the objects that its arguments name."""
    for call in (node for node in ast.walk(statement.node) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute):
            arguments = (*call.args, *(keyword.value for keyword in call.keywords))
            yield (
                dotted_of(call.func) or call.func.attr,
                tuple(value for one in arguments for value in _named(work, dotted_of(one) or "")),
            )


def between(raws: Iterable[object], public: Iterable[object]) -> Iterator[object]:
    """Yield what decorators made around a function, one after the other: each may have registered what it got."""
    from hotswap._apply._defined import functions_in  # which asks for chains, and these for what registers

    wanted = set(map(id, raws))
    for outer in public if wanted else ():
        yield from (one for one in functions_in(outer) if any(id(inner) in wanted for inner in functions_in(one)))


def made_inside(work: Work, statement: Statement) -> Iterator[object]:
    """Yield the live functions that a loop, or another statement that is no definition, defines."""
    for node in ast.walk(statement.node) if statement.kind is Kind.OTHER else ():
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from work.functions.get((work.scope.prefix + node.name, start_line(node)), ())


def names_class_of(statement: Statement, value: object) -> bool:
    """Whether `statement` names the class of `value`, as ``app.add_handler(CommandHandler(...))`` does."""
    name = type(value).__name__
    return any(dotted.rpartition(".")[2] == name for dotted in statement.calls)


def bound_by(node: ast.stmt) -> list[str]:
    """Return the names that a definition or an assignment binds."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def tell_starting(swap: Swap, work: Work, starting: frozenset[str]) -> None:
    """Tell of functions that register when they run, at a program's start, and whose registering changed."""
    for pair in work.edit.diff.changed:
        if pair.old.kind is pair.new.kind is Kind.DEF:
            if _registering(pair.old.node, starting) != _registering(pair.new.node, starting):
                swap.tell(work, "HS240", pair.new.lineno, name=pair.new.binds[-1])


def _registering(node: ast.stmt, starting: frozenset[str]) -> list[str]:
    body = ast.Module(body=getattr(node, "body", []), type_ignores=[])
    calls = (inner for inner in ast.walk(body) if isinstance(inner, ast.Call))
    return [ast.dump(c) for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr in starting]
