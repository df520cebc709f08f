"""What is worked out of all members of a class when it is made: which are abstract, which make up a protocol."""

from __future__ import annotations

import abc
import sys
import typing
from functools import partial
from types import FunctionType

from hotswap._run._journal import Journal
from hotswap.patch._classes import subclasses
from hotswap.patch._dataclasses import has_slots, is_generated
from hotswap.patch._generated import ORDER


def settle_abstract(journal: Journal, cls: type) -> None:
    """Work out anew which members of `cls` and its subclasses are abstract, and forget what ``isinstance`` cached."""
    for one in subclasses(cls):
        if not isinstance(one, abc.ABCMeta):
            continue
        old: frozenset[str] = getattr(one, "__abstractmethods__", frozenset())
        journal.note(partial(setattr, one, "__abstractmethods__", old))
        abc.update_abstractmethods(one)  # type: ignore[arg-type]  # it wants to know of what
        abc._reset_caches(one)  # type: ignore[attr-defined]  # what ABCMeta's own test-suite uses
        _settle_protocol(journal, one)


def _settle_protocol(journal: Journal, cls: type) -> None:
    """A protocol's members are kept on it from 3.12 on; compute them as `typing` does."""
    if not vars(cls).get("_is_protocol") or sys.version_info < (3, 12):
        return
    later = {name for name, value in vars(cls).items() if _came_later(cls, name, value)}
    later -= {name for base in cls.__mro__[1:-1] for name in vars(base)}
    names = typing._get_protocol_attrs(cls) - later  # type: ignore[attr-defined]
    others = {name for name in names if not callable(getattr(cls, name, None))}
    made = {
        "__protocol_attrs__": names,
        "__non_callable_proto_members__": others,
        "__callable_proto_members_only__": not others,
        # 3.15: ``__init_subclass__`` takes the class's own mark, left by `runtime_checkable`, for an inherited one
        "__typing_is_deprecated_inherited_runtime_protocol__": not vars(cls).get("_is_runtime_protocol"),
    }
    for name, value in made.items():
        if name in vars(cls):  # which of them there are depends on the version
            journal.set_member(cls, name, value)


def _came_later(cls: type, name: str, value: object) -> bool:
    """Whether a decorator put the member `name` on `cls`, which its metaclass had made by then."""
    if "__dataclass_fields__" in vars(cls) and not has_slots(cls) and is_generated(cls, name, value):
        return True
    return name == "__final__" or (name in ORDER and type(value) is FunctionType and value.__module__ == "functools")
