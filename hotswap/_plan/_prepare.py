"""From files to edits: read what changed, compare it with what is live, say what cannot be read. Nothing is touched."""

from __future__ import annotations

import ast
import importlib
import os
import sys
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.machinery import ModuleSpec
from typing import Final

from hotswap._findings import finding
from hotswap._graph._facts import Facts
from hotswap._loader._baselines import Baseline, Packed
from hotswap._loader._builds import build_of, is_foreign, loader_name
from hotswap._loader._recent import Recent
from hotswap._loader._witness import code_of, differing, runs
from hotswap._model import Diff, Edit, Finding, Kind, Pair, Snapshot, Statement
from hotswap._modules import Entry, signature
from hotswap._points._way import gives_way
from hotswap._process import Process
from hotswap._text._diff import diff, only_code
from hotswap._text._source import read
from hotswap._text._unreadable import why

HOLD_EMPTY: Final = 2.0
"""Seconds for which an emptied or vanished file is held: editors truncate, move and unlink before they write."""


@dataclass(slots=True)
class Prepared:
    """What the files say. `fresh` are the baselines that take effect once an edit is live.

    `findings` are about modules whose file cannot be read or is held, `told` about others; `emptied` are the paths of
    files that have to be looked at again after `HOLD_EMPTY`; `vanished` are modules held because their file is gone;
    `same` are those whose file says what runs.
    """

    edits: dict[str, Edit] = field(default_factory=dict)
    fresh: dict[str, Baseline] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    told: list[Finding] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    vanished: dict[str, Entry] = field(default_factory=dict)
    same: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.edits or self.findings or self.told)

    def add(self, other: Prepared) -> None:
        """Take in what other files say."""
        self.edits |= other.edits
        self.fresh |= other.fresh
        self.findings |= other.findings
        self.vanished |= other.vanished
        self.same |= other.same
        self.told += other.told
        self.emptied += other.emptied


class Reading:
    """Reads for one reloader. It knows which files were found empty or gone, and since when, by `clock` in seconds.

    `by_hand` says that the next reading was asked for: then the second look at an empty file counts, however soon.
    """

    def __init__(self, process: Process, clock: Callable[[], float] = time.monotonic) -> None:
        self._process, self._clock = process, clock
        self._emptied: dict[str, float] = {}
        self._gone = process.gone
        self._as_loaded: dict[str, object] = {}
        self.by_hand = False
        self._recent = Recent()
        self._edits: dict[str, tuple[Baseline, Baseline, Edit | Finding]] = {}

    def changed(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the modules whose file is in another state than when it was read."""
        return [entry for entry in entries if self._is_other(entry)]

    def _is_other(self, entry: Entry) -> bool:
        baseline = self._process.baselines.get(entry.name)
        return (
            baseline is not None
            and signature(baseline.path) != baseline.seen
            and not (entry.name in self._gone and signature(baseline.path) is None)
        )

    def prepare(self, entries: Iterable[Entry]) -> Prepared:
        """Read the files of `entries` and compare them with the baselines."""
        prepared = Prepared()
        for entry in entries:
            self._prepare(entry, prepared)
        self.by_hand = False
        return prepared

    def prepare_texts(self, entries: Iterable[Entry], texts: Mapping[str, Baseline]) -> Prepared:
        """Compare the baselines with earlier ones. The files as they are now count as seen: a later save differs."""
        prepared = Prepared()
        for entry in entries:
            old = self._process.baselines.get(entry.name)
            if old is not None and entry.name in texts:
                text = texts[entry.name]
                self._compare(entry, old, text._replace(seen=signature(text.path)), prepared)
        return prepared

    def _prepare(self, entry: Entry, prepared: Prepared) -> None:
        old = self._process.baselines.get(entry.name)
        assert old is not None
        if self._is_known(entry, old, prepared):
            return
        try:
            new = _now(entry.name, old, self._process.on_load)
        except OSError as error:
            prepared.findings[entry.name] = finding("HS302", entry.path, 1, message=error.strerror or str(error))
            return
        if new is None:
            self._vanished(entry, prepared)
            return
        self._gone.discard(entry.name)
        if new.origin == old.origin and new.packed == old.packed:
            self._emptied.pop(entry.name, None)
            self._process.baselines.note(entry.name, new)
            prepared.same.add(entry.name)
        elif _is_cut(old, new):
            message = "the disk is full, and the text ends in the middle of a line"
            prepared.findings[entry.name] = finding("HS302", entry.path, new.source.count(b"\n") + 1, message=message)
        elif new.source.strip() or not old.source.strip() or not self._is_held(entry, prepared):
            if new.source.strip():
                self._emptied.pop(entry.name, None)
            self._compare(entry, old, new, prepared)

    def _vanished(self, entry: Entry, prepared: Prepared) -> None:
        if self._is_held(entry, prepared):
            prepared.vanished[entry.name] = entry
        else:
            self._tell_gone(entry, prepared)

    def let_go(self, prepared: Prepared, unused: Iterable[str]) -> None:
        """Have modules count as gone at once: the same save took the last import of them away, so it was meant."""
        for name in unused:
            entry = prepared.vanished.pop(name)
            del prepared.findings[name]
            prepared.emptied.remove(entry.path)
            self._tell_gone(entry, prepared)

    def _tell_gone(self, entry: Entry, prepared: Prepared) -> None:
        self._gone.add(entry.name)
        prepared.told.append(finding("HS102", entry.path, 1, module=entry.name))

    def _is_held(self, entry: Entry, prepared: Prepared) -> bool:
        """Hold a file that is empty or gone until it has been so for a while, or is asked for a second time by hand."""
        since = self._emptied.setdefault(entry.name, now := self._clock())
        if since != now and (self.by_hand or now - since >= HOLD_EMPTY):
            return False
        prepared.findings[entry.name] = finding("HS305", entry.path, 1, module=entry.name)
        prepared.emptied.append(entry.path)
        return True

    def ahead(self, entries: Iterable[Entry]) -> Prepared:
        """Read the files of `entries` for a swap that comes soon. Nothing counts as seen because of that."""
        prepared = Prepared()
        for entry in entries:
            old = self._process.baselines.get(entry.name)
            new = _now(entry.name, old, self._process.on_load) if old is not None else None
            if old is not None and new is not None and new.source.strip() and new.packed != old.packed:
                told = len(prepared.told)
                self._compare(entry, old, new, prepared)
                found = prepared.findings.get(entry.name) or prepared.edits.get(entry.name)
                if found is not None and len(prepared.told) == told and not _is_cut(old, new):
                    self._edits[entry.name] = (old, new, found)
        return prepared

    def _is_known(self, entry: Entry, old: Baseline, prepared: Prepared) -> bool:
        """Take what was read ahead, if the file is as it was then; return whether it is."""
        before, new, edit = self._edits.pop(entry.name, (None, None, None))
        if before is not old or new is None or edit is None or new.seen != signature(new.path):
            return False
        self._gone.discard(entry.name)
        self._emptied.pop(entry.name, None)
        if isinstance(edit, Finding):  # it cannot be read
            prepared.findings[entry.name] = edit
        else:
            prepared.edits[entry.name], prepared.fresh[entry.name] = edit, new
        return True

    def _compare(self, entry: Entry, old: Baseline, new: Baseline, prepared: Prepared) -> None:
        try:
            after = read(new.source, entry.name, new.origin)
            before = self._before(entry.name, old)
            changes = diff(before.statements, after.statements)
            _check(after, changes)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            prepared.findings[entry.name] = why(entry.path, new.source, error)
        else:
            if (trust := self._trust(entry.name, old, before)) is None:
                loader = loader_name(sys.modules[entry.name])
                prepared.findings[entry.name] = finding("HS308", entry.path, 1, module=entry.name, loader=loader)
                return
            if trust:
                prepared.edits[entry.name] = Edit(entry.name, new.origin, before, after, changes)
                if not old.certain:
                    prepared.told += _tell_differing(entry, before, changes)
            else:
                prepared.edits[entry.name] = _unknown(entry.name, new.origin, after)
                prepared.told.append(finding("HS212", entry.path, 1, module=entry.name, target=entry.name))
            prepared.fresh[entry.name] = new
            if not gives_way():  # else the collector of garbage would go through what is kept, in some frame
                self._recent.keep(entry.name, new.packed, after)

    def _trust(self, name: str, old: Baseline, before: Snapshot) -> bool | None:
        """Whether a module runs the text `before`; None if we cannot make the code that its loader makes.

        That is asked of texts that nobody saw being run, and once if the loader does something of its own.
        """
        module = sys.modules.get(name)
        if module is None:
            return True
        foreign = is_foreign(module) and self._as_loaded.get(name) is not vars(module).get("__loader__")
        if old.certain and not foreign:
            return True
        build = build_of(module, before.text)
        if runs(module, before.text, old.origin, build):
            self._as_loaded[name] = vars(module).get("__loader__")
            return True
        ours = not foreign or (not old.certain and build and code_of(before.text, old.origin, build))
        return False if ours else None

    def _before(self, name: str, old: Baseline) -> Snapshot:
        kept = self._recent.get(name, old.packed)
        return kept if kept is not None and kept.origin == old.origin else snapshot_of(name, old)


def undone(process: Process, replaced: Iterable[str]) -> Iterator[Finding]:
    """Yield a finding for each module that was brought back to a text which its file does not have."""
    for name in replaced:
        live = process.baselines.get(name)
        now = None if live is None else _now(name, live)
        if live is not None and (now is None or now.packed != live.packed):
            yield finding("HS224", live.path, 1, module=name)


def _is_cut(old: Baseline, new: Baseline) -> bool:
    """Whether `new` is what a full disk left of a save: what is missing from it was not deleted by anybody."""
    if new.source.endswith((b"\n", b"\r")) or not old.source.endswith((b"\n", b"\r")):
        return False
    try:
        found = os.statvfs(new.path)
    except (OSError, AttributeError):  # the latter: there is none on Windows
        return False
    return bool(found.f_blocks) and not found.f_bavail


def _check(after: Snapshot, changes: Diff) -> None:
    """Raise SyntaxError for what only the compiler finds, in the statements that are not known to compile already.

    A ``from __future__`` line concerns the whole text, and where it stands matters.
    """
    chosen = [*(pair.new for pair in changes.changed), *changes.added]
    if any("__future__" in statement.key for statement in chosen):
        compile(after.text, after.origin, "exec", dont_inherit=True)
    elif chosen:
        tree = ast.Module(body=[statement.node for statement in chosen], type_ignores=[])
        compile(tree, after.origin, "exec", flags=after.flags, dont_inherit=True)


def _tell_differing(entry: Entry, before: Snapshot, changes: Diff) -> Iterator[Finding]:
    """Tell of constants that are not what the old text says, but for those that this edit makes anew."""
    module = sys.modules.get(entry.name)
    if module is None:
        return
    for name, lineno in differing(module, before.text, before.origin, build_of(module, before.text)):
        here = _kept_line(changes, lineno)
        if here is not None:
            yield finding("HS231", entry.path, here, name=name, target=f"{entry.name}:{name}")


def _kept_line(changes: Diff, lineno: int) -> int | None:
    """Return where the statement of the old line `lineno` stands now, None if it left or is evaluated anew."""
    for pair in changes.unchanged:
        if pair.old.lineno <= lineno <= pair.old.end_lineno:
            return pair.new.lineno + lineno - pair.old.lineno
    for pair in changes.changed:
        if pair.old.lineno <= lineno <= pair.old.end_lineno and pair.inner is not None:
            return _kept_line(pair.inner, lineno)
        if pair.old.lineno <= lineno <= pair.old.end_lineno and only_code(pair):
            return pair.new.lineno
    return None


def _unknown(name: str, path: str, after: Snapshot) -> Edit:
    pairs = tuple(Pair(statement, statement) for statement in after.statements)
    return Edit(name, path, replace(after), after, Diff(unchanged=pairs), unknown=True)


def _now(name: str, old: Baseline, about_to_read: Iterable[Callable[[str], object]] = ()) -> Baseline | None:
    """Read the file of a module as it is now. If it is gone, its spec may say that another one took its place, which
    each of `about_to_read` is called with first.

    Raises OSError if there is a file that cannot be read.
    """
    for origin, path in _origins(name, old):
        for tell in about_to_read if path != old.path else ():  # first: what is saved from now on is seen
            tell(path)
        seen = signature(path)
        if seen is not None:
            try:
                with open(path, "rb") as file:
                    return Baseline(origin, path, Packed(file.read()), seen)
            except FileNotFoundError:
                continue
    return None


def _origins(name: str, old: Baseline) -> Iterator[tuple[str, str]]:
    """Yield where the text of `name` may be: its file, else the one that the import system would take now."""
    yield old.origin, old.path
    importlib.invalidate_caches()
    parent = sys.modules.get(name.rpartition(".")[0])
    try:
        spec = _find_spec(name, None if parent is None else vars(parent).get("__path__"))
    except (ImportError, ValueError, AttributeError):
        return
    if spec is not None and spec.has_location and spec.origin:
        yield spec.origin, spec.origin


def _find_spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """Ask the finders; `importlib.util.find_spec` would give the spec of the module that is loaded."""
    finders = (getattr(finder, "find_spec", None) for finder in sys.meta_path)
    found = (find(name, path, None) for find in finders if find is not None)
    return next((spec for spec in found if spec is not None), None)


def snapshot_of(name: str, baseline: Baseline) -> Snapshot:
    """Return the snapshot of a baseline's text; an empty one if it cannot be read, which a text that ran can."""
    try:
        return read(baseline.source, name, baseline.origin)
    except (SyntaxError, ValueError):
        return Snapshot(name, baseline.origin, "", ())


def untouched(name: str, baseline: Baseline, concerned: Container[int] | None) -> Edit:
    """Return the edit of a module whose text did not change: its imports and the statements `concerned` (None: all)."""
    snapshot = snapshot_of(name, baseline)
    if concerned is None:
        return _same(snapshot, snapshot.statements)
    chosen = {i for i, s in enumerate(snapshot.statements) if i in concerned or s.kind is Kind.IMPORT}
    names = {name for i in chosen for name in _touches(snapshot.statements[i])}
    linked = {i for i, s in enumerate(snapshot.statements) if not names.isdisjoint(_touches(s))}
    return _same(snapshot, [s for i, s in enumerate(snapshot.statements) if i in chosen or i in linked])


def _touches(statement: Statement) -> tuple[str, ...]:
    """Return the names that `statement` binds or mutates: with others of these names it forms chains."""
    return (*statement.binds, *statement.mutates)


def follower(facts: Facts, baseline: Baseline) -> Edit:
    """Return the edit of a dependent of which nothing but import bindings may change; its text is not read."""
    imports = [statement for statement in facts.statements if statement.kind is Kind.IMPORT]
    names = {name for statement in imports for name in statement.binds}
    every = facts.statements
    kept = every if "*" in names else tuple(s for s in every if s.kind is Kind.IMPORT or not names.isdisjoint(s.binds))
    return _same(Snapshot(facts.module, baseline.origin, "", kept), imports)


def _same(snapshot: Snapshot, looked_at: Iterable[Statement]) -> Edit:
    pairs = tuple(Pair(statement, statement) for statement in looked_at)
    return Edit(snapshot.module, snapshot.origin, snapshot, snapshot, Diff(unchanged=pairs))
