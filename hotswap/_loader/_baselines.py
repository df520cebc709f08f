"""What is live: the text of every module as it was run, kept as bytes, and the state of its file when it was read.

No syntax trees are kept: they are some 1,200 bytes a line. Texts of more than a few KiB are compressed when the process
has nothing else to do: importing them would take a third longer.
"""

# without `from __future__ import annotations`: `typing` would compile the fields of the tuple below, and the first
# compile of a process makes the classes of `ast`, which takes a millisecond of each program's start
import marshal
import os
import sys
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import partial
from importlib._bootstrap_external import MAGIC_NUMBER, cache_from_source, decode_source
from types import CodeType
from typing import Final, NamedTuple

from hotswap._modules import Signature, signature_of

_TO_READ: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_MORE: Final = 65536  # bytes, of a file that grows while it is read
_CACHES: Final[bool] = sys.implementation.cache_tag is not None
_BIG: Final = 4096
_HEAD: Final = 16  # bytes: magic number, flags, time, size


class Packed:
    """A text's bytes as in its file, which may become smaller: two with the same bytes are equal."""

    __slots__ = ("_packed", "_source")

    def __init__(self, source: bytes) -> None:
        self._source: bytes | None = source
        self._packed = b""

    @property
    def source(self) -> bytes:
        """The bytes themselves."""
        source = self._source  # taken once: another thread may compress it
        if source is not None:
            return source
        import zlib

        return zlib.decompress(self._packed)

    @property
    def size(self) -> int:
        """How many bytes are kept."""
        return len(self._packed if self._source is None else self._source)

    def shrink(self) -> None:
        """Keep a big text compressed: zlib's level 1 takes 60 us for 10 KiB, without the GIL, and saves two thirds."""
        source = self._source
        if source is not None and len(source) > _BIG:
            import zlib  # a program's start does not wait for it

            self._packed = zlib.compress(source, 1)
            self._source = None

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Packed) and self.source == other.source)

    __hash__ = None  # type: ignore[assignment]  # the hash of a text would be computed anew each time


class Baseline(NamedTuple):
    """The text that the process runs as one module. `certain` is False if nobody saw it being run.

    `origin` is the file name in its code objects, `path` where it is read, links not resolved; `seen` the
    file's signature before that.
    """

    origin: str
    path: str
    packed: Packed
    seen: Signature | None
    certain: bool = True

    @property
    def source(self) -> bytes:
        """The text's bytes as in the file."""
        return self.packed.source


def read(path: str) -> tuple[Signature | None, bytes] | None:
    """Return the state of a file and its bytes; the state is taken first, so that a later save differs from it.

    Without the layers of a file object this takes half of the time, for every module of the program.
    """
    try:
        file = os.open(path, _TO_READ)
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None
    try:
        found = os.fstat(file)
        source = os.read(file, found.st_size + 1)
        if len(source) != found.st_size:  # it grows while it is read, or is no regular file
            source += b"".join(iter(partial(os.read, file, _MORE), b""))
    except OSError:
        return None
    finally:
        os.close(file)
    return signature_of(found), source


def _bytes(path: str) -> bytes:
    """Return the bytes of a file, none if it cannot be read; its state is not asked for."""
    try:
        file = os.open(path, _TO_READ)
    except (OSError, ValueError):
        return b""
    try:
        data = os.read(file, _MORE)
        return data + b"".join(iter(partial(os.read, file, _MORE), b"")) if len(data) == _MORE else data
    except OSError:
        return b""
    finally:
        os.close(file)


def text_of(baseline: Baseline) -> str:
    """Return the text of `baseline`, decoded as the import system does it; "" if it cannot be."""
    try:
        return decode_source(baseline.source)
    except (SyntaxError, UnicodeDecodeError):
        return ""


class Baselines:
    """The baseline of each module by name. One thread writes at a time: the one that imports or swaps.

    `noted` has the modules that got another one since somebody took them out of it. None of what is emptied again and
    again is a set: one that once was large takes long to pop from.
    """

    def __init__(self) -> None:
        self._known: dict[str, Baseline] = {}
        self.noted: dict[str, None] = {}
        self._big: list[str] = []
        self._unread: list[str] = []
        self._of_code: set[str] = set()

    def note(self, module: str, baseline: Baseline) -> None:
        """Remember that `module` runs the text of `baseline`."""
        self._known[module] = baseline
        self.noted[module] = None
        self._unread.append(module)
        if baseline.packed.size > _BIG:
            self._big.append(module)

    def vouch(self, module: str, baseline: Baseline) -> None:
        """Remember that the text which `baseline` has, and which is known already, surely is the one that runs."""
        self._known[module] = baseline

    @property
    def of_code(self) -> set[str]:
        """The modules whose texts have the word ``__code__``."""
        self._look()
        return self._of_code

    def _look(self) -> None:
        while self._unread:
            baseline = self._known.get(name := self._unread.pop())
            of_code = baseline is not None and b"__code__" in baseline.source
            (self._of_code.add if of_code else self._of_code.discard)(name)

    def shrink(self) -> None:
        """Go through new texts and compress the big ones: for a thread that has nothing else to do."""
        self._look()
        while self._big:
            baseline = self._known.get(self._big.pop())
            if baseline is not None:
                baseline.packed.shrink()

    def get(self, module: str) -> Baseline | None:
        """Return the baseline of `module`, None if it is not known."""
        return self._known.get(module)

    def made_from(self, module: str) -> tuple[str, Signature | None]:
        """Return the file of `module`, as it was when its baseline was noted; "" if it is not known."""
        found = self._known.get(module)
        return ("", None) if found is None else (found.path, found.seen)

    def names(self) -> AbstractSet[str]:
        """Return the modules whose baseline is known."""
        return self._known.keys()

    def forget(self, module: str) -> None:
        """Drop a module that is not loaded any more."""
        self._known.pop(module, None)
        self._of_code.discard(module)

    def __contains__(self, module: object) -> bool:
        return module in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._known))


def compiled(baseline: Baseline) -> CodeType | None:
    """Return the code of a text: that of its cache file, if this belongs to it, else compiled now; None if it fails.

    The cache file is as good as the text for what is asked of it here: of the two, it is what the process runs.
    """
    kept = cached(baseline, cache_from_source(baseline.origin)) if _CACHES else None
    try:
        return kept or compile(baseline.source, baseline.origin, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        return None


def cached(baseline: Baseline, path: str | None) -> CodeType | None:
    """Return the code that the cache file at `path` has of a text; None if it belongs to another text or place.

    Files checked by hash (PEP 552) are left to the import system.
    """
    data = _bytes(path) if path else b""
    if baseline.seen is None or data[:_HEAD] != _cache_head(baseline.seen):
        return None
    try:
        code: object = marshal.loads(memoryview(data)[_HEAD:])  # noqa: S302  what the import system would load
    except (EOFError, ValueError, TypeError):
        return None
    return code if isinstance(code, CodeType) and code.co_filename == baseline.origin else None


def _cache_head(seen: tuple[int, int, int, int]) -> bytes:
    """Return how a cache file for a source of this state begins (PEP 552)."""
    numbers = (seen[0] // 10**9 & 0xFFFFFFFF) << 32 | (seen[2] & 0xFFFFFFFF) << 64  # and no flags
    return MAGIC_NUMBER + numbers.to_bytes(12, "little")
