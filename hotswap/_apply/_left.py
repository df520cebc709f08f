"""What a save that was taken back may have left behind: statements that ran and did more than the journal knows.

What they bound, and what they did to lists, dicts, sets and deques that they name, is as it was. A file that was
written, a thread that was started, a call to another program is not. Nothing here runs unless a save failed.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from hotswap import _quiet
from hotswap._apply._swap import resolve
from hotswap._errors import StatementError
from hotswap._findings import finding

if TYPE_CHECKING:
    from hotswap._apply._scopes import AnyScope
    from hotswap._apply._swap import Swap
    from hotswap._model import Finding, Statement


def left(swap: Swap, error: BaseException | None) -> tuple[Finding, ...]:
    """Return a finding for each statement that ran and whose effects may stay when all is taken back.

    The one that raised `error` is told by that, unless Ctrl-C did.
    """
    found = {}
    for work, scope, statement in swap.tried:
        if isinstance(error, StatementError) and isinstance(error.error, Exception) and error.path == work.edit.path:
            if statement.lineno <= error.lineno <= statement.end_lineno:
                continue
        why = _why(swap, scope, statement)
        if why:
            found[id(statement)] = finding("HS309", work.edit.path, statement.lineno, why=why)
    return tuple(found.values())


def _why(swap: Swap, scope: AnyScope, statement: Statement) -> str:
    if _is_tended(swap, scope, statement):
        return ""
    names = _quiet.NamespaceScope({**scope.namespace, **scope.outer}, swap.is_project, swap.definition)
    return _quiet.effect(statement.node, names) or ""


def _is_tended(swap: Swap, scope: AnyScope, statement: Statement) -> bool:
    """Whether all that `statement` calls belongs to objects whose registrations an adapter takes back: ``@app.get``."""
    node = statement.node
    made = [node.value] if isinstance(node, ast.Expr) else getattr(node, "decorator_list", [])
    called = [call.func if isinstance(call, ast.Call) else call for call in made]
    owners = [resolve(scope, ast.unparse(one.value)) for one in called if isinstance(one, ast.Attribute)]
    registrars = swap.registrations.registrars if swap.registrations is not None else ()
    tended = [any(registrar.keeps(owner) for registrar in registrars) for owner in owners]
    return bool(tended) and len(tended) == len(called) and all(tended)
