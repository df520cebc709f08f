"""Going through one block of statements, in source order: what runs, what is patched, what is kept.

A block is a module, the body of a class that exists, or a suite. Definitions have a room of their own.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from types import FunctionType

from hotswap import _quiet
from hotswap._apply import (
    _annotations,
    _beforehand,
    _branches,
    _by_text,
    _chains,
    _definitions,
    _dispatch,
    _effects,
    _follow,
    _links,
    _moves,
    _noting,
    _ordered,
    _remembered,
    _stale,
    _successors,
    _temporary,
)
from hotswap._apply._branches import Wrap
from hotswap._apply._collectors import tell_older
from hotswap._apply._leaving import is_bound_elsewhere, left_over
from hotswap._apply._midway import in_its_place
from hotswap._apply._scopes import AnyScope, ClassScope, ModuleScope, reaches_code
from hotswap._apply._segments import makes_of_itself
from hotswap._apply._swap import Swap, Work
from hotswap._apply._taken import modules_read
from hotswap._apply._unloaded import imports
from hotswap._graph._facts import WHOLE
from hotswap._model import Diff, Edit, How, Kind, Pair, Statement
from hotswap._run._execute import Layer
from hotswap._run._journal import MISSING
from hotswap._run._values import immutable, is_a
from hotswap._text._diff import branch_of, only_code, same_header
from hotswap._text._names import targets_of
from hotswap._text._source import suites

_MAY_BIND = (ast.If, ast.Try, ast.TryStar, ast.With, ast.For, ast.AsyncFor, ast.While, ast.Match)
"""Statements that may bind a name, or leave it as it is."""

_KEPT = (Kind.DEF, Kind.CLASS, Kind.ASSIGN)  # left as they are, unless they or something inside them may be stale


class Visit:
    """One block. `wrap` puts statements of a suite back under its ``try`` or ``with`` before they run."""

    def __init__(self, swap: Swap, work: Work, scope: AnyScope, wrap: Wrap = lambda nodes: nodes) -> None:
        self.swap, self.work, self.scope, self.wrap = swap, work, scope, wrap
        self.chains, self.closing, self.line = _chains.Chains(), 0, 0
        self.passing, self.made = set[str](), set[str]()
        self.old, self.new = tuple[Statement, ...](), tuple[Statement, ...]()
        self.marks = self.ended = self.elsewhere = self.siblings = frozenset[str]()
        self.waiting = self.above = frozenset[str]()  # bound below a suite; just made anew above it, for it to alter

    def block(self, diff: Diff, old: Sequence[Statement], new: Sequence[Statement]) -> None:
        """Bring the block from `old` to `new`."""
        unchanged = {id(pair.new): pair for pair in diff.unchanged}
        changed = {id(pair.new): pair for pair in diff.changed}
        self.old, self.new = tuple(old), tuple(new)
        for statement in (one for one in diff.removed if one.kind is Kind.DEF):
            _dispatch.take_back(self, statement, self.work.live(self.scope, statement))
        chains = self.chains = _chains.plan(self, diff, old, new)
        swap = self.swap
        _ordered.force(self, diff)
        busy = {*changed, *swap.within, *swap.forced, *chains.again, *chains.skip}
        for statement in new:
            if self.ended:
                break
            idle = statement.kind in _KEPT and id(statement) in unchanged
            if idle and id(statement) not in busy and id(statement) not in chains.last:
                self.closing, self.line = id(statement), statement.lineno
                continue
            runs = id(statement) in chains.again or not (id(statement) in changed or id(statement) in unchanged)
            self._close_chains(statement, runs=runs)
            if id(statement) in chains.skip:
                self._keep_chains(statement)
                continue
            if id(statement) in chains.again:
                _links.run(self, statement, changed.get(id(statement)) or unchanged.get(id(statement)))
            elif id(statement) in changed:
                self.change(changed[id(statement)])
            elif id(statement) in unchanged:
                _stale.keep(self, unchanged[id(statement)])
            elif not _moves.take_up(self, statement):
                self.execute(statement, "new")
            self._end_chains(statement)
        if self.ended:  # what stands below did not run this time
            _branches.stop(self, old, new)
            return
        self.forget(diff.removed, new)
        again = chains.again.keys()
        self.forget([p.old for p in diff.changed if p.inner is None or _ran_whole(p, again)], new)
        _effects.tell_effects(self, diff)

    def _close_chains(self, statement: Statement, *, runs: bool) -> None:
        """At the last link of a chain, put back what the name held before, unless the link makes it of itself, or
        `runs` and may leave what the links before it made.
        """
        self.closing, self.line = id(statement), statement.lineno
        _chains.put_class_back(self, statement)
        for name in self.chains.last.get(id(statement), ()):
            self.passing.discard(name)
            held = self.chains.open[name]
            if "*" in statement.binds or (runs and isinstance(statement.node, _MAY_BIND)):
                continue
            if not makes_of_itself(name, statement):
                self.restore(name, self.chains.open.pop(name))
            elif held is MISSING:  # readers had nothing by that name
                del self.chains.open[name]
                self.swap.changes.note(self.work.edit.module, self.scope.prefix + name, held, self.scope.peek(name))

    def _keep_chains(self, statement: Statement) -> None:
        """At a last link that must not run: what the links before it made is not what the name holds."""
        for name in self.chains.last.get(id(statement), ()):
            if name in self.chains.open:
                self.restore(name, self.chains.open.pop(name))

    def _end_chains(self, statement: Statement) -> None:
        """Behind a last link that only alters the object: if an earlier link made another one, tell readers."""
        for name in self.chains.last.get(id(statement), ()):
            if name not in self.chains.open:
                continue
            held, made = self.chains.open.pop(name), self.scope.peek(name)
            if id(statement) in self.chains.kept:
                self.restore(name, held)
            elif made is not MISSING and made is not held:
                self.restore(name, held)
                settles = is_a(held, (FunctionType, type)) or "*" in statement.binds
                if settles or self.swap.is_kept_by_library(held):
                    made = _definitions.settle(self, name, held, made)
                if self.swap.bind(self.work, self.scope, name, made):
                    self.swap.patched(self.work, self.scope.prefix + name, How.REBOUND)

    def restore(self, name: str, held: object) -> None:
        """Let `name` stand for `held` again, in a chain that is gone through."""
        if held is MISSING and self.scope.peek(name) is not MISSING:
            self.scope.drop(name)
        elif self.scope.peek(name) is not held:
            self.scope.store(name, held)

    def change(self, pair: Pair) -> None:
        """Apply a statement whose text changed."""
        old, new = pair.old, pair.new
        if old.kind is new.kind is Kind.DEF:
            _definitions.define(self, pair)
        elif old.kind is new.kind is Kind.CLASS:
            _definitions.change_class(self, pair)
        elif old.kind is new.kind is Kind.SUITE and same_header(pair):
            if not _stale.run_for_head(self, pair):
                self.suite(pair)
        elif only_code(pair):
            _definitions.note_docs(self, pair)
            self.swap.patched(self.work, self.named(new), How.IN_PLACE)
            _stale.keep_code(self, pair)
        elif not _annotations.take_alone(self, pair):
            self.execute(new, "changed")

    def annotate(self, statement: Statement, node: ast.AnnAssign) -> None:
        """Take the annotation of a variable alone from its statement."""
        if _annotations.is_lazy(self.scope):
            self.scope.annotations_changed = True
            return
        bare = ast.AnnAssign(target=node.target, annotation=node.annotation, value=None, simple=node.simple)
        self.run(statement, [ast.copy_location(bare, node)])

    def suite(self, pair: Pair) -> None:
        """Go into an ``if``, ``try`` or ``with`` whose header did not change."""
        assert pair.inner is not None
        if _branches.is_main_guard(pair.new.node) and self.work.edit.module == "__main__":
            if pair.inner:
                self.swap.tell(
                    self.work, "HS202", pair.new.lineno, why="the main part of a script", target=self.target(pair.new)
                )
            return
        if _branches.begins_again(self, pair):
            self.execute(pair.new, "its body did not come to its end before")
            self.forget([pair.old, *pair.inner.removed], self.new)
            return
        idle = _branches.idle(self, pair)
        for branch, _ in suites(pair.new.node):
            wrap = _branches.wrapping(pair.new.node, branch, self.wrap)
            old = [s for s in pair.old.children if s.branch == branch and id(s) not in idle]
            new = [s for s in pair.new.children if s.branch == branch and id(s) not in idle]
            visit = Visit(self.swap, self.work, self.scope, wrap)
            if not isinstance(pair.new.node, ast.If):
                visit.siblings = frozenset(n for s in pair.new.children if s.branch != branch for n in s.binds)
            visit.above = self.above.union(n for n, held in self.chains.open.items() if self.scope.peek(n) is not held)
            visit.elsewhere = self.elsewhere.union(n for s in self.new if s is not pair.new for n in self.bound_by(s))
            visit.marks = self.marks | _branches.marks(pair.new.node, branch)
            visit.waiting = self.waiting.union(self.chains.open) - {*self.chains.last.get(id(pair.new), ())}
            inner = _branches.without(idle, branch_of(pair.inner, branch))
            if _branches.is_taken(self, pair, branch):
                visit.block(inner, old, new)
                self.passing |= visit.made & visit.waiting
                if visit.ended:
                    _branches.end_early(self, pair, visit)
                    return
                continue
            for one in inner.changed:  # the code map patches them, nothing runs
                self.swap.patched(self.work, self.named(one.new), How.IN_PLACE)
        there = {branch for branch, _ in suites(pair.new.node)}
        self.forget([s for s in pair.inner.removed if s.branch not in there], self.new)

    def execute(self, statement: Statement, reason: str) -> None:
        """Run a statement whole and bind what it binds; `reason` is for the report."""
        if not _temporary.delete(self, statement):
            self.run(statement, [statement.node])
        _temporary.let_go(self, statement)
        self.swap.ran_at[id(statement)] = self.swap.changes.now
        self.swap.ran(self.work, statement, reason)

    def run(self, statement: Statement, nodes: list[ast.stmt]) -> None:
        """Run `nodes`, which stand for `statement`, in this scope."""
        reaching = self.make_ready(statement, wrapped := self.wrap(nodes))
        _beforehand.prepare(self, statement)
        if (error := _follow.leaving_error(self, statement)) is not None:
            if wrapped == nodes:
                raise error
            wrapped = self.wrap([_follow.raising(error, nodes[0])])  # the program may have an answer
        self.swap.tried.append((self.work, self.scope, statement))
        before = dict(self.scope.namespace) if reaching or any(imports(statement.node)) else {}
        bound: Mapping[str, object] = {}
        contents, attributes = _noting.contents(self.scope, statement), _noting.attributes(self.scope, statement)
        for _, target, name, _ in attributes:
            self.swap.journal.note_attribute(target, name)
        try:
            noted = _noting.containers(self.swap, self.scope, statement, reaching=reaching)
            with self.swap.journal.noting(noted), in_its_place(self, statement):
                self.scope.hidden = left_over(self, statement)
                bound = layer = self.scope.run(wrapped, doc=statement.key == "doc")
                self.ended |= {mark for mark in self.marks if layer.pop(mark, None) is None}
        finally:
            self.scope.hidden = frozenset()
            _noting.bypassed(self, before, bound)
        _noting.altered(self, contents)
        _noting.set_otherwise(self, attributes)
        self.bind_all(statement, layer)

    def make_ready(self, statement: Statement, nodes: list[ast.stmt]) -> bool:
        """End the wave if running `nodes` may meet what it set; return whether they may reach the program's code."""
        reaching = reaches_code(nodes)
        if self.swap.registrations is not None:
            self.swap.registrations.make_way(statement)
        _follow.visit_sources(self, statement)
        uncovered = _follow.uncover(self, statement)
        loads = _follow.loads(self, statement)  # what is loaded may import this module in turn
        if loads or not WHOLE.isdisjoint(statement.calls):  # it finds what a fresh start would find
            _follow.let_names_go(self.swap)
            self.swap.ran_without[id(statement)] = list(self.swap.last)
        if reaching or loads or uncovered or isinstance(self.scope, ClassScope) or self._meets_stores(statement):
            self.swap.commit()
        if reaching:
            _remembered.forget_results(self.swap)
        return reaching

    def _meets_stores(self, statement: Statement) -> bool:
        """Whether `statement` may look, through a module object, at stores that another module still has waiting."""
        dotted = any("." in name for name in statement.reads)
        if (dotted or statement.mutates) and len(self.swap.journal):  # attributes of functions
            return True
        if dotted and any(scope.members or scope.gone for work in self.swap.works.values() for scope in work.classes):
            return True
        if not any(work.scope.stores for work in self.swap.works.values() if work is not self.work):
            return False
        return dotted or statement.kind not in (Kind.ASSIGN, Kind.DEF) or bool(modules_read(self.scope, statement))

    def bind_all(self, statement: Statement, bound: Layer) -> None:
        """Bind what a run bound, each name where readers can tell the new value from the old."""
        self.swap.ran_bound[id(statement)] = frozenset(bound)
        for name in _follow.passed_over(self, statement, bound):
            del bound[name]
            bound.gone.pop(name)
        self.work.starred |= bound.keys() if "*" in statement.binds else bound.keys() - {*statement.binds}
        self.made |= bound.keys()
        picked = targets_of(statement.node) - self.chains.open.keys()
        for name, value in list(bound.items()):
            known = self.scope.peek(name)
            if "*" in statement.binds:
                self._await_last(statement, name, known, value)
            changed = self.swap.bind(self.work, self.scope, name, value) if name in picked else self.bind(name, value)
            if statement.kind is Kind.SUITE:
                _moves.take_place(self, name, known, value)
            if changed and not name.startswith("__hotswap"):
                self.swap.patched(self.work, self.scope.prefix + name, How.ADDED if known is MISSING else How.REBOUND)
        for name in bound.gone:
            self.swap.drop(self.work, self.scope, name)
        if not bound and statement.kind is Kind.OTHER:
            self.swap.patched(self.work, f"{self.scope.prefix}{statement.key}", How.RAN)

    def _await_last(self, statement: Statement, name: str, known: object, value: object) -> None:
        """Have what a star import gives for `name` pass, if statements below it may bind the name: that counts."""
        if known is MISSING or known is value or immutable(known) or name in self.chains.open:
            return
        below = [s for s in self.new if s.lineno > statement.lineno and (name in s.binds or "*" in s.binds)]
        if below:
            self.chains.open[name] = known
            self.chains.last.setdefault(id(below[-1]), []).append(name)

    def bind(self, name: str, value: object) -> bool:
        """Bind one name; what it was bound to lives on as the new value where it can. Tell if readers can see it."""
        if _follow.is_taken_by_star(self, name):
            return False
        bound, name = name, self.scope.plain(name)
        is_last = name in self.chains.last.get(self.closing, ())
        if name in self.waiting or (name in self.chains.open and not is_last):
            self.scope.store(name, value)  # a link before the last: what it makes is not what the name becomes
            self.passing.add(name)
            return False
        if name in self.chains.open:
            self.restore(name, self.chains.open.pop(name))
        old = self.scope.peek(name)
        value = _definitions.settle(self, name, old, value)
        return self.swap.bind(self.work, self.scope, bound, value)

    def forget(self, removed: Iterable[Statement], new: Sequence[Statement]) -> None:
        """Let the names go that only statements which left the text bound."""
        removed = list(removed)
        if not removed:
            return
        kept = {*self.elsewhere, *(name for statement in new for name in self.bound_by(statement))}
        if isinstance(self.scope, ModuleScope):
            kept |= self.work.starred
        for statement in removed:
            for name in _follow.names_bound(self, statement):
                came_back = name in self.siblings & self.made  # by another suite of the same `try`: its handler, say
                if name not in kept and self._may_leave(name) and not came_back:
                    _moves.note_left(self, statement, name)
                    self.leave(name)
                elif isinstance(self.scope, ClassScope) and immutable(self.scope.peek(name)):
                    _moves.note_left(self, statement, name)

    def bound_by(self, statement: Statement) -> Iterator[str]:
        """Yield the names that `statement` binds, as far as it is known what of it runs; see `_branches.bound_by`."""
        return _branches.bound_by(self, statement)

    def leave(self, name: str) -> None:
        """Have `name` leave this scope with the last wave."""
        old = self.scope.peek(name)
        if name == "__doc__" or (name == "__module__" and isinstance(self.scope, ClassScope)):  # never nothing
            self.swap.bind(self.work, self.scope, name, None if name == "__doc__" else self.work.edit.module)
            self.swap.patched(self.work, self.scope.prefix + name, How.REMOVED)
            return
        self.swap.changes.note(self.work.edit.module, self.scope.prefix + name, old, MISSING)
        self.swap.last.append((self.scope, name))
        _successors.leave(self, name, old)
        self.swap.patched(self.work, self.scope.prefix + name, How.REMOVED)

    def _may_leave(self, name: str) -> bool:
        if self.scope.peek(name) is MISSING or name == "__annotations__":
            return False
        return isinstance(self.scope, ClassScope) or not is_bound_elsewhere(self.work, name)

    def unquiet_call(self, function: object, argument: str) -> str:
        """Return why calling `function` with the text `argument` may have effects; "" if it has none."""
        call = ast.parse(f"_hotswap_answer = _hotswap_asked({argument!r})").body[0]
        return _quiet.unquiet(call, _stale.quiet_scope(self.swap, self.scope, {"_hotswap_asked": function})) or ""

    def named(self, statement: Statement) -> str:
        """Return what the report calls `statement`."""
        return self.scope.prefix + (statement.binds[-1] if statement.binds else statement.key)

    def target(self, statement: Statement) -> str:
        """Return the target by which a user can have `statement` run."""
        return f"{self.work.edit.module}:{self.named(statement)}"


def _ran_whole(pair: Pair, again: Container[int]) -> bool:
    """Whether a suite is another statement, by its header, or ran `again` as a link of a chain."""
    return pair.new.kind is Kind.SUITE and (not same_header(pair) or id(pair.new) in again)


def visit_module(swap: Swap, work: Work) -> None:
    """Bring one module of the group to its new text."""
    edit = work.edit
    visit = Visit(swap, work, work.scope)
    visit.block(edit.diff, edit.old.statements, looked_at(edit))
    tell_older(visit, edit.new.statements)
    _by_text.let_go(visit)
    _annotations.renew(visit, edit.old.statements, edit.new.statements)
    if _annotations.are_other(edit):
        swap.commit()
        _annotations.renew_all(visit, edit.new.statements)


def looked_at(edit: Edit) -> tuple[Statement, ...]:
    """Return the statements to go through: of a dependent, only those that may be concerned."""
    return edit.new.statements if edit.edited else tuple(pair.new for pair in edit.diff.unchanged)
