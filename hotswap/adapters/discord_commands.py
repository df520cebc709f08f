"""Commands and loops of discord.py: one that exists takes the settings of one that was made anew."""

from __future__ import annotations

import sys
from typing import Any, Final

from hotswap.adapters import Registrations

_KEPT: Final = ("cog", "parent", "binding", "module", "all_commands", "_children", "on_error", "guild_only")
_HOOKS: Final = ("_before_invoke", "_after_invoke", "_buckets", "_max_concurrency")
_OF_LOOPS: Final = ("_sleep", "_seconds", "_hours", "_minutes", "_time", "count", "reconnect", "_name")


def take_settings(changes: Registrations, old: Any, new: Any) -> None:
    """Have the command `old` be what `new` is, but for what others have hung on it since it was made."""
    _keep_completions(changes, old, new)
    _keep_completions(changes, getattr(old, "app_command", None), getattr(new, "app_command", None))
    for name, value in list(vars(new).items()):
        if name not in _KEPT and not (name in _HOOKS and vars(old).get(name) and not _differs(old, new, name)):
            changes.set_now(old, name, value)
    wrapped = getattr(new, "app_command", None)
    if getattr(wrapped, "wrapped", None) is new:
        changes.set_now(wrapped, "wrapped", old)


def _keep_completions(changes: Registrations, old: Any, new: Any) -> None:
    """Have the parameters of an application command complete as they did: ``@command.autocomplete`` said so later."""
    was = getattr(old, "_params", {})
    for name, parameter in getattr(new, "_params", {}).items():
        if not parameter.autocomplete and name in was and was[name].autocomplete:
            changes.set_now(parameter, "autocomplete", was[name].autocomplete)


def _differs(old: Any, new: Any, name: str) -> bool:
    """Whether the new text says something else of a cooldown or a limit: then it begins anew."""
    if name == "_buckets":
        was, now = (getattr(one._buckets, "_cooldown", None) for one in (old, new))
        return (was and (was.rate, was.per)) != (now and (now.rate, now.per))
    if name == "_max_concurrency":
        return getattr(old._max_concurrency, "number", 0) != getattr(new._max_concurrency, "number", 0)
    return False


def take_interval(changes: Registrations, old: Any, new: Any) -> None:
    """Have the loop `old`, whose task may be running, go on at the interval of `new`."""
    for name in _OF_LOOPS:
        changes.set_now(old, name, getattr(new, name))
    if old.is_running() and old._last_iteration:
        changes.set_now(old, "_next_iteration", old._get_next_sleep_time())
        if old._handle and not old._handle.done():
            old._handle.recalculate(old._next_iteration)


def kinds(module: str, *names: str) -> tuple[Any, ...]:
    """Return classes of a module of the library, for `isinstance`; none if the program did not import it."""
    library = sys.modules.get(module)
    return () if library is None else tuple(getattr(library, name) for name in names)
