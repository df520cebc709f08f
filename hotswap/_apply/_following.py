"""Importers that do no more with a name than bind it: all are given the new value in the wave that changes the name.

They are many where everything else is few, so nothing here is done one importer at a time that can be done for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import repeat
from operator import is_
from types import ModuleType
from typing import Any

from hotswap._apply._changes import Changes
from hotswap._journal import MISSING, Journal
from hotswap._model import Follower, Outcome, Patch
from hotswap._values import same

Place = tuple[str, str]
Spaces = list[dict[str, Any]]


class Following:
    """The followers of one swap by module and name there. `waiting` are names whose new value is not set yet."""

    def __init__(self, journal: Journal, changes: Changes, modules: Mapping[str, ModuleType]) -> None:
        self._journal, self._changes, self._modules = journal, changes, modules
        self._followers: Mapping[Place, tuple[Follower, ...]] = {}
        self._found: dict[Place, tuple[list[Follower], Spaces, list[str], object]] = {}
        self.waiting: dict[Place, object] = {}
        self.left_behind: list[tuple[str, str, Follower]] = []

    def expect(self, followers: Mapping[Place, tuple[Follower, ...]]) -> None:
        """Take in who follows; called before anything changes."""
        self._followers = followers
        if followers:
            self._changes.follow = self._note

    def _note(self, module: str, name: str, old: object, new: object) -> None:
        place = module, name
        followers = self._followers.get(place)
        if followers is None:
            return
        if new is MISSING:
            self.waiting.pop(place, None)
            self.left_behind += [(module, name, one) for one in followers]
            return
        if place not in self._found:
            self._find(place, followers, old)
        self.waiting[place] = new

    def _find(self, place: Place, followers: tuple[Follower, ...], old: object) -> None:
        """Keep those of `followers` whose name still is what it was imported as."""
        modules = self._modules
        loaded = [one for one in followers if one.module in modules]
        spaces: Spaces = [modules[one.module].__dict__ for one in loaded]
        names = [one.here for one in loaded]
        held = list(map(dict.get, spaces, names, repeat(MISSING)))
        if not all(map(is_, held, repeat(old))):
            chosen = [index for index, one in enumerate(held) if one is old or same(one, old)]
            loaded, spaces = [loaded[i] for i in chosen], [spaces[i] for i in chosen]
            names = [names[i] for i in chosen]
        self._found[place] = loaded, spaces, names, old
        by_module = {one.module: one.here for one in loaded}
        self._changes.note_followers(by_module, old)
        if len(by_module) < len(loaded):  # a module that has it under two names
            for one in loaded:
                self._changes.note_followers({one.module: one.here}, old)

    def flush(self) -> None:
        """Hand the waiting stores to the journal."""
        for place, value in self.waiting.items():
            _, spaces, names, old = self._found[place]
            self._journal.set_everywhere(spaces, names, value, old)
        self.waiting.clear()

    def outcomes(self) -> list[Outcome]:
        """Return what became of the modules that followed."""
        found = [one for followers, _, _, _ in self._found.values() for one in followers]
        outcomes = {one.module: one.outcome for one in found}
        if len(outcomes) == len(found):
            return list(outcomes.values())
        patches: dict[str, list[Patch]] = {name: [] for name in outcomes}
        for one in found:
            patches[one.module] += one.outcome.patches
        return [Outcome(outcome.step, (), tuple(patches[name])) for name, outcome in outcomes.items()]
