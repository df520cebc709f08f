"""The call of an entry of the table: quiet, if what it does to its arguments and with them is."""

from __future__ import annotations

import sys
from abc import abstractmethod
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from hotswap._quiet._access import Access, LoudError
from hotswap._quiet._results import make_result
from hotswap._quiet._table import Listed
from hotswap._quiet._values import (
    MISSING,
    UNKNOWN,
    Arguments,
    Value,
    describe_items,
    is_class,
    is_module,
    know,
    lose_items,
    name_class,
)

if TYPE_CHECKING:
    from collections.abc import Callable


# Their function gets the items of what else they are given.
_OF_ITEMS: Final = frozenset({"builtins.filter", "builtins.map", "builtins.max", "builtins.min", "builtins.sorted"})


class Entries(Access):
    """Judges calls of what the table lists."""

    @property
    @abstractmethod
    def is_at_top(self) -> bool:
        """Whether the statement itself is judged, and not a function that it calls."""

    @abstractmethod
    def make(self, made: Any, given: Arguments, label: str) -> Value:
        """Judge the call of a class that the table does not list; return the object."""

    def call_listed(self, listed: Listed, called: Value, given: Arguments, label: str) -> Value:
        """Judge the call of an entry of the table: what it applies, runs and alters among its arguments."""
        answer = _SPECIAL[listed.name](self, given, label) if listed.name in _SPECIAL else None
        if answer is not None:
            return answer
        first = given.values[0] if given.values else UNKNOWN
        if listed.alters and not first.own and (given.values or given.open):
            raise LoudError(f"alters its argument through {label}")
        if listed.copies and not (first.kind and self.table.is_builtin(first.kind)):
            raise LoudError(f"copies what is not known to be a builtin value, by {label}")
        if listed.alters and listed.name != "builtins.list.sort":
            lose_items(first)
        applied = self.apply(listed, given, label)
        for value in given.everything() if listed.hooks else ():
            if "__iter__" in listed.hooks:
                self.iterate(value)
            self.use(value, *listed.hooks)
        if applied is not None and listed.name == "builtins.map":
            return Value(kind=map, own=True, each=applied)
        return make_result(listed, called, given)

    def apply(self, listed: Listed, given: Arguments, label: str) -> Value | None:
        """Judge the functions among the arguments that the entry calls; return what the last of them returns."""
        if listed.applies and given.open:
            raise LoudError(f"calls {label} with arguments that are not known")
        result = None
        for place in listed.applies:
            if isinstance(place, str):
                applied = given.names.get(place)
            else:
                applied = given.values[place] if place < len(given.values) else None
            if applied is None or applied.obj is None or applied.kind is str:
                continue  # no function, or in its place the text that `re.sub` puts in
            rest = tuple(value for value in given.values if value is not applied)
            items = tuple(map(describe_items, rest)) if listed.name in _OF_ITEMS else ()
            result = self.call(applied, Arguments(items, open=not items), f"the function given to {label}")
            if place == "cls" and is_class(applied.obj):
                self._apply_class(applied.obj, label)
        return result

    def _apply_class(self, cls: Any, label: str) -> None:
        """Judge what a class has of its own: the entry makes an object of it, and calls whatever that overrides."""
        for layer in cls.__mro__:
            if not self.table.trusts(layer):
                for name, member in vars(layer).items():
                    if type(member) is FunctionType:
                        given = Arguments((Value(kind=cls, own=True),), open=True)
                        self.call_raw((layer, member), name, given, f"{name_class(cls)}.{name}() by {label}")


_TEXTS: Final = ("__module__", "__name__", "__qualname__")
"""Attributes that are texts, on whatever has them."""

# --- entries that need a closer look at their arguments; None: go on as with any other


def _judge_type(_judge: Entries, given: Arguments, label: str) -> Value | None:
    if len(given.values) != 1 or given.open or given.names:
        raise LoudError(f"makes a class by {label}")
    kind = given.values[0].kind
    return know(kind) if kind else UNKNOWN


def _judge_getattr(judge: Entries, given: Arguments, label: str) -> Value | None:
    name = given.values[1].obj if len(given.values) > 1 else MISSING
    if type(name) is not str:
        if len(given.values) > 1 and judge.loads_any(given.values[0]):
            return UNKNOWN
        raise LoudError(f"calls {label} with a name that is not known")
    found = judge.load(given.values[0], name)
    if name in _TEXTS:
        return Value(kind=str, own=True)
    return found if len(given.values) == 2 else UNKNOWN


def _judge_hasattr(judge: Entries, given: Arguments, label: str) -> Value | None:
    _judge_getattr(judge, given, label)
    return None


def _judge_replace(judge: Entries, given: Arguments, label: str) -> Value | None:
    kind = given.values[0].kind if given.values else None
    if kind is None:
        raise LoudError(f"calls {label} on an object that is not known")
    return judge.make(kind, Arguments(open=True), f"{name_class(kind)}()")


def _judge_iter(judge: Entries, given: Arguments, label: str) -> Value | None:
    if len(given.values) != 1:
        raise LoudError(f"calls a function through {label}")
    return Value(kind=type(iter(())), own=True, each=judge.iterate(given.values[0]))


def _judge_next(judge: Entries, given: Arguments, _label: str) -> Value | None:
    if not given.values or not given.values[0].own:
        return None
    judge.use(given.values[0], "__next__")
    return describe_items(given.values[0])


def _judge_setattr(judge: Entries, given: Arguments, label: str) -> Value | None:
    name = given.values[1].obj if len(given.values) > 1 else MISSING
    if type(name) is not str:
        raise LoudError(f"calls {label} with a name that is not known")
    judge.store(given.values[0], "__setattr__", f"its argument.{name}", anywhere=judge.is_at_top)
    return UNKNOWN


def _judge_delattr(judge: Entries, given: Arguments, label: str) -> Value | None:
    judge.store(given.values[0] if given.values else UNKNOWN, "__delattr__", f"what {label} gets", anywhere=False)
    return UNKNOWN


def _judge_enumerate(judge: Entries, given: Arguments, _label: str) -> Value | None:
    if not given.values or given.open:
        return None
    number = Value(kind=int, own=True)
    item = Value(kind=tuple, own=True, parts=(number, judge.iterate(given.values[0])))
    return Value(kind=enumerate, own=True, each=item)


def _judge_zip(judge: Entries, given: Arguments, _label: str) -> Value | None:
    if not given.values or given.open:
        return None
    item = Value(kind=tuple, own=True, parts=tuple(map(judge.iterate, given.values)))
    return Value(kind=zip, own=True, each=item)


def _judge_vars(judge: Entries, given: Arguments, label: str) -> Value | None:
    """All names of a module or class, or of the statement's own scope, to look at: nothing may be stored there."""
    if not given.values and not given.open and judge.is_at_top:
        return judge.give_names(getattr(judge.scope, "namespace", {}))
    whole = given.values[0].obj if given.values else MISSING
    if not (is_module(whole) or is_class(whole)):
        raise LoudError(f"calls {label} for what is not known to be a module or a class")
    return judge.give_names(object.__getattribute__(whole, "__dict__") if is_module(whole) else vars(whole))


def _judge_dir(judge: Entries, given: Arguments, label: str) -> Value | None:
    _judge_vars(judge, given, label)
    return Value(kind=list, own=True, each=Value(kind=str, own=True))


def _judge_members(judge: Entries, given: Arguments, label: str) -> Value | None:
    judge.apply(Listed("", (1, "predicate")), given, label)
    _judge_vars(judge, given, label)
    item = Value(kind=tuple, own=True, parts=(Value(kind=str, own=True), UNKNOWN))
    return Value(kind=list, own=True, each=item)


def _judge_parser(judge: Entries, given: Arguments, label: str) -> Value | None:
    if given.open or "parents" in given.names:
        raise LoudError(f"calls {label}, which alters the options of its parents")
    return judge.make(sys.modules["argparse"].ArgumentParser, given, label)


def _judge_super(_judge: Entries, given: Arguments, label: str) -> Value | None:
    """``super(A, self)``; what has no arguments is found out where the text is walked."""
    owner, receiver = given.values if len(given.values) == 2 else (UNKNOWN, UNKNOWN)
    kind: Any = receiver.obj if is_class(receiver.obj) else receiver.kind
    if given.open or not is_class(owner.obj) or not is_class(kind):
        raise LoudError(f"calls {label} with arguments that are not known")
    return Value(receiver.obj, kind, receiver.own, after=owner.obj)  # type: ignore[arg-type]  # a class, as was just seen


_SPECIAL: Final[dict[str, Callable[[Entries, Arguments, str], Value | None]]] = {
    "argparse.ArgumentParser": _judge_parser,
    "builtins.delattr": _judge_delattr,
    "builtins.dir": _judge_dir,
    "builtins.enumerate": _judge_enumerate,
    "builtins.getattr": _judge_getattr,
    "builtins.globals": _judge_vars,
    "builtins.hasattr": _judge_hasattr,
    "builtins.iter": _judge_iter,
    "builtins.locals": _judge_vars,
    "builtins.next": _judge_next,
    "builtins.setattr": _judge_setattr,
    "builtins.super": _judge_super,
    "builtins.type": _judge_type,
    "builtins.vars": _judge_vars,
    "builtins.zip": _judge_zip,
    "dataclasses.replace": _judge_replace,
    "inspect.getmembers": _judge_members,
}
