"""From changed paths to modules."""

from __future__ import annotations

import importlib.util
import os
import stat
import sys
import zipfile
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import wrapt

import hotswap._modules
from hotswap._modules import Entry, ModuleIndex, is_source, package_of, signature
from hotswap._settings import Settings


def module(name: str, file: object = None, **attributes: Any) -> ModuleType:
    """Return a module that looks loaded from `file`."""
    made = ModuleType(name)
    made.__dict__.update({"__file__": str(file) if isinstance(file, Path) else file, **attributes})
    return made


def named(*modules: ModuleType) -> dict[str, object]:
    """Return what ``sys.modules`` would be with `modules`."""
    return {made.__name__: made for made in modules}


def index(*roots: Path, exclude: tuple[str, ...] = ()) -> ModuleIndex:
    """Return an index over `roots`."""
    return ModuleIndex(Settings(tuple(map(str, roots)), exclude=exclude))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with two source files, by its real path."""
    folder = tmp_path.resolve() / "app"
    (folder / "pkg").mkdir(parents=True)
    for name in ("a.py", "b.py", "pkg/__init__.py", "pkg/c.py"):
        (folder / name).touch()
    return folder


def test_modules_below_a_root_are_found(root: Path) -> None:
    """Files of loaded modules lead to the modules, in the order in which those were loaded."""
    modules = named(module("b", root / "b.py"), module("sys"), module("pkg", root / "pkg" / "__init__.py"))
    modules |= named(module("far", root.parent / "far.py"), module("a", root / "a.py"))
    found = index(root).loaded(modules)
    assert list(found.items()) == [
        (str(root / "b.py"), ("b",)),
        (str(root / "pkg" / "__init__.py"), ("pkg",)),
        (str(root / "a.py"), ("a",)),
    ]


def test_find_follows_the_order_of_loading(root: Path) -> None:
    """Whatever the order of the paths, the names come in the order of loading; other paths give nothing."""
    modules = named(module("b", root / "b.py"), module("pkg.c", root / "pkg" / "c.py"), module("a", root / "a.py"))
    paths = [root / "a.py", root / "README.md", root / "b.py", root / "pkg" / "gone.py"]
    assert index(root).find(map(str, paths), modules) == ("b", "a")


def test_excluded_files_are_left_out(root: Path) -> None:
    """Modules that the patterns exclude are not the program's own."""
    modules = named(module("a", root / "a.py"), module("pkg.c", root / "pkg" / "c.py"))
    assert index(root, exclude=("pkg",)).find([str(root / "pkg" / "c.py"), str(root / "a.py")], modules) == ("a",)


def test_one_file_under_two_names(root: Path) -> None:
    """A file that was imported twice stands for both modules, a script that imports itself too."""
    modules = named(module("__main__", root / "a.py"), module("a", root / "a.py"), module("lib.a", root / "a.py"))
    assert index(root).loaded(modules) == {str(root / "a.py"): ("__main__", "a", "lib.a")}


def test_one_module_under_two_names(root: Path) -> None:
    """A module object that stands in sys.modules twice is one module, under its own name."""
    made = module("pkg.c", root / "pkg" / "c.py")
    assert index(root).find([str(root / "pkg" / "c.py")], {"old": made, "pkg.c": made, "new": made}) == ("pkg.c",)
    assert index(root).find([str(root / "pkg" / "c.py")], {"x": made, "y": made}) == ("x",)


@pytest.mark.parametrize("file", ["bot", "bot.py", "bot.script"])
def test_a_script_may_have_any_name(root: Path, file: str) -> None:
    """The file of ``__main__`` counts without a suffix for source, too."""
    (root / file).touch()
    assert index(root).loaded(named(module("__main__", root / file))) == {str(root / file): ("__main__",)}


def test_a_source_loader_may_load_any_name(root: Path) -> None:
    """A plugin loaded by hand from a file with another suffix is source all the same."""
    loader = SourceFileLoader("plugin", str(root / "plugin.conf"))
    modules = named(module("plugin", root / "plugin.conf", __loader__=loader), module("data", root / "data.conf"))
    assert index(root).loaded(modules) == {str(root / "plugin.conf"): ("plugin",)}


@pytest.mark.parametrize("name", ["__main__", "x"])
@pytest.mark.parametrize("file", ["x.pyc", "x" + hotswap._modules._NO_SOURCE[-1]])
def test_modules_without_source_are_left_out(root: Path, name: str, file: str) -> None:
    """Bytecode without source and extensions have no text to swap."""
    loader = SourceFileLoader(name, str(root / file))
    assert index(root).entries(named(module(name, root / file, __loader__=loader))) == ()


def test_modules_in_archives_are_left_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module in a zip file has no file of its own that could change."""
    with zipfile.ZipFile(root / "lib.zip", "w") as archive:
        archive.writestr("zipped_for_test.py", "X = 1\n")
    monkeypatch.syspath_prepend(str(root / "lib.zip"))
    made = importlib.import_module("zipped_for_test")
    monkeypatch.delitem(sys.modules, "zipped_for_test")
    assert made.__file__ is not None
    assert made.__file__.startswith(str(root))
    assert index(root).entries(named(made)) == ()


def test_namespace_packages_are_left_out(root: Path) -> None:
    """A package without a file has nothing to swap; what lies in it has."""
    spec = ModuleSpec("pkg", None, is_package=True)
    modules = named(module("pkg", None, __spec__=spec), module("pkg.c", root / "pkg" / "c.py"))
    assert [entry.name for entry in index(root).entries(modules)] == ["pkg.c"]


def test_the_spec_stands_in_for_a_missing_file(root: Path) -> None:
    """A module whose ``__file__`` is gone or no text is found by the origin of its spec."""
    spec = importlib.util.spec_from_file_location("a", root / "a.py")
    odd = module("b", object(), __spec__=importlib.util.spec_from_file_location("b", root / "b.py"))
    bare = module("a", None, __spec__=spec)
    del bare.__file__
    assert index(root).find([str(root / "a.py"), str(root / "b.py")], named(bare, odd)) == ("a", "b")


def test_hotswap_itself_is_left_out() -> None:
    """Work on hotswap's own checkout never patches the hotswap that runs."""
    folder = Path(hotswap._modules.__file__).parent
    assert index(folder).entries({"hotswap._modules": hotswap._modules}) == ()
    assert [entry.name for entry in index(folder).entries(named(module("hotswapped", folder / "x.py")))]


def test_lazy_modules_are_not_loaded_by_looking(root: Path) -> None:
    """A lazy module is left out until it has run, and looking at it does not run it."""
    (root / "a.py").write_text("X = 1\n")
    loader = importlib.util.LazyLoader(SourceFileLoader("a", str(root / "a.py")))
    spec = importlib.util.spec_from_file_location("a", root / "a.py", loader=loader)
    assert spec is not None
    lazy = importlib.util.module_from_spec(spec)
    loader.exec_module(lazy)
    looked = index(root)
    assert looked.entries({"a": lazy}) == ()
    assert "X" not in object.__getattribute__(lazy, "__dict__")
    assert lazy.X == 1
    assert [entry.name for entry in looked.entries({"a": lazy})] == ["a"]


class Touchy(ModuleType):
    """A module that cannot be looked at without an exception."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class Stranger:
    """What some programs put into sys.modules in place of a module."""

    __file__ = "stranger.py"

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_no_code_of_the_program_runs(root: Path) -> None:
    """Modules that raise when touched are found all the same; what is no module is passed over, proxies unresolved."""
    touchy = Touchy("a")
    ModuleType.__dict__["__dict__"].__get__(touchy)["__file__"] = str(root / "a.py")
    unresolved = wrapt.LazyObjectProxy(lambda: pytest.fail("was resolved"))
    modules: dict[str, Any] = {"none": None, "x": Stranger(), "a": touchy, "lazy": unresolved}
    assert [entry.name for entry in index(root).entries(modules)] == ["a"]


def test_linked_root(root: Path) -> None:
    """With a root given through a link, files are found by either spelling, whichever the module has."""
    link = root.parent / "link"
    link.symlink_to(root)
    modules = named(module("a", root / "a.py"), module("b", link / "b.py"))
    for paths in (root / "a.py", root / "b.py"), (link / "a.py", link / "b.py"):
        assert index(link).find(map(str, paths), modules) == ("a", "b")
        assert index(root).find(map(str, paths), modules) == ("a", "b")


def test_linked_file(root: Path) -> None:
    """A file that is a link in the root to one elsewhere is found by both, and so is a link elsewhere to one in it."""
    outside = root.parent / "outside.py"
    outside.touch()
    (root / "in.py").symlink_to(outside)
    (root.parent / "out.py").symlink_to(root / "b.py")
    modules = named(module("in", root / "in.py"), module("out", root.parent / "out.py"))
    looked = index(root)
    assert looked.loaded(modules) == {str(outside): ("in",), str(root / "b.py"): ("out",)}
    assert looked.find([str(root / "in.py")], modules) == looked.find([str(outside)], modules) == ("in",)
    assert looked.find([str(root / "b.py")], modules) == ("out",)


def test_files_that_are_gone_are_found(root: Path) -> None:
    """A path that was deleted still leads to the module that was loaded from it, a link's too."""
    (root / "link.py").symlink_to(root / "a.py")
    modules = named(module("b", root / "b.py"), module("link", root / "link.py"))
    looked = index(root)
    assert looked.loaded(modules)
    (root / "b.py").unlink()
    (root / "link.py").unlink()
    assert looked.find([str(root / "b.py"), str(root / "link.py")], modules) == ("b", "link")


def test_a_link_pointed_elsewhere_is_resolved_again(root: Path) -> None:
    """A link among the changed paths, as after a deployment, makes the index look at links anew."""
    current = root / "current"
    current.symlink_to("pkg")
    (root / "next").mkdir()
    (root / "next" / "c.py").touch()
    modules = named(module("c", current / "c.py"))
    looked = index(root)
    assert list(looked.loaded(modules)) == [str(root / "pkg" / "c.py")]
    current.unlink()
    current.symlink_to("next")
    looked.find([str(current)], modules)
    assert list(looked.loaded(modules)) == [str(root / "next" / "c.py")]


def test_what_was_found_is_remembered(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look asks the file system nothing."""
    modules = named(module("a", root / "a.py"), module("b", root / "b.py"), module("far", root.parent / "far.py"))
    looked = index(root)
    first = looked.entries(modules)
    monkeypatch.setattr(os.path, "realpath", lambda path: pytest.fail("asked again"))
    monkeypatch.setattr(os.path, "islink", lambda path: pytest.fail("asked again"))
    assert looked.entries(modules) == first
    assert len(first) == 2


def test_a_name_that_is_loaded_from_another_file_is_seen(root: Path) -> None:
    """A module that became a package is found by its new file, and one that left sys.modules no more."""
    looked = index(root)
    assert looked.loaded(named(module("pkg", root / "a.py"))) == {str(root / "a.py"): ("pkg",)}
    moved = named(module("pkg", root / "pkg" / "__init__.py"))
    assert looked.loaded(moved) == {str(root / "pkg" / "__init__.py"): ("pkg",)}
    assert looked.loaded({}) == {}


def test_entries_say_how_the_module_spells_its_file(root: Path) -> None:
    """An entry has the real path to look files up by and the spelling that the module's code carries."""
    link = root.parent / "link"
    link.symlink_to(root)
    made = module("pkg.c", link / "pkg" / "c.py", __package__="pkg")
    assert index(root).entries(named(made)) == (
        Entry("pkg.c", str(root / "pkg" / "c.py"), "pkg", str(link / "pkg" / "c.py")),
    )


def test_the_running_program_is_what_is_looked_at(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without modules given, sys.modules is taken."""
    monkeypatch.setitem(sys.modules, "a_for_test", module("a_for_test", root / "a.py"))
    assert index(root).find([str(root / "a.py")]) == ("a_for_test",)


@pytest.mark.parametrize(
    ("made", "package"),
    [
        (module("pkg.c", __package__="other"), "other"),
        (module("c", __package__=""), ""),
        (module("pkg.c", __package__=None, __spec__=ModuleSpec("spec.c", None)), "spec"),
        (module("pkg", __package__=None, __path__=[]), "pkg"),
        (module("pkg.c", __package__=None), "pkg"),
        (module("__main__", __package__=None), ""),
    ],
)
def test_package_of_a_module(made: ModuleType, package: str) -> None:
    """The package is ``__package__``, else the spec's parent, else what name and ``__path__`` say."""
    assert package_of(made) == package


@pytest.mark.parametrize(("path", "answer"), [("a.py", True), ("a.pyc", False), ("a.py~", False), ("a.pyi", False)])
def test_names_of_source_files(path: str, answer: bool) -> None:
    """Only the suffixes that importlib loads as source are source."""
    assert is_source(path) is answer


STATE = {"st_mode": stat.S_IFREG, "st_mtime_ns": 1, "st_ctime_ns": 2, "st_size": 3, "st_ino": 4}


@pytest.mark.parametrize("field", list(STATE)[1:])
def test_signature_tells_states_apart(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    """A file that differs in one of times, size and inode alone is another state."""
    monkeypatch.setattr(os, "stat", lambda path: SimpleNamespace(**STATE))
    first = signature("a.py")
    assert first == signature("a.py") == (1, 2, 3, 4)
    monkeypatch.setattr(os, "stat", lambda path: SimpleNamespace(**(STATE | {field: 9})))
    assert signature("a.py") != first


def test_a_file_put_in_place_of_another_is_another_state(root: Path) -> None:
    """A replacement of the same size under the old modification time is seen."""
    path, other = root / "a.py", root / "other"
    path.write_text("X = 1\n")
    other.write_text("X = 2\n")
    first = signature(str(path))
    assert first is not None
    os.utime(other, ns=(first[0], first[0]))
    other.replace(path)
    assert signature(str(path)) != first


@pytest.mark.parametrize("name", ["missing.py", "pkg", "a\0b.py"])
def test_no_signature_without_a_file(root: Path, name: str) -> None:
    """What is missing, a folder, or no possible path has no signature."""
    assert signature(os.path.join(root, name)) is None


def test_signature_follows_links(root: Path) -> None:
    """A link has the signature of the file that it leads to."""
    (root / "link.py").symlink_to(root / "a.py")
    assert signature(str(root / "link.py")) == signature(str(root / "a.py"))
