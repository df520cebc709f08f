"""Django's models: methods are plain members; fields are contributed once, when the class is made."""

from __future__ import annotations

import importlib
import pathlib
import sys
from typing import Any, Final

from hotswap.adapters import ClassEdit, live_classes

_ADVICE: Final = "taken up when the model was made: make and run the migration, then restart"


class Django:
    """See `hotswap.adapters.Adapter`."""

    regenerates = False
    files = ("*.html", "*.mo")

    def reread(self, path: str) -> None:
        """Have templates and translations be loaded anew when they are asked for next, as its own server does."""
        if path.endswith(".mo"):
            translations: Any = importlib.import_module("django.utils.translation.reloader")
            translations.translation_file_changed(None, pathlib.Path(path))
        elif "django.template" in sys.modules:
            templates: Any = importlib.import_module("django.template.autoreload")
            templates.reset_loaders()

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
