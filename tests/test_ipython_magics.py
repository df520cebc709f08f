"""The magic in a real kernel: each verb, completion and help, one cell left alone, the other reloader, unloading."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("ipykernel")
pytest.importorskip("jupyter_client")

from notebook import Kernel, Shown


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    kernel = Kernel(tmp_path_factory.mktemp("magics"))
    kernel.write("told", "N = 1\n\n\ndef f():\n    return N\n")
    kernel.write("user", "from told import N\n\nDOUBLE = 2 * N\n")
    kernel.run("%load_ext hotswap\nimport told, user\nfrom told import N")
    yield kernel
    kernel.stop()


def said(shown: Shown) -> str:
    return "\n".join(shown.displayed)


def test_a_cell_can_be_left_alone(kernel: Kernel) -> None:
    """`%%hotswap off` runs its cell as any other, `await` and value included, with the old code; only that cell."""
    kernel.write("left", "V = 1\n")
    kernel.run("import left")
    kernel.write("left", "V = 2\n")
    assert kernel.run("%%hotswap off\nimport asyncio\nawait asyncio.sleep(0)\nleft.V") == Shown(value="1")
    assert kernel.run("left.V").value == "2"


def test_off_and_on(kernel: Kernel) -> None:
    """After `off` nothing is applied until `on`; `now` applies at once."""
    kernel.write("paused", "V = 1\n")
    kernel.run("import paused")
    assert said(kernel.run("%hotswap off")) == "hotswap: off: nothing is applied until %hotswap on"
    kernel.write("paused", "V = 2\n")
    assert kernel.run("paused.V") == Shown(value="1")
    assert said(kernel.run("%hotswap now\nprint(paused.V)")).startswith("hotswap: paused - V")
    kernel.run("%hotswap on")
    kernel.write("paused", "V = 3\n")
    assert kernel.run("paused.V").value == "3"


def test_status_has_the_last_reports(kernel: Kernel) -> None:
    """`%hotswap` alone: whether it looks, what is looked after, and the last reports as text and as HTML."""
    kernel.write("told", "N = 10\n\n\ndef f():\n    return N\n")
    kernel.run("pass")
    shown = kernel.run("%hotswap")
    assert "on: the disk is looked at before each cell" in said(shown)
    assert "told - N; user - N, DOUBLE; __main__ - N" in said(shown)
    assert shown.html[0].count("<details class") >= 1


def test_plan_says_what_would_happen_and_does_nothing(kernel: Kernel) -> None:
    """The plan is an upper bound; nothing is touched by asking for it."""
    before = kernel.run("told.N").value
    kernel.run("%hotswap off")
    kernel.write("told", "N = 11\n\n\ndef f():\n    return N\n")
    shown = kernel.run("%hotswap plan\ntold.N")
    assert "told: run" in said(shown) and shown.value == before
    kernel.run("%hotswap on")
    assert kernel.run("told.N").value == "11"


def test_errors_retry_and_undo(kernel: Kernel) -> None:
    """What failed is listed until it is mended, can be tried again, and the last swap can be taken back."""
    kernel.write("flaky", "import os\n\nV = 1\n")
    kernel.run("import flaky, os")
    kernel.write("flaky", "import os\n\nV = 2\nos.environ['FLAKY_VALUE']\n")
    assert "KeyError" in said(kernel.run("pass"))
    assert "HS303 flaky.py:4: KeyError: 'FLAKY_VALUE'" in said(kernel.run("%hotswap errors"))
    kernel.run("os.environ['FLAKY_VALUE'] = 'there'")
    assert kernel.run("%hotswap retry\nflaky.V").value == "2"
    assert said(kernel.run("%hotswap errors")) == "hotswap: all that is saved is live"
    assert kernel.run("%hotswap undo\nflaky.V").value == "1"
    kernel.write("flaky", "import os\n\nV = 3\n")
    assert kernel.run("flaky.V").value == "3"


def test_rerun_makes_a_kept_value_anew(kernel: Kernel) -> None:
    """A value that is state is kept and told; `rerun` takes it by module and name, with a colon or a dot."""
    kernel.write("kept", "import random\n\nBASE = 1\nSTATE = [BASE, random.random()]\n")
    kernel.run("import kept")
    kernel.write("kept", "import random\n\nBASE = 2\nSTATE = [BASE, random.random()]\n")
    assert "HS201" in said(kernel.run("pass"))
    assert kernel.run("kept.STATE[0]").value == "1"
    assert kernel.run("%hotswap rerun kept.STATE\nkept.STATE[0]").value == "2"
    assert "UsageError" in kernel.run("%hotswap rerun kept:NOTHING").printed


def test_why_and_stale_answer(kernel: Kernel) -> None:
    """`why` names what became of a name; `stale` lists who still runs old code: here a generator."""
    kernel.write("running", "def count():\n    yield 1\n    yield 2\n")
    kernel.run("import running\nhalf = running.count()\nnext(half)")
    kernel.write("running", "def count():\n    yield 10\n    yield 20\n")
    kernel.run("pass")
    assert "count, a generator, goes on with its old code" in said(kernel.run("%hotswap stale"))
    kernel.run("from running import count\nimport told as there\nown = 1")
    assert "generation " in said(kernel.run("%hotswap why running:count"))
    assert "count was changed in place: its text changed" in said(kernel.run("%hotswap why running.count"))
    by_name = said(kernel.run("%hotswap why count"))
    assert (
        "by 'from running import count', so it follows running" in by_name and "count was changed in place" in by_name
    )
    assert "so it is yours" in said(kernel.run("%hotswap why own"))
    assert "nobody: no module that is watched makes it" in kernel.run("%hotswap why nobody").printed
    assert "no statement of" in kernel.run("%hotswap why user:NOTHING").printed
    assert "UsageError" in kernel.run("%hotswap why").printed


def test_the_graph_marks_the_last_swap(kernel: Kernel) -> None:
    """As text with stars, as SVG with the modules of the last swap drawn stronger; the notebook is in it."""
    kernel.write("told", "N = 12\n\n\ndef f():\n    return N\n")
    kernel.run("pass")
    shown = kernel.run("%hotswap graph")
    lines = [line.split() for line in said(shown).splitlines()]
    assert ["told", "(hot)", "*"] in lines and any(line[0] == "__main__" for line in lines)
    assert "<svg" in shown.html[0] and "told: " in shown.html[0]


def test_words_are_completed(kernel: Kernel) -> None:
    """Verbs behind the magic, modules behind the verbs that take names; `?` shows the help."""

    def complete(code: str) -> list[str]:
        reply = kernel.client.complete(code, reply=True, timeout=60)
        return list(reply["content"]["matches"])

    assert {"status", "rerun", "retry"} <= set(complete("%hotswap "))
    assert sorted(complete("%hotswap re")) == ["rerun", "retry"]
    assert "told" in complete("%hotswap why to")
    help_ = kernel.client.inspect("%hotswap", reply=True, timeout=60)["content"]["data"]["text/plain"]
    assert "%hotswap rerun NAME" in help_


def test_unknown_verbs_are_refused_in_one_line(kernel: Kernel) -> None:
    """A misspelt verb is told with the one that was meant, without a traceback."""
    assert kernel.run("%hotswap retri").printed == (
        "UsageError: %hotswap retri: no such verb; did you mean retry? (%hotswap? lists them)\n"
    )


def test_live_applies_between_cells(kernel: Kernel) -> None:
    """After `%hotswap live` a save is live without a cell, in the kernel's own thread; what it did is shown."""
    kernel.write("lively", "import threading\n\nTHREAD = threading.get_ident()\nV = 1\n")
    kernel.run("import lively, threading\n%hotswap live")
    kernel.write("lively", "import threading\n\nTHREAD = threading.get_ident()  # anew\nV = 2\n")
    while True:  # the report comes by itself, without a cell
        message = kernel.client.get_iopub_msg(timeout=60)
        if message["msg_type"] == "display_data" and "lively" in message["content"]["data"]["text/plain"]:
            break
    assert kernel.run("%%hotswap off\nlively.V, lively.THREAD == threading.get_ident()").value == "(2, True)"
    kernel.run("%hotswap on")
    assert kernel.run("[t.name for t in threading.enumerate() if 'live' in t.name]").value == "[]"


def test_two_reloaders_are_refused(kernel: Kernel) -> None:
    """While `%autoreload` is on hotswap stands back and says so once; loading it beside one that is on is refused."""
    kernel.write("rival", "V = 1\n")
    kernel.run("import rival\n%load_ext autoreload\n%autoreload 2")
    first, second = kernel.run("pass"), kernel.run("pass")
    assert "%autoreload off leaves it to hotswap" in said(first) and not second.displayed
    kernel.run("%unload_ext hotswap")
    assert "%autoreload off leaves it to hotswap" in kernel.run("%load_ext hotswap").printed
    kernel.run("%autoreload off")
    assert kernel.run("%load_ext hotswap") == Shown()
    kernel.write("rival", "V = 2\n")
    assert kernel.run("rival.V").value == "2"


def test_nothing_is_left_behind(kernel: Kernel) -> None:
    """After `%unload_ext` the shell, the import system and the threads are as before; loading again works."""
    look = (
        "import sys, threading\n"
        "def state(ip=get_ipython()):\n"
        "    named = lambda things: [repr(t) for t in things if 'hotswap' in repr(t)]\n"
        "    return (named(ip.magics_manager.magics['line']), named(ip.magics_manager.magics['cell']),\n"
        "            named(vars(ip.magics_manager.user_magics)), [named(c) for c in ip.events.callbacks.values()],\n"
        "            named(ip.strdispatchers['complete_command'].strs), named(ip.input_transformers_cleanup),\n"
        "            named(sys.meta_path), named(threading.enumerate()))\n"
    )
    assert "hotswap" in kernel.run(f"{look}\nstate()").value
    kernel.run("%unload_ext hotswap")
    empty = kernel.run("state()").value
    assert "hotswap" not in empty
    kernel.write("after", "V = 1\n")
    kernel.run("import after")
    kernel.write("after", "V = 2  # of another size, for who goes by that and whole seconds\n")
    assert kernel.run("after.V") == Shown(value="1")
    assert kernel.run("import importlib\nimportlib.reload(after).V, type(told.__loader__).__module__").value == (
        "(2, '_frozen_importlib_external')"
    )
    kernel.run("%load_ext hotswap\n%reload_ext hotswap")
    kernel.write("after", "V = 3\n")
    assert kernel.run("after.V").value == "3"
