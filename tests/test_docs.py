"""The documentation: links lead somewhere, and tables agree with the code they describe."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

import scenario
from hotswap import _settings
from hotswap._findings import CATALOGUE, finding

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


CONTRACT = ROOT / "docs/reference/contract"
PARTS = ("Example", "Why", "What to do instead", "Shown by")


@pytest.mark.parametrize("code", CATALOGUE)
def test_each_code_has_its_page(code: str) -> None:
    """Each code has a page with its title, severity and words, an example, why it is so, and what to do instead."""
    rule, page = CATALOGUE[code], (CONTRACT / f"{code}.md").read_text(encoding="utf-8")
    severity = finding(code, "", 0, **dict.fromkeys(re.findall(r"{(\w+)", rule.message + rule.advice), "x")).severity
    said = [f"> {rule.message}", *([">", f"> {rule.advice}"] if rule.advice else [])]
    assert page.startswith("\n".join([f"# {code}: {rule.title}", "", f"Severity: [{severity.value}]"]))
    assert "\n".join(["", *said, ""]) in page
    assert tuple(re.findall(r"^## (.+)$", page, re.MULTILINE)) == PARTS
    parts = re.split(r"^## .+$", page, flags=re.MULTILINE)[1:]
    assert all(len(part.split()) >= 2 for part in parts)
    assert re.match(r"\n\n```(diff|console|python)\n", parts[0])


@pytest.mark.parametrize("code", CATALOGUE)
def test_each_code_is_provoked(code: str) -> None:
    """Each scenario that a page names exists, is run, and has the code in a report or a check."""
    page = (CONTRACT / f"{code}.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(\.\./\.\./\.\./tests/scenarios/([\w-]+\.md)#([\w-]+)\)", page)
    assert links
    for file, slug in links:
        shown = next(one for one in scenario.read(scenario.FOLDER / file) if one.slug == slug)
        assert shown.mark("xfail") is None
        told = [block.text for block in shown.blocks if block.kind in ("report", "check")]
        assert any(re.search(rf"\b{code}\b", text) for text in told), f"{file}#{slug}"


def test_each_page_has_its_code() -> None:
    """There are no pages for codes that nobody can tell, and the index names every code under its title."""
    assert sorted(path.stem for path in CONTRACT.glob("HS*.md")) == sorted(CATALOGUE)
    index = (CONTRACT / "index.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(HS\d+)\]\((HS\d+)\.md\) \| (.+) \|$", index, re.MULTILINE)
    assert rows == [(code, code, rule.title) for code, rule in CATALOGUE.items()]


def test_there_are_many_kinds() -> None:
    """The contract is no list of everything that went wrong under one heading."""
    assert len(CATALOGUE) >= 50


def test_settings_are_described() -> None:
    """The table of settings names each option and each place to apply, and no other."""
    page = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    rows = re.findall(r'^\| `"?(\w+)"?` ', page, re.MULTILINE)
    options = {"paths", *_settings.Settings._fields} - {"roots"}
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
