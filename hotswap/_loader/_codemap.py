"""Which code takes the place of which: filled from matched statements, asked with the code of a live function."""

from __future__ import annotations

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from types import CodeType

from hotswap._loader._compile import Shifts, all_codes, content, shift
from hotswap._loader._pairs import Pairs, RolesOf, no_roles

Both = Callable[[], tuple[CodeType, CodeType]]


class CodeMap:
    """Which code takes the place of which: filled from matched statements, asked with the code of a live function.

    Live code is known by its qualified name and first line, and by its content where several share both.
    """

    def __init__(self) -> None:
        self._known: defaultdict[tuple[str, int], list[tuple[CodeType, CodeType | None]]] = defaultdict(list)
        self._moved: dict[int, tuple[int, int, Both]] = {}
        self._lines: list[int] = []
        self._shifted: dict[int, CodeType] = {}
        self._shifts: Shifts = {}
        self._named: dict[str, CodeType] = {}
        self.unclear: list[tuple[CodeType, int]] = []

    def add(self, old: CodeType, new: CodeType, roles_of: RolesOf = no_roles) -> None:
        """Note the successor of every code object inside `old`, module code of the same statements as `new`.

        `unclear` grows by lambdas of which the texts don't tell what became of them, with the line of a new one.
        """
        pairs = Pairs(roles_of)
        pairs.match(old, new)
        for before, after in (*pairs.found, *((one, None) for one in pairs.without)):
            self._known[before.co_qualname, before.co_firstlineno].append((before, after))
        self.unclear += pairs.unclear

    def move(self, first: int, last: int, delta: int, compile_both: Both) -> None:
        """Note that the old lines `first` to `last` stand `delta` lines further down.

        `compile_both` gives the old and the new module code, for code that cannot be moved without a compile.
        """
        if delta:
            self._moved[first] = (last, delta, compile_both)
            self._lines = []

    def go_by_names(self, new: CodeType) -> None:
        """Take for the successor of any code the one of its qualified name in the module code `new`, if there is
        one.
        """
        counts = Counter(code.co_qualname for code in all_codes(new))
        self._named = {code.co_qualname: code for code in all_codes(new) if counts[code.co_qualname] == 1}

    def __bool__(self) -> bool:
        return bool(self._known or self._moved or self._named)

    def pairs(self) -> Iterator[tuple[CodeType, CodeType]]:
        """Yield all that was added, old and new."""
        for found in self._known.values():
            yield from ((old, new) for old, new in found if new is not None)

    def successor(self, code: CodeType) -> CodeType | None:
        """Return the code that shall take the place of `code`, or None if it stays as it is.

        Code that was generated (dataclasses, attrs: its file is ``<string>`` or the like) has lines of its own.
        """
        if code.co_filename.startswith("<"):
            return None
        if id(code) in self._shifted:
            return self._shifted[id(code)]
        if self._named:
            return self._named.get(code.co_qualname)
        known = self._known.get((code.co_qualname, code.co_firstlineno))
        if known:
            same = [new for old, new in known if old == code]
            return same[0] if same else _alike(known, code)
        found = self._moved_with(code.co_firstlineno)
        return None if found is None else shift(code, found[1], self._shifts) or self._compiled(code, *found[2]())

    def shift_ahead(self, code: CodeType) -> None:
        """Shift `code` if it moved, for when its successor is asked for; the caller holds it until then."""
        if code.co_filename.startswith("<") or self._named:
            return
        found = self._moved_with(code.co_firstlineno)
        if found is not None and (code.co_qualname, code.co_firstlineno) not in self._known:
            moved = shift(code, found[1], self._shifts)
            if moved is not None:
                self._shifted[id(code)] = moved

    def shifted(self, code: CodeType) -> CodeType | None:
        """Return what `code` was shifted to ahead, which does the same on other lines; None if it was not."""
        return self._shifted.get(id(code))

    def forget_shifted(self) -> None:
        """Forget what was shifted ahead: nobody holds that code any more."""
        self._shifted, self._shifts = {}, {}

    def _moved_with(self, line: int) -> tuple[int, int, Both] | None:
        """Return the lines around `line` that moved together."""
        if not self._lines:
            self._lines = sorted(self._moved)
        at = bisect(self._lines, line)
        found = self._moved[self._lines[at - 1]] if at else None
        return found if found is not None and line <= found[0] else None

    def _compiled(self, code: CodeType, old: CodeType, new: CodeType) -> CodeType | None:
        self.add(old, new)
        known = self._known.get((code.co_qualname, code.co_firstlineno))
        return _alike(known, code) if known else None


def _alike(known: list[tuple[CodeType, CodeType | None]], code: CodeType) -> CodeType | None:
    """Return the successor of code of the same content; of other code, as a debugger's, where only one comes into
    question: of several lambdas on a line one may have left.
    """
    wanted = content(code)
    alone = known[0][1] if len(known) == 1 else None
    return next((new for old, new in known if content(old) == wanted), alone)
