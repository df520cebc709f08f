"""Django's forms, and serializers of its REST framework: their metaclasses collect fields when a class is made."""

from __future__ import annotations

import sys
from typing import Final

from hotswap.adapters import ClassEdit

_COLLECTED: Final = ("base_fields", "declared_fields", "_declared_fields")
_MADE: Final = (*_COLLECTED, "_meta", "media")


class Forms:
    """See `hotswap.adapters.Adapter`."""

    regenerates = True
    makes = frozenset({"Meta"})

    def owns(self, cls: type) -> bool:
        """Whether a metaclass collected the fields of `cls`."""
        return any(isinstance(vars(cls).get(name), dict) for name in _COLLECTED) and isinstance(cls, _metaclasses())

    def decorates(self, called: object) -> bool:
        """Such classes are made by their metaclass."""
        return False

    def fixed(self, cls: type, name: str, maker: object, annotation: str) -> str:
        """Any field may change."""
        return ""

    def renew(self, edit: ClassEdit) -> bool:
        """Take over the fields, for the classes that inherit them, too."""
        before = {name: vars(edit.cls).get(name, {}) for name in _COLLECTED}
        for name in (*_MADE, *edit.names):
            edit.take(name)
        for one in edit.below():
            for name in _COLLECTED:
                if name in vars(one):
                    own = {key: value for key, value in vars(one)[name].items() if before[name].get(key) is not value}
                    edit.journal.set_member(one, name, {**vars(edit.fresh).get(name, {}), **own})
        edit.commit()
        return True


def _metaclasses() -> tuple[type, ...]:
    forms, rest = sys.modules.get("django.forms.forms"), sys.modules.get("rest_framework.serializers")
    found = (getattr(forms, "DeclarativeFieldsMetaclass", None), getattr(rest, "SerializerMetaclass", None))
    return tuple(one for one in found if isinstance(one, type))


ADAPTER: Final = Forms()
