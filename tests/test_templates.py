"""Files that libraries read for themselves and keep: templates and translations."""

from __future__ import annotations

import gettext
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hotswap import Reloader

if TYPE_CHECKING:
    from collections.abc import Iterator

DJANGO = """
import sys
from pathlib import Path

import django
from django.conf import settings

root = Path(sys.argv[1])
(root / "page.html").write_text("one")
loaders = [("django.template.loaders.cached.Loader", ["django.template.loaders.filesystem.Loader"])]
engine = {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [root], "OPTIONS": {"loaders": loaders}}
settings.configure(TEMPLATES=[engine])
django.setup()

import hotswap
from django.template.loader import render_to_string

with hotswap.Reloader(root, apply="manual") as reloader:
    assert render_to_string("page.html") == "one"
    for text in ("two", "three"):
        (root / "page.html").write_text(text)
        reloader.look()
        assert render_to_string("page.html") == text, render_to_string("page.html")
"""

DJANGO_WORDS = """
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[2])
from test_templates import catalogue

import django
from django.conf import settings

place = Path(sys.argv[1]) / "de" / "LC_MESSAGES" / "django.mo"
place.parent.mkdir(parents=True)
place.write_bytes(catalogue(hello="hallo"))
settings.configure(USE_I18N=True, LANGUAGE_CODE="de", LOCALE_PATHS=[sys.argv[1]])
django.setup()

import hotswap
from django.utils.translation import gettext, gettext_lazy

lazy = gettext_lazy("hello")
with hotswap.Reloader(sys.argv[1], apply="manual") as reloader:
    assert gettext("hello") == str(lazy) == "hallo"
    for text in ("moin", "servus"):
        place.write_bytes(catalogue(hello=text))
        reloader.look()
        assert gettext("hello") == str(lazy) == text, gettext("hello")
"""


def catalogue(**words: str) -> bytes:
    """Return what ``msgfmt`` makes of these words and their translations."""
    pairs = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **words}.items())
    texts = [[text.encode() for text in column] for column in zip(*pairs, strict=True)]
    at = 28 + 16 * len(pairs)
    table, data = b"", b""
    for column in texts:
        for text in column:
            table += struct.pack("<2I", len(text), at + len(data))
            data += text + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return head + table + data


LATE = """
import itertools, sys, time
from pathlib import Path

import hotswap

page = Path(sys.argv[1]) / "page.html"
with hotswap.Reloader(page.parent, apply="thread") as reloader:
    import jinja2

    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(page.parent), auto_reload=False)
    page.write_text("first")
    environment.get_template("page.html").render()
    deadline = time.monotonic() + 8
    for number in itertools.count():
        page.write_text(f"text {number}")
        if environment.get_template("page.html").render() != "first":
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
"""


def test_templates_are_followed_soon_after_their_library_was_loaded(tmp_path: Path) -> None:
    """A library that is loaded after hotswap started is found while the program still loads modules."""
    pytest.importorskip("jinja2")
    command = [sys.executable, "-c", LATE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_templates_of_jinja_are_loaded_anew(tmp_path: Path) -> None:
    """An environment that never looks at files has the new text after the save, also through an inclusion."""
    jinja2 = pytest.importorskip("jinja2")
    (tmp_path / "part.html").write_text("one")
    (tmp_path / "page.html").write_text("[{% include 'part.html' %}]")
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(tmp_path), auto_reload=False)
    with Reloader(tmp_path, apply="manual") as reloader:
        for text in ("two", "three"):
            assert environment.get_template("page.html").render() != f"[{text}]"
            (tmp_path / "part.html").write_text(text)
            reloader.look()
            assert environment.get_template("page.html").render() == f"[{text}]"


@pytest.mark.parametrize("program", [DJANGO, DJANGO_WORDS], ids=["templates", "translations"])
def test_files_of_django_are_loaded_anew(tmp_path: Path, program: str) -> None:
    """Its cached loader, which is the default, has the new text after the save; so have lazy translations."""
    pytest.importorskip("django")
    command = [sys.executable, "-c", program, str(tmp_path), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def words(tmp_path: Path) -> Iterator[Path]:
    """A catalogue of German words."""
    place = tmp_path / "de" / "LC_MESSAGES" / "shop.mo"
    place.parent.mkdir(parents=True)
    place.write_bytes(catalogue(hello="hallo", bye="tschuess"))
    yield place
    gettext._translations.clear()  # type: ignore[attr-defined]  # what `translation` keeps for ever


def test_catalogues_of_gettext_are_read_anew(tmp_path: Path, words: Path) -> None:
    """Who keeps a translation, or a function of one, has the new words after the save; half a file changes nothing."""
    translate = gettext.translation("shop", tmp_path, ["de"]).gettext
    with Reloader(tmp_path, apply="manual") as reloader:
        for text in ("moin", "servus"):
            words.write_bytes(catalogue(hello=text))
            reloader.look()
            assert [translate("hello"), translate("bye")] == [text, "bye"]
        words.write_bytes(catalogue(hello="salve")[:40])
        reloader.look()
        assert translate("hello") == "servus"
        words.write_bytes(catalogue(hello="salve"))
        reloader.look()
        assert translate("hello") == "salve"


def test_catalogues_of_babel_are_read_anew(tmp_path: Path, words: Path) -> None:
    """Its objects follow as well, those that were merged of several files too, with later ones over earlier ones."""
    support = pytest.importorskip("babel.support")
    other = words.with_name("other.mo")
    other.write_bytes(catalogue(hello="gruezi", yes="ja"))
    merged = support.Translations.load(tmp_path, ["de"], "shop")
    merged.merge(support.Translations.load(tmp_path, ["de"], "other"))
    with Reloader(tmp_path, apply="manual") as reloader:
        words.write_bytes(catalogue(hello="moin", bye="ade"))
        reloader.look()
        assert [merged.gettext(word) for word in ("hello", "bye", "yes")] == ["gruezi", "ade", "ja"]
        other.write_bytes(catalogue(yes="jo"))
        reloader.look()
        assert [merged.gettext(word) for word in ("hello", "bye", "yes")] == ["moin", "ade", "jo"]
