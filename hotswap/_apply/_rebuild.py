"""Classes that exist: other members, other headers, and, where CPython refuses both, another class in their place."""

from __future__ import annotations

import abc
import ast
from collections.abc import Iterable, Iterator
from functools import partial
from types import resolve_bases
from typing import TYPE_CHECKING, Any

from hotswap._diff import decorators
from hotswap._model import Diff, How, Kind, Pair, Statement
from hotswap._source import dotted_of
from hotswap.patch import _generated
from hotswap.patch._classes import (
    forward_constructor,
    guard,
    move_instances,
    set_bases,
    settle_abstract,
)

if TYPE_CHECKING:
    from hotswap._apply._scopes import ClassScope
    from hotswap._apply._visit import Visit

_RAW = "__hotswap_raw__"


def change_members(visit: Visit, pair: Pair, live: type) -> None:
    """Apply a changed class body to the class `live`."""
    assert pair.inner is not None
    kind = _generated.kind_of(live)
    fields = _field_change(pair.inner)
    if kind in ("enum", "namedtuple", "typeddict") and fields:
        _regenerate(visit, pair, live, kind)
    else:
        scope = _visit_members(visit, pair, live)
        if kind == "dataclass" and (fields or visit.swap.maybe):
            _renew_dataclass(visit, pair.new, live, scope)
    if isinstance(live, abc.ABCMeta):
        visit.swap.commit()
        settle_abstract(visit.swap.journal, live)
        visit.swap.commit()


def _visit_members(visit: Visit, pair: Pair, live: type) -> ClassScope:
    from hotswap._apply._visit import Visit as Block  # the two call each other: a class body is a block

    assert pair.inner is not None and isinstance(pair.new.node, ast.ClassDef)
    scope = visit.work.class_scope(visit.scope, pair.new.node, live)
    Block(visit.swap, visit.work, scope).block(pair.inner, pair.old.children, pair.new.children)
    _order_annotations(scope, pair.new)
    return scope


def _order_annotations(scope: ClassScope, new: Statement) -> None:
    """Give ``__annotations__`` the order of the text, which is the order of dataclass fields; drop what left it."""
    held = scope.members.get("__annotations__", vars(scope.cls).get("__annotations__", {}))
    names = [n.target.id for n in _annotated(new.children) if isinstance(n.target, ast.Name)]
    ordered = {name: held[name] for name in dict.fromkeys(names) if name in held}
    if list(ordered.items()) != list(held.items()):
        scope.store("__annotations__", ordered)


def _annotated(statements: Iterable[Statement]) -> Iterator[ast.AnnAssign]:
    for statement in statements:
        if isinstance(statement.node, ast.AnnAssign):
            yield statement.node
        elif statement.kind is Kind.SUITE:
            yield from _annotated(statement.children)


def _field_change(inner: Diff) -> bool:
    """Whether attributes, not only methods, changed: those may be fields or members."""
    touched = (*(p.new for p in (*inner.changed, *inner.moved)), *inner.added, *inner.removed)
    return any(s.kind not in (Kind.DEF, Kind.CLASS) and s.key != "doc" for s in touched)


def _regenerate(visit: Visit, pair: Pair, live: type, kind: str) -> None:
    """Build the class aside from the new text and take over what it is."""
    swap, name = visit.swap, pair.new.binds[-1]
    swap.commit()
    fresh: Any = visit.scope.run([pair.new.node])[name]
    if kind == "enum":
        for member in _generated.merge_enum(swap.journal, live, fresh):
            swap.tell(visit.work, "HS206", pair.new.lineno, name=f"{name}.{member}", count="all", why="its value is part of it")
        swap.commit()
        _visit_defs(visit, pair, live)
    else:
        _generated.adopt(swap.journal, live, fresh)
    swap.changes.note(visit.work.edit.module, visit.scope.prefix + name + ".*", None, fresh)
    swap.patched(visit.work, visit.named(pair.new), How.IN_PLACE)


def _visit_defs(visit: Visit, pair: Pair, live: type) -> None:
    """Apply the methods of an enum; its members have been merged."""
    from hotswap._apply._visit import Visit as Block

    assert pair.inner is not None and isinstance(pair.new.node, ast.ClassDef)
    inner, keep = pair.inner, (Kind.DEF, Kind.CLASS)
    methods = Diff(
        unchanged=tuple(p for p in inner.unchanged if p.new.kind in keep),
        changed=tuple(p for p in inner.changed if p.new.kind in keep),
        added=tuple(s for s in inner.added if s.kind in keep),
        removed=tuple(s for s in inner.removed if s.kind in keep),
    )
    new = [s for s in pair.new.children if s.kind in keep]
    scope = visit.work.class_scope(visit.scope, pair.new.node, live)
    Block(visit.swap, visit.work, scope).block(methods, pair.old.children, new)


def _renew_dataclass(visit: Visit, new: Statement, live: type, scope: ClassScope) -> None:
    """Apply the class's own ``@dataclass`` again to the class itself, then to the dataclasses below it."""
    assert isinstance(new.node, ast.ClassDef)
    own = [d for d in new.node.decorator_list if _is_dataclass_decorator(d)]
    if any("slots" in ast.dump(d) for d in own) or not own:
        visit.execute(new, "a class with slots")
        return
    fields = [s for s in new.children if isinstance(s.node, ast.AnnAssign) and isinstance(s.node.value, ast.Call)]
    visit.swap.commit()
    for statement in fields:
        for name, value in scope.run([statement.node]).items():
            if name != "__annotations__":
                scope.store(name, value)
    visit.swap.commit()
    _generated.strip_dataclass(visit.swap.journal, live)
    decorate(visit, new, own, live)
    _generated.renew_sub_dataclasses(visit.swap.journal, live)


def _is_dataclass_decorator(node: ast.expr) -> bool:
    name = dotted_of(node.func if isinstance(node, ast.Call) else node)
    return name is not None and name.split(".")[-1] == "dataclass"


def decorate(visit: Visit, new: Statement, found: list[ast.expr], live: type) -> object:
    """Apply decorators, innermost first, to the class that exists; return what comes out."""
    assert isinstance(new.node, ast.ClassDef)
    value: ast.expr = ast.copy_location(ast.Name(_RAW, ast.Load()), new.node)
    for decorator in reversed(found):
        value = ast.copy_location(ast.Call(decorator, [value], []), decorator)
    assign = ast.Assign([ast.copy_location(ast.Name(new.node.name, ast.Store()), new.node)], value)
    return visit.scope.run([ast.copy_location(assign, new.node)], {_RAW: live})[new.node.name]


def change_header(visit: Visit, pair: Pair, live: type) -> None:
    """Apply other bases, keywords or decorators: new members, then ``__init_subclass__``, then all decorators."""
    swap, new = visit.swap, pair.new
    assert isinstance(new.node, ast.ClassDef)
    swap.commit()
    header = _header(visit, new)
    bases, keywords = resolve_bases(header["bases"]), header["keywords"]
    meta = keywords.pop("metaclass", None)
    why = "it has another metaclass" if meta not in (None, type(live)) else set_bases(swap.journal, live, bases or (object,))
    if why is None and _needs_new_class(pair, live):
        why = "its members are laid out when it is made"
    if why is not None:
        swap.undo_waiting()
        visit.execute(new, why)
        return
    swap.commit()
    guard(swap.journal, live)
    change_members(visit, pair, live)
    swap.commit()
    super(live, live).__init_subclass__(**keywords)
    if new.node.decorator_list or decorators(pair.old.node):
        if _generated.kind_of(live) == "dataclass":
            _generated.strip_dataclass(swap.journal, live)
        visit.bind(new.binds[-1], decorate(visit, new, new.node.decorator_list, live))
    swap.changes.note(visit.work.edit.module, visit.named(new) + ".*", None, live)
    swap.patched(visit.work, visit.named(new), How.IN_PLACE)
    visit.work.log.ran.append(new)


def _needs_new_class(pair: Pair, live: type) -> bool:
    texts = decorators(pair.old.node) + decorators(pair.new.node)
    return _generated.kind_of(live) in ("enum", "namedtuple", "typeddict") or "slots" in texts


def _header(visit: Visit, new: Statement) -> dict[str, Any]:
    """Evaluate bases and keywords of the class statement `new`."""
    assert isinstance(new.node, ast.ClassDef)
    here = partial(ast.copy_location, old_node=new.node)
    bases = here(ast.Tuple(list(new.node.bases), ast.Load()))
    call = here(ast.Call(here(ast.Name("dict", ast.Load())), [], list(new.node.keywords)))
    nodes: list[ast.stmt] = [
        here(ast.Assign([here(ast.Name("bases", ast.Store()))], bases)),
        here(ast.Assign([here(ast.Name("keywords", ast.Store()))], call)),
    ]
    return dict(visit.scope.run(nodes, {"dict": dict}))


def leave_class(visit: Visit, name: str, old: type, value: object) -> None:
    """Let `value` take the place of the class `old`: instances move, references follow, its constructor forwards."""
    swap = visit.swap
    left = 0
    if isinstance(value, type):
        left = move_instances(swap.journal, old, value)
    if callable(value):
        forward_constructor(swap.journal, old, value)
    swap.replaced.append((visit.work, visit.scope.prefix + name, old, value))
    statement = next((s for s in visit.work.edit.new.statements if name in s.binds), None)
    lineno = statement.lineno if statement else 1
    if left:
        swap.tell(visit.work, "HS101", lineno, name=name, why="CPython refuses", left=left)
    swap.patched(visit.work, visit.scope.prefix + name, How.REBOUND)
