"""Targets: ``module:name``, as findings name them and `rerun` takes them, to the statements that make the name.

``module.name`` will do as well: the longest module that is watched counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hotswap._errors import TargetError
from hotswap._graph._facts import facts_of
from hotswap._model import Edit, Kind, Statement
from hotswap._plan._prepare import untouched
from hotswap._process import Process
from hotswap._text._names import filled_by


@dataclass(frozen=True, slots=True)
class Target:
    """Statements of a module that are to run again, the names that they make, and why: see `apply`."""

    edit: Edit
    statements: tuple[Statement, ...]
    names: frozenset[str]
    why: str = ""

    @classmethod
    def of(cls, edit: Edit, chosen: Iterable[tuple[str, Statement]], why: str = "") -> Target:
        """Return the target that `chosen` statements of `edit` are, each given with the scope that it stands in."""
        many = list(chosen)
        names = frozenset(scope + name for scope, s in many for name in (*s.binds, *s.mutates))
        return cls(edit, tuple(s for _, s in many), names, why)

    @property
    def ids(self) -> dict[int, str]:
        """The identities of the statements, by which applying knows them, each with the reason."""
        return dict.fromkeys(map(id, self.statements), self.why)


def find(process: Process, target: str) -> Target:
    """Return what `target` names. Raises TargetError if nothing that is loaded answers to it."""
    module, name = split(process, target)
    baseline = process.baselines.get(module)
    if not name or baseline is None:
        known = "no such module is watched" if name else "a target has the form 'module:name'"
        raise TargetError(f"{target}: {known}")
    edit = untouched(module, baseline, None)
    found = leaves(edit, name)
    functions = {s.binds[-1]: s.node for scope, s in found if s.kind is Kind.DEF and not scope}
    made = [
        (scope, s)
        for scope, s in found
        if name in {scope + n for n in (*s.binds, *s.mutates)}
        or (s.kind is Kind.OTHER and not scope and name in filled_by(s.node, functions))
    ]
    made = made or [(scope, s) for scope, s in found if scope + s.key == name]
    if not made:
        raise TargetError(f"{target}: no statement of {baseline.path} makes that name")
    return Target.of(edit, made)


def split(process: Process, target: str) -> tuple[str, str]:
    """Return module and name of `target`; the name is empty if no module that is watched begins it."""
    module, colon, name = target.partition(":")
    parts = target.split(".")
    for count in range(0 if colon else len(parts) - 1, 0, -1):
        above = ".".join(parts[:count])
        if above in process.baselines:
            return above, ".".join(parts[count:])
    return module, name


def leaves(edit: Edit, name: str = "") -> list[tuple[str, Statement]]:
    """Return the statements of a module that have none in them, and the one that makes `name`, each with its scope."""
    every = facts_of(edit.new, "", lambda _: False, nodes=True).every
    found = [(f.scope, f.statement) for f in every]
    return [(scope, s) for scope, s in found if not s.children or (name and scope + s.binds[-1] == name)]
