# ruff: noqa: ASYNC110, E501  what is waited for is another process; a table of edits is easier to read with one a line
"""The examples, run as their README says and edited while they run."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60.0


class Copy:
    """A copy of an example's folder, whose files are edited by replacing pieces of their text."""

    def __init__(self, name: str, folder: Path) -> None:
        self.folder = folder / name
        shutil.copytree(ROOT / "examples" / name, self.folder)

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        aside = path.with_suffix(".new")
        aside.write_text(text.replace(old, new), encoding="utf-8")
        aside.replace(path)

    def start(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        given = {"SDL_VIDEODRIVER": "dummy", "PYGAME_HIDE_SUPPORT_PROMPT": "1", "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [sys.executable, "-m", "hotswap", script, *arguments],
            cwd=self.folder,
            env={**os.environ, **given},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


# ---------------------------------------------------------------------------------------------------------- the bot


PING = '\n\n@command("ping")\nasync def ping(rest, author, session, database):\n    return "pong"\n'

EDITS: list[tuple[str, str, str, str, str]] = [
    ("handlers.py", 'GREETING = "hello"', 'GREETING = "hi"', "!hello", "hi ada"),
    ("handlers.py", "this is message {", "message number {", "!hello", "hi ada, message number"),
    ("handlers.py", '@command("note")', '@command("write")', "!write this", "noted"),
    ("handlers.py", "async def notes(", "async def list_notes(", "!note that", "say !hello"),
    ("handlers.py", 'or "none"\n', f'or "none"\n{PING}', "!ping", "pong"),
    ("handlers.py", 'return "pong"', 'return "pong!"', "!ping", "pong!"),
    ("handlers.py", '@command("ping")', '@command("ping")\n@command("p")', "!p", "pong!"),
    ("handlers.py", '@command("ping")\n@command("p")', '@command("p")', "!ping", "say !hello"),
    ("handlers.py", "import sqlite3\n", "import sqlite3\nimport string\n", "!hello", "hi ada"),
    ("handlers.py", 'return "pong!"', "return string.capwords(author)", "!p", "Ada"),
    ("handlers.py", "ping(rest, author, session, database)", 'ping(rest, author, session, database, mark="?")', "!p", "Ada"),
    ("handlers.py", "string.capwords(author)", "string.capwords(author) + mark", "!p", "Ada?"),
    ("handlers.py", 'mark="?"', 'mark="!"', "!p", "Ada!"),
    ("handlers.py", "COMMANDS: dict = {}", "COMMANDS: dict = {", "!p", "HS301"),
    ("handlers.py", "COMMANDS: dict = {", "COMMANDS: dict = {}", "!p", "Ada!"),
    ("handlers.py", 'GREETING = "hi"', "GREETING = 1 / 0", "!hello", "HS303"),
    ("handlers.py", "GREETING = 1 / 0", "from texts import GREETING", "!hello", "good day ada"),
    ("texts.py", '"good day"', '"good evening"', "!hello", "good evening ada"),
    ("handlers.py", "say !hello, !note or !notes", "what?", "!none", "what?"),
    ("handlers.py", '@command("hello")', 'def shout(text):\n    return f"{text}!"\n\n\n@command("hello")', "!hello", "good"),
    ("handlers.py", "{session['messages']}\"", "{shout(session['messages'])}\"", "!hello", "!"),
    ("handlers.py", 'return f"{text}!"', 'return f"{text}!!"', "!hello", "!!"),
    ("handlers.py", PING.replace('return "pong"', 'return string.capwords(author) + mark').replace("ping\"", "p\"").replace("database)", 'database, mark="!")'), "", "!p", "what?"),
    ("bot.py", 'session["messages"] += 1', 'session["messages"] = 5000', "!hello", "number 5000"),
    ("bot.py", '"beats": kept.beats', '"beats": kept.beats, "edited": True', "!hello", "good"),
]  # fmt: skip


def gateway_of(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location("example_gateway", folder / "gateway.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Chat:
    """Everything that was sent to the bot and came from it."""

    def __init__(self, gateway: Any) -> None:
        self.gateway = gateway.Gateway(self.hear)
        self.answers: dict[int, list[str]] = {}
        self.beats: list[dict[str, Any]] = []

    def hear(self, event: dict[str, Any]) -> None:
        if event["kind"] == "answer":
            self.answers.setdefault(event["number"], []).append(event["text"])
        else:
            self.beats.append(event)

    async def ask(self, text: str) -> str:
        """Send `text` and return the answer."""
        number = await self.gateway.send("ada", text)
        while number not in self.answers:
            await asyncio.sleep(0.001)
        return self.answers[number][0]

    async def until(self, text: str, wanted: Callable[[str], bool]) -> str:
        while not wanted(answer := await self.ask(text)):
            await asyncio.sleep(0.01)
        return answer


def test_the_bot_answers_each_message_once_through_twenty_edits(tmp_path: Path) -> None:
    """Messages go on while the files are edited; connection, database, sessions and process stay."""
    pytest.importorskip("websockets")
    from websockets.asyncio.server import serve

    copy = Copy("bot", tmp_path)
    (copy.folder / "texts.py").write_text('GREETING = "good day"\n', encoding="utf-8")
    chat = Chat(gateway_of(copy.folder))
    told: list[str] = []

    async def go_on() -> None:
        while True:
            await chat.gateway.send("bob", "!hello")
            await asyncio.sleep(0.005)

    async def main() -> None:
        async with serve(chat.gateway.accept, "localhost", 0) as server:
            port = server.sockets[0].getsockname()[1]
            process = copy.start("bot.py", str(port))
            assert process.stderr is not None
            reading = threading.Thread(target=told.extend, args=(process.stderr,))
            reading.start()
            try:
                await asyncio.wait_for(converse(), PATIENCE)
            finally:
                process.terminate()
                await asyncio.to_thread(process.wait)
                await asyncio.to_thread(reading.join)
                for stream in (process.stdout, process.stderr):
                    assert stream is not None
                    stream.close()
                print("".join(told))

    async def converse() -> None:
        assert await chat.ask("!note remember") == "noted"
        others = asyncio.create_task(go_on())
        for name, old, new, question, wanted in EDITS:
            copy.edit(name, old, new)
            if wanted.startswith("HS"):
                while not any(wanted in line for line in told):
                    await asyncio.sleep(0.01)
                assert wanted not in await chat.ask(question)
            else:
                await chat.until(question, lambda answer, wanted=wanted: wanted in answer)  # type: ignore[misc]
        while "edited" not in chat.beats[-1]:
            await asyncio.sleep(0.01)
        others.cancel()
        assert (await chat.ask("!notes")).startswith("remember")
        while len(chat.answers) < chat.gateway.number:
            await asyncio.sleep(0.001)
        assert all(len(answers) == 1 for answers in chat.answers.values())
        assert [beat["beats"] for beat in chat.beats] == list(range(1, len(chat.beats) + 1))
        assert len({beat["process"] for beat in chat.beats}) == 1
        assert chat.gateway.connections == 1
        assert len({line.split("HS3")[1][:2] for line in told if "HS3" in line}) == 2, told

    asyncio.run(main())


# --------------------------------------------------------------------------------------------------------- the game


class Game:
    """The game in a process of its own, and the lines of state that it prints."""

    def __init__(self, copy: Copy) -> None:
        self.process = copy.start("game.py", "0", "2")
        self.states: list[dict[str, Any]] = []
        self.log: list[str] = []
        self._threads = [
            threading.Thread(target=self._read, args=(self.process.stdout, self._note)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.log.append)),
        ]
        for thread in self._threads:
            thread.start()

    def _note(self, line: str) -> None:
        self.states.append(json.loads(line))

    def _read(self, stream: Any, take: Callable[[str], None]) -> None:
        for line in stream:
            take(line)

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the first state from now on that is `wanted`."""
        begin = len(self.states)
        clock = threading.Event()
        for _ in range(int(PATIENCE * 100)):
            for state in self.states[begin:]:
                if wanted(state):
                    return state
            assert self.process.poll() is None, "".join(self.log)
            clock.wait(0.01)
        raise AssertionError(f"it did not come: {self.states[-1:]} {''.join(self.log)}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
        for thread in self._threads:
            thread.join()
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def game(tmp_path: Path) -> Iterator[tuple[Copy, Game]]:
    pytest.importorskip("pygame")
    copy = Copy("game", tmp_path)
    game = Game(copy)
    yield copy, game
    game.stop()


SQUARE = 'class Square(Entity):\n    """Not a ball."""\n\n\n'
PLACE = "\n    def place(self) -> float:\n        return 7000.0\n"

GAME_EDITS: list[tuple[str, str, str, str, object]] = [
    ("entities.py", "self.x += 10 * dt", "self.x = 5000.0", "spark", 5000),
    ("entities.py", "class Spark:", f"{SQUARE}class Spark:", "kinds", ["Ball", "Square"]),
    ("entities.py", "self.x = 5000.0", "self.x = 5000.0 + GRAVITY", "spark", 5400),
    ("settings.py", "GRAVITY = 400.0", "GRAVITY = 401.0", "spark", 5401),
    ("entities.py", "BOUNCE, COLOUR, GRAVITY, SIZE", "BOUNCE, COLOUR, GRAVITY, SIZE\nfrom settings import GRAVITY as PULL", "spark", 5401),
    ("entities.py", "self.x = 5000.0 + GRAVITY", "self.x = 5000.0 + PULL * 2", "spark", 5802),
    ("settings.py", "GRAVITY = 401.0", "GRAVITY = 402.0", "spark", 5804),
    ("entities.py", "self.x = 5000.0 + PULL * 2\n", f"self.x = self.place()\n{PLACE}", "spark", 7000),
    ("entities.py", "def place(self)", "def place(self, at: float = 7100.0)", "spark", 7000),
    ("entities.py", "return 7000.0", "return at", "spark", 7100),
    ("entities.py", "at: float = 7100.0", "at: float = 7200.0", "spark", 7200),
    ("entities.py", '__slots__ = ("x", "y")\n', '__slots__ = ("x", "y")\n    home = 7300.0\n', "spark", 7200),
    ("entities.py", "return at", "return self.home", "spark", 7300),
    ("entities.py", "home = 7300.0", "home = 7400.0", "spark", 7400),
    ("entities.py", "import pygame\n", "import math\n\nimport pygame\n", "spark", 7400),
    ("entities.py", "return self.home", "return math.floor(self.home + 100.9)", "spark", 7500),
    ("entities.py", "def place(self", "def place((self", "told", "HS301"),
    ("entities.py", "def place((self", "def place(self", "spark", 7500),
    ("settings.py", "BOUNCE = 0.9", "BOUNCE = 1 / 0", "told", "HS303"),
    ("settings.py", "BOUNCE = 1 / 0", "BOUNCE = 0.8", "spark", 7500),
    ("entities.py", "    def place(self", "    @functools.cache\n    def place(self", "told", "HS303"),
    ("entities.py", "import math\n", "import functools\nimport math\n", "spark", 7500),
    ("entities.py", "    @functools.cache\n", "", "spark", 7500),
    ("entities.py", "self.home + 100.9", "self.home + 200.9", "spark", 7600),
    ("game.py", "score += 1\n", "score += 1000\n", "score", 1000),
    ("game.py", "score += 1000\n", "bonus = 20_000\n        score += bonus\n", "score", 20_000),
    ("game.py", "def main(", "def points(bonus: int) -> int:\n    return 10 * bonus\n\n\ndef main(", "score", 20_000),
    ("game.py", "score += bonus", "score += points(bonus)", "score", 200_000),
    ("game.py", "return 10 * bonus", "return 1000 * bonus", "score", 20_000_000),
    ("entities.py", SQUARE, "", "told", "HS203"),  # its base keeps a table
    ("entities.py", "self.vx = -self.vx", "self.vx = abs(self.vx)", "spark", 7600),
]  # fmt: skip


def test_the_game_goes_on_through_thirty_edits(game: tuple[Copy, Game]) -> None:
    """Constants, methods, a new kind of entity, slots, imports, failures, the loop's body: places and score stay."""
    copy, run = game
    run.until(lambda state: state["count"] > 4)
    for name, old, new, what, wanted in GAME_EDITS:
        told, score = len(run.log), run.states[-1]["score"]
        copy.edit(name, old, new)
        if what == "told":
            run.until(lambda _, told=told, wanted=wanted: any(wanted in line for line in run.log[told:]))  # type: ignore[misc]
        elif what == "score":
            run.until(lambda state, least=score + wanted: state["score"] >= least)  # type: ignore[misc,operator]
        else:
            run.until(lambda state, told=told, what=what, wanted=wanted: state[what] == wanted and len(run.log) > told)  # type: ignore[misc]
    print("".join(run.log))
    assert [line.split()[0] for line in run.log if line.startswith("  HS")] == ["HS301", "HS303", "HS303", "HS203"]
    assert [state["count"] for state in run.states] == [2 * (i + 1) for i in range(len(run.states))]
