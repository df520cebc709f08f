"""Snapshots of the modules that were edited last: who edits a file mostly edits it again.

A snapshot's syntax trees are some 1,200 bytes a line, so only a few thousand lines are kept.
"""

from __future__ import annotations

from typing import Final

from hotswap._loader._baselines import Packed
from hotswap._model import Snapshot

_LINES: Final = 10_000


class Recent:
    """Snapshots by module, each with the text that it is of; the oldest given up first."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Packed, Snapshot]] = {}

    def get(self, module: str, packed: Packed) -> Snapshot | None:
        """Return the snapshot of the text `packed` of `module`, if it is kept."""
        text, snapshot = self._kept.get(module, (None, None))
        return snapshot if text == packed else None

    def keep(self, module: str, packed: Packed, snapshot: Snapshot) -> None:
        """Keep `snapshot` as the newest, in place of any other of its module."""
        self._kept.pop(module, None)
        self._kept[module] = packed, snapshot
        while len(self._kept) > 1 and sum(s.text.count("\n") for _, s in self._kept.values()) > _LINES:
            self._kept.pop(next(iter(self._kept)))
