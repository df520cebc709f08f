"""Where a loop over frames stands in a text, and where it stands in the texts that come after it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from types import FrameType
from typing import Final, NamedTuple

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
SCOPES = (*_FUNCTIONS, ast.ClassDef, ast.Lambda)
_REFUSED = (ast.Return, ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith)
_BEGINS: Final = re.compile(r"^[^\s#)\]}]", re.MULTILINE)


class Loop(NamedTuple):
    """A loop over frames: its node, the function that it stands in (None: the module), the statements to compile."""

    node: ast.For
    function: ast.FunctionDef | ast.AsyncFunctionDef | None
    tree: ast.Module


class Place:
    """Where the loop of a frame stands: in which function (none: in the module), as which of the loops over frames."""

    def __init__(self, text: str, frame: FrameType) -> None:
        code = frame.f_code
        qualname = "" if code.co_name == "<module>" else code.co_qualname
        self._parts = [part for part in qualname.split(".") if part != "<locals>" and part]
        self._text, self._line = text, frame.f_lineno
        self._known: list[str] | None = None
        self._number, self._original, self._rest = -1, "", ""

    def find(self, text: str) -> Loop | None:
        """Return the loop in `text`, the text after the one that was asked for last.

        None if it is not there any more, if it is not clear which it is, or if its body leaves the function.
        """
        if self._known is None:
            self._begin()
        tree = _tree(text, self._parts)
        function, loops = _loops(tree, self._parts)
        known = [_dump(loop) for loop in loops]
        number = _follow(self._known or [], known, self._number)
        if number is None:
            return None
        self._known, self._number = known, number
        loop = loops[number]
        return None if not stays(loop) or (self._parts and function is None) else Loop(loop, function, tree)

    def is_original(self, loop: Loop) -> bool:
        """Whether the frame itself runs just that."""
        return _dump(loop.node) == self._original

    def is_rest(self, loop: Loop) -> bool:
        """Whether what stands around the loop's body in its function is as the frame runs it."""
        return _around(loop.function, loop.node) == self._rest

    def _begin(self) -> None:
        function, loops = _loops(_tree(self._text, self._parts), self._parts)
        self._known = [_dump(loop) for loop in loops]
        for number, loop in enumerate(loops):
            if loop.lineno <= self._line <= (loop.iter.end_lineno or loop.lineno):
                self._number, self._original = number, self._known[number]
                self._rest = _around(function, loop)
        self._text = ""


def stays(loop: ast.For) -> bool:
    """Whether the body of `loop` can be run by its iterator: it does not leave the function, and has no ``else``."""
    return not loop.orelse and not any(isinstance(one, _REFUSED) for one in own(loop))


def own(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below `scope` in their order, but nothing inside functions and classes that stand in it."""
    for node in ast.iter_child_nodes(scope):
        yield node
        if not isinstance(node, SCOPES):
            yield from own(node)


def _follow(before: list[str], now: list[str], number: int) -> int | None:
    """Return which of the loops `now` was number `number` of those before; None if that is not clear."""
    for how, first, last, begin, end in SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        if first <= number < last and (how == "equal" or last - first == end - begin):
            return begin + number - first
    return None


def _tree(text: str, parts: list[str]) -> ast.Module:
    """Return the tree of `text`, or only of the statement that defines the first of `parts`: a long text takes long."""
    if parts:
        heads = list(re.finditer(rf"^(?:async\s+def|def|class)\s+{re.escape(parts[0])}\b", text, re.MULTILINE))
        if len(heads) == 1:
            start = heads[0].start()
            behind = _BEGINS.search(text, text.index("\n", start)) if "\n" in text[start:] else None
            try:  # one that is cut off within brackets or quotes is no statement
                tree = ast.parse(text[start : behind.start() if behind else None])
            except SyntaxError:
                return ast.parse(text)
            ast.increment_lineno(tree, text.count("\n", 0, start))
            return tree
    return ast.parse(text)


def _loops(tree: ast.AST, parts: list[str]) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef | None, list[ast.For]]:
    """Return the function that `parts` name, None for a module, and the loops over frames in it."""
    for part in parts:
        inner = [one for one in own(tree) if isinstance(one, SCOPES) and getattr(one, "name", "") == part]
        if not inner:
            return None, []
        tree = inner[0]
    found = [one for one in own(tree) if isinstance(one, ast.For) and _is_over_frames(one)]
    return tree if isinstance(tree, _FUNCTIONS) else None, found


def _is_over_frames(loop: ast.For) -> bool:
    called = loop.iter.func if isinstance(loop.iter, ast.Call) else None
    return (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) == "frames"


def _dump(loop: ast.For) -> str:
    return ast.dump(loop.target) + "".join(map(ast.dump, loop.body))


def _around(function: ast.FunctionDef | ast.AsyncFunctionDef | None, loop: ast.For) -> str:
    """Return what a frame that is in the loop has run of the function, and will run of it, without the loop's body."""
    if function is None:
        return ""
    target, body = loop.target, loop.body
    loop.target, loop.body = ast.Name("", ast.Store()), []
    rest = function.body[ast.get_docstring(function) is not None :]
    found = ast.dump(function.args) + "".join(map(ast.dump, rest))
    loop.target, loop.body = target, body
    return found
