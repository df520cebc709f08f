"""When two values are the same, and which may be made anew."""

from __future__ import annotations

import datetime
import functools
import math
import pathlib
import re

import pytest

from hotswap._run._values import alike, equal, same, stateless


class Hostile:
    """A user's type: asking it anything would run the program's code."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("asked")

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("value", [1, "a", 1.5, True, None, b"x", (1, ("a", None)), frozenset({1, 2}), ..., math.nan])
def test_equal_immutable_builtins_are_the_same(value: object) -> None:
    """A reader cannot tell two equal constants apart."""
    again = tuple(value) if type(value) is tuple else value
    assert same(value, again)


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (1, 1.0), (0.0, -0.0), ("1", b"1"), ((1,), [1]), ([1], [1]), ((1, [2]), (1, [2]))]
)
def test_what_readers_can_tell_apart(one: object, other: object) -> None:
    """Values of different types, zeros of both signs, and mutable values that are not one object are different."""
    assert not same(one, other)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1, [2]], [1, [2]], True),
        ({"a": [1]}, {"a": [1]}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ({1, 2}, {2, 1}, True),
        ([1], [True], False),
        ([Hostile()], [Hostile()], False),
    ],
)
def test_containers_are_compared_item_by_item(one: object, other: object, expected: bool) -> None:
    """Exact builtins are compared, the order of dictionaries included; a user's ``__eq__`` is never asked."""
    assert equal(one, other) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, True), ([], True), (re.compile("a"), True), (pathlib.Path("a"), True), (Hostile(), False), (iter(()), False)],
)
def test_what_holds_no_state(value: object, expected: bool) -> None:
    """Values of builtin and known types can be made anew; any other object may have become something since."""
    assert stateless(value) is expected


def test_values_that_were_made_again_are_alike() -> None:
    """A statement run twice gives alike values: patterns, dates, partials of one function, functions of equal code."""
    made = [(re.compile("a"), datetime.date(2020, 1, 1), functools.partial(len, "x")) for _ in range(2)]
    assert all(alike(one, other) for one, other in zip(*made, strict=True))
    one, other = (eval("lambda: 1") for _ in range(2))
    assert alike(one, other)
    assert not alike(Hostile(), Hostile())
