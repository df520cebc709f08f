"""The nouns: frozen values that the stages hand to each other.

Nothing here reads a file or touches a live object. The order below is the order in which they come up in a swap:
what changed on disk, what the text says, what differs, what imports what, what shall be done, what was done.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal

from hotswap import _report
from hotswap._errors import EditError

if TYPE_CHECKING:
    from hotswap._graph._followers import Followers

ChangeKind = Literal["created", "modified", "deleted"]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One path that changed on disk. `path` is absolute, spelled as the watcher reported it."""

    path: str
    kind: ChangeKind


@dataclass(frozen=True, slots=True)
class Batch:
    """File changes that are looked at together. `seen_at` is `time.monotonic()` of the first, in seconds."""

    number: int
    changes: tuple[FileChange, ...]
    seen_at: float


class Kind(Enum):
    """What a statement is to us: how it is matched, patched and run."""

    IMPORT = "import"
    DEF = "def"
    CLASS = "class"
    ASSIGN = "assign"
    SUITE = "suite"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a module, of a class body, or of a suite of `if`, `try`, `with`.

    `key` is what it is called (``def f``, ``class A``, ``X``, ``import os``); two statements may share one.
    `digest` is taken from its text without surrounding space; the diff looks deeper where two digests differ.
    `lineno` and `end_lineno` are 1-based and include decorators. `binds` are the names that running it binds in its
    scope, `reads` the dotted names that it reads *while it runs* (not inside function bodies), `calls` those of
    them that it calls. `mutates` are names whose objects it may alter (``X += 1``, ``X[k] = v``, ``X.append(v)``).
    `children` are a class body's statements or a suite's; `branch` says in which suite of its parent it stands.
    """

    key: str
    kind: Kind
    digest: bytes
    lineno: int
    end_lineno: int
    binds: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    mutates: tuple[str, ...] = ()
    children: tuple[Statement, ...] = ()
    branch: str = ""
    node: ast.stmt = field(default_factory=ast.Pass, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A module's text and its statements. `flags` are the compiler flags of its ``from __future__`` lines.

    `imports` are the names that its own import statements bind: calls of their attributes compile differently.
    """

    module: str
    origin: str
    text: str
    statements: tuple[Statement, ...]
    flags: int = 0
    doc: bool = False
    imports: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pair:
    """An old statement and the new one that takes its place; `inner` is the diff of their bodies or suites."""

    old: Statement
    new: Statement
    inner: Diff | None = None


@dataclass(frozen=True, slots=True)
class Diff:
    """Statements of two texts, matched blind to positions.

    `unchanged` pairs may stand on other lines (`moved` are those of them whose order changed); `changed` pairs differ
    in more than position and formatting.
    """

    unchanged: tuple[Pair, ...] = ()
    moved: tuple[Pair, ...] = ()
    changed: tuple[Pair, ...] = ()
    added: tuple[Statement, ...] = ()
    removed: tuple[Statement, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed or self.moved)


@dataclass(frozen=True, slots=True)
class Edit:
    """One module of a group: its old and new text, read and compared. A dependent's own text is the same on both sides.

    `unknown`: what the process runs is not the old text, nor known at all; functions go by their names, nothing runs.
    `part`: the snapshots have the texts, and the statements of the region that differs alone.
    """

    module: str
    path: str
    old: Snapshot
    new: Snapshot
    diff: Diff
    unknown: bool = False
    part: bool = False

    @property
    def edited(self) -> bool:
        """Whether the text changed at all, if only in a comment."""
        return self.old is not self.new


@dataclass(frozen=True, slots=True)
class ClassChange:
    """What `__hotswap_migrate__(self, change)` is told: how the attributes that a class gives its objects changed.

    `renamed` maps old names to new ones; what is in it is neither in `added` nor in `removed`. `old` has the values
    that this object holds under names that were removed or renamed.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: Mapping[str, str]
    old: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ImportEdge:
    """`importer` imports `imported`, binding `names` (name there, name here); ``("*", "*")`` is a star import.

    No names: the module object itself is imported. `deferred`: inside a function body, so it follows by itself.
    """

    importer: str
    imported: str
    names: tuple[tuple[str, str], ...]
    lineno: int
    deferred: bool = False


class Action(Enum):
    """What a step does to its module."""

    SKIP = "skip"
    PATCH = "patch"
    RUN = "run"
    RELOAD = "reload"


@dataclass(frozen=True, slots=True)
class Planned:
    """A statement that may run: `certain` if its own text changed, else only if something it reads changes."""

    statement: Statement
    certain: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done to one module, and why."""

    module: str
    path: str
    action: Action
    statements: tuple[Planned, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a swap would do to one group, as an upper bound. `cycles` are import cycles among its modules.

    `memo` says that a text which may be reached speaks of caches, or that the program ran such a module again by
    itself: then results of old code may be remembered anywhere, or functions of an earlier run be held. `followers`
    are, by module and name there, who does no more with the name than bind it. `altered` are names, by module, that
    lead to what may have other contents though it stays the same object; `aside` are ids of what is evaluated aside.
    """

    group: tuple[str, ...]
    steps: tuple[Step, ...]
    cycles: tuple[tuple[str, ...], ...] = ()
    memo: bool = True
    followers: Mapping[tuple[str, str], Followers] = field(default_factory=dict)
    altered: Mapping[str, Collection[str]] = field(default_factory=dict)
    aside: frozenset[int] = frozenset()

    def following(self) -> tuple[Step, ...]:
        """Return a step for each module that only binds what changes anew."""
        return tuple({o.step.module: o.step for found in self.followers.values() for o in found.outcomes}.values())

    def __str__(self) -> str:
        lines = []
        for step in self.steps:
            lines.append(f"{step.module}: {step.action.value} ({step.reason})")
            for planned in step.statements:
                sure = "runs" if planned.certain else "runs if changed"
                lines.append(f"  line {planned.statement.lineno}: {planned.statement.key} {sure}: {planned.reason}")
        return "\n".join(lines) or "nothing to do"


class Severity(Enum):
    """How much of the edit a finding keeps from being in effect; `IGNORED` only if the settings say so of its code."""

    REFUSED = "refused"
    STALE = "stale"
    HELD = "held"
    WATCH = "watch"
    IGNORED = "ignored"


_SEVERITIES: Final = {"1": Severity.REFUSED, "2": Severity.STALE, "3": Severity.HELD}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not in effect, by name and line. Silence means that all is live.

    `code` is stable (``HS201``); its hundreds digit is the severity, unless the settings give it another `grade`.
    `path` may be empty where no file is at fault; `target` (``module:name``) says what of the program it is about:
    several of them, with commas between, where one finding counts many.
    """

    code: str
    path: str
    lineno: int
    message: str
    advice: str = ""
    grade: Severity | None = None
    target: str = field(default="", compare=False)

    @property
    def severity(self) -> Severity:
        """What the settings say of the code, else what its hundreds digit says."""
        return self.grade or {"1": Severity.REFUSED, "2": Severity.STALE, "3": Severity.HELD}.get(
            self.code[2], Severity.WATCH
        )

    def __str__(self) -> str:
        place = f"{self.path}:{self.lineno}: " if self.path else ""
        advice = f" ({self.advice})" if self.advice else ""
        first, newline, rest = self.message.partition("\n")
        return f"{self.code} {place}{first}{advice}{newline}{rest}"


class How(Enum):
    """How a name came to be fresh, or why it did not."""

    IN_PLACE = "in place"
    ADDED = "added"
    REBOUND = "rebound"
    FORWARDED = "forwarded"
    REMOVED = "removed"
    RAN = "ran"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Patch:
    """One thing that a swap did: `qualname` inside its module, how, and a note where one helps."""

    qualname: str
    how: How
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one step: the statements that ran and why each did, what was patched, what was found."""

    step: Step
    ran: tuple[Statement, ...] = ()
    patches: tuple[Patch, ...] = ()
    findings: tuple[Finding, ...] = ()
    reasons: tuple[str, ...] = ()


_SHOWN: Final = 12
"""Modules that the line of a report names; `Report.outcomes` has all."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one swap did, as data; `str()` gives the one line that is logged.

    `generation` counts committed swaps (it stays where it was if nothing was committed). `held` are modules whose edit
    waits for the next save, each with a finding; `settled` waited, and their files say again what runs. `error` is the
    exception that undid a group, if one did. `seconds` is CPU-independent wall time by phase: ``read``, ``plan``,
    ``apply``, ``total``.
    """

    generation: int
    outcomes: tuple[Outcome, ...] = ()
    findings: tuple[Finding, ...] = ()
    held: tuple[str, ...] = ()
    error: BaseException | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    settled: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything of the program was altered or run."""
        return any(outcome.patches or outcome.ran for outcome in self.outcomes)

    @property
    def told(self) -> tuple[Finding, ...]:
        """Findings that are shown: all but those that the settings ignore."""
        return tuple(f for f in self.findings if f.severity is not Severity.IGNORED)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that keep an edit wholly or partly from this process: HS1xx and HS3xx."""
        return tuple(f for f in self.findings if f.severity in (Severity.REFUSED, Severity.HELD))

    def __bool__(self) -> bool:
        return self.changed or bool(self.told or self.settled)

    def __str__(self) -> str:
        lines = [self.headline, *(f"  {finding}" for finding in self.told)]
        return "\n".join(lines).replace("\n    ", "\n      ")

    @property
    def headline(self) -> str:
        """One line: what changed, module by module, what is held, and how long it took."""
        touched = [outcome for outcome in self.outcomes if outcome.patches or outcome.ran]
        parts = [_line(outcome) for outcome in touched[:_SHOWN]]
        if touched[_SHOWN:]:
            parts.append(f"{len(touched) - _SHOWN} more modules")
        if self.held:
            parts.append(f"held {_few(self.held)}")
        if self.settled:
            parts.append(f"in step again: {_few(self.settled)}")
        if not parts and not self.seconds:
            return "hotswap: no swap"
        return f"hotswap: {'; '.join(parts) or 'nothing changed'} ({self.seconds.get('total', 0.0) * 1e3:.1f} ms)"

    def text(self, *, verbose: bool = False) -> str:
        """Return the report for a terminal; with `verbose` what was patched, what ran, and the time of each phase."""
        return _report.text(self, verbose=verbose)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as dicts, lists, strings and numbers; a later version may add keys, never drop them."""
        return _report.as_dict(self)

    def to_json(self) -> str:
        """Return `as_dict` as JSON on one line, in ASCII."""
        return _report.to_json(self)

    def to_html(self) -> str:
        """Return the report as HTML that folds; it takes its colours from the page and loads nothing."""
        return _report.html(self)

    _repr_html_ = to_html  # IPython's protocol, found by name

    def raise_for_errors(self) -> None:
        """Raise `EditError` if an edit is not in effect (HS1xx, HS3xx); return None otherwise.

        The exception that undid a group, if any, is its ``__cause__``.
        """
        if self.errors:
            raise EditError("\n".join(map(str, self.errors)), self.errors) from self.error


def _line(outcome: Outcome) -> str:
    names = list(dict.fromkeys(patch.qualname for patch in outcome.patches))
    return f"{outcome.step.module} - {_few(names) or f'{len(outcome.ran)} statements ran'}"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if names[6:] else "")
