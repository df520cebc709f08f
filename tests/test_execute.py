"""Stage 9: running chosen statements with their stores buffered."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from hotswap._errors import StatementError
from hotswap._run._execute import Layer, Stores, run


def execute(text: str, names: dict[str, Any], stores: Stores) -> Layer:
    layer = Layer({}, stores)
    run(compile(text, "mod.py", "exec"), names, layer, "mod.py", 1)
    return layer


def test_stores_are_not_seen_in_the_module() -> None:
    """What a statement binds stays aside; functions that it makes have the module's own dictionary as globals."""
    names: dict[str, Any] = {"A": 1}
    made = execute("B = A + 1\ndef f(): return A", names, Stores(names))
    assert set(names) == {"A", "__builtins__"}
    assert (made["B"], made["f"]()) == (2, 1)
    assert made["f"].__globals__ is names


def test_reads_see_what_waits() -> None:
    """A name that an earlier statement of the wave bound is read from there, a deleted one is gone."""
    names: dict[str, Any] = {"A": 1, "B": 2}
    stores = Stores(names)
    stores["A"] = 10
    del stores["B"]
    assert execute("C = A", names, stores)["C"] == 10
    assert (list(stores), list(stores.gone)) == (["A"], ["B"])


def test_deletions_are_recorded() -> None:
    """`del` of a name of the module is noted, not done."""
    names: dict[str, Any] = {"A": 1}
    made = execute("del A", names, Stores(names))
    assert list(made.gone) == ["A"]
    assert names["A"] == 1


@pytest.mark.parametrize("text", ["1 / 0", "raise SystemExit(3)", "raise KeyboardInterrupt"])
def test_whatever_a_statement_raises_is_caught(text: str) -> None:
    """The error says the user's line, and its traceback begins in the user's file."""
    names: dict[str, Any] = {}
    with pytest.raises(StatementError) as raised:
        execute(f"x = 1\n{text}\n", names, Stores(names))
    assert (raised.value.path, raised.value.lineno) == ("mod.py", 2)
    frames = traceback.extract_tb(raised.value.error.__traceback__)
    assert [frame.filename for frame in frames] == ["mod.py"]
