"""Runs `tests/scenarios/*.md` and holds the files themselves to their form."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import scenario as form
from scenario import FOLDER, FormError, Scenario
from scenario_run import Runner

FILES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
SHARE, OF = map(int, os.environ.get("HOTSWAP_SCENARIOS", "0/1").split("/"))  # CI runs half of them on some Pythons
SCENARIOS = [scenario for path in FILES for scenario in form.read(path)][SHARE::OF]


def _parameter(scenario: Scenario) -> object:
    marks: list[pytest.MarkDecorator] = []
    if (reason := scenario.mark("xfail")) is not None:
        marks.append(pytest.mark.xfail(reason=reason, strict=True))
    if not scenario.is_about(sys.version_info[:2]):
        marks.append(pytest.mark.skip(reason="is about other versions of Python"))
    if (needed := scenario.mark("needs")) is not None:
        marks.append(pytest.mark.library)
        if find_spec(needed) is None:
            marks.append(pytest.mark.skip(reason=f"is about {needed}, which is not installed"))
    return pytest.param(scenario, id=f"{scenario.path.stem}/{scenario.slug}", marks=marks)


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    runner.close()


@pytest.mark.parametrize("scenario", [_parameter(scenario) for scenario in SCENARIOS])
def test_scenario(scenario: Scenario, runner: Runner, tmp_path: Path) -> None:
    """The living process does what the scenario says, and so does a cold start on the edited files."""
    failure = runner.run(scenario, tmp_path)
    if failure:
        pytest.fail(failure, pytrace=False)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_claim_has_its_scenario(path: Path) -> None:
    """Each row of the file's table links to scenarios that exist, and each scenario stands in a row."""
    slugs = [scenario.slug for scenario in form.read(path)]
    table = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    links = [link for line in table for link in re.findall(r"\]\(#([^)]+)\)", line)]
    assert sorted(links) == sorted(slugs)
    assert len(set(slugs)) == len(slugs)
    rows = [line for line in table[1:] if not line.startswith("| ---")]
    assert all("](#" in line for line in rows)


# ------------------------------------------------------------------------------------------------- the collector

TITLE = "## a body\n\nA claim.\n\n"
CHECK = "```python check\nassert True\n```\n"


def _read(tmp_path: Path, text: str) -> list[Scenario]:
    path = tmp_path / "case.md"
    path.write_text(text, encoding="utf-8")
    return form.read(path)


def test_reads_title_marks_and_blocks(tmp_path: Path) -> None:
    """A section becomes a scenario with its marks, its claim and its blocks with their lines."""
    (scenario,) = _read(tmp_path, "## A `body`! {xfail: not yet} {python>=3.12} {python<3.15}\n\nA claim.\n\n" + CHECK)
    assert scenario.slug == "a-body"
    assert scenario.mark("xfail") == "not yet"
    assert scenario.mark("warm only") is None
    assert [scenario.is_about((3, minor)) for minor in (11, 12, 14, 15)] == [False, True, True, False]
    assert scenario.claim == "A claim."
    assert [(block.kind, block.lineno, block.text) for block in scenario.blocks] == [("check", 5, "assert True\n")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (TITLE + "```python chek\n```\n", "case.md:5: unknown block 'chek'"),
        (TITLE + "```\nfree text\n```\n", "case.md:5: unknown block ''"),
        (TITLE + "```python check\nassert True\n", "case.md:5: this block is not closed"),
        (TITLE, "case.md:1: a scenario needs"),
        ("## a body\n\n" + CHECK, "case.md:1: a scenario needs a sentence"),
        ("## a body {xfial: no}\n\nA claim.\n\n" + CHECK, "case.md:1: unknown mark 'xfial: no'"),
    ],
)
def test_refuses_what_is_not_in_form(tmp_path: Path, text: str, complaint: str) -> None:
    """A mistake in a scenario file is an error with its place, never a scenario that tests less."""
    with pytest.raises(FormError, match=re.escape(complaint)):
        _read(tmp_path, text)


def test_headings_inside_blocks_are_text(tmp_path: Path) -> None:
    """A line that begins with two hashes inside a block does not begin a scenario."""
    assert len(_read(tmp_path, TITLE + "```python check\n## a comment\nassert True\n```\n")) == 1


def _write(tmp_path: Path, info: str, text: str) -> None:
    (scenario,) = _read(tmp_path, f"{TITLE}```{info}\n{text}```\n\n{CHECK}")
    form.write(tmp_path, scenario.blocks[0])


def test_a_diff_changes_what_it_shows(tmp_path: Path) -> None:
    """The lines of a diff are found by their text, several places in one diff apart by @@."""
    (tmp_path / "mod.py").write_text("a = 1\n\nb = 1\nc = 1\n", encoding="utf-8")
    _write(tmp_path, "diff edit=mod.py", "-a = 1\n+a = 2\n@@\n b = 1\n-c = 1\n+d = 1\n")
    assert (tmp_path / "mod.py").read_text(encoding="utf-8") == "a = 2\n\nb = 1\nd = 1\n"


@pytest.mark.parametrize(("diff", "count"), [("-x = 1\n+x = 2\n", 0), ("-a = 1\n+a = 2\n", 2)])
def test_a_diff_must_fit_once(tmp_path: Path, diff: str, count: int) -> None:
    """A diff whose old lines are missing, or stand twice, is an error."""
    (tmp_path / "mod.py").write_text("a = 1\na = 1\n", encoding="utf-8")
    with pytest.raises(FormError, match=f"stand {count} times"):
        _write(tmp_path, "diff edit=mod.py", diff)


def test_raw_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    """A `raw` block is a literal of bytes, for encodings and line ends that Markdown cannot hold."""
    _write(tmp_path, "python raw=mod.py", 'b"# coding: latin-1\\r\\nx = 1\\xe9"\n')
    assert (tmp_path / "mod.py").read_bytes() == b"# coding: latin-1\r\nx = 1\xe9"


FAILING = """## a failing claim

The function returns what it does not.

```python file=mod.py
def f():
    return 1
```

```python before
import mod
```

```diff edit=mod.py
-    return 1
+    return 2
```

```python check
assert mod.f() == 3
```
"""


def test_a_failure_tells_place_values_and_report(tmp_path: Path, runner: Runner) -> None:
    """A failed check shows the line of the scenario file, both sides of the comparison, and the last report."""
    (scenario,) = _read(tmp_path, FAILING)
    failure = runner.run(scenario, tmp_path)
    assert f"{tmp_path / 'case.md'}:1: a failing claim: failed in the living process" in failure
    assert "line 20" in failure
    assert "AssertionError: mod.f() is 2\n" in failure
    assert "last report:\nhotswap: mod" in failure


def test_a_wrong_expectation_fails_on_the_cold_start(tmp_path: Path, runner: Runner) -> None:
    """A check that only the living process fulfils fails, unless the scenario says that it is warm only."""
    text = FAILING.replace("mod.f() == 3", "len(seen) == 1").replace("import mod\n", "import mod\nseen = []\n")
    text = text.replace("```python check", "```python check warm\nseen.append(1)\n```\n\n```python check")
    (scenario,) = _read(tmp_path, text)
    assert "failed on a cold start with the edited files" in runner.run(scenario, tmp_path)


def test_an_unnamed_finding_fails(tmp_path: Path, runner: Runner) -> None:
    """A save that is not wholly live fails a scenario that does not name the finding: silence means live."""
    (scenario,) = _read(tmp_path, FAILING.replace("+    return 2", "+    return (").replace("mod.f() == 3", "True"))
    assert "findings that this save, which has no report block, does not name: [('HS301', 'mod.py'" in runner.run(
        scenario, tmp_path
    )


def test_a_named_finding_that_is_absent_fails(tmp_path: Path, runner: Runner) -> None:
    """A finding that a scenario expects and the report lacks fails it."""
    (scenario,) = _read(
        tmp_path, FAILING.replace("```python check", "```text report\nHS303 mod.py:1\n```\n\n```python check")
    )
    assert "no such finding: 'HS303 mod.py:1'; findings: []" in runner.run(scenario, tmp_path)


def test_a_hanging_scenario_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario that does not come back is ended after a while, with the stack on which it hung."""
    monkeypatch.setenv("HOTSWAP_SCENARIO_SECONDS", "2")
    text = FAILING.replace("import mod\n", "import threading\nthreading.Event().wait()\n")
    (scenario,) = _read(tmp_path, text)
    impatient = Runner()
    failure = impatient.run(scenario, tmp_path)
    impatient.close()
    assert "Timeout" in failure
    assert "case.md" in failure
