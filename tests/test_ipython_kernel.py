"""The extension in a real kernel, cell by cell as a notebook sends them. Skipped where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ipykernel")
pytest.importorskip("jupyter_client")

from notebook import Kernel, Shown

MODEL = """\
RATE = 0.5


class Model:
    def predict(self):
        return "old"


def fit(x):
    return x * RATE
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    kernel = Kernel(tmp_path_factory.mktemp("notebook"))
    kernel.run("%load_ext hotswap")
    yield kernel
    kernel.stop()


def said(shown: Shown) -> str:
    return "\n".join(shown.displayed)


def test_a_cell_right_behind_the_save_runs_the_new_code(kernel: Kernel) -> None:
    """Names taken by `from` and `as`, constants and kept objects are what the file says, the first time."""
    kernel.write("first", MODEL)
    kernel.run("from first import RATE, Model, fit as learn\nkept = Model()")
    assert kernel.run("RATE, learn(2), kept.predict()").value == "(0.5, 1.0, 'old')"
    kernel.write("first", MODEL.replace("0.5", "0.75").replace('"old"', '"new"'))
    shown = kernel.run("RATE, learn(2), kept.predict(), type(kept) is Model")
    assert shown.value == "(0.75, 1.5, 'new', True)"
    assert len(shown.displayed) == 1 and said(shown).startswith(
        "hotswap: first - RATE, Model.predict; __main__ - RATE ("
    )
    assert "<details" in shown.html[0]


def test_nothing_is_said_when_nothing_happened(kernel: Kernel) -> None:
    """A cell without a save before it shows what it would without the extension."""
    assert kernel.run("6 * 7") == Shown(value="42")


def test_a_name_that_the_user_bound_is_theirs(kernel: Kernel) -> None:
    """Bound to another value, or to an equal one: a name that a later cell assigned is left alone."""
    kernel.write("mine", "A = 1\nB = 1\nC = 1\n")
    kernel.run("from mine import A, B, C")
    kernel.run("A = 42\nfor B in [1]: pass")
    kernel.write("mine", "A = 2\nB = 2\nC = 2\n")
    assert kernel.run("A, B, C").value == "(42, 1, 2)"


def test_star_imports_follow(kernel: Kernel) -> None:
    """Names that enter `*` appear, values follow, and what a cell bound itself stays."""
    kernel.write("starry", "__all__ = ['P', 'Q']\nP = 1\nQ = 1\n")
    kernel.run("from starry import *\nQ = 'mine'")
    kernel.write("starry", "__all__ = ['P', 'Q', 'R']\nP = 2\nQ = 2\nR = 2\n")
    assert kernel.run("P, Q, R").value == "(2, 'mine', 2)"


def test_a_syntax_error_is_short_and_told_once(kernel: Kernel) -> None:
    """File, line and caret in at most eight lines; the cell runs with the old code; then a mark until it is mended."""
    kernel.write("broken", "def f():\n    return 1\n")
    kernel.run("import broken")
    kernel.write("broken", "def f():\n    return (1\n")
    first, second = kernel.run("broken.f()"), kernel.run("broken.f()")
    assert first.value == second.value == "1"
    assert "broken.py:2" in first.displayed[0] and "^" in first.displayed[0]
    assert len(first.displayed[0].splitlines()) <= 8
    assert second.displayed == first.displayed[1:] == ["hotswap: not live: broken.py:2 (the old code runs)"]
    kernel.write("broken", "def f():\n    return 2\n")
    mended = kernel.run("broken.f()")
    assert mended.value == "2" and len(mended.displayed) == 1


def test_modules_imported_before_the_extension_are_live(tmp_path: Path) -> None:
    """Cells that ran before `%load_ext` count: their modules are live, and the names that they imported follow."""
    kernel = Kernel(tmp_path)
    try:
        kernel.write("early", MODEL)
        kernel.run("from early import RATE, Model\nkept = Model()")
        kernel.run("%load_ext hotswap")
        kernel.write("early", MODEL.replace("0.5", "0.75").replace('"old"', '"new"'))
        assert kernel.run("RATE, kept.predict()").value == "(0.75, 'new')"
    finally:
        kernel.stop()


def test_a_restarted_kernel_begins_anew(tmp_path: Path) -> None:
    """`c.InteractiveShellApp.extensions` enables it for ever, also in a kernel that was restarted."""
    kernel = Kernel(tmp_path, "--InteractiveShellApp.extensions=hotswap")
    try:
        for round_ in (1, 2):
            kernel.write("again", "N = 1\n")
            assert kernel.run("import again\nagain.N").value == "1"
            kernel.write("again", "N = 2\n")
            assert kernel.run("again.N").value == "2", round_
            kernel.restart()
    finally:
        kernel.stop()


def test_folders_that_a_cell_adds_are_looked_after(kernel: Kernel, tmp_path: Path) -> None:
    """A notebook beside its project puts the project on `sys.path` in a cell: what it imports from there is live."""
    (tmp_path / "far_away.py").write_text("N = 1\n", encoding="utf-8")
    kernel.run(f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nfrom far_away import N")
    (tmp_path / "far_away.py").write_text("N = 2\n", encoding="utf-8")
    assert kernel.run("N").value == "2"


def test_names_that_magics_push_follow(kernel: Kernel) -> None:
    """What `%run` of a script imported, what a timed cell imported, and what another magic put there."""
    kernel.write("pushed", "A = 1\nB = 1\nC = [1]\n")
    kernel.write("setup_script", "from pushed import A\nOWN = 1\n")
    kernel.run("%run setup_script.py")
    kernel.run("%%time\nfrom pushed import B as b")
    kernel.run("import pushed\nget_ipython().push({'C': pushed.C})")
    kernel.write("pushed", "A = 2\nB = 2\nC = [2]\n")
    assert kernel.run("A, b, C, OWN").value == "(2, 2, [2], 1)"


def test_what_cells_wrote_on_top_goes_on(kernel: Kernel) -> None:
    """Subclasses, functions, closures and patched-in callbacks of cells use the new code; objects stay themselves."""
    kernel.write(
        "base",
        "import enum\n\n\nclass Base:\n    def name(self):\n        return 'old'\n\n\n"
        "class Colour(enum.Enum):\n    RED = 1\n\n\ndef scale(x):\n    return x\n",
    )
    kernel.run("from base import Base, Colour, scale\nimport pickle, copy")
    kernel.run(
        "class Mine(Base):\n    def both(self): return self.name(), scale(3)\n"
        "mine, red, table = Mine(), Colour.RED, {'s': scale}"
    )
    kernel.write(
        "base",
        "import enum\n\n\nclass Base:\n    def name(self):\n        return 'new'\n\n\n"
        "class Colour(enum.Enum):\n    RED = 1\n    BLUE = 2\n\n\ndef scale(x):\n    return 10 * x\n",
    )
    assert kernel.run("mine.both(), table['s'](1), isinstance(mine, Base), red is Colour.RED").value == (
        "(('new', 30), 10, True, True)"
    )
    assert kernel.run("type(pickle.loads(pickle.dumps(Base()))) is Base, type(copy.copy(mine)) is Mine").value == (
        "(True, True)"
    )


def test_a_class_made_anew_is_followed_by_the_notebook(kernel: Kernel) -> None:
    """Where CPython cannot keep a class, the notebook's names, subclasses and instances go over to the new one."""
    kernel.write("layout", "class Point:\n    __slots__ = ('x',)\n\n    def where(self):\n        return 'old'\n")
    kernel.run("from layout import Point\nclass Near(Point): pass\nnear = Near()")
    kernel.write("layout", "class Point:\n    __slots__ = ('x', 'y')\n\n    def where(self):\n        return 'new'\n")
    assert kernel.run("import layout\nPoint is layout.Point, Point().where(), near.where()").value == (
        "(True, 'new', 'new')"
    )


def test_a_name_that_left_its_module_is_told(kernel: Kernel) -> None:
    """The notebook keeps the object; the finding names the cell that imported it."""
    kernel.write("leaving", "GONE = 'here'\nSTAYS = 1\n")
    number = int(kernel.run("from leaving import GONE\nget_ipython().execution_count - 1").value)
    kernel.write("leaving", "STAYS = 1\n")
    shown = kernel.run("GONE")
    assert shown.value == "'here'"
    assert f"HS205 In:{number}: GONE left leaving" in said(shown)


def test_tracebacks_and_the_debugger_stand_on_the_right_lines(kernel: Kernel) -> None:
    """After a swap that moved and changed a function, the traceback and `%debug` show the file as it is now."""
    kernel.write("fails", "def f(x):\n    return 1 / x\n")
    kernel.run("import fails")
    kernel.write("fails", "# one line more\n\n\ndef f(x):\n    y = x - 1\n    return 1 / y\n")
    error = kernel.run("fails.f(1)").error
    assert "fails.py:6" in error and "----> 6     return 1 / y" in error
    asked: list[str] = []
    shown = kernel.debug(["p (y, __file__.endswith('fails.py'))", "w", "q"], asked)
    assert "(0, True)" in shown.printed and "fails.py(6)f()" in shown.printed
    assert len(asked) == 3


def test_cells_that_await_use_the_new_code(kernel: Kernel) -> None:
    """A coroutine awaited in a cell is the new one; a task that a cell started goes on, and calls the new code."""
    kernel.write("later", "async def answer():\n    return 'old'\n\n\ndef tick():\n    return 'old'\n")
    kernel.run("import asyncio, later\nfrom later import answer\nseen, go = [], asyncio.Event()")
    kernel.run(
        "async def watch():\n    await go.wait()\n    seen.append(later.tick())\ntask = asyncio.create_task(watch())"
    )
    kernel.write("later", "async def answer():\n    return 'new'\n\n\ndef tick():\n    return 'new'\n")
    assert kernel.run("go.set()\nawait task\nawait answer(), seen").value == "('new', ['new'])"


def test_threads_that_a_cell_started_use_the_new_code(kernel: Kernel) -> None:
    """A thread that calls into a module goes on through the swap, and its next call is the new code."""
    kernel.write("worker", "def step():\n    return 'old'\n")
    kernel.run(
        "import queue, threading, worker\nasks, answers = queue.Queue(), queue.Queue()\n"
        "def serve():\n    while asks.get():\n        answers.put(worker.step())\n"
        "thread = threading.Thread(target=serve)\nthread.start()\nasks.put(1)"
    )
    assert kernel.run("answers.get(timeout=60)").value == "'old'"
    kernel.write("worker", "def step():\n    return 'new'\n")
    assert (
        kernel.run("asks.put(1)\nanswers.get(timeout=60), asks.put(0), thread.join(60)").value == "('new', None, None)"
    )


def test_scripts_that_run_in_the_kernel_import_live_modules(kernel: Kernel) -> None:
    """`%run` of a script runs the script as it is, with the modules that it imports as they are."""
    kernel.write("lib_of_script", "V = 1\n")
    kernel.write("a_script", "import lib_of_script\nprint('script', lib_of_script.V)\n")
    assert kernel.run("%run a_script.py").printed == "script 1\n"
    kernel.write("lib_of_script", "V = 2\n")
    kernel.write("a_script", "import lib_of_script\nprint('changed', lib_of_script.V)\n")
    assert kernel.run("%run a_script.py").printed == "changed 2\n"


def test_a_cell_that_raises_is_looked_at_like_any_other(kernel: Kernel) -> None:
    """An import in a cell that failed further down follows; a name that the cell did not reach is not made."""
    kernel.write("half", "REACHED = 1\nMISSED = 1\n")
    assert "ZeroDivisionError" in kernel.run("from half import REACHED\n1 / 0\nfrom half import MISSED").error
    kernel.write("half", "REACHED = 2\nMISSED = 2\n")
    assert kernel.run("REACHED, 'MISSED' in globals()").value == "(2, False)"


def test_many_files_saved_at_once_are_one_swap(kernel: Kernel) -> None:
    """A checkout between two cells: one report, all of it live."""
    for number in range(30):
        kernel.write(f"part{number}", "V = 1\n")
    kernel.run("import " + ", ".join(f"part{number}" for number in range(30)))
    for number in range(30):
        kernel.write(f"part{number}", "V = 2\n")
    shown = kernel.run("{" + ", ".join(f"part{number}.V" for number in range(30)) + "}")
    assert shown.value == "{2}" and len(shown.displayed) == 1
    assert len(said(shown).splitlines()) == 1


def test_a_name_that_is_passed_on_follows(kernel: Kernel) -> None:
    """The notebook imports from a package that imports from elsewhere: the value reaches it through both."""
    kernel.write("source", "X = 1\n")
    kernel.write("through", "from source import X\n\nTWICE = 2 * X\n")
    kernel.run("from through import X as x_there, TWICE")
    kernel.write("source", "X = 5\n")
    assert kernel.run("x_there, TWICE").value == "(5, 10)"


def test_nothing_is_applied_between_cells(kernel: Kernel) -> None:
    """A thread that looks while no cell runs sees the old code for as long as it likes, until the next cell begins."""
    kernel.write("calm", "V = 1\n")
    kernel.run(
        "import calm, threading\nseen, look = [], threading.Event()\n"
        "watcher = threading.Thread(target=lambda: (look.wait(60), seen.append(calm.V)))\nwatcher.start()"
    )
    kernel.write("calm", "V = 2\n")
    assert kernel.run("look.set(); watcher.join(60)", silent=True) == Shown()
    assert kernel.run("seen, calm.V").value == "([1], 2)"


def test_messages_that_a_front_end_sends_by_itself_change_nothing(kernel: Kernel) -> None:
    """Silent code, as editors run it to list variables, is no cell: nothing is applied, nothing is shown."""
    kernel.write("hushed", "V = 1\n")
    kernel.run("import hushed")
    kernel.write("hushed", "V = 2\n")
    assert kernel.run("hushed_then = hushed.V", silent=True, store_history=False) == Shown()
    assert kernel.run("hushed_then, hushed.V", store_history=False).value == "(1, 2)"


def test_watch_in_a_cell_gives_the_reloader_that_is_there(kernel: Kernel) -> None:
    """The verbs of the module speak to the notebook's reloader; to watch what is watched already is no error."""
    assert kernel.run("import hotswap\nhotswap.watch() is hotswap.watch(), len(hotswap.reports()) > 0").value == (
        "(True, True)"
    )
