"""Stage 4: what a text says of each of its statements."""

from __future__ import annotations

import sys

import pytest

from hotswap._model import Kind, Statement
from hotswap._text._source import read


def statements(text: str) -> tuple[Statement, ...]:
    return read(text, "mod", "mod.py").statements


def only(text: str) -> Statement:
    (found,) = statements(text)
    return found


EAGER = sys.version_info < (3, 14)

# statement | key | kind | binds | reads | calls | mutates
ROWS = [
    ("X = Y + 1", "X", Kind.ASSIGN, {"X"}, {"Y"}, set(), set()),
    ("X, (Z, *W) = Y", "(X, (Z, *W))", Kind.ASSIGN, {"X", "Z", "W"}, {"Y"}, set(), set()),
    ("import a.b", "import a.b", Kind.IMPORT, {"a"}, set(), set(), set()),
    ("import a.b as c", "import a.b as c", Kind.IMPORT, {"c"}, set(), set(), set()),
    ("from a import b, c as d", "from a import b, c as d", Kind.IMPORT, {"b", "d"}, set(), set(), set()),
    ("def f(x=D): return BODY", "def f", Kind.DEF, {"f"}, {"D"}, set(), set()),
    ("@deco(ARG)\ndef f(): pass", "def f", Kind.DEF, {"f"}, {"deco", "ARG"}, {"deco"}, set()),
    ("f = lambda x=D: BODY", "f", Kind.ASSIGN, {"f"}, {"D"}, set(), set()),
    ("class A(Base, k=V):\n    x = OUT\n    y = x", "class A", Kind.CLASS, {"A"}, {"Base", "V", "OUT"}, set(), set()),
    ("T = [i + N for i in S]", "T", Kind.ASSIGN, {"T"}, {"N", "S"}, set(), set()),
    ("V = conf.a.b", "V", Kind.ASSIGN, {"V"}, {"conf.a.b"}, set(), set()),
    ("X += d", "X", Kind.OTHER, {"X"}, {"d", "X"}, set(), {"X"}),
    ("D[k] = v", "D[k]", Kind.ASSIGN, set(), {"D", "k", "v"}, set(), {"D"}),
    ("A.x = v", "A.x", Kind.ASSIGN, set(), {"A", "v"}, set(), {"A"}),
    ("L.append(v)", "L.append()", Kind.OTHER, set(), {"L.append", "v"}, {"L.append"}, {"L"}),
    ("if (n := f()): X = 1", "if", Kind.SUITE, {"n", "X"}, {"f"}, {"f"}, set()),
    ("with open(p) as h: pass", "with", Kind.SUITE, {"h"}, {"open", "p"}, {"open"}, set()),
]


@pytest.mark.parametrize(("text", "key", "kind", "binds", "reads", "calls", "mutates"), ROWS, ids=[r[0] for r in ROWS])
def test_what_a_statement_does(
    text: str, key: str, kind: Kind, binds: set[str], reads: set[str], calls: set[str], mutates: set[str]
) -> None:
    """A statement is known by its key, what it binds, and what it reads, calls and alters while it runs."""
    found = only(text)
    assert (found.key, found.kind, set(found.binds)) == (key, kind, binds)
    assert (set(found.reads), set(found.calls), set(found.mutates)) == (reads, calls, mutates)


def test_annotations_are_read_where_python_evaluates_them() -> None:
    """An annotation is read while its statement runs, unless the text or the version makes it lazy."""
    assert ("T" in only("def f(x: T): pass").reads) is EAGER
    assert "T" not in statements("from __future__ import annotations\ndef f(x: T): pass")[1].reads


def test_lines_begin_at_the_first_decorator() -> None:
    """A decorated function begins where `co_firstlineno` says."""
    found = statements("x = 1\n\n@deco\ndef f():\n    pass\n")[1]
    assert (found.lineno, found.end_lineno) == (3, 5)


def test_children_stand_in_their_branches() -> None:
    """The statements of a `try` are its children, each with the name of its suite."""
    text = "try:\n    a = 1\nexcept E:\n    b = 1\nelse:\n    c = 1\nfinally:\n    d = 1\n"
    assert {child.key: child.branch for child in only(text).children} == {
        "a": "body",
        "b": "except0",
        "c": "orelse",
        "d": "finalbody",
    }


@pytest.mark.parametrize("text", ['"doc"\nx = 1', '# c\n"doc"\n'])
def test_the_first_string_is_the_docstring(text: str) -> None:
    """A string that stands first is the docstring and binds its name; one that stands elsewhere is not."""
    assert (statements(text)[0].key, statements(text)[0].binds) == ("doc", ("__doc__",))
    assert statements("x = 1\n'no doc'")[1].binds == ()


@pytest.mark.parametrize(
    "source",
    [b"\xef\xbb\xbfX = '\xc3\xa9'\n", b"# -*- coding: latin-1 -*-\nX = '\xe9'\n", b"X = '\xc3\xa9'\r\n"],
    ids=["byte order mark", "cookie", "CRLF"],
)
def test_bytes_are_decoded_as_the_import_system_does(source: bytes) -> None:
    """Encoding cookie, byte order mark and line ends make no difference to the text."""
    snapshot = read(source, "mod", "mod.py")
    assert "X = 'é'\n" in snapshot.text
    assert snapshot.statements[-1].binds == ("X",)


def test_what_python_refuses_is_refused() -> None:
    """A syntax error names the file and the line."""
    with pytest.raises(SyntaxError) as raised:
        read("x = 1\ndef f(:\n", "mod", "mod.py")
    assert (raised.value.filename, raised.value.lineno) == ("mod.py", 2)
