"""References that follow a name whatever it becomes: a proxy of wrapt's, pointed anew at the end of each swap.

What hotswap patches in place needs none of this. A value, or a name that becomes another kind of thing, is another
object after a swap, and where a plain reference to the old one was taken (a field, a closure, a library's table) it
stays.
"""

from __future__ import annotations

import copy
import sys
import weakref
from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import wrapt

from hotswap._errors import TargetError
from hotswap._findings import finding
from hotswap._model import Finding

if TYPE_CHECKING:  # wrapt's class is generic for type checkers alone
    _Proxy = wrapt.CallableObjectProxy[Any]
else:
    _Proxy = wrapt.CallableObjectProxy

_LIVE: Final[dict[int, weakref.ref[Live]]] = {}
"""Those that are alive, by identity: a proxy is equal to what it stands for, and as hashable."""


def live(target: str) -> Any:
    """Return a proxy of what `target` names, which stands for the new object when a swap gives the name another one.

    `target` is ``module:name``, with dots for members; the module is imported if it was not. Calls, attributes,
    operators, `isinstance` and hashing are those of the object. What asks for the very type is not: ``is``, ``except``,
    ``case C():``, and C code such as `json.dumps`. A copy is one of the object; pickled is the proxy itself. What the
    program binds to the name by itself counts from the next swap on. If the name goes, the object stays (HS205).

    Raises TargetError if `target` does not name anything, and what the import raises.
    """
    frame = sys._getframe(1)
    module, colon, name = target.partition(":")
    if not (module and colon and name):
        raise TargetError(f"{target}: a target has the form 'module:name'")
    import_module(module)
    try:
        return Live(target, frame.f_code.co_filename, frame.f_lineno)
    except AttributeError as error:
        raise TargetError(f"{target}: {error}") from None


class Live(_Proxy):
    """Stands for what ``module:name`` is now; made at `path`, line `lineno`."""

    def __init__(self, target: str, path: str, lineno: int) -> None:
        super().__init__(_look_up(target))
        self._self_target, self._self_place, self._self_gone = target, (path, lineno), False
        key = id(self)
        _LIVE[key] = weakref.ref(self, lambda _: _LIVE.pop(key, None))

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return live, (self._self_target,)

    def __copy__(self) -> Any:
        return copy.copy(self.__wrapped__)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self.__wrapped__, memo)


def point_anew() -> Iterator[Finding]:
    """Have each proxy stand for what its name is now; yield a finding for each whose name has gone since."""
    for ref in list(_LIVE.values()):
        proxy = ref()
        if proxy is None:
            continue
        known, target = proxy._self_gone, proxy._self_target
        try:
            proxy.__wrapped__ = _look_up(target)
            proxy._self_gone = False
        except Exception:  # noqa: BLE001  whatever a property of the program raises: there is nothing to point to
            proxy._self_gone = True
            module, _, name = target.partition(":")
            if not known:
                yield finding("HS205", *proxy._self_place, name=name, module=module, holder=f"live({target!r})")


def _look_up(target: str) -> Any:
    module, _, name = target.partition(":")
    return reduce(getattr, name.split("."), sys.modules[module])
