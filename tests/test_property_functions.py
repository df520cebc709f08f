"""After any sequence of edits of functions, every reference behaves as in a fresh process, or a finding says otherwise.

`HOTSWAP_PROPERTY=2000 pytest tests/test_property_functions.py` tries that many sequences, new ones each time; without
it a fixed set runs, short enough for each commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import inspect
import itertools
import linecache
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, GeneratorType, ModuleType
from typing import Any

import pytest
from function_programs import EDITS, Edit, Function, Item, Made, start
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from hotswap import Reloader

WANTED = os.environ.get("HOTSWAP_PROPERTY")
numbers = itertools.count()
small = st.integers(0, 9)
edits = st.tuples(st.integers(0, len(EDITS) - 1), small, small)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Reloader]]:
    """A folder of modules on `sys.path`, and the reloader that looks at it."""
    folder = tmp_path_factory.mktemp("functions")
    sys.path.insert(0, str(folder))
    with Reloader(folder, apply="manual") as reloader:
        logging.disable()
        yield folder, reloader
        logging.disable(logging.NOTSET)
    sys.path.remove(str(folder))


# ---------------------------------------------------------------------------------------------------- observing


def called(function: Callable[..., Any]) -> list[Any]:
    """Return what calls with several sets of arguments give, exceptions included."""
    sets: list[tuple[tuple[Any, ...], dict[str, Any]]]
    sets = [((), {}), ((3,), {}), ((3, 4), {}), ((3,), {"k": 5}), (("s",), {}), ((1.5,), {})]
    return [_outcome(function, *given) for given in sets]


def _outcome(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return _plain(function(*args, **kwargs))
    except Exception as error:  # noqa: BLE001  what is raised is what is compared
        return type(error).__name__, re.sub(r"0x\w+|[\w.<>]*\(\)", "", str(error))


def _plain(value: Any) -> Any:
    """Return a value as data: generators run out, coroutines awaited, functions called once more."""
    if isinstance(value, GeneratorType):
        return "generator", [_plain(item) for item in value]
    if inspect.isasyncgen(value):
        return "async generator", asyncio.run(_listed(value))
    if inspect.iscoroutine(value):
        return "coroutine", _plain(asyncio.run(value))
    if isinstance(value, contextlib.AbstractContextManager):
        return "context", _plain(_entered(value))
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return [(key, _plain(item)) for key, item in value.items()]
    if isinstance(value, type):
        return value.__name__
    if callable(value):
        return "callable", [_outcome(value, (), {}), _outcome(value, (8,), {})]
    return value


async def _listed(values: Any) -> list[Any]:
    return [_plain(item) async for item in values]


def _entered(context: Any) -> Any:
    with context as value:
        return value


def _codes(code: CodeType) -> Iterator[Any]:
    yield code.co_name, code.co_qualname, code.co_firstlineno, list(code.co_positions())
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)


def _source(function: Any) -> Any:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError) as error:
        return type(error).__name__


def whole(value: Any) -> Any:
    """Return all that can be observed of an object of a module."""
    if isinstance(value, FunctionType):
        names = value.__name__, value.__qualname__, value.__module__, value.__doc__
        carried = (
            _plain(value.__defaults__),
            _plain(list((value.__kwdefaults__ or {}).items())),
            _plain(list(value.__annotations__.items())),
        )
        cells = [(n, _cell(c)) for n, c in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)]
        wrapped = whole(value.__wrapped__) if hasattr(value, "__wrapped__") else None
        signature = re.sub(r"0x\w+", "", str(inspect.signature(value)))
        sorts = (
            inspect.iscoroutinefunction(value),
            inspect.isgeneratorfunction(value),
            inspect.isasyncgenfunction(value),
        )
        return {
            "names": names,
            "carried": carried,
            "cells": cells,
            "called": called(value),
            "codes": list(_codes(value.__code__)),
            "wrapped": wrapped,
            "source": _source(value),
            "signature": signature,
            "sorts": sorts,
        }
    if isinstance(value, functools.partial):
        return "partial", whole(value.func), value.args
    if isinstance(value, type):
        return (
            "class",
            _instance(value),
            [(name, whole(member)) for name, member in vars(value).items() if name[:2] != "__"],
        )
    if isinstance(value, property):
        return "property", whole(value.fget), whole(value.fset)
    if isinstance(value, staticmethod | classmethod):
        return type(value).__name__, whole(value.__func__)
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [whole(item) for item in value]
    if inspect.isgenerator(value) or inspect.iscoroutine(value) or inspect.isasyncgen(value):
        return type(value).__name__
    if callable(value):
        return type(value).__name__, called(value), whole(getattr(value, "__wrapped__", None)), value.__doc__
    return value


def _cell(cell: Any) -> Any:
    try:
        value = cell.cell_contents
    except ValueError:
        return "empty"
    return value.__name__ if isinstance(value, FunctionType | type) else _plain(value)


def _instance(cls: Any) -> Any:
    made = cls()
    with contextlib.suppress(AttributeError):
        made.size = 4
    return vars(made), made.size, made.fixed(2), made.named()


def difference(living: Any, fresh: Any, path: str) -> str:
    """Return where two observations part, "" if they do not."""
    if type(living) is type(fresh) and isinstance(living, dict) and living.keys() == fresh.keys():
        return next(filter(None, (difference(living[key], fresh[key], f"{path}.{key}") for key in living)), "")
    if type(living) is type(fresh) and isinstance(living, list | tuple) and len(living) == len(fresh):
        pairs = enumerate(zip(living, fresh, strict=True))
        return next(filter(None, (difference(one, other, f"{path}[{n}]") for n, (one, other) in pairs)), "")
    return "" if living == fresh else f"{path}: {living!r} is not {fresh!r}"


# -------------------------------------------------------------------------------------------------------- living


class Living:
    """A module that runs: its file, its items, and every object of it that anybody has held since."""

    def __init__(self, folder: Path, first: list[Edit]) -> None:
        self.name = f"functions_{next(numbers)}"
        self.path = folder / f"{self.name}.py"
        self.program = start()
        self.excused: set[str] = set()
        self.save(first)
        importlib.invalidate_caches()
        self.module = importlib.import_module(self.name)
        self.module.STATE.append("kept")
        self.held: dict[int, list[tuple[str, str, Any]]] = {}
        self.hold()

    def save(self, edits: list[Edit]) -> list[str]:
        """Edit the program and write its file."""
        done = [self.program.edit(edit) for edit in edits]
        note(f"--- {done}\n{self.program.text()}")
        self.path.write_text(self.program.text(), encoding="utf-8")
        return done

    def hold(self) -> None:
        """Keep the objects of today; not in containers in which a reference could be replaced."""
        for item in self.functions():
            held = self.held.setdefault(id(item), [])
            value = getattr(self.module, item.name)
            if not any(kept[2] is value for kept in held):
                held.append((item.name, "", value))

    def functions(self) -> list[Item]:
        return [
            i
            for i in (*self.program.decorators, *self.program.items)
            if not isinstance(i, Made) and callable(vars(self.module).get(i.name))
        ]

    def fresh(self) -> ModuleType:
        """Execute the text as a new module of the same name."""
        module = ModuleType(self.name)
        sys.modules[self.name], living = module, sys.modules[self.name]
        try:
            exec(compile(self.path.read_bytes(), self.path, "exec", dont_inherit=True), module.__dict__)
        finally:
            sys.modules[self.name] = living
        return module

    def excuse(self, findings: tuple[Any, ...]) -> None:
        """Leave out what a finding names, from now on, and what is made of it."""
        words = {word for f in findings for word in re.findall(r"\w+", f.message)}
        for item in (*self.program.decorators, *self.program.items):
            if item.name in words:
                self.excused.add(item.name)
        size = -1
        while size != (size := len(self.excused)):
            for item in self.program.items:
                if any(used.name in self.excused for used in item.uses()):
                    self.excused.add(item.name)


def check(living: Living) -> None:
    """Compare the living module with a fresh one, and whatever was held with what the fresh one has."""
    linecache.checkcache(str(living.path))
    fresh = living.fresh()
    public = {name for name in (*vars(fresh), *vars(living.module)) if name[:2] != "__"} - {"STATE", "REGISTRY"}
    for name in sorted(public - living.excused):
        assert name in vars(fresh), f"{name} should be gone"
        assert name in vars(living.module), f"{name} is missing"
        if not isinstance(vars(fresh)[name], ModuleType):
            differs = difference(whole(vars(living.module)[name]), whole(vars(fresh)[name]), name)
            assert not differs, differs
    assert living.module.STATE == ["started", "kept"]
    check_held(living, fresh)


def check_held(living: Living, fresh: ModuleType) -> None:
    """Compare the results of what was held with those of what stands there now."""
    for item in living.functions():
        for name, _, held in living.held.get(id(item), ()):
            if name == item.name and name not in living.excused and isinstance(item, Function):
                if hasattr(held, "cache_clear") and item.sort % 4:
                    continue  # an old cache hands out one generator twice
                expected = getattr(fresh, name)
                differs = difference(called(held), called(expected), f"held {name}")
                assert not differs, differs


FINDINGS: dict[str, int] = {}


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # what a random program binds and never awaits
@settings(
    max_examples=int(WANTED or 100),
    derandomize=WANTED is None,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    first=st.lists(edits, max_size=10),
    later=st.lists(st.lists(edits, min_size=1, max_size=3), min_size=1, max_size=5),
)
def test_every_reference_is_fresh(watched: tuple[Path, Reloader], first: list[Edit], later: list[list[Edit]]) -> None:
    """After each save all that is held or named behaves, and stands, as in a fresh process; the rest is told."""
    folder, reloader = watched
    living = Living(folder, first)
    try:
        for save in later:
            living.save(save)
            report = reloader.reload()
            note(str(report))
            assert not report.errors
            for found in report.findings:
                FINDINGS[found.code] = FINDINGS.get(found.code, 0) + 1
            living.excuse(report.findings)
            check(living)
            living.hold()
    finally:
        del sys.modules[living.name]
