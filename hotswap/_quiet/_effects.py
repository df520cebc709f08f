"""What a statement that ran, and was taken back, may have left behind: all that is loud about it but stores."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from hotswap._quiet._access import LoudError
from hotswap._quiet._statements import Statements
from hotswap._quiet._table import TABLE, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotswap._quiet._scope import Scope
    from hotswap._quiet._values import Frame

_STORES: Final = re.compile(
    r"(stores into|mutates|writes|makes an augmented|deletes a|binds|alters|raises)\b"
    r"|calls \S*\.(add|append|clear|discard|extend|insert|pop|popitem|remove|setdefault|sort|update)\(\), a method"
    r"|calls (sys\.)?exit\(\)"
)


def effect(node: ast.stmt, scope: Scope, table: Table = TABLE) -> str | None:
    """Return what `node` may have done, if it ran, that cannot be taken back; None if it only stored.

    As `unquiet`, but stores, which a journal takes back, and `raise` are passed over. What goes by the name of a method
    of a builtin container is taken for one.
    """
    return _Effects(scope, table).judge(node)


class _Effects(Statements):
    """Walks statements past those that only store. What a library stores is not taken back."""

    looks_into_libraries = False

    def walk(self, nodes: Sequence[ast.stmt], frame: Frame) -> None:
        for node in nodes:
            try:
                super().walk((node,), frame)
            except LoudError as loud:
                if not _STORES.match(loud.reason):
                    raise
