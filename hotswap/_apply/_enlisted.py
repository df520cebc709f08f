"""Classes that are made anew by their whole statements: what registries note of them has the place of the old one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hotswap._apply._books import entries_of, fill
from hotswap.patch._classes import containers, guard

if TYPE_CHECKING:
    from hotswap._run._journal import Journal


@contextmanager
def in_its_place(journal: Journal, live: type) -> Iterator[None]:
    """Have lists and dicts that have the class `live` hold what stood before it, and, in the end, what comes instead.

    So a hook that counts what is there, or refuses what it has, finds what it found when it met the class first.
    """
    guard(journal, live)
    every = {id(one): one for one in containers(live) if type(one) in (list, dict)}
    found = [(one, *_around(entries_of(one), live)) for one in every.values() if _has(one, live)]
    for one, before, _ in found:
        fill(one, before)
    try:
        yield
    finally:
        for one, _, after in found:
            _put_behind(one, after)


def _has(container: Any, live: type) -> bool:
    return any(_is_of(entry, live) for entry in entries_of(container))


def _is_of(entry: Any, live: type) -> bool:
    return entry is live or (type(entry) is tuple and len(entry) == 2 and entry[1] is live)


def _around(entries: list[Any], live: type) -> tuple[list[Any], list[Any]]:
    """Return what stands before the first entry of `live`, and what stands behind it and is no other one of it."""
    at = next(at for at, entry in enumerate(entries) if _is_of(entry, live))
    return entries[:at], [entry for entry in entries[at:] if not _is_of(entry, live)]


def _put_behind(container: Any, entries: list[Any]) -> None:
    if type(container) is list:
        container += entries
    else:
        container.update({key: value for key, value in entries if key not in container})
