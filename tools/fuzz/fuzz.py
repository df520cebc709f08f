"""Edit real modules at random, in sequences, and compare with a fresh process after each step.

``python tools/fuzz --edits 200`` takes a minute; ``--edits 20000`` some hours. A failure is a difference of which no
finding tells, or a bug in hotswap itself; where a fresh process fails, too, the files go back, and so must all else.
It is made small and written
to ``--keep`` as a page in the form of the scenarios. The same ``--seed`` gives the same edits.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final

import mutations
import subjects
from peers import TOOLS
from shrink import shrink, sign
from trial import Came, Trial, warm

Files = dict[str, str]

LONGEST: Final = 20
_TRIES: Final = 30
_FRUITLESS: Final = 100
"""Sequences of which none could begin, before it ends: a module may change when objects are made of its classes."""


class Fuzz:
    """Runs sequences, counts, and keeps what failed."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.edits = self.steps = self.sequences = self.held = self.unheard = 0
        self.kinds: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.files: list[Path] = []

    def run(self) -> None:
        """Go on until there were enough edits, or the time is over."""
        until = time.monotonic() + self.given.seconds
        seed = met = self.given.seed
        while self.edits < self.given.edits and time.monotonic() < until and seed < met + _FRUITLESS:
            before = self.sequences
            self.sequence(seed)
            seed += 1
            met = seed if self.sequences > before else met
            if self.given.verbose and self.sequences % 10 == 0:
                print(self.summary(), flush=True)

    def summary(self) -> str:
        """Return the counts in one line."""
        told = ", ".join(f"{code} {count}" for code, count in sorted(self.codes.items())) or "nothing"
        return (
            f"{self.edits} edits in {self.steps} steps of {self.sequences} sequences, {self.held} that a fresh process"
            f" refuses ({self.unheard} of them without a word); told: {told}; failures: {sum(self.failures.values())}"
        )

    def sequence(self, seed: int) -> None:
        """Run one sequence of up to 20 edits of one subject."""
        rng = Random(seed)
        subject, files = self._subject(rng)
        if files is None:
            return
        packages = sorted({path.partition("/")[0] for path in files})
        trial = Trial(files, packages, self.given.tool)
        try:
            if trial.is_steady:
                self.sequences += 1
                self._steps(trial, [files], rng, f"{subject}-{seed}")
        finally:
            trial.close()

    def _subject(self, rng: Random) -> tuple[str, Files | None]:
        if self.given.subject:
            name = rng.choice(self.given.subject)
            return name, subjects.installed(name) if name in subjects.PACKAGES else subjects.standard(name, rng)
        if rng.random() < self.given.packages:
            name = rng.choice(subjects.PACKAGES)
            return name, subjects.installed(name)
        name = rng.choice(subjects.STANDARD)
        return name, subjects.standard(name, rng)

    def _steps(self, trial: Trial, versions: list[Files], rng: Random, title: str) -> None:
        left = rng.randint(1, LONGEST)
        while left > 0:
            done, files = self._edit(versions, rng, min(left, rng.choice((1, 1, 2, 3, 4))))
            if not done:
                return
            left -= len(done)
            came = trial.step(files)
            self._count(came, done)
            if came.failed:
                self._keep([*versions, files], trial.packages, came, title, done)
                return
            if not came.broken:
                versions.append(files)
                continue
            self.held += 1
            self.unheard += not came.told
            back = trial.step(versions[-1])
            if back.failed:
                self._keep([*versions, files, versions[-1]], trial.packages, back, title, [*done, "back"])
                return

    def _edit(self, versions: list[Files], rng: Random, count: int) -> tuple[list[str], Files]:
        done: list[str] = []
        files = versions[-1]
        if len(versions) > 2 and rng.random() < 0.05:
            return ["undo"], rng.choice(versions[:-1])
        for _ in range(_TRIES):
            edited = mutations.mutate(files, rng)
            if edited:
                done.append(edited[0])
                files = edited[1]
            if len(done) == count:
                break
        return done, files

    def _count(self, came: Came, done: list[str]) -> None:
        self.steps += 1
        self.edits += len(done)
        self.kinds.update(done)
        self.codes.update(code for code, *_ in came.told)

    def _keep(self, versions: list[Files], packages: list[str], came: Came, title: str, done: list[str]) -> None:
        marks = sorted(f"{level} {facet}" for level, facet in sign(came))
        key = ", ".join(marks[:3])
        self.failures[key] += 1
        print(f"{title}: {' + '.join(done)}: {key}", flush=True)
        if self.failures[key] <= self.given.most:
            versions, came = shrink(versions, packages, came, self.given.tool)
        self.given.keep.mkdir(parents=True, exist_ok=True)
        path = self.given.keep / f"{title.replace('/', '.')}.md"
        path.write_text(page(title, done, versions, came), encoding="utf-8")
        self.files.append(path)


def page(title: str, done: list[str], versions: list[Files], came: Came) -> str:
    """Return a failure in the form of a scenario."""
    parts = [f"## {title}: {' + '.join(done)}\n", f"{came.crash}\n" if came.crash else ""]
    parts += [f"    {one}\n"[:400] for one in came.silent[:12]]
    parts += [f"    told: {one}\n"[:400] for one in came.told[:12]]
    parts += [_block("python file", name, text) for name, text in sorted(versions[0].items())]
    for before, after in pairwise(versions):
        parts.append("\nA save:\n")
        parts += [_block("python edit", n, t) for n, t in sorted(after.items()) if before.get(n) != t]
        parts += [_block("text delete", name, "") for name in sorted(before.keys() - after.keys())]
    return "".join(parts)


def _block(kind: str, name: str, text: str) -> str:
    fence = "````" if "```" in text else "```"
    return f"\n{fence}{kind}={name}\n{text}{fence}\n"


def main() -> int:
    """Run what the arguments ask for; return 1 if there was a failure."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--edits", type=int, default=200, help="end after so many edits")
    parser.add_argument("--seconds", type=float, default=1e9, help="or after so many seconds")
    parser.add_argument("--seed", type=int, default=0, help="of the first sequence; each has the next one")
    parser.add_argument("--subject", action="append", help="edit this module or package; may be repeated")
    parser.add_argument("--packages", type=float, default=0.2, help="share of installed packages among the subjects")
    parser.add_argument(
        "--keep", type=Path, default=Path("fuzz-failures"), help="the folder that failures are written to"
    )
    parser.add_argument("--tool", choices=list(TOOLS), default="hotswap", help="whom to try")
    parser.add_argument("--most", type=int, default=3, help="how many failures of one kind are made small")
    parser.add_argument("-v", "--verbose", action="store_true")
    given = parser.parse_args()
    sys.setrecursionlimit(20_000)
    warm(subjects.needed())
    fuzz = Fuzz(given)
    fuzz.run()
    print(", ".join(f"{kind} {count}" for kind, count in sorted(fuzz.kinds.items())))
    print(fuzz.summary())
    for key, count in fuzz.failures.most_common():
        print(f"  {count:4} {key}")
    return int(bool(fuzz.failures))
