"""Django REST framework: a router keeps classes of views by a prefix, and makes routes of them once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from hotswap.adapters import Registrar, Registrations, is_a, live_objects
from hotswap.adapters.django import forget_routes


class RestFramework(Registrar):
    """See `hotswap.adapters.Registrar`."""

    starting: frozenset[str] = frozenset()

    def keeps(self, value: object) -> bool:
        """Whether statements register with `value`."""
        library: Any = sys.modules.get("rest_framework.routers")
        return library is not None and is_a(value, library.BaseRouter)

    def forget(self, old: Registrations) -> None:
        """Take out the views that leave: a router refuses a second one of a name."""
        for router in {id(one): one for one in filter(self.keeps, old.roots)}.values():
            old.watch(router.registry, lambda entry: (entry, entry[1]), withdraw=True)
            if "_urls" in vars(router):  # who registers takes it away
                old.set_now(router, "_urls", router._urls)

    def refresh(self, changes: Registrations) -> None:
        """Have the routes made anew of routers whose views are others, or have other members."""
        library: Any = sys.modules.get("rest_framework.routers")
        if library is None:
            return
        changed = changes.classes
        for router in live_objects(*_below(library.BaseRouter)):
            others = changes.arrange(router.registry) is not None
            concerned = others or any(issubclass(entry[1], cls) for entry in router.registry for cls in changed)
            urls = changes.was(router, "_urls") or vars(router).get("_urls")
            if urls is not None:
                changes.set(router, "_urls", urls)
            if urls is not None and concerned:
                changes.journal.note(partial(_fill, urls, list(urls)))
                changes.call(partial(_make_routes, router, urls))
                forget_routes(changes)


def _below(cls: type) -> Iterator[type]:
    yield cls
    below: list[type] = type.__subclasses__(cls)
    for one in below:
        yield from _below(one)


def _make_routes(router: Any, urls: list[Any]) -> None:
    """Fill the list of routes, which an ``include`` has taken up as it is."""
    _fill(urls, router.get_urls())


def _fill(routes: list[Any], wanted: list[Any]) -> None:
    routes[:] = wanted


ADAPTER: Final = RestFramework()
