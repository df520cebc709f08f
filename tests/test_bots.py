# ruff: noqa: E501  the table of edits is easier to read with one edit a line
"""Real objects of bot libraries, without a network, through many edits: no message is lost, none is answered twice."""

from __future__ import annotations

import asyncio
import functools
import importlib
import itertools
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import pytest

from hotswap import Reloader

_numbers = itertools.count()
Ask = Callable[[ModuleType, str], Awaitable[list[str]]]


class Bot:
    """A bot in a module of its own, edited by replacing pieces of its text."""

    def __init__(self, folder: Path, text: str) -> None:
        self.name = f"bot_{next(_numbers)}"
        self.path = folder / f"{self.name}.py"
        self.text = text
        self.path.write_text(text, encoding="utf-8")
        self.folder = folder

    def __enter__(self) -> Self:
        sys.path.insert(0, str(self.folder))
        importlib.invalidate_caches()
        self.module = importlib.import_module(self.name)
        self.reloader = Reloader(self.folder, apply="manual").start()
        return self

    def __exit__(self, *_: object) -> None:
        self.reloader.stop()
        sys.path.remove(str(self.folder))
        del sys.modules[self.name]

    def edit(self, old: str, new: str) -> list[str]:
        """Save the text with `old` replaced; return the codes of what was told."""
        assert self.text.count(old) == 1, f"{old!r} stands {self.text.count(old)} times in the text"
        self.text = self.text.replace(old, new)
        self.path.write_text(self.text, encoding="utf-8")
        report = self.reloader.reload()
        assert report.error is None, report
        assert not report.held, report
        return [f"{found.code} {found.message}" for found in report.findings]


async def live_through(bot: Bot, edits: list[tuple[str, str, dict[str, list[str]]]], ask: Ask) -> None:
    """Make each edit and ask all questions known by then; the answers must be those, each once and nothing told."""
    expected: dict[str, list[str]] = {}
    for old, new, answers in edits:
        assert bot.edit(old, new) == [], f"told after {old!r} became {new!r}"
        expected |= answers
        for question, wanted in expected.items():
            got = await ask(bot.module, question)
            assert got == wanted, f"{question} after {old!r} became {new!r}: {got}"
        await fresh(bot, expected, ask)


async def fresh(bot: Bot, expected: dict[str, list[str]], ask: Ask) -> None:
    """A module made from the text as it is now gives the same answers."""
    other = ModuleType(f"{bot.name}_fresh")
    exec(compile(bot.text, other.__name__, "exec"), vars(other))
    for question, wanted in expected.items():
        assert await ask(other, question) == wanted, f"a fresh start answers {question} otherwise"


AIOGRAM = """
from aiogram import Bot, Dispatcher, F, Router
from aiogram.filters import Command

dp = Dispatcher()
inner = Router()
said = []


@dp.message(Command("start"))
async def start(message):
    said.append("hello")


@dp.message(Command("help"))
async def help_(message):
    said.append("help")


@inner.message(F.text == "inner")
async def within(message):
    said.append("inner")


dp.include_router(inner)


@inner.message()
async def anything(message):
    said.append("what?")
"""


AIOGRAM_EDITS = [
    ('"hello"', '"hi"', {"/start": ["hi"], "/help": ["help"], "inner": ["inner"], "else": ["what?"]}),
    ('Command("start")', 'Command("begin")', {"/start": ["what?"], "/begin": ["hi"]}),
    ('Command("begin")', 'Command("begin", "start")', {"/start": ["hi"], "/begin": ["hi"]}),
    ("async def help_(", "async def assist(", {"/help": ["help"]}),
    (
        "@inner.message()\nasync def anything",
        '@inner.message(F.text == "new")\nasync def new(message):\n    said.append("new")\n\n\n'
        "@inner.message()\nasync def anything",
        {"new": ["new"]},
    ),
    ('said.append("new")', 'said.append("newer")', {"new": ["newer"]}),
    (
        '@dp.message(Command("help"))\nasync def assist(message):\n    said.append("help")\n\n\n',
        "",
        {"/help": ["what?"]},
    ),
    ('F.text == "inner"', 'F.text.startswith("in")', {"inner": ["inner"], "inside": ["inner"]}),
    ("async def start(message):", "async def start(message, bot):", {"/start": ["hi"]}),
    ('said.append("hi")', 'said.append(f"hi {type(bot).__name__}")', {"/start": ["hi Bot"], "/begin": ["hi Bot"]}),
    ("async def start(message, bot):", "async def start(message, bot, n=2):", {}),
    ('{type(bot).__name__}")', '{type(bot).__name__} {n}")', {"/start": ["hi Bot 2"], "/begin": ["hi Bot 2"]}),
    ("n=2", "n=3", {"/start": ["hi Bot 3"], "/begin": ["hi Bot 3"]}),
    (
        "dp.include_router(inner)\n",
        'last = Router()\n\n\n@last.message(F.text == "else")\nasync def other(message):\n    said.append("other")\n\n\n'
        "dp.include_routers(last, inner)\n",
        {"else": ["other"]},
    ),
    ("dp.include_routers(last, inner)", "dp.include_routers(inner, last)", {"else": ["what?"]}),
    ("async def other(message):\n", 'async def other(message):\n    said.append("and")\n', {}),
    ("dp.include_routers(inner, last)", "dp.include_router(inner)", {}),
    ("@inner.message()\nasync def anything", "@inner.message()\n@inner.edited_message()\nasync def anything", {}),
    ('said.append("what?")', 'said.append("eh?")', {"else": ["eh?"], "/help": ["eh?"]}),
    (
        '@dp.message(Command("begin", "start"))',
        '@dp.message(Command("start"))',
        {"/begin": ["eh?"], "/start": ["hi Bot 3"]},
    ),
]


@functools.cache
def _client(kind: Any) -> Any:
    return kind("42:test")  # it reads the certificates of the system, which takes 50 ms


async def ask_aiogram(module: ModuleType, question: str) -> list[str]:
    from datetime import UTC, datetime

    from aiogram import Bot
    from aiogram.types import Chat, Message, Update, User

    user = User(id=1, is_bot=False, first_name="Ada")
    chat = Chat(id=1, type="private")
    message = Message(message_id=1, date=datetime.now(UTC), chat=chat, from_user=user, text=question)
    module.said.clear()
    await module.dp.feed_update(_client(Bot), Update(update_id=1, message=message))
    return list(module.said)


def test_aiogram(tmp_path: Path) -> None:
    """Handlers of routers stay in their order, through twenty edits of filters, names, routers and bodies."""
    pytest.importorskip("aiogram")
    with Bot(tmp_path, AIOGRAM) as bot:
        asyncio.run(live_through(bot, AIOGRAM_EDITS, ask_aiogram))


TELEGRAM = """
from telegram.ext import Application, CommandHandler, MessageHandler, filters

app = Application.builder().token("1:a").build()
said = []


async def start(update, context):
    said.append("hello")


async def help_(update, context):
    said.append("help")


async def echo(update, context):
    said.append(update.message.text)


async def count(update, context):
    said.append("counted")


app.add_handler(CommandHandler("start", start))
app.add_handler(CommandHandler("help", help_))
app.add_handler(MessageHandler(filters.ALL, echo))
app.add_handler(MessageHandler(filters.Regex("^x"), count), group=1)
"""

_START = 'app.add_handler(CommandHandler("start", start))\n'
TELEGRAM_EDITS = [
    ('"hello"', '"hi"', {"/start": ["hi"], "/help": ["help"], "yes": ["yes"], "xy": ["xy", "counted"]}),
    ('CommandHandler("start", start)', 'CommandHandler("begin", start)', {"/start": ["/start"], "/begin": ["hi"]}),
    ('CommandHandler("begin", start)', 'CommandHandler(["begin", "start"], start)', {"/start": ["hi"]}),
    (
        "app.add_handler(MessageHandler(filters.ALL",
        'app.add_handler(CommandHandler("about", help_))\napp.add_handler(MessageHandler(filters.ALL',
        {"/about": ["help"]},
    ),
    ('CommandHandler("help", help_)', 'CommandHandler("assist", help_)', {"/help": ["/help"], "/assist": ["help"]}),
    ('app.add_handler(CommandHandler("about", help_))\n', "", {"/about": ["/about"]}),
    ('said.append("help")', 'said.append("helped")', {"/assist": ["helped"]}),
    ('context):\n    said.append("helped")', 'context, more=1):\n    said.append("helped")', {}),
    ("more=1", "more=2", {}),
    ('filters.Regex("^x")', 'filters.Regex("^y")', {"xy": ["xy"], "yes": ["yes", "counted"]}),
    ("count), group=1)", "count), group=-1)", {"yes": ["counted", "yes"]}),
    ("count), group=-1)", "count), group=1)", {"yes": ["yes", "counted"]}),
    (
        "async def count(",
        'async def late(update, context):\n    said.append("late")\n\n\nasync def count(',
        {},
    ),
    (
        "app.add_handler(MessageHandler(filters.ALL",
        'app.add_handler(CommandHandler("late", late))\napp.add_handler(MessageHandler(filters.ALL',
        {"/late": ["late"]},
    ),
    ('said.append("late")', 'said.append("later")', {"/late": ["later"]}),
    ('CommandHandler(["begin", "start"], start)', 'CommandHandler("start", start)', {"/begin": ["/begin"]}),
    (
        "MessageHandler(filters.ALL, echo)",
        "MessageHandler(filters.TEXT & ~filters.COMMAND, echo)",
        {"/begin": [], "/help": [], "/about": []},
    ),
    ('app.add_handler(MessageHandler(filters.Regex("^y"), count), group=1)\n', "", {"yes": ["yes"]}),
    ("said.append(update.message.text)", "said.append(update.message.text.upper())", {"yes": ["YES"], "xy": ["XY"]}),
    (_START, _START + 'app.add_handler(CommandHandler("stop", count))\n', {"/stop": ["counted"]}),
]


async def ask_telegram(module: ModuleType, question: str) -> list[str]:
    from datetime import UTC, datetime

    from telegram import Chat, Message, MessageEntity, Update, User

    module.app._initialized = True
    module.app.bot._bot_user = User(1, "Bot", is_bot=True, username="bot")
    entities = [MessageEntity("bot_command", 0, len(question))] if question.startswith("/") else []
    user, chat = User(2, "Ada", is_bot=False), Chat(1, "private")
    message = Message(1, datetime.now(UTC), chat, from_user=user, text=question, entities=entities)
    message.set_bot(module.app.bot)
    module.said.clear()
    await module.app.process_update(Update(1, message=message))
    return list(module.said)


def test_python_telegram_bot(tmp_path: Path) -> None:
    """Handlers stay in their groups and in their order, through twenty edits."""
    pytest.importorskip("telegram.ext")
    with Bot(tmp_path, TELEGRAM) as bot:
        asyncio.run(live_through(bot, TELEGRAM_EDITS, ask_telegram))


DISCORD = """
import discord
from discord.ext import commands

bot = commands.Bot(command_prefix="!", intents=discord.Intents.none(), help_command=None)
said = []


@bot.command()
async def ping(ctx):
    said.append("pong")


@ping.error
async def ping_failed(ctx, error):
    said.append(f"failed: {error.original}")


@bot.command(name="add")
async def add(ctx, a: int, b: int):
    said.append(str(a + b))


@bot.group(invoke_without_command=True)
async def admin(ctx):
    said.append("admin")


@admin.command()
async def kick(ctx):
    said.append("kicked")


@bot.listen("on_message")
async def count(message):
    said.append("seen")


@bot.tree.command(name="slash", description="A command")
async def slash(interaction):
    said.append("slash")


class Greetings(commands.Cog):
    def __init__(self):
        self.greeted = 0

    @commands.command()
    async def hello(self, ctx):
        self.greeted += 1
        said.append(f"hello {self.greeted > 0}")

    @commands.Cog.listener()
    async def on_message(self, message):
        said.append("greeted")
"""

_S = ["seen", "greeted"]
DISCORD_EDITS: list[tuple[str, str, dict[str, list[str]]]] = [
    ('"pong"', '"pong!"', {"!ping": [*_S, "pong!"], "!add 1 2": [*_S, "3"], "!hello": [*_S, "hello True"]}),
    ("@bot.command()\nasync def ping", '@bot.command(aliases=["p"])\nasync def ping', {"!p": [*_S, "pong!"]}),
    (
        'async def ping(ctx):\n    said.append("pong!")\n\n\n@ping.error',
        'async def pong(ctx):\n    said.append("pong!")\n\n\n@pong.error',
        {"!ping": _S, "!p": [*_S, "pong!"], "!pong": [*_S, "pong!"]},
    ),
    ('name="add"', 'name="sum"', {"!add 1 2": _S, "!sum 1 2": [*_S, "3"]}),
    ("a: int, b: int", "a: float, b: float", {"!sum 1 2": [*_S, "3.0"], "!sum 0.5 2": [*_S, "2.5"]}),
    ("b: float", "b: float = 1.0", {"!sum 1": [*_S, "2.0"]}),
    ("@admin.command()", '@admin.command(name="ban")', {"!admin kick": [*_S, "admin"], "!admin ban": [*_S, "kicked"]}),
    (
        "@bot.group(invoke_without_command=True)",
        '@bot.group(invoke_without_command=True, aliases=["a"])',
        {"!a ban": [*_S, "kicked"], "!a": [*_S, "admin"]},
    ),
    (
        '@bot.listen("on_message")',
        '@bot.command()\nasync def extra(ctx):\n    said.append("extra")\n\n\n@bot.listen("on_message")',
        {"!extra": [*_S, "extra"]},
    ),
    ('said.append("extra")', 'raise ValueError("no")', {"!extra": _S}),
    ('raise ValueError("no")', 'said.append("extra!")', {"!extra": [*_S, "extra!"]}),
    ('@bot.command()\nasync def extra(ctx):\n    said.append("extra!")\n\n\n', "", {"!extra": _S}),
    (
        'said.append("pong!")',
        'raise ValueError("broken")',
        {"!pong": [*_S, "failed: broken"], "!p": [*_S, "failed: broken"]},
    ),
    (
        "    @commands.command()\n    async def hello",
        '    @commands.command(name="hallo")\n    async def hello',
        {"!hello": _S, "!hallo": [*_S, "hello True"]},
    ),
    (
        "    @commands.Cog.listener()\n",
        "    @commands.command()\n    async def bye(self, ctx):\n"
        '        said.append("bye")\n\n    @commands.Cog.listener()\n',
        {"!bye": [*_S, "bye"]},
    ),
    ('said.append("bye")', 'said.append("bye bye")', {"!bye": [*_S, "bye bye"]}),
    ('    @commands.command()\n    async def bye(self, ctx):\n        said.append("bye bye")\n\n', "", {"!bye": _S}),
    (
        '@bot.listen("on_message")',
        '@bot.listen("on_other")',
        {
            "!p": ["greeted", "failed: broken"],
            "!pong": ["greeted", "failed: broken"],
            "!bye": ["greeted"],
            "!add 1 2": ["greeted"],
            "!sum 1 2": ["greeted", "3.0"],
            "!sum 0.5 2": ["greeted", "2.5"],
            "!sum 1": ["greeted", "2.0"],
            "!hello": ["greeted"],
            "!hallo": ["greeted", "hello True"],
            "!admin kick": ["greeted", "admin"],
            "!admin ban": ["greeted", "kicked"],
            "!a ban": ["greeted", "kicked"],
            "!a": ["greeted", "admin"],
            "!extra": ["greeted"],
            "!ping": ["greeted"],
        },
    ),
    (
        "    @commands.Cog.listener()\n",
        '    @commands.Cog.listener("on_message")\n    @commands.Cog.listener("on_else")\n',
        {},
    ),
    ('name="slash", description="A command"', 'name="cut", description="A command"', {"tree": ["cut"]}),
    ('said.append("slash")', 'said.append("slashed")', {"tree": ["cut"]}),
]


async def ask_discord(module: ModuleType, question: str) -> list[str]:
    bot: Any = module.bot
    if question == "tree":
        return [command.name for command in bot.tree.get_commands()]
    if not hasattr(module, "ready"):
        module.ready = True
        await bot._async_setup_hook()
        bot._connection.user = SimpleNamespace(id=1)
        await bot.add_cog(module.Greetings())
    state = SimpleNamespace()
    author = SimpleNamespace(id=2, bot=False)
    message: Any = SimpleNamespace(
        content=question, author=author, guild=None, channel=SimpleNamespace(id=3), _state=state, attachments=[], id=4
    )
    module.said.clear()
    for listener in list(bot.extra_events.get("on_message", ())):
        await listener(message)
    context: Any = await bot.get_context(message)
    if context.valid:
        await bot.invoke(context)
        for _ in range(5):
            await asyncio.sleep(0)  # errors are dispatched as tasks of their own
    return list(module.said)


def test_discord(tmp_path: Path) -> None:
    """Commands, groups, listeners, application commands and a cog live through twenty edits."""
    pytest.importorskip("discord")
    with Bot(tmp_path, DISCORD) as bot:

        async def main() -> None:
            await ask_discord(bot.module, "!ping")
            await live_through(bot, DISCORD_EDITS, ask_discord)

        asyncio.run(main())


@pytest.fixture(autouse=True)
def quiet_libraries() -> Iterator[None]:
    """What the libraries log of failing commands is not ours."""
    import logging

    logger = logging.getLogger("discord")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)
