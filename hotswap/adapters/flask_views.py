"""Classes of views: Flask asks for the methods that one has when the class is made, and again when it is registered."""

from __future__ import annotations

import sys
from typing import Any, Final

from hotswap.adapters import Registrations, live_objects

_NOTE: Final = "flask views"


def note(old: Registrations) -> None:
    """Note what is asked of classes of views: which methods those have that did not say so, and which decorators."""
    library: Any = sys.modules.get("flask.views")
    found = [] if library is None else _below(library.View)
    methods = {cls: now for cls in found if library.MethodView in cls.__mro__ and (now := _methods(cls)) == _said(cls)}
    old.notes[_NOTE] = (methods, {cls: cls.decorators for cls in found})  # type: ignore[attr-defined]


def renew(changes: Registrations) -> None:
    """Have routes take the methods that their classes have now; tell of decorators, which only ``as_view`` calls."""
    library: Any = sys.modules["flask"]
    methods, decorators = changes.notes[_NOTE]
    for cls in [cls for cls, before in decorators.items() if cls.decorators is not before]:
        place = changes.place_of(cls)
        if place is not None:
            name = f"{cls.__qualname__}.decorators"
            changes.tell(place[0], "HS218", place[1], name=name, who=f"{cls.__qualname__}.as_view()")
    others = {cls: (was, now) for cls, was in methods.items() if (now := _methods(cls)) != was}
    for cls, (_, now) in others.items():
        changes.journal.set_member(cls, "methods", now)
    for application in objects_of(library.Flask) if others else ():
        for rule in application.url_map.iter_rules():
            view: Any = application.view_functions.get(rule.endpoint)
            both = others.get(getattr(view, "view_class", None))
            if both is not None and rule.methods is not None and both[0] <= rule.methods:
                changes.set(view, "methods", both[1])
                changes.set(rule, "methods", _answered(rule.methods - _answered(both[0]), both[1]))


def _said(cls: type) -> object:
    return vars(cls).get("methods")


def objects_of(cls: type) -> list[Any]:
    """Return the live objects of `cls` and of the classes below it."""
    return live_objects(cls, *_below(cls))


def _answered(methods: Any, more: Any = frozenset()) -> set[str]:
    """Return the methods that a rule answers: a GET answers a HEAD as well."""
    found = {*methods, *more}
    return found | {"HEAD"} if "GET" in found else found


def _methods(cls: Any) -> set[str]:
    """Return what ``MethodView.__init_subclass__`` makes of a class."""
    known: Any = sys.modules["flask.views"]
    inherited = {method for base in cls.__bases__ for method in getattr(base, "methods", None) or ()}
    return inherited | {key.upper() for key in known.http_method_funcs if hasattr(cls, key)}


def _below(cls: type) -> list[type]:
    found: list[type] = type.__subclasses__(cls)
    return [*found, *(one for below in found for one in _below(below))]
