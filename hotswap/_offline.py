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
from hotswap._graph._view import files_below
from hotswap._loader._baselines import Baseline, pack
from hotswap._model import Finding, Plan
from hotswap._modules import Entry
from hotswap._plan._groups import plan_all
from hotswap._plan._prepare import Reading
from hotswap._process import Process


def plan_since(revision: str, folder: str) -> tuple[Plan, tuple[Finding, ...]]:
    """Return the plan for the modules below `folder` that differ from the commit `revision`, and what cannot be read.

    Raises TargetError if `folder` is in no git repository, or the repository has no such commit.
    """
    top = git(folder, "rev-parse", "--show-toplevel").decode().rstrip("\n")
    listed = git(folder, "diff", "--name-only", "--diff-filter=M", "-z", revision, "--", "*.py").decode()
    changed = {os.path.join(top, path) for path in listed.split("\0") if path}
    process, entries = Process(Arrivals()), []
    for name, path, package in files_below(os.path.realpath(folder)):
        entry = Entry(name, path, package, path)
        entries.append(entry)
        place = f"{revision}:{os.path.relpath(path, top)}"
        source = git(folder, "show", place) if path in changed else _read(path)
        process.baselines.note(name, Baseline(path, path, pack(source), None))
        sys.modules.setdefault(name, _empty(entry))
    prepared = Reading(process).prepare(entry for entry in entries if entry.path in changed)
    return plan_all(process, prepared, entries), tuple(prepared.findings.values())


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
