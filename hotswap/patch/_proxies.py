"""Forwarding: an old function that is not its name's object any more calls the object that is.

A trampoline is code *inside* the old function, so whoever holds it follows without a wrapper around anything. It has
the exact signature of a function it forwards to: that costs a third of a ``*args, **kwargs`` one. A call through it is
a call more: on 3.11 to 3.13 a tenth of a microsecond (1.3 to 1.5 times the call of a function of three lines, more than
twice that of one that only returns), three to five times as much to a wrapper, a class, a memo cache or a bound method.
"""

from __future__ import annotations

import inspect
from functools import partial
from types import CodeType, FunctionType
from typing import Final
from weakref import WeakKeyDictionary, WeakSet

from hotswap._run._journal import Journal
from hotswap._run._values import attribute
from hotswap.patch._functions import FORWARDING, replace_annotations, set_code, set_marks

_TARGET = "hotswap:target"

# A forwarder has the signature of its target, so it is made anew when that changes.
_FORWARDERS: Final[WeakKeyDictionary[FunctionType, WeakSet[FunctionType]]] = WeakKeyDictionary()

# Those to what is no function, by its id: their code holds it.
_TO_OTHERS: Final[dict[int, WeakSet[FunctionType]]] = {}


def forward(journal: Journal, function: FunctionType, target: object, like: FunctionType | None = None) -> None:
    """Record that calls of `function` shall call `target`, with the target's signature, defaults, docstring and
    attributes.

    They are those of `like`, if the target has yet to become so.
    """
    plain = like or (target if type(target) is FunctionType else None)
    code = _trampoline(function.__code__, target, plain.__code__ if plain else None)
    set_code(journal, function, code, lambda _: None)
    for name in ("__defaults__", "__kwdefaults__", "__doc__"):
        journal.set_attribute(function, name, getattr(plain, name, None))
    replace_annotations(journal, function, plain)
    journal.set_item(function.__dict__, "__wrapped__", target)
    if type(target) is FunctionType:
        set_marks(journal, function, target)
        _FORWARDERS.setdefault(target, WeakSet()).add(function)
    else:
        for key in [key for key, known in _TO_OTHERS.items() if not known]:
            del _TO_OTHERS[key]
        _TO_OTHERS.setdefault(id(target), WeakSet()).add(function)


def forwarders(target: object) -> list[FunctionType]:
    """Return the functions that forward to `target`; if that is a function, they have to follow its signature."""
    known = _FORWARDERS.get(target) if isinstance(target, FunctionType) else _TO_OTHERS.get(id(target))
    return [one for one in known or () if is_forwarder(one) and one.__dict__.get("__wrapped__") is target]


def _trampoline(old: CodeType, target: object, like: CodeType | None) -> CodeType:
    """Return code without free variables that calls `target`, which sits among its constants."""
    parameters, arguments = _signature(like) if like else ("*args, **kwargs", "*args, **kwargs")
    kind, wait = ("async def", "await ") if inspect.iscoroutinefunction(target) else ("def", "")
    lines = [f"{kind} {_identifier(old.co_name)}({parameters}):", f"    _hotswap = {_TARGET!r}"]
    given, stars, rest = arguments.rpartition("**")
    if stars:  # to pass on keywords that nobody gave would cost a third of the call
        lines += [f"    if not {rest}:", f"        return {wait}_hotswap({given})"]
    lines.append(f"    return {wait}_hotswap({arguments})")
    module = compile("\n".join(lines), FORWARDING, "exec", dont_inherit=True)
    code = next(c for c in module.co_consts if isinstance(c, CodeType))
    consts = tuple(target if const == _TARGET else const for const in code.co_consts)
    return code.replace(co_consts=(*consts, FORWARDING), co_name=old.co_name, co_qualname=old.co_qualname)


def _identifier(name: str) -> str:
    return name if name.isidentifier() else "_lambda"


def _signature(code: CodeType) -> tuple[str, str]:
    """Return parameters and arguments as text. Every default is None here: the real ones are on the function."""
    names = list(code.co_varnames)
    positional, keyword = names[: code.co_argcount], names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    rest = names[code.co_argcount + code.co_kwonlyargcount :]
    parameters, arguments = [f"{name}=None" for name in positional], list(positional)
    if code.co_posonlyargcount:
        parameters.insert(code.co_posonlyargcount, "/")
    if code.co_flags & inspect.CO_VARARGS:
        parameters.append(f"*{rest[0]}")
        arguments.append(f"*{rest.pop(0)}")
    elif keyword:
        parameters.append("*")
    parameters += [f"{name}=None" for name in keyword]
    arguments += [f"{name}={name}" for name in keyword]
    if code.co_flags & inspect.CO_VARKEYWORDS:
        parameters.append(f"**{rest[0]}")
        arguments.append(f"**{rest[0]}")
    return ", ".join(parameters), ", ".join(arguments)


def calls_forwarder(value: object) -> bool:
    """Whether `value` is a memo cache, a partial, a bound method or the like around a function that only forwards."""
    inner = getattr(value, "__wrapped__", None) if type(value).__module__ == "functools" else None
    inner = value.func if isinstance(value, partial) else attribute(value, "__func__", inner)
    return type(inner) is FunctionType and is_forwarder(inner)


def is_forwarder(function: FunctionType) -> bool:
    """Whether `function` already only forwards."""
    return function.__code__.co_filename == FORWARDING
