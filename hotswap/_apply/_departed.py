"""What left the text lately, for when it comes back."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

from hotswap._model import Statement


@dataclass(frozen=True, slots=True)
class Departed:
    """What left its module: where from, its object if anybody still has it, and its statement or its class's."""

    module: str
    name: str
    ref: weakref.ref[Any]
    statement: Statement
