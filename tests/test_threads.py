"""Threads that call into modules while these are swapped, and swaps that are asked for where there can be none."""

from __future__ import annotations

import importlib
import itertools
import os
import subprocess
import sys
import sysconfig
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hotswap
from hotswap import Report
from hotswap._line import Line
from hotswap._modules import Entry

SWAPS = int(os.environ.get("HOTSWAP_SWAPS", "200"))
THREADS = 8
BURST = 50

pytestmark = pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="waves are atomic where there is a GIL"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def _write(path: Path, text: str) -> None:
    path.write_text(textwrap.dedent(text), encoding="utf-8")


TEXT = """
RATE = {n}
TABLE = [{n}, {n}]

def left(a={n}, *, b={n}):
    return a, b, {n}

def right(a={n}):
    return a, {n}

class Shop:
    price = {n}

    def sell(self, count={n}):
        return count, {n}
"""


def _write_generation(folder: Path, number: int) -> None:
    (folder / "live_shop.py").write_text(TEXT.format(n=number), encoding="utf-8")


def _callers(module: Any, shop: Any) -> list[Callable[[], tuple[Any, ...]]]:
    left, right = module.left, module.right  # references taken once, as a registry has them
    return [
        lambda: left(),
        lambda: right(),
        lambda: module.left(),
        lambda: shop.sell(),
        lambda: type(shop).sell(shop),
        lambda: (sys.modules["live_shop"].RATE,),
        lambda: (__import__("live_shop").RATE,),
        lambda: (module.TABLE, module.Shop.price)[2:],
    ]


def test_each_call_sees_one_generation(folder: Path) -> None:
    """Whatever eight threads call while swaps are applied has code, defaults and names of one generation; none is
    missing.
    """
    _write_generation(folder, 0)
    import live_shop  # type: ignore[import-not-found]

    stop, wrong, calls = threading.Event(), list[object](), [0] * THREADS

    def work(index: int, call: Callable[[], tuple[Any, ...]]) -> None:
        while not stop.is_set():
            try:
                got = call()
            except BaseException as error:  # noqa: BLE001  whatever a thread meets is what is to be told
                wrong.append(error)
                return
            calls[index] += 1
            if calls[index] % BURST == 0:
                time.sleep(0.001)  # else eight busy threads leave the ninth, which swaps, a tenth of the time
            if len(set(got)) > 1:
                wrong.append((index, got))

    pairs = enumerate(_callers(live_shop, live_shop.Shop()))
    threads = [threading.Thread(target=work, args=pair) for pair in pairs]
    with hotswap.Reloader(folder, apply="manual") as reloader:
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-4)
        for thread in threads:
            thread.start()
        try:
            for number in range(1, SWAPS + 1):
                _write_generation(folder, number)
                report = reloader.reload()
                assert not report.errors, report
                assert (live_shop.RATE, live_shop.left(), live_shop.Shop.price) == (number, (number,) * 3, number)
        finally:
            stop.set()
            sys.setswitchinterval(interval)
            for thread in threads:
                thread.join()
    assert not wrong, wrong[:3]
    assert min(calls) > 0


def test_two_functions_match_between_two_bytecodes(folder: Path) -> None:
    """Code of two functions that belong together is set in one step: a thread never finds one new and one old."""
    text = "def one():\n    return {n}\n\ndef two():\n    return {n}\n"
    (folder / "live_pair.py").write_text(text.format(n=0))
    import live_pair  # type: ignore[import-not-found]

    stop, torn = threading.Event(), list[object]()

    def look() -> None:
        one, two = live_pair.one, live_pair.two
        for turn in itertools.takewhile(lambda _: not stop.is_set(), itertools.count()):
            time.sleep(0.001 * (turn % BURST == 0))
            codes = one.__code__, two.__code__, one.__code__  # the first again: between the two no swap was
            if codes[0] is codes[2] and codes[0].co_consts != codes[1].co_consts:
                torn.append(codes)

    threads = [threading.Thread(target=look) for _ in range(THREADS)]
    with hotswap.Reloader(folder, apply="manual") as reloader:
        for thread in threads:
            thread.start()
        for number in range(1, SWAPS // 4):
            (folder / "live_pair.py").write_text(text.format(n=number))
            reloader.reload()
        stop.set()
        for thread in threads:
            thread.join()
    assert not torn, torn[:3]


def test_the_place_in_sys_modules_stays(folder: Path) -> None:
    """A module that is swapped keeps its place in `sys.modules`, and its spec, loader and path objects."""
    _write(folder / "live_place.py", "A = 1\n")
    import live_place  # type: ignore[import-not-found]

    before, names = dict(vars(live_place)), list(sys.modules)
    with hotswap.Reloader(folder, apply="manual") as reloader:
        _write(folder / "live_place.py", "A = 2\nSEEN = __spec__\n")
        reloader.reload()
    assert live_place.SEEN is before["__spec__"]
    assert [name for name in sys.modules if name in names] == names
    assert all(vars(live_place)[name] is before[name] for name in ("__spec__", "__loader__", "__file__"))


# ------------------------------------------------------------------------------------------------ imports and swaps


def _in_time(act: Callable[[], object], seconds: float = 60) -> None:
    done = list[object]()
    thread = threading.Thread(target=lambda: done.append(act()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert done, "it hangs"


def test_an_import_in_another_thread_is_waited_for(folder: Path) -> None:
    """A swap whose statement needs a module that another thread is importing gets it, whole."""
    gates = folder / "live_gates.py"
    _write(gates, "import threading\nentered, go = threading.Event(), threading.Event()\n")
    _write(folder / "live_slow.py", "import live_gates\nlive_gates.entered.set()\nlive_gates.go.wait(60)\nVALUE = 7\n")
    _write(folder / "live_fast.py", "A = 1\n")
    import live_fast  # type: ignore[import-not-found]
    import live_gates  # type: ignore[import-not-found]

    with hotswap.Reloader(folder, apply="manual") as reloader:
        importing = threading.Thread(target=lambda: __import__("live_slow"))
        importing.start()
        assert live_gates.entered.wait(60)
        _write(folder / "live_fast.py", "A = 1\nfrom live_slow import VALUE\n")
        threading.Timer(0.1, live_gates.go.set).start()
        _in_time(reloader.reload)
        importing.join()
    assert live_fast.VALUE == 7


def test_an_import_does_not_wait_for_a_swap_that_waits_for_it(folder: Path) -> None:
    """A module that asks for a swap while it is imported, by a thread that a swap waits for, is told: no deadlock."""
    _write(
        folder / "live_gates.py",
        "import threading\nentered, go, swap, report = threading.Event(), threading.Event(), None, None\n",
    )
    _write(
        folder / "live_asking.py",
        "import live_gates\nlive_gates.entered.set()\nlive_gates.go.wait(60)\nREPORT = live_gates.swap()\n",
    )
    _write(folder / "live_base.py", "A = 1\n")
    import live_base  # type: ignore[import-not-found]
    import live_gates  # type: ignore[import-not-found]

    with hotswap.Reloader(folder, apply="manual") as reloader:
        live_gates.swap = reloader.reload
        importing = threading.Thread(target=lambda: __import__("live_asking"), daemon=True)
        importing.start()
        assert live_gates.entered.wait(60)
        _write(folder / "live_base.py", "import live_gates\nlive_gates.go.set()\nimport live_asking\nA = 2\n")
        _in_time(reloader.reload)
        importing.join(60)
    assert live_base.A == 2
    assert [found.code for found in sys.modules["live_asking"].REPORT.findings] == ["HS307"]


def test_a_function_that_asks_for_its_own_swap_goes_on(folder: Path) -> None:
    """`reload()` inside a function that is being swapped returns, tells that it runs its old code, and the next call
    is new.
    """
    text = "def f(swap):\n    report = swap()\n    return {n}, report\n"
    _write(folder / "live_own.py", text.format(n=1))
    import live_own  # type: ignore[import-not-found]

    with hotswap.Reloader(folder, apply="manual") as reloader:

        def save_and_swap() -> Report:
            _write(folder / "live_own.py", text.format(n=2))
            return reloader.reload()

        number, report = live_own.f(save_and_swap)
        assert number == 1
        assert [found.code for found in report.findings] == ["HS207"]
        assert live_own.f(reloader.reload)[0] == 2


def test_a_callback_may_ask_for_a_swap(folder: Path) -> None:
    """`on_report` that calls `reload()` is not called again for what comes of that, also while an edit is held."""
    _write(folder / "live_told.py", "A = 1\n")
    import live_told  # type: ignore[import-not-found]  # noqa: F401  it is what changes

    seen = list[str]()

    def again(report: Report) -> None:
        seen.append(str(report))
        inner.append(reloader.reload())

    inner = list[Report]()
    with hotswap.Reloader(folder, apply="manual", on_report=again) as reloader:
        _write(folder / "live_told.py", "A = (\n")
        reloader.reload()
    assert len(seen) == len(inner) == 1


def test_a_save_during_a_swap_makes_the_next_one(folder: Path) -> None:
    """What is saved while statements of a swap run is not lost and not mixed in: the next look applies it."""
    _write(folder / "live_gates.py", "save = lambda: None\n")
    _write(folder / "live_saved.py", "import live_gates\nA = 1\n")
    import live_gates  # type: ignore[import-not-found]
    import live_saved  # type: ignore[import-not-found]

    with hotswap.Reloader(folder, apply="manual") as reloader:
        second = "import live_gates\nlive_gates.save()\nA = 3\n"
        live_gates.save = lambda: _write(folder / "live_saved.py", second)
        _write(folder / "live_saved.py", "import live_gates\nlive_gates.save()\nA = 2\n")
        reloader.reload()
        assert live_saved.A == 2
        reloader.reload()
        assert live_saved.A == 3


def test_an_import_while_modules_are_listed_is_not_missed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread lists what is loaded while another one imports: the next save of that module is found."""
    _write(folder / "live_second.py", "B = 1\n")

    def list_and_import(line: Line) -> list[Entry]:
        found = entries(line)
        importlib.import_module("live_second")
        return found

    with hotswap.Reloader(folder, apply="poll") as reloader:
        reloader.look()
        entries = Line.entries
        with monkeypatch.context() as patched:
            patched.setattr(Line, "entries", list_and_import)
            _write(folder / "live_second.py", "B = 1\n")  # not loaded yet
            reloader.look()
        _write(folder / "live_second.py", "B = 2\n")
        reloader.look()
        assert sys.modules["live_second"].B == 2


# ------------------------------------------------------------------------------------------------ forks and the end


def _python(folder: Path, script: str, *options: str) -> str:
    path = folder / "script.py"
    _write(path, script)
    ran = subprocess.run(
        [sys.executable, *options, str(path)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(Path(hotswap.__file__).parents[1])))},
    )
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    return ran.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_follows_the_files(folder: Path) -> None:
    """A child of a process that watches, forked while another thread swaps, swaps and watches by itself."""
    (folder / "watched").mkdir()
    _write(folder / "watched" / "live_child.py", "import time\nA = 1\n")
    out = _python(
        folder,
        """
        import os, sys, threading, time
        sys.path.insert(0, "watched")
        import live_child, hotswap

        reloader = hotswap.Reloader("watched", apply="thread").start()
        with open("watched/live_child.py", "w") as file:
            file.write("import time\\nA = 1\\ntime.sleep(0.3)\\nA = 2\\n")
        time.sleep(0.15)
        child = os.fork()
        if child:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        time.sleep(0.5)
        with open("watched/live_child.py", "w") as file:
            file.write("import time\\nA = 3\\n")
        end = time.monotonic() + 60
        while live_child.A != 3 and time.monotonic() < end:
            time.sleep(0.01)
        os._exit(live_child.A != 3)
        """,
        "-W",
        "ignore::DeprecationWarning",  # that processes with threads should not fork
    )
    assert out == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_workers_of_a_server_follow_the_files(folder: Path) -> None:
    """Processes that a server forks before it serves each follow the files, and so does the server."""
    (folder / "watched").mkdir()
    _write(folder / "watched" / "live_worker.py", "A = 1\n")
    out = _python(
        folder,
        """
        import os, sys, time
        sys.path.insert(0, "watched")
        import live_worker, hotswap

        def follows():
            end = time.monotonic() + 60
            while live_worker.A != 22 and time.monotonic() < end:
                time.sleep(0.02)
            return live_worker.A == 22

        hotswap.watch("watched")
        workers, ready = [], os.pipe()
        for number in range(3):
            worker = os.fork()
            if not worker:
                os.write(ready[1], b".")
                os._exit(0 if follows() else 1)
            workers.append(worker)
        for _ in workers:
            os.read(ready[0], 1)
        with open("watched/live_worker.py", "w") as file:
            file.write("A = 22\\n")
        print(*[os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) for worker in workers], follows())
        """,
        "-W",
        "ignore::DeprecationWarning",  # that processes with threads should not fork
    )
    assert out.split() == ["0", "0", "0", "True"]


@pytest.mark.parametrize("mode", ["thread", "auto", "poll", "manual"])
def test_the_interpreter_ends_at_once_and_in_silence(folder: Path, mode: str) -> None:
    """A program that ends while it is watched, and while a save waits, ends as without us: no hang, no word."""
    (folder / "watched").mkdir()
    _write(folder / "watched" / "live_end.py", "A = 1\n")
    _python(
        folder,
        f"""
        import sys, threading
        sys.path.insert(0, "watched")
        import live_end, hotswap

        reloader = hotswap.Reloader("watched", apply="{mode}").start()
        for number in range(30):
            with open("watched/live_end.py", "w") as file:
                file.write(f"A = {{number}}\\n")
        others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
        assert all(thread.daemon for thread in others), others  # nobody is waited for
        """,
        "-X",
        "dev",
    )
