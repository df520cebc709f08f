"""The body of a loop that runs, from the text as it is now, for the frame that runs the loop.

A frame cannot get other code. But an iterator is called by the frame between two rounds, and can run the round itself:
the body as the live text has it, compiled as a function of the frame's variables, which are written back behind it. So
the loop goes on in the frame that it began in, inside its ``with`` and ``try``, with all its variables.
"""

from __future__ import annotations

import ast
import sys
import weakref
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, FunctionType
from typing import Any, Final

_DT: Final = "__hotswap_dt__"
_ON: Final = "__hotswap_goes_on__"
_LOCALS: Final = "__hotswap_locals__"
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_REFUSED = (ast.Return, ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Nonlocal)


RENEWED: Final[weakref.WeakKeyDictionary[Any, Callable[[FrameType], bool]]] = weakref.WeakKeyDictionary()
"""Loops whose body is run as the live text has it, with what says so of the frame that is in the loop."""


def is_renewed(frame: FrameType) -> bool:
    """Whether `frame` is in such a loop, and nothing around its body has changed."""
    return any(covers(frame) for covers in list(RENEWED.values()))


class Place:
    """Where a loop stands: in which function of a module (none: in its body), as which of the loops over frames."""

    def __init__(self, text: str, frame: FrameType) -> None:
        code = frame.f_code
        self.qualname = "" if code.co_name == "<module>" else code.co_qualname
        self.number, self.original = 0, ""
        tree = ast.parse(text)
        for number, loop in enumerate(self._loops(tree)):
            if loop.lineno <= frame.f_lineno <= (loop.iter.end_lineno or loop.lineno):
                self.number, self.original = number, _dump(loop)
        self._rest = self._around(tree)

    def find(self, text: str) -> ast.For | None:
        """Return the loop in `text`, None if it is not there any more, or its body leaves the function."""
        loops = list(self._loops(ast.parse(text)))
        if self.number >= len(loops) or not self.original:
            return None
        loop = loops[self.number]
        return None if loop.orelse or any(isinstance(one, _REFUSED) for one in _own(loop)) else loop

    def is_original(self, loop: ast.For) -> bool:
        """Whether the frame itself runs just that."""
        return _dump(loop) == self.original

    def is_renewed(self, text: str) -> bool:
        """Whether all that `text` changes in the function around the loop is the body of the loop."""
        return self.find(text) is not None and self._around(ast.parse(text)) == self._rest

    def _around(self, tree: ast.Module) -> str:
        """Return the function, or the statement of the module, that the loop stands in, without the loop's body."""
        for number, loop in enumerate(self._loops(tree)):
            if number == self.number:
                loop.target, loop.body = ast.Name("", ast.Store()), []
        scope = _scope(tree, self._parts())
        return ast.dump(scope) if scope is not None and self.qualname else ""

    def _parts(self) -> list[str]:
        return [part for part in self.qualname.split(".") if part and part != "<locals>"]

    def _loops(self, tree: ast.Module) -> Iterator[ast.For]:
        scope = _scope(tree, self._parts())
        for node in _own(scope) if scope is not None else ():
            if isinstance(node, ast.For) and _is_over_frames(node):
                yield node


def _scope(tree: ast.AST, parts: list[str]) -> ast.AST | None:
    for part in parts:
        inner = (node for node in _own(tree) if isinstance(node, _SCOPES) and getattr(node, "name", "<lambda>") == part)
        found = next(inner, None)
        if found is None:
            return None
        tree = found
    return tree


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below `scope` in their order, but nothing inside functions and classes that stand in it."""
    for node in ast.iter_child_nodes(scope):
        yield node
        if not isinstance(node, _SCOPES):
            yield from _own(node)


def _is_over_frames(loop: ast.For) -> bool:
    called = loop.iter.func if isinstance(loop.iter, ast.Call) else None
    return (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) == "frames"


def _dump(loop: ast.For) -> str:
    return ast.dump(loop.target) + "".join(map(ast.dump, loop.body))


class Body:
    """The body of the loop, ready to be run for the frame that is in the loop."""

    def __init__(self, loop: ast.For, frame: FrameType) -> None:
        self._frame = frame
        self._at_module = frame.f_code.co_name == "<module>"
        self._stored = {one.id for one in _own_names(loop) if not isinstance(one.ctx, ast.Load)}
        self._stored |= {one.name for one in _own(loop) if isinstance(one, (ast.FunctionDef, ast.ClassDef))}
        self._stored |= {a.asname or a.name.split(".")[0] for a in _own(loop) if isinstance(a, ast.alias)}
        self._globals = {name for one in _own(loop) if isinstance(one, ast.Global) for name in one.names}
        self._stored -= self._globals
        self._loop = loop
        self._code: CodeType | None = None
        self._names: tuple[str, ...] = ()
        self._own: dict[str, Any] = {}

    def run(self, dt: object) -> bool:
        """Run one round; return whether the loop goes on."""
        return self._run_in_module(dt) if self._at_module else self._run_in_function(dt)

    def _run_in_module(self, dt: object) -> bool:
        names = self._frame.f_globals
        if self._code is None:
            once = self._round()
            once.orelse = [_assign(_ON, self._loop)]
            self._code = _compile([once], self._frame)
        names[_DT], names[_ON] = dt, False
        try:
            exec(self._code, names)  # noqa: S102  the program's own text
            return bool(names[_ON])
        finally:
            del names[_DT], names[_ON]

    def _run_in_function(self, dt: object) -> bool:
        known = {**self._own, **self._frame.f_locals}
        if self._code is None or tuple(known) != self._names:
            self._names = tuple(known)
            self._code = self._compile_function()
        goes_on, left = FunctionType(self._code, self._frame.f_globals)(dt, locals, *known.values())
        self._own = {name: left[name] for name in self._stored if name in left}
        _write_back(self._frame, self._own)
        return bool(goes_on)

    def _round(self) -> ast.For:
        loop = self._loop
        given = ast.Tuple([ast.Name(_DT, ast.Load())], ast.Load())
        once = ast.For(target=loop.target, iter=given, body=loop.body, orelse=[], type_comment=None)
        return ast.copy_location(once, loop)

    def _compile_function(self) -> CodeType:
        loop = self._loop
        left = ast.Call(ast.Name(_LOCALS, ast.Load()), [], [])
        once = self._round()
        once.orelse = [ast.Return(ast.Tuple([ast.Constant(value=True), left], ast.Load()))]
        ended = ast.Return(ast.Tuple([ast.Constant(value=False), left], ast.Load()))
        arguments = [ast.arg(name) for name in (_DT, _LOCALS, *self._names) if name not in self._globals]
        body: list[ast.stmt] = [once, ended]
        signature = ast.arguments([], arguments, None, [], [], None, [])
        types: dict[str, Any] = {"type_params": []} if sys.version_info >= (3, 12) else {}
        made = ast.FunctionDef(self._frame.f_code.co_name, signature, body, [], None, **types)
        code = _compile([ast.copy_location(made, loop)], self._frame)
        return next(one for one in code.co_consts if isinstance(one, CodeType))


def _own_names(loop: ast.For) -> Iterator[ast.Name]:
    yield from (one for one in _own(loop) if isinstance(one, ast.Name))


def _assign(name: str, loop: ast.For) -> ast.stmt:
    return ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], ast.Constant(value=True)), loop)


def _compile(nodes: list[ast.stmt], frame: FrameType) -> CodeType:
    tree = ast.fix_missing_locations(ast.Module(nodes, []))
    flags = frame.f_code.co_flags & 0x1FF0000  # the ``from __future__`` lines of the module
    code: CodeType = compile(tree, frame.f_code.co_filename, "exec", flags=flags, dont_inherit=True)
    return code


def _write_back(frame: FrameType, values: dict[str, Any]) -> None:
    """Set variables of a frame that is suspended: from 3.13 on by PEP 667, before by the function debuggers use."""
    own = {*frame.f_code.co_varnames, *frame.f_code.co_cellvars, *frame.f_code.co_freevars}
    known = {name: value for name, value in values.items() if name in own}
    frame.f_locals.update(known)
    if sys.version_info < (3, 13):
        import ctypes

        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
