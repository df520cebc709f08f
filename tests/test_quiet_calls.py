"""One row for each entry of the table of quiet calls: a call that is judged quiet, and that does run."""

from __future__ import annotations

import ast
import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest

from hotswap._quiet import NamespaceScope, Table, unquiet
from hotswap._quiet._calls import CONTAINERS, CONTEXTS, IMMUTABLE, METACLASSES, METHODS, OBJECTS, TRUSTED
from hotswap._quiet._table import ENTRIES, find_raw, list_names

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = (
    "abc base64 binascii bisect builtins collections colorsys contextlib copy dataclasses datetime decimal enum fnmatch "
    "fractions functools hashlib heapq html importlib importlib.util inspect ipaddress json keyword logging math "
    "operator os os.path pathlib re shlex statistics string struct sys textwrap threading types typing unicodedata "
    "urllib.parse uuid warnings zlib zoneinfo"
).split()

# What the samples lean on. `_hashlib` and `_blake2` are where hashlib's objects come from.
PRELUDE = """
import _blake2
import _hashlib
DAY, NOON, TIME = datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 12), datetime.time(12)
NET, ONE, HALF = ipaddress.ip_network('10.0.0.0/8'), decimal.Decimal(1), fractions.Fraction(1, 2)
LOG, PATH, PURE = logging.getLogger('a'), pathlib.Path('a/b.c'), pathlib.PurePosixPath('/a/b.c')
MATCH, PATTERN = re.match('(a)', 'a'), re.compile('a')
COUNTS, ORDERED, GROUPS = collections.Counter('a'), collections.OrderedDict(a=1), collections.defaultdict(list, a=1)
TEMPLATE, BYTES, VIEW = string.Template('$a'), bytearray(b'a b'), memoryview(b'ab')
PAIR, SHOWN, ID = struct.Struct('BB'), types.MappingProxyType({'a': 1}), uuid.UUID(int=1)
FIRST, NAME, UserId = operator.itemgetter(0), operator.attrgetter('real'), typing.NewType('UserId', int)
DIGEST, LONG, SHORT = hashlib.md5(b'a'), hashlib.blake2b(b'a'), hashlib.blake2s(b'a')
T = typing.TypeVar('T')
class Color(enum.Enum):
    RED = 1
@dataclasses.dataclass
class Point:
    x: int = 0
class Stack(typing.Generic[T]): pass
class Shape(typing.Protocol): pass
def plain(a=0): return 1
"""

# Prefix of the entry, what stands before each sample ("" for the prefix itself, with a dot), and the samples; the
# name of the entry is the first word of a sample. Samples hold no spaces.
SAMPLES: list[tuple[str, str, str]] = [
    ("builtins", "-", "abs(-1) all([1]) any([1]) ascii('a') bin(1) bool(1) bytearray(1) bytes(1) chr(1) complex(1) dict(a=1) "
     "divmod(3,2) list(enumerate([1])) list(filter(None,[1])) float(1) format(1) frozenset([1]) hash(1) hex(1) int('1') "
     "list(iter([1])) len('a') list([1]) list(map(str,[1])) max(1,2) memoryview(b'a') min(1,2) object() oct(1) ord('a') "
     "pow(2,3) range(3) repr(1) list(reversed([1])) round(1.5) set([1]) slice(1) sorted([1]) str(1) sum([1]) tuple([1]) "
     "list(zip([1],[2])) callable(1) getattr(os,'sep') hasattr(os,'sep') isinstance(1,int) issubclass(int,int) type(1) "
     "classmethod(plain) property(plain) staticmethod(plain) super delattr next(iter([1])) setattr"),
    ("base64", "", "b16decode('41') b16encode(b'a') b32decode('IE======') b32encode(b'a') b64decode('YQ==') b64encode(b'a') "
     "b85decode('VE') b85encode(b'a') urlsafe_b64decode('YQ==') urlsafe_b64encode(b'a')"),
    ("binascii", "", "crc32(b'a') hexlify(b'a') unhexlify('41')"),
    ("bisect", "", "bisect([1],1) bisect_left([1],1) bisect_right([1],1) insort([1],2) insort_left([1],2) "
     "insort_right([1],2)"),
    ("collections", "", "Counter('a') OrderedDict(a=1) defaultdict(list) deque([1]) namedtuple('P','x')"),
    ("colorsys", "", "hls_to_rgb(0,0,0) hsv_to_rgb(0,0,0) rgb_to_hls(0,0,0) rgb_to_hsv(0,0,0)"),
    ("datetime", "", "date(2024,1,1) datetime(2024,1,1) time(1) timedelta(1) timezone(datetime.timedelta(0))"),
    ("decimal", "", "Decimal(1)"), ("fnmatch", "", "translate('*')"), ("fractions", "", "Fraction(1)"),
    ("hashlib", "", "blake2b(b'a') blake2s(b'a') md5(b'a') new('md5',b'a') sha1(b'a') sha224(b'a') sha256(b'a') sha384(b'a') "
     "sha3_256(b'a') sha3_512(b'a') sha512(b'a')"),
    ("html", "", "escape('a') unescape('a')"),
    ("ipaddress", "", "IPv4Address(1) IPv4Interface(1) IPv4Network(1) IPv6Address(1) IPv6Interface(1) IPv6Network(1) "
     "ip_address(1) ip_interface(1) ip_network(1)"),
    ("json", "", "dumps([1]) loads('[1]')"), ("keyword", "", "iskeyword('if') issoftkeyword('if')"),
    ("math", "", "acos(1) acosh(1) asin(1) asinh(1) atan(1) atan2(1,1) atanh(0) ceil(1) comb(2,1) copysign(1,1) cos(1) cosh(1) "
     "degrees(1) dist([1],[1]) erf(1) erfc(1) exp(1) expm1(1) fabs(1) factorial(1) floor(1) fmod(1,1) frexp(1) fsum([1]) "
     "gamma(1) gcd(1) hypot(1) isclose(1,1) isfinite(1) isinf(1) isnan(1) isqrt(1) lcm(1) ldexp(1,1) lgamma(1) log(1) "
     "log10(1) log1p(1) log2(1) modf(1) nextafter(1,1) perm(1) pow(1,1) prod([1]) radians(1) remainder(1,1) sin(1) sinh(1) "
     "sqrt(1) tan(1) tanh(1) trunc(1) ulp(1)"),
    ("re", "", "compile('a') escape('a') findall('a','a') fullmatch('a','a') match('a','a') search('a','a') split('a','a') "
     "sub('a','b','a') subn('a','b','a')"),
    ("shlex", "", "join(['a']) quote('a') split('a')"),
    ("statistics", "", "fmean([1]) mean([1]) median([1]) pstdev([1]) pvariance([1]) stdev([1,2]) variance([1,2])"),
    ("string", "", "Template('a') capwords('a')"),
    ("struct", "", "Struct('B') calcsize('B') pack('B',1) unpack('B',b'a') unpack_from('B',b'a')"),
    ("textwrap", "", "dedent('a') fill('a') indent('a','b') shorten('a',5) wrap('a')"),
    ("types", "", "MappingProxyType({}) SimpleNamespace(a=1) DynamicClassAttribute(plain) new_class('A') resolve_bases(())"),
    ("unicodedata", "", "category('a') name('a') normalize('NFC','a')"),
    ("urllib.parse", "", "parse_qs('a=1') parse_qsl('a=1') quote('a') quote_plus('a') unquote('a') unquote_plus('a') "
     "urldefrag('a') urlencode({'a':1}) urljoin('a','b') urlparse('a') urlsplit('a') urlunparse(('','','','','','')) "
     "urlunsplit(('','','','',''))"),
    ("uuid", "", "UUID(int=1) uuid3(ID,'a') uuid5(ID,'a')"), ("zlib", "", "adler32(b'a') crc32(b'a')"),
    ("zoneinfo", "", "ZoneInfo"),
    ("operator", "", "abs(1) add(1,1) and_(1,1) attrgetter('a') concat('a','b') contains('a','b') countOf('a','b') eq(1,1) "
     "floordiv(1,1) ge(1,1) getitem('a',0) gt(1,1) index(1) indexOf('a','a') inv(1) invert(1) is_(1,1) is_not(1,1) "
     "itemgetter(1) le(1,1) length_hint([1]) lshift(1,1) lt(1,1) mod(1,1) mul(1,1) ne(1,1) neg(1) not_(1) or_(1,1) pos(1) "
     "pow(1,1) rshift(1,1) sub(1,1) truediv(1,1) truth(1) xor(1,1) delitem([1],0) setitem([1],0,2)"),
    ("os", "", "fsdecode('a') fsencode('a') fspath('a') getenv('a')"),
    ("os.path", "", "abspath('a') basename('a') commonpath(['a']) commonprefix(['a']) dirname('a') expanduser('a') "
     "expandvars('a') isabs('a') join('a') normcase('a') normpath('a') realpath('a') relpath('a') split('a') splitdrive('a') "
     "splitext('a')"),
    ("pathlib", "", "Path('a') PosixPath PureWindowsPath('a') PurePath('a') PurePosixPath('a')"),
    ("logging", "", "getLevelName(10) getLogger('a')"),
    ("sys", "", "getdefaultencoding() getfilesystemencoding() getrecursionlimit() intern('a')"),
    ("dataclasses", "", "fields(Point) is_dataclass(Point) replace(Point(),x=1) field(default=1) make_dataclass('A',['x']) "
     "dataclass(order=True)"),
    ("importlib.util", "", "resolve_name('.a','b')"), ("importlib", "", "import_module('os')"),
    ("inspect", "", "cleandoc('a') getdoc(plain) isclass(int) iscoroutinefunction(plain) isfunction(plain) ismodule(os) "
     "signature(plain) unwrap(plain)"),
    ("typing", "", "get_args(int) get_origin(int) get_type_hints(plain) NamedTuple('A',[('x',int)]) NewType('A',int) "
     "ParamSpec('P') TypeVar('T') TypeVarTuple('T') TypedDict('A',{'x':int}) assert_type(1,int) cast(int,1) "
     "dataclass_transform() overload(lambda:0) Any Generic[T] Protocol[T] _no_init_or_replace_init final(lambda:0) "
     "no_type_check(lambda:0) override(lambda:0) runtime_checkable"),
    ("contextlib", "", "asynccontextmanager(plain) contextmanager(plain) nullcontext() suppress(KeyError)"),
    ("enum", "", "Enum('A','x') Flag('A','x') IntEnum('A','x') IntFlag('A','x') StrEnum('A','x') auto() member(1) "
     "nonmember(1) property(plain) unique(Color) verify(enum.UNIQUE)"),
    ("functools", "", "cache(plain) cached_property(plain) cmp_to_key(plain) lru_cache(maxsize=1) partial(plain) "
     "partialmethod(plain) singledispatch(plain) singledispatchmethod(plain) wraps(plain)(lambda:0) total_ordering "
     "update_wrapper(lambda:0,plain) reduce(operator.add,[1])"),
    ("warnings", "", "deprecated('a')"), ("threading", "", "Lock() RLock()"),
    ("abc", "", "abstractmethod(lambda:0) update_abstractmethods"),
    ("heapq", "", "heapify([1]) heappop([1]) heappush([1],1) heappushpop([1],1) heapreplace([1],1)"),
    ("copy", "", "copy([1]) deepcopy([1])"),
    ("builtins.object", "object.", "__eq__(1,1) __format__(1,'') __ge__(1,1) __gt__(1,1) __hash__(1) __init__(object()) "
     "__init_subclass__() __le__(1,1) __lt__(1,1) __ne__(1,1) __new__(object) __repr__(1) __sizeof__(1) __str__(1) "
     "__subclasshook__(int) __delattr__ __setattr__"),
    ("builtins.type", "type.", "__init__ __new__ __prepare__('a',()) __instancecheck__(int,1) __subclasscheck__(int,int) "
     "mro(int) __delattr__ __setattr__"),
    ("builtins.property", "property(plain).", "deleter(plain) getter(plain) setter(plain)"),
    ("builtins.list", "[1].", "__contains__(1) __getitem__(0) __iter__().__length_hint__ __len__() copy() count(1) index(1) sort()"),
    ("builtins.dict", "{1:2}.", "__contains__(1) __getitem__(1) __iter__().__length_hint__ __len__() copy() fromkeys([1]) get(1) items() keys() values()"),
    ("builtins.set", "{1}.", "__contains__(1) __iter__().__length_hint__ __len__() copy() difference([1]) intersection([1]) "
     "isdisjoint([1]) issubset([1]) issuperset([1]) symmetric_difference([1]) union([1])"),
    ("builtins.bytearray", "BYTES.", "copy() count(b'a') decode() endswith(b'a') find(b'a') hex() index(b'a') join([b'a']) "
     "partition(b'a') replace(b'a',b'b') rsplit() split() startswith(b'a') strip()"),
    ("builtins.memoryview", "VIEW.", "hex() tobytes() tolist() toreadonly()"),
    ("collections.deque", "collections.deque([1]).", "copy() count(1) index(1)"),
    ("collections.Counter", "COUNTS.", "copy() most_common(1) total()"),
    ("collections.OrderedDict", "ORDERED.", "copy() fromkeys([1]) items() keys() values()"),
    ("collections.defaultdict", "GROUPS.", "copy()"),
    ("datetime.date", "DAY.", "ctime() fromisocalendar(2024,1,1) fromisoformat('2024-01-01') fromordinal(1) fromtimestamp(1) "
     "isocalendar() isoformat() isoweekday() replace(day=1) strftime('%Y') timetuple() toordinal() weekday()"),
    ("datetime.datetime", "NOON.", "astimezone() combine(DAY,TIME) date() fromisoformat('2024-01-01') "
     "fromtimestamp(1,datetime.timezone.utc) isoformat() replace(day=1) strptime('2024','%Y') time() timestamp() timetz() "
     "utcoffset()"),
    ("datetime.time", "TIME.", "fromisoformat('12:00') isoformat() replace(hour=1) strftime('%H')"),
    ("datetime.timedelta", "datetime.timedelta(1).", "total_seconds()"),
    ("decimal.Decimal", "ONE.", "as_tuple() copy_abs() exp() from_float(1.0) is_finite() is_nan() ln() log10() normalize() "
     "quantize(ONE) sqrt() to_integral_value()"),
    ("enum.Enum", "Color.RED.", "__init__ __new__ name value"),
    ("fractions.Fraction", "HALF.", "as_integer_ratio() denominator from_decimal(ONE) from_float(1.0) limit_denominator() "
     "numerator"),
    ("ipaddress.IPv4Network", "NET.", "overlaps(NET) subnet_of(NET) supernet()"),
    ("logging.Logger", "LOG.", "getChild('b')"),
    ("operator.attrgetter", "NAME.", "__call__(1)"), ("operator.itemgetter", "FIRST.", "__call__([1])"),
    ("pathlib.Path", "PATH.", "absolute() expanduser() resolve()"),
    ("pathlib.PurePath", "PURE.", "__fspath__() anchor as_posix() as_uri() drive is_absolute() is_relative_to('/') "
     "joinpath('a') match('*') name parent parents parts relative_to('/') root stem suffix suffixes with_name('a') "
     "with_stem('a') with_suffix('.a')"),
    ("re.Match", "MATCH.", "end() group() groupdict() groups() span() start()"),
    ("re.Pattern", "PATTERN.", "findall('a') fullmatch('a') match('a') search('a') split('a') sub('b','a') subn('b','a')"),
    ("string.Template", "TEMPLATE.", "safe_substitute(a=1) substitute(a=1)"),
    ("struct.Struct", "PAIR.", "pack(1,2) unpack(b'ab')"),
    ("types.MappingProxyType", "SHOWN.", "copy() get('a') items() keys() values()"),
    ("uuid.UUID", "ID.", "hex int urn"),
    ("typing.Generic", "Stack.", "__class_getitem__(int) __init_subclass__"), ("typing.NewType", "UserId.", "__call__(1)"),
    ("typing.Protocol", "Shape.", "__init_subclass__"),
    ("_hashlib.HASH", "DIGEST.", "copy() digest() hexdigest()"), ("_blake2.blake2b", "LONG.", "digest() hexdigest()"),
    ("_blake2.blake2s", "SHORT.", "digest() hexdigest()"),
    ("builtins.str", "'ab'.", "capitalize() casefold() center(3) expandtabs() format(1) format_map({}) join(['a']) ljust(3) "
     "lower() lstrip() removeprefix('a') removesuffix('a') replace('a','b') rjust(3) rstrip() strip() swapcase() title() "
     "translate({}) upper() zfill(3) rsplit() split() splitlines() partition('a') rpartition('a') encode() maketrans('a','b') "
     "count('a') find('a') index('a') rfind('a') rindex('a') endswith('a') isalnum() isalpha() isascii() isdecimal() "
     "isdigit() isidentifier() islower() isnumeric() isprintable() isspace() istitle() isupper() startswith('a')"),
    ("builtins.bytes", "b'a'.", "decode() hex() fromhex('41') join([b'a']) replace(b'a',b'b') strip() split()"),
    ("builtins.int", "(1).", "to_bytes(1,'big') bit_count() bit_length() from_bytes(b'a','big')"),
    ("os.environ", "os.environ.", "__contains__('PATH') __getitem__('PATH') __iter__ __len__() copy() get('PATH') items() "
     "keys() values()"),
]  # fmt: skip

# Entries that a call cannot show on its own: whole statements.
STATEMENTS = {
    "abc.update_abstractmethods": "@abc.update_abstractmethods\nclass A: pass",
    "builtins.delattr": "class A:\n    x = types.SimpleNamespace(a=1)\n    delattr(x, 'a')",
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
    "os.environ.__iter__": "A = [name for name in os.environ]",
    "pathlib.PosixPath": "A = pathlib.PosixPath('a') if os.name == 'posix' else None",
    "typing.Any": "class A(typing.Any): pass",
    "typing.Generic.__init_subclass__": "class A(Stack[int]): pass",
    "typing.Protocol.__init_subclass__": "class A(Shape): pass",
    "typing._no_init_or_replace_init": "class A(typing.Protocol): pass",
    "typing.runtime_checkable": "@typing.runtime_checkable\nclass A(typing.Protocol): pass",
    "zoneinfo.ZoneInfo": "def f(): return zoneinfo.ZoneInfo('UTC')",  # a machine may have no time zones
}
SINCE = {"typing.override": (3, 12), "warnings.deprecated": (3, 13)}


def _rows() -> Iterator[tuple[str, str]]:
    for prefix, before, samples in SAMPLES:
        for sample in samples.split():
            inner = sample.removeprefix("list(") if sample.startswith("list(") and sample != "list([1])" else sample
            name = inner.partition("(")[0].partition("[")[0].partition(".")[0]
            entry = f"{prefix}.{name}"
            start = {"": f"{prefix}.", "-": ""}.get(before, before)
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
    return unquiet(ast.parse(source).body[0], scope, table or Table())


def test_rows_are_the_entries() -> None:
    """Each entry of the table has a row, and each row an entry."""
    assert set(ROWS) == {*ENTRIES, *list_names(OBJECTS)}


@pytest.mark.parametrize("entry", ROWS)
def test_entry(entry: str, namespace: dict[str, Any]) -> None:
    """A sample of the entry is quiet, for the entry's sake, and runs."""
    if sys.version_info < SINCE.get(entry, (3, 11)):
        pytest.skip("this Python does not have it yet")
    assert find_raw(entry) is not None or entry.startswith("os.environ.")
    assert judge(ROWS[entry], namespace) is None
    exec(compile(ROWS[entry], "sample", "exec"), dict(namespace))


@pytest.mark.parametrize("kind", sorted(IMMUTABLE, key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
def test_immutable(kind: type) -> None:
    """No method of an immutable builtin can alter an object that was there before."""
    names = [name for name in vars(kind) if not name.startswith("_") and callable(vars(kind)[name])]
    here = {"A": {int: 1, bool: True}.get(kind, kind("") if kind in (str,) else None)}
    if type(here["A"]) is kind:
        assert [name for name in names if judge(f"B = A.{name}()", here)] == []
    else:
        assert [name for name in names if judge(f"B = K.{name}(K)", {"K": kind})] == []


@pytest.mark.parametrize("name", list_names(CONTAINERS))
def test_container(name: str) -> None:
    """Of a container that was there before, the methods in the table are quiet and those that alter it are not."""
    kind: Any = find_raw(name)
    loud = {m for m in dir(kind) if not m.startswith("__") and judge(f"B = A.{m}()", {"A": kind()})}
    altering = "add append appendleft clear discard extend extendleft insert intersection_update move_to_end pop popitem "
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
    table = Table()
    table.catch_up()
    assert table.trusts(find_raw(name))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "call",
    ["print(1)", "input()", "open('a')", "exec('a')", "eval('a')", "globals()", "time.time()", "random.random()",
     "itertools.count(1)", "uuid.uuid4()", "datetime.datetime.now()", "datetime.date.today()", "os.getcwd()",
     "os.listdir()", "pathlib.Path('a').exists()", "pathlib.Path('a').read_text()", "pathlib.Path.cwd()",
     "threading.Thread()", "threading.Event()", "os.environ.pop('a')", "os.environ.setdefault('a', 'b')",
     "sys.setrecursionlimit(9)", "logging.basicConfig()", "logging.getLogger('a').addHandler(1)", "hashlib.md5().update",
     "type('A', (), {})", "iter(input, '')", "random.shuffle([1])", "os.system('a')"],
)  # fmt: skip
def test_left_out(call: str, namespace: dict[str, Any]) -> None:
    """What has effects, reads the clock or files, or hands out positions is not in the table."""
    here = {**namespace, **{name: importlib.import_module(name) for name in ("time", "random", "itertools")}}
    assert judge(f"A = {call}", here) if call[-1] == ")" else judge(f"A = {call}(b'a')", {**here})


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
