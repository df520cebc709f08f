"""Starlette and FastAPI: the first route that matches answers, so a route that changed stays where it stood.

An application builds its middlewares into one another when it serves its first request, and refuses more from then on.
That guard is off while statements run; if the middlewares are others then, they are built anew. Who answers for an
exception is looked up in the ones that exist.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

from hotswap.adapters import Registrar, Registrations, is_a, live_objects, starlette_routes


class Starlette(Registrar):
    """See `hotswap.adapters.Registrar`."""

    starting = frozenset({"add_route", "add_api_route", "add_websocket_route", "mount", "include_router"})

    def keeps(self, value: object) -> bool:
        """Whether statements register with `value`."""
        library: Any = sys.modules.get("starlette.routing")
        return library is not None and isinstance(getattr(value, "router", value), library.Router)

    def forget(self, old: Registrations) -> None:
        """Watch the routes of the applications and routers that statements name; middlewares; exception handlers."""
        for router in _routers(old):
            old.watch(router.routes, _objects)
        for application in _applications(old):
            old.watch(_Inwards(application), _middleware, key=application.user_middleware)
            old.watch(application.exception_handlers, lambda item: (item[1],))
            old.set_now(application, "middleware_stack", None)
        starlette_routes.note(old)

    def refresh(self, changes: Registrations) -> None:
        """Put routes at their places; have the schema of the API made anew."""
        remade = starlette_routes.renew(changes)
        arranged = [router for router in _routers(changes) if changes.arrange(router.routes) is not None]
        if remade or arranged:
            starlette_routes.mark(changes)
        for application in _applications(changes):
            _renew_stack(changes, application)
        application = getattr(sys.modules.get("fastapi"), "FastAPI", None)
        for one in live_objects(application) if application is not None and (changes.reshapes or arranged) else ():
            changes.set(one, "openapi_schema", None)


class _Inwards:
    """The middlewares of an application from the first that was added on: it keeps the last one first."""

    def __init__(self, application: Any) -> None:
        self._middlewares = application.user_middleware

    def __iter__(self) -> Iterator[Any]:
        yield from reversed(self._middlewares)

    def fill(self, middlewares: list[Any]) -> None:
        """Have the application keep `middlewares`, of which the first was added first."""
        self._middlewares[:] = middlewares[::-1]


def _renew_stack(changes: Registrations, application: Any) -> None:
    """Put back what was built, with the exception handlers as they are now; or have other middlewares built."""
    others = changes.arrange(application.user_middleware) is not None
    handlers = changes.arrange(application.exception_handlers)
    stack = None if others else changes.was(application, "middleware_stack")
    looking = {type(one).__name__: one for one in _layers(stack)}
    if handlers is not None and {"ServerErrorMiddleware", "ExceptionMiddleware"} - looking.keys():
        stack = None
    changes.set(application, "middleware_stack", stack)
    if handlers is None or stack is None:
        return
    last = {key: value for key, value in handlers if key in (500, Exception)}
    changes.set(looking["ServerErrorMiddleware"], "handler", next(iter(last.values()), None))
    inner = looking["ExceptionMiddleware"]
    rest = {key: value for key, value in handlers if key not in last}
    made = type(inner)(inner.app, handlers=rest, debug=inner.debug)
    for name in ("_exception_handlers", "_status_handlers"):
        changes.set(inner, name, getattr(made, name))


def _layers(stack: Any) -> Iterator[Any]:
    """Yield the middlewares from the outermost on, as far as each says what is inside of it."""
    while stack is not None:
        yield stack
        stack = vars(stack).get("app") if hasattr(stack, "__dict__") else None


def _applications(registrations: Registrations) -> Iterator[Any]:
    library: Any = sys.modules.get("starlette.applications")
    if library is not None:
        roots = {id(root): root for root in registrations.roots}.values()
        yield from (root for root in roots if isinstance(root, library.Starlette))


def _routers(registrations: Registrations) -> Iterator[Any]:
    library: Any = sys.modules.get("starlette.routing")
    if library is not None:
        named = (getattr(root, "router", root) for root in registrations.roots)
        yield from {id(one): one for one in named if is_a(one, library.Router)}.values()


def _middleware(middleware: Any) -> tuple[object, ...]:
    given = getattr(middleware, "kwargs", None) or getattr(middleware, "options", {})
    return (middleware, middleware.cls, *getattr(middleware, "args", ()), *given.values())


def _objects(route: Any) -> tuple[object, ...]:
    inside = ("endpoint", "app", "original_router")
    return (route, *(getattr(route, name) for name in inside if hasattr(route, name)))


ADAPTER: Final = Starlette()
