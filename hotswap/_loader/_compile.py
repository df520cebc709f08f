"""Statements to code objects; moving, comparing and reading those.

A statement is compiled inside empty classes of the names that surround it (never alone): private names, ``super()``,
class scope, qualified names, line and column numbers are then those of a compile of the whole file.
"""

from __future__ import annotations

import ast
import dis
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from types import CodeType
from typing import Final, cast

_SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
Outer = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Build = Callable[[ast.Module, str, int], CodeType]

_LAZY_ANNOTATIONS: Final[bool] = sys.version_info >= (3, 14)
_OPTIMIZED: Final = 0x1
PARAMETERS: Final = "<generic parameters of "
_HAS_DOCSTRING: Final = 0x4000000  # from 3.13 on
_LINES_IN_CLASS_CODE: Final = sys.version_info >= (3, 13)


def compile_in(
    nodes: Sequence[ast.stmt],
    around: Sequence[Outer],
    origin: str,
    flags: int,
    *,
    imports: frozenset[str] = frozenset(),
    doc: bool = False,
    build: Build | None = None,
) -> CodeType:
    """Return the module code of `nodes` as if they stood in the classes and functions `around` of `origin`, outermost
    first.

    `doc` says that the first of them is a docstring, not just a string that stands there; `imports` are the names that
    the module imports; `build` is how the module's loader makes code of a tree. Raises SyntaxError for what only the
    compiler finds (``return`` outside a function).
    """
    body = list(nodes)
    if body and _would_be_doc(body[0]) and not doc:
        body.insert(0, ast.copy_location(ast.Pass(), body[0]))
    for outer in reversed(around):
        body = [_shell(outer, body)]
    if imports:
        body = [*body, _never_run(imports)]
    tree = ast.Module(body=body, type_ignores=[])
    return build(tree, origin, flags) if build else compile(tree, origin, "exec", flags=flags, dont_inherit=True)


@lru_cache(maxsize=16)
def _never_run(imports: frozenset[str]) -> ast.stmt:
    """Return a statement that tells the compiler of the imports `imports` and leaves no code.

    ``name.attribute()`` is compiled as a method call unless the module imports `name` (`is_import_originated` in
    compile.c).
    """
    known = ast.Import([ast.alias(name) for name in sorted(imports - {"*"})] or [ast.alias("sys")])
    return ast.fix_missing_locations(ast.If(ast.Constant(value=False), [known], []))


def _would_be_doc(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _shell(outer: Outer, body: list[ast.stmt]) -> Outer:
    """Return `outer` with another body and nothing that runs; type parameters stay, as members may close over them, and
    so does the line of the first decorator, where its code begins.

    A function has all names that it binds for parameters, so that they are free variables of what stands in it.
    """
    first = [ast.copy_location(ast.Constant(None), one) for one in outer.decorator_list[:1]]
    fields = dict(ast.iter_fields(outer)) | {"decorator_list": first}
    fields["body"] = body or [ast.copy_location(ast.Pass(), outer)]
    if isinstance(outer, ast.ClassDef):
        return ast.copy_location(ast.ClassDef(**fields | {"bases": [], "keywords": []}), outer)
    names = [ast.copy_location(ast.arg(name), outer) for name in sorted(_names_of(outer))]
    arguments = ast.arguments(posonlyargs=[], args=names, kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.copy_location(type(outer)(**fields | {"args": arguments, "returns": None}), outer)


def _names_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Return the names that are local to a function."""
    given = function.args
    every = (*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg)
    found = {argument.arg for argument in every if argument is not None}
    elsewhere: set[str] = set()
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            elsewhere.update(node.names)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(name := getattr(node, "name", None), str):  # def, class, except, match
            found.add(name)
        if isinstance(node, ast.comprehension):  # its target is its own
            waiting += (node.iter, *node.ifs)
        elif not isinstance(node, _SCOPES):
            waiting += ast.iter_child_nodes(node)
    return found - elsewhere


def annotated(node: ast.AST) -> Iterator[ast.AnnAssign]:
    """Yield the annotated names in `node`, in the order of the text, without those of scopes inside."""
    if isinstance(node, ast.AnnAssign):
        if node.simple:
            yield node
    elif isinstance(node, ast.stmt) and not isinstance(node, _SCOPES):
        for child in ast.iter_child_nodes(node):
            yield from annotated(child)
    elif isinstance(node, (ast.ExceptHandler, ast.match_case)):
        for child in node.body:
            yield from annotated(child)


def without_annotations(node: ast.stmt) -> ast.stmt:
    """Return a statement of a scope without the scope's own annotations, which are not compiled one by one."""
    plain: ast.stmt = node
    if _LAZY_ANNOTATIONS and not isinstance(node, _SCOPES) and any(annotated(node)):
        plain = cast(ast.stmt, _Plain().visit(node))
    return plain


class _Plain(ast.NodeTransformer):
    """Copies statements on the way; nodes of the program's text are never altered."""

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, (*_SCOPES, ast.expr)):
            return node
        copied = type(node)(**dict(ast.iter_fields(node)))
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                setattr(copied, name, [self.visit(item) if isinstance(item, ast.AST) else item for item in value])
        copied = ast.copy_location(copied, node)
        return self._without(copied) if isinstance(copied, ast.AnnAssign) else copied

    def _without(self, node: ast.AnnAssign) -> ast.AST:
        plain = ast.Pass() if node.value is None else ast.Assign([node.target], node.value)
        return ast.copy_location(plain, node)


def inner_codes(code: CodeType) -> list[CodeType]:
    """Return the code objects directly inside `code`, in source order."""
    return [const for const in code.co_consts if isinstance(const, CodeType)]


def imported_by(code: CodeType) -> Iterator[tuple[str, str, str]]:
    """Yield module, name there and name here of the absolute from-imports of module code."""
    source, name = "", ""
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            source = step.argval
        elif step.opname == "IMPORT_FROM":
            name = step.argval
        elif step.opname == "STORE_NAME" and name:
            yield source, name, step.argval
            name = ""


def all_codes(code: CodeType) -> Iterator[CodeType]:
    """Yield `code` and everything inside it, outermost first."""
    yield code
    for inner in inner_codes(code):
        yield from all_codes(inner)


def is_class_body(code: CodeType) -> bool:
    """Whether `code` is the body of a class: unlike functions, it has no fast locals."""
    return not code.co_flags & _OPTIMIZED and code.co_name != "<module>"


def class_body(code: CodeType, names: Sequence[str]) -> CodeType:
    """Return the body of the innermost of the nested scopes `names`, a class, in module code made by `compile_in`."""
    for name in names:
        code = next(c for c in _through_parameters(code) if c.co_name == name)
    return code


def _through_parameters(code: CodeType) -> Iterator[CodeType]:
    """Yield inner codes, looking into the scope that PEP 695 puts around a generic class."""
    for inner in inner_codes(code):
        yield inner
        if inner.co_name.startswith(PARAMETERS):
            yield from inner_codes(inner)


def content(code: CodeType) -> tuple[object, ...]:
    """Return what `code` does, without where it stands; equal for functions that behave alike."""
    consts = tuple(content(c) if isinstance(c, CodeType) else _constant(c) for c in code.co_consts)
    flags = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    names = (code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return (*names, *flags, code.co_code, code.co_exceptiontable, consts)


def _constant(value: object) -> object:
    """``1 == True == 1.0`` and ``0.0 == -0.0``: compare constants by type and text, tuples item by item."""
    if isinstance(value, (tuple, frozenset)):
        items = [_constant(item) for item in value]
        return (type(value), tuple(items) if isinstance(value, tuple) else frozenset(items))
    return (type(value), repr(value))


Shifts = dict[int, CodeType]
"""What code became that was shifted, by the id of that; who has it shifted holds it, but nothing here does."""


def shift(code: CodeType, delta: int, known: Shifts) -> CodeType | None:
    """Return `code` moved by `delta` lines, or None where that needs a compile.

    `known` grows: code that a function and the function around it share is shared by what they become, too.

    Line tables are relative to `co_firstlineno`, of inner code objects too. From 3.13 on a class body's code stores
    its own line as a constant, so code that makes classes is compiled anew instead.
    """
    if delta == 0:
        return code
    if id(code) in known:
        return known[id(code)]
    consts: list[object] = []
    for const in code.co_consts:
        if isinstance(const, CodeType):
            if _LINES_IN_CLASS_CODE and is_class_body(const):
                return None
            moved = shift(const, delta, known)
            if moved is None:
                return None
            consts.append(moved)
        else:
            consts.append(const)
    moved = code.replace(co_firstlineno=code.co_firstlineno + delta, co_consts=tuple(consts))
    known[id(code)] = moved
    return moved


def own_content(code: CodeType, called: frozenset[str] = frozenset()) -> tuple[object, ...]:
    """Return what a call of `code` does by itself: without the functions that it only makes.

    Comprehensions, generator expressions and class bodies run with it, and so do nested functions whose names are
    among `called`.
    """
    alone = _alone(code, called)
    return (*content(code)[:-1], tuple(map(alone, code.co_consts)))


def own_steps(code: CodeType, called: frozenset[str] = frozenset()) -> tuple[object, ...]:
    """Return the same without a docstring, which stands among the constants, and before them."""
    alone = _alone(code, called)
    steps = [
        (step.opname, alone(step.argval) if step.opcode in dis.hasconst else step.arg)
        for step in dis.get_instructions(code)
    ]
    names = (code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    flags = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & ~_HAS_DOCSTRING)
    return (*names, *flags, code.co_exceptiontable, *steps)


def _alone(code: CodeType, called: frozenset[str]) -> Callable[[object], object]:
    """Return what gives of a constant of `code` what counts for a call of that alone."""
    returned = _returned(code)

    def alone(const: object) -> object:
        if not isinstance(const, CodeType):
            return _constant(const)
        runs = const.co_name in called or (const.co_name.startswith("<") and const not in returned)
        return content(const) if runs or is_class_body(const) else const.co_name

    return alone


def _returned(code: CodeType) -> list[CodeType]:
    """Return the lambdas that `code` makes only to return them at once."""
    found: list[CodeType] = []
    if not any(const.co_name == "<lambda>" for const in inner_codes(code)):
        return found
    made: CodeType | None = None
    for step in dis.get_instructions(code):
        if step.opname == "LOAD_CONST" and isinstance(step.argval, CodeType) and step.argval.co_name == "<lambda>":
            made = step.argval
        elif step.opname == "RETURN_VALUE" and made is not None:
            found.append(made)
        elif step.opname not in ("MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE"):
            made = None
    return found
