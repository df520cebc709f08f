"""Routes of Starlette and FastAPI: what they were told of a function when they were made, they are told again.

A route of FastAPI has read the parameters of its endpoint, and of all that this depends on; one of Starlette, whether
its endpoint is a coroutine function. So a route of which one of these functions has another header now is made anew,
from what it was made of, aside; then the object that exists becomes what that is.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from hotswap.adapters import Registrations, live_objects

_NOTE: Final = "starlette routes"
_COROUTINE: Final = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_MARKS: Final = ("response_model", "description")
Shape = tuple[object, ...]


def note(old: Registrations) -> None:
    """Note how the functions look that live routes were made of."""
    if not old.reshapes:
        return
    shapes: dict[int, tuple[Any, Shape]] = {}
    routes = [(route, list(_calls(route)), _derived(route)) for route in live_objects(*_kinds())]
    for _, calls, _ in routes:
        shapes.update((id(call), (call, _shape(call))) for call in calls if id(call) not in shapes)
    old.notes[_NOTE] = (routes, shapes)


def renew(changes: Registrations) -> list[Any]:
    """Have the routes made anew of which a function looks otherwise now; return them."""
    routes, shapes = changes.notes.get(_NOTE, ((), {}))
    changed = {key for key, (call, shape) in shapes.items() if not _alike(shape, _shape(call))}
    for memo in list(vars(sys.modules.get("fastapi.dependencies.models", sys)).values()) if changed else ():
        if hasattr(memo, "cache_clear"):  # of whether a function is a coroutine function
            memo.cache_clear()
    found = []
    for route, calls, derived in routes if changed else ():
        if any(id(call) in changed for call in calls):
            made = _made_anew(route, derived)
            changes.journal.note(partial(_become, route, dict(vars(route))))
            changes.call(partial(_become, route, made))
            found.append(route)
    return found


def mark(changes: Registrations) -> None:
    """Have routers that remember what they include look at it again."""
    routing: Any = sys.modules.get("fastapi.routing")
    router: Any = getattr(routing, "APIRouter", None)
    if hasattr(router, "_mark_routes_changed"):
        for one in live_objects(*_with_subclasses(router)):
            changes.journal.do(one._mark_routes_changed, one._mark_routes_changed)  # a number that only grows


def _kinds() -> Iterator[type]:
    library: Any = sys.modules.get("starlette.routing")
    websocket: Any = getattr(sys.modules.get("fastapi.routing"), "APIWebSocketRoute", None)
    if library is not None:
        yield from dict.fromkeys((*_with_subclasses(library.Route), *(() if websocket is None else (websocket,))))


def _with_subclasses(cls: type) -> list[type]:
    below: list[type] = type.__subclasses__(cls)
    return [cls, *(one for inner in below for one in _with_subclasses(inner))]


def _calls(route: Any) -> Iterator[Any]:
    """Yield the functions and classes of which `route` has read the parameters."""
    yield route.endpoint
    waiting = [route.dependant] if getattr(route, "dependant", None) is not None else []
    while waiting:
        one = waiting.pop()
        waiting += one.dependencies
        if one.call is not None:
            yield one.call


def _shape(call: Any) -> Shape:
    """Return what tells one header of a function or class from another: objects, to be compared by identity."""
    if isinstance(call, type):
        call = vars(call).get("__init__", object.__init__)
    call = inspect.unwrap(getattr(call, "func", call))
    function = getattr(call, "__func__", call)
    code = getattr(function, "__code__", None)
    if code is None:
        return (function, getattr(type(function).__call__, "__code__", None))
    count = code.co_argcount + code.co_kwonlyargcount
    return (
        *code.co_varnames[:count],
        code.co_flags & (_COROUTINE | inspect.CO_VARARGS | inspect.CO_VARKEYWORDS),
        function.__doc__,
        *(function.__defaults__ or ()),
        *(part for item in sorted((function.__kwdefaults__ or {}).items(), key=_first) for part in item),
        *(part for item in function.__annotations__.items() for part in item),
    )


def _first(item: tuple[str, object]) -> str:
    return item[0]


def _alike(one: Shape, other: Shape) -> bool:
    return len(one) == len(other) and all(
        a is b or (type(a) is type(b) and isinstance(a, (str, int)) and a == b) for a, b in zip(one, other, strict=True)
    )


def _derived(route: Any) -> frozenset[str]:
    """Return the settings that the route took from its endpoint because nobody gave them."""
    returned = getattr(route.endpoint, "__annotations__", {}).get("return", inspect.Parameter.empty)
    taken = {
        "response_model": returned is getattr(route, "response_model", None) or isinstance(returned, str),
        "description": getattr(route, "description", None) == _description(route.endpoint),
    }
    return frozenset(name for name in _MARKS if taken[name])


def _description(endpoint: Any) -> str:
    return inspect.cleandoc(endpoint.__doc__ or "").split("\f")[0].strip()


def _made_anew(route: Any, derived: frozenset[str]) -> dict[str, Any]:
    """Return the attributes of a route that is made of what `route` was made of, as it looks now."""
    routing: Any = sys.modules["starlette.routing"]
    if not hasattr(route, "dependant"):
        plain = inspect.isfunction(route.app) and route.app.__module__ == routing.__name__
        return {**vars(route), **({"app": routing.request_response(route.endpoint)} if plain else {})}
    wanted = inspect.signature(type(route).__init__).parameters
    given = {name: value for name, value in vars(route).items() if name in wanted and name not in derived}
    if "dependency_overrides_provider" in wanted and "dependency_overrides_provider" not in given:
        given["dependency_overrides_provider"] = _provider(route)
    made = type(route)(**given)
    return {**vars(route), **vars(made)}


def _provider(route: Any) -> Any:
    """Return whose overrides a websocket's route obeys: its function alone knows that."""
    inner = inspect.getclosurevars(route.app).nonlocals.get("func")
    return inspect.getclosurevars(inner).nonlocals.get("dependency_overrides_provider") if inner else None


def _become(route: Any, attributes: dict[str, Any]) -> None:
    vars(route).update(attributes)
