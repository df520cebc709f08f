"""Views, modals and completions, states, filters and middlewares, conversations: bots live through edits of all.

After each edit every question is answered as a module answers that was made from the text as it is now, or it was told
that it is not.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import bot_programs as programs
import pytest
from test_bots import _HEARD, Ask, Bot, _client, heard


@pytest.fixture(autouse=True)
def quiet_libraries() -> Iterator[None]:
    """What the libraries log and warn of is not ours."""
    loggers = [logging.getLogger(name) for name in ("discord", "aiogram", "telegram")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


async def answers(ask: Ask, module: ModuleType, questions: list[str]) -> dict[str, object]:
    """Return what each question is answered, or what it raises."""
    found: dict[str, object] = {}
    for question in questions:
        try:
            found[question] = await heard(ask, module, question)
        except Exception as error:  # noqa: BLE001  it is compared
            found[question] = repr(error)
    return found


def fresh(bot: Bot) -> ModuleType:
    """Return a module made from the bot's text as it is now."""
    made = ModuleType(bot.name)
    exec(compile(bot.texts[bot.name], f"{bot.name}_fresh", "exec"), vars(made))
    return made


def live_through(folder: Path, text: str, edits: list[programs.Edit], questions: list[str], ask: Ask) -> None:
    """Make each edit, and compare what is answered with what a fresh module answers."""

    async def main() -> None:
        with Bot(folder, text) as bot:
            await answers(ask, bot.module, questions)
            stays: set[str] = set()
            for old, new, codes, kept in edits:
                report = await bot.edit(old, new)
                what = f"after {old!r} became {new!r}: {report}"
                assert report.error is None, what
                assert {found.code for found in report.findings} == set(codes.split()), what
                stays.update(filter(None, kept.split("|")))
                asked = [question for question in questions if question not in stays]
                assert await answers(ask, bot.module, asked) == await answers(ask, fresh(bot), asked), what

    asyncio.run(main())


def _items(view: Any) -> list[str]:
    return [f"{type(item).__name__} {getattr(item, 'label', '')} {item.custom_id}" for item in view.children]


async def ask_discord(module: Any, question: str) -> list[str]:
    import discord

    bot = module.bot
    if not hasattr(module, "ready"):
        module.ready = True
        await bot._async_setup_hook()
        bot._connection.user = SimpleNamespace(id=1)
        await bot.add_cog(module.Settings())
    interaction: Any = SimpleNamespace(user=SimpleNamespace(id=2), data={}, command=None, client=bot)
    parts: dict[str, Callable[[], Awaitable[list[str]]]] = {
        "modal": lambda: _submit(module.Feedback(), interaction),
        "new click": lambda: _click(module.Poll(), "", interaction),
        "slash info": lambda: bot.tree.get_command("info").callback(interaction, "x"),
        "tree error": lambda: bot.tree.on_error(interaction, Exception("x")),
        "language": lambda: _all_of_group(bot),
    }
    if question in ("poll", "new poll"):
        return _items(module.poll if question == "poll" else module.Poll())
    if question.startswith("click "):
        return await _click(module.poll, question[6:], interaction)
    if question == "auto":
        parameter = bot.tree.get_command("vote")._params["choice"]
        return [choice.name for choice in await parameter.autocomplete(interaction, "")]
    if question == "tree":
        return [_described(command) for command in bot.tree.get_commands()]
    if question == "menu":
        for command in bot.tree.get_commands(type=discord.AppCommandType.message):
            await command.callback(interaction, None)
    elif question in parts:
        found = await parts[question]()
        return [*_HEARD.get(), *(found or ())]
    else:
        await _message(bot, question)
    return _HEARD.get()


async def _submit(form: Any, interaction: Any) -> list[str]:
    await form.on_submit(interaction)
    return [form.title, *(str(item.default) for item in form.children)]


async def _click(view: Any, custom_id: str, interaction: Any) -> list[str]:
    for item in view.children:
        if item.custom_id.startswith(custom_id) and await view.interaction_check(interaction):
            await item.callback(interaction)
    return _HEARD.get()


async def _all_of_group(bot: Any) -> None:
    for group in [command for command in bot.tree.get_commands() if hasattr(command, "commands")]:
        for command in group.commands:
            given = {parameter.name: "de" for parameter in command.parameters}
            await command._do_call(SimpleNamespace(user=1), given)


def _described(command: Any) -> str:
    parameters = [
        (one.name, str(one.description), one.type.name, [choice.name for choice in one.choices])
        for one in getattr(command, "parameters", ())
    ]
    inside = [one.name for one in getattr(command, "commands", ())]
    return f"{command.name} {getattr(command, 'description', '')} {parameters} {inside}"


async def _message(bot: Any, text: str) -> None:
    import discord

    message: Any = SimpleNamespace(
        content=text,
        author=SimpleNamespace(id=2, bot=False),
        guild=None,
        channel=SimpleNamespace(id=3),
        _state=SimpleNamespace(),
        attachments=[],
        id=4,
        edited_at=None,
        created_at=discord.utils.utcnow(),
    )
    for listener in list(bot.extra_events.get("on_message", ())):
        await listener(message)
    await bot.invoke(await bot.get_context(message))
    for _ in range(6):
        await asyncio.sleep(0)  # errors are dispatched as tasks of their own


def test_discord_views_forms_and_commands(tmp_path: Path) -> None:
    """Views, modals, hybrid commands, completions, checks, groups of a cog: what is made from now on is new."""
    pytest.importorskip("discord")
    live_through(tmp_path, programs.DISCORD, programs.DISCORD_EDITS, programs.DISCORD_ASKED, ask_discord)


async def ask_aiogram(module: Any, question: str) -> list[str]:
    from aiogram import Bot as Client
    from aiogram.types import CallbackQuery, Chat, Message, Update, User

    user, chat, client = User(id=7, is_bot=False, first_name="Ada"), Chat(id=1, type="private"), _client(Client)

    def message(text: str) -> Message:
        return Message(message_id=1, date=datetime.now(UTC), chat=chat, from_user=user, text=text)

    if question == "menu":
        return [f"{button.text} {button.callback_data}" for row in module.MENU.inline_keyboard for button in row]
    if question == "states":
        return [str(state.state) for state in module.Form]
    if question == "startup":
        await module.dp.emit_startup()
    elif question.startswith("cb:"):
        query = CallbackQuery(id="1", from_user=user, chat_instance="1", data=question[3:], message=message("x"))
        await module.dp.feed_update(client, Update(update_id=1, callback_query=query))
    else:
        for text in question.split(">"):
            await module.dp.feed_update(client, Update(update_id=1, message=message(text)))
    return _HEARD.get()


def test_aiogram_states_filters_and_middlewares(tmp_path: Path) -> None:
    """States, filters, callback data, middlewares that several observers have, routers, handlers of errors."""
    pytest.importorskip("aiogram")
    live_through(tmp_path, programs.AIOGRAM, programs.AIOGRAM_EDITS, programs.AIOGRAM_ASKED, ask_aiogram)


async def ask_telegram(module: Any, question: str) -> list[str]:
    from telegram import CallbackQuery, Chat, Message, MessageEntity, Update, User

    app, ada = module.app, User(2, "Ada", is_bot=False)
    app._initialized, app.bot._bot_user = True, User(1, "Bot", is_bot=True, username="bot")
    if question == "menu":
        return [button.text for row in module.MENU.inline_keyboard for button in row]
    if question.startswith("cb:"):
        query = CallbackQuery("1", ada, "1", data=question[3:])
        query.set_bot(app.bot)
        await app.process_update(Update(1, callback_query=query))
        return _HEARD.get()
    for text in question.split(">"):
        entities = [MessageEntity("bot_command", 0, len(text))] if text.startswith("/") else []
        message = Message(1, datetime.now(UTC), Chat(1, "private"), from_user=ada, text=text, entities=entities)
        message.set_bot(app.bot)
        await app.process_update(Update(1, message=message))
    return _HEARD.get()


def test_telegram_conversations_and_tables(tmp_path: Path) -> None:
    """Conversations, filters, handlers of errors, and handlers that a loop adds from a table."""
    pytest.importorskip("telegram.ext")
    live_through(tmp_path, programs.TELEGRAM, programs.TELEGRAM_EDITS, programs.TELEGRAM_ASKED, ask_telegram)
