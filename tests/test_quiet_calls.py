"""One row for each entry of the table of quiet calls: a call that is judged quiet, and that does run."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hotswap._quiet import NamespaceScope, Table, unquiet
from hotswap._quiet._callees import Callees
from hotswap._quiet._calls import CONTAINERS, CONTEXTS, IMMUTABLE, METACLASSES, METHODS, OBJECTS, TRUSTED
from hotswap._quiet._table import ENTRIES, find_raw, list_names

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = """
    abc argparse base64 binascii bisect builtins codecs collections colorsys contextlib copy copyreg csv
    dataclasses datetime decimal enum fnmatch fractions functools hashlib heapq html importlib importlib.metadata
    importlib.util inspect io ipaddress itertools json keyword locale logging math operator os os.path pathlib
    platform re shlex sqlite3 statistics string struct sys textwrap threading types typing unicodedata
    unittest.case urllib.parse uuid warnings weakref zlib zoneinfo
""".split()

# What `typing.Literal` is an object of: the one up to 3.12, the other since.
OF_LITERAL = ("typing._LiteralSpecialForm", "typing._TypedCacheSpecialForm")

# What the samples lean on. `_hashlib` and `_blake2` are where hashlib's objects come from.
PRELUDE = """
import _blake2
import _hashlib
DAY, NOON, TIME = datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 12), datetime.time(12)
NET, ONE, HALF = ipaddress.ip_network('10.0.0.0/8'), decimal.Decimal(1), fractions.Fraction(1, 2)
LOG, PATH, PURE = logging.getLogger('a'), pathlib.Path('a/b.c'), pathlib.PurePosixPath('/a/b.c')
LIST, DICT, SET, QUEUE = [1], {1: 2}, {1}, collections.deque([1])
MATCH, PATTERN = re.match('(a)', 'a'), re.compile('a')
COUNTS, ORDERED, GROUPS = collections.Counter('a'), collections.OrderedDict(a=1), collections.defaultdict(list, a=1)
TEMPLATE, BYTES, VIEW = string.Template('$a'), bytearray(b'a b'), memoryview(b'ab')
PAIR, SHOWN, ID = struct.Struct('BB'), types.MappingProxyType({'a': 1}), uuid.UUID(int=1)
FIRST, NAME, UserId = operator.itemgetter(0), operator.attrgetter('real'), typing.NewType('UserId', int)
DIGEST, LONG, SHORT = hashlib.md5(b'a'), hashlib.blake2b(b'a'), hashlib.blake2s(b'a')
SIGNATURE = inspect.signature(lambda a: a)
PARAMETER = SIGNATURE.parameters['a']
STREAM = io.TextIOWrapper(io.BytesIO())
T = typing.TypeVar('T')
class Perm(enum.Flag):
    R = 1
    W = 2
class Color(enum.Enum):
    RED = 1
@dataclasses.dataclass
class Point:
    x: int = 0
class Stack(typing.Generic[T]): pass
class Shape(typing.Protocol): pass
def plain(a=0): return 1
"""

# Entries that a call cannot show on its own: whole statements.
STATEMENTS = {
    "abc.update_abstractmethods": "@abc.update_abstractmethods\nclass A: pass",
    "builtins.delattr": "class A:\n    x = types.SimpleNamespace(a=1)\n    delattr(x, 'a')",
    "builtins.list.sort": "A = [2, 1].sort()",
    "builtins.object.__delattr__": "class A:\n    x = types.SimpleNamespace(a=1)\n    object.__delattr__(x, 'a')",
    "builtins.object.__setattr__": "object.__setattr__(types.SimpleNamespace(a=1), 'a', 2)",
    "builtins.setattr": "setattr(types.SimpleNamespace(a=1), 'a', 2)",
    "builtins.super": "class A:\n    def f(self): return super()",
    "builtins.type.__delattr__": "class A:\n    x = 1\n    y = type.__delattr__",
    "builtins.type.__init__": "class Meta(type):\n    def __init__(cls, *a): type.__init__(cls, *a)",
    "builtins.type.__new__": "class Meta(type):\n    def __new__(cls, *a): return type.__new__(cls, *a)",
    "builtins.type.__setattr__": "class A:\n    x = 1\n    y = type.__setattr__",
    "dataclasses.dataclass": "@dataclasses.dataclass\nclass A:\n    x: int = 1",
    "enum.Enum.__init__": "class A(enum.Enum):\n    X = 1",
    "enum.Enum.__new__": "A = Color(1)",
    "functools.total_ordering": "@functools.total_ordering\nclass A:\n    def __lt__(self, other): return False",
    "json.JSONEncoder.default": "class A(json.JSONEncoder):\n    def default(self, o): return super().default(o)",
    "os.environ.__iter__": "A = [name for name in os.environ]",
    "pathlib.PosixPath": "A = pathlib.PosixPath('a') if os.name == 'posix' else None",
    "typing.Any": "class A(typing.Any): pass",
    "typing.Generic.__init_subclass__": "class A(Stack[int]): pass",
    "typing.Protocol.__init_subclass__": "class A(Shape): pass",
    "typing._no_init_or_replace_init": "class A(typing.Protocol): pass",
    "typing.runtime_checkable": "@typing.runtime_checkable\nclass A(typing.Protocol): pass",
    "unittest.case.skip": "@unittest.case.skip('a')\nclass A: pass",
    "unittest.case.skipIf": "@unittest.case.skipIf(True, 'a')\nclass A: pass",
    "unittest.case.skipUnless": "@unittest.case.skipUnless(True, 'a')\nclass A: pass",
    "zoneinfo.ZoneInfo": "def f(): return zoneinfo.ZoneInfo('UTC')",  # a machine may have no time zones
}
SINCE = {"typing.override": (3, 12), "warnings.deprecated": (3, 13)}


def _read_samples() -> Iterator[tuple[str, str, str]]:
    prefix = start = ""
    for line in Path(__file__).with_name("quiet_calls.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            yield from ((prefix, start, sample) for sample in line.split())
        elif line and not line.startswith("#"):
            prefix, _, start = line.partition(" ")
            start = {"": f"{prefix}.", "-": ""}.get(start, start)


def _rows() -> Iterator[tuple[str, str]]:
    for prefix, start, sample in _read_samples():
        inner = sample.removeprefix("list(") if sample != "list([1])" else sample
        entry = f"{prefix}.{re.split(r'[([.]', inner)[0]}"
        yield entry, STATEMENTS.get(entry, f"A = {start}{sample}")


ROWS = dict(_rows())


@pytest.fixture(scope="module")
def namespace() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "samples"}
    for module in MODULES:
        names[module.partition(".")[0]] = importlib.import_module(module.partition(".")[0])
        importlib.import_module(module)
    module = type(sys)("samples")
    sys.modules["samples"] = module
    module.__dict__.update(names)
    exec(compile(PRELUDE, "samples", "exec"), module.__dict__)
    yield module.__dict__
    del sys.modules["samples"]


def judge(source: str, namespace: dict[str, Any], table: Table | None = None) -> str | None:
    scope = NamespaceScope(namespace, lambda thing: False, lambda function: None)
    return unquiet(ast.parse(source).body[0], scope, table or WHOLE)


def test_rows_are_the_entries() -> None:
    """Each entry of the table has a row, and each row an entry."""
    assert set(ROWS) == {*ENTRIES, *list_names(OBJECTS)}


class Lacking(Table):
    """A table without the entry of `raw`."""

    raw: object = None

    def find(self, called: object) -> Any:
        return None if called is self.raw else super().find(called)


WHOLE, LACKING = Table(), Lacking()


def is_covered(entry: str) -> bool:
    """Whether another rule makes the sample quiet as well: classes that are trusted, what only defines one, and methods
    of an immutable value.
    """
    if type(getattr(find_raw(entry), "__self__", None)) is frozenset:
        return True
    kinds = find_raw(entry), find_raw(entry.rpartition(".")[0])
    return any(isinstance(kind, type) and WHOLE.trusts(kind) for kind in kinds) or entry in STATEMENTS


@pytest.mark.parametrize("entry", ROWS)
def test_entry(entry: str, namespace: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of the entry is quiet, for the entry's sake, and runs."""
    if sys.version_info < SINCE.get(entry, (3, 11)):
        pytest.skip("this Python does not have it yet")
    assert find_raw(entry) is not None or entry.startswith("os.environ.")
    assert judge(ROWS[entry], namespace) is None
    LACKING.raw = find_raw(entry)
    monkeypatch.setattr(Callees, "looks_into_libraries", False)  # which tells as much of many, where the file is there
    assert judge(ROWS[entry], namespace, LACKING) or is_covered(entry) or entry.startswith("os.environ.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an entry may be on its way out of newer Pythons, and one warns
        exec(compile(ROWS[entry], "sample", "exec"), dict(namespace))


@pytest.mark.parametrize("kind", sorted(IMMUTABLE, key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
def test_immutable(kind: type) -> None:
    """No method of an immutable builtin can alter an object that was there before."""
    names = [name for name in vars(kind) if not name.startswith("_") and callable(vars(kind)[name])]
    here = {"A": {int: 1, bool: True}.get(kind, kind("") if kind is str else None)}
    if type(here["A"]) is kind:
        assert [name for name in names if judge(f"B = A.{name}()", here)] == []
    else:
        assert [name for name in names if judge(f"B = K.{name}(K)", {"K": kind})] == []


@pytest.mark.parametrize("name", list_names(CONTAINERS))
def test_container(name: str) -> None:
    """Of a container that was there before, the methods in the table are quiet and those that alter it are not."""
    kind: Any = find_raw(name)
    loud = {m for m in dir(kind) if not m.startswith("__") and judge(f"B = A.{m}()", {"A": kind()})}
    altering = (
        "add append appendleft clear discard extend extendleft insert intersection_update move_to_end pop popitem "
    )
    altering += "popleft remove reverse rotate setdefault sort subtract symmetric_difference_update update "
    altering += "difference_update maxlen default_factory"
    assert loud >= set(altering.split()) & set(dir(kind)) - {"maxlen", "default_factory"}


@pytest.mark.parametrize("name", list_names(METACLASSES))
def test_metaclass(name: str) -> None:
    """A class statement under a metaclass of the table is quiet."""
    kind: Any = find_raw(name)
    assert judge("class A(metaclass=M): pass", {"M": kind}) is None


@pytest.mark.parametrize("name", list_names(CONTEXTS))
def test_context(name: str, namespace: dict[str, Any]) -> None:
    """A suite under a context manager of the table is quiet."""
    assert judge(f"with {name}():\n    A = 1", namespace) is None


@pytest.mark.parametrize("name", list_names(TRUSTED))
def test_trusted(name: str) -> None:
    """Operators and conversions of a class of the table are quiet."""
    WHOLE.catch_up()
    if name in OF_LITERAL and find_raw(name) is None:
        pytest.skip("this Python calls it otherwise")
    assert WHOLE.trusts(find_raw(name))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "call",
    ["print(1)", "input()", "open('a')", "exec('a')", "eval('a')", "globals().pop('a')",
         "vars(os).pop('sep')", "time.time()", "random.random()",
     "itertools.count(1)", "uuid.uuid4()", "datetime.datetime.now()", "datetime.date.today()", "os.getcwd()",
     "os.listdir()", "pathlib.Path('a').exists()", "pathlib.Path('a').read_text()",
     "threading.Thread()", "os.environ.pop('a')", "os.environ.setdefault('a', 'b')",
     "sys.setrecursionlimit(9)", "logging.basicConfig()",
     "logging.getLogger('a').addHandler(1)", "hashlib.md5().update(1)",
     "type('A', (), {})", "iter(input, '')", "random.shuffle([1])", "os.system('a')"],
)  # fmt: skip
def test_left_out(call: str, namespace: dict[str, Any]) -> None:
    """What has effects, reads the clock or files, or hands out positions is not in the table."""
    here = {**namespace, **{name: importlib.import_module(name) for name in ("time", "random", "itertools")}}
    assert judge(f"A = {call}", here)


def test_found_by_identity() -> None:
    """A function of the project that is called as an entry is not taken for it."""
    assert judge("A = sorted([])", {"sorted": print})
    assert judge("A = order([])", {"order": sorted}) is None


def test_imports_nothing() -> None:
    """Entries of a module that is not loaded stay unknown, and are found once it is."""
    kept = sys.modules.pop("colorsys", None)
    table = Table()
    table.find(len)
    assert "colorsys" not in sys.modules
    module = importlib.import_module("colorsys")
    assert table.find(module.rgb_to_hsv) is not None
    sys.modules["colorsys"] = kept or module


def test_extend() -> None:
    """A declared function, method or class is quiet from then on, in its table alone."""
    module: Any = type(sys)("declared")
    exec("def f(): print()\nclass A:\n    def m(self): print()\n    def __add__(self, other): print()", module.__dict__)
    sys.modules["declared"] = module
    here = {**module.__dict__, "a": module.A()}
    table = Table()
    table.extend(["declared.f", "declared.A.m", "declared.A"])
    for source in ("B = f()", "B = a.m()", "B = A()", "B = a + 1"):
        assert judge(source, here, table) is None
    assert judge("B = f()", here)
    assert judge("B = a + 1", here)
    module.f = lambda: None
    assert judge("B = f()", {"f": module.f}, table) is None
    del sys.modules["declared"]


def test_methods_name_classes() -> None:
    """Each class that the table names methods of is there, so that a slip of the pen is seen."""
    for module in MODULES:
        importlib.import_module(module)
    assert [name for name in METHODS if find_raw(name) is None] == []
