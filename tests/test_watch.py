"""The watcher: translation of constructed events, then real observers on real folders."""

from __future__ import annotations

import errno
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from watchdog import events as fs
from watchdog.observers import Observer
from watchdog.observers.polling import PollingObserver

from hotswap._watch import Watcher, is_ignored, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hotswap._model import FileChange, Finding

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


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


# --------------------------------------------------------------------------------------------------- real observers


class Watching:
    """A watcher whose calls land in queues."""

    def __init__(self, *roots: Path, **options: Any) -> None:
        self.changes: queue.Queue[FileChange] = queue.Queue()
        self.troubles: queue.Queue[Finding] = queue.Queue()
        self.scans: queue.Queue[None] = queue.Queue()
        self.watcher = Watcher(
            [str(root) for root in roots],
            self.changes.put,
            on_trouble=self.troubles.put,
            on_overflow=lambda: self.scans.put(None),
            **options,
        )

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


@pytest.fixture
def start() -> Iterator[Callable[..., Watching]]:
    """Start watchers; stop them after the test, and see to it that no thread is left."""
    threads = threading.active_count()
    started: list[Watching] = []

    def start(*roots: Path, **options: Any) -> Watching:
        started.append(Watching(*roots, **options))
        started[-1].watcher.start()
        return started[-1]

    yield start
    for watching in started:
        watching.watcher.stop()
    assert threading.active_count() == threads


def test_write_in_place_is_seen(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """A file that is written is modified."""
    module = tmp_path / "m.py"
    module.write_text("X = 1\n")
    watching = start(tmp_path)
    module.write_text("X = 2\n")
    watching.until(module, "modified")


def test_atomic_save_is_seen(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """A temporary file renamed over the module modifies the module; the temporary file is not told."""
    module, temporary = tmp_path / "m.py", tmp_path / "m.py.tmp"
    module.write_text("X = 1\n")
    watching = start(tmp_path)
    temporary.write_text("X = 2\n")
    os.replace(temporary, module)
    assert watching.until(module, "modified") == []


@linux
def test_rename_from_an_unwatched_folder_is_seen(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """A file renamed in from elsewhere is told although nothing is written or closed in the root."""
    root, outside = tmp_path / "root", tmp_path / "m.py"
    root.mkdir()
    outside.write_text("X = 2\n")
    watching = start(root)
    os.replace(outside, root / "m.py")
    watching.until(root / "m.py", "created")


def test_new_package_is_seen_and_watched(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """The files of a new folder are told, and later writes in it as well."""
    watching = start(tmp_path)
    module = tmp_path / "pkg" / "sub" / "m.py"
    module.parent.mkdir(parents=True)
    module.touch()
    watching.until(module, "created")
    module.write_text("X = 2\n")
    watching.until(module, "modified")


def test_deleted_file_is_seen(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """A file that is removed is deleted."""
    module = tmp_path / "m.py"
    module.touch()
    watching = start(tmp_path)
    module.unlink()
    assert watching.until(module, "deleted") == []


def test_ignored_folders_are_silent(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """What happens in ignored folders, old and new, is not told: the first change is that of the module after it."""
    (tmp_path / ".venv" / "lib").mkdir(parents=True)
    watching = start(tmp_path)
    (tmp_path / ".venv" / "lib" / "a.py").write_text("")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "b.py").write_text("")
    (tmp_path / "m.py").write_text("")
    assert watching.changes.get(timeout=10).path == str(tmp_path / "m.py")


def test_root_inside_an_ignored_folder_is_watched(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """A root that is named is watched, also where another root ignores it."""
    root = tmp_path / "venv" / "lib" / "site-packages"
    root.mkdir(parents=True)
    watching = start(tmp_path, root)
    (root / "m.py").write_text("")
    watching.until(root / "m.py", "created")


def test_root_that_is_a_link_is_watched(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """Files of a linked root are told under the name that the root was given."""
    (tmp_path / "real" / "sub").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real", target_is_directory=True)
    watching = start(link)
    (tmp_path / "real" / "m.py").write_text("")
    watching.until(link / "m.py", "created")
    (tmp_path / "real" / "sub" / "n.py").write_text("")
    watching.until(link / "sub" / "n.py", "created")


def test_root_may_be_one_file(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """Of a script that is a root its own saves are told, atomic ones too, and no neighbour's."""
    script, temporary = tmp_path / "script.py", tmp_path / "tmp"
    script.touch()
    watching = start(script)
    (tmp_path / "other.py").write_text("")
    for _ in range(2):
        temporary.write_text("X = 2\n")
        os.replace(temporary, script)
        watching.watcher.check()
        assert watching.until(script, "modified") == []
    assert watching.codes() == []


@linux
def test_write_that_goes_on_is_not_told(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """Where the system tells of closing, a file that is still being written is not looked at."""
    module, other = tmp_path / "m.py", tmp_path / "other.py"
    module.touch()
    watching = start(tmp_path)
    with module.open("w") as file:
        file.write("def f(")
        file.flush()
        other.write_text("")
        assert {change.path for change in watching.until(other, "modified")} == {str(other)}
    watching.until(module, "modified")


def test_wake_is_called_after_the_changes(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """Whoever is woken finds the change already put."""
    woken = threading.Event()
    watching = start(tmp_path, wake=woken.set)
    (tmp_path / "m.py").write_text("")
    assert woken.wait(10)
    assert not watching.changes.empty()


@linux
def test_folder_moved_away_asks_for_a_look(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """A folder that leaves the root takes files along that nobody names, so all loaded files are to be looked at."""
    package = tmp_path / "root" / "pkg"
    package.mkdir(parents=True)
    watching = start(tmp_path / "root")
    package.rename(tmp_path / "pkg")
    watching.scans.get(timeout=10)
    assert watching.codes() == []


# ---------------------------------------------------------------------------------------------------------- trouble


def test_missing_root_is_told_once_and_watched_when_it_comes(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """A root that does not exist is told, not raised, and tried again by each check."""
    root = tmp_path / "root"
    watching = start(root)
    watching.watcher.check()
    assert watching.codes() == ["HS403"]
    assert watching.scans.empty()
    root.mkdir()
    watching.watcher.check()
    watching.scans.get_nowait()
    (root / "m.py").write_text("")
    watching.until(root / "m.py", "created")
    assert watching.codes() == []


@pytest.mark.parametrize("moved", [False, True], ids=["deleted", "moved"])
def test_replaced_root_is_watched_anew(tmp_path: Path, start: Callable[..., Watching], moved: bool) -> None:
    """A root that goes is told again each time, and one that comes back is watched and asks for a look."""
    root = tmp_path / "root"
    root.mkdir()
    watching = start(root)
    for number in range(2):
        root.rename(tmp_path / f"away{number}") if moved else root.rmdir()
        watching.watcher.check()
        assert watching.codes() == ["HS403"]
        root.mkdir()
        watching.watcher.check()
        assert not watching.scans.empty()
        (root / "m.py").write_text("")
        watching.until(root / "m.py", "created")
        (root / "m.py").unlink()
        watching.until(root / "m.py", "deleted")


def test_root_replaced_between_two_checks_is_watched_anew(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """A root swapped for another folder of the same name is noticed although it never seemed to be gone."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "next").mkdir()
    watching = start(root)
    root.rename(tmp_path / "old")
    (tmp_path / "next").rename(root)
    watching.watcher.check()
    watching.scans.get_nowait()
    (root / "m.py").write_text("")
    watching.until(root / "m.py", "created")
    assert watching.codes() == []


@linux
def test_root_made_again_with_the_same_identity_is_watched_anew(
    tmp_path: Path, start: Callable[..., Watching], monkeypatch: pytest.MonkeyPatch
) -> None:
    """File systems give a new folder the number of one just deleted: that the old one was watched to its end counts."""
    monkeypatch.setattr("hotswap._watch._identify", lambda root: (1, 1))
    root = tmp_path / "venv"
    root.mkdir()
    watching = start(root)
    [emitter] = emitters()
    root.rmdir()
    root.mkdir()
    emitter.join(10)
    watching.scans.get(timeout=10)
    watching.watcher.check()
    (root / "m.py").write_text("")
    watching.until(root / "m.py", "created")


def test_root_that_may_not_be_read_is_told(
    tmp_path: Path, start: Callable[..., Watching], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder without permission is told with the system's reason."""

    def scandir(path: str) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", scandir)
    watching = start(tmp_path)
    assert "Permission denied" in watching.troubles.get_nowait().message


def test_check_finds_nothing_to_do(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """A check of roots that are as they were asks for nothing."""
    watching = start(tmp_path)
    watching.watcher.check()
    assert watching.scans.empty()
    assert watching.codes() == []


class Refusing(PollingObserver):
    """An observer that the system gives no watches."""

    def schedule(self, *args: Any, **options: Any) -> Any:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")


def refuse() -> Any:
    raise OSError(errno.EMFILE, "inotify instance limit reached")


@pytest.mark.parametrize("factory", [Refusing, refuse])
def test_root_without_watches_is_polled(tmp_path: Path, start: Callable[..., Watching], factory: Any) -> None:
    """When a limit of the system is reached, that is told once and changes are seen by polling."""
    (tmp_path / ".venv").mkdir()
    module = tmp_path / "m.py"
    module.touch()
    watching = start(tmp_path, observer_factory=factory, poll_every=0.02)
    watching.watcher.check()
    assert watching.codes() == ["HS401"]
    (tmp_path / ".venv" / "a.py").touch()
    (tmp_path / "data.json").touch()
    module.write_text("X = 2\n")
    assert watching.until(module, "modified") == []


def test_other_refusals_are_raised(tmp_path: Path) -> None:
    """An observer that cannot be made for an unknown reason is not passed over."""

    def broken() -> Any:
        raise PermissionError(errno.EACCES, "no")

    with pytest.raises(PermissionError):
        Watching(tmp_path, observer_factory=broken).watcher.start()


@pytest.fixture
def few_watches(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Let the system have only so many watches."""
    from watchdog.observers.inotify_c import InotifyFD

    left = 1000
    original = InotifyFD._get_or_create_watch

    def create(self: Any, path: bytes, mask: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "inotify watch limit reached")
        return original(self, path, mask)

    def limit(number: int) -> None:
        nonlocal left
        left = number

    monkeypatch.setattr(InotifyFD, "_get_or_create_watch", create)
    return limit


@linux
def test_folder_below_without_a_watch_makes_the_root_polled(
    tmp_path: Path, start: Callable[..., Watching], few_watches: Callable[[int], None]
) -> None:
    """A limit that is reached below the root, which watchdog keeps to itself, is told as well."""
    for name in "abc":
        (tmp_path / name).mkdir()
    few_watches(2)
    watching = start(tmp_path, poll_every=0.02)
    assert watching.codes() == ["HS401"]
    assert len(emitters()) == 1
    for name in "abc":
        (tmp_path / name / "m.py").touch()
        watching.until(tmp_path / name / "m.py", "created")


@linux
def test_new_folder_without_a_watch_makes_the_root_polled(
    tmp_path: Path, start: Callable[..., Watching], few_watches: Callable[[int], None]
) -> None:
    """A limit that is reached while watching is found by the next check, which asks for a look."""
    watching = start(tmp_path, poll_every=0.02)
    few_watches(0)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "m.py").touch()
    watching.until(tmp_path / "m.py", "created")
    watching.watcher.check()
    assert watching.codes() == ["HS401"]
    watching.scans.get_nowait()
    (tmp_path / "pkg" / "m.py").touch()
    watching.until(tmp_path / "pkg" / "m.py", "created")


@linux
def test_ignored_folders_take_no_watches(
    tmp_path: Path, start: Callable[..., Watching], few_watches: Callable[[int], None]
) -> None:
    """A large environment inside the root does not use up the system's watches."""
    (tmp_path / "node_modules" / "a" / "b").mkdir(parents=True)
    few_watches(1)
    assert start(tmp_path).codes() == []


@linux
def test_overflow_is_told_after_the_watches_were_rebuilt(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """Dropped events are told and ask for a look, also where logging is off, and watching goes on."""
    from watchdog.observers.inotify_c import InotifyConstants, InotifyEvent, logger

    (tmp_path / "pkg").mkdir()
    observers: list[Any] = []

    def make() -> Any:
        observers.append(Observer())
        return observers[0]

    watching = start(tmp_path, observer_factory=make)
    logger.disabled = True
    try:
        observers[0]._inotify_fd.handle_event(InotifyEvent(-1, InotifyConstants.IN_Q_OVERFLOW, 0, b""))
    finally:
        logger.disabled = False
    assert watching.codes() == ["HS402"]
    watching.scans.get_nowait()
    (tmp_path / "pkg" / "m.py").touch()
    watching.until(tmp_path / "pkg" / "m.py", "created")


def test_failing_predicate_does_not_end_watching(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """An exception in what the caller handed in is told, asks for a look, and the next change is seen."""
    fail = True

    def ignore(path: str) -> bool:
        if fail and path.endswith(".py"):
            raise ValueError(path)
        return False

    watching = start(tmp_path, ignore=ignore)
    (tmp_path / "m.py").touch()
    assert watching.troubles.get(timeout=10).code == "HS304"
    watching.scans.get(timeout=10)
    fail = False
    (tmp_path / "n.py").write_text("")
    watching.until(tmp_path / "n.py", "modified")


# ------------------------------------------------------------------------------------------------- threads and ends


def test_threads_are_daemons_with_our_name(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """Whoever lists the threads of a process sees whose they are, and none keeps it alive."""
    before = set(threading.enumerate())
    start(tmp_path)
    ours = set(threading.enumerate()) - before
    assert ours
    assert all(thread.daemon and thread.name.startswith("hotswap-") for thread in ours)


def test_start_and_stop_twice(tmp_path: Path, start: Callable[..., Watching]) -> None:
    """A second start or stop changes nothing, a stopped watcher is silent, and one started again sees changes."""
    watching = start(tmp_path)
    threads = threading.active_count()
    watching.watcher.start()
    assert threading.active_count() == threads
    watching.watcher.stop()
    watching.watcher.stop()
    watching.watcher.check()
    (tmp_path / "m.py").touch()
    watching.watcher.start()
    (tmp_path / "n.py").touch()
    assert watching.until(tmp_path / "n.py", "created") == []


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
watcher = Watcher([sys.argv[1]], changes.put, on_trouble=print, on_overflow=print)
watcher.start()
"""


def test_interpreter_ends_in_silence_without_a_stop(tmp_path: Path) -> None:
    """A program that never stops the watcher ends at once, without a word."""
    done = run(WATCH + "open(sys.argv[1] + '/m.py', 'w').close()", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forked_child_leaves_the_parents_watches_alone(tmp_path: Path) -> None:
    """After a fork the child's stop does not end the parent's watching, and the child can watch by itself."""
    script = """
def saw(name):
    open(os.path.join(sys.argv[1], name), "w").close()
    while not changes.get(timeout=10).path.endswith(name):
        pass

watcher.restart_after_fork()
child = os.fork()
if child == 0:
    code = 1
    try:
        assert threading.active_count() == 1
        watcher.stop()
        watcher.start()
        saw("first.py")
        if (grandchild := os.fork()) == 0:
            watcher.restart_after_fork()
            saw("second.py")
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
assert threading.active_count() == 1
"""
    done = run(WATCH + script, tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
