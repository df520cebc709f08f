"""What a statement binds, reads, calls and alters while it runs.

Nothing is evaluated. "While it runs" is the point: a function's body does not run when its ``def`` does, a class body
does, a lambda's body does not, a comprehension does.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeGuard

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_IMPORTS = (ast.Import, ast.ImportFrom)
_APPLY: Final[Mapping[str, tuple[int, ...]]] = {
    **dict.fromkeys(("dropwhile", "filter", "filterfalse", "iter", "map", "reduce", "starmap", "takewhile"), (0,)),
    **dict.fromkeys(("accumulate", "groupby"), (1,)),
    **dict.fromkeys(("sub", "subn"), (0, 1)),  # of a pattern, of `re`
}
"""What calls functions that it is given, and where these stand."""
_WRAP = frozenset({"MethodType", "cache", "cmp_to_key", "partial"})
_GIVE = frozenset({"next", "iter", "max", "min", "sorted", "reversed", "list", "tuple", "set"})
_ADDING = frozenset("add_argument add_argument_group add_mutually_exclusive_group add_parser add_subparsers".split())
"""Methods, those of `argparse`, that add to their object and return what they added."""

_UNKNOWN = "()"
"""Among what is called it stands for what no name says: the element of a container, a variable of a comprehension."""


@dataclass(slots=True)
class Effects:
    """Collects names by walking what runs. Order is kept and names are unique: dicts serve as ordered sets."""

    lazy_annotations: bool
    binds: dict[str, None] = field(default_factory=dict)
    reads: dict[str, None] = field(default_factory=dict)
    calls: dict[str, None] = field(default_factory=dict)
    mutates: dict[str, None] = field(default_factory=dict)
    local: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()

    def called(self) -> tuple[str, ...]:
        """Return the names of what is called; all that is read, if it cannot be told what that is."""
        known = [name for name in self.calls if name != _UNKNOWN]
        more = [part for name in self.reads for part in (name, name.partition(".")[0])]
        return tuple(dict.fromkeys([*known, *more]) if len(known) < len(self.calls) else known)

    def visit_statement(self, node: ast.stmt) -> None:
        """Dispatch on the statement's type; whatever has no rule of its own is walked child by child."""
        if isinstance(node, _DEFS):
            self._function(node)
        elif isinstance(node, ast.ClassDef):
            self._class(node)
        elif isinstance(node, _IMPORTS):
            self.binds |= dict.fromkeys(bound_by(node))
        elif isinstance(node, ast.AnnAssign):
            self._annotated(node)
        elif isinstance(node, ast.AugAssign):
            self._augmented(node)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self._for(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self._called_for_effect(node.value)
        elif isinstance(node, ast.Assign) and adds(node.value):
            self._called_for_effect(node.value)
            self._walk(node.targets)
        else:
            self._walk(ast.iter_child_nodes(node))

    def _walk(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            if isinstance(node, ast.stmt):
                self.visit_statement(node)
            elif isinstance(node, ast.expr):
                self._expression(node)
            else:
                self._other(node)

    def _other(self, node: ast.AST) -> None:
        if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            self.binds[node.name] = None
        elif isinstance(node, ast.MatchMapping) and node.rest:
            self.binds[node.rest] = None
        self._walk(ast.iter_child_nodes(node))

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self._expression(decorator)
            self._call_of(decorator)
        self._arguments(node.args)
        if node.returns and not self.lazy_annotations:
            self._expression(node.returns)
        self.binds[node.name] = None

    def _arguments(self, args: ast.arguments) -> None:
        for default in (*args.defaults, *args.kw_defaults):
            if default is not None:
                self._expression(default)
        if not self.lazy_annotations:
            for arg in (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg):
                if arg is not None and arg.annotation:
                    self._expression(arg.annotation)

    def _class(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self._expression(decorator)
            self._call_of(decorator)
        self._walk([*node.bases, *node.keywords])
        body = Effects(self.lazy_annotations, local=self.local, bound=self.bound)
        for statement in node.body:
            body.visit_statement(statement)
        self.reads |= {name: None for name in body.reads if name.split(".")[0] not in body.binds}
        self.calls |= body.calls
        self.mutates |= {name: None for name in body.mutates if name not in body.binds}
        self.binds[node.name] = None

    def _annotated(self, node: ast.AnnAssign) -> None:
        if not self.lazy_annotations:
            self._expression(node.annotation)
        if node.value is not None:
            self._expression(node.value)
            self._expression(node.target)
        elif isinstance(node.target, ast.Name):
            self.binds["__annotations__"] = None

    def _augmented(self, node: ast.AugAssign) -> None:
        self._expression(node.value)
        self._expression(node.target)
        if root := root_of(node.target):
            self.reads[root] = None
            self.mutates[root] = None

    def _called_for_effect(self, call: ast.Call) -> None:
        self._expression(call)
        if isinstance(call.func, ast.Attribute) and (root := root_of(call.func)):
            self.mutates[root] = None

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        """What a loop binds before anything in it reads it, as its own variables, it does not read."""
        self._walk([node.iter])
        before = self.bound
        for part in (node.target, *node.body):
            self._walk([part])
            self.bound |= _surely_bound(part)
        self.bound = before
        self._walk(node.orelse)

    def _expression(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name):
            self._name(node)
        elif isinstance(node, ast.Attribute):
            self._attribute(node)
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            self._stored_into(node)
        elif isinstance(node, ast.Lambda):
            self._arguments(node.args)
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node)
        else:
            if isinstance(node, ast.Call):
                self._called(node.func)
                self._called_for_it(node)
                self._evaluated(node)
            self._walk(ast.iter_child_nodes(node))

    def _name(self, node: ast.Name) -> None:
        if node.id in self.local:
            return
        if not isinstance(node.ctx, ast.Load):
            self.binds[node.id] = None
        elif node.id not in self.bound:
            self.reads[node.id] = None

    def _attribute(self, node: ast.Attribute) -> None:
        dotted = dotted_of(node)
        if dotted is None:
            self._expression(node.value)
        elif (first := dotted.split(".")[0]) in self.local:
            return
        elif not isinstance(node.ctx, ast.Load):
            self._stored_into(node)
        elif first not in self.bound:
            self.reads[dotted] = None

    def _stored_into(self, node: ast.Attribute | ast.Subscript) -> None:
        self._walk(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
        if (root := root_of(node)) and root not in self.local:
            self.mutates[root] = None

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        targets = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
        found = (self.binds, self.reads, self.calls, self.mutates)
        inner = Effects(self.lazy_annotations, *found, self.local | targets, self.bound)
        inner._walk(ast.iter_child_nodes(node))

    def _call_of(self, function: ast.expr) -> None:
        while isinstance(function, ast.Call):
            function = function.func
        if name := _name_of(function, self.local):
            self.calls[name] = None

    def _called_for_it(self, call: ast.Call) -> None:
        """Note what `call` may call in its turn: ``map(f, ...)``, ``sorted(..., key=f)``."""
        for place in _APPLY.get(_last_name(call.func), ()):
            if place < len(call.args) and not isinstance(call.args[place], ast.Constant):
                self._called(call.args[place])
        for keyword in call.keywords:
            if keyword.arg == "key":
                self._called(keyword.value)

    def _evaluated(self, call: ast.Call) -> None:
        """Note what the text reads that is given to `eval`; what `exec` is given is no expression, as a rule."""
        text = call.args[0] if _last_name(call.func) == "eval" and call.args else None
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            with contextlib.suppress(SyntaxError, ValueError):
                self._expression(ast.parse(text.value.strip(), mode="eval").body)

    def _called(self, function: ast.expr) -> None:
        """Note that `function` is called at once: the body of a lambda then runs, too."""
        if isinstance(function, ast.Attribute) and function.attr == "__call__":
            function = function.value
        if isinstance(function, ast.Lambda):
            local = self.local | {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
            inner = Effects(self.lazy_annotations, {}, self.reads, self.calls, self.mutates, local, self.bound)
            inner._expression(function.body)
        elif isinstance(function, ast.Call):
            self._call_of(function)
            self._given(function)
        else:
            self.calls[_name_of(function, self.local) or self._start_of(function) or _UNKNOWN] = None

    def _start_of(self, method: ast.expr) -> str | None:
        """Return what ``name.strip().lower`` starts from, if the chain up to the method names nothing else."""
        names = {node.id for node in ast.walk(method) if isinstance(node, ast.Name)}
        root = root_of(method) if isinstance(method, ast.Attribute) else None
        return root if names == {root} and root not in self.local else None

    def _given(self, call: ast.Call) -> None:
        """Note that what `call` gives is called at once: ``TABLE.get(key)()``, ``next(iter(FOUND))()``."""
        given = isinstance(call.func, ast.Name) and call.func.id in _GIVE
        if call.args and (given or _last_name(call.func) in _WRAP):
            self._called(call.args[0])
        elif isinstance(call.func, ast.Attribute) and (root := root_of(call.func)) and root not in self.local:
            self.calls[root] = None


def _surely_bound(node: ast.AST) -> frozenset[str]:
    """Return the names that are bound once `node`, a target or a statement, is done; others may be, too."""
    if isinstance(node, ast.Name):
        return frozenset({node.id})
    if isinstance(node, ast.AnnAssign):
        return _surely_bound(node.target) if node.value else frozenset()
    parts = node.targets if isinstance(node, ast.Assign) else getattr(node, "elts", ())
    return frozenset[str]().union(*map(_surely_bound, parts))


def bound_by(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """Yield the names that an import statement binds."""
    for alias in node.names:
        yield alias.asname or (alias.name.split(".")[0] if isinstance(node, ast.Import) else alias.name)


_WRAPPERS: Final = ("staticmethod", "classmethod", "property")


def handed(node: ast.AST) -> tuple[str, ...]:
    """Return the dotted names that `node` hands to calls: a function among them may be called there. What only wraps
    members of classes calls none.
    """
    calls = (one for one in ast.walk(node) if isinstance(one, ast.Call) and dotted_of(one.func) not in _WRAPPERS)
    given = (one for call in calls for one in (*call.args, *(keyword.value for keyword in call.keywords)))
    return tuple(dict.fromkeys(name for one in given if (name := dotted_of(one))))


def targets_of(node: ast.AST) -> frozenset[str]:
    """Return the names that a ``for`` picks objects out of something by; none of another statement."""
    target = node.target if isinstance(node, (ast.For, ast.AsyncFor)) else None
    return frozenset(one.id for one in (ast.walk(target) if target is not None else ()) if isinstance(one, ast.Name))


def only_held(node: ast.AST) -> frozenset[str]:
    """Return the dotted names that an assignment takes, puts into displays or calls, and does nothing else with."""
    waiting: list[ast.AST | None] = [getattr(node, "value", None)]
    held = set[int]()
    for one in waiting:
        if isinstance(one, (ast.Tuple, ast.List)):
            waiting += one.elts
        elif isinstance(one, ast.Dict):
            waiting += one.values
        elif one is not None:
            held.add(id(one.func if isinstance(one, ast.Call) else one))
    names = [one for one in ast.walk(node) if isinstance(one, (ast.Name, ast.Attribute))]
    looked_into = {dotted_of(one) for one in names if id(one) not in held}
    return frozenset(filter(None, map(dotted_of, names))) - looked_into


def _last_name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _name_of(called: ast.expr, local: Container[str]) -> str:
    """Return the dotted name of what is called; "" if it has none, or one that begins with a `local` name."""
    dotted = dotted_of(called) or ""
    return "" if dotted.partition(".")[0] in local else dotted


def calls_unnamed(node: _Definition, local: Container[str]) -> bool:
    """Whether the body of a function calls what no global name says: an element, a result, one of its `local` names.

    What functions inside it do is left out.
    """
    waiting: list[ast.AST] = list(node.body) if isinstance(node.body, list) else [node.body]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Call) and not _name_of(one.func, local):
            return True
        if not isinstance(one, (*_DEFS, ast.Lambda)):
            waiting += ast.iter_child_nodes(one)
    return False


def dotted_of(node: ast.expr) -> str | None:
    """Return ``a.b.c`` if `node` is that chain of names, else None."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def adds(node: ast.expr) -> TypeGuard[ast.Call]:
    """Whether `node` is a call of a method that adds to its object, and returns what it added."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ADDING


def root_of(node: ast.expr) -> str | None:
    """Return the name that a chain of attributes, subscripts and calls starts from, or None."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call, ast.Starred)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


_FILLING: Final = frozenset("add append extend insert setdefault update".split())


def filled_by(node: ast.AST, functions: Mapping[str, ast.AST]) -> frozenset[str]:
    """Return the module's names whose objects a call of one of its `functions` for effect stores into: ``_init()``."""
    call = node.value if isinstance(node, ast.Expr) else None
    called = functions.get(call.func.id) if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else None
    if called is None:
        return frozenset()
    every = list(ast.walk(called))
    own = {one.arg for one in every if isinstance(one, ast.arg)}
    own |= {one.id for one in every if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    return frozenset(name for one in every if (name := _filled(one))) - own


def _filled(node: ast.AST) -> str | None:
    if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
        return root_of(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr" and node.args:
        return root_of(node.args[0])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _FILLING:
        return root_of(node.func)
    return None
