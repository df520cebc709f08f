"""SQLAlchemy's declarative classes: methods are plain members; what is mapped is fixed once the class is."""

from __future__ import annotations

import re
from typing import Final

from hotswap.adapters import ClassEdit

_ADVICE: Final = "mapped when the class was made: migrate the database, then restart"
_MAPPED: Final = re.compile(r"\b(Mapped|DynamicMapped|WriteOnlyMapped)\b")
_OPTIONS: Final = ("__tablename__", "__table__", "__table_args__", "__mapper_args__")
_MARKS: Final = ("validates", "reconstructor", "declared_attr")


class Sqlalchemy:
    """See `hotswap.adapters.Adapter`."""

    regenerates = False

    def owns(self, cls: type) -> bool:
        """Whether `cls` is mapped."""
        return "__mapper__" in vars(cls)

    def decorates(self, called: object) -> bool:
        """Mapping again what is mapped is refused by SQLAlchemy."""
        return False

    def fixed(self, cls: type, name: str, maker: object, annotation: str) -> str:
        """Columns, relationships and options of the table are."""
        held = type(vars(cls).get(name)).__module__
        made = getattr(maker, "__module__", None) or ""
        if name == "__init__" or (getattr(maker, "__name__", "") in _MARKS and made.startswith("sqlalchemy.")):
            return "instrumented when the class was made: restart to use it"
        if made.startswith("sqlalchemy.ext.hybrid") or held.startswith("sqlalchemy.ext.hybrid"):
            return ""
        mapped = any(module.partition(".")[0] == "sqlalchemy" for module in (held, made))
        return _ADVICE if mapped or name in _OPTIONS or _MAPPED.search(annotation) else ""

    def renew(self, edit: ClassEdit) -> bool:
        """Nothing is regenerated."""
        return True


ADAPTER: Final = Sqlalchemy()
