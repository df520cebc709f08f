"""What a process's modules are, as text: one entry for each thing that can be reached, with facets on four levels.

Two processes that run the same version have the same digest. `behaviour` is what a caller can notice: code without
positions, constants, defaults, closures, bases, members. `core` adds docstrings, annotations, signatures; `full` adds
names that are left over, `__module__`, `__qualname__`, `__globals__`, pickling, subclasses; `lines` adds every line
and column. Identity is part of it: a thing is described at its home (where its module and qualified name say) and is
named by that home elsewhere; a second copy of a class has no home, so it shows.
"""

from __future__ import annotations

import enum
import functools
import gc
import inspect
import itertools
import pathlib
import pickle
import re
import sys
import traceback
import types
import typing
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any, Final

from codes import content, positions

Facets = dict[str, str]
Digest = dict[str, Facets]

LEVELS: Final = ("behaviour", "core", "full", "lines")
_CORE: Final = ("doc", "annotations", "signature", "static_attributes")
_FULL: Final = ("left over", "module", "name", "qualname", "globals", "pickle", "subclasses")

_MODULE_OWN: Final = frozenset(
    "__builtins__ __cached__ __file__ __loader__ __spec__ __path__ __doc__ __annotations__ __annotate__"
    " __conditional_annotations__ __warningregistry__".split()
)
_CLASS_OWN: Final = frozenset(
    "__dict__ __weakref__ __module__ __doc__ __annotations__ __qualname__ _abc_impl __annotate__ __firstlineno__"
    " __static_attributes__ __abstractmethods__ __annotations_cache__ __annotate_func__ __classdictcell__"
    " _is_runtime_protocol cls_counter".split()  # the last is what attrs counts fields with: it only grows
)
_BY_TYPE_ALONE: Final = (weakref.ref, weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.WeakSet)
_BY_TEXT: Final = (re.Pattern, typing.TypeVar, typing.ParamSpec, types.BuiltinFunctionType, types.MethodDescriptorType)
_ATOMS: Final = (int, str, bool, float, complex, bytes, type(None), type(Ellipsis), type(NotImplemented), range)
_CLASS_CELLS: Final = ("__class__", "cls")
_DEEPEST: Final = 14
_ADDRESS: Final = re.compile(r" at 0x[0-9a-f]+")


def level_of(path: str, facet: str) -> str:
    """Return the level on which two processes that differ in `facet` of what is at `path` differ."""
    if facet == "lines":
        return "lines"
    last = path.rpartition(".")[2]
    if any(f"{copied}." in f"{path}." for copied in ("__doc__", "__annotations__", "__annotate__")):
        return "core"  # what `functools.wraps`, methods and properties have copied
    if facet == "missing" and last in ("__module__", "__name__", "__qualname__"):
        return "full"
    return "core" if facet in _CORE else "full" if facet in _FULL else "behaviour"


class Walk:
    """Describes the modules of `packages`; `limit` are the paths of a fresh process, beyond which nothing is entered.

    Without that limit one name that is left over would be the first place of much that has another home, and would be
    counted many times. `functions` and `classes` are those met on the way, by path.
    """

    def __init__(self, packages: Iterable[str], root: str, limit: Mapping[str, Facets] | None = None) -> None:
        self.packages, self.root, self.limit = tuple(packages), root, limit
        self.digest: Digest = {}
        self.functions: dict[str, FunctionType] = {}
        self.classes: dict[str, type] = {}
        self._places: dict[int, str] = {}
        self._alive: list[object] = []

    def run(self) -> Digest:
        """Describe every loaded module of the packages."""
        gc.collect()
        modules = self.modules()
        for name, module in modules.items():
            self._module(name, module)
        return self.digest

    def modules(self) -> dict[str, ModuleType]:
        """Return the loaded modules of the packages, by name."""
        found = {
            name: module
            for name, module in sys.modules.items()
            if self.is_ours(name) and getattr(module, "__name__", name) == name  # no second name of somebody else's
        }
        return {name: found[name] for name in sorted(found) if isinstance(found[name], ModuleType)}

    def is_ours(self, module: object) -> bool:
        """Whether a module of this name belongs to the packages."""
        return isinstance(module, str) and any(module == p or module.startswith(f"{p}.") for p in self.packages)

    # -- places --------------------------------------------------------------------------------------------------------

    def home(self, value: Any) -> str | None:
        """Return ``module:qualname`` if `value` is what stands there, None if it has no home or is a second copy."""
        try:
            module, qualname = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
        except Exception:  # noqa: BLE001  a `__getattr__` of the project may raise anything
            return None
        if not isinstance(module, str) or not isinstance(qualname, str):
            return None
        found: Any = sys.modules.get(module)
        for part in qualname.split("."):
            found = getattr(found, "__dict__", {}).get(part)
            found = getattr(found, "__func__", found) if isinstance(found, (staticmethod, classmethod)) else found
        return f"{module}:{qualname}" if found is value else None

    def name(self, value: Any) -> str:
        """Return how a function or class is called in the text of another thing."""
        home = self.home(value)
        if home is not None:
            return home
        place = self._places.get(id(value))
        called = f"{getattr(value, '__module__', '')}:{getattr(value, '__qualname__', '')}"
        return f"(at {place})" if place else f"(copy of {called})" if "<" not in called else f"(local {called})"

    def described(self, function: FunctionType) -> Facets | None:
        """Return what was written down of `function` when it was met, by whatever path; None if it was not."""
        place = self._places.get(id(function), "")
        return self.digest[place] if self.functions.get(place) is function else None

    def _enter(self, path: str, value: object) -> Facets | None:
        """Return the facets to fill for `path`; None if a fresh process has none, or `value` is described already."""
        if path in self.digest:
            return None
        facets = self.digest[path] = {}
        if self.limit is not None and path not in self.limit:
            facets["left over"] = type(value).__name__
            return None
        if id(value) in self._places:
            facets["value"] = f"same as {self._places[id(value)]}"
            return None
        return facets

    def _settle(self, path: str, value: object) -> None:
        self._places[id(value)] = path
        self._alive.append(value)

    # -- things --------------------------------------------------------------------------------------------------------

    def _module(self, name: str, module: ModuleType) -> None:
        if self._enter(f"{name}:", module) is None:
            return
        facets = self.digest[f"{name}:"]
        facets["doc"] = self.text(vars(module).get("__doc__"))
        facets["annotations"] = self.text(_annotations(module))
        for key in sorted(vars(module)):
            if key not in _MODULE_OWN:
                self.visit(f"{name}:{key}", vars(module)[key])

    def visit(self, path: str, value: Any, depth: int = 0) -> None:
        """Describe `value` at `path`, and what it is made of at paths below."""
        if depth > _DEEPEST:
            return
        if _stands_for_another(value):
            facets = self._enter(path, path)
            if facets is not None:
                facets["value"] = self.name(type(value))
        elif _is_plain(value) or _is_union(value) or _is_cached(value) or type(value).__module__ == "__future__":
            facets = self._enter(path, path)
            if facets is not None:
                facets["value"] = self.text(value)
        elif isinstance(value, FunctionType):
            self._definition(path, value, self._function, depth)
        elif isinstance(value, type):
            self._definition(path, value, self._class, depth)
        else:
            self._object(path, value, depth)

    def _definition(self, path: str, value: Any, describe: Callable[[str, Any, Facets, int], None], depth: int) -> None:
        home = self.home(value)
        is_elsewhere = home is not None and home != path and not path.startswith(f"{home}.")
        ours = self.is_ours(value.__module__) or self.is_ours(_names_of(value).get("__name__"))
        if is_elsewhere or not ours:
            facets = self._enter(path, path)
            if facets is not None:
                facets["value"] = home or self.name(value)
            return
        facets = self._enter(path, value)
        if facets is not None:
            self._settle(path, value)
            describe(path, value, facets, depth)

    def _function(self, path: str, function: FunctionType, facets: Facets, depth: int) -> None:
        self.functions[path] = function
        facets |= self.behaviour(function)
        facets["doc"] = self.text(function.__doc__)
        facets["annotations"] = self.text(_annotations(function))
        facets["signature"] = self._signature(function)
        facets |= {name: str(getattr(function, f"__{name}__")) for name in ("module", "name", "qualname")}
        facets["globals"] = str(_has_right_globals(function))
        facets["lines"] = positions(function.__code__)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
            held = _content(cell)
            if (
                isinstance(held, type)
                and name in _CLASS_CELLS
                and path.startswith(f"{held.__module__}:{held.__qualname__}.")
            ):
                continue  # with slots this is the class that `dataclasses` threw away
            self.visit(f"{path}.<cell {name}>", held, depth + 1)
        for name, value in sorted(function.__dict__.items()):
            self.visit(f"{path}.{name}", value, depth + 1)

    def behaviour(self, function: FunctionType) -> Facets:
        """Return what a call of `function` shows of it, apart from what its closure holds."""
        own = {"code": content(function.__code__)}
        own["defaults"] = self.text(function.__defaults__)
        own["kwdefaults"] = self.text(function.__kwdefaults__ or None)
        return own

    def _signature(self, function: FunctionType) -> str:
        try:
            found = inspect.signature(function)
            bare = [one.replace(annotation=inspect.Parameter.empty) for one in found.parameters.values()]
            return _ADDRESS.sub("", str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty)))
        except (ValueError, TypeError, NameError):
            return "none"

    def _class(self, path: str, cls: type, facets: Facets, depth: int) -> None:
        self.classes[path] = cls
        members = type.__dict__["__dict__"].__get__(cls)
        facets["bases"] = (
            ", ".join(map(self.name, itertools.filterfalse(_lays_out, cls.__bases__))) or "builtins:object"
        )
        facets["mro"] = ", ".join(map(self.name, itertools.filterfalse(_lays_out, cls.__mro__)))
        facets["metaclass"] = self.name(type(cls))
        facets["abstract"] = self.text(sorted(members.get("__abstractmethods__", ())))
        facets["doc"] = self.text(members.get("__doc__"))
        facets["annotations"] = self.text(_annotations(cls))
        facets["static_attributes"] = self.text(sorted(members.get("__static_attributes__", ())))
        facets |= {name: str(getattr(cls, f"__{name}__")) for name in ("module", "name", "qualname")}
        facets["pickle"] = _pickles(cls)
        children: list[type] = type.__subclasses__(cls)
        below = [self.name(one) for one in children if self.is_ours(one.__module__) and self._is_wanted(one)]
        facets["subclasses"] = ", ".join(sorted(below))
        facets["lines"] = str(members.get("__firstlineno__", ""))
        for name in sorted(members):
            if name not in _CLASS_OWN and not _stands_for_constructor(name, members[name]):
                self.visit(f"{path}.{name}", members[name], depth + 1)

    def _is_wanted(self, cls: type) -> bool:
        """Whether `cls` may still be asked for: a class whose definition is gone lives on with who holds it, and one
        that `dataclasses` threw away, to make slots, with what it wrote for it.
        """
        if _is_thrown_away(cls):
            return False
        if self.limit is None:
            return True
        path = f"{cls.__module__}:{cls.__qualname__}"
        there = self.limit.get(path, {})
        if "bases" in self.limit.get(there.get("value", "").removeprefix("same as "), there):
            return True
        return any(one.startswith(f"{path}.<cell ") and "bases" in own for one, own in self.limit.items())  # wrapped

    def _object(self, path: str, value: Any, depth: int) -> None:
        facets = self._enter(path, value)
        if facets is None:
            return
        if type(value) is not tuple:  # of equal ones several names may have one, as caches of `typing` give them
            self._settle(path, value)
        if isinstance(value, dict) and any(vars(module) is value for module in self.modules().values()):
            facets["value"] = f"namespace of {value.get('__name__')}"
            return
        facets["value"] = self._kind(value)
        for name, part in self._parts(value):
            self.visit(f"{path}.{name}", part, depth + 1)

    def _kind(self, value: Any) -> str:
        kind = type(value)
        text = self.name(kind) if self.is_ours(kind.__module__) else f"{kind.__module__}:{kind.__qualname__}"
        if isinstance(value, (list, tuple, dict, set, frozenset)):
            text += f" of {len(value)}"
        if isinstance(value, _BY_TEXT) or not (_parts_known(value) or kind is itertools.count):  # how far it is: state
            text += f" {self._printed(value)}"
        return text

    def _parts(self, value: Any) -> Iterator[tuple[str, Any]]:
        """Yield what `value` is made of: items, attributes, slots, wrapped functions."""
        if isinstance(value, _BY_TYPE_ALONE):
            return
        if isinstance(value, Mapping) and isinstance(value, dict | types.MappingProxyType):
            yield from ((f"[{self.text(key)}]", item) for key, item in value.items())
        elif isinstance(value, (list, tuple)):
            yield from ((f"[{index}]", item) for index, item in enumerate(value))
        elif isinstance(value, (set, frozenset)):
            yield "items", "; ".join(sorted(map(self.text, value)))
        for name in (
            "fget",
            "fset",
            "fdel",
            "__func__",
            "func",
            "args",
            "keywords",
            "__self__",
            "__wrapped__",
            "__args__",
        ):
            if _has_wrapped(value, name):
                yield name, getattr(value, name)
        yield from sorted(_attributes(value).items())

    # -- text ----------------------------------------------------------------------------------------------------------

    def text(self, value: Any, depth: int = 0) -> str:
        """Return `value` in one line, functions and classes by name, without addresses."""
        if _stands_for_another(value):
            return self.name(type(value))
        if isinstance(value, (FunctionType, type)):
            return self.name(value)
        if type(value) in _ATOMS:
            return repr(value).replace(self.root, "<root>")
        if isinstance(value, ModuleType):
            return f"module {value.__name__}"
        if isinstance(value, enum.Enum):
            return f"{self.name(type(value))}.{value._name_}"
        if depth > 4:
            return "..."
        return self._text_of_parts(value, depth + 1)

    def _text_of_parts(self, value: Any, depth: int) -> str:
        if _is_position(value):
            return f"a line of {self.text(value[0])}"
        if type(value) in (tuple, list):
            return f"{type(value).__name__}({', '.join(self.text(item, depth) for item in value)})"
        if type(value) in (set, frozenset):
            return f"{type(value).__name__}({', '.join(sorted(self.text(item, depth) for item in value))})"
        if type(value) is dict:
            return f"{{{', '.join(f'{self.text(k, depth)}: {self.text(v, depth)}' for k, v in value.items())}}}"
        if _is_union(value):
            parts = [self.text(item, depth) for item in value.__args__]
            return " | ".join(parts if depth == 1 else sorted(parts))  # inside others, caches give one for an equal one
        if _is_alias(value):
            return f"{self.text(value.__origin__, depth)}[{', '.join(self.text(a, depth) for a in value.__args__)}]"
        place = self._places.get(id(value))
        if place and not isinstance(value, types.BuiltinFunctionType):
            return f"(at {place})"
        kind = self._kind(value)
        return f"{kind}({', '.join(f'{n}={self.text(p, depth)}' for n, p in _attributes(value).items())})"

    def _printed(self, value: object) -> str:
        try:
            return _ADDRESS.sub("", repr(value)).replace(self.root, "<root>")
        except Exception as error:  # noqa: BLE001  a `__repr__` of the project may raise anything
            return type(error).__name__


# -- small questions ---------------------------------------------------------------------------------------------------


def _lays_out(base: type) -> bool:
    """Whether `base` is the empty one that CPython wants between, for a class to keep how its objects are laid out."""
    return base.__module__ == "hotswap.patch._layout"


_THROWN_AWAY: Final[weakref.WeakSet[type]] = weakref.WeakSet()


def _is_thrown_away(cls: type) -> bool:
    """Whether `dataclasses` made another class of `cls`, with slots, which took its place, now or before an edit."""
    found: Any = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, "__dict__", {}).get(part)
    own, other = vars(cls), getattr(found, "__dict__", {})
    is_other = found is not cls and "__dataclass_fields__" in own and "__dataclass_fields__" in other
    if is_other and "__slots__" in other and "__slots__" not in own:
        _THROWN_AWAY.add(cls)
    return cls in _THROWN_AWAY


def _stands_for_another(value: object) -> bool:
    """Whether `value` is a proxy, which says what class it is by code of its own: whatever it is asked may raise."""
    return any("__class__" in vars(cls) for cls in type(value).__mro__ if cls is not object)


def _is_plain(value: object) -> bool:
    if type(value) in _ATOMS or isinstance(value, ModuleType):
        return True
    return type(value) in (tuple, frozenset) and all(map(_is_plain, value))  # type: ignore[call-overload]


def _is_position(value: Any) -> bool:
    """Whether `value` is a file and a line, which code has noted of who called it: nothing runs for lines that move."""
    return type(value) is tuple and list(map(type, value)) == [str, int] and value[0].endswith(".py")


def _stands_for_constructor(name: str, member: object) -> bool:
    """Whether `member` does what `object` does, in a class that had a constructor: CPython does not give that back."""
    made = getattr(member, "__func__", member)
    made = getattr(made, "__self__", made)  # the call of a function, which shows no signature
    return name == "__new__" and str(getattr(made, "__module__", "")).startswith("hotswap.")


def _is_union(value: object) -> bool:
    """Whether `value` is ``X | Y`` or what `typing` makes of it; they are equal, and its caches mix them up."""
    try:
        return isinstance(value, types.UnionType) or getattr(value, "__origin__", None) is typing.Union
    except Exception:  # noqa: BLE001  a `__getattr__` of the project may raise anything
        return False


def _is_cached(value: object) -> bool:
    """Whether a type with parameters, or a function in C, is the very one that equal texts give: it has no home."""
    if isinstance(value, types.BuiltinFunctionType):
        return isinstance(value.__self__, (ModuleType, type(None)))
    return (type(value).__module__ == "typing" or type(value) is types.GenericAlias) and _is_alias(value)


def _is_alias(value: object) -> bool:
    try:
        return hasattr(value, "__origin__") and hasattr(value, "__args__")
    except Exception:  # noqa: BLE001  a `__getattr__` of the project may raise anything
        return False


def _names_of(value: object) -> dict[str, Any]:
    """Return the global names of a function, nothing for a class, whatever attributes that has."""
    return value.__globals__ if isinstance(value, FunctionType) else {}


def _annotations(value: Any) -> Any:
    try:
        return dict(inspect.get_annotations(value))
    except Exception as error:  # noqa: BLE001  lazy annotations run the project's code
        return type(error).__name__


def _has_right_globals(function: FunctionType) -> bool:
    module = sys.modules.get(str(function.__globals__.get("__name__")))
    return module is not None and vars(module) is function.__globals__


def _pickles(cls: type) -> str:
    try:
        return str(pickle.loads(pickle.dumps(cls)) is cls)  # noqa: S301  what was dumped a moment ago
    except Exception as error:  # noqa: BLE001  reducers are the project's code
        return type(error).__name__


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return "empty cell"


def _has_wrapped(value: object, name: str) -> bool:
    kinds = (property, staticmethod, classmethod, functools.partial, functools.partialmethod, types.MethodType)
    if isinstance(value, (*kinds, functools.cached_property)):
        return hasattr(value, name) and name != "__wrapped__"
    return name == "__wrapped__" and type(value).__module__ == "functools" and hasattr(value, name)


def _parts_known(value: object) -> bool:
    """Whether what `value` is shows in its parts; C objects without attributes are described by their own text."""
    kinds = (
        dict,
        list,
        tuple,
        set,
        frozenset,
        property,
        staticmethod,
        classmethod,
        functools.partial,
        types.MappingProxyType,
    )
    return (
        isinstance(value, (*kinds, *_BY_TYPE_ALONE, types.MethodType, *_ATOMS))
        or bool(_attributes(value))
        or (
            type(value).__module__ not in ("builtins", "_thread", "itertools") and type(value).__flags__ & (1 << 9) != 0
        )
    )


def _attributes(value: object) -> dict[str, Any]:
    """Return the instance's own attributes and slots, without running code of the project."""
    if isinstance(value, (types.BuiltinFunctionType, functools.partial)) or type(value).__module__ in (
        "typing",
        "logging",
    ):
        return {}
    if isinstance(value, pathlib.PurePath) and type(value).__module__.startswith("pathlib"):
        return {"path": str(value)}  # its slots remember what was asked of it
    found: dict[str, Any] = {}
    try:
        own = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        own = {}
    for cls in type(value).__mro__:
        for name, member in vars(cls).items():
            if isinstance(member, types.MemberDescriptorType) and cls.__module__ != "builtins":
                try:
                    found[name] = member.__get__(value)
                except AttributeError:
                    continue
    found |= own if isinstance(own, dict) else {}
    skipped = ["__weakref__", "__vectorcalloffset__"]  # the latter is an address
    skipped += ["__wrapped__"] if type(value).__module__ == "functools" else []
    skipped += ["lineno", "end_lineno"] if isinstance(value, traceback.FrameSummary) else []
    return {str(name): found[name] for name in found if name not in skipped and not str(name).startswith("_abc_")}
