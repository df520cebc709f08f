"""What comes out of the call of an entry of the table."""

from __future__ import annotations

import ast
from types import NoneType
from typing import Any, Final

from hotswap._quiet._table import Listed, decorate, find_raw, modify
from hotswap._quiet._values import (
    MISSING,
    UNKNOWN,
    Arguments,
    Value,
    describe_items,
    is_class,
    items_of,
    know,
    look_up,
    sample,
)

_SEQUENCES: Final = frozenset(map(id, (bytes, list, str, tuple)))
_LIKE_THEMSELVES: Final = frozenset(map(id, (bytes, dict, float, list, set, str, tuple)))
_NUMBERS: Final = frozenset(map(id, (float, int)))
_SAME_ITEMS: Final = frozenset(
    f"builtins.{name}" for name in ("filter", "frozenset", "list", "reversed", "set", "sorted", "tuple")
)


def make_result(listed: Listed, called: Value, given: Arguments) -> Value:
    """Return what is known of the result of calling `called`, whose entry is `listed`, with `given`."""
    first = given.values[0] if given.values else UNKNOWN
    match listed.result:
        case "first":
            return first
        case "modifier":
            return know(modify)
        case "first or modifier":
            return first if given.values else know(modify)
        case "decorator":  # of `lru_cache`, which decorates at once what is no size
            return know(decorate) if not given.values or type(first.obj) in (int, NoneType) else UNKNOWN
        case "second":
            return given.values[1] if len(given.values) > 1 else UNKNOWN
        case "class":
            return Value(
                called.obj if listed.name.startswith("enum.") else _find_made_class(listed.name), type, own=True
            )
        case "self":
            return Value(kind=_find_own_class(first), own=True)
    return _make_plain(listed, called, given)


def _make_plain(listed: Listed, called: Value, given: Arguments) -> Value:
    kind, _, item = listed.result.removesuffix("]").partition("[")
    made: Any = called.obj if is_class(called.obj) else _find_kind(kind)
    each = Value(kind=_find_kind(item), own=True) if item else None
    if listed.name in _SAME_ITEMS and given.values:
        position = 1 if listed.name == "builtins.filter" else 0
        each = describe_items(given.values[position]) if position < len(given.values) else None
    return Value(kind=made, own=made is not None, each=each)


def _find_made_class(name: str) -> object:
    """Return the builtin that the class made by `namedtuple` and the like is called as."""
    return dict if name == "typing.TypedDict" else tuple


def _find_own_class(receiver: Value) -> Any:
    return receiver.obj if is_class(receiver.obj) else receiver.kind


def _find_kind(dotted: str) -> type | None:
    found = find_raw(dotted if "." in dotted else f"builtins.{dotted}") if dotted else None
    return found if isinstance(found, type) else None


def find_item(value: Value, index: Value, node: ast.expr) -> Value:
    """Return what is known of ``value[index]``, `node` being the index in the text."""
    if not isinstance(node, ast.Slice) and (held := items_of(value)) is not None:
        return held
    if value.kind is dict and value.obj is not MISSING:
        return _find_value(value.obj, index.obj)
    if id(value.kind) not in _SEQUENCES:
        return UNKNOWN
    if isinstance(node, ast.Slice):
        return Value(kind=value.kind, own=True, each=describe_items(value))
    if type(index.obj) is int and -len(value.parts) <= index.obj < len(value.parts):
        return value.parts[index.obj]
    return describe_items(value)


def _find_value(table: Any, key: object) -> Value:
    """Return what is known of an item of a live dict; only plain keys are compared."""
    if type(key) in (str, int):
        for one, item in list(table.items()):
            if type(one) is type(key) and one == key:
                return know(item)
    return sample(table.values())


def look_into(table: Value, name: str, given: Arguments) -> Value | None:
    """Return what the method `name` of a live dict gives; None if that is not known."""
    if table.kind is not dict or table.obj is MISSING:
        return None
    obj: Any = table.obj
    match name:
        case "values":
            return Value(kind=type(obj.values()), own=True, each=sample(obj.values()))
        case "items":
            item = Value(kind=tuple, own=True, parts=(describe_items(table), sample(obj.values())))
            return Value(kind=type(obj.items()), own=True, each=item)
        case "get" if len(given.values) == 1 and not given.open:
            return _find_value(obj, given.values[0].obj)
    return None


def find_combined(left: type | None, sign: str, right: type | None) -> type | None:
    """Return the class of what a binary operator gives, where both sides are builtins, or a path; else None."""
    if (left is right and id(left) in _LIKE_THEMSELVES) or (left is str and sign == "mod"):
        return left
    if left is int and right is int:
        return {"truediv": float, "pow": None}.get(sign, int)
    if id(left) in _NUMBERS and id(right) in _NUMBERS:
        return float
    if sign == "truediv" and left is not None and right is str and look_up(left, "__fspath__"):
        return left
    return None
