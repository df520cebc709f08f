"""Django's models: methods are plain members; fields are contributed once, when the class is made. Its routes: what was
read of ``urlpatterns`` before is forgotten when they are another list. And what decorators register: template tags,
receivers of signals, classes of the admin.
"""

from __future__ import annotations

import importlib
import inspect
import pathlib
import sys
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from hotswap.adapters import ClassEdit, Registrar, Registrations, django_settings, is_a, live_classes, live_objects

_ADVICE: Final = "taken up when the model was made: make and run the migration, then restart"

_NOTE: Final = "django converters"

_READ: Final[dict[str, Callable[[], object]]] = {
    "url_patterns": list,
    "_reverse_dict": dict,
    "_namespace_dict": dict,
    "_app_dict": dict,
    "_callback_strs": set,
    "_populated": bool,
}
"""What a resolver has read of its patterns, with what makes it empty."""


class Django(Registrar):
    """See `hotswap.adapters.Adapter`, and `hotswap.adapters.Registrar` for the routes."""

    regenerates = False
    files = ("*.html", "*.htm", "*.xml", "*.txt", "**/templates/**", "*.mo")
    starting: frozenset[str] = frozenset({"connect"})
    remade = frozenset({"urlpatterns"})

    def reread(self, path: str) -> None:
        """Have templates and translations be loaded anew when they are asked for next, as its own server does."""
        if path.endswith(".mo"):
            translations: Any = importlib.import_module("django.utils.translation.reloader")
            translations.translation_file_changed(None, pathlib.Path(path))
        elif "django.template" in sys.modules:
            templates: Any = importlib.import_module("django.template.autoreload")
            templates.reset_loaders()

    def keeps(self, value: object) -> bool:
        """Whether statements register with `value`: a library of template tags, a signal, an admin site."""
        return any(True for _ in _containers(value))

    def forget(self, old: Registrations) -> None:
        """Watch what statements register with; a site refuses a second admin of a model."""
        for root in _roots(old):
            for container, objects in _containers(root):
                old.watch(container, objects, withdraw=container is getattr(root, "_registry", None))
        old.notes[_NOTE] = _written_into_routes()
        django_settings.note(old)

    def refresh(self, changes: Registrations) -> None:
        """Put what was registered at its place; have routes and templates read anew; set settings."""
        for root in _roots(changes):
            arranged = [changes.arrange(container) is not None for container, _ in _containers(root)]
            if any(arranged):
                changes.call(partial(_forget_computed, root))
        if changes.notes.get(_NOTE) != _written_into_routes():
            _write_routes(changes)
            forget_routes(changes)
        elif changes.rebound("urlpatterns"):
            forget_routes(changes)
        django_settings.renew(changes)

    def owns(self, cls: type) -> bool:
        """Whether `cls` is a model."""
        models: Any = sys.modules.get("django.db.models")
        return models is not None and models.Model in cls.__mro__[1:]

    def decorates(self, called: object) -> bool:
        """Models are made by their metaclass, not by decorators."""
        return False

    def fixed(self, cls: type, name: str, maker: object, annotation: str) -> str:
        """Fields, managers and the options in ``Meta`` are."""
        meta: Any = vars(cls)["_meta"]
        held = {field.name for field in (*meta.local_fields, *meta.local_many_to_many)} | {
            one.name for one in meta.local_managers
        }
        return _ADVICE if name in held or name == "Meta" or hasattr(maker, "contribute_to_class") else ""

    def renew(self, edit: ClassEdit) -> bool:
        """Nothing is regenerated."""
        return True

    def follow(self, edit: ClassEdit) -> list[object]:
        """Give managers that were made from a query set the methods that it gained; they call those by name."""
        models: Any = sys.modules.get("django.db.models")
        if models is None or models.QuerySet not in edit.cls.__mro__:
            return []
        made = {edit.cls, *edit.below()}
        managers = [one for one in live_classes() if vars(one).get("_queryset_class") in made]
        for one in managers:
            manager: Any = one
            for name, method in manager._get_queryset_methods(manager._queryset_class).items():
                edit.journal.set_member(one, name, method)
        edit.commit()
        return []


def forget_routes(changes: Registrations) -> None:
    """Have the routes read anew, by the resolvers that exist as well: an ``include`` keeps one for ever."""
    urls: Any = sys.modules.get("django.urls")
    for resolver in live_objects(urls.URLResolver) if urls is not None else ():
        for name in _READ.keys() & vars(resolver).keys():
            changes.journal.note_attribute(resolver, name)
        vars(resolver).pop("url_patterns", None)  # of all these alone it is computed when it is asked for
        vars(resolver).update({name: make() for name, make in _READ.items() if name != "url_patterns"})
    if urls is not None:
        urls.clear_url_caches()


def _written_into_routes() -> dict[str, object]:
    """Return what the converters of routes match: it is written into the route of each pattern that names one."""
    known = getattr(sys.modules.get("django.urls.converters"), "REGISTERED_CONVERTERS", {})
    return {name: inspect.getattr_static(one, "regex", None) for name, one in known.items()}


def _write_routes(changes: Registrations) -> None:
    """Give each pattern that exists the regular expression of its converters as they are now."""
    resolvers: Any = sys.modules.get("django.urls.resolvers")
    if resolvers is None:
        return
    forget: Any = getattr(resolvers._route_to_regex, "cache_clear", None)
    if forget is not None:
        changes.journal.note(forget)
        forget()
    for pattern in live_objects(resolvers.RoutePattern):
        for name in ("_regex", "_regex_dict", "converters", "regex"):
            changes.journal.note_attribute(pattern, name)
        vars(pattern).pop("regex", None)  # compiled when it is asked for
        pattern._regex, pattern.converters = resolvers._route_to_regex(str(pattern._route), pattern._is_endpoint)
        pattern._regex_dict = {}


def _roots(registrations: Registrations) -> list[Any]:
    """Return what statements name, and the site that ``admin.register`` means if none is given."""
    site = getattr(sys.modules.get("django.contrib.admin.sites"), "site", None)
    return [one for one in (*registrations.roots, site) if one is not None]


def _containers(value: Any) -> Iterator[tuple[Any, Callable[[Any], tuple[object, ...]]]]:
    """Yield what `value` keeps registrations in, with what an entry stands for; ``admin.site`` is lazy."""
    if is_a(value, _kind("django.utils.functional", "LazyObject")):
        value = vars(value).get("_wrapped")
    if is_a(value, _kind("django.template.library", "Library")):
        yield from (
            (container, lambda item: (item[1], inspect.unwrap(item[1]))) for container in (value.filters, value.tags)
        )
    elif is_a(value, _kind("django.dispatch", "Signal")):
        yield value.receivers, _receiver
    elif is_a(value, _kind("django.contrib.admin.sites", "AdminSite")):
        yield value._registry, lambda item: (type(item[1]),)


def _kind(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, ())


def _receiver(entry: tuple[Any, ...]) -> tuple[object, ...]:
    """Return the receiver of a signal, which mostly stands behind a weak reference."""
    return (entry[1]() if isinstance(entry[1], weakref.ref) else entry[1],)


def _forget_computed(root: Any) -> None:
    if isinstance(root, _kind("django.dispatch", "Signal")):
        root.sender_receivers_cache.clear()
    elif isinstance(root, _kind("django.template.library", "Library")):
        importlib.import_module("django.template.autoreload").reset_loaders()


ADAPTER: Final = Django()
