"""Texts parsed in pieces: the tree is the same, and so is what is raised; other threads have their turn meanwhile."""

from __future__ import annotations

import ast
import gc
import sys
from pathlib import Path

import pytest

from hotswap._points import _way
from hotswap._text import _slices

LONG_STRING = "x = 1\n" * 300 + 'TEXT = """\n' + "y = 2\n" * 300 + '"""\n' + "z = 3\n" * 300
BRANCHES = "".join(f"if x == {i}:\n    pass\nelif x:\n    pass\nelse:\n    pass\n" for i in range(200))
DECORATED = "".join(f"@one\n@two(\n{i}\n)\ndef f{i}():\n    return (\n{i})\n\n" for i in range(200))
CONTINUED = "".join(f"a{i} = 1 + \\\nb\nc = {i}\n" for i in range(300))


@pytest.mark.parametrize("text", [LONG_STRING, BRANCHES, DECORATED, CONTINUED, "", "a = 1", "a = 1\n" * 1000])
def test_the_tree_is_that_of_the_whole(text: str) -> None:
    """Statements, their places and their order are those of ``ast.parse``, wherever a piece might have ended."""
    wanted = ast.dump(ast.parse(text), include_attributes=True)
    assert ast.dump(_slices.parse(text, "a.py"), include_attributes=True) == wanted


def test_modules_of_the_standard_library() -> None:
    """Long modules as people wrote them give the same tree."""
    names = ("argparse", "typing", "inspect", "dataclasses", "tarfile", "turtle")
    for path in (Path(ast.__file__).with_name(f"{name}.py") for name in names):
        text = path.read_text(encoding="utf-8")
        wanted = ast.dump(ast.parse(text), include_attributes=True)
        assert ast.dump(_slices.parse(text, str(path)), include_attributes=True) == wanted


@pytest.mark.parametrize("wrong", ["def f(:\n", "x = (\n", '"""\n', "else:\n    pass\n", "\tx = 1\n"])
def test_a_syntax_error_is_that_of_the_whole(wrong: str) -> None:
    """Message, line and place are what CPython says of the whole text."""
    text = "x = 1\n" * 700 + wrong + "y = 2\n" * 700
    with pytest.raises(SyntaxError) as whole:
        ast.parse(text, "a.py")
    with pytest.raises(SyntaxError) as pieces:
        _slices.parse(text, "a.py")
    assert (pieces.value.msg, pieces.value.lineno, pieces.value.offset, pieces.value.text) == (
        (whole.value.msg, whole.value.lineno, whole.value.offset, whole.value.text)
    )


def test_giving_way_ends() -> None:
    """Other threads come in soon meanwhile, and as before afterwards; what the program sets stays."""
    before = sys.getswitchinterval()
    with _way.giving_way():
        assert sys.getswitchinterval() == pytest.approx(_way.TURN, abs=1e-5)
    assert sys.getswitchinterval() == pytest.approx(before, abs=1e-5)
    try:
        with _way.giving_way():
            sys.setswitchinterval(0.02)
        assert sys.getswitchinterval() == pytest.approx(0.02, abs=1e-5)
    finally:
        sys.setswitchinterval(before)


def test_garbage_is_collected_later() -> None:
    """No collection begins by itself until the outermost of several ends; what the program sets meanwhile stays."""
    before = gc.get_threshold()
    with _way.collecting_later():
        with _way.giving_way():
            assert gc.get_threshold()[0] == 0
        assert gc.get_threshold()[0] == 0
        gc.disable()
    try:
        assert gc.get_threshold() == before
        assert not gc.isenabled()
    finally:
        gc.enable()
    with _way.collecting_later():
        gc.set_threshold(900)
    try:
        assert gc.get_threshold()[0] == 900
    finally:
        gc.set_threshold(*before)
