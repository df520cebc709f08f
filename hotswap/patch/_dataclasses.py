"""Dataclasses: what the decorator wrote is written anew, aside, and taken over by the class that exists.

The decorator is applied to a twin: an empty class with the same bases, on which the texts' own members and the fields
have been put. So no thread ever sees the class without its ``__init__``, and everything goes through the journal.
"""

from __future__ import annotations

import copy
import dataclasses
import re
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from inspect import get_annotations
from operator import is_not
from typing import Any, Final
from weakref import WeakValueDictionary

from hotswap._run._constructors import without_lead
from hotswap._run._journal import MISSING, Journal
from hotswap._run._values import attribute
from hotswap.patch._classes import subclasses
from hotswap.patch._proxies import forward
from hotswap.patch._twins import detach, is_twin, twin_of

_FIELDS: Final = "__dataclass_fields__"
_PARAMS: Final = "__dataclass_params__"
_FLAGS: Final = ("init", "repr", "eq", "order", "unsafe_hash", "frozen", "match_args", "kw_only")
_BY_LAYOUT: Final = ("slots", "weakref_slot")
_LAID_OUT: Final = ("__dict__", "__weakref__", "__slots__", "_abc_impl")
_OWN_STATE: Final = ("__getstate__", "__setstate__")
_LEFT: Final[WeakValueDictionary[tuple[int, str], types.FunctionType]] = WeakValueDictionary()
"""What the decorator had written on classes that are no dataclasses for now, by their ids and its name."""


def params_of(cls: type) -> dict[str, bool]:
    """Return the arguments that ``@dataclass`` was given, but for those that lay out the class.

    Before 3.12 two of them were not kept; what the class has tells one of them, and the fields remember the other.
    """
    held = vars(cls)[_PARAMS]
    given = {name: getattr(held, name) for name in _FLAGS if hasattr(held, name)}
    return {"match_args": "__match_args__" in vars(cls), **given}


def annotations_of(cls: type) -> dict[str, Any]:
    """Return the annotations of `cls` itself as the decorator asks for them: lazy ones as far as they can be
    evaluated.
    """
    if sys.version_info >= (3, 14):
        import annotationlib  # PEP 649

        return annotationlib.get_annotations(cls, format=annotationlib.Format.FORWARDREF)
    return get_annotations(cls)


def has_slots(cls: type) -> bool:
    """Whether the decorator made the class anew, with slots for its fields."""
    return "__slots__" in vars(cls) and _FIELDS in vars(cls)


def _given(cls: type, name: str) -> Any:
    """Return what the text of `cls` gave the field `name`, to be decorated again; MISSING if it gave nothing.

    The field itself remembers it. The value of a class variable is the program's, whatever its text once said.
    """
    held = vars(cls).get(_FIELDS, {}).get(name)
    if held is None or held._field_type is dataclasses._FIELD_CLASSVAR:  # type: ignore[attr-defined]  # no public name
        return vars(cls).get(name, MISSING)
    return copy.copy(held)


def undecided(held: Any) -> Any:
    """Return a copy of a field that leaves it to the decorator whether it is a keyword."""
    field = copy.copy(held)
    field.kw_only = dataclasses.MISSING
    return field


def is_generated(cls: type, name: str, value: Any) -> bool:
    """Whether the decorator put the member `name` on `cls`."""
    if name in (_FIELDS, _PARAMS):
        return True
    if name == "__match_args__":
        fields = vars(cls)[_FIELDS].values()
        return bool(value == tuple(f.name for f in fields if f.init and not f.kw_only))
    if name == "__doc__":
        return type(value).__name__ == "_AutoDocstring" or (
            isinstance(value, str) and bool(re.fullmatch(rf"{cls.__name__}\(((\*, )?\w+: ?.+)?\)", value))
        )
    if name == "__hash__":
        return value is None or _is_written(value)
    return name.startswith("__") and _is_written(value)


def _is_written(value: Any) -> bool:
    """Generated methods are compiled from a string, or are `dataclasses`' own."""
    value = attribute(value, "__wrapped__", value)
    if type(value) is not types.FunctionType:
        return False
    return value.__code__.co_filename == "<string>" or value.__globals__.get("__name__") == "dataclasses"


def text_members(cls: type, members: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """Return those of `members`, the class's, that its text or the program made, `fields` left out."""
    left_out = {*_LAID_OUT, *fields, *(("__doc__",) if members.get("__doc__") is None else ())}
    is_ours, own = _FIELDS in vars(cls), without_lead(members)
    return {n: v for n, v in own.items() if n not in left_out and not (is_ours and is_generated(cls, n, v))}


def fields_of(cls: type, stated: Mapping[str, Any], annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands behind each annotated name of `cls`: what it was `stated` to be now, else what it was."""
    given = {name: stated[name] if name in stated else _given(cls, name) for name in annotations}
    return {name: value for name, value in given.items() if value is not MISSING}


def defaults_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return `fields` with the defaults that they state, for a class that is no dataclass any more."""
    given = {name: one.default if isinstance(one, dataclasses.Field) else one for name, one in fields.items()}
    return {name: value for name, value in given.items() if value is not dataclasses.MISSING}


def renew(
    journal: Journal,
    cls: type,
    members: Mapping[str, Any],
    stated: Mapping[str, Any],
    annotations: Mapping[str, Any],
    decorate: Callable[[type], object],
    module: str = "",
) -> bool:
    """Record on `cls` what `decorate`, a ``@dataclass`` without slots, makes of its `members` and annotated fields.

    `stated` are the fields whose statement ran just now, with their values, MISSING for those without. `module` is the
    one that defines the class, which may say that it is another's. Return whether
    the class could take it: one with slots for its fields cannot have others. Raises what `decorate` raises, such as
    TypeError for a field without default behind one with.
    """
    fields = fields_of(cls, stated, annotations)
    implied = {"__hash__": None} if "__eq__" in members else {}
    twin = twin_of(cls, {**implied, **members, **fields, "__annotations__": dict(annotations)})
    twin.__module__ = module or cls.__module__
    decorate(twin)
    detach(twin)
    if has_slots(cls) and _new_slots(cls, twin) != own_slots(cls):
        return False
    _keep_layout(cls, twin)
    _order_slots(journal, cls, twin)
    made = dict(vars(twin))
    kept = {name for name in annotations if name not in stated}
    stays = {*members, *_LAID_OUT, "__module__", "__annotations__", *_slots(cls), *kept}
    for name, value in made.items():
        if name not in stays:  # though it looks the same: what is there may be about to go
            _take_place(journal, cls, name, _belonging_to(cls, twin, value), members)
    for name in [n for n, v in vars(cls).items() if n not in made and n not in stays and _is_stale(cls, n, v, stated)]:
        journal.del_member(cls, name)
    return True


def _take_place(journal: Journal, cls: type, name: str, value: Any, members: Mapping[str, Any]) -> None:
    """Record a member that the decorator wrote; one of before that somebody holds leads to it, an equal one stays, and
    so does one that the text has among `members`, by another name.
    """
    old = vars(cls).get(name) or _LEFT.get((id(cls), name))
    if any(one is old for one in members.values()):
        old = None
    if type(old) is not types.FunctionType or type(value) is not types.FunctionType:
        journal.set_member(cls, name, value)
    elif not _is_same(old, value):
        journal.set_member(cls, name, value)
        forward(journal, old, value)
    else:
        if name not in vars(cls):
            journal.set_member(cls, name, old)
        if old.__qualname__ != value.__qualname__:  # the class got another name
            journal.set_attribute(old, "__qualname__", value.__qualname__)


def _is_same(old: types.FunctionType, new: types.FunctionType) -> bool:
    if old.__code__ != new.__code__ or old.__globals__ is not new.__globals__ or old.__module__ != new.__module__:
        return False
    held = [[cell.cell_contents for cell in one.__closure__ or ()] for one in (old, new)]
    given = [[*(one.__defaults__ or ()), *(one.__kwdefaults__ or {}).values()] for one in (old, new)]
    if any(len(one) != len(other) or any(map(is_not, one, other)) for one, other in (held, given)):
        return False
    return get_annotations(old) == get_annotations(new)


def _is_stale(cls: type, name: str, value: Any, stated: Mapping[str, Any]) -> bool:
    if name in _OWN_STATE and has_slots(cls):
        return False
    return name in stated or (_FIELDS in vars(cls) and is_generated(cls, name, value))


def _new_slots(cls: type, twin: type) -> frozenset[str]:
    """Return the names that the decorator would give the class slots for."""
    inherited = {name for base in cls.__mro__[1:] for name in _slots(base)}
    return frozenset(f.name for f in dataclasses.fields(twin)) - inherited


def _order_slots(journal: Journal, cls: type, twin: type) -> None:
    """Record the order of the fields for the slots that the decorator gave `cls`; they are laid out as they were."""
    held = vars(cls).get("__slots__")
    order = [f.name for f in dataclasses.fields(twin)]
    if has_slots(cls) and type(held) is tuple and list(held) != (found := [n for n in order if n in held]):
        journal.set_member(cls, "__slots__", (*found, *(name for name in held if name not in found)))


def _slots(cls: type) -> tuple[str, ...]:
    found = vars(cls).get("__slots__", ())
    return (found,) if isinstance(found, str) else tuple(found)


def _keep_layout(cls: type, twin: type) -> None:
    """Have the parameters say what is true of `cls`: the twin was made without slots."""
    old, new = vars(cls).get(_PARAMS), vars(twin)[_PARAMS]
    for name in _BY_LAYOUT:
        if hasattr(old, name):
            setattr(new, name, getattr(old, name))


def _belonging_to(cls: type, twin: type, value: Any) -> Any:
    """Return a generated member whose closure means `cls`: a frozen class's ``__setattr__`` compares with its own.

    So does that of the function which gives its annotations: it asks the bases of the class.
    """
    function = attribute(value, "__wrapped__", value)
    for one in (value, function, attribute(function, "__annotate__")):
        for cell in getattr(one, "__closure__", None) or ():
            if cell.cell_contents is twin:
                cell.cell_contents = cls
    return value


def strip(journal: Journal, cls: type, equal: object, stays: Iterable[str], *, documented: bool) -> None:
    """Record that what the decorator wrote on `cls` goes; fields without a plain default show what their text gave, as
    far as they are among those that it `stays` annotated with.

    `equal` is its ``__eq__`` of now, MISSING if it has none: one of the text's leaves the class unhashable. If the text
    has not `documented` the class, a docstring that begins as a signature is the decorator's, whatever it goes on with.
    """
    unhashable = equal is not MISSING and not _is_written(equal)
    for name, value in vars(cls).items():
        if name == "__doc__":
            signed = not documented and str(value).startswith(f"{cls.__name__}(")
            if signed or is_generated(cls, name, value):
                journal.set_member(cls, name, None)
        elif name == "__hash__" and unhashable and is_generated(cls, name, value):
            journal.set_member(cls, name, None)
        elif is_generated(cls, name, value):
            journal.del_member(cls, name)
            if type(value) is types.FunctionType:
                _LEFT[id(cls), name] = value
    for name in stays:
        given = _given(cls, name)
        if name not in vars(cls) and getattr(given, "default_factory", dataclasses.MISSING) is not dataclasses.MISSING:
            journal.set_member(cls, name, given)


def own_slots(cls: type) -> frozenset[str]:
    """Return the names that the class itself has slots for."""
    return frozenset(_slots(cls)) - {"__weakref__", "__dict__"}


def below(cls: type) -> list[type]:
    """Return the live dataclasses that inherit fields of `cls`, bases first."""
    found = [one for one in subclasses(cls) if one is not cls and _FIELDS in vars(one) and not is_twin(one)]
    return sorted(found, key=lambda one: len(one.__mro__))


def renew_inherited(journal: Journal, cls: type, module: str = "") -> None:
    """Record on a dataclass that inherits from one that changed what the decorator would write on it now.

    `module` is the one that defines it, where that is not the one that the decorator wrote for before.
    """
    decorate, fields = dataclasses.dataclass(**params_of(cls)), annotations_of(cls)
    renew(journal, cls, text_members(cls, vars(cls), fields), {}, fields, decorate, module or _home_of(cls))


def _home_of(cls: type) -> str:
    """Return the module that the decorator wrote for, "" if it wrote nothing: a package may say since that the class is
    its own.
    """
    written = (attribute(one, "__wrapped__", one) for name, one in vars(cls).items() if is_generated(cls, name, one))
    texts = (one for one in written if type(one) is types.FunctionType and one.__code__.co_filename == "<string>")
    return next((str(one.__globals__.get("__name__", "")) for one in texts), "")
