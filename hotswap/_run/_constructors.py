"""Constructors in the place of a class's own: CPython does not give a class back the one it had first.

One stands where ``__new__`` left, or where calls of a class are led to what took its place. It makes objects
of all other classes as the next constructor in the order of their bases does: bases may change behind it, and a class
that is made anew has all members of the old one, this among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import Parameter, Signature
from typing import Any, Final

from hotswap._run._values import attribute

_LEAD: Final = "hotswap_lead"
_PLAIN: Final = Signature([Parameter("cls", Parameter.POSITIONAL_ONLY)])  # that of a class without parameters


@dataclass(slots=True, eq=False)
class Lead:
    """What a constructor made here does: it calls `to`, if there is one, for the class of that number, else `own`.

    The class is known by its number: a reference would be found, and given the new class in its place.
    """

    number: int
    own: Any = None
    to: list[Any] = field(default_factory=list)


def constructor(lead: Lead) -> Any:
    """Return the ``__new__`` that does what `lead` says."""

    def __new__(cls: type, /, *args: Any, **kwargs: Any) -> Any:  # noqa: N807  it becomes the member of that name
        if id(cls) == lead.number and lead.to:
            return lead.to[0](*args, **kwargs)
        return lead.own(cls, *args, **kwargs) if lead.own is not None else _behind(lead, cls, *args, **kwargs)

    setattr(__new__, _LEAD, lead)
    return __new__


def stand_in(cls: type, lead: Lead | None = None) -> Callable[..., Any]:
    """Return a constructor for a class that has none any more; `inspect.signature` sees the class without it."""
    made: Any = constructor(lead or Lead(id(cls)))
    if cls.__init__ is not object.__init__:  # type: ignore[misc]  # it is asked whether it has its own
        return made.__call__  # type: ignore[no-any-return]  # which `inspect.signature` passes over, as over all of C
    made.__signature__ = _PLAIN
    return made  # type: ignore[no-any-return]


def own_constructor(cls: object) -> Any:
    """Return the function that `cls` itself has as its ``__new__``, if any."""
    return attribute(vars(cls).get("__new__"), "__func__", None) if issubclass(type(cls), type) else None


def lead_of(cls: object) -> Lead | None:
    """Return what the constructor of `cls` itself does, if it is one of those made here."""
    return _lead(own_constructor(cls))


def _lead(own: object) -> Lead | None:
    found = (attribute(one, _LEAD) for one in (own, attribute(own, "__self__")))
    return next((one for one in found if type(one) is Lead), None)


def without_lead(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a class with its own constructor, or none, in the place of one that was made here."""
    given = dict(members)
    lead = _lead(attribute(given.get("__new__"), "__func__", None))
    if lead is not None and lead.own is not None:
        given["__new__"] = staticmethod(lead.own)
    elif lead is not None:
        del given["__new__"]
    return given


def _behind(lead: Lead, cls: Any, /, *args: Any, **kwargs: Any) -> Any:
    above = next(one for one in cls.__mro__ if lead_of(one) is lead)
    made = super(above, cls).__new__
    if made is not object.__new__:
        return made(cls, *args, **kwargs)
    if (args or kwargs) and cls.__init__ is object.__init__:
        raise TypeError(f"{cls.__name__}() takes no arguments")
    return made(cls)
