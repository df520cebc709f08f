"""Classes that exist: other members, other headers, and, where CPython refuses both, another class in their place."""

from __future__ import annotations

import ast
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from functools import partial
from types import CellType, FunctionType, MemberDescriptorType, new_class
from typing import TYPE_CHECKING, Any

from hotswap._apply import (
    _adapter,
    _annotations,
    _below,
    _collectors,
    _counted,
    _generate,
    _header,
    _instances,
    _leftovers,
    _noting,
    _replaced,
    _wrappers,
)
from hotswap._apply._departed import Departed
from hotswap._errors import StatementError
from hotswap._findings import line_in
from hotswap._model import How, Kind, Pair, Statement
from hotswap._run._constructors import without_lead
from hotswap._run._journal import MISSING
from hotswap._text._diff import decorators
from hotswap.patch import _dataclasses, _generated
from hotswap.patch._abstract import settle_abstract
from hotswap.patch._classes import (
    containers,
    guard,
    kept_containers,
    own_method,
    own_methods,
    set_bases,
    settle_constructor,
)
from hotswap.patch._layout import bases_for

if TYPE_CHECKING:
    from hotswap._apply._header import Header
    from hotswap._apply._scopes import ClassScope
    from hotswap._apply._visit import Visit

_RAW = "__hotswap_raw__"
_MADE_ANEW = (
    "__dict__",
    "__weakref__",
    "_abc_impl",
    "__abstractmethods__",
    "__orig_bases__",
    "__parameters__",
    "__type_params__",
)
_MADE_LATE = ("__annotations_cache__", "__classdictcell__")
_OF_PROTOCOLS = (  # the fifth until 3.12, the last from 3.15 on
    "_is_protocol _is_runtime_protocol __protocol_attrs__ __non_callable_proto_members__ "
    "__callable_proto_members_only__ __typing_is_deprecated_inherited_runtime_protocol__"
).split()


def change_members(visit: Visit, pair: Pair, live: type) -> None:
    """Apply a changed class body to the class `live`."""
    before, members = _instances.look(visit, pair, live), _collectors.before(visit, pair, live)
    scope = visit_members(visit, pair, live)
    why = attempt(visit, pair.new, lambda: _generate.complete(visit, pair, live, scope))
    if why and visit.scope.local:
        name = visit.named(pair.new)
        visit.swap.tell(visit.work, "HS217", pair.new.lineno, name=name, count=1, what="keep their old fields", why=why)
    elif why:
        remake(visit, pair, live, scope, _header.unchanged(visit, pair.new, live))
    visit.swap.commit()
    attempt(visit, pair.new, lambda: settle_abstract(visit.swap.journal, live))
    visit.swap.commit()
    if not why:
        _collectors.tell(visit, pair, live, members)
        _collectors.tell_made(visit, pair, live)
        _generate.tell_below(visit, pair, live)
        _generate.follow(visit, pair, live)
        _counted.tell_order(visit, pair, live)
    if visit.scope.peek(pair.new.binds[-1]) is live:
        _instances.tell(visit, pair, live, before)


def visit_members(visit: Visit, pair: Pair, live: type, parameters: Mapping[str, CellType] | None = None) -> ClassScope:
    """Bring the body to its new text, but for the fields and members that a library makes something of.

    `parameters` are the type parameters that a class in the place of `live` will have.
    """
    from hotswap._apply._visit import Visit as Block  # the two call each other: a class body is a block

    assert pair.inner is not None and isinstance(pair.new.node, ast.ClassDef)
    scope = visit.work.class_scope(visit.scope, pair.new.node, live)
    scope.parameters, scope.keys = parameters or {}, _generated.keys_of(live)
    scope.left = _header.names_in(pair.old) - _header.names_in(pair.new) - {"__annotations__"}  # one dict for all
    scope.held_back = _generate.held_back(visit, pair, live)
    diff, new = _generate.to_visit(visit, pair, live)
    block = Block(visit.swap, visit.work, scope)
    block.block(diff, pair.old.children, new)
    _let_go(visit, scope)
    _annotations.renew(block, pair.old.children, pair.new.children)
    _settle_hash(scope, pair)
    visit.swap.later.append(partial(settle_constructor, live))
    return scope


def _let_go(visit: Visit, scope: ClassScope) -> None:
    """Members that left the text leave with this wave: what is generated, and what is abstract, depends on them."""
    gone = [name for one, name in visit.swap.last if one is scope]
    visit.swap.last = [(one, name) for one, name in visit.swap.last if one is not scope]
    for name in gone:
        scope.drop(name)


def annotated(statements: Iterable[Statement]) -> Iterator[ast.AnnAssign]:
    """Yield the annotated assignments of a class body, those in suites included."""
    for statement in statements:
        if isinstance(statement.node, ast.AnnAssign):
            yield statement.node
        elif statement.kind is Kind.SUITE:
            yield from annotated(statement.children)


def _settle_hash(scope: ClassScope, pair: Pair) -> None:
    """A body that binds ``__eq__`` and not ``__hash__`` makes the class unhashable; one that binds neither does not."""
    old, new = _header.names_in(pair.old), _header.names_in(pair.new)
    if "__hash__" in new or not {"__eq__", "__hash__"} & (old ^ new):
        return
    if _generated.kind_of(scope.cls) in ("dataclass", "namedtuple"):  # the one says so itself, the other does not
        return
    if "__eq__" in new:
        scope.store("__hash__", None)
    elif scope.peek("__hash__") is None:
        scope.drop("__hash__")


def attempt(visit: Visit, statement: Statement, act: Callable[[], Any]) -> Any:
    """Call code of the program or of a library for `statement`; what it raises is the statement's."""
    try:
        return act()
    except StatementError:
        raise
    except Exception as error:
        path = visit.work.edit.path
        raise StatementError(error, path, line_in(error.__traceback__, path) or statement.lineno) from error


def decorate(visit: Visit, new: Statement, found: list[ast.expr], live: type) -> object:
    """Apply decorators, innermost first, to the class that exists; return what comes out."""
    assert isinstance(new.node, ast.ClassDef)
    value: ast.expr = ast.copy_location(ast.Name(_RAW, ast.Load()), new.node)
    for decorator in reversed(found):
        value = ast.copy_location(ast.Call(decorator, [value], []), decorator)
    assign = ast.Assign([ast.copy_location(ast.Name(new.node.name, ast.Store()), new.node)], value)
    with visit.swap.journal.noting(_noting.containers(visit.swap, visit.scope, new, reaching=True)):
        made = dict(visit.scope.run([ast.copy_location(assign, new.node)], {_RAW: live}))
    return made[next(name for name in made if name != _RAW)]


# ---------------------------------------------------------------------------------------------------------- headers


def change_header(visit: Visit, pair: Pair, live: type) -> None:
    """Apply other bases, keywords or decorators: new members, then ``__init_subclass__``, then all decorators."""
    swap, new = visit.swap, pair.new
    swap.commit()
    if _generate.is_fixed(visit, live):
        swap.tell(visit.work, "HS105", new.lineno, name=visit.named(new), why="its header is read when it is made")
        change_members(visit, pair, live)
        return
    if _generate.is_made_whole(visit, live):
        visit.execute(new, "its members are laid out when it is made")
        return
    called = _leftovers.called_for(visit, pair.old.node, live.__bases__)
    try:
        header = _header.evaluate(visit, new, live)
    except StatementError:  # CPython refuses its bases together
        _run_whole(visit, pair, live)
        return
    if not all(isinstance(base, type) for base in header.bases):
        _run_whole(visit, pair, live)
        return
    if _header.is_as_before(visit, pair, live, header):
        change_members(visit, pair, live)
        return
    guard(swap.journal, live)
    other_parameters = _header.own_parameters(visit, live, header)
    why = _refused(visit, pair, live, header)
    if why:
        visit.work.gained |= {(live.__qualname__, name): cell for name, cell in header.cells().items()}
    before, members = _instances.look(visit, pair, live), _collectors.before(visit, pair, live)
    scope = visit_members(visit, pair, live, header.cells() if why else None)
    why = why or attempt(visit, new, lambda: _generate.complete(visit, pair, live, scope, header=True))
    swap.commit()
    withdrawn = _leftovers.let_go(visit, pair, live, header, called, stays=not why)
    _collectors.tell_made(visit, pair, live, stays=not why)
    if why:
        remake(visit, pair, live, scope, header)
    else:
        _collectors.tell(visit, pair, live, members, called=_in_place(visit, pair, live, header, called, withdrawn))
        withdrawn.settle()
        if other_parameters:
            _annotations.renew_inside(visit, new, live)
        _instances.tell(visit, pair, live, before)
    visit.swap.ran(visit.work, new, "its header changed")


def _run_whole(visit: Visit, pair: Pair, live: type) -> None:
    """Run a class statement that cannot make a class any more: it raises, and a ``try`` may have an answer."""
    visit.execute(pair.new, "its header changed")
    if visit.scope.peek(pair.new.binds[-1]) is live:
        visit.forget([pair.old], [statement for statement in visit.new if statement is not pair.new])
        left = Departed(visit.work.edit.module, visit.named(pair.old), weakref.ref(live), pair.old)
        visit.swap.left.append(left)


def _in_place(
    visit: Visit,
    pair: Pair,
    live: type,
    header: Header,
    before: dict[str, FunctionType],
    withdrawn: _leftovers.Withdrawn,
) -> tuple[str, ...]:
    """Call what is called for a class with another header; return which sorts of that were."""
    swap, new = visit.swap, pair.new
    swap.commit()
    registries = _leftovers.Registries(visit, pair, live, before, withdrawn)
    called = [_collectors.HOOK] if header.differs else []
    if header.differs:
        attempt(visit, new, lambda: _init_subclass(live, header.keywords))
        swap.initialised.add(id(live))
    _header.settle_generic(swap.journal, live)
    assert isinstance(new.node, ast.ClassDef)
    others = [d for d in new.node.decorator_list if not _generate.is_dataclass(visit, d)]
    inherits = header.differs and any(_wrappers.set_by(before, pair, live))
    if decorators(pair.old.node) != decorators(new.node) or visit.swap.maybe or inherits:
        called.append(_collectors.DECORATOR)
        wrapped = _wrappers.take_off(visit, pair, live, before)
        visit.bind(new.binds[-1], decorate(visit, new, others, live) if others else live)
        _wrappers.lead(swap, live, wrapped)
    if registries.settle():
        swap.tell(visit.work, "HS203", new.lineno, name=_noted(visit, new))
    attempt(visit, new, lambda: settle_abstract(swap.journal, live))
    swap.commit()
    swap.changes.note(visit.work.edit.module, visit.named(new) + ".*", None, live)
    swap.patched(visit.work, visit.named(new), How.IN_PLACE)
    return tuple(called)


def _noted(visit: Visit, statement: Statement) -> str:
    return f"what was noted of {visit.named(statement)} under its old header"


def _init_subclass(live: Any, keywords: dict[str, Any]) -> None:
    super(live, live).__init_subclass__(**_header.passed_on(live, keywords))


def _refused(visit: Visit, pair: Pair, live: type, header: Header) -> str | None:
    """Set other bases and type parameters, recorded for the next wave; return why CPython refuses them, if it does."""
    journal = visit.swap.journal
    if header.meta is not type(live):
        return "it has another metaclass"
    if header.differs and _header.takes_keywords(visit, pair, type(live)):
        return "its metaclass alone knows its keywords"
    why = set_bases(journal, live, header.bases)
    if why is None and header.bases != live.__bases__:
        visit.swap.changes.rebased[id(live)] = live.__mro__
    if why is None:
        for name, value in header.generic.items():
            if value is not MISSING:
                journal.set_member(live, name, value)
            elif name in vars(live):
                journal.del_member(live, name)
    return why


# ------------------------------------------------------------------------------------------------- a class anew


def remake(visit: Visit, pair: Pair, live: type, scope: ClassScope, header: Header) -> None:
    """Make another class of what `live` has, state included, and let it take its place. Its body does not run again."""
    swap, new = visit.swap, pair.new
    assert isinstance(new.node, ast.ClassDef)
    swap.commit()
    members, given = _members(visit, pair, live, scope, header), _instances.look(visit, pair, live)
    scope.aside = {}
    guard(swap.journal, live)
    bases = bases_for(swap.journal, live, header.bases)

    def make() -> type:
        named = {**members, "__qualname__": live.__qualname__}
        return new_class(live.__name__, bases, {**header.keywords, "metaclass": header.meta}, lambda n: n.update(named))

    before = [len(one) for one in containers(live)]
    with nullcontext() if header.differs and _header.changed_keywords(visit, pair) else kept_containers(live):
        try:
            made = attempt(visit, new, make)
        except StatementError:
            _run_whole(visit, pair, live)
            return
    if before != [len(one) for one in containers(live)]:
        swap.tell(visit.work, "HS203", new.lineno, name=_noted(visit, new))
    value = decorate(visit, new, new.node.decorator_list, made) if new.node.decorator_list else made
    _own_cells(visit, live, value if isinstance(value, type) else made, new)
    name = new.binds[-1]
    is_bound, by_hand = visit.scope.peek(name) is live, any(_below.by_hand(visit.new, new))
    if is_bound or not by_hand:
        visit.bind(name, value)
    if (is_bound or by_hand) and not any(old is live for _, _, old, _ in swap.replaced):  # another text defined it
        _replaced.leave_class(visit.swap, visit.work, visit.scope.prefix + name, live, value)
    swap.commit()
    if isinstance(value, type):
        _instances.tell(visit, pair, value, given)


def _members(visit: Visit, pair: Pair, live: type, scope: ClassScope, header: Header) -> dict[str, Any]:
    """Return what a class body would have bound that ended with the members that `live` has, or is about to have."""
    held = {**without_lead(vars(live)), **scope.members, **scope.aside}
    held = {name: value for name, value in held.items() if name not in scope.gone}
    annotations = _annotations.names(scope, pair.new.children)
    bound = _header.names_in(pair.new)
    assert isinstance(pair.new.node, ast.ClassDef)
    if _generate.kind_of(visit, live) == "dataclass":
        stated = _generate.stated(visit, pair, scope)
        own = {name: held[name] for name in ("__slots__",) if name in held}  # of the text's, see below
        left = {name for name in vars(live)["__dataclass_fields__"] if name not in bound}  # others are no fields now
        held = own | _dataclasses.text_members(live, held, {*annotations, *left})
        fields = _dataclasses.fields_of(live, stated, annotations)
        held |= fields if pair.new.node.decorator_list else _dataclasses.defaults_of(fields)
    slots = set(_adapter.slots_in(held, live.__name__)) - bound if "__slots__" in bound else {"__slots__"}
    left_out = {*_MADE_ANEW, *_MADE_LATE, *_OF_PROTOCOLS, *slots}
    left_out |= {"__doc__"} if held.get("__doc__") is None and "__doc__" not in bound else set()  # it comes to be None
    held = {n: v for n, v in held.items() if n not in left_out and type(v) is not MemberDescriptorType}
    held |= {name: value for name, value in header.generic.items() if value is not MISSING}
    places = {name: at for at, name in enumerate(dict.fromkeys(n for s in pair.new.children for n in s.binds))}
    return dict(sorted(held.items(), key=lambda one: places.get(one[0], -1)))  # as an enum numbers and names them


def _own_cells(visit: Visit, old: type, new: type, statement: Statement) -> None:
    """Have ``super()`` and ``__class__`` of the methods, which are the same functions as before, mean the new class."""
    inside = f"{visit.named(statement)}."
    for (place, _), functions in visit.work.functions.items():
        for function in functions if place.startswith(inside) else ():
            own_method(visit.swap.journal, function, old, new)
    own_methods(visit.swap.journal, old, new)
