"""Plain values that a library made by calling methods of the program which no text names.

``TEXT = json.dumps(order, cls=Encoder)`` runs ``Encoder.default``: it overrides what a base class calls. What is made
so and is an object, as a view or a thread, calls its methods when they are wanted; a text has had them called.
"""

from __future__ import annotations

from hotswap._apply._reach import behaves_otherwise
from hotswap._apply._scopes import AnyScope
from hotswap._apply._swap import Swap, resolve
from hotswap._model import Kind, Statement
from hotswap._run._values import is_plain


def made_with(swap: Swap, scope: AnyScope, statement: Statement) -> str:
    """Return by what the plain value of an assignment was made that has other overrides now; "" if by nothing."""
    wanted = frozenset(swap.changes.called_back)
    if not wanted or statement.kind is not Kind.ASSIGN or not statement.calls or not statement.binds:
        return ""
    if not all(value is not None and is_plain(value) for value in map(scope.peek, statement.binds)):
        return ""
    for name in dict.fromkeys((*statement.calls, *statement.reads)):
        first = name.partition(".")[0]
        if any(behaves_otherwise(swap, resolve(scope, one), wanted) for one in {name, first}):
            return f"calls {name}"
    return ""
