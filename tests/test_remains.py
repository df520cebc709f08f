"""What swaps leave behind that is no running code, until it is made anew or gone."""

from __future__ import annotations

import atexit
import gc

from conftest import Files

from hotswap import Reloader

TEXT = """\
import atexit, types
RATE = 1
POOL = types.SimpleNamespace(rate=RATE)
TABLE = {"rate": RATE}

class A:
    def __init__(self):
        self.x = 1
    def m(self):
        return self.x

@atexit.register
def close():
    pass
"""


def entries(reloader: Reloader) -> list[tuple[str, str, int]]:
    return [(one.kind, one.name, one.lineno) for one in reloader.stale()]


def test_a_kept_value_until_it_is_made_anew(files: Files, reloader: Reloader) -> None:
    """A value that was not computed anew is listed until its statement runs, or the program puts another one there."""
    files.write("mod", TEXT)
    mod = files.load("mod")
    mod.TABLE["more"] = 1
    files.write("mod", TEXT.replace("RATE = 1", "RATE = 2"))
    reloader.reload()
    assert entries(reloader) == [("value", "POOL", 3), ("value", "TABLE", 4)]
    reloader.rerun(f"{files.name('mod')}:TABLE")
    assert entries(reloader) == [("value", "POOL", 3)]
    mod.POOL = None
    assert reloader.stale() == ()


def test_a_target_may_be_said_with_dots(files: Files, reloader: Reloader) -> None:
    """What `rerun` makes anew is named as findings name it, or as Python does."""
    files.write("mod", TEXT)
    files.load("mod")
    files.write("mod", TEXT.replace("RATE = 1", "RATE = 2"))
    reloader.reload()
    assert ("value", "POOL", 3) in entries(reloader)
    reloader.rerun(f"{files.name('mod')}.POOL")
    assert ("value", "POOL", 3) not in entries(reloader)


def test_objects_without_an_attribute_until_they_have_it(files: Files, reloader: Reloader) -> None:
    """Objects that lack an attribute are listed as long as one of them lives without."""
    files.write("mod", TEXT)
    mod = files.load("mod")
    first, second = mod.A(), mod.A()
    files.write("mod", TEXT.replace("self.x = 1", "self.x = 1\n        self.y = 2").replace("self.x\n", "self.y\n"))
    assert [found.code for found in reloader.reload().findings] == ["HS210"]
    assert entries(reloader) == [("object", "A without y", 6)]
    assert "was made before its class gave that" in str(reloader.stale()[0])
    first.y = 1
    assert len(reloader.stale()) == 1
    del second
    gc.collect()
    assert reloader.stale() == ()


def test_a_registration_until_nobody_has_the_function(files: Files, reloader: Reloader) -> None:
    """A function whose decorator left is listed as long as it lives."""
    files.write("mod", TEXT)
    close = files.load("mod").close
    files.write("mod", TEXT.replace("@atexit.register\n", ""))
    reloader.reload()
    assert [(one.kind, one.name) for one in reloader.stale()] == [("registration", "close")]
    atexit.unregister(close)
