"""Cogs of discord.py: a class has commands, each live cog has copies of them, and the bot has the copies.

A class whose members changed gets new lists, as its metaclass would make them. A live cog keeps the copies of what is
still there, takes the settings of what changed, and hands the bot what came: at the place where a fresh start has it.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from typing import Any, Final

from hotswap.adapters import Registrations
from hotswap.adapters.discord_commands import kinds, take_interval, take_settings

_LISTS: Final = ("__cog_commands__", "__cog_app_commands__", "__cog_listeners__")


def renew(changes: Registrations) -> None:
    """Bring the live cogs of all classes that changed, and of those below them, in step."""
    library: Any = sys.modules.get("discord.ext.commands")
    if library is None:
        return
    changed = [cls for cls in changes.classes if isinstance(cls, library.CogMeta)]
    below = {id(one): one for cls in changed for one in (cls, *_subclasses(cls))}
    for cls in below.values():
        before = {name: getattr(cls, name) for name in _LISTS}
        if not _renew_class(changes, cls, before):
            continue
        bots = [one for one in gc.get_objects() if isinstance(one, library.bot.BotBase)]
        cogs: list[Any] = [one for one in gc.get_referrers(cls) if isinstance(one, library.Cog)]
        for cog in (one for one in cogs if type(one) is cls):
            _renew_cog(changes, cls, cog, before, [bot for bot in bots if cog in bot.cogs.values()])


def _subclasses(cls: type) -> Iterator[type]:
    below: list[type] = type.__subclasses__(cls)
    for one in below:
        yield one
        yield from _subclasses(one)


def _renew_class(changes: Registrations, cls: Any, before: dict[str, Any]) -> bool:
    """Make the lists of `cls` as `CogMeta` makes them; return whether live cogs have to follow."""
    library: Any = sys.modules["discord.ext.commands"]
    app_commands: Any = sys.modules["discord.app_commands"]
    found: dict[str, Any] = {}
    for part in reversed(cls.__mro__):
        for name, value in vars(part).items():
            found.pop(name, None)
            found[name] = value
    commands = [v for v in found.values() if isinstance(v, library.Command)]
    slashes = [
        v for v in found.values() if isinstance(v, (app_commands.Command, app_commands.Group)) and v.parent is None
    ]
    heard = [v for v in found.values() if hasattr(v, "__cog_listener__")]
    listeners = [(name, value.__name__) for value in heard for name in value.__cog_listener_names__]
    for name, value in zip(_LISTS, (commands, slashes, listeners), strict=True):
        changes.set_now(cls, name, value)
    loops = kinds("discord.ext.tasks", "Loop")
    followed = (*commands, *slashes, *(value for value in found.values() if isinstance(value, loops)))
    same = all(a is b for name in _LISTS[:2] for a, b in zip(before[name], getattr(cls, name), strict=False))
    sizes = all(len(before[name]) == len(getattr(cls, name)) for name in _LISTS)
    return not (same and sizes and before[_LISTS[2]] == listeners) or any(map(changes.took_over, followed))


def _renew_cog(changes: Registrations, cls: Any, cog: Any, before: dict[str, Any], bots: list[Any]) -> None:
    aside = cls.__new__(cls)  # makes copies of all commands, for nobody
    commands, slashes = (
        _copies(changes, before[name], getattr(cls, name), getattr(cog, name), getattr(aside, name))
        for name in _LISTS[:2]
    )
    old = (cog.__cog_commands__, cog.__cog_app_commands__)
    for command in commands:
        changes.set_now(command, "cog", cog)
        changes.set_now(cog, command.callback.__name__, command)
    for command in slashes:
        if getattr(command, "binding", cog) is not cog:
            changes.set_now(command, "binding", cog)
        if getattr(command, "_attr", None):
            changes.set_now(cog, command._attr, command)
    changes.set_now(cog, "__cog_commands__", tuple(commands))
    changes.set_now(cog, "__cog_app_commands__", slashes)
    for bot in bots:
        _hand_over(changes, bot.all_commands, old[0], [c for c in commands if c.parent is None])
        _hand_over(changes, bot.tree._global_commands, old[1], slashes)
        _listen(changes, bot, cog, before["__cog_listeners__"], cls.__cog_listeners__)
    _let_loops_follow(changes, cls, cog)


def _copies(changes: Registrations, was: list[Any], now: list[Any], own: Any, fresh: Any) -> list[Any]:
    """Return a cog's commands: its own copies of those that the class had, fresh ones of those that came."""
    mine = dict(zip(map(id, was), own, strict=False))
    result = []
    for command, copy in zip(now, fresh, strict=False):
        kept = mine.get(id(command))
        if kept is None:
            result.append(copy)
            continue
        if changes.took_over(command):
            take_settings(changes, kept, copy)
        result.append(kept)
    return result


def _hand_over(changes: Registrations, table: dict[str, Any], old: Any, new: list[Any]) -> None:
    """Have `table` find `new` where it found `old`: in the order of the class, by names and aliases as they are now."""
    ours = {id(one) for one in (*old, *new)}
    items = list(table.items())
    first = next((i for i, (_, one) in enumerate(items) if id(one) in ours), len(items))
    others = [(i, item) for i, item in enumerate(items) if id(item[1]) not in ours]
    named = [(name, one) for one in new for name in (one.name, *getattr(one, "aliases", ()))]
    wanted = [*(item for i, item in others if i < first), *named, *(item for i, item in others if i >= first)]
    if wanted != items:
        changes.exchange(table, wanted)


def _listen(changes: Registrations, bot: Any, cog: Any, was: list[Any], now: list[Any]) -> None:
    for event, method in was:
        if (event, method) not in now:
            heard = bot.extra_events.get(event, [])
            changes.exchange(heard, [one for one in heard if not _is_method(one, cog, method)])
    for event, method in now:
        if (event, method) not in was:
            heard = bot.extra_events.get(event)
            if heard is None:
                changes.journal.set_item(bot.extra_events, event, [getattr(cog, method)])
            else:
                changes.exchange(heard, [*heard, getattr(cog, method)])


def _is_method(listener: Any, cog: Any, name: str) -> bool:
    return getattr(listener, "__self__", None) is cog and getattr(listener, "__name__", "") == name


def _let_loops_follow(changes: Registrations, cls: Any, cog: Any) -> None:
    """A cog's loop is a copy of its class's, made when it was first asked for."""
    loop = kinds("discord.ext.tasks", "Loop")
    for name, value in list(vars(cog).items()):
        stated = next((vars(one)[name] for one in cls.__mro__ if name in vars(one)), None)
        if isinstance(value, loop) and isinstance(stated, loop) and changes.took_over(stated):
            take_interval(changes, value, stated)
