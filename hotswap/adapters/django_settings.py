"""Django's settings and middlewares: both are copied out of their modules when the program starts.

A setting that is another value now is set, as Django's own tests override one: who computed something from it hears the
signal that Django has for that. Middlewares are built into one another once; what they are built of may change.
"""

from __future__ import annotations

import importlib
import sys
from functools import partial
from types import CodeType, FunctionType
from typing import Any, Final

from hotswap.adapters import Registrations, live_objects

_NOTE: Final = "django middlewares"
_AT_START: Final = frozenset({"INSTALLED_APPS", "DATABASES", "LOGGING", "LOGGING_CONFIG"})
"""Settings that are taken up once, which is told as for any list that somebody still holds."""

_HOOKS: Final = ("process_view", "process_template_response", "process_exception")
_OWN: Final = frozenset({"get_response", "async_mode"})


def note(old: Registrations) -> None:
    """Note what the middlewares are made of."""
    settings = _settings()
    if settings is not None:
        old.notes[_NOTE] = _made_of(settings)


def renew(changes: Registrations) -> None:
    """Set the settings that are other values now, and have the middlewares built anew if they are others."""
    settings = _settings()
    if settings is None:
        return
    changed = changes.names_of(settings.SETTINGS_MODULE)
    module = sys.modules.get(settings.SETTINGS_MODULE)
    named = {name for name in changed if name.isupper() and name not in _AT_START and hasattr(module, name)}
    for name in sorted(named):
        _set(changes, settings, name, getattr(module, name))
    made_of = changes.notes.get(_NOTE)
    if "MIDDLEWARE" in named or (made_of is not None and made_of != _made_of(settings)):
        _build(changes)


def _settings() -> Any:
    """Return the settings that were read of a module, None where there are none."""
    conf: Any = sys.modules.get("django.conf")
    found = getattr(conf, "settings", None)
    wrapped = vars(found).get("_wrapped") if found is not None else None
    return wrapped if conf is not None and isinstance(wrapped, conf.Settings) else None


def _set(changes: Registrations, settings: Any, name: str, value: object) -> None:
    importlib.import_module("django.test.signals")  # connects those who have computed something from a setting
    lazy = sys.modules["django.conf"].settings
    changes.journal.note(partial(_send, name, getattr(settings, name, None)))
    changes.set_now(settings, name, value)
    changes.journal.note(partial(vars(lazy).pop, name, None))
    vars(lazy).pop(name, None)
    _send(name, value)


def _send(name: str, value: object) -> None:
    signals: Any = sys.modules["django.core.signals"]
    lazy = sys.modules["django.conf"].settings
    signals.setting_changed.send_robust(type(lazy), setting=name, value=value, enter=False)


def _made_of(settings: Any) -> dict[str, object]:
    """Return by name what building a middleware depends on: the hooks of a class, what else a function does."""
    found: dict[str, object] = {}
    for dotted in settings.MIDDLEWARE:
        module, _, name = dotted.rpartition(".")
        made = getattr(sys.modules.get(module), name, None)
        if isinstance(made, FunctionType):
            code = made.__code__
            found[dotted] = (code.co_names, *(repr(one) for one in code.co_consts if not isinstance(one, CodeType)))
        else:
            found[dotted] = tuple(hook for hook in _HOOKS if hasattr(made, hook))
    return found


def _build(changes: Registrations) -> None:
    """Have the middlewares built aside, with the state of those that there are."""
    base: Any = sys.modules["django.core.handlers.base"].BaseHandler
    asgi: Any = getattr(sys.modules.get("django.core.handlers.asgi"), "ASGIHandler", ())
    for serving in live_objects(*_below(base)):
        if vars(serving).get("_middleware_chain") is None:
            continue
        before = _middlewares(vars(serving).values())
        aside = object.__new__(type(serving))
        vars(aside).update(vars(serving))
        aside.load_middleware(is_async=isinstance(serving, asgi))
        for one in _middlewares(vars(aside).values()):
            old = next((other for other in before if type(other) is type(one)), None)
            if old is not None and old is not one and hasattr(one, "__dict__"):
                vars(one).update({name: value for name, value in vars(old).items() if name not in _OWN})
        for name, value in vars(aside).items():
            if vars(serving).get(name) is not value:
                changes.set(serving, name, value)


def _below(cls: type) -> list[type]:
    found: list[type] = type.__subclasses__(cls)
    return [cls, *(one for below in found for one in _below(below))]


def _middlewares(found: Any) -> list[Any]:
    """Return the middlewares that are built into one another from those in `found` on."""
    waiting, seen = list(found), list[Any]()
    while waiting:
        one = waiting.pop(0)
        one = getattr(one, "__self__", one)
        if isinstance(one, FunctionType):
            waiting += (cell.cell_contents for cell in one.__closure__ or ())
        elif isinstance(one, list):
            waiting += one
        elif "get_response" in getattr(one, "__dict__", ()) and one not in seen:
            seen.append(one)
            waiting.append(one.get_response)
    return seen
