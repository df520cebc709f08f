# ruff: noqa: E501  the table of edits is easier to read with one edit a line
"""A cog of discord.py that the bot loaded as an extension, edited while the bot goes on: it stays the same object."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from hotswap import Reloader

COG = """
import discord
from discord import app_commands
from discord.ext import commands, tasks

said = []
WORD = "hi"


class Colour(commands.Converter):
    async def convert(self, ctx, argument):
        return argument.upper()


class Fun(commands.Cog):
    def __init__(self, bot):
        self.bot = bot
        self.count = 0

    async def cog_load(self):
        self.beat.start()

    async def cog_unload(self):
        self.beat.cancel()

    @tasks.loop(hours=1.0)
    async def beat(self):
        self.count += 1

    @commands.command()
    async def hello(self, ctx):
        said.append(WORD)

    @commands.command()
    async def paint(self, ctx, colour: Colour):
        said.append(colour)

    @commands.group(invoke_without_command=True)
    async def admin(self, ctx):
        said.append("admin")

    @admin.command()
    async def kick(self, ctx):
        said.append("kicked")

    @commands.hybrid_command()
    async def both(self, ctx, n: int = 1):
        said.append(f"both {n}")

    @app_commands.command(description="Roll")
    async def roll(self, interaction, sides: int = 6):
        said.append(f"roll {sides}")

    tools = app_commands.Group(name="tools", description="Tools")

    @tools.command(name="saw")
    async def saw(self, interaction):
        said.append("saw")

    @commands.Cog.listener()
    async def on_message(self, message):
        said.append("heard")


class Other(commands.Cog):
    @commands.command()
    async def late(self, ctx):
        said.append("late")


async def setup(bot):
    await bot.add_cog(Fun(bot))
    await bot.add_cog(Other())
"""

EDITS: list[tuple[str, str, str]] = [
    ("body of a command", "said.append(WORD)", 'said.append(WORD + "!")'),
    ("constant", 'WORD = "hi"', 'WORD = "hey"'),
    ("renamed command", "async def hello(self", "async def hallo(self"),
    (
        "name of a command",
        "    @commands.command()\n    async def hallo",
        '    @commands.command(name="moin", aliases=["m"])\n    async def hallo',
    ),
    ("converter", "return argument.upper()", "return argument.lower()"),
    ("other converter", "colour: Colour", "colour: int"),
    ("subcommand", "    @admin.command()\n    async def kick", '    @admin.command(name="ban")\n    async def kick'),
    (
        "subcommand added",
        "    @commands.hybrid_command()",
        '    @admin.command()\n    async def mute(self, ctx):\n        said.append("muted")\n\n    @commands.hybrid_command()',
    ),
    (
        "alias of a group",
        "@commands.group(invoke_without_command=True)",
        '@commands.group(invoke_without_command=True, aliases=["a"])',
    ),
    ("hybrid body", 'f"both {n}"', 'f"each {n}"'),
    ("hybrid option", "async def both(self, ctx, n: int = 1)", "async def both(self, ctx, n: int = 2, m: int = 3)"),
    ("hybrid name", "@commands.hybrid_command()", '@commands.hybrid_command(name="all")'),
    ("slash body", 'f"roll {sides}"', 'f"rolled {sides}"'),
    ("slash option", "interaction, sides: int = 6", "interaction, sides: int = 6, times: int = 1"),
    ("slash name", 'description="Roll"', 'name="dice", description="Roll dice"'),
    (
        "slash added",
        "    tools = app",
        '    @app_commands.command(description="Flip")\n    async def flip(self, interaction):\n        said.append("flip")\n\n    tools = app',
    ),
    ("slash in a group", '@tools.command(name="saw")', '@tools.command(name="hammer")'),
    (
        "slash in a group added",
        "    @commands.Cog.listener()",
        '    @tools.command(name="axe")\n    async def axe(self, interaction):\n        said.append("axe")\n\n    @commands.Cog.listener()',
    ),
    ("group's name", 'Group(name="tools"', 'Group(name="kit"'),
    (
        "listener",
        "    @commands.Cog.listener()\n    async def on_message",
        '    @commands.Cog.listener("on_message")\n    async def hear',
    ),
    ("listener's body", 'said.append("heard")', 'said.append("listened")'),
    ("interval", "hours=1.0", "hours=2.0"),
    ("body of a loop", "self.count += 1", "self.count += 10"),
    (
        "command to another cog",
        "    @commands.command()\n    async def paint(self, ctx, colour: int):\n        said.append(colour)\n\n",
        "",
    ),
    (
        "there",
        "    @commands.command()\n    async def late",
        "    @commands.command()\n    async def paint(self, ctx, colour: int):\n        said.append(colour)\n\n    @commands.command()\n    async def late",
    ),
    (
        "slash removed",
        '    @app_commands.command(description="Flip")\n    async def flip(self, interaction):\n        said.append("flip")\n\n',
        "",
    ),
    ("hybrid to plain", '@commands.hybrid_command(name="all")', "@commands.command()"),
    (
        "check added",
        "    @commands.command()\n    async def late",
        "    @commands.command()\n    @commands.check(lambda ctx: False)\n    async def late",
    ),
    ("check removed", "    @commands.check(lambda ctx: False)\n", ""),
    (
        "group removed",
        '    @admin.command(name="ban")\n    async def kick(self, ctx):\n        said.append("kicked")\n\n    @admin.command()\n    async def mute(self, ctx):\n        said.append("muted")\n\n',
        "",
    ),
    (
        "cog_check added",
        "    async def cog_unload",
        '    def cog_check(self, ctx):\n        return ctx.message.content != "!moin"\n\n    async def cog_unload',
    ),
]

ASK = (
    *(
        "!hello",
        "!hallo",
        "!moin",
        "!m",
        "!paint 3",
        "!paint Red",
        "!admin",
        "!a",
        "!admin kick",
        "!admin ban",
        "!admin mute",
    ),
    *(
        "!both",
        "!both 4",
        "!all 4",
        "!late",
        "/roll",
        "/dice",
        "/flip",
        "/tools saw",
        "/tools hammer",
        "/tools axe",
        "/kit axe",
    ),
    *("/kit hammer", "/both", "/all", "tree", "loop", "cogs", "help"),
)


def new_bot() -> Any:
    """Return a bot that is not connected."""
    import discord
    from discord.ext import commands

    return commands.Bot(command_prefix="!", intents=discord.Intents.none(), help_command=None)


async def ready(bot: Any) -> None:
    """Have the bot be as after its login."""
    await bot._async_setup_hook()
    bot._connection.user = SimpleNamespace(id=1)


async def ask(bot: Any, module: ModuleType, question: str) -> object:
    """Return what the program says to a message, a slash command, or of itself."""
    if question == "tree":
        return [command.to_dict(bot.tree) for command in bot.tree.get_commands()]
    if question == "help":
        return {name: command.qualified_name for name, command in bot.all_commands.items()}
    if question == "cogs":
        return {name: sorted(command.name for command in cog.walk_commands()) for name, cog in bot.cogs.items()}
    cog = bot.get_cog("Fun")
    if question == "loop":
        before = cog.count
        await cog.beat()
        return cog.count - before, cog.beat.hours, cog.beat.is_running()
    module.said.clear()  # type: ignore[attr-defined]
    await (call(bot, question) if question.startswith("/") else send(bot, question))
    return list(module.said)  # type: ignore[attr-defined]


async def call(bot: Any, question: str) -> None:
    """Call an application command, without options."""
    first, *rest = question.removeprefix("/").split()
    command = bot.tree.get_command(first)
    for name in rest:
        command = command.get_command(name) if command is not None else None
    if command is None or hasattr(command, "wrapped"):
        return
    interaction = SimpleNamespace(command=command)
    await command._do_call(interaction, {})


async def send(bot: Any, text: str) -> None:
    """Send a message."""
    author = SimpleNamespace(id=2, bot=False)
    channel = SimpleNamespace(id=3)
    message: Any = SimpleNamespace(
        content=text, author=author, guild=None, channel=channel, _state=SimpleNamespace(), attachments=[], id=4
    )
    for listener in list(bot.extra_events.get("on_message", ())):
        await listener(message)
    context = await bot.get_context(message)
    if context.valid:
        await bot.invoke(context)


async def live_through(folder: Path) -> None:
    """Make each edit; all answers must be those of a bot that loads the extension as it is then."""
    path = folder / "hot_cog.py"
    path.write_text(COG, encoding="utf-8")
    text, bot = COG, new_bot()
    await ready(bot)
    with Reloader(folder, apply="manual") as reloader:
        await bot.load_extension("hot_cog")
        await asyncio.sleep(0)
        cog, task = bot.get_cog("Fun"), bot.get_cog("Fun").beat.get_task()
        for what, old, new in EDITS:
            assert text.count(old) == 1, (what, text.count(old))
            text = text.replace(old, new)
            path.write_text(text, encoding="utf-8")
            report = await asyncio.to_thread(reloader.reload)
            assert report.error is None, (what, str(report))
            assert not report.findings, (what, str(report))
            other, module = new_bot(), ModuleType("fresh_cog")
            await ready(other)
            exec(compile(text, "fresh_cog", "exec"), vars(module))
            await module.setup(other)
            await asyncio.sleep(0)
            for question in ASK:
                got, wanted = await ask(bot, sys.modules["hot_cog"], question), await ask(other, module, question)
                assert got == wanted, (what, question, got, wanted)
            other.get_cog("Fun").beat.cancel()
        assert bot.get_cog("Fun") is cog
        assert cog.beat.get_task() is task
        assert not task.done()
        cog.beat.cancel()


def test_a_cog_that_is_an_extension_lives_through_thirty_edits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands, converters, groups, hybrid and slash commands, listeners and a loop are as in a bot that starts now."""
    pytest.importorskip("discord")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(logging.getLogger("discord"), "disabled", True)
    for name in ("discord.ext.commands.bot", "discord.client"):
        monkeypatch.setattr(logging.getLogger(name), "disabled", True)
    try:
        asyncio.run(live_through(tmp_path))
    finally:
        sys.modules.pop("hot_cog", None)
