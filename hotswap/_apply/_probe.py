"""Before anything changes: which statements may run again, and which of them bound something that was touched since."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from hotswap import _quiet
from hotswap._apply import _remaking, _stale
from hotswap._apply._scopes import AnyScope, ClassScope
from hotswap._apply._segments import segments
from hotswap._apply._stale import unchanged_inner
from hotswap._apply._swap import Swap, Work
from hotswap._errors import StatementError
from hotswap._model import Diff, Kind, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import alike, as_member, immutable, is_plain, stateless
from hotswap._text._diff import branch_of
from hotswap._text._source import suites


def within(maybe: AbstractSet[int], statements: Iterable[Statement]) -> Iterator[int]:
    """Yield the ids of those of `statements`, at any depth, that are among `maybe` or have such inside."""
    for statement in statements:
        inside = tuple(within(maybe, statement.children)) if statement.children else ()
        yield from inside
        if inside or id(statement) in maybe:
            yield id(statement)


class Block(NamedTuple):
    """What a block of statements was: its diff, and its old statements, which made what the process holds."""

    diff: Diff
    old: tuple[Statement, ...]

    def inner(self, within: AbstractSet[int]) -> dict[int, Block]:
        """Return the same for the class bodies and suites in it that are `within`, by ids of new statements."""
        pairs = (pair for pair in (*self.diff.unchanged, *self.diff.changed) if pair.new.children)
        return {
            id(pair.new): Block(pair.inner or unchanged_inner(pair), pair.old.children)
            for pair in pairs
            if id(pair.new) in within
        }

    def of_branch(self, branch: str) -> Block:
        """Return the part of a suite that belongs to one of its branches."""
        return Block(branch_of(self.diff, branch), tuple(one for one in self.old if one.branch == branch))


_NOTHING: Final = Block(Diff(), ())


def probe(swap: Swap, work: Work, scope: AnyScope, statements: tuple[Statement, ...], block: Block) -> None:
    """Before anything changes: note which statements that may run again bound something that was touched since."""
    statements = tuple(statement for statement in statements if id(statement) in swap.within)
    inside = block.inner(swap.within) if statements else {}
    for statement in statements:
        if _is_one(swap, scope, statement, block):
            swap.units.add(id(statement))
        if id(statement) in swap.maybe | swap.units:
            _probe_chains(swap, work, scope, statement, block)
        if statement.kind is Kind.ASSIGN and (id(statement) in swap.maybe or id(statement) in swap.aside):
            alone = [n for n in statement.binds if sum(n in (*s.binds, *s.mutates) for s in block.old) < 2]
            names = alone or statement.binds  # a chain is looked at as a whole
            made_by = next((pair.old for pair in block.diff.changed if pair.new is statement), statement)
            why = _touched(swap, scope, made_by, names, _made_before(swap, work, scope, statement, block))
            if why and id(statement) in swap.maybe:
                swap.touched[id(statement)] = why
        if statement.kind is Kind.SUITE:
            if isinstance(statement.node, ast.If) and id(statement) in swap.maybe:
                swap.truths[id(statement)] = _stale.truth(_remaking.block_of(swap, work, scope, ()), statement.node)
            for branch, _ in suites(statement.node):  # of which one alone made what is there
                children = tuple(child for child in statement.children if child.branch == branch)
                probe(swap, work, scope, children, inside.get(id(statement), _NOTHING).of_branch(branch))
        elif statement.kind is Kind.CLASS and isinstance(live := scope.peek(statement.binds[-1]), type):
            assert isinstance(statement.node, ast.ClassDef)
            inner = ClassScope(scope, work.scope.stores, statement.node, live)
            probe(swap, work, inner, statement.children, inside.get(id(statement), _NOTHING))


def _is_one(swap: Swap, scope: AnyScope, statement: Statement, block: Block) -> bool:
    """Whether a ``try`` or ``with`` makes values, and no more, and they are untouched: it runs as one statement then,
    as what came of it depends on all that is in it. A list or dict stays unless what makes it may be stale.
    """
    if not isinstance(statement.node, (ast.Try, ast.TryStar, ast.With)) or not _makes_values(statement):
        return False
    held = {name: scope.peek(name) for name in statement.binds}
    stale = {name for child in statement.children if id(child) in swap.within for name in child.binds}
    if any(value is not MISSING and name not in stale and not immutable(value) for name, value in held.items()):
        return False
    alone = [n for n in held if held[n] is not MISSING and sum(n in (*s.binds, *s.mutates) for s in block.old) < 2]
    return not _unquiet(swap, scope, statement.node) and not _touched(swap, scope, statement, alone, [])


def _makes_values(statement: Statement) -> bool:
    if statement.kind is Kind.SUITE:
        return not isinstance(statement.node, ast.Match) and all(map(_makes_values, statement.children))
    return statement.kind is Kind.ASSIGN or isinstance(statement.node, ast.Pass)


def _unquiet(swap: Swap, scope: AnyScope, node: ast.stmt) -> bool:
    with scope.before(node):
        return bool(_quiet.unquiet(node, _stale.quiet_scope(swap, scope)))


def _probe_chains(swap: Swap, work: Work, scope: AnyScope, statement: Statement, block: Block) -> None:
    """Note of each chain that `statement` is a link of, whether its object was touched since it was made.

    Of chains in several branches of a suite the one counts that gives what is there.
    """
    for name in (*statement.binds, *statement.mutates):
        place = (work.edit.module, scope.prefix + name)
        why = _remaking.touched_before(swap, work, scope, name, block.old) if swap.probed.get(place) != "" else None
        if why is not None:
            swap.probed[place] = why


def _made_before(swap: Swap, work: Work, scope: AnyScope, statement: Statement, block: Block) -> list[Statement]:
    """Return the old statements that made the names which `statement` reads, where later ones made others of them."""
    pairs = (*block.diff.unchanged, *block.diff.changed)
    line = next((pair.old.lineno for pair in pairs if pair.new is statement), 0)
    found = list[Statement]()
    for name in dict.fromkeys(read.partition(".")[0] for read in statement.reads):
        links = _remaking.links_before(swap, work, scope, name, block.old)
        above = [link for link in links if link.lineno < line]
        if above and len(above) < len(links):
            found += segments(name, above)[-1]
    return found


def _touched(swap: Swap, scope: AnyScope, statement: Statement, names: Iterable[str], before: list[Statement]) -> str:
    """Return why the `names` of an assignment do not hold, untouched, what its text gives after `before`; "" if so."""
    held = {name: as_member(scope.peek(name)) for name in names if name != "__annotations__"}
    if not held:
        return ""  # it stores into an object: to run it now would be to store
    if not isinstance(getattr(statement.node, "value", None), _remaking.TAKES) and not all(
        map(stateless, held.values())
    ):
        return "it holds an object with state"
    nodes = [*(one.node for one in sorted(before, key=lambda one: one.lineno)), statement.node]
    if any(_unquiet(swap, scope, node) for node in nodes):
        return ""  # told for that reason, should it be stale
    try:
        made = scope.run(nodes)
    except StatementError:
        return "its text does not give it any more"
    changed = [name for name, value in held.items() if not alike(as_member(made.get(name, MISSING)), value)]
    if not changed and not before and statement.reads and all(map(is_plain, held.values())):
        swap.repeatable.add(id(statement))
    return f"{changed[0]} was changed since" if changed else ""
