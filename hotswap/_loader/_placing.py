"""The text of a syntax tree with every statement where it stands in the file: for loaders that take nothing but text.

Type checkers and the like transform what they import. Most of them take a tree where they take text, as `compile` does;
some decode it first. These get the file with all but the chosen statements blanked out, so lines and columns stay.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from contextlib import suppress

from hotswap._text._source import start_line

_COMPOUND = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.With, ast.Try, ast.TryStar)


def place(tree: ast.Module, text: str) -> str:
    """Return a text of the statements of `tree`, which are from `text` or made of such.

    What is as it stands in `text` stands there again. Statements that were made (the shell of a class, a ``try`` around
    one of its statements) are printed anew at their line.
    """
    canvas = _Canvas(text.split("\n"))
    with suppress(SyntaxError, ValueError):
        canvas.block(_futures(ast.parse(text).body), None)
    canvas.block(tree.body, None)
    return "\n".join(canvas.rows) + "\n"


def _futures(body: Iterable[ast.stmt]) -> list[ast.stmt]:
    return [node for node in body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]


class _Canvas:
    """Rows of a text that is filled from top to bottom; `free` is the first row that may be written to."""

    def __init__(self, lines: list[str]) -> None:
        self.lines, self.rows, self.free = lines, [""] * len(lines), 0

    def block(self, nodes: Sequence[ast.stmt], outer: str | None) -> None:
        """Place the statements of a block below a header that is indented by `outer`; None is the module's own.

        Statements that stand deeper in the file than their siblings, in a suite, get an ``if`` of their own.
        """
        indent = ""
        if outer is not None:
            least = min(map(self._indent, nodes), key=len, default="")
            indent = least if len(least) > len(outer) else f"{outer} "
        for node in nodes:
            own = self._indent(node)
            if len(own) > len(indent):
                self._put(start_line(node) - 1, [f"{indent}if 1:"])
                self._statement(node, own)
            else:
                self._statement(node, indent)

    def _indent(self, node: ast.stmt) -> str:
        line = self._lines(start_line(node), start_line(node))
        return line[0][: len(line[0]) - len(line[0].lstrip())] if line else ""

    def _lines(self, first: int, last: int) -> list[str]:
        return self.lines[first - 1 : last]

    def _statement(self, node: ast.stmt, indent: str) -> None:
        first, last = start_line(node), node.end_lineno or node.lineno
        if self._indent(node) == indent and _gives(self._lines(first, last), node):
            self._put(first, self._lines(first, last))
        elif isinstance(node, _COMPOUND):
            self._put(node.lineno, [indent + _header(node)])
            self.block(node.body, indent)
            for except_ in getattr(node, "handlers", ()):
                self._put(except_.lineno, [indent + _header(except_)])
                self.block(except_.body, indent)
        else:
            self._put(first, [f"{indent}{line}" for line in ast.unparse(node).split("\n")])

    def _put(self, lineno: int, lines: list[str]) -> None:
        row = max(lineno - 1, self.free)
        self.rows += [""] * (row + len(lines) - len(self.rows))
        self.rows[row : row + len(lines)] = lines
        self.free = row + len(lines)


def _gives(lines: list[str], node: ast.stmt) -> bool:
    """Whether `lines`, as they stand, are the statement `node` and nothing else."""
    try:
        tree = ast.parse("\n".join(["if 1:", *lines] if lines[0][:1].isspace() else lines))
    except (SyntaxError, ValueError, IndexError):
        return False
    body = tree.body[0].body if lines[0][:1].isspace() and isinstance(tree.body[0], ast.If) else tree.body
    return len(body) == 1 and ast.dump(body[0]) == ast.dump(node)


def _header(node: ast.stmt | ast.ExceptHandler) -> str:
    """Return the first line of a compound statement."""
    return ast.unparse(node).split("\n")[0]
