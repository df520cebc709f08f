"""Stage 5: match the statements of two texts, blind to positions, into class bodies and suites.

Anchors first: runs of equal statements in the same order. Then equal ones that moved, then those whose text differs but
whose syntax tree does not (comments, formatting), then those of the same key, in order: functions of one signature
before those that only share their decorators (registrations are all called ``_``). What is left came or went.
"""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from difflib import SequenceMatcher

from hotswap._model import Diff, Kind, Pair, Statement

_SHAPE = "_hotswap_shape"
_FUNCTIONS = frozenset(("filter", "map", "max", "min", "sorted"))
_METHODS = frozenset(("aggregate", "agg", "apply", "assign", "pipe", "sort", "sort_values", "transform"))
_EITHER = frozenset(
    ("accumulate", "dropwhile", "dump", "dumps", "filterfalse", "groupby", "load", "loads", "merge", "nlargest")
) | {"nsmallest", "reduce", "starmap", "sub", "subn", "takewhile"}
"""What calls the functions that it is given, at once or as it is gone through: builtins, methods, and others."""


def diff(old: Sequence[Statement], new: Sequence[Statement]) -> Diff:
    """Return how `new` differs from `old`; pairs whose `inner` is set differ inside a body or suite."""
    matching = _Matching(list(old), list(new))
    matching.anchor()
    matching.pair(lambda s: (s.key, s.branch, s.digest), moved=True)
    matching.pair_alone()
    matching.pair(lambda s: (s.key, s.branch, dump(s.node)), moved=False)
    matching.pair(lambda s: (s.key, s.branch, _signature(s)), moved=False)
    twins = _twins(old) | _twins(new)
    matching.pair(lambda s: (s.key, s.branch, _head(s), _twin(s, twins)), moved=False)
    matching.pair(lambda s: (s.key, s.branch, _twin(s, twins)), moved=False)
    matching.pair_last()
    return matching.result()


def same_tree(old: Statement, new: Statement) -> bool:
    """Whether two statements differ in nothing but positions, comments and formatting."""
    return old.digest == new.digest or dump(old.node) == dump(new.node)


def equal(one: object, other: object) -> bool:
    """Whether two syntax trees, or lists of them, have the same `dump`: found in a third of the time, sooner if not."""
    kind = type(one)
    if kind is not type(other):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    fields: tuple[str, ...] | None = getattr(kind, "_fields", None)
    if fields is None:
        return one is other or repr(one) == repr(other)
    for name in fields:
        mine, its = getattr(one, name, None), getattr(other, name, None)
        if mine is not its and not equal(mine, its):
            return False
    return True


def dump(node: ast.AST) -> str:
    """Return the syntax tree of `node` as text without positions."""
    return ast.dump(node, annotate_fields=False)


def shape(node: ast.AST) -> str:
    """Return the tree of `node` without the bodies of the functions and lambdas in it.

    Two statements of one shape differ only in code that does not run when they do.
    """
    known: str | None = vars(node).get(_SHAPE)
    if known is None:  # several stages ask; it is kept on the node, which lives as long as the edit
        known = vars(node)[_SHAPE] = dump(_Hollow().visit(_copy(node)))
    return known


def header(node: ast.stmt) -> str:
    """Return what stands before the body of a class, or before the suites of `if`, `try`, `with`, as text."""
    if isinstance(node, ast.ClassDef):
        return "".join(
            map(dump, [*node.decorator_list, *node.bases, *node.keywords, *getattr(node, "type_params", ())])
        )
    if isinstance(node, ast.If):
        return dump(node.test)
    if isinstance(node, (ast.Try, ast.TryStar)):
        return "".join(f"{h.type and dump(h.type)}{h.name}" for h in node.handlers) + type(node).__name__
    return "".join(map(dump, node.items)) if isinstance(node, ast.With) else ""


def branch_of(diff: Diff, branch: str) -> Diff:
    """Return the part of a suite's `diff` that belongs to one of its branches."""
    return Diff(
        unchanged=tuple(p for p in diff.unchanged if p.new.branch == branch),
        moved=tuple(p for p in diff.moved if p.new.branch == branch),
        changed=tuple(p for p in diff.changed if p.new.branch == branch),
        added=tuple(s for s in diff.added if s.branch == branch),
        removed=tuple(s for s in diff.removed if s.branch == branch),
    )


def same_header(pair: Pair) -> bool:
    """Whether what stands before a class body or suites is the same on both sides."""
    return header(pair.old.node) == header(pair.new.node)


def only_code(pair: Pair) -> bool:
    """Whether the two differ in nothing that runs with them: bodies of functions and lambdas alone."""
    old, new = pair.old.node, pair.new.node
    return shape(old) == shape(new) and not _crosses(old, new) and _run_by(old) == _run_by(new)


def only_doc(pair: Pair) -> bool:
    """Whether the two are a function that differs in its docstring alone."""
    nodes = pair.old.node, pair.new.node
    if not all(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) for node in nodes) or not only_code(pair):
        return False
    old, new = ([*map(dump, node.body)][ast.get_docstring(node) is not None :] for node in nodes)  # type: ignore[attr-defined,arg-type]
    return old == new


def is_documented_anew(pair: Pair) -> bool:
    """Whether a decorated function has another docstring, which a library may have taken."""
    return bool(getattr(pair.new.node, "decorator_list", ())) and says_otherwise(pair)


def says_otherwise(pair: Pair) -> bool:
    """Whether a function has another docstring."""
    old, new = pair.old.node, pair.new.node
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    if not isinstance(old, kinds) or not isinstance(new, kinds):
        return False
    return ast.get_docstring(old, clean=False) != ast.get_docstring(new, clean=False)


def any_says_otherwise(diff: Diff) -> bool:
    """Whether a function that changed has another docstring, or one inside a class that did."""
    return any(says_otherwise(pair) or (pair.inner and any_says_otherwise(pair.inner)) for pair in diff.changed)


def _crosses(old: ast.stmt, new: ast.stmt) -> bool:
    """Whether lambdas of a value cannot be told apart by their texts: two are the same, or one took another's place.

    From 3.12 on, lambdas of one line with the same text even share their code.
    """
    if isinstance(old, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return False
    olds, news = ([ast.dump(one) for one in _lambdas(node)] for node in (old, new))
    if len(olds) < 2 or olds == news:
        return False
    other = any(new != old and new in olds for old, new in zip(olds, news, strict=True))
    return other or len(set(olds)) < len(olds)


def _run_by(node: ast.stmt) -> list[str]:
    """Return the lambdas that a statement runs itself: what it calls, what it gives to functions such as `sorted`."""
    found: list[str] = []
    waiting: list[ast.AST] = [node]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        waiting = [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
    elif isinstance(node, ast.ClassDef):
        waiting = [*node.decorator_list, *node.bases]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Call):
            called = one.func.attr if isinstance(one.func, ast.Attribute) else getattr(one.func, "id", "")
            known = (_METHODS if isinstance(one.func, ast.Attribute) else _FUNCTIONS) | _EITHER
            given = (*one.args, *(keyword.value for keyword in one.keywords)) if called in known else ()
            found += [ast.dump(inner) for inner in (one.func, *given) if isinstance(inner, ast.Lambda)]
        if not isinstance(one, (ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting += ast.iter_child_nodes(one)
    return found


def _lambdas(node: ast.AST) -> Iterator[ast.Lambda]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Lambda):
            yield child
        else:
            yield from _lambdas(child)


def out_of_order(diff: Diff) -> Iterator[Pair]:
    """Yield the pairs whose new statement stands below one that it stood above, or the other way round."""
    last = 0
    for pair in sorted((*diff.unchanged, *diff.changed), key=lambda pair: pair.new.lineno):
        if pair.old.lineno < last:
            yield pair
        last = max(last, pair.old.lineno)


def changed_places(diff: Diff) -> set[str]:
    """Return the names of which another statement may be the last one now: two that bind them changed places, or one
    and a star import, which may give them, too.
    """
    pairs = sorted((*diff.unchanged, *diff.changed), key=lambda pair: pair.new.lineno)
    found, last = set[str](), dict[str, int]()
    for pair in pairs:
        star = last.get("*", 0)
        for name in (*pair.new.binds, *pair.new.mutates):
            if pair.old.lineno < max(last.get(name, 0), star):
                found.add(name)
            last[name] = max(last.get(name, 0), pair.old.lineno)
        if "*" in pair.new.binds:
            found |= {name for name, line in last.items() if line > pair.old.lineno}
    return found - {"*"}


def renamed(diff: Diff) -> Iterator[tuple[Statement, Statement]]:
    """Yield the definitions that only got another name, each with what it is now, if no other one looks like it.

    Functions with decorators run: these may register what they get by its name.
    """
    sides: list[dict[str, list[Statement]]] = [{}, {}]
    for side, statements in zip(sides, (diff.removed, diff.added), strict=True):
        for one in statements:
            if one.kind is Kind.CLASS or (one.kind is Kind.DEF and not getattr(one.node, "decorator_list", ())):
                text = re.sub(rf"\b{re.escape(one.binds[-1])}\b", "\0", ast.unparse(one.node))
                side.setdefault(text, []).append(one)
    for text, olds in sides[0].items():
        news = sides[1].get(text, ())
        if len(olds) == len(news) == 1:
            yield olds[0], news[0]


def decorators(node: ast.stmt) -> str:
    """Return the decorators of a function or class as text, the bodies of lambdas in them left out."""
    found: Sequence[ast.expr] = getattr(node, "decorator_list", ())
    return "|".join(map(shape, found))


def _signature(statement: Statement) -> Hashable:
    """What tells functions of one name apart, and suites of one header: annotations and defaults, names bound."""
    if statement.kind is Kind.DEF:
        return shape(statement.node)
    return (header(statement.node), statement.binds) if statement.kind is Kind.SUITE else statement.digest


def _twins(statements: Sequence[Statement]) -> frozenset[Hashable]:
    """Return what several decorated functions share: nothing but their types tells registrations called ``_`` apart."""
    heads = [(s.key, _head(s)) for s in statements if s.kind is Kind.DEF and getattr(s.node, "decorator_list", [])]
    return frozenset(head for head, count in Counter(heads).items() if count > 1)


def _twin(statement: Statement, twins: frozenset[Hashable]) -> Hashable:
    return shape(statement.node) if statement.kind is Kind.DEF and (statement.key, _head(statement)) in twins else None


def _head(statement: Statement) -> Hashable:
    if statement.kind is Kind.DEF:
        return decorators(statement.node)
    return header(statement.node) if statement.children else statement.digest


def _copy(node: ast.AST) -> ast.AST:
    """Copy what is kept by `shape`; much cheaper than a deep copy, as bodies are left out from the start."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        fields = {name: value for name, value in ast.iter_fields(node) if name != "body"}
    else:
        fields = dict(ast.iter_fields(node))
    return type(node)(**{name: _copy_field(value) for name, value in fields.items()}, **_body(node))


def _copy_field(value: object) -> object:
    if isinstance(value, list):
        return [_copy(item) if isinstance(item, ast.AST) else item for item in value]
    return _copy(value) if isinstance(value, ast.AST) else value


def _body(node: ast.AST) -> dict[str, object]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return {"body": []}
    return {"body": ast.Constant(None)} if isinstance(node, ast.Lambda) else {}


class _Hollow(ast.NodeTransformer):
    """Makes ``async def`` and ``def`` one: which of them it is lives in the code object's flags."""

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        self.generic_visit(node)
        return ast.FunctionDef(**dict(ast.iter_fields(node)))


class _Matching:
    """Old and new statements that have no partner yet, and the pairs found so far."""

    def __init__(self, old: list[Statement], new: list[Statement]) -> None:
        self.old, self.new = old, new
        self.partner: dict[int, int] = {}
        self.taken: set[int] = set()
        self.moved: set[int] = set()

    def anchor(self) -> None:
        """Pair what is equal and stands in the same order; the equal ends are cut off first, as most edits are
        small.
        """
        old = [(s.key, s.branch, s.digest) for s in self.old]
        new = [(s.key, s.branch, s.digest) for s in self.new]
        start = _common(old, new)
        end = _common(old[start:][::-1], new[start:][::-1])
        for index in (*range(start), *range(-end, 0)):
            self._take(index % len(new), index % len(old))
        matcher = SequenceMatcher(None, old[start : len(old) - end], new[start : len(new) - end], autojunk=False)
        for block in matcher.get_matching_blocks():
            for offset in range(block.size):
                self._take(start + block.b + offset, start + block.a + offset)

    def pair(self, key: Callable[[Statement], Hashable], *, moved: bool) -> None:
        """Pair, in order, what is left with the same `key`."""
        waiting: defaultdict[Hashable, list[int]] = defaultdict(list)
        left = [index for index in range(len(self.new)) if index not in self.partner]
        if not left or len(self.taken) == len(self.old):
            return
        for index, statement in enumerate(self.old):
            if index not in self.taken:
                waiting[key(statement)].append(index)
        for index in left:
            if olds := waiting.get(key(self.new[index])):
                self._take(index, olds.pop(0))
                self.moved |= {index} if moved else set()

    def pair_alone(self) -> None:
        """Pair what is left alone of its key on both sides: no tree has to be looked at to find its partner."""
        waiting = [(s.key, s.branch) for index, s in enumerate(self.old) if index not in self.taken]
        coming = [(s.key, s.branch) for index, s in enumerate(self.new) if index not in self.partner]
        alone = {key for key, times in Counter(waiting).items() if times == 1} & {
            key for key, times in Counter(coming).items() if times == 1
        }
        if alone:
            old = {(s.key, s.branch): index for index, s in enumerate(self.old) if index not in self.taken}
            for index, statement in enumerate(self.new):
                if index not in self.partner and (statement.key, statement.branch) in alone:
                    self._take(index, old[statement.key, statement.branch])

    def pair_last(self) -> None:
        """Of several definitions of one name pair the last ones: the name holds what the last one made."""
        olds, news = _last_definitions(self.old), _last_definitions(self.new)
        for key in olds.keys() & news.keys():
            old, new = olds[key], news[key]
            if self.partner.get(new) == old:
                continue
            other = next((index for index, its in self.partner.items() if its == old), None)
            left = self.partner.pop(new, None)
            if other is not None:
                del self.partner[other]
            self._take(new, old)
            self.moved -= {new, other}
            if other is not None and left is not None:
                self._take(other, left)
            elif left is not None:
                self.taken.discard(left)

    def _take(self, new: int, old: int) -> None:
        self.partner[new] = old
        self.taken.add(old)

    def result(self) -> Diff:
        pairs = [(self.old[old], self.new[new], new) for new, old in sorted(self.partner.items())]
        same = {index for o, n, index in pairs if same_tree(o, n)}
        unchanged = [(Pair(o, n), index) for o, n, index in pairs if index in same]
        return Diff(
            unchanged=tuple(pair for pair, _ in unchanged),
            moved=tuple(pair for pair, index in unchanged if index in self.moved),
            changed=tuple(Pair(o, n, _inner(o, n)) for o, n, index in pairs if index not in same),
            added=tuple(s for index, s in enumerate(self.new) if index not in self.partner),
            removed=tuple(s for index, s in enumerate(self.old) if index not in self.taken),
        )


def _last_definitions(statements: Sequence[Statement]) -> dict[Hashable, int]:
    """Return where the last definition of each name stands, by key and branch.

    Left out are those with decorators, which register, and those of which an earlier one is taken by what reads it.
    """
    found: dict[Hashable, int] = {}
    taken: set[str] = set()
    for index, one in enumerate(statements):
        key = (one.key, one.branch)
        if one.kind in (Kind.DEF, Kind.CLASS) and not getattr(one.node, "decorator_list", ()):
            found[key] = -1 if key in found and one.binds[-1] in taken else index
        else:
            found.pop(key, None)
        taken.update(name.partition(".")[0] for name in one.reads)
    return {key: index for key, index in found.items() if index >= 0}


def _inner(old: Statement, new: Statement) -> Diff | None:
    return diff(old.children, new.children) if old.children or new.children else None


def _common(old: Sequence[object], new: Sequence[object]) -> int:
    size = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        size += 1
    return size
