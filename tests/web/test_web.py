"""Web programs as people run them, edited while a client talks to them; now and then a fresh process has to agree.

Each table has edits of one program: what is saved, and what to ask from then on. Nothing may be told: what these edits
do is live. Every answer is compared with that of a fresh process after each edit if ``HOTSWAP_EACH_EDIT`` is set.
"""

from __future__ import annotations

import http.client
import importlib
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import hotswap

DEADLINE = 30.0
STEPS = 1 if os.environ.get("HOTSWAP_EACH_EDIT") else 12
"""Edits between two looks at a fresh process."""


class Server:
    """A program that serves, in a process of its own; `live` runs it with hotswap."""

    def __init__(self, folder: Path, words: list[str], *, live: bool) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.log = folder.parent / f"log{self.port}.txt"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        hot = ["-m", "hotswap", "--root", str(folder)] if live else []
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, *hot, *(word.replace("{port}", str(self.port)) for word in words)],
                cwd=folder,
                env=kept | {"PYTHONPATH": str(Path(hotswap.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"},
                stdout=log,
                stderr=log,
            )
        self.connection = self._connect()

    def _connect(self) -> http.client.HTTPConnection:
        deadline = time.monotonic() + DEADLINE
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
            try:
                connection.connect()
            except OSError:
                assert self.process.poll() is None, self.text
                assert time.monotonic() < deadline, self.text
                time.sleep(0.02)
            else:
                return connection

    @property
    def text(self) -> str:
        """What it has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def ask(self, question: str) -> tuple[int, str, dict[str, str]]:
        """Send a request, ``METHOD PATH [BODY]``; return the status, the body, and the headers that matter."""
        method, path, *rest = question.split(" ", 2)
        kind = "application/json" if rest and rest[0][0] in "{[" else "application/x-www-form-urlencoded"
        try:
            self.connection.request(method, path, *rest, headers={"Content-Type": kind} if rest else {})
            response = self.connection.getresponse()
        except (http.client.HTTPException, OSError):  # it keeps no connection after an error
            self.connection = self._connect()
            self.connection.request(method, path, *rest, headers={"Content-Type": kind} if rest else {})
            response = self.connection.getresponse()
        text = re.sub("0x[0-9a-f]+", "0x", response.read().decode())
        headers = {name.lower(): value for name, value in response.getheaders()}
        allowed = ",".join(sorted(headers.pop("allow", "").replace(" ", "").split(",")))
        shown = {name: value for name, value in headers.items() if name.startswith("x-") or name == "location"}
        return response.status, text, shown | {"allow": allowed}

    def end(self) -> None:
        """End the process."""
        self.connection.close()
        self.process.kill()
        self.process.wait(DEADLINE)


def save(folder: Path, edits: list[tuple[str, str | None, str]]) -> None:
    """Replace pieces of files, each of which stands there once; None stands for a file that is new."""
    texts: dict[str, str] = {}
    for name, old, new in edits:
        path = folder / name
        text = texts.get(name, path.read_text(encoding="utf-8") if path.exists() else "")
        assert old is None or text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        texts[name] = new if old is None else text.replace(old, new)
    for name, text in texts.items():
        (folder / name).with_suffix(".new").write_text(text, encoding="utf-8")
    for name in texts:
        (folder / name).with_suffix(".new").replace(folder / name)


def agree(live: Server, folder: Path, words: list[str], questions: list[str], after: str) -> None:
    """Wait until the living program answers as a fresh one does."""
    fresh = Server(folder, words, live=False)
    wanted = {question: fresh.ask(question) for question in questions}
    fresh.end()
    deadline = time.monotonic() + 10
    while (got := {question: live.ask(question) for question in questions}) != wanted:
        differing = {question: (got[question], wanted[question]) for question in questions}
        differing = {question: both for question, both in differing.items() if both[0] != both[1]}
        assert time.monotonic() < deadline, f"after {after}: {differing}\n{live.text[-3000:]}"
        time.sleep(0.05)


def run(program: ModuleType, folder: Path) -> None:
    """Live through the edits of a table."""
    for name, text in program.FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    live = Server(folder, program.WORDS, live=True)
    questions = list(program.ASK)
    try:
        for question in questions:
            live.ask(question)
        pid = live.process.pid
        for number, (what, edits, *more) in enumerate(program.EDITS, 1):
            questions += more
            said = live.text.count("\nhotswap: ")
            save(folder, edits)
            deadline = time.monotonic() + (2.0 if any(name.endswith(".py") for name, *_ in edits) else 0.0)
            while live.text.count("\nhotswap: ") == said and time.monotonic() < deadline:
                time.sleep(0.01)  # what only leaves a registry is not reported
            if number % STEPS == 0 or number == len(program.EDITS):
                agree(live, folder, program.WORDS, questions, what)
        told = re.findall(r"^.*\bHS\d{3}\b.*$", live.text, re.MULTILINE)
        assert not told, "\n".join(told)
        assert live.process.poll() is None
        assert live.process.pid == pid
    finally:
        live.end()


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("flask_program", ["flask"]),
        ("fastapi_program", ["fastapi", "uvicorn"]),
        ("django_program", ["django", "rest_framework"]),
    ],
)
def test_a_living_server_answers_as_a_fresh_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, needs: list[str]
) -> None:
    """Routes, hooks, dependencies, models, forms, settings, templates: whatever the table changes is live at once."""
    for library in needs:
        pytest.importorskip(library)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    program: Any = importlib.import_module(name)
    folder = tmp_path.resolve() / "program"
    folder.mkdir()
    run(program, folder)
