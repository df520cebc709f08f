"""The replay itself: versions written one after the other over one folder, and a living process compared each time.

Which differences are *told* is decided in `told`. What was edited is counted, so that findings can be set against it.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from client import CLIENT, client_text, names_of
from digest import LEVELS
from edits import Names, edited, filled_by_call, lines, made_of, module_of
from releases import Files, History, write
from told import Claim, Place, Teller, aliases, claim, lineage, other_paths, without_echoes

SHOWN: Final = (*LEVELS, "held", "client")
_HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a living process has otherwise than a fresh one; `told` is the code that names it, or ""."""

    level: str
    path: str
    facet: str
    fresh: str
    living: str
    told: str = ""

    def __str__(self) -> str:
        told = f" [{self.told}]" if self.told else ""
        return f"{self.level:9} {self.path} {self.facet}: {self.fresh} | {self.living}{told}"


@dataclass(slots=True)
class Step:
    """What came of one step. `differences` are those that are there after it, old ones included.

    With `failed` a fresh process cannot import the version: it is no measure.
    """

    version: str
    failed: bool = False
    things: int = 0
    edited: int = 0
    cpu: float = 0.0
    wall: float = 0.0
    told: list[tuple[str, str, int, str]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    crash: str = ""
    passed: int = 0
    lost: list[str] = field(default_factory=list)

    def silent(self, level: str) -> list[Difference]:
        """Return the differences of `level` that nothing tells of."""
        return [one for one in self.differences if one.level == level and not one.told]

    def codes(self) -> Counter[str]:
        """Return how many findings of each code there were."""
        return Counter(code for code, *_ in self.told)


def _same_as(value: str) -> Iterator[str]:
    """Yield the path of what a fresh process has met before, and names by that alone."""
    if value.startswith("same as "):
        yield value.removeprefix("same as ")


class Replay:
    """One project in one folder, with one tool."""

    def __init__(self, history: History, folder: Path, tool: str = "hotswap") -> None:
        self.history, self.folder, self.tool = history, folder, tool
        self.root = folder / "work" / f"{history.project.name}-{tool}-{os.getpid()}"
        self.root.mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen[str] | None = None
        self._client: list[tuple[str, str]] = []
        self._teller = Teller()
        self._files: Files = {}
        self._grown: set[tuple[str, str, str]] = set()

    def cumulative(self, versions: list[str]) -> Iterator[Step]:
        """Yield a step for each version but the first, all in one process."""
        first = next((index for index, version in enumerate(versions) if self._start(version)), len(versions))
        for version in versions[first + 1 :]:
            yield self._step(version)

    def alone(self, versions: list[str]) -> Iterator[Step]:
        """Yield the same steps, each in a process of its own that started at the version before."""
        for before, version in pairwise(versions):
            self._teller = Teller()
            if self._start(before):
                yield self._step(version)
            self.close()

    def run_tests(self, step: Step) -> None:
        """Note how many of the version's own tests pass in a fresh process, and which are lost in the living one."""
        write({**self._files, **self.history.tests(step.version)}, self.root, keep=True)
        here, there = self.root / "passed-fresh.json", self.root / "passed-living.json"
        self._run(["--tests", str(here)]).wait(600)
        self._ask({"tests": str(there)})
        found = [set(json.loads(path.read_text("utf-8"))) if path.exists() else set() for path in (here, there)]
        step.passed, step.lost = len(found[0]), sorted(found[0] - found[1])

    def close(self) -> None:
        """End the living process."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                print("  the process does not end")
                self._process.kill()
        self._process = None

    def _start(self, version: str) -> bool:
        """Start a living process on `version`; return False if nothing can be imported, as dependencies are missing."""
        self._write_metadata()
        _, fresh = self._write(version, first=True)
        if not json.loads(fresh.read_text("utf-8"))["failed"].keys().isdisjoint(self.history.project.packages):
            print(f"  {version}: cannot be imported; are its dependencies installed?")
            return False
        build = ["--build"] if self.history.project.build else []
        self._process = self._run(["--tool", self.tool, *build], subprocess.PIPE)
        self._read()
        self._grown = set(map(tuple, self._ask({"fresh": str(fresh)})))
        return True

    def _ask(self, request: dict[str, Any]) -> Any:
        process = self._process
        assert process is not None and process.stdin is not None
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        return self._read()

    def _step(self, version: str) -> Step:
        before = self._files
        changed, fresh = self._write(version)
        answer = self._ask({"changed": changed, "fresh": str(fresh)})
        if answer is None:
            return Step(version, crash="the process ended")
        cost = {"cpu": answer["cpu"], "wall": answer["wall"], "told": answer["told"]}
        if answer.get("failed"):
            self._teller.note(one for told in answer["told"] for one in self._claims(told, before))
            return Step(version, failed=True, **cost)
        count = len(edited(before, self._files))
        if answer["differences"]:
            chance = self._by_chance(version, fresh)
            answer["differences"] = [one for one in answer["differences"] if (one[1], one[2]) not in chance]
        found = self._judge(answer, before, fresh)
        return Step(version, things=answer["things"], edited=count, differences=found, **cost)

    def _by_chance(self, version: str, fresh: Path) -> set[tuple[str, str]]:
        """Return by path and facet in what two fresh processes differ that hash texts otherwise: it is no measure."""
        files = (fresh, self._fresh(version, self._files, seed="1"))
        one, other = (json.loads(path.read_text("utf-8"))["digest"] for path in files)
        found = {(path, "missing") for path in one.keys() ^ other.keys()}
        both = ((path, one.get(path, {}), other.get(path, {})) for path in one.keys() | other.keys())
        return found.union((p, facet) for p, a, b in both for facet in {*a, *b} if a.get(facet) != b.get(facet))

    def _judge(self, answer: Any, before: Files, fresh: Path) -> list[Difference]:
        """Return the differences, each with the code of the finding that tells of it."""
        digest = json.loads(fresh.read_text("utf-8"))["digest"]
        claims = [one for told in answer["told"] for one in self._claims(told, before)]
        found = without_echoes(o for o in answer["differences"] if (o[1], o[2], o[4]) not in self._grown)
        owners = [digest.get(path.rpartition(".")[0], {}).get("value", "").split(" ")[0] for _, path, *_ in found]
        known, shared = aliases(digest), {path: [other] for _, path, _, _, here in found for other in _same_as(here)}
        places = [
            Place(path, facet, there, here, owner, (*names, *_same_as(there)), lineage(path, digest))
            for (_, path, facet, there, here), owner in zip(found, owners, strict=True)
            for names in [(*other_paths(path, known), *other_paths(path, shared))]
        ]
        codes = self._teller.step(claims, places)
        return [
            Difference(level, path, facet, there, here, code)
            for (level, path, facet, there, here), code in zip(found, codes, strict=True)
        ]

    def _claims(self, told: Any, before: Files) -> Iterator[Claim]:
        """Yield what a finding names, and of a call that was not run also what it fills in another module."""
        code, module, line, _ = told
        yield self._claim(told, before)
        for path in self._files if code == "HS202" else ():
            if module_of(path) == module:
                filled = filled_by_call(self._files[path], line, self._files)
                yield from (Claim(code, there, names) for there, names in filled)

    def _claim(self, told: Any, before: Files) -> Claim:
        """Return what a finding names; the statement of its line is looked up in the new text, then in the old."""
        texts = [files[path] for files in (before, self._files) for path in files if module_of(path) == told[1]]
        statements: dict[int, Names] = {}
        for text in texts:
            statements |= lines(text)
        found = claim(tuple(told), {told[1]: statements})
        if found.code in ("HS201", "HS226") and texts:  # what is made of a value that is kept is kept with it
            return replace(found, names=made_of(texts[-1], found.names))
        return found

    def _read(self) -> Any:
        assert self._process is not None and self._process.stdout is not None
        line = self._process.stdout.readline()
        return json.loads(line) if line else None

    def _write_metadata(self) -> None:
        """Let the project find its own version, as it does where it is installed."""
        name = self.history.project.name
        folder = self.root / f"{name.replace('-', '_')}-1.0.dist-info"
        folder.mkdir(exist_ok=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")

    # -- files ---------------------------------------------------------------------------------------------------------

    def _write(self, version: str, *, first: bool = False) -> tuple[list[str], Path]:
        """Bring the folder to `version`, the client module too; return what changed and the fresh digest's file."""
        files = self._files = self.history.files(version)
        client = self.root / f"{CLIENT}.py"
        kept = {client.name: client.read_bytes()} if client.exists() else {}
        changed = write({**files, **kept}, self.root)
        fresh = self._fresh(version, files)
        changed += write({**files, client.name: self._client_text(fresh, first=first)}, self.root)
        return changed, fresh

    def _client_text(self, fresh: Path, *, first: bool) -> bytes:
        digest = json.loads(fresh.read_text("utf-8"))["digest"]
        if first:
            self._client = names_of(digest)
        return client_text(self._client, digest)

    def _fresh(self, version: str, files: Files, seed: str = "0") -> Path:
        """Return the file with the digest of a fresh process on `version`; made once for each text of this tool."""
        tool = b"".join((_HERE / name).read_bytes() for name in ("codes.py", "digest.py", "process.py"))
        text = b"".join(name.encode() + files[name] for name in sorted(files))
        known = hashlib.blake2b(tool + text + sys.version.encode() + sys.prefix.encode(), digest_size=8).hexdigest()
        path = self.folder / "digests" / f"{self.history.project.name}-{version}-{known}{seed.strip('0')}.json"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._run(["--fresh", str(path)], seed=seed).wait(120)
        return path

    def _run(self, options: list[str], stream: int | None = None, seed: str = "0") -> subprocess.Popen[str]:
        command = [sys.executable, str(_HERE / "process.py"), str(self.root), ",".join(self.history.project.packages)]
        paths = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(_HERE.parents[1]))))
        environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": seed}
        with (self.folder / "log.txt").open("a") as log:
            return subprocess.Popen(
                [*command, *options], text=True, env=environment, stdin=stream, stdout=stream, stderr=log
            )
