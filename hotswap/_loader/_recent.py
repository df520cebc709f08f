"""Snapshots of the modules that were edited last: who edits a file mostly edits it again.

A snapshot's syntax trees are some 1,200 bytes a line, so only a few thousand lines are kept.
"""

from __future__ import annotations

from typing import Final

from hotswap._model import Snapshot

_LINES: Final = 10_000


class Recent:
    """Snapshots by module and packed text, the oldest given up first."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, bytes], Snapshot] = {}

    def get(self, module: str, packed: bytes) -> Snapshot | None:
        """Return the snapshot of the text `packed` of `module`, if it is kept."""
        return self._kept.get((module, packed))

    def keep(self, module: str, packed: bytes, snapshot: Snapshot) -> None:
        """Keep `snapshot` as the newest, in place of any other of its module."""
        self._kept = {key: value for key, value in self._kept.items() if key[0] != module}
        self._kept[module, packed] = snapshot
        while len(self._kept) > 1 and sum(s.text.count("\n") for s in self._kept.values()) > _LINES:
            self._kept.pop(next(iter(self._kept)))
