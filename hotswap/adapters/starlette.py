"""Starlette and FastAPI: the first route that matches answers, so a route that changed stays where it stood."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

from hotswap.adapters import Registrations


class Starlette:
    """See `hotswap.adapters.Registrar`."""

    starting = frozenset({"add_route", "add_api_route", "add_websocket_route", "mount", "include_router"})

    def keeps(self, value: object) -> bool:
        """Whether statements register with `value`."""
        library: Any = sys.modules.get("starlette.routing")
        return library is not None and isinstance(getattr(value, "router", value), library.Router)

    def forget(self, old: Registrations) -> None:
        """Watch the routes of the applications and routers that statements name."""
        for router in _routers(old):
            old.watch(router.routes, _objects)

    def refresh(self, changes: Registrations) -> None:
        """Put routes at their places; have the schema of the API made anew."""
        arranged = [router for router in _routers(changes) if changes.arrange(router.routes) is not None]
        for router in arranged:
            mark = getattr(router, "_mark_routes_changed", None)
            if mark is not None:
                changes.call(mark)
        for root in changes.roots if arranged else ():
            if getattr(root, "openapi_schema", None) is not None:
                changes.set(root, "openapi_schema", None)

    def take_over(self, changes: Registrations, old: Any, new: Any) -> bool:
        """Nothing goes on: functions stay the same objects by themselves."""
        return False

    def tends(self, cls: type) -> bool:
        """No class: functions alone are registered."""
        return False


def _routers(registrations: Registrations) -> Iterator[Any]:
    library: Any = sys.modules.get("starlette.routing")
    if library is not None:
        named = (getattr(root, "router", root) for root in registrations.roots)
        yield from {id(one): one for one in named if isinstance(one, library.Router)}.values()


def _objects(route: Any) -> tuple[object, ...]:
    inside = ("endpoint", "app", "original_router")
    return (route, *(getattr(route, name) for name in inside if hasattr(route, name)))


ADAPTER: Final = Starlette()
