"""From files to edits: read what changed, compare it with what is live, say what cannot be read. Nothing is touched."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.util import decode_source

from hotswap._baselines import Baseline, pack
from hotswap._diff import diff
from hotswap._findings import finding
from hotswap._model import Diff, Edit, Finding, Pair, Snapshot
from hotswap._modules import Entry, signature
from hotswap._process import Process
from hotswap._source import read


@dataclass(slots=True)
class Prepared:
    """What the files say. `fresh` are the baselines that take effect once an edit is live."""

    edits: dict[str, Edit] = field(default_factory=dict)
    fresh: dict[str, Baseline] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    told: list[Finding] = field(default_factory=list)


class Reading:
    """Reads for one reloader. `emptied` are modules whose file was found empty or gone once already."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.emptied: set[str] = set()
        self._gone: set[str] = set()

    def changed(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the modules whose file is in another state than when it was read."""
        return [entry for entry in entries if self._is_other(entry)]

    def _is_other(self, entry: Entry) -> bool:
        baseline = self._process.baselines.get(entry.name)
        return baseline is not None and signature(baseline.path) != baseline.seen and not (
            entry.name in self._gone and signature(baseline.path) is None
        )

    def prepare(self, entries: Iterable[Entry]) -> Prepared:
        """Read the files of `entries` and compare them with the baselines."""
        prepared = Prepared()
        for entry in entries:
            self._prepare(entry, prepared)
        return prepared

    def _prepare(self, entry: Entry, prepared: Prepared) -> None:
        old = self._process.baselines.get(entry.name)
        assert old is not None
        new = _now(entry.name, old)
        if new is None:
            self._vanished(entry, prepared)
            return
        self._gone.discard(entry.name)
        if new.packed == old.packed and new.origin == old.origin:
            self._process.baselines.note(entry.name, new)
        elif self._is_held_empty(entry, old, new):
            prepared.findings[entry.name] = finding("HS305", entry.path, 1, module=entry.name)
        else:
            self._compare(entry, old, new, prepared)

    def _vanished(self, entry: Entry, prepared: Prepared) -> None:
        if entry.name not in self.emptied:
            self.emptied.add(entry.name)
            prepared.findings[entry.name] = finding("HS305", entry.path, 1, module=entry.name)
        else:
            self._gone.add(entry.name)
            prepared.told.append(finding("HS102", entry.path, 1, module=entry.name))

    def _is_held_empty(self, entry: Entry, old: Baseline, new: Baseline) -> bool:
        """An editor may truncate a file before it writes it: an empty one is held once."""
        if new.source.strip() or not old.source.strip() or entry.name in self.emptied:
            self.emptied.discard(entry.name)
            return False
        self.emptied.add(entry.name)
        return True

    def _compare(self, entry: Entry, old: Baseline, new: Baseline, prepared: Prepared) -> None:
        try:
            after = read(new.source, entry.name, new.origin)
            compile(after.text, new.origin, "exec", dont_inherit=True)
        except SyntaxError as error:
            prepared.findings[entry.name] = _syntax_error(entry, error)
        except (UnicodeDecodeError, ValueError, RecursionError, MemoryError) as error:
            prepared.findings[entry.name] = finding("HS302", entry.path, 1, message=f"{type(error).__name__}: {error}")
        else:
            before = snapshot_of(entry.name, old)
            prepared.edits[entry.name] = Edit(entry.name, new.origin, before, after, diff(before.statements, after.statements))
            prepared.fresh[entry.name] = new


def _now(name: str, old: Baseline) -> Baseline | None:
    """Read the file of a module as it is now. If it is gone, its spec may say that another one took its place."""
    for origin, path in ((old.origin, old.path), _other_origin(name)):
        seen = signature(path)
        if seen is not None:
            try:
                with open(path, "rb") as file:
                    return Baseline(origin, path, pack(file.read()), seen)
            except OSError:
                continue
    return None


def _other_origin(name: str) -> tuple[str, str]:
    importlib.invalidate_caches()
    held = sys.modules.pop(name, None)
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        spec = None
    finally:
        if held is not None:
            sys.modules[name] = held
    origin = spec.origin if spec is not None and spec.has_location and spec.origin else ""
    return origin, origin


def snapshot_of(name: str, baseline: Baseline) -> Snapshot:
    """Return the snapshot of a baseline's text; an empty one if it cannot be read, which a text that ran can."""
    try:
        return read(baseline.source, name, baseline.origin)
    except (SyntaxError, ValueError):
        return Snapshot(name, baseline.origin, "", ())


def untouched(name: str, baseline: Baseline) -> Edit:
    """Return the edit of a dependent whose own text did not change."""
    snapshot = snapshot_of(name, baseline)
    pairs = tuple(Pair(statement, statement) for statement in snapshot.statements)
    return Edit(name, baseline.origin, snapshot, snapshot, Diff(unchanged=pairs))


def _syntax_error(entry: Entry, error: SyntaxError) -> Finding:
    line = (error.text or "").rstrip("\n")
    shown = [f"{type(error).__name__}: {error.msg}"]
    if line.strip():
        stripped = line.lstrip()
        caret = max((error.offset or 1) - 1 - (len(line) - len(stripped)), 0)
        shown += [f"    {stripped}", "    " + " " * caret + "^"]
    return finding("HS301", entry.path, error.lineno or 1, message="\n".join(shown))



