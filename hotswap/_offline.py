"""What a swap would do, worked out without a program: from the texts of a commit to those on disk.

The modules are named as they would be imported from the folder. Nothing is imported or run. The process is given empty
modules of those names, as planning asks which are there; this is for a command that ends afterwards.
"""

from __future__ import annotations

import os
import subprocess
import sys
from types import ModuleType

from hotswap._arrivals import Arrivals
from hotswap._errors import TargetError
from hotswap._findings import finding
from hotswap._graph._view import files_below, name_below
from hotswap._loader._baselines import Baseline, Packed
from hotswap._model import Finding, Plan
from hotswap._modules import Entry
from hotswap._plan._groups import plan_all
from hotswap._plan._prepare import Reading
from hotswap._process import Process


def plan_since(revision: str, folder: str) -> tuple[Plan, tuple[Finding, ...]]:
    """Return the plan for modules below `folder` that differ from the commit `revision`, and what is broken or gone.

    Raises TargetError if `folder` is in no git repository, or the repository has no such commit.
    """
    top = git(folder, "rev-parse", "--show-toplevel").decode().rstrip("\n")
    root, changed = os.path.realpath(folder), set(_listed(folder, top, revision, "M"))
    process, entries = Process(Arrivals()), []
    for name, path, package in files_below(root):
        entry = Entry(name, path, package, path)
        entries.append(entry)
        place = f"{revision}:{os.path.relpath(path, top)}"
        source = git(folder, "show", place) if path in changed else _read(path)
        process.baselines.note(name, Baseline(path, path, Packed(source), None))
        sys.modules.setdefault(name, _empty(entry))
    prepared = Reading(process).prepare(entry for entry in entries if entry.path in changed)
    gone = {name_below(path, root): path for path in _listed(folder, top, revision, "D")}
    names = {"", *(entry.name for entry in entries)}
    told = (finding("HS102", path, 1, module=name) for name, path in gone.items() if name not in names)
    return plan_all(process, prepared, entries), (*prepared.findings.values(), *told)


def _listed(folder: str, top: str, revision: str, kind: str) -> list[str]:
    """Return the Python files below `folder` that git has another text for (M), or that have gone (D)."""
    words = ("diff", "--name-only", "--no-renames", f"--diff-filter={kind}", "-z", revision, "--", "*.py")
    return [os.path.join(top, path) for path in git(folder, *words).decode().split("\0") if path]


def _empty(entry: Entry) -> ModuleType:
    module = ModuleType(entry.name)
    module.__file__, module.__package__ = entry.file, entry.package
    return module


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def git(folder: str, *words: str) -> bytes:
    """Return what git prints for `words` in `folder`. Raises TargetError with what it says against it."""
    if not os.path.isdir(folder):
        raise TargetError(f"{folder}: no such folder")
    try:
        command = ["git", "-C", folder, *words]
        return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603  git, with words of ours
    except OSError as error:
        raise TargetError(f"git cannot be run: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        raise TargetError(error.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ")) from error
