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
            for name, handlers in _handlers(router):
                old.watch(handlers, lambda handler: (handler.callback,), by=(f"{name}.register",))
            for name, middlewares in _middlewares(router):
                old.watch(middlewares, lambda middleware: (middleware,), withdraw=True, by=(name, f"{name}.register"))
            old.watch(router.sub_routers, lambda inner: (inner,), withdraw=True, by=_INCLUDES)
        self.gave_up(old)

    def gave_up(self, old: Registrations) -> None:
        """Let go of the routers that leave: else they may not be included again."""
        for router in _routers(old):
            for inner in old.leaving(router.sub_routers):
                if inner not in router.sub_routers:
                    old.set_now(inner, "_parent_router", None)

    def refresh(self, changes: Registrations) -> None:
        """Put them at their places; who is still included knows its parent."""
        for router in _routers(changes):
            for _, container in (*_handlers(router), *_middlewares(router), ("", router.sub_routers)):
                changes.arrange(container)
            for inner in changes.after(router.sub_routers):
                if inner._parent_router is None:  # its statement did not run after all
                    changes.set(inner, "_parent_router", router)
        for cls in filter(self.tends, changes.classes):
            _collect_states(changes, cls)

    def tends(self, cls: type) -> bool:
        """Whether `cls` is a group of states, which is brought in step."""
        library: Any = sys.modules.get("aiogram.fsm.state")
        return library is not None and is_a(cls, library.StatesGroupMeta)


def _collect_states(changes: Registrations, cls: Any) -> None:
    """Have a group of states know those that its body has now, as its metaclass does, and the groups around it."""
    library: Any = sys.modules["aiogram.fsm.state"]
    members = [vars(cls)[name] for name in changes.stated(cls) if name in vars(cls)]
    states = tuple(one for one in members if is_a(one, library.State))
    changes.set_now(cls, "__states__", states)
    changes.set_now(cls, "__state_names__", tuple(state.state for state in states))
    changes.set_now(cls, "__childs__", tuple(one for one in members if is_a(one, library.StatesGroupMeta)))
    while cls is not None:
        changes.set_now(cls, "__all_childs__", cls._get_all_childs())
        changes.set_now(cls, "__all_states__", cls._get_all_states())
        changes.set_now(cls, "__all_states_names__", cls._get_all_states_names())
        cls = cls.__parent__


def _routers(registrations: Registrations) -> Iterator[Any]:
    library: Any = sys.modules["aiogram"]
    named = ((getattr(root, "router", root), root) for root in registrations.roots)
    yield from {id(one): one for pair in named for one in pair if is_a(one, library.Router)}.values()


def _observers(router: Any) -> dict[str, Any]:
    """Return the observers of a router by the names of the attributes that they are."""
    found = {**router.observers, "startup": router.startup, "shutdown": router.shutdown}
    found = {id(one): (name, one) for name, one in found.items()}
    return dict(found.values())


def _places(router: Any) -> Iterator[tuple[Any, str]]:
    """Yield who holds a list that messages go through, and as what."""
    yield router, "sub_routers"
    yield from ((one, "handlers") for one in _observers(router).values())


def _handlers(router: Any) -> Iterator[tuple[str, list[Any]]]:
    yield from ((name, observer.handlers) for name, observer in _observers(router).items())


def _middlewares(router: Any) -> Iterator[tuple[str, list[Any]]]:
    for name, observer in _observers(router).items():
        if hasattr(observer, "middleware"):
            yield f"{name}.middleware", observer.middleware._middlewares
            yield f"{name}.outer_middleware", observer.outer_middleware._middlewares


ADAPTER: Final = Aiogram()
