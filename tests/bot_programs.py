# ruff: noqa: E501  the table of edits is easier to read with one edit a line
"""Bots that use more of their libraries, the edits that they live through, and what is asked of them after each."""

from __future__ import annotations

from typing import Final

Edit = tuple[str, str, str, str]
"""What becomes what, the codes of what is told, and the questions that are answered as before from then on."""

DISCORD: Final = """
from said_by_bots import said
from WORDS import HELLO
import discord
from discord import app_commands, ui
from discord.ext import commands

bot = commands.Bot(command_prefix="!", intents=discord.Intents.none(), help_command=None)
VOTES = {}


def is_adult(user):
    return True


class Poll(ui.View):
    def __init__(self):
        super().__init__(timeout=None)

    @ui.button(label="yes", custom_id="poll:yes")
    async def yes(self, interaction, button):
        VOTES["yes"] = VOTES.get("yes", 0) + 1
        said.append(f"voted {button.label}")

    @ui.select(custom_id="poll:pick", options=[discord.SelectOption(label="a")])
    async def pick(self, interaction, select):
        said.append("picked")

    async def interaction_check(self, interaction):
        return is_adult(interaction)


class Feedback(ui.Modal, title="Feedback"):
    answer = ui.TextInput(label="Answer", default="fine")

    async def on_submit(self, interaction):
        said.append(f"got {self.answer.default}")


class Link(ui.Button):
    def __init__(self):
        super().__init__(label="link", custom_id="link")

    async def callback(self, interaction):
        said.append("linked")


poll = Poll()
poll.add_item(Link())


@bot.hybrid_command()
async def vote(ctx, choice: str = "yes"):
    said.append("vote " + choice)


@vote.autocomplete("choice")
async def complete(interaction, current):
    return [app_commands.Choice(name=n, value=n) for n in ("yes", "no") if n.startswith(current)]


@bot.check
async def allowed(ctx):
    return True


def adults():
    async def predicate(ctx):
        return is_adult(ctx.author)
    return commands.check(predicate)


@bot.command()
@adults()
@commands.cooldown(100, 60)
async def bar(ctx):
    said.append("cheers")


@bot.event
async def on_command_error(ctx, error):
    said.append(f"error {type(error).__name__}")


@bot.tree.error
async def tree_error(interaction, error):
    said.append("tree error")


@bot.tree.command()
@app_commands.describe(member="who")
@app_commands.choices(kind=[app_commands.Choice(name="a", value=1)])
async def info(interaction, member: str, kind: int = 1):
    said.append(f"info {member}")


@bot.tree.context_menu(name="Report")
async def report(interaction, message: discord.Message):
    said.append("reported")


@bot.before_invoke
async def before(ctx):
    said.append("before")


class Settings(commands.GroupCog, name="settings"):
    def __init__(self):
        self.changes = 0

    @app_commands.command()
    async def language(self, interaction, code: str):
        self.changes += 1
        said.append(f"language {code}")

    @commands.Cog.listener()
    async def on_message(self, message):
        said.append("cog saw")

    async def cog_check(self, ctx):
        return True
"""

DISCORD_ASKED: Final = [
    "poll",
    "new poll",
    "click poll:yes",
    "click poll:pick",
    "click link",
    "new click",
    "modal",
    "auto",
    "tree",
    "slash info",
    "menu",
    "tree error",
    "language",
    "!vote",
    "!vote no",
    "!bar",
    "!nope",
]

DISCORD_EDITS: Final[list[Edit]] = [
    ('said.append(f"voted {button.label}")', 'said.append(f"has voted {button.label}")', "", ""),
    ('label="yes", custom_id="poll:yes"', 'label="Yes!", custom_id="poll:yes"', "HS218", "poll|click poll:yes"),
    (
        "    @ui.select(",
        '    @ui.button(label="no", custom_id="poll:no")\n    async def no(self, interaction, button):\n        said.append("voted no")\n\n    @ui.select(',
        "HS218",
        "",
    ),
    ('said.append("voted no")', 'said.append("voted NO")', "", ""),
    (
        'options=[discord.SelectOption(label="a")]',
        'options=[discord.SelectOption(label="a"), discord.SelectOption(label="b")]',
        "HS218",
        "",
    ),
    ("    return True\n\n\nclass Poll", "    return False\n\n\nclass Poll", "", ""),
    ("    return False\n\n\nclass Poll", "    return True\n\n\nclass Poll", "", ""),
    ('title="Feedback"', 'title="Your feedback"', "", ""),
    (
        'answer = ui.TextInput(label="Answer", default="fine")',
        'answer = ui.TextInput(label="Your answer", default="good")',
        "",
        "",
    ),
    ("    async def on_submit", '    more = ui.TextInput(label="More")\n\n    async def on_submit', "", ""),
    ('said.append("linked")', 'said.append("link clicked")', "", ""),
    (
        'super().__init__(label="link", custom_id="link")',
        'super().__init__(label="a link", custom_id="link")',
        "HS201",
        "",
    ),
    ('("yes", "no") if', '("yes", "no", "maybe") if', "", ""),
    ('choice: str = "yes"', 'choice: str = "maybe"', "", ""),
    ("@bot.hybrid_command()", '@bot.hybrid_command(description="Vote!")', "", ""),
    ('@bot.hybrid_command(description="Vote!")', '@bot.hybrid_command(description="Vote!", aliases=["v"])', "", ""),
    (
        "async def allowed(ctx):\n    return True",
        'async def allowed(ctx):\n    return ctx.message.content != "!bar"',
        "",
        "",
    ),
    ('return ctx.message.content != "!bar"', "return True", "", ""),
    ("return is_adult(ctx.author)", "return not is_adult(ctx.author)", "", ""),
    ("return not is_adult(ctx.author)", "return is_adult(ctx.author)", "", ""),
    ("@bot.command()\n@adults()\n", "@bot.command()\n", "", ""),
    ("@bot.command()\n@commands.cooldown", "@bot.command()\n@adults()\n@commands.cooldown", "", ""),
    ('said.append(f"error {type(error).__name__}")', 'said.append(f"sorry: {type(error).__name__}")', "", ""),
    ('said.append("tree error")', 'said.append("tree failed")', "", ""),
    ('@app_commands.describe(member="who")', '@app_commands.describe(member="who is it", kind="sort")', "", ""),
    (
        'choices(kind=[app_commands.Choice(name="a", value=1)])',
        'choices(kind=[app_commands.Choice(name="a", value=1), app_commands.Choice(name="b", value=2)])',
        "",
        "",
    ),
    (
        "async def info(interaction, member: str, kind: int = 1)",
        "async def info(interaction, member: str, kind: int = 1, loud: bool = False)",
        "",
        "",
    ),
    ('name="Report"', 'name="Report it"', "", ""),
    ('said.append("reported")', 'said.append("reported it")', "", ""),
    ('said.append("before")', 'said.append("just before")', "", ""),
    (
        "async def language(self, interaction, code: str)",
        'async def language(self, interaction, code: str, save: str = "y")',
        "",
        "",
    ),
    (
        "    @commands.Cog.listener()\n",
        '    @app_commands.command()\n    async def theme(self, interaction, name: str):\n        said.append("theme")\n\n    @commands.Cog.listener()\n',
        "",
        "",
    ),
    ('said.append("theme")', 'said.append("themed")', "", ""),
    ('name="settings"', 'name="options"', "", ""),
    (
        "    async def cog_check(self, ctx):\n        return True",
        '    async def cog_check(self, ctx):\n        return True\n\n    @commands.command()\n    async def reset(self, ctx):\n        said.append("reset")',
        "",
        "",
    ),
    ("async def on_command_error(ctx, error)", "async def on_command_error(ctx, error, /)", "", ""),
]

AIOGRAM: Final = """
from said_by_bots import said
from WORDS import HELLO
from aiogram import BaseMiddleware, Dispatcher, F, Router
from aiogram.filters import BaseFilter, Command, StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.memory import MemoryStorage
from aiogram.utils.keyboard import InlineKeyboardBuilder

ADMINS = {7}
storage = MemoryStorage()


class Form(StatesGroup):
    name = State()
    age = State()


class Vote(CallbackData, prefix="vote"):
    choice: str
    n: int = 1


class Counting(BaseMiddleware):
    def __init__(self):
        self.count = 0

    async def __call__(self, handler, event, data):
        self.count += 1
        data["counted"] = "c"
        return await handler(event, data)


class IsAdmin(BaseFilter):
    def __init__(self, admins):
        self.admins = admins

    async def __call__(self, message):
        return message.from_user.id in self.admins


def long_enough(message):
    return len(message.text) > 1


dp = Dispatcher(storage=storage)
form = Router(name="form")
inner = Router(name="inner")
form.include_router(inner)
dp.include_router(form)
counting = Counting()
dp.message.middleware(counting)


@dp.callback_query.outer_middleware()
async def log_query(handler, event, data):
    said.append("logged")
    return await handler(event, data)


@form.message(Command("form"))
async def begin(message, state: FSMContext):
    await state.set_state(Form.name)
    said.append("your name?")


@form.message(Form.name, long_enough)
async def named(message, state: FSMContext):
    await state.update_data(name=message.text)
    await state.set_state(Form.age)
    said.append("your age?")


@form.message(Form.age, F.text.isdigit())
async def aged(message, state: FSMContext):
    data = await state.get_data()
    await state.clear()
    said.append(f"{data['name']} is {message.text}")


@form.message(Form.age)
async def not_a_number(message):
    said.append("a number, please")


@inner.message(Command("cancel"), StateFilter("*"))
async def cancel(message, state):
    await state.clear()
    said.append("cancelled")


@dp.message(Command("admin"), IsAdmin(ADMINS))
async def admin(message):
    said.append("admin")


@dp.callback_query(Vote.filter(F.choice == "yes"))
async def yes(query, callback_data: Vote):
    said.append(f"yes {callback_data.n}")


@dp.callback_query()
async def other(query):
    said.append("other query")


@dp.errors()
async def failed(event):
    said.append(f"error {type(event.exception).__name__}")
    return True


@dp.message(Command("boom"))
async def boom(message):
    raise ValueError("boom")


def keyboard():
    builder = InlineKeyboardBuilder()
    builder.button(text="Yes", callback_data=Vote(choice="yes"))
    return builder.as_markup()


MENU = keyboard()


@dp.startup()
async def started():
    said.append("started")
"""

AIOGRAM_ASKED: Final = [
    "/form>Ada>x>36",
    "/form>Ada>/cancel",
    "/form>A>/cancel",
    "/admin",
    "cb:vote:yes:1",
    "cb:vote:no:1",
    "cb:vote:yes:1:x",
    "/boom",
    "menu",
    "startup",
    "states",
    "hello",
]

AIOGRAM_EDITS: Final[list[Edit]] = [
    ('said.append("your name?")', 'said.append("what is your name?")', "", ""),
    ("return len(message.text) > 1", "return len(message.text) > 0", "", ""),
    ("return len(message.text) > 0", "return len(message.text) > 1", "", ""),
    ("    age = State()\n", "    age = State()\n    town = State()\n", "", ""),
    (
        "    await state.clear()\n    said.append(f\"{data['name']} is {message.text}\")",
        '    await state.update_data(age=message.text)\n    await state.set_state(Form.town)\n    said.append("town?")',
        "",
        "",
    ),
    (
        "@form.message(Form.age)\n",
        '@form.message(Form.town)\nasync def lives(message, state):\n    data = await state.get_data()\n    await state.clear()\n    said.append(f"{data} {message.text}")\n\n\n@form.message(Form.age)\n',
        "",
        "",
    ),
    ('data["counted"] = "c"', 'data["counted"] = "d"', "", ""),
    (
        "async def boom(message):\n    raise",
        "async def boom(message, counted):\n    said.append(counted)\n    raise",
        "",
        "",
    ),
    ("return message.from_user.id in self.admins", "return message.from_user.id not in self.admins", "", ""),
    ("return message.from_user.id not in self.admins", "return message.from_user.id in self.admins", "", ""),
    ("ADMINS = {7}", "ADMINS = {8}", "", ""),
    ("ADMINS = {8}", "ADMINS = {7, 8}", "", ""),
    ('said.append("logged")', 'said.append("log")', "", ""),
    ('F.choice == "yes"', 'F.choice.in_({"yes", "no"})', "", ""),
    ("    n: int = 1\n", '    n: int = 1\n    more: str = "m"\n', "HS201", "menu"),
    ('said.append(f"yes {callback_data.n}")', 'said.append(f"{callback_data.choice} {callback_data.n}")', "", ""),
    ('prefix="vote"', 'prefix="v"', "HS201 HS206", ""),
    ('prefix="v"', 'prefix="vote"', "HS201 HS206", ""),
    ('builder.button(text="Yes"', 'builder.button(text="Yes!"', "HS201", ""),
    ("type(event.exception).__name__", "event.exception", "", ""),
    ("@dp.errors()", "@dp.errors(F.exception)", "", ""),
    (
        "form.include_router(inner)\ndp.include_router(form)",
        "dp.include_router(inner)\ndp.include_router(form)",
        "",
        "",
    ),
    ('Command("cancel"), StateFilter("*")', 'Command("cancel", "stop"), StateFilter("*")', "", ""),
    (
        "dp.message.middleware(counting)\n",
        "dp.message.middleware(counting)\ndp.message.outer_middleware(counting)\n",
        "",
        "",
    ),
    ("        self.count += 1\n", '        self.count += 2\n        said.append("mw")\n', "", ""),
    ("dp.message.outer_middleware(counting)\n", "", "", ""),
    ('said.append("started")', 'said.append("up")', "", ""),
    ('@dp.startup()\nasync def started():\n    said.append("up")\n', "", "", ""),
    ("@form.message(Form.name, long_enough)", '@form.message(Form.name, long_enough, flags={"a": 1})', "", ""),
    ('form = Router(name="form")', 'form = Router(name="the form")', "", ""),
    ("    name = State()\n", '    name = State("N")\n', "", ""),
    (
        "class Counting(BaseMiddleware):\n",
        "class Base:\n    pass\n\n\nclass Counting(Base, BaseMiddleware):\n",
        "HS101 HS226",
        "",
    ),
    ("async def not_a_number(message):", "async def not_a_number(message, *, bot):", "", ""),
]

TELEGRAM: Final = """
from said_by_bots import said
from WORDS import HELLO
from telegram.ext import Application, CallbackQueryHandler, CommandHandler, ConversationHandler, MessageHandler, filters, TypeHandler
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update

NAME, AGE, TOWN = range(3)
MENU = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="yes")]])
app = Application.builder().token("1:a").build()
SEEN = []


def adult(age):
    return age >= 18


class Admin(filters.MessageFilter):
    def filter(self, message):
        return message.from_user.id == 2


admin = Admin()


async def begin(update, context):
    said.append("name?")
    return NAME


async def name(update, context):
    context.user_data["name"] = update.message.text
    said.append("age?")
    return AGE


async def age(update, context):
    years = int(update.message.text)
    said.append(f"{context.user_data['name']} {adult(years)}")
    return ConversationHandler.END


async def cancel(update, context):
    said.append("cancelled")
    return ConversationHandler.END


conversation = ConversationHandler(
    entry_points=[CommandHandler("begin", begin)],
    states={
        NAME: [MessageHandler(filters.TEXT & ~filters.COMMAND, name)],
        AGE: [MessageHandler(filters.Regex("^[0-9]+$"), age)],
    },
    fallbacks=[CommandHandler("cancel", cancel)],
)


async def button(update, context):
    said.append(f"pressed {update.callback_query.data}")


async def secret(update, context):
    said.append("secret")


async def tick(context):
    SEEN.append("tick")
    said.append("tick")


async def remind(update, context):
    context.application.tasks = tick
    await tick(context)


async def boom(update, context):
    raise ValueError("boom")


async def failed(update, context):
    said.append(f"failed {context.error}")


async def track(update, context):
    said.append("tracked")


COMMANDS = {"remind": remind, "boom": boom}

app.add_handler(conversation)
app.add_handler(CallbackQueryHandler(button, pattern="^y"))
app.add_handler(CommandHandler("secret", secret, filters=admin))
for command, callback in COMMANDS.items():
    app.add_handler(CommandHandler(command, callback))
app.add_handler(TypeHandler(Update, track), group=-1)
app.add_error_handler(failed)
"""

TELEGRAM_ASKED: Final = [
    "/begin>Ada>36",
    "/begin>Ada>x>/cancel",
    "/begin>/cancel",
    "/secret",
    "/remind",
    "/boom",
    "cb:yes",
    "cb:no",
    "menu",
    "/extra",
]

TELEGRAM_EDITS: Final[list[Edit]] = [
    ('said.append("name?")', 'said.append("your name?")', "", ""),
    ("return age >= 18", "return age >= 40", "", ""),
    ('filters.Regex("^[0-9]+$")', 'filters.Regex("^[0-9x]+$")', "", ""),
    ('filters.Regex("^[0-9x]+$")', 'filters.Regex("^[0-9]+$")', "", ""),
    (
        "    said.append(f\"{context.user_data['name']} {adult(years)}\")\n    return ConversationHandler.END",
        "    said.append(f\"{context.user_data['name']} {adult(years)} town?\")\n    return TOWN",
        "",
        "",
    ),
    (
        "async def cancel(",
        'async def town(update, context):\n    said.append("thanks")\n    return ConversationHandler.END\n\n\nasync def cancel(',
        "",
        "",
    ),
    ("age)],\n    },", "age)],\n        TOWN: [MessageHandler(filters.TEXT, town)],\n    },", "", ""),
    ('fallbacks=[CommandHandler("cancel", cancel)]', 'fallbacks=[CommandHandler(["cancel", "stop"], cancel)]', "", ""),
    (
        'entry_points=[CommandHandler("begin", begin)]',
        'entry_points=[CommandHandler("begin", begin), CommandHandler("start", begin)],\n    allow_reentry=True',
        "",
        "",
    ),
    ("message.from_user.id == 2", "message.from_user.id == 3", "", ""),
    ("message.from_user.id == 3", "message.from_user.id in (2, 3)", "", ""),
    ('pattern="^y"', 'pattern="^n"', "", ""),
    (
        'COMMANDS = {"remind": remind, "boom": boom}',
        'COMMANDS = {"remind": remind, "boom": boom, "extra": secret}',
        "",
        "",
    ),
    (
        'COMMANDS = {"remind": remind, "boom": boom, "extra": secret}',
        'COMMANDS = {"remind": remind, "bang": boom, "extra": secret}',
        "",
        "",
    ),
    (
        'COMMANDS = {"remind": remind, "bang": boom, "extra": secret}',
        'COMMANDS = {"remind": remind, "boom": boom}',
        "",
        "",
    ),
    ('said.append("tick")\n', 'said.append("tock")\n', "", ""),
    ('said.append(f"failed {context.error}")', 'said.append(f"sorry: {context.error}")', "", ""),
    ("app.add_error_handler(failed)", "app.add_error_handler(failed, block=True)", "", ""),
    ("app.add_handler(TypeHandler(Update, track), group=-1)\n", "", "", ""),
    ('InlineKeyboardButton("Yes"', 'InlineKeyboardButton("Yes!"', "", ""),
    ("NAME, AGE, TOWN = range(3)", "NAME, AGE, TOWN, MORE = range(4)", "", ""),
    ("async def button(update, context):", "async def button(update, context, *, loud=False):", "", ""),
    ("app.add_handler(conversation)\n", "app.add_handler(conversation, group=1)\n", "", ""),
    (
        'CommandHandler("secret", secret, filters=admin)',
        'CommandHandler("secret", secret, filters=admin & filters.TEXT)',
        "",
        "",
    ),
    ("class Admin(filters.MessageFilter):", "class Admin(filters.MessageFilter):\n    limit = 3\n", "", ""),
    ("    return TOWN", "    return MORE", "", ""),
    ("TOWN: [Mess", "MORE: [Mess", "", ""),
]
