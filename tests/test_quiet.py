"""One row for each clause of the rule by which a statement is quiet, and one for each way of not being so."""

from __future__ import annotations

import ast
import calendar
import contextlib
import linecache
import secrets
import sys
import textwrap
import time
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

from hotswap._quiet import MISSING, NamespaceScope, unquiet

PROJECT = Path(__file__).with_name("quiet_project.txt").read_text(encoding="utf-8")

QUIET = {
    "constant": "X = 1",
    "name": "X = LIMIT",
    "unknown name": "X = NEVER_SEEN",
    "chained targets": "X = Y = LIMIT",
    "tuple target": "X, (Y, *Z) = 1, NAMES",
    "attribute target": "HERE.a = LIMIT",
    "call of any item of a table": "X = [step(2) for step in STEPS.values()], STEPS[min(STEPS)](2)",
    "call of what a table gives": "X = STEPS.get(max(STEPS))(2)",
    "call of one item of a table": "X = MIXED['square'](2)",
    "call of one of two": "X = (square if LIMIT else half)(2)",
    "calls of items with their keys": "X = {name: step(2) for name, step in STEPS.items()}",
    "name of modules in a list": "X = [module.__name__ for module in MODULES]",
    "item target": "TABLE['b'] = LIMIT",
    "module attribute target": "ROOM.limit = LIMIT",
    "class attribute target": "Point.limit = LIMIT",
    "annotated": "X: int = LIMIT",
    "annotated alone": "X: list[int]",
    "pass": "pass",
    "docstring": "'words'",
    "del of a name": "del LIMIT",
    "assert": "assert LIMIT > 1, 'small'",
    "import": "import os.path, json as j",
    "import of what is not loaded": "import never_there",
    "from import": "from os import path, sep as SEP",
    "relative import": "from . import sibling",
    "star import": "from os.path import *",
    "if": "if LIMIT > 1:\n    X = 1\nelse:\n    Y = 2",
    "for": "for name in NAMES:\n    TABLE[name] = LIMIT",
    "try": "try:\n    import never\nexcept ImportError as error:\n    X = 1\nelse:\n    X = 2\nfinally:\n    Y = 1",
    "with suppress": "with contextlib.suppress(KeyError):\n    X = TABLE['z']",
    "match": "match LIMIT:\n    case 1: X = 1\n    case [a, *b]: 1\n    case {'k': v, **w}: X = w\n    case n: X = n",
    "name made in this statement": "for n in NAMES:\n    X = []\n    X.append(n)\n    X += [n]",
    "def": "def f(): print()",
    "async def": "async def f(): await g()",
    "def with defaults": "def f(a, b=LIMIT, *, c=len(NAMES)): print()",
    "lambda": "X = lambda: print()",
    "class": "class A:\n    x = LIMIT\n    def f(self): print()",
    "class with names of its own": "class A:\n    x = [1]\n    x.append(2)\n    y = x[0]",
    "class with a property": "class A:\n    @property\n    def p(self): pass\n    @p.setter\n    def p(self, v): 1",
    "class with bases": "class A(Near, Plan): pass",
    "class under ABCMeta": "class A(metaclass=abc.ABCMeta): pass",
    "class under a quiet metaclass": "class A(metaclass=Meta): pass",
    "class with a quiet __init_subclass__": "class A(Tagged, tag='x'): pass",
    "class with a quiet __set_name__": "class A:\n    d = Described()",
    "class of an enum": "class A(enum.Enum):\n    X = LIMIT\n    Y = enum.auto()",
    "class of a named tuple": "class A(typing.NamedTuple):\n    x: int = LIMIT",
    "class on a namedtuple call": "class A(collections.namedtuple('A', 'x y')): pass",
    "class of a typed dict": "class A(typing.TypedDict, total=False):\n    x: int",
    "class of a protocol": "class A(typing.Protocol[T]):\n    x: int",
    "class of an exception": "class A(ValueError): pass",
    "class of a generic": "class A(Stack[int]): pass",
    "dataclass": "@dataclass(frozen=True)\nclass A:\n    x: int = field(default=LIMIT)",
    "bare dataclass": "@dataclass\nclass A:\n    x: int = LIMIT",
    "operators": "X = -LIMIT + LIMIT ** 2 // 3 - (LIMIT << 1 | 4)",
    "comparison": "X = 1 < LIMIT <= 20 and NAME in NAMES or not NAMES",
    "quiet operator of the project": "X = POINT + POINT",
    "path operator": "X = Path(__file__).resolve().parent / 'data' / NAME",
    "item": "X = NAMES[0], PAIRS[0][1], NAMES[1:]",
    "item of a class": "X = dict[str, list[int]] | None",
    "enum member": "X = Color.RED, Color['RED'], Color('red'), Color.RED.value",
    "enum members": "X = {color.value: color for color in Color}",
    "method of an enum member": "X = Color.RED.shout()",
    "attribute of a module": "X = os.path.sep",
    "attribute of a class": "X = Point.where, Counted.made",
    "attribute of an instance": "X = POINT.x",
    "quiet property": "X = POINT.double",
    "comprehensions": "X = [n for n in NAMES if n], {n for n in NAMES}, {k: v for k, v in PAIRS}",
    "generator used up": "X = sum(len(n) for n in NAMES), next((n for n in NAMES), None)",
    "conditional": "X = LIMIT if NAMES else None",
    "f-string": "X = f'{LIMIT:>{LIMIT}} {NAME!r}'",
    "starred": "X = [*NAMES, *PAIRS], {**TABLE, 'b': 2}, dict(**TABLE)",
    "walrus": "X = [y := LIMIT, y.bit_length()]",
    "slice": "X = NAMES[::2]",
    "listed call": "X = sorted(NAMES)",
    "method of what is annotated": "X = replaced(NEVER), replaced_or_none(NEVER), keys_of(NEVER)",
    "method of a literal": "X = 'a b'.split()[0].upper()",
    "method of a known value": "X = NAME.upper()",
    "method of the name of a class": "X = {one.__name__.lower(): one for one in (Near, Plan)}",
    "method of the name of what is not known": "def f(x): return x.__qualname__.upper()\nX = f(square)",
    "method of each item": "X = [name.upper() for name in NAMES]",
    "method of parts of items": "X = {key.upper(): value.bit_length() for key, value in PAIRS}",
    "reading method of a container": "X = TABLE.get('a'), NAMES.count('a'), NAMES.copy()",
    "mutating method of what is made here": "X = [1].append(2)",
    "listed function applied": "X = list(map(str.upper, NAMES))",
    "project function applied": "X = list(map(square, [1])), sorted(NAMES, key=lambda n: n.lower())",
    "environment": "X = os.environ.get('HOME'), os.environ['PATH'], 'A' in os.environ",
    "project function": "X = square(LIMIT)",
    "function called through an argument": "X = call(square, 2)",
    "function through arguments, in a comprehension": "X = apply_to_names(len)",
    "recursion": "X = factorial(LIMIT)",
    "mutual recursion": "X = even(LIMIT)",
    "fills a dict of its own": "X = lengths(NAMES)",
    "counts in a dict of its own": "X = count(NAMES)",
    "augments items of its own": "X = tally(NAMES)",
    "fills the caller's list": "X = numbers()",
    "alters its own copy": "X = own_copy(NAMES)",
    "list made in each branch": "X = made_in_branches(LIMIT)",
    "raises and asserts": "X = guarded(LIMIT)",
    "while inside a function": "X = looped(LIMIT)",
    "nested function fills the list around it": "X = visit()",
    "generator of the project used up": "X = list(chained())",
    "suppress inside a function": "X = forgiving()",
    "import inside a function": "X = late_import()",
    "match inside a function": "X = matched(LIMIT)",
    "all kinds of parameters": "X = keywords(1, 2, 3, c=4, d=5)",
    "stars in a call": "X = keywords(*NAMES, **{'z': 1})",
    "item store into what the caller made": "X = write_item({})",
    "attribute store into what the caller made": "X = write_argument(Kept())",
    "decorator that wraps": "@wrapping\ndef f(): pass",
    "decorator that marks": "@marking\ndef f(): pass",
    "decorator made by a call": "@configured(LIMIT)\ndef f(): pass",
    "listed decorators": "@functools.lru_cache(maxsize=LIMIT)\n@functools.wraps(square)\ndef f(): pass",
    "function behind a quiet decorator": "X = cubed(2)",
    "function behind a cache": "X = cached(2)",
    "partial of a listed function": "X = doubled(2)",
    "bound method": "X = where()",
    "project class": "X = Point(LIMIT)",
    "super().__init__": "X = Near()",
    "quiet __new__": "X = Kept()",
    "class under a quiet metaclass of the project, defined": "class A(Calm): pass",
    "quiet method": "X = POINT.where()",
    "storing method of a new object": "X = Point().place(1)",
    "class method": "X = Point.origin()",
    "static method": "X = Point.unit(), POINT.unit()",
    "computed property of a new object": "X = Point().computed",
    "dataclass made": "X = Size(1)",
    "dataclass compared": "X = SIZE < Size(2), repr(SIZE)",
    "dataclass replaced": "X = dataclasses.replace(SIZE, w=LIMIT)",
    "named tuple made": "X = Pair(1)._replace(a=2), Vector(1, 2)._asdict()",
    "typed dict made": "X = Movie(name=NAME)",
    "generic class made": "X = Stack[int](1), Numbers(2)",
    "getattr by a constant name": "X = getattr(os, 'sep')",
    "copy of a builtin": "X = copy.deepcopy(TABLE)",
}

LOUD = {
    "call of any item of a table": ("X = MIXED[min(MIXED)](2)", "calls (...)(), which calls print()"),
    "call of an item that the statement stored": (
        "if LIMIT:\n    STEPS['half'] = log\n    X = STEPS['half'](2)",
        "calls (...)(), which is not known to be quiet",
    ),
    "calls of items after a store": (
        "if LIMIT:\n    GROUPS['a'] = log\n    X = [step(2) for step in STEPS.values()]",
        "calls step(), which is not known to be quiet",
    ),
    "unknown call": ("X = never_seen()", "calls never_seen(), which is not known to be quiet"),
    "call of print": ("print(1)", "calls print(), which is not known to be quiet"),
    "augmented assignment": ("LIMIT += 1", "makes an augmented assignment to LIMIT"),
    "augmented item": ("TABLE['a'] += 1", "makes an augmented assignment to TABLE[...]"),
    "augmented name of one branch": ("if LIMIT:\n    if LIMIT > 2:\n        NAMES = []\n    NAMES += [1]", "to NAMES"),
    "mutating method": ("NAMES.append(1)", "mutates NAMES through .append()"),
    "mutating method by the class": ("list.append(NAMES, 1)", "mutates list through .append()"),
    "mutating method of an unknown object": ("NEVER.append(1)", "calls NEVER.append(), a method of an object"),
    "mutating method of what is annotated": ("X = fill_annotated(NEVER)", "mutates out through .append()"),
    "method of an attribute": ("POINT.trail.append(1)", "mutates POINT.trail through .append()"),
    "mutating function": (
        "(lambda: setattr(POINT, 'x', 1))()",
        "stores into its argument.x, which it did not make",
    ),
    "advances an iterator": ("X = next(ITERATOR)", "alters its argument through next()"),
    "uses an iterator up": ("X = list(ITERATOR)", "advances an iterator that was there before"),
    "loops over an iterator": ("for n in ITERATOR:\n    X = n", "advances an iterator"),
    "binds an iterator": ("X = (n for n in NAMES)", "binds X to an iterator, whose position would be lost"),
    "binds a listed iterator": ("X = map(str, NAMES)", "binds X to an iterator"),
    "binds a generator of the project": ("X = names_of()", "binds X to an iterator"),
    "inserts into a defaultdict": ("X = GROUPS['new']", "mutates GROUPS[...] through .__missing__()"),
    "del of an item": ("del TABLE['a']", "stores into TABLE"),
    "del of an attribute": ("del POINT.x", "stores into POINT"),
    "while": ("while LIMIT:\n    pass", "is a while loop"),
    "with": ("with LOCK:\n    pass", "enters a context"),
    "raise": ("raise ValueError", "raises"),
    "await": ("X = [await y for y in NAMES]", "awaits"),
    "asynchronous comprehension": ("X = [y async for y in NAMES]", "awaits"),
    "async for": ("async for n in NAMES: pass", "has a statement (AsyncFor)"),
    "loud default": ("def f(a=print()): pass", "calls print()"),
    "loud annotation": ("def f(a: log(1)): pass", "calls log(), which calls print()"),
    "loud decorator": ("@registering\ndef f(): pass", "calls @registering, which mutates NAMES through .append()"),
    "decorator on an object that is not known": ("@app.route('/')\ndef f(): pass", "calls app.route()"),
    "loud class body": ("class A:\n    print(1)", "calls print()"),
    "loud base": ("class A(log(1)): pass", "calls log()"),
    "unknown base": ("class A(Never): pass", "has a base that is not known"),
    "base that is no class": ("class A(POINT): pass", "has a base that is not known to be quiet"),
    "loud __init_subclass__": (
        "class A(Registered): pass",
        "calls Registered.__init_subclass__(), which mutates NAMES",
    ),
    "loud metaclass": ("class A(metaclass=Registry): pass", "calls the metaclass's __new__(), which mutates NAMES"),
    "inherited loud metaclass": ("class A(Single): pass", "calls the metaclass's __new__(), which mutates NAMES"),
    "unknown metaclass": ("class A(metaclass=Never): pass", "makes the class A by something"),
    "loud __set_name__": ("class A:\n    a = Announced()", "calls a.__set_name__(), which mutates NAMES"),
    "loud operator": ("X = POINT * 2", "calls Point.__mul__(), which calls print()"),
    "loud truth": ("X = not POINT", "calls Point.__bool__(), which calls print()"),
    "loud test": ("if POINT:\n    X = 1", "calls Point.__bool__()"),
    "loud text": ("X = f'{TEXT}'", "calls Text.__str__()"),
    "loud conversion": ("X = str(TEXT)", "calls Text.__str__()"),
    "loud hash": ("X = {TEXT: 1}", "calls Text.__hash__()"),
    "loud property": ("X = POINT.loud", "calls the property loud, which calls print()"),
    "loud getattr": ("X = getattr(POINT, 'loud')", "calls the property loud"),
    "getattr by a name that is not known": ("X = getattr(POINT, never)", "calls getattr() with a name"),
    "cached property of an old object": ("X = POINT.computed", "loads .computed, which is computed and stored"),
    "loud __getattr__": ("X = GUESSING.anything", "calls the __getattr__ that finds .anything, which calls print()"),
    "loud descriptor": ("X = Holder.described", "calls described.__get__(), which calls print()"),
    "loud __setattr__": ("WATCHED.x = 1", "calls Watched.__setattr__(), which calls print()"),
    "loud __setitem__": ("WATCHED[0] = 1", "calls Watched.__setitem__(), which calls print()"),
    "store by a property": ("POINT.double = 1", "calls the property double, which stores into self.x"),
    "store into the environment": ("os.environ['A'] = 'b'", "calls _Environ.__setitem__(), which is not known"),
    "function that calls what is not listed": ("X = log(1)", "calls log(), which calls print(), which is not known"),
    "loud function called through an argument": (
        "X = call(log, 2)",
        "calls call(), which calls function(), which calls print()",
    ),
    "loud function applied": ("X = sorted(NAMES, key=log)", "calls the function given to sorted()"),
    "unknown function applied": ("X = sorted(NAMES, key=never)", "calls the function given to sorted(), which is not"),
    "writes a global": ("X = write_global()", "calls write_global(), which writes LIMIT, a global or nonlocal name"),
    "writes a nonlocal": ("X = write_nonlocal()", "writes n, a global or nonlocal name"),
    "stores into its argument": ("X = write_argument(POINT)", "stores into point.x, which it did not make"),
    "stores an item into its argument": ("X = write_item(TABLE)", "stores into table[...], which it did not make"),
    "deletes from its argument": ("X = delete_item(TABLE)", "stores into table, which it did not make"),
    "augments its argument": ("X = augment(NAMES)", "makes an augmented assignment to names"),
    "fills its argument": ("X = fill(NAMES, 3)", "mutates out through .append()"),
    "fills its default": ("X = with_default(1)", "mutates into through .append()"),
    "name rebound in a loop": ("X = rebound_late(NAMES)", "mutates found through .append()"),
    "name rebound in a branch": ("X = rebound_in_branch(NAMES, LIMIT)", "mutates found through .append()"),
    "name rebound in a try": ("X = rebound_in_try(NAMES)", "mutates found through .append()"),
    "alters items of its own list": ("X = inner_items()", "mutates row through .append()"),
    "loud generator": ("X = list(logging_names())", "calls logging_names(), which calls print()"),
    "coroutine function": ("X = wait()", "calls wait(), which is a coroutine function"),
    "context inside a function": ("X = enter()", "calls enter(), which enters a context"),
    "endless recursion of growing values": ("X = forever(1)", "deeper"),
    "function behind a loud decorator": ("X = logged(2)", "calls logged(), which calls print()"),
    "loud function behind a cache": ("X = remembered(2)", "calls remembered(), which calls print()"),
    "mutating bound method": ("X = move(2)", "calls move(), which makes an augmented assignment to self.x"),
    "mutating method of an old object": ("X = POINT.move(2)", "calls POINT.move()"),
    "loud __init__": ("X = Counted()", "calls Counted.__init__(), which makes an augmented assignment to Counted.made"),
    "loud __new__": ("X = Named('a')", "calls Named.__new__(), which mutates NAMES"),
    "object with __del__": ("X = Closing()", "makes an object by Closing(), whose __del__ will run"),
    "object under a metaclass": ("X = Calm()", "makes an object by Calm(), whose metaclass is not known"),
    "loud __post_init__": ("X = Loud(1)", "calls Loud.__post_init__(), which calls print()"),
    "loud default factory": ("X = Numbered()", "calls the default factory of n, which calls print()"),
    "dataclass applied to an old class": ("X = dataclass(Point)", "alters its argument through dataclass()"),
    "loud dataclass replaced": ("X = dataclasses.replace(Loud.__new__(Loud))", "calls Loud.__post_init__()"),
    "loud _missing_": ("X = Guess(1)", "calls Guess._missing_(), which calls print()"),
    "copy of an object": ("X = copy.copy(POINT)", "copies what is not known to be a builtin value"),
    "class made by type": ("X = type('A', (), {})", "makes a class by type()"),
}


class Project:
    """A module whose functions' trees are found by their first line."""

    def __init__(self, source: str) -> None:
        self.module = ModuleType("project")
        self.module.__dict__.update(__file__=__file__, __package__="tests")
        tree = ast.parse(source)
        self.trees = {_first_line(node): node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)}
        sys.modules["project"] = self.module
        exec(compile(tree, "project.py", "exec"), self.module.__dict__)

    def definition(self, function: FunctionType) -> Any:
        known = function.__code__.co_filename == "project.py"
        return self.trees.get(function.__code__.co_firstlineno) if known else None

    def is_own(self, thing: ModuleType | FunctionType) -> bool:
        return thing is self.module or getattr(thing, "__module__", "") == "project"

    def show_state(self) -> str:
        """Return as text what no quiet statement may alter; plain stores to names, attributes and items may."""
        has = self.module.__dict__
        lists = (has[name] for name in ("NAMES", "PAIRS", "SEEN", "QUEUE", "GROUPS"))
        return repr((*lists, has["POINT"].__dict__, has["Counted"].made, has["square"].__dict__, has["LIMIT"]))

    def judge(self, statement: str, **names: object) -> str | None:
        namespace = {**self.module.__dict__, **names}
        scope = NamespaceScope(namespace, self.is_own, self.definition)
        return unquiet(ast.parse(textwrap.dedent(statement)).body[0], scope)


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _first_line(node: Any) -> int:
    return min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])


@pytest.fixture(scope="module")
def project() -> Any:
    yield Project(PROJECT)
    del sys.modules["project"]


@pytest.mark.parametrize("clause", QUIET)
def test_quiet(clause: str, project: Project) -> None:
    """A statement of this kind is quiet."""
    assert project.judge(QUIET[clause]) is None


@pytest.mark.parametrize("clause", QUIET)
def test_quiet_for_all_who_look(clause: str, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """What is judged quiet, run twice, prints nothing and leaves what was there before as it was."""
    before = project.show_state()
    with contextlib.suppress(ImportError, NameError):  # of the rows whose names nobody has
        for _ in range(2):
            exec(compile(QUIET[clause], "statement", "exec"), {**project.module.__dict__})
    assert project.show_state() == before
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("clause", LOUD)
def test_loud(clause: str, project: Project) -> None:
    """A statement of this kind is not quiet, and the reason says why."""
    statement, expected = LOUD[clause]
    reason = project.judge(statement)
    assert reason is not None
    assert expected in reason


@pytest.mark.skipif(sys.version_info < (3, 12), reason="new syntax of 3.12")
@pytest.mark.parametrize("statement", ["type X = print()", "def f[T: print()](a: T): pass", "class A[T]: pass"])
def test_type_parameters(statement: str, project: Project) -> None:
    """Type aliases and the bounds of type parameters are evaluated later, if ever."""
    assert project.judge(statement) is None


def test_asks_no_object() -> None:
    """No special method of an object or its class runs while a statement that names it is judged."""

    class Meta(type):
        def __eq__(cls, other: object) -> bool:
            raise AssertionError

        def __hash__(cls) -> int:
            raise AssertionError

        def __getattribute__(cls, name: str) -> Any:
            raise AssertionError(name)

    class Touchy(metaclass=Meta):
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(name)

        def __eq__(self, other: object) -> bool:
            raise AssertionError

        def __hash__(self) -> int:
            raise AssertionError

    thing = Touchy()
    scope = NamespaceScope({"a": thing, "A": Touchy, "many": [thing]}, lambda _: False, lambda _: None)
    uses = "a a.x a.x() a() a+1 a==a a[0] {a} f'{a}' str(a) [*a] not(a) -a a.x.y A A.x A() A.x() A[0] A==A "
    uses += "isinstance(a,A) [b.x()for(b)in(many)] sorted(many) type(a) {A} many[0].x"
    statements = [f"X = {use}" for use in uses.split()] + [
        "a.x = 1",
        "a[0] = 1",
        "A.x = 1",
        "class B(A): pass",
        "del a.x",
    ]
    for statement in statements:
        unquiet(ast.parse(statement).body[0], scope)
    assert scope.resolve("A.__init__") is object.__init__
    assert scope.resolve("A.x") is MISSING
    assert scope.resolve("a.x") is MISSING


def test_resolve() -> None:
    """Names are found in the namespace, then in builtins; their parts in dictionaries of modules and classes."""

    class Base:
        made = 1

    class Below(Base):
        pass

    scope = NamespaceScope({"sys": sys, "Below": Below, "len": 3}, lambda _: True, lambda _: None)
    assert scope.resolve("len") == 3
    assert scope.resolve("print") is print
    assert scope.resolve("sys.modules") is sys.modules
    assert scope.resolve("Below.made") == 1
    assert scope.resolve("str.upper") is str.__dict__["upper"]
    assert [scope.resolve(name) for name in ("never", "sys.never", "Below.never", "len.real")] == [MISSING] * 4


def test_lazy_module() -> None:
    """A module's own __getattr__ counts as a call, and is not made."""
    project = Project("def __getattr__(name): print(name)\nimport project as me")
    assert project.judge("X = me.missing") == (
        "calls the module's __getattr__, which calls print(), which is not known to be quiet"
    )


def test_source_not_known(project: Project) -> None:
    """A project function without a source is not quiet."""
    space: dict[str, Any] = {"__name__": "project"}
    exec("def made(): return 1", space)
    assert project.judge("X = made()", made=space["made"]) == "calls made(), whose source is not known"


def test_code_of_others(project: Project) -> None:
    """A function of a library that is not listed is judged by its code, as far as its file gives it."""
    assert project.judge("X = w('a')", w=textwrap.TextWrapper) is None
    assert project.judge("X = f(1)", f=calendar.isleap) is None
    assert "_urandom()" in (project.judge("X = f(1)", f=secrets.token_bytes) or "")


def test_code_of_others_that_is_not_known(project: Project, tmp_path: Path) -> None:
    """Without its text, or with that of another function in its place, a function of a library is not quiet."""
    code = compile("def f(n): return n + 1", str(tmp_path / "lib.py"), "exec")
    for text, is_quiet in (("", False), ("def f(k): return k + 1\n", False), ("def f(n): return n + 1\n", True)):
        names: dict[str, Any] = {}
        exec(code, names)
        (tmp_path / "lib.py").write_text(text, encoding="utf-8")
        linecache.clearcache()
        assert (project.judge("X = f(1)", f=names["f"]) is None) == is_quiet


def test_deep_expression(project: Project) -> None:
    """What is nested beyond the recursion limit is not quiet, and raises nothing."""
    node = ast.parse("X = 1").body[0]
    assert isinstance(node, ast.Assign)
    for _ in range(5000):
        node.value = ast.UnaryOp(ast.UAdd(), node.value)
    scope = NamespaceScope({}, lambda _: False, lambda _: None)
    assert unquiet(node, scope) == "is nested deeper than is judged"


def test_long_statement(project: Project) -> None:
    """A statement of more nodes than are walked is not quiet, which is soon known."""
    assert project.judge(f"X = [{'1, ' * 30_000}]") == "runs longer than is judged"


def test_cost(project: Project) -> None:
    """A plain assignment is judged in microseconds, so that a save of many costs nothing."""
    node = ast.parse("X = LIMIT + 1").body[0]
    scope = NamespaceScope(project.module.__dict__, lambda _: True, project.definition)
    best = min(_time(node, scope) for _ in range(200))
    assert best < 200e-6


def _time(node: ast.stmt, scope: NamespaceScope) -> float:
    start = time.perf_counter()
    unquiet(node, scope)
    return time.perf_counter() - start
