"""What `hotswap demo` plays: a bot in four files, and the edits that it lives through. Data, no code of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Edit:
    """One save: in `file`, `old` becomes `new` (no `old`: `new` is put at the end).

    `ask` is said to the bot before and after; it has to answer `before` and `after`. `broken`: the file does not
    compile then.
    """

    title: str
    file: str
    old: str
    new: str
    ask: str
    before: str
    after: str
    broken: bool = False


FILES: Final[Mapping[str, str]] = {
    "config.py": """\
GREETING = "Hello"
""",
    "purse.py": """\
class Purse:
    def __init__(self):
        self.coins = 0

    def contents(self):
        return f"{self.coins} coins"
""",
    "commands.py": """\
from config import GREETING

COMMANDS = {}


def command(function):
    COMMANDS[function.__name__] = function
    return function


@command
def greet(bot, name):
    return f"{GREETING}, {name}."


@command
def earn(bot, coins):
    bot.purse.coins += int(coins)
    return "thank you"


@command
def purse(bot, _):
    return bot.purse.contents()
""",
    "bot.py": """\
from commands import COMMANDS
from purse import Purse


class Bot:
    def __init__(self):
        self.answered = 0
        self.purse = Purse()

    def serve(self, inbox, outbox):
        for line in iter(inbox.get, None):
            outbox.put(self.answer(line))

    def answer(self, line):
        self.answered += 1
        word, _, rest = line.partition(" ")
        if word not in COMMANDS:
            return f"I don't know the command {word!r}."
        return COMMANDS[word](self, rest)
""",
}

OPENING: Final = (("greet Ann", "Hello, Ann."), ("earn 37", "thank you"))
CLOSING: Final = ("purse", "3 gold and 7 silver")

EDITS: Final = (
    Edit(
        "A function body",
        "commands.py",
        '    return f"{GREETING}, {name}."\n',
        '    return f"{GREETING}, {name}! Nice to see you."\n',
        "greet Ann",
        "Hello, Ann.",
        "Hello, Ann! Nice to see you.",
    ),
    Edit(
        "A new command; the commands registered before are not registered again",
        "commands.py",
        "",
        '\n\n@command\ndef shout(bot, text):\n    return text.upper() + "!"\n',
        "shout it works",
        "I don't know the command 'shout'.",
        "IT WORKS!",
    ),
    Edit(
        "A constant that another file imported by name",
        "config.py",
        'GREETING = "Hello"\n',
        'GREETING = "Good evening"\n',
        "greet Ann",
        "Hello, Ann! Nice to see you.",
        "Good evening, Ann! Nice to see you.",
    ),
    Edit(
        "A method; the purse is the same object and keeps its 37 coins",
        "purse.py",
        '        return f"{self.coins} coins"\n',
        '        return f"{self.coins // 10} gold and {self.coins % 10} silver"\n',
        "purse",
        "37 coins",
        "3 gold and 7 silver",
    ),
    Edit(
        "A broken file; the old code runs on",
        "commands.py",
        '    return f"{GREETING}, {name}! Nice to see you."\n',
        '    return make_polite(f"{GREETING}, {name}!"\n',
        "greet Ann",
        "Good evening, Ann! Nice to see you.",
        "Good evening, Ann! Nice to see you.",
        broken=True,
    ),
    Edit(
        "The mend",
        "commands.py",
        '    return make_polite(f"{GREETING}, {name}!"\n',
        '    return f"{GREETING}, dear {name}!"\n',
        "greet Ann",
        "Good evening, Ann! Nice to see you.",
        "Good evening, dear Ann!",
    ),
)
