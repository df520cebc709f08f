"""Cogs of discord.py: a class has commands, each live cog has copies of them, and the bot has the copies.

A class whose members changed gets new lists, as its metaclass would make them. A live cog keeps the copies of what is
still there, takes the settings of what changed, and hands the bot what came: at the place where a fresh start has it.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from types import MethodType
from typing import Any, Final

from hotswap.adapters import Registrations, is_a
from hotswap.adapters.discord_commands import kinds, take_interval, take_settings

_GROUP: Final = "__cog_app_commands_group__"
_ERRORS: Final = "__discord_app_commands_error_handler__"
_LISTS: Final = ("__cog_commands__", "__cog_app_commands__", "__cog_listeners__")


def renew(changes: Registrations) -> None:
    """Bring the live cogs of all classes that changed, and of those below them, in step."""
    library: Any = sys.modules.get("discord.ext.commands")
    if library is None or not all(hasattr(library.Cog, name) for name in _LISTS):  # or an older one, under edit itself
        return
    changed = [cls for cls in changes.classes if isinstance(cls, library.CogMeta)]
    changed = list(map(_now, changed))
    below = {id(one): one for cls in changed for one in (cls, *subclasses(cls))}
    for cls in below.values():
        before = {name: getattr(cls, name) for name in _LISTS}
        if not _renew_class(changes, cls, before):
            continue
        bots = [one for one in gc.get_objects() if is_a(one, library.bot.BotBase)]
        cogs: list[Any] = [one for one in gc.get_referrers(cls) if is_a(one, library.Cog)]
        for cog in (one for one in cogs if type(one) is cls):
            _renew_cog(changes, cls, cog, before, [bot for bot in bots if cog in bot.cogs.values()])


def _now(cls: Any) -> Any:
    """Return the class that has the place of `cls`, whose header may be another one."""
    found: Any = vars(sys.modules.get(cls.__module__, sys)).get(cls.__name__)
    return found if type(found) is type(cls) and found.__qualname__ == cls.__qualname__ else cls


def subclasses(cls: type) -> Iterator[type]:
    """Yield the live classes below `cls`."""
    below: list[type] = type.__subclasses__(cls)
    for one in below:
        yield one
        yield from subclasses(one)


def _renew_class(changes: Registrations, cls: Any, before: dict[str, Any]) -> bool:
    """Make the lists of `cls` as `CogMeta` makes them; return whether live cogs have to follow."""
    library: Any = sys.modules["discord.ext.commands"]
    app_commands: Any = sys.modules["discord.app_commands"]
    found: dict[str, Any] = {}
    for part in reversed(cls.__mro__):
        for name, value in as_stated(changes, part):
            found.pop(name, None)
            found[name] = value
    slash = (app_commands.Command, app_commands.Group)
    commands = [v for v in found.values() if isinstance(v, library.Command)]
    slashes = [v for v in found.values() if isinstance(v, slash) and v.parent is None]
    heard = [v for v in found.values() if hasattr(v, "__cog_listener__")]
    listeners = [(name, value.__name__) for value in heard for name in value.__cog_listener_names__]
    for name, value in zip(_LISTS, (commands, slashes, listeners), strict=True):
        changes.set_now(cls, name, value)
    kinds_of = (library.Command, *slash, *kinds("discord.ext.tasks", "Loop"))
    followed = [value for value in found.values() if is_a(value, kinds_of)]
    others = [_fill_group(changes, group, followed) for group in followed]
    same = all(a is b for name in _LISTS[:2] for a, b in zip(before[name], getattr(cls, name), strict=False))
    sizes = all(len(before[name]) == len(getattr(cls, name)) for name in _LISTS)
    unchanged = same and sizes and before[_LISTS[2]] == listeners and not any(others) and not changes.reshapes
    return not unchanged or any(map(changes.took_over, followed))


def as_stated(changes: Registrations, cls: type) -> list[tuple[str, Any]]:
    """Return the members of a class in the order of its text: what came since stands at the end of the class."""
    places = {name: place for place, name in enumerate(changes.stated(cls))}
    return sorted(vars(cls).items(), key=lambda item: places.get(item[0], -1))


def _fill_group(changes: Registrations, group: Any, found: list[Any]) -> bool:
    """Have a group of a class know the commands of the class that say so, by their names; return if it knew others."""
    attribute = "all_commands" if hasattr(group, "all_commands") else "_children"
    before = getattr(group, attribute, None)
    if before is None:
        return False
    inside = [one for one in found if getattr(one, "parent", None) is group]
    named = {name: one for one in inside for name in (one.name, *getattr(one, "aliases", ()))}
    if {name: id(one) for name, one in before.items()} == {name: id(one) for name, one in named.items()}:
        return False
    made = type(before)()
    made.update(named)
    changes.set_now(group, attribute, made)
    return True


def _renew_cog(changes: Registrations, cls: Any, cog: Any, before: dict[str, Any], bots: list[Any]) -> None:
    """Have a live cog be as one that is made now: its text commands are the same objects, which have state."""
    aside = cls.__new__(cls)  # makes copies of all commands, for nobody
    old = (cog.__cog_commands__, _in_tree(cog))
    kept = _kept(changes, before["__cog_commands__"], cls.__cog_commands__, cog, aside)
    for copy in aside.__cog_commands__:
        _settle(changes, cog, copy, kept)
    for one in _slashes(aside):
        _move(one, aside, cog, kept)
    for name, value in list(vars(aside).items()):
        if is_a(value, kinds("discord.app_commands", "Command", "Group")) or name == _GROUP:
            changes.set_now(cog, name, value)
    commands = [kept[id(copy)] for copy in aside.__cog_commands__]
    changes.set_now(cog, "__cog_commands__", tuple(commands))
    changes.set_now(cog, "__cog_app_commands__", aside.__cog_app_commands__)
    for bot in bots:
        cogs = bot._BotBase__cogs
        if cogs.get(cog.qualified_name) is not cog:
            changes.exchange(cogs, [(cog.qualified_name if one is cog else name, one) for name, one in cogs.items()])
        _hand_over(changes, bot.all_commands, old[0], [c for c in commands if c.parent is None])
        _hand_over(changes, bot.tree._global_commands, old[1], _in_tree(cog))
        _listen(changes, bot, cog, before["__cog_listeners__"], cls.__cog_listeners__)
    _let_loops_follow(changes, cls, cog)


def _kept(changes: Registrations, was: list[Any], now: list[Any], cog: Any, aside: Any) -> dict[int, Any]:
    """Return for each copy of a command the cog's own copy of it, with the settings it has now; else the copy."""
    mine = dict(zip(map(id, was), cog.__cog_commands__, strict=False))
    found: dict[int, Any] = {}
    for command, copy in zip(now, aside.__cog_commands__, strict=False):
        found[id(copy)] = kept = mine.get(id(command), copy)
        if kept is not copy and changes.took_over(command):
            take_settings(changes, kept, copy)
    return found


def _settle(changes: Registrations, cog: Any, copy: Any, kept: dict[int, Any]) -> None:
    """Have a command belong to `cog`, and know the others as they are kept."""
    command = kept[id(copy)]
    changes.set_now(command, "cog", cog)
    changes.set_now(cog, command.callback.__name__, command)
    if copy.parent is not None:
        changes.set_now(command, "parent", kept.get(id(copy.parent), copy.parent))
    if hasattr(copy, "all_commands"):
        inside = type(copy.all_commands)()
        inside.update({name: kept.get(id(one), one) for name, one in copy.all_commands.items()})
        changes.set_now(command, "all_commands", inside)
    if getattr(copy, "app_command", None) is not None:
        changes.set_now(command, "app_command", copy.app_command)


def _slashes(cog: Any) -> Iterator[Any]:
    """Yield the application commands of a cog, those of its hybrid commands and those inside groups included."""
    hybrid = (getattr(command, "app_command", None) for command in cog.__cog_commands__)
    for one in (*cog.__cog_app_commands__, *hybrid, vars(cog).get(_GROUP)):
        if one is not None:
            yield one
            yield from one.walk_commands() if hasattr(one, "walk_commands") else ()


def _move(slash: Any, aside: Any, cog: Any, kept: dict[int, Any]) -> None:
    """Have an application command that was made for `aside` be one of `cog`."""
    if getattr(slash, "binding", None) is aside:
        slash.binding = cog
    if hasattr(slash, "wrapped"):
        slash.wrapped = kept.get(id(slash.wrapped), slash.wrapped)
    answering: Any = getattr(slash, _ERRORS, None)
    if getattr(answering, "__self__", None) is aside:
        setattr(slash, _ERRORS, MethodType(answering.__func__, cog))


def _in_tree(cog: Any) -> list[Any]:
    """Return the application commands that a bot finds by their names, in the order in which a cog hands them over."""
    if vars(cog).get(_GROUP) is not None:
        return [vars(cog)[_GROUP]]
    first = [c.app_command for c in cog.__cog_commands__ if c.parent is None and getattr(c, "app_command", None)]
    return [*first, *cog.__cog_app_commands__]


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
    """Have the bot's listeners be those that the cog has now, at the place of those that it had."""
    names = {method for _, method in (*was, *now)}
    for event in dict.fromkeys(event for event, _ in (*was, *now)):
        heard = bot.extra_events.get(event, [])
        ours = [i for i, one in enumerate(heard) if getattr(one, "__self__", None) is cog and one.__name__ in names]
        methods = [getattr(cog, method) for other, method in now if other == event]
        first = ours[0] if ours else len(heard)
        wanted = [*heard[:first], *methods, *(one for i, one in enumerate(heard) if i >= first and i not in ours)]
        if event not in bot.extra_events:
            changes.journal.set_item(bot.extra_events, event, wanted)
        elif wanted != heard:
            changes.exchange(heard, wanted)


def _let_loops_follow(changes: Registrations, cls: Any, cog: Any) -> None:
    """A cog's loop is a copy of its class's, made when it was first asked for."""
    loop = kinds("discord.ext.tasks", "Loop")
    for name, value in list(vars(cog).items()):
        stated = next((vars(one)[name] for one in cls.__mro__ if name in vars(one)), None)
        if isinstance(value, loop) and isinstance(stated, loop) and changes.took_over(stated):
            take_interval(changes, value, stated)
