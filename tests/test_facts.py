"""What is kept of a text instead of its tree: the outline's facts say at least what a full parse says."""

from __future__ import annotations

import sysconfig
import warnings
from importlib.util import decode_source
from pathlib import Path

import pytest

from hotswap._graph._facts import Facts, facts_of
from hotswap._text._outline import outline
from hotswap._text._source import read

STDLIB = Path(sysconfig.get_paths()["stdlib"])
MODULES = sorted(path.name for path in STDLIB.glob("*.py"))[::4]


def _never(_: str) -> bool:
    return False


def _both(text: str) -> tuple[Facts, Facts] | None:
    found = outline(text)
    if found is None:
        return None
    return facts_of(read(text, "m", "m.py"), "", _never), facts_of(
        read(found[0], "m", "m.py"), "", _never, bodies=found[1]
    )


@pytest.mark.parametrize("name", MODULES)
def test_an_outline_says_what_a_parse_says(name: str) -> None:
    """Statement by statement: the same names bound and read, at least the names that function bodies mention."""
    text = decode_source((STDLIB / name).read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            both = _both(text)
        except SyntaxError:
            return  # then the whole text is read
    for one, other in zip(both[0].every, both[1].every, strict=True) if both else ():
        assert (one.place, one.statement.binds, one.reads, one.calls) == (
            other.place,
            other.statement.binds,
            other.reads,
            other.calls,
        )
        assert one.statement.lineno == other.statement.lineno
        assert one.mentions <= other.mentions | {*one.reads, *one.calls}
        assert one.attributes <= other.attributes
    if both:
        assert both[0].edges == both[1].edges


@pytest.mark.parametrize(
    "text",
    [
        'X = """\ndef f():\n    """ + RATE\n',
        "def f(a, b=(\n    1,\n    RATE)\n):\n    return a\nY = RATE\n",
        "def f(): return RATE\nY = RATE\n",
        "class A:\n    def m(self):\n        # a comment: \"\n        return f'{RATE}'\n    x = RATE\n",
        "async def f(x) -> dict[str, int]:\n    '''Doc.\n\nmore'''\n    return RATE\n\nY = 1\n",
        "@deco(RATE)\ndef f():\n    def g():\n        return RATE\n    return g\n",
        "if RATE:\n    def h():\n        pass\nelse:\n    Z = RATE\n",
        "def f():\n    from config import RATE\n    return RATE\n",
    ],
)
def test_strange_texts(text: str) -> None:
    """Strings that look like code, headers over several lines, bodies on the line of their def."""
    both = _both(text)
    assert both is not None
    for one, other in zip(both[0].every, both[1].every, strict=True):
        assert (one.statement.binds, one.reads) == (other.statement.binds, other.reads)
        assert one.mentions <= other.mentions | {*one.reads, *one.calls}


def test_no_trees_are_kept() -> None:
    """Only import statements keep their node: trees are a hundred times as large as texts."""
    facts = facts_of(read("import os\nX = [1, 2]\ndef f():\n    return X\n", "m", "m.py"), "", _never)
    kinds = [type(statement.node).__name__ for statement in facts.statements]
    assert kinds == ["Import", "Pass", "Pass"]
