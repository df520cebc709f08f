"""Registrations: what statements handed to a library, a command, a handler, a route, is replaced at its place, once.

A statement that registers leaves two traces: the name that it binds, and an entry in a container of some object of the
library's. hotswap knows the first; adapters know where the second are (`Registrar`). So there are two phases around the
waves of a group. Before anything runs, adapters are shown what leaves the text or is about to run again, and find its
entries (`forget`). After everything ran they put what came at its place (`refresh`): where the old entry of the same
statement stood, else between the entries of the statements before and behind it in the text.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from hotswap._apply import _claims, _tables
from hotswap._apply._books import Book, Claim, Objects, Same, alike, fill
from hotswap._model import Kind, Statement
from hotswap._run._journal import Journal

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap, Work


class Registrar(Protocol):
    """What hotswap knows of one library in which statements register functions or objects.

    `starting` are the names of methods that register, as in ``app.add_handler(...)``: a function that calls one, and
    that runs at the start of a program, is told if it changes. An adapter may have `remade`: names of variables of
    modules that the library reads, whose statements only make values, so that they run again when they are stale. And a
    method `gave_up(old)`: called when entries leave after the first phase, because a statement turns out to be stale.
    """

    starting: frozenset[str]

    def keeps(self, value: object) -> bool:
        """Whether `value` is an object that statements register with: an application, a router, a bot."""

    def forget(self, old: Registrations) -> None:
        """Phase one, before anything runs: find the entries of what leaves, and take out what would be in the way."""

    def refresh(self, changes: Registrations) -> None:
        """Phase two, after everything ran: put what came at its place, and drop what was computed from the entries."""

    def take_over(self, changes: Registrations, old: Any, new: Any) -> bool:  # noqa: ARG002  a protocol's default
        """Whether `old` goes on for `new`, which the statement that had made `old` has just made: then it gets its
        settings here, and is found wherever `new` was registered. Functions need not: they stay the same by themselves.
        """
        return False

    def tends(self, cls: type) -> bool:  # noqa: ARG002  a protocol's default
        """Whether `refresh` gives live objects of `cls` what its members become: then that is not told."""
        return False


class Registrations:
    """One group's registrations, handed to both phases.

    `roots` are the objects that statements which leave or run name: apps, routers, bots. `classes` are the live classes
    of which members changed. `notes` is where an adapter keeps what `refresh` has to know of how things were before.
    `found` has the ids of old statements of which adapters know what they registered; `quiet` of those that only make
    an object, and may run again whenever that would be another one.
    """

    def __init__(self, swap: Swap, registrars: Sequence[Registrar] = ()) -> None:
        self._swap, self.registrars = swap, registrars
        self._claims: list[Claim] = []
        self._books: dict[int, Book] = {}
        self._were: dict[tuple[int, str], Any] = {}
        self._kept: dict[int, tuple[object, object]] = {}
        self._ran: set[int] = set()
        self._withdrawn = True
        self.found: set[int] = set()
        self.quiet: set[int] = set()
        self.roots: tuple[Any, ...] = ()
        self.notes: dict[str, Any] = {}

    @property
    def claims(self) -> Sequence[Claim]:
        """The statements of the old text that may have registered something, in its order."""
        return self._claims

    @property
    def journal(self) -> Journal:
        """Where every write has to be noted, so that a save that fails is taken back."""
        return self._swap.journal

    @property
    def classes(self) -> list[type]:
        """The live classes of which something was looked at."""
        return [scope.cls for work in self._swap.works.values() for scope in work.classes]

    def place_of(self, cls: type) -> tuple[Work, int] | None:
        """Return where the text states a class of which something was looked at."""
        found = ((work, scope) for work in self._swap.works.values() for scope in work.classes if scope.cls is cls)
        return next(((work, scope.node.lineno) for work, scope in found), None)

    def stated(self, cls: type) -> list[str]:
        """Return the names that the body of a class binds, in the order of its text; none of a class left alone."""
        found = (scope.node.body for work in self._swap.works.values() for scope in work.classes if scope.cls is cls)
        return [name for node in next(found, ()) for name in _claims.bound_by(node)]

    @property
    def reshapes(self) -> bool:
        """Whether more may change than bodies of functions: headers, docstrings, classes, values."""
        diffs = [work.edit.diff for work in self._swap.works.values()]
        return bool(self._swap.forced) or any(
            diff.added or diff.removed or not all(map(_claims.only_body, diff.changed)) for diff in diffs
        )

    def rebound(self, name: str) -> bool:
        """Whether a module of the group has another object under `name` now."""
        return any(name in self._swap.changes.of(module) for module in self._swap.works)

    def names_of(self, module: str) -> frozenset[str]:
        """Return the names of `module` that may be other objects now."""
        return frozenset(self._swap.changes.of(module))

    def watch(
        self,
        container: Any,
        objects: Objects,
        *,
        key: object = None,
        withdraw: bool = False,
        by: Sequence[str] = (),
        sorts: bool = False,
    ) -> None:
        """Watch `container` from now on: a list, a mapping, or an iterable with a method ``fill(entries)``.

        `objects` gives what an entry (of a mapping an item) stands for. What leaves goes on serving until the second
        phase; with `withdraw` it is taken out at once, for a library that refuses a second entry of the name. Other
        methods find the container by itself, or by `key` if that is given. `by` are the methods that make such
        entries of what they are handed, where a statement may name the objects for another reason as well. With
        `sorts` who adds an entry puts it at its place.
        """
        place = id(container if key is None else key)
        if place in self._books:
            return
        book = self._books[place] = Book(container, objects)
        self.journal.note(partial(book.write, list(book.before.values())))
        book.withdraws, book.by, book.sorts = withdraw, by, sorts
        self._assign(book)
        if withdraw and book.leaving:
            book.withdraw(book.leaving)

    def decorated_by(self, claim: Claim) -> list[object]:
        """Return what the decorators of the old statement are, or are made by calls of."""
        return list(_claims.decorators(claim.work, claim.old))

    def leaving(self, container: Any) -> list[Any]:
        """Return the entries of a watched container that its statements give up, as far as is known by now."""
        book = self._books.get(id(container))
        return [] if book is None else [entry for key, entry in book.before.items() if key in book.leaving]

    def leave_too(self, container: Any, goes: Callable[[Any], bool], place: Any, entry: Any) -> None:
        """Have the entries of a watched container for which `goes` leave with `entry` of the watched `place`."""
        book, other = self._books[id(container)], self._books[id(place)]
        claim = next(other.owner[key] for key, one in other.before.items() if one is entry)
        keys = {key for key, one in book.before.items() if one is not entry and goes(one)}
        for key in keys:
            book.owner[key] = claim
            book.leaving.add(key)
            book.withdraws |= book.is_mapping and not hasattr(container, "back")  # it may be set again as it is
        if book.withdraws:
            book.withdraw(keys)

    def pairs(self, container: Any) -> list[tuple[Any, Any]]:
        """Return the entries of a watched container that were replaced, each with what took its place."""
        book = self._books.get(id(container))
        return [] if book is None else book.pairs()

    def arrange(self, container: Any) -> list[Any] | None:
        """Have each entry of a watched container at its place, with the next wave; return them if any changed."""
        book = self._books.get(id(container))
        if book is None:
            return None
        wanted = self._arranged(book)
        if not alike(wanted, book.content()):
            self.journal.do(partial(book.write, wanted), _nothing)
        return None if alike(wanted, list(book.before.values())) else wanted

    def _arranged(self, book: Book) -> list[Any]:
        return [self._kept_for(entry, mapping=book.is_mapping) for entry in book.arranged(self._ran)]

    def _kept_for(self, entry: Any, *, mapping: bool) -> Any:
        """Return `entry`, or with the object that goes on for it."""
        value = entry[1] if mapping else entry
        kept = self._kept.get(id(value), (value, value))[1]
        return (entry[0], kept) if mapping else kept

    def went(self, value: object) -> bool:
        """Whether `value` was made by definitions that all left the text, or gave way to others."""
        owners = [claim for claim in self._claims if claim.old.kind is Kind.DEF and value in Same(claim.objects)]
        return bool(owners) and all(claim.leaves and not claim.names_now(value) for claim in owners)

    def set(self, target: object, name: str, value: object) -> None:
        """Set an attribute with the next wave."""
        self.journal.set_attribute(target, name, value)

    def set_now(self, target: Any, name: str, value: object) -> None:
        """Set an attribute at once; it is put back if the save fails."""
        self.journal.note_attribute(target, name)
        self._were.setdefault((id(target), name), getattr(target, name, None))
        setattr(target, name, value)

    def was(self, target: Any, name: str) -> Any:
        """Return what an attribute was before `set_now`; None if that was not called."""
        return self._were.get((id(target), name))

    def takes_over(self, old: object, new: object) -> bool:
        """Ask the adapters whether `old` goes on for `new`."""
        taken = any(registrar.take_over(self, old, new) for registrar in self.registrars)
        if taken:
            self._kept[id(new)] = (new, old)
            self.found |= {id(claim.old) for claim in self._claims if any(one is old for one in claim.public)}
        return taken

    def tends(self, cls: type) -> bool:
        """Whether an adapter gives live objects of `cls` what its members become."""
        return any(registrar.tends(cls) for registrar in self.registrars)

    def took_over(self, old: object) -> bool:
        """Whether `old` has taken the settings of another object in this save."""
        return any(kept is old for _, kept in self._kept.values())

    def exchange(self, container: Any, entries: list[Any]) -> None:
        """Have a list hold `entries`, or a mapping these items, with the next wave."""
        before = list(container.items()) if isinstance(container, MutableMapping) else list(container)
        self.journal.do(partial(fill, container, entries), partial(fill, container, before))

    def call(self, action: Callable[[], object]) -> None:
        """Have `action` called with the next wave: for what makes a library forget what it computed."""
        self.journal.do(action, _nothing)

    def rebind(self, work: Work, name: str, value: object) -> None:
        """Let the name that a statement bound anew stand for `value`, the object that goes on."""
        self._swap.bind(work, work.scope, name, value)

    def tell(self, work: Work, code: str, lineno: int, **fields: object) -> None:
        """Add a finding to the report."""
        self._swap.tell(work, code, lineno, **fields)

    # -- the engine's side ---------------------------------------------------------------------------------------------

    def again(self, old: Statement) -> bool:
        """Have the entries of the old statement, which runs again, leave too; return whether it has any or is quiet."""
        found = False
        for book in self._books.values():
            keys = {key for key, claim in book.owner.items() if claim.old is old}
            book.leaving |= keys
            if keys and book.withdraws:
                book.withdraw(keys)
            found = found or bool(keys)
        if found:
            self.found.add(id(old))
            for registrar in self.registrars:
                getattr(registrar, "gave_up", id)(self)
        return found or id(old) in self.quiet

    def add(self, work: Work) -> None:
        """Take up the statements of a module that may have registered something, or may do so now."""
        found = list(_claims.statements(work, work.edit.diff, self._swap.forced))
        named = {*(old for old, *_ in found), *(new for _, new, _ in found if new is not None), *work.edit.diff.added}
        for old, new, leaves in found:
            raws = work.live(work.scope, old) if old.kind is Kind.DEF else list(_claims.made_inside(work, old))
            public = [] if isinstance(old.node, ast.For) else [work.scope.peek(name) for name in old.binds[-1:]]
            read = [] if old.kind is not Kind.OTHER else _claims.values(work, old, ModuleType)
            over = tuple(_claims.gone_over(work, old))
            handed = tuple(_claims.handed(work, old)) if old.kind is Kind.OTHER else ()
            objects = (*raws, *public, *_claims.between(raws, public), *read, *over)
            self._claims.append(Claim(work, old, new, objects, leaves, tuple(public), handed, over))
        self._claims.sort(key=lambda claim: claim.old.lineno)  # the n-th of several like ones made the n-th entry
        self.roots += tuple(value for statement in named for value in _claims.values(work, statement))

    def ran(self, statement: Statement) -> None:
        """Note that `statement` ran: what came into the containers since is its."""
        self._ran.add(id(statement))
        for book in self._books.values():
            for key in book.came():
                book.made.setdefault(key, statement)

    def after(self, container: Any) -> list[Any]:
        """Return what `container` holds after the second phase."""
        found = self.arranged(container)
        return list(container) if found is None else found

    def make_way(self, statement: Statement) -> None:
        """Have the program's tables as they shall be, for a statement that may make something of them; before one that
        may put it back, take out once more what leaves.
        """
        if statement.kind is Kind.ASSIGN:
            before = len(self.journal)
            _tables.arrange(self)
            if len(self.journal) > before:
                self._swap.commit()
                self._withdrawn = False
        elif not self._withdrawn:
            self._withdrawn = True
            for book in (one for one in self._books.values() if one.withdraws):
                book.withdraw({key for key in book.leaving if not book.is_done(key, self._ran)})

    def arranged(self, container: Any) -> list[Any] | None:
        """Return the entries that a watched container has after the second phase; None if it is not watched."""
        book = self._books.get(id(container))
        return None if book is None else self._arranged(book)

    def has(self, value: object) -> bool:
        """Whether something that was just registered stands for `value`."""
        return any(
            value in Same(book.objects(book.entries()[key])) for book in self._books.values() for key in book.came()
        )

    def owns(self, statement: Statement) -> bool:
        """Whether an adapter found entries of the old `statement`, or what it registered with leaves itself."""
        if id(statement) in self.found:
            return True
        claim = next((claim for claim in self._claims if claim.old is statement), None)
        read = _claims.values(claim.work, statement) if claim is not None else []
        return any(one in Same(other.public) for other in self._claims if other.new is None for one in read)

    def keeps(self, value: object) -> bool:
        """Whether `value` is an object of a library that statements register with: its entries are looked after."""
        return any(registrar.keeps(value) for registrar in self.registrars)

    def _assign(self, book: Book) -> None:
        """Find for each entry the statement that made it; the n-th of several equal ones made the n-th entry."""
        groups: dict[tuple[int, ...], list[Any]] = {}
        by_id = {id(claim): claim for claim in self._claims}
        for key, entry in book.before.items():
            claims = self._claimants(book, entry)
            groups.setdefault(tuple(map(id, claims)), []).append(key)
        for ids, keys in groups.items():
            claims = [by_id[one] for one in ids]
            if not claims:
                continue
            objects = Same(one for key in keys for one in book.objects(book.before[key]))
            each = [claim for claim in claims for _ in range(claim.times(objects))]
            if len(each) == len(keys):
                pairs = list(zip(keys, each, strict=True))
            elif len({claim.leaves for claim in claims}) == 1:
                pairs = [(key, claims[0]) for key in keys]
            else:
                continue  # nobody can say which of them is whose: they stay, and that is told
            for key, claim in pairs:
                book.owner[key] = claim
                if claim.leaves:
                    book.leaving.add(key)
                    self.found.add(id(claim.old))

    def _claimants(self, book: Book, entry: Any) -> list[Claim]:
        objects = Same(book.objects(entry))
        found = [claim for claim in self._claims if any(one in objects for one in claim.objects)]
        value = entry[1] if book.is_mapping else entry
        chosen = [claim for claim in found if any(claim.hands(method, objects) for method in book.by)]
        chosen = chosen or [claim for claim in found if any(one is value for one in claim.over)]
        if chosen:  # who only made the object has registered nothing
            self.found |= {id(claim.old) for claim in found if claim.leaves}
            return chosen
        return [claim for claim in found if _claims.names_class_of(claim.old, value)] or found


def makes_anew(swap: Swap, statement: Statement) -> bool:
    """Whether `statement` binds nothing but what a library wants to be made anew, such as a list of routes."""
    registrars = swap.registrations.registrars if swap.registrations is not None else ()
    wanted = {name for registrar in registrars for name in getattr(registrar, "remade", ())}
    return bool(statement.binds) and wanted.issuperset(statement.binds)


def _nothing() -> None:
    """The content was noted when the container was first looked at."""


def begin(swap: Swap, registrars: Iterable[Registrar]) -> None:
    """Phase one for all modules of the group: libraries that register, and registries of the program itself."""
    found = list(registrars)
    registrations = Registrations(swap, found)
    for work in swap.works.values():
        registrations.add(work)
        if work.edit.edited:
            _claims.tell_starting(swap, work, frozenset(name for one in found for name in one.starting))
    swap.registrations = registrations
    for registrar in found:
        registrar.forget(registrations)
    _tables.watch(swap, registrations)


def end(swap: Swap) -> None:
    """Phase two; what it sets is one wave."""
    registrations, swap.registrations = swap.registrations, None
    if registrations is None:
        return
    for registrar in registrations.registrars:
        registrar.refresh(registrations)
    _tables.arrange(registrations)
    swap.registered = frozenset(registrations.found)
    swap.commit()
    vars(registrations).clear()  # it holds objects that give way to others: their references are counted next
