"""The import graph as a value and as text, from live modules and from files."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from hotswap._errors import TargetError
from hotswap._graph._view import build, of_files

TEXTS = {
    "base": "X = 1\n",
    "left": "from base import X\n",
    "right": "import base\n",
    "top": "from left import X\nimport right\n\ndef f():\n    import late\n",
    "late": "import top\n",
    "ping": "import pong\nimport base\n",
    "pong": "import ping\n",
}


@pytest.fixture
def sources() -> dict[str, tuple[str, str]]:
    return {name: (text, "") for name, text in TEXTS.items()}


def test_a_graph_says_who_imports_whom(sources: dict[str, tuple[str, str]]) -> None:
    """Edges go both ways, what is imported comes first, and an import in a function makes no cycle."""
    graph = build(sources)
    assert graph.imports("top") == ("late", "left", "right")
    assert set(graph.importers("base")) == {"left", "right", "ping"}
    assert graph.cycles == (("ping", "pong"),)
    assert graph.modules.index("base") < graph.modules.index("left") < graph.modules.index("top")
    assert graph.dependents["base"] == 6
    assert graph.hottest[0] == "base"


def test_a_tree_marks_cycles_and_hot_modules(sources: dict[str, tuple[str, str]]) -> None:
    """The tree shows each subtree once, and names cycles and the modules on which most others depend."""
    tree = build(sources).tree()
    assert "  ping (cycle) ..." in tree or "ping (cycle)" in tree
    assert "cycle: ping -> pong -> ping" in tree
    assert "hot: base (6 modules depend on it)" in tree
    assert str(build({})) == "no modules"


def test_other_tools_can_draw_it(sources: dict[str, tuple[str, str]]) -> None:
    """Mermaid and Graphviz get each module and each edge, cycles and hot modules marked."""
    graph = build(sources)
    number = {name: f"m{index}" for index, name in enumerate(graph.modules)}
    mermaid, dot = graph.mermaid(), graph.dot()
    assert f"  {number['left']} --> {number['base']}" in mermaid
    assert f"  class {number['ping']} cycle" in mermaid
    assert '  "left" -> "base";' in dot
    assert '  "pong" [color=red' in dot


def test_a_picture_has_everything(sources: dict[str, tuple[str, str]]) -> None:
    """The picture has a box for each module and a line for each edge; importers stand right of what they import."""
    graph = build(sources)
    root = ElementTree.fromstring(graph.svg())
    space = "{http://www.w3.org/2000/svg}"
    boxes = {one.find(f"{space}text").text: one.find(f"{space}rect") for one in root.iter(f"{space}g")}
    assert set(boxes) == set(graph.modules)
    lines = [one for one in root.iter(f"{space}path") if one.get("marker-end")]
    assert len(lines) == len(graph.edges)
    assert {name for name, box in boxes.items() if "cycle" in (box.get("class") or "")} == {"ping", "pong"}
    assert {name for name, box in boxes.items() if "hot" in (box.get("class") or "")} == set(graph.hottest)
    left = {name: float(box.get("x")) for name, box in boxes.items()}
    assert left["base"] < left["left"] == left["right"] < left["top"]
    assert left["ping"] == left["pong"]
    assert ElementTree.fromstring(build({}).svg()) is not None


def test_an_import_that_no_text_shows(sources: dict[str, tuple[str, str]]) -> None:
    """Modules that are held by name, as by `importlib`, are edges too."""
    assert "late" in build(sources, {"base": ["late"]}).imports("base")


def test_files_are_read_and_nothing_is_imported(tmp_path: Path) -> None:
    """A package is found by its name or as a folder; its relative imports are resolved."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("from .prices import RATE\n", encoding="utf-8")
    (package / "prices.py").write_text("RATE = 1\nraise RuntimeError\n", encoding="utf-8")
    (package / "broken.py").write_text("from .prices import (\n", encoding="utf-8")
    graph = of_files("shop", str(tmp_path))
    assert set(graph.modules) == {"shop", "shop.prices", "shop.broken"}
    assert graph.imports("shop") == ("shop.prices",)
    assert set(of_files("", str(tmp_path)).modules) == set(of_files(str(tmp_path), "/").modules) == set(graph.modules)
    with pytest.raises(TargetError, match="nowhere"):
        of_files("nowhere", str(tmp_path))
