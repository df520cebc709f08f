"""python-telegram-bot: handlers stand in groups, and the first of a group that takes an update keeps it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

from hotswap.adapters import Registrar, Registrations, is_a


class Telegram(Registrar):
    """See `hotswap.adapters.Registrar`."""

    starting = frozenset({"add_handler", "add_handlers", "add_error_handler"})

    def keeps(self, value: object) -> bool:
        """Whether statements register with `value`."""
        library: Any = sys.modules.get("telegram.ext")
        return library is not None and is_a(value, library.Application)

    def forget(self, old: Registrations) -> None:
        """Watch the groups of the applications that statements name.

        Messages are on their way through them, as handlers are awaited: the groups stay as they are, and others take
        their place. Who adds a group makes another dictionary.
        """
        for application in _applications(old):
            groups = {number: [*group] for number, group in application.handlers.items()}
            old.set_now(application, "handlers", groups)
            for group in application.handlers.values():
                old.watch(group, _objects, withdraw=True)
            old.watch(application.error_handlers, lambda item: (item[0],), withdraw=True)

    def refresh(self, changes: Registrations) -> None:
        """Put handlers at their places; a conversation goes on where its users are; an empty group goes."""
        for application in _applications(changes):
            for group in application.handlers.values():
                for was, now in changes.pairs(group):
                    if hasattr(was, "_conversations") and hasattr(now, "_conversations"):
                        changes.set(now, "_conversations", was._conversations)
                changes.arrange(group)
            changes.arrange(application.error_handlers)
            full = {number: group for number, group in application.handlers.items() if changes.after(group)}
            if len(full) != len(application.handlers):
                changes.set(application, "handlers", full)


def _applications(registrations: Registrations) -> Iterator[Any]:
    library: Any = sys.modules.get("telegram.ext")
    if library is not None:
        yield from {id(root): root for root in registrations.roots if isinstance(root, library.Application)}.values()


def _objects(handler: Any) -> tuple[object, ...]:
    """Return what a statement may name for a handler; a conversation has none of its own to call."""
    return (handler, handler.callback) if hasattr(handler, "callback") else (handler,)


ADAPTER: Final = Telegram()
