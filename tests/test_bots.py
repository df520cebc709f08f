# ruff: noqa: E501  the table of edits is easier to read with one edit a line
"""Real objects of bot libraries, without a network, through many edits while messages go on: none is lost, none is
answered twice, and nothing is answered otherwise than by the text before a save or after it.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import itertools
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final, Self

import pytest
from saves import STYLES

from hotswap import Reloader, Report

PATIENCE: Final = 10.0
_EDITORS: Final = (
    *("in place", "truncated, a pause, written", "in chunks", "renamed from beside", "vim with backup"),
    *("vim without backup", "PyCharm's safe write", "VS Code", "emacs", "unlinked, made anew", "an older time"),
)
_SAVES: Final = [style.save for style in STYLES if style.name in _EDITORS]
_HEARD: Final[ContextVar[list[str]]] = ContextVar("heard")
_numbers = itertools.count()

Answers = dict[str, list[str]]
Edit = tuple[str, str, Answers | None]
"""What becomes what, in one of the bot's files, and which answers are others then; None for a text that cannot run."""
Ask = Callable[[ModuleType, str], Awaitable[list[str]]]

WORDS = 'HELLO = "hello"\nLIMIT = 3\n'


class Said:
    """What bots call ``said``: each message has a list of its own, however many are under way."""

    def append(self, text: str) -> None:
        _HEARD.get().append(text)


class Bot:
    """A bot in a module of its own, with one of words, edited by replacing pieces of their texts."""

    def __init__(self, folder: Path, text: str) -> None:
        number = next(_numbers)
        self.name, self.folder = f"bot_{number}", folder / "bot"
        self.folder.mkdir()
        self.words = f"words_{number}"
        self.texts = {self.name: text.replace("WORDS", self.words), self.words: WORDS}
        for name, one in self.texts.items():
            self.path(name).write_text(one, encoding="utf-8")
        self._saves = itertools.cycle(_SAVES)
        self.reports: asyncio.Queue[Report] = asyncio.Queue()

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.py"

    def __enter__(self) -> Self:
        sys.path.insert(0, str(self.folder))
        sys.modules["said_by_bots"] = SimpleNamespace(said=Said())  # type: ignore[assignment]
        importlib.invalidate_caches()
        self.module = importlib.import_module(self.name)
        self.reloader = Reloader(self.folder, on_report=self.reports.put_nowait).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.reloader.stop()
        sys.path.remove(str(self.folder))
        for name in (*self.texts, "said_by_bots"):
            del sys.modules[name]

    async def edit(self, old: str, new: str) -> Report:
        """Save the text with `old` replaced, each time as another editor does, and return the report of the swap."""
        (name,) = (name for name, text in self.texts.items() if old in text)
        assert self.texts[name].count(old) == 1, f"{old!r} stands {self.texts[name].count(old)} times in the text"
        self.texts[name] = self.texts[name].replace(old, new)
        await asyncio.to_thread(next(self._saves), self.path(name), self.texts[name])
        try:
            return await asyncio.wait_for(self.reports.get(), PATIENCE)
        except TimeoutError:
            raise AssertionError(f"nothing came of it that {old!r} became {new!r}") from None


async def heard(ask: Ask, module: ModuleType, question: str) -> list[str]:
    """Return all that is said to one message."""
    _HEARD.set([])
    return await ask(module, question)


class Chat:
    """Messages that go on all the time; each is answered as the bot answered before the last save, or after it."""

    def __init__(self, bot: Bot, ask: Ask) -> None:
        self.bot, self.ask = bot, ask
        self.expected: Answers = {}
        self.before: Answers = {}
        self.answered = 0

    async def go_on(self) -> None:
        while True:
            for question in [*self.before]:
                allowed = [self.before[question], self.expected[question]]
                got = await heard(self.ask, self.bot.module, question)
                allowed += [self.before[question], self.expected[question]]
                assert got in allowed, f"{question}: {got}, not one of {allowed}"
                self.answered += 1
                await asyncio.sleep(0)
            await asyncio.sleep(0.001)

    async def make(self, edit: Edit) -> None:
        """Make one edit and ask all questions known by then; a fresh start answers the same."""
        old, new, answers = edit
        self.before, self.expected = self.expected, self.expected | (answers or {})
        report = await self.bot.edit(old, new)
        what = f"after {old!r} became {new!r}"
        if answers is None:
            assert report.held, what
        else:
            assert report.error is None, f"{what}: {report}"
            assert not report.findings, f"{what}: {report}"
        self.before = self.expected
        for question, wanted in self.expected.items():
            got = await heard(self.ask, self.bot.module, question)
            assert got == wanted, f"{question} {what}: {got}"
        if answers is not None:
            await self.compare()

    async def compare(self) -> None:
        """A module made from the text as it is now gives the same answers."""
        other = ModuleType(f"{self.bot.name}_fresh")
        exec(compile(self.bot.texts[self.bot.name], other.__name__, "exec"), vars(other))
        for question, wanted in self.expected.items():
            got = await heard(self.ask, other, question)
            assert got == wanted, f"a fresh start answers {question} otherwise: {got}"


def live_through(folder: Path, text: str, edits: list[Edit], ask: Ask) -> None:
    """Run the bot on an event loop, with messages all the time, and make each edit."""
    assert len({old + new for old, new, _ in edits}) == len(edits) >= 20

    async def main() -> None:
        with Bot(folder, text) as bot:
            chat = Chat(bot, ask)
            messages = asyncio.create_task(chat.go_on())
            for edit in edits:
                await chat.make(edit)
                assert not messages.done(), messages.exception()
            messages.cancel()
            assert chat.answered > len(edits)

    asyncio.run(main())


AIOGRAM = """
from said_by_bots import said
from WORDS import HELLO

from aiogram import Bot, Dispatcher, F, Router
from aiogram.filters import Command

dp = Dispatcher()
inner = Router()


@dp.message(Command("start"))
async def start(message):
    said.append("good day")


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


AIOGRAM_EDITS: list[Edit] = [
    ('"good day"', '"hi"', {"/start": ["hi"], "/help": ["help"], "inner": ["inner"], "else": ["what?"]}),
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
    ('said.append(f"hi {type(bot).__name__} {n}")', "said.append(HELLO)", {"/start": ["hello"]}),
    ('HELLO = "hello"', 'HELLO = "hey"', {"/start": ["hey"]}),
    ("from aiogram import", "import math\n\nfrom aiogram import", {}),
    ("said.append(HELLO)", "said.append(HELLO * math.floor(2.5))", {"/start": ["heyhey"]}),
    ("async def start(", "async def start(((", None),
    ("async def start(((", "async def start(", {}),
    ("last = Router()", "last = Router(name=str(1 / 0))", None),
    ("last = Router(name=str(1 / 0))", 'last = Router(name="last")', {}),
    ("LIMIT = 3", 'LIMIT = 3\nNEW = "new"', {}),
    (" import HELLO\n", " import HELLO, NEW\n", {}),
    ('F.text == "new"', "F.text == NEW", {"new": ["newer"]}),
    ('NEW = "new"', 'NEW = "newest"', {"new": ["eh?"], "newest": ["newer"]}),
    ("@inner.message()\n@inner.edited_message()\n", "@inner.message()\n", {}),
    ("from aiogram import", "def shout(text):\n    return text.upper()\n\n\nfrom aiogram import", {}),
    ('said.append("newer")', 'said.append(shout("newer"))', {"newest": ["NEWER"]}),
    ("return text.upper()", 'return text.upper() + "!"', {"newest": ["NEWER!"]}),
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
    await module.dp.feed_update(_client(Bot), Update(update_id=1, message=message))
    return _HEARD.get()


def test_aiogram(tmp_path: Path) -> None:
    """Handlers of routers stay in their order, through twenty edits of filters, names, routers and bodies."""
    pytest.importorskip("aiogram")
    live_through(tmp_path, AIOGRAM, AIOGRAM_EDITS, ask_aiogram)


TELEGRAM = """
from said_by_bots import said
from WORDS import HELLO

from telegram.ext import Application, CommandHandler, MessageHandler, filters

app = Application.builder().token("1:a").build()


async def start(update, context):
    said.append("good day")


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
TELEGRAM_EDITS: list[Edit] = [
    ('"good day"', '"hi"', {"/start": ["hi"], "/help": ["help"], "yes": ["yes"], "xy": ["xy", "counted"]}),
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
    ('said.append("hi")', "said.append(HELLO)", {"/start": ["hello"]}),
    ('HELLO = "hello"', 'HELLO = "hey"', {"/start": ["hey"]}),
    ("from telegram.ext import", "import math\n\nfrom telegram.ext import", {}),
    ("said.append(HELLO)", "said.append(HELLO * math.floor(2.5))", {"/start": ["heyhey"]}),
    ("async def start(", "async def start(((", None),
    ("async def start(((", "async def start(", {}),
    ('CommandHandler("assist", help_)', 'CommandHandler("assist", help_, 1 / 0)', None),
    ('CommandHandler("assist", help_, 1 / 0)', 'CommandHandler("aid", help_)', {"/assist": [], "/aid": ["helped"]}),
    ("LIMIT = 3", 'LIMIT = 3\nLATE = "late"', {}),
    (" import HELLO\n", " import HELLO, LATE\n", {}),
    ('CommandHandler("late", late)', "CommandHandler(LATE, late)", {"/late": ["later"]}),
    ('LATE = "late"', 'LATE = "latest"', {"/late": [], "/latest": ["later"]}),
    ("async def late(", "async def latest(update, context):\n    await late(update, context)\n\n\nasync def late(", {}),
    ("CommandHandler(LATE, late)", "CommandHandler(LATE, latest)", {"/latest": ["later"]}),
    ('said.append("later")', 'said.append("at last")', {"/latest": ["at last"]}),
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
    await module.app.process_update(Update(1, message=message))
    return _HEARD.get()


def test_python_telegram_bot(tmp_path: Path) -> None:
    """Handlers stay in their groups and in their order, through twenty edits."""
    pytest.importorskip("telegram.ext")
    live_through(tmp_path, TELEGRAM, TELEGRAM_EDITS, ask_telegram)


DISCORD = """
from said_by_bots import said
from WORDS import HELLO

import discord
from discord.ext import commands, tasks

bot = commands.Bot(command_prefix="!", intents=discord.Intents.none(), help_command=None)


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


@tasks.loop(hours=1.0)
async def beat():
    said.append("beat")


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
DISCORD_EDITS: list[Edit] = [
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
    ('said.append("beat")', 'said.append("beats")', {"beat": ["beats"], "hours": ["1.0"]}),
    ("hours=1.0", "hours=2.0", {"hours": ["2.0"]}),
    (
        "said.append(str(a + b))",
        "said.append(HELLO + str(a + b))",
        {"!sum 1": ["greeted", "hello2.0"], "!sum 1 2": ["greeted", "hello3.0"], "!sum 0.5 2": ["greeted", "hello2.5"]},
    ),
    (
        'HELLO = "hello"',
        'HELLO = ""',
        {"!sum 1": ["greeted", "2.0"], "!sum 1 2": ["greeted", "3.0"], "!sum 0.5 2": ["greeted", "2.5"]},
    ),
    ("import discord", "import math\n\nimport discord", {}),
    (
        "str(a + b)",
        "str(math.ceil(a + b))",
        {"!sum 1": ["greeted", "2"], "!sum 1 2": ["greeted", "3"], "!sum 0.5 2": ["greeted", "3"]},
    ),
    ("async def admin(", "async def admin(((", None),
    ("async def admin(((", "async def admin(", {}),
    ('name="sum"', "name=str(1 / 0)", None),
    (
        "name=str(1 / 0)",
        'name="total"',
        {"!sum 1": ["greeted"], "!sum 1 2": ["greeted"], "!sum 0.5 2": ["greeted"], "!total 1": ["greeted", "2"]},
    ),
    ("LIMIT = 3", 'LIMIT = 3\nBAN = "ban"', {}),
    (" import HELLO\n", " import HELLO, BAN\n", {}),
    ('@admin.command(name="ban")', "@admin.command(name=BAN)", {}),
    (
        'BAN = "ban"',
        'BAN = "bar"',
        {"!admin ban": ["greeted", "admin"], "!a ban": ["greeted", "admin"], "!a bar": ["greeted", "kicked"]},
    ),
]


async def ask_discord(module: ModuleType, question: str) -> list[str]:
    bot: Any = module.bot
    if question == "tree":
        return [command.name for command in bot.tree.get_commands()]
    if question == "hours":
        return [str(module.beat.hours)]
    if question == "beat":
        await module.beat()
        return _HEARD.get()
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
    for listener in list(bot.extra_events.get("on_message", ())):
        await listener(message)
    context: Any = await bot.get_context(message)
    if context.valid:
        await bot.invoke(context)
        for _ in range(5):
            await asyncio.sleep(0)  # errors are dispatched as tasks of their own
    return _HEARD.get()


def test_discord(tmp_path: Path) -> None:
    """Commands, groups, listeners, application commands and a cog live through twenty edits."""
    pytest.importorskip("discord")
    live_through(tmp_path, DISCORD, DISCORD_EDITS, ask_discord)


@pytest.fixture(autouse=True)
def quiet_libraries() -> Iterator[None]:
    """What the libraries log of failing commands is not ours."""
    import logging

    logger = logging.getLogger("discord")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)
