"""What a save brings: the statements of new modules of the program are looked at, those of libraries are not."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from hotswap._plan._coming import Coming
from hotswap._text._source import read


def _written(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_library_that_is_imported_for_the_first_time_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module beside the program's own is gone through, with what it imports in turn; a library is not, nor twice."""
    _written(tmp_path / "ours", {"coming_main.py": "", "coming_shop/__init__.py": "from . import coats\n"})
    _written(tmp_path / "ours", {"coming_shop/coats.py": "PRICE = 3\n"})
    _written(tmp_path / "library", {"coming_lib/__init__.py": "from . import deep\n", "coming_lib/deep.py": "X = 1\n"})
    monkeypatch.syspath_prepend(tmp_path / "library")
    monkeypatch.syspath_prepend(tmp_path / "ours")
    importlib.import_module("coming_main")
    text = read(b"import coming_lib\nimport coming_shop.coats\nimport coming_shop\n", "coming_main", "coming_main.py")
    coming = Coming({"coming_main"})
    found = [statement for one in text.statements for statement, _ in coming.of("coming_main", one)]
    assert [statement.binds for statement in found] == [("PRICE",), ("coats",)]
    del sys.modules["coming_main"]
