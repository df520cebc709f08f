"""The last reports of a reloader, and the texts that its last swaps replaced, for `undo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotswap._errors import SettingsError

if TYPE_CHECKING:
    from hotswap._baselines import Baseline
    from hotswap._model import Report


class History:
    """The last `limit` reports, the oldest first.

    One thread adds (under the reloader's lock), any thread may read: the tuple is replaced, never altered, so a reader
    needs no lock and cannot meet a half-made change.
    """

    def __init__(self, limit: int = 10) -> None:
        if limit < 1:
            raise SettingsError(f"limit={limit!r} is not accepted; it takes a number of reports, at least 1")
        self._limit = limit
        self._reports: tuple[Report, ...] = ()
        self._texts: list[dict[str, Baseline]] = []

    def add(self, report: Report) -> None:
        """Keep `report` as the newest; the oldest goes when there are more than `limit`."""
        self._reports = (*self._reports, report)[-self._limit :]

    def reports(self) -> tuple[Report, ...]:
        """Return the reports kept, the oldest first."""
        return self._reports

    def add_texts(self, replaced: dict[str, Baseline]) -> None:
        """Keep the baselines that a group replaced, by module; those of more than `limit` groups ago go."""
        if replaced:
            self._texts = [*self._texts, replaced][-self._limit :]

    def pop_texts(self) -> dict[str, Baseline]:
        """Return what the last group replaced, and forget it; empty if nothing is left."""
        return self._texts.pop() if self._texts else {}
