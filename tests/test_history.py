"""The last reports, for whoever asks later."""

from __future__ import annotations

import pytest

from hotswap._errors import SettingsError
from hotswap._history import History
from hotswap._model import Report


def test_reports_come_oldest_first() -> None:
    """Reports are handed out in the order in which they were added, as the same objects."""
    history, first, second = History(), Report(1), Report(2)
    history.add(first)
    history.add(second)
    assert [id(report) for report in history.reports()] == [id(first), id(second)]


def test_the_oldest_goes_first() -> None:
    """No more than the limit are kept, and the newest stay."""
    history = History(limit=3)
    for generation in range(5):
        history.add(Report(generation))
    assert [report.generation for report in history.reports()] == [2, 3, 4]


def test_ten_are_kept_by_default() -> None:
    """Without a limit given, ten reports are kept."""
    history = History()
    for generation in range(25):
        history.add(Report(generation))
    assert [report.generation for report in history.reports()] == list(range(15, 25))


def test_what_was_handed_out_does_not_change() -> None:
    """Reports that someone holds stay as they were when another is added."""
    history = History()
    history.add(Report(1))
    taken = history.reports()
    history.add(Report(2))
    assert taken == (Report(1),)


def test_a_limit_below_one_is_refused() -> None:
    """A history that keeps nothing is a mistake, and its message names the option."""
    with pytest.raises(SettingsError, match="limit=0"):
        History(limit=0)
