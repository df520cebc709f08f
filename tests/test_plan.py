"""Stage 8: what was read and compared, as a plan."""

from __future__ import annotations

from hotswap._model import Action, Edit, Planned
from hotswap._plan._steps import make
from hotswap._text._diff import diff
from hotswap._text._source import read


def edit(module: str, old: str, new: str) -> Edit:
    before, after = (read(text, module, f"{module}.py") for text in (old, new))
    return Edit(module, f"{module}.py", before, after, diff(before.statements, after.statements))


def test_steps_stand_in_order_with_their_reasons() -> None:
    """Changed statements run for certain, dependents' only if a value changes; bodies alone run nothing."""
    lib = edit("lib", "X = 1\ndef f(): return 1\n", "X = 2\ndef f(): return 2\n")
    app = edit("app", "from lib import X\nY = X\n", "from lib import X\nY = X\n")
    maybe = {"app": (Planned(app.new.statements[1], certain=False, reason="reads X"),)}
    plan = make(("lib",), {"lib": lib, "app": app}, [("lib",), ("app",)], maybe)
    assert [(step.module, step.action) for step in plan.steps] == [("lib", Action.RUN), ("app", Action.RUN)]
    first, second = plan.steps
    assert [(p.statement.key, p.certain) for p in first.statements] == [("X", True)]
    assert [(p.statement.key, p.certain, p.reason) for p in second.statements] == [("Y", False, "reads X")]


def test_a_body_is_patched_and_runs_nothing() -> None:
    """An edit of bodies alone is a step that patches."""
    lib = edit("lib", "def f(): return 1\n", "def f(): return 2\n")
    (step,) = make(("lib",), {"lib": lib}, [("lib",)], {}).steps
    assert (step.action, step.statements) == (Action.PATCH, ())


def test_members_of_classes_are_named() -> None:
    """A changed class runs only its changed members."""
    lib = edit("lib", "class A:\n    x = 1\n    y = 1\n", "class A:\n    x = 2\n    y = 1\n")
    (step,) = make(("lib",), {"lib": lib}, [("lib",)], {}).steps
    assert [p.statement.key for p in step.statements] == ["x"]


def test_cycles_are_named() -> None:
    """Modules that import each other are told as a cycle."""
    edits = {name: edit(name, "X = 1\n", "X = 2\n") for name in ("a", "b")}
    assert make(("a", "b"), edits, [("a", "b")], {}).cycles == (("a", "b"),)
