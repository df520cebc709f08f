"""Edits of modules whose text did not change: what is to be looked at of a dependent; no more of it is parsed.

The facts of its text know where each statement stands, so the lines of all others are blanked before the parse: what
takes milliseconds for a whole text takes a tenth of that for the few statements that read what changed.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from hotswap._graph._facts import Facts
from hotswap._loader._baselines import Baseline, text_of
from hotswap._model import Diff, Edit, Kind, Pair, Snapshot, Statement
from hotswap._plan._prepare import untouched
from hotswap._text._source import read


def concerned(facts: Facts, baseline: Baseline, places: Collection[int]) -> Edit:
    """Return the edit of a module of which the statements at `places` may run: with its imports, what these may cover,
    and what forms chains with either. Only these have syntax trees.
    """
    statements = facts.statements
    chosen = {index for index, one in enumerate(statements) if index in places or _is_always_read(one)}
    star = max((one.lineno for one in statements if "*" in one.binds), default=0)
    chosen |= {index for index, one in enumerate(statements) if one.lineno < star and one.kind is Kind.ASSIGN}
    names = {name for index in chosen for name in _touches(statements[index])}
    read = {name.partition(".")[0] for index in chosen & set(places) for name in statements[index].reads}
    times = Counter(name for one in statements for name in read.intersection(_touches(one)))
    once = 0 if star else 1  # a star import may have given it, too
    names |= {name for name, count in times.items() if count > once}  # what it was when the statement ran is to be made
    chosen |= {index for index, one in enumerate(statements) if not names.isdisjoint(_touches(one))}
    snapshot = _masked(facts, baseline, chosen)
    if snapshot is None:
        return untouched(facts.module, baseline, frozenset(places))
    pairs = tuple(Pair(one, one) for index, one in enumerate(snapshot.statements) if index in chosen)
    return Edit(facts.module, baseline.origin, snapshot, snapshot, Diff(unchanged=pairs))


def _is_always_read(statement: Statement) -> bool:
    """Whether a statement has a say in more than its own names: imports, suites, annotations of the module."""
    always = statement.kind in (Kind.IMPORT, Kind.SUITE) or "*" in statement.binds
    return always or isinstance(statement.node, ast.AnnAssign)


def _touches(statement: Statement) -> tuple[str, ...]:
    return (*statement.binds, *statement.mutates)


def _masked(facts: Facts, baseline: Baseline, chosen: Collection[int]) -> Snapshot | None:
    """Return the snapshot of the text with the trees of the `chosen` statements; None if its lines do not part so."""
    text, statements = text_of(baseline), facts.statements
    lines = text.split("\n")
    order = sorted(chosen)
    kept = {number for index in order for number in _lines_of(statements, index, len(lines))}
    try:
        found = read("\n".join(line if number in kept else "" for number, line in enumerate(lines)), facts.module, "")
    except (SyntaxError, ValueError):
        return None
    if [(one.key, one.lineno) for one in found.statements] != [
        (statements[i].key, statements[i].lineno) for i in order
    ]:
        return None
    read_again = dict(zip(order, found.statements, strict=True))
    every = tuple(read_again.get(index, one) for index, one in enumerate(statements))
    doc = bool(statements) and statements[0].key == "doc"
    return replace(found, origin=baseline.origin, text=text, statements=every, doc=doc)


def _lines_of(statements: Sequence[Statement], index: int, size: int) -> range:
    """Return the lines, from 0, up to the next statement: where facts left bodies out, they don't know their ends."""
    behind = statements[index + 1].lineno - 1 if index + 1 < len(statements) else size
    return range(statements[index].lineno - 1, max(behind, statements[index].end_lineno))
