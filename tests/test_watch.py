"""The watcher on real folders, by inotify, by watchdog's observer and by polling; and what troubles it."""

from __future__ import annotations

import ctypes
import errno
import os
import queue
import shutil
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from watchdog import events as fs
from watchdog.observers import Observer
from watchdog.observers.polling import PollingObserver

from hotswap._inbox import Inbox
from hotswap._watch import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotswap._model import FileChange, Finding

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


class Watching:
    """A watcher whose calls land in queues, with a thread that sleeps on it."""

    def __init__(self, *roots: Path, loaded: tuple[Path, ...] = (), **options: Any) -> None:
        self.changes: queue.Queue[FileChange] = queue.Queue()
        self.troubles: queue.Queue[Finding] = queue.Queue()
        self.scans: queue.Queue[None] = queue.Queue()
        self._loaded: set[str] | None = set(map(str, loaded))
        self.watcher = Watcher(
            [str(root) for root in roots],
            lambda change, quiet=None: self.changes.put(change),
            loaded=self.loaded,
            on_trouble=self.troubles.put,
            on_overflow=lambda: self.scans.put(None),
            **options,
        )
        self._over = False

    def loaded(self) -> set[str] | None:
        found, self._loaded = self._loaded, None
        return found

    def start(self) -> None:
        self.watcher.start()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._over:
            self.watcher.sleep(0.2)

    def stop(self) -> None:
        self._over = True
        self.watcher.ring()
        self._thread.join()
        self.watcher.stop()

    def until(self, path: Path, kind: str) -> list[FileChange]:
        """Return the changes that come before that of `path` to `kind`, and fail if it does not come."""
        before: list[FileChange] = []
        while True:
            change = self.changes.get(timeout=10)
            if (change.path, change.kind) == (str(path), kind):
                return before
            before.append(change)

    def codes(self) -> list[str]:
        return [self.troubles.get_nowait().code for _ in range(self.troubles.qsize())]


def emitters() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "hotswap-emitter"]


NATIVE: dict[str, Any] = {}
WATCHDOG: dict[str, Any] = {"observer_factory": Observer}


@pytest.fixture(params=["inotify", "watchdog"])
def means(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The two ways to hear of events, of which each system but Linux has one."""
    if request.param == "inotify" and sys.platform != "linux":
        pytest.skip("inotify is Linux's")
    return NATIVE if request.param == "inotify" else WATCHDOG


@pytest.fixture
def start() -> Iterator[Callable[..., Watching]]:
    """Start watchers; stop them after the test, and see to it that no thread and no descriptor is left."""
    threads, files = threading.active_count(), descriptors()
    started: list[Watching] = []

    def start(*roots: Path, **options: Any) -> Watching:
        started.append(Watching(*roots, **options))
        started[-1].start()
        return started[-1]

    yield start
    for watching in started:
        watching.stop()
    assert threading.active_count() == threads
    assert descriptors() == files


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0


Start = Callable[..., Watching]


def test_write_in_place_is_seen(tmp_path: Path, start: Start, means: dict[str, Any]) -> None:
    """A file that is written is modified."""
    module = tmp_path / "m.py"
    module.write_text("X = 1\n")
    watching = start(tmp_path, loaded=(module,), **means)
    module.write_text("X = 2\n")
    watching.until(module, "modified")


def test_atomic_save_is_seen(tmp_path: Path, start: Start, means: dict[str, Any]) -> None:
    """A temporary file renamed over the module modifies the module; the temporary file is not told."""
    module, temporary = tmp_path / "m.py", tmp_path / "m.py.tmp"
    module.write_text("X = 1\n")
    watching = start(tmp_path, loaded=(module,), **means)
    temporary.write_text("X = 2\n")
    os.replace(temporary, module)
    assert watching.until(module, "modified") == []


def test_deleted_file_is_seen(tmp_path: Path, start: Start, means: dict[str, Any]) -> None:
    """A file that is removed is deleted."""
    module = tmp_path / "m.py"
    module.touch()
    watching = start(tmp_path, loaded=(module,), **means)
    module.unlink()
    assert watching.until(module, "deleted") == []


@linux
def test_rename_from_elsewhere_is_seen(tmp_path: Path, start: Start) -> None:
    """A file renamed in from a folder that nobody watches is told although nothing is written or closed here."""
    root, outside = tmp_path / "root", tmp_path / "m.py"
    root.mkdir()
    outside.write_text("X = 2\n")
    watching = start(root)
    os.replace(outside, root / "m.py")
    assert watching.until(root / "m.py", "modified") == []


@linux
def test_new_package_is_seen_and_watched(tmp_path: Path, start: Start) -> None:
    """Files of a new folder are told, and later writes in it as well."""
    watching = start(tmp_path)
    module = tmp_path / "pkg" / "sub" / "m.py"
    module.parent.mkdir(parents=True)
    module.write_text("X = 1\n")
    assert watching.changes.get(timeout=10).path == str(module)
    other = module.with_name("n.py")
    other.write_text("X = 2\n")
    while watching.changes.get(timeout=10).path != str(other):
        pass


def test_ignored_folders_are_silent(tmp_path: Path, start: Start, means: dict[str, Any]) -> None:
    """What happens in ignored folders, old and new, is not told: the first change is that of the module after it."""
    (tmp_path / ".venv" / "lib").mkdir(parents=True)
    watching = start(tmp_path, **means)
    (tmp_path / ".venv" / "lib" / "a.py").write_text("")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "b.py").write_text("")
    (tmp_path / "m.py").write_text("")
    assert watching.changes.get(timeout=10).path == str(tmp_path / "m.py")


@linux
def test_what_is_loaded_from_an_ignored_folder_is_watched(tmp_path: Path, start: Start) -> None:
    """A module that was generated into `build` and imported from there is told, also when the folder is made anew."""
    module = tmp_path / "build" / "generated.py"
    module.parent.mkdir()
    module.touch()
    watching = start(tmp_path, loaded=(module,))
    module.write_text("X = 2\n")
    watching.until(module, "modified")
    module.unlink()
    module.parent.rmdir()
    module.parent.mkdir()
    module.write_text("X = 3\n")
    while watching.changes.get(timeout=10).kind == "deleted":
        pass


@linux
def test_only_folders_of_loaded_files_are_watched(tmp_path: Path, start: Start, few_watches: Any) -> None:
    """A tree of which little is loaded takes few watches: the root, and the folders of what is loaded."""
    for name in "abcdefgh":
        (tmp_path / name / "sub").mkdir(parents=True)
    module = tmp_path / "a" / "sub" / "m.py"
    few_watches(3)
    assert start(tmp_path, loaded=(module,)).codes() == []


@linux
def test_a_root_that_comes_late_is_watched(tmp_path: Path, start: Start) -> None:
    """Who sleeps on the watcher goes on sleeping, and hears of the new root and the old one."""
    for name in "ab":
        (tmp_path / name).mkdir()
    watching = start(tmp_path / "a")
    watching.watcher.widen([str(tmp_path / "a"), str(tmp_path / "b")])
    for name in "ab":
        (tmp_path / name / "m.py").write_text("")
        watching.until(tmp_path / name / "m.py", "modified")


@linux
def test_what_is_about_to_be_loaded_is_watched_at_once(tmp_path: Path, start: Start) -> None:
    """A save that comes right after an import is seen: the folder is watched before the file is read."""
    module = tmp_path / "pkg" / "m.py"
    module.parent.mkdir()
    module.touch()
    watching = start(tmp_path)
    watching.watcher.cover(str(module))
    module.write_text("X = 2\n")
    watching.until(module, "modified")


def test_root_inside_an_ignored_folder_is_watched(tmp_path: Path, start: Start, means: dict[str, Any]) -> None:
    """A root that is named is watched, also where another root ignores it."""
    root = tmp_path / "venv" / "lib" / "site-packages"
    root.mkdir(parents=True)
    watching = start(tmp_path, root, **means)
    (root / "m.py").write_text("")
    assert watching.changes.get(timeout=10).path == str(root / "m.py")


@linux
def test_root_that_is_a_link_is_watched(tmp_path: Path, start: Start) -> None:
    """Files of a linked root are told under their real names."""
    (tmp_path / "real" / "sub").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real", target_is_directory=True)
    watching = start(link, loaded=(link / "sub" / "n.py",))
    (tmp_path / "real" / "m.py").write_text("")
    watching.until(tmp_path / "real" / "m.py", "modified")
    (tmp_path / "real" / "sub" / "n.py").write_text("")
    watching.until(tmp_path / "real" / "sub" / "n.py", "modified")


@linux
def test_linked_folders_and_files_are_followed(tmp_path: Path, start: Start) -> None:
    """What is loaded through a link is told where it really lies, outside the root as well."""
    (tmp_path / "root").mkdir()
    (tmp_path / "store" / "pkg").mkdir(parents=True)
    (tmp_path / "store" / "one.py").touch()
    (tmp_path / "root" / "pkg").symlink_to(tmp_path / "store" / "pkg", target_is_directory=True)
    (tmp_path / "root" / "one.py").symlink_to(tmp_path / "store" / "one.py")
    watching = start(tmp_path / "root", loaded=(tmp_path / "root" / "pkg" / "m.py", tmp_path / "root" / "one.py"))
    (tmp_path / "store" / "pkg" / "m.py").write_text("")
    watching.until(tmp_path / "store" / "pkg" / "m.py", "modified")
    (tmp_path / "store" / "one.py").write_text("")
    watching.until(tmp_path / "store" / "one.py", "modified")


@linux
def test_a_link_that_is_pointed_elsewhere_asks_for_a_look(tmp_path: Path, start: Start) -> None:
    """A release that is switched by a link is looked at, and watched from then on."""
    for number in "12":
        (tmp_path / number).mkdir()
        (tmp_path / number / "m.py").touch()
    (tmp_path / "current").symlink_to(tmp_path / "1", target_is_directory=True)
    watching = start(tmp_path, loaded=(tmp_path / "current" / "m.py",))
    (tmp_path / "next").symlink_to(tmp_path / "2", target_is_directory=True)
    os.replace(tmp_path / "next", tmp_path / "current")
    watching.scans.get(timeout=10)
    watching.watcher.check()
    (tmp_path / "2" / "m.py").write_text("X = 2\n")
    watching.until(tmp_path / "2" / "m.py", "modified")


@linux
def test_a_link_in_place_of_a_file_is_told_at_once(tmp_path: Path, start: Start) -> None:
    """A link, soft or hard, is whole as soon as it is there: nobody closes it."""
    module, other = tmp_path / "m.py", tmp_path / "text"
    other.write_text("X = 2\n")
    watching = start(tmp_path)
    module.symlink_to(other)
    watching.until(module, "created")
    module.unlink()
    module.hardlink_to(other)
    watching.until(module, "created")


@linux
def test_root_may_be_one_file(tmp_path: Path, start: Start) -> None:
    """Of a script that is a root its own saves are told, atomic ones too, and no neighbour's."""
    script, temporary = tmp_path / "script.py", tmp_path / "tmp"
    script.touch()
    watching = start(script, loaded=(script,))
    (tmp_path / "other.py").write_text("")
    for _ in range(2):
        temporary.write_text("X = 2\n")
        os.replace(temporary, script)
        watching.watcher.check()
        assert watching.until(script, "modified") == []
    assert watching.codes() == []


@linux
def test_write_that_goes_on_is_not_told(tmp_path: Path, start: Start) -> None:
    """Where the system tells of closing, a file that is still being written is not looked at."""
    module, other = tmp_path / "m.py", tmp_path / "other.py"
    module.touch()
    watching = start(tmp_path)
    with module.open("w") as file:
        file.write("def f(")
        file.flush()
        other.write_text("")
        assert watching.until(other, "modified") == []
    watching.until(module, "modified")


@linux
def test_flush_has_what_was_saved_a_moment_ago(tmp_path: Path) -> None:
    """Whoever asks gets every save that ended before, without any thread."""
    module = tmp_path / "m.py"
    watching = Watching(tmp_path, threads=False)
    watching.watcher.start()
    try:
        for _ in range(100):
            module.write_text("X = 2\n")
            assert watching.watcher.flush()
            assert watching.changes.get_nowait().path == str(module)
    finally:
        watching.watcher.stop()


def test_flush_says_where_only_a_look_tells(tmp_path: Path, start: Start) -> None:
    """Events that come through threads may come late, so nothing is promised."""
    assert not start(tmp_path, **WATCHDOG).watcher.flush()


@linux
@pytest.mark.parametrize("deleted", [False, True], ids=["moved", "deleted"])
def test_folder_that_goes_takes_its_files_along(tmp_path: Path, start: Start, deleted: bool) -> None:
    """The loaded files of a folder that leaves are told as deleted, and as there when it comes back."""
    module = tmp_path / "root" / "pkg" / "m.py"
    module.parent.mkdir(parents=True)
    module.touch()
    watching = start(tmp_path / "root", loaded=(module,))
    shutil.rmtree(module.parent) if deleted else module.parent.rename(tmp_path / "pkg")
    watching.until(module, "deleted")
    assert watching.codes() == []
    if deleted:
        module.parent.mkdir()
        module.touch()
    else:
        (tmp_path / "pkg").rename(module.parent)
    while watching.changes.get(timeout=10).kind == "deleted":
        pass
    module.write_text("X = 2\n")
    watching.until(module, "modified")


@linux
def test_renamed_folder_is_told_at_both_places(tmp_path: Path, start: Start) -> None:
    """What a renamed folder holds is gone there and new here, and written here it is told."""
    module = tmp_path / "old" / "m.py"
    module.parent.mkdir()
    module.touch()
    watching = start(tmp_path, loaded=(module,))
    module.parent.rename(tmp_path / "new")
    watching.until(module, "deleted")
    watching.until(tmp_path / "new" / "m.py", "created")
    (tmp_path / "new" / "m.py").write_text("X = 2\n")
    watching.until(tmp_path / "new" / "m.py", "modified")


# ---------------------------------------------------------------------------------------------------------- trouble


def test_missing_root_is_told_once_and_watched_when_it_comes(
    tmp_path: Path, start: Start, means: dict[str, Any]
) -> None:
    """A root that does not exist is told, not raised, and tried again by each check."""
    root = tmp_path / "root"
    watching = start(root, **means)
    watching.watcher.check()
    assert watching.codes() == ["HS403"]
    assert watching.scans.empty()
    root.mkdir()
    watching.watcher.check()
    watching.scans.get_nowait()
    (root / "m.py").write_text("")
    assert watching.changes.get(timeout=10).path == str(root / "m.py")
    assert watching.codes() == []


@pytest.mark.parametrize("moved", [False, True], ids=["deleted", "moved"])
def test_replaced_root_is_watched_anew(tmp_path: Path, start: Start, means: dict[str, Any], moved: bool) -> None:
    """A root that goes is told again each time, and one that comes back is watched and asks for a look."""
    root = tmp_path / "root"
    root.mkdir()
    watching = start(root, **means)
    for number in range(2):
        root.rename(tmp_path / f"away{number}") if moved else root.rmdir()
        watching.watcher.check()
        assert watching.codes() == ["HS403"]
        root.mkdir()
        watching.watcher.check()
        assert not watching.scans.empty()
        (root / "m.py").write_text("")
        while watching.changes.get(timeout=10).path != str(root / "m.py"):
            pass
        (root / "m.py").unlink()
        watching.until(root / "m.py", "deleted")


@linux
def test_a_folder_above_the_root_that_is_renamed_is_noticed(tmp_path: Path, start: Start) -> None:
    """Nothing below hears of it; that it was renamed rings, and what is at the root's place then is watched."""
    root = tmp_path / "above" / "root"
    root.mkdir(parents=True)
    watching = start(root)
    watching.watcher.check()
    assert watching.watcher.pause > 1
    (tmp_path / "above").rename(tmp_path / "away")
    watching.scans.get(timeout=10)
    assert watching.watcher.pause == 1
    watching.watcher.check()
    assert watching.codes() == ["HS403"]
    root.mkdir(parents=True)
    watching.watcher.check()
    (root / "m.py").write_text("")
    watching.until(root / "m.py", "modified")


def test_root_replaced_between_two_checks_is_watched_anew(tmp_path: Path, start: Start, means: dict[str, Any]) -> None:
    """A root swapped for another folder of the same name is noticed although it never seemed to be gone."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "next").mkdir()
    watching = start(root, **means)
    root.rename(tmp_path / "old")
    (tmp_path / "next").rename(root)
    watching.watcher.check()
    watching.scans.get(timeout=10)
    (root / "m.py").write_text("")
    assert watching.changes.get(timeout=10).path == str(root / "m.py")
    assert watching.codes() == []


def test_root_made_again_with_the_same_identity_is_watched_anew(
    tmp_path: Path, start: Start, means: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """File systems give a new folder the number of one just deleted: that the old one was watched to its end counts."""
    monkeypatch.setattr("hotswap._watch._watcher.identify", lambda root: (1, 1))
    root = tmp_path / "venv"
    root.mkdir()
    watching = start(root, **means)
    root.rmdir()
    root.mkdir()
    for emitter in emitters():
        emitter.join(10)
    watching.scans.get(timeout=10)
    watching.watcher.check()
    (root / "m.py").write_text("")
    assert watching.changes.get(timeout=10).path == str(root / "m.py")


def test_root_that_may_not_be_read_is_told(tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without permission is told with the system's reason."""

    def scandir(path: str) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", scandir)
    watching = start(tmp_path)
    assert "Permission denied" in watching.troubles.get_nowait().message


@linux
def test_folder_that_may_not_be_watched_is_told_and_polled(
    tmp_path: Path, start: Start, few_watches: Callable[..., None]
) -> None:
    """A folder below the root that the system refuses is told by name, and its loaded files are looked at."""
    module = tmp_path / "pkg" / "m.py"
    module.parent.mkdir()
    module.touch()
    few_watches(1, errno.EACCES)
    watching = start(tmp_path, loaded=(module,))
    found = watching.troubles.get_nowait()
    assert (found.code, found.path) == ("HS403", str(module.parent))
    module.write_text("X = 2\n")
    watching.until(module, "modified")


def test_check_finds_nothing_to_do(tmp_path: Path, start: Start, means: dict[str, Any]) -> None:
    """A check of roots that are as they were asks for nothing."""
    watching = start(tmp_path, **means)
    watching.watcher.check()
    assert watching.scans.empty()
    assert watching.codes() == []


class Refusing(PollingObserver):
    """An observer that the system gives no watches."""

    def schedule(self, *args: Any, **options: Any) -> Any:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")


class Told(PollingObserver):
    """An observer that tells what it is told to tell."""

    def tell(self, *events: fs.FileSystemEvent) -> None:
        (emitter,) = self.emitters
        for event in events:
            emitter.queue_event(event)


@pytest.fixture
def told() -> Told:
    """It finds nothing by itself while a test lasts."""
    return Told(timeout=3600)


@pytest.mark.parametrize("told_name", ["M.PY", "Cafe\u0301.py"], ids=["capitals", "accents"])
def test_a_file_is_told_by_another_spelling(tmp_path: Path, start: Start, told: Told, told_name: str) -> None:
    """Other systems tell a name as it was when the file was made; the program may spell it otherwise."""
    module = tmp_path / ("m.py" if told_name == "M.PY" else "caf\u00e9.py")
    module.write_text("X = 2\n")
    watching = start(tmp_path, loaded=(module,), observer_factory=lambda: told)
    told.tell(fs.FileModifiedEvent(str(tmp_path / told_name)))
    assert watching.until(module, "modified") == []


@pytest.mark.parametrize(
    "events",
    [
        [fs.FileCreatedEvent("tmp"), fs.FileModifiedEvent("tmp"), fs.FileMovedEvent("tmp", "m.py")],
        [fs.FileDeletedEvent("m.py"), fs.FileMovedEvent("tmp", "m.py")],
        [fs.FileDeletedEvent("m.py"), fs.FileCreatedEvent("m.py"), fs.FileModifiedEvent("m.py")],
        [fs.FileMovedEvent("m.py", "m.py~"), fs.FileCreatedEvent("m.py"), fs.FileModifiedEvent("m.py")],
        [fs.FileCreatedEvent("m.py")],
        [fs.FileModifiedEvent("m.py"), fs.FileModifiedEvent("m.py"), fs.DirModifiedEvent("")],
    ],
    ids=["renamed", "renamed on Windows", "made anew", "put aside", "as FSEvents tells a rename", "written"],
)
def test_what_other_systems_tell_of_a_save_is_one_change(
    tmp_path: Path, told: Told, events: list[fs.FileSystemEvent]
) -> None:
    """In whatever order it comes: after a quiet period it is one change of the module, and the module is there."""
    module = tmp_path / "m.py"
    module.write_text("X = 2\n")
    inbox = Inbox()
    watcher = Watcher(
        [str(tmp_path)],
        inbox.put,
        loaded=lambda: {str(module)},
        observer_factory=lambda: told,
        on_trouble=lambda _: None,
        on_overflow=lambda: None,
    )
    watcher.start()
    for event in events:
        event.src_path, event.dest_path = (
            str(tmp_path / str(end)) if end else "" for end in (event.src_path, event.dest_path)
        )
    told.tell(*events)
    assert inbox.wait(10)
    batch = inbox.take()
    watcher.stop()
    assert batch is not None
    assert [(change.path, change.kind == "deleted") for change in batch.changes] == [(str(module), False)]
    assert inbox.due(time.monotonic()) is None


def refuse(*args: Any) -> Any:
    raise OSError(errno.EMFILE, "inotify instance limit reached")


@pytest.mark.parametrize("factory", [Refusing, refuse, None])
def test_loaded_files_are_polled_without_watches(
    tmp_path: Path, start: Start, factory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a limit of the system is reached, that is told once and changes of loaded files are seen by polling."""
    module, other = tmp_path / "m.py", tmp_path / "other.py"
    module.touch()
    other.touch()
    if factory is None:
        monkeypatch.setattr("hotswap._watch._inotify.inotify_init", refuse)
    watching = start(tmp_path, loaded=(module,), observer_factory=factory)
    watching.watcher.check()
    assert watching.codes() == ["HS401"]
    other.write_text("X = 2\n")
    module.write_text("X = 2\n")
    assert watching.until(module, "modified") == []


def test_other_refusals_are_raised(tmp_path: Path) -> None:
    """An observer that cannot be made for an unknown reason is not passed over."""

    def broken() -> Any:
        raise PermissionError(errno.EACCES, "no")

    with pytest.raises(PermissionError):
        Watching(tmp_path, observer_factory=broken).watcher.start()


@pytest.fixture
def few_watches(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the system have only so many watches."""
    from hotswap._watch import _inotify

    left, refusal = 1000, errno.ENOSPC
    original = _inotify.inotify_add_watch
    known: set[bytes] = set()

    def add(descriptor: int, path: bytes, mask: int) -> int:
        nonlocal left
        if path not in known and mask & 0x8:  # else it is there already, or watched for being renamed alone
            left -= 1
            if left < 0:
                ctypes.set_errno(refusal)
                return -1
            known.add(path)
        return original(descriptor, path, mask)

    def limit(number: int, error: int = errno.ENOSPC) -> None:
        nonlocal left, refusal
        left, refusal = number, error

    monkeypatch.setattr(_inotify, "inotify_add_watch", add)
    return limit


@linux
def test_folder_without_a_watch_is_polled(tmp_path: Path, start: Start, few_watches: Callable[..., None]) -> None:
    """A limit that is reached below the root is told once, and what is loaded from there is looked at."""
    modules = tuple(tmp_path / name / "m.py" for name in "abc")
    for module in modules:
        module.parent.mkdir()
        module.touch()
    few_watches(2)
    watching = start(tmp_path, loaded=modules)
    assert watching.codes() == ["HS401"]
    for module in modules:
        module.write_text("X = 2\n")
    assert {watching.changes.get(timeout=10).path for _ in modules} == set(map(str, modules))


@linux
def test_a_file_system_that_tells_nothing_is_polled(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder whose own opening is not told will tell of no save either: that is told, and its files are looked at."""
    module = tmp_path / "m.py"
    module.touch()
    monkeypatch.setattr("hotswap._watch._inotify.Inotify.tells", lambda self, folder: False)
    monkeypatch.setattr("hotswap._watch._inotify.Inotify.drain", lambda self: os.read(self._fd, 4096))
    watching = start(tmp_path, loaded=(module,))
    assert watching.codes() == ["HS404"]
    module.write_text("X = 2\n")
    watching.until(module, "modified")


@linux
def test_overflow_is_told_and_everything_is_watched_anew(tmp_path: Path, start: Start) -> None:
    """Events that the kernel drops are told and ask for a look; folders that were made meanwhile are watched."""
    module = tmp_path / "pkg" / "m.py"
    watching = start(tmp_path)
    ears: Any = watching.watcher._ears
    with watching.watcher._lock:
        module.parent.mkdir()
        module.touch()
        os.read(ears._fd, 65536)
        ears._dispatch(struct.pack("iIII", -1, 0x4000, 0, 0))
    assert watching.codes() == ["HS402"]
    watching.scans.get_nowait()
    watching.watcher.cover(str(module))
    watching.watcher.check()
    module.write_text("X = 2\n")
    watching.until(module, "modified")


@linux
def test_a_real_overflow_is_seen(tmp_path: Path) -> None:
    """More events than the kernel keeps: the look that follows is told that it has to read everything."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 20_000:
        pytest.skip("the queue is too long to be filled in passing")
    watching = Watching(tmp_path, threads=False)
    watching.watcher.start()
    try:
        first, second = tmp_path / "a.txt", tmp_path / "b.txt"
        first.touch()
        for _ in range(limit // 2 + 10):
            os.rename(first, second)
            os.rename(second, first)
        watching.watcher.flush()
        assert watching.codes() == ["HS402"]
        assert not watching.scans.empty()
    finally:
        watching.watcher.stop()


def test_failing_predicate_does_not_end_watching(tmp_path: Path, start: Start, means: dict[str, Any]) -> None:
    """An exception in what the caller handed in is told, asks for a look, and the next change is seen."""
    fail = True

    def ignore(path: str) -> bool:
        if fail and path.endswith("new"):
            raise ValueError(path)
        return False

    watching = start(tmp_path, ignore=ignore, **means)
    (tmp_path / "new").mkdir()
    assert watching.troubles.get(timeout=10).code == "HS304"
    watching.scans.get(timeout=10)
    fail = False
    (tmp_path / "n.py").write_text("")
    watching.until(tmp_path / "n.py", "modified")


# ------------------------------------------------------------------------------------------------- threads and ends


def test_threads_are_daemons_with_our_name(tmp_path: Path, start: Start) -> None:
    """Whoever lists the threads of a process sees whose they are, and none keeps it alive."""
    before = set(threading.enumerate())
    watching = start(tmp_path, **WATCHDOG)
    ours = set(threading.enumerate()) - before - {watching._thread}
    assert ours
    assert all(thread.daemon and thread.name.startswith(("hotswap-", "Thread-")) for thread in ours)


@linux
def test_inotify_needs_no_thread(tmp_path: Path, start: Start) -> None:
    """Who sleeps on the watcher reads its events, so there is none but that one."""
    before = set(threading.enumerate())
    watching = start(tmp_path)
    assert set(threading.enumerate()) - before == {watching._thread}


def test_start_and_stop_twice(tmp_path: Path, start: Start, means: dict[str, Any]) -> None:
    """A second start or stop changes nothing, a stopped watcher is silent, and one started again sees changes."""
    watching = start(tmp_path, **means)
    threads = threading.active_count()
    watching.watcher.start()
    assert threading.active_count() == threads
    watching.stop()
    watching.watcher.stop()
    watching.watcher.check()
    assert not watching.watcher.flush()
    (tmp_path / "m.py").touch()
    watching._over = False
    watching.start()
    (tmp_path / "n.py").write_text("X = 1\n")
    assert watching.changes.get(timeout=10).path == str(tmp_path / "n.py")


def run(script: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    source = "import os, queue, sys, threading\nfrom hotswap._watch import Watcher\n" + script
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONWARNINGS": "ignore:This process:DeprecationWarning",
    }
    command = [sys.executable, "-c", source, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)


WATCH = """
changes = queue.Queue()
watcher = Watcher([sys.argv[1]], lambda change, quiet: changes.put(change), on_trouble=print, on_overflow=print)
watcher.start()
"""


def test_interpreter_ends_in_silence_without_a_stop(tmp_path: Path) -> None:
    """A program that never stops the watcher ends at once, without a word."""
    done = run(WATCH + "open(sys.argv[1] + '/m.py', 'w').close()", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@linux
def test_forked_child_leaves_the_parents_watches_alone(tmp_path: Path) -> None:
    """After a fork the child's stop does not end the parent's watching, and the child can watch by itself."""
    script = """
def saw(name):
    open(os.path.join(sys.argv[1], name), "w").close()
    watcher.sleep(10)
    while not changes.get(timeout=10).path.endswith(name):
        pass

os.mkdir(os.path.join(sys.argv[1], "pkg"))
watcher.cover(os.path.join(sys.argv[1], "pkg", "m.py"))
watcher.restart_after_fork()
child = os.fork()
if child == 0:
    code = 1
    try:
        watcher.stop()
        watcher.start()
        watcher.cover(os.path.join(sys.argv[1], "pkg", "m.py"))
        saw("first.py")
        if (grandchild := os.fork()) == 0:
            watcher.restart_after_fork()
            saw("second.py")
            saw(os.path.join("pkg", "m.py"))
            watcher.stop()
            os._exit(0)
        assert os.waitpid(grandchild, 0)[1] == 0
        watcher.stop()
        code = 0
    finally:
        os._exit(code)
assert os.waitpid(child, 0)[1] == 0
saw("third.py")
watcher.stop()
"""
    done = run(WATCH + script, tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
