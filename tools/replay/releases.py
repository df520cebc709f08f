"""Where histories come from: consecutive releases of well-known projects, downloaded once by pip into a cache folder.

A wheel holds the modules as they are installed, and needs no build; an sdist that lies in the cache is read as well.
Any other history (commits, say) is a folder with one folder for each version: `History.of_folders`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

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
    )
}


@dataclass(frozen=True, slots=True)
class History:
    """The versions of a project, oldest first; what files each has is read when it is asked for."""

    project: Project
    places: Mapping[str, Path]

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

    def files(self, version: str) -> Files:
        """Return the files of the project's packages at `version`, by path relative to the project's folder."""
        place = self.places[version]
        read = _of_folder if place.is_dir() else _of_sdist if place.suffix == ".gz" else _of_wheel
        tops = (*self.project.packages, *(f"{package}.py" for package in self.project.packages))
        return {
            name: text for name, text in read(place) if name.split("/")[0] in tops and name.endswith((".py", ".typed"))
        }


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.rstrip(".").split("."))


def _of_folder(place: Path) -> Iterator[tuple[str, bytes]]:
    yield from ((path.relative_to(place).as_posix(), path.read_bytes()) for path in place.rglob("*") if path.is_file())


def _of_wheel(place: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(place) as archive:
        yield from ((name, archive.read(name)) for name in archive.namelist() if not name.endswith("/"))


def _of_sdist(place: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(place) as archive:
        for member in archive.getmembers():
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                parts = PurePosixPath(member.name).parts[1:]
                yield "/".join(parts[1:] if parts[:1] == ("src",) else parts), file.read()


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


def write(files: Mapping[str, bytes], root: Path) -> list[str]:
    """Make `root` hold `files`; return the paths that were written or deleted. What is equal is not touched."""
    changed = []
    for path in [path for path in root.rglob("*.py") if path.relative_to(root).as_posix() not in files]:
        path.unlink()
        changed.append(str(path))
    for name, text in files.items():
        path = root / name
        if not path.exists() or path.read_bytes() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
            changed.append(str(path))
    return changed
