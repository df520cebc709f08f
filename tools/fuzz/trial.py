"""One sequence of edits: a living process brought along by hotswap, and a fresh one for each step, both forked.

The parent is warmed: it has imported hotswap, the comparison, and all that the edited modules import, but none of
them. A fork of it is a process that has just started, and costs a few milliseconds.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pickle
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NoReturn

from client import CLIENT, client_text, names_of
from digest import Walk
from edits import Names, lines, made_of, module_of
from handed import handed_on
from process import Living, import_all
from steps import Difference
from stored import CODES, stored
from told import Claim, Place, Teller, aliases, claim, lineage, other_paths

Files = dict[str, str]

_LONGEST: Final = 30
"""Seconds that one step may take; an edit may well make an endless loop."""


@dataclass(slots=True)
class Came:
    """What came of one step: what was told, what was not, and whether a fresh process fails on these files."""

    silent: list[Difference] = field(default_factory=list)
    told: list[tuple[str, str, int, str]] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    crash: str = ""

    @property
    def failed(self) -> bool:
        """Whether the process was wrong without a word, or hotswap itself failed."""
        return bool(self.silent or self.crash)


class Child:
    """A forked process that answers each request with what `answer` returns."""

    def __init__(self, make: Callable[[], Callable[[Any], Any]]) -> None:
        here, there = os.pipe(), os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(here[1])
            os.close(there[0])
            _serve(make, here[0], there[1])
        os.close(here[0])
        os.close(there[1])
        self._out, self._in = os.fdopen(here[1], "wb"), os.fdopen(there[0], "rb")

    def ask(self, request: Any) -> Any:
        """Return the answer; an exception, as an object, if there is none."""
        try:
            pickle.dump(request, self._out)
            self._out.flush()
            return pickle.load(self._in)  # noqa: S301  our own fork
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            return error

    def close(self) -> None:
        """End the process."""
        for stream in (self._out, self._in):
            try:
                stream.close()
            except OSError:
                continue
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _serve(make: Callable[[], Callable[[Any], Any]], source: int, target: int) -> NoReturn:
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        with os.fdopen(source, "rb") as requests, os.fdopen(target, "wb") as answers:
            signal.alarm(_LONGEST)
            answer = make()
            while True:
                signal.alarm(0)
                request = pickle.load(requests)  # noqa: S301  our own parent
                signal.alarm(_LONGEST)
                pickle.dump(answer(request), answers)
                answers.flush()
    except BaseException:  # noqa: BLE001  whatever it is, this process must not go on as its parent
        os._exit(1)


class Trial:
    """A folder, and a process that lives in it."""

    def __init__(self, files: Files, packages: list[str], tool: str = "hotswap") -> None:
        self.packages, self.tool = packages, tool
        self.root = tempfile.mkdtemp(prefix="fuzz-")
        self.files: Files = {}
        self._teller = Teller()
        self._claims: list[Claim] = []
        self._living: Child | None = None
        fresh = self._write(files)
        self.failed = dict(fresh["failed"]) if isinstance(fresh, dict) else {"": str(fresh)}
        self._names = names_of(fresh["digest"]) if isinstance(fresh, dict) else []
        self.is_steady = isinstance(fresh, dict) and fresh == self._fresh()
        if self.is_steady:
            self._write_client(fresh)
            self._living = Child(self._live)
            self.is_steady = self._living.ask(None) == "ready" and self._is_same(fresh)

    def _is_same(self, fresh: Any) -> bool:
        """Whether the living process is as a fresh one before the first edit, having made objects of all classes."""
        assert self._living is not None
        answer = self._living.ask({"changed": [], "fresh": fresh})
        return isinstance(answer, dict) and not answer.get("differences", 1)

    def close(self) -> None:
        """End the process, and remove the folder."""
        if self._living is not None:
            self._living.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def step(self, files: Files) -> Came:
        """Bring folder and process to `files`; a fresh process that fails on them is no measure."""
        before = self.files
        fresh = self._write(files)
        if not isinstance(fresh, dict):
            return Came(broken={"": str(fresh)})
        self._write_client(fresh)
        assert self._living is not None
        answer = self._living.ask({"changed": [os.path.join(self.root, name) for name in files], "fresh": fresh})
        if not isinstance(answer, dict):
            return Came(crash=f"the process ended: {answer!r}")
        told = [tuple(one) for one in answer["told"]]
        broken = {name: why for name, why in fresh["failed"].items() if name not in self.failed}
        came = Came(told=told, broken=broken, crash=next((text for code, _, _, text in told if code == "HS304"), ""))
        statements = self._statements(before)
        claims = [self._claim(told, statements) for told in answer["told"]]
        self._claims += [*claims, *(other for one in claims for other in handed_on(self.files, one))]
        self._claims += [
            Claim(code, module_of(path), made_of(known[path].encode(), names))
            for known in (before, self.files)  # a call that is gone may have been of what is gone
            for code, _, _, message in answer["told"]
            for path, names in (stored(known, message) if code in CODES else ())
        ]
        if not broken:
            came.silent = self._silent(answer, fresh["digest"], self._claims)
            self._claims = []
        return came

    def _silent(self, answer: Any, digest: Any, claims: list[Claim]) -> list[Difference]:
        """Return the differences of which no claim tells: those of now, and of steps before that were no measure.

        What the client has is no measure while it is held.
        """
        is_held = any(module.removesuffix(".py") == CLIENT for _, module, *_ in answer["told"])
        found = [Difference(*one) for one in answer["differences"] if not (is_held and one[0] == "client")]
        owners = [digest.get(one.path.rpartition(".")[0], {}).get("value", "").split(" ")[0] for one in found]
        known = aliases(digest)
        places = [
            Place(
                one.path,
                one.facet,
                one.fresh,
                one.living,
                owner,
                other_paths(one.path, known),
                lineage(one.path, digest),
            )
            for one, owner in zip(found, owners, strict=True)
        ]
        codes = self._teller.step(claims, places)
        return [one for one, code in zip(found, codes, strict=True) if not code]

    def _claim(self, told: Any, statements: dict[str, dict[int, Names]]) -> Claim:
        """Return what a finding names; what is made of a value that is kept is kept with it."""
        found = claim(tuple(told), statements)
        texts = [text for path, text in self.files.items() if module_of(path) == found.module]
        if found.code not in ("HS201", "HS226") or not texts:
            return found
        return replace(found, names=made_of(texts[0].encode(), found.names))

    def _statements(self, before: Files) -> dict[str, dict[int, Names]]:
        found: dict[str, dict[int, Names]] = {}
        for files in (before, self.files):
            for path, text in files.items():
                found.setdefault(module_of(path), {}).update(lines(text.encode()))
        return found

    # -- files and processes -------------------------------------------------------------------------------------------

    def _write(self, files: Files) -> Any:
        """Make the folder hold `files`; return what a fresh process says of them."""
        for name in self.files.keys() - files.keys():
            os.unlink(os.path.join(self.root, name))
        for name, text in files.items():
            if self.files.get(name) != text:
                path = Path(self.root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        self.files = dict(files)
        return self._fresh()

    def _write_client(self, fresh: Mapping[str, Any]) -> None:
        Path(self.root, f"{CLIENT}.py").write_bytes(client_text(self._names, fresh["digest"]))

    def _fresh(self) -> Any:
        child = Child(lambda: self._be_fresh)
        try:
            return child.ask(None)
        finally:
            child.close()

    def _be_fresh(self, _: Any) -> Any:
        sys.path.insert(0, self.root)
        failed = import_all(self.root, self.packages)
        return {"failed": failed, "digest": Walk(self.packages, self.root).run()}

    def _live(self) -> Callable[[Any], Any]:
        sys.path.insert(0, self.root)
        living = Living(self.root, self.packages, self.tool, build=True)
        return lambda request: living.step(request["changed"], request["fresh"]) if request else "ready"


def warm(modules: list[str]) -> None:
    """Import what the edited modules may import, so that every fork has it.

    Nobody writes bytecode: an edit that keeps the size, in the second of the one before, would not be seen.
    """
    sys.dont_write_bytecode = True
    for name in modules:
        with contextlib.suppress(BaseException):  # not on this platform
            importlib.import_module(name)
    gc.collect()
