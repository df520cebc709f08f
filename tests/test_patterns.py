"""Patterns as in ``.gitignore``, held against git.

Left out is what git does otherwise than its manual says (``a**/b``, as it takes the ``a`` off before it compares), what
nobody means (a ``[`` that a later part closes), and letters beyond ASCII, which git takes for several.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from hotswap._patterns import Patterns

NAMES = ("a", "b", "ab", "a.py", "b.py", ".a", "a b", "[a]", "a*", "A", "a-b", "!a", "#a", "a]", "a\\b")
PARTS = (
    *("a", "b", "*", "**", "*.py", "?", "a*", "[ab]", "[!a].py", "[a-c]*", ".*", "[^b]", "a b", "*b", "**a", "?*"),
    *("[]a]", "[!]a]", "[a-]", "[-a]", "[A-Z]", "a-b", "*.*", "a]", "{a,b}", "a+", "(a)", "a.p"),
    *(r"a\*", r"\[a]", r"\!a", r"\#a", r"[\]]", r"[a\-b]", r"a\\b", r"\a"),
)
SEEDS = range(int(os.environ.get("HOTSWAP_PATTERNS", "8")))
"""How many random lists of patterns are tried, eight for each."""


def some_patterns(chance: random.Random) -> list[str]:
    def one() -> str:
        body = "/".join(chance.choices(PARTS, k=chance.choice((1, 1, 2, 3))))
        before, after = (
            chance.choice(("", "", "!")) + chance.choice(("", "", "/")),
            chance.choice(("", "", "", "/", " ")),
        )
        return before + body + after

    return [one() for _ in range(chance.randint(1, 4))]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the judge")
@pytest.mark.parametrize("seed", SEEDS)
def test_patterns_mean_what_they_mean_to_git(tmp_path: Path, seed: int) -> None:
    """Whatever is written, the same paths are taken in."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    chance = random.Random(seed)
    for _ in range(8):
        lines = some_patterns(chance)
        paths = sorted({"/".join(chance.choices(NAMES, k=chance.randint(1, 4))) for _ in range(60)})
        (tmp_path / ".gitignore").write_text("\n".join(lines) + "\n")
        command = ["git", "-c", "core.excludesFile=/dev/null", "check-ignore", "--no-index", "-z", "--stdin"]
        given = "\0".join(paths).encode()
        done = subprocess.run(command, cwd=tmp_path, input=given, capture_output=True, check=False)
        theirs = set(filter(None, done.stdout.decode().split("\0")))
        patterns = Patterns(tuple(lines))
        assert {path for path in paths if patterns.match(path)} == theirs, lines
