"""Classes below one that gives way to another."""

from __future__ import annotations

from hotswap._run._journal import Journal
from hotswap.patch._classes import replace_base


class Base:
    """Has other slots in its new form, so that classes below have to be made anew."""

    __slots__ = ("a",)


class NewBase:
    """What `Base` gives way to."""

    __slots__ = ("b", "c")


class Left(Base):
    """One of two below `Base`."""

    __slots__ = ("left",)


class Right(Base):
    """The other one."""

    __slots__ = ()


class Both(Left, Right):
    """Has the old class above it as long as one of its bases does."""

    __slots__ = ()


def test_a_class_waits_until_all_above_it_gave_way() -> None:
    """``super()`` would go in circles in a class that has a class and what that gave way to above it."""
    journal, replaced = Journal(), dict[int, type]({id(Base): NewBase})
    made = dict(replace_base(journal, Base, NewBase, replaced))
    assert {one.__name__ for one in made} == {"Left", "Right"}
    replaced[id(Left)] = made[Left]
    assert list(replace_base(journal, Left, made[Left], replaced)) == []
    replaced[id(Right)] = made[Right]
    [(old, new)] = replace_base(journal, Right, made[Right], replaced)
    assert old is Both and new.__mro__[1:4] == (made[Left], made[Right], NewBase)
