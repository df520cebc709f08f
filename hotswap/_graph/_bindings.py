"""Who binds which names of whom, and does nothing else with them: most importers of a constant.

Kept from the sketches of all modules, so that a name which changes finds those who have to be given the new value by
two look-ups, however many they are. Every other importer is in `closer`: what it does has to be looked at.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from hotswap._graph._facts import WHOLE
from hotswap._graph._followers import Follower, Followers
from hotswap._model import Action, How, Outcome, Patch, Step

if TYPE_CHECKING:
    from collections.abc import Collection

    from hotswap._graph._sketch import Sketch

_NOBODY: Mapping[str, Follower] = {}
_EMPTY: frozenset[str] = frozenset()


class Bindings:
    """Fed with one sketch a module; `is_ours` says of a module's name whether its text may change.

    `sketches` are those that are known. By whom they import, `closer` are modules that have to be looked at, `starred`
    those that star-import it. `odd` are modules that bind imported names in ways that do not simply follow.
    """

    def __init__(self, is_ours: Callable[[str], bool]) -> None:
        self._is_ours = is_ours
        self.sketches: dict[str, Sketch] = {}
        self.closer: dict[str, set[str]] = {}
        self.starred: dict[str, set[str]] = {}
        self.odd: set[str] = set()
        self._simple: dict[str, dict[str, dict[str, Follower]]] = {}
        self._prepared: dict[str, dict[str, Followers]] = {}
        self._places: dict[str, list[tuple[str, str]]] = {}
        self._sets: dict[str, list[set[str]]] = {}
        self._paths: dict[str, str] = {}
        self._by_attribute: dict[str, set[str]] = {}

    def forget(self, module: str) -> None:
        """Drop what is known of `module`, whose text is another one or which is not loaded any more."""
        if self.sketches.pop(module, None) is None:
            return
        self.odd.discard(module)
        for source, there in self._places.pop(module):
            self._simple[source][there].pop(module, None)
            self._prepared.pop(source, None)
        for members in self._sets.pop(module):
            members.discard(module)

    def arrive(self, source: str) -> None:
        """Take in that `source`, which somebody may import already, is ours from now on."""
        for module in list(self.closer.get(source, ())):
            self.learn(module, self._paths[module], self.sketches[module])

    def learn(self, module: str, path: str, sketch: Sketch) -> None:
        """Take in the sketch of `module`, the file of which is `path`."""
        self.forget(module)
        self.sketches[module], self._paths[module] = sketch, path
        self._places[module], self._sets[module] = [], []
        look = _Look(sketch)
        for source, there, here in sketch.froms:
            if here not in sketch.once or look.reads(here):
                self._add(self.closer, source, module)
                self._add(self.closer, f"{source}.{there}", module)
            elif self._is_ours(source):
                self._follow(module, path, source, there, here)
            else:
                self._add(self.closer, source, module)
        for here, source in sketch.modules:
            if look.reads(here.partition(".")[0]):
                self._add(self.closer, source, module)
                for name in sketch.attributes:
                    if self._is_ours(f"{source}.{name}"):
                        self._add(self.closer, f"{source}.{name}", module)
        if sketch.odd or sketch.runs_own:
            for source, there in sketch.inner:
                self._add(self.closer, source, module)
                self._add(self.closer, f"{source}.{there}", module)
        for source in sketch.stars:
            self._star(module, path, source, look)
        for name in sketch.attributes:
            self._add(self._by_attribute, name, module)

    def _star(self, module: str, path: str, source: str, look: _Look) -> None:
        self._add(self.starred, source, module)
        if not self._is_ours(source):
            self._add(self.closer, source, module)
            return
        found = sys.modules.get(source)
        names = public(vars(found)) if found is not None else []
        clear = found is not None and len(look.sketch.stars) == 1 and look.sketch.own.isdisjoint(names)
        if clear and not any(map(look.reads, names)):
            self._follow(module, path, source, "*", "*")
        else:
            self._look_closer(source, module)

    def _follow(self, module: str, path: str, source: str, there: str, here: str) -> None:
        place = self._simple.setdefault(source, {}).setdefault(there, {})
        if module in place:  # bound twice, under two names
            self._look_closer(source, module)
            return
        place[module] = follower(module, path, here)
        self._places[module].append((source, there))
        self._prepared.pop(source, None)

    def _look_closer(self, source: str, module: str) -> None:
        self._add(self.closer, source, module)
        self.odd.add(module)

    def _add(self, index: dict[str, set[str]], key: str, module: str) -> None:
        members = index.setdefault(key, set())
        if module not in members:
            members.add(module)
            self._sets[module].append(members)

    def followers(self, source: str, name: str) -> Followers:
        """Return who does no more with `name` of `source` than bind it."""
        prepared = self._prepared.setdefault(source, {})
        if name not in prepared:
            of_source = self._simple.get(source, {})
            starred = of_source.get("*", {}).items() if "." not in name else ()  # a member of a class
            made = [follower(module, one.outcome.step.path, name) for module, one in starred]
            prepared[name] = Followers.of([*of_source.get(name, {}).values(), *made])
        return prepared[name]

    def importers(self, source: str, names: Iterable[str]) -> Iterator[str]:
        """Yield the modules that import one of `names` from `source` and do no more than bind it."""
        of_source = self._simple.get(source, {})
        for name in names:
            yield from of_source.get(name, ())

    def by_attribute(self, names: Iterable[str]) -> Iterator[Collection[str]]:
        """Yield the modules that look up one of `names` behind a dot while they run."""
        for name in names:
            yield self._by_attribute.get(name, _EMPTY)


class _Look:
    """What a module may read while it runs."""

    def __init__(self, sketch: Sketch) -> None:
        self.sketch, self.reads_all = sketch, not WHOLE.isdisjoint(sketch.runs)
        self.inside: Callable[[str], bool] = (
            frozenset([name for bodies in sketch.bodies.values() for _, names in bodies for name in names]).__contains__
            if sketch.runs_own
            else _EMPTY.__contains__
        )

    def reads(self, name: str) -> bool:
        return self.reads_all or name in self.sketch.runs or self.inside(name)


def public(namespace: Mapping[str, object]) -> list[str]:
    """Return the names that a star import takes, as far as that can be told without running code of the program."""
    listed = namespace.get("__all__")
    if type(listed) in (list, tuple):
        return [name for name in listed if type(name) is str]  # type: ignore[attr-defined]  # it is one of the two
    return [name for name in namespace if not name.startswith("_")]


def follower(module: str, path: str, here: str) -> Follower:
    """Return a follower with the outcome of being bound anew."""
    step = Step(module, path, Action.SKIP, (), "it imports what changed")
    return Follower(module, here, Outcome(step, (), (Patch(here, How.REBOUND),)))
