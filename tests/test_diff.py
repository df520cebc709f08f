"""Stage 5: how two texts differ, blind to positions."""

from __future__ import annotations

import ast

import pytest

from hotswap._model import Diff
from hotswap._text._diff import diff, equal, only_code, same_header
from hotswap._text._source import read


def compare(old: str, new: str) -> Diff:
    return diff(read(old, "m", "m.py").statements, read(new, "m", "m.py").statements)


def keys(found: Diff) -> tuple[list[str], list[str], list[str], list[str]]:
    """Return what changed, came, went and moved."""
    changed = [pair.new.key for pair in found.changed]
    return changed, [s.key for s in found.added], [s.key for s in found.removed], [p.new.key for p in found.moved]


ROWS = [
    ("nothing", "X = 1\ndef f(): pass\n", "X = 1\ndef f(): pass\n", ([], [], [], [])),
    ("comments and blank lines", "X = 1\nY = 2\n", "# c\n\nX = 1  # d\n\nY = (2)\n", ([], [], [], [])),
    ("a value", "X = 1\nY = 2\n", "X = 1\nY = 3\n", (["Y"], [], [], [])),
    ("a body", "def f():\n    return 1\n", "def f():\n    return 2\n", (["def f"], [], [], [])),
    ("one more", "X = 1\n", "X = 1\nY = 2\n", ([], ["Y"], [], [])),
    ("one less", "X = 1\nY = 2\n", "Y = 2\n", ([], [], ["X"], [])),
    ("another name", "X = 1\n", "Y = 1\n", ([], ["Y"], ["X"], [])),
    ("another kind", "def f(): pass\n", "class f: pass\n", ([], ["class f"], ["def f"], [])),
    ("another place", "X = 1\nY = 2\nZ = 3\n", "Z = 3\nX = 1\nY = 2\n", ([], [], [], ["Z"])),
    (
        "one of two of a name",
        "def f(): return 1\ndef f(): return 2\n",
        "def f(): return 1\ndef f(): return 3\n",
        (["def f"], [], [], []),
    ),
    ("an import", "import a\nimport b\n", "import a\nimport c\n", ([], ["import c"], ["import b"], [])),
]


@pytest.mark.parametrize(("old", "new", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_how_two_texts_differ(old: str, new: str, expected: tuple[list[str], ...]) -> None:
    """Statements are matched by what they are; only those that differ in more than their place are changed."""
    assert keys(compare(old, new)) == expected


def test_every_statement_has_one_place() -> None:
    """Each statement of both texts is in exactly one part of the diff."""
    old, new = "A = 1\nB = 2\nC = 3\nA = 4\n", "C = 3\nA = 1\nD = 5\nA = 6\n"
    found = compare(old, new)
    olds = [p.old.lineno for p in (*found.unchanged, *found.changed)] + [s.lineno for s in found.removed]
    news = [p.new.lineno for p in (*found.unchanged, *found.changed)] + [s.lineno for s in found.added]
    assert (sorted(olds), sorted(news)) == ([1, 2, 3, 4], [1, 2, 3, 4])


def test_class_bodies_are_compared_inside() -> None:
    """A changed class says which member changed."""
    found = compare("class A:\n    x = 1\n    def m(self): pass\n", "class A:\n    x = 2\n    def m(self): pass\n")
    (pair,) = found.changed
    assert pair.inner is not None
    assert keys(pair.inner) == (["x"], [], [], [])
    assert same_header(pair)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("def f(a=1): return 1", "def f(a=1): return 2", True),
        ("def f(a=1): return 1", "def f(a=2): return 1", False),
        ("@d\ndef f(): return 1", "@e\ndef f(): return 1", False),
        ("def f(): return 1", "async def f(): return 1", True),
        ("D = {'k': lambda x: 1}", "D = {'k': lambda x: 2}", True),
        ("D = {'k': lambda x: 1}", "D = {'l': lambda x: 1}", False),
        ("L = [i for i in A]", "L = [i + 1 for i in A]", False),
    ],
)
def test_what_differs_in_code_alone(old: str, new: str, expected: bool) -> None:
    """Bodies of functions and lambdas do not run with their statement; defaults, decorators and comprehensions do."""
    (pair,) = compare(old, new).changed
    assert only_code(pair) is expected


@pytest.mark.parametrize(
    "texts",
    [
        ("def f(a, b=1, *c, d: int = 2) -> str: ...", "def f( a,b = 1,*c,d:int=2 )->str: ..."),
        ("@d(1)\ndef f(a=1): ...", "@d(1)\ndef f(a=True): ..."),
        ("x = 0.0", "x = -0.0"),
        ("x = 0.0", "x = 0"),
        ("x = 'a'", "x = u'a'"),
        ("f(a, b)", "f(a)"),
        ("x: int", "x: int = None"),
        ("a.b[c:d]", "a.b[c:e]"),
    ],
)
def test_equal_trees_have_equal_dumps(texts: tuple[str, str]) -> None:
    """What is found by going through both trees is what their texts would say."""
    one, other = (ast.parse(text).body for text in texts)
    assert equal(one, other) == (ast.dump(one[0]) == ast.dump(other[0]))
    assert equal(one, ast.parse(texts[0]).body)
