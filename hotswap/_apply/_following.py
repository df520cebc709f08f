"""Importers that do no more with a name than bind it: all are given the new value in the wave that changes the name.

They are many where everything else is few, so nothing here is done one importer at a time that can be done for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import repeat
from operator import is_
from types import ModuleType
from typing import Any

from hotswap._apply._changes import Changes
from hotswap._graph._followers import Follower, Followers
from hotswap._model import Outcome, Patch
from hotswap._run._journal import MISSING, Journal
from hotswap._run._values import same

Place = tuple[str, str]
Spaces = list[dict[str, Any]]
Followed = tuple[Followers, Spaces, object]
"""Those who follow a name, their modules' names, and the value that they had."""


class Following:
    """The followers of one swap by module and name there. `waiting` are names whose new value is not set yet."""

    def __init__(self, journal: Journal, changes: Changes, modules: Mapping[str, ModuleType]) -> None:
        self._journal, self._changes, self._modules = journal, changes, modules
        self._followers: Mapping[Place, Followers] = {}
        self._found: dict[Place, Followed] = {}
        self.waiting: dict[Place, object] = {}
        self.left_behind: list[tuple[str, str, Follower]] = []

    def expect(self, followers: Mapping[Place, Followers]) -> None:
        """Take in who follows; called before anything changes."""
        self._followers = followers
        if followers:
            self._changes.follow = self._note

    def alter(self, module: str, name: str, value: object) -> None:
        """Note that `value`, which `name` stands for, has other contents now, for who follows that name as well."""
        self._changes.alter(module, name)
        followers = self._followers.get((module, name))
        for one in followers.members if followers is not None else ():
            if vars(self._modules[one.module]).get(one.here) is value:
                self._changes.alter(one.module, one.here)

    def _note(self, module: str, name: str, old: object, new: object) -> None:
        place = module, name
        followers = self._followers.get(place)
        if followers is None:
            return
        if new is MISSING:
            self.waiting.pop(place, None)
            self.left_behind += [(module, name, one) for one in followers.members]
            return
        if place not in self._found:
            self._find(place, followers, old)
        self.waiting[place] = new

    def _find(self, place: Place, followers: Followers, old: object) -> None:
        """Keep those of `followers` whose name still is what it was imported as."""
        modules = list(map(self._modules.get, followers.modules))
        spaces: Spaces = [{} if module is None else module.__dict__ for module in modules]
        held = list(map(dict.get, spaces, followers.names, repeat(MISSING)))
        if not all(map(is_, held, repeat(old))):
            chosen = [index for index, one in enumerate(held) if one is old or same(one, old)]
            followers, spaces = Followers.of(followers.members[i] for i in chosen), [spaces[i] for i in chosen]
        self._found[place] = followers, spaces, old
        self._changes.note_followers(followers.by_module, old)
        if len(followers.by_module) < len(followers.members):  # a module that has it under two names
            for one in followers.members:
                self._changes.note_followers({one.module: one.here}, old)

    def found(self) -> tuple[Followed, ...]:
        """Return who follows the names that changed so far, for `are_as_found`."""
        return tuple(self._found.values())

    def peek(self, module: str, name: str) -> object:
        """Return the value that `name` of `module` is about to follow; MISSING if it follows none."""
        for place, value in self.waiting.items():
            followers = self._found[place][0]
            if module in followers.by_module and any(o.module == module and o.here == name for o in followers.members):
                return value
        return MISSING

    def flush(self) -> None:
        """Hand the waiting stores to the journal."""
        for place, value in self.waiting.items():
            followers, spaces, old = self._found[place]
            self._journal.set_everywhere(spaces, followers.names, value, old)
        self.waiting.clear()

    def kept(self) -> Iterator[object]:
        """Yield what old values are held in here."""
        yield from self._found.values()

    def outcomes(self) -> list[Outcome]:
        """Return what became of the modules that followed."""
        every = [followers for followers, _, _ in self._found.values()]
        if len(every) == 1 and len(every[0].by_module) == len(every[0].members):
            return list(every[0].outcomes)
        outcomes = {one.module: one.outcome for followers in every for one in followers.members}
        patches: dict[str, list[Patch]] = {name: [] for name in outcomes}
        for one in (one for followers in every for one in followers.members):
            patches[one.module] += one.outcome.patches
        return [Outcome(outcome.step, (), tuple(patches[name])) for name, outcome in outcomes.items()]


def are_as_found(followed: Followed) -> bool:
    """Whether all who follow still have the value that they had when they were found."""
    followers, spaces, old = followed
    return all(now is old or same(now, old) for now in map(dict.get, spaces, followers.names, repeat(MISSING)))
