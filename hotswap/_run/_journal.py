"""Every write to a live object, with its inverse: a wave is set by one C call, and any failure is replayed backwards.

`deque(map(call, operations), maxlen=0)` runs without a bytecode boundary of Python code, so no other thread of a build
with a GIL sees a part of it (measured: 0 torn reads in millions, where a `for` loop shows thousands).
"""

from __future__ import annotations

import gc
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import repeat
from operator import call, is_, setitem
from types import WrapperDescriptorType
from typing import Any, Final

from hotswap._run._constructors import stand_in

MISSING: Final = object()
CONTAINERS: Final = (list, dict, set, deque, defaultdict, OrderedDict, Counter)
Operation = Callable[[], object]


class Journal:
    """Operations that wait for the next `commit`, and the inverses of all that were recorded since the start."""

    def __init__(self) -> None:
        self._waiting: list[Operation] = []
        self._inverses: list[Operation] = []
        self._own: list[object] = []
        self.commits = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def written(self) -> tuple[int, int]:
        """How much was recorded so far, and how much of that waits: it differs after each write and each wave."""
        return len(self._inverses), len(self._waiting)

    def do(self, operation: Operation, inverse: Operation) -> None:
        """Record `operation` for the next commit; `inverse` must be harmless if the operation never ran."""
        self._inverses.append(inverse)
        self._waiting.append(operation)

    def take(self, other: Journal) -> None:
        """Take over what waits in `other`, as if it had been recorded here; nothing is left there."""
        self._waiting += other._waiting
        self._inverses += other._inverses
        other._waiting, other._inverses = [], []

    def note(self, inverse: Operation) -> None:
        """Record how to take back something that has happened already."""
        self._inverses.append(inverse)

    @contextmanager
    def noting(self, containers: Iterable[Any]) -> Iterator[None]:
        """Remember what `containers` hold, and forget it afterwards of those that hold it still."""
        noted = [(one, _items(one), restorer(one)) for one in containers]
        start = len(self._inverses)
        self._inverses += [restore for _, _, restore in noted]
        try:
            yield
        finally:
            kept = [restore for one, items, restore in noted if not _same_items(items, _items(one))]
            self._inverses[start : start + len(noted)] = kept

    def note_attribute(self, target: object, name: str) -> None:
        """Remember what ``target.name`` is, in the object's own dictionary if it has one, before somebody sets it."""
        if isinstance(target, type):
            self.note(_restore_member(target, name))
            return
        try:
            own = object.__getattribute__(target, "__dict__")
        except (AttributeError, TypeError):
            own = None
        self.note(_restore_attribute(target, name) if type(own) is not dict else _restore_place(own, name))

    def set_item(self, mapping: MutableMapping[Any, Any], key: object, value: object) -> None:
        """Record ``mapping[key] = value``."""
        self.do(partial(setitem, mapping, key, value), _restore_item(mapping, key))

    def set_everywhere(self, spaces: list[dict[str, Any]], names: Sequence[str], value: object, old: object) -> None:
        """Record ``space[name] = value`` for each pair of `spaces` and `names`, which hold `old`; in one call."""
        new, back = repeat(value), repeat(old)
        self._own += [new, back]
        self.do(
            partial(deque, map(setitem, spaces, names, new), 0), partial(deque, map(setitem, spaces, names, back), 0)
        )

    def set_on_all(self, targets: list[Any], name: str, values: list[Any], olds: list[Any]) -> None:
        """Record that `name` of each of `targets` is one of `values`, where it was one of `olds`; in one call."""
        self.do(
            partial(deque, map(setattr, targets, repeat(name), values), 0),
            partial(deque, map(setattr, targets, repeat(name), olds), 0),
        )

    def del_item(self, mapping: MutableMapping[Any, Any], key: object) -> None:
        """Record the removal of `key`, which may be absent when the wave is set."""
        self.do(partial(mapping.pop, key, None), _restore_place(mapping, key))

    def set_attribute(self, target: object, name: str, value: object) -> None:
        """Record ``target.name = value`` for a function, module or other plain object."""
        self.do(partial(setattr, target, name, value), _restore_attribute(target, name))

    def set_member(self, cls: type, name: str, value: object) -> None:
        """Record that `cls` itself, whatever its metaclass does on assignment, shall have the raw member `value`."""
        line = vars(cls).get("__firstlineno__", MISSING) if name == "__module__" else MISSING
        self.do(partial(set_raw, cls, name, value), _restore_member(cls, name))
        if line is not MISSING:  # from 3.13 on a class forgets its line when it gets another module
            self.do(partial(type.__setattr__, cls, "__firstlineno__", line), nothing)

    def del_member(self, cls: type, name: str) -> None:
        """Record the removal of a member of `cls` itself."""
        self.do(partial(drop_member, cls, name), _restore_member(cls, name))

    def commit(self) -> None:
        """Set all that waits at once. An exception leaves it to the caller to call `undo`."""
        operations, self._waiting = self._waiting, []
        if not operations:
            return
        collecting = gc.isenabled()
        gc.disable()  # a collection inside the call could run finalizers, that is, Python code
        try:
            deque(map(call, operations), maxlen=0)
        finally:
            if collecting:
                gc.enable()
        self.commits += 1

    def noted(self) -> Iterator[object]:
        """Yield what this journal itself holds objects in, for those who count references."""
        yield from (self._waiting, self._inverses, self._own, *self._own)
        for one in (*self._waiting, *self._inverses):
            yield one
            if type(one) is partial:
                ours = str(getattr(one.func, "__module__", "")).startswith("hotswap.")
                yield one.args
                yield from (value for value in one.args[1:] if ours or type(value) is tuple)

    def undo(self) -> None:
        """Take back everything, last first, also what waits; each inverse is tried even if another one fails.

        It is one C call, as a commit is: no thread sees a part of a wave that is being undone.
        """
        self._waiting = []
        inverses, self._inverses = self._inverses, []
        failed: list[BaseException] = []
        left = map(call, reversed(inverses))
        collecting = gc.isenabled()
        gc.disable()
        try:
            while not _exhaust(left, failed):
                pass
        finally:
            if collecting:
                gc.enable()
        if failed:
            raise BaseExceptionGroup("taking back a swap failed", failed)


def _exhaust(left: Iterator[object], failed: list[BaseException]) -> bool:
    try:
        deque(left, maxlen=0)
    except BaseException as error:  # noqa: BLE001  one inverse that fails must not keep the others from running
        failed.append(error)
        return False
    return True


def _asked(target: object, name: str) -> object:
    try:
        return getattr(target, name, MISSING)
    except Exception:  # noqa: BLE001  a proxy for what is not there now: nothing is replaced
        return MISSING


def _held(target: object, name: str) -> object:
    """Return what assigning ``target.name`` would replace: what a class gives its objects by that name stays there."""
    try:
        own = object.__getattribute__(target, "__dict__")
    except (AttributeError, TypeError):
        return _asked(target, name)
    if name in own:
        return own[name]
    of_class = next((vars(base)[name] for base in type(target).__mro__ if name in vars(base)), MISSING)
    return getattr(target, name, MISSING) if hasattr(type(of_class), "__set__") else MISSING


def _restore_attribute(target: object, name: str) -> Operation:
    old = _held(target, name)
    return partial(_drop_attribute, target, name) if old is MISSING else partial(_put_attribute, target, name, old)


def _put_attribute(target: object, name: str, old: object) -> None:
    """Set what an attribute was, unless it is that: some cannot be set, as the statement found out that tried."""
    if _asked(target, name) is not old:
        setattr(target, name, old)


def _restore_item(mapping: MutableMapping[Any, Any], key: object) -> Operation:
    old = mapping.get(key, MISSING)
    return partial(mapping.pop, key, None) if old is MISSING else partial(setitem, mapping, key, old)


def _restore_place(mapping: MutableMapping[Any, Any], key: object) -> Operation:
    """Return what puts `key` back where it stood among the others: the order of a namespace can be seen."""
    if key not in mapping:
        return partial(mapping.pop, key, None)
    keys = list(mapping)
    return partial(_put_back, mapping, key, mapping[key], keys[keys.index(key) + 1 :])


def _put_back(mapping: MutableMapping[Any, Any], key: object, value: object, behind: list[object]) -> None:
    if key in mapping:
        mapping[key] = value
        return
    pairs = [(key, value), *((other, mapping[other]) for other in behind if other in mapping)]
    moves = (
        act for one, held in pairs for act in (partial(mapping.pop, one, None), partial(setitem, mapping, one, held))
    )
    deque(map(call, list(moves)), maxlen=0)


def nothing() -> None:
    """The inverse of an operation that another inverse takes back."""


def _restore_module(cls: type, old: object, line: object) -> None:
    type.__setattr__(cls, "__module__", old)
    type.__setattr__(cls, "__firstlineno__", line)


def _restore_member(cls: type, name: str) -> Operation:
    old = vars(cls).get(name, MISSING)
    if name == "__module__" and "__firstlineno__" in vars(cls):
        return partial(_restore_module, cls, old, vars(cls)["__firstlineno__"])
    return partial(drop_member, cls, name) if old is MISSING else partial(set_raw, cls, name, old)


def set_raw(cls: type, name: str, value: object) -> None:
    """Set a member of `cls` itself past what Python code of its metaclass does."""
    _in_c(cls, "__setattr__")(cls, name, value)


def _in_c(cls: type, name: str) -> Any:
    """Return the method of the metaclass that is written in C: CPython refuses a base's (ctypes has its own)."""
    meta: Any = type(cls)
    found = (vars(one)[name] for one in meta.__mro__ if name in vars(one))
    return next(method for method in found if isinstance(method, WrapperDescriptorType))


def drop_member(cls: Any, name: str) -> None:
    """Remove a member of `cls` itself, if it has it.

    CPython does not give a class the constructor of `object` back once it had one of its own: it would refuse all
    arguments. One that does the same takes its place.
    """
    if name == "__type_params__" and name in vars(cls):  # it can be set and not be deleted
        type.__setattr__(cls, name, ())
    elif name in vars(cls):
        _in_c(cls, "__delattr__")(cls, name)
        if name == "__new__" and cls.__new__ is object.__new__:
            set_raw(cls, name, staticmethod(stand_in(cls)))


def _drop_attribute(target: object, name: str) -> None:
    if hasattr(target, name):
        delattr(target, name)


def _items(container: Any) -> list[Any]:
    """Return keys and values, or items, in order."""
    if isinstance(container, dict):
        return [*dict.keys(container), *dict.values(container)]
    return list(container)


def _same_items(old: list[Any], new: list[Any]) -> bool:
    return len(old) == len(new) and all(map(is_, old, new))


def restore_dict(target: dict[Any, Any], content: dict[Any, Any]) -> None:
    """Make `target` equal `content` without a moment in which a key that both have is missing."""
    kind: Any = OrderedDict if isinstance(target, OrderedDict) else dict  # which has a list of its keys beside
    for key in [key for key in kind.keys(target) if key not in content]:
        kind.__delitem__(target, key)
    kind.update(target, content)


def restorer(value: Any) -> Operation:
    """Return what puts back the present content of a list, deque, dict or set, shallowly."""
    if isinstance(value, dict):
        return partial(restore_dict, value, dict(value))
    if type(value) is set:
        return partial(_restore_set, value, set(value))
    return partial(_restore_list if type(value) is list else _restore_deque, value, list(value))


def _restore_list(target: list[Any], content: list[Any]) -> None:
    target[:] = content


def _restore_deque(target: deque[Any], content: list[Any]) -> None:
    target.clear()
    target.extend(content)


def _restore_set(target: set[Any], content: set[Any]) -> None:
    target &= content
    target |= content
