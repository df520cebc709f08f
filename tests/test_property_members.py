"""One member of a class that is one kind of thing after another: objects, subclasses and bound methods do what it does.

`HOTSWAP_PROPERTY=2000 pytest tests/test_property_members.py` tries that many sequences, new ones each time; without it
a fixed set runs.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import logging
import os
import re
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
def helper(self=None, x=1): return ("helper", x)
def wrapped(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs): return ("wrapped", function(*args, **kwargs))
    return wrapper
def bare(function):
    def wrapper(*args, **kwargs): return ("bare", function(*args, **kwargs))
    return wrapper
class Given:
    def __init__(self, value): self.value = value
    def __get__(self, one, owner=None): return ("given", self.value)
class Data(Given):
    def __set__(self, one, value): pass
class Call:
    def __call__(self, x=1): return ("call", x)
class Base:
    def m(self, x=1): return ("base", x)
"""

KINDS = {
    "method": "def m(self, x=1): return ('method', x)",
    "lambda": "m = lambda self, x=1: ('lambda', x)",
    "wrapped": "@wrapped\ndef m(self, x=1): return ('w', x)",
    "bare": "@bare\ndef m(self, x=1): return ('b', x)",
    "by hand": "def m(self, x=1): return ('by hand', x)\nm = wrapped(m)",
    "alias": "def other(self, x=1): return ('other', x)\nm = other",
    "imported": "m = helper",
    "twice": "def m(self): return 'first'\ndef m(self, x=1): return ('second', x)",
    "if": "if True:\n    def m(self, x=1): return ('if', x)",
    "super": "def m(self, x=1): return ('super', super().m(x))",
    "generator": "def m(self, x=1):\n    yield ('generator', x)",
    "cached": "@functools.lru_cache\ndef m(self, x=1): return ('cached', x)",
    "static": "@staticmethod\ndef m(x=1): return ('static', x)",
    "class": "@classmethod\ndef m(cls, x=1): return ('class', cls.__name__, x)",
    "partial": "def other(self, x=1): return ('other', x)\nm = functools.partialmethod(other, 4)",
    "inherited": "",
    "property": "@property\ndef m(self): return ('property', self.a)",
    "setter": "@property\ndef m(self): return ('setter', self.a)\n@m.setter\ndef m(self, value): self.a = value",
    "cached property": "@functools.cached_property\ndef m(self): return ('cached property', self.a)",
    "descriptor": "m = Given(3)",
    "data descriptor": "m = Data(4)",
    "constant": "m = 5",
    "annotated": "m: int = 7",
    "callable": "m = Call()",
    "nested": "class m:\n    def __init__(self, x=1): self.x = x\n    def __repr__(self): return f'm({self.x})'",
}
CALLED = [*KINDS][: [*KINDS].index("inherited") + 1]
"""The kinds of which a bound method can be held, and called."""

OWN = [
    kind for kind in CALLED if kind not in {"alias", "imported", "cached", "static", "class", "partial", "inherited"}
]
"""Those of them whose bound method is one of a function that the class alone has."""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Reloader]]:
    """A folder of modules on `sys.path`, and the reloader that looks at it."""
    folder = tmp_path_factory.mktemp("members")
    sys.path.insert(0, str(folder))
    with Reloader(folder, apply="manual") as reloader:
        logging.disable()
        yield folder, reloader
        logging.disable(logging.NOTSET)
    sys.path.remove(str(folder))


def text_of(number: int, kind: str) -> str:
    lines = ["def __init__(self): self.a = 1", *KINDS[kind].splitlines()]
    body = "".join(f"    {line}\n" for line in lines)
    below = "class Below(C):\n    def go(self): return super().m\n"
    return f"{HEAD}SAVE = {number}\nclass C(Base):\n{body}{below}"


def shown(value: object) -> object:
    """Return what can be compared of what a member gives: a bound method is called."""
    if callable(value):
        value = value()
    if inspect.isgenerator(value):
        value = list(value)
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))


def read(module: ModuleType) -> dict[str, object]:
    """Return what the member gives to new objects, to those of a class below, and to `super()`."""
    kind = type(vars(module.C).get("m")).__name__
    names = [name for name in vars(module.C) if name in ("m", "other")]
    return {
        "an object": shown(module.C().m),
        "an object of a class below": shown(module.Below().m),
        "super()": shown(module.Below().go()),
        "the kind of member": kind,
        "the names": sorted(names),
    }


def run(watched: tuple[Path, Reloader], kinds: tuple[str, ...]) -> str:
    """Bring a living module through `kinds`; return what is silently old then, "" if nothing is."""
    folder, reloader = watched
    name = f"members{next(numbers)}"
    path = folder / f"{name}.py"
    path.write_text(text_of(0, kinds[0]))
    module = importlib.import_module(name)
    objects: list[tuple[str, Any]] = []
    bound: list[tuple[int, Callable[[], Any]]] = []
    try:
        for number, kind in enumerate(kinds[1:], 1):
            objects += [(f"an object since {kinds[number - 1]}", one) for one in (module.C(), module.Below())]
            if kinds[number - 1] in OWN:
                bound.append((number - 1, module.C().m))
            path.write_text(text_of(number, kind))
            report = reloader.reload()
            assert not report.errors
            if report.findings:
                return ""
            fresh = ModuleType(name)
            exec(compile(text_of(number, kind), str(path), "exec"), vars(fresh))
            expected = read(fresh)
            wrong = [what for what, value in read(module).items() if value != expected[what]]
            held = [*objects]
            held += [(f"bound since {kinds[n]}", one) for n, one in bound if set(kinds[n : number + 1]) <= {*CALLED}]
            for what, one in held:
                if shown(one if what.startswith("bound") else one.m) not in list(expected.values())[:2]:
                    wrong.append(what)
            if wrong:
                return f"{kinds[: number + 1]}: {', '.join(wrong)}"
    finally:
        del sys.modules[name]
    return ""


@settings(
    max_examples=int(WANTED or 200),
    derandomize=WANTED is None,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(kinds=st.lists(st.sampled_from([*KINDS]), min_size=2, max_size=4).map(tuple))
def test_one_kind_of_member_after_another(watched: tuple[Path, Reloader], kinds: tuple[str, ...]) -> None:
    """All that reads the member, or holds it bound, does what it does after each edit, or a finding says otherwise."""
    assert not run(watched, kinds)
