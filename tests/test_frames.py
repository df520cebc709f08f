"""Loops over frames: their body is replaced between two frames, and the loop keeps its variables."""

from __future__ import annotations

import builtins
import importlib
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import hotswap

_numbers = itertools.count()

GAME = """
import hotswap

seen = []


def play(clock):
    seen.append("setup")
    score = 0
    jumps = []
    try:
        for dt in hotswap.frames(clock):
            score += 1
            jumps.append(score)
            seen.append(("old", score, dt))
            if score >= 9:
                break
    finally:
        seen.append(("end", score, jumps))
"""


FALLS_BACK = GAME.replace("frames(clock)", "frames(clock, fall_back=True)")


class Game:
    """A module with a loop, a clock that makes an edit before a given frame, and the reloader of `hotswap.watch`."""

    def __init__(self, folder: Path, text: str) -> None:
        self.name, self.text = f"game_{next(_numbers)}", text
        self.path = folder / f"{self.name}.py"
        self.path.write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        self.frame = 0
        self.edits: dict[int, tuple[str, str]] = {}
        self.told: list[list[str]] = []
        self.reloader = hotswap.watch(folder, apply="manual")

    def load(self) -> ModuleType:
        return importlib.import_module(self.name)

    def clock(self) -> float:
        self.frame += 1
        if self.frame in self.edits:
            old, new = self.edits[self.frame]
            assert self.text.count(old) == 1
            self.text = self.text.replace(old, new)
            self.path.write_text(self.text, encoding="utf-8")
            report = self.reloader.reload()
            assert report.error is None, report
            self.told.append([found.code for found in report.findings])
        assert self.frame < 50, "the loop does not end"
        return 0.5


@pytest.fixture
def game(tmp_path: Path) -> Iterator[Callable[[str], Game]]:
    sys.path.insert(0, str(tmp_path))
    made: list[Game] = []

    def make(text: str) -> Game:
        made.append(Game(tmp_path, text))
        return made[-1]

    yield make
    for one in made:
        one.reloader.stop()
        sys.modules.pop(one.name, None)
    sys.path.remove(str(tmp_path))


def test_the_body_is_replaced_between_two_frames(game: Callable[[str], Game]) -> None:
    """The new body runs from the next frame on, with the variables, inside the ``try``; nothing else runs again."""
    one = game(GAME)
    module = one.load()
    one.edits[3] = ('("old", score, dt)', '("new", score, len(jumps))')
    one.edits[6] = ('("new", score, len(jumps))', '("old", score, dt)')
    module.play(one.clock)
    assert one.told == [[], []]
    kinds = [entry[0] for entry in module.seen[1:-1]]
    assert kinds == ["old"] * 2 + ["new"] * 3 + ["old"] * 4
    assert module.seen[3] == ("new", 3, 3)
    assert module.seen[-1] == ("end", 9, list(range(1, 10)))


def test_new_variables_and_breaks(game: Callable[[str], Game]) -> None:
    """A variable that only the new body has lives from frame to frame, and ``break`` ends the loop."""
    one = game(GAME)
    module = one.load()
    one.edits[2] = (
        "            score += 1\n",
        "            bonus = 10 if score < 2 else bonus + 1\n            score += 1\n"
        "            if bonus == 13:\n                break\n"
        "            total = sum(x for x in jumps if x < bonus)\n            assert total >= 0\n",
    )
    module.play(one.clock)
    assert module.seen[-1] == ("end", 5, [1, 2, 3, 4])


def test_functions_that_a_frame_defines_see_its_variables(game: Callable[[str], Game]) -> None:
    """A lambda and a generator in the new body close over its variables."""
    one = game(GAME)
    module = one.load()
    one.edits[2] = ('("old", score, dt)', '("new", (lambda: score * 2)(), max(score + j for j in jumps))')
    module.play(one.clock)
    assert module.seen[2] == ("new", 4, 4)


def test_what_stands_around_the_loop_is_told(game: Callable[[str], Game]) -> None:
    """The code before and behind the loop is old until the function is called again."""
    one = game(GAME)
    module = one.load()
    one.edits[3] = ("score = 0", "score = 100")
    module.play(one.clock)
    assert one.told == [["HS207"]]
    assert module.seen[-1][1] == 9


def test_a_body_that_leaves_the_function_is_told(game: Callable[[str], Game]) -> None:
    """``return`` in the body cannot be taken over: the old body goes on, and that is told."""
    one = game(GAME)
    module = one.load()
    one.edits[3] = ("                break\n", "                return\n")
    module.play(one.clock)
    assert one.told == [["HS207"]]


def test_a_frame_that_fails_goes_back_to_the_last_good_version(game: Callable[[str], Game]) -> None:
    """If it was asked for, the exception is reported with the function and the swap, and the loop goes on."""
    one = game(FALLS_BACK.replace("score += 1", "score = step(score)"))
    one.text = one.text.replace("def play", "def step(score):\n    return score + 1\n\n\ndef play")
    one.path.write_text(one.text, encoding="utf-8")
    module = one.load()
    one.edits[4] = ("return score + 1", "return score + 1 / 0")
    module.play(one.clock)
    assert module.seen[-1] == ("end", 9, list(range(1, 10)))
    (report,) = [r for r in one.reloader.reports() if any(found.code == "HS241" for found in r.findings)]
    assert "ZeroDivisionError: division by zero, in step, which swap" in str(report.findings[0].message)


def test_an_exception_that_no_swap_brought_ends_the_loop(game: Callable[[str], Game]) -> None:
    """Errors of the program itself are its own, with or without falling back."""
    one = game(FALLS_BACK.replace("score += 1", "score += 1 // score"))
    with pytest.raises(ZeroDivisionError):
        one.load().play(one.clock)


TWO_LOOPS = """
import hotswap

seen = []


def play(clock):
    score = 0
    for dt in hotswap.frames(clock):
        score += 1
        seen.append(("menu", score))
        if score == 2:
            break
    for dt in hotswap.frames(clock):
        score += 1
        seen.append(("old", score))
        if score >= 7:
            break
"""


def test_another_loop_that_comes_or_goes_above_is_not_taken_for_it(game: Callable[[str], Game]) -> None:
    """Which of several loops runs is followed from text to text; the one that came is told, as what stands around."""
    one = game(TWO_LOOPS)
    module = one.load()
    one.edits[4] = ("    score = 0\n", "    score = 0\n    for dt in hotswap.frames(clock):\n        break\n")
    one.edits[5] = ('("old", score)', '("new", score)')
    one.edits[6] = ("    for dt in hotswap.frames(clock):\n        break\n", "")
    module.play(one.clock)
    assert one.told == [["HS207"], [], []]
    assert module.seen[2:] == [("old", 3), ("old", 4), ("new", 5), ("new", 6), ("new", 7)]


def test_a_body_that_needs_what_stands_before_the_loop_is_told(game: Callable[[str], Game]) -> None:
    """A variable that only the setup of the new text makes is missing: the body before goes on, and that is told."""
    one = game(GAME)
    module = one.load()
    one.edits[3] = ("    jumps = []\n", "    jumps = []\n    lives = 3\n")
    one.edits[4] = ('("old", score, dt)', '("new", score, lives)')
    one.edits[6] = ('("new", score, lives)', '("newer", score, dt)')
    module.play(one.clock)
    assert one.told == [["HS207"], [], []]
    assert [kind for kind, *_ in module.seen[1:-1]] == ["old"] * 5 + ["newer"] * 4


LIB = "LIMIT = 5\n\n\ndef step(n):\n    return n + 5 // LIMIT\n\n\n"
CAUSES = {
    "a constant": (("LIMIT = 5", "LIMIT = 0"), "in step, which reads LIMIT, which swap"),
    "a name that left": (("LIMIT = 5\n", ""), "name 'LIMIT' is not defined, in step, which reads LIMIT, which swap"),
    "other arguments": (("def step(n):", "def step(n, m):"), "in play, which reads step, which swap"),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_what_a_line_reads_is_behind_its_exception(game: Callable[[str], Game], cause: str) -> None:
    """An edit that changed no function on the way of an exception is found by what the line that raised it reads."""
    one = game(FALLS_BACK.replace("score += 1", "score = step(score)").replace("\n\ndef play", f"{LIB}def play"))
    module = one.load()
    one.edits[4], words = CAUSES[cause]
    module.play(one.clock)
    assert module.seen[-1] == ("end", 9, list(range(1, 10)))
    (report,) = [r for r in one.reloader.reports() if any(found.code == "HS241" for found in r.findings)]
    assert words in str(report.findings[0].message)


def test_an_exception_that_ends_a_script_names_the_swap(
    game: Callable[[str], Game], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hook for exceptions that nobody caught is the one that was set, with a note; it is given back at the end."""
    told: list[BaseException] = []
    hook = lambda kind, error, tb: told.append(error)  # noqa: E731  it is compared
    monkeypatch.setattr(sys, "excepthook", hook)
    monkeypatch.delitem(sys.modules, "hotswap._program", raising=False)
    one = game(GAME)
    module = one.load()
    one.edits[3] = ("score += 1", "score += 1 // 0")
    with pytest.raises(ZeroDivisionError) as caught:
        module.play(one.clock)
    sys.excepthook(ZeroDivisionError, caught.value, caught.tb)
    assert told == [caught.value]
    assert "play was changed by swap" in caught.value.__notes__[0]
    one.reloader.stop()
    assert sys.excepthook is hook


SCRIPT = """
import hotswap

score, seen = 0, []
for dt in hotswap.frames(CLOCK):
    score += 1
    seen.append(("old", score))
    if score == 6:
        break
"""


def test_a_loop_in_the_body_of_a_script(game: Callable[[str], Game]) -> None:
    """A main loop that stands in no function is replaced as well, and nothing of it is told."""
    one = game(SCRIPT.replace("CLOCK", "__import__('builtins').CLOCK"))
    one.edits[3] = ('("old", score)', '("new", score * 10)')
    builtins.CLOCK = one.clock  # type: ignore[attr-defined]
    try:
        module = one.load()
    finally:
        del builtins.CLOCK  # type: ignore[attr-defined]
    assert one.told == [[]]
    assert module.seen == [("old", 1), ("old", 2), ("new", 30), ("new", 40), ("new", 50), ("new", 60)]
    assert not [name for name in vars(module) if "hotswap_" in name]
    assert "<module>" in str(one.reloader.reports()[-1])


def test_a_script_whose_new_body_fails_goes_back(game: Callable[[str], Game]) -> None:
    """A main loop that stands in no function falls back as any other."""
    one = game(SCRIPT.replace("CLOCK", "__import__('builtins').CLOCK, fall_back=True"))
    one.edits[3] = ('("old", score)', '("new", score / 0)')
    builtins.CLOCK = one.clock  # type: ignore[attr-defined]
    try:
        module = one.load()
    finally:
        del builtins.CLOCK  # type: ignore[attr-defined]
    assert module.seen == [("old", n) for n in (1, 2, 4, 5, 6)]


def test_clocks() -> None:
    """A clock is something with ``tick``, as pygame's, a callable, or nothing at all."""

    class Clock:
        def tick(self, rate: float) -> int:
            return int(1000 / rate)

    assert next(hotswap.frames(Clock(), 50)) == 0.02
    assert next(hotswap.frames(lambda: 0.25)) == 0.25
    assert 0 < next(hotswap.frames(rate=500)) < 1
