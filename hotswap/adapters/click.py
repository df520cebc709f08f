"""click: a group goes on with its commands, and has each once, by the name that it has now."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any

from hotswap.adapters import Registrar, Registrations, is_a


class Click(Registrar):
    """See `hotswap.adapters.Registrar`."""

    starting = frozenset({"add_command"})

    def keeps(self, value: object) -> bool:
        """Whether statements register with `value`."""
        return is_a(value, _kind("Group"))

    def forget(self, old: Registrations) -> None:
        """Watch the commands of the groups that statements name; what click alone has made is noted nowhere else."""
        for group in filter(self.keeps, old.roots):
            old.watch(group.commands, _made_of, by=("add_command",))
        for claim in old.claims:
            if claim.public and is_a(claim.public[0], _kind("Command")) and all(map(_is_own, old.decorated_by(claim))):
                old.found.add(id(claim.old))
                old.quiet.add(id(claim.old))

    def refresh(self, changes: Registrations) -> None:
        """Put them at their places."""
        for group in filter(self.keeps, changes.roots):
            changes.arrange(group.commands)

    def take_over(self, changes: Registrations, old: Any, new: Any) -> bool:
        """Give a group the settings of `new`, which its statement has just made: its commands are those it has."""
        if type(old) is not type(new) or not self.keeps(old):
            return False
        for name, value in vars(new).items():
            if name != "commands" and (value or name != "sources"):  # groups that another one was added to
                changes.set_now(old, name, value)
        old.commands.update(new.commands)
        return True


def _kind(name: str) -> Any:
    return getattr(sys.modules["click"], name, ())  # who edits click may take it out


def _is_own(decorator: object) -> bool:
    """Whether `decorator` is a function of click itself: it gives something, or marks what it gets."""
    return type(decorator) is FunctionType and decorator.__module__.partition(".")[0] == "click"


def _made_of(entry: Any) -> tuple[object, ...]:
    _, command = entry
    return command, getattr(command, "callback", None)


ADAPTER = Click()
