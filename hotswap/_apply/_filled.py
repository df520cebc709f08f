"""Whether a container has in it what its text says, or what the program has put there since."""

from __future__ import annotations

import ast
from collections import defaultdict, deque
from typing import Any

from hotswap._run._values import equal
from hotswap._text._names import dotted_of


def is_filled(node: ast.expr, held: Any) -> bool:
    """Whether a container has other contents than the display, or the call with nothing or literals, that made it."""
    try:
        if isinstance(node, ast.Call) and (dotted_of(node.func) or "").rpartition(".")[2] == type(held).__name__:
            return _is_filled_further(node, held)
        return not equal(ast.literal_eval(node), held)
    except (ValueError, TypeError, SyntaxError):
        return False


def _is_filled_further(call: ast.Call, held: Any) -> bool:
    """Whether `held` has other contents than its class was given. Raises ValueError or TypeError if that is unknown."""
    given: list[Any] = [] if type(held) is defaultdict else [ast.literal_eval(one) for one in call.args]
    named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg is not None}
    if not given and not named:
        return bool(held)
    if type(held) not in (dict, list, set, deque) or len(named) < len(call.keywords):
        return False
    return not equal(type(held)(*given, **named), held)
