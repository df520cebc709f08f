"""Definitions: a ``def`` or ``class`` whose object exists goes on as that object.

The public value of a name may be something else than the function that its ``def`` made (a wrapper, a property). The
raw function takes the new code in place; the public value is made anew only if the decorators changed.
"""

from __future__ import annotations

import ast
import weakref
from collections.abc import Iterator
from functools import partial
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from hotswap._apply import _decorators, _defaults, _dispatch, _rebuild, _stale, _successors, _unnamed
from hotswap._apply._bodies import patch
from hotswap._apply._defined import functions_in, is_taken_between, was_defined, wrapped_by
from hotswap._apply._enlisted import in_its_place
from hotswap._apply._header import makes_members
from hotswap._loader._compile import own_content
from hotswap._model import How, Kind, Pair, Statement
from hotswap._run._journal import CONTAINERS, MISSING
from hotswap._run._values import alike, attributes_of, immutable, is_a
from hotswap._text._diff import decorators, only_code, same_header, says_otherwise
from hotswap._text._source import start_line
from hotswap.patch._functions import (
    copied_by,
    copies,
    doc_of,
    set_copied,
    set_copied_doc,
    set_header,
    set_marks,
    set_names,
    set_type_parameters,
    unmark,
)
from hotswap.patch._proxies import forward, forwarders

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap
    from hotswap._apply._visit import Visit

_RAW = "__hotswap_raw__"


def define(visit: Visit, pair: Pair) -> None:
    """Apply a changed ``def``, and what it says of the classes that calls of it made."""
    _define(visit, pair)
    if says_otherwise(pair):
        visit.swap.changes.note_doc(visit.work.edit.module, visit.named(pair.new))
    _unnamed.follow_calls(visit, pair)


def _define(visit: Visit, pair: Pair) -> None:
    old, new = pair.old, pair.new
    assert isinstance(new.node, (ast.FunctionDef, ast.AsyncFunctionDef))
    if only_code(pair):
        _note_code(visit, pair)
        if stale := _decorators.stale(visit, pair):
            _stale.keep_def(visit, pair, f"reads or calls {ast.unparse(stale[0])}")
        else:
            _stale.keep(visit, pair)
        return
    raws = visit.work.live(visit.scope, old)
    if not raws or _is_wrapped_by_loader(visit, new, raws):
        visit.execute(new, "changed")
    elif decorators(old.node) == decorators(new.node):
        redefine(visit, new, raws)
        _note_code(visit, pair)
        _decorators.note_header(visit, new)
        _decorators_after(visit, pair, raws)
    else:
        redecorate(visit, pair, raws)


def _decorators_after(visit: Visit, pair: Pair, raws: list[FunctionType]) -> None:
    """See whether decorators have to be applied to a function that got another header: they changed, or read the
    header.
    """
    node = pair.new.node
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    if stale := _decorators.stale(visit, pair):
        _stale.keep_def(visit, pair, f"reads or calls {ast.unparse(stale[0])}")
    elif visit.swap.is_registered(pair.old) or (node.decorator_list and visit.swap.tends(visit.scope.cls)):
        decorate_again(visit, pair, raws)
    else:
        register_again(visit, pair, raws)


def register_again(visit: Visit, pair: Pair, raws: list[FunctionType]) -> None:
    """Register a function, of which the annotations are other ones, with the generic function that reads them."""
    node = pair.new.node
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    if any(_dispatch.is_registration(visit, d) and isinstance(d, ast.Attribute) for d in node.decorator_list):
        _dispatch.take_back(visit, pair.old, raws)
        decorate_again(visit, pair, raws)


def _is_wrapped_by_loader(visit: Visit, new: Statement, raws: list[FunctionType]) -> bool:
    """Whether the module's loader put a wrapper around a function without decorators, as type checkers do."""
    if visit.scope.build is None or getattr(new.node, "decorator_list", []):
        return False
    public = visit.scope.peek(new.binds[-1])
    return type(public) is FunctionType and not any(public is raw for raw in raws)


def _note_code(visit: Visit, pair: Pair) -> None:
    """Report a function that was patched in place, and see to the copies of its docstring."""
    _copy_docs(visit, pair.new.binds[-1], visit.work.live(visit.scope, pair.old))
    visit.swap.patched(visit.work, visit.named(pair.new), How.IN_PLACE)


def note_docs(visit: Visit, pair: Pair) -> None:
    """See to the copies of docstrings of functions that a loop or the like defines, of which only code changed."""
    for inner in ast.walk(pair.old.node) if visit.work.docs else ():
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)) and inner.name in pair.new.binds:
            place = visit.scope.prefix + inner.name, start_line(inner)
            _copy_docs(visit, inner.name, visit.work.functions.get(place, []))


def _copy_docs(visit: Visit, name: str, raws: list[FunctionType]) -> None:
    public = visit.scope.peek(name)
    for raw in raws:
        docs = visit.work.docs.get(id(raw), (None, None))
        if docs[0] == docs[1]:
            continue
        found = copied_by(raw, docs, alone="." in raw.__qualname__)
        for wrapper in (*_copies(visit, public, raw), *found, *_with_doc(visit, docs[0])):
            set_copied_doc(visit.swap.journal, wrapper, raw, *docs)


def _with_doc(visit: Visit, doc: str | None) -> Iterator[object]:
    """Yield what modules of the program have that copied the docstring `doc`: the very object, no equal one."""
    swap = visit.swap
    for module in swap.modules.values() if doc and not doc.isidentifier() else ():
        for value in list(vars(module).values()) if swap.is_project(module) else ():
            if type(value) is not FunctionType and attributes_of(value).get("__doc__") is doc:
                yield value


def redefine(visit: Visit, new: Statement, raws: list[FunctionType]) -> FunctionType:
    """Evaluate the header of `new` once and set it on the live functions `raws`, together with their code.

    Return the function that the evaluation gave.
    """
    fresh = _make(visit, new)
    public = visit.scope.peek(new.binds[-1])
    for raw in raws:
        _defaults.keep_filled(visit, new.node, fresh, raw)  # type: ignore[arg-type]  # it is a function
        for wrapper in _copies(visit, public, raw):
            set_copied(visit.swap.journal, wrapper, raw, fresh)
        for old in forwarders(raw):
            forward(visit.swap.journal, old, raw, like=fresh)
        set_type_parameters(visit.swap.journal, raw, fresh)
        code = patch(visit.swap, visit.work, raw, fresh)
        set_header(visit.swap.journal, raw, fresh)
        visit.swap.changes.codes.setdefault(code or raw.__code__)
    return fresh


def _copies(visit: Visit, public: object, raw: FunctionType) -> Iterator[Any]:
    """Yield what has copied from `raw`: wrappers in the name's own value, and those that go by another name."""
    yield from copies(public, raw)
    for value in visit.scope.namespace.values():
        if type(value) is FunctionType and "__wrapped__" in value.__dict__ and value is not public:
            yield from copies(value, raw)


def _take_written_doc(swap: Swap, raw: FunctionType) -> None:
    """Give `raw` the docstring of its code, if a decorator, which is called again or left, has written another one."""
    doc = doc_of(swap.pending_code(raw))
    if raw.__doc__ != doc:
        swap.journal.set_attribute(raw, "__doc__", doc)


def _make(visit: Visit, new: Statement) -> FunctionType:
    """Run the ``def`` without its decorators, aside; its code has the wrong first line and is not used."""
    node = new.node
    fields = {**dict(ast.iter_fields(node)), "decorator_list": []}
    bare = ast.copy_location(type(node)(**fields), node)
    visit.make_ready(new, [bare])
    made = visit.scope.run([bare])
    function = next(value for value in made.values() if type(value) is FunctionType)
    while type(inner := function.__dict__.get("__wrapped__")) is FunctionType:  # the module's loader wraps functions
        function = inner
    assert type(function) is FunctionType
    return function


def redecorate(visit: Visit, pair: Pair, raws: list[FunctionType]) -> None:
    """Apply changed decorators. The raw function lives on inside, unless it was the public value itself.

    In that case it has to call the decorated function from now on, so a new one goes inside.
    """
    new = pair.new
    name = new.binds[-1]
    public = visit.scope.peek(name)
    _decorators.drop_marks(visit, pair, [*raws, public])
    _dispatch.take_back(visit, pair.old, raws)
    goes_inside = getattr(new.node, "decorator_list", []) or (
        name in visit.chains.open and name not in visit.chains.last.get(id(new), ())
    )
    if is_bare(public, raws) and goes_inside and not _goes_back(visit, pair):
        visit.chains.partner.pop(id(new), None)  # its function gives way to the one that is made now
        visit.execute(new, "changed")
        for fresh in functions_in(visit.scope.peek(name)):
            if fresh.__code__.co_name == raws[0].__code__.co_name:
                _defaults.keep_filled(visit, new.node, fresh, raws[0])  # type: ignore[arg-type]  # it is a function
        return
    fresh = redefine(visit, new, raws)
    for raw in raws:
        unmark(visit.swap.journal, raw, fresh)
    decorate_again(visit, pair, raws)


def _goes_back(visit: Visit, pair: Pair) -> bool:
    """Whether the decorators only hand the function to a library and return it: then it stays the same object there."""
    return visit.swap.is_registered(pair.old) and len(decorators(pair.old.node)) == len(decorators(pair.new.node))


def is_bare(public: object, raws: list[FunctionType]) -> bool:
    """Whether a call of `public` is a call of the raw function at once: it is that, or a C object around it."""
    return any(public is raw or wrapped_by(public) is raw for raw in raws)


def decorate_again(visit: Visit, pair: Pair, raws: list[FunctionType]) -> None:
    """Apply the decorators of a ``def`` to the function that exists, and bind what comes out."""
    new = pair.new
    node = new.node
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    for raw in raws if decorators(pair.old.node) else ():
        _take_written_doc(visit.swap, raw)
    visit.make_ready(new, [node])
    value: ast.expr = ast.copy_location(ast.Name(_RAW, ast.Load()), node)
    for decorator in reversed(node.decorator_list):
        value = ast.copy_location(ast.Call(decorator, [value], []), decorator)
    assign = ast.copy_location(ast.Assign([ast.copy_location(ast.Name(node.name, ast.Store()), node)], value), node)
    with _decorators.marking(visit, node.name):
        bound = visit.scope.run([assign], {_RAW: raws[0]})
        if _decorators.holds_less(visit.scope.peek(node.name), bound.get(node.name)):
            visit.swap.tell(visit.work, "HS223", new.lineno, name=visit.named(new))
        visit.bind_all(new, bound)
    visit.swap.patched(visit.work, visit.named(new), How.REBOUND)
    visit.swap.ran_at[id(new)] = visit.swap.changes.now
    visit.swap.ran(visit.work, new, "its decorators or header changed")


def change_class(visit: Visit, pair: Pair) -> None:
    """Apply a changed ``class``: its members to the class that exists, then its header."""
    if _unnamed.is_covered(visit, pair.new):
        return
    live = _unnamed.class_of(visit, pair)
    if live is None:
        visit.execute(pair.new, "changed")
        return
    if makes_members(visit, pair, live):
        with in_its_place(visit.swap.journal, live):
            visit.execute(pair.new, "its metaclass makes its members")
        _replace_members(visit, pair, live)
        return
    doc = vars(live).get("__doc__")
    if same_header(pair) and not _stale.has_stale_header(visit, pair.new):
        _rebuild.change_members(visit, pair, live)
    else:
        _rebuild.change_header(visit, pair, live)
    for wrapper in copies(visit.scope.peek(pair.new.binds[-1]), live):
        set_copied_doc(visit.swap.journal, wrapper, live, doc, vars(live).get("__doc__"))


def _replace_members(visit: Visit, pair: Pair, old: type) -> None:
    """Have what a metaclass made for the members of a class give way to what it made of the same names just now."""
    new = visit.scope.peek(pair.new.binds[-1])
    for name, value in vars(old).items() if is_a(new, type) else ():
        made = vars(new).get(name, MISSING)
        plain = immutable(value) or type(value) in (*CONTAINERS, FunctionType) or name[:2] == "__"
        if not plain and type(made).__qualname__ == type(value).__qualname__ and not alike(made, value):
            visit.swap.replaced.append((visit.work, f"{visit.named(pair.new)}.{name}", value, made))


def settle(visit: Visit, name: str, old: object, value: object) -> object:
    """Return what to bind `name` to, `value` or the live object that takes its place.

    A function made anew from the same code is the live one with a new header. An old function that is not the name's
    object any more, and whose definition left the text, forwards to the object that is.
    """
    if old is value:
        return value
    if old is MISSING or immutable(old) or is_a(old, ModuleType):  # who has one has it from anywhere
        _successors.go_on(visit, name, old, value)
        return value
    if visit.swap.takes_over(old, value):
        return old
    registered = visit.swap.registrations is not None and visit.swap.registrations.has(value)
    registered = registered or (type(value) is FunctionType and weakref.getweakrefcount(value) > 0)  # as signals do
    if not registered and type(old) is FunctionType and type(value) is FunctionType and _same_function(old, value):
        set_header(visit.swap.journal, old, value)
        _decorators.note_marks(visit, name, vars(old), vars(value))
        set_marks(visit.swap.journal, old, value)
        set_names(visit.swap.journal, old, value)
        if old.__doc__ != value.__doc__:  # a decorator has written it
            visit.swap.journal.set_attribute(old, "__doc__", value.__doc__)
        if old.__qualname__ != value.__qualname__:  # its class got another name
            visit.swap.journal.set_attribute(old, "__qualname__", value.__qualname__)
        visit.swap.changes.codes.setdefault(old.__code__)
        for one in forwarders(old):
            forward(visit.swap.journal, one, old, like=value)
        return old
    if was_defined(visit, name, old) and not _goes_on(visit, name, old):
        _successors.leave_to(visit, name, old, value)
    elif type(old) is partial and callable(value) and not alike(value, old):  # C code, that cannot forward
        _successors.replace(visit, name, old, value)
    _successors.go_on(visit, name, old, value)
    return value


def _goes_on(visit: Visit, name: str, old: object) -> bool:
    """Whether another statement of the block is what the definition of the function `old` became, or its class is
    read before the name is bound anew.
    """
    if is_a(old, type):
        return is_taken_between(visit, name)
    partners = visit.chains.partner.items() if type(old) is FunctionType else ()
    last = {id(s) for s in visit.new if id(s) in visit.chains.last or _is_handed_on(visit, s)}
    before = (
        was
        for new, was in partners
        if new != visit.closing and was.kind is Kind.DEF and (new in last or not visit.chains.last)
    )
    return any(one is old for was in before for one in visit.work.live(visit.scope, was))


def _is_handed_on(visit: Visit, statement: Statement) -> bool:
    """Whether decorators may have given what `statement` defines to somebody else."""
    return bool(getattr(statement.node, "decorator_list", ()) and _stale.unquiet(visit, statement))


def _same_function(old: FunctionType, new: FunctionType) -> bool:
    if old.__globals__ is not new.__globals__:
        return False
    if old.__code__.co_qualname != new.__code__.co_qualname or old.__closure__ or new.__closure__:
        return False
    return own_content(old.__code__) == own_content(new.__code__) and old.__code__ == new.__code__
