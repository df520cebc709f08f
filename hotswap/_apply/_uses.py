"""What one code object looks up while it runs: global names, names behind a dot, imports."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from inspect import CO_OPTIMIZED
from itertools import pairwise
from types import CodeType, FunctionType
from typing import Final

from hotswap._apply._specials import of_code

_NOTHING: Final = frozenset[str]()
_NAMES = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR"})
_SILENT = frozenset({"CACHE", "PUSH_NULL", "NOP", "RESUME"})
_PASSING = _ATTRIBUTES | {"RETURN_VALUE", "STORE_ATTR"}
_CALLS = frozenset({"CALL", "CALL_KW", "CALL_FUNCTION_EX"})


_ADDING: Final = frozenset(
    ("add", "append", "appendleft", "clear", "discard", "extend", "insert", "insort", "pop", "remove", "setattr")
) | {"setdefault", "update"}
_STORING: Final = frozenset(
    dis.opmap[name] for name in ("STORE_SUBSCR", "DELETE_SUBSCR", "DELETE_ATTR", "STORE_GLOBAL")
)
_STORE_ATTR: Final = dis.opmap["STORE_ATTR"]


@lru_cache(4096)
def alters_things(code: CodeType, *, made: bool = False) -> bool:
    """Whether `code`, or a function in it, may alter what it did not make: an item, an attribute, a container.

    With `made` its first argument is an object that is about to be made, of which it may set the attributes.
    """
    own = code.co_varnames[:1] if made else ()
    if (_ADDING - {"setattr"} if made else _ADDING) & {*code.co_names} or _STORING & {*code.co_code[::2]}:
        return True
    if _STORE_ATTR in code.co_code[::2] and any(one not in own for one in _set_on(code)):
        return True
    return any(alters_things(const) for const in code.co_consts if isinstance(const, CodeType))


def globals_set(code: CodeType) -> frozenset[str]:
    """Return the global names that `code`, or a function in it, binds."""
    own = (str(step.argval) for step in dis.get_instructions(code) if step.opname == "STORE_GLOBAL")
    inside = (globals_set(const) for const in code.co_consts if isinstance(const, CodeType))
    return frozenset(own).union(*inside)


def _set_on(code: CodeType) -> Iterator[str]:
    """Yield the variables of which `code` sets attributes; "" for others."""
    last = ""
    for step in dis.get_instructions(code):
        if step.opname == "STORE_ATTR":
            yield last
        loaded = step.argval if step.opname.startswith(("LOAD_FAST", "LOAD_DEREF")) else ""
        last = loaded[-1] if isinstance(loaded, tuple) else loaded


@dataclass(frozen=True, slots=True)
class Use:
    """What one code object, those inside it included, looks up while it runs.

    `chains` are dotted global names as far as they are static, `wholes` those with no further dot behind them,
    `attributes` all names behind a dot, `imports` the imports in it: level, module, name ("" for the module itself).
    """

    chains: frozenset[str]
    wholes: frozenset[str]
    attributes: frozenset[str]
    imports: frozenset[tuple[int, str, str]]


@lru_cache(4096)
def use_of(code: CodeType, levels: int | None = None) -> Use:
    """Return what `code` uses; remembered, as the same functions are asked about for each statement that calls them.

    With `levels`, the functions that it returns do not count, but for as many as run: see `behaves_otherwise`.
    """
    chains, wholes, attributes, imports = set[str](), set[str](), set[str](), set[tuple[int, str, str]]()
    chain, level, module = "", 0, ""
    before: tuple[object, object] = (None, None)
    for step in dis.get_instructions(code):
        if step.opname not in _ATTRIBUTES and step.opname not in _SILENT:
            wholes.add(chain)
        if step.opname in _NAMES:
            chain = step.argval
            chains.add(chain)
        elif step.opname in _ATTRIBUTES:
            attributes.add(step.argval)
            chain = f"{chain}.{step.argval}" if chain else ""
            chains.add(chain)
        elif step.opname == "IMPORT_NAME":
            module, level = step.argval, before[0] if isinstance(before[0], int) else 0
            if before[1] is None:
                imports.add((level, module, ""))
        elif step.opname == "IMPORT_FROM":
            imports.add((level, module, step.argval))
        elif step.opname not in _SILENT:
            chain = ""
        if step.opname in ("LOAD_CONST", "LOAD_SMALL_INT"):
            before = (before[1], step.argval)
    attributes.update(of_code(code))
    given = only_returned(code) if levels is not None else frozenset()
    for const in code.co_consts:
        if isinstance(const, CodeType) and not (const.co_name in given and levels == 0):
            inner = use_of(const, levels - 1 if levels and const.co_name in given else None)
            chains |= inner.chains
            wholes |= inner.wholes
            attributes |= inner.attributes
            imports |= inner.imports
    return Use(frozenset(chains - {""}), frozenset(wholes), frozenset(attributes), frozenset(imports))


def returned(code: CodeType) -> frozenset[str]:
    """Return the names of variables that `code` returns as they are, or as ``update_wrapper(name, ...)`` left them."""
    found, last, wrapped, calls = set[str](), "", list[str](), 2
    for step in dis.get_instructions(code):
        loaded = step.argval if step.opname.startswith(("LOAD_FAST", "LOAD_DEREF")) else ""
        if step.opname == "RETURN_VALUE":
            found.update((last, *(wrapped[:1] if calls == 1 else ())))
        if step.argval == "update_wrapper":
            wrapped, calls = [], 0
        elif loaded:
            wrapped += loaded if isinstance(loaded, tuple) else (loaded,)
        calls += step.opname in _CALLS
        last = "" if isinstance(loaded, tuple) else loaded
    return frozenset(found - {""})


@lru_cache(4096)
def only_returned(code: CodeType) -> frozenset[str]:
    """Return those of the functions that `code` makes and returns of which it does no more than set attributes."""
    steps = [step for step in dis.get_instructions(code) if step.opname not in _SILENT]
    used, wrapping = set[str](), False
    for step, later in pairwise(steps):
        wrapping = (wrapping and step.opname not in _CALLS) or step.argval == "update_wrapper"
        if step.opname.startswith(("LOAD_FAST", "LOAD_DEREF")) and not wrapping:
            names = step.argval if isinstance(step.argval, tuple) else (step.argval,)
            used.update(names[:-1] if later.opname in _PASSING else names)
    made = (const for const in code.co_consts if isinstance(const, CodeType) and const.co_flags & CO_OPTIMIZED)
    return returned(code).intersection(one.co_name for one in made) - used


def running(code: CodeType) -> Iterator[CodeType]:
    """Yield what runs while `code` does, each without what stands inside it, but for what is only given back."""
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    yield code.replace(co_consts=tuple(None if isinstance(const, CodeType) else const for const in code.co_consts))
    for one in inner:
        yield from (running(one) if one.co_name not in only_returned(code) else ())


@lru_cache(4096)
def of_arguments(code: CodeType, outer: frozenset[str] = _NOTHING) -> frozenset[str]:
    """Return the names behind a dot that `code` looks up on its arguments, those of `outer` code among them, on what
    it loops over, or above them.
    """
    names = outer.union(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    found, last, above, loops = set[str](), "", False, False
    for step in dis.get_instructions(code):
        if loops and step.opname.startswith("STORE_"):
            names |= {*(step.argval if isinstance(step.argval, tuple) else (step.argval,))}
        loops = step.opname == "FOR_ITER" or (loops and step.opname.startswith(("STORE_FAST", "UNPACK", "CACHE")))
        if step.opname in _ATTRIBUTES and (last in names or above or step.opname == "LOAD_SUPER_ATTR"):
            found.add(step.argval)
            above = False
        above = above or (step.opname == "LOAD_GLOBAL" and step.argval == "super")
        if step.opname not in _ATTRIBUTES and step.opname not in _SILENT:  # behind one dot there may be another
            loaded = step.argval if "LOAD_FAST" in step.opname or step.opname == "LOAD_DEREF" else ""
            last = loaded[-1] if isinstance(loaded, tuple) else loaded
    inside = (const for const in code.co_consts if isinstance(const, CodeType))
    return frozenset(found).union(*(of_arguments(one, names.intersection(one.co_freevars)) for one in inside))


def stored(code: CodeType) -> Iterator[str]:
    """Yield the attributes that code sets by name on whatever it gets."""
    texts = [const for const in code.co_consts if type(const) is str and const.isidentifier()]
    yield from texts if "setattr" in code.co_names else ()
    for step in dis.get_instructions(code):
        if step.opname == "STORE_ATTR":
            yield str(step.argval)
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from stored(const)


@lru_cache(4096)
def _all_stored(code: CodeType) -> frozenset[str]:
    return frozenset(stored(code))


def setters(cls: type, code: CodeType) -> Iterator[tuple[str, object]]:
    """Yield properties and other descriptors of `cls` that run as `code` sets attributes by their names."""
    for name in _all_stored(code):
        raw = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
        if any("__set__" in vars(base) for base in type(raw).__mro__):
            yield name, raw


def imported(function: FunctionType, use: Use) -> Iterator[tuple[str, str]]:
    """Yield what `function` imports while it runs: module and name, "" for the module itself."""
    package = function.__globals__.get("__package__") or ""
    for level, module, name in use.imports:
        parts = package.split(".")
        base = parts[: len(parts) - level + 1] if level else []
        yield ".".join([*base, *([module] if module else [])]), name


def uses_itself(member: object) -> bool:
    """Whether a class method does more with its class than to look up names on it: it may make an object of it."""
    function = member.__func__ if type(member) is classmethod else None
    return type(function) is FunctionType and _uses_first(function.__code__)


@lru_cache(4096)
def _uses_first(code: CodeType) -> bool:
    steps = [step for step in dis.get_instructions(code) if step.opname not in _SILENT]
    own = code.co_varnames[:1]
    loads = ((step.argval, later) for step, later in pairwise(steps) if step.opname.startswith("LOAD_FAST"))
    return any(
        later.opname not in _ATTRIBUTES for one, later in loads if own == (one if type(one) is tuple else (one,))[-1:]
    )
