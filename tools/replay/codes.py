"""Code objects as short texts: what they do, and where each instruction stands."""

from __future__ import annotations

import hashlib
import inspect
import sys
from types import CodeType
from typing import Any


def content(code: CodeType) -> str:
    """Return a hash of what `code` does, wherever it stands."""
    return hashlib.blake2b(repr(_content_of(code)).encode("utf-8", "replace"), digest_size=8).hexdigest()


def _content_of(code: CodeType) -> tuple[object, ...]:
    consts = tuple(_content_of(c) if isinstance(c, CodeType) else _constant(c) for c in code.co_consts)
    if not code.co_flags & inspect.CO_OPTIMIZED and sys.version_info >= (3, 13):
        consts = tuple(c for c in consts if c != _constant(code.co_firstlineno))  # `__firstlineno__` of a class body
    shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    names = (code.co_name, code.co_qualname, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return (*names, *shape, code.co_code, code.co_exceptiontable, consts)


def _constant(value: object) -> object:
    if isinstance(value, frozenset):
        return ("frozenset", sorted(map(repr, value)))
    return (type(value).__name__, [_constant(item) for item in value] if isinstance(value, tuple) else repr(value))


def positions(code: CodeType) -> str:
    """Return the first line and a hash of every line and column of `code` and the code inside it."""
    found = hashlib.blake2b(digest_size=8)
    _add_positions(code, found)
    return f"{code.co_firstlineno} {found.hexdigest()}"


def _add_positions(code: CodeType, found: Any) -> None:
    found.update(repr((code.co_firstlineno, list(code.co_positions()))).encode())
    for const in code.co_consts:
        if isinstance(const, CodeType):
            _add_positions(const, found)
