"""Every write with its inverse."""

from __future__ import annotations

import sys
from functools import partial

import pytest

from hotswap._run._journal import Journal


class Meta(type):
    """A metaclass that refuses assignments: the journal's writes do not ask it."""

    def __setattr__(cls, name: str, value: object) -> None:
        raise AssertionError(name)


def test_nothing_happens_before_the_commit() -> None:
    """A recorded write waits until the wave is set."""
    journal, names = Journal(), {"a": 1}
    journal.set_item(names, "a", 2)
    assert names == {"a": 1}
    journal.commit()
    assert names == {"a": 2}


def test_undo_takes_all_waves_back() -> None:
    """What was set, added and removed, in any wave, is as it was, also the order of a dictionary."""
    journal, names = Journal(), {"a": 1, "b": 2, "c": 3}
    journal.set_item(names, "a", 10)
    journal.set_item(names, "d", 4)
    journal.commit()
    journal.del_item(names, "b")
    journal.set_item(names, "a", 11)
    journal.commit()
    assert names == {"a": 11, "c": 3, "d": 4}
    journal.undo()
    assert list(names.items()) == [("a", 1), ("b", 2), ("c", 3)]


def test_attributes_and_members() -> None:
    """Attributes of functions and raw members of classes are set and restored, past any metaclass."""

    def function() -> None:
        """Old."""

    cls = Meta("C", (), {"x": 1})
    journal = Journal()
    journal.set_attribute(function, "__doc__", "New.")
    journal.set_attribute(function, "mark", 1)
    journal.set_member(cls, "x", 2)
    journal.set_member(cls, "y", 3)
    journal.commit()
    assert (function.__doc__, vars(function), cls.x, cls.y) == ("New.", {"mark": 1}, 2, 3)  # type: ignore[attr-defined]
    journal.undo()
    assert (function.__doc__, vars(function), cls.x) == ("Old.", {}, 1)  # type: ignore[attr-defined]
    assert "y" not in vars(cls)


def test_a_failure_in_the_middle_is_taken_back() -> None:
    """If an operation of a wave raises, undo restores what the operations before it did."""
    journal, names = Journal(), {"a": 1, "b": 2}
    journal.set_item(names, "a", 10)
    journal.do(partial(divmod, 1, 0), lambda: None)
    journal.set_item(names, "b", 20)
    with pytest.raises(ZeroDivisionError):
        journal.commit()
    journal.undo()
    assert names == {"a": 1, "b": 2}


def test_one_inverse_that_fails_does_not_keep_the_others() -> None:
    """All inverses are tried; what failed is told afterwards."""
    journal, names = Journal(), {"a": 1}
    journal.set_item(names, "a", 2)
    journal.do(lambda: None, partial(divmod, 1, 0))
    journal.commit()
    with pytest.raises(ExceptionGroup):
        journal.undo()
    assert names == {"a": 1}


@pytest.mark.skipif(sys.flags.optimize > 1, reason="there are no docstrings")
def test_a_wave_is_counted_once_and_only_if_there_is_one() -> None:
    """An empty wave is none."""
    journal = Journal()
    journal.commit()
    journal.set_item({}, "a", 1)
    journal.commit()
    assert journal.commits == 1
