"""The two processes that are compared: a fresh one that imports a version, and the living one that is brought to it.

Run as a script by `steps`. With ``--fresh FILE`` it imports all modules, writes their digest and ends. Else it imports
the first version, holds references, and answers one line of JSON for each line of JSON on its standard input.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import inspect
import io
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

from client import CLIENT
from digest import Digest, Walk, level_of
from peers import TOOLS, Update
from suite import passed, passed_aside
from told import AS_THERE

Difference = tuple[str, str, str, str, str]

_INSIDE = ("fget", "func", "__func__", "__wrapped__")
"""Where a function is that a property, a cache or the like wraps: a held one is that, or leads to it."""


def module_names(root: str, packages: list[str]) -> Iterator[str]:
    """Yield the names of all modules in the files below `root`; ``__main__`` runs programs and is left out."""
    for package in packages:
        if os.path.isfile(os.path.join(root, f"{package}.py")):
            yield package
        for folder, folders, files in sorted(os.walk(os.path.join(root, package))):
            folders.sort()
            inside = os.path.relpath(folder, root).replace(os.sep, ".")
            for file in sorted(files):
                if file == "__init__.py":
                    yield inside
                elif file.endswith(".py") and file != "__main__.py":
                    yield f"{inside}.{file[:-3]}"


def import_all(root: str, packages: list[str]) -> dict[str, str]:
    """Import every module; return those that cannot be imported, each with what it raised."""
    failed = {}
    importlib.invalidate_caches()
    for name in sorted(set(module_names(root, packages))):
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001  optional dependencies, other platforms
            failed[name] = f"{type(error).__name__}: {error}"
    return failed


class Living:
    """The living process: what it holds since the first version, and the tool that brings it along."""

    def __init__(self, root: str, packages: list[str], tool: str, *, build: bool) -> None:
        self.root, self.packages = root, packages
        self.failed = import_all(root, packages)
        walk = Walk(packages, root)
        walk.run()
        self.functions = {p: f for p, f in walk.functions.items() if "[" not in p and "<" not in p and _is_named(p, f)}
        self.classes: dict[str, Any] = {p: c for p, c in walk.classes.items() if "[" not in p and "<" not in p}
        self.instances = dict(self._instances()) if build else {}
        self.bound = dict(self._bound())
        self._import_client()
        self.update: Update = TOOLS[tool](root, lambda name: walk.is_ours(name) or name == CLIENT)
        self.was_here: set[str] = set(walk.digest)

    def _instances(self) -> Iterator[tuple[str, Any]]:
        """Yield an instance of each class that takes no arguments."""
        for path, cls in self.classes.items():
            with contextlib.suppress(BaseException), contextlib.redirect_stdout(io.StringIO()):
                inspect.signature(cls).bind()
                if type(made := cls()) is cls:  # a class may give something else
                    yield path, made

    def _bound(self) -> Iterator[tuple[str, Any]]:
        for path, one in self.instances.items():
            for name, member in vars(type(one)).items():
                if isinstance(member, FunctionType) and _is_named(f"{path}.{name}", member):
                    yield f"{path}.{name}", member.__get__(one)

    def _import_client(self) -> None:
        if os.path.exists(os.path.join(self.root, f"{CLIENT}.py")):
            importlib.import_module(CLIENT)

    def grown(self, fresh: dict[str, Any]) -> list[tuple[str, str, str]]:
        """Return (path, facet, what is there) of all that the process has made otherwise by running."""
        walk = Walk(self.packages, self.root, fresh["digest"])
        return [(path, facet, own) for _, path, facet, _, own in compare(fresh["digest"], walk.run())]

    # -- a step --------------------------------------------------------------------------------------------------------

    def step(self, changed: list[str], fresh: dict[str, Any]) -> dict[str, Any]:
        """Bring the process to the files, compare it with the digest `fresh`, and return what differs."""
        wall, cpu = time.perf_counter(), time.process_time()
        told = self.update(changed)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        failed = import_all(self.root, self.packages)
        walk = Walk(self.packages, self.root, fresh["digest"])
        digest = walk.run()
        if not fresh["failed"].keys().isdisjoint(self.packages):
            return {"told": self._named(walk, told), "cpu": cpu, "wall": wall, "failed": True}
        found = list(compare(fresh["digest"], digest))
        found += [
            ("behaviour", f"{name}:", "import", "works", why)
            for name, why in failed.items()
            if name not in fresh["failed"]
        ]
        found += list(self._held(walk, fresh["digest"]))
        found += list(self._client({path for level, path, *_ in found if level == "behaviour"}))
        named = self._named(walk, told)
        return {"told": named, "differences": found, "cpu": cpu, "wall": wall, "things": len(fresh["digest"])}

    def _named(self, walk: Walk, told: list[tuple[str, str, int, str]]) -> list[tuple[str, str, int, str]]:
        """Return the findings with modules in the place of paths."""
        files = {
            os.path.realpath(m.__file__ or ""): name
            for name, m in walk.modules().items()
            if getattr(m, "__file__", None) and m.__spec__ is not None  # else another module's file, put there by it
        }
        return [
            (code, files.get(os.path.realpath(path), os.path.basename(path)), line, text)
            for code, path, line, text in told
        ]

    def _held(self, walk: Walk, fresh: Digest) -> Iterator[Difference]:
        for path, function in self.functions.items():
            why = self._stale(walk, function, path, fresh)
            if why:
                yield ("held", path, "function", "fresh", why)
        for path, cls in self.classes.items():
            if path in fresh and isinstance(cls, type) and walk.classes.get(path) not in (None, cls):
                yield ("held", path, "class", "the same", "another class")
        for path, one in self.instances.items():
            is_kept = isinstance(self.classes[path], type)  # it did not give way to something that is no class
            if is_kept and walk.classes.get(path) not in (None, type(one)):
                yield ("held", path, "instance", "of the class", "of another class")
        for path, method in self.bound.items():
            why = self._stale(walk, method.__func__, path, fresh)
            if why:
                yield ("held", path, "bound method", "fresh", why)

    def _stale(self, walk: Walk, function: FunctionType, path: str, fresh: Digest) -> str:
        """Return why a call of `function` does not run what the version has at `path`, "" if it does or has nothing."""
        if path not in fresh or _at(path) is function:
            return ""  # it is what the modules have, which is compared there
        now = (p for p, f in walk.functions.items() if f is function and p.endswith(function.__name__))
        if any(one != path and one in fresh for one in now):
            return ""  # its definition got another name, and something else has that one now
        owner = path.rpartition(".")[0]
        if owner in self.classes and "code" in fresh.get(owner, ()):
            return ""  # a function took the name of its class: what that has copied of another one is no successor
        if function.__code__.co_filename == "<hotswap>":
            return ""  # a forwarder: it calls whatever is there
        there = fresh.get(fresh[path].get("value", "").removeprefix("same as "), fresh[path])
        inside = (fresh[inner] for part in _INSIDE if (inner := f"{path}.{part}") in fresh)
        there = there if "code" in there else next((one for one in inside if "code" in one), there)
        if "code" not in there:
            if not callable(_at(path)) or function.__code__.co_name == "<lambda>":
                return ""  # no call of it could be what the version has; what has no name has no successor either
            return "" if there.get("value") == walk.name(function) else "something else is there"
        own = walk.described(function) or walk.behaviour(function)
        return ", ".join(facet for facet in ("code", "defaults", "kwdefaults") if own[facet] != there[facet])

    def _client(self, stale: set[str]) -> Iterator[Difference]:
        """Yield the names that the client module has otherwise than the module they are from, or that are `stale`."""
        client = sys.modules.get(CLIENT)
        text = Path(self.root, f"{CLIENT}.py").read_text("utf-8") if client is not None else ""
        for line in text.splitlines():
            _, module, _, name, _, alias = line.split()
            there = vars(sys.modules[module]).get(name) if module in sys.modules else None
            here = vars(client).get(alias)
            is_same = here is there or (type(here) is type(there) and _text(here) == _text(there))
            if not is_same or f"{module}:{name}" in stale:
                facet = AS_THERE if is_same else "binding"
                yield ("client", f"{module}:{name}", facet, f"{_text(there):.80}", f"{_text(here):.80}")


def _text(value: object) -> str:
    """Return the `repr` of `value`; its type, where that fails: the version may have made it a coroutine."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001  it is the project's
        return f"an object of {type(value)}"


def _is_named(path: str, function: FunctionType) -> bool:
    """Whether `function` was made for the name at `path`: ``__next__ = next`` only took it, and may take another."""
    return "<" in function.__qualname__ or function.__qualname__ == path.partition(":")[2]


def _at(path: str) -> object:
    """Return what stands at `path` now, None if there is nothing."""
    module, _, inside = path.partition(":")
    found: Any = sys.modules.get(module)
    for part in inside.split("."):
        found = getattr(found, "__dict__", {}).get(part)
    return found


def compare(fresh: Digest, living: Digest) -> Iterator[Difference]:
    """Yield what differs: (level, path, facet, what a fresh process has, what the living one has)."""
    for path, facets in fresh.items():
        own = living.get(path)
        if own is None:
            if _parent(path) in living and "value" not in (
                living[_parent(path)].keys() - fresh.get(_parent(path), {}).keys()
            ):
                yield (level_of(path, "missing"), path, "missing", facets.get("value", "there"), "missing")
            continue
        for facet in dict.fromkeys((*facets, *own)):
            one, other = facets.get(facet, "-"), own.get(facet, "-")
            if one != other:
                yield (level_of(path, facet), path, facet, one[:300], other[:300])
    for path, facets in living.items():
        if path not in fresh:
            yield ("full", path, "left over", "-", facets.get("left over", "there"))


def _parent(path: str) -> str:
    if path.endswith("]") and "[" in path:
        return path[: path.rindex("[")].removesuffix(".")
    module, _, inside = path.partition(":")
    return f"{module}:{inside.rpartition('.')[0]}"


def _serve(living: Living, answers: Any) -> None:
    for line in sys.stdin:
        request = json.loads(line)
        if "tests" in request:
            passed_aside(living.root, request["tests"])
            answers.write("{}\n")
            answers.flush()
            continue
        with open(request["fresh"], encoding="utf-8") as file:
            fresh = json.load(file)
        answer = living.step(request["changed"], fresh) if "changed" in request else living.grown(fresh)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> None:
    """Be the process that the arguments ask for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root")
    parser.add_argument("packages")
    parser.add_argument("--fresh")
    parser.add_argument("--tests")
    parser.add_argument("--tool", default="hotswap")
    parser.add_argument("--build", action="store_true")
    given = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the modules print is no answer
    sys.path.insert(0, given.root)
    sys.setrecursionlimit(20_000)
    packages = given.packages.split(",")
    if given.fresh:
        failed = import_all(given.root, packages)
        with open(given.fresh, "w", encoding="utf-8") as file:
            json.dump({"failed": failed, "digest": Walk(packages, given.root).run()}, file)
        return
    if given.tests:
        import_all(given.root, packages)
        passed(given.root, given.tests)
        return
    living = Living(given.root, packages, given.tool, build=given.build)
    answers.write(json.dumps({"ready": len(living.functions)}) + "\n")
    answers.flush()
    _serve(living, answers)


if __name__ == "__main__":
    main()
