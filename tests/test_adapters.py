"""Adapters of other packages: found by their entry points, without asking `importlib.metadata` where there are none."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hotswap._apply._adapter import _Found, _of_others

GROUPS = {
    "[hotswap.adapters]\nthing = thing_hotswap:ADAPTER\n": {"thing": "thing_hotswap:ADAPTER"},
    "[console_scripts]\nthing = thing:main\n": {},
}


@pytest.mark.parametrize("text", GROUPS)
def test_an_installed_adapter_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A package says in its metadata which library it has an adapter for."""
    folder = tmp_path / "thing-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n", encoding="utf-8")
    (folder / "entry_points.txt").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = _of_others()
    assert {name: value for name, value in found.items() if name == "thing"} == GROUPS[text]


def test_where_none_is_installed_the_metadata_are_not_imported() -> None:
    """They take 40 ms, in the middle of a program's first swap."""
    code = """
import sys
from hotswap._apply._adapter import _Found, _of_others
sys.path[:] = [one for one in sys.path if "packages" not in one]
print(_of_others(), "importlib.metadata" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "{} False"


def test_two_threads_that_ask_load_an_adapter_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that comes while the other loads it waits, and has it then."""
    begun, go_on, asks = threading.Event(), threading.Event(), threading.Event()
    loaded: list[str] = []

    def load(self: _Found, value: str) -> None:
        begun.set()
        assert go_on.wait(30)
        loaded.append(value)

    monkeypatch.setattr(_Found, "_load", load)
    found = _Found()
    found._waiting = {"sys": "hotswap.adapters.sys:ADAPTER"}
    seen: list[int] = []

    def ask() -> None:
        if begun.is_set():
            asks.set()
        found.all()
        seen.append(len(loaded))

    first, second = threading.Thread(target=ask), threading.Thread(target=ask)
    first.start()
    assert begun.wait(30)
    second.start()
    assert asks.wait(30)
    go_on.set()
    first.join()
    second.join()
    assert loaded == ["hotswap.adapters.sys:ADAPTER"]
    assert seen == [1, 1]
