"""`live`: a proxy that stands for what a name is after each swap."""

from __future__ import annotations

import copy
import gc
import pickle

import pytest
from conftest import Files

import hotswap
from hotswap import Reloader, TargetError, _live


@pytest.fixture(autouse=True)
def none_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no proxies but the test's own: the exception in a report keeps the frames that called for its swap."""
    monkeypatch.setattr("hotswap._live._LIVE", {})


def test_a_value_is_followed(files: Files, reloader: Reloader) -> None:
    """After a swap the proxy is the new value, in operators, items, comparisons and copies."""
    files.write("mod", "LIMITS = {'a': 1}\n")
    files.load("mod")
    limits = hotswap.live(f"{files.name('mod')}:LIMITS")
    files.write("mod", "LIMITS = {'a': 2, 'b': 3}\n")
    reloader.reload()
    assert limits == {"a": 2, "b": 3} and limits["b"] == 3 and len(limits) == 2 and isinstance(limits, dict)
    assert type(copy.copy(limits)) is dict and type(copy.deepcopy(limits)) is dict


def test_a_name_that_becomes_another_kind_of_thing(files: Files, reloader: Reloader) -> None:
    """A function that becomes a class, and a member of it, are called through the proxy."""
    files.write("mod", "def make():\n    return 1\n\nclass A:\n    def m():\n        return 1\n")
    files.load("mod")
    make, member = (hotswap.live(f"{files.name('mod')}:{name}") for name in ("make", "A.m"))
    files.write("mod", "class make:\n    x = 2\n\nclass A:\n    def m():\n        return 2\n")
    reloader.reload()
    assert make().x == 2 and member() == 2


def test_a_rerun_is_followed(files: Files, reloader: Reloader) -> None:
    """What `rerun` makes anew is what the proxy stands for."""
    files.write("mod", "TABLE = []\n")
    mod = files.load("mod")
    table = hotswap.live(f"{files.name('mod')}:TABLE")
    mod.TABLE.append(1)
    assert table == [1]
    reloader.rerun(f"{files.name('mod')}:TABLE")
    table.append(2)
    assert mod.TABLE == [2]


def test_a_save_that_fails_changes_nothing(files: Files, reloader: Reloader) -> None:
    """The proxy stands for what the name is when all is taken back."""
    files.write("mod", "X = (1,)\n")
    files.load("mod")
    x = hotswap.live(f"{files.name('mod')}:X")
    files.write("mod", "X = (2,)\n1 / 0\n")
    reloader.reload()
    assert x == (1,)


def test_a_name_that_goes_is_told_once(files: Files, reloader: Reloader) -> None:
    """The object stays, with a finding where the proxy was made; a name that returns is followed again."""
    files.write("mod", "X = (1,)\nY = 1\n")
    files.load("mod")
    x = hotswap.live(f"{files.name('mod')}:X")
    files.write("mod", "Y = 1\n")
    (told,) = reloader.reload().findings
    assert (told.code, told.path, x) == ("HS205", __file__, (1,))
    files.write("mod", "Y = 2\n")
    assert reloader.reload().findings == ()
    files.write("mod", "X = (3,)\n")
    reloader.reload()
    assert x == (3,)


def test_a_pickle_holds_the_target(files: Files, reloader: Reloader) -> None:
    """What comes out of a pickle is a proxy of the same name."""
    files.write("mod", "X = (1,)\n")
    files.load("mod")
    again = pickle.loads(pickle.dumps(hotswap.live(f"{files.name('mod')}:X")))
    files.write("mod", "X = (2,)\n")
    reloader.reload()
    assert again == (2,)


def test_proxies_are_not_kept(files: Files) -> None:
    """One that nobody has is forgotten."""
    files.write("mod", "X = (1,)\n")
    files.load("mod")
    x = hotswap.live(f"{files.name('mod')}:X")
    assert len(_live._LIVE) == 1
    del x
    gc.collect()
    assert _live._LIVE == {}


@pytest.mark.parametrize("target", ["json", "json:", ":dumps", "json:nothing_of_the_kind"])
def test_what_names_nothing_is_refused(target: str) -> None:
    """A target that is none raises TargetError; a module that is not there, ImportError."""
    with pytest.raises(TargetError):
        hotswap.live(target)
    with pytest.raises(ImportError):
        hotswap.live("no_such_module_here:x")
