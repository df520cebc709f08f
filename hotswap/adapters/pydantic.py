"""pydantic, version 2: fields and validators are taken over, the schemas of all models that use the class rebuilt."""

from __future__ import annotations

import copy
import inspect
import sys
import typing
from collections.abc import Iterator
from typing import Any, Final

from hotswap.adapters import ClassEdit

_TAKEN: Final = (
    *("__annotations__", "model_config", "__class_vars__", "__private_attributes__", "__pydantic_computed_fields__"),
    *(
        "__pydantic_fields__",
        "__pydantic_custom_init__",
        "__pydantic_post_init__",
        "__signature__",
        "__pydantic_extra_info__",
    ),
)
_FIELDS: Final = "__pydantic_fields__"
_DECORATORS: Final = "__pydantic_decorators__"


class Pydantic:
    """See `hotswap.adapters.Adapter`."""

    regenerates = True

    def owns(self, cls: type) -> bool:
        """Whether `cls` is a model."""
        return _FIELDS in vars(cls) and _base() in cls.__mro__[1:]

    def decorates(self, called: object) -> bool:
        """Models are made by their metaclass, not by decorators."""
        return False

    def fixed(self, cls: type, name: str, maker: object, annotation: str) -> str:
        """Any field or validator may change."""
        return ""

    def renew(self, edit: ClassEdit) -> bool:
        """Take over fields and validators, then rebuild the model, and those that inherit from it or embed it."""
        for name in (*_TAKEN, *edit.names):
            edit.take(name)
        edit.commit()
        changed = [edit.cls, *(one for one in edit.below() if self.owns(one))]
        for one in changed[1:]:
            _inherit(edit, one)
        _validators(edit, changed)
        for model in _in_order([*changed, *_users(set(changed))]):
            edit.guard(model)
            model.model_rebuild(force=True, raise_errors=False)
        return True


def _base() -> Any:
    return sys.modules["pydantic"].BaseModel


def _validators(edit: ClassEdit, changed: list[Any]) -> None:
    """Bind the validators and serializers of the fresh class to the one that lives, inherited ones too."""
    for model in changed:
        source = edit.fresh if model is edit.cls else model
        made = copy.copy(vars(source)[_DECORATORS])
        inherited = vars(edit.cls).get(_DECORATORS) if model is not edit.cls else None
        for kind in made.__slots__ if hasattr(made, "__slots__") else vars(made):
            found = getattr(made, kind)
            given = {**getattr(inherited, kind), **found} if inherited is not None else found
            alive = {name: one for name, one in given.items() if hasattr(model, one.cls_var_name)}
            setattr(made, kind, {name: _bound(one, model) for name, one in alive.items()})
        edit.journal.set_member(model, _DECORATORS, made)
        edit.commit()


def _bound(decorator: Any, model: Any) -> Any:
    """Return a validator bound to another class; newer versions want to be told what to call it in schemas."""
    if "cls_ref" not in inspect.signature(decorator.bind_to_cls).parameters:
        return decorator.bind_to_cls(model)
    return decorator.bind_to_cls(model, sys.modules["pydantic._internal._type_refs"].any_class_type_ref(model))


def _inherit(edit: ClassEdit, model: Any) -> None:
    """Give a submodel the fields that it has from its bases now, before its own."""
    own = _own_names(model)
    fields: dict[str, Any] = {}
    for base in reversed(model.__mro__[1:]):
        fields |= {name: copy.copy(field) for name, field in vars(base).get(_FIELDS, {}).items()}
    fields |= {name: field for name, field in vars(model)[_FIELDS].items() if name in own}
    edit.journal.set_member(model, _FIELDS, fields)
    edit.commit()


def _own_names(model: Any) -> frozenset[str]:
    """Return the names that the model itself annotates; lazy annotations (PEP 649) are not evaluated for it."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return frozenset(annotationlib.get_annotations(model, format=annotationlib.Format.STRING))
    return frozenset(vars(model).get("__annotations__", {}))


def _users(changed: set[Any]) -> Iterator[Any]:
    """Yield the models that have one of `changed` in a field, at any distance."""
    seen = set(changed)
    waiting = True
    while waiting:
        found = [one for one in _models() if one not in seen and _mentions(one, seen)]
        seen.update(found)
        yield from found
        waiting = bool(found)


def _models() -> list[Any]:
    found, waiting = [], [_base()]
    while waiting:
        below = type.__subclasses__(waiting.pop())
        found += [one for one in below if one not in found]
        waiting += below
    return found


def _mentions(model: Any, wanted: set[Any]) -> bool:
    return any(_within(field.annotation, wanted) for field in vars(model).get(_FIELDS, {}).values())


def _within(annotation: Any, wanted: set[Any]) -> bool:
    if isinstance(annotation, type) and annotation in wanted:
        return True
    return any(_within(part, wanted) for part in typing.get_args(annotation))


def _in_order(models: list[Any]) -> list[Any]:
    """Return `models`, those that others embed or inherit from before these."""
    found: list[Any] = []

    def visit(model: Any, path: tuple[Any, ...]) -> None:
        if model in found or model in path:
            return
        for other in models:
            if other is not model and (other in model.__mro__ or _mentions(model, {other})):
                visit(other, (*path, model))
        found.append(model)

    for model in models:
        visit(model, ())
    return found


ADAPTER: Final = Pydantic()
