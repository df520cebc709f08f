"""The finder and the proxy around each module's own loader."""

from __future__ import annotations

import importlib
import importlib.machinery
import py_compile
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

from hotswap._loader import Finder, reload_with
from hotswap._loader._baselines import Baseline, Packed, read


@pytest.fixture
def noted() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def finder(tmp_path: Path, noted: list[tuple[str, str]]) -> Iterator[Finder]:
    made = Finder(lambda name, origin: noted.append((name, origin)), lambda origin: origin.startswith(str(tmp_path)))
    sys.meta_path.insert(0, made)
    sys.path.insert(0, str(tmp_path))
    importlib.invalidate_caches()
    yield made
    sys.meta_path.remove(made)
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.startswith("ldr_")]:
        del sys.modules[name]


def test_a_module_is_noted_before_it_runs(finder: Finder, noted: list[tuple[str, str]], tmp_path: Path) -> None:
    """The name and the file of a module under the roots are noted; its loader still passes for what it is."""
    path = tmp_path / "ldr_one.py"
    path.write_text("X = 1\n", encoding="utf-8")
    module = importlib.import_module("ldr_one")
    assert noted == [("ldr_one", str(path))]
    assert isinstance(module.__loader__, importlib.machinery.SourceFileLoader)
    assert module.__loader__.get_source("ldr_one") == "X = 1\n"


def _note(name: str, origin: str) -> Baseline:
    found = read(origin)
    assert found is not None, name
    return Baseline(origin, origin, Packed(found[1]), found[0])


def test_code_comes_from_the_cache_file_or_else_from_python(finder: Finder, tmp_path: Path) -> None:
    """Who is told what has run gets the code only where no cache file has it."""
    seen = dict[str, CodeType | None]()
    finder.note, finder.seen = _note, seen.__setitem__
    for name in ("ldr_cached", "ldr_new"):
        (tmp_path / f"{name}.py").write_text("X = 1\n", encoding="utf-8")
    py_compile.compile(str(tmp_path / "ldr_cached.py"))
    modules = [importlib.import_module(name) for name in ("ldr_cached", "ldr_new")]
    assert [module.X for module in modules] == [1, 1]
    assert {name: type(code) for name, code in seen.items()} == {"ldr_cached": type(None), "ldr_new": CodeType}


def test_a_way_of_loading_that_somebody_replaced_is_kept(
    finder: Finder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever patches `SourceFileLoader.get_code` goes on being asked, cache file or not."""
    finder.note, asked, usual = _note, list[str](), importlib.machinery.SourceFileLoader.get_code
    path = tmp_path / "ldr_patched.py"
    path.write_text("X = 1\n", encoding="utf-8")
    py_compile.compile(str(path))

    def get_code(self: importlib.machinery.SourceFileLoader, fullname: str) -> CodeType | None:
        if fullname != path.stem:
            return usual(self, fullname)
        asked.append(fullname)
        return compile("X = 2\n", self.path, "exec")

    monkeypatch.setattr(importlib.machinery.SourceFileLoader, "get_code", get_code, raising=False)
    assert importlib.import_module("ldr_patched").X == 2
    assert asked == ["ldr_patched"]


def test_modules_elsewhere_keep_their_loader(finder: Finder, noted: list[tuple[str, str]]) -> None:
    """What does not lie under the roots is found as ever."""
    spec = finder.find_spec("this")
    assert spec is not None
    assert type(spec.loader) is importlib.machinery.SourceFileLoader
    assert noted == []


def test_a_failing_import_shows_no_frame_of_ours(finder: Finder, tmp_path: Path) -> None:
    """The traceback of a module that raises is the one that plain Python shows."""
    (tmp_path / "ldr_bad.py").write_text("x = 1\n1 / 0\n", encoding="utf-8")
    with pytest.raises(ZeroDivisionError) as raised:
        importlib.import_module("ldr_bad")
    files = {Path(frame.filename).name for frame in traceback.extract_tb(raised.value.__traceback__)}
    assert not {"_finder.py", "_proxied.py"} & files
    assert "ldr_bad.py" in files


def test_a_reload_runs_the_body_alone(finder: Finder, tmp_path: Path) -> None:
    """The body is run in place of the code; the module, its place and its attributes stay."""
    (tmp_path / "ldr_two.py").write_text("X = []\n", encoding="utf-8")
    module = importlib.import_module("ldr_two")
    before, attributes, order = module.X, dict(vars(module)), list(sys.modules)
    ran: list[str] = []
    reload_with(finder, module, lambda: ran.append(module.__name__))
    assert ran == ["ldr_two"]
    assert module.X is before
    assert (dict(vars(module)), list(sys.modules)) == (attributes, order)


def test_a_reload_by_the_program_runs_everything(finder: Finder, noted: list[tuple[str, str]], tmp_path: Path) -> None:
    """`importlib.reload` by somebody else runs the whole module, and its text is noted anew."""
    (tmp_path / "ldr_three.py").write_text("X = []\n", encoding="utf-8")
    module = importlib.import_module("ldr_three")
    before = module.X
    assert importlib.reload(module).X is not before
    assert len(noted) == 2
