"""The parts of the watcher, each by itself: what events stand for, which folders, which file systems, git's lock."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from watchdog import events as fs

from hotswap._watch import Git, is_ignored
from hotswap._watch._folders import Folders
from hotswap._watch._git import AT_WORK, BETWEEN, STALE
from hotswap._watch._mounts import shared
from hotswap._watch._observed import translate
from hotswap._watch._polled import EVERY, SETTLING, Polled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotswap._model import FileChange


def nothing(path: str) -> bool:
    return False


def described(changes: Iterator[FileChange] | list[FileChange]) -> list[str]:
    return [f"{change.kind} {change.path}" for change in changes]


# ------------------------------------------------------------------------------------------------------ translation


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        (fs.FileClosedEvent("/p/m.py"), ["modified /p/m.py"]),
        (fs.FileModifiedEvent("/p/m.py"), ["modified /p/m.py"]),
        (fs.FileCreatedEvent("/p/m.py"), ["created /p/m.py"]),
        (fs.FileCreatedEvent("/p/window.pyw"), ["created /p/window.pyw"]),
        (fs.FileDeletedEvent("/p/m.py"), ["deleted /p/m.py"]),
        (fs.FileMovedEvent("/p/m.py.tmp", "/p/m.py"), ["modified /p/m.py"]),
        (fs.FileMovedEvent("/p/m.py", "/p/m.py~"), ["deleted /p/m.py"]),
        (fs.FileMovedEvent("/p/m.py", "/p/n.py"), ["deleted /p/m.py", "modified /p/n.py"]),
        (fs.FileClosedEvent(b"/p/m.py"), ["modified /p/m.py"]),
        (fs.FileClosedEvent("/p/m.pyc"), []),
        (fs.FileClosedEvent("/p/levels.json"), []),
        (fs.FileClosedEvent("/p/.m.py.swp"), []),
        (fs.FileOpenedEvent("/p/m.py"), []),
        (fs.FileClosedNoWriteEvent("/p/m.py"), []),
        (fs.FileAttribEvent("/p/m.py"), []),
        (fs.DirModifiedEvent("/p/strange.py"), []),
        (fs.DirDeletedEvent("/p/strange.py"), []),
    ],
    ids=lambda value: repr(value)[:60] if isinstance(value, fs.FileSystemEvent) else "",
)
def test_file_event_stands_for(event: fs.FileSystemEvent, changes: list[str]) -> None:
    """Each event gives the changes of Python files that it stands for, and no others."""
    assert described(translate(event, nothing)) == changes


def test_ignored_paths_are_left_out() -> None:
    """Of a move out of an ignored place only the place that counts is told."""
    event = fs.FileMovedEvent("/p/build/m.py", "/p/m.py")
    assert described(translate(event, lambda path: "/build/" in path)) == ["modified /p/m.py"]


def test_folder_stands_for_the_files_in_it(tmp_path: Path) -> None:
    """A new folder is told as its Python files, those in ignored folders left out."""
    package = tmp_path / "pkg"
    for name in ("__init__.py", "sub/deep.py", "sub/data.json", "__pycache__/x.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).touch()
    found = described(translate(fs.DirCreatedEvent(str(package)), is_ignored))
    assert sorted(found) == [f"created {package}/__init__.py", f"created {package}/sub/deep.py"]


def test_moved_folder_stands_for_its_files_at_both_places(tmp_path: Path) -> None:
    """What a renamed folder holds is gone there and changed here."""
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "m.py").touch()
    event = fs.DirMovedEvent(f"{tmp_path}/old", f"{tmp_path}/new")
    assert described(translate(event, nothing)) == [f"deleted {tmp_path}/old/m.py", f"modified {tmp_path}/new/m.py"]


def test_ignored_new_folder_is_not_walked(tmp_path: Path) -> None:
    """A folder that is ignored as a whole gives no change of what is in it."""
    (tmp_path / "m.py").touch()
    assert described(translate(fs.DirCreatedEvent(str(tmp_path)), lambda path: path == str(tmp_path))) == []


@pytest.mark.parametrize(
    "name",
    [
        *(".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv", "venv", "site-packages", ".tox", ".nox"),
        *(".mypy_cache", ".ruff_cache", ".pytest_cache", "build", "dist", "thing.egg-info"),
    ],
)
def test_folder_is_ignored_by_its_name(name: str) -> None:
    """Caches, version control, installed packages and what was built are no source."""
    assert is_ignored(f"/p/{name}")


def test_other_folders_are_not_ignored(tmp_path: Path) -> None:
    """Ordinary packages, `env` among them, and a package that is called build are source."""
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "__init__.py").touch()
    assert not any(is_ignored(str(tmp_path / name)) for name in ("build", "pkg", "env", "builder", ".hidden"))


def test_virtual_environment_is_ignored_under_any_name(tmp_path: Path) -> None:
    """A folder with `pyvenv.cfg` is a virtual environment."""
    (tmp_path / "pyvenv.cfg").touch()
    assert is_ignored(str(tmp_path))


# ---------------------------------------------------------------------------------------------------------- folders


def test_folders_up_to_the_root_are_watched(tmp_path: Path) -> None:
    """Of a loaded file its folder counts and those above it, but for those above the root and those beside it."""
    (tmp_path / "root/pkg/sub").mkdir(parents=True)
    (tmp_path / "root/other").mkdir()
    heard: list[str] = []
    folders = Folders([str(tmp_path / "root")], heard.append)
    folders.cover(str(tmp_path / "root/pkg/sub/m.py"))
    assert heard == [str(tmp_path / part) for part in ("root/pkg/sub", "root/pkg", "root")]


def test_each_folder_is_resolved_once(tmp_path: Path) -> None:
    """A second file of a folder asks for nothing."""
    heard: list[str] = []
    folders = Folders([str(tmp_path)], heard.append)
    folders.cover(str(tmp_path / "a.py"))
    folders.cover(str(tmp_path / "b.py"))
    assert heard == [str(tmp_path)]
    assert str(tmp_path / "b.py") in folders


def test_a_linked_file_is_watched_at_both_ends(tmp_path: Path) -> None:
    """The link may be pointed elsewhere, and what it points at may be written."""
    (tmp_path / "root").mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "store/real.py").touch()
    (tmp_path / "root/m.py").symlink_to(tmp_path / "store/real.py")
    heard: list[str] = []
    folders = Folders([str(tmp_path / "root")], heard.append)
    folders.cover(str(tmp_path / "root/m.py"))
    assert heard == [str(tmp_path / "root"), str(tmp_path / "store")]
    assert folders.wants(str(tmp_path / "store/real.py"))
    assert not folders.wants(str(tmp_path / "store/other.py"))


def test_a_link_that_goes_while_it_is_looked_at_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between seeing that a file is a link and reading it, an editor may have taken its mark away."""
    mark = tmp_path / ".#mod.py"
    mark.symlink_to("somebody@somewhere")
    readlink = os.readlink

    def go_first(path: str) -> str:
        mark.unlink(missing_ok=True)
        return readlink(path)

    monkeypatch.setattr(os, "readlink", go_first)
    folders = Folders([str(tmp_path)], lambda _: None)
    assert folders.cover(str(mark))[0] == str(mark)
    monkeypatch.undo()
    assert not mark.is_symlink()


def test_links_to_a_folder_are_known(tmp_path: Path) -> None:
    """A link on the way to a loaded file is known by its real place, and its folder is watched."""
    (tmp_path / "releases/1").mkdir(parents=True)
    (tmp_path / "current").symlink_to(tmp_path / "releases/1", target_is_directory=True)
    heard: list[str] = []
    folders = Folders([str(tmp_path)], heard.append)
    folders.cover(str(tmp_path / "current/m.py"))
    assert folders.links == {str(tmp_path / "current")}
    assert {str(tmp_path), str(tmp_path / "releases/1")} <= set(heard)


def test_a_dropped_folder_leaves_its_files_known(tmp_path: Path) -> None:
    """Files whose folder went are wanted still, and are covered anew when they are told again."""
    folders = Folders([str(tmp_path)], lambda folder: None)
    folders.cover(str(tmp_path / "pkg/m.py"))
    assert folders.drop(str(tmp_path / "pkg")) == [str(tmp_path / "pkg/m.py")]
    assert str(tmp_path / "pkg/m.py") not in folders
    assert folders.below(str(tmp_path / "pkg")) == [str(tmp_path / "pkg/m.py")]


# ----------------------------------------------------------------------------------------------------------- polled


def test_a_polled_file_is_told_once_it_stays_as_it_is(tmp_path: Path) -> None:
    """A file that is being written is told when two looks find the same, once; one that goes is told as gone."""
    path = tmp_path / "m.py"
    path.write_text("X = 1\n")
    polled, told = Polled(), []
    assert polled.pause is None
    polled.add([str(path)])
    assert polled.pause == EVERY

    def look(*, at_once: bool = False) -> list[tuple[str, bool]]:
        told.clear()
        polled.look(lambda path, there: told.append((path, there)), at_once=at_once)
        return told

    path.write_text("X = ")
    assert look() == []
    assert polled.pause == SETTLING
    assert [look() for _ in range(4)] == [[]] * 4  # it ends in the middle of a line
    path.write_text("X = 22\n")
    assert look() == []
    assert look() == [(str(path), True)]
    assert look() == []
    path.unlink()
    assert look(at_once=True) == [(str(path), False)]
    assert look() == []


@pytest.mark.parametrize("seconds", [-3600.0, 0.0, 3600.0], ids=["older", "same", "newer"])
def test_a_polled_file_may_have_any_time(tmp_path: Path, seconds: float) -> None:
    """A save that leaves size and time as they were, or sets the clock back, is told by what else the system notes."""
    path = tmp_path / "m.py"
    path.write_text("X = 1\n")
    before = path.stat().st_mtime
    polled, told = Polled(), []
    polled.add([str(path)])
    path.with_suffix(".tmp").write_text("X = 2\n")
    os.utime(path.with_suffix(".tmp"), (before + seconds, before + seconds))
    os.replace(path.with_suffix(".tmp"), path)
    polled.look(lambda path, there: told.append(path), at_once=True)
    assert told == [str(path)]


# ----------------------------------------------------------------------------------------------------- file systems

MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:30 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2
31 22 0:31 / /mnt/c rw,noatime - 9p drvfs rw
32 22 0:32 / /work rw - overlay overlay rw,lowerdir=/l
33 30 0:33 / /home/local rw - tmpfs tmpfs rw
34 22 0:34 / /with\\040blank rw - fuse.sshfs host:/ rw
35 22 0:35 / /pool rw - fuse.mergerfs a:b rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/app", ""),
        ("/home/me/app", "nfs4"),
        ("/homes/me", ""),
        ("/home/local/app", ""),
        ("/mnt/c/Users/me", "9p"),
        ("/work/app", ""),
        ("/with blank/app", "fuse.sshfs"),
        ("/pool/app", ""),
    ],
)
def test_shared_file_systems_are_known_by_what_is_mounted(tmp_path: Path, folder: str, kind: str) -> None:
    """What others may write to is told from what only this system writes to."""
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTS)
    assert shared(folder, str(table)) == kind


def test_a_system_without_a_table_of_mounts_shares_nothing(tmp_path: Path) -> None:
    """Where nothing is known nothing is said."""
    assert shared("/home", str(tmp_path / "none")) == ""


# -------------------------------------------------------------------------------------------------------------- git


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_git_at_work_is_waited_for(tmp_path: Path) -> None:
    """While the index is locked nothing is whole, and a moment after; a lock that stays for long is nobody's."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()
    clock = Clock()
    git = Git([str(tmp_path / "src")], clock)
    assert git.patience(99.0) == 0.0
    lock = tmp_path / ".git/index.lock"
    lock.touch()
    assert git.patience(99.0) == float("inf")
    lock.unlink()
    assert git.patience(99.0) == float("inf")
    clock.now += 0.01
    assert git.patience(99.0) == 0.0
    lock.touch()
    assert git.patience(99.0) == float("inf")
    clock.now += STALE + 1
    git.patience(99.0)
    clock.now += 1
    assert git.patience(99.0) == 0.0


def test_a_long_checkout_is_whole_as_long_as_files_come(tmp_path: Path) -> None:
    """A lock counts as left behind when nothing was written for a while, or after a minute in any case."""
    (tmp_path / ".git").mkdir()
    clock = Clock()
    git = Git([str(tmp_path)], clock)
    (tmp_path / ".git/index.lock").touch()
    for _ in range(5):
        assert git.patience(0.1) == float("inf")
        clock.now += STALE
    git.patience(STALE)
    clock.now += 1
    assert git.patience(STALE) == 0.0
    git = Git([str(tmp_path)], clock)
    assert git.patience(0.1) == float("inf")
    clock.now += 61
    git.patience(0.1)
    clock.now += 1
    assert git.patience(0.1) == 0.0


def test_a_lock_with_something_in_it_waits_for_somebody(tmp_path: Path) -> None:
    """The index is written last: with an editor open for the message of a commit the files are as they will be."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/index.lock").write_bytes(b"DIRC")
    assert Git([str(tmp_path)], Clock()).patience(99.0) == 0.0


@pytest.mark.parametrize("name", ["rebase-merge", "rebase-apply", "sequencer"])
def test_a_rebase_takes_several_steps(tmp_path: Path, name: str) -> None:
    """Between two steps of a rebase the lock is gone, but more is to come; one that stopped is not waited for."""
    (tmp_path / ".git" / name).mkdir(parents=True)
    now = Clock()
    now.now = (tmp_path / ".git" / name).stat().st_mtime + 0.1
    git = Git([str(tmp_path)], Clock(), now)
    assert git.patience(99.0) == BETWEEN
    now.now += AT_WORK
    assert git.patience(99.0) == 0.0


def test_a_worktree_has_a_lock_of_its_own(tmp_path: Path) -> None:
    """A worktree's `.git` is a file that says where its index is."""
    (tmp_path / "main/.git/worktrees/tree").mkdir(parents=True)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/.git").write_text(f"gitdir: {tmp_path}/main/.git/worktrees/tree\n")
    git = Git([str(tmp_path / "tree")], Clock())
    assert git.patience(99.0) == 0.0
    (tmp_path / "main/.git/worktrees/tree/index.lock").touch()
    assert git.patience(99.0) == float("inf")


def test_a_folder_outside_every_repository_waits_for_nothing(tmp_path: Path) -> None:
    """Without git there is no lock."""
    assert Git([str(tmp_path)], Clock()).patience(99.0) == 0.0
