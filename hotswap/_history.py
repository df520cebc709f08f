"""The last reports of a reloader, for whoever asks later what a swap did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotswap.errors import SettingsError

if TYPE_CHECKING:
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

    def add(self, report: Report) -> None:
        """Keep `report` as the newest; the oldest goes when there are more than `limit`."""
        self._reports = (*self._reports, report)[-self._limit :]

    def reports(self) -> tuple[Report, ...]:
        """Return the reports kept, the oldest first."""
        return self._reports
