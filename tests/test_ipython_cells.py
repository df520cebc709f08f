"""Which names of a notebook follow: read from the text of its cells, without a shell."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from hotswap._graph._view import ImportGraph
from hotswap._model import Finding, Report
from hotswap._why import Why
from hotswap.integrations.ipython._cells import Cells
from hotswap.integrations.ipython._drawing import MOST, draw, tree
from hotswap.integrations.ipython._showing import MOST_LINES, short
from hotswap.integrations.ipython._why import explain


class Notebook:
    """Cells that run in a namespace of their own, beside a module `lib` that they import from."""

    def __init__(self) -> None:
        self.lib = ModuleType("lib")
        vars(self.lib).update(A=object(), B=object(), C=(1,), __all__=["A", "B", "C"])
        self.names: dict[str, Any] = {}
        self.cells = Cells(self.names, lambda text: text, lambda: ["lib"])
        self.count = 0

    def run(self, text: str) -> None:
        self.count += 1
        exec(text, self.names)
        self.cells.add(self.count, text)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    notebook = Notebook()
    monkeypatch.setitem(sys.modules, "lib", notebook.lib)
    return notebook


def test_an_import_stands_on_the_line_of_its_cell(notebook: Notebook) -> None:
    """Findings name a cell by its number, so cell 3 is line 3; the last import of a name counts."""
    notebook.run("from lib import A, B as b")
    notebook.run("pass")
    notebook.run("import lib, sys as system\nfrom lib import A")
    assert notebook.cells.text().splitlines() == [
        "from lib import B as b",
        "",
        "from lib import A; import lib; import sys as system",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "A = 1", "A: int = 1", "A += 1", "for A in [1]: pass", "with open(__file__) as A: pass", "del A",
        "def A(): pass", "class A: pass", "async def A(): pass", "(A := 1)", "[(A := n) for n in [1]]",
        "try: 1 / 0\nexcept ArithmeticError as A: pass", "if True:\n    A = 1", "*A, _ = [1, 2]",
        "match [1]:\n    case [A]: pass", "match [1]:\n    case [*A]: pass", "match {1: 2}:\n    case {**A}: pass",
        "match 1:\n    case _ as A: pass",
    ],
)  # fmt: skip
def test_a_name_that_a_cell_bound_is_left_alone(notebook: Notebook, text: str) -> None:
    """Each way in which Python binds or unbinds a name makes it the user's, whatever object it holds then."""
    notebook.run("A = 0")
    notebook.names["__file__"] = __file__
    notebook.run("from lib import A")
    assert "from lib import A" in notebook.cells.text()
    if text == "A += 1":
        notebook.names["A"] = 1
    notebook.run(text)
    notebook.names["A"] = notebook.lib.A
    assert "from lib import A" not in notebook.cells.text()


@pytest.mark.parametrize("text", ["[A for A in [1]]", "def f():\n    A = 1", "class K:\n    A = 1", "lambda A: 1"])
def test_a_name_of_an_inner_scope_is_another(notebook: Notebook, text: str) -> None:
    """What comprehensions, functions and classes bind inside does not concern the notebook's name."""
    notebook.run("from lib import A")
    notebook.run(text)
    assert "from lib import A" in notebook.cells.text()


def test_an_import_in_a_branch_counts_if_it_was_taken(notebook: Notebook) -> None:
    """Of two imports of one name, the one that the name holds is followed."""
    notebook.run("try:\n    from lib import A\nexcept ImportError:\n    A = None")
    notebook.run("if False:\n    from lib import B")
    assert notebook.cells.origin("B") is None


def test_a_star_import_leaves_the_users_names(notebook: Notebook) -> None:
    """What cells bound stands behind the star import, so that it is not bound anew."""
    notebook.run("from lib import *\nB = 'mine'")
    assert notebook.cells.text() == "from lib import *; B = 0"


def test_what_was_pushed_is_found_by_identity(notebook: Notebook) -> None:
    """An object under its own name in a module came from there; a small number may have come from anywhere."""
    vars(notebook.lib)["N"] = 1
    notebook.names |= {"C": notebook.lib.C, "N": 1, "_hidden": notebook.lib.A}
    assert notebook.cells.text() == "from lib import C"


def test_why_says_whose_a_name_is(notebook: Notebook) -> None:
    """A name of the notebook is explained by its cell, then as what it stands for."""

    def why(name: str) -> Why:
        return Why(name, "/lib.py", 3, ("no swap has touched it",))

    notebook.run("from lib import A as there")
    notebook.run("own = 1\nimport lib")
    assert explain("there", notebook.cells, why) == [
        "there: In[1] has it by 'from lib import A as there', so it follows lib",
        "lib:A (/lib.py:3)",
        "  no swap has touched it",
    ]
    assert explain("lib", notebook.cells, why) == ["lib: In[2] has it by 'import lib', so it follows lib"]
    assert explain("own", notebook.cells, why) == ["own: In[2] bound it, so it is yours and follows nothing"]
    assert explain("lib.C.real", notebook.cells, why)[1] == "lib:C.real (/lib.py:3)"
    assert explain("other:B", notebook.cells, why)[0] == "other:B (/lib.py:3)"


def test_a_report_takes_few_lines() -> None:
    """However much is told, eight lines are shown, the last of which says how many more there are."""
    told = tuple(Finding("HS201", "/a.py", line, "kept") for line in range(1, 20))
    shown = short(Report(1, (), told)).splitlines()
    assert len(shown) == MOST_LINES and "13 more lines" in shown[-1]


def test_the_picture_has_a_box_for_each_module() -> None:
    """Modules stand right of what they import, cycles included; a large graph shows those beside the last swap."""
    graph = ImportGraph(("a", "b", "c"), (("b", "a"), ("c", "b"), ("a", "c")), (("a", "b", "c"),), {"a": 2})
    picture = draw(graph, {"b"})
    assert picture.count("<rect") == picture.count("<path") == 3
    assert "b: 0 modules depend on it, in the last swap" in picture
    assert "b (cycle) *" in tree(graph, {"b"})
    names = tuple(f"m{number}" for number in range(3 * MOST))
    edges = tuple((one, "m200") for one in names[:5])
    picture = draw(ImportGraph(names, edges), {"m200"})
    assert picture.count("<rect") == MOST and f"{2 * MOST} more modules" in picture
    assert all(f">{name}<" in picture for name in ("m200", *names[:5]))


def test_the_shell_is_read_by_its_names() -> None:
    """A rival is known by its magic's name alone; a shell without it has none."""
    from hotswap.integrations.ipython import _rivals

    for enabled in (True, False):
        magics = SimpleNamespace(_reloader=SimpleNamespace(enabled=enabled))
        shell: Any = SimpleNamespace(magics_manager=SimpleNamespace(registry={"AutoreloadMagics": magics}))
        assert _rivals.autoreload_is_on(shell) is enabled
    shell = SimpleNamespace(magics_manager=SimpleNamespace(registry={}))
    assert not _rivals.autoreload_is_on(shell)
