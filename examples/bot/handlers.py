"""What the bot answers: edit this while it runs."""

import sqlite3

COMMANDS: dict = {}
GREETING = "hello"


def command(name: str):
    """Register a handler for messages that begin with ``!name``."""

    def register(handler):
        COMMANDS[name] = handler
        return handler

    return register


async def handle(text: str, author: str, session: dict, database: sqlite3.Connection) -> str:
    name, _, rest = text.removeprefix("!").partition(" ")
    handler = COMMANDS.get(name) if text.startswith("!") else None
    return await handler(rest, author, session, database) if handler else "say !hello, !note or !notes"


@command("hello")
async def hello(rest: str, author: str, session: dict, database: sqlite3.Connection) -> str:
    return f"{GREETING} {author}, this is message {session['messages']}"


@command("note")
async def note(rest: str, author: str, session: dict, database: sqlite3.Connection) -> str:
    database.execute("INSERT INTO notes VALUES (?, ?)", (author, rest))
    return "noted"


@command("notes")
async def notes(rest: str, author: str, session: dict, database: sqlite3.Connection) -> str:
    found = database.execute("SELECT note FROM notes WHERE author = ?", (author,))
    return ", ".join(row[0] for row in found) or "none"
