"""The start of a program: the engine is imported later, and nothing that is saved meanwhile is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import hotswap

HEAVY = ("asyncio", "logging", "watchdog", "wrapt", "hotswap._line")


def _run(folder: Path, script: str) -> str:
    (folder / "small.py").write_text("def f():\n    return 1\n", encoding="utf-8")
    path = folder / "script.py"
    path.write_text(textwrap.dedent(script), encoding="utf-8")
    roots = os.pathsep.join((str(folder), str(Path(hotswap.__file__).parents[1])))
    ran = subprocess.run(
        [sys.executable, str(path)], cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": roots},
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.strip()


def test_a_start_imports_no_engine(tmp_path: Path) -> None:
    """What takes long to import comes with the first swap, and the first swap takes what was saved before."""
    out = _run(
        tmp_path,
        f"""
        import sys
        import hotswap
        reloader = hotswap.watch(".", apply="manual")
        import small
        print([name for name in {HEAVY!r} if name in sys.modules])
        with open("small.py", "w") as file:
            file.write("def f():\\n    return 22\\n")
        hotswap.reload()
        print(small.f(), "hotswap._line" in sys.modules)
        """,
    )
    assert out == "[]\n22 True"


def test_a_start_compiles_nothing(tmp_path: Path) -> None:
    """No code and no regular expression: the first of each costs a program's start a millisecond."""
    out = _run(
        tmp_path,
        """
        import os, re, sys, threading, typing, weakref
        os.mkdir("app")
        with open("app/inner.py", "w") as file:
            file.write("A = 1\\n")
        sys.path.insert(0, "app")
        compiled = []
        compile_pattern = re.compile
        re.compile = lambda *given: compiled.append(given) or compile_pattern(*given)
        sys.addaudithook(lambda event, given: compiled.append(given) if event == "compile" else None)
        import hotswap
        hotswap.watch("app", apply="manual")
        import inner
        of_files = [one for one in compiled if str(one[-1]).endswith(".py")]  # where no bytecode is kept
        print([one for one in compiled if one not in of_files and b"lambda _cls" not in (one[0] or b"")])
        """,
    )
    assert out == "[]"


def test_a_file_that_arrives_before_the_engine_counts(tmp_path: Path) -> None:
    """A module that a ``try`` missed, and that is written long before the first swap, is found by it, as others are."""
    out = _run(
        tmp_path,
        """
        import time
        import hotswap
        hotswap.watch(".", apply="manual")
        with open("app.py", "w") as file:
            file.write("try:\\n    import fast\\nexcept ImportError:\\n    fast = None\\n")
        import app
        import small
        with open("small.py", "w") as file:
            file.write("def f():\\n    return 22\\n")
        with open("fast.py", "w") as file:
            file.write("SPEED = 9\\n")
        now = time.time_ns
        time.time_ns = lambda: now() + 10**10
        hotswap.reload()
        print(app.fast.SPEED, small.f())
        """,
    )
    assert out == "9 22"


@pytest.mark.parametrize("apply", ["thread", "poll"])
def test_a_save_right_after_the_start_goes_live(tmp_path: Path, apply: str) -> None:
    """A file that is saved before anybody watches is found when watching begins."""
    out = _run(
        tmp_path,
        f"""
        import time
        import hotswap
        reloader = hotswap.watch(".", apply={apply!r})
        import small
        with open("small.py", "w") as file:
            file.write("def f():\\n    return 22\\n")
        end = time.monotonic() + 50
        while small.f() != 22 and time.monotonic() < end:
            hotswap.poll() if {apply!r} == "poll" else None
            time.sleep(0.01)
        print(small.f())
        """,
    )
    assert out == "22"


def test_a_program_may_end_while_the_engine_is_imported(tmp_path: Path) -> None:
    """A short program ends without a word, whenever that is."""
    for seconds in (0.0, 0.06, 0.09):
        assert _run(tmp_path, f"import time, hotswap; hotswap.watch('.'); time.sleep({seconds})") == ""
