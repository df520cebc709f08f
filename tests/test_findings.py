"""The edit contract as a table: every row can be told, and tells enough."""

from __future__ import annotations

import re
import string

import pytest

from hotswap import _findings
from hotswap._findings import CATALOGUE, Rule, finding
from hotswap._model import Severity

RULES = _findings._RULES
SEVERITIES = {"1": Severity.REFUSED, "2": Severity.STALE, "3": Severity.HELD, "4": Severity.WATCH}
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)


def fields_of(rule: Rule) -> set[str]:
    """Return the names of the fields that the words of `rule` ask for."""
    parsed = string.Formatter().parse(f"{rule.message}\n{rule.advice}")
    return {name for _, name, _, _ in parsed if name is not None}


def test_codes_are_unique_and_in_order() -> None:
    """A code stands once, and the table is sorted by code."""
    codes = [rule.code for rule in RULES]
    assert codes == sorted(set(codes))
    assert list(CATALOGUE) == codes


def test_titles_are_unique() -> None:
    """No two rules have the same title, so that each has a page of its own."""
    assert len({rule.title for rule in RULES}) == len(RULES)


@every_rule
def test_code_gives_the_severity(rule: Rule) -> None:
    """The hundreds digit of a code is its severity."""
    assert re.fullmatch(r"HS[1-4]\d\d", rule.code)
    told = finding(rule.code, "a.py", 1, **dict.fromkeys(fields_of(rule), "x"))
    assert told.severity is SEVERITIES[rule.code[2]]


@every_rule
def test_words_take_their_fields(rule: Rule) -> None:
    """Message and advice can be filled, and each value given turns up in them."""
    values = {name: f"<{name}>" for name in fields_of(rule)}
    told = finding(rule.code, "pkg/a.py", 7, **values)
    words = f"{told.message} {told.advice}"
    assert all(f"<{name}>" in words for name in values)
    assert not re.search(r"[{}]", words)
    assert str(told).startswith(f"{rule.code} pkg/a.py:7: ")


@every_rule
def test_fields_are_plain_names(rule: Rule) -> None:
    """A field is a name without attributes or indexes, so no code of the program runs while it is filled in."""
    assert all(name.isidentifier() for name in fields_of(rule))


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.code[2] in "13"], ids=lambda rule: rule.code)
def test_what_is_not_live_comes_with_advice(rule: Rule) -> None:
    """Who is told that an edit is not in effect is told what to do."""
    assert rule.advice


@pytest.mark.parametrize("rule", [rule for rule in RULES if fields_of(rule)], ids=lambda rule: rule.code)
def test_a_missing_field_is_an_error(rule: Rule) -> None:
    """A finding with a gap in its words cannot be made."""
    with pytest.raises(KeyError):
        finding(rule.code, "a.py", 1)


def test_an_unknown_code_is_an_error() -> None:
    """Only what the contract lists can be told."""
    with pytest.raises(KeyError):
        finding("HS999", "a.py", 1)


@every_rule
def test_words_are_plain(rule: Rule) -> None:
    """The words of a rule neither end in a full stop nor use names that say nothing."""
    words = f"{rule.title} {rule.message} {rule.advice}"
    assert not re.search(r"\b(refresh|sync|manager|handler|helper|utils)\b", words, re.IGNORECASE)
    assert not rule.message.endswith(".")
    assert not rule.advice.endswith(".")
