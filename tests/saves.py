"""How editors and tools save: a table of what each does to a file."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import pty


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
        settings = (f"+set {option}" for option in options)
        run("vim", "-u", "NONE", "-es", *settings, f"+%!cat {_written(path, text)}", "+wq", str(path), given="")

    return save


def real_emacs(path: Path, text: str) -> None:
    code = f'(progn (erase-buffer) (insert-file-contents "{_written(path, text)}") (save-buffer))'
    run("emacs", "-Q", "--batch", str(path), "--eval", code)


def real_nano(path: Path, text: str) -> None:
    """Marks all, cuts it, reads the other file, writes, leaves: as typed."""
    keys = b"\x1b\\\x1ba\x1b/\x0b\x12" + str(_written(path, text)).encode() + b"\r\x0f\r\x18"
    terminal, its = pty.openpty()
    command, surroundings = ["nano", "--ignorercfiles", str(path)], {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(command, env=surroundings, stdin=its, stdout=its, start_new_session=True) as nano:
        os.close(its)
        _type(terminal, keys)
        os.close(terminal)
    assert nano.returncode == 0, nano.returncode


def _type(terminal: int, keys: bytes) -> None:
    """Give `keys` to the program on `terminal` once it has drawn its screen, and read what it draws until it ends."""
    drawn = b""
    try:
        while piece := os.read(terminal, 4096):
            drawn += piece
            if keys and b"^X" in drawn:
                os.write(terminal, keys)
                keys = b""
    except OSError:  # it closed the terminal
        return


def real_ed(path: Path, text: str) -> None:
    run("ed", "-s", str(path), given=f"%d\n0r {_written(path, text)}\nw\nq\n")


def real_sed(path: Path, text: str) -> None:
    run("sed", "-i", f"s/\\b1[0-9][0-9][0-9]\\b/{_number(text)}/g", str(path))


def real_patch(path: Path, text: str) -> None:
    old = path.read_text(encoding="utf-8")
    lines = (one.splitlines(keepends=True) for one in (old, text))
    run("patch", "-s", str(path), given="".join(difflib.unified_diff(*lines, path.name, path.name)))


def real_rsync(*options: str) -> Callable[[Path, str], None]:
    def save(path: Path, text: str) -> None:
        run("rsync", "--checksum", *options, str(_written(path, text)), str(path))

    return save


def real_copy(path: Path, text: str) -> None:
    run("cp", str(_written(path, text)), str(path))


def real_install(path: Path, text: str) -> None:
    """Unlinks what is there and writes a new file."""
    run("install", "-m", "644", str(_written(path, text)), str(path))


def real_formatter(path: Path, text: str) -> None:
    """Saved by an editor, and formatted by what it starts then."""
    path.write_text(text.replace("return ", "return   ") + "\n\n\n", encoding="utf-8")
    run("ruff", "format", "--quiet", "--isolated", "--no-cache", str(path))


def real_git(path: Path, text: str) -> None:
    """Put on the index by another name, and checked out over what is there."""
    folder = path.parent.parent / "git"
    git = ("git", f"--git-dir={folder}", f"--work-tree={path.parent}")
    if not folder.exists():
        run(*git, "init", "-q")
    stored = subprocess.run(
        [*git, "hash-object", "-w", str(_written(path, text))], check=True, capture_output=True, text=True, timeout=30
    )
    run(*git, "update-index", "--add", "--cacheinfo", f"100644,{stored.stdout.strip()},{path.name}")
    run(*git, "checkout-index", "-f", path.name, cwd=path.parent)


def run(*command: str, given: str | None = None, cwd: Path | None = None) -> None:
    subprocess.run(command, check=True, input=given, text=True, capture_output=True, timeout=30, cwd=cwd)


def _written(path: Path, text: str) -> Path:
    other = path.parent.parent / "text"
    other.write_text(text, encoding="utf-8")
    return other


def _number(text: str) -> str:
    found = re.search(r"\b1\d\d\d\b", text)
    assert found is not None
    return found[0]


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


def has(tool: str) -> bool:
    return shutil.which(tool) is not None


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
    Style("vim itself, with backup", real_vim("backup", "backupcopy=no"), possible=has("vim")),
    Style("vim itself, without backup", real_vim("nobackup", "nowritebackup"), possible=has("vim")),
    Style("vim itself, backup by copying", real_vim("backup", "backupcopy=yes"), possible=has("vim")),
    Style("PyCharm's safe write", pycharm),
    Style("VS Code", vscode),
    Style("emacs", emacs),
    Style("emacs itself", real_emacs, possible=has("emacs")),
    Style("nano itself", real_nano, possible=has("nano") and sys.platform != "win32"),
    Style("ed itself", real_ed, possible=has("ed")),
    Style("sed -i", real_sed, possible=has("sed") and sys.platform == "linux"),
    Style("patch", real_patch, possible=has("patch")),
    Style("rsync", real_rsync(), possible=has("rsync")),
    Style("rsync --inplace", real_rsync("--inplace"), possible=has("rsync")),
    Style("cp", real_copy, possible=has("cp")),
    Style("install", real_install, possible=has("install")),
    Style("git checkout-index", real_git, possible=has("git")),
    Style("unlinked, made anew", unlinked_then_made),
    Style("a formatter 60 ms later", formatted_later),
    Style("ruff format after the save", real_formatter, possible=has("ruff")),
    Style("two saves within 20 ms", saved_twice, swaps=2),
    Style("same size, same time", in_the_same_second),
    Style("an older time", with_an_older_time),
    Style("a link in its place", linked),
)
