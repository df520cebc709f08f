"""Where the statements of a text stand, and how to cut, put and rewrite them without touching the rest."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Where = Literal["module", "class", "function", "suite"]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Site:
    """One statement: itself, the statements beside it, and what they are the body of."""

    node: ast.stmt
    beside: list[ast.stmt]
    owner: ast.AST
    where: Where
    path: str
    first: int
    last: int

    @property
    def indent(self) -> str:
        """The spaces that the statement begins with."""
        return " " * self.node.col_offset


def parse(text: str) -> ast.Module | None:
    """Return the tree of `text`, None if it has none."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def sites(tree: ast.Module) -> list[Site]:
    """Return every statement that has its lines for itself."""
    return list(_sites(tree.body, tree, "module", ""))


def _sites(body: list[ast.stmt], owner: ast.AST, where: Where, prefix: str) -> Iterator[Site]:
    ends = [0, *((node.end_lineno or 0) for node in body)]
    starts = [*map(first_line, body), 1 << 30]
    for index, node in enumerate(body):
        path = prefix + (node.name if isinstance(node, DEFINITIONS) else type(node).__name__)
        if ends[index] < starts[index] and ends[index + 1] < starts[index + 1]:
            yield Site(node, body, owner, where, path, starts[index], ends[index + 1])
        inner: Where = (
            "class" if isinstance(node, ast.ClassDef) else "function" if isinstance(node, FUNCTIONS) else "suite"
        )
        inner = "function" if inner == "suite" and where == "function" else inner
        for suite in ("body", "orelse", "finalbody"):
            below = getattr(node, suite, [])
            if below and isinstance(below[0], ast.stmt) and below[0].lineno > node.lineno:
                yield from _sites(below, node, inner, f"{path}.")


def first_line(node: ast.stmt) -> int:
    """Return the line at which `node` begins, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def lines_of(text: str, site: Site) -> list[str]:
    """Return the lines of the statement, without what they are indented by."""
    return textwrap.dedent("".join(text.splitlines(keepends=True)[site.first - 1 : site.last])).splitlines()


def cut(text: str, site: Site) -> str:
    """Return `text` without the statement; a body that would be empty gets a ``pass``."""
    lines = text.splitlines(keepends=True)
    left = [f"{site.indent}pass\n"] if len(site.beside) == 1 else []
    return "".join(lines[: site.first - 1] + left + lines[site.last :])


def put(text: str, line: int, indent: str, added: list[str]) -> str:
    """Return `text` with `added` before the line `line`."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    new = [f"{indent}{one}".rstrip() + "\n" for one in added]
    return "".join(lines[: line - 1] + new + lines[line - 1 :])


def replace(text: str, site: Site, new: list[str]) -> str:
    """Return `text` with the statement replaced by the lines `new`."""
    lines = text.splitlines(keepends=True)
    return "".join(
        lines[: site.first - 1] + [f"{site.indent}{one}".rstrip() + "\n" for one in new] + lines[site.last :]
    )


def rewrite(text: str, site: Site) -> str:
    """Return `text` with the statement written out anew from its node, which was altered."""
    return replace(text, site, ast.unparse(ast.fix_missing_locations(site.node)).splitlines())


def segment(text: str, node: ast.expr, new: str) -> str:
    """Return `text` with the one-line expression `node` replaced by `new`."""
    lines = text.splitlines(keepends=True)
    line = lines[node.lineno - 1].encode()
    lines[node.lineno - 1] = (line[: node.col_offset] + new.encode() + line[node.end_col_offset :]).decode()
    return "".join(lines)
