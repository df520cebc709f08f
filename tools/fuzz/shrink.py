"""Failures made small: fewer edits before, then fewer statements in all versions, as long as the same thing fails."""

from __future__ import annotations

import ast
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Final

from digest import LEVELS
from texts import DEFINITIONS, FUNCTIONS, cut, parse, replace, sites
from trial import Came, Trial

Files = dict[str, str]
Sign = tuple[str, str]

_SECONDS: Final = 90.0
_DEEPEST: Final = 5
_LEVELS: Final = ("crash", *LEVELS, "held", "client")


def sign(came: Came) -> set[Sign]:
    """Return what makes two failures the same: levels and facets."""
    if came.crash:
        return {("crash", came.crash.partition(":")[0])}
    return {(one.level, one.facet) for one in came.silent}


def _gravest(came: Came) -> set[Sign]:
    """Return the signs of the first of the levels on which there is a difference."""
    found = sign(came)
    level = next((one for one in _LEVELS if any(one == sign[0] for sign in found)), "")
    return {one for one in found if one[0] == level} or found


def run(versions: list[Files], packages: list[str], tool: str) -> Came:
    """Return what comes of the last of `versions`, the first being the start."""
    trial = Trial(versions[0], packages, tool)
    try:
        came = Came()
        for files in versions[1:] if trial.is_steady else ():
            came = trial.step(files)
            if came.failed:
                break
        return came
    finally:
        trial.close()


def shrink(versions: list[Files], packages: list[str], came: Came, tool: str) -> tuple[list[Files], Came]:
    """Return the smallest versions found that fail alike, and how they fail."""
    wanted, until = _gravest(came), time.monotonic() + _SECONDS
    best, how = versions, came

    def fails(tried: list[Files]) -> bool:
        nonlocal best, how
        if time.monotonic() > until:
            raise TimeoutError
        if not all(_is_whole(files) for files in tried):
            return False
        found = run(tried, packages, tool)
        if sign(found) & wanted:
            best, how = tried, found
            return True
        return False

    with contextlib.suppress(TimeoutError):
        _fewer_versions(lambda: best, fails)
        _fewer_files(lambda: best, fails)
        _fewer_statements(lambda: best, fails)
    return best, how


def _is_whole(files: Files) -> bool:
    return all(parse(text) is not None for text in files.values())


def _fewer_versions(best: Callable[[], list[Files]], fails: Callable[[list[Files]], bool]) -> None:
    if fails(best()[-2:]):
        return
    index = 1
    while index < len(best()) - 1:
        if not fails(best()[:index] + best()[index + 1 :]):
            index += 1
    while len(best()) > 2 and fails(best()[1:]):
        pass


def _fewer_files(best: Callable[[], list[Files]], fails: Callable[[list[Files]], bool]) -> None:
    for path in sorted({path for files in best() for path in files}):
        fails([{name: text for name, text in files.items() if name != path} for files in best()])


def _fewer_statements(best: Callable[[], list[Files]], fails: Callable[[list[Files]], bool]) -> None:
    """Take out statements of modules, then what is inside those that are left, deeper and deeper."""
    fails([{path: _plain(text) for path, text in files.items()} for files in best()])
    for depth in range(_DEEPEST):
        keys = [key for key in _keys(best()) if key[1].count(".") == depth]
        size = max(1, len(keys) // 2)
        while keys and size:
            position = 0
            while position < len(keys):
                if fails([_without(files, set(keys[position : position + size])) for files in best()]):
                    del keys[position : position + size]
                else:
                    position += size
            size //= 2
        for key in [key for key in _keys(best()) if key[1].count(".") == depth]:
            fails([_emptied(files, key) for files in best()])


def _plain(text: str) -> str:
    """Return `text` without comments and blank lines."""
    tree = parse(text)
    return ast.unparse(tree) + "\n" if tree else text


Key = tuple[str, str, str]


def _keys(versions: list[Files]) -> Iterator[Key]:
    """Yield each statement by file, path and text of its first line: what is the same in several versions."""
    seen: dict[Key, None] = {}
    for files in versions:
        for path, text in files.items():
            tree = parse(text)
            for one in sites(tree) if tree else ():
                seen.setdefault((path, one.path, ast.unparse(one.node).partition("\n")[0]))
    yield from seen


def _without(files: Files, chosen: set[Key]) -> Files:
    return {path: _cut_all(path, text, chosen) for path, text in files.items()}


def _cut_all(path: str, text: str, chosen: set[Key]) -> str:
    tree = parse(text) if any(key[0] == path for key in chosen) else None
    above = 1 << 30
    for one in reversed(sites(tree) if tree else []):
        key = (path, one.path, ast.unparse(one.node).partition("\n")[0])
        if one.last < above and key in chosen and not isinstance(one.node, ast.Pass):
            text, above = cut(text, one), one.first
    return text


def _emptied(files: Files, key: Key) -> Files:
    """Return the files with the body of the definition `key` reduced to its last statement."""
    path = key[0]
    if path not in files:
        return files
    tree = parse(files[path])
    for one in sites(tree) if tree else ():
        node = one.node
        if isinstance(node, DEFINITIONS) and (path, one.path, ast.unparse(node).partition("\n")[0]) == key:
            node.body = [ast.Pass()] if isinstance(node, FUNCTIONS) else node.body[-1:]
            return {**files, path: replace(files[path], one, ast.unparse(node).splitlines())}
    return files
