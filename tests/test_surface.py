"""The public surface: what the text of the package says is what there is at run time, and what the docs describe."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import hotswap

INIT = Path(hotswap.__file__)
IPYTHON = {"load_ipython_extension", "unload_ipython_extension"}
LEAVES_OUT = {"TYPE_CHECKING", "annotations"}
TREE = ast.parse(INIT.read_text(encoding="utf-8"))
API = INIT.parent.parent / "docs" / "reference" / "api.md"


def _static_all() -> list[str]:
    """Return `__all__` as a reader of the text, and so a type checker, sees it."""
    (value,) = [
        node.value
        for node in TREE.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and "__all__" in ast.unparse(node).split(" =")[0]
    ]
    assert value is not None
    names = ast.literal_eval(value)
    return list(names)


def _imports() -> list[ast.ImportFrom]:
    """Return the imports that type checkers read; at run time names are imported when they are asked for."""
    checked = next(node for node in TREE.body if isinstance(node, ast.If))
    return [node for node in checked.body if isinstance(node, ast.ImportFrom)]


def _bound_by_imports() -> set[str]:
    return {alias.asname or alias.name for node in _imports() for alias in node.names}


def test_the_text_says_what_there_is() -> None:
    """The literal `__all__` is the `__all__` at run time, without doubles, and each name exists."""
    names = _static_all()
    assert names == list(hotswap.__all__)
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(hotswap, name)] == []


def test_nothing_public_is_left_out() -> None:
    """Each public name of the package is in `__all__`, but for its modules."""
    public = {name for name in dir(hotswap) if not name.startswith("_") and name not in LEAVES_OUT}
    modules = {name for name in public if isinstance(getattr(hotswap, name), ModuleType)}
    assert public - modules - IPYTHON == {name for name in _static_all() if not name.startswith("_")}


def test_the_package_only_re_exports() -> None:
    """What `__init__` has of its own is for IPython: names are imported from underscored rooms, those that it says."""
    own = {node.name for node in TREE.body if isinstance(node, ast.FunctionDef)}
    assert own == IPYTHON | {"__getattr__", "__dir__"}
    assert {node.module for node in _imports() if not (node.module or "").startswith("hotswap._")} == set()
    assert {name for name in _static_all() if not name.startswith("_")} <= _bound_by_imports()
    for node in _imports():
        for alias in node.names:
            assert getattr(hotswap, alias.name) is getattr(import_module(node.module or ""), alias.name)


def test_importing_it_imports_nothing_else() -> None:
    """The package itself costs next to nothing; what it needs comes when it is asked for."""
    code = "import sys, hotswap; print([name for name in sys.modules if name.startswith(('hotswap.', 'watchdog'))])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


@pytest.mark.parametrize("name", [name for name in hotswap.__all__ if not name.startswith("_")])
def test_each_public_name_is_described(name: str) -> None:
    """Each public name has a docstring of its own and stands in the reference."""
    thing = getattr(hotswap, name)
    assert thing.__doc__
    assert not isinstance(thing, type) or thing.__doc__ is not next(iter(thing.__bases__)).__doc__
    assert f"`{name}`" in (text := API.read_text(encoding="utf-8")) or f"`{name}(" in text


def test_types_are_shipped() -> None:
    """The marker that tells type checkers to read our annotations lies in the package."""
    assert (INIT.parent / "py.typed").is_file()
