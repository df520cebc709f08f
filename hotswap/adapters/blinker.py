"""blinker's signals, which are Flask's: a receiver that leaves is disconnected."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator
from typing import Any, Final

from hotswap.adapters import Registrar, Registrations, is_a


class Blinker(Registrar):
    """See `hotswap.adapters.Registrar`."""

    starting = frozenset({"connect"})

    def keeps(self, value: object) -> bool:
        """Whether statements register with `value`."""
        return is_a(value, getattr(sys.modules["blinker"], "Signal", ()))  # who edits blinker may take it out

    def forget(self, old: Registrations) -> None:
        """Watch the receivers of the signals that statements name."""
        for signal in _signals(self, old):
            old.watch(signal.receivers, _receiver)
            for by in (signal._by_sender, signal._by_receiver):
                old.journal.note(_Restore(by))

    def refresh(self, changes: Registrations) -> None:
        """Put them at their places; a signal knows them by their senders, too."""
        for signal in _signals(self, changes):
            before = set(signal.receivers)
            after = {key for key, _ in changes.after(signal.receivers)}
            changes.arrange(signal.receivers)
            for key in before - after:
                changes.call(_Disconnect(signal, key))


class _Restore:
    """Puts back which receivers a signal knows by whom."""

    def __init__(self, by: Any) -> None:
        self._by, self._content = by, {key: set(value) for key, value in by.items()}

    def __call__(self) -> None:
        self._by.clear()
        self._by.update(self._content)


class _Disconnect:
    """Takes a receiver out of what a signal knows by senders."""

    def __init__(self, signal: Any, key: Any) -> None:
        self._signal, self._key = signal, key

    def __call__(self) -> None:
        self._signal._by_receiver.pop(self._key, None)
        for keys in self._signal._by_sender.values():
            keys.discard(self._key)


def _signals(adapter: Blinker, registrations: Registrations) -> Iterator[Any]:
    yield from {id(root): root for root in registrations.roots if adapter.keeps(root)}.values()


def _receiver(item: tuple[object, Any]) -> tuple[object, ...]:
    """Return the receiver, which mostly stands behind a weak reference."""
    return (item[1]() if isinstance(item[1], weakref.ref) else item[1],)


ADAPTER: Final = Blinker()
