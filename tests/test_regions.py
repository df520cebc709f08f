"""Small edits: what is found in the region that differs is what a reading of both texts finds, for edits of real files.

``HOTSWAP_REGIONS=20000 pytest tests/test_regions.py`` tries so many edits; a normal run tries a few hundred.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import json.decoder
import os
import queue
import random
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from hotswap._model import Diff, Kind, Pair, Statement
from hotswap._regions import Block, Region, compare, index_of
from hotswap._text._diff import diff
from hotswap._text._source import read

EDITS = int(os.environ.get("HOTSWAP_REGIONS", "300"))
MODULES: tuple[ModuleType, ...] = (textwrap, queue, functools, json.decoder, dataclasses, shlex)


def _texts() -> Iterator[str]:
    for module in MODULES:
        assert module.__file__
        yield Path(module.__file__).read_text(encoding="utf-8").replace("from __future__", "# from __future__")


LINES = ("pass", "x = 1", "# more", "", "return", "else:", "@staticmethod")
TEXTS = tuple(_texts())


def _edited(text: str, chance: random.Random) -> str:
    """Return `text` with one to three lines changed, added, removed, moved in or out, cut short or doubled; or with
    another constant.
    """
    if chance.random() < 0.1:
        return _with_constant(text, chance)
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = min(max(at + chance.choice((0, 0, 1, 5, -30)), 0), len(lines) - 1)
        line = lines[at]
        indent = line[: len(line) - len(line.lstrip())]
        act = chance.randrange(10)
        if act < 3:
            lines.insert(
                at, f"{indent}{chance.choice(('pass', 'x = 1', '# more', '', 'return', 'else:', '@staticmethod'))}"
            )
        elif act < 5:
            added = f"{indent}def added{at}(self=None, b=2):\n{indent}    return {at}\n"
            lines[at:at] = added.split("\n")
        elif act == 5:
            del lines[at]
        elif act == 6:
            lines[at] = chance.choice(("    ", "")) + (line if chance.random() < 0.5 else line.lstrip())
        elif act == 7:
            lines[at] = line.replace("return ", "return not ").replace("self", "it").replace("=", "= 1 +", 1)
        elif act == 8:
            lines[at] = line[: chance.randrange(len(line) + 1)] + chance.choice(("", '"', "(", ")", "\\", '"""'))
        else:
            lines[at:at] = lines[max(at - chance.randrange(1, 6), 0) : at]
    return "\n".join(lines)


def _with_constant(text: str, chance: random.Random) -> str:
    """Return `text` with a literal put in, or put in the place of another one."""
    lines = text.split("\n")
    at = chance.choice([number for number, line in enumerate(lines) if line[:1].isalpha() and " = " in line] or [0])
    literal = chance.choice(("1", "'two'", "3.0", "None", "-4", "[5]", "b'6'", '"""7\n8"""'))
    lines[at] = f"{lines[at].partition(' = ')[0]} = {literal}"
    return "\n".join(lines)


Told = tuple[str, int, int]


def _whole(found: Diff, prefix: str = "") -> tuple[set[Told], set[Told], bool]:
    """Return what changed and what is new, by name and lines, and whether it is nothing but functions."""
    changed: set[Told] = set()
    added = {(f"{prefix}{s.key}", 0, s.lineno) for s in found.added}
    small = not (found.removed or found.moved) and all(s.kind is Kind.DEF for s in found.added)
    for pair in found.changed:
        if pair.old.kind is pair.new.kind is Kind.CLASS and pair.inner is not None:
            inner = _whole(pair.inner, f"{prefix}{pair.new.binds[-1]}.")
            changed, added, small = changed | inner[0], added | inner[1], small and inner[2]
        else:
            small &= pair.old.kind is pair.new.kind is Kind.DEF or (not prefix and _are_constants(pair))
            changed.add((f"{prefix}{pair.new.key}", pair.old.lineno, pair.new.lineno))
    return changed, added, small


def _are_constants(pair: Pair) -> bool:
    nodes = pair.old.node, pair.new.node
    return all(isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) for node in nodes)


def _of_region(region: Region) -> tuple[set[Told], set[Told]]:
    """Return the same of a region, without what differs in nothing but comments."""
    changed, added = set(), set()
    for part in region.parts:
        differ = [pair for pair in (*part.changed, *part.values) if _tree(pair.old) != _tree(pair.new)]
        changed |= {(f"{part.prefix}{pair.new.key}", pair.old.lineno, pair.new.lineno) for pair in differ}
        added |= {(f"{part.prefix}{statement.key}", 0, statement.lineno) for statement in part.added}
    return changed, added


def _tree(statement: Statement) -> str:
    return ast.dump(statement.node)


def _shape(block: Block) -> object:
    inner = [None if one is None else (one.name, one.plain, _shape(one.block)) for one in block.classes]
    return block.starts, block.lines, block.places, block.indent, inner


def _pairs(found: Diff) -> Iterator[Pair]:
    for pair in (*found.unchanged, *found.changed):
        yield pair
        if pair.inner is not None:
            yield from _pairs(pair.inner)


def _moved(region: Region, line: int) -> int:
    return next((delta for first, last, delta in region.moved if first <= line <= last), 0)


def test_a_region_says_what_the_whole_text_says() -> None:
    """Of edits of real files, most are seen in their region, each as the whole text has it, and no invalid one is."""
    chance, seen = random.Random(11), 0
    indexes = {text: index_of(text, "file.py") for text in TEXTS}
    snapshots = {text: read(text, "m", "file.py") for text in TEXTS}
    for _ in range(EDITS):
        text = chance.choice(TEXTS)
        new = _edited(text, chance)
        index = indexes[text]
        assert index is not None
        region = compare(index, new, "file.py")
        if region is None:
            continue
        seen += 1
        after = read(new, "m", "file.py")  # raises SyntaxError where the region has hidden one
        whole = diff(snapshots[text].statements, after.statements)
        changed, added, small = _whole(whole)
        assert small
        assert _of_region(region) == (changed, added)
        again = index_of(new, "file.py")
        assert again is not None
        assert (_shape(region.after.block), region.after.imports) == (_shape(again.block), again.imports)
        for pair in _pairs(whole):
            if pair.old.digest == pair.new.digest:
                assert pair.new.lineno - pair.old.lineno == _moved(region, pair.old.lineno), pair
    assert seen > EDITS // 20


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("X = 1\n\ndef f():\n    return 1\n", "X = [2]\n\ndef f():\n    return 1\n", id="a value"),
        pytest.param("def f(a=1):\n    return 1\n", "def f(a=2):\n    return 1\n", id="a default"),
        pytest.param("A = 1\ndef f():\n    return 1\n", "A = 1\n@g\ndef f():\n    return 1\n", id="a decorator"),
        pytest.param("A = 1\ndef f():\n    return 1\n", "A = 1\n", id="a function that goes"),
        pytest.param('"""Doc."""\nX = 1\n', 'def f():\n    pass\n"""Doc."""\nX = 1\n', id="above the docstring"),
        pytest.param("X = 1\ndef f():\n    pass\n", "X = 1\ndef f():\n    import os\n", id="an import"),
        pytest.param("X = Y = 1\n", "X = Y = 2\n", id="two names"),
        pytest.param("__version__ = 1\n", "__version__ = 2\n", id="a special name"),
        pytest.param("class A:\n    x = 1\n    y = 2\n", "class A:\n    x = 1\n    y = 3\n", id="a member"),
        pytest.param(
            "class A:\n    def f(self):\n        pass\n    y = 2\n",
            "class A:\n   def f(self):\n        pass\n    y = 2\n",
            id="an indent",
        ),
        pytest.param("X = 1\nY = 2\n", "X = 1\nY = '''\n", id="a string that does not end"),
    ],
)  # fmt: skip
def test_what_is_more_than_functions_and_constants_is_read_whole(old: str, new: str) -> None:
    """What runs, what goes and what cannot be read takes the plain way."""
    index = index_of(old, "file.py")
    assert index is not None
    assert compare(index, new, "file.py") is None


def test_an_import_beside_a_small_edit_is_no_hindrance() -> None:
    """A constant below the imports of a file is found in its region, though that begins with an import."""
    index = index_of("import os\nX = 1\n\ndef f():\n    return X\n", "file.py")
    assert index is not None
    region = compare(index, "import os\nX = 2\n\ndef f():\n    return X\n", "file.py")
    assert region is not None
    assert [pair.new.key for part in region.parts for pair in part.values] == ["X"]


def test_a_constant_that_is_written_otherwise_is_as_it_was() -> None:
    """A formatter's save changes no value: nothing is set."""
    index = index_of("X  =  1\n\ndef f():\n    return X\n", "file.py")
    assert index is not None
    region = compare(index, "X = 1\n\ndef f():\n    return X\n", "file.py")
    assert region is None or not any(part.values for part in region.parts)
