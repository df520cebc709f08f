"""Tools that go by file and line see swapped code where it stands: pdb, coverage, warnings, tracebacks, big files."""

from __future__ import annotations

import bdb
import importlib
import inspect
import linecache
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import pytest

from hotswap import Reloader, Report

HEAD = '''"""A module."""

'''

TEXT = """def first(n):
    return n + 1


def second(n):
    total = first(n)
    return total / n


class Box:
    def size(self):
        value = 1
        return value
"""


class Project:
    """One module and the reloader that looks at it."""

    def __init__(self, folder: Path, reloader: Reloader) -> None:
        self.path, self.reloader = folder / "positioned.py", reloader

    def start(self, text: str) -> ModuleType:
        self.path.write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        return importlib.import_module("positioned")

    def save(self, text: str) -> Report:
        self.path.write_text(text, encoding="utf-8")
        report = self.reloader.reload()
        assert not report.findings, str(report)
        return report

    def line(self, words: str) -> int:
        lines = self.path.read_text(encoding="utf-8").splitlines()
        return next(number for number, line in enumerate(lines, 1) if words in line)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A folder on `sys.path` with a running reloader."""
    sys.path.insert(0, str(tmp_path))
    with Reloader(tmp_path, apply="manual") as reloader:
        yield Project(tmp_path, reloader)
    sys.path.remove(str(tmp_path))
    sys.modules.pop("positioned", None)


class Stops(bdb.Bdb):
    """A debugger that notes at which lines it stopped, and goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.at: list[tuple[str, int]] = []

    def user_line(self, frame: FrameType) -> None:
        if self.break_here(frame):
            self.at.append((frame.f_code.co_name, frame.f_lineno))
        self.set_continue()


def stops(debugger: Stops, function: Callable[[], Any]) -> list[tuple[str, int]]:
    debugger.at.clear()
    debugger.reset()
    debugger.runcall(function)
    return list(debugger.at)


def test_a_breakpoint_stays_at_its_file_and_line(project: Project) -> None:
    """A breakpoint by file and line stops in the code that stands there now: moved, changed or new."""
    module = project.start(TEXT)
    held = module.second
    debugger = Stops()
    path = str(project.path)
    assert debugger.set_break(path, project.line("total = ")) is None
    assert stops(debugger, lambda: held(2)) == [("second", 6)]
    project.save(HEAD + TEXT)
    linecache.checkcache(path)
    debugger.clear_all_breaks()
    assert debugger.set_break(path, project.line("total = ")) is None
    assert stops(debugger, lambda: held(2)) == [("second", 8)]
    project.save(HEAD + TEXT.replace("    total = first(n)", "    extra = 3\n    total = first(n) + extra"))
    assert stops(debugger, lambda: held(2)) == [("second", 8)]
    linecache.checkcache(path)
    assert debugger.set_break(path, project.line("total = ")) is None
    assert stops(debugger, lambda: held(2)) == [("second", 8), ("second", 9)]


def executed(path: Path, call: Callable[[], Any]) -> tuple[set[int], set[int]]:
    """Return the lines that coverage saw being run, and those that it misses, while `call` ran."""
    coverage = pytest.importorskip("coverage")
    measured = coverage.Coverage(data_file=None, include=[str(path)], config_file=False)
    measured.start()
    try:
        call()
    finally:
        measured.stop()
    _, statements, _, missing, _ = measured.analysis2(str(path))
    return set(statements) - set(missing), set(missing)


def test_coverage_of_moved_and_changed_code(project: Project) -> None:
    """Coverage finds the lines of moved and of changed functions where the file has them."""
    if sys.gettrace() is not None:
        pytest.skip("is itself measured")
    module = project.start(TEXT)
    held, box = module.second, module.Box()
    changed = HEAD + TEXT.replace("value = 1", "value = 2\n        value += 1")
    project.save(changed)
    ran, missing = executed(project.path, lambda: (held(2), box.size()))
    words = ("return n + 1", "total = first", "return total", "value = 2", "value += 1", "return value")
    assert ran == {project.line(word) for word in words}
    assert missing - {1} == {project.line(word) for word in ("def first", "def second", "class Box", "def size")}


def test_a_warning_names_the_line_of_the_file(project: Project) -> None:
    """A warning of moved code, and one of changed code, name the line where it stands."""
    text = "import warnings\n\ndef old():\n    warnings.warn('old')\n\ndef other():\n    return 1\n"
    module = project.start(text)
    old, other = module.old, module.other
    project.save("\n\n" + text.replace("return 1", "warnings.warn('other')"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        old()
        other()
    assert [(w.filename, w.lineno) for w in caught] == [
        (str(project.path), project.line("'old'")),
        (str(project.path), project.line("'other'")),
    ]


def test_a_traceback_marks_the_columns(project: Project) -> None:
    """A traceback of moved code shows its line and marks the part that failed."""
    module = project.start(TEXT)
    held = module.second
    project.save(HEAD + TEXT.replace("return total / n", "return 1 + total / n"))
    with pytest.raises(ZeroDivisionError) as raised:
        held(0)
    linecache.checkcache(str(project.path))
    last = traceback.extract_tb(raised.value.__traceback__)[-1]
    assert (last.lineno, last.line) == (project.line("return 1"), "return 1 + total / n")
    assert last.line[slice(last.colno - 4, last.end_colno - 4)] == "total / n"
    assert inspect.getsource(held).splitlines()[2] == "    return 1 + total / n"


def _codes(code: CodeType) -> Iterator[Any]:
    yield code.co_qualname, code.co_firstlineno, list(code.co_positions())
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)


def test_a_file_of_five_thousand_lines(project: Project) -> None:
    """In a big file one edit at its top moves everything, and one in its middle changes one function."""
    functions = [f"def f{n}(x):\n    y = x + {n}\n    return [y for _ in range(2)]\n\n\n" for n in range(1000)]
    module = project.start("".join(functions))
    held = [getattr(module, f"f{n}") for n in (0, 500, 999)]
    assert len(project.path.read_text(encoding="utf-8").splitlines()) == 5000
    functions[500] = functions[500].replace("x + 500", "x - 500")
    project.save("# moved\n\n" + "".join(functions))
    assert [f(1)[0] for f in held] == [1, -499, 1000]
    whole = compile(project.path.read_text(encoding="utf-8"), str(project.path), "exec", dont_inherit=True)
    fresh = {code.co_name: code for code in whole.co_consts if isinstance(code, CodeType)}
    for function in (getattr(module, f"f{n}") for n in range(1000)):
        assert list(_codes(function.__code__)) == list(_codes(fresh[function.__name__]))


def test_an_edit_of_the_same_size_with_the_same_time(project: Project) -> None:
    """An edit that changes neither the size nor the modification time of the file is seen all the same."""
    module = project.start(TEXT)
    before = project.path.stat()
    project.path.write_text(TEXT.replace("n + 1", "n + 2"), encoding="utf-8")
    os.utime(project.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert project.path.stat().st_size == before.st_size
    assert project.reloader.reload().outcomes
    assert module.first(1) == 3
