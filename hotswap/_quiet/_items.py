"""What methods of lists and dicts put into them, and take out, where the judged code made the container.

``groups.setdefault(key, set()).add(name)`` alters a set that nobody else has, if sets made here are all that was put
into `groups`.
"""

from __future__ import annotations

import sys
from typing import Any

from hotswap._quiet._values import Arguments, Items, Value, describe_items, items_of, join, know, lose_items

_PLAIN = (bool, bytes, dict, float, int, list, set, str, tuple)


def start_items(called: object, given: Arguments, items: Items) -> Items | None:
    """Return what is in the container that a call of a class makes, `items` being empty; None if that is not known."""
    collections: Any = sys.modules.get("collections")
    if given.open or given.names:
        return None
    if called is list or called is dict or called is getattr(collections, "OrderedDict", dict):
        return None if given.values else items
    if called is getattr(collections, "defaultdict", None) and len(given.values) == 1:
        kind: Any = given.values[0].obj
        if any(kind is one for one in _PLAIN):
            items.put(Value(kind=kind, own=True))
            return items
    return None


def put_into(container: Value, value: Value) -> None:
    """Note that `value` is put into `container`."""
    if container.items is not None:
        container.items.put(value)
    else:
        lose_items(value)


def use_items(container: Value, name: str, given: Arguments) -> Value | None:
    """Note what the method `name` puts into `container`, and return what it gives; None: go on as with any other."""
    items, held = container.items, items_of(container)
    if items is None or held is None or given.open or given.names:
        return None
    if container.kind is list:
        return _use_list(items, held, name, given.values)
    return _use_dict(items, held, name, given.values)


def _use_list(items: Items, held: Value, name: str, given: tuple[Value, ...]) -> Value | None:
    match name, given:
        case "append", (value,):
            items.put(value)
        case "insert", (_, value):
            items.put(value)
        case "extend", (several,):
            items.put(describe_items(several))
        case "pop", _:
            return held
        case _:
            return None
    return know(None)


def _use_dict(items: Items, held: Value, name: str, given: tuple[Value, ...]) -> Value | None:
    match name, given:
        case "get" | "pop", (_,):
            return join(held, know(None))
        case "get" | "pop", (_, default):
            return join(held, default)
        case "setdefault", (_, value):
            items.put(value)
            return items_of(Value(items=items))
        case "values", ():
            return Value(kind=type({}.values()), own=True, each=held)
        case "items", ():
            pair = Value(kind=tuple, own=True, parts=(Value(), held))
            return Value(kind=type({}.items()), own=True, each=pair)
    return None
