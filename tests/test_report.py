"""Reports as text, data and HTML."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from hotswap import _report
from hotswap._findings import finding
from hotswap._model import Action, Finding, How, Kind, Outcome, Patch, Plan, Planned, Report, Statement, Step
from hotswap._text._unreadable import WIDTH, why

KEPT = finding("HS201", "/app/bot.py", 7, name="TABLE", why="it was changed by the program", target="bot:TABLE")
BROKEN = Finding("HS301", "/app/bot.py", 3, "'(' was never closed\nprint(1\n     ^", "the next save tries again")
ADDED = Statement("X", Kind.ASSIGN, b"x", 9, 11, binds=("X",))
STEP = Step("bot", "/app/bot.py", Action.RUN, (Planned(ADDED, True, "it is new"),), "1 statement added")
OUTCOME = Outcome(STEP, (ADDED,), (Patch("greet", How.IN_PLACE), Patch("X", How.ADDED, "first value")), (KEPT,))
SECONDS = {"read": 0.0004, "apply": 0.002, "total": 0.0042}
DONE = Report(3, (OUTCOME,), (KEPT,), seconds=SECONDS)
HELD = Report(3, (), (BROKEN,), ("bot", "shop"), ValueError("no\nmore"), {"total": 0.001})
QUIET = Report(0)


class Silent(Exception):
    """An exception of the program that fails at saying anything."""

    def __str__(self) -> str:
        raise RuntimeError


class Tags(HTMLParser):
    """Notes tags as they open and close, and the words between them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def read(markup: str) -> Tags:
    """Parse `markup`, checking that every tag is closed in turn."""
    tags = Tags()
    tags.feed(markup)
    tags.close()
    assert not tags.open
    return tags


def test_text_is_one_line_when_all_is_live() -> None:
    """A swap without findings is told in one line, the one that is logged."""
    report = Report(3, (Outcome(STEP, (), (Patch("greet", How.IN_PLACE),)),), seconds=SECONDS)
    assert _report.text(report) == str(report) == "hotswap: bot - greet (4.2 ms)"


def test_text_has_a_line_for_each_finding() -> None:
    """What is not in effect stands below the first line, once, with code, place and advice."""
    assert _report.text(DONE).splitlines()[1:] == [
        (
            "  HS201 /app/bot.py:7: TABLE depends on what changed but keeps its value: it was changed by the program "
            "(hotswap.rerun('bot:TABLE') makes it anew)"
        )
    ]


def test_text_shows_findings_that_only_an_outcome_has() -> None:
    """A finding of an outcome is told even if the report does not repeat it."""
    assert "HS201" in _report.text(Report(3, (OUTCOME,)))


def test_text_quotes_source_below_the_advice() -> None:
    """A syntax error shows its line and a caret under the column it stands at."""
    assert _report.text(HELD).splitlines()[1:] == [
        "  HS301 /app/bot.py:3: '(' was never closed (the next save tries again)",
        "      print(1",
        "           ^",
        "  held until the next save: bot, shop",
    ]


def test_a_long_line_is_quoted_around_its_caret() -> None:
    """Of a line that fills a screen by itself the place at fault is shown, with the caret below it."""
    text = f"X = {'(' * 300}{')' * 300}\n"
    with pytest.raises(SyntaxError) as caught:
        compile(text, "a.py", "exec")
    line, caret = why("a.py", text.encode(), caught.value).message.splitlines()[1:]
    assert max(len(line), len(caret)) <= WIDTH + 4
    assert line[caret.index("^")] == "("


def test_a_caret_keeps_its_column_under_tabs() -> None:
    """Tabs in a quoted line become spaces, so that the caret stays below what it points at."""
    lines = _report.finding_lines(Finding("HS301", "a.py", 1, "bad\n\tx = (\n\t    ^"))
    assert lines[1:] == ["        x = (", "            ^"]


@pytest.mark.parametrize(("quoted", "shown"), [(5, 6), (6, 6), (100, 6)])
def test_long_findings_are_cut(quoted: int, shown: int) -> None:
    """A finding takes eight lines at most and says that it was cut."""
    lines = _report.finding_lines(Finding("HS303", "a.py", 1, "\n".join(["raised", *["line"] * quoted])))
    assert len(lines) == shown
    assert (lines[-1].strip() == "...") == (quoted > 5)


def test_a_finding_without_words_or_file_is_one_line() -> None:
    """Trouble that no file is at fault for has no place in front."""
    assert _report.finding_lines(Finding("HS402", "", 0, "")) == ["HS402 "]


def test_verbose_text_says_what_was_done() -> None:
    """Verbose text lists patches with how and note, statements with lines, and the time of each phase."""
    assert _report.text(DONE, verbose=True).splitlines()[2:] == [
        "  generation 3",
        "  bot: run (1 statement added)",
        "    greet: in place",
        "    X: added, first value",
        "    ran lines 9-11: X",
        "  read 0.4 ms, apply 2.0 ms, total 4.2 ms",
    ]


def test_verbose_text_names_the_error_that_undid_a_group() -> None:
    """The exception is shown by its type and the first line of its message."""
    assert "  undone by ValueError: no" in _report.text(HELD, verbose=True).splitlines()


def test_an_error_without_words_is_still_told() -> None:
    """An exception whose own text cannot be had does not break the report."""
    report = Report(1, error=Silent())
    assert "undone by Silent: (no message" in _report.text(report, verbose=True)
    assert _report.as_dict(report)["error"] == {"type": "Silent", "message": "(no message: its __str__ raised)"}


def test_data_is_complete() -> None:
    """The dict holds all of the report under keys that stay."""
    told = {
        "code": "HS201",
        "severity": "stale",
        "path": "/app/bot.py",
        "lineno": 7,
        "message": KEPT.message,
        "advice": KEPT.advice,
    }
    assert _report.as_dict(DONE) == {
        "generation": 3,
        "changed": True,
        "modules": [
            {
                "module": "bot",
                "path": "/app/bot.py",
                "action": "run",
                "reason": "1 statement added",
                "ran": [{"key": "X", "kind": "assign", "lineno": 9, "end_lineno": 11}],
                "patches": [
                    {"qualname": "greet", "how": "in place", "note": ""},
                    {"qualname": "X", "how": "added", "note": "first value"},
                ],
                "findings": [told],
            }
        ],
        "findings": [told],
        "held": [],
        "settled": [],
        "error": None,
        "seconds": SECONDS,
    }


@pytest.mark.parametrize("report", [QUIET, DONE, HELD], ids=["quiet", "done", "held"])
def test_json_says_what_the_dict_says(report: Report) -> None:
    """JSON is the dict on one line, and reading it gives the dict back."""
    written = _report.to_json(report)
    assert json.loads(written) == _report.as_dict(report)
    assert "\n" not in written


def test_json_takes_any_path() -> None:
    """A file name that is no valid text can be written to an ASCII stream."""
    report = Report(1, (), (Finding("HS302", "/app/b\udcffd.py", 1, "ä"),))
    assert json.loads(_report.to_json(report).encode("ascii"))["findings"][0]["path"] == "/app/b\udcffd.py"


@pytest.mark.parametrize(
    ("report", "opened"), [(QUIET, False), (DONE, False), (HELD, True)], ids=["quiet", "done", "held"]
)
def test_html_is_one_block_that_opens_for_trouble(report: Report, opened: bool) -> None:
    """The block is a well-formed details element, open only if an edit is not in effect."""
    tag, attributes = read(_report.html(report)).seen[0]
    assert tag == "details"
    assert ("open" in attributes) == opened


def test_html_holds_the_whole_report() -> None:
    """Every finding and every detail of the verbose text can be read in the block."""
    words = read(_report.html(DONE)).words
    for part in ("bot greet, X", "greetin place", "Xadded, first value", "Xlines 9-11", "bot1 statement added"):
        assert part in words
    for part in (
        "generation 3",
        "read 0.4 ms · apply 2.0 ms · total 4.2 ms",
        "/app/bot.py:7",
        KEPT.message,
        KEPT.advice,
    ):
        assert part in words
    assert "undone by ValueError: no" in read(_report.html(HELD)).words
    assert "held until the next save 2botshop" in read(_report.html(HELD)).words


def test_a_notebook_finds_the_block_by_itself() -> None:
    """A report is shown as HTML by whoever knows the protocol of IPython."""
    assert DONE._repr_html_() == DONE.to_html() == _report.html(DONE)


def test_parts_fold_by_themselves() -> None:
    """All parts of a report that is unfolded are open; of one that tells of trouble, that alone is."""
    for report, opened in ((DONE, [False, *[True] * 5]), (HELD, [True, True, False, True, False])):
        tags = read(_report.html(report)).seen
        assert ["open" in attributes for tag, attributes in tags if tag == "details"] == opened


def test_html_is_escaped() -> None:
    """Names, messages and reasons cannot bring markup into the page."""
    evil = "<script>alert('&')</script>"
    step = Step(evil, evil, Action.RUN, (), evil)
    outcome = Outcome(step, (Statement(evil, Kind.OTHER, b"", 1, 1),), (Patch(evil, How.ADDED, evil),))
    report = Report(1, (outcome,), (Finding("HS301", evil, 1, f"{evil}\n{evil}", evil),), (evil,), ValueError(evil))
    tags = read(_report.html(report))
    assert "script" not in {tag for tag, _ in tags.seen}
    assert evil in tags.words


def test_html_brings_nothing_of_its_own_to_the_page() -> None:
    """No scripts, links or fixed colours: the block looks right on a light and on a dark page."""
    markup = _report.html(HELD)
    assert not re.search(r"<(script|style|link|img)|https?:|#[0-9a-f]{3}", markup)
    assert set(re.findall(r"color:(\w+)", markup)) == {"inherit", "var"}


def test_plan_text_says_what_would_run_and_why() -> None:
    """A plan names its group and cycles, each step with its reason, and each statement with its lines."""
    likely = Planned(Statement("Y", Kind.ASSIGN, b"y", 4, 4), False, "it reads shop.X")
    plan = Plan(("bot", "shop"), (STEP, Step("shop", "/app/shop.py", Action.PATCH, (likely,), "")), (("bot", "shop"),))
    assert _report.plan_text(plan).splitlines() == [
        "group: bot, shop",
        "import cycle: bot -> shop -> bot",
        "bot: run (1 statement added)",
        "  lines 9-11: X runs: it is new",
        "shop: patch",
        "  line 4: Y runs if changed: it reads shop.X",
    ]


def test_an_empty_plan_says_so() -> None:
    """A plan without steps is told in words."""
    assert _report.plan_text(Plan((), ())) == "nothing to do"
