"""What is live: texts, kept small, and the snapshots of those that were edited last."""

from __future__ import annotations

import os
import py_compile
from pathlib import Path

import pytest

from hotswap._loader._baselines import Baseline, Baselines, Packed, cached, compiled
from hotswap._loader._baselines import read as read_file
from hotswap._loader._recent import Recent
from hotswap._text._source import read


@pytest.mark.parametrize("source", [b"", b"X = 1\n", b"z = 1\n", b"x = 1\n" * 2000], ids=["empty", "small", "z", "big"])
def test_a_text_comes_back_as_it_was(source: bytes) -> None:
    """Packing keeps every byte."""
    baselines = Baselines()
    baselines.note("m", noted := Baseline("m.py", "m.py", Packed(source), None))
    baselines.shrink()
    assert noted.source == source
    assert noted.packed == Packed(source)
    assert noted.packed != Packed(source + b"#")


def test_big_texts_are_kept_small() -> None:
    """A text of more than a few KiB is compressed, once there is time for it."""
    source = b"def f(x):\n    return x\n" * 1000
    baselines = Baselines()
    baselines.note("m", noted := Baseline("m.py", "m.py", Packed(source), None))
    assert noted.packed.size == len(source)
    baselines.shrink()
    assert noted.packed.size < len(source) / 3


def test_a_module_has_one_baseline() -> None:
    """The newest note counts, until the module is forgotten."""
    baselines = Baselines()
    for text in (b"1", b"2"):
        baselines.note("m", Baseline("m.py", "m.py", Packed(text), None))
    held = baselines.get("m")
    assert held is not None
    assert held.source == b"2"
    baselines.forget("m")
    assert "m" not in baselines


def test_few_snapshots_are_kept() -> None:
    """A module's newest snapshot is kept in place of the one before; many lines push the oldest out."""
    recent, small = Recent(), read("X = 1\n", "a", "a.py")
    recent.keep("a", Packed(b"1"), small)
    recent.keep("a", Packed(b"2"), small)
    assert (recent.get("a", Packed(b"1")), recent.get("a", Packed(b"2"))) == (None, small)
    big = read("X = 1\n" * 9_999, "b", "b.py")
    recent.keep("b", Packed(b"3"), big)
    recent.keep("c", Packed(b"4"), read("X = 1\n" * 5_000, "c", "c.py"))
    assert recent.get("a", Packed(b"2")) is None
    assert recent.get("b", Packed(b"3")) is None
    assert recent.get("c", Packed(b"4")) is not None


def _text(path: Path, source: str = "X = 1\n") -> Baseline:
    path.write_text(source, encoding="utf-8")
    found = read_file(str(path))
    assert found is not None
    return Baseline(str(path), str(path), Packed(found[1]), found[0])


def test_the_code_of_a_text_is_that_of_its_cache_file(tmp_path: Path) -> None:
    """It is taken from there, so that it need not be compiled again."""
    text = _text(tmp_path / "m.py")
    cache = py_compile.compile(text.path)
    code = cached(text, cache)
    assert code is not None
    assert (code.co_names, code.co_filename) == (("X",), text.path)
    assert compiled(text) == code


@pytest.mark.parametrize("mode", ["CHECKED_HASH", "UNCHECKED_HASH"])
def test_a_cache_file_that_is_checked_by_hash_is_left_to_python(tmp_path: Path, mode: str) -> None:
    """Its first bytes say nothing of the file's time and size (PEP 552)."""
    text = _text(tmp_path / "m.py")
    cache = py_compile.compile(text.path, invalidation_mode=py_compile.PycInvalidationMode[mode])
    assert cached(text, cache) is None


def test_a_cache_file_of_another_text_is_not_taken(tmp_path: Path) -> None:
    """The file was written since, has another size, or is not the one that the code says it is."""
    path, elsewhere = tmp_path / "m.py", tmp_path / "n.py"
    cache = py_compile.compile(_text(path).path)
    assert cached(_text(path, "X = 22\n"), cache) is None
    later = os.stat(path).st_mtime + 10
    os.utime(path, (later, later))
    assert cached(_text(path)._replace(seen=(0, 0, 6, 0)), cache) is None
    cache = py_compile.compile(_text(path).path)
    os.rename(path, elsewhere)
    found = read_file(str(elsewhere))
    assert found is not None
    assert cached(Baseline(str(elsewhere), str(elsewhere), Packed(found[1]), found[0]), cache) is None


@pytest.mark.parametrize("damage", ["cut", "garbled", "gone"])
def test_a_damaged_cache_file_is_left_to_python(tmp_path: Path, damage: str) -> None:
    """No error of ours comes of it, and the text is compiled where its code is asked for."""
    text = _text(tmp_path / "m.py", "X = 'a word'\n")
    cache = Path(py_compile.compile(text.path) or "")
    whole = cache.read_bytes()
    if damage == "gone":
        cache.unlink()
    else:
        cache.write_bytes(whole[:-5] if damage == "cut" else whole[:16] + b"\xff" * 20)
    assert cached(text, str(cache)) is None
    assert compiled(text) is not None
