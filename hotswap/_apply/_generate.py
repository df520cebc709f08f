"""Classes whose members a library wrote from the text: dataclasses, enums, named tuples, and those that adapters know.

What the library wrote is written anew from the new text, aside, and taken over by the class that exists.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from hotswap._apply import _adapter, _annotations, _below, _enums, _rebuild, _slots
from hotswap._apply._adapter import ClassEdit
from hotswap._apply._swap import resolve
from hotswap._model import Diff, How, Kind, Pair, Statement
from hotswap._run._journal import MISSING
from hotswap._text._diff import only_code
from hotswap._text._names import dotted_of
from hotswap.patch import _dataclasses, _generated
from hotswap.patch._classes import kept_containers, subclasses
from hotswap.patch._twins import detach

if TYPE_CHECKING:
    from hotswap._apply._scopes import ClassScope
    from hotswap._apply._visit import Visit

_WHOLE: Final = ("enum", "namedtuple", "typeddict")
MAKES_MEMBERS: Final = ("__new__", "__init__", "_generate_next_value_", "_ignore_", "__init_subclass__")
_OF_CTYPES: Final = ("_fields_", "_anonymous_", "_pack_", "_align_", "_layout_", "_length_", "_type_")
_KNOWN: Final = (enum.unique, enum.verify, functools.total_ordering)


def kind_of(visit: Visit, live: type) -> str:
    """Return which part of the standard library wrote members of `live`; "" if none, or if another library did."""
    kind = _generated.kind_of(live)
    return "" if kind == "dataclass" and _adapter.of(visit.swap, live) is not None else kind


def is_made_whole(visit: Visit, live: type) -> bool:
    """Whether a class like `live` only comes out of a whole class statement, body included."""
    return _generated.kind_of(live) in _WHOLE or _adapter.of(visit.swap, live) is not None


def is_fixed(visit: Visit, live: type) -> bool:
    """Whether a class like `live` may be made once only."""
    adapter = _adapter.of(visit.swap, live)
    return adapter is not None and not adapter.regenerates


def held_back(visit: Visit, pair: Pair, live: type) -> frozenset[str]:
    """Return the names that a library takes out of the class body: they are not set as they stand in the text."""
    if kind_of(visit, live) != "dataclass" and not _states_dataclass(visit, pair.new):
        return frozenset(("__slots__",))
    both = (*_rebuild.annotated(pair.old.children), *_rebuild.annotated(pair.new.children))
    return frozenset(("__slots__", *(node.target.id for node in both if isinstance(node.target, ast.Name))))


def _is_anew(visit: Visit, pair: Pair, live: type) -> bool:
    """Whether more than methods changed of a class that only comes out of a whole statement."""
    assert pair.inner is not None
    if not is_made_whole(visit, live):
        return False
    read = _adapter.makes(visit.swap, live)
    if any(not is_plain(visit, s, live) or read.intersection(s.binds) for s in _touched(pair.inner)):
        return True
    return _makes_otherwise(pair.inner)


def _makes_otherwise(inner: Diff) -> bool:
    touched = (*(pair.new for pair in inner.changed), *inner.added, *inner.removed)
    return any(s.kind is Kind.DEF and s.binds[-1] in MAKES_MEMBERS for s in touched)


def _touched(inner: Diff) -> Iterator[Statement]:
    for pair in inner.changed:
        if pair.new.kind is not Kind.DEF or not only_code(pair):
            yield pair.new
    yield from (*(pair.new for pair in inner.moved), *inner.added, *inner.removed)


def is_plain(visit: Visit, statement: Statement, live: type) -> bool:
    """Whether a statement means the same on a class that exists as in the body of one that is made."""
    if statement.kind is Kind.CLASS:  # until 3.12 an enum makes members of the classes in its body
        decorated = bool(getattr(statement.node, "decorator_list", ()))
        return not isinstance(live, enum.EnumMeta) or (sys.version_info >= (3, 13) and not decorated)
    if statement.key == "doc":  # a named tuple without one says what its fields are
        return _generated.kind_of(live) != "namedtuple"
    if statement.kind is not Kind.DEF or statement.binds[-1] in MAKES_MEMBERS:
        return False
    return _adapter.of(visit.swap, live) is None or not getattr(statement.node, "decorator_list", ())


def to_visit(visit: Visit, pair: Pair, live: type) -> tuple[Diff, list[Statement]]:
    """Return what of the body is brought to the new text statement by statement: all, or methods only."""
    assert pair.inner is not None
    inner, new = pair.inner, list(pair.new.children)
    adapter = _adapter.of(visit.swap, live)
    if fixed := _tell_fixed(visit, pair, live):
        inner, new = _only(inner, lambda s: s.key not in fixed), [s for s in new if s.key not in fixed]
    if not _is_anew(visit, pair, live) or (adapter is not None and not adapter.regenerates):
        return inner, new
    return _only(inner, lambda s: is_plain(visit, s, live)), [s for s in new if is_plain(visit, s, live)]


def _only(inner: Diff, wanted: Callable[[Statement], bool]) -> Diff:
    return Diff(
        unchanged=tuple(p for p in inner.unchanged if wanted(p.new)),
        changed=tuple(p for p in inner.changed if wanted(p.new) or (p.new.kind is Kind.DEF and only_code(p))),
        added=tuple(s for s in inner.added if wanted(s)),
        removed=tuple(s for s in inner.removed if wanted(s)),
    )


def _tell_fixed(visit: Visit, pair: Pair, live: type) -> frozenset[str]:
    """Tell of the members that the library cannot change while it runs; return the keys of their statements."""
    adapter, meta = _adapter.of(visit.swap, live), cast("Any", type(live))
    of_ctypes = any(one.__module__ == "_ctypes" for one in meta.__mro__)
    assert pair.inner is not None
    found = set()
    for statement in _touched(pair.inner) if adapter is not None or of_ctypes else ():
        name = statement.binds[-1] if statement.binds else ""
        if name == "__annotations__":
            name = statement.key
        if of_ctypes:
            why = "objects have been laid out by it" if name in _OF_CTYPES else ""
        elif adapter is not None:
            why = adapter.fixed(live, name, *_said(visit, statement))
        if why:
            found.add(statement.key)
            there = statement if statement in pair.new.children else pair.new
            visit.swap.tell(visit.work, "HS104", there.lineno, name=f"{visit.named(pair.new)}.{name}", why=why)
    return frozenset(found)


def _maker(visit: Visit, statement: Statement) -> object:
    if isinstance(statement.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        makers = [called(visit, decorator) for decorator in statement.node.decorator_list[-1:]]
        return next((maker for maker in makers if maker is not MISSING), None)
    value = getattr(statement.node, "value", None)
    found = called(visit, value) if isinstance(value, ast.Call) else MISSING
    return None if found is MISSING else found


def tell_below(visit: Visit, pair: Pair, live: type) -> None:
    """Tell of what a library would have taken from a base of its classes when those were made, and cannot any more."""
    assert pair.inner is not None
    touched = list(_touched(pair.inner)) if visit.swap.adapters() and not is_made_whole(visit, live) else []
    below = {one: _adapter.of(visit.swap, one) for one in (subclasses(live) if touched else ()) if one is not live}
    for one, adapter in below.items():
        if adapter is None or adapter.regenerates or any(below.get(base) is adapter for base in one.__mro__[1:]):
            continue
        for statement in touched:
            name = statement.binds[-1] if statement.binds else ""
            why = adapter.fixed(one, statement.key if name == "__annotations__" else name, *_said(visit, statement))
            if why and name != "__init__":
                line = (statement if statement in pair.new.children else pair.new).lineno
                visit.swap.tell(visit.work, "HS104", line, name=f"{one.__qualname__}.{statement.key}", why=why)


def _said(visit: Visit, statement: Statement) -> tuple[object, str]:
    return _maker(visit, statement), _note(statement)


def follow(visit: Visit, pair: Pair, live: type) -> None:
    """Have libraries follow a class that gained or lost plain members."""
    assert pair.inner is not None
    if (pair.inner.added or pair.inner.removed) and visit.swap.adapters():
        _adapter.follow(visit.swap, replace(_edit(visit, pair, live, live), regenerated=False))


def _note(statement: Statement) -> str:
    return ast.unparse(statement.node.annotation) if isinstance(statement.node, ast.AnnAssign) else ""


def complete(visit: Visit, pair: Pair, live: type, scope: ClassScope, *, header: bool = False) -> str | None:
    """Have what a library writes written anew, if what it reads changed; return why `live` cannot take it."""
    kind = kind_of(visit, live)
    if "__slots__" in scope.touched and not _slots.stay_as_laid_out(live, scope):
        return "its slots are fixed"
    if kind == "dataclass" or _states_dataclass(visit, pair.new):
        return _renew_dataclass(visit, pair, live, scope, header=header)
    if not header:
        _order_again(visit, pair, live, scope)
    if not _is_anew(visit, pair, live):
        return None
    adapter = _adapter.of(visit.swap, live)
    if kind not in _WHOLE and (adapter is None or not adapter.regenerates):
        return None
    fresh = _aside(visit, pair.new)
    edit = _edit(visit, pair, live, fresh)
    if adapter is not None:
        if not adapter.renew(edit):
            visit.execute(pair.new, "its layout changed")
            return None
    elif kind == "enum":
        _enums.merge(visit, pair, edit, anew=_makes_otherwise(pair.inner or Diff()))
    else:
        _generated.adopt(visit.swap.journal, live, fresh, _plain_names(visit, pair, live))
        _generated.adopt_below(visit.swap.journal, live, scope.keys)
    detach(fresh)
    visit.swap.commit()
    _adapter.follow(visit.swap, edit)
    visit.swap.changes.note(visit.work.edit.module, visit.named(pair.new) + ".*", None, fresh)
    visit.swap.patched(visit.work, visit.named(pair.new), How.IN_PLACE)
    return None


def _edit(visit: Visit, pair: Pair, live: type, fresh: type) -> ClassEdit:
    return ClassEdit(visit.swap.journal, live, fresh, _names(visit, pair, live), lambda: visit.swap.commit())


def _names(visit: Visit, pair: Pair, live: type) -> frozenset[str]:
    """Return the names that statements bind which changed in any way, but for methods: they have been seen to."""
    assert pair.inner is not None
    olds = (p.old for p in pair.inner.changed)
    found = (s for s in (*_touched(pair.inner), *olds) if s.kind is not Kind.DEF or not is_plain(visit, s, live))
    return frozenset(name for s in found for name in s.binds) - {"__annotations__"}


def _plain_names(visit: Visit, pair: Pair, live: type) -> frozenset[str]:
    """Return the names of methods: they have been brought to the new text one by one."""
    return frozenset(name for s in pair.new.children if is_plain(visit, s, live) for name in s.binds)


def _aside(visit: Visit, new: Statement) -> Any:
    """Make the class from its statement, without the project's decorators, and bind it to nothing."""
    node = new.node
    assert isinstance(node, ast.ClassDef)
    visit.make_ready(new, [node])
    found = [(one, called(visit, one)) for one in node.decorator_list]
    kept = [one for one, maker in found if maker in _KNOWN or _adapter.decorates(visit.swap, maker)]
    bare = ast.copy_location(ast.ClassDef(**{**dict(ast.iter_fields(node)), "decorator_list": kept}), node)
    live = visit.scope.peek(new.binds[-1])
    with kept_containers(live) if isinstance(live, type) else nullcontext():
        return visit.scope.run([bare])[new.binds[-1]]


def called(visit: Visit, decorator: ast.expr) -> object:
    """Return what a decorator, or what makes one, is; MISSING if that cannot be told without running it."""
    name = dotted_of(decorator.func if isinstance(decorator, ast.Call) else decorator)
    return resolve(visit.scope, name) if name else MISSING


# ------------------------------------------------------------------------------------------------------ dataclasses


def is_dataclass(visit: Visit, decorator: ast.expr) -> bool:
    """Whether a decorator is the standard library's ``dataclass``, under whatever name."""
    found = called(visit, decorator)
    return found is dataclasses.dataclass or (
        isinstance(found, functools.partial) and found.func is dataclasses.dataclass
    )


def stated(visit: Visit, pair: Pair, scope: ClassScope) -> dict[str, Any]:
    """Return the values of the fields whose statements ran just now, MISSING for those that have none."""
    ran = {id(statement) for statement in visit.work.log.ran}
    found: dict[str, Any] = {}
    for statement in pair.new.children:
        node = statement.node
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and id(statement) in ran:
            found[node.target.id] = scope.peek(node.target.id) if node.value is not None else MISSING
    return found


def _renew_dataclass(visit: Visit, pair: Pair, live: type, scope: ClassScope, *, header: bool) -> str | None:
    params = _params(visit, pair, live)
    if params is None:
        return _strip_dataclass(visit, pair, live, scope)
    slots = bool(params.pop("slots", _dataclasses.has_slots(live)))
    params.pop("weakref_slot", None)
    if slots != _dataclasses.has_slots(live) and not _states_slots(pair.new):
        return "its fields are slots" if slots else "its fields are no slots any more"
    if not header and not _reads_fields(pair, scope):
        return None
    fields = vars(live).get("__dataclass_fields__", ())
    annotations = _annotations.evaluated(visit.swap, scope)
    members = {n: v for n, v in {**vars(live), **scope.members}.items() if n not in scope.gone}
    members = _dataclasses.text_members(live, members, {*annotations, *vars(live).get("__annotations__", ()), *fields})
    given = stated(visit, pair, scope)
    scope.flush(visit.swap.journal)  # the body's members first, then what the decorator makes of them, in one wave
    if header or _has_keyword_line(pair):
        given |= _with_new_params(pair.new, live, given)
    decorate, module = dataclasses.dataclass(**params), visit.work.edit.module
    if not _dataclasses.renew(visit.swap.journal, live, members, given, annotations, decorate, module):
        return "its fields are slots"
    scope.aside.clear()
    visit.swap.commit()
    visit.swap.changes.note(visit.work.edit.module, f"{visit.named(pair.new)}.__dataclass_fields__", None, live)
    edit = _edit(visit, pair, live, live)
    edit.renew_dataclasses_below()
    _adapter.follow(visit.swap, edit)
    return None


def _states_dataclass(visit: Visit, new: Statement) -> bool:
    return any(is_dataclass(visit, decorator) for decorator in getattr(new.node, "decorator_list", ()))


def _states_slots(statement: Statement) -> bool:
    return any("__slots__" in child.binds for child in statement.children)


def _strip_dataclass(visit: Visit, pair: Pair, live: type, scope: ClassScope) -> str | None:
    """The decorator left the text: what it wrote goes."""
    if _dataclasses.has_slots(live) and not _states_slots(pair.old):
        return "its fields are no slots any more"
    documented = any(one.key == "doc" for one in (*pair.old.children, *pair.new.children))
    stays = _annotations.names(scope, pair.new.children)
    _dataclasses.strip(visit.swap.journal, live, scope.peek("__eq__"), stays, documented=documented)
    scope.members |= scope.aside
    scope.aside.clear()
    scope.flush(visit.swap.journal)
    visit.swap.commit()
    visit.swap.changes.note(visit.work.edit.module, f"{visit.named(pair.new)}.__dataclass_fields__", None, live)
    _edit(visit, pair, live, live).renew_dataclasses_below()
    return None


def _with_new_params(new: Statement, live: type, given: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of which the decorator decides anew whether they are keywords."""
    found = {}
    for node in _rebuild.annotated(new.children):
        if (
            isinstance(node.target, ast.Name)
            and (name := node.target.id) not in given
            and "kw_only" not in ast.dump(node)
        ):
            held = vars(live).get("__dataclass_fields__", {}).get(name)
            if held is not None and held._field_type is dataclasses._FIELD:  # type: ignore[attr-defined]  # no public name
                found[name] = _dataclasses.undecided(held)
    return found


def _has_keyword_line(pair: Pair) -> bool:
    """Whether fields below a line ``_: KW_ONLY``, which may have come, gone or moved, are keywords."""
    both = (*_rebuild.annotated(pair.old.children), *_rebuild.annotated(pair.new.children))
    return any("KW_ONLY" in ast.dump(node.annotation) for node in both)


def _reads_fields(pair: Pair, scope: ClassScope) -> bool:
    """Whether the decorator would see something else: a field, or a special method."""
    assert pair.inner is not None
    names = [*scope.touched, *(name for s in pair.inner.removed for name in s.binds)]
    if any(name in scope.held_back or (name[:2] == name[-2:] == "__" and name != "__doc__") for name in names):
        return True
    return "__doc__" in names


def _params(visit: Visit, pair: Pair, live: type) -> dict[str, Any] | None:
    """Return the arguments of the class's own ``@dataclass``; those it was made with if another decorator calls it."""
    new, node = pair.new, pair.new.node
    assert isinstance(node, ast.ClassDef)
    for decorator in node.decorator_list:
        if is_dataclass(visit, decorator):
            found = called(visit, decorator)
            fixed = dict(found.keywords) if isinstance(found, functools.partial) else {}
            return {"slots": False} | fixed | _keywords(visit, decorator)
    if _states_dataclass(visit, pair.old):
        return None
    return _dataclasses.params_of(live) if node.decorator_list or any(_below.by_hand(visit.new, new)) else None


def _keywords(visit: Visit, decorator: ast.expr) -> dict[str, Any]:
    if not isinstance(decorator, ast.Call):
        return {}
    keys: list[ast.expr | None] = [None if k.arg is None else ast.Constant(k.arg) for k in decorator.keywords]
    value = ast.Dict(keys, [k.value for k in decorator.keywords])
    assign = ast.Assign([ast.Name("given", ast.Store())], value)
    ast.fix_missing_locations(ast.copy_location(assign, decorator))
    return dict(visit.scope.run([assign])["given"])


def _order_again(visit: Visit, pair: Pair, live: type, scope: ClassScope) -> None:
    """Have ``total_ordering`` fill in what it derives, if the methods that it derives it from changed."""
    assert pair.inner is not None and isinstance(pair.new.node, ast.ClassDef)
    names = {*scope.touched, *(name for s in pair.inner.removed for name in s.binds)}
    if names & {*_generated.ORDER} and any(
        called(visit, d) is functools.total_ordering for d in pair.new.node.decorator_list
    ):
        members = {n: v for n, v in {**vars(live), **scope.members}.items() if n not in scope.gone}
        visit.swap.commit()
        _generated.order_again(visit.swap.journal, live, members)
