"""What a statement of a module has to find before it runs: names in their order, members and notes of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotswap._apply import _hooked, _ordered, _taken_off

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit
    from hotswap._model import Statement


def prepare(visit: Visit, statement: Statement) -> None:
    """Bring to what they are at a fresh start above `statement` what it may go over, take off or ask for."""
    _hooked.call_above(visit, statement)
    _ordered.arrange(visit, statement)
    _taken_off.put_back(visit, statement)
