"""`why`: what became of a name, and what would."""

from __future__ import annotations

import pytest
from conftest import Files

from hotswap import Reloader, TargetError

TEXT = """\
import os
RATE = 1
AREA = RATE * 10
POOL = os.getpid() and RATE

def f():
    return RATE

class A:
    def m(self):
        return 1
"""


@pytest.fixture
def name(files: Files) -> str:
    files.write("mod", TEXT)
    files.load("mod")
    return files.name("mod")


def test_a_name_that_no_swap_touched(reloader: Reloader, name: str) -> None:
    """Before the first swap it says what would become of the name."""
    why = reloader.why(f"{name}:AREA")
    assert (why.target, why.lineno) == (f"{name}:AREA", 3)
    assert why.reasons[0] == "no swap has touched it"
    assert "computed anew" in why.reasons[1]
    assert "kept and told, as it calls os.getpid()" in reloader.why(f"{name}:POOL").reasons[1]
    assert str(why).splitlines()[0].startswith(f"{name}:AREA (")


def test_each_decision_has_its_reason(files: Files, reloader: Reloader, name: str) -> None:
    """What ran, what was computed anew, what was kept and what was changed in place is said with the reason."""
    files.write("mod", TEXT.replace("RATE = 1", "RATE = 2").replace("return RATE", "return -RATE"))
    when = f"generation {reloader.reload().generation}"
    said = {one: reloader.why(f"{name}:{one}").reasons for one in ("RATE", "AREA", "POOL", "f")}
    assert said["RATE"][0] == f"{when}: its statement ran: changed"
    assert said["AREA"][0] == f"{when}: its statement ran: reads RATE"
    assert said["POOL"][0].startswith(f"{when}: HS201, POOL depends on what changed but keeps its value")
    assert said["f"][0] == f"{when}: f was changed in place: its text changed"


def test_names_may_be_said_in_three_ways(reloader: Reloader, name: str) -> None:
    """With a colon, with dots, and alone where one module alone makes it."""
    assert reloader.why(f"{name}.A.m") == reloader.why(f"{name}:A.m")
    assert reloader.why("POOL").target == f"{name}:POOL"


def test_what_is_saved_and_not_live_comes_first(files: Files, reloader: Reloader, name: str) -> None:
    """A name of a module that cannot be applied says where that stands, until it can."""
    files.write("mod", TEXT.replace("RATE = 1", "RATE = ("))
    reloader.reload()
    assert reloader.why(f"{name}:AREA").reasons[0].startswith("not live: HS301")
    files.write("mod", TEXT)
    reloader.reload()
    assert reloader.why(f"{name}:AREA").reasons[0] == "no swap has touched it"


def test_several_modules_with_the_name_are_named(files: Files, reloader: Reloader, name: str) -> None:
    """A name alone that is not enough is refused with the modules that make it."""
    files.write("other", "POOL = 1\n")
    files.load("other")
    with pytest.raises(TargetError, match=f"{name}.*{files.name('other')}|{files.name('other')}.*{name}"):
        reloader.why("POOL")


@pytest.mark.parametrize("target", ["nowhere:X", "NEVER_MADE_BY_ANYBODY"])
def test_what_is_not_there_is_refused(reloader: Reloader, name: str, target: str) -> None:
    """A name that nothing answers to raises TargetError."""
    with pytest.raises(TargetError):
        reloader.why(target)


def test_running_code_is_told(files: Files, reloader: Reloader) -> None:
    """What still runs with the old code belongs to the answer."""
    files.write("mod", "def count():\n    yield 1\n    yield 2\n")
    begun = files.load("mod").count()
    next(begun)
    files.write("mod", "def count():\n    yield 1\n    yield 3\n")
    reloader.reload()
    assert any("goes on with its old code" in reason for reason in reloader.why(f"{files.name('mod')}:count").reasons)
