"""Where histories come from: consecutive releases of well-known projects, downloaded once by pip into a cache folder.

A wheel holds the modules as they are installed, and needs no build; an sdist that lies in the cache is read as well.
The commits of any git repository are a history (`History.of_commits`), and so is a folder with one folder for each
version (`History.of_folders`).
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Project:
    """What to replay: a distribution, its top-level packages, and whether instances may be built of its classes."""

    name: str
    packages: tuple[str, ...]
    build: bool = True


PROJECTS: Final = {
    project.name: project
    for project in (
        Project("more-itertools", ("more_itertools",)),
        Project("tomlkit", ("tomlkit",)),
        Project("marshmallow", ("marshmallow",)),
        Project("click", ("click",)),
        Project("rich", ("rich",)),
        Project("discord.py", ("discord",), build=False),
        Project("attrs", ("attr", "attrs")),
        Project("Cerberus", ("cerberus",)),
        Project("dnspython", ("dns",)),
        Project("python-dateutil", ("dateutil",)),
    )
}


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the git repository at `repository`."""

    repository: Path
    name: str


@dataclass(frozen=True, slots=True)
class History:
    """The versions of a project, oldest first; what files each has is read when it is asked for."""

    project: Project
    places: Mapping[str, Path | Commit]

    @classmethod
    def of_releases(cls, project: Project, cache: Path) -> History:
        """Return the releases of `project` that lie in the cache folder `cache`."""
        found = {}
        for path in (cache / "wheels" / project.name).glob("*"):
            match = re.match(r"[^-]+-(\d[\d.]*)(?:-|\.tar)", path.name)
            if match:
                found[match[1]] = path
        return cls(project, {version: found[version] for version in sorted(found, key=_order)})

    @classmethod
    def of_folders(cls, project: Project, folder: Path) -> History:
        """Return the versions that are the folders in `folder`, in the order of their names."""
        return cls(project, {path.name: path for path in sorted(folder.iterdir()) if path.is_dir()})

    @classmethod
    def of_commits(cls, project: Project, repository: Path, count: int, last: str = "HEAD") -> History:
        """Return the `count` commits up to `last` that changed the packages, those of merged branches as one."""
        inside = [f"{folder}{p}{end}" for p in project.packages for folder in ("", "src/") for end in ("", ".py")]
        log = ["log", "--first-parent", f"--max-count={count}", "--format=%h", "--reverse", last, "--", *inside]
        names = _git(repository, *log).decode().split()
        return cls(project, {name: Commit(repository, name) for name in names})

    def files(self, version: str) -> Files:
        """Return the files of the project's packages at `version`, by path relative to the project's folder."""
        tops = (*self.project.packages, *(f"{package}.py" for package in self.project.packages))
        ours = {name: text for name, text in self._read(version) if name.split("/")[0] in tops}
        return _generated(ours) | {name: text for name, text in ours.items() if name.endswith((".py", ".typed"))}

    def tests(self, version: str) -> Files:
        """Return the files beside the packages that the project's tests at `version` consist of."""
        tops = ("tests", "test", "testing", "conftest.py")
        return {name: text for name, text in self._read(version) if name.split("/")[0] in tops}

    def _read(self, version: str) -> Iterator[tuple[str, bytes]]:
        place = self.places[version]
        if isinstance(place, Commit):
            return _of_tar(io.BytesIO(_git(place.repository, "archive", "--format=tar", "--prefix=x/", place.name)))
        if place.is_dir():
            return _of_folder(place)
        return _of_tar(place.open("rb")) if place.suffix == ".gz" else _of_wheel(place)


def _generated(files: Files) -> Files:
    """Return the module with the version number that building writes into a package which imports it."""
    tops = {name.split("/")[0] for name, text in files.items() if b"_version import" in text}
    return {f"{top}/_version.py": b"__version__ = version = '1.0'\n" for top in tops}


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.rstrip(".").split("."))


def _of_folder(place: Path) -> Iterator[tuple[str, bytes]]:
    yield from ((path.relative_to(place).as_posix(), path.read_bytes()) for path in place.rglob("*") if path.is_file())


def _of_wheel(place: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(place) as archive:
        yield from ((name, archive.read(name)) for name in archive.namelist() if not name.endswith("/"))


def _of_tar(stream: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    with stream, tarfile.open(fileobj=stream) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                parts = PurePosixPath(member.name).parts[1:]
                yield "/".join(parts[1:] if parts[:1] == ("src",) else parts), file.read()


def _git(repository: Path, *arguments: str) -> bytes:
    git = shutil.which("git") or "git"
    return subprocess.run([git, "-C", str(repository), *arguments], capture_output=True, check=True).stdout


def download(project: Project, count: int, cache: Path) -> None:
    """Have pip download the last `count` releases of `project` that are not in the cache folder yet."""
    folder = cache / "wheels" / project.name
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    listed = subprocess.run(
        [*pip, "index", "versions", project.name], capture_output=True, text=True, check=True
    ).stdout
    versions = re.findall(r"\d[\d.]*", listed.partition("Available versions:")[2].partition("\n")[0])
    for version in versions[:count]:
        if not any(f"-{version}" in path.name for path in folder.iterdir()):
            wanted = [f"{project.name}=={version}", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
            subprocess.run([*pip, "download", "--quiet", *wanted], check=False)


def write(files: Mapping[str, bytes], root: Path, *, keep: bool = False) -> list[str]:
    """Make `root` hold `files`; return the paths that were written or deleted. What is equal is not touched.

    With `keep`, other files stay.
    """
    changed = []
    others = [path for path in root.rglob("*.py") if path.relative_to(root).as_posix() not in files]
    for path in [] if keep else others:
        path.unlink()
        changed.append(str(path))
    for name, text in files.items():
        path = root / name
        if not path.exists() or path.read_bytes() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
            changed.append(str(path))
    return changed
