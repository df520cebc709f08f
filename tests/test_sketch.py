"""What a module's code object says of its imports, and who only follows."""

from __future__ import annotations

import sys

import pytest

from hotswap._graph._bindings import Bindings
from hotswap._graph._imports import mentions
from hotswap._graph._sketch import KNOWN, Sketch, sketch_of

pytestmark = pytest.mark.skipif(not KNOWN, reason="reads the instructions of CPython up to 3.14")


def sketch(text: str, package: str = "pkg") -> Sketch:
    return sketch_of(compile(text, "module.py", "exec", dont_inherit=True), package)


@pytest.mark.parametrize(
    ("text", "froms", "modules"),
    [
        ("from a import x", [("a", "x", "x")], []),
        ("from a import x as y, z", [("a", "x", "y"), ("a", "z", "z")], []),
        ("from . import x", [("pkg", "x", "x")], []),
        ("from .sub import x", [("pkg.sub", "x", "x")], []),
        ("from .... import x", [], []),
        ("import a", [], [("a", "a")]),
        ("import a as b", [], [("b", "a")]),
        ("import a.b", [], [("a", "a"), ("a.b", "a.b")]),
        ("import a.b.c as d", [], [("d", "a.b.c")]),
        ("try:\n    from a import x\nexcept ImportError:\n    from b import x", [("a", "x", "x"), ("b", "x", "x")], []),
    ],
)
def test_imports_are_read(text: str, froms: list[object], modules: list[object]) -> None:
    """Each form of import binds the names of the module that the language says."""
    found = sketch(text)
    assert list(found.froms) == froms
    assert list(found.modules) == modules
    assert found.imported <= mentions(text, "pkg")


def test_many_names_are_told_apart() -> None:
    """A module with more names than one byte counts is read as exactly."""
    text = "".join(f"name_{number} = {number}\n" for number in range(400))
    found = sketch(f"{text}from a import x as late\nprint(name_300)\n")
    assert found.froms == (("a", "x", "late"),)
    assert "name_300" in found.runs
    assert "name_299" not in found.runs
    assert "late" not in found.runs


@pytest.mark.parametrize(
    "text",
    [
        "Y = X + 1",
        "def f(a=X): pass",
        "@X\ndef f(): pass",
        "class A(X): pass",
        "class A:\n    y = X",
        "Y = [X for _ in range(3)]",
        "Y = lambda: X",
        "del X",
        "def f() -> X: pass",
        "if X:\n    pass",
        "class A:\n    def f(self, a: X): pass",
    ],
)
def test_what_runs_with_the_module_reads(text: str) -> None:
    """A name counts as read in all that runs with the module, or may run with it."""
    assert "X" in sketch(f"from a import X\n{text}\n").runs


def test_bodies_do_not_run() -> None:
    """What functions and methods use is no reading, unless something defined here is used while the module runs."""
    text = "from a import X\ndef f(): return X\nclass A:\n    def g(self): return f()\n"
    found = sketch(text)
    assert "X" not in found.runs
    assert not found.runs_own
    assert [name for name, _ in found.using({"X"}, imports=False)] == ["f", "A"]
    assert sketch(f"{text}Y = A\n").runs_own


@pytest.mark.parametrize(
    "text",
    [
        "from a import X\nX = 1",
        "try:\n    from a import X\nexcept ImportError:\n    X = None",
        "from a import X\ndef f():\n    global X\n    X = 1",
        "from a import X\ndef f():\n    global X\n    del X",
        "from a import X\nfor X in []: pass",
    ],
)
def test_names_that_something_else_binds_are_not_sure(text: str) -> None:
    """An import follows by itself only if nothing else binds its name."""
    assert "X" not in sketch(text).once


def known(**texts: str) -> Bindings:
    bindings = Bindings({"a", "b", *texts}.__contains__)
    for name, text in texts.items():
        bindings.learn(name, f"{name}.py", sketch(text, ""))
    return bindings


def following(bindings: Bindings, source: str, name: str) -> dict[str, str]:
    return dict(bindings.followers(source, name).by_module)


def test_who_only_binds_a_name_follows() -> None:
    """Importers that use a name in functions alone follow; those that read it while they run are looked at."""
    bindings = known(
        plain="from a import X\ndef f(): return X\n",
        other="from a import X as Y\n",
        reader="from a import X\nY = X\n",
        caller="from a import X\ndef f(): return X\nY = f()\n",
        module="import a\ndef f(): return a.X\n",
        looker="import a\nY = a.X\n",
    )
    assert following(bindings, "a", "X") == {"plain": "X", "other": "Y"}
    assert bindings.closer["a"] == {"reader", "caller", "looker"}
    assert following(bindings, "b", "X") == {}


def test_a_module_is_learned_anew() -> None:
    """A module whose text is another one counts with that alone."""
    bindings = known(app="from a import X\n")
    bindings.learn("app", "app.py", sketch("from a import Z\n", ""))
    assert following(bindings, "a", "X") == {}
    assert following(bindings, "a", "Z") == {"app": "Z"}
    bindings.forget("app")
    assert following(bindings, "a", "Z") == {}


def test_a_star_follows_if_nothing_else_has_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A star import follows by itself if the module binds and reads none of the names that it takes."""
    source = type(sys)("a")
    source.X, source._hidden = 1, 2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a", source)
    bindings = known(plain="from a import *\n", reader="from a import *\nY = X\n", own="from a import *\nX = 2\n")
    assert following(bindings, "a", "X") == {"plain": "X"}
    assert bindings.closer["a"] == {"reader", "own"}


def test_a_source_that_becomes_ours_is_taken_in() -> None:
    """Importers of a module that was not looked after, and now is, follow it."""
    ours = {"app"}
    bindings = Bindings(ours.__contains__)
    bindings.learn("app", "app.py", sketch("from a import X\n", ""))
    assert bindings.closer["a"] == {"app"}
    ours.add("a")
    bindings.arrive("a")
    assert following(bindings, "a", "X") == {"app": "X"}
    assert bindings.closer["a"] == set()
