"""Programs run by hotswap and by plain Python, side by side: output, errors and exit code have to be the same."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

import hotswap

HOME = str(Path(hotswap.__file__).parents[1])
DEADLINE = 60.0


class Ending(NamedTuple):
    """What a program left behind: exit code (negative: the signal that killed it) and its two streams."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Program:
    """`files` in a folder, and the words that run one of them from there. `options` go to the interpreter."""

    name: str
    files: Mapping[str, str]
    words: Sequence[str] = ("app.py",)
    options: Sequence[str] = field(default=())


def app(name: str, text: str, *words: str, options: Sequence[str] = ()) -> Program:
    """A program of one file, `app.py`."""
    return Program(name, {"app.py": textwrap.dedent(text)}, words or ("app.py",), options)


SHOW_MAIN = """
    import sys, __main__
    print([(k, v) for k, v in vars(__main__).items() if k not in ("__loader__", "__spec__", "sys", "__main__")])
    print(__loader__.__class__, __loader__.name, getattr(__loader__, "path", None), getattr(__spec__, "name", None))
    print(__builtins__, sys.modules["__main__"] is __main__, vars(__main__) is globals())
    print(sys.argv, sys.path[0], sys.flags.safe_path)
"""
TREE = {
    "pkg/__init__.py": "",
    "pkg/other.py": "def word():\n    return 'other'\n",
    "pkg/__main__.py": textwrap.dedent(SHOW_MAIN) + "from .other import word\nprint(word())\n",
}

PROGRAMS = (
    app(
        "an exception in a function",
        """
        def inner(x):
            return 1 / x
        def outer():
            inner(0)
        outer()
    """,
    ),
    app("an exception on the first level", "x = 1\nprint(undefined_name)\n"),
    app(
        "a cause",
        """
        try:
            {}["key"]
        except KeyError as exc:
            raise ValueError("no such key") from exc
    """,
    ),
    app(
        "a context",
        """
        def fail():
            try:
                int("x")
            except ValueError:
                open("/does/not/exist")
        fail()
    """,
    ),
    app("a suppressed context", "try:\n    1/0\nexcept Exception:\n    raise OSError('x') from None\n"),
    app(
        "an exception group",
        """
        def one():
            raise ValueError("one")
        try:
            one()
        except ValueError as exc:
            raise ExceptionGroup("several", [exc, TypeError("two")])
    """,
    ),
    app("notes", "e = ValueError('x')\ne.add_note('more')\nraise e\n"),
    app("an import that fails", "import no_such_module_anywhere\n"),
    Program(
        "an exception in an imported module",
        {"app.py": "import part\npart.run()\n", "part.py": "def run():\n    raise RuntimeError('here')\n"},
    ),
    Program("an exception while importing", {"app.py": "import part\n", "part.py": "\n\nraise RuntimeError('here')\n"}),
    app("a syntax error", "x = 1\ndef f(:\n    pass\n"),
    app("an indentation error", "def f():\nreturn 1\n"),
    app("an unclosed bracket", "print((1, 2)\nx = 3\n"),
    Program("a syntax error in an import", {"app.py": "import part\n", "part.py": "def f(\n"}),
    app("the end", "print('fine')\n"),
    app("exit without a code", "import sys\nsys.exit()\n"),
    app("exit with zero", "import sys\nsys.exit(0)\n"),
    app("exit with a number", "import sys\nsys.exit(7)\n"),
    app("exit with a large number", "import sys\nsys.exit(300)\n"),
    app("exit with words", "import sys\nsys.exit('it failed')\n"),
    app("exit with an object", "raise SystemExit([1, 2])\n"),
    app("exit with True", "raise SystemExit(True)\n"),
    app("exit from a function in finally", "try:\n    1/0\nfinally:\n    raise SystemExit(4)\n"),
    app("the builtin exit", "exit(3)\n"),
    app("os._exit", "import os\nprint('now', flush=True)\nos._exit(9)\n"),
    app("a raised KeyboardInterrupt", "def f():\n    raise KeyboardInterrupt\nf()\n"),
    app("a subclass of KeyboardInterrupt", "class Stop(KeyboardInterrupt): pass\nraise Stop('x')\n"),
    app(
        "an interrupt by signal",
        """
        import atexit, os, signal
        atexit.register(print, "atexit ran")
        try:
            os.kill(os.getpid(), signal.SIGINT)
            while True:
                pass
        finally:
            print("finally ran")
    """,
    ),
    app(
        "a handled interrupt",
        """
        import os, signal, sys
        try:
            os.kill(os.getpid(), signal.SIGINT)
            while True:
                pass
        except KeyboardInterrupt:
            sys.exit(5)
    """,
    ),
    app("a base exception", "class Odd(BaseException): pass\nraise Odd('x')\n"),
    app("recursion without end", "def f(n):\n    return f(n + 1)\nf(0)\n"),
    app(
        "an exception in a thread",
        """
        import threading
        def work():
            raise ValueError("in a thread")
        thread = threading.Thread(target=work, name="worker")
        thread.start(); thread.join()
        print("main goes on")
    """,
    ),
    app(
        "a thread that outlives the main one",
        """
        import atexit, threading
        gate = threading.Event()
        def work():
            gate.wait()
            print("thread ends")
        atexit.register(print, "atexit after threads")
        threading.Thread(target=work).start()
        gate.set()
        print("main ends")
    """,
    ),
    app(
        "a thread that outlives an exception",
        """
        import threading
        threading.Thread(target=lambda: (threading.main_thread().join(), print("thread ends"))).start()
        raise ValueError("main is gone")
    """,
    ),
    app(
        "an excepthook",
        """
        import sys, traceback
        def hook(kind, value, tb):
            print("hook", kind.__name__, value, sys.exc_info(), sys.excepthook is hook, value.__traceback__ is tb)
            print([entry.name for entry in traceback.extract_tb(tb)], value.__context__)
        sys.excepthook = hook
        def f():
            1 / 0
        f()
    """,
    ),
    app(
        "an excepthook that fails",
        """
        import sys
        def hook(kind, value, tb):
            raise RuntimeError("in the hook")
        sys.excepthook = hook
        def f():
            1 / 0
        f()
    """,
    ),
    app(
        "an excepthook that exits",
        """
        import sys
        def hook(kind, value, tb):
            sys.exit(6)
        sys.excepthook = hook
        1 / 0
    """,
    ),
    app("no excepthook", "import sys\ndel sys.excepthook\n1 / 0\n"),
    app(
        "the last exception",
        """
        import atexit, sys, traceback
        def tell():
            print(sys.last_type, sys.last_value, traceback.extract_tb(sys.last_traceback))
            print(sys.last_value.__traceback__ is sys.last_traceback)
        atexit.register(tell)
        1 / 0
    """,
    ),
    app("atexit in order", "import atexit\natexit.register(print, 1)\natexit.register(print, 2)\nprint(0)\n"),
    app("arguments", "import sys\nprint(sys.argv)\n", "app.py", "-v", "--root", "x", "--", "-m", "a b", "--help"),
    app("attributes of __main__", SHOW_MAIN),
    app("a path with dots", SHOW_MAIN, "./../{folder}/app.py"),
    app("a safe path", SHOW_MAIN, options=["-P"]),
    app("an isolated interpreter's flags", "import sys\nprint(sys.flags)\n", options=["-B", "-O"]),
    app("a docstring", "'''About.'''\nprint(__doc__)\n"),
    app(
        "a warning",
        """
        import warnings
        def old():
            warnings.warn("old is old", DeprecationWarning, stacklevel=2)
        warnings.warn("plain")
        old()
    """,
    ),
    app("a warning of the compiler", "x = '\\d'\nassert (1, 'x')\nprint(x)\n"),
    app("warnings as errors", "import warnings\nwarnings.warn('stop')\n", options=["-W", "error"]),
    app("a compiler warning as error", "x = 1 is 1\n", options=["-W", "error"]),
    app("a declared encoding", "# -*- coding: latin-1 -*-\nprint(ascii('\xe9'))\n"),
    app("a __future__ line", "from __future__ import annotations\ndef f(x: nothing): pass\nprint(f.__annotations__)\n"),
    app("no __future__ line of ours", "def f(x: int): pass\nprint(f.__annotations__)\n"),
    app(
        "a pickled class of __main__",
        """
        import pickle
        class Point:
            def __init__(self, x): self.x = x
        data = pickle.dumps(Point(3))
        print(b"__main__" in data, pickle.loads(data).x, Point.__module__)
    """,
    ),
    app(
        "a look at oneself",
        """
        import inspect, sys
        def f():
            return 1
        print(inspect.getsource(f), inspect.getsourcefile(sys.modules["__main__"]))
    """,
    ),
    app(
        "children of multiprocessing",
        """
        import multiprocessing, sys, threading
        def work(x):
            names = sorted(thread.name for thread in threading.enumerate())
            return x * 2, __name__, "hotswap" in sys.modules, names
        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(work, [1, 2]))
    """,
    ),
    app("a missing file", "", "nope.py"),
    app("a missing folder", "", "nope/app.py", "arg"),
    app("a file taken for a folder", "", "app.py/"),
    Program(
        "a folder", {f"d/{k}": v for k, v in TREE.items()} | {"d/__main__.py": textwrap.dedent(SHOW_MAIN)}, ["d", "x"]
    ),
    Program("the current folder", {"__main__.py": textwrap.dedent(SHOW_MAIN)}, ["."]),
    Program("a folder with a safe path", {"d/__main__.py": "import sys\nprint(sys.path[0])\n"}, ["d"], ["-P"]),
    Program("a folder that fails", {"d/__main__.py": "def f():\n    1/0\nf()\n"}, ["d"]),
    Program("a folder without __main__", {"d/app.py": ""}, ["d"]),
    Program("a module", {"app.py": textwrap.dedent(SHOW_MAIN)}, ["-m", "app", "-x", "--y"]),
    Program("a module, glued", {"app.py": textwrap.dedent(SHOW_MAIN)}, ["-mapp", "-x"]),
    Program("a package", TREE, ["-m", "pkg", "arg"]),
    Program("a module in a package", TREE, ["-m", "pkg.__main__"]),
    Program(
        "a parent package that prints",
        {"pkg/__init__.py": "import sys\nprint(sys.argv)\n", "pkg/app.py": "print(1)\n"},
        ["-m", "pkg.app", "x"],
    ),
    Program("a module that fails", {"app.py": "def f():\n    raise ValueError('x')\nf()\n"}, ["-m", "app"]),
    Program("a module that exits", {"app.py": "raise SystemExit(12)\n"}, ["-m", "app"]),
    Program("a module that is interrupted", {"app.py": "raise KeyboardInterrupt\n"}, ["-m", "app"]),
    Program(
        "a module that was imported before",
        {"pkg/__init__.py": "import pkg.app\n", "pkg/app.py": "print(__name__)\n"},
        ["-m", "pkg.app"],
    ),
    Program("a module with a compiler warning", {"app.py": "assert (1, 'x')\n"}, ["-m", "app"], ["-B"]),
    Program("a missing module", {}, ["-m", "no_such_module_anywhere"]),
    Program("a missing submodule", TREE, ["-m", "pkg.nope"]),
    Program("a module named as a file", {"app.py": ""}, ["-m", "app.py"]),
    Program("a package without __main__", {"pkg/__init__.py": ""}, ["-m", "pkg"]),
    Program("a relative name", {}, ["-m", ".pkg"]),
)


def lay_out(folder: Path, files: Mapping[str, str]) -> None:
    """Write `files` below `folder`, in Latin-1 where the text says so."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="latin-1" if "latin-1" in text else "utf-8")


def environment() -> dict[str, str]:
    """The tests' own, with this hotswap importable and nothing that colours or caches."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_"))}
    return kept | {"PYTHONPATH": HOME, "PYTHONDONTWRITEBYTECODE": "1", "PYTHON_COLORS": "0"}


def begin(folder: Path, words: Sequence[str]) -> subprocess.Popen[str]:
    """Start this interpreter in `folder`."""
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        env=environment(),
        text=True,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def end(process: subprocess.Popen[str]) -> Ending:
    """Wait for `process`; addresses and the depth of a recursion, which our frames shorten, are made equal."""
    try:
        out, err = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
    plain = [
        re.sub(r"repeated \d+ more times", "repeated N more times", re.sub("0x[0-9a-f]+", "0x0", text))
        for text in (out, err)
    ]
    return Ending(process.returncode, *plain)


def both(folder: Path, words: Sequence[str], options: Sequence[str] = ()) -> tuple[Ending, Ending]:
    """Run `words` as plain Python does and live, at the same time, from `folder`."""
    words = [word.format(folder=folder.name) for word in words]
    plain = begin(folder, [*options, *words])
    live = begin(folder, [*options, "-m", "hotswap", "-q", "--root", str(folder), *words])
    try:
        return end(plain), end(live)
    finally:
        live.kill()


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    """Children take Ctrl-C, also where the tests themselves run in a shell's background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_runs_as_under_plain_python(tmp_path: Path, program: Program) -> None:
    """A program that is run live ends as it does without hotswap, to the letter."""
    lay_out(tmp_path, program.files)
    plain, live = both(tmp_path, program.words, program.options)
    assert live == plain


def test_zip_file_runs(tmp_path: Path) -> None:
    """A zip file with a __main__.py runs, and its traceback names the file in it."""
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("__main__.py", textwrap.dedent(SHOW_MAIN) + "1 / 0\n")
    plain, live = both(tmp_path, ["app.zip", "x"])
    assert live == plain
    assert live.code == 1


def test_bytecode_file_runs(tmp_path: Path) -> None:
    """A compiled file runs although it has no text to watch."""
    lay_out(tmp_path, {"app.py": textwrap.dedent(SHOW_MAIN)})
    subprocess.run(
        [sys.executable, "-c", "import py_compile; py_compile.compile('app.py', 'app.pyc')"], cwd=tmp_path, check=True
    )
    plain, live = both(tmp_path, ["app.pyc"])
    assert live == plain


def test_link_to_a_script_puts_the_real_folder_first(tmp_path: Path) -> None:
    """A script that is run by a link finds the modules that lie beside the real file."""
    lay_out(tmp_path, {"real/app.py": "import part, sys\nprint(sys.path[0], __file__)\n", "real/part.py": ""})
    (tmp_path / "link.py").symlink_to("real/app.py")
    plain, live = both(tmp_path, ["link.py"])
    assert live == plain
    assert live.code == 0


def test_undeclared_encoding_fails_with_the_words_for_a_file(tmp_path: Path) -> None:
    """A script in an encoding that it does not declare is refused as plain Python refuses it."""
    (tmp_path / "app.py").write_bytes(b"a = 1\nb = '\xe9'\n")
    plain, live = both(tmp_path, ["app.py"])
    assert live == plain


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
@pytest.mark.parametrize("words", [["app.py"], ["-m", "app"]], ids=["script", "module"])
def test_control_c_ends_a_sleeping_program(tmp_path: Path, words: list[str]) -> None:
    """Ctrl-C during a blocking call shows the program's traceback alone, and the process dies by SIGINT.

    It sleeps in short pieces: CPython sleeps on if the signal comes between its last look and the system call. All is
    in one line, so that the traceback is the same wherever the signal meets it.
    """
    line = "for times in itertools.count(): times or print('ready', flush=True); time.sleep(0.1)\n"
    lay_out(tmp_path, {"app.py": f"import itertools, time\n{line}"})
    endings = []
    for before in ([], ["-m", "hotswap", "-q", "--root", str(tmp_path)]):
        process = begin(tmp_path, [*before, *words])
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        ending = end(process)
        endings.append(ending._replace(err=re.sub(r"\n *[~^]+\n", "\n", ending.err)))  # either half of the line
    assert endings[0] == endings[1]
    assert endings[0].code == -signal.SIGINT


CONSOLE = "import sys\nfrom hotswap.cli import main\nif __name__ == '__main__':\n    sys.exit(main())\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SHOW_MAIN, ["app.py", "x"]),
        (SHOW_MAIN, ["-m", "app", "x"]),
        ("def f():\n    1 / 0\nf()\n", ["app.py"]),
        ("def f():\n    1 / 0\nf()\n", ["-m", "app"]),
        ("def f():\n    raise KeyboardInterrupt\nf()\n", ["app.py"]),
        ("import sys\nsys.exit('words')\n", ["app.py"]),
    ],
)
def test_console_script_runs_as_plain_python(tmp_path: Path, text: str, words: list[str]) -> None:
    """The installed command does the same; its own folder is not on the program's path, nor runpy in its traceback."""
    lay_out(tmp_path, {"app/app.py": textwrap.dedent(text), "bin/hotswap": CONSOLE})
    folder = tmp_path / "app"
    plain = end(begin(folder, words))
    live = end(begin(folder, ["../bin/hotswap", "-q", "--root", str(folder), *words]))
    assert live == plain._replace(err=re.sub('  File "<frozen runpy>".*\n', "", plain.err))


DRIVER = """
import sys
from hotswap import _program

def start(folder):
    print("start", folder, sys.argv, sys.path[0], "app" in sys.modules or "pkg" in sys.modules)
    def adopt(path, text):
        print("adopt", path, text, sys.modules["__main__"].__file__, "x" in vars(sys.modules["__main__"]))
    return adopt

kind, word, *argv = sys.argv[1:]
(_program.run_module if kind == "-m" else _program.run_path)(word, argv, start)
"""
TOLD = [
    ("script app.py a", ["start {0} ['app.py', 'a'] {0} False", "adopt {0}/app.py b'x = 1\\n' {0}/app.py False"]),
    ("script d", ["start {0}/d ['d'] {0}/d False", "adopt {0}/d/__main__.py b'x = 2\\n' {0}/d/__main__.py False"]),
    ("-m app a", ["start {0} ['-m', 'a'] {0} False", "adopt {0}/app.py b'x = 1\\n' {0}/app.py False"]),
    ("-m pkg", ["start {0} ['-m'] {0} False", "adopt {0}/pkg/__main__.py b'x = 3\\n' {0}/pkg/__main__.py False"]),
    ("script broken.py", ["start {0} ['broken.py'] {0} False"]),
    ("script nope.py", []),
]


@pytest.mark.parametrize(("line", "told"), TOLD, ids=[line for line, _ in TOLD])
def test_start_and_text_are_told_in_time(tmp_path: Path, line: str, told: list[str]) -> None:
    """Watching begins before the program is imported, and the text of __main__ is told before it runs."""
    files = {"app.py": "x = 1\n", "d/__main__.py": "x = 2\n", "pkg/__init__.py": "", "pkg/__main__.py": "x = 3\n"}
    lay_out(tmp_path, {**files, "broken.py": "(\n"})
    ending = end(begin(tmp_path, ["-c", DRIVER, *line.split()]))
    assert ending.out.splitlines() == [row.format(tmp_path) for row in told]
