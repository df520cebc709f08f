"""Scripts with a main loop, edited while they run."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from running import DEADLINE, Running, wait_until

TICKER = {
    "app.py": """
        import os
        import time

        from part import word

        STEP = 1


        def line(count):
            return f"{os.getpid()} {word()} {count}"


        def main():
            count = 0
            while True:
                count += STEP
                print(line(count))
                time.sleep(0.01)


        if __name__ == "__main__":
            main()
    """,
    "part.py": """
        def word():
            return "old"
    """,
}


def test_ticker_keeps_counting_through_its_edits(tmp_path: Path) -> None:
    """A function of the script, a constant of the script and an imported function change under a running loop."""
    with Running(tmp_path, TICKER, "app.py") as program:
        pid, _, first = program.out.wait_for(" old [0-9]+$").split()
        program.edit("part.py", '"old"', '"new"')
        _, _, second = program.out.wait_for(f"^{pid} new [0-9]+$").split()
        program.edit("app.py", "{word()} {count}", "{word()}er {count}")
        _, _, third = program.out.wait_for(f"^{pid} newer [0-9]+$").split()
        program.edit("app.py", "STEP = 1\n", "STEP = 1000000\n")
        _, _, fourth = program.out.wait_for(f"^{pid} newer [0-9]{{7,}}$").split()
        assert int(first) < int(second) < int(third) < int(fourth)
        assert int(fourth) % 1000000 > int(third) - 1  # the count went on from where it was


ECHO = {
    "app.py": """
        import sys

        GREETING = "hello"
        asked = []


        def answer(name):
            return f"{GREETING} {name}"


        for line in sys.stdin:
            asked.append(line)
            print(len(asked), answer(line.strip()))
        print("end of input")
        sys.exit(len(asked))
    """
}


def test_script_without_a_main_function_is_live(tmp_path: Path) -> None:
    """A loop on the first level of a script takes new functions and constants while it waits for input."""
    with Running(tmp_path, ECHO, "app.py") as program:
        program.say("ann")
        assert program.out.wait_for("ann") == "1 hello ann"
        program.edit_and_wait("app.py", '"{GREETING} {name}"', '"{GREETING}, {name}!"', "^hotswap: __main__ - answer")
        program.say("ann")
        assert program.out.wait_for("ann") == "2 hello, ann!"
        program.edit_and_wait("app.py", 'GREETING = "hello"', 'GREETING = "good day"', "^hotswap: __main__ - GREETING")
        program.say("ann")
        assert program.out.wait_for("ann") == "3 good day, ann!"
        assert program.end_input() == 3
        assert program.out.rest() == ["end of input"]


def test_broken_save_leaves_the_old_code_running(tmp_path: Path) -> None:
    """A save that does not compile is told with file and line, the loop goes on, and the mend is live."""
    with Running(tmp_path, ECHO, "app.py") as program:
        program.say("ann")
        program.out.wait_for("1 hello ann")
        program.edit("app.py", '"{GREETING} {name}"', '"{GREETING} {name}"(')
        assert "app.py:9" in program.log.wait_for("HS301")
        program.say("ann")
        assert program.out.wait_for("ann") == "2 hello ann"
        program.edit_and_wait("app.py", '"{GREETING} {name}"(', '"{GREETING} dear {name}"', "^hotswap: __main__ - ")
        program.say("ann")
        assert program.out.wait_for("ann") == "3 hello dear ann"


PACKAGE = {
    "pkg/__init__.py": "",
    "pkg/words.py": """
        LIMIT = 2


        def shout(text):
            return text.upper()
    """,
    "pkg/__main__.py": """
        import sys

        from .words import LIMIT, shout

        for line in sys.stdin:
            print(shout(line.strip())[:LIMIT], sys.argv[1:])
    """,
}


def test_package_is_live(tmp_path: Path) -> None:
    """A package run by -m takes new functions and constants of its modules, and arguments stay its own."""
    with Running(tmp_path, PACKAGE, "-m", "pkg", "-v", "x") as program:
        program.say("abcdef")
        program.out.wait_for(r"^AB \['-v', 'x'\]$")
        program.edit_and_wait("pkg/words.py", "LIMIT = 2", "LIMIT = 4")
        program.say("abcdef")
        program.out.wait_for("^ABCD ")
        program.edit_and_wait("pkg/words.py", "text.upper()", "text.title()")
        program.say("abcdef")
        program.out.wait_for("^Abcd ")


def test_default_folders_and_log_file(tmp_path: Path) -> None:
    """Without options for it the program's folder is watched; with a log file nothing is written to the terminal."""
    with Running(tmp_path, ECHO, "app.py", own=["--log-file", "hot.log"]) as program:
        program.say("ann")
        program.out.wait_for("1 hello ann")
        program.edit("app.py", "{GREETING} {name}", "{name}: {GREETING}")
        wait_until(lambda: "hotswap: __main__ - answer" in (tmp_path / "hot.log").read_text(encoding="utf-8"))
        program.say("ann")
        assert program.out.wait_for("ann") == "2 ann: hello"
        assert program.end_input() == 2
        assert program.log.rest() == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_control_c_after_an_edit_shows_new_lines_and_nothing_of_ours(tmp_path: Path) -> None:
    """Ctrl-C in an edited program ends it by SIGINT with a traceback of the program alone."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    with Running(tmp_path, TICKER, "app.py") as program:
        signal.signal(signal.SIGINT, before)
        program.out.wait_for(" old [0-9]+$")
        program.edit("app.py", "{word()} {count}", "{word()}er {count}")
        program.out.wait_for(" older [0-9]+$")
        program.process.send_signal(signal.SIGINT)
        program.log.wait_for("^KeyboardInterrupt$")
        assert program.process.wait(DEADLINE) == -signal.SIGINT
        assert not [line for line in program.log.seen if "hotswap" in line and not line.startswith("hotswap: ")]
