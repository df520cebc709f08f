"""What happens to files besides saves, on real files by every way to notice it: links, folders, permissions, roots."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import pytest

from hotswap import Reloader

if TYPE_CHECKING:
    from saved import Project

TIMES: Final = 20 * int(os.environ.get("HOTSWAP_SAVES", "2"))
"""How often `reload` and `look` are tried: a thousand times with ``HOTSWAP_SAVES=50``."""

pytestmark = pytest.mark.usefixtures("means")


def aside(project: Project, name: str = "aside") -> Path:
    folder = project.root.parent / name
    folder.mkdir(exist_ok=True)
    return folder


def linked(project: Project, link: Callable[[Path, Path], None]) -> Path:
    """Put the module's file elsewhere, and what `link` makes in its place; return where it is."""
    real = aside(project) / "real.py"
    project.path.rename(real)
    link(real, project.path)
    return real


def soft(real: Path, path: Path) -> None:
    path.symlink_to(real)


def hard(real: Path, path: Path) -> None:
    os.link(real, path)


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def replace(path: Path, text: str) -> None:
    beside = path.with_name("beside")
    write(beside, text)
    os.replace(beside, path)


@pytest.mark.parametrize("link", [soft, hard])
@pytest.mark.parametrize("save", [write, replace])
def test_a_linked_file_follows_saves_of_either_name(
    project: Project, link: Callable[[Path, Path], None], save: Callable[[Path, str], None]
) -> None:
    """The file that a link leads to is saved, through the link and by its own name, and what replaces the link is."""
    real = linked(project, link)
    with project.live() as live:
        write(real, project.text(1))
        live.comes_to(1)
        write(project.path, project.text(2))
        live.comes_to(2)
        if link is soft:
            save(real, project.text(3))
            live.comes_to(3)
        save(project.path, project.text(4))
        live.comes_to(4)
        write(project.path, project.text(5))
        live.comes_to(5)


@pytest.mark.parametrize("folder", [False, True], ids=["a file", "a folder"])
def test_a_link_that_is_pointed_elsewhere_is_followed(project: Project, *, folder: bool) -> None:
    """What is there now is live, and so are its saves; the place that it led to before is no longer of interest."""
    link = project.root if folder else project.path
    places = [project.root.parent / f"release{number}" for number in range(3)]
    link.rename(places[0])
    link.symlink_to(places[0])
    inner = project.path.relative_to(link)
    with project.live() as live:
        for number in (1, 2):
            if folder:
                places[number].mkdir()
            write(places[number] / inner, project.text(2 * number - 1))
            beside = link.with_name("next")
            beside.symlink_to(places[number])
            os.replace(beside, link)
            live.comes_to(2 * number - 1)
            write(places[number] / inner, project.text(2 * number))
            live.comes_to(2 * number)
            write(places[number - 1] / inner, project.text(9))
            live.stays(2 * number)


def test_a_folder_in_place_of_the_file_takes_nothing_away(project: Project) -> None:
    """A module whose file is a folder for a while goes on; the file that is there again is live."""
    with project.live() as live:
        project.path.unlink()
        project.path.mkdir()
        write(project.path / "other.py", "")
        live.stays(0)
        shutil.rmtree(project.path)
        write(project.path, project.text(1))
        live.comes_to(1)


def test_a_module_that_becomes_a_package_is_watched_in_a_folder_that_was_there(project: Project) -> None:
    """The file that takes the place of a module's file is seen from then on, though nothing tells of its folder."""
    package = project.path.with_suffix("") / "__init__.py"
    package.parent.mkdir()
    with Reloader(project.root, apply="manual") as reloader:
        reloader.look()
        project.path.unlink()
        for number in (1, 2, 3):
            write(package, project.text(number))
            reloader.look()
            assert project.is_at(number), f"save {number} was missed"


def test_a_file_that_is_moved_away_and_back_is_as_before(project: Project) -> None:
    """What leaves and comes back, with another text, is live; nothing is missing in between."""
    away = project.path.with_name("away.py")
    with project.live() as live:
        for number in (1, 2):
            project.path.rename(away)
            live.stays(number - 1)
            write(away, project.text(number))
            away.rename(project.path)
            live.comes_to(number)


@pytest.mark.parametrize("above", [False, True], ids=["the root", "a folder above it"])
def test_a_root_that_is_renamed_and_comes_back_is_watched(project: Project, *, above: bool) -> None:
    """While it is elsewhere nothing is missing; back in its place its saves are live, those made elsewhere as well."""
    folder = project.root.parent if above else project.root
    away = folder.with_name("elsewhere")
    with project.live() as live:
        for number in (1, 3):
            folder.rename(away)
            live.stays(number - 1)
            write(away / project.path.relative_to(folder), project.text(number))
            away.rename(folder)
            live.comes_to(number)
            write(project.path, project.text(number + 1))
            live.comes_to(number + 1)


def test_a_root_that_is_deleted_and_made_again_is_watched(project: Project) -> None:
    """What is in the new folder is live, and so is what is saved there."""
    with project.live() as live:
        shutil.rmtree(project.root)
        live.stays(0)
        project.root.mkdir()
        write(project.path, project.text(1))
        live.comes_to(1)
        write(project.path, project.text(2))
        live.comes_to(2)


def test_a_file_that_may_be_read_again_is_live(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A save that nobody may read is told; once it may be read it is live, though nobody saves it again."""
    allowed = False
    opened = open

    def ask(path: Any, *rest: Any, **named: Any) -> Any:
        if not allowed and path == str(project.path):
            raise PermissionError(13, "Permission denied")
        return opened(path, *rest, **named)

    monkeypatch.setattr("hotswap._plan._prepare.open", ask, raising=False)
    monkeypatch.setattr("hotswap._small.open", ask, raising=False)
    with project.live() as live:
        write(project.path, project.text(1))
        live.tells("HS302")
        live.stays(0)
        allowed = True
        project.path.chmod(0o600)
        live.comes_to(1)


def test_permissions_that_are_taken_and_given_back(project: Project) -> None:
    """As above, by what the system says."""
    beside = project.path.with_name("beside")
    write(beside, project.text(1))
    beside.chmod(0)
    if os.access(beside, os.R_OK):
        pytest.skip("who runs this may read everything")
    with project.live() as live:
        os.replace(beside, project.path)
        live.tells("HS302")
        live.stays(0)
        project.path.chmod(0o600)
        live.comes_to(1)
        project.root.chmod(0)
        live.stays(1)
        project.root.chmod(0o700)
        write(project.path, project.text(2))
        live.comes_to(2)


@pytest.mark.parametrize("verb", ["reload", "look"])
def test_who_asks_right_after_a_save_never_misses_it(project: Project, verb: str) -> None:
    """Of texts of one length, saved one after the other, each is live when the call comes back."""
    saves = (write, replace)
    with Reloader(project.root, apply="manual") as reloader:
        for number in range(1, TIMES + 1):
            saves[number % len(saves)](project.path, project.text(number))
            getattr(reloader, verb)()
            assert project.is_at(number), f"save {number} was missed"
            assert not getattr(reloader, verb)(), f"save {number} was applied twice"
    assert len(project.runs) == TIMES + 1


@pytest.mark.parametrize("save", [write, replace])
@pytest.mark.parametrize("folder", [".", "../data"], ids=["below the root", "outside"])
def test_a_data_file_is_followed(project: Project, save: Callable[[Path, str], None], folder: str) -> None:
    """A statement that says on which file it depends reads it again, wherever that lies and however it is saved."""
    data = project.root / folder / "data.txt"
    data.parent.mkdir(exist_ok=True)
    write(data, "0")
    module = sys.modules[project.name]
    with project.live() as live:
        reads = (
            f"\nwith open({str(data)!r}) as file:\n    DATA = file.read()  # hotswap: depends on {folder}/data.txt\n"
        )
        write(project.path, project.text(1) + reads)
        live.comes_to(1)
        assert project.wait_for(lambda: hasattr(module, "DATA"))
        for number in (1, 2):
            save(data, f"{number}")
            assert project.wait_for(lambda number=number: f"{number}" == module.DATA), f"save {number} was lost"


def test_an_extension_module_that_is_built_anew_is_told_without_another_save(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is watched as well: nobody has to save a module for it, and it is told once for each build."""
    built = project.root / f"fast{EXTENSION_SUFFIXES[0]}"
    built.write_bytes(b"old")
    fast = ModuleType("fast")
    fast.__file__ = str(built)
    monkeypatch.setitem(sys.modules, "fast", fast)

    def told() -> int:
        return [found.code for report in project.reports for found in report.findings].count("HS106")

    with Reloader(project.root, apply="thread", on_report=project.reports.append) as reloader:
        reloader.look()  # the engine is there
        for number in (1, 2):
            built.unlink()
            built.write_bytes(b"new" * number)
            assert project.wait_for(lambda number=number: told() == number)
