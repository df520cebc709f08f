"""Statements that changed places: who reads a name that several bind may stand behind another one of them now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hotswap._model import Diff, Kind, Statement

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit


def note_readers(
    visit: Visit, diff: Diff, old: Sequence[Statement], new: Sequence[Statement], partners: Mapping[int, Statement]
) -> set[str]:
    """Have unchanged assignments and classes made anew that stand behind another binding of what they read; return the
    names that are not bound for the last time above one of these. `partners` are old statements by the ids of new ones.
    """
    if not diff.moved:
        return set()
    times = Counter(name for one in new for name in {*one.binds, *one.mutates})
    between = set[str]()
    for pair in diff.unchanged:
        if pair.new.kind not in (Kind.ASSIGN, Kind.CLASS):
            continue
        for name in {read.partition(".")[0] for read in pair.new.reads} - {*pair.new.binds}:
            was, now = _last(name, pair.old, old), _last(name, pair.new, new)
            if times[name] > 1 and now is not None and partners.get(id(now)) is not was:
                visit.swap.forced.setdefault(id(pair.new), f"reads {name}, which stands elsewhere now")
                between |= {name} if any(name in one.binds for one in new if one.lineno > pair.new.lineno) else set()
    return between


def _last(name: str, reader: Statement, block: Sequence[Statement]) -> Statement | None:
    """Return the last statement above `reader` that binds or alters `name`."""
    above = (one for one in reversed(block) if one.lineno < reader.lineno)
    return next((one for one in above if name in one.binds or name in one.mutates), None)
