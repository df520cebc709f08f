"""A swap that fails, wherever it fails, leaves everything as it was, and succeeds once the fault is gone.

Here one fault is tried for one in ten saves of the scenarios, others on each version of Python.
``HOTSWAP_FAULTS=40 pytest tests/test_faults.py`` tries forty, over ten thousand in all; ``python tests/faults.py`` does
so outside of pytest and tells more.
"""

from __future__ import annotations

import os
from pathlib import Path

import faults
import pytest

from hotswap._run._journal import Journal, restorer
from scenario import FOLDER

EACH = float(os.environ.get("HOTSWAP_FAULTS", "0.1"))
FILES = sorted(path.stem for path in FOLDER.glob("*.md") if path.name != "README.md")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each fault needs a fork")
@pytest.mark.parametrize("name", FILES)
def test_a_fault_anywhere_leaves_nothing_behind(name: str) -> None:
    """After an exception at any operation, statement or line of a swap all is as before, and a retry succeeds."""
    results = list(faults.run(faults.scenarios(f"^{name}/"), EACH))
    bad = [f"{one.scenario} {one.place}: {one.differences} {one.failure}" for one in results if not one.good]
    assert not bad, "\n".join(bad)


def test_the_order_of_a_namespace_comes_back() -> None:
    """A name that a swap took away and gives back stands where it stood."""
    namespace = {"a": 1, "b": 2, "c": 3}
    journal = Journal()
    journal.del_item(namespace, "a")
    journal.set_item(namespace, "d", 4)
    journal.del_item(namespace, "b")
    journal.commit()
    assert list(namespace) == ["c", "d"]
    journal.undo()
    assert list(namespace.items()) == [("a", 1), ("b", 2), ("c", 3)]


def test_an_attribute_of_the_class_is_not_left_on_its_object() -> None:
    """What an object only has from its class is taken back by removing what was set on the object."""

    class Thing:
        size = 1

    thing, journal = Thing(), Journal()
    journal.set_attribute(thing, "size", 2)
    journal.commit()
    journal.undo()
    assert vars(thing) == {}


def test_one_inverse_that_fails_does_not_stop_the_others() -> None:
    """Everything that can be taken back is, whatever is raised on the way."""
    done: list[int] = []
    journal = Journal()
    journal.note(lambda: done.append(1))
    journal.note(lambda: 1 / 0)
    journal.note(lambda: done.append(2))
    with pytest.raises(ExceptionGroup):
        journal.undo()
    assert done == [2, 1]


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, {1, 2}])
def test_containers_are_put_back(value: object) -> None:
    """A noted container has its old content again, and is the same object."""
    before = type(value)(value)  # type: ignore[call-arg]
    put_back = restorer(value)
    value.clear()  # type: ignore[attr-defined]
    put_back()
    assert value == before


def test_results_tell_where(tmp_path: Path) -> None:
    """A run tells of each fault which scenario, which save and which point it was."""
    (one, *_) = faults.run(faults.scenarios("^failures/a-raising-statement-is-tried-again"), 3)
    assert one.scenario == "failures/a-raising-statement-is-tried-again"
    assert one.sort in faults.SORTS
    assert one.good
