"""One name that is one kind of thing after another: whoever holds one of before does what the name does now.

All pairs of kinds run each time. `HOTSWAP_PROPERTY=2000 pytest tests/test_property_kinds.py` tries that many longer
sequences, new ones each time; without it a fixed set runs.
"""

from __future__ import annotations

import importlib
import itertools
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hotswap import Reloader

WANTED = os.environ.get("HOTSWAP_PROPERTY")
numbers = itertools.count()

HEAD = """\
import functools
LIMIT = 1
def own(function):
    def wrapper(*args, **kwargs):
        return ("own", function(*args, **kwargs))
    return wrapper
def wrapped(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return ("wrapped", function(*args, **kwargs))
    return wrapper
def same(function):
    return function
def other(x=5):
    return ("other", x)
def make(k):
    def inner(x=5):
        return ("made", k, x)
    return inner
"""

KINDS = {
    "plain": "def f(x=5):\n    return ('plain', x)\n",
    "if": "if LIMIT:\n    def f(x=5):\n        return ('if', x)\nelse:\n    def f(x=5):\n        return ('else', x)\n",
    "try": "try:\n    def f(x=5):\n        return ('try', x)\nexcept ImportError:\n    f = None\n",
    "own": "@own\ndef f(x=5):\n    return ('owned', x)\n",
    "wrapped": "@wrapped\ndef f(x=5):\n    return ('wrapped', x)\n",
    "same": "@same\ndef f(x=5):\n    return ('same', x)\n",
    "cached": "@functools.lru_cache\ndef f(x=5):\n    return ('cached', x)\n",
    "by hand": "def f(x=5):\n    return ('by hand', x)\nf = own(f)\n",
    "twice": "def f(x=5):\n    return ('first', x)\ndef f(x=5):\n    return ('second', x)\n",
    "class": "class f:\n    def __init__(self, x=5): self.x = x\n    def __repr__(self): return f'f({self.x})'\n",
    "lambda": "f = lambda x=5: ('lambda', x)\n",
    "made": "f = make(3)\n",
    "partial": "f = functools.partial(other, 7)\n",
    "alias": "f = other\n",
    "import": "from elsewhere_for_kinds import f\n",
    "nothing": "",
}
ELSEWHERE = "def f(x=5):\n    return ('elsewhere', x)\n"
USES = """\
def use():
    return f()
class Holder:
    call = staticmethod(f)
TABLE = [f]
"""
READERS: dict[str, Callable[[Any], Any]] = {
    "the name": lambda module: module.f(),
    "a function that calls it": lambda module: module.use(),
    "a class that holds it": lambda module: module.Holder.call(),
    "a list that holds it": lambda module: module.TABLE[0](),
}

LIVES_ELSEWHERE = {"alias", "import", "partial"}
"""What holds one of these has something that is there as well after the name has gone on."""

NO_NAME_OF_ITS_OWN = {"lambda", "made"}
"""As these have no definition, nothing says that what comes next is what became of them."""

REPLACED = {"class", "cached"}
"""References to these are replaced: then they are those of what has its place."""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Reloader]]:
    """A folder of modules on `sys.path`, and the reloader that looks at it."""
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "elsewhere_for_kinds.py").write_text(ELSEWHERE)
    sys.path.insert(0, str(folder))
    with Reloader(folder, apply="manual") as reloader:
        logging.disable()
        yield folder, reloader
        logging.disable(logging.NOTSET)
    sys.path.remove(str(folder))
    sys.modules.pop("elsewhere_for_kinds", None)


def text_of(number: int, kind: str, *, used: bool) -> str:
    return f"{HEAD}SAVE = {number}\n{KINDS[kind]}{USES if used and kind != 'nothing' else ''}"


def is_comparable(kinds: tuple[str, ...]) -> bool:
    """Whether what was held when the first of `kinds` was there has to do what the last does."""
    others = LIVES_ELSEWHERE | NO_NAME_OF_ITS_OWN
    return kinds[0] not in others and (kinds[0] not in REPLACED or others.isdisjoint(kinds[1:-1]))


def run(watched: tuple[Path, Reloader], kinds: tuple[str, ...], *, used: bool) -> str:
    """Bring a living module through `kinds`; return what is silently old then, "" if nothing is."""
    folder, reloader = watched
    name = f"kinds{next(numbers)}"
    path = folder / f"{name}.py"
    path.write_text(text_of(0, kinds[0], used=used))
    module = importlib.import_module(name)
    held: list[tuple[int, Callable[[], Any]]] = []
    try:
        for number, kind in enumerate(kinds[1:], 1):
            if hasattr(module, "f"):
                held.append((number - 1, module.f))
            path.write_text(text_of(number, kind, used=used))
            report = reloader.reload()
            assert not report.errors
            if report.findings:
                return ""
            fresh = ModuleType(name)
            exec(compile(text_of(number, kind, used=used), str(path), "exec"), vars(fresh))
            if kind == "nothing":
                if hasattr(module, "f"):
                    return f"{kinds[: number + 1]}: the name is there still"
                continue
            expected = repr(fresh.f())
            if wrong := [reader for reader, read in READERS.items() if used and repr(read(module)) != expected]:
                return f"{kinds[: number + 1]}: {', '.join(wrong)}"
            for since, one in held:
                if is_comparable(kinds[since : number + 1]) and repr(one()) != expected:
                    return f"{kinds[: number + 1]}: held since {kinds[since]} gives {one()!r}"
    finally:
        del sys.modules[name]
    return ""


@pytest.mark.parametrize("first", [kind for kind in KINDS if kind != "nothing"])
def test_one_kind_becomes_any_other(watched: tuple[Path, Reloader], first: str) -> None:
    """All that holds or uses the name does what the name does after the edit, or a finding says otherwise."""
    others = [kind for kind in KINDS if kind != first]
    failures = [run(watched, (first, other), used=used) for other in others for used in (False, True)]
    assert not list(filter(None, failures))


@settings(
    max_examples=int(WANTED or 150),
    derandomize=WANTED is None,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    kinds=st.lists(st.sampled_from([*KINDS]), min_size=3, max_size=5)
    .map(tuple)
    .filter(lambda kinds: kinds[0] != "nothing"),
    used=st.booleans(),
)
def test_one_kind_after_another(watched: tuple[Path, Reloader], kinds: tuple[str, ...], used: bool) -> None:
    """Whoever holds what the name was three edits ago does what it does now, or a finding says otherwise."""
    assert not run(watched, kinds, used=used)
