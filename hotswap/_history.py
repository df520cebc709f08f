"""The last reports of a reloader, and the texts that its last swaps replaced, for `undo`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from hotswap._errors import SettingsError

if TYPE_CHECKING:
    from asyncio import Queue
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    from hotswap._loader._baselines import Baseline
    from hotswap._model import Report


class Reports(tuple["Report", ...]):  # noqa: SLOT001  a tuple of any length can have no slots
    """The reports of the last swaps, the newest last. ``async for`` waits for those that come, until the stop."""

    _history: History

    @classmethod
    def of(cls, history: History, reports: Iterable[Report]) -> Reports:
        """Return `reports`, which `history` will add to."""
        made = cls(reports)
        made._history = history
        return made

    async def __aiter__(self) -> AsyncIterator[Report]:
        import asyncio  # the program that waits has it

        coming: Queue[Report | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        with self._history.listening(lambda report: loop.call_soon_threadsafe(coming.put_nowait, report)):
            while (report := await coming.get()) is not None:
                yield report


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
        self._texts: list[tuple[int, dict[str, Baseline]]] = []
        self._listeners: tuple[Callable[[Report | None], object], ...] = ()

    @contextmanager
    def listening(self, listener: Callable[[Report | None], object]) -> Iterator[None]:
        """Have `listener` called with each report that is added, and with None at the end, from whatever thread."""
        self._listeners = (*self._listeners, listener)
        try:
            yield
        finally:
            self._listeners = tuple(one for one in self._listeners if one is not listener)

    def close(self) -> None:
        """Tell those who listen that no report will come."""
        self._tell(None)

    def _tell(self, report: Report | None) -> None:
        for listener in self._listeners:
            try:
                listener(report)
            except RuntimeError:  # its loop has been closed
                pass

    def add(self, report: Report) -> None:
        """Keep `report` as the newest; the oldest goes when there are more than `limit`."""
        self._reports = (*self._reports, report)[-self._limit :]
        self._tell(report)

    def reports(self) -> Reports:
        """Return the reports kept, the oldest first."""
        return Reports.of(self, self._reports)

    def add_texts(self, generation: int, replaced: dict[str, Baseline]) -> None:
        """Keep the baselines that a swap replaced, by module; those of more than `limit` swaps ago go."""
        if replaced:
            self._texts = [*self._texts, (generation, replaced)][-self._limit :]

    def pop_texts(self, generation: int) -> dict[str, Baseline]:
        """Return what the last swap up to `generation` replaced, and forget it; empty if nothing is left.

        Modules that a later swap has changed again are left out: what they run now is not of that swap.
        """
        known = [number for number, _ in self._texts if number <= generation]
        if not known:
            return {}
        _, texts = self._texts.pop(len(known) - 1)
        later = {name for _, more in self._texts[len(known) - 1 :] for name in more}
        return {name: baseline for name, baseline in texts.items() if name not in later}
