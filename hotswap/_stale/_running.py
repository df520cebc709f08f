"""Modules whose body still runs: a script in its main loop, a module in the middle of its import.

What stands at and below the line where the body is will be run, or is being run, by the body itself, from the text that
it began with. Nothing can change that, so a swap leaves these statements alone and tells which of them differ. The body
counts lines in the text that it began with; where each of its statements stands by now is noted from save to save.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from types import FrameType
from typing import Final

from hotswap._findings import finding
from hotswap._loader import importing_for
from hotswap._model import Diff, Edit, Finding, How, Outcome, Pair, Patch, Snapshot, Statement
from hotswap._stale._body import is_renewed
from hotswap._stale._place import stays

_NOWHERE = sys.maxsize
_LONG: Final = 10.0
"""Seconds after which a module that is being imported counts as one whose body has a loop of its own."""


class Bodies:
    """The bodies of modules that were seen running, with the places of their statements."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[FrameType, list[tuple[int, int | None]]]] = {}
        self._renewed: set[str] = set()

    def limit(self, edits: Mapping[str, Edit]) -> tuple[dict[str, Edit], list[Finding]]:
        """Return `edits` without what modules that run still have before them, and what has to be told of that."""
        limited, told = dict(edits), list[Finding]()
        frames = dict(_running(edits))
        self._renewed.clear()
        self._known = {name: known for name, known in self._known.items() if name not in edits or name in frames}
        for name, frame in frames.items():
            edit, places = edits[name], self._places(name, frame, edits[name].old)
            line = next((now for end, now in places if end >= frame.f_lineno and now is not None), _NOWHERE)
            limited[name] = _above(edit, line)
            told += self._told(edit, limited[name], frame)
        return limited, told

    def with_loops(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """Yield `outcomes` with the bodies of modules whose loop over frames has what was limited before."""
        for outcome in outcomes:
            renewed = (Patch("<module>", How.IN_PLACE),) if outcome.step.module in self._renewed else ()
            yield replace(outcome, patches=outcome.patches + renewed)

    def _told(self, edit: Edit, limited: Edit, frame: FrameType) -> Iterator[Finding]:
        left: list[Statement] = [pair.new for pair in edit.diff.changed if pair not in limited.diff.changed]
        left += [statement for statement in edit.diff.added if statement not in limited.diff.added]
        for statement in sorted(left, key=lambda each: each.lineno):
            if isinstance(statement.node, ast.For) and stays(statement.node) and is_renewed(frame):
                self._renewed.add(edit.module)  # a loop over frames, which takes its body from the live text
                continue
            name = statement.binds[-1] if statement.binds else statement.key
            yield finding("HS221", edit.path, statement.lineno, name=name, module=edit.module)

    def limit_dependents(self, edits: list[Edit]) -> list[Edit]:
        """Return `edits`, those of modules whose own text did not change without what their bodies have before them."""
        frames = dict(_running({edit.module: edit for edit in edits if not edit.edited}))
        return [
            _ahead_left_out(edit, self._line(frames[edit.module])) if edit.module in frames else edit for edit in edits
        ]

    def _line(self, frame: FrameType) -> int:
        """Return the line of the live text at which a body stands."""
        places = next((places for known, places in self._known.values() if known is frame), None)
        if places is None:
            return frame.f_lineno  # its text did not change since the body began
        return next((now for end, now in places if end >= frame.f_lineno and now is not None), _NOWHERE)

    def _places(self, name: str, frame: FrameType, old: Snapshot) -> list[tuple[int, int | None]]:
        """Return for each statement of the body where it ends in the text that runs, and begins in the live one."""
        known = self._known.get(name)
        if known is None or known[0] is not frame:
            known = self._known[name] = (frame, [(s.end_lineno, s.lineno) for s in old.statements])
        return known[1]

    def move(self, edit: Edit) -> None:
        """The new text of `edit` is what is live; note where the statements of a running body stand in it."""
        if edit.module in self._known:
            frame, places = self._known[edit.module]
            moved = {pair.old.lineno: pair.new.lineno for pair in (*edit.diff.unchanged, *edit.diff.changed)}
            self._known[edit.module] = (frame, [(end, moved.get(now or 0)) for end, now in places])


def _running(names: Container[str]) -> Iterator[tuple[str, FrameType]]:
    """Yield the modules among `names` whose body is on the stack of a thread, with its frame."""
    for top in sys._current_frames().values():
        for frame in outwards(top):
            if frame.f_code.co_name == "<module>":
                name = frame.f_globals.get("__name__")
                module = sys.modules.get(name) if isinstance(name, str) and name in names else None
                if module is not None and vars(module) is frame.f_globals is frame.f_locals:
                    yield module.__name__, frame
        del top  # it may be the frame of this very call: a cycle, which would keep what its callers hold


def is_begun(name: str) -> bool:
    """Whether the module `name` is in the middle of its import, in another thread: a save waits until that ends."""
    module = sys.modules.get(name)
    seconds = None if module is None else importing_for(module)
    if module is None or seconds is None or seconds > _LONG:
        return False
    return all(frame.f_globals is not vars(module) for frame in outwards(sys._getframe(1)))


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def is_running(name: str) -> bool:
    """Whether the body of the module `name` still runs; of one that was imported the import system knows it."""
    if name == "__main__":
        return bool(dict(_running((name,))))
    return bool(getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", False))


def _ahead_left_out(edit: Edit, line: int) -> Edit:
    return replace(edit, diff=Diff(unchanged=tuple(pair for pair in edit.diff.unchanged if pair.new.end_lineno < line)))


def _above(edit: Edit, line: int) -> Edit:
    """Return `edit` without what stands at and below `line` of its old text."""
    diff = edit.diff
    ahead = [p.new.lineno for p in (*diff.unchanged, *diff.changed) if p.old.lineno >= line]
    limit = min(ahead, default=_NOWHERE)

    def keeps(pair: Pair) -> bool:
        return pair.old.lineno < line

    reduced = Diff(
        unchanged=tuple(filter(keeps, diff.unchanged)),
        moved=tuple(filter(keeps, diff.moved)),
        changed=tuple(filter(keeps, diff.changed)),
        added=tuple(s for s in diff.added if s.lineno < limit),
        removed=tuple(s for s in diff.removed if s.lineno < line),
    )
    kept = {id(pair.new) for pair in (*reduced.unchanged, *reduced.changed)} | {id(s) for s in reduced.added}
    new = replace(edit.new, statements=tuple(s for s in edit.new.statements if id(s) in kept))
    old = replace(edit.old, statements=tuple(s for s in edit.old.statements if s.lineno < line))
    return replace(edit, old=old, new=new, diff=reduced)
