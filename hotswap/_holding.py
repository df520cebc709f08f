"""What could not be applied: by module, the text that failed and why. It waits for the next save."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from hotswap._apply import Applied
from hotswap._findings import finding
from hotswap._model import Edit, Finding, Plan
from hotswap._prepare import Prepared
from hotswap.errors import StatementError

log = logging.getLogger("hotswap")


class Holding:
    """Modules whose edit is held, with the finding that says why."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[bytes, Finding]] = {}

    def __contains__(self, module: object) -> bool:
        return module in self._held

    @property
    def modules(self) -> tuple[str, ...]:
        """The names of the modules that are held."""
        return tuple(self._held)

    def findings(self) -> tuple[Finding, ...]:
        """Return why, for each module."""
        return tuple(found for _, found in self._held.values())

    def forget_texts(self) -> None:
        """Have everything that is held tried again, though it is the same text."""
        self._held = {name: (b"", found) for name, (_, found) in self._held.items()}

    def holds_already(self, prepared: Prepared) -> bool:
        """Whether nothing was saved since a group failed: then its statements are not run a second time."""
        if prepared.findings or prepared.told or not self._held:
            return False
        return all(self._held.get(name, (None,))[0] == prepared.fresh[name].packed for name in prepared.edits)

    def begin(self, prepared: Prepared) -> None:
        """Take up what could not be read; everything that was held is being tried again."""
        self._held = {name: (b"", found) for name, found in prepared.findings.items()}

    def hold_with(self, group: Iterable[str], broken: str, prepared: Prepared) -> None:
        """Hold the modules that belong to one whose file cannot be read."""
        for name in sorted(group):
            if name in prepared.edits:
                found = finding("HS306", prepared.edits[name].path, 1, module=name, other=broken)
                self._held[name] = (prepared.fresh[name].packed, found)

    def hold_group(self, plan: Plan, edits: list[Edit], prepared: Prepared, applied: Applied) -> None:
        """Hold the modules of a group that was taken back."""
        why = _why(applied, edits)
        blamed = _blamed(why, edits)
        for name in plan.group:
            other = finding("HS306", prepared.edits[name].path, 1, module=name, other=blamed)
            self._held[name] = (prepared.fresh[name].packed, why if name == blamed else other)


def _why(applied: Applied, edits: list[Edit]) -> Finding:
    error = applied.error
    if isinstance(error, StatementError):
        message = f"{type(error.error).__name__}: {error.error}".removesuffix(": ")
        return finding("HS303", error.path, error.lineno, message=message)
    if error is None:
        return next(found for found in applied.findings if found.code.startswith("HS1"))
    log.error("bug in hotswap", exc_info=error)
    return finding("HS304", edits[0].path, 1, message=f"{type(error).__name__}: {error}")


def _blamed(found: Finding, edits: list[Edit]) -> str:
    """Return the edited module whose file the finding names, else the first edited one."""
    edited = [edit for edit in edits if edit.edited]
    return next((edit.module for edit in edited if edit.path == found.path), edited[0].module)
