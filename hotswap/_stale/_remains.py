"""What swaps left behind that is no running code: kept values, objects that lack attributes, registrations that stay.

Each was told when it came about, by a finding with a target. Here it is looked at again: what has been made anew since,
or is gone, is not listed any more.
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from hotswap._model import Finding, Outcome
from hotswap._stale._living import OldCodes, Stale

_KEPT: Final = ("HS201", "HS226")
_LACKING: Final = "HS210"
_REGISTERED: Final = "HS227"


@dataclass(frozen=True, slots=True)
class _Remain:
    """One of them: `lasts` says whether it is still so, given the objects that refer to the class `owner`, if any."""

    entry: Stale
    lasts: Callable[[Iterable[Any]], bool]
    owner: Callable[[], Any] = lambda: None


class Remains:
    """What is left of the swaps of this process, by target."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], _Remain] = {}

    def note(self, outcomes: Iterable[Outcome]) -> None:
        """Take up what was found; what ran is not stale any more, and is told again if it is."""
        outcomes = tuple(outcomes)
        ran = {f"{o.step.module}:{name}" for o in outcomes for s in o.ran for name in (*s.binds, s.key)}
        self._known = {key: known for key, known in self._known.items() if key[1] not in ran}
        for outcome in outcomes:
            for found in outcome.findings:
                for target in filter(None, found.target.split(", ")):
                    made = _remain(replace(found, target=target))
                    if made is not None:
                        self._known[found.code, target] = made

    def is_kept(self, target: str) -> bool:
        """Whether the value of that name is what it was although something that it depends on has changed since."""
        return any(known.lasts(()) for code in _KEPT if (known := self._known.get((code, target))) is not None)

    def classes(self) -> list[type]:
        """Return the classes of which there were objects that lack something."""
        owners = (known.owner() for known in list(self._known.values()))
        return [owner for owner in owners if isinstance(owner, type)]

    def everything(self, holders: Iterable[Any]) -> tuple[Stale, ...]:
        """Return what is still so, of modules that are loaded; `holders` are all that refers to one of `classes`."""
        found = [(key, known) for key, known in list(self._known.items()) if key[1].partition(":")[0] in sys.modules]
        lasting = {key: known for key, known in found if known.lasts(holders)}
        self._known = lasting
        return tuple(known.entry for known in lasting.values())


def everything(codes: OldCodes, remains: Remains) -> tuple[Stale, ...]:
    """Return what runs or holds old code and what else is old still, by one pass of the heap."""
    targets = (*codes.codes(), *remains.classes())
    holders = gc.get_referrers(*targets) if targets else []
    return (*codes.everything(holders), *remains.everything(holders))


def _remain(found: Finding) -> _Remain | None:
    module, _, name = found.target.partition(":")
    if found.code in _KEPT:
        held = id(_resolve(module, name))
        return _Remain(_entry("value", name, found), lambda _: id(_resolve(module, name)) == held)
    if found.code == _LACKING:
        owner, _, attribute = name.rpartition(".")
        cls = partial(_resolve, module, owner)
        return _Remain(_entry("object", f"{owner} without {attribute}", found), partial(_lacks, cls, attribute), cls)
    if found.code == _REGISTERED:
        return _Remain(_entry("registration", name, found), _is_held(_resolve(module, name)))
    return None


def _entry(kind: str, name: str, found: Finding) -> Stale:
    return Stale(kind, name, found.path, found.lineno)


def _resolve(module: str, dotted: str) -> Any:
    value: Any = sys.modules.get(module)
    for part in dotted.split("."):
        try:
            value = vars(value).get(part)
        except TypeError:
            return None
    return value


def _lacks(owner: Callable[[], Any], attribute: str, holders: Iterable[Any]) -> bool:
    cls = owner()
    return any(type(one) is cls and _has_not(one, attribute) for one in holders)


def _has_not(one: object, attribute: str) -> bool:
    try:
        return attribute not in vars(one)
    except TypeError:  # slots
        return not hasattr(one, attribute)


def _is_held(value: Any) -> Callable[[Iterable[Any]], bool]:
    """Whether a function is there still; one that nobody holds is registered nowhere."""
    try:
        reference = weakref.ref(value)
    except TypeError:
        return lambda _: True
    return lambda _: reference() is not None
