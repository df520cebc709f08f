"""A class that lives on in another module, or by another name: its functions are made anew, as they belong to one."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import partial
from operator import setitem
from types import FunctionType
from typing import TYPE_CHECKING

from hotswap._apply import _rebuild, _replaced
from hotswap._apply._departed import Departed
from hotswap._model import Diff, How, Kind, Pair, Statement
from hotswap._run._journal import MISSING, Journal
from hotswap._run._values import attribute, same
from hotswap._text._diff import diff, same_header
from hotswap.patch import _dataclasses, _generated
from hotswap.patch._classes import take_constructor_back
from hotswap.patch._proxies import forward

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap
    from hotswap._apply._visit import Visit

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def take_class(visit: Visit, statement: Statement, known: Departed, live: type) -> None:
    swap, name, module = visit.swap, statement.binds[-1], visit.work.edit.module
    visit.make_ready(statement, [statement.node])
    before = {one: dict(vars(one)) for one in _nested(live, known.statement)}
    visit.bind(name, live)  # what the name held meanwhile leads to it
    for one in before if live.__name__ != name else ():
        if _generated.kind_of(one) == "dataclass" and _dataclasses.is_generated(one, "__doc__", vars(one)["__doc__"]):
            swap.journal.set_member(one, "__doc__", None)  # it begins with the name, and is written again
        rest = type.__getattribute__(one, "__qualname__").removeprefix(known.name)
        _rename_private(swap, one, one.__name__, (name + rest).rpartition(".")[2])
        swap.journal.set_attribute(one, "__qualname__", name + rest)
        swap.journal.set_attribute(one, "__name__", (name + rest).rpartition(".")[2])
    for one in before if not any("__module__" in child.binds for child in statement.children) else ():
        if vars(one).get("__module__") != module:
            swap.journal.set_member(one, "__module__", module)
    swap.commit()
    pair = _pair(known.statement, statement, live)
    if live.__bases__ == (object,) and same_header(pair):  # else its bases may be others of the same names
        _rebuild.change_members(visit, pair, live)
    else:
        _rebuild.change_header(visit, pair, live)
    made = visit.scope.peek(name)
    if made is not live and all(old is not live for _, _, old, _ in swap.replaced):  # the old text had something else
        _replaced.leave_class(swap, visit.work, visit.scope.prefix + name, live, made)
    swap.commit()
    for one in before:
        if _generated.kind_of(one) == "dataclass":  # what the decorator wrote belongs to the module, too
            _dataclasses.renew_inherited(swap.journal, one, module)
            swap.commit()
    for one, members in before.items():
        _forward_members(visit, members, one)
    swap.later.insert(0, partial(take_constructor_back, live))
    swap.patched(visit.work, name, How.ADDED, "its class lives on")


def _rename_private(swap: Swap, live: type, old: str, new: str) -> None:
    """Let private members go by the new name of their class, as its text will have them."""
    before, after = (f"_{name.lstrip('_')}__" for name in (old, new))
    for name, value in list(vars(live).items()) if old != new else ():
        if name.startswith(before) and not name.endswith("__"):
            swap.journal.del_member(live, name)
            swap.journal.set_member(live, after + name.removeprefix(before), value)


def _nested(live: type, statement: Statement) -> Iterator[type]:
    yield live
    for child in statement.children:
        inner = vars(live).get(child.binds[-1]) if child.kind is Kind.CLASS else None
        if isinstance(inner, type):
            yield from _nested(inner, child)


def _pair(old: Statement, new: Statement, live: type) -> Pair:
    """Return the two as a pair whose functions are all made anew, and whose other unchanged members stay."""
    found = diff(old.children, new.children)
    pairs = (*found.unchanged, *found.changed)
    nested = [p for p in pairs if p.old.kind is p.new.kind is Kind.CLASS]
    anew = [p for p in found.unchanged if p.new.kind is not Kind.CLASS and is_made_anew(p.new, live)]
    anew += [p for p in found.changed if p.new.kind is Kind.DEF]
    taken = {id(p) for p in (*nested, *anew)}
    inner = Diff(
        unchanged=tuple(p for p in found.unchanged if id(p) not in taken),
        changed=(*(p for p in found.changed if id(p) not in taken), *(_nested_pair(p, live) for p in nested)),
        added=(*found.added, *(p.new for p in anew)),
        removed=found.removed,
    )
    return Pair(old, new, inner)


def _nested_pair(pair: Pair, live: type) -> Pair:
    inner = vars(live).get(pair.new.binds[-1])
    return _pair(pair.old, pair.new, inner) if isinstance(inner, type) else pair


def is_made_anew(statement: Statement, live: type) -> bool:
    """Whether a member holds a function, which belongs to one module, a plain value made of names of the module, or
    just what such a name stands for.
    """
    if isinstance(getattr(statement.node, "value", None), (ast.Name, ast.Attribute)) or any(
        isinstance(node, _FUNCTIONS) for node in ast.walk(statement.node)
    ):
        return True
    held = [vars(live).get(name, MISSING) for name in statement.binds]
    return bool(statement.reads) and all(type(value) in (int, str, float, bytes, bool, tuple) for value in held)


def _forward_members(visit: Visit, members: Mapping[str, object], live: type) -> None:
    """Lead who holds an old function of a class to the one that took its place; one of a module has its own name."""
    swap = visit.swap
    for name, member in members.items():
        old, new = function_of(member), function_of(vars(live).get(name))
        if old is None or new is None or "." not in old.__qualname__:
            continue
        if not same(old, new) and old is not new:
            forward(swap.journal, old, new)
            swap.led[old] = visit.work, new
    for held in members.values():
        put_in(swap.journal, held, members, vars(live))
    swap.journal.commit()


def put_in(journal: Journal, held: object, before: Mapping[str, object], now: Mapping[str, object]) -> None:
    """Have a list or dict, which a class keeps, hold the functions that its members are now, as its text says."""
    if type(held) is not list and type(held) is not dict:
        return
    functions = {id(one): function_of(now.get(name)) for name, one in before.items() if type(one) is FunctionType}
    for key, value in list(held.items() if isinstance(held, dict) else enumerate(held)):
        found = functions.get(id(value))
        if found is not None and found is not value:
            journal.do(partial(setitem, held, key, found), partial(setitem, held, key, value))


def function_of(member: object) -> FunctionType | None:
    member = attribute(member, "__func__", attribute(member, "fget", member))
    return member if type(member) is FunctionType else None
