"""A small HTTP server that counts in memory, edited while a client talks to it over one connection."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from running import DEADLINE, Running

FILES = {
    "server.py": """
        import os
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        import pages

        COUNTS = {}


        class Counter(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                COUNTS[self.path] = COUNTS.get(self.path, 0) + 1
                self.answer(200, pages.show(self.path, COUNTS[self.path]))

            def answer(self, status, text):
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-Process", str(os.getpid()))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass


        def main():
            with ThreadingHTTPServer(("127.0.0.1", 0), Counter) as server:
                print("port", server.server_port)
                server.serve_forever()


        if __name__ == "__main__":
            main()
    """,
    "pages.py": """
        from settings import TITLE


        def show(path, count):
            return f"{TITLE}: {path} was seen {count} times"
    """,
    "settings.py": """
        TITLE = "Counter"
    """,
}


class Answer(NamedTuple):
    """What the server said, and from which process."""

    status: int
    text: str
    process: str | None


class Client:
    """One keep-alive connection; it does not connect again."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        self.connection.connect()
        self.connection.auto_open = 0

    def ask(self, path: str, method: str = "GET") -> Answer:
        self.connection.request(method, path)
        with self.connection.getresponse() as response:
            return Answer(response.status, response.read().decode(), response.headers["X-Process"])


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Running]:
    """The server, running live."""
    with Running(tmp_path, FILES, "server.py") as running:
        yield running


@pytest.fixture
def client(program: Running) -> Iterator[Client]:
    """A client connected to it."""
    client = Client(int(program.out.wait_for("^port [0-9]+$").split()[1]))
    yield client
    client.connection.close()


def test_page_constant_and_broken_file(program: Running, client: Client) -> None:
    """The connection, the process and the counts outlive a new body, a new constant, a broken save and its mend."""
    pid = str(program.process.pid)
    assert client.ask("/a") == (200, "Counter: /a was seen 1 times", pid)
    program.edit_and_wait("pages.py", "was seen {count} times", "has {count} visits", "^hotswap: pages - show")
    assert client.ask("/a") == (200, "Counter: /a has 2 visits", pid)
    program.edit_and_wait("settings.py", '"Counter"', '"Visits"', "^hotswap: settings - TITLE")
    assert client.ask("/a") == (200, "Visits: /a has 3 visits", pid)
    program.edit_and_wait("pages.py", "def show(path, count):", "def show(path, count:", "HS301 .*pages.py")
    assert client.ask("/a") == (200, "Visits: /a has 4 visits", pid)
    program.edit_and_wait(
        "pages.py", "def show(path, count:", "def show(path, count, most=5):", "^hotswap: pages - show"
    )
    assert client.ask("/a") == (200, "Visits: /a has 5 visits", pid)


def test_handler_class_of_the_script_itself(program: Running, client: Client) -> None:
    """The handler object that serves the open connection takes a new method and a changed one from the script."""
    pid = str(program.process.pid)
    assert client.ask("/").text == "Counter: / was seen 1 times"
    program.edit_and_wait(
        "server.py",
        "    def log_message(",
        "    def do_DELETE(self):\n        self.answer(200, f'forgot {COUNTS.pop(self.path)}')\n\n    def log_message(",
        "^hotswap: __main__ - .*do_DELETE",
    )
    assert client.ask("/", "DELETE") == (200, "forgot 1", pid)
    assert client.ask("/") == (200, "Counter: / was seen 1 times", pid)
    program.edit_and_wait(
        "server.py", "self.answer(200, pages", "self.answer(203, pages", "^hotswap: __main__ - .*do_GET"
    )
    assert client.ask("/") == (203, "Counter: / was seen 2 times", pid)
