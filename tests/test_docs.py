"""The documentation: links lead somewhere, and tables agree with the code they describe."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

import scenario
from hotswap import _settings
from hotswap._findings import CATALOGUE

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("docs", "tests/scenarios", ".github")
PAGES = sorted([*(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md")), *ROOT.glob("*.md")])
FENCED = re.compile(r"^(`{3,}).*?^\1$", re.MULTILINE | re.DOTALL)


def _text(page: Path) -> str:
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ +([^{\n]+)", _text(page), re.MULTILINE)
    return {scenario.slug(heading.strip()) for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link names a file that exists, and a heading that is in it."""
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", _text(page)):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), link
        assert not anchor or anchor in _anchors(target), link


@pytest.mark.parametrize("code", CATALOGUE)
def test_each_code_has_its_section(code: str) -> None:
    """The page of the contract has a section for each code, with its title, its message and its advice."""
    rule = CATALOGUE[code]
    page = (ROOT / "docs/reference/contract.md").read_text(encoding="utf-8")
    lines = [f"> {rule.message}", *([">", f"> {rule.advice}"] if rule.advice else [])]
    wanted = "\n".join([f"### {code}: {rule.title}", "", *lines, ""])
    assert wanted in page, f"docs/reference/contract.md lacks:\n{wanted}"


def test_each_section_has_its_code() -> None:
    """The page of the contract describes no code that is not in the catalogue."""
    page = (ROOT / "docs/reference/contract.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (HS\d+)", page, re.MULTILINE) == list(CATALOGUE)


def test_settings_are_described() -> None:
    """The table of settings names each option and each place to apply, and no other."""
    page = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    rows = re.findall(r'^\| `"?(\w+)"?` ', page, re.MULTILINE)
    options = {"paths", *(field.name for field in fields(_settings.Settings))} - {"roots"}
    assert sorted(rows) == sorted([*options, *get_args(_settings.Apply)])


def test_the_same_command_runs_the_tests_everywhere() -> None:
    """README, CONTRIBUTING and CI install and test in the same words."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert ".venv/bin/pip install -e '.[test]' && .venv/bin/pytest\n" in readme
    assert '"$venv/bin/pip" install -q -e \'.[test]\'\n  "$venv/bin/pytest" -q\n' in ci


def test_each_extra_is_installable_by_its_documented_name() -> None:
    """Extras that the documents name are those of the package."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    named = {name for text in texts for group in re.findall(r"'\.\[([\w,]+)\]'", text) for name in group.split(",")}
    assert named
    assert named <= set(extras)
