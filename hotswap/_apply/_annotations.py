"""Annotations of modules and classes where they are evaluated lazily (PEP 649): one function gives those of a whole
scope.

That function is compiled from all annotated assignments of the scope that ran, in the order of the text, never from the
one that changed. What it gave before is forgotten if an annotation, or what annotations read, changed.
Without lazy evaluation annotations are values that statements store; here they are put in order.
"""

from __future__ import annotations
import __future__ as future

import ast
import sys
import typing
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from types import CellType, CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

from hotswap._apply import _branches
from hotswap._apply._scopes import AnyScope, ClassScope
from hotswap._apply._stale import run_or_tell, truth, value_reason
from hotswap._loader._compile import annotated, class_body, inner_codes
from hotswap._model import Edit, How, Kind, Pair, Statement
from hotswap._run._journal import MISSING
from hotswap._text._diff import dump
from hotswap.patch import _generated
from hotswap.patch._dataclasses import annotations_of, renew_inherited
from hotswap.patch._functions import copies, set_annotations, set_code, set_copied

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap, Work
    from hotswap._apply._visit import Visit

_LAZY: Final[bool] = sys.version_info >= (3, 14)
_WHICH_RAN: Final = "__conditional_annotations__"
_CACHES: Final = ("__annotations__", "__annotations_cache__")


def is_lazy(scope: AnyScope) -> bool:
    """Whether annotations that stand in `scope` itself are evaluated only when they are asked for."""
    return _LAZY and not scope.edit.new.flags & future.annotations.compiler_flag


def are_other(edit: Edit) -> bool:
    """Whether ``from __future__ import annotations`` came or went."""
    return bool((edit.old.flags ^ edit.new.flags) & future.annotations.compiler_flag)


_SCOPES: Final = (Kind.DEF, Kind.CLASS, Kind.IMPORT)
"""Statements in which no annotation of the scope itself stands."""


def take_alone(visit: Visit, pair: Pair) -> bool:
    """Handle a variable of which only the annotation changed, came or went: its value stays, unless it is stale."""
    new = pair.new.node
    if not is_all(pair.old.node, new):
        return False
    why = value_reason(visit, pair.new)
    ran = bool(why) and run_or_tell(visit, pair.new, why)
    if not ran and isinstance(new, ast.AnnAssign):
        visit.annotate(pair.new, new)
    return True


def renew(visit: Visit, old: Sequence[Statement], new: Sequence[Statement]) -> None:
    """Bring the annotations of a scope, which its statements have been applied to, from its `old` text to its `new`
    one.
    """
    scope, edit = visit.scope, visit.work.edit
    texts = [list(_texts(side)) for side in (old, new)]
    changed = texts[0] != texts[1] or scope.annotations_changed or are_other(edit)
    if not any(texts) or not (changed or edit.edited):
        return
    scope.annotations_changed = False
    if is_lazy(scope):
        _set(visit, [_bare(node) for node in _that_ran(visit, new)], changed=changed)
    elif changed:
        _order(visit, old, new)
    if changed:
        name = f"{scope.prefix}__annotations__"
        visit.swap.changes.note(edit.module, name, MISSING, visit)
        visit.swap.patched(visit.work, name, How.REBOUND)


def renew_all(visit: Visit, statements: Iterable[Statement]) -> None:
    """Bring the annotations of all functions and classes to what they are since ``from __future__`` says otherwise."""
    for statement in statements:
        if statement.kind is Kind.SUITE:
            renew_all(visit, statement.children)
        elif statement.kind is Kind.DEF and sys.version_info < (3, 14):  # else their code is what changed
            _renew_function(visit, statement)
        elif statement.kind is Kind.CLASS and isinstance(live := visit.scope.peek(statement.binds[-1]), type):
            assert isinstance(statement.node, ast.ClassDef)
            inner = type(visit)(visit.swap, visit.work, visit.work.class_scope(visit.scope, statement.node, live))
            renew(inner, statement.children, statement.children)
            renew_all(inner, statement.children)
            if "__dataclass_fields__" in vars(live):
                _renew_fields(visit, statement, live)


def _renew_fields(visit: Visit, statement: Statement, live: type) -> None:
    """Have `dataclasses` write anew what it made of the annotations: types of fields, ``__init__``, the docstring."""
    visit.swap.commit()
    renew_inherited(visit.swap.journal, live)
    visit.swap.commit()
    visit.swap.changes.note(visit.work.edit.module, f"{visit.named(statement)}.__dataclass_fields__", None, live)


def renew_inside(visit: Visit, statement: Statement, live: type) -> None:
    """Bring the annotations in the class `live` to what its type parameters, which are others now, make of them."""
    assert isinstance(statement.node, ast.ClassDef)
    inner = type(visit)(visit.swap, visit.work, visit.work.class_scope(visit.scope, statement.node, live))
    inner.scope.annotations_changed = inner.scope.annotations_anew = True
    renew(inner, statement.children, statement.children)
    renew_all(inner, statement.children)
    for (place, _), functions in visit.work.functions.items() if _LAZY else ():
        for function in functions if place.startswith(inner.scope.prefix) else ():
            set_annotations(visit.swap.journal, function, function)
    visit.swap.commit()


def _renew_function(visit: Visit, statement: Statement) -> None:
    """Evaluate the annotations of a ``def`` alone, and set them on the functions that it made and on copies of them."""
    node = statement.node
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    nothing: list[ast.expr | None] = [None] * len(node.args.kwonlyargs)
    bare = ast.arguments(**{**dict(ast.iter_fields(node.args)), "defaults": [], "kw_defaults": nothing})
    fields = {
        **dict(ast.iter_fields(node)),
        "args": bare,
        "decorator_list": [],
        "body": [ast.copy_location(ast.Pass(), node)],
    }
    made = visit.scope.run([ast.copy_location(type(node)(**fields), node)])
    fresh = next(value for value in made.values() if type(value) is FunctionType)
    public = visit.scope.peek(statement.binds[-1])
    for function in chain.from_iterable(visit.work.functions.values()):
        code = function.__code__
        if code.co_qualname == visit.scope.prefix + node.name and code.co_firstlineno == statement.lineno:
            for wrapper in copies(public, function):
                set_copied(visit.swap.journal, wrapper, function, fresh)
            set_annotations(visit.swap.journal, function, fresh)


def _order(visit: Visit, old: Sequence[Statement], new: Sequence[Statement]) -> None:
    """Give evaluated annotations the order of the text, which is that of dataclass fields; drop what left it."""
    scope, edit = visit.scope, visit.work.edit
    held = scope.peek("__annotations__")
    anew, kind = are_other(edit) or scope.annotations_anew, _generated.kind_of(scope.cls) if scope.cls else ""
    if anew or kind == "enum":  # of which the members do not run by themselves
        nodes = [_bare(node) for node in _that_ran(visit, new)]
        held = dict(scope.run(nodes, {"__annotations__": {}}).get("__annotations__", {})) if nodes else {}
    if anew:
        _drop(visit, _name_in(scope), _WHICH_RAN, _CACHES[1])
    held = held if isinstance(held, dict) else {}
    left, ran = names(scope, old), _that_ran(visit, new)
    stays = dict.fromkeys(scope.mangled(_name(node)) for node in ran)
    found = {name: held[name] for name in (*stays, *held) if name in held and (name in stays or name not in left)}
    if scope.cls is not None and kind in ("namedtuple", "typeddict"):
        found = {name: _checked(value, scope.cls, kind) for name, value in found.items()}
    if not found:
        scope.drop("__annotations__")
    elif held is not scope.peek("__annotations__") or list(found.items()) != list(held.items()):
        scope.store("__annotations__", found)


def _checked(value: Any, cls: type, kind: str) -> Any:
    """Return an annotation as `typing` keeps it on a class that it makes: a text is a reference to come."""
    if value is None:
        return type(None)
    module = cls.__module__ if kind == "typeddict" else None
    return typing.ForwardRef(value, module=module) if isinstance(value, str) else value


def _name_in(scope: AnyScope) -> str:
    return "__annotate_func__" if isinstance(scope, ClassScope) else "__annotate__"


def _set(visit: Visit, nodes: Sequence[ast.stmt], *, changed: bool) -> None:
    """Make `nodes` the annotations that the scope's function gives; if they changed, forget what it gave before."""
    scope, name = visit.scope, _name_in(visit.scope)
    held: Any = scope.peek(name)
    if changed:
        _drop(visit, *_CACHES)
    if not nodes:
        scope.drop(name)
    elif held is MISSING or held is None or (_is_ours(scope, held) and changed):
        code = _code(scope, nodes)
        cells = tuple(cell for free in code.co_freevars if (cell := _cell(scope, free)))
        scope.store(name, FunctionType(code, scope.namespace, closure=cells or None))
    elif _is_ours(scope, held):
        set_code(visit.swap.journal, held, _code(scope, nodes), partial(_cell, scope))
    if not isinstance(scope, ClassScope):
        scope.store(_WHICH_RAN, set(range(len(nodes)))) if nodes else scope.drop(_WHICH_RAN)


def names(scope: AnyScope, statements: Iterable[Statement]) -> dict[str, None]:
    """Return the names that `statements` annotate in `scope`, in the order of the text."""
    return dict.fromkeys(scope.mangled(_name(node)) for statement in statements for node in annotated(statement.node))


def evaluated(swap: Swap, scope: ClassScope) -> dict[str, Any]:
    """Return the annotations of a class as a library asks for them. Lazy ones see what is live, so a wave ends here."""
    if is_lazy(scope):
        swap.commit()
        return dict(annotations_of(scope.cls))
    held = scope.peek("__annotations__")
    return dict(held) if isinstance(held, dict) else {}


def _drop(visit: Visit, *names: str) -> None:
    """Remove what CPython keeps, before anything is stored: storing ``__annotations__`` on a class moves the others."""
    journal, scope = visit.swap.journal, visit.scope
    for name in names:
        if isinstance(scope, ClassScope):
            journal.del_member(scope.cls, name)
        else:
            scope.drop(name)


def forget_stale(swap: Swap, work: Work) -> None:
    """Have lazy annotations evaluated anew whose function is new, or reads a name that changed, also further down."""
    changed = frozenset(part for other in swap.works for name in swap.changes.of(other) for part in name.split("."))
    new = frozenset(code for code in swap.changes.codes if code.co_name == "__annotate__")
    if not _LAZY or (not new and not _is_annotated_with(work, changed)):
        return
    function: Any
    for function in chain.from_iterable(work.functions.values()):
        annotate = function.__annotate__ or function
        if annotate.__code__.co_name == "__annotate__" and (
            annotate.__code__ in new or changed & {*annotate.__code__.co_names}
        ):
            _forget(swap, work, function)


def _forget(swap: Swap, work: Work, function: Any) -> None:
    namespace = vars(work.module)
    if function.__annotate__ is not None:
        set_annotations(swap.journal, function, function)
    elif namespace.get("__annotate__") is function:
        swap.journal.del_item(namespace, "__annotations__")
    elif (cls := work.class_of(function.__code__.co_qualname)) and vars(cls).get("__annotate_func__") is function:
        swap.journal.del_member(cls, "__annotations_cache__")


def _is_annotated_with(work: Work, changed: Iterable[str]) -> bool:
    """Whether an annotation of the module may read one of the names that `changed`."""
    wanted = {name for name in changed if name in work.edit.new.text}
    nodes = (node for statement in work.edit.new.statements for node in ast.walk(statement.node)) if wanted else ()
    found = (one for node in nodes for field in ("annotation", "returns") if (one := getattr(node, field, None)))
    return any(isinstance(n, ast.Name) and n.id in wanted for one in found for n in ast.walk(one))


def _is_ours(scope: AnyScope, held: object) -> bool:
    """Whether the function was made from the scope's text, and not by a library."""
    return type(held) is FunctionType and held.__globals__ is scope.namespace


def _cell(scope: AnyScope, name: str) -> CellType | None:
    return scope.cell(name) if isinstance(scope, ClassScope) else None


def _code(scope: AnyScope, nodes: Sequence[ast.stmt]) -> CodeType:
    module = scope.compile(nodes)
    body = class_body(module, [outer.name for outer in scope.around])
    return next(code for code in inner_codes(body) if code.co_name == "__annotate__")


def _that_ran(visit: Visit, statements: Iterable[Statement]) -> Iterator[ast.AnnAssign]:
    """Yield the annotated names of the branches that were taken."""
    for statement in statements:
        found = list(annotated(statement.node))
        if statement.kind is not Kind.SUITE or not found:
            yield from found
            continue
        branches = dict.fromkeys(child.branch for child in statement.children)
        taken = [branch for branch in branches if _branches.is_taken(visit, Pair(statement, statement), branch)]
        for child in statement.children:
            if child.branch in taken:
                yield from _that_ran(visit, [child])
        known = isinstance(statement.node, ast.If) and truth(visit, statement.node) is not None
        if not taken and not known:  # as with a test that cannot be evaluated again: what is bound tells
            yield from (node for node in found if node.value and visit.scope.peek(_name(node)) is not MISSING)


def _bare(node: ast.AnnAssign) -> ast.stmt:
    return ast.copy_location(ast.AnnAssign(target=node.target, annotation=node.annotation, value=None, simple=1), node)


def _name(node: ast.AnnAssign) -> str:
    assert isinstance(node.target, ast.Name)
    return node.target.id


def _texts(statements: Iterable[Statement], around: str = "") -> Iterator[str]:
    """Yield what tells each annotation from another, the tests and branches included in which it stands."""
    for statement in statements:
        if statement.kind is Kind.SUITE:
            test = dump(statement.node.test) if isinstance(statement.node, ast.If) else ""
            for child in statement.children:
                yield from _texts([child], f"{around} {test} {child.branch}")
        elif statement.kind not in _SCOPES:
            yield from (f"{dump(node.target)}: {dump(node.annotation)}{around}" for node in annotated(statement.node))


def is_all(old: ast.stmt, new: ast.stmt) -> bool:
    """Whether the annotation of a variable is all in which two statements differ: it changed, came or went."""
    before, after = variable(old), variable(new)
    return before is not None and before == after and not type(old) is type(new) is ast.Assign


def variable(node: ast.stmt) -> tuple[str, str] | None:
    """Return target and value of an assignment to one place, annotated or not; None for anything else."""
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return dump(node.target), dump(node.value)
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        return dump(node.targets[0]), dump(node.value)
    return None
