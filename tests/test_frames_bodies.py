"""Bodies of loops over frames: what a replaced body does is what plain Python does that has both bodies."""

from __future__ import annotations

import importlib
import itertools
import random
import sys
from pathlib import Path
from textwrap import indent
from types import ModuleType
from typing import Final

import pytest

import hotswap

_numbers = itertools.count()
HEAD: Final = "import hotswap\n\nLOG = []\nG = 7\n\n\ndef log(*seen):\n    LOG.append(repr(seen))\n\n\n"
IN_FUNCTION: Final = "def play(clock):\n{}"
IN_METHOD: Final = (
    "class Base:\n    def step(self):\n        return 'base'\n\n\n"
    "class Game(Base):\n    def __init__(self):\n        self.__n = 0\n\n    def run(self, clock):\n{}\n\n"
    "def play(clock):\n    Game().run(clock)\n"
)
IN_NESTED: Final = (
    "def play(clock):\n    outer = 1\n\n    def peek():\n        return outer\n\n    def run():\n{}\n"
    "    run()\n    log('end', outer)\n"
)


class Over(Exception):
    """The clock has no more frames."""


class Clock:
    """Gives the frames, three to a body; `number` is the body that runs from then on, and `change` has it run."""

    def __init__(self, bodies: int) -> None:
        self.frame, self.number, self.bodies = 0, 0, bodies

    def __call__(self) -> float:
        self.frame += 1
        if self.frame % 3 == 0:
            self.number += 1
            if self.number == self.bodies:
                raise Over
            self.change(self.number)
        return float(self.frame)

    def change(self, number: int) -> None:
        """Have the body `number` run."""


class Saving(Clock):
    """Saves each body when it is due."""

    def __init__(self, path: Path, texts: list[str]) -> None:
        super().__init__(len(texts))
        self.path, self.texts, self.told = path, texts, list[str]()

    def change(self, number: int) -> None:
        """Save the text `number`, and now and then one before it that cannot be read."""
        if number % 4 == 3:
            self.path.write_text(self.texts[number] + "def (:\n", encoding="utf-8")
            assert not hotswap.reload().outcomes
        self.path.write_text(self.texts[number], encoding="utf-8")
        report = hotswap.reload()
        assert report.error is None, report
        self.told += [str(found) for found in report.findings]


def plain(where: str, setup: str, bodies: list[str], after: str) -> str:
    """Return a program that has all bodies."""
    loop = "for dt in iter(clock, None):\n"
    for number, body in enumerate(bodies):
        loop += f"    if clock.number == {number}:\n{indent(body, ' ' * 8)}\n"
    return _text(where, setup, loop, after)


def live(where: str, setup: str, body: str, after: str) -> str:
    """Return a program that has one of them."""
    return _text(where, setup, f"for dt in hotswap.frames(clock):\n{indent(body, '    ')}\n", after)


def _text(where: str, setup: str, loop: str, after: str) -> str:
    return HEAD + where.format(indent(f"{setup}\n{loop}\n{after}\n", "    " * (1 if where is IN_FUNCTION else 2)))


def _play(path: Path, text: str, clock: Clock) -> tuple[list[str], str]:
    path.write_text(text, encoding="utf-8")
    importlib.invalidate_caches()
    module: ModuleType = importlib.import_module(path.stem)
    end = ""
    try:
        module.play(clock)
    except Over:
        pass
    except Exception as error:  # noqa: BLE001  the program's own
        end = repr(error)
    del sys.modules[path.stem]
    return module.LOG, end


def check(folder: Path, where: str, setup: str, bodies: list[str], after: str = "") -> list[str]:
    """Run both programs; return what was told."""
    path = folder / f"bodies_{next(_numbers)}.py"
    wanted = _play(path, plain(where, setup, bodies, after), Clock(len(bodies)))
    path = folder / f"bodies_{next(_numbers)}.py"
    saving = Saving(path, [live(where, setup, body, after) for body in bodies])
    assert _play(path, saving.texts[0], saving) == wanted
    return saving.told


CASES: Final = {
    "a function that was made before stores": (
        "score = 0\ndef add(n):\n    nonlocal score\n    score += n",
        "add(1)\nlog(score)",
        "add(2)\nlog('new', score)",
    ),
    "a function that was made before reads": (
        "score = 0\ndef hud():\n    return score",
        "score += 1\nlog(hud())",
        "score += 10\nlog(hud())\nscore += 1\nlog(hud())",
    ),
    "functions made by the new body share its variables": (
        "made, n = [], 0",
        "n += 1",
        "n += 1\nmade.append(lambda: (n, dt))\nlog([one() for one in made])",
    ),
    "patterns bind": (
        "x = None",
        "log(dt)",
        "if x is None:\n    match {'k': 1, 'z': 2}:\n        case {'k': got, **more}:\n"
        "            x = 1\nlog(got, more)",
    ),
    "a variable that was deleted": (
        "x = 1",
        "log(dt)",
        "try:\n    del x\nexcept NameError:\n    x = 5\n    log('unbound')",
    ),
    "a walrus": (
        "n = 0",
        "n += 1",
        "v = [last := i for i in range(n + 2)]\nlog(last, v)\nif (m := n * 2) > 1:\n    log(m)",
    ),
    "imports": ("n = 0", "n += 1", "import os.path as p, math\nlog(p.sep, math.pi)"),
    "exceptions": (
        "n = 0",
        "n += 1",
        "try:\n    n / 0\nexcept ZeroDivisionError as e:\n    log(e)\nlog('e' in locals())",
    ),
    "a global": ("n = 0", "n += 1", "global G\nG += 1\nlog(G)"),
    "functions and classes": (
        "n = 0",
        "n += 1",
        "def f(a, b=n):\n    return a + b + n\nclass P:\n    v = n\n    "
        "def m(self):\n        return n\nn += 1\nlog(f(1), P.v, P().m())",
    ),
    "an annotated variable": ("n = 0", "n += 1", "v: int = n\nw: int\nlog(v)\nn += 1"),
    "stars": ("n = 0", "n += 1", "a, *b = range(n, n + 4)\nlog(a, b)"),
    "eval sees the variables": ("n = 3", "log(n)", "log(eval('n + dt'))"),
    "continue, and for with else": (
        "n = 0",
        "n += 1",
        "n += 1\nif n % 2:\n    continue\nfor i in range(3):\n    if i == n:\n        break\nelse:\n    log('else', i)",
    ),
}
IN_OTHERS: Final = {
    "private names": (IN_METHOD, "", "self.__n += 1", "self.__n += 10\nself._Game__m = 1\nlog(self.__n, self.__m)"),
    "super": (IN_METHOD, "", "log(super().step())", "log('new', super().step(), __class__.__name__)"),
    "super alone in the new body": (IN_METHOD, "", "log(1)", "log(super().step())"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_body_has_the_variables_of_its_frame(live_folder: Path, name: str) -> None:
    """What was made before, what the body makes, and what it shares with functions are one set of variables."""
    setup, old, new = CASES[name]
    assert check(live_folder, IN_FUNCTION, setup, [old, new, old]) == []


@pytest.mark.parametrize("name", IN_OTHERS)
def test_a_body_in_a_class(live_folder: Path, name: str) -> None:
    """Private names and `super` mean in the new body what they mean in its method."""
    where, setup, old, new = IN_OTHERS[name]
    assert check(live_folder, where, setup, [old, new, old]) == []


def test_a_body_stores_into_the_function_around(live_folder: Path) -> None:
    """A variable of an outer function is the same one for all that share it."""
    told = check(live_folder, IN_NESTED, "nonlocal outer", ["outer += 1\nlog(peek())", "outer += 10\nlog(peek())"])
    assert all("play (thread" in one for one in told), "the function around runs, and is told"


def test_what_was_stored_before_an_exception_stays(live_folder: Path) -> None:
    """A body that raises has stored what it has stored, for the code around the loop."""
    setup, loop = "n = 0\ntry:", "for dt in {}:\n{}"
    path = live_folder / f"bodies_{next(_numbers)}.py"
    texts = [
        _text(IN_FUNCTION, setup, indent(loop.format("hotswap.frames(clock)", indent(body, "    ")), "    "), after)
        for after in ["except KeyError:\n    log('caught', n)"]
        for body in ["n += 1", "n += 5\nif n > 12:\n    raise KeyError"]
    ]
    assert _play(path, texts[0], Saving(path, texts)) == (["('caught', 17)"], "")


PIECES: Final = """n += 1
score += K
add(K)
log(hud())
made.append(lambda: (n, score))
log([one() for one in made[-3:]])
items[:] = [n * K, *items[:5]]
log(sum(i for i in items if i > K), dt)
if n % 3 == K % 3: continue
for i in range(K): score += i
fresh = K; log(fresh); del fresh
if (w := n + K) % 2: log(w)
a, (b, *rest) = K, (n, score, dt); log(a, b, rest)
log(helper(K))
v: int = n + K; log(v)
import math as m; log(m.floor(K + 0.5))
n, score = score % 50, n""".splitlines()
SETUP: Final = (
    "n, score, made, items = 0, 0, [], []\ndef add(k):\n    nonlocal score\n    score += k\n"
    "def hud():\n    return score, n\ndef helper(x):\n    return x * n"
)


@pytest.mark.parametrize("seed", range(2))
def test_many_edits_of_one_loop(live_folder: Path, seed: int) -> None:
    """After each of thirty edits, some of them broken at first, the loop does what plain Python does."""
    chosen = random.Random(seed)
    bodies = [
        "\n".join(
            piece.replace("K", str(chosen.randint(1, 6))) for piece in chosen.sample(PIECES, chosen.randint(2, 6))
        )
        for _ in range(30)
    ]
    assert check(live_folder, IN_FUNCTION, SETUP, bodies) == []
