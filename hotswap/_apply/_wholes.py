"""Who looks at all that a class has, or at what a function is called with: ``vars(A)``, ``dir(A)``, ``signature(f)``.

``ACTIONS = [name for name in dir(Menu) if name[:3] == "on_"]`` names no member of the class, and reads all of them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Final

from hotswap._apply._scopes import ClassScope
from hotswap._apply._swap import Swap, resolve
from hotswap._apply._taken import takes_all_names
from hotswap._apply._uses import use_of
from hotswap._graph._facts import WHOLE
from hotswap._graph._taint import DOC, HEADER
from hotswap._model import Kind
from hotswap._run._journal import CONTAINERS, MISSING
from hotswap._run._values import attribute, elements, is_a, way_to
from hotswap._text._names import dotted_of

if TYPE_CHECKING:
    from hotswap._apply._scopes import AnyScope
    from hotswap._model import Statement

_ALL: Final = frozenset(("__dict__", "dir", "getmembers", "getmembers_static", "vars"))
_OF_HEADERS: Final = frozenset(("get_annotations", "get_type_hints", "getfullargspec", "signature"))
_WORDS: Final = re.compile(r"[^\W\d]\w*")
_ITSELF: Final = "sys.modules[__name__]"
_HOLDERS: Final = (*CONTAINERS, tuple)
_COPIES: Final = frozenset(("register_dialect",))
"""What takes all that it wants to know of a class at once, and asks it no more."""
_LOOKS: Final = _ALL | _OF_HEADERS | _COPIES


def looked_at(swap: Swap, scope: AnyScope, module: str, statement: Statement) -> str:
    """Say what `statement` looks at as a whole and that has other parts now; "" if there is nothing."""
    if not swap.changes:
        return ""
    if not WHOLE.isdisjoint(statement.calls) and takes_all_names(statement.node):
        if isinstance(scope, ClassScope) and _has_other(swap, module, scope.prefix):
            return f"goes over all names of {scope.prefix.removesuffix('.')}"
        if swap.changes.of(module) and ("globals" in statement.calls or not isinstance(scope, ClassScope)):
            return "goes over all names of the module"
    if swap.changes.of(module) and any(_looks_up_any(scope, node) for node in ast.walk(statement.node)):
        return "looks up names of the module"
    if (
        "sys.modules" in statement.reads
        and swap.changes.of(module)
        and any(map(_takes_itself, ast.walk(statement.node)))
    ):
        return "goes over all names of the module"
    if statement.kind not in (Kind.ASSIGN, Kind.OTHER):
        return ""
    if DOC in swap.changes.members and any(getattr(one, "attr", "") == DOC for one in ast.walk(statement.node)):
        for dotted in statement.reads:
            value = resolve(scope, dotted)
            if any(map(swap.changes.says_otherwise, (value, *(elements(value) if type(value) in _HOLDERS else ())))):
                return f"reads the docstring of {dotted}"
    for dotted in _taken(scope, statement.node):
        value = resolve(scope, dotted)
        if value is not MISSING and type(value) is not FunctionType:
            value = value if is_a(value, type) else type(value)  # ``dir(obj)`` has what its class has
            if any(_has_other(swap, base.__module__, f"{base.__qualname__}.") for base in value.__mro__[:-1]):
                return f"looks through {dotted}"
        elif type(value) is FunctionType and swap.changes.changed(
            value.__module__, f"{value.__qualname__}.{HEADER[0]}"
        ):
            return f"looks through {dotted}"
        if any(swap.changes.changed(where, name) for where, name in _hinted(value)):
            return f"looks through {dotted}"
    return ""


def _looks_up_any(scope: AnyScope, node: ast.AST) -> bool:
    """Whether `node` reads a computed name in what ``names = globals()`` gave."""
    if not isinstance(node, ast.Subscript) or isinstance(node.slice, ast.Constant) or type(node.ctx) is not ast.Load:
        return False
    return isinstance(node.value, ast.Name) and resolve(scope, node.value.id) is scope.namespace


def _hinted(value: object) -> Iterator[tuple[str, str]]:
    """Yield, each with its module, the names in annotations of a class or function that are texts."""
    for one in value.__mro__[:-1] if is_a(value, type) else (value,):
        for hint in list((attribute(one, "__annotations__") or {}).values()):
            words = _WORDS.findall(hint) if type(hint) is str else ()
            yield from ((str(attribute(one, "__module__")), name) for name in words)


def _takes_itself(node: ast.AST) -> bool:
    """Whether `node` goes over ``sys.modules[__name__]``."""
    if isinstance(node, ast.Attribute):
        return node.attr == "__dict__" and ast.unparse(node.value) == _ITSELF
    name = (dotted_of(node.func) or "").rpartition(".")[2] if isinstance(node, ast.Call) else ""
    return isinstance(node, ast.Call) and name in _ALL and _ITSELF in map(ast.unparse, node.args)


def _has_other(swap: Swap, module: str, prefix: str) -> bool:
    return any(name.startswith(prefix) for name in swap.changes.of(module))


def _taken(scope: AnyScope, node: ast.stmt) -> Iterator[str]:
    """Yield the dotted names of what is looked at as a whole."""
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute) and one.attr == "__dict__" and (dotted := dotted_of(one.value)):
            yield dotted
        elif isinstance(one, ast.Call) and (called := dotted_of(one.func)) and _looks(_found(scope, called), called):
            owner, _, _ = called.rpartition(".")
            objects = (given.func if isinstance(given, ast.Call) else given for given in one.args)  # of ``A()``
            yield from (dotted for given in objects if (dotted := dotted_of(given)))
            yield from [owner] if owner else ()


def _found(scope: AnyScope, dotted: str) -> object:
    """Return what `dotted` is, through objects as well."""
    value = resolve(scope, dotted)
    way = way_to(scope.namespace, dotted) if value is MISSING else []
    return way[-1] if len(way) == dotted.count(".") + 1 else value


def _looks(value: object, name: str) -> bool:
    """Whether what is called by `name` goes over what it is given."""
    function = attribute(value, "__func__") if is_a(value, (MethodType, classmethod, staticmethod)) else value
    function = attribute(function, "__init__") if is_a(function, type) else function
    if type(function) is not FunctionType or function.__module__ in ("inspect", "typing"):
        return name.rpartition(".")[2] in _LOOKS
    use = use_of(function.__code__)
    return not _LOOKS.isdisjoint(use.attributes | {chain.rpartition(".")[2] for chain in use.chains})
