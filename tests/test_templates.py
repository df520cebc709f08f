"""Files that libraries read for themselves and keep: templates and translations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hotswap import Reloader

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
    reloader.look()
    (root / "page.html").write_text("two")
    reloader.look()
    assert render_to_string("page.html") == "two", render_to_string("page.html")
"""


def test_templates_of_jinja_are_loaded_anew(tmp_path: Path) -> None:
    """An environment that never looks at files has the new text after the save, also through an inclusion."""
    jinja2 = pytest.importorskip("jinja2")
    (tmp_path / "part.html").write_text("one")
    (tmp_path / "page.html").write_text("[{% include 'part.html' %}]")
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(tmp_path), auto_reload=False)
    with Reloader(tmp_path, apply="manual") as reloader:
        assert environment.get_template("page.html").render() == "[one]"
        reloader.look()
        (tmp_path / "part.html").write_text("two")
        reloader.look()
        assert environment.get_template("page.html").render() == "[two]"


def test_templates_of_django_are_loaded_anew(tmp_path: Path) -> None:
    """Its cached loader, which is the default, has the new text after the save."""
    pytest.importorskip("django")
    command = [sys.executable, "-c", DJANGO, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
