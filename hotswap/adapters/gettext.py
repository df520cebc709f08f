"""Catalogues of translations as `gettext` and Babel keep them: read once, and shared by all who translate with them."""

from __future__ import annotations

import os
import sys
from typing import Any, Final
from weakref import WeakKeyDictionary

from hotswap.adapters import live_classes, live_objects


class Gettext:
    """See `hotswap.adapters.Reader`."""

    files = ("*.mo",)

    def __init__(self) -> None:
        self._files: WeakKeyDictionary[Any, list[str]] = WeakKeyDictionary()

    def reread(self, path: str) -> None:
        """Have each catalogue that came from the file `path` say what it says now, in place: programs hold it."""
        library: Any = sys.modules["gettext"]
        kinds = [kind for kind in live_classes() if library.GNUTranslations in kind.__mro__]
        sharing: dict[int, list[Any]] = {}
        for one in (one for kind in kinds for one in live_objects(kind)):
            sharing.setdefault(id(one._catalog), []).append(one)
        self._note(library, sharing)
        for holders in sharing.values():
            names = self._files.get(holders[0], [])
            if any(os.path.realpath(name) == path for name in names):
                _read_again(holders, names)

    def _note(self, library: Any, sharing: dict[int, list[Any]]) -> None:
        """Note which files went into which objects, in this order: Babel does so itself, and merges several.

        `gettext.translation` gives copies of what it keeps for a file. That is forgotten by others, such as Django.
        """
        for (_, name), known in library._translations.items():
            for one in sharing.get(id(known._catalog), ()):
                self._files[one] = [name]
        for holders in sharing.values():
            for one in holders:
                if getattr(one, "files", None):
                    self._files[one] = one.files


def _read_again(holders: list[Any], names: list[str]) -> None:
    """Read the files `names`, later ones over earlier ones, into the catalogue that `holders` share."""
    fresh: dict[object, str] = {}
    for name in names:
        with open(name, "rb") as file:
            read = type(holders[0])(file)
        fresh |= read._catalog
    catalogue: dict[object, str] = holders[0]._catalog
    catalogue.update(fresh)  # one step, and what is not in it goes then: nobody finds it empty
    for message in catalogue.keys() - fresh.keys():
        del catalogue[message]
    for one in holders:
        one.plural = read.plural


ADAPTER: Final = Gettext()
