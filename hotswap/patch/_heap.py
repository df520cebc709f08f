"""The heap: who refers to an object, by one pass of the garbage collector."""

from __future__ import annotations

import gc
from itertools import compress, repeat
from operator import is_not
from typing import Any

from hotswap._points._way import OF_THE_INTERPRETER


def referrers(*targets: object) -> list[Any]:
    """Return the objects that refer to one of `targets`, as far as the garbage collector tracks them."""
    found = _pass(targets)
    return list(compress(found, map(is_not, found, repeat(targets))))  # C code: there may be millions


def pass_over(*targets: object) -> list[Any]:
    """Return what `referrers` does, and perhaps tuples of our own that hold the targets."""
    return _pass(targets)


def _pass(targets: tuple[object, ...]) -> list[Any]:
    """Go over the heap. From 3.14 on ``*targets`` is another tuple in each call, so it is handed on as it is.

    `gc.freeze` hides objects from the pass; what the program has frozen is unfrozen for it, and frozen again.
    """
    if not targets:
        return []
    frozen = gc.get_freeze_count() > OF_THE_INTERPRETER
    if frozen:
        gc.unfreeze()
    try:
        return gc.get_referrers(*targets)
    finally:
        if frozen:
            gc.freeze()
