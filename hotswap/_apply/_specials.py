"""Special methods that run without being named: what operators, loops, ``with``, f-strings and builtins look up.

A statement such as ``x = D() + 1`` names no method of ``D``; what it gives changes with ``D.__add__`` all the same.
"""

from __future__ import annotations

import ast
import dis
from collections.abc import Iterator
from types import CodeType
from typing import Final

from hotswap._graph._facts import by_text

_ARITHMETIC: Final = {
    "+": "add", "-": "sub", "*": "mul", "@": "matmul", "/": "truediv", "//": "floordiv", "%": "mod", "**": "pow",
    "<<": "lshift", ">>": "rshift", "|": "or", "&": "and", "^": "xor",
}  # fmt: skip
_OPERATORS: Final = dict(
    zip(
        (ast.Add, ast.Sub, ast.Mult, ast.MatMult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.LShift, ast.RShift,
         ast.BitOr, ast.BitAnd, ast.BitXor),
        _ARITHMETIC,
        strict=True,
    )
)  # fmt: skip
_TRUTH: Final = ("__bool__", "__len__")
_ITERATION: Final = ("__iter__", "__next__", "__getitem__", "__len__", "__contains__")
COMPARISON: Final = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
_LOOK_UP: Final = ("__getattr__", "__getattribute__", "__get__")
_SUBSCRIPT: Final = ("__getitem__", "__class_getitem__", "__missing__", "__setitem__", "__delitem__")
_TEXT: Final = ("__format__", "__str__", "__repr__")
ENTRY: Final = ("__enter__", "__exit__", "__aenter__", "__aexit__")
_SIGNS: Final = ("__pos__", "__neg__", "__invert__")

_BY_NODE: Final[dict[type[ast.AST], tuple[str, ...]]] = {
    ast.Attribute: _LOOK_UP,
    ast.BoolOp: _TRUTH,
    ast.Compare: (*COMPARISON, *_ITERATION),
    ast.Dict: ("__hash__", "__eq__", "__getitem__", "__iter__", "keys"),
    ast.For: _ITERATION,
    ast.FormattedValue: _TEXT,
    ast.If: _TRUTH,
    ast.IfExp: _TRUTH,
    ast.Match: (*COMPARISON, *_ITERATION, *_LOOK_UP),
    ast.Set: ("__hash__", "__eq__"),
    ast.Starred: _ITERATION,
    ast.Subscript: _SUBSCRIPT,
    ast.Tuple: _ITERATION,
    ast.UnaryOp: (*_SIGNS, *_TRUTH),
    ast.While: _TRUTH,
    ast.With: ENTRY,
    ast.comprehension: (*_ITERATION, *_TRUTH),
}
_BY_OPCODE: Final[dict[str, tuple[str, ...]]] = {
    "BEFORE_WITH": ENTRY,
    "BINARY_SLICE": _SUBSCRIPT,
    "BINARY_SUBSCR": _SUBSCRIPT,
    "COMPARE_OP": COMPARISON,
    "CONTAINS_OP": _ITERATION,
    "CONVERT_VALUE": _TEXT,
    "FORMAT_SIMPLE": _TEXT,
    "FORMAT_VALUE": _TEXT,
    "FORMAT_WITH_SPEC": _TEXT,
    "GET_ITER": _ITERATION,
    "LIST_EXTEND": _ITERATION,
    "LOAD_ATTR": _LOOK_UP,
    "LOAD_SPECIAL": ENTRY,
    "STORE_SUBSCR": _SUBSCRIPT,
    "TO_BOOL": _TRUTH,
    "UNARY_INVERT": _SIGNS,
    "UNARY_NEGATIVE": _SIGNS,
    "UNARY_NOT": _TRUTH,
    "MATCH_CLASS": ("__match_args__", "__instancecheck__"),
    "UNPACK_EX": _ITERATION,
    "UNPACK_SEQUENCE": _ITERATION,
}
_BY_CALL: Final[dict[str, tuple[str, ...]]] = {
    "abs": ("__abs__",),
    "bool": _TRUTH,
    "bytes": ("__bytes__", *_ITERATION),
    "complex": ("__complex__", "__float__", "__index__"),
    "dict": _ITERATION,
    "dir": ("__dir__",),
    "divmod": ("__divmod__", "__rdivmod__"),
    "float": ("__float__", "__index__"),
    "format": _TEXT,
    "getattr": _LOOK_UP,
    "hasattr": _LOOK_UP,
    "hash": ("__hash__",),
    "int": ("__int__", "__index__", "__trunc__"),
    "isinstance": ("__instancecheck__", "__subclasshook__", "__class__"),
    "issubclass": ("__subclasscheck__", "__subclasshook__"),
    "len": ("__len__",),
    "next": ("__next__",),
    "repr": ("__repr__",),
    "reversed": ("__reversed__", *_ITERATION),
    "round": ("__round__",),
    "str": _TEXT,
    "sum": (*_ITERATION, "__add__", "__radd__"),
}
_COPYING: Final = ("__copy__", "__deepcopy__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__")
_BY_LIBRARY: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("bisect", "heapify", "insort", "merge", "nlargest", "nsmallest", "sort"), COMPARISON),
    **dict.fromkeys(("copy", "deepcopy", "dumps", "loads"), _COPYING),
    **dict.fromkeys(("Path", "PurePath", "PosixPath", "fspath", "joinpath", "open"), ("__fspath__",)),
    **dict.fromkeys(("pformat", "pp", "pprint"), ("__repr__",)),
    **dict.fromkeys(
        ("Counter", "OrderedDict", "chain", "deque", "fromkeys", "join"), (*_ITERATION, "keys", "__fspath__")
    ),
}
"""What functions of the standard library look up, by their own names, wherever these stand."""

_ITERATING: Final = ("all", "any", "enumerate", "filter", "frozenset", "iter", "list", "map", "set", "tuple", "zip")
_ORDERING: Final = ("max", "min", "sorted")


def of_name(name: str) -> tuple[str, ...]:
    """Return the special methods that calling what has this name may run."""
    if name in _BY_LIBRARY:
        return _BY_LIBRARY[name]
    if name in _ITERATING:
        return (*_ITERATION, *_TRUTH, "__hash__", "__eq__")
    return (*_ITERATION, *COMPARISON) if name in _ORDERING else _BY_CALL.get(name, ())


def of_node(node: ast.AST) -> Iterator[str]:
    """Yield the special methods that running one node of a statement may run."""
    yield from _BY_NODE.get(type(node), ())
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        yield from _arithmetic(_OPERATORS[type(node.op)])
    elif isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        yield from of_name(name) if isinstance(node.func, ast.Name) else _BY_LIBRARY.get(name, ())
        yield from by_text(node)


def of_code(code: CodeType) -> Iterator[str]:
    """Yield the special methods that running `code` may run, not counting functions that it makes."""
    for step in dis.get_instructions(code):
        yield from _BY_OPCODE.get(step.opname, ())
        if step.opname == "BINARY_OP":
            sign = step.argrepr.removesuffix("=")
            yield from _arithmetic(sign) if sign in _ARITHMETIC else _SUBSCRIPT  # 3.14: ``[]`` is one, too
        elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield from of_name(step.argval)
        elif step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            yield from _BY_LIBRARY.get(step.argval, ())


def _arithmetic(sign: str) -> tuple[str, ...]:
    name = _ARITHMETIC[sign]
    return f"__{name}__", f"__r{name}__", f"__i{name}__"


def looked_up(node: ast.stmt) -> frozenset[str]:
    """Return what a statement looks up on objects while it runs: names behind a dot, and special methods.

    The body of a function does not run with its ``def``.
    """
    is_def = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    header = {**dict(ast.iter_fields(node)), "body": []}
    nodes = list(ast.walk(ast.copy_location(type(node)(**header), node) if is_def else node))
    named = (inner.attr for inner in nodes if isinstance(inner, ast.Attribute))
    return frozenset((*named, *(name for inner in nodes for name in of_node(inner))))
