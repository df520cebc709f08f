"""What all tests share: which copy of hotswap is tested is said at the top of each run; a project to edit."""

from __future__ import annotations

import errno
import importlib
import itertools
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from saved import Project

import hotswap
from hotswap import Reloader

_numbers = itertools.count()


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs that tests start: a shell has what it starts in the background ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    """Name the folder of the package under test: with an editable install it is the checkout's."""
    return f"hotswap: {Path(next(iter(hotswap.__path__)))}"


class Files:
    """A folder with modules of names that no other test has."""

    def __init__(self, root: Path) -> None:
        self.root, self.number = root, next(_numbers)
        root.mkdir(exist_ok=True)
        sys.path.insert(0, str(root))

    def name(self, stem: str) -> str:
        return f"{stem}_r{self.number}"

    def path(self, stem: str) -> Path:
        return self.root / f"{self.name(stem)}.py"

    def write(self, stem: str, text: str) -> None:
        self.path(stem).write_text(text.replace("NUMBER", str(self.number)), encoding="utf-8")

    def load(self, stem: str) -> ModuleType:
        importlib.invalidate_caches()
        return importlib.import_module(self.name(stem))


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    """A project whose folder is on `sys.path`, and whose modules go with the test."""
    made = Files(tmp_path / "project")
    yield made
    sys.path.remove(str(made.root))
    for name in [name for name in sys.modules if name.endswith(f"_r{made.number}")]:
        del sys.modules[name]


@pytest.fixture
def reloader(files: Files) -> Iterator[Reloader]:
    """A reloader over `files` that applies what `reload` finds."""
    with Reloader(files.root, apply="manual") as made:
        yield made


@pytest.fixture
def live_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder on `sys.path` that the reloader of the process looks after."""
    sys.path.insert(0, str(tmp_path))
    reloader = hotswap.watch(tmp_path, apply="manual")
    yield tmp_path
    reloader.stop()
    sys.path.remove(str(tmp_path))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A module in a folder that is watched."""
    made = Project(tmp_path)
    monkeypatch.syspath_prepend(str(made.root))
    monkeypatch.setitem(sys.modules, "saves_seen", made.seen)
    importlib.invalidate_caches()
    importlib.import_module(made.name)
    yield made
    del sys.modules[made.name]


def refuse(*_: Any) -> Any:
    raise OSError(errno.EMFILE, "inotify instance limit reached")


@pytest.fixture(params=["inotify", "watchdog", "polling"])
def means(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How saves are noticed: as on Linux, as elsewhere, and where nothing tells of them."""
    if request.param == "inotify" and sys.platform != "linux":
        pytest.skip("inotify is Linux's")
    if request.param != "inotify":
        monkeypatch.setattr("hotswap._watch._watcher._HAS_INOTIFY", False)
    if request.param == "polling":
        monkeypatch.setattr("hotswap._watch._observed.Observed", refuse)
        monkeypatch.setattr("hotswap._watch._polled.EVERY", 0.02)
    return str(request.param)
