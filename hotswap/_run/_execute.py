"""Stage 9: run chosen statements, their stores buffered, so that nothing is visible before the wave is set.

``exec(code, namespace, stores)``: names that the statement binds land in `stores`; names that it reads are looked up
there first, then in the module. Functions that it makes have the module's own dictionary as their globals.
"""

from __future__ import annotations

import builtins
import contextlib
import os
from collections.abc import Container, Iterator, Mapping
from types import CellType, CodeType, FrameType, TracebackType
from typing import Any

from hotswap._errors import StatementError
from hotswap._findings import line_in
from hotswap._loader import is_hidden
from hotswap._run._journal import MISSING

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
Cells = tuple[CellType | None, ...]
_BOUND_BY_ITSELF = frozenset(
    "__module__ __qualname__ __classcell__ __firstlineno__ __static_attributes__ __classdictcell__ "
    "__annotate_func__ __conditional_annotations__ __type_params__".split()
)


class _Bound(dict[str, Any]):
    """What statements bound. `gone` are names that they deleted, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: dict[str, None] = {}

    def __setitem__(self, name: str, value: object) -> None:
        super().__setitem__(name, value)
        self.gone.pop(name, None)

    def __delitem__(self, name: str) -> None:
        self.pop(name, None)
        self.gone[name] = None


class Stores(_Bound):
    """What statements of one module bound since the last wave.

    ``__annotations__`` is asked for in the locals alone (SETUP_ANNOTATIONS), so a copy of the module's is given there.
    """

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        super().__init__()
        self._namespace = namespace

    def __missing__(self, name: str) -> object:
        if name != "__annotations__" or name not in self._namespace:
            raise KeyError(name)
        super().__setitem__(name, dict(self._namespace[name]))
        return self[name]

    def clear(self) -> None:
        """Forget everything, as after a commit."""
        super().clear()
        self.gone.clear()

    def __bool__(self) -> bool:
        return bool(len(self) or self.gone)


class Layer(_Bound):
    """The namespace of one run: what the statements bind stays here; reads go on to `members`, then to `outer`.

    `members` are those of a class that exists, `outer` the stores of the module. `hidden` are names that the module has
    as yet, though a fresh start would not find them there.
    """

    def __init__(self, members: Mapping[str, Any], outer: Mapping[str, Any], hidden: Container[str] = ()) -> None:
        super().__init__()
        self._members, self._outer, self._hidden = members, outer, hidden

    def __missing__(self, name: str) -> object:
        if name in self._hidden:
            if name in vars(builtins):
                return vars(builtins)[name]
            raise NameError(f"name {name!r} is not defined", name=name)
        value = self._members.get(name, MISSING)
        if value is MISSING:
            return self._outer[name]
        if name == "__annotations__":
            self[name] = value = dict(value)
        return value

    def written(self, stated: Container[str] = ()) -> Iterator[tuple[str, Any]]:
        """Yield the members that were bound, without what every class body binds by itself, if it is not `stated`."""
        yield from ((name, value) for name, value in self.items() if name not in _BOUND_BY_ITSELF or name in stated)


def run(
    code: CodeType, namespace: dict[str, Any], stores: Mapping[str, Any], path: str, lineno: int, closure: Cells = ()
) -> None:
    """Execute `code` with `namespace` as globals and `stores` as locals; `closure` has cells for its free variables.

    Raises StatementError, from whatever the statement raised (also SystemExit and KeyboardInterrupt), whose traceback
    then begins in the user's code.
    """
    try:
        cells: Any = closure or None  # None where the code has no free variables
        exec(code, namespace, stores, closure=cells)  # noqa: S102  the program's own statements
    except BaseException as error:
        error.__traceback__ = _user_frames(error.__traceback__, path)
        raise StatementError(error, path, line_in(error.__traceback__, path) or lineno) from error


def forget_frames(error: BaseException | None) -> None:
    """Let go what our own frames hold that an exception keeps alive: objects of a swap that was taken back.

    Who keeps the exception, such as a report, would keep them, and they would be taken for references of the program's.
    The frames of the program stay as they are, for debuggers.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        trace = error.__traceback__
        while trace is not None:
            _clear(trace.tb_frame)
            trace = trace.tb_next
        error = error.__cause__ or error.__context__


def _clear(frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_code.co_filename.startswith(_OURS) or is_hidden(frame.f_code):
            with contextlib.suppress(RuntimeError):  # it runs still: it is one of those that will go by themselves
                frame.clear()
        frame = frame.f_back


def _user_frames(traceback: TracebackType | None, path: str) -> TracebackType | None:
    """Cut our own frames off the top; keep everything if the user's file does not show up at all."""
    rest = traceback
    while rest is not None and rest.tb_frame.f_code.co_filename != path:
        rest = rest.tb_next
    return rest or traceback
