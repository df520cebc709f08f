"""Whether a running program could take the edits since a commit: they are applied to one, in a process of its own.

A copy of the folder is laid as the commit has it (what git does not have is linked), and a new interpreter imports the
modules from there. Then the files become what they are on disk, and it swaps. The process that asks imports nothing.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from hotswap._errors import HotswapError, TargetError
from hotswap._offline import git

_CHILD: Final = "import sys; sys.path.append(sys.argv[1]); from hotswap._check import swap; sys.exit(swap(sys.argv[2]))"


def check_since(revision: str, folder: str, modules: Sequence[str]) -> int:
    """Print what a process that has imported `modules` as of the commit `revision` makes of the files on disk.

    Returns 1 if anything could not be applied or is held, 2 if the modules cannot be imported as of that commit.
    Raises TargetError if `folder` is in no git repository, or the repository has no such commit.
    """
    folder = os.path.realpath(folder)
    git(folder, "rev-parse", "--show-toplevel")  # it says best that there is no repository
    changed = dict(_changed(revision, folder))
    with tempfile.TemporaryDirectory(prefix="hotswap-check-") as place:
        place = os.path.realpath(place)
        _lay(revision, folder, place)
        job = json.dumps({"from": folder, "to": place, "changed": changed, "modules": list(modules)})
        ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        return subprocess.run([sys.executable, "-c", _CHILD, ours, job], cwd=place).returncode  # noqa: S603  ourselves


def _changed(revision: str, folder: str) -> Iterator[tuple[str, str]]:
    """Yield the files below `folder` that differ from the commit, each with git's letter for how."""
    listed = git(folder, "diff", "--relative", "--name-status", "--no-renames", "-z", revision, "--", ".")
    words = iter(listed.decode("utf-8", "surrogateescape").split("\0"))
    yield from ((path, letter) for letter, path in zip(words, words, strict=False))


def _lay(revision: str, folder: str, place: str) -> None:
    with tarfile.open(fileobj=io.BytesIO(git(folder, "archive", "--format=tar", revision, "."))) as archive:
        archive.extractall(place, filter="data")
    others = git(folder, "ls-files", "--others", "--directory", "-z", "--", ".").decode("utf-8", "surrogateescape")
    for path in filter(None, others.split("\0")):
        target = os.path.join(place, path.rstrip("/"))
        if not os.path.lexists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.symlink(os.path.join(folder, path.rstrip("/")), target)


# ---------------------------------------------------------------------------------------------- in a process of its own


def swap(job: str) -> int:
    """Import the modules of `job`, have the files become the new ones, swap, and print what came of it."""
    from hotswap._reloader import Reloader  # not for the process that asks

    given = json.loads(job)
    try:
        with Reloader(given["to"], apply="manual") as reloader:
            _import(given["modules"])
            reloader.reload()  # what is linked is as it is
            _edit(given)
            reports = [reloader.reload()]
            held = tuple(found for found in reports[0].findings if found.code != "HS305")
            if held != reports[0].findings:  # a file that is gone counts the second time
                reports = [replace(reports[0], findings=held, held=()), reloader.reload()]
    except HotswapError as error:
        sys.stderr.write(f"hotswap: {error}\n")
        return 2
    text = "\n".join(report.text() for report in reports if report) or "nothing to do"
    sys.stdout.write(text.replace(os.path.join(given["to"], ""), os.path.join(given["from"], "")) + "\n")
    return int(any(report.errors for report in reports))


def _import(modules: Iterable[str]) -> None:
    for name in modules:
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:
            said = f"{type(error).__name__}: {error}".removesuffix(": ")
            raise TargetError(f"{name} cannot be imported as it is in the commit: {said}") from error


def _edit(given: dict[str, Any]) -> None:
    for path, letter in given["changed"].items():
        target = os.path.join(given["to"], path)
        if letter == "D":
            os.unlink(target)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(os.path.join(given["from"], path), target)
