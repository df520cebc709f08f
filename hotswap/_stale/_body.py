"""The body of a loop that runs, from the text as it is now, for the frame that runs the loop.

A frame cannot get other code. But an iterator is called by the frame between two rounds, and can run the round itself:
the body as the live text has it, compiled as a function inside the function where it stands, so that it sees the
variables, private names and ``super()`` of that. The variables are cells: those that the frame shares with functions
that it made, and cells of their own for the others, which are written back. So the loop goes on in the frame that it
began in, inside its ``with`` and ``try``, with all its variables.
"""

from __future__ import annotations

import ast
import gc
import sys
import weakref
from collections.abc import Callable, Iterator
from types import CellType, CodeType, FrameType, FunctionType
from typing import Any, Final

from hotswap._stale._place import SCOPES, Loop, own

_DT: Final = "__hotswap_dt__"
_ON: Final = "__hotswap_goes_on__"
_SCOPE: Final = "__hotswap_scope__"
_ROUND: Final = "__hotswap_round__"
_FIRST: Final = "__hotswap_first__"


RENEWED: Final[weakref.WeakKeyDictionary[Any, Callable[[FrameType], bool]]] = weakref.WeakKeyDictionary()
"""Loops whose body is run as the live text has it, with what says so of the frame that is in the loop."""


def is_renewed(frame: FrameType) -> bool:
    """Whether `frame` is in such a loop, and nothing around its body has changed."""
    return any(covers(frame) for covers in list(RENEWED.values()))


Run = Callable[[object], bool]
"""Runs one round of a loop, given the seconds since the frame before; returns whether the loop goes on."""


def body(loop: Loop, variables: Variables) -> Run | None:
    """Return what runs the body of `loop` for the frame of `variables`.

    None if it needs a variable that the frame does not have, as only the code before the loop makes it.
    """
    return _in_module(loop, variables.frame) if loop.function is None else _in_function(loop, variables)


class Variables:
    """The variables of a frame that is in a loop, as cells. They live as long as the loop, also those that are new."""

    def __init__(self, frame: FrameType) -> None:
        self.frame = frame
        self._cells: dict[str, CellType] = {}
        self._copied: set[str] = set()
        self._shared: dict[str, CellType] | None = None

    def cell(self, name: str, *, local: bool) -> CellType | None:
        """Return the cell of `name`, which is a `local` variable of the function, or one of a function around it."""
        found = self._cells.get(name) or self._taken(name)
        if found is None and name == "__class__":
            found = _class_cell(self.frame)
        if found is None and local:
            found = CellType()
        if found is not None:
            self._cells[name] = found
        return found

    def write_back(self) -> None:
        """Give the frame what its variables are now, for the code behind the loop; what was deleted it keeps."""
        known = {name: self._cells[name] for name in self._copied}
        self.frame.f_locals.update({name: cell.cell_contents for name, cell in known.items() if _is_bound(cell)})
        if sys.version_info < (3, 13):  # from then on `f_locals` are the variables themselves, by PEP 667
            import ctypes

            ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(self.frame), ctypes.c_int(0))

    def _taken(self, name: str) -> CellType | None:
        """Return the cell that the frame has for `name`, or one with what it has; None if it has no such variable."""
        code, names = self.frame.f_code, self.frame.f_locals
        if name in code.co_cellvars or name in code.co_freevars:
            if self._shared is None:
                self._shared = dict(_shared_cells(self.frame))
            if name in self._shared:
                return self._shared[name]
        elif name not in code.co_varnames:
            return None
        self._copied.add(name)
        return CellType(names[name]) if name in names else CellType()


def _shared_cells(frame: FrameType) -> Iterator[tuple[str, CellType]]:
    """Yield the cells that live functions share with `frame`, by name: its own function, and those that it made."""
    name, names = frame.f_code.co_qualname, frame.f_locals
    wanted = {*frame.f_code.co_cellvars, *frame.f_code.co_freevars}
    for one in gc.get_objects():
        if type(one) is FunctionType and one.__globals__ is frame.f_globals and one.__closure__ is not None:
            made = one.__code__.co_qualname
            if made == name or made.startswith(f"{name}.<locals>."):
                for free, cell in zip(one.__code__.co_freevars, one.__closure__, strict=True):
                    same = cell.cell_contents is names.get(free) if _is_bound(cell) else free not in names
                    if free in wanted and same:
                        yield free, cell


def _class_cell(frame: FrameType) -> CellType | None:
    """Return a cell with the class that the function of `frame` stands in, found through its first argument."""
    code = frame.f_code
    first = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
    around = code.co_qualname.rpartition(".")[0]
    lines = (first if isinstance(first, type) else type(first)).__mro__
    return next((CellType(one) for one in lines if one.__qualname__ == around), None)


def _is_bound(cell: CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018  there is no other way to ask
    except ValueError:
        return False
    return True


def _in_module(loop: Loop, frame: FrameType) -> Run:
    once, names = _round(loop.node), frame.f_globals
    once.orelse = [ast.copy_location(ast.Assign([ast.Name(_ON, ast.Store())], ast.Constant(value=True)), loop.node)]
    code = _compile(ast.Module([once], []), frame)

    def run(dt: object) -> bool:
        names[_DT], names[_ON] = dt, False
        try:
            exec(code, names)  # noqa: S102  the program's own text
            return bool(names[_ON])
        finally:
            del names[_DT], names[_ON]

    return run


def _in_function(loop: Loop, variables: Variables) -> Run | None:
    frame = variables.frame
    scope = _code_of_function(loop, frame)
    own_names = {*scope.co_varnames, *scope.co_cellvars}
    code = _code_of_round(loop, own_names, frame)
    cells = [variables.cell(name, local=name in own_names) for name in code.co_freevars]
    if None in cells or not _has_all(loop.node, dict(zip(code.co_freevars, cells, strict=True))):
        return None
    function = FunctionType(
        code, frame.f_globals, code.co_name, None, tuple(cell for cell in cells if cell is not None)
    )
    first = variables.cell(scope.co_varnames[0], local=True) if scope.co_argcount else None

    def run(dt: object) -> bool:
        try:
            return bool(function(first.cell_contents if first is not None and _is_bound(first) else None, dt))
        finally:
            variables.write_back()

    return run


def _has_all(loop: ast.For, cells: dict[str, CellType | None]) -> bool:
    """Whether each variable that the loop reads has a value, or is set somewhere in the loop."""
    reads = {one.id for one in own(loop) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
    unset = {name for name, cell in cells.items() if name in reads and cell is not None and not _is_bound(cell)}
    return unset <= set(_bound(loop))


def _bound(loop: ast.For) -> Iterator[str]:
    """Yield the names that the loop binds."""
    for one in own(loop):
        if isinstance(one, ast.alias):
            yield (one.asname or one.name).partition(".")[0]
        elif isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load):
            yield one.id
        else:  # functions and classes, what `match` captures
            yield from (name for field in ("name", "rest") if isinstance(name := getattr(one, field, None), str))


def _code_of_function(loop: Loop, frame: FrameType) -> CodeType:
    """Return the code of the function that the loop stands in, which knows whose each variable is."""
    function = loop.function
    assert function is not None
    name, function.name = function.name, _SCOPE
    code = _found(_compile(loop.tree, frame), _SCOPE)
    function.name = name
    return code


def _code_of_round(loop: Loop, names: set[str], frame: FrameType) -> CodeType:
    """Return the code of one round, as a function inside one that has the variables `names` as arguments."""
    function, once = loop.function, _round(loop.node)
    assert function is not None
    shared, globals_ = set(names), set[str]()
    for one in own(function):
        if isinstance(one, ast.Nonlocal):
            shared.update(one.names)
        elif isinstance(one, ast.Global):
            globals_.update(one.names)
    once.orelse = [ast.Return(ast.Constant(value=True))]
    said: list[ast.stmt] = [ast.Nonlocal(sorted(shared))] if shared else []
    said += [ast.Global(sorted(globals_))] if globals_ else []
    inner: list[ast.stmt] = [*said, _Undeclared().visit(once), ast.Return(ast.Constant(value=False))]
    function.body = [_function(_ROUND, [_FIRST, _DT], inner)]
    function.args = _arguments(names)
    code = _found(_compile(ast.copy_location(loop.tree, loop.node), frame), _ROUND)
    return code.replace(co_name=frame.f_code.co_name, co_qualname=frame.f_code.co_qualname)


class _Undeclared(ast.NodeTransformer):
    """Takes out what a variable cannot have that is declared for the whole body: another declaration, an annotation."""

    def visit(self, node: ast.AST) -> Any:
        """Go into what belongs to the body, not into functions and classes that stand in it."""
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            return ast.copy_location(ast.Pass(), node)
        return node if isinstance(node, SCOPES) else super().visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        """Leave the value of an annotated variable; the annotation of a local one is not evaluated."""
        if not isinstance(node.target, ast.Name):
            return node
        made = ast.Pass() if node.value is None else ast.Assign([node.target], node.value)
        return ast.copy_location(made, node)


def _round(loop: ast.For) -> ast.For:
    given = ast.Tuple([ast.Name(_DT, ast.Load())], ast.Load())
    once = ast.For(target=loop.target, iter=given, body=loop.body, orelse=[], type_comment=None)
    return ast.copy_location(once, loop)


def _function(name: str, names: list[str], inner: list[ast.stmt]) -> ast.FunctionDef:
    types: dict[str, Any] = {"type_params": []} if sys.version_info >= (3, 12) else {}
    return ast.copy_location(ast.FunctionDef(name, _arguments(names), inner, [], None, **types), inner[-2])


def _arguments(names: set[str] | list[str]) -> ast.arguments:
    return ast.arguments([], [ast.arg(name) for name in names], None, [], [], None, [])


def _compile(tree: ast.Module, frame: FrameType) -> CodeType:
    flags = frame.f_code.co_flags & 0x1FF0000  # the ``from __future__`` lines of the module
    code: CodeType = compile(
        ast.fix_missing_locations(tree), frame.f_code.co_filename, "exec", flags=flags, dont_inherit=True
    )
    return code


def _found(code: CodeType, name: str) -> CodeType:
    """Return the code object called `name` that stands somewhere in `code`."""
    left = [code]
    while left:
        one = left.pop()
        if one.co_name == name:
            return one
        left += (inner for inner in one.co_consts if isinstance(inner, CodeType))
    raise LookupError(name)
