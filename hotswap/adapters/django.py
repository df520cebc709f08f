"""Django's models: methods are plain members; fields are contributed once, when the class is made. And its routes: what
was read of ``urlpatterns`` before is forgotten when they are another list.
"""

from __future__ import annotations

import importlib
import pathlib
import sys
from collections.abc import Callable
from typing import Any, Final

from hotswap.adapters import ClassEdit, Registrations, live_classes, live_objects

_ADVICE: Final = "taken up when the model was made: make and run the migration, then restart"

_READ: Final[dict[str, Callable[[], object]]] = {
    "url_patterns": list,
    "_reverse_dict": dict,
    "_namespace_dict": dict,
    "_app_dict": dict,
    "_callback_strs": set,
    "_populated": bool,
}
"""What a resolver has read of its patterns, with what makes it empty."""


class Django:
    """See `hotswap.adapters.Adapter`, and `hotswap.adapters.Registrar` for the routes."""

    regenerates = False
    files = ("*.html", "*.htm", "*.xml", "*.txt", "**/templates/**", "*.mo")
    starting: frozenset[str] = frozenset()

    def reread(self, path: str) -> None:
        """Have templates and translations be loaded anew when they are asked for next, as its own server does."""
        if path.endswith(".mo"):
            translations: Any = importlib.import_module("django.utils.translation.reloader")
            translations.translation_file_changed(None, pathlib.Path(path))
        elif "django.template" in sys.modules:
            templates: Any = importlib.import_module("django.template.autoreload")
            templates.reset_loaders()

    def keeps(self, value: object) -> bool:
        """Routes are values of modules: nothing registers them."""
        return False

    def forget(self, old: Registrations) -> None:
        """Nothing is in the way."""

    def take_over(self, changes: Registrations, old: Any, new: Any) -> bool:
        """No object goes on for another."""
        return False

    def tends(self, cls: type) -> bool:
        """Live objects are left to themselves."""
        return False

    def refresh(self, changes: Registrations) -> None:
        """Have the routes read anew, by the resolvers that exist as well: an ``include`` keeps one for ever."""
        urls: Any = sys.modules.get("django.urls")
        if urls is None or not changes.rebound("urlpatterns"):
            return
        for resolver in live_objects(urls.URLResolver):
            for name in _READ.keys() & vars(resolver).keys():
                changes.journal.note_attribute(resolver, name)
            vars(resolver).pop("url_patterns", None)  # of all these alone it is computed when it is asked for
            vars(resolver).update({name: make() for name, make in _READ.items() if name != "url_patterns"})
        urls.clear_url_caches()

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


ADAPTER: Final = Django()
