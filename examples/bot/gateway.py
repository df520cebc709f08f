"""A gateway on this machine: what is typed here goes to the bot as a message, and its answers are printed.

python examples/bot/gateway.py [PORT]
"""

import asyncio
import json
import sys
from collections.abc import Callable

from websockets.asyncio.server import ServerConnection, serve


class Gateway:
    """Hands messages to the bot that is connected, each with a number, and its events to `heard`."""

    def __init__(self, heard: Callable[[dict], None]) -> None:
        self.heard = heard
        self.number = 0
        self.connections = 0
        self.connected = asyncio.Event()
        self.bot: ServerConnection | None = None

    async def accept(self, connection: ServerConnection) -> None:
        self.bot, self.connections = connection, self.connections + 1
        self.connected.set()
        async for text in connection:
            self.heard(json.loads(text))

    async def send(self, author: str, text: str) -> int:
        """Send a message; return its number, which the answer names."""
        await self.connected.wait()
        assert self.bot is not None
        self.number += 1
        await self.bot.send(json.dumps({"number": self.number, "author": author, "text": text}))
        return self.number


async def main(port: int) -> None:
    def show(event: dict) -> None:
        if event["kind"] == "answer":
            print(f"bot> {event['text']}", flush=True)

    gateway = Gateway(show)
    async with serve(gateway.accept, "localhost", port):
        print(f"listening on port {port}; start the bot, then type messages such as !hello", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            await gateway.send("you", line.strip())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8765))
