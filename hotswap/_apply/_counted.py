"""What counts as it is made, in the body of a class: an object that comes, or changes places, is out of order; so are
the values of an enum whose members are made anew.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from hotswap._apply import _generate
from hotswap._model import Kind, Pair, Statement
from hotswap._run._values import attributes_of, equal

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit


_OUT_OF_ORDER: Final[WeakSet[type]] = WeakSet()
"""Classes of which that was told before: their numbers do not rise any more."""


def tell_order(visit: Visit, pair: Pair, live: type) -> None:
    """Tell of a member of `live` that was made later than what stands below it, as the numbers say that both have."""
    assert pair.inner is not None
    inner = pair.inner
    if (
        not (inner.added or inner.moved or inner.changed)
        or visit.swap.tends(live)
        or _generate.is_made_whole(visit, live)
    ):
        return
    partner = {id(one.new): one.old for one in inner.unchanged}
    counted: dict[str, list[tuple[Statement, int]]] = {}
    for statement in pair.new.children:
        for name, number in _numbers(statement, live):
            counted.setdefault(name, []).append((statement, number))
    for attribute, found in counted.items():
        olds = sorted((partner[id(one)].lineno, number) for one, number in found if id(one) in partner)
        late = [one for (one, number), (_, below) in pairwise(found) if number > below]
        counts = len(olds) > 1 and all(one < other for (_, one), (_, other) in pairwise(olds))
        if late and (counts or live in _OUT_OF_ORDER):
            visit.swap.later.append(partial(_OUT_OF_ORDER.add, live))
            named = f"{visit.named(pair.new)}.{late[0].binds[-1]}"
            tell(visit, late[0], named, attribute)


def tell_values(visit: Visit, pair: Pair, enum: Any, fresh: Any) -> None:
    """Tell that members of `enum`, made anew as in `fresh`, took their values from a counter that goes on counting."""
    unchanged = pair.inner.unchanged if pair.inner is not None else ()
    for name in (one.new.binds[-1] for one in unchanged if "next" in one.new.calls):
        before, after = enum._member_map_.get(name), fresh._member_map_.get(name)
        if before is not None and after is not None and not equal(before._value_, after._value_):
            tell(visit, pair.new, visit.named(pair.new), "the value of its members", before="at a start")
            return


def tell(visit: Visit, of: Statement, name: str, attribute: str, before: str = "what stands below it") -> None:
    """Tell that `name`, of the statement `of`, was made later than `before`."""
    visit.swap.tell(visit.work, "HS232", of.lineno, name=name, attribute=attribute, before=before)


def _numbers(statement: Statement, live: type) -> Iterator[tuple[str, int]]:
    """Yield the attributes of what an assignment made that are numbers, and that its text does not name."""
    if statement.kind is not Kind.ASSIGN or not statement.binds or not statement.calls:
        return  # what is no member binds nothing: `table[key] = made()`
    value = vars(live).get(statement.binds[-1])
    stated = {node.value for node in ast.walk(statement.node) if isinstance(node, ast.Constant)}
    for name, number in attributes_of(value).items():
        if type(number) is int and number not in stated:
            yield name, number
