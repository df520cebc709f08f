"""Names that follow another module's, and do no more: what is known of them before anything changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hotswap._model import Outcome


@dataclass(frozen=True, slots=True, eq=False)
class Follower:
    """A name of a module that follows another module's; `outcome` is what a report says of it if nothing else does."""

    module: str
    here: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, eq=False)
class Followers:
    """All that follow one name, with modules, names and outcomes in the same order: a save may go over hundreds."""

    members: tuple[Follower, ...]
    modules: tuple[str, ...]
    names: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    by_module: Mapping[str, str]

    @classmethod
    def of(cls, members: Iterable[Follower]) -> Followers:
        """Return `members` as one."""
        members = tuple(members)
        modules, names = tuple(one.module for one in members), tuple(one.here for one in members)
        return cls(
            members, modules, names, tuple(one.outcome for one in members), dict(zip(modules, names, strict=True))
        )
