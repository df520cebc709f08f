"""Live functions are found by a walk from the module's names, and reference counts say whether all were met."""

from __future__ import annotations

import gc
from types import FunctionType
from typing import Any

import pytest

from hotswap.patch import _finding, _functions

TEXT = """
import functools

def plain():
    return [x for x in (1, 2)]

def wrapping(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

@wrapping
def wrapped():
    return 1

class Wrapper:
    def __init__(self, function):
        self.function = function

@Wrapper
def held():
    return 1

@functools.lru_cache
def cached():
    return 1

class A:
    def method(self):
        def inner():
            return self
        return inner

    @property
    def value(self):
        return 1

    @staticmethod
    def static():
        return lambda: 2

TABLE = {"k": [lambda: 3]}
PARTIAL = functools.partial(lambda x: x, 1)
"""
PLACES = [
    *(("plain", 4), ("wrapping", 7), ("wrapped", 13), ("held", 21), ("cached", 25)),
    *(("A.method", 30), ("A.value", 35), ("A.static", 39), ("<lambda>", 43), ("<lambda>", 44)),
]


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the passes over the heap."""
    made: list[int] = []

    def look(namespace: dict[str, Any], caches: list[Any] | None = None) -> list[FunctionType]:
        made.append(1)
        return _functions.live_functions(namespace, caches)

    monkeypatch.setattr(_finding, "live_functions", look)
    return made


@pytest.fixture
def names() -> dict[str, Any]:
    made: dict[str, Any] = {"__name__": "prog"}
    exec(compile(TEXT, "prog.py", "exec"), made)
    gc.collect()
    return made


def find(names: dict[str, Any]) -> set[str]:
    return {f.__code__.co_qualname for f in _finding.find_functions(names, PLACES, [])}


def test_the_walk_meets_functions_wherever_names_lead(names: dict[str, Any], passes: list[int]) -> None:
    """Behind wrappers, in instances, caches, classes, properties, containers and partials: no pass over the heap."""
    assert find(names) >= {qualname for qualname, _ in PLACES}
    assert passes == []


def test_caches_are_met_on_the_way(names: dict[str, Any], passes: list[int]) -> None:
    """Memo caches that the names lead to are handed out."""
    caches: list[Any] = []
    _finding.find_functions(names, PLACES, caches)
    assert caches == [names["cached"]]
    assert passes == []


def test_a_closure_held_elsewhere_is_noticed(names: dict[str, Any], passes: list[int]) -> None:
    """A live closure that no name leads to shows in the reference count, and one pass finds it."""
    held = names["A"]().method()
    found = _finding.find_functions(names, PLACES, [])
    assert any(function is held for function in found)
    assert passes == [1]


def test_a_function_that_lost_its_name_is_looked_for(names: dict[str, Any], passes: list[int]) -> None:
    """A definition that the walk does not meet is looked for in the heap."""
    held = [names.pop("plain")]
    assert "plain" in find(names)
    assert (passes, len(held)) == ([1], 1)


def test_a_copy_held_elsewhere_is_noticed(names: dict[str, Any], passes: list[int]) -> None:
    """A second function of the same code shows as one reference too many."""
    copy = FunctionType(names["plain"].__code__, names)
    assert any(function is copy for function in _finding.find_functions(names, PLACES, []))
    assert passes == [1]


def test_code_that_runs_is_no_unknown_holder(names: dict[str, Any], passes: list[int]) -> None:
    """The frame of a body that still runs explains the references that it has."""
    seen: list[set[str]] = []
    names["look"] = lambda: seen.append(find(names))
    exec(compile("look()", "prog.py", "exec"), names)
    assert seen[0] >= {qualname for qualname, _ in PLACES}
    assert passes == []
