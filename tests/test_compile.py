"""Statements to code objects, and which code takes the place of which."""

from __future__ import annotations

import ast
from types import CodeType
from typing import Any

import pytest

from hotswap._loader._codemap import CodeMap
from hotswap._loader._compile import all_codes, class_body, compile_in, content, own_content, shift

FILE = "mod.py"


def code(text: str) -> CodeType:
    return compile(text, FILE, "exec", dont_inherit=True)


def named(text: str, name: str) -> CodeType:
    return next(inner for inner in all_codes(code(text)) if inner.co_name == name)


def positions(one: CodeType) -> list[Any]:
    return [list(inner.co_positions()) for inner in all_codes(one)]


def test_a_member_compiled_alone_is_that_of_the_file() -> None:
    """Private names, `super()`, qualified name, lines and columns are those of a compile of the whole file."""
    text = "class A:\n    __x = 1\n\n    def m(self):\n        return super().m(), self.__x\n"
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.ClassDef)
    alone = class_body(compile_in([node.body[1]], [node], FILE, 0), ["A"])
    (method,) = [const for const in alone.co_consts if isinstance(const, CodeType)]
    assert method == named(text, "m")
    assert positions(method) == positions(named(text, "m"))


def test_a_string_that_is_no_docstring_stays_none() -> None:
    """A statement that happens to be a string does not become the docstring because it is compiled alone."""
    names: dict[str, object] = {}
    exec(compile_in([ast.parse("x = 1\n'text'").body[1]], (), FILE, 0), names)
    assert "__doc__" not in names


def test_content_is_blind_to_positions_and_sees_types() -> None:
    """The same function further down is equal; `1`, `1.0` and `True` are not."""
    text = "def f(x):\n    return [x, lambda: 1]\n"
    assert content(named(text, "f")) == content(named("\n\n" + text, "f"))
    assert content(named(text, "f")) != content(named(text.replace("1", "1.0"), "f"))
    assert content(named(text, "f")) != content(named(text.replace("1", "True"), "f"))


def test_own_content_leaves_out_what_is_only_made() -> None:
    """A change inside a function that is only returned is none of the outer's own, unless the outer calls it."""
    old, new = (f"def f():\n    def g(): return {n}\n    return g\n" for n in (1, 2))
    assert own_content(named(old, "f")) == own_content(named(new, "f"))
    assert own_content(named(old, "f"), frozenset({"g"})) != own_content(named(new, "f"), frozenset({"g"}))


@pytest.mark.parametrize("delta", [1, 7, 400])
def test_shifted_code_is_that_of_a_compile(delta: int) -> None:
    """Moving code by lines gives what a compile of the moved text gives, inner code and columns included."""
    text = "def f(x):\n    def g():\n        return [i for i in x]\n    return g\n"
    moved = shift(named(text, "f"), delta, {})
    assert moved is not None
    expected = named("\n" * delta + text, "f")
    assert moved == expected
    assert positions(moved) == positions(expected)


def test_each_inner_function_finds_its_successor() -> None:
    """Equal functions anchor the match; between them the same names are paired in order, whatever was put in front."""
    old = "def outer():\n    a = lambda: 1\n    b = lambda: 2\n    def inner(): return 3\n    return a, b, inner\n"
    new = (
        "def outer():\n    z = lambda: 0\n    a = lambda: 1\n    b = lambda: 22\n"
        "    def inner(): return 33\n    return z, a, b, inner\n"
    )
    codes = CodeMap()
    codes.add(code(old), code(new))
    made: list[dict[str, Any]] = [{}, {}]
    exec(code(old), made[0])
    exec(code(new), made[1])
    _, *expected = made[1]["outer"]()
    for function, other in zip(made[0]["outer"](), expected, strict=True):
        successor = codes.successor(function.__code__)
        assert successor == other.__code__


def test_code_that_nobody_noted_stays() -> None:
    """A function of another text has no successor."""
    assert CodeMap().successor(named("def f(): pass", "f")) is None
