"""What is live: texts, kept small, and the snapshots of those that were edited last."""

from __future__ import annotations

import pytest

from hotswap._loader._baselines import Baseline, Baselines, pack
from hotswap._loader._recent import Recent
from hotswap._text._source import read


@pytest.mark.parametrize("source", [b"", b"X = 1\n", b"z = 1\n", b"x = 1\n" * 2000], ids=["empty", "small", "z", "big"])
def test_a_text_comes_back_as_it_was(source: bytes) -> None:
    """Packing keeps every byte."""
    assert Baseline("m.py", "m.py", pack(source), None).source == source


def test_big_texts_are_kept_small() -> None:
    """A text of more than a few KiB is compressed."""
    source = b"def f(x):\n    return x\n" * 1000
    assert len(pack(source)) < len(source) / 3


def test_a_module_has_one_baseline() -> None:
    """The newest note counts, until the module is forgotten."""
    baselines = Baselines()
    for text in (b"1", b"2"):
        baselines.note("m", Baseline("m.py", "m.py", pack(text), None))
    held = baselines.get("m")
    assert held is not None
    assert held.source == b"2"
    baselines.forget("m")
    assert "m" not in baselines


def test_few_snapshots_are_kept() -> None:
    """A module's newest snapshot is kept in place of the one before; many lines push the oldest out."""
    recent, small = Recent(), read("X = 1\n", "a", "a.py")
    recent.keep("a", b"1", small)
    recent.keep("a", b"2", small)
    assert (recent.get("a", b"1"), recent.get("a", b"2")) == (None, small)
    big = read("X = 1\n" * 9_999, "b", "b.py")
    recent.keep("b", b"3", big)
    recent.keep("c", b"4", read("X = 1\n" * 5_000, "c", "c.py"))
    assert recent.get("a", b"2") is None
    assert recent.get("b", b"3") is None
    assert recent.get("c", b"4") is not None
