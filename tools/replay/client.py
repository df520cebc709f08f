"""A module that imports by name all that another version had: what the importers of a project hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

CLIENT: Final = "replay_client"


def names_of(digest: Mapping[str, Any], *, private: bool = False) -> list[tuple[str, str]]:
    """Return the modules and names at the top of each module of `digest`."""
    names = [(module, name) for module, _, name in (path.partition(":") for path in digest) if name.isidentifier()]
    return [one for one in names if private or not one[1].startswith("_")]


def client_text(wanted: Iterable[tuple[str, str]], digest: Mapping[str, Any]) -> bytes:
    """Return a module that imports those of the names `wanted` that are in `digest`."""
    there = set(names_of(digest, private=True))
    lines = [f"from {m} import {n} as {m.replace('.', '_')}__{n}\n" for m, n in wanted if (m, n) in there]
    return "".join(lines).encode()
