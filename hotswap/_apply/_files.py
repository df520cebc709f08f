"""Files that are new, or have another name: what they define takes the place of what left another module."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FunctionType, MemberDescriptorType, ModuleType
from typing import TYPE_CHECKING, Any

from hotswap._apply import _replaced
from hotswap._apply._moved_classes import is_made_anew, put_in
from hotswap._apply._moves import LIKE, has_file, removed
from hotswap._model import Kind, Statement
from hotswap._run._journal import CONTAINERS
from hotswap._run._values import is_a
from hotswap._text._diff import diff
from hotswap._text._source import read
from hotswap.patch import _generated
from hotswap.patch._proxies import forward

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap


def follow_files(swap: Swap) -> None:
    """Let what a module that was imported just now, or whose file came back, defines take the place of what left
    another one, or of what one defined whose file is gone.

    So does a file that got another name: objects of its classes move, and its old functions forward.
    """
    back = [work.module for work in swap.works.values() if work.edit.edited and not work.edit.old.statements]
    if not back and not sys.modules.keys() - swap.known:
        return
    came = [*back, *(module for name, module in _project(swap) if name not in swap.known)]
    renamed: dict[str, ModuleType] = {}
    for old, name, was, statement in list(_homeless(swap)) if came else ():
        for new in came:
            now: Any = vars(new).get(name)
            if (_home(was), _home(now)) == (old, new.__name__) and was is not now and _are_alike(was, now):
                if statement is None:
                    renamed[old] = new
                if is_a(was, type):
                    _keep_state(swap, statement, was, now)
                    _replaced.leave_class(swap, next(iter(swap.works.values())), name, was, now)
                else:
                    forward(swap.journal, was, now)
    swap.given_away |= renamed.keys()
    for old, new in renamed.items():
        _tell_filled(swap, f"{old}.", vars(sys.modules[old]), vars(new))


def _keep_state(swap: Swap, statement: Statement | None, was: type, now: type) -> None:
    """Give the class that has come what the program put into the old one, where both texts say the same of it.

    Nothing is known of the text of a file that is gone: what it said is not compared, and what is lost is told.
    """
    if statement is None:
        _tell_filled(swap, f"{was.__name__}.", vars(was), vars(now))
        return
    if _generated.kind_of(was):
        return
    module = sys.modules[now.__module__]
    path = str(vars(module).get("__file__"))
    text = read(Path(path).read_bytes(), module.__name__, path)
    there = next((one for one in text.statements if one.kind is Kind.CLASS and one.binds[-1] == now.__name__), None)
    for pair in diff(statement.children, there.children).unchanged if there is not None else ():
        for name in pair.new.binds if pair.new.kind is Kind.ASSIGN and not is_made_anew(pair.new, was) else ():
            if name in vars(was) and name in vars(now) and type(vars(was)[name]) is not MemberDescriptorType:
                put_in(swap.journal, vars(was)[name], vars(was), vars(now))
                swap.journal.set_member(now, name, vars(was)[name])


def _tell_filled(swap: Swap, prefix: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Tell of containers that hold more or less than those that took their place."""
    for name, held in was.items():
        made: Any = now.get(name)
        if name[:2] != "__" and type(held) in CONTAINERS and type(made) is type(held) and len(held) != len(made):
            swap.tell(next(iter(swap.works.values())), "HS223", 1, name=prefix + name)


def _homeless(swap: Swap) -> Iterator[tuple[str, str, Any, Statement | None]]:
    """Yield module, name, object and statement of definitions that left their module's text; without a statement those
    whose file is gone.
    """
    for module, work in swap.works.items():
        for statement in removed(work.edit.diff) if work.edit.edited else ():
            name = statement.binds[-1]
            if (was := work.before.get(name)) is not None and vars(work.module).get(name) is not was:
                yield module, name, was, statement
    for module, gone in _project(swap):
        if module in swap.known and not has_file(gone):
            yield from ((module, name, vars(gone)[name], None) for name in sorted(vars(gone)))


def _project(swap: Swap) -> list[tuple[str, ModuleType]]:
    found: list[tuple[str, Any]] = list(sys.modules.items())  # a program may put anything there
    return [(name, one) for name, one in found if is_a(one, ModuleType) and swap.is_project(one)]


def _home(value: object) -> object:
    """Return the module of a function or class; None of anything else."""
    return value.__module__ if is_a(value, type) or type(value) is FunctionType else None


def _are_alike(old: Any, new: Any) -> bool:
    """Whether the two are the same sort of thing, and share half of their names."""
    if type(old) is FunctionType is type(new):
        sides = ({*one.__code__.co_names, *one.__code__.co_varnames} for one in (old, new))
    elif is_a(old, type) and is_a(new, type):
        sides = ({name for name in vars(one) if not name.startswith("__") or name == "__init__"} for one in (old, new))
    else:
        return False
    was, now = sides
    return len(was & now) >= LIKE * len(was | now)
