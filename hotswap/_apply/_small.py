"""Small edits at their own cost: bodies of functions, new functions, constants; nothing that ran has to run again.

What the plain way finds by going through a module is looked up here by its name, and each thing is checked that the
plain way could have found otherwise: that the live function is the one of the old text, that nobody else holds its
code, that no class makes something of a new member. Where a check fails, `apply_small` has touched nothing and returns
None: the edit takes the plain way.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from operator import itemgetter
from types import BuiltinMethodType, CodeType, FunctionType, ModuleType
from typing import Any, Final

from hotswap._apply._changes import Changes
from hotswap._apply._following import Followed, Following, are_as_found
from hotswap._apply._moving import Moving, find_moving
from hotswap._graph._followers import Followers
from hotswap._loader._compile import all_codes, class_body, compile_in, content, inner_codes, is_class_body
from hotswap._model import Action, How, Outcome, Pair, Patch, Planned, Statement, Step
from hotswap._regions import Block, Part, Place, Region
from hotswap._run._execute import Layer, run
from hotswap._run._journal import MISSING, Journal
from hotswap._run._values import attribute, same
from hotswap.patch._classes import cell_of, set_members
from hotswap.patch._finding import is_alone
from hotswap.patch._functions import copied_by, copies, doc_of, set_code, set_copied_doc, set_doc, stated_doc

_WRAPPED: Final = 8  # decorators deep
_INITS: Final = ("__init__", "__new__", "__post_init__", "__attrs_post_init__")
_MAKERS: Final = (
    *_INITS,
    "__init_subclass__",
    "__prepare__",
    "__set_name__",
    "__subclasshook__",
    "_generate_next_value_",
)
_LINES_IN_CLASSES: Final = sys.version_info >= (3, 13)


def _measure() -> int:
    """Return the reference count, as `_Scope._patch` takes it, of a function that only its module has."""
    names: dict[str, Any] = {}
    exec(compile("def probe(): pass", "<hotswap>", "exec"), names)  # noqa: S102  a constant text of ours
    public = names["probe"]
    function = next((one for one in [public]), None)
    return sys.getrefcount(function)


_ALONE: Final = _measure()


@dataclass(frozen=True, slots=True)
class Small:
    """A small edit of the live module `module`, whose code objects carry the file name `origin`.

    `followers` are those who only bind a constant that it changes.
    """

    module: ModuleType
    path: str
    origin: str
    region: Region
    codes: dict[tuple[object, ...], CodeType] = field(default_factory=dict, compare=False)
    begun: list[Begun] = field(default_factory=list, compare=False)
    moving: list[Moving] = field(default_factory=list, compare=False)
    followers: dict[tuple[str, str], Followers] = field(default_factory=dict, compare=False)

    def without_trees(self) -> Small:
        """Return it without syntax trees, once all of it is compiled."""
        return replace(self, region=self.region.without_trees())


@dataclass(frozen=True, slots=True)
class Begun:
    """What is left of applying an edit is one wave: `journal` has it, as long as the program is as it was met.

    That is if `functions` have their code, the `names` their values (in which space, what, MISSING for none), and who
    follows, too.
    """

    journal: Journal
    outcomes: list[Outcome]
    functions: tuple[tuple[FunctionType, CodeType], ...]
    names: tuple[tuple[Mapping[str, object], str, object], ...]
    followed: tuple[Followed, ...]

    def is_as_met(self) -> bool:
        """Whether the program has changed none of it since."""
        return (
            all(function.__code__ is code for function, code in self.functions)
            and all(space.get(name, MISSING) is value for space, name, value in self.names)
            and all(map(are_as_found, self.followed))
        )


class _TakesThePlainWay(Exception):
    """Something is not as simple as it looks."""


def apply_small(edits: Sequence[Small]) -> tuple[Outcome, ...] | None:
    """Apply all `edits` in one wave; None, with everything as it was, if one of them cannot be applied here.

    Raises only what ends a program (KeyboardInterrupt, SystemExit), with everything as it was.
    """
    journal = Journal()
    outcomes: list[Outcome] = []
    try:
        for edit in edits:
            begun = _go_on(journal, edit)
            outcomes += begun if begun is not None else _Application(journal, edit).outcomes()
        journal.commit()
        return tuple(outcomes)
    except Exception:  # noqa: BLE001  whatever it is, it is the plain way's to tell
        journal.undo()
        return None
    except BaseException:
        journal.undo()
        raise


def begin(edit: Small) -> None:
    """Do all of applying `edit` but the wave, ahead of it; nothing changes by that.

    For who has little time at once. What does not work out is found again, and dealt with, when the edit is applied.
    """
    journal = Journal()
    try:
        added = (statement for part in edit.region.parts for statement in part.added)
        if not edit.begun and not any(statement.reads for statement in added):  # defaults are taken in the wave
            application = _Application(journal, edit)
            outcomes = application.outcomes()
            edit.begun.append(application.begun(outcomes))
    except Exception:  # noqa: BLE001  whatever it is, it is for `apply_small` to find
        edit.begun.clear()


def _go_on(journal: Journal, edit: Small) -> list[Outcome] | None:
    """Take over what was begun, if the program has not changed it meanwhile."""
    if not edit.begun:
        return None
    begun = edit.begun.pop()
    if not begun.is_as_met():
        return None
    journal.take(begun.journal)
    return begun.outcomes


def precompile(edit: Small) -> None:
    """Compile what `edit` changes, so that applying it is quicker; what cannot be compiled is found when applying."""
    try:
        for part in edit.region.parts:
            _compiled(edit, part, [pair.new for pair in part.changed])
            for one in (*(pair.new for pair in part.values), *part.added):
                _compiled(edit, part, [one])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass


def move_ahead(edit: Small) -> None:
    """Find what only stands on other lines after `edit`, so that applying it is quicker."""
    if edit.region.moved and not edit.moving:
        found = find_moving(vars(edit.module), edit.origin, edit.region)
        edit.moving.extend([found] if found is not None else ())


def _compiled(edit: Small, part: Part, statements: list[Statement]) -> CodeType:
    """Return the code that surrounds that of the functions `statements`."""
    key = (part.prefix, *((one.lineno, one.key) for one in statements))
    if key not in edit.codes:
        before, around = edit.region.before, part.around
        code = compile_in([one.node for one in statements], around, edit.origin, before.flags, imports=before.imports)
        edit.codes[key] = class_body(code, [outer.name for outer in around])
    return edit.codes[key]


class _Application:
    """One edit while it is being applied."""

    def __init__(self, journal: Journal, edit: Small) -> None:
        self.journal, self.edit, self.region = journal, edit, edit.region
        self.namespace: dict[str, Any] = vars(edit.module)
        self.patches: list[tuple[int, Patch]] = []  # with the line of its statement, for the order of the text
        self.functions: list[tuple[FunctionType, CodeType]] = []
        self.names: list[tuple[Mapping[str, object], str, object]] = []
        self.changes = Changes()
        self.following = Following(journal, self.changes, sys.modules)
        self.following.expect(edit.followers)

    def begun(self, outcomes: list[Outcome]) -> Begun:
        """Return what is left to do; who is asked for `outcomes` again would do all of it a second time."""
        return Begun(self.journal, outcomes, tuple(self.functions), tuple(self.names), self.following.found())

    def outcomes(self) -> list[Outcome]:
        self._move()
        for part in self.region.parts:
            _Scope(self, part).apply()
        self.following.flush()
        self.changes.follow = None  # the two refer to each other, and what they hold would outlive them
        changed = [pair.new for part in self.region.parts for pair in part.values]
        added = [statement for part in self.region.parts for statement in part.added]
        planned = tuple(Planned(statement, certain=True, reason="changed") for statement in changed)
        planned += tuple(Planned(statement, certain=True, reason="new") for statement in added)
        action = Action.RUN if planned else Action.PATCH
        step = Step(self.edit.module.__name__, self.edit.path, action, planned, "its text changed")
        patches = tuple(patch for _, patch in sorted(self.patches, key=itemgetter(0)))
        return [Outcome(step, (*changed, *added), patches), *self.following.outcomes()]

    def _move(self) -> None:
        """Give everything that stands on other lines now code that says so."""
        if not self.region.moved:
            return
        ahead = self.edit.moving.pop() if self.edit.moving else None
        found = ahead.take() if ahead is not None else None
        if found is None:
            del ahead  # it holds code
            anew = find_moving(self.namespace, self.edit.origin, self.region)
            found = anew.take() if anew is not None else None
        if found is None:
            raise _TakesThePlainWay
        functions, olds, news = found
        self.functions += zip(functions, olds, strict=True)
        self.journal.set_on_all(functions, "__code__", news, olds)
        if _LINES_IN_CLASSES:
            self._move_classes(self.region.after.block, self.namespace)

    def _move_classes(self, block: Block, scope: Mapping[str, Any], line: int = 1) -> None:
        """Give the classes of the new text's `block`, which begins on `line`, the lines on which they stand now."""
        for number, known in zip(block.lines, block.classes, strict=True):
            live = scope.get(known.name) if known is not None else None
            if known is None or not isinstance(live, type) or live.__module__ != self.namespace.get("__name__"):
                continue
            if vars(live).get("__firstlineno__", line + number) != line + number:
                self.journal.set_member(live, "__firstlineno__", line + number)
            self._move_classes(known.block, vars(live), line + number)


class _Scope:
    """A module, or a class whose body differs, of the edit that `under` applies."""

    def __init__(self, under: _Application, part: Part) -> None:
        self.under, self.part, self.journal, self.namespace = under, part, under.journal, under.namespace
        self.cls = self._class()
        self.scope = self.namespace if self.cls is None else vars(self.cls)

    def apply(self) -> None:
        """Record the new code of functions that differ, and bind those that are new."""
        touched = [statement.binds[-1] for statement in self.part.touched]
        if self.cls is not None and not _makers(self.cls).isdisjoint(touched):
            raise _TakesThePlainWay
        surrounding = _compiled(self.under.edit, self.part, [pair.new for pair in self.part.changed])
        for pair in self.part.changed:
            self._patch(pair, surrounding)
        for pair in self.part.values:
            self._set(pair)
        for statement in self.part.added:
            self._add(statement)

    def _class(self) -> type | None:
        """Return the live class in whose body the region is, None for the module's own."""
        found: type | None = None
        scope: Mapping[str, Any] = self.namespace
        for outer in self.part.around:
            live = scope.get(outer.name)
            if not isinstance(live, type) or live.__module__ != self.namespace.get("__name__"):
                raise _TakesThePlainWay
            found, scope = live, vars(live)
        return found

    def _patch(self, pair: Pair, surrounding: CodeType) -> None:
        name = pair.new.binds[-1]
        public = self.scope.get(self._mangled(name), MISSING)
        place = (self.part.prefix + name, pair.old.lineno)
        function = next((f for f in _inside(public) if self._stands_at(f, place)), None)
        if function is None or not is_alone(function):
            raise _TakesThePlainWay
        alone = self.cls is not None or (public is function and sys.getrefcount(function) <= _ALONE)
        old, line = function.__code__, pair.new.lineno
        self.under.functions.append((function, old))
        if any(map(is_class_body, all_codes(old))):  # classes that calls of it made are to be changed, too
            raise _TakesThePlainWay
        new = next(code for code in inner_codes(surrounding) if (code.co_name, code.co_firstlineno) == (name, line))
        if any(map(is_class_body, (*all_codes(old), *all_codes(new)))):
            raise _TakesThePlainWay  # classes that calls of it made may live
        if set_code(self.journal, function, new, partial(cell_of, self.cls)):
            raise _TakesThePlainWay
        docs = doc_of(old), doc_of(new)
        if docs[0] != docs[1]:
            if getattr(pair.new.node, "decorator_list", ()):
                raise _TakesThePlainWay  # they may have made something of it
            known = int(stated_doc(pair.old.node) is docs[0])
            copied = copied_by(function, docs, alone=alone, known=known)  # first: what is noted to go back counts
            set_doc(self.journal, function, old, new)
            for wrapper in (*copies(public, function), *copied):
                if type(wrapper) is dict:  # of an object
                    raise _TakesThePlainWay
                set_copied_doc(self.journal, wrapper, function, *docs)
        if docs[0] != docs[1] or content(old) != content(new):
            self.under.patches.append((line, Patch(place[0], How.IN_PLACE)))

    def _stands_at(self, function: FunctionType, place: Place) -> bool:
        code = function.__code__
        return (
            function.__globals__ is self.namespace
            and (code.co_qualname, code.co_firstlineno) == place
            and code.co_filename == self.under.edit.origin
        )

    def _mangled(self, name: str) -> str:
        own = self.part.around[-1].name.lstrip("_") if self.part.around else ""
        return f"_{own}{name}" if own and name.startswith("__") and not name.endswith("__") else name

    def _set(self, pair: Pair) -> None:
        """Bind a constant anew, here and where it is imported; one that the program has set itself is left alone."""
        name, old = pair.new.binds[-1], self.namespace.get(pair.new.binds[-1], MISSING)
        if not same(old, pair.old.node.value.value):  # type: ignore[attr-defined]  # it is an assignment of a literal
            raise _TakesThePlainWay
        self.under.names.append((self.namespace, name, old))
        made = Layer({}, {})
        code = _compiled(self.under.edit, self.part, [pair.new])
        run(code, self.namespace, made, self.under.edit.path, pair.new.lineno)
        self.journal.set_item(self.namespace, name, made[name])
        if self.under.changes.note(self.namespace["__name__"], name, old, made[name]):
            self.under.patches.append((pair.new.lineno, Patch(name, How.REBOUND)))

    def _add(self, statement: Statement) -> None:
        name = self._mangled(statement.binds[-1])
        if name in self.scope or (name.startswith("__") and name.endswith("__")) or not self._takes_members():
            raise _TakesThePlainWay
        self.under.names.append((self.scope, name, MISSING))
        code = _compiled(self.under.edit, self.part, [statement])
        if code.co_freevars:
            raise _TakesThePlainWay
        made = Layer({}, {})
        run(code, self.namespace, made, self.under.edit.path, statement.lineno)
        if self.cls is None:
            self.journal.set_item(self.namespace, name, made[name])
        else:
            set_members(self.journal, self.cls, {name: made[name]})
        self.under.patches.append((statement.lineno, Patch(self.part.prefix + statement.binds[-1], How.ADDED)))

    def _takes_members(self) -> bool:
        """Whether a new member of the class is that and nothing more: nobody collected them when it was made."""
        if self.cls is None:
            return True
        return self.part.plain and type(self.cls) is type and type(self.cls.__init_subclass__) is BuiltinMethodType


def _makers(cls: type) -> set[str]:
    """Return the names of what may run when an object of `cls` is made: objects that exist may lack what it gives."""
    found: set[str] = set()
    waiting = [*_MAKERS]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            raws = (_called(vars(base).get(name)) for base in cls.__mro__[:-1])
            waiting += (other for raw in raws if raw for code in all_codes(raw.__code__) for other in code.co_names)
    return found


def _called(member: object) -> FunctionType | None:
    """Return the function that looking up or calling a member runs."""
    raw = member.fget if type(member) is property else attribute(member, "__func__", member)
    return raw if type(raw) is FunctionType else None


def _inside(public: object) -> Iterator[FunctionType]:
    """Yield the functions that the value of a name is, or wraps as ``functools.wraps`` notes it, outermost first."""
    for _ in range(_WRAPPED):
        if type(public) in (staticmethod, classmethod):
            public = public.__func__  # type: ignore[attr-defined]  # both have it
        elif type(public) is property:
            yield from (f for f in (public.fget, public.fset, public.fdel) if type(f) is FunctionType)
            return
        elif type(public) is FunctionType:
            yield public
            public = public.__dict__.get("__wrapped__")
        else:
            return
