"""The table of quiet calls: what may be called twice without anybody noticing but through the result.

It is data: groups of dotted names, each with the reason why it is in. `_table` goes by the identity of what is called.

Left out on purpose: what reads the clock, files or random numbers (a second run gives another value though nothing that
it depends on changed), what hands out a position that a second run would lose (`itertools.count`), and what is running
state from its first moment (`threading.Thread`, sockets, `open`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

Groups = dict[str, str]

# The value depends on the arguments alone, and each call makes a new object or an immutable one.
_VALUES: Final[Groups] = {
    "builtins": "abs all any ascii bin bool bytearray bytes chr complex dict divmod enumerate filter float format "
    "frozenset hash hex int iter len list map max memoryview min object oct ord pow range repr reversed round set "
    "slice sorted str sum tuple zip",
    "argparse": "ArgumentParser",
    "base64": "b16decode b16encode b32decode b32encode b64decode b64encode b85decode b85encode urlsafe_b64decode "
    "urlsafe_b64encode",
    "binascii": "crc32 hexlify unhexlify",
    "bisect": "bisect bisect_left bisect_right",
    "codecs": "getdecoder getencoder getincrementaldecoder getincrementalencoder lookup",
    "collections": "ChainMap Counter OrderedDict defaultdict deque",
    "colorsys": "hls_to_rgb hsv_to_rgb rgb_to_hls rgb_to_hsv",
    "datetime": "date datetime time timedelta timezone",
    "decimal": "Decimal",
    "fnmatch": "translate",
    "fractions": "Fraction",
    "hashlib": "blake2b blake2s md5 new sha1 sha224 sha256 sha384 sha3_256 sha3_512 sha512",
    "html": "escape unescape",
    "itertools": "chain chain.from_iterable combinations combinations_with_replacement islice pairwise permutations "
    "product repeat zip_longest",
    "ipaddress": "IPv4Address IPv4Interface IPv4Network IPv6Address IPv6Interface IPv6Network ip_address ip_interface "
    "ip_network",
    "json": "dumps loads",
    "keyword": "iskeyword issoftkeyword",
    "math": "acos acosh asin asinh atan atan2 atanh ceil comb copysign cos cosh degrees dist erf erfc exp expm1 fabs "
    "factorial floor fmod frexp fsum gamma gcd hypot isclose isfinite isinf isnan isqrt lcm ldexp lgamma log log10 "
    "log1p log2 modf nextafter perm pow prod radians remainder sin sinh sqrt tan tanh trunc ulp",
    "re": "compile escape findall finditer fullmatch match search split sub subn",
    "shlex": "join quote split",
    "statistics": "fmean mean median pstdev pvariance stdev variance",
    "string": "Template capwords",
    "struct": "Struct calcsize pack unpack unpack_from",
    "textwrap": "dedent fill indent shorten wrap",
    "types": "MappingProxyType SimpleNamespace",
    "unicodedata": "bidirectional category combining decimal decomposition digit east_asian_width is_normalized lookup "
    "mirrored name normalize numeric",
    "urllib.parse": "parse_qs parse_qsl quote quote_plus unquote unquote_plus urldefrag urlencode urljoin urlparse "
    "urlsplit urlunparse urlunsplit",
    "uuid": "UUID uuid3 uuid5",
    "weakref": "WeakKeyDictionary WeakSet WeakValueDictionary",
    "zlib": "adler32 crc32",
    "zoneinfo": "ZoneInfo",
}

# Operators spelled as functions: they do to their arguments what the operator does.
_OPERATORS: Final[Groups] = {
    "operator": "abs add and_ attrgetter concat contains countOf eq floordiv ge getitem gt index indexOf inv invert "
    "is_ is_not itemgetter le length_hint lshift lt mod mul ne neg not_ or_ pos pow rshift sub truediv truth xor",
}

# Paths as text: no look at the disk. `abspath`, `cwd` and `home` read what a process rarely changes; `resolve`, which
# `Path(__file__)` needs so often, follows links, but a link that moved is no state of the process.
_PATHS: Final[Groups] = {
    "os": "fsdecode fsencode fspath",
    "os.path": "abspath basename commonpath commonprefix dirname expanduser expandvars isabs join normcase normpath "
    "realpath relpath split splitdrive splitext",
    "pathlib": "Path PosixPath PureWindowsPath PurePath PurePosixPath",
}

# Reads of what the process was started with, and loggers, of which the same name always gives the same object.
_READS: Final[Groups] = {
    "importlib.metadata": "entry_points version",
    "locale": "getlocale localeconv strcoll strxfrm",
    "logging": "getLevelName getLogger",
    "os": "cpu_count getenv",
    "platform": "architecture machine node platform processor python_compiler python_implementation python_version "
    "python_version_tuple release system uname version",
    "sys": "getdefaultencoding getfilesystemencoding getrecursionlimit intern",
}

# They look at an object or a class and keep nothing of it.
_LOOKS: Final[Groups] = {
    "builtins": "callable dir getattr globals hasattr isinstance issubclass locals type vars",
    "dataclasses": "asdict astuple fields is_dataclass replace",
    "importlib.util": "resolve_name",
    "inspect": "cleandoc getdoc getfullargspec getmembers isclass iscoroutinefunction isfunction ismethod ismodule "
    "signature unwrap",
    "typing": "get_args get_origin get_type_hints",
}

# Decorators and what wraps a function: they call it only when they are called themselves. And a warning, which says so.
_WRAPPERS: Final[Groups] = {
    "builtins": "classmethod property staticmethod super",
    "contextlib": "asynccontextmanager contextmanager nullcontext suppress",
    "dataclasses": "field make_dataclass",
    "enum": "Enum Flag IntEnum IntFlag StrEnum auto member nonmember property unique verify",
    "functools": "cache cached_property cmp_to_key lru_cache partial partialmethod singledispatch singledispatchmethod "
    "wraps",
    "types": "DynamicClassAttribute",
    "typing": "NamedTuple NewType ParamSpec TypeVar TypeVarTuple TypedDict assert_type cast dataclass_transform "
    "overload",
    "unittest.case": "skip skipIf skipUnless",
    "warnings": "deprecated warn",
}

# They make classes, or the empty frame of one; nobody else learns of it.
_CLASSES: Final[Groups] = {
    "collections": "namedtuple",
    "types": "new_class resolve_bases",
    "typing": "Any Generic Protocol _no_init_or_replace_init",
}

# An import statement is quiet, and so is the same thing spelled as a call; a lock that was just made is held by nobody.
_IMPORTS: Final[Groups] = {"builtins": "__import__", "importlib": "import_module", "threading": "Lock RLock"}

# They put one thing under the name or the type that they are given, in place of what they put there before.
_KEYED: Final[Groups] = {"codecs": "register_error", "copyreg": "pickle", "csv": "register_dialect"}

# They call a function that they are given: positions and keywords at which it stands. It has to be quiet, too.
APPLIES: Final[Mapping[str, tuple[int | str, ...]]] = {
    "builtins.filter": (0,),
    "inspect.getmembers": (1, "predicate"),
    "builtins.list.sort": ("key",),
    "builtins.map": (0,),
    "builtins.max": ("key",),
    "builtins.min": ("key",),
    "builtins.sorted": ("key",),
    "functools.reduce": (0,),
    "json.dumps": ("cls", "default"),
    "json.loads": ("cls", "object_hook", "object_pairs_hook", "parse_constant", "parse_float", "parse_int"),
    "re.sub": (1, "repl"),
    "re.subn": (1, "repl"),
    "re.Pattern.sub": (1, "repl"),
    "re.Pattern.subn": (1, "repl"),
    "types.new_class": (3, "exec_body"),
    "bisect.bisect": ("key",),
    "bisect.bisect_left": ("key",),
    "bisect.bisect_right": ("key",),
}

# They alter their first argument alone: quiet if the statement that is judged made it, as what a decorator gets.
ALTERS: Final[Groups] = {
    "argparse": "ArgumentParser.add_subparsers _ActionsContainer.add_argument _ActionsContainer.add_argument_group "
    "_ActionsContainer.add_mutually_exclusive_group _ActionsContainer.set_defaults _SubParsersAction.add_parser",
    "abc": "abstractmethod update_abstractmethods",
    "bisect": "insort insort_left insort_right",
    "builtins": "delattr list.sort next object.__delattr__ object.__setattr__ setattr type.__delattr__ "
    "type.__setattr__",
    "dataclasses": "dataclass",
    "functools": "total_ordering update_wrapper",
    "heapq": "heapify heappop heappush heappushpop heapreplace",
    "operator": "delitem setitem",
    "typing": "final no_type_check override runtime_checkable",
}

# Copies of a builtin value; anything else may have a `__copy__`, `__deepcopy__` or `__reduce_ex__` of its own.
COPIES: Final[Groups] = {"copy": "copy deepcopy"}

# Methods and properties that leave the object alone, by the class that has them.
METHODS: Final[Groups] = {
    "builtins.object": "__eq__ __format__ __ge__ __gt__ __hash__ __init__ __init_subclass__ __le__ "
    "__lt__ __ne__ __new__ __repr__ __sizeof__ __str__ __subclasshook__",
    "builtins.type": "__init__ __new__ __prepare__ __instancecheck__ __subclasscheck__ mro",
    "builtins.property": "deleter getter setter",
    "builtins.list": "__contains__ __getitem__ __iter__ __len__ copy count index",
    "builtins.dict": "__contains__ __getitem__ __iter__ __len__ copy fromkeys get items keys values",
    "builtins.set": "__contains__ __iter__ __len__ copy difference intersection isdisjoint issubset issuperset "
    "symmetric_difference union",
    "builtins.bytearray": "copy count decode endswith find hex index join partition replace rsplit split startswith "
    "strip",
    "builtins.memoryview": "hex tobytes tolist toreadonly",
    "collections.deque": "copy count index",
    "collections.Counter": "copy most_common total",
    "collections.OrderedDict": "copy fromkeys items keys values",
    "collections.defaultdict": "copy",
    "datetime.date": "ctime fromisocalendar fromisoformat fromordinal fromtimestamp isocalendar isoformat isoweekday "
    "replace strftime timetuple toordinal weekday",
    "datetime.datetime": "astimezone combine date fromisoformat fromtimestamp isoformat replace strptime time "
    "timestamp timetz utcoffset",
    "datetime.time": "fromisoformat isoformat replace strftime",
    "datetime.timedelta": "total_seconds",
    "decimal.Decimal": "as_tuple copy_abs exp from_float is_finite is_nan ln log10 normalize quantize sqrt "
    "to_integral_value",
    "enum.Enum": "__init__ __new__ name value",
    "enum.Flag": "__and__ __contains__ __invert__ __or__ __xor__",
    "fractions.Fraction": "as_integer_ratio denominator from_decimal from_float limit_denominator numerator",
    "ipaddress.IPv4Network": "overlaps subnet_of supernet",
    "json.JSONEncoder": "default",  # the others call what a subclass overrides
    "logging.Logger": "getChild",
    "operator.attrgetter": "__call__",
    "io.TextIOWrapper": "isatty",  # a stream stays what it was opened on
    "operator.itemgetter": "__call__",
    "pathlib.Path": "absolute expanduser resolve",
    "pathlib.PurePath": "__fspath__ anchor as_posix as_uri drive is_absolute is_relative_to joinpath match name parent "
    "parents parts relative_to root stem suffix suffixes with_name with_stem with_suffix",
    "re.Match": "end group groupdict groups span start",
    "re.Pattern": "findall finditer flags fullmatch groupindex groups match pattern search split sub subn",
    "string.Template": "safe_substitute substitute",
    "struct.Struct": "pack unpack",
    "types.MappingProxyType": "copy get items keys values",
    "uuid.UUID": "hex int urn",
    "inspect.Parameter": "annotation default kind name",
    "inspect.Signature": "parameters return_annotation",
    "typing.Generic": "__class_getitem__ __init_subclass__",
    "typing.NewType": "__call__",
    "typing.Protocol": "__init_subclass__",
    # What `hashlib` makes: it is altered by `update` only.
    "_hashlib.HASH": "copy digest hexdigest",
    "_blake2.blake2b": "digest hexdigest",
    "_blake2.blake2s": "digest hexdigest",
}

# Methods of texts, and views of mappings: who calls one on whatever it is given expects no more of it than they do.
LIKE_VALUES: Final = frozenset(
    "capitalize casefold center encode decode endswith expandtabs format isalnum isalpha isascii isdecimal isdigit "
    "isidentifier islower isnumeric isprintable isspace istitle isupper items keys ljust lower lstrip partition "
    "removeprefix removesuffix rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title upper "
    "values zfill".split()
)

# Methods of one object, found by that object.
OBJECTS: Final[Groups] = {"os.environ": "__contains__ __getitem__ __iter__ __len__ copy get items keys values"}

# Immutable builtins: no method of theirs can alter anything.
IMMUTABLE: Final = frozenset(
    {bool, bytes, complex, float, frozenset, int, range, slice, str, tuple, type(None), type(...), type(NotImplemented)}
)

# Mutable builtins: a method that is not in METHODS alters the object, and nothing but the object.
CONTAINERS: Final[Groups] = {
    "builtins": "bytearray dict list set",
    "collections": "Counter OrderedDict defaultdict deque",
}

# Classes whose operators, conversions and construction run no code but their own, and alter nothing. The rest of
# their methods counts only if it stands in METHODS.
TRUSTED: Final[Groups] = {
    "argparse": "ArgumentParser FileType HelpFormatter Namespace",
    "builtins": "BaseException classmethod memoryview object property staticmethod super type",
    "contextlib": "nullcontext suppress",
    "datetime": "date datetime time timedelta timezone tzinfo",
    "decimal": "Decimal",
    "enum": "Enum Flag IntEnum IntFlag StrEnum auto",
    "fractions": "Fraction",
    "functools": "cached_property partial",
    "inspect": "Parameter Signature",
    "ipaddress": "IPv4Address IPv4Interface IPv4Network IPv6Address IPv6Interface IPv6Network",
    "json": "JSONDecoder JSONEncoder",
    "operator": "attrgetter itemgetter methodcaller",
    "pathlib": "Path PurePath PurePosixPath PureWindowsPath",
    "re": "Match Pattern RegexFlag",
    "string": "Template",
    "struct": "Struct",
    "types": "GenericAlias MappingProxyType SimpleNamespace UnionType",
    "collections.abc": "_CallableGenericAlias",
    "typing": "_AnnotatedAlias _CallableGenericAlias _CallableType _ConcatenateGenericAlias _GenericAlias "
    "_LiteralGenericAlias _LiteralSpecialForm _SpecialForm _SpecialGenericAlias _TupleType _TypedCacheSpecialForm "
    "_UnionGenericAlias Generic NewType ParamSpec Protocol TypeVar TypeVarTuple",
    "uuid": "UUID",
    "zoneinfo": "ZoneInfo",
}

# Metaclasses under which a class statement, and a call of the class, do what `type` does.
METACLASSES: Final[Groups] = {
    "abc": "ABCMeta",
    "builtins": "type",
    "enum": "EnumMeta",
    "typing": "NamedTupleMeta _AnyMeta _ProtocolMeta _TypedDictMeta",
}

# Context managers under which a suite is still quiet: leaving them undoes nothing and tells nobody.
CONTEXTS: Final[Groups] = {"contextlib": "nullcontext suppress"}

# Calls that run special methods of their arguments, which are project code if the argument's class is.
_ITERATING: Final = (
    "builtins.all builtins.any builtins.bytearray builtins.bytes builtins.dict builtins.enumerate builtins.filter "
    "builtins.frozenset builtins.iter builtins.list builtins.map builtins.max builtins.min builtins.reversed "
    "builtins.set builtins.sorted builtins.sum builtins.tuple builtins.zip collections.Counter collections.OrderedDict "
    "collections.deque functools.reduce math.fsum math.prod"
)
HOOKS: Final[Groups] = {
    **dict.fromkeys(_ITERATING.split(), "__iter__ __len__ __getitem__ __lt__ __gt__ __add__"),
    **dict.fromkeys(("builtins.ascii", "builtins.repr"), "__repr__"),
    "builtins.abs": "__abs__",
    "builtins.bool": "__bool__ __len__",
    "builtins.complex": "__complex__ __float__ __index__",
    "builtins.divmod": "__divmod__ __rdivmod__",
    "builtins.float": "__float__ __index__",
    "builtins.format": "__format__ __str__ __repr__",
    "builtins.hash": "__hash__",
    "builtins.int": "__int__ __index__ __trunc__",
    "builtins.len": "__len__",
    "builtins.pow": "__pow__ __rpow__",
    "builtins.round": "__round__",
    "builtins.str": "__str__ __repr__",
    "builtins.str.format": "__format__ __str__ __repr__",
    "builtins.str.join": "__iter__",
    **dict.fromkeys(("os.fspath", "os.path.join", "pathlib.Path", "pathlib.PurePath"), "__fspath__"),
    **{
        f"operator.{name}": f"__{name.strip('_')}__ __r{name.strip('_')}__"
        for name in _OPERATORS["operator"].split()
        if name not in ("attrgetter", "itemgetter")
    },
}

# What comes out, where a method of it is often called next: by what is called, or by the class and its methods.
RESULTS: Final[Mapping[str, Mapping[str, str]]] = {
    "argparse._ActionsContainer": {
        "argparse._ArgumentGroup": "add_argument_group",
        "argparse._MutuallyExclusiveGroup": "add_mutually_exclusive_group",
    },
    "argparse._SubParsersAction": {"argparse.ArgumentParser": "add_parser"},
    "argparse.ArgumentParser": {"argparse._SubParsersAction": "add_subparsers"},
    "builtins": {
        "str": "ascii bin chr format hex oct repr",
        "int": "hash len ord",
        "bool": "all any callable hasattr isinstance issubclass",
        "list": "sorted",
    },
    "itertools.chain": {"self": "from_iterable"},
    "unicodedata": {"str": "bidirectional category decomposition east_asian_width lookup name normalize"},
    "builtins.str": {
        "str": "capitalize casefold center expandtabs format format_map join ljust lower lstrip removeprefix "
        "removesuffix replace rjust rstrip strip swapcase title translate upper zfill",
        "list[str]": "rsplit split splitlines",
        "tuple[str]": "partition rpartition",
        "bytes": "encode",
        "dict": "maketrans",
        "int": "count find index rfind rindex",
        "bool": "endswith isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace "
        "istitle isupper startswith",
    },
    "builtins.bytes": {"str": "decode hex", "bytes": "fromhex join replace strip", "list[bytes]": "split"},
    "builtins.int": {"bytes": "to_bytes", "int": "bit_count bit_length from_bytes"},
    "builtins.dict": {"dict": "copy fromkeys"},
    "builtins.object": {"self": "__new__"},
    "builtins.property": {"self": "deleter getter setter"},
    "builtins.list": {"list": "copy"},
    "builtins.set": {"set": "copy difference intersection symmetric_difference union"},
    "datetime.date": {"self": "replace fromisoformat", "str": "isoformat strftime"},
    "datetime.datetime": {"self": "replace fromisoformat strptime combine", "str": "isoformat"},
    "enum.Enum": {"str": "name"},
    "hashlib": {"_hashlib.HASH": "md5 new sha1 sha224 sha256 sha384 sha512"},
    "_hashlib.HASH": {"bytes": "digest", "str": "hexdigest"},
    "html": {"str": "escape unescape"},
    "importlib.util": {"str": "resolve_name"},
    "inspect": {"str": "cleandoc", "inspect.FullArgSpec": "getfullargspec", "inspect.Signature": "signature"},
    "inspect.Signature": {"types.MappingProxyType": "parameters"},
    "inspect.Parameter": {"str": "name"},
    "json": {"str": "dumps"},
    "os": {"str": "getenv"},
    "platform": {"str": "machine node python_implementation python_version release system version"},
    "os.environ": {"str": "__getitem__ get"},
    "os.path": {"str": "abspath basename commonpath dirname expanduser expandvars join normcase normpath realpath"},
    "pathlib.Path": {"self": "absolute expanduser resolve"},
    "pathlib.PurePath": {
        "self": "joinpath parent relative_to with_name with_stem with_suffix",
        "str": "as_posix as_uri name stem suffix",
        "tuple[str]": "parts",
    },
    "re": {
        "re.Pattern": "compile",
        "re.Match": "fullmatch match search",
        "str": "escape sub",
        "list": "findall",
        "list[str]": "split",
    },
    "re.Pattern": {"re.Match": "fullmatch match search", "str": "pattern sub", "list": "findall", "list[str]": "split"},
    "shlex": {"str": "join quote", "list[str]": "split"},
    "string.Template": {"str": "safe_substitute substitute"},
    "textwrap": {"str": "dedent fill indent shorten", "list[str]": "wrap"},
    "urllib.parse": {"str": "quote quote_plus unquote unquote_plus urlencode urljoin urlunparse urlunsplit"},
    # Decorators that give back what they get, and factories: what a `modifier` gives alters what it decorates.
    "abc": {"first": "abstractmethod update_abstractmethods"},
    "dataclasses": {"first or modifier": "dataclass"},
    "enum": {"class": "Enum Flag IntEnum IntFlag StrEnum", "first": "member nonmember unique", "modifier": "verify"},
    "functools": {"first": "total_ordering update_wrapper", "modifier": "wraps", "decorator": "lru_cache"},
    "typing": {
        "first": "final no_type_check override runtime_checkable",
        "second": "cast",
        "dict": "get_type_hints",
        "modifier": "dataclass_transform",
        "class": "NamedTuple TypedDict",
    },
    "collections": {"class": "namedtuple"},
    "copy": {"self": "copy deepcopy"},
    "unittest.case": {"modifier": "skip skipIf skipUnless"},
    "warnings": {"modifier": "deprecated"},
}

CALLS: Final = (_VALUES, _OPERATORS, _PATHS, _READS, _LOOKS, _WRAPPERS, _CLASSES, _IMPORTS, _KEYED, METHODS)
