"""discord.py: commands, application commands, listeners, events, loops, and the cogs that have them.

A command or loop that exists goes on as that object and takes the settings of the one that its new text makes: its
error handler, subcommands, cooldowns and running task hang on it. Only the names by which a bot finds it may change.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from hotswap.adapters import Registrations, discord_cogs, discord_ui, is_a
from hotswap.adapters.discord_commands import kinds, take_interval, take_settings


class Discord:
    """See `hotswap.adapters.Registrar`."""

    starting = frozenset({"add_command", "add_cog", "load_extension", "add_listener", "add_check", "add_view"})

    def keeps(self, value: object) -> bool:
        """Whether statements register with `value`."""
        groups = kinds("discord.ext.commands", "Group") + kinds("discord.app_commands", "Group", "CommandTree")
        return is_a(value, (*kinds("discord", "Client"), *groups))

    def forget(self, old: Registrations) -> None:
        """Take commands that leave out: a bot refuses a second one of a name. Watch the rest."""
        for bot in _bots(old):
            for commands in _commands(bot):
                old.watch(commands, _command, withdraw=True)
            for listeners in _lists(bot):
                old.watch(listeners, _itself)
            if hasattr(bot, "extra_events"):  # those of a `commands.Bot`
                old.journal.note(partial(_put_back, bot.extra_events, dict(bot.extra_events)))
            for name in _events(bot):
                old.journal.note_attribute(bot, name)
        for group in _groups(old):
            old.watch(_children(group), _command, withdraw=True)
        discord_ui.note(old)

    def refresh(self, changes: Registrations) -> None:
        """Put commands and listeners at their places, and give live cogs what their classes got."""
        for bot in _bots(changes):
            for container in (*_commands(bot), *_lists(bot)):
                changes.arrange(container)
            for name in _events(bot):
                if changes.went(vars(bot)[name]):
                    changes.call(partial(vars(bot).pop, name, None))
        for group in _groups(changes):
            changes.arrange(_children(group))
        discord_cogs.renew(changes)
        discord_ui.renew(changes)

    def take_over(self, changes: Registrations, old: Any, new: Any) -> bool:
        """Give `old` the settings of `new`, which its statement has just made; return whether `old` goes on."""
        if type(old) is not type(new):
            return False
        if isinstance(old, kinds("discord.ext.tasks", "Loop")):
            take_interval(changes, old, new)
        elif isinstance(
            old, kinds("discord.ext.commands", "Command") + kinds("discord.app_commands", "Command", "Group")
        ):
            if _is_registered_elsewhere(changes, old) and _names(old) != _names(new):
                return False  # under which names is for who registers it: that runs again with the new one
            take_settings(changes, old, new)
        else:
            return False
        return True

    def tends(self, cls: type) -> bool:
        """Whether live objects of `cls` are given what its members become: so for cogs; views are told."""
        return isinstance(cls, kinds("discord.ext.commands", "CogMeta")) or discord_ui.collecting(cls) is not None


def _bots(registrations: Registrations) -> Iterator[Any]:
    for root in {id(root): root for root in registrations.roots}.values():
        bot = getattr(root, "client", root)  # of a command tree
        if isinstance(bot, kinds("discord", "Client")):
            yield bot


def _commands(bot: Any) -> Iterator[dict[Any, Any]]:
    if hasattr(bot, "all_commands"):
        yield bot.all_commands
    tree = getattr(bot, "tree", None) or getattr(getattr(bot, "_connection", None), "_command_tree", None)
    if tree is not None:
        yield from (tree._global_commands, tree._context_menus, *tree._guild_commands.values())


def _lists(bot: Any) -> Iterator[list[Any]]:
    if hasattr(bot, "extra_events"):
        yield from (*bot.extra_events.values(), bot._checks, bot._check_once)


def _events(bot: Any) -> list[str]:
    return [name for name in vars(bot) if name.startswith("on_")]


def _groups(registrations: Registrations) -> Iterator[Any]:
    """Yield the groups that statements name: their subcommands are registered with them."""
    groups = kinds("discord.ext.commands", "Group") + kinds("discord.app_commands", "Group")
    yield from (root for root in {id(r): r for r in registrations.roots}.values() if isinstance(root, groups))


def _children(group: Any) -> dict[str, Any]:
    return group.all_commands if hasattr(group, "all_commands") else group._children  # type: ignore[no-any-return]


def _is_registered_elsewhere(changes: Registrations, command: Any) -> bool:
    """Whether `command` stands in a module, and no bot or group that its statements name has it."""
    if "." in getattr(getattr(command, "callback", None), "__qualname__", "."):
        return False
    places = [*(place for bot in _bots(changes) for place in _commands(bot)), *map(_children, _groups(changes))]
    return not any(one is command for place in places for _, one in changes.leaving(place))


def _names(command: Any) -> list[str]:
    return [command.name, *getattr(command, "aliases", ())]


def _command(item: tuple[object, Any]) -> tuple[object, ...]:
    return (item[1], getattr(item[1], "callback", None))


def _itself(entry: object) -> tuple[object, ...]:
    return (entry,)


def _put_back(events: dict[str, Any], content: dict[str, Any]) -> None:
    events.clear()
    events.update(content)


ADAPTER: Final = Discord()
