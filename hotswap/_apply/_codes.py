"""Code objects that the program itself keeps, as a set of those that a traceback shall not show: they follow.

Only where the text of a module speaks of ``__code__`` is anything looked for: code in its lists, dicts and sets that
have a name, and functions that were made of a function's code with other globals.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import CodeType, FunctionType
from typing import Any

from hotswap._apply._bodies import patch
from hotswap._apply._swap import Swap, Work
from hotswap.patch._heap import referrers


def follow(swap: Swap, modules: Iterable[str]) -> None:
    """After the bodies are set: put new code in the place of old where `modules` keep it."""
    for value in _keepers(modules):
        _follow_in(swap, value, _Successors(swap))


def follow_copies(swap: Swap, modules: Iterable[str]) -> None:
    """Once the bodies are: have functions run the new code that were made of the old with globals of their own."""
    if not modules or not swap.old_codes:
        return
    works = {work.edit.old.origin: work for work in swap.works.values()}
    for one in referrers(*dict.fromkeys(swap.old_codes)):
        work = works.get(one.__code__.co_filename) if type(one) is FunctionType else None
        if work is not None and one.__globals__ is not work.scope.namespace:
            patch(swap, work, one)
            swap.copies[id(one)] = work.edit.module


def is_kept(origin: str, modules: Iterable[str]) -> bool:
    """Whether `modules` keep code of the file `origin`."""
    return any(isinstance(i, CodeType) and i.co_filename == origin for value in _keepers(modules) for i in value)


def _keepers(modules: Iterable[str]) -> list[Any]:
    """Return the lists, dicts and sets of `modules` that have code objects."""
    spaces = [vars(sys.modules[name]) for name in modules if name in sys.modules]
    named = {id(value): value for space in spaces for value in space.values() if type(value) in (list, dict, set)}
    return [value for value in named.values() if any(isinstance(item, CodeType) for item in value)]


class _Successors:
    """Finds the code that took the place of another in this swap. What a live function has is new."""

    def __init__(self, swap: Swap) -> None:
        self._works: dict[str, Work] = {work.edit.old.origin: work for work in swap.works.values()}
        lists = (found for work in swap.works.values() for found in work.found())
        self._live = {id(function.__code__) for found in lists for function in found}

    def __call__(self, item: object) -> object:
        work = self._works.get(item.co_filename) if isinstance(item, CodeType) and id(item) not in self._live else None
        return item if work is None or not isinstance(item, CodeType) else work.codes.successor(item) or item


def _follow_in(swap: Swap, value: Any, successor: Callable[[object], object]) -> None:
    old = list(value.items()) if type(value) is dict else list(value)
    new = [(successor(item[0]), item[1]) if type(value) is dict else successor(item) for item in old]
    if new == old:
        return
    with swap.journal.noting([value]):
        value.clear()
        (value.extend if type(value) is list else value.update)(new)
