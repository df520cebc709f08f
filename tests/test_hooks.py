"""Other import hooks take part in importing as before, and what is swapped goes the way of what is imported."""

from __future__ import annotations

import ast
import importlib
import importlib.machinery
import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

from hotswap import Reloader, Report

numbers = itertools.count()


class Project:
    """A folder of modules that a reloader looks at; `save` writes a file and swaps."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.reloader = folder, Reloader(folder, apply="manual")
        self.name = f"hooked_{next(numbers)}"
        self.path = folder / f"{self.name}.py"

    def start(self, text: str) -> ModuleType:
        """Begin to watch and import the module: hooks were there before, as in a program that sets them up first."""
        self.path.write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        self.reloader.start()
        return importlib.import_module(self.name)

    def save(self, old: str, new: str) -> Report:
        text = self.path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        self.path.write_text(text.replace(old, new), encoding="utf-8")
        return self.reloader.reload()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project on `sys.path`, and the finders as they were when it is over."""
    finders = list(sys.meta_path)
    sys.path.insert(0, str(tmp_path))
    hooks = list(sys.path_hooks)
    made = Project(tmp_path)
    yield made
    made.reloader.stop()
    sys.path.remove(str(tmp_path))
    sys.meta_path[:], sys.path_hooks[:] = finders, hooks
    sys.path_importer_cache.clear()
    sys.modules.pop(made.name, None)


def put_first(name: str, loader: Callable[[str, str], Any]) -> None:
    """Have the module `name` loaded by `loader`, as import hooks do it: by a finder in front."""

    class Finder:
        def find_spec(self, wanted: str, path: Sequence[str] | None = None, target: object = None) -> Any:
            found = importlib.machinery.PathFinder.find_spec(wanted, path) if wanted == name else None
            if found is None or found.origin is None:
                return None
            return importlib.util.spec_from_file_location(wanted, found.origin, loader=loader(wanted, found.origin))

    sys.meta_path.insert(0, Finder())  # type: ignore[arg-type]  # as in the wild


def failure(function: Callable[..., object], *args: object) -> str:
    with pytest.raises(AssertionError) as raised:
        function(*args)
    return str(raised.value)


def test_assertions_of_swapped_code_are_rewritten(project: Project) -> None:
    """Pytest explains the assertions of new and changed functions as it explains those that it imported."""
    pytest.register_assert_rewrite(project.name)
    module = project.start("def check(a):\n    assert a == 1\n")
    assert failure(module.check, 7) == "assert 7 == 1"
    assert not project.save("assert a == 1", "b = a + 1\n    assert b == 2").findings
    assert failure(module.check, 7) == "assert 8 == 2"
    assert not project.save("def check", "def other(c):\n    assert c == 3\n\ndef check").findings
    assert failure(module.other, 4) == "assert 4 == 3"
    assert failure(module.check, 1 + 1) == "assert 3 == 2"


def test_beartype_checks_swapped_code(project: Project) -> None:
    """Beartype's claw checks the types of functions with a new body, a new header and of new ones."""
    beartype = pytest.importorskip("beartype")
    claw = pytest.importorskip("beartype.claw")
    wrong = pytest.importorskip("beartype.roar").BeartypeCallHintViolation
    claw.beartype_package(project.name, conf=beartype.BeartypeConf())
    module = project.start("def price(n: int) -> int:\n    return n\n")
    held = module.price
    with pytest.raises(wrong):
        held("x")
    assert not project.save("return n", "return n + 1").findings
    assert held(1) == module.price(1) == 2
    with pytest.raises(wrong):
        held("x")
    assert not project.save("def price", "def other(n: int):\n    return n\n\ndef price").findings
    with pytest.raises(wrong):
        module.other("x")
    assert not project.save("def price(n: int)", "def price(n: str)").findings
    with pytest.raises(wrong):
        module.price(1)


def test_typeguard_checks_swapped_code(project: Project) -> None:
    """Typeguard's import hook checks the types of functions with a new body and of new ones."""
    typeguard = pytest.importorskip("typeguard")
    hook = typeguard.install_import_hook([project.name])
    try:
        module = project.start("def price(n: int) -> int:\n    return n\n")
        held = module.price
        assert not project.save("return n", "m: int = n\n    return m + 1").findings
        assert held(1) == 2
        with pytest.raises(typeguard.TypeCheckError):
            held("x")
        assert not project.save("def price", "def other(n: int):\n    return n\n\ndef price").findings
        with pytest.raises(typeguard.TypeCheckError):
            module.other("x")
    finally:
        hook.uninstall()


class Tenfold(ast.NodeTransformer):
    """What hooks of the tests do to a text: integers times ten."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.copy_location(ast.Constant(node.value * 10), node) if type(node.value) is int else node


def tenfold(tree: ast.Module, path: str) -> CodeType:
    code: CodeType = compile(ast.fix_missing_locations(Tenfold().visit(tree)), path, "exec", dont_inherit=True)
    return code


def transforms_source(name: str, path: str) -> Any:
    """Return a loader that overrides ``source_to_code``."""

    class Claw(importlib.machinery.SourceFileLoader):
        def source_to_code(self, data: Any, path: Any, *_: object, **__: object) -> CodeType:
            return tenfold(compile(data, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True), path)

        def set_data(self, path: Any, data: Any, *, _mode: int = 0o666) -> None:
            """Nothing is kept: the code is not that of the file alone."""

    return Claw(name, path)


def makes_code(name: str, path: str) -> Any:
    """Return a loader that overrides ``get_code`` alone."""

    class Coder(importlib.machinery.SourceFileLoader):
        def get_code(self, fullname: str) -> CodeType:
            source = self.get_data(self.get_filename(fullname))
            return tenfold(compile(source, self.path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True), self.path)

    return Coder(name, path)


def executes(name: str, path: str) -> Any:
    """Return a loader that overrides ``exec_module``, as macro packages do."""

    class Runner(importlib.machinery.SourceFileLoader):
        def exec_module(self, module: ModuleType) -> None:
            source = Path(self.path).read_bytes()
            exec(tenfold(ast.parse(source), self.path), vars(module))

    return Runner(name, path)


def translates(name: str, path: str) -> Any:
    """Return a loader that gives another text than the one in the file, as preprocessors do."""

    class Translator(importlib.machinery.SourceFileLoader):
        def get_data(self, path: Any) -> bytes:
            data = super().get_data(path)
            return data.replace(b"function ", b"def ") if str(path).endswith(".py") else data

    return Translator(name, path)


TEXT = """SIZE = 1

def price(n, k=2):
    return n + 3

class Box:
    def size(self):
        return 4
"""


def decodes(name: str, path: str) -> Any:
    """Return a loader whose ``source_to_code`` takes nothing but bytes."""

    class Decoder(importlib.machinery.SourceFileLoader):
        def source_to_code(self, data: Any, path: Any, *_: object, **__: object) -> CodeType:
            text = importlib.util.decode_source(data)
            return tenfold(compile(text, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True), path)

        def set_data(self, path: Any, data: Any, *, _mode: int = 0o666) -> None:
            """Nothing is kept: the code is not that of the file alone."""

    return Decoder(name, path)


def reads_by_itself(name: str, path: str) -> Any:
    """Return a loader whose ``get_code`` opens the file, so that it can give the code of nothing else."""

    class Opener(importlib.machinery.SourceFileLoader):
        def get_code(self, fullname: str) -> CodeType:
            return tenfold(ast.parse(Path(self.path).read_bytes()), self.path)

    return Opener(name, path)


def delegates(name: str, path: str) -> Any:
    """Return a loader that only looks on, as those do that run something after an import."""

    class Watching(importlib.machinery.SourceFileLoader):
        def exec_module(self, module: ModuleType) -> None:
            super().exec_module(module)
            module.__dict__["imported"] = True

    return Watching(name, path)


@pytest.mark.parametrize("loader", [transforms_source, makes_code, decodes])
def test_swapped_code_is_made_by_the_loader(project: Project, loader: Callable[[str, str], Any]) -> None:
    """Bodies, headers, constants, methods and new functions all go through what the loader does to a text."""
    put_first(project.name, loader)
    module = project.start(TEXT)
    held, box = module.price, module.Box()
    assert (module.SIZE, held(0), box.size()) == (10, 30, 40)
    assert not project.save("SIZE = 1", "SIZE = 5").findings
    assert module.SIZE == 50
    assert not project.save("n + 3", "n + 6").findings
    assert not project.save("k=2", "k=7").findings
    assert (held(0), held.__defaults__) == (60, (70,))
    assert not project.save("return 4", "return 8\n\n    def more(self):\n        return 9").findings
    assert (box.size(), box.more()) == (80, 90)
    assert not project.save("class Box", "if SIZE:\n    HEIGHT = 3\n\nclass Box").findings
    assert not project.save("HEIGHT = 3", "HEIGHT = 4").findings
    assert module.HEIGHT == 40


@pytest.mark.parametrize("loader", [transforms_source, makes_code, decodes])
def test_lines_and_columns_stay(project: Project, loader: Callable[[str, str], Any]) -> None:
    """Swapped code that a loader made stands where the file says."""
    put_first(project.name, loader)
    module = project.start(TEXT)
    project.save("return n + 3", "return (\n        n\n        + 6)")
    project.save("return 4", "return 1 + self.n")
    for function in (module.price, module.Box.size):
        lines = project.path.read_text(encoding="utf-8").splitlines()
        positions = {place for place in function.__code__.co_positions() if place[0] and place[2] != place[3]}
        shown = {lines[first - 1][start:end] for first, last, start, end in positions if first == last}
        assert shown & {"n", "self.n"}
        assert function.__code__.co_firstlineno == next(
            n for n, line in enumerate(lines, 1) if f"def {function.__name__}" in line
        )


@pytest.mark.parametrize("loader", [reads_by_itself, executes])
def test_code_that_cannot_be_made_is_held(project: Project, loader: Callable[[str, str], Any]) -> None:
    """Where the loader cannot be asked for the code of a statement, nothing is applied, and that is told."""
    put_first(project.name, loader)
    module = project.start(TEXT)
    assert module.price(0) == 30
    report = project.save("n + 3", "n + 6")
    assert [found.code for found in report.findings] == ["HS308"]
    assert type(module.__loader__.__wrapped__).__name__ in report.findings[0].message
    assert (module.price(0), module.SIZE) == (30, 10)
    assert [found.code for found in project.reloader.errors()] == ["HS308"]


def test_a_loader_that_looks_on_is_no_obstacle(project: Project) -> None:
    """A loader that runs the module as Python does, and more, is no reason to hold anything."""
    put_first(project.name, delegates)
    module = project.start(TEXT)
    assert not project.save("n + 3", "n + 6").findings
    assert (module.price(0), module.imported) == (6, True)


def test_a_translated_text_is_held(project: Project) -> None:
    """A file that is no Python before its loader translates it is told as one that cannot be read."""
    put_first(project.name, translates)
    module = project.start("function price(n):\n    return n\n")
    report = project.save("return n", "return n + 1")
    assert [found.code for found in report.findings] == ["HS301"]
    assert module.price(1) == 1


def test_a_hook_in_front_of_ours_hides_nothing(project: Project) -> None:
    """A hook that comes later stands first; what it loads is known from the next import on, whoever does that."""
    project.reloader.start()
    put_first(project.name, delegates)
    module = project.start(TEXT)
    assert importlib.util.find_spec("a_module_that_is_not_there") is None
    assert not project.save("SIZE = 1", "SIZE = 5").findings
    assert module.SIZE == 5


def test_a_module_that_a_hook_hid_is_looked_at(project: Project) -> None:
    """What was loaded behind our back and edited before anybody looked is compared with its file, and told."""
    project.reloader.start()
    put_first(project.name, delegates)
    module = project.start(TEXT)
    report = project.save("SIZE = 1", "SIZE = 5")
    assert [(found.code, found.lineno) for found in report.findings] == [("HS231", 1)]
    assert "SIZE" in report.findings[0].message
    assert not project.save("n + 3", "n + 6").findings
    assert (module.SIZE, module.price(0)) == (1, 6)
