"""Who looked through a class when it was made: metaclasses, ``__init_subclass__`` and decorators that hotswap does not
know. They are not called again for a class that exists, so a member that came, went or is another object is told.

Whether they look at members at all, and at which, is read from their code: what they iterate over, which names they ask
for, and by what they pick (a prefix, a type, a mark). A function that got new code is the same object wherever they
keep it, so nothing is told of it.
"""

from __future__ import annotations

import ast
import builtins
import dis
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import EnumMeta
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

from hotswap._apply import _adapter, _below, _generate, _notes
from hotswap._apply._inside import content_of
from hotswap._apply._reach import behaves_otherwise
from hotswap._apply._swap import Hooked
from hotswap._apply._uses import of_arguments, running, use_of
from hotswap._graph._overrides import runs_for_classes
from hotswap._model import Diff, Kind, Pair, Statement
from hotswap._run._journal import CONTAINERS, MISSING
from hotswap._run._values import attribute, elements, is_a, way_to
from hotswap._text._diff import only_code
from hotswap.patch._classes import instances, subclasses

if TYPE_CHECKING:
    from hotswap._apply._swap import Swap
    from hotswap._apply._visit import Visit

_OVER_ALL: Final = frozenset(
    ("vars", "dir", "__dict__", "getmembers", "getmembers_static", "__annotations__", "get_annotations")
) | {"get_type_hints"}
_OVER_NAMESPACE: Final = frozenset(("items", "values", "keys"))
_BY_TEXT: Final = frozenset(("startswith", "endswith", "hasattr", "getattr"))
_BY_CALL: Final = frozenset(("callable", "isfunction", "isroutine", "ismethod", "iscoroutinefunction"))
_BY_ITEMS: Final = frozenset(("list", "sorted", "tuple", "set", "map", "filter", "any", "all"))
_LOADS: Final = ("LOAD_FAST", "LOAD_DEREF", "LOAD_FAST_BORROW", "LOAD_FAST_CHECK")
_COMPREHENSIONS: Final = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
_DEEP: Final = 3

HOOK: Final = "__init_subclass__"
SET_NAME: Final = "__set_name__"
DECORATOR: Final = "decorator"


@dataclass(slots=True)
class _Look:
    """What a collector's code, and the code that it calls, looks at."""

    over_all: bool = False
    names: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    types: list[type] = field(default_factory=list)

    def sees(self, name: str, values: list[object]) -> bool:
        """Whether it would have taken notice of the member `name` with one of `values`."""
        if name in self.names or (name in self.texts and not self.over_all):
            return True
        return self.over_all and self._picks(name, values)

    def _picks(self, name: str, values: list[object]) -> bool:
        hidden = name.startswith("_") and any(text.startswith("_") and name.startswith(text) for text in self.texts)
        if hidden and "startswith" in self.uses:
            return False
        texts = [text for text in self.texts if text.strip("_") and self.uses & _BY_TEXT]
        tests = [
            *(name.startswith(text) or name.endswith(text) for text in texts),
            *(_has(value, text) for text in texts for value in values),
            *(isinstance(value, tuple(self.types)) for value in values if self.types),
            *(callable(_inside(value)) for value in values if self.uses & _BY_CALL),
        ]
        return any(tests) if tests else True


def _inside(value: object) -> object:
    for name in ("__func__", "fget"):
        value = getattr(value, name, value) if is_a(value, (staticmethod, classmethod, property)) else value
    return value


def _has(value: object, text: str) -> bool:
    """Whether a member carries the mark `text`, found without running code of the program."""
    for one in (value, _inside(value)):
        try:
            own = object.__getattribute__(one, "__dict__")
        except (AttributeError, TypeError):
            own = {}
        if text in own or any(text in vars(base) for base in type(one).__mro__[:-1]):
            return True
    return False


def before(visit: Visit, pair: Pair, live: type) -> dict[str, object] | None:
    """Return the members of `live` as they are, None if no collector could miss a change of them."""
    assert pair.inner is not None
    inner = pair.inner
    if not (inner.added or inner.removed or any(not only_code(one) for one in inner.changed)):
        return None
    if (
        visit.swap.tends(live)
        or _generate.is_made_whole(visit, live)
        or not any(True for _ in collectors(visit, pair.new, live))
    ):
        return None
    return dict(vars(live))


def tell(
    visit: Visit, pair: Pair, live: type, members: Mapping[str, object] | None, called: tuple[str, ...] = ()
) -> None:
    """Tell of members that are not what they were in `members`, and that a collector would have seen.

    Collectors of the sorts `called` have been called again.
    """
    found = collectors(visit, pair.new, live) if members is not None else ()
    looks = [(who, _look(code)) for who, code in found if who.partition(" ")[0] not in called]
    for statement, name in _touched(pair) if looks else ():
        old, new = (side.get(name, MISSING) for side in (members or {}, vars(live)))
        noted = isinstance(statement.node, ast.AnnAssign)
        if old is new and not noted:
            continue
        values = [value for value in (old, new) if value is not MISSING]
        who = [who for who, look in looks if look.sees(name, values)]
        if who:
            line = statement.lineno if statement in pair.new.children else pair.new.lineno
            named = f"{visit.named(pair.new)}.{name}"
            visit.swap.tell(visit.work, "HS218", line, name=named, who=", ".join(who))


def tell_made(visit: Visit, pair: Pair, live: type, *, stays: bool = True) -> None:
    """Tell of classes that were made before the hook of `live` changed that runs when one is made, or left; if `live`
    does not stay, those below it are made anew with a hook that came.
    """
    assert pair.inner is not None
    is_meta, is_enum = issubclass(live, type), isinstance(live, EnumMeta)
    hooks = (HOOK, SET_NAME, *(("__new__", "__init__", "__prepare__") if is_meta else ()))
    gone = ((replace(s, lineno=pair.new.lineno), True) for s in pair.inner.removed if _is_gone(s, live))
    for statement, is_new in (*(_functions(pair.inner) if stays else ()), *gone):
        name = statement.binds[-1]
        if name in (_generate.MAKES_MEMBERS if is_enum else hooks) and (
            is_new or _behaves_otherwise(visit, vars(live).get(name))
        ):
            what = "descriptors" if name == SET_NAME else "classes"
            made = instances(live, *subclasses(live)) if is_meta or name == SET_NAME else subclasses(live)
            found = [one for one in made if one is not live and (name == SET_NAME or is_named(one))]
            if found and not (name == HOOK and is_new and _is_first(live)):
                named = f"{visit.named(pair.new)}.{name}"
                what += f": {', '.join(sorted(one.__qualname__ for one in found))}" if is_enum else ""
                visit.swap.tell(visit.work, "HS229", statement.lineno, name=named, count=len(found), what=what)
            elif found:
                visit.swap.hooked.append(Hooked(visit.work, statement, live, tuple(found)))
    _tell_read(visit, pair, live)


def _is_first(live: type) -> bool:
    """Whether no class above `live` has a hook of the project's: that of `live` is called for those below it then."""
    above = [vars(base).get(HOOK) for base in live.__mro__[1:-1]]
    return not any(True for member in above for _ in _named("", member)) and HOOK in vars(live)


def tell_older_hook(swap: Swap, hooked: Hooked, count: int) -> None:
    """Tell of classes for which a hook that came could not be called."""
    name = f"{hooked.live.__qualname__}.{HOOK}"
    swap.tell(hooked.work, "HS229", hooked.statement.lineno, name=name, count=count, what="classes")


def _is_gone(statement: Statement, live: type) -> bool:
    """Whether the function `statement` left the class `live`, and did more than to call what stands above it."""
    calls = (node.func for node in ast.walk(statement.node) if isinstance(node, ast.Call))
    alone = len(getattr(statement.node, "body", ())) == 1 and any("super" in ast.unparse(call) for call in calls)
    return statement.kind is Kind.DEF and statement.binds[-1] not in vars(live) and not alone


def _tell_read(visit: Visit, pair: Pair, live: type) -> None:
    """Tell of classes below `live` that were made before an attribute of it changed which its hook reads."""
    assert pair.inner is not None
    hook = attribute(vars(live).get(HOOK), "__func__")
    if type(hook) is not FunctionType or visit.swap.pending_code(hook) in visit.swap.changes.codes:
        return
    read = of_arguments(hook.__code__)
    for statement in (*pair.inner.added, *(one.new for one in pair.inner.changed)):
        name = next((one for one in statement.binds if statement.kind is Kind.ASSIGN and one in read), "")
        if name and visit.swap.changes.changed(visit.work.edit.module, f"{visit.named(pair.new)}.{name}"):
            count = sum(one is not live and is_named(one) for one in subclasses(live))
            named = f"{visit.named(pair.new)}.{name}, which {HOOK} reads,"
            if count:
                visit.swap.tell(visit.work, "HS229", statement.lineno, name=named, count=count, what="classes")


def _functions(inner: Diff) -> Iterator[tuple[Statement, bool]]:
    """Yield the functions of a class body that are new or changed, those in suites as well, and which they are."""
    yield from ((statement, True) for statement in inner.added if statement.kind is Kind.DEF)
    for pair in inner.changed:
        if pair.new.kind is Kind.DEF:
            yield pair.new, False
        elif pair.new.kind is Kind.SUITE and pair.inner is not None:
            yield from _functions(pair.inner)


def tell_older(visit: Visit, statements: Sequence[Statement]) -> None:
    """Tell of classes that were made before something changed which made them: a decorator, or what a hook reads."""
    _tell_decorated(visit, statements)
    _tell_hooks(visit, statements)


def _tell_decorated(visit: Visit, statements: Iterable[Statement]) -> None:
    """Tell of classes that were made before one of their decorators changed."""
    older: dict[str, list[Statement]] = {}
    for statement in statements if visit.swap.changes else ():
        found = statement.node.decorator_list if isinstance(statement.node, ast.ClassDef) else ()
        for decorator in found if found and statement not in visit.work.log.ran else ():
            called = _generate.called(visit, decorator)
            if _behaves_otherwise(visit, called) or (
                id(statement) in visit.swap.maybe and _does_otherwise(visit, called)
            ):
                older.setdefault(ast.unparse(getattr(decorator, "func", decorator)), []).append(statement)
    for name, made in older.items():
        names = ": " + ", ".join(map(visit.named, made)) if len(made) > 1 else ""
        given = {"name": f"decorator {name}", "count": len(made), "what": f"classes{names}"}
        visit.swap.tell(visit.work, "HS229", made[0].lineno, **given)


def _tell_hooks(visit: Visit, statements: Iterable[Statement]) -> None:
    """Tell of classes that were made before something changed which a hook reads or calls that made them."""
    for statement in statements if visit.swap.maybe else ():
        live = visit.scope.peek(statement.binds[-1]) if statement.kind is Kind.CLASS and statement.children else None
        if not is_a(live, type) or any(one.live is live for one in visit.swap.hooked):
            continue
        for one in (one for one in statement.children if one.kind is Kind.DEF and id(one) in visit.swap.maybe):
            _tell_hook(visit, one, live)


def _tell_hook(visit: Visit, statement: Statement, live: Any) -> None:
    """Tell of classes that the hook `statement` of `live`, whose text did not change, would make otherwise now."""
    name = statement.binds[-1]
    if not runs_for_classes(live.__module__, f"{live.__qualname__}.{name}"):
        return
    is_meta = issubclass(live, type)
    made = instances(live, *subclasses(live)) if is_meta or name == SET_NAME else subclasses(live)
    found = [one for one in made if one is not live and (name == SET_NAME or is_named(one))]
    if not found or not _does_otherwise(visit, vars(live).get(name)):
        return
    if name == HOOK and _notes.were_lost(visit.swap, vars(live).get(name)):
        visit.swap.hooked.append(Hooked(visit.work, statement, live, _notes.made_before(visit.swap, found)))
        return
    what, named = "descriptors" if name == SET_NAME else "classes", f"what {live.__qualname__}.{name} does"
    visit.swap.tell(visit.work, "HS229", statement.lineno, name=named, count=len(found), what=what)


def _does_otherwise(visit: Visit, member: object) -> bool:
    """Whether a hook gives something else now, the members of the class apart that it is called for."""
    raw = attribute(member, "__func__", member)
    if type(raw) is not FunctionType or not visit.swap.is_project(raw):
        return False
    changes, names, module = visit.swap.changes, raw.__globals__, str(raw.__globals__.get("__name__", ""))
    if visit.swap.pending_code(raw) in changes.codes:
        return True
    chains = frozenset[str]().union(*(use_of(one).chains for one in running(visit.swap.pending_code(raw))))
    called = [*(way_to(names, chain)[-1:] for chain in chains), *([content_of(cell)] for cell in raw.__closure__ or ())]
    return any(changes.reads(names, module, chain, altered=False) for chain in chains) or any(
        behaves_otherwise(visit.swap, one) for way in called for one in way if not _is_of_classes(one)
    )


def _is_of_classes(value: object) -> bool:
    """Whether `value` is a class or a registry of classes: a hook looks them up there, and does not call them."""
    return is_a(value, type) or (type(value) in CONTAINERS and all(is_a(one, type) for one in elements(value)))


def _behaves_otherwise(visit: Visit, member: object) -> bool:
    """Whether a call of `member` does something else now; what functions that it makes read is read when they run."""
    raw = attribute(member, "__func__", member)
    changes = visit.swap.changes
    if type(raw) is not FunctionType:
        return False
    code, module = visit.swap.pending_code(raw), str(raw.__globals__.get("__name__", ""))
    if code in changes.codes or any(isinstance(const, CodeType) and const in changes.codes for const in code.co_consts):
        return True
    return visit.swap.is_project(raw) and any(changes.reads(raw.__globals__, module, name) for name in _globals(code))


def _globals(code: CodeType) -> set[str]:
    """Return the global names that `code` reads while it runs."""
    inner = (const for const in code.co_consts if isinstance(const, CodeType) and const.co_name in _COMPREHENSIONS)
    own = {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return own.union(*map(_globals, inner))


def is_named(cls: type) -> bool:
    """Whether a name of its module leads to the class; others may be nobody's any more."""
    value: object = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        value = attribute(value, "__dict__", {}).get(part)
    return value is cls


def _touched(pair: Pair) -> Iterator[tuple[Statement, str]]:
    """Yield the statements that came, went or changed, with the names that they bind; special names are the class's."""
    assert pair.inner is not None
    inner = pair.inner
    for statement in (*inner.added, *(p.new for p in inner.changed if not only_code(p)), *inner.removed):
        target = getattr(statement.node, "target", None)
        names = (target.id,) if isinstance(target, ast.Name) else statement.binds
        for name in names:
            if not (name.startswith("__") and name.endswith("__")):
                yield statement, name


def collectors(visit: Visit, statement: Statement, live: type) -> Iterator[tuple[str, FunctionType]]:
    """Yield what ran when the class was made, with a name for it, but for what is of a library that is known."""
    meta: Any = type(live)
    for base in meta.__mro__:
        for name in ("__new__", "__init__") if base is not type else ():
            yield from _named(f"metaclass {meta.__name__}", vars(base).get(name))
    for base in live.__mro__[1:]:
        if not any(one.live is base for one in visit.swap.hooked):  # it sees what the class is in the end
            yield from _named(f"{HOOK} of {base.__name__}", vars(base).get(HOOK))
    assert isinstance(statement.node, ast.ClassDef)
    for decorator in (*statement.node.decorator_list, *_below.by_hand(visit.new, statement)):
        called: Any = _generate.called(visit, decorator)
        if not _adapter.decorates(visit.swap, called):
            calls = vars(type(called)).get("__call__")
            raw = called if type(called) is FunctionType else calls
            yield from _named(f"{DECORATOR} {ast.unparse(getattr(decorator, 'func', decorator))}", raw)


def _named(who: str, member: object) -> Iterator[tuple[str, FunctionType]]:
    raw = attribute(member, "__func__", member)
    if type(raw) is FunctionType and not is_known(raw):
        yield who, raw


def is_known(function: FunctionType) -> bool:
    """Whether a function is of the standard library, or of one that has an adapter."""
    name = str(function.__globals__.get("__name__", ""))
    top = name.partition(".")[0]
    if name == "string":  # `Template` makes its pattern of what a subclass says
        return False
    return name != "__main__" and (top in (*sys.stdlib_module_names, "hotswap") or top in _adapter.libraries())


def _look(function: FunctionType) -> _Look:
    look = _Look()
    waiting, seen = [(function, 0)], {function}
    while waiting:
        one, depth = waiting.pop()
        _add(look, one.__code__, one.__globals__, first=depth == 0)
        for name in use_of(one.__code__).chains if depth < _DEEP else ():
            inner = one.__globals__.get(name)
            if type(inner) is FunctionType and inner not in seen and not is_known(inner):
                seen.add(inner)
                waiting.append((inner, depth + 1))
    return look


def _add(look: _Look, code: CodeType, names: Mapping[str, Any], *, first: bool) -> None:
    uses = {*code.co_names}
    look.uses |= uses
    look.texts |= {const for const in code.co_consts if type(const) is str and const.isidentifier()}
    look.over_all |= bool(uses & _OVER_ALL)
    if "isinstance" in uses:
        found: list[object] = [names.get(name, getattr(builtins, name, None)) for name in code.co_names]
        look.types.extend(one for one in found if isinstance(one, type))
    if first and code.co_argcount > 3:
        look.over_all |= bool(uses & _OVER_NAMESPACE) or _iterates(code, code.co_varnames[3])
    made = code.co_varnames[code.co_argcount :] if first and code.co_name == "__new__" else ()  # one is the class
    for name in (*code.co_varnames[: min(code.co_argcount, 1)], *made):
        look.names |= set(_attributes(code, name))
    for const in code.co_consts:
        if isinstance(const, CodeType):
            _add(look, const, names, first=first)


def _steps(code: CodeType) -> Iterator[tuple[str, Any, str, Any]]:
    """Yield what loads a variable (the last one, where an instruction loads two), with the instruction behind it."""
    last: tuple[str, Any] = ("", None)
    for step in dis.get_instructions(code):
        yield (*last, step.opname, step.argval)
        loaded = step.argval[-1] if isinstance(step.argval, tuple) and step.argval else step.argval
        last = ("LOAD", loaded) if step.opname.startswith(_LOADS) else ("", None)


def _iterates(code: CodeType, name: str) -> bool:
    behind = {then for op, held, then, _ in _steps(code) if op == "LOAD" and held == name}
    return "GET_ITER" in behind or bool({"CALL", "PRECALL"} & behind and _BY_ITEMS & {*code.co_names})


def _attributes(code: CodeType, name: str) -> Iterator[str]:
    """Yield the attributes that are looked up on the variable `name`."""
    for op, held, then, value in _steps(code):
        if op == "LOAD" and held == name and then in ("LOAD_ATTR", "LOAD_METHOD"):
            yield str(value)
