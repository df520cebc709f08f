"""The extension in a real kernel, cell by cell as a notebook sends them. Skipped where there is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("ipykernel")
pytest.importorskip("jupyter_client")

from notebook import Kernel, Shown

MODEL = """\
RATE = 0.5


class Model:
    def predict(self):
        return "old"


def fit(x):
    return x * RATE
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    kernel = Kernel(tmp_path_factory.mktemp("notebook"))
    kernel.run("%load_ext hotswap")
    yield kernel
    kernel.stop()


def said(shown: Shown) -> str:
    return "\n".join(shown.displayed)


def test_a_cell_right_behind_the_save_runs_the_new_code(kernel: Kernel) -> None:
    """Names taken by `from` and `as`, constants and kept objects are what the file says, the first time."""
    kernel.write("first", MODEL)
    kernel.run("from first import RATE, Model, fit as learn\nkept = Model()")
    assert kernel.run("RATE, learn(2), kept.predict()").value == "(0.5, 1.0, 'old')"
    kernel.write("first", MODEL.replace("0.5", "0.75").replace('"old"', '"new"'))
    shown = kernel.run("RATE, learn(2), kept.predict(), type(kept) is Model")
    assert shown.value == "(0.75, 1.5, 'new', True)"
    assert len(shown.displayed) == 1 and said(shown).startswith(
        "hotswap: first - RATE, Model.predict; __main__ - RATE ("
    )
    assert "<details" in shown.html[0]


def test_nothing_is_said_when_nothing_happened(kernel: Kernel) -> None:
    """A cell without a save before it shows what it would without the extension."""
    assert kernel.run("6 * 7") == Shown(value="42")


def test_a_name_that_the_user_bound_is_theirs(kernel: Kernel) -> None:
    """Bound to another value, or to an equal one: a name that a later cell assigned is left alone."""
    kernel.write("mine", "A = 1\nB = 1\nC = 1\n")
    kernel.run("from mine import A, B, C")
    kernel.run("A = 42\nfor B in [1]: pass")
    kernel.write("mine", "A = 2\nB = 2\nC = 2\n")
    assert kernel.run("A, B, C").value == "(42, 1, 2)"


def test_star_imports_follow(kernel: Kernel) -> None:
    """Names that enter `*` appear, values follow, and what a cell bound itself stays."""
    kernel.write("starry", "__all__ = ['P', 'Q']\nP = 1\nQ = 1\n")
    kernel.run("from starry import *\nQ = 'mine'")
    kernel.write("starry", "__all__ = ['P', 'Q', 'R']\nP = 2\nQ = 2\nR = 2\n")
    assert kernel.run("P, Q, R").value == "(2, 'mine', 2)"


def test_a_syntax_error_is_short_and_told_once(kernel: Kernel) -> None:
    """File, line and caret in at most eight lines; the cell runs with the old code; then a mark until it is mended."""
    kernel.write("broken", "def f():\n    return 1\n")
    kernel.run("import broken")
    kernel.write("broken", "def f():\n    return (1\n")
    first, second = kernel.run("broken.f()"), kernel.run("broken.f()")
    assert first.value == second.value == "1"
    assert "broken.py:2" in first.displayed[0] and "^" in first.displayed[0]
    assert len(first.displayed[0].splitlines()) <= 8
    assert second.displayed == first.displayed[1:] == ["hotswap: not live: broken.py:2 (the old code runs)"]
    kernel.write("broken", "def f():\n    return 2\n")
    mended = kernel.run("broken.f()")
    assert mended.value == "2" and len(mended.displayed) == 1
