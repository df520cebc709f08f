"""Targets: ``module:name``, as findings name them and `rerun` takes them, to the statements that make the name."""

from __future__ import annotations

from dataclasses import dataclass

from hotswap._errors import TargetError
from hotswap._facts import facts_of
from hotswap._model import Edit, Statement
from hotswap._prepare import untouched
from hotswap._process import Process


@dataclass(frozen=True, slots=True)
class Target:
    """Statements of a module that are to run again, and the names that they make."""

    edit: Edit
    statements: tuple[Statement, ...]
    names: frozenset[str]

    @property
    def ids(self) -> frozenset[int]:
        """The identities of the statements, by which applying knows them."""
        return frozenset(map(id, self.statements))


def find(process: Process, target: str) -> Target:
    """Return what `target` names. Raises TargetError if nothing that is loaded answers to it."""
    module, _, name = target.partition(":")
    baseline = process.baselines.get(module)
    if not name or baseline is None:
        known = "no such module is watched" if name else "a target has the form 'module:name'"
        raise TargetError(f"{target}: {known}")
    edit = untouched(module, baseline, None)
    every = facts_of(edit.new, "", lambda _: False, nodes=True).every
    found = [f for f in every if not f.statement.children or f.scope + f.statement.binds[-1] == name]
    made = [f for f in found if name in {f.scope + n for n in (*f.statement.binds, *f.statement.mutates)}]
    made = made or [f for f in found if f.scope + f.statement.key == name]
    if not made:
        raise TargetError(f"{target}: no statement of {baseline.path} makes that name")
    names = frozenset(f.scope + n for f in made for n in (*f.statement.binds, *f.statement.mutates))
    return Target(edit, tuple(f.statement for f in made), names)
