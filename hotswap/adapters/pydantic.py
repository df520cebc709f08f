"""pydantic, version 2: fields and validators are taken over, and what was made of the class's schema is made anew.

That are the models and dataclasses that have the class in a field at any depth, type adapters, and functions that
validate their arguments. A schema is a tree of dicts that names the classes in it, so it tells who is concerned.
"""

from __future__ import annotations

import copy
import inspect
import sys
import types
import typing
from typing import Any, Final

from hotswap.adapters import ClassEdit, live_classes, live_objects

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
_LAID_OUT: Final = ("__dict__", "__weakref__", "__slots__", "__module__", "__qualname__")


class Pydantic:
    """See `hotswap.adapters.Adapter`."""

    regenerates = True

    def owns(self, cls: type) -> bool:
        """Whether `cls` is a model, or a dataclass of pydantic's."""
        return _FIELDS in vars(cls) and (_base() in cls.__mro__[1:] or _is_dataclass(cls))

    def decorates(self, called: object) -> bool:
        """Whether `called` is pydantic's own ``dataclass``; models are made by their metaclass."""
        module: Any = sys.modules.get("pydantic.dataclasses")
        return module is not None and called is module.dataclass

    def fixed(self, cls: type, name: str, maker: object, annotation: str) -> str:
        """Any field or validator may change."""
        return ""

    def renew(self, edit: ClassEdit) -> bool:
        """Take over fields and validators, and rebuild the class and those that inherit from it."""
        if _is_dataclass(edit.cls):
            return _renew_dataclass(edit)
        for name in (*_TAKEN, *edit.names):
            edit.take(name)
        edit.commit()
        changed = [edit.cls, *(one for one in edit.below() if self.owns(one))]
        for one in changed[1:]:
            _inherit(edit, one)
        _validators(edit, changed)
        for one in _in_order(changed):
            _rebuild(edit, one)
        return True

    def follow(self, edit: ClassEdit) -> list[object]:
        """Rebuild what was made from the schema of a class that changed: models, dataclasses, adapters, calls."""
        if not edit.regenerated:
            return []
        changed = {edit.cls, *(one for one in edit.below() if self.owns(one))}
        known = [one for one in _models() if one not in changed]
        users = [one for one in known if _has(_schema(one), changed) or _mentions(one, changed)]
        for one in _in_order(users):
            _rebuild(edit, one)
        adapters = [one for one in _objects("pydantic.type_adapter", "TypeAdapter") if _is_made_of(one, changed)]
        for one in adapters:
            edit.guard_object(one)
            one.rebuild(force=True, raise_errors=False, _types_namespace=_names_of(one._module_name))
        for one in _objects("pydantic._internal._validate_call", "ValidateCallWrapper"):
            _rebuild_call(edit, one, changed)
        return [*changed, *users, *adapters]


def _is_dataclass(cls: type) -> bool:
    return "__is_pydantic_dataclass__" in vars(cls)


def _renew_dataclass(edit: ClassEdit) -> bool:
    if vars(edit.cls).get("__slots__") != vars(edit.fresh).get("__slots__"):
        return False
    for name, value in vars(edit.fresh).items():
        own = isinstance(value, types.FunctionType) and value.__module__ == edit.cls.__module__
        if name in edit.names or (name.startswith("__") and name not in _LAID_OUT and not own):
            edit.take(name)
    for name in edit.names - vars(edit.fresh).keys():
        edit.drop(name)
    edit.commit()
    _rebuild(edit, edit.cls)
    edit.take("__signature__")  # rebuilding takes it from the constructor that pydantic put in the place of the first
    edit.commit()
    edit.renew_dataclasses_below()
    for one in edit.below():
        if _is_dataclass(one):
            _rebuild(edit, one)
    return True


def _rebuild(edit: ClassEdit, cls: Any) -> None:
    edit.guard(cls)
    if not _is_dataclass(cls):
        cls.model_rebuild(force=True, raise_errors=False)
        return
    signature = vars(cls).get("__signature__")
    sys.modules["pydantic.dataclasses"].rebuild_dataclass(cls, force=True, raise_errors=False)
    if signature is not None:
        type.__setattr__(cls, "__signature__", signature)


def _rebuild_call(edit: ClassEdit, call: Any, changed: set[Any]) -> None:
    """Have a function that validates its arguments do so by the new schema."""
    hints = getattr(call.function, "__annotations__", {}).values()
    if hasattr(call, "_create_validators") and any(_within(hint, changed) for hint in hints):
        edit.guard_object(call)
        call._create_validators()


def _objects(module: str, name: str) -> list[Any]:
    """Return the live objects of a class of pydantic's, if its module is loaded."""
    cls = getattr(sys.modules.get(module), name, None)
    return live_objects(cls) if isinstance(cls, type) else []


def _is_made_of(adapter: Any, changed: set[Any]) -> bool:
    return _has(getattr(adapter, "core_schema", None), changed) or _within(adapter._type, changed)


def _names_of(module: str) -> dict[str, Any]:
    return vars(sys.modules[module]) if module in sys.modules else {}


def _has(schema: Any, classes: set[Any]) -> bool:
    """Whether a core schema, which is made of dicts and lists, was made with one of `classes` in it."""
    seen: set[int] = set()
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        if isinstance(one, type):
            if one in classes:
                return True
        elif type(one) in (dict, list, tuple) and id(one) not in seen:
            seen.add(id(one))
            waiting += one.values() if type(one) is dict else one
    return False


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


def _models() -> list[Any]:
    """Return the live models and dataclasses of pydantic's."""
    found, waiting = [], [_base()]
    while waiting:
        below = [one for one in type.__subclasses__(waiting.pop()) if one not in found]
        found += below
        waiting += below
    return [*found, *(one for one in live_classes() if _is_dataclass(one))]


def _schema(model: Any) -> Any:
    return vars(model).get("__pydantic_core_schema__")


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
            if other is not model and (
                other in model.__mro__ or _mentions(model, {other}) or _has(_schema(model), {other})
            ):
                visit(other, (*path, model))
        found.append(model)

    for model in models:
        visit(model, ())
    return found


ADAPTER: Final = Pydantic()
