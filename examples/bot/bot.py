"""A bot that keeps a connection, a database and sessions in memory: none of them survives a restart.

    python -m hotswap examples/bot/bot.py [PORT]

Then edit handlers.py while it runs, or this file.
"""

import asyncio
import json
import os
import sqlite3
import sys

import handlers
from websockets.asyncio.client import ClientConnection, connect

import hotswap

SESSIONS: dict[str, dict] = {}
DATABASE = sqlite3.connect(":memory:")
DATABASE.execute("CREATE TABLE notes (author TEXT, note TEXT)")


@hotswap.restart_on_swap
async def heartbeat(gateway: ClientConnection) -> None:
    """Beat for ever. A running loop cannot change, so it asks to begin anew when its code did."""
    kept = hotswap.carry(beats=0)
    while True:
        kept.beats += 1
        await gateway.send(json.dumps({"kind": "beat", "beats": kept.beats, "process": os.getpid()}))
        await asyncio.sleep(0.05)


async def answer(gateway: ClientConnection, message: dict) -> None:
    """Answer one message; each is a task of its own, so a slow one does not keep the others waiting."""
    session = SESSIONS.setdefault(message["author"], {"messages": 0})
    session["messages"] += 1
    text = await handlers.handle(message["text"], message["author"], session, DATABASE)
    await gateway.send(json.dumps({"kind": "answer", "number": message["number"], "text": text}))


async def main(port: int) -> None:
    async with connect(f"ws://localhost:{port}") as gateway, asyncio.TaskGroup() as tasks:
        beating = tasks.create_task(heartbeat(gateway), name="heartbeat")
        async for text in gateway:
            tasks.create_task(answer(gateway, json.loads(text)))
        beating.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8765))
