"""What is used of IPython's shell, as types; nothing of IPython is imported for it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, Protocol


class Cell(Protocol):
    """What a cell's event tells: the text as typed. IPython 9.16 and newer add `transformed_cell`."""

    raw_cell: str


class Result(Protocol):
    """What the event behind a cell tells."""

    info: Cell | None
    execution_count: int | None


class Shell(Protocol):
    """The part of ``InteractiveShell`` that is used."""

    user_ns: dict[str, Any]
    user_module: ModuleType
    events: Any
    display_pub: Any
    magics_manager: Any
    history_manager: Any
    strdispatchers: dict[str, Any]
    input_transformers_cleanup: list[Callable[[list[str]], list[str]]]

    def transform_cell(self, raw_cell: str) -> str:
        """Return Python for a cell with magics in it."""
        ...

    def register_magic_function(self, func: Callable[..., Any], magic_kind: str, magic_name: str) -> None:
        """Make a function a magic."""
        ...

    def set_hook(self, name: str, hook: Callable[..., Any], *, str_key: str) -> None:
        """Set a hook, here for the completion of a magic's arguments."""
        ...

    def run_cell(self, raw_cell: str, *, store_history: bool) -> Any:
        """Run a cell."""
        ...
