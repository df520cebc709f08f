"""Walking expressions: what each of them runs, and what is known of its value."""

from __future__ import annotations

import ast
import sys
from abc import abstractmethod
from dataclasses import replace
from types import FunctionType, GeneratorType
from typing import TYPE_CHECKING, Any, Final

from hotswap._quiet._access import LoudError
from hotswap._quiet._callees import Callees
from hotswap._quiet._items import start_items
from hotswap._quiet._results import find_combined, find_item, make_result
from hotswap._quiet._targets import bind_own, write_dotted
from hotswap._quiet._values import (
    MISSING,
    UNKNOWN,
    Arguments,
    Definition,
    Frame,
    Items,
    Local,
    Value,
    describe_items,
    find_enum_member,
    find_member,
    is_class,
    is_module,
    is_standard,
    join,
    join_all,
    know,
    look_up,
    lose_items,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hotswap._quiet._scope import Scope
    from hotswap._quiet._table import Table

_MOST: Final = 20_000  # nodes walked for one statement, so that judging never costs more than about 50 ms
_TEXT: Final = Value(kind=str, own=True)
_BOOL: Final = Value(kind=bool, own=True)
_SIGNS: Final = {
    ast.Add: "add",
    ast.BitAnd: "and",
    ast.BitOr: "or",
    ast.BitXor: "xor",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.LShift: "lshift",
    ast.MatMult: "matmul",
    ast.Mod: "mod",
    ast.Mult: "mul",
    ast.Pow: "pow",
    ast.RShift: "rshift",
    ast.Sub: "sub",
}
_COMPARISONS: Final = {
    ast.Eq: "__eq__",
    ast.Gt: "__gt__",
    ast.GtE: "__ge__",
    ast.Lt: "__lt__",
    ast.LtE: "__le__",
    ast.NotEq: "__ne__",
}


class Expressions(Callees):
    """Walks expressions."""

    _steps = 0

    def __init__(self, scope: Scope, table: Table) -> None:
        super().__init__(scope, table)
        self._started: dict[int, tuple[ast.AST, Items]] = {}

    @abstractmethod
    def bind(self, target: ast.expr, value: Value, frame: Frame) -> None:
        """Judge the store of `value` to `target`, a name, an attribute, an item, or a tuple of these."""

    def evaluate(self, node: ast.expr, frame: Frame) -> Value:
        """Judge an expression; return its value. Raises LoudError if it is not quiet."""
        self._steps += 1
        if self._steps > _MOST:
            raise LoudError("runs longer than is judged")
        judge = _EXPRESSIONS.get(type(node))
        if judge is None:
            raise LoudError(f"has {type(node).__name__.lower()}, which is not known to be quiet")
        return judge(self, node, frame)

    def evaluate_all(self, nodes: Sequence[ast.expr | None], frame: Frame) -> tuple[Value, ...]:
        """Judge expressions in order; return their values, None standing for no expression."""
        return tuple([self.evaluate(node, frame) for node in nodes if node is not None])

    def decide(self, node: ast.expr, frame: Frame) -> Value:
        """Judge an expression and the question whether it is true."""
        value = self.evaluate(node, frame)
        self.use(value, "__bool__", "__len__")
        return value

    def make_function(self, node: Definition, frame: Frame) -> Value:
        """Judge what making a function evaluates: its defaults and annotations. The body does not run."""
        spec = node.args
        arguments = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg]
        self.evaluate_all([argument.annotation for argument in arguments if argument], frame)
        if not isinstance(node, ast.Lambda):
            self.evaluate_all([node.returns], frame)
        defaults = self.evaluate_all(spec.defaults, frame)
        keywords = {
            argument.arg: self.evaluate(default, frame)
            for argument, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
            if default is not None
        }
        around = frame.outer if frame.hidden and frame.outer else frame
        return Value(kind=FunctionType, own=True, local=Local(node, around, defaults, keywords))

    # --- names, attributes, items

    def _constant(self, node: ast.Constant, _frame: Frame) -> Value:
        return know(node.value)

    def _name(self, node: ast.Name, frame: Frame) -> Value:
        return frame.read(node.id)

    def _attribute(self, node: ast.Attribute, frame: Frame) -> Value:
        known = frame.names.get(write_dotted(node))
        return known or self.load(self.evaluate(node.value, frame), node.attr)

    def _subscript(self, node: ast.Subscript, frame: Frame) -> Value:
        value, index = self.evaluate_all((node.value, node.slice), frame)
        if is_class(value.obj):
            return self._subscript_class(value, index)
        listed = self.table.find_method(value.obj, "__getitem__")
        if listed:
            return make_result(listed, UNKNOWN, Arguments((value,)))
        self.use(value, "__getitem__")
        if value.kind and (missing := look_up(value.kind, "__missing__")) and not value.own:
            self.call_raw(
                missing, "__missing__", Arguments((value, index)), f"{write_dotted(node.value)}[...].__missing__()"
            )
        return UNKNOWN if self.may_differ(value) else find_item(value, index, node.slice)

    def _subscript_class(self, value: Value, index: Value) -> Value:
        """Judge ``Color["RED"]`` or ``Stack[int]``; the latter is taken for the class itself."""
        self.use(value, "__getitem__")
        if type(index.obj) is str and (member := find_enum_member(value.obj, index.obj)) is not MISSING:
            return know(member)
        found = look_up(value.obj, "__class_getitem__")  # type: ignore[arg-type]  # a class
        if found and not self.table.trusts(found[0]) and not is_standard(found[0]):
            self.call_raw(found, "__class_getitem__", Arguments((value, index)), "__class_getitem__()")
        return value

    def _slice(self, node: ast.Slice, frame: Frame) -> Value:
        self.evaluate_all((node.lower, node.upper, node.step), frame)
        return Value(kind=slice, own=True)

    # --- operators

    def _binary(self, node: ast.BinOp, frame: Frame) -> Value:
        left, right = self.evaluate_all((node.left, node.right), frame)
        return self.combine(left, node.op, right)

    def combine(self, left: Value, operator: ast.operator, right: Value) -> Value:
        """Judge a binary operator; what it returns is new, as operators of mutable objects make new ones."""
        sign = _SIGNS[type(operator)]
        self.use(left, f"__{sign}__")
        self.use(right, f"__r{sign}__")
        if sign == "mod" and left.kind is str:
            self.use(right, "__str__", "__repr__", "__getitem__")
        return Value(kind=find_combined(left.kind, sign, right.kind), own=True)

    def _unary(self, node: ast.UnaryOp, frame: Frame) -> Value:
        if isinstance(node.op, ast.Not):
            self.decide(node.operand, frame)
            return _BOOL
        value = self.evaluate(node.operand, frame)
        self.use(value, {ast.UAdd: "__pos__", ast.USub: "__neg__"}.get(type(node.op), "__invert__"))
        return Value(kind=value.kind if value.kind is int or value.kind is float else None, own=True)

    def _boolean(self, node: ast.BoolOp, frame: Frame) -> Value:
        return join_all(tuple([self.decide(value, frame) for value in node.values])) or UNKNOWN

    def _comparison(self, node: ast.Compare, frame: Frame) -> Value:
        left = self.evaluate(node.left, frame)
        for operator, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.evaluate(comparator, frame)
            if isinstance(operator, ast.In | ast.NotIn):
                self._contain(right, left)
            elif hook := _COMPARISONS.get(type(operator)):
                self.use(left, hook)
                self.use(right, hook)
            left = right
        return _BOOL

    def _contain(self, container: Value, item: Value) -> None:
        self.use(item, "__eq__", "__hash__")
        self.use(container, "__contains__")
        if container.kind and not look_up(container.kind, "__contains__"):
            self.iterate(container)

    def _conditional(self, node: ast.IfExp, frame: Frame) -> Value:
        self.decide(node.test, frame)
        return join(*self.evaluate_all((node.body, node.orelse), frame))

    def _walrus(self, node: ast.NamedExpr, frame: Frame) -> Value:
        value = self.evaluate(node.value, frame)
        self.bind(node.target, value, frame)
        return value

    # --- displays, text, comprehensions

    def _items(self, nodes: Sequence[ast.expr], frame: Frame) -> tuple[Value, ...]:
        return tuple(
            [
                self.iterate(self.evaluate(node.value, frame)) if isinstance(node, ast.Starred) else
                self.evaluate(node, frame)
                for node in nodes
            ]
        )  # fmt: skip

    def _tuple(self, node: ast.Tuple, frame: Frame) -> Value:
        items = self._items(node.elts, frame)
        if any(isinstance(each, ast.Starred) for each in node.elts):
            return Value(kind=tuple, own=True, each=join_all(items))
        return Value(kind=tuple, own=True, parts=items)

    def _list(self, node: ast.List, frame: Frame) -> Value:
        items = self._items(node.elts, frame)
        each = None if any(isinstance(one, ast.Starred) for one in node.elts) else self.start(node, *items)
        return Value(kind=list, own=True, each=join_all(items), items=each)

    def start(self, node: ast.AST, *put: Value) -> Items:
        """Return what is in the container that `node` makes: `put`, and what was put into others made there."""
        items = self._started.setdefault(id(node), (node, Items()))[1]
        for value in put:
            items.put(value)
        return items

    def _set(self, node: ast.Set, frame: Frame) -> Value:
        return self._make_hashed(set, self._items(node.elts, frame))

    def _dict(self, node: ast.Dict, frame: Frame) -> Value:
        keys, values = [], []
        for key, item in zip(node.keys, node.values, strict=True):
            value = self.evaluate(item, frame)
            if key is None:
                self.use(value, "keys", "__getitem__")
            keys.append(describe_items(value) if key is None else self.evaluate(key, frame))
            values.append(value)
        made = self._make_hashed(dict, tuple(keys))
        return made if None in node.keys else replace(made, items=self.start(node, *values))

    def _make_hashed(self, kind: type, keys: tuple[Value, ...]) -> Value:
        for key in keys:
            self.use(key, "__hash__", "__eq__")
        return Value(kind=kind, own=True, each=join_all(keys))

    def _text(self, node: ast.JoinedStr, frame: Frame) -> Value:
        self.evaluate_all(node.values, frame)
        return _TEXT

    def _formatted(self, node: ast.FormattedValue, frame: Frame) -> Value:
        value, *_ = self.evaluate_all((node.value, node.format_spec), frame)
        self.use(value, "__format__", "__str__", "__repr__")
        return _TEXT

    def _template(self, node: Any, frame: Frame) -> Value:
        """A template string evaluates its values and keeps them; it formats nothing but what its formats name."""
        for part in node.values:
            self.evaluate_all((part.value, part.format_spec) if hasattr(part, "format_spec") else (part,), frame)
        return Value(kind=object, own=True)

    def _comprehension(self, node: Any, frame: Frame) -> Value:
        """Walk a comprehension; its own names are forgotten behind it, those bound by ``:=`` stay."""
        own = {name.id for each in node.generators for name in ast.walk(each.target) if isinstance(name, ast.Name)}
        before = {name: frame.names[name] for name in own if name in frame.names}
        for name in own:
            frame.names.pop(name, None)
        each = self._walk_comprehension(node, frame)
        for name in own:
            frame.names.pop(name, None)
        frame.names.update(before)
        return each

    def _walk_comprehension(self, node: Any, frame: Frame) -> Value:
        for generator in node.generators:
            if generator.is_async:
                raise LoudError("awaits")
            bind_own(generator.target, self.iterate(self.evaluate(generator.iter, frame)), frame)
            for test in generator.ifs:
                self.decide(test, frame)
        if isinstance(node, ast.DictComp):
            key, value = self.evaluate_all((node.key, node.value), frame)
            return replace(self._make_hashed(dict, (key,)), items=self.start(node, value))
        each = self.evaluate(node.elt, frame)
        if isinstance(node, ast.SetComp):
            return self._make_hashed(set, (each,))
        if isinstance(node, ast.GeneratorExp):
            return Value(kind=GeneratorType, own=True, each=each)
        return Value(kind=list, own=True, each=each, items=self.start(node, each))

    # --- calls and functions

    def _call(self, node: ast.Call, frame: Frame) -> Value:
        function, label = node.func, f"{write_dotted(node.func)}()"
        if isinstance(function, ast.Attribute) and write_dotted(function) not in frame.names:
            receiver = self.evaluate(function.value, frame)
            given = self._gather(node, frame)
            result = self.call_member(receiver, function.attr, given, label)
            receiver = know(find_member(receiver.obj, function.attr)) if is_module(receiver.obj) else receiver
        else:
            receiver = self.evaluate(function, frame)
            if receiver.obj is super and not node.args:
                return _make_super(frame, label)
            given = self._gather(node, frame)
            result = self.call(receiver, given, label)
        if result.kind and receiver.obj is not MISSING and (items := start_items(receiver.obj, given, Items())):
            result = replace(result, items=self.start(node, *filter(None, [items.each])))
        if any(value.own and not (value.kind and self.table.is_builtin(value.kind))
               for value in (receiver, *given.everything())):  # fmt: skip
            frame.forget()  # it may have set attributes of what it was given
        return result

    def _gather(self, node: ast.Call, frame: Frame) -> Arguments:
        values: list[Value] = []
        starred = False
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                starred = True
                self.iterate(self.evaluate(argument.value, frame))
            else:
                values.append(self.evaluate(argument, frame))
        if starred:  # who gets which of them is not known
            lose_items(*values)
            count = next(at for at, one in enumerate(node.args) if isinstance(one, ast.Starred))
            del values[count:]
        names = {}
        for keyword in node.keywords:
            value = self.evaluate(keyword.value, frame)
            if keyword.arg is None:
                self.use(value, "keys", "__getitem__")
                starred = True
            else:
                names[keyword.arg] = value
        return Arguments(tuple(values), names, starred)

    def _yield(self, node: ast.Yield | ast.YieldFrom, frame: Frame) -> Value:
        value = self.evaluate(node.value, frame) if node.value else know(None)
        frame.yielded = join(frame.yielded, self.iterate(value) if isinstance(node, ast.YieldFrom) else value)
        return UNKNOWN

    def _await(self, _node: ast.Await, _frame: Frame) -> Value:
        raise LoudError("awaits")


def _make_super(frame: Frame, label: str) -> Value:
    owner: Any = frame.read("__class__").obj
    receiver = frame.receiver
    if not is_class(owner) or receiver is None:
        raise LoudError(f"calls {label} in a class that is not known")
    kind: Any = receiver.obj if is_class(receiver.obj) else receiver.kind or owner
    return Value(receiver.obj, kind, receiver.own, after=owner)


_EXPRESSIONS: Final[dict[type, Callable[[Any, Any, Frame], Value]]] = {
    ast.Attribute: Expressions._attribute,
    ast.Await: Expressions._await,
    ast.BinOp: Expressions._binary,
    ast.BoolOp: Expressions._boolean,
    ast.Call: Expressions._call,
    ast.Compare: Expressions._comparison,
    ast.Constant: Expressions._constant,
    ast.Dict: Expressions._dict,
    ast.DictComp: Expressions._comprehension,
    ast.FormattedValue: Expressions._formatted,
    ast.GeneratorExp: Expressions._comprehension,
    ast.IfExp: Expressions._conditional,
    ast.JoinedStr: Expressions._text,
    ast.Lambda: Expressions.make_function,
    ast.List: Expressions._list,
    ast.ListComp: Expressions._comprehension,
    ast.Name: Expressions._name,
    ast.NamedExpr: Expressions._walrus,
    ast.Set: Expressions._set,
    ast.SetComp: Expressions._comprehension,
    ast.Slice: Expressions._slice,
    ast.Subscript: Expressions._subscript,
    ast.Tuple: Expressions._tuple,
    ast.UnaryOp: Expressions._unary,
    **({vars(ast)["TemplateStr"]: Expressions._template} if sys.version_info >= (3, 14) else {}),
    ast.Yield: Expressions._yield,
    ast.YieldFrom: Expressions._yield,
}
