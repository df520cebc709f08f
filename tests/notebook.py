"""A real kernel for tests: cells go to it by messages, as a notebook sends them, and what it shows comes back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

ANSI = re.compile(r"\x1b\[[0-9;]*m")
LONGEST = 60
"""Seconds for which the answer of a cell is waited for."""


@dataclass
class Shown:
    """What one cell showed: its value, what it printed, what hotswap displayed, and its error."""

    value: str = ""
    printed: str = ""
    displayed: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    error: str = ""

    def take(self, message: dict[str, Any]) -> None:
        """Add one message of the kernel."""
        content, kind = message["content"], message["msg_type"]
        if kind == "stream":
            self.printed += content["text"]
        elif kind == "execute_result":
            self.value = content["data"]["text/plain"]
        elif kind == "display_data":
            self.displayed.append(content["data"]["text/plain"])
            self.html.append(content["data"].get("text/html", ""))
        elif kind == "error":
            self.error = ANSI.sub("", "\n".join(content["traceback"]))


class Kernel:
    """A kernel in `folder`, in which the modules that cells import are written."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self._manager = KernelManager(kernel_name="python3", transport="ipc", ip=str(folder / "kernel"))
        self._manager.start_kernel(cwd=str(folder), extra_arguments=[*arguments])
        self.client: BlockingKernelClient = self._manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=LONGEST)

    def run(self, code: str, **options: Any) -> Shown:
        """Run a cell and return what it showed."""
        shown = Shown()
        self.client.execute_interactive(code, output_hook=shown.take, timeout=LONGEST, allow_stdin=False, **options)
        return shown

    def debug(self, commands: list[str], asked: list[str]) -> Shown:
        """Run `%debug` and answer each of its prompts with the next of `commands`; `asked` gets the prompts."""
        shown, answers = Shown(), iter(commands)

        def answer(message: dict[str, Any]) -> None:
            asked.append(message["content"]["prompt"])
            self.client.input(next(answers))

        self.client.execute_interactive(
            "%debug", output_hook=shown.take, stdin_hook=answer, timeout=LONGEST, allow_stdin=True
        )
        shown.printed = ANSI.sub("", shown.printed)
        return shown

    def write(self, name: str, text: str) -> Path:
        """Write the module `name` as an editor would: over the file that is there."""
        path = self.folder / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        return path

    def restart(self) -> None:
        """Restart the kernel, as the button of the notebook does."""
        self._manager.restart_kernel(now=True)
        self.client.wait_for_ready(timeout=LONGEST)

    def stop(self) -> None:
        """End the kernel."""
        self.client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()
