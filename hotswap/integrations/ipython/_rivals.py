"""Other reloaders in the same shell: two at once would each undo what the other did, so one has to give way."""

from __future__ import annotations

from typing import Final

from hotswap.integrations.ipython._shell import Shell

ADVICE: Final = (
    "%autoreload is on, and two reloaders at once undo each other's work: %autoreload off leaves it to hotswap"
)
"""What to do, in the words of the shell."""


def autoreload_is_on(shell: Shell) -> bool:
    """Whether IPython's own ``%autoreload`` reloads before each cell; loaded and off is no harm."""
    magics = shell.magics_manager.registry.get("AutoreloadMagics")
    return bool(getattr(getattr(magics, "_reloader", None), "enabled", False))
