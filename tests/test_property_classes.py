"""After any edits of classes, the living classes equal fresh ones and are the same objects, or that is told.

`HOTSWAP_PROPERTY=5000 pytest tests/test_property_classes.py` tries that many sequences, new ones each time; without it
a fixed set runs, short enough for each commit.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import itertools
import logging
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from class_programs import EDITS, KINDS, Class, Edit, start
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from hotswap import Reloader
from hotswap.patch._layout import OfGeneric, WithDict, WithoutDict

WANTED = os.environ.get("HOTSWAP_PROPERTY")
numbers = itertools.count()
small = st.integers(0, 11)
edits = st.tuples(st.integers(0, len(EDITS) - 1), small, small)

# What CPython writes by itself, or differs between any two runs of one text.
_LEFT_OUT = (
    "__module__",
    "__dict__",
    "__weakref__",
    "__abstractmethods__",
    "_abc_impl",
    "__new__",
    "__static_attributes__",
    "__annotations_cache__",
)
_OR_NOTHING = ("__annotations__", "__annotate_func__", "__type_params__")
_BY_IDENTITY = (
    "_member_map_",
    "_value2member_map_",
    "__dataclass_fields__",
    "__dataclass_params__",
    "_hashable_values_",
)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Reloader]]:
    """A folder of modules on `sys.path`, and the reloader that looks at it."""
    folder = tmp_path_factory.mktemp("classes")
    sys.path.insert(0, str(folder))
    with Reloader(folder, apply="manual") as reloader:
        logging.disable()  # the examples that hypothesis tries while it shrinks a failure would bury it
        yield folder, reloader
        logging.disable(logging.NOTSET)
    sys.path.remove(str(folder))


class Living:
    """Two modules of classes that run, with what was taken from them when they started."""

    def __init__(self, folder: Path, kinds: list[tuple[int, int]]) -> None:
        self.name, self.folder, self.program = f"classes_{next(numbers)}", folder, start(kinds)
        self.names = (self.name, f"{self.name}_high")
        self.save([])
        importlib.invalidate_caches()
        self.modules = [importlib.import_module(name) for name in self.names]
        classes = self.program.classes
        self.held = {id(one): self.get(one) for one in classes}
        self.objects = {id(one): make(self.get(one)) for one in classes}
        plain = [one for one in classes if one.kind in ("plain", "dataclass")]
        self.below = {id(one): type("Below", (self.get(one),), {}) for one in plain}

    def get(self, one: Class) -> Any:
        """Return the class that lives under the name."""
        return getattr(self.modules[one.high], one.name)

    def save(self, edits: list[Edit]) -> None:
        """Edit the program and write the files."""
        for edit in edits:
            self.program.edit(edit)
        for name, text in zip(self.names, self.program.texts(self.name), strict=True):
            note(f"--- {name}\n{text.rpartition('return inner')[2]}")
            (self.folder / f"{name}.py").write_text(text, encoding="utf-8")

    def fresh(self) -> list[ModuleType]:
        """Execute the texts as new modules of the same names, which nobody can import afterwards."""
        made = []
        try:
            for name in self.names:
                path = self.folder / f"{name}.py"
                made.append(ModuleType(name))
                sys.modules[name] = made[-1]
                exec(compile(path.read_bytes(), path, "exec", dont_inherit=True), made[-1].__dict__)
        finally:
            for name, module in zip(self.names, self.modules, strict=True):
                sys.modules[name] = module
        return made

    def forget(self) -> None:
        """Take the modules out of the process."""
        for name in self.names:
            del sys.modules[name]


def make(cls: Any) -> Any:
    """Return an object of `cls`, a member if it is an enum."""
    if getattr(cls, "_is_protocol", False):
        return type("Made", (cls,), {})()
    return next(iter(cls)) if hasattr(cls, "_member_map_") else cls()


def members(cls: type) -> dict[str, Any]:
    """Return the class's own members as comparable data.

    Empty annotations are made by whoever asks for them; type parameters can be emptied and not deleted.
    """
    found = {}
    for name, value in {**vars(cls), "__doc__": cls.__doc__}.items():  # 3.15: dataclasses write theirs when asked
        if name not in _LEFT_OUT and (name not in _OR_NOTHING or value):
            found[f"own {name}"] = list(value) if name in _BY_IDENTITY and isinstance(value, dict) else seen(value)
    return found


def seen(value: Any) -> Any:
    """Return what can be observed of a member."""
    for name in ("__func__", "fget", "__wrapped__"):
        value = getattr(value, name, value)
    code = getattr(value, "__code__", None)
    if code is not None:
        line = 0 if code.co_name == "__annotate__" else code.co_firstlineno  # 3.14: at the decorators, or below them
        return code.co_name, code.co_qualname, line, code.co_code, value.__defaults__
    if isinstance(value, int | str | tuple | list | dict | frozenset | None) and not hasattr(value, "_name_"):
        return repr(value)
    return type(value).__name__


def described(cls: Any) -> dict[str, Any]:
    """Return what can be observed of a class and of a new object of it."""
    one = make(cls)
    found: dict[str, Any] = {**members(cls), "mro": mro(cls), "doc": cls.__doc__}
    found["annotations"] = inspect.get_annotations(cls)
    found["calls"] = called(one)
    found["abstract"] = getattr(cls, "__abstractmethods__", frozenset())
    found["hash"] = type(vars(cls).get("__hash__")).__name__
    if dataclasses.is_dataclass(cls):
        found["fields"] = [(f.name, f.type, f.default) for f in dataclasses.fields(cls)]
        found["signature"] = str(inspect.signature(cls))
        found["repr"] = repr(one)
    if hasattr(cls, "_member_map_"):
        found["members"] = {name: (member._name_, member.value) for name, member in cls.__members__.items()}
        found["values"] = {value: cls(value).name for value in [member.value for member in cls]}
    for name in ("_fields", "_field_defaults", "__match_args__", "__required_keys__", "__parameters__"):
        found[name] = repr(getattr(cls, name, None)) if name != "__required_keys__" else getattr(cls, name, None)
    return found


def mro(cls: type) -> list[str]:
    """Return the names of its bases, but for an empty one that let its objects move."""
    return [base.__name__ for base in cls.__mro__ if base not in (OfGeneric, WithDict, WithoutDict)]


def called(one: Any) -> dict[str, Any]:
    """Return what the public members of an object, and its special methods, give."""
    found: dict[str, Any] = {}
    for name in {name for base in type(one).__mro__[:-1] for name in vars(base) if re.fullmatch(r"m\d+", name)}:
        value = getattr(one, name)
        try:
            found[name] = value().value() if isinstance(value, type) else value() if callable(value) else value
        except TypeError as error:  # a memo cache of an object that cannot be hashed
            found[name] = str(error)
        if isinstance(inspect.getattr_static(one, name), property):
            with pytest.raises((AttributeError, KeyError)) as raised:
                setattr(one, name, 1)
            found[f"set {name}"] = raised.value.args if raised.type is KeyError else raised.type.__name__
    return found


def check(living: Living) -> None:
    """Compare the living classes with fresh ones, and what was held with what there is."""
    fresh = living.fresh()
    for one in living.program.classes:
        cls = living.get(one)
        alive, new = described(cls), described(getattr(fresh[one.high], one.name))
        assert {k: v for k, v in alive.items() if new.get(k) != v} == {
            k: v for k, v in new.items() if alive.get(k) != v
        }
        if id(one) in living.held:
            check_held(living, one, cls)


def check_held(living: Living, one: Class, cls: Any) -> None:
    """The class is the one that was held, or its objects have been moved; objects run what new ones run."""
    held = living.objects[id(one)]
    if one.kind != "typeddict":
        assert isinstance(held, cls), f"an object of {one.name} was left behind"
        assert called(held).keys() == called(make(cls)).keys()
    if one.kind in KINDS and one.base is None and cls.__bases__ == living.held[id(one)].__bases__:
        assert cls is living.held[id(one)], f"{one.name} is another object"
    if id(one) in living.below:
        below = living.below[id(one)]
        assert cls in below.__mro__ or any(base.__name__ == one.name for base in below.__mro__)
        assert called(below()).keys() == called(make(cls)).keys()


@settings(
    max_examples=int(WANTED or 40),
    derandomize=WANTED is None,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    kinds=st.lists(st.tuples(st.integers(0, len(KINDS) - 1), small), min_size=1, max_size=4),
    saves=st.lists(st.lists(edits, min_size=1, max_size=3), min_size=1, max_size=4),
)
def test_living_classes_equal_fresh_ones(
    watched: tuple[Path, Reloader], kinds: list[tuple[int, int]], saves: list[list[Edit]]
) -> None:
    """After each save the classes are those of a fresh process, the same objects as before, or it is told."""
    folder, reloader = watched
    living = Living(folder, kinds)
    try:
        for save in saves:
            living.save(save)
            report = reloader.reload()
            note(str(report))
            assert not report.errors or all(found.code == "HS101" for found in report.errors)
            if report.findings:
                break
            check(living)
    finally:
        living.forget()
