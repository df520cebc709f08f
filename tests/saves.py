"""How editors and tools save: a table of what each does to a file."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Style:
    """One way to save: `save` brings the file to the text. `swaps` is how many swaps may come of it at most, `least`
    how many at least; a style for which something is missing here is not `possible`.
    """

    name: str
    save: Callable[[Path, str], None]
    least: int = 1
    swaps: int = 1
    possible: bool = True


def in_place(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def truncated_then_written(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.flush()
        time.sleep(0.03)
        file.write(text)


def emptied_then_written(path: Path, text: str) -> None:
    path.write_text("", encoding="utf-8")
    time.sleep(0.03)
    path.write_text(text, encoding="utf-8")


def in_chunks(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        for at in range(0, len(text), len(text) // 3 + 1):
            file.write(text[at : at + len(text) // 3 + 1])
            file.flush()
            time.sleep(0.002)


def renamed_beside(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.swap")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def renamed_from_elsewhere(path: Path, text: str) -> None:
    elsewhere = path.parent.parent / "elsewhere"
    elsewhere.write_text(text, encoding="utf-8")
    os.replace(elsewhere, path)


def moved_from_another_file_system(path: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir="/dev/shm", delete=False, encoding="utf-8") as file:
        file.write(text)
    shutil.move(file.name, path)


def vim_with_backup(path: Path, text: str) -> None:
    """``:set backup backupcopy=no``: probes whether files can be made, puts the old one aside, writes a new one."""
    probe, backup = path.with_name("4913"), path.with_name(f"{path.name}~")
    probe.touch()
    probe.unlink()
    path.rename(backup)
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o644)


def vim_without_backup(path: Path, text: str) -> None:
    """``:set nobackup writebackup``, the default: as with one, but it is deleted at the end."""
    vim_with_backup(path, text)
    path.with_name(f"{path.name}~").unlink()


def real_vim(*options: str) -> Callable[[Path, str], None]:
    def save(path: Path, text: str) -> None:
        other = path.parent.parent / "text"
        other.write_text(text, encoding="utf-8")
        command = ["vim", "-u", "NONE", "-es", *(f"+set {option}" for option in options)]
        command += [f"+%!cat {other}", "+wq", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=30)

    return save


def pycharm(path: Path, text: str) -> None:
    """Safe write: a whole file beside, the old one put aside, the new one put in its place."""
    new, old = path.with_name(f"{path.name}___jb_tmp___"), path.with_name(f"{path.name}___jb_old___")
    new.write_text(text, encoding="utf-8")
    path.rename(old)
    new.rename(path)
    old.unlink()


def vscode(path: Path, text: str) -> None:
    """Opens without truncating, truncates, writes, and has it written through."""
    with path.open("r+", encoding="utf-8") as file:
        file.truncate(0)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def emacs(path: Path, text: str) -> None:
    """A dangling link locks the file while it is edited; the first save puts the old one aside."""
    lock, backup = path.with_name(f".#{path.name}"), path.with_name(f"{path.name}~")
    lock.symlink_to("me@host.123:456")
    if not backup.exists():
        path.rename(backup)
    path.write_text(text, encoding="utf-8")
    lock.unlink()


def unlinked_then_made(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text, encoding="utf-8")


def formatted_later(path: Path, text: str) -> None:
    """Format on save by a tool of its own: what it writes says the same."""
    path.write_text(text.replace("return", "return   "), encoding="utf-8")
    time.sleep(0.06)
    path.write_text(text, encoding="utf-8")


def saved_twice(path: Path, text: str) -> None:
    path.write_text(text + "\nEXTRA = 1\n", encoding="utf-8")
    time.sleep(0.015)
    path.write_text(text, encoding="utf-8")


def in_the_same_second(path: Path, text: str) -> None:
    before = path.stat()
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def with_an_older_time(path: Path, text: str) -> None:
    beside = path.with_name("older")
    beside.write_text(text, encoding="utf-8")
    os.utime(beside, (1_000_000_000, 1_000_000_000))
    os.replace(beside, path)


def linked(path: Path, text: str) -> None:
    """Stores and deployment tools keep texts by content and put links in place."""
    store = path.parent.parent / f"store{time.monotonic_ns()}"
    store.write_text(text, encoding="utf-8")
    link = path.with_name("link")
    link.symlink_to(store)
    os.replace(link, path)


_SHM: Final = os.path.isdir("/dev/shm")
_VIM: Final = shutil.which("vim") is not None

STYLES: Final = (
    Style("in place", in_place),
    Style("truncated, a pause, written", truncated_then_written),
    Style("emptied and closed, a pause, written", emptied_then_written),
    Style("in chunks", in_chunks),
    Style("renamed from beside", renamed_beside),
    Style("renamed from another folder", renamed_from_elsewhere),
    Style("moved from another file system", moved_from_another_file_system, possible=_SHM),
    Style("vim with backup", vim_with_backup),
    Style("vim without backup", vim_without_backup),
    Style("vim itself, with backup", real_vim("backup", "backupcopy=no"), possible=_VIM),
    Style("vim itself, without backup", real_vim("nobackup", "nowritebackup"), possible=_VIM),
    Style("vim itself, backup by copying", real_vim("backup", "backupcopy=yes"), possible=_VIM),
    Style("PyCharm's safe write", pycharm),
    Style("VS Code", vscode),
    Style("emacs", emacs),
    Style("unlinked, made anew", unlinked_then_made),
    Style("a formatter 60 ms later", formatted_later, swaps=2),
    Style("two saves within 20 ms", saved_twice, swaps=2),
    Style("same size, same time", in_the_same_second),
    Style("an older time", with_an_older_time),
    Style("a link in its place", linked),
)
