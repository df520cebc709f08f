"""The header of a class statement, evaluated without making a class: bases, keywords, metaclass, type parameters."""

from __future__ import annotations

import ast
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import CellType, FunctionType, prepare_class
from typing import TYPE_CHECKING, Any

from hotswap import _quiet
from hotswap._apply import _decorators
from hotswap._apply._inside import content_of
from hotswap._errors import StatementError
from hotswap._model import Kind, Statement
from hotswap._run._journal import MISSING, Journal, nothing
from hotswap._run._values import attribute, same
from hotswap._text._diff import same_header
from hotswap._text._names import dotted_of

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit
    from hotswap._model import Pair

_PROBE = "__hotswap_probe__"
_KEYWORDS = "__hotswap_keywords__"


@dataclass(frozen=True, slots=True)
class Header:
    """What a class statement says before its body. `generic` are the members that generic bases leave on the class."""

    bases: tuple[type, ...]
    meta: type
    keywords: dict[str, Any]
    generic: dict[str, Any]
    differs: bool = True

    def cells(self) -> dict[str, CellType]:
        """Return cells for the type parameters, which a class that cannot take the header does not have."""
        found: Any = self.generic.get("__type_params__", ())
        params = found if isinstance(found, tuple) else ()
        return {**{one.__name__: CellType(one) for one in params}, ".type_params": CellType(params)}


def evaluate(visit: Visit, new: Statement, live: type) -> Header:
    """Evaluate bases, keywords and type parameters of `new`, once.

    The statement runs with a metaclass that only takes notes: Python itself resolves what stands in its header.
    """
    node = new.node
    assert isinstance(node, ast.ClassDef)
    here: dict[str, Any] = {
        "lineno": node.lineno,
        "col_offset": node.col_offset,
        "end_lineno": node.lineno,
        "end_col_offset": node.col_offset,
    }
    keys: list[ast.expr | None] = [None if one.arg is None else ast.Constant(one.arg, **here) for one in node.keywords]
    given = ast.Dict(keys, [one.value for one in node.keywords], **here)
    keywords = [
        ast.keyword("metaclass", ast.Name(_PROBE, ast.Load(), **here), **here),
        ast.keyword(_KEYWORDS, given, **here),
    ]
    fields = dict(ast.iter_fields(node)) | {"keywords": keywords, "decorator_list": [], "body": [ast.Pass(**here)]}
    probe = ast.copy_location(ast.ClassDef(**fields), node)
    names = visit.scope.namespace
    names[_PROBE] = _note  # the scope of type parameters looks names up in the module alone
    try:
        noted = dict(visit.scope.run([probe]))
    finally:
        names.pop(_PROBE, None)
    notes = next(value for value in noted.values() if type(value) is _Notes)
    try:
        return _header(notes, live)
    except Exception as error:  # a metaclass refuses the bases, as an enum does those with members
        raise StatementError(error, visit.work.edit.path, node.lineno) from error


@dataclass(frozen=True, slots=True)
class _Notes:
    """What a metaclass was called with."""

    bases: tuple[type, ...]
    namespace: dict[str, Any]
    keywords: dict[str, Any]


def _note(name: str, bases: tuple[type, ...], namespace: dict[str, Any], **given: Any) -> _Notes:
    """Stand for a metaclass. A function, as of classes Python asks that they go with the metaclasses of the bases."""
    del name
    return _Notes(bases, dict(namespace), dict(given[_KEYWORDS]))


def _header(notes: _Notes, live: type) -> Header:
    bases = notes.bases or (object,)
    meta, _, keywords = prepare_class(live.__name__, bases, notes.keywords)
    params = tuple(notes.namespace.get("__type_params__", ()))
    kept = {new: old for old in getattr(live, "__type_params__", ()) for new in params if _same_parameter(old, new)}
    origin = notes.namespace.get("__orig_bases__", MISSING)
    if origin is not MISSING:
        origin = tuple(_with(base, kept) for base in origin)
    generic = {"__orig_bases__": origin}
    if origin is MISSING:
        generic["__parameters__"] = MISSING  # a generic base, if there is one, sets them
    if params or "__type_params__" in vars(live):
        generic["__type_params__"] = tuple(kept.get(one, one) for one in params) if params else MISSING
    return Header(bases, meta, dict(keywords), generic)


def _same_parameter(old: Any, new: Any) -> bool:
    if type(old) is not type(new) or old.__name__ != new.__name__:
        return False
    return all(getattr(old, n, None) == getattr(new, n, None) for n in ("__bound__", "__constraints__", "__default__"))


def _with(base: Any, kept: dict[Any, Any]) -> Any:
    """Return a generic base with the type parameters that the class had already."""
    params = getattr(base, "__parameters__", ())
    if isinstance(base, type) or not kept or not any(one in kept for one in params):
        return base
    origin: Any = typing.get_origin(base)
    if origin in (typing.Generic, typing.Protocol):
        return origin[tuple(kept.get(one, one) for one in typing.get_args(base))]
    return base[tuple(kept.get(one, one) for one in params)]


def own_parameters(visit: Visit, live: type, header: Header) -> bool:
    """Record that the type parameters which methods of `live` see are those of `header`; return whether any is new.

    All methods share one cell for each; a method that gained one has a cell that waits to be filled.
    """
    params = header.generic.get("__type_params__", ())
    new = {one.__name__: one for one in (params if isinstance(params, tuple) else ())}
    old = {one.__name__: one for one in getattr(live, "__type_params__", ())}
    inside = f"{visit.scope.prefix}{live.__name__}."
    cells = [
        (name, cell)
        for (place, _), functions in (visit.work.functions.items() if old else ())
        for function in (functions if place.startswith(inside) else ())
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        if name in new and name in old and content_of(cell) is old[name] is not new[name]
    ]
    gained = [(name, cell) for (owner, name), cell in visit.work.gained.items() if owner == live.__qualname__]
    for name, cell in {id(cell): (name, cell) for name, cell in (*cells, *gained) if name in new}.values():
        back = partial(setattr, cell, "cell_contents", old[name]) if name in old else nothing
        visit.swap.journal.do(partial(setattr, cell, "cell_contents", new[name]), back)
    return any(new[name] is not old[name] for name in new.keys() & old.keys())


def settle_generic(journal: Journal, cls: type) -> None:
    """Record the ``__parameters__`` that `typing.Generic` leaves on classes below it: `cls` and those below that."""
    for one in (cls, *_below(cls)):
        is_generic, has_own = typing.Generic in one.__mro__, "__parameters__" in vars(one)
        if is_generic and not has_own:
            journal.set_member(one, "__parameters__", ())
        elif has_own and not is_generic:
            journal.del_member(one, "__parameters__")


def _below(cls: type) -> Iterator[type]:
    below: list[type] = type.__subclasses__(cls)
    for one in below:
        yield one
        yield from _below(one)


def unchanged(visit: Visit, new: Statement, live: type) -> Header:
    """Return the header that `live` was made with, as far as it shows; keywords are evaluated anew."""
    found = evaluate(visit, new, live)
    return Header(
        live.__bases__,
        type(live),
        found.keywords,
        {n: vars(live).get(n, MISSING) for n in found.generic},
        differs=False,
    )


def is_as_before(visit: Visit, pair: Pair, live: type, header: Header) -> bool:
    """Whether the bases alone are written otherwise, and are the same: ``class A(object)``."""
    if header.bases != live.__bases__ or header.meta is not type(live) or any(map(_others, (pair.old, pair.new))):
        return False
    bases = pair.new.node.bases if isinstance(pair.new.node, ast.ClassDef) else ()
    is_plain = all(value is MISSING and name not in vars(live) for name, value in header.generic.items())
    return is_plain and not any(_decorators.reads(visit, base) for base in bases)


def _others(statement: Statement) -> list[ast.AST]:
    """Return what stands in the header of a class besides its bases."""
    node = statement.node
    return [one for name in ("keywords", "decorator_list", "type_params") for one in getattr(node, name, ())]


def names_in(statement: Statement) -> frozenset[str]:
    """Return the names that the body of a class statement binds."""
    return frozenset(name for child in statement.children for name in child.binds)


def made_of(node: ast.stmt) -> list[ast.expr]:
    """Return the bases and the values of keywords of a class statement."""
    assert isinstance(node, ast.ClassDef)
    return [*node.bases, *(keyword.value for keyword in node.keywords)]


def of_def(statement: Statement, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Statement:
    """Return a statement that reads what the defaults and annotations of a ``def`` read."""
    return alone(statement, parts_of(node))


def parts_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """Return the defaults and annotations of a ``def``."""
    args = node.args
    every = (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg)
    found = [*args.defaults, *args.kw_defaults, *(one.annotation for one in every if one), node.returns]
    return [one for one in found if one is not None]


def alone(statement: Statement, parts: list[ast.expr]) -> Statement:
    """Return a statement that reads what these `parts` of a header read."""
    header = ast.copy_location(ast.Expr(ast.List(parts, ast.Load())), statement.node)
    names = {dotted_of(one) for one in ast.walk(header) if isinstance(one, ast.expr)}
    reads, calls = (tuple(n for n in names_in if n in names) for names_in in (statement.reads, statement.calls))
    return replace(statement, node=header, reads=reads, calls=calls)


def unquiet_header(node: ast.stmt, scope: _quiet.NamespaceScope) -> str:
    """Return why evaluating bases and keywords of a class may have effects; "" if it has none."""
    value = ast.Expr(ast.Tuple(made_of(node), ast.Load()))
    return _quiet.unquiet(ast.fix_missing_locations(ast.copy_location(value, node)), scope) or ""


def changed_keywords(visit: Visit, pair: Pair) -> set[str | None]:
    """Return the keywords of a class that came, went, say something else or read what changed."""
    old, new = ({one.arg: one.value for one in getattr(s.node, "keywords", ())} for s in (pair.old, pair.new))
    both = old.keys() & new.keys()
    same_text = {name for name in both if ast.dump(old[name]) == ast.dump(new[name])}
    return (old.keys() | new.keys()) - {name for name in same_text if not _decorators.reads(visit, new[name])}


def takes_keywords(visit: Visit, pair: Pair, meta: type) -> bool:
    """Whether keywords of a class changed that its metaclass looks at: no ``__init_subclass__`` gets them."""
    changed = changed_keywords(visit, pair)
    named = _named(_maker(meta, "__new__")) | _named(_maker(meta, "__init__"))
    return bool(changed) and (_maker(meta, "__init__") is not type.__init__ or not changed.isdisjoint(named))


def passed_on(cls: Any, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return those `keywords` that reach ``__init_subclass__``: one that the metaclass alone names ends there."""
    kept = _named(_maker(type(cls), "__new__")) - _named(attribute(super(cls, cls).__init_subclass__, "__func__"))
    return {name: value for name, value in keywords.items() if name not in kept}


def _named(function: object) -> set[str]:
    if type(function) is not FunctionType:
        return set()
    code = function.__code__
    return set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def _maker(meta: type, name: str) -> object:
    return getattr(meta, name)


def makes_members(visit: Visit, pair: Pair, live: type) -> bool:
    """Whether the metaclass of `live` makes something else of numbers and texts in the body, and is asked to once more:
    an assignment there changed, or the header.
    """
    made = _maker(type(live), "__new__")
    if type(made) is not FunctionType or not visit.swap.is_project(made):
        return False
    inner = pair.inner
    changed = (*inner.added, *inner.removed, *(one.new for one in inner.changed)) if inner is not None else ()
    if same_header(pair) and not any(one.kind is Kind.ASSIGN for one in changed):
        return False
    stated = {s.binds[0]: s.node.value for s in pair.old.children if isinstance(s.node, ast.Assign) and s.binds}
    held = [(vars(live).get(n, MISSING), v.value) for n, v in stated.items() if isinstance(v, ast.Constant)]
    return any(value is not MISSING and not same(value, text) for value, text in held)
