"""Modules that are taken as objects: put into lists, given to functions, gone through by ``vars()`` or ``getattr()``.

``NAMES = [m.NAME for m in PLUGINS]`` reads a name of modules that it does not name. Which modules those are, the live
values say; what is looked up on them is told by the text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from hotswap._apply._keeping import only_handed
from hotswap._apply._reach import behaves_otherwise, changed_modules
from hotswap._apply._scopes import AnyScope, ClassScope
from hotswap._apply._swap import resolve
from hotswap._graph._facts import BY_NAME, LOADERS, WHOLE
from hotswap._run._journal import MISSING
from hotswap._run._values import is_a, modules_in
from hotswap._text._names import dotted_of

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap
    from hotswap._model import Statement

_MODULES: Final = ("sys.modules", "modules")
_ONE_NAME: Final = BY_NAME - WHOLE - {"getmembers"}


def modules_loaded(swap: Swap, node: ast.stmt) -> list[ModuleType]:
    """Return the modules that `node` loads, or looks up among those that are loaded, by name; all that changed, if the
    name is computed.
    """
    names = [name for one in ast.walk(node) if (name := _loaded(one)) is not None]
    if not all(isinstance(name, ast.Constant) for name in names):
        return changed_modules(swap)
    found = (swap.modules.get(str(name.value)) for name in names if isinstance(name, ast.Constant))
    return [one for one in found if one is not None]


def _loaded(node: ast.AST) -> ast.expr | None:
    """Return by which name `node` gets at a module, None if it does not."""
    if isinstance(node, ast.Call) and node.args:
        return node.args[0] if (dotted_of(node.func) or "").rpartition(".")[2] in LOADERS else None
    return node.slice if isinstance(node, ast.Subscript) and dotted_of(node.value) in _MODULES else None


def modules_read(scope: AnyScope, statement: Statement) -> list[ModuleType]:
    """Return the modules that `statement` has to do with as objects, or that what it reads has in it."""
    objects = {id(value): value for name in statement.reads for value in _objects(scope, name)}
    return [module for value in objects.values() for module in modules_in(value)]


def _objects(scope: AnyScope, dotted: str) -> Iterator[object]:
    """Yield what `dotted` leads to through modules and classes, if it is not only a name of these that is read."""
    first, *parts = dotted.partition(".__dict__")[0].split(".")
    value = resolve(scope, first)
    while parts and is_a(value, (ModuleType, type)):
        first = f"{first}.{parts.pop(0)}"
        value = resolve(scope, first)
    yield value


def reads_of(
    swap: Swap, scope: AnyScope, modules: Iterable[ModuleType], statement: Statement, attributes: frozenset[str]
) -> str:
    """Return what `statement` reads on one of `modules` that gives something else now; "" if there is nothing.

    What it gives itself to the module of `scope` was not there while it ran.
    """
    names, every = _looked_up_by_name(statement.node)
    for module in modules:
        changed = swap.changes.of(module.__name__)
        if module is scope.module and not isinstance(scope, ClassScope):
            changed = {name: old for name, old in changed.items() if name not in statement.binds}
        whole = (
            [*changed, *(vars(module) if swap.changes.codes or swap.changes.docs else ())]
            if every or "__dict__" in attributes
            else []
        )
        for name in (*attributes, *names, *whole):
            if name in changed or behaves_otherwise(swap, vars(module).get(name), attributes):
                return f"{module.__name__}.{name}"
    return ""


def _looked_up_by_name(node: ast.stmt) -> tuple[list[str], bool]:
    """Return the names that ``getattr()`` and the like look up, and whether it may be any."""
    names: list[str] = []
    every = False
    for call in (inner for inner in ast.walk(node) if isinstance(inner, ast.Call)):
        called: Any = call.func
        name = getattr(called, "attr", getattr(called, "id", ""))
        if name in _ONE_NAME:
            texts = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            names += texts
            every = every or not texts
        every = every or (name in BY_NAME and name not in _ONE_NAME and bool(call.args))
    return names, every


def takes_all_names(node: ast.stmt) -> bool:
    """Whether ``dir()``, ``globals()`` or the like is called for the module.

    ``NAMES = globals()`` is the namespace itself, which has what the module has.
    """
    targets = node.targets if isinstance(node, ast.Assign) else ()
    stores = [one.value for one in targets if isinstance(one, ast.Subscript)]  # ``globals()["x"] = 1``
    stores += [one.value for one in ast.walk(node) if isinstance(one, ast.Attribute) and one.attr == "update"]
    calls = [one for one in ast.walk(node) if isinstance(one, ast.Call) and not one.args and one not in stores]
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and calls == [node.value]:
        return isinstance(node.value.func, ast.Name) and node.value.func.id == "dir"
    return any(isinstance(call.func, ast.Name) and call.func.id in WHOLE for call in calls)


def behind_modules(scope: AnyScope, statement: Statement) -> dict[str, None]:
    """Return as much of each name that `statement` reads, and not only hands over, as leads to an object that is no
    module.
    """
    read = (name for name in statement.reads if not only_handed(statement.node, name))
    return dict.fromkeys(_behind_modules(scope, name) for name in read)


def _behind_modules(scope: AnyScope, dotted: str) -> str:
    parts = dotted.split(".")
    found = (".".join(parts[:size]) for size in range(1, len(parts)))
    return next((name for name in found if not is_a(resolve(scope, name), ModuleType)), dotted)


def is_served_anew(swap: Swap, scope: AnyScope, dotted: str) -> bool:
    """Whether `dotted` is a name that a module's ``__getattr__`` gives, and that may answer otherwise."""
    first, *parts = dotted.split(".")
    value = scope.peek(first) if not isinstance(scope, ClassScope) else scope.namespace.get(first)
    while parts and is_a(value, ModuleType):
        held = vars(value).get(parts[0], MISSING)
        if held is MISSING:
            return behaves_otherwise(swap, vars(value).get("__getattr__"), named=parts[0])
        value = held
        parts.pop(0)
    return False
