"""The frame of a call that is judged: the names that a function closes over, and its parameters."""

from __future__ import annotations

import functools
from types import FunctionType

from hotswap._quiet._annotated import annotated
from hotswap._quiet._scope import find_global
from hotswap._quiet._values import UNKNOWN, Arguments, Frame, Local, Value, is_unknown, know


def open_closure(function: FunctionType) -> Frame | None:
    """Return a frame of the free variables of `function`, as they are now."""
    if not function.__closure__:
        return None
    frame = Frame(functools.partial(find_global, function.__globals__))
    for name, cell in zip(function.__code__.co_freevars, function.__closure__, strict=True):
        try:
            frame.names[name] = know(cell.cell_contents)
        except ValueError:  # not filled yet
            frame.names[name] = UNKNOWN
    return frame


def bind_parameters(local: Local, frame: Frame, given: Arguments) -> None:
    """Bind the parameters of a function to what it is given, or to their defaults."""
    spec = local.node.args
    places = [*spec.posonlyargs, *spec.args]
    defaults = dict(zip([arg.arg for arg in reversed(places)], reversed(local.defaults), strict=False))
    defaults.update(local.keywords)
    for arg in (*places, *spec.kwonlyargs):
        default = UNKNOWN if given.open else defaults.get(arg.arg, UNKNOWN)
        frame.names[arg.arg] = given.names.get(arg.arg, default)
    for arg, value in zip(places, given.values, strict=False):
        frame.names[arg.arg] = value
    for arg in (*places, *spec.kwonlyargs):
        if is_unknown(frame.names[arg.arg]):
            frame.names[arg.arg] = Value(kind=annotated(arg.annotation))
    if spec.vararg:
        rest = () if given.open else given.values[len(places) :]
        frame.names[spec.vararg.arg] = Value(kind=tuple, own=True, parts=rest)
    if spec.kwarg:
        frame.names[spec.kwarg.arg] = Value(kind=dict, own=True)
    if places:
        frame.receiver = frame.names[places[0].arg]
