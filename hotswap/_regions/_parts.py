"""What of two parsed regions is small: bodies of functions that differ, functions that are new, plain constants."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from hotswap._model import Diff, Edit, Kind, Pair, Snapshot, Statement
from hotswap._regions._index import Index
from hotswap._text._diff import diff, equal, same_tree

_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ACTS = (ast.Call, ast.NamedExpr, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Await)

_NO_TREE: Final = ast.Pass()

Around = tuple[ast.ClassDef, ...]
Span = tuple[int, int, int]
"""The first and the last of some old lines, and how many lines further down they stand."""


@dataclass(slots=True)
class Part:
    """What differs in one block. `around` are the classes whose bodies it is in, outermost first.

    `plain` says that these have neither decorators nor keywords. `values` are constants of the module that differ.
    """

    around: Around
    plain: bool
    changed: list[Pair] = field(default_factory=list)
    values: list[Pair] = field(default_factory=list)
    added: list[Statement] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """What qualified names in the block begin with."""
        return "".join(f"{outer.name}." for outer in self.around)

    @property
    def touched(self) -> Iterator[Statement]:
        """The statements of the new text that differ or are new."""
        yield from (pair.new for pair in self.changed)
        yield from self.added

    def without_trees(self) -> Part:
        """Return it without trees but of what is decorated, new, or a value: applying looks at these."""
        around = tuple(shell(outer.name, outer.lineno, outer.col_offset) for outer in self.around)
        return replace(self, around=around, changed=[Pair(_bare(pair.old), _bare(pair.new)) for pair in self.changed])

    def diff(self) -> Diff:
        """Return the diff of the whole module, of which all else is left out."""
        found = Diff(changed=(*self.changed, *self.values), added=tuple(self.added))
        for outer in reversed(self.around):
            line, name = outer.lineno, outer.name
            shell = Statement(f"class {name}", Kind.CLASS, b"", line, line, (name,), node=outer)
            found = Diff(changed=(Pair(shell, shell, found),))
        return found


@dataclass(frozen=True, slots=True)
class Region:
    """How a text became another. `moved` are lines that stand elsewhere now; `text` is what was parsed of the new text.

    `before` and `after` are the indexes of the two texts.
    """

    before: Index
    parts: tuple[Part, ...]
    moved: tuple[Span, ...]
    text: str
    after: Index

    def without_trees(self) -> Region:
        """Return it for applying alone, once what differs is compiled: of many, trees are a lot of objects to keep."""
        parts = tuple(part.without_trees() for part in self.parts)
        return replace(self, parts=parts, after=replace(self.after, parsed=None))

    def as_edit(self, module: str, origin: str) -> Edit:
        """Return the edit of `module`, the file `origin`, of which all that does not differ is left out."""
        diffs = [part.diff() for part in self.parts]
        diff = Diff(
            changed=tuple(pair for one in diffs for pair in one.changed),
            added=tuple(statement for one in diffs for statement in one.added),
        )
        old = tuple(pair.old for pair in diff.changed)
        new = (*(pair.new for pair in diff.changed), *diff.added)
        before = Snapshot(module, origin, self.before.text, old, self.before.flags)
        after = Snapshot(module, origin, self.after.text, new, self.after.flags)
        return Edit(module, origin, before, after, diff, part=True)


class NotSmall(Exception):
    """More differs than functions and constants."""


class Parts:
    """Collects the parts of a region, the statements in it that are the same, and the heads of classes that are not."""

    def __init__(self) -> None:
        self.found: list[Part] = []
        self.same: list[Pair] = []
        self.heads: list[Span] = []

    def add(self, old: Sequence[Statement], new: Sequence[Statement], around: Around, *, plain: bool) -> None:
        """Take in a block. Raises NotSmall."""
        part = Part(around, plain)
        for pair in self._pairs(old, new, part):
            if pair.old.digest == pair.new.digest:
                self.same.append(pair)
            elif pair.old.kind is pair.new.kind is Kind.CLASS:
                self._add_class(pair, part)
            elif _is_small(pair):
                part.changed.append(pair)
            elif not around and _is_constant(pair):
                (self.same if same_tree(pair.old, pair.new) else part.values).append(pair)
            else:
                raise NotSmall
        if part.changed or part.values or part.added:
            self.found.append(part)

    @property
    def before(self) -> Iterator[Statement]:
        """The statements of the old text that differ."""
        return (pair.old for part in self.found for pair in (*part.changed, *part.values))

    @property
    def after(self) -> Iterator[Statement]:
        """Those of the new text, and what is new there."""
        return (one for part in self.found for one in (*part.touched, *(pair.new for pair in part.values)))

    def _pairs(self, old: Sequence[Statement], new: Sequence[Statement], part: Part) -> list[Pair]:
        if len(old) == len(new) and all(one.key == other.key for one, other in zip(old, new, strict=True)):
            return [Pair(*both) for both in zip(old, new, strict=True)]
        found = diff(old, new)
        if found.removed or found.moved or not all(map(_is_plain, found.added)):
            raise NotSmall
        part.added += found.added
        return [*found.changed, *found.unchanged]

    def _add_class(self, pair: Pair, part: Part) -> None:
        old, new = pair.old.node, pair.new.node
        assert isinstance(old, ast.ClassDef) and isinstance(new, ast.ClassDef)
        if _is_generic(old, new) or not equal(_head_of_class(old), _head_of_class(new)):
            raise NotSmall
        plain = part.plain and not (new.decorator_list or new.keywords)
        below = pair.old.children[0].lineno if pair.old.children else old.end_lineno or 0
        self.heads.append((pair.old.lineno, below - 1, pair.new.lineno - pair.old.lineno))
        self.add(pair.old.children, pair.new.children, (*part.around, new), plain=plain)

    def moved(self, rest: Span) -> tuple[Span, ...]:
        """Return the lines that stand elsewhere now, `rest` among them, which is behind the region."""
        spans = [(pair.old.lineno, pair.old.end_lineno, pair.new.lineno - pair.old.lineno) for pair in self.same]
        return tuple(span for span in (*self.heads, *spans, rest) if span[2])


def _is_small(pair: Pair) -> bool:
    """Whether only the body of a function differs, of which its ``def`` makes nothing."""
    old, new = pair.old.node, pair.new.node
    if type(old) is not type(new) or not isinstance(new, _DEFS) or not isinstance(old, _DEFS):
        return False
    return not _is_generic(old, new) and equal(_head(old), _head(new))


def _is_constant(pair: Pair) -> bool:
    """Whether a name stands for one literal of a builtin type that nobody can alter, and then for another."""
    old, new = pair.old.node, pair.new.node
    if not (isinstance(old, ast.Assign) and isinstance(new, ast.Assign) and pair.old.binds == pair.new.binds):
        return False
    if not (isinstance(old.value, ast.Constant) and isinstance(new.value, ast.Constant)):
        return False
    (target, *more) = new.targets
    return isinstance(target, ast.Name) and not more and not (target.id.startswith("__") and target.id.endswith("__"))


def _is_plain(statement: Statement) -> bool:
    """Whether `statement` is a ``def`` that runs nothing of the program's, so that it may run twice."""
    node = statement.node
    if not isinstance(node, _DEFS) or node.decorator_list or getattr(node, "type_params", None):
        return False
    parts = [*ast.walk(node.args), *(ast.walk(node.returns) if node.returns else ())]
    return not any(isinstance(part, _ACTS) for part in parts)


def _head(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[object]:
    return [node.args, node.decorator_list, node.returns]


def _is_generic(*nodes: ast.stmt) -> bool:
    return any(getattr(node, "type_params", None) for node in nodes)


def _head_of_class(node: ast.ClassDef) -> list[object]:
    return [node.decorator_list, node.bases, node.keywords]


def _bare(statement: Statement) -> Statement:
    return statement if getattr(statement.node, "decorator_list", ()) else replace(statement, node=_NO_TREE)


def shell(name: str, line: int, column: int) -> ast.ClassDef:
    """Return an empty class that stands for one around a region."""
    where = {"lineno": line, "end_lineno": line, "col_offset": column, "end_col_offset": column}
    fields: dict[str, Any] = {"bases": [], "keywords": [], "body": [], "decorator_list": [], **where}
    if sys.version_info >= (3, 12):
        fields["type_params"] = []
    return ast.ClassDef(name=name, **fields)
