"""Walking statements: `unquiet` says whether one may be run again.

Branches are walked both, and what is known behind them is what is true of both. In loops, `try` and `with`, a name
keeps what it was beside what it becomes, as the suite may be left anywhere; a loop is walked until nothing new is
learned. So a list counts as made by the statement only where every way to that line has made it.
"""

from __future__ import annotations

import ast
import sys
from importlib.util import resolve_name
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Final

from hotswap._quiet._access import LoudError
from hotswap._quiet._expressions import Expressions
from hotswap._quiet._items import put_into
from hotswap._quiet._scope import Scope, find_imported
from hotswap._quiet._table import TABLE, Table
from hotswap._quiet._targets import unpack, write_dotted
from hotswap._quiet._values import (
    MISSING,
    UNKNOWN,
    Arguments,
    Definition,
    Frame,
    Items,
    Value,
    is_class,
    join,
    know,
    look_up,
    lose_items,
    name_class,
    runs_python,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ROUNDS: Final = 4  # walks through a loop, before names that still change count as unknown
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def unquiet(node: ast.stmt, scope: Scope, table: Table = TABLE) -> str | None:
    """Return why a statement must not be run again; None if only the names that it binds would tell.

    `node` is a statement of a module or class body, `scope` where it looks names up, `table` the listed calls. The
    reason is a few words that "it" can stand before: ``calls connect(), which is not known to be quiet``.

    Nothing is imported, run or compared, and no attribute of an instance is loaded: module and type dictionaries
    are read, cells and the exact builtin containers. An instance attribute that hides a method of its class is not
    seen. Never raises.
    """
    return Statements(scope, table).judge(node)


class Statements(Expressions):
    """Walks statements."""

    def judge(self, node: ast.stmt) -> str | None:
        """Return why a statement that stands by itself is loud; None if it is not."""
        try:
            self.walk((node,), Frame(self.scope.resolve, top=True))
        except LoudError as loud:
            return loud.reason
        except RecursionError:
            return "is nested deeper than is judged"
        return None

    def walk(self, nodes: Sequence[ast.stmt], frame: Frame) -> None:
        """Judge statements in order. Raises LoudError at the first that is not quiet."""
        for node in nodes:
            judge = _STATEMENTS.get(type(node))
            if judge is None:
                raise LoudError(f"has a statement ({type(node).__name__}) that is never quiet")
            judge(self, node, frame)

    def run_body(self, node: Definition, frame: Frame) -> Value:
        """Walk the body of a function whose parameters are bound in `frame`; return what it returns."""
        if isinstance(node, ast.AsyncFunctionDef):
            raise LoudError("is a coroutine function")
        if isinstance(node, ast.Lambda):
            return self.evaluate(node.body, frame)
        self.walk(node.body, frame)
        if frame.yielded is not None:
            return Value(kind=GeneratorType, own=True, each=frame.yielded)
        return frame.returned or know(None)

    # --- stores

    def bind(self, target: ast.expr, value: Value, frame: Frame) -> None:
        """Judge the store of `value` to `target`."""
        if isinstance(target, ast.Name):
            self._bind_name(target.id, value, frame)
        elif isinstance(target, ast.Attribute):
            self._bind_attribute(target, value, frame)
        elif isinstance(target, ast.Subscript):
            receiver, _ = self.evaluate_all((target.value, target.slice), frame)
            self.store(receiver, "__setitem__", f"{write_dotted(target.value)}[...]", anywhere=frame.top)
            put_into(receiver, UNKNOWN if isinstance(target.slice, ast.Slice) else value)
        else:
            if not value.parts and not isinstance(target, ast.Starred):
                self.iterate(value)
            for part, given in unpack(target, value):
                self.bind(part, given, frame)

    def _bind_name(self, name: str, value: Value, frame: Frame) -> None:
        if name in frame.shared:
            raise LoudError(f"writes {name}, a global or nonlocal name")
        if frame.top and value.kind and value.own and look_up(value.kind, "__next__"):
            raise LoudError(f"binds {name} to an iterator, whose position would be lost")
        frame.bind(name, value)

    def _bind_attribute(self, target: ast.Attribute, value: Value, frame: Frame) -> None:
        receiver, name = self.evaluate(target.value, frame), write_dotted(target)
        self.stored.add(target.attr)
        self.store(receiver, "__setattr__", name, anywhere=frame.top)
        for other in [known for known in frame.names if known.endswith(f".{target.attr}") and known != name]:
            del frame.names[other]  # the same object may go by that name, too
        if receiver.own and isinstance(target.value, ast.Name):
            frame.bind(name, value)

    def _assign(self, node: ast.Assign, frame: Frame) -> None:
        value = self.evaluate(node.value, frame)
        for target in node.targets:
            self.bind(target, value, frame)

    def _annotate(self, node: ast.AnnAssign, frame: Frame) -> None:
        if frame.top:
            self.evaluate(node.annotation, frame)
        if node.value is not None:
            self.bind(node.target, self.evaluate(node.value, frame), frame)

    def _augment(self, node: ast.AugAssign, frame: Frame) -> None:
        """Judge ``X += 1``: quiet for what was bound by this very code and cannot be altered unseen."""
        target, name = node.target, write_dotted(node.target)
        value = self.evaluate(node.value, frame)
        if isinstance(target, ast.Subscript):
            self._augment_item(target, value, frame)
            return
        held = frame.names.get(name)
        if held is None or not held.own or name in frame.shared:
            raise LoudError(f"makes an augmented assignment to {name}")
        lose_items(held)
        result = self.combine(held, node.op, value)
        self.use(held, f"__i{type(node.op).__name__.lower()}__")
        self.bind(target, result if result.kind else Value(kind=None, own=True), frame)

    def _augment_item(self, target: ast.Subscript, value: Value, frame: Frame) -> None:
        """Judge ``counts[key] += 1``: what builtin containers hold is not altered by adding a number or a text."""
        receiver, _ = self.evaluate_all((target.value, target.slice), frame)
        simple = value.kind is int or value.kind is float or value.kind is str
        if not (receiver.own and receiver.kind and self.table.is_builtin(receiver.kind) and simple):
            raise LoudError(f"makes an augmented assignment to {write_dotted(target.value)}[...]")
        put_into(receiver, value)

    def _delete(self, node: ast.Delete, frame: Frame) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id not in frame.shared:
                frame.names.pop(target.id, None)
                continue
            if not isinstance(target, ast.Attribute | ast.Subscript):
                raise LoudError("deletes a global or nonlocal name")
            hook = "__delattr__" if isinstance(target, ast.Attribute) else "__delitem__"
            self.store(self.evaluate(target.value, frame), hook, f"{write_dotted(target.value)}", anywhere=False)

    # --- suites

    def _if(self, node: ast.If, frame: Frame) -> None:
        self.decide(node.test, frame)
        self._branch([node.body, node.orelse], frame)

    def _branch(self, suites: Sequence[Sequence[ast.stmt]], frame: Frame) -> None:
        """Walk suites of which one runs; behind them, a name is what it may be after any that goes on."""
        before, after = frame.names, None
        for suite in suites:
            frame.names = dict(before)
            self.walk(suite, frame)
            if not (suite and isinstance(suite[-1], ast.Return | ast.Raise)):
                after = frame.names if after is None else self._merge(after, frame)
        frame.names = before if after is None else after

    def _merge(self, one: dict[str, Value], frame: Frame) -> dict[str, Value]:
        other = frame.names
        merged = {name: join(one[name], other[name]) for name in one.keys() & other.keys()}
        for name in one.keys() ^ other.keys():
            if "." not in name:  # unknown where it is bound by one branch alone: before, or not at all
                there = frame.find(name) if frame.top else MISSING
                merged[name] = join(None if there is MISSING else know(there), one.get(name) or other[name])
        return merged

    def _loop(self, body: Sequence[ast.stmt], frame: Frame, before: Callable[[], None]) -> None:
        """Walk a loop until nothing new is learned; `before` judges its header."""
        frame.weak += 1
        for turn in range(_ROUNDS + 2):
            names, moved = {n: value.key() for n, value in frame.names.items()}, Items.changes
            before()
            self.walk(body, frame)
            changed = [name for name, value in frame.names.items() if names.get(name) != value.key()]
            if not changed and moved == Items.changes:
                break
            if turn >= _ROUNDS:
                lose_items(*(frame.names[name] for name in changed))
                frame.names.update(dict.fromkeys(changed, UNKNOWN))
        frame.weak -= 1

    def _for(self, node: ast.For, frame: Frame) -> None:
        items = self.iterate(self.evaluate(node.iter, frame))
        self._loop(node.body, frame, lambda: self.bind(node.target, items, frame))
        self.walk(node.orelse, frame)

    def _while(self, node: ast.While, frame: Frame) -> None:
        if frame.top:
            raise LoudError("is a while loop")
        self._loop(node.body, frame, lambda: (self.decide(node.test, frame), None)[1])
        self.walk(node.orelse, frame)

    def _try(self, node: ast.Try | ast.TryStar, frame: Frame) -> None:
        frame.weak += 1
        self.walk(node.body, frame)
        for handler in node.handlers:
            self.evaluate_all([handler.type], frame)
            if handler.name:
                self._bind_name(handler.name, UNKNOWN, frame)
            self.walk(handler.body, frame)
        self.walk((*node.orelse, *node.finalbody), frame)
        frame.weak -= 1

    def _with(self, node: ast.With, frame: Frame) -> None:
        for item in node.items:
            context = self.evaluate(item.context_expr, frame)
            if id(context.kind) not in self.table.contexts:
                raise LoudError("enters a context that is not known to be quiet")
            if item.optional_vars:
                self.bind(item.optional_vars, UNKNOWN, frame)
        frame.weak += 1
        self.walk(node.body, frame)
        frame.weak -= 1

    def _match(self, node: ast.Match, frame: Frame) -> None:
        value = self.evaluate(node.subject, frame)
        if value.kind and not self.table.trusts(value.kind):
            raise LoudError("matches an object whose class may run code")
        frame.weak += 1
        for case in node.cases:
            for part in ast.walk(case.pattern):
                name = getattr(part, "rest" if isinstance(part, ast.MatchMapping) else "name", None)
                if isinstance(name, str):
                    self._bind_name(name, UNKNOWN, frame)
            if case.guard:
                self.decide(case.guard, frame)
            self.walk(case.body, frame)
        frame.weak -= 1

    # --- definitions

    def _define(self, node: _Function, frame: Frame) -> None:
        decorators = self._evaluate_decorators(node.decorator_list, frame)
        made = self.make_function(node, frame)
        self._bind_name(node.name, self._decorate(decorators, made), frame)

    def _evaluate_decorators(self, nodes: list[ast.expr], frame: Frame) -> list[tuple[Value, str, str]]:
        """Judge decorator expressions; return each with its label, and a method's name beside its receiver."""
        found = []
        for node in nodes:
            method = node.attr if isinstance(node, ast.Attribute) else ""
            value = self.evaluate(node.value if isinstance(node, ast.Attribute) else node, frame)
            shown = node.func if isinstance(node, ast.Call) else node
            found.append((value, f"@{write_dotted(shown)}", method))
        return found

    def _decorate(self, decorators: list[tuple[Value, str, str]], made: Value) -> Value:
        for value, label, method in reversed(decorators):
            given = Arguments((made,))
            made = self.call_member(value, method, given, label) if method else self.call(value, given, label)
        return made

    def _define_class(self, node: ast.ClassDef, frame: Frame) -> None:
        decorators = self._evaluate_decorators(node.decorator_list, frame)
        bases = self.evaluate_all([base.value if isinstance(base, ast.Starred) else base for base in node.bases], frame)
        keywords = {word.arg or "": self.evaluate(word.value, frame) for word in node.keywords}
        made = Value(kind=type, own=True)
        body = Frame(frame.find, outer=frame, top=frame.top, hidden=True)
        self.walk(node.body, body)
        for metaclass in [keywords.pop("metaclass", know(type)), *(map(_find_metaclass, bases))]:
            self._judge_metaclass(metaclass, node.name)
        for name, value in body.names.items():
            if value.kind and (hook := look_up(value.kind, "__set_name__")) and runs_python(hook[1]):
                if not self.table.trusts(hook[0]):
                    self.call_raw(hook, "__set_name__", Arguments((value, made, know(name))), f"{name}.__set_name__()")
        for base in bases:
            self._judge_base(base, made, keywords)
        self._bind_name(node.name, self._decorate(decorators, made), frame)

    def _judge_metaclass(self, metaclass: Value, name: str) -> None:
        """Judge the making of a class by `metaclass`."""
        kind: Any = metaclass.obj
        if id(kind) in self.table.metaclasses:
            return
        if not is_class(kind):
            raise LoudError(f"makes the class {name} by something that is not known to be quiet")
        for hook in ("__prepare__", "__new__", "__init__"):
            found = look_up(kind, hook)
            if found and not self.table.trusts(found[0]):
                given = Arguments((metaclass if hook != "__init__" else Value(kind=kind, own=True),), open=True)
                self.call_raw(found, hook, given, f"the metaclass's {hook}()")

    def _judge_base(self, base: Value, made: Value, keywords: dict[str, Value]) -> None:
        """Judge what a base does about a new subclass."""
        kind: Any = base.obj
        if kind is not MISSING and not is_class(kind):
            if self.table.find(kind) is None and not self.table.trusts(type(kind)):
                raise LoudError("has a base that is not known to be quiet")
        elif is_class(kind) and (found := look_up(kind, "__init_subclass__")) and not self.table.trusts(found[0]):
            given = Arguments((Value(made.obj, kind=type(kind), own=True),), keywords)
            self.call_raw(found, "__init_subclass__", given, f"{name_class(kind)}.__init_subclass__()")
        elif kind is MISSING:
            raise LoudError("has a base that is not known")

    # --- imports, and what else there is

    def _import(self, node: ast.Import, frame: Frame) -> None:
        for alias in node.names:
            module = alias.name if alias.asname else alias.name.partition(".")[0]
            self._bind_name(alias.asname or module, know(find_imported(module, [])), frame)

    def _import_from(self, node: ast.ImportFrom, frame: Frame) -> None:
        package = frame.find("__package__")
        module = "." * node.level + (node.module or "")
        if node.level and isinstance(package, str) and package:
            try:
                module = resolve_name(module, package)
            except ImportError:  # it goes beyond the package, which raises when it runs
                module = ""
        for alias in node.names:
            if alias.name != "*":
                found = find_imported(module, [alias.name])
                found = find_imported(f"{module}.{alias.name}", []) if found is MISSING else found
                self._bind_name(alias.asname or alias.name, know(found), frame)

    def _share(self, node: ast.Global | ast.Nonlocal, frame: Frame) -> None:
        if not frame.top or frame.hidden:
            frame.shared.update(node.names)

    def _express(self, node: ast.Expr, frame: Frame) -> None:
        self.evaluate(node.value, frame)

    def _return(self, node: ast.Return, frame: Frame) -> None:
        frame.returned = join(frame.returned, self.evaluate(node.value, frame) if node.value else know(None))

    def _raise(self, node: ast.Raise, frame: Frame) -> None:
        if frame.top:
            raise LoudError("raises")
        self.evaluate_all((node.exc, node.cause), frame)

    def _assert(self, node: ast.Assert, frame: Frame) -> None:
        self.decide(node.test, frame)
        self.evaluate_all([node.msg], frame)

    def _do_nothing(self, _node: ast.stmt, _frame: Frame) -> None:
        """Judge ``pass``, ``break``, ``continue``; ``type X = ...`` is evaluated later."""


def _find_metaclass(base: Value) -> Value:
    return know(type(base.obj)) if is_class(base.obj) else know(type)


_STATEMENTS: Final[dict[type, Callable[[Any, Any, Frame], None]]] = {
    ast.AnnAssign: Statements._annotate,
    ast.Assert: Statements._assert,
    ast.Assign: Statements._assign,
    ast.AsyncFunctionDef: Statements._define,
    ast.AugAssign: Statements._augment,
    ast.Break: Statements._do_nothing,
    ast.ClassDef: Statements._define_class,
    ast.Continue: Statements._do_nothing,
    ast.Delete: Statements._delete,
    ast.Expr: Statements._express,
    ast.For: Statements._for,
    ast.FunctionDef: Statements._define,
    ast.Global: Statements._share,
    ast.If: Statements._if,
    ast.Import: Statements._import,
    ast.ImportFrom: Statements._import_from,
    ast.Match: Statements._match,
    ast.Nonlocal: Statements._share,
    ast.Pass: Statements._do_nothing,
    ast.Raise: Statements._raise,
    ast.Return: Statements._return,
    ast.Try: Statements._try,
    ast.TryStar: Statements._try,
    ast.While: Statements._while,
    ast.With: Statements._with,
}
if sys.version_info >= (3, 12):
    _STATEMENTS[ast.TypeAlias] = Statements._do_nothing
