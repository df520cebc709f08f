"""What applying asks of the process: which code is the project's, where a function is defined, how a module is run."""

from __future__ import annotations

import ast
import sys
from types import FunctionType, ModuleType
from typing import Any

from hotswap._apply import Surroundings
from hotswap._loader import Body, reload_with
from hotswap._loader._baselines import text_of
from hotswap._process import Process
from hotswap._quiet import Definition
from hotswap._settings import Settings
from hotswap._text._source import find_definition


def make(process: Process, settings: Settings, forced: dict[int, str] | None = None) -> Surroundings:
    """Return the surroundings for one swap; syntax trees that it asks for are kept as long as it lasts.

    `forced` are the ids of statements that run because somebody asked for it, or are stale for the reason given.
    """
    trees: dict[str, ast.Module] = {}

    def is_project(thing: ModuleType | FunctionType) -> bool:
        names: dict[str, Any] = thing.__globals__ if type(thing) is FunctionType else vars(thing)
        return names.get("__name__") in process.baselines

    def definition(function: FunctionType) -> Definition | None:
        module = function.__globals__.get("__name__", "")
        baseline = process.baselines.get(module)
        if baseline is None:
            return None
        if module not in trees:
            trees[module] = ast.parse(text_of(baseline))
        return find_definition(trees[module], function.__code__)

    def run_in(module: ModuleType, body: Body) -> None:
        reload_with(process.finder, module, body)

    def mentions(text: str, module: str) -> bool:
        others = (process.baselines.get(name) for name in process.baselines if name != module)
        return any(text in text_of(other) for other in others if other is not None)

    def known_text(module: str) -> str:
        baseline = process.baselines.get(module)
        return text_of(baseline) if baseline is not None else ""

    keep, rerun = frozenset(settings.keep), frozenset(settings.rerun)
    return Surroundings(
        sys.modules,
        is_project,
        definition,
        run_in,
        keep=keep,
        rerun=rerun,
        forced=forced or {},
        departed=process.departed(),
        severities=settings.severities,
        of_code=frozenset(process.baselines.of_code),
        mentions=mentions,
        known_text=known_text,
        imports=process.first_imports,
        is_kept=process.remains.is_kept,
    )
