"""aiogram: handlers of a router are asked in order, so one that changed stays where it stood."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

from hotswap.adapters import Registrar, Registrations, is_a


_INCLUDES: Final = ("include_router", "include_routers")


class Aiogram(Registrar):
    """See `hotswap.adapters.Registrar`."""

    starting = frozenset({"register", "include_router", "include_routers", "outer_middleware", "middleware"})

    def keeps(self, value: object) -> bool:
        """Whether statements register with `value`."""
        return is_a(value, sys.modules["aiogram"].Router)

    def forget(self, old: Registrations) -> None:
        """Watch handlers, middlewares and routers that are included in those which statements name.

        Messages are on their way through the lists, as filters are awaited: these stay, and others take their place.
        """
        for router in _routers(old):
            for owner, name in _places(router):
                old.set_now(owner, name, [*getattr(owner, name)])
            for handlers in _handlers(router):
                old.watch(handlers, lambda handler: (handler.callback,))
            for middlewares in _middlewares(router):
                old.watch(middlewares, lambda middleware: (middleware,), withdraw=True)
            old.watch(router.sub_routers, lambda inner: (inner,), withdraw=True, by=_INCLUDES)
            for inner in old.leaving(router.sub_routers):  # else it may not be included again
                old.set_now(inner, "_parent_router", None)

    def refresh(self, changes: Registrations) -> None:
        """Put them at their places; who is still included knows its parent."""
        for router in _routers(changes):
            for container in (*_handlers(router), *_middlewares(router), router.sub_routers):
                changes.arrange(container)
            for inner in changes.after(router.sub_routers):
                if inner._parent_router is None:  # its statement did not run after all
                    changes.set(inner, "_parent_router", router)


def _routers(registrations: Registrations) -> Iterator[Any]:
    library: Any = sys.modules["aiogram"]
    named = ((getattr(root, "router", root), root) for root in registrations.roots)
    yield from {id(one): one for pair in named for one in pair if is_a(one, library.Router)}.values()


def _observers(router: Any) -> list[Any]:
    return [*{id(one): one for one in router.observers.values()}.values()]


def _places(router: Any) -> Iterator[tuple[Any, str]]:
    """Yield who holds a list that messages go through, and as what."""
    yield router, "sub_routers"
    yield from ((observer, "handlers") for observer in _observers(router))


def _handlers(router: Any) -> Iterator[list[Any]]:
    yield from (observer.handlers for observer in (*_observers(router), router.startup, router.shutdown))


def _middlewares(router: Any) -> Iterator[list[Any]]:
    for observer in _observers(router):
        yield observer.middleware._middlewares
        yield observer.outer_middleware._middlewares


ADAPTER: Final = Aiogram()
