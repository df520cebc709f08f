"""Which names of other modules stand for what a finding names: what is kept is handed on by imports as it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import lru_cache

from edits import Names, made_of, module_of
from told import Claim

CODES = ("HS201", "HS226")


def handed_on(files: Mapping[str, str], found: Claim) -> Iterator[Claim]:
    """Yield what else is told with `found`: what other modules import of it, and make of that."""
    waiting, known = [(found.module, found.names)], {found.module}
    for module, names in waiting if found.code in CODES else ():
        for path, text in files.items():
            if module_of(path) not in known and (given := _given(path, text, module, names)):
                known.add(module_of(path))
                given = made_of(text.encode(), given)
                waiting.append((module_of(path), given))
                yield Claim(found.code, module_of(path), given)


def _given(path: str, text: str, module: str, names: Names) -> Names:
    own = [(name, alias) for source, name, alias in _imports(path, text) if source == module]
    return frozenset().union(
        *(names if name == "*" else {alias} for name, alias in own if name == "*" or name in names)
    )


@lru_cache(maxsize=256)
def _imports(path: str, text: str) -> tuple[tuple[str, str, str], ...]:
    """Return module, name there and name here of all from-imports of a text."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return ()
    package = module_of(path).split(".")
    package = package if path.endswith("__init__.py") else package[:-1]
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return tuple((_source(node, package), one.name, one.asname or one.name) for node in nodes for one in node.names)


def _source(node: ast.ImportFrom, package: list[str]) -> str:
    above = package[: len(package) - node.level + 1] if node.level else []
    return ".".join([*above, *([node.module] if node.module else [])])
