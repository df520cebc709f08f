"""What could not be applied: by module, the text that failed and why. It waits for the next save."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import traceback
from collections.abc import Container, Iterable, Iterator
from importlib.machinery import PathFinder
from typing import Final

from hotswap._apply import Applied
from hotswap._errors import HookError, StatementError
from hotswap._findings import finding
from hotswap._loader._baselines import Packed
from hotswap._model import Edit, Finding, Plan, Severity
from hotswap._modules import signature
from hotswap._plan._prepare import Prepared

log = logging.getLogger("hotswap")

_RAISED: Final = {ImportError: "HS313", ModuleNotFoundError: "HS313", SystemExit: "HS314"}


class Holding:
    """Modules whose edit is held, with the finding that says why."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Packed | None, Finding]] = {}
        self._missed: dict[str, object] = {}

    def __contains__(self, module: object) -> bool:
        return module in self._held

    def __bool__(self) -> bool:
        return bool(self._held)

    @property
    def modules(self) -> tuple[str, ...]:
        """The names of the modules that are held."""
        return tuple(self._held)

    def findings(self) -> tuple[Finding, ...]:
        """Return why, for each module."""
        return tuple(found for _, found in self._held.values())

    def forget_texts(self) -> None:
        """Have everything that is held tried again, though it is the same text."""
        self._held = {name: (None, found) for name, (_, found) in self._held.items()}

    def settle(self, same: Container[str]) -> tuple[str, ...]:
        """Let go of modules whose file says again what runs, and return them; what waited with them is tried again."""
        settled = tuple(name for name in self._held if name in same)
        for name in settled:
            del self._held[name]
        if settled:
            self.forget_texts()
        return settled

    def holds_already(self, prepared: Prepared) -> bool:
        """Whether nothing was saved since a group failed: then its statements are not run a second time."""
        if prepared.findings or prepared.told or not self._held:
            return False
        if any(_state(what) != state for what, state in self._missed.items()):
            return False  # a file that no loaded module has, but that the failed import looked for
        return all(self._held.get(name, (None,))[0] == prepared.fresh[name].packed for name in prepared.edits)

    def begin(self, prepared: Prepared) -> None:
        """Take up what could not be read; everything that was held is being tried again."""
        self._held = {name: (None, found) for name, found in prepared.findings.items()}
        self._missed = {}

    def hold_with(self, group: Iterable[str], broken: str, prepared: Prepared) -> None:
        """Hold the modules that belong to one whose file cannot be read."""
        for name in sorted(group):
            if name in prepared.edits:
                found = finding("HS306", prepared.edits[name].path, 1, module=name, other=broken)
                self._held[name] = (prepared.fresh[name].packed, found)

    def hold_group(self, plan: Plan, edits: list[Edit], prepared: Prepared, applied: Applied) -> None:
        """Hold the modules of a group that was taken back."""
        why = why_not(applied, edits)
        self._missed |= {what: _state(what) for what in _looked_for(applied.error)}
        blamed = _blamed(why, edits)
        for name in plan.group:
            other = finding("HS306", prepared.edits[name].path, 1, module=name, other=blamed)
            self._held[name] = (prepared.fresh[name].packed, why if name == blamed else other)


def why_not(applied: Applied, edits: list[Edit]) -> Finding:
    """Return the finding for a group that was taken back."""
    error = applied.error
    if isinstance(error, HookError):
        return finding("HS318", error.path, error.lineno, name=error.name, message=str(error).removesuffix(": "))
    if applied.interrupt is not None:
        path, line = (error.path, error.lineno) if isinstance(error, StatementError) else (edits[0].path, 1)
        return finding("HS310", path, line)
    if isinstance(error, StatementError):
        message = f"{type(error.error).__name__}: {error.error}".removesuffix(": ")
        return finding(_RAISED.get(type(error.error), "HS303"), error.path, error.lineno, message=message)
    if error is None:
        refused = next(found for found in applied.findings if found.severity is Severity.REFUSED)
        return finding("HS316", refused.path, refused.lineno, refusal=refused.code, message=refused.message)
    log.error("bug in hotswap; please report it with this traceback", exc_info=error)
    return finding("HS304", edits[0].path, 1, message=f"{type(error).__name__}: {error}")


def _blamed(found: Finding, edits: list[Edit]) -> str:
    """Return the edited module whose file the finding names, else the first edited one."""
    edited = [edit for edit in edits if edit.edited] or edits
    return next((edit.module for edit in edited if edit.path == found.path), edited[0].module)


def _looked_for(error: BaseException | None) -> Iterator[str]:
    """Yield the modules that an import did not find, and the files on the way of the exception."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, ImportError) and error.name:
            yield error.name
        if isinstance(error, SyntaxError) and error.filename:
            yield error.filename
        for frame, _ in traceback.walk_tb(error.__traceback__):
            yield frame.f_code.co_filename
        error = error.__cause__ or error.__context__


def _state(what: str) -> object:
    """Return what would differ if the file `what`, or that of the module `what`, were another one."""
    if os.sep in what or what.endswith(".py"):
        return signature(what)
    parent = sys.modules.get(what.rpartition(".")[0])
    importlib.invalidate_caches()
    try:
        spec = PathFinder.find_spec(what, None if parent is None else vars(parent).get("__path__"))
    except (ImportError, ValueError, AttributeError):
        return None
    return None if spec is None else (spec.origin, signature(spec.origin or ""))
