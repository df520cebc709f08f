# ruff: noqa: E501  the table of edits is easier to read with one edit a line
"""Bots that register in loops what another module has: after each edit the library has what a fresh start would give it."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

import hotswap

_numbers = itertools.count()
Edit = tuple[str, str]
"""What becomes what, in whichever of the two files has it."""

TELEGRAM: Final = """
from telegram.ext import Application
from telegram.ext import CommandHandler
import HANDLERS

app = Application.builder().token("1:x").updater(None).build()
for handler in HANDLERS.LIST:
    app.add_handler(handler)
for name, function in HANDLERS.TABLE.items():
    app.add_handler(CommandHandler("n" + name, function), group=1)
"""
TELEGRAM_HANDLERS: Final = """
from telegram.ext import CommandHandler, MessageHandler, filters


async def start(update, context):
    return "start"


async def stop(update, context):
    return "stop"


LIST = [CommandHandler("start", start), CommandHandler("stop", stop), MessageHandler(filters.TEXT, start)]
TABLE = {"start": start, "stop": stop}
"""
AIOGRAM: Final = """
from aiogram import Dispatcher, Router
from aiogram.filters import Command
import HANDLERS
from HANDLERS import LIST

dp = Dispatcher()
main = Router(name="main")
for name, function in HANDLERS.TABLE.items():
    main.message.register(function, Command(name))
dp.include_router(main)
for router in LIST:
    dp.include_router(router)
"""
AIOGRAM_HANDLERS: Final = """
from aiogram import Router


async def start(message):
    return "start"


async def stop(message):
    return "stop"


sub, last = Router(name="sub"), Router(name="last")
LIST = [sub, last]
TABLE = {"start": start, "stop": stop}
"""
DISCORD: Final = """
import discord
from discord.ext import commands
import HANDLERS
from HANDLERS import TABLE

bot = commands.Bot("/", intents=discord.Intents.none())
for command in HANDLERS.LIST:
    bot.add_command(command)
for name, function in TABLE.items():
    bot.add_listener(function, "on_" + name)
"""
DISCORD_HANDLERS: Final = """
from discord.ext import commands


@commands.command()
async def start(context):
    return "start"


@commands.command(name="stop", aliases=["halt"])
async def stop(context):
    return "stop"


async def heard(message):
    return "heard"


LIST = [start, stop]
TABLE = {"start": heard}
"""

_MORE: Final = ("LIST = [", 'async def go(*given):\n    return "go"\n\n\nLIST = [')
_SAME: Final[list[Edit]] = [
    ('return "start"', 'return "started"'),
    _MORE,
    ('"start": ', '"go": go, "start": '),
    ('"go": go, ', '"went": go, '),
    ('return "go"', 'return "gone"'),
    ('"went": go, ', ""),
    ("LIST = [", "LIST = []\nLIST += ["),
    ("LIST = []\nLIST += [", "LIST = ["),
]
TELEGRAM_EDITS: Final[list[Edit]] = [
    *_SAME,
    ('LIST = [', 'LIST = [CommandHandler("go", go), '),
    ('CommandHandler("go", go), ', ""),
    ('CommandHandler("stop", stop)', 'CommandHandler("halt", stop)'),
    ('CommandHandler("halt", stop), ', ""),
    ("app.add_handler(handler)", "app.add_handler(handler, group=2)"),
    ("app.add_handler(handler, group=2)", "app.add_handler(handler)"),
    ("for handler in HANDLERS.LIST:\n    app.add_handler(handler)\n", ""),
    ("for name, f", "for handler in HANDLERS.LIST:\n    app.add_handler(handler)\nfor name, f"),
    ('"n" + name', '"m" + name'),
    (', "stop": stop', ""),
]  # fmt: skip
AIOGRAM_EDITS: Final[list[Edit]] = [
    *_SAME,
    ("LIST = [sub, last]", 'other = Router(name="other")\nLIST = [other, sub, last]'),
    ("[other, sub, last]", "[sub, last, other]"),
    ("[sub, last, other]", "[last]"),
    ("Command(name)", 'Command(name, prefix="!")'),
    ("for router in LIST:\n    dp.include_router(router)\n", ""),
    ("dp.include_router(main)\n", "for router in LIST:\n    dp.include_router(router)\ndp.include_router(main)\n"),
    (', "stop": stop', ""),
]
DISCORD_EDITS: Final[list[Edit]] = [
    *_SAME,
    ("async def go(*given)", "@commands.command()\nasync def go(context)"),
    ("LIST = [start", "LIST = [go, start"),
    ('name="stop", aliases=["halt"]', 'name="end"'),
    ("LIST = [go, start, stop]", "LIST = [go, start]"),
    ("LIST = [go, start]", "LIST = [go, stop, start]"),
    ("start", "begin"),
    ('"on_" + name', '"on_more_" + name'),
    ("for command in HANDLERS.LIST:\n    bot.add_command(command)\n", ""),
    ("for name, f", "for command in HANDLERS.LIST:\n    bot.add_command(command)\nfor name, f"),
]


def _says(function: Callable[..., Any]) -> object:
    return asyncio.run(function(None, None) if function.__code__.co_argcount == 2 else function(None))


def has_telegram(module: Any) -> object:
    """Return the handlers of each group, in their order: for which command, and what they do."""
    return {
        number: [(sorted(getattr(one, "commands", ())), _says(one.callback)) for one in group]
        for number, group in sorted(module.app.handlers.items())
    }


def has_aiogram(module: Any) -> object:
    """Return the handlers of the first router, and the names of all, in their order."""
    handlers = [
        (one.filters[0].callback.prefix, one.filters[0].callback.commands, _says(one.callback))
        for one in module.main.message.handlers
    ]
    return handlers, [router.name for router in module.dp.sub_routers]


def has_discord(module: Any) -> object:
    """Return the commands and the listeners of each event: what they do."""
    named = {name: _says(one.callback) for name, one in module.bot.all_commands.items() if name != "help"}
    return named, {name: [_says(one) for one in every] for name, every in module.bot.extra_events.items() if every}


BOTS: Final = {
    "telegram.ext": (TELEGRAM, TELEGRAM_HANDLERS, TELEGRAM_EDITS, has_telegram),
    "aiogram": (AIOGRAM, AIOGRAM_HANDLERS, AIOGRAM_EDITS, has_aiogram),
    "discord": (DISCORD, DISCORD_HANDLERS, DISCORD_EDITS, has_discord),
}


class Files:
    """Two modules, edited together or one by one, and a fresh pair of them after each edit."""

    def __init__(self, folder: Path, bot: str, handlers: str) -> None:
        number = next(_numbers)
        self.folder, self.handlers, self.bot = folder, f"handlers_{number}", f"loop_bot_{number}"
        self.texts = {self.handlers: handlers, self.bot: bot.replace("HANDLERS", self.handlers)}
        for name in self.texts:
            self.save(name)

    def save(self, name: str, behind: str = "") -> None:
        (self.folder / f"{name}.py").write_text(self.texts[name] + behind, encoding="utf-8")

    def edit(self, old: str, new: str) -> None:
        """Replace `old` in the file that has it."""
        old, new = (text.replace("HANDLERS", self.handlers) for text in (old, new))
        (name,) = (name for name, text in self.texts.items() if old in text)
        self.texts[name] = self.texts[name].replace(old, new)
        self.save(name)

    def fresh(self) -> ModuleType:
        """Return the bot of a process that starts now."""
        made = {name: ModuleType(name) for name in self.texts}
        live = {name: sys.modules[name] for name in self.texts}
        sys.modules.update(made)
        try:
            for name, module in made.items():
                exec(compile(self.texts[name], f"{name}_fresh", "exec"), vars(module))
        finally:
            sys.modules.update(live)
        return made[self.bot]


@pytest.mark.parametrize("library", BOTS)
def test_loops_over_what_another_module_has(live_folder: Path, library: str) -> None:
    """Each handler is there once, at its place, whatever comes, goes or is renamed in either file, and nothing is told."""
    pytest.importorskip(library)
    bot, handlers, edits, has = BOTS[library]
    files = Files(live_folder, bot, handlers)
    importlib.invalidate_caches()
    module = importlib.import_module(files.bot)
    for number, edit in enumerate(edits):
        if number % 5 == 4:  # a save in between that cannot be read
            files.save(files.handlers, behind="def (:\n")
            assert hotswap.reload().held
            files.save(files.handlers)
        files.edit(*edit)
        report = hotswap.reload()
        assert report.error is None and not report.findings, f"{edit}: {report}"
        assert has(module) == has(files.fresh()), edit
    for name in files.texts:
        del sys.modules[name]
