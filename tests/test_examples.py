# ruff: noqa: ASYNC110  what is waited for is another process
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


def _dotted(number: int) -> str:
    return 'return f"' + "." * number + "{GREETING}"


EDITS: list[tuple[str, str, str, str]] = [
    ("handlers.py", 'GREETING = "hello"', 'GREETING = "hi"', "hi ada"),
    ("handlers.py", 'GREETING = "hi"', 'GREETING = "good day,"', "good day, ada"),
    *(
        ("handlers.py", f"this is message{' no.' * i} {{", f"this is message{' no.' * (i + 1)} {{", "no. " * i + "no. ")
        for i in range(8)
    ),
    ("handlers.py", '@command("note")', '@command("write")', "good day"),
    ("bot.py", 'session["messages"] += 1', 'session["messages"] += 10', "good day"),
    ("bot.py", '"beats": kept.beats', '"beats": kept.beats, "edited": True', "good day"),
    ("handlers.py", 'or "none"', 'or "nothing"', "good day"),
    *(
        ("handlers.py", _dotted(i), _dotted(i + 1), "." * (i + 1) + "good")
        for i in range(6)
    ),
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
    chat = Chat(gateway_of(copy.folder))

    async def go_on() -> None:
        while True:
            await chat.gateway.send("bob", "!hello")
            await asyncio.sleep(0.005)

    async def main() -> None:
        async with serve(chat.gateway.accept, "localhost", 0) as server:
            port = server.sockets[0].getsockname()[1]
            process = copy.start("bot.py", str(port))
            try:
                await asyncio.wait_for(converse(), PATIENCE)
            finally:
                process.terminate()
                output = await asyncio.to_thread(process.communicate)
                assert "HS3" not in output[1], output[1]

    async def converse() -> None:
        assert await chat.ask("!note remember") == "noted"
        others = asyncio.create_task(go_on())
        for name, old, new, wanted in EDITS:
            copy.edit(name, old, new)
            await chat.until("!hello", lambda answer, wanted=wanted: wanted in answer)  # type: ignore[misc]
        await chat.until("!write", lambda answer: answer == "noted")
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


def test_the_game_goes_on_through_twenty_edits(game: tuple[Copy, Game]) -> None:
    """Constants, methods, a new kind of entity, slots, and the body of the main loop change; places and score stay."""
    copy, run = game
    run.until(lambda state: state["count"] > 4)
    copy.edit("entities.py", "self.x += 10 * dt", "self.x = 5000.0")
    run.until(lambda state: state["spark"] == 5000)
    copy.edit("entities.py", "class Spark:", 'class Square(Entity):\n    """Not a ball."""\n\n\nclass Spark:')
    run.until(lambda state: state["kinds"] == ["Ball", "Square"])
    before = run.states[-1]
    copy.edit("game.py", "score += 1", "score += 1000")
    after = run.until(lambda state: state["score"] > 1000)
    assert after["score"] % 1000 < 400
    assert after["count"] > before["count"]
    for number in range(5):  # a body, a constant through two imports, and the loop, by turns
        old, new = (f"self.x = {5000.0 + n}" for n in (number, number + 1))
        copy.edit("entities.py", old, new)
        run.until(lambda state, wanted=5001 + number: state["spark"] == wanted)  # type: ignore[misc]
        copy.edit("settings.py", f"GRAVITY = {400 + number}.0", f"GRAVITY = {401 + number}.0")
        steps = run.states[-1]["score"]
        copy.edit("game.py", f"score += {1000 * 10**number}", f"score += {10000 * 10**number}")
        run.until(lambda state, least=steps + 9000 * 10**number: state["score"] > least)  # type: ignore[misc]
    copy.edit("settings.py", "SIZE = (640, 360)", "SIZE = (640, 361)  # the window keeps its size")
    copy.edit("entities.py", "self.vx = -self.vx", "self.vx = abs(self.vx)  # to the right")
    assert not [line for line in run.log if "HS3" in line or "HS2" in line], run.log
    assert [state["count"] for state in run.states] == [2 * (i + 1) for i in range(len(run.states))]
