"""Views and modals of discord.py: a class collects the buttons, menus and fields in its body when it is made.

A class whose members changed collects them anew, in the order of its text, so objects made from now on have what a
fresh start gives them. Objects that exist have made theirs, and a message may show them: they are told.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hotswap.adapters import Registrations, live_objects
from hotswap.adapters.discord_cogs import as_stated, subclasses
from hotswap.adapters.discord_commands import kinds

_HOOK: Final = "__init_subclass__"
_LIBRARY: Final = "discord.ui."
_SETTINGS: Final = "__discord_ui_model_kwargs__"
_NOTE: Final = "discord.ui"


def note(old: Registrations) -> None:
    """Remember what classes collected, and with which settings, before anything runs."""
    bases = kinds("discord.ui", "View", "Modal", "Item")
    classes = {id(one): one for base in bases for one in subclasses(base) if not one.__module__.startswith(_LIBRARY)}
    old.notes[_NOTE] = {one: _collected(one) for one in classes.values() if collecting(one) is not None}


def renew(changes: Registrations) -> None:
    """Have the classes that changed, and those below them, collect what is in their bodies."""
    known: Mapping[type, dict[str, Any]] = changes.notes.get(_NOTE, {})
    for cls in {id(one): one for changed in changes.classes for one in (changed, *subclasses(changed))}.values():
        if cls in known:
            _collect(changes, cls)
            now, before = _collected(cls), known[cls]
            names = [one for one in {**now, **before} if now.get(one) is not before.get(one)]
            if names or list(now) != list(before):
                _tell(changes, cls, names)


def collecting(cls: type) -> tuple[str, Any] | None:
    """Return what the library's hook calls the collection of `cls`, and the hook; None if it has none."""
    for base in cls.__mro__[1:]:
        if base.__module__.startswith(_LIBRARY) and _HOOK in vars(base):
            name = next((name for name in vars(cls) if name.endswith("_children_items__")), None)
            return (name, vars(base)[_HOOK]) if name is not None else None
    return None


def _collected(cls: type) -> dict[str, Any]:
    """Return the members that `cls` has collected, each with what is another object once its statement has run."""
    found = collecting(cls)
    items: dict[str, Any] = vars(cls)[found[0]] if found is not None else {}
    return {name: vars(item).get(_SETTINGS, item) for name, item in items.items()}


def _collect(changes: Registrations, cls: type) -> None:
    found = collecting(cls)
    if found is not None:
        name, hook = found
        changes.journal.note_attribute(cls, name)
        hook.__get__(None, cls)()
        places = {member: place for place, member in enumerate(_stated(changes, cls))}
        items = sorted(vars(cls)[name].items(), key=lambda item: places[item[0]])
        setattr(cls, name, dict(items))


def _stated(changes: Registrations, cls: type) -> Iterator[str]:
    """Yield the members of `cls` and of its bases in the order in which they would be collected."""
    for base in reversed(cls.__mro__):
        yield from (name for name, _ in as_stated(changes, base))


def _tell(changes: Registrations, cls: type, names: list[str]) -> None:
    """Tell of the objects that have made theirs."""
    count = len(live_objects(cls))
    if count and gc.collect():  # a modal that was answered, a view that was shown: they are in cycles of references
        count = len(live_objects(cls))
    place = next(filter(None, map(changes.place_of, cls.__mro__)), None)
    if count and place is not None:
        who = f"{count} live objects of {cls.__qualname__}"
        changes.tell(place[0], "HS218", place[1], name=f"{cls.__qualname__}.{', '.join(names)}", who=who)
