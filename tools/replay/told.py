"""Which differences a finding names, exactly: by the module and the qualified name that it speaks of.

A finding names what its words say (the fields of its code's template) and the statement at its line. A difference is
told if what it stands for is that, or lies inside it. What was told stays told only as long as it is the same
difference: once a later version wants something else there, a later report has to say so again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from edits import ANY

from hotswap._findings import CATALOGUE, SEVERAL

Told = tuple[str, str, int, str]
"""A finding as plain data: code, module, line, message."""

Found = tuple[str, str, str, str, str]
"""A difference as plain data: level, path, facet, what a fresh process has, what the living one has."""

_WHOLE_MODULE: Final = ("HS102", "HS212", "HS301", "HS302", "HS303", "HS305", "HS306")
_CUT_LOOSE: Final = ("HS101", "HS102", "HS204", "HS205", "HS206", "HS216")
"""After these something goes on that no later save can reach: it stays told until it is gone."""

AS_THERE: Final = "as there"
"""The facet of a name that the client has as its module has it, where that is not as in a fresh process."""

_OF_OLD_CLASS: Final = ("HS101", "HS206")
_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


class Place(NamedTuple):
    """Where a difference is, and what the two processes have there. `lineage` is the MRO of the class it is in."""

    path: str
    facet: str
    fresh: str
    living: str
    owner: str
    aliases: tuple[str, ...] = ()
    lineage: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one finding names: qualified names in a module, or all of it. `attribute` is one that objects lack."""

    code: str
    module: str
    names: frozenset[str]
    attribute: str = ""

    def covers(self, place: Place) -> bool:
        """Whether the finding speaks of what differs at `place`, by whatever name that is reached."""
        return any(self._covers(place, path) for path in (place.path, *place.aliases))

    def _covers(self, place: Place, path: str) -> bool:
        module, _, inside = path.partition(":")
        if self.attribute:
            last = inside.rpartition(".")[2]
            is_theirs = any(f"{self.module}:{name}" == place.owner for name in self.names)
            return is_theirs and last in self.attribute.split(", ")
        if self.code in _WHOLE_MODULE:
            parent, _, last = self.module.rpartition(".")
            handed_on = place.facet in ("missing", "value") and place.fresh.startswith(f"{self.module}:")
            return handed_on or module == self.module or path in (f"{parent}:{last}", f"{self.module}:")
        if self.code == "HS205" and place.facet == "left over":  # a fresh start fails there: it has no module
            parent, _, last = self.module.rpartition(".")
            return path in (f"{parent}:{last}", f"{self.module}:")
        if module == self.module and any(_is_inside(inside, name) for name in self.names):
            return True
        if module == self.module and place.facet == "doc" and f"{inside}.__doc__".lstrip(".") in self.names:
            return True
        if module == self.module and ANY in self.names and place.facet in ("missing", "left over", "value") and inside:
            return "." not in inside
        if "__all__" in self.names and place.facet in ("missing", "left over"):  # what is imported by ``*``
            is_plain = ":" not in place.fresh and "." not in inside  # it does not say where it is from
            return f"{self.module}:{inside}" in (place.fresh, place.living) or place.facet == "left over" or is_plain
        if self.code in ("HS201", "HS226") and any(self._is_shared(text) for text in (place.fresh, place.living)):
            return True
        if self.code == "HS229" and place.lineage:  # a hook that was not called for the classes below its own
            owners = {f"{self.module}:{name.rpartition('.')[0]}" for name in self.names}
            return not owners.isdisjoint(place.lineage.split(", "))
        return self.code in ("HS101", "HS206") and any(self._speaks_of(text) for text in (place.fresh, place.living))

    def _is_shared(self, text: str) -> bool:
        """Whether what differs is named by where it stands in a value that is kept."""
        return any(re.search(rf"\(at {re.escape(f'{self.module}:{name}')}[.)\[<]", text) for name in self.names)

    def _speaks_of(self, text: str) -> bool:
        return any(re.search(rf"{re.escape(self.module)}:{re.escape(name)}(?!\w)", text) for name in self.names)


def _is_inside(inside: str, name: str) -> bool:
    return inside == name or inside.startswith((f"{name}.", f"{name}[", f"{name}<"))


@cache
def _templates(code: str) -> tuple[re.Pattern[str], ...]:
    """Return what finds the fields in the words of a finding of `code`, about one thing or about many."""
    texts = [text for text in (SEVERAL.get(code), CATALOGUE[code].message) if text]
    return tuple(map(_template, texts))


def _template(text: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)(?:!r)?\}", text)
    return re.compile(
        "".join(f"(?P<{p}>.+?)" if i % 2 else re.escape(p) for i, p in enumerate(parts)) + r"\Z", re.DOTALL
    )


def claim(told: Told, statements: Mapping[str, Mapping[int, frozenset[str]]]) -> Claim:
    """Return what the finding `told` names; `statements` are the names of the statements of each module by line."""
    code, module, line, message = told
    found = (one.match(message) for one in (_templates(code) if code in CATALOGUE else ()))
    match = next(filter(None, found), None)
    fields = match.groupdict() if match else {}
    name = fields.get("name", "")
    names = {name} if _DOTTED.fullmatch(name) else {word for word in _DOTTED.findall(name) if len(word) > 1}
    names |= {word.partition(".")[0] for word in names} if code == "HS203" else set()
    names |= {fields[key] for key in ("holder",) if key in fields}
    names |= set(_DOTTED.findall(fields["what"].partition(": ")[2])) if "what" in fields else set()
    names |= statements.get(module, {}).get(line, frozenset()) if code not in ("HS210", "HS203") else frozenset()
    attribute = fields.get("missing", "") if code == "HS210" else ""
    return Claim(code, module, frozenset(names), attribute)


def lineage(path: str, digest: Mapping[str, Mapping[str, str]]) -> str:
    """Return the MRO and the metaclass of the class in which the thing at `path` is, "" if it is in none."""
    while path := path.rpartition(".")[0]:
        owner = digest.get(path, {})
        if "mro" in owner:
            return f"{owner['mro']}, {owner.get('metaclass', '')}"
    return ""


def aliases(digest: Mapping[str, Mapping[str, str]]) -> Mapping[str, list[str]]:
    """Return the other paths of what is described at a path: ``from m import x`` gives it a second one."""
    found: dict[str, list[str]] = {}
    for path, facets in digest.items():
        target = facets.get("value", "")
        if target in digest and target != path:  # a class or function by its home
            found.setdefault(target, []).append(path)
        if target.startswith("same as "):
            found.setdefault(target.removeprefix("same as "), []).append(path)
            found.setdefault(path, []).append(target.removeprefix("same as "))
    return found


def other_paths(path: str, known: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Return the other paths of `path` itself, or of what it lies inside."""
    ends = [index for index, sign in enumerate(path) if sign in ".[<"] + [len(path)]
    return tuple(other + path[end:] for end in ends for other in known.get(path[:end].rstrip("."), ()))


class Teller:
    """Decides which differences were told, step by step."""

    def __init__(self) -> None:
        self._loose: list[Claim] = []
        self._before: dict[tuple[str, str], tuple[str, str]] = {}

    def note(self, claims: Iterable[Claim]) -> None:
        """Keep in mind what goes on though a version is gone through that is no measure."""
        self._loose += [one for one in claims if one.code in _CUT_LOOSE]

    def step(self, claims: Iterable[Claim], places: Iterable[Place]) -> Iterator[str]:
        """Yield for each of `places` the code of the finding that tells of it, of now or still; "" if there is none."""
        claims, places = list(claims), list(places)
        self.note(claims)
        now: dict[tuple[str, str], tuple[str, str]] = {}
        there: dict[str, str] = {}
        for place in places:
            code = there.get(place.path, "") if place.facet == AS_THERE else self._code(place, claims, there)
            there[place.path] = code if there.get(place.path, code) else ""  # told if all that is there is told
            if code:  # by all its names: the one that it is described by may go
                now[place.path, place.facet] = code, place.fresh
                for path in place.aliases:
                    now.setdefault((path, place.facet), (code, place.fresh))
            yield code
        self._before = now

    def _code(self, place: Place, claims: Iterable[Claim], there: Mapping[str, str]) -> str:
        code = next((one.code for one in (*claims, *self._loose) if one.covers(place)), "")
        whole = there.get(place.path.rpartition(".")[0], "")
        if not code and whole in _OF_OLD_CLASS and place.facet in ("missing", "left over"):
            return whole  # what an object lacks that keeps its old class, as was told, or has more
        if not code and place.fresh.startswith("same as "):  # it was met inside what is told, and is described there
            code = there.get(place.fresh.removeprefix("same as "), "")
        if not code and there.get(place.path) in _OF_OLD_CLASS and place.fresh == "-":
            return there[place.path]  # what the old thing itself is like
        known, fresh = self._before.get((place.path, place.facet), ("", ""))
        return code or (known if fresh == place.fresh else "")


def without_echoes(found: Iterable[Found]) -> list[Found]:
    """Leave out names of the client that are as in their modules, where what differs there is not among `found`."""
    found = list(found)
    there = {path for level, path, *_ in found if level != "client"}
    return [one for one in found if one[2] != AS_THERE or one[1] in there]
