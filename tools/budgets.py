"""Measure functions and files of the package against their budgets, and fail if one is broken.

Lengths are physical lines, docstrings and nested functions included, decorators not. The figures are those of code
bases that are pleasant to read: they agree on functions and part on files, where each one's largest is its least loved.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MEDIAN, P90, FILE = 10, 30, 400


@dataclass(frozen=True, slots=True)
class Length:
    """A function or a file, and how many lines it has."""

    lines: int
    name: str


def functions(path: Path, root: Path) -> Iterator[Length]:
    """Yield the length of each function of one file, methods and nested ones too."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Length(_last(node) - node.lineno + 1, f"{path.relative_to(root)}:{node.lineno} {node.name}")


def _last(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def breaches(lengths: list[Length], files: list[Length]) -> Iterator[str]:
    """Yield one line for each budget that is broken, with the longest offenders."""
    counts = sorted(length.lines for length in lengths)
    p90 = statistics.quantiles(counts, n=10, method="inclusive")[8]
    longest = sorted(lengths, key=lambda length: -length.lines)[:10]
    median = statistics.median(counts)
    print(f"{len(counts)} functions: median {median:g} (budget {MEDIAN}), 90% {p90:g} (budget {P90})")
    print(f"{len(files)} files: longest {max(file.lines for file in files)} (budget {FILE})")
    if median > MEDIAN or p90 > P90:
        yield from (f"long function: {length.lines} lines, {length.name}" for length in longest)
    yield from (f"long file: {file.lines} lines, {file.name}" for file in files if file.lines > FILE)


def main() -> int:
    """Print the figures; return 1 if a budget is broken, else 0."""
    root = Path(__file__).resolve().parent.parent
    paths = sorted((root / "hotswap").rglob("*.py"))
    lengths = [length for path in paths for length in functions(path, root)]
    files = [Length(len(path.read_bytes().splitlines()), str(path.relative_to(root))) for path in paths]
    broken = list(breaches(lengths, files))
    print(*broken, sep="\n")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
