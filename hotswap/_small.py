"""Which saves are small edits: functions and constants differ that nothing uses which ran when modules were imported.

The second half of the question looks at all modules that may be affected. Its answer for a function is remembered, as
it does not change with small edits: what uses nothing but functions that nothing uses is not used either.
"""

from __future__ import annotations

import ast
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import decode_source
from types import ModuleType
from typing import Any

from hotswap._apply._adapter import found_registrars
from hotswap._apply._codes import is_kept
from hotswap._apply._small import Small, begin, move_ahead, precompile
from hotswap._loader._baselines import Baseline, Packed, text_of
from hotswap._loader._builds import build_of, is_foreign
from hotswap._loader._witness import is_witnessed
from hotswap._model import Pair, Statement
from hotswap._modules import Entry, Loaded, signature
from hotswap._points._hooks import AFTER, BEFORE
from hotswap._points._way import breathe
from hotswap._process import Process, speaks_of_caches
from hotswap._reach import Reached, reach
from hotswap._regions import Index, compare, index_of
from hotswap._run._values import attribute, way_to
from hotswap._stale._running import is_running
from hotswap._text._diff import is_documented_anew
from hotswap._text._names import dotted_of

_SPENT = 50
"""Things that are kept until somebody has time to let them go, or the next edit comes."""


@dataclass(frozen=True, slots=True)
class Found:
    """A small edit and the baseline that takes effect with it, instead of `before`."""

    edit: Small
    fresh: Baseline
    before: Baseline

    @property
    def name(self) -> str:
        """The name of its module."""
        return self.edit.module.__name__


Asked = tuple[Small, list[tuple[str, str]]]
"""A small edit and the names under which its answer is remembered."""


def is_plain(entry: Entry) -> bool:
    """Whether nobody wants to be called for a swap of the module, and its body does not run any more."""
    module = sys.modules.get(entry.name)
    names = vars(module) if module is not None else {}
    return BEFORE not in names and AFTER not in names and not is_running(entry.name)


def _reads(new: Statement) -> bool:
    """Whether a function that is new has anything from names when it is made; annotations may come later."""
    node: Any = new.node
    annotated = any(type(one) is ast.arg and one.annotation is not None for one in ast.walk(node.args))
    return bool(new.reads) or annotated or node.returns is not None


def _may_take_docs(module: ModuleType, pair: Pair) -> bool:
    """Whether a docstring is another one that a decorator which is not of the standard library may have taken."""
    made_by = getattr(pair.new.node, "decorator_list", ()) if is_documented_anew(pair) else ()
    names = [dotted_of(one.func if isinstance(one, ast.Call) else one) for one in made_by]
    found = [way_to(vars(module), name) if name else [] for name in names]
    origins = (attribute(way[-1], "__module__", "builtins") if way else "" for way in found)
    return any(str(origin).partition(".")[0] not in sys.stdlib_module_names for origin in origins)


class SmallEdits:
    """Finds small edits for one reloader. It keeps the index of each text that was edited, and answers."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._indexes: dict[str, tuple[Baseline, Index | None]] = {}
        self._answers: dict[tuple[str, str], Reached | None] = {}
        self._looked: dict[str, Found] = {}
        self._left: dict[str, tuple[Baseline, object]] = {}
        self._not_begun: list[Found] = []
        self._spent: list[object] = []
        self._asked = 0
        self._given_at = -1

    def find(self, entries: Iterable[Entry], loaded: Loaded) -> list[Found]:
        """Return the small edits that the files of `entries` hold; files with anything else in them are left out.

        `loaded` are all entries there are.
        """
        found, known, of_code = [], set(), self._process.baselines.of_code
        for entry in entries:
            breathe()
            one = self._found_ahead(entry)
            if one is not None:
                known.add(entry.name)
            elif (one := self._look(entry)) is None:
                self.leave(entry)
            if one is not None and not self._comes_back(one.edit):
                if not of_code or not is_kept(one.before.origin, of_code):
                    found.append(one)
        found = _that_may_be_together(found)
        unused = self._that_reach_no_more([one.edit for one in found if one.name not in known], loaded)
        return [one for one in found if one.name in known or one.name in unused]

    def leave(self, entry: Entry) -> None:
        """Note that what the file of `entry` says now takes the plain way."""
        old = self._process.baselines.get(entry.name)
        if old is not None:
            self._left[entry.name] = old, signature(old.path)

    def ahead(self, found: Sequence[Found]) -> None:
        """Compile `found` for a swap that comes soon.

        Of several, syntax trees are not kept: they would be looked at by the next collection of garbage, in some frame.
        """
        self._not_begun = []
        for one in found:
            breathe()
            precompile(one.edit)
            move_ahead(one.edit)
            kept = replace(one, edit=one.edit.without_trees()) if len(found) > 1 else one
            self._looked[one.name] = kept
            self._not_begun.append(kept)
        self._asked = len(self._not_begun)

    def let_go(self) -> None:
        """Free what is of no more use; to take large trees apart takes time."""
        self._left.clear()
        while self._spent:
            self._spent.pop()
            breathe()

    def begin(self, until: float) -> bool:
        """Begin to apply what was found ahead, as far as that goes until `until`; return whether all was begun."""
        if not self._not_begun or self._asked == 1:  # one edit costs no more when it is applied
            return True
        while self._not_begun:
            begin(self._not_begun.pop().edit)
            if time.perf_counter() >= until:
                break
        return False

    def accept(self, found: Iterable[Found]) -> dict[str, Baseline]:
        """Note that these are live now; return the baselines that were.

        What is of no more use waits until it is let go, or something is read ahead again.
        """
        replaced = {}
        if len(self._spent) > _SPENT:  # what `found` has stays: it would be let go at once, before anybody is told
            self._spent = []
        self._spent += found
        for one in found:
            one.edit.codes.clear()  # who holds code is asked at the next edit
            name = one.edit.module.__name__
            old = self._process.baselines.get(name)
            if old is not None:
                replaced[name] = old
            self._process.unpin(one.edit.origin)
            self._process.baselines.note(name, one.fresh)
            self._spent.append(self._indexes.get(name))
            self._indexes[name] = (one.fresh, one.edit.region.after)
            if any(map(_reads, (new for part in one.edit.region.parts for new in part.added))):
                self._given_at = -1  # a default, say, is taken from a constant now
        return replaced

    def _found_ahead(self, entry: Entry) -> Found | None:
        """Return what was found ahead, and asked about, if the file, the module and all that uses it are as then."""
        known = self._looked.pop(entry.name, None)
        if known is None or self._given_at != self._process.shape:
            return None
        live = known.before is self._process.baselines.get(entry.name)
        same = live and known.edit.module is sys.modules.get(entry.name)
        return known if same and known.fresh.seen == signature(known.before.path) else None

    def _look(self, entry: Entry) -> Found | None:
        old, module = self._process.baselines.get(entry.name), sys.modules.get(entry.name)
        if old is None or type(module) is not ModuleType or module.__name__ != entry.name:
            return None
        seen = signature(old.path)
        if self._left.get(entry.name) == (old, seen):
            return None  # as it was found ahead
        if seen is None or is_foreign(module) or build_of(module, "") is not None:
            return None
        old = self._sure(module, old)
        index = self._index(entry.name, old) if old is not None else None
        if old is None or index is None:
            return None
        try:
            with open(old.path, "rb") as file:
                source = file.read()
            text = decode_source(source)
        except (OSError, SyntaxError, ValueError):
            return None
        region = compare(index, text, old.origin)
        if region is None or speaks_of_caches(region.text):
            return None
        if any(_may_take_docs(module, pair) for part in region.parts for pair in part.changed):
            return None
        small = Small(module, entry.path, old.origin, region)
        return Found(small, Baseline(old.origin, old.path, Packed(source), seen), old)

    def _sure(self, module: ModuleType, old: Baseline) -> Baseline | None:
        """Return `old` as what the module surely runs; None if nobody saw it run, and it does not look like it."""
        if old.certain:
            return old
        if not is_witnessed(module, text_of(old), old.origin, None):
            return None  # the plain way tells of it
        self._process.update_graph()  # first: a text that nobody saw is looked at in another way
        sure = old._replace(certain=True)
        self._process.baselines.vouch(module.__name__, sure)
        return sure

    def _index(self, name: str, baseline: Baseline) -> Index | None:
        known = self._indexes.get(name)
        if known is None or known[0] is not baseline:
            try:
                known = (baseline, index_of(text_of(baseline), baseline.origin))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                known = (baseline, None)
            self._indexes[name] = known
        return known[1]

    def _comes_back(self, edit: Small) -> bool:
        """Whether a function that is new has the name of one that left lately, and may be that one."""
        names = {part.prefix + new.binds[-1] for part in edit.region.parts for new in part.added}
        return bool(names) and not names.isdisjoint(name for _, name in self._process.departed())

    def _that_reach_no_more(self, edits: Sequence[Small], loaded: Loaded) -> set[str]:
        """Return the modules of those of `edits` of which nothing that runs by itself may use what they change.

        Nor may a cache hold results of it. Who binds a constant is noted there.
        """
        if self._given_at != loaded.shape:
            self._answers.clear()
            self._process.update_graph()
            self._given_at = loaded.shape
        wanted = [(edit, list(_wanted(edit))) for edit in edits]
        for together in _asked_together([one for one in wanted if not self._are_known(one[1])]):
            if not self._ask(together, loaded) and len(together) > 1:  # which of them it is has not been found out
                for one in together:
                    self._ask([one], loaded)
        chosen = set()
        for edit, asked in wanted:
            answers = [self._answers[one] for one in asked]
            if None not in answers:
                chosen.add(edit.module.__name__)
                for found in answers:
                    edit.followers.update(found or {})
        return chosen

    def _ask(self, together: Sequence[Asked], loaded: Loaded) -> bool:
        """Note the answer for edits that are asked about at once; return whether it is that they reach no more."""
        breathe()
        parts = [edit.region.as_edit(edit.module.__name__, edit.origin) for edit, _ in together]
        answer = reach(self._process, parts, loaded.entries)
        self._answers |= dict.fromkeys([one for _, asked in together for one in asked], answer)
        return answer is not None

    def _are_known(self, asked: Iterable[tuple[str, str]]) -> bool:
        return all(one in self._answers for one in asked)


def _that_may_be_together(found: list[Found]) -> list[Found]:
    """Return those of `found` for which the small way may be one.

    A constant is left to the plain way where a library may have read it, as its adapter is asked there, and where
    another file of the save has a new function that may take it as a default.
    """
    if not any(_has_values(one.edit) for one in found):
        return found
    added = (statement for one in found for part in one.edit.region.parts for statement in part.added)
    alone = len(found) == 1 or not any(map(_reads, added))
    return found if alone and not found_registrars() else [one for one in found if not _has_values(one.edit)]


def _has_values(edit: Small) -> bool:
    """Whether a constant changes."""
    return any(part.values for part in edit.region.parts)


def _asked_together(edits: Sequence[Asked]) -> Iterator[Sequence[Asked]]:
    """Yield `edits` so that a constant is asked about alone, as who binds it is to be found, and all others at once."""
    yield from ([one] for one in edits if _has_values(one[0]))
    if others := [one for one in edits if not _has_values(one[0])]:
        yield others


def _wanted(edit: Small) -> Iterator[tuple[str, str]]:
    """Yield under which names the answer for an edit is remembered, each with its module."""
    names = []
    for part in edit.region.parts:
        names += [part.prefix + pair.new.binds[-1] for pair in part.changed]
        names += [f"+{part.prefix}{statement.binds[-1]}" for statement in part.added]
        names += [f"={pair.new.binds[-1]}" for pair in part.values]
    for name in names or [""]:
        yield edit.module.__name__, name
