"""The spine: what is held, tried again and undone; several reloaders; the ways of applying."""

from __future__ import annotations

import builtins
import os
import queue
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from conftest import Files

from hotswap import OverlapError, Reloader, Report, SettingsError, TargetError
from hotswap._model import Batch, FileChange
from hotswap._process import PROCESS

Project = Callable[[str], "Files"]


def codes(report: Report) -> list[str]:
    return sorted(found.code for found in report.findings)


def test_undo_goes_back_swap_by_swap(files: Files, reloader: Reloader) -> None:
    """Each undo takes back one more swap, whatever the disk says, and the old function stays the same object."""
    files.write("mod", "def f():\n    return 1\n")
    mod = files.load("mod")
    f = mod.f
    for number in (2, 3):
        files.write("mod", f"def f():\n    return {number}\n")
        reloader.reload()
    files.path("mod").write_text("def f(:\n", encoding="utf-8")
    assert f() == 3
    assert reloader.undo().changed
    assert f() == 2
    assert reloader.undo().changed
    assert f() == 1
    assert mod.f is f
    assert not reloader.undo()


def test_undo_of_a_swap_leaves_what_came_after_it(files: Files, reloader: Reloader) -> None:
    """With the number of a swap its modules go back; those that a later swap changed stay, or go back themselves."""
    files.write("one", "def f():\n    return 1\n")
    files.write("two", "def f():\n    return 1\n")
    one, two = files.load("one"), files.load("two")
    generations = []
    for name, number in (("one", 2), ("two", 2), ("one", 3)):
        files.write(name, f"def f():\n    return {number}\n")
        generations.append(reloader.reload().generation)
    assert reloader.undo(generations[1]).changed
    assert (one.f(), two.f()) == (3, 1)
    assert not reloader.undo(generations[0]).changed, "a later swap has changed it again"
    assert reloader.undo().changed
    assert (one.f(), two.f()) == (2, 1)


def test_look_applies_what_was_saved_and_is_silent_otherwise(files: Files, reloader: Reloader) -> None:
    """A look right after a save runs with it, and one after nothing gives nothing."""
    files.write("mod", "X = 1\n")
    mod = files.load("mod")
    assert reloader.look() is None
    files.write("mod", "X = 2\n")
    report = reloader.look()
    assert (report is not None, mod.X) == (True, 2)
    assert reloader.look() is None


def test_a_module_that_nobody_has_is_refused(files: Files, reloader: Reloader) -> None:
    """A reload of a module that is not loaded says so, instead of nothing; so does a path that is none."""
    files.write("mod", "X = 1\n")
    files.load("mod")
    with pytest.raises(TargetError, match="no_such, other: no such module is loaded and watched"):
        reloader.reload("mod", "other", "no_such")
    with pytest.raises(SettingsError, match="takes a path"):
        Reloader(3)  # type: ignore[arg-type]


def test_a_module_that_comes_late_is_found_wherever_it_is(files: Files) -> None:
    """An import that failed is tried again when its module is made, in a folder from which nothing was loaded."""
    folder = files.root / f"plain_{files.number}"
    folder.mkdir()
    files.write("mod", "X = 1\n")
    mod = files.load("mod")
    held: queue.SimpleQueue[Report] = queue.SimpleQueue()
    with Reloader(files.root, apply="thread", on_report=held.put):
        files.write("mod", "from plain_NUMBER.late import X\n")
        assert codes(held.get(timeout=10)) == ["HS313"]
        (folder / "late.py").write_text("X = 2\n")
        while not held.get(timeout=10).changed:
            pass
    assert mod.X == 2
    del sys.modules[f"plain_{files.number}"], sys.modules[f"plain_{files.number}.late"]


def test_a_save_waits_for_an_import_under_way(files: Files) -> None:
    """What is saved of a module that another thread imports is applied when the import has ended, all of it."""
    gate = threading.Event(), threading.Event()
    builtins.__dict__["gate_r"] = gate
    files.write("mod", "gate_r[0].set()\ngate_r[1].wait()\nX = 1\ndef f():\n    return X\n")
    reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
    with Reloader(files.root, apply="thread", on_report=reports.put):
        thread = threading.Thread(target=files.load, args=("mod",))
        thread.start()
        assert gate[0].wait(20)
        files.write("mod", "gate_r[0].set()\ngate_r[1].wait()\nX = 2\ndef f():\n    return X + 10\n")
        files.write("other", "")
        with pytest.raises(queue.Empty):
            reports.get(timeout=0.2)
        gate[1].set()
        thread.join(20)
        report = reports.get(timeout=20)
    assert (sys.modules[files.name("mod")].f(), report.findings) == (12, ())
    del builtins.__dict__["gate_r"]


def test_nothing_comes_back_after_undo_until_a_file_is_saved(files: Files, reloader: Reloader) -> None:
    """The text that was undone is not applied again by itself; the next save is."""
    files.write("mod", "X = 1\n")
    mod = files.load("mod")
    files.write("mod", "X = 2\n")
    reloader.reload()
    reloader.undo()
    assert not reloader.reload()
    assert mod.X == 1
    files.write("mod", "X = 33\n")
    reloader.reload()
    assert mod.X == 33


def test_a_failed_statement_runs_again_only_when_asked(files: Files, reloader: Reloader) -> None:
    """A statement that raised is not run by the next reload, unless something was saved, but by `retry`."""
    files.write("mod", "RUNS = []\nX = 1\n")
    mod = files.load("mod")
    sys.modules["outside_r"] = outside = ModuleType("outside_r")
    outside.__dict__.update(runs=[], fail=True)
    files.write("mod", "RUNS = []\nX = 2\nimport outside_r\noutside_r.runs.append(1)\nassert not outside_r.fail\n")
    try:
        report = reloader.reload()
        assert codes(report) == ["HS303"] == codes(reloader.reload())
        assert (mod.X, report.held) == (1, (files.name("mod"),))
        assert len(outside.runs) <= 1
        outside.fail = False
        assert reloader.retry().changed
        assert (mod.X, reloader.errors()) == (2, ())
    finally:
        del sys.modules["outside_r"]


def test_the_error_is_the_programs_own(files: Files, reloader: Reloader) -> None:
    """The report carries the exception that was raised, and raises it as the cause of its own."""
    files.write("mod", "X = 1\n")
    files.load("mod")
    files.write("mod", "X = 1\n\n1 / 0\n")
    report = reloader.reload()
    assert type(report.error) is ZeroDivisionError
    assert report.errors[0].lineno == 3
    with pytest.raises(Exception, match="HS303") as raised:
        report.raise_for_errors()
    assert raised.value.__cause__ is report.error


def test_a_broken_file_holds_its_own_group_alone(files: Files, reloader: Reloader) -> None:
    """What imports a broken file waits for it; what has nothing to do with it goes live."""
    files.write("lib", "X = 1\n")
    files.write("app", "from lib_rNUMBER import X\n\ndef get():\n    return X\n")
    files.write("other", "Y = 1\n")
    app, other = files.load("app"), files.load("other")
    files.write("lib", "X = (2\n")
    files.write("app", "from lib_rNUMBER import X\n\ndef get():\n    return X + 10\n")
    files.write("other", "Y = 2\n")
    report = reloader.reload()
    assert codes(report) == ["HS301", "HS306"]
    assert (app.get(), other.Y) == (1, 2)
    files.write("lib", "X = 2\n")
    report = reloader.reload()
    assert (app.get(), report.held, reloader.errors()) == (12, (), ())


def test_an_empty_file_counts_at_the_second_look_by_hand(files: Files, reloader: Reloader) -> None:
    """A truncated file is held once; if it is still empty when asked again, its names leave."""
    files.write("mod", "X = 1\n")
    mod = files.load("mod")
    files.write("mod", "")
    assert codes(reloader.reload()) == ["HS305"]
    assert mod.X == 1
    reloader.reload()
    assert not hasattr(mod, "X")


def test_a_broken_edit_that_is_taken_back_is_in_step_again(files: Files, reloader: Reloader) -> None:
    """A file that says again what runs holds nothing any more, and what waited for it goes live."""
    files.write("lib", "X = 1\n")
    files.write("app", "from lib_rNUMBER import X\n\ndef get():\n    return X\n")
    app = files.load("app")
    files.write("lib", "X = (2\n")
    files.write("app", "from lib_rNUMBER import X\n\ndef get():\n    return X + 10\n")
    assert codes(reloader.reload()) == ["HS301", "HS306"]
    files.write("lib", "X = 1\n")
    report = reloader.reload()
    assert (app.get(), report.held, reloader.errors()) == (11, (), ())
    assert report.settled == (files.name("lib"),) and f"in step again: {files.name('lib')}" in str(report)
    assert not reloader.reload()


def test_a_file_that_was_empty_for_a_moment_is_new_to_the_next_look(files: Files, reloader: Reloader) -> None:
    """A file that got its text back is held anew when it is emptied once more: its names do not leave."""
    files.write("mod", "X = 1\n")
    mod = files.load("mod")
    for _ in range(2):
        files.write("mod", "")
        assert codes(reloader.reload()) == ["HS305"]
        files.write("mod", "X = 1\n")
        assert reloader.reload().settled == (files.name("mod"),)
        assert (mod.X, reloader.errors()) == (1, ())


def test_two_reloaders_side_by_side(tmp_path: Path) -> None:
    """Each looks after its own roots alone; roots that contain one another are refused."""
    one, two = Files(tmp_path / "one"), Files(tmp_path / "two")
    with Reloader(one.root, apply="manual") as first, Reloader(two.root, apply="manual") as second:
        with pytest.raises(OverlapError, match="is watched already"):
            Reloader(tmp_path, apply="manual").start()
        one.write("mod", "X = 1\n")
        two.write("mod", "X = 1\n")
        left, right = one.load("mod"), two.load("mod")
        one.write("mod", "X = 22\n")
        two.write("mod", "X = 22\n")
        assert first.reload().changed
        assert (left.X, right.X) == (22, 1)
        assert second.reload().changed
        assert right.X == 22


def test_reload_of_chosen_modules(files: Files, reloader: Reloader) -> None:
    """Only the modules that are named are looked at; the others' edits wait."""
    files.write("one", "X = 1\n")
    files.write("two", "X = 1\n")
    one, two = files.load("one"), files.load("two")
    files.write("one", "X = 22\n")
    files.write("two", "X = 22\n")
    reloader.reload(one)
    assert (one.X, two.X) == (22, 1)
    reloader.reload()
    assert two.X == 22


def test_plan_touches_nothing(files: Files, reloader: Reloader) -> None:
    """A plan names the statements that would run, and why; nothing is live afterwards."""
    files.write("mod", "X = 1\nY = X + 1\n")
    mod = files.load("mod")
    files.write("mod", "X = 2\nY = X + 1\n")
    text = str(reloader.plan())
    assert "X runs: changed" in text
    assert "Y runs if changed: reads X" in text
    assert (mod.X, mod.Y) == (1, 2)
    reloader.reload()
    assert (mod.X, mod.Y) == (2, 3)


def test_thread_applies_by_itself(files: Files) -> None:
    """With apply='thread' a save is live soon, and the report goes to the callback."""
    reports: queue.Queue[Report] = queue.Queue()
    files.write("mod", "def f():\n    return 1\n")
    with Reloader(files.root, apply="thread", on_report=reports.put):
        f = files.load("mod").f
        files.write("mod", "def f():\n    return 2\n")
        assert "f" in str(reports.get(timeout=20))
        assert f() == 2


def test_poll_applies_where_it_is_called(files: Files) -> None:
    """With apply='poll' nothing is applied before `poll`, which costs next to nothing when there is nothing."""
    files.write("mod", "def f():\n    return 1\n")
    with Reloader(files.root, apply="poll") as reloader:
        f = files.load("mod").f
        assert reloader.poll() is None
        files.write("mod", "def f():\n    return 2\n")
        assert reloader.inbox.wait(20)
        assert f() == 1
        report = next(filter(None, iter(reloader.poll, False)))
        assert report.changed
        assert f() == 2


def test_modules_imported_before_the_start_take_the_small_way(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """That they run the text of their file is found out once, and then nothing is planned for a function's body."""
    from hotswap import _transactions

    text = "import os\n\nLIMIT = 3\n\n\ndef f():\n    return os.path.join('a', str(LIMIT))\n"
    files.write("mod", text)
    mod = files.load("mod")
    with Reloader(files.root, apply="manual") as reloader:
        monkeypatch.delattr(_transactions, "plan_group")
        files.write("mod", text.replace("'a'", "'b'"))
        report = reloader.reload()
    assert (str(report.error), report.told, mod.f()) == ("None", (), os.path.join("b", "3"))


def test_what_is_polled_was_read_on_another_thread(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading, parsing and planning are over when a poll applies: its own thread parses nothing."""
    import threading

    from hotswap import _transactions
    from hotswap._text import _slices

    parsed: list[int] = []
    for room, name in ((_slices, "_parse"), (_transactions, "plan_group")):
        act = getattr(room, name)
        monkeypatch.setattr(room, name, lambda *given, act=act: (parsed.append(threading.get_ident()), act(*given))[1])
    text = "X = 1\n" + "".join(f"def f{i}():\n    return {i}\n" for i in range(400))
    files.write("mod", text)
    with Reloader(files.root, apply="poll") as reloader:
        mod = files.load("mod")
        for old, new in (("return 7\n", "return 70\n"), ("X = 1", "X = 2"), ("X = 2", "X = [2]")):
            text = text.replace(old, new)
            files.write("mod", text)
            next(filter(None, iter(reloader.poll, False)))
        files.write("mod", f"{text}def f(:\n")
        assert next(filter(None, iter(reloader.poll, False))).held
        assert (mod.X, mod.f7()) == ([2], 70)
    assert parsed
    assert threading.get_ident() not in parsed


@pytest.mark.parametrize(
    ("old", "new"), [("return 7\n", "x = 7\n    return x\n"), ("import sys\n", "import sys, abc\n\n")]
)
def test_what_only_moves_is_found_before_a_poll(
    files: Files, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    """Functions that only move are found and shifted on another thread, in a small edit and in a large one."""
    import threading

    from hotswap.patch import _finding

    walked: list[int] = []
    walk = _finding.Walk.__init__
    monkeypatch.setattr(
        _finding.Walk, "__init__", lambda self, names: (walked.append(threading.get_ident()), walk(self, names))[1]
    )
    text = "import sys\n" + "".join(f"def f{i}():\n    return {i}\n" for i in range(50))
    files.write("mod", text)
    with Reloader(files.root, apply="poll") as reloader:
        mod = files.load("mod")
        text = text.replace(old, new)
        files.write("mod", text)
        next(filter(None, iter(reloader.poll, False)))
        lines = {text.split("\n")[mod.f49.__code__.co_firstlineno - 1], mod.f49.__code__.co_name}
        assert lines == {"def f49():", "f49"}
    assert walked
    assert threading.get_ident() not in walked


def test_a_closure_that_came_after_the_reading_is_not_missed(files: Files, reloader: Reloader) -> None:
    """What was found ahead does not count if somebody else has its code by the time it is applied."""
    files.write("mod", "import sys\ndef make():\n    def inner():\n        return 1\n    return inner\nKEPT = {}\n")
    mod = files.load("mod")
    files.write("mod", "import abc\n\ndef make():\n    def inner():\n        return 2\n    return inner\nKEPT = {}\n")
    batch = Batch(1, (FileChange(str(files.path("mod")), "modified"),), 0.0)
    reloader._works().line.ahead(batch)
    made = [mod.make()]
    assert reloader.reload().changed
    assert made[0]() == 2
    assert made[0].__code__.co_firstlineno == 4


def test_a_budget_spreads_what_can_be_prepared(files: Files, reloader: Reloader) -> None:
    """Many edits take several calls to prepare, and are live at once; a function that changed meanwhile is seen."""
    for number in range(5):
        files.write(f"m{number}", "def f():\n    return 1\n")
    mods = [files.load(f"m{number}") for number in range(5)]
    for number in range(5):
        files.write(f"m{number}", "def f():\n    return 2\n")
    changes = tuple(FileChange(str(files.path(f"m{number}")), "modified") for number in range(5))
    reloader._works().line.ahead(Batch(1, changes, 0.0))
    for _ in range(5):
        assert not reloader._works().line.begin(0.0)
        assert {mod.f() for mod in mods} == {1}
    assert reloader._works().line.begin(0.0)
    mods[3].f.__code__ = mods[3].f.__code__.replace(co_consts=(None, 3))
    report = reloader.reload()
    assert len(report.outcomes) == 5
    assert {mod.f() for mod in mods} == {2}


def test_constants_and_new_functions_are_prepared_within_a_budget(files: Files, reloader: Reloader) -> None:
    """Of several files they are set at once with all who import them; who has another value meanwhile keeps that."""
    text = "X = {0}\n\n\ndef f():\n    return X * {0}\n"
    more = "\n\ndef g(x):\n    return x + {0}\n"
    for number in range(4):
        files.write(f"m{number}", text.format(1))
        files.write(f"client{number}", f"from {files.name(f'm{number}')} import X as there\n")
    mods = [files.load(f"m{number}") for number in range(4)]
    clients = [files.load(f"client{number}") for number in range(4)]
    line = reloader._works().line
    for version in (2, 3):
        for number in range(4):
            files.write(f"m{number}", text.format(version) + more.format(version) * (version > 2 or number < 2))
        changes = tuple(FileChange(str(files.path(f"m{number}")), "modified") for number in range(4))
        line.ahead(Batch(1, changes, 0.0))
        while not line.begin(0.0):
            assert {mod.X for mod in mods} == {version - 1}
        begun = [one.edit.begun for one in line._small._looked.values()]
        assert len(begun) == 4
        assert all(begun)
        clients[3].there = 99
        assert not reloader.reload().findings
        assert {(mod.X, mod.f()) for mod in mods} == {(version, version * version)}
        assert [client.there for client in clients] == [version, version, version, 99]
        assert [getattr(mod, "g", lambda x: None)(1) for mod in mods[:2]] == [version + 1] * 2


def test_small_edits_and_others_are_one_swap(files: Files, reloader: Reloader) -> None:
    """A save of both sorts gives one report and one generation, which is undone as one."""
    files.write("small", "def f():\n    return 1\n")
    files.write("other", "class A:\n    x = 1\n")
    small, other = files.load("small"), files.load("other")
    files.write("small", "def f():\n    return 2\n")
    files.write("other", "class B:\n    y = 2\n\n\nclass A(B):\n    x = 2\n")
    report = reloader.reload()
    assert [one.step.module for one in report.outcomes] == [small.__name__, other.__name__]
    assert reloader.reports() == (report,)
    assert (small.f(), other.A.x, other.A.y) == (2, 2, 2)
    reloader.undo()
    assert (small.f(), other.A.x) == (1, 1)


def test_of_several_edits_no_trees_wait_for_a_poll(files: Files, reloader: Reloader) -> None:
    """Compiled ahead, they are applied without trees, docstrings behind decorators included, and so is the next one."""
    text = (
        "import functools\n\n\nclass C:\n    @functools.wraps(len)\n    def f(self):\n        'doc {0}'\n"
        "        return {0}\n\n    def g(self):\n        'doc {0}'\n        return {0}\n"
    )
    names = [f"m{number}" for number in range(3)]
    for name in names:
        files.write(name, text.format(1))
    mods = [files.load(name) for name in names]
    changes = tuple(FileChange(str(files.path(name)), "modified") for name in names)
    line = reloader._works().line
    for version in (2, 3):
        for name in names:
            files.write(name, text.format(version))
        line.ahead(Batch(1, changes, 0.0))
        (part,) = next(iter(line._small._looked.values())).edit.region.parts
        assert [type(pair.new.node).__name__ for pair in part.changed] == ["FunctionDef", "Pass"]
        report = reloader.reload()
        assert len(report.outcomes) == len(names)
        for mod in mods:
            assert (mod.C().f(), mod.C().g(), mod.C.g.__doc__) == (version, version, f"doc {version}")


def test_a_server_whose_workers_alone_have_the_program_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No swap comes where nothing of the program is loaded, so processes of their own are told without one, once."""
    import multiprocessing.process
    from types import SimpleNamespace

    worker = SimpleNamespace(name="worker", pid=4711, _start_method="spawn")
    monkeypatch.setattr(multiprocessing.process, "_children", {id(worker): worker}.values())
    with Reloader(tmp_path, apply="manual") as reloader:
        for _ in range(2):
            reloader._works()._idle()
        assert [found.code for report in reloader.reports() for found in report.findings] == ["HS225"]


def test_stop_leaves_nothing_behind(files: Files) -> None:
    """After `stop` neither thread nor finder of ours is left, and starting and stopping twice does no harm."""
    import threading

    reloader = Reloader(files.root)
    before = threading.active_count()
    finders = list(sys.meta_path)
    reloader.start().start()
    assert len(sys.meta_path) == len(finders) + 1
    reloader.stop()
    reloader.stop()
    assert sys.meta_path == finders
    assert threading.active_count() == before


def test_a_callback_that_raises_does_not_stop_the_line(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    """An error in `on_report` is logged; the edit is live."""

    def fail(report: Report) -> None:
        raise RuntimeError("mine")

    files.write("mod", "X = 1\n")
    with Reloader(files.root, apply="manual", on_report=fail) as reloader:
        mod = files.load("mod")
        files.write("mod", "X = 22\n")
        assert reloader.reload().changed
    assert mod.X == 22
    assert "a callback of a report raised" in caplog.text


def test_a_running_function_is_told(files: Files, reloader: Reloader) -> None:
    """A function that is on the stack while it is swapped is named with its line."""
    files.write("mod", "def f(act):\n    return 1, act()\n")
    f = files.load("mod").f
    files.write("mod", "def f(act):\n    return 2, act()\n")
    first, report = f(reloader.reload)
    assert first == 1
    assert [(found.code, found.lineno) for found in report.findings] == [("HS207", 2)]
    assert f(lambda: 0) == (2, 0)
    assert reloader.stale() == ()


KEEPER = "import os\nX = 1\npid = os.getpid() and X\n"


@pytest.mark.parametrize(("severity", "strict"), [("ignored", False), ("stale", True), ("refused", True)])
def test_severities_say_how_codes_count(files: Files, severity: str, strict: bool) -> None:
    """An ignored finding is shown nowhere, and with `strict` one that counts as refused holds its group."""
    files.write("mod", KEEPER)
    mod = files.load("mod")
    with Reloader(files.root, apply="manual", strict=strict, severities={"HS201": severity}) as reloader:
        files.write("mod", KEEPER.replace("X = 1", "X = 22"))
        report = reloader.reload()
    held = severity == "refused"
    assert [found.severity.value for found in report.findings if found.code == "HS201"] == [severity]
    assert codes(report) == (["HS201", "HS316"] if held else ["HS201"])
    assert (mod.X, bool(report.held), "HS201" in str(report)) == (1 if held else 22, held, severity != "ignored")
    assert ("HS201" in report.text(), "HS201" in report.to_html()) == (severity != "ignored",) * 2
    assert report.as_dict()["findings"][-1]["severity"] == severity


def test_a_pause_waits_for_the_swap_under_way(files: Files, reloader: Reloader) -> None:
    """Who pauses comes back when no other thread is in the middle of a swap."""
    begun, go_on = threading.Event(), threading.Event()
    sys.modules["waiting_r"] = waiting = ModuleType("waiting_r")
    waiting.__dict__.update(wait=lambda: begun.set() or go_on.wait(20))
    files.write("mod", "X = 1\n")
    mod = files.load("mod")
    files.write("mod", "X = 22\nimport waiting_r\nwaiting_r.wait()\n")
    swap = threading.Thread(target=reloader.reload)
    swap.start()
    try:
        assert begun.wait(20)
        pauses: queue.SimpleQueue[int] = queue.SimpleQueue()
        threading.Thread(target=lambda: (reloader.pause(), pauses.put(mod.X))).start()
        with pytest.raises(queue.Empty):
            pauses.get(timeout=0.05)
        go_on.set()
        assert pauses.get(timeout=20) == 22
    finally:
        go_on.set()
        swap.join()
        reloader._works().line.rescan()
        PROCESS.lock.go_on()
        del sys.modules["waiting_r"]


def test_an_error_is_said_once(files: Files, reloader: Reloader, caplog: pytest.LogCaptureFixture) -> None:
    """What holds a file is logged in full once; later lines name the module until it is mended, reports have it all."""
    files.write("bad", "X = 1\n")
    files.write("good", "Y = 1\n")
    files.load("bad"), files.load("good")
    files.write("bad", "X = (\n")
    reloader.reload()
    assert "HS301" in caplog.text
    assert len(caplog.messages[-1].splitlines()) <= 8
    caplog.clear()
    files.write("good", "Y = 22\n")
    report = reloader.reload()
    assert [found.code for found in report.findings] == ["HS301"]
    assert files.name("bad") in caplog.text
    assert "HS301" not in caplog.text
    caplog.clear()
    files.write("bad", "X = 22\n")
    reloader.reload()
    assert "held" not in caplog.text
    files.write("bad", "X = (\n")
    reloader.reload()
    assert "HS301" in caplog.text
