"""What is live: the text of every module as it was run, kept as bytes, and the state of its file when it was read.

No syntax trees are kept: they are some 1,200 bytes a line. Texts of more than a few KiB are compressed.
"""

from __future__ import annotations

import marshal
import os
import sys
import zlib
from collections.abc import Iterator
from functools import partial
from importlib.util import MAGIC_NUMBER, cache_from_source, decode_source
from types import CodeType
from typing import Final, NamedTuple

from hotswap._modules import Signature, signature_of

_TO_READ: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_MORE: Final = 65536  # bytes, of a file that grows while it is read
_CACHES: Final[bool] = sys.implementation.cache_tag is not None
_BIG: Final = 4096
_HEAD: Final = 16  # bytes: magic number, flags, time, size


class Baseline(NamedTuple):
    """The text that the process runs as one module. `certain` is False if nobody saw it being run.

    `origin` is the file name in its code objects, `path` where it is read, links not resolved; `seen` the
    file's signature before that.
    """

    origin: str
    path: str
    packed: bytes
    seen: Signature | None
    certain: bool = True

    @property
    def source(self) -> bytes:
        """The text's bytes as in the file."""
        return zlib.decompress(self.packed[1:]) if self.packed[:1] in b"zZ" else self.packed[1:]

    @property
    def speaks_of_code(self) -> bool:
        """Whether the text has the word ``__code__``."""
        return self.packed[:1] in b"Z#"


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


def pack(source: bytes) -> bytes:
    """Return `source` as a baseline keeps it; zlib's level 1 costs some 60 us for 10 KiB and saves two thirds."""
    is_big, of_code = len(source) > _BIG, b"__code__" in source
    if is_big:
        return (b"Z" if of_code else b"z") + zlib.compress(source, 1)
    return (b"#" if of_code else b"=") + source


def text_of(baseline: Baseline) -> str:
    """Return the text of `baseline`, decoded as the import system does it; "" if it cannot be."""
    try:
        return decode_source(baseline.source)
    except (SyntaxError, UnicodeDecodeError):
        return ""


class Baselines:
    """The baseline of each module by name. One thread writes at a time: the one that imports or swaps.

    `noted` are the modules that got another one since somebody took them out of it, `of_code` those whose texts speak
    of ``__code__``.
    """

    def __init__(self) -> None:
        self._known: dict[str, Baseline] = {}
        self.noted: set[str] = set()
        self.of_code: set[str] = set()

    def note(self, module: str, baseline: Baseline) -> None:
        """Remember that `module` runs the text of `baseline`."""
        self._known[module] = baseline
        self.noted.add(module)
        (self.of_code.add if baseline.speaks_of_code else self.of_code.discard)(module)

    def get(self, module: str) -> Baseline | None:
        """Return the baseline of `module`, None if it is not known."""
        return self._known.get(module)

    def forget(self, module: str) -> None:
        """Drop a module that is not loaded any more."""
        self._known.pop(module, None)
        self.of_code.discard(module)

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
    found = read(path) if path else None
    if found is None or baseline.seen is None or found[1][:_HEAD] != _cache_head(baseline.seen):
        return None
    try:
        code: object = marshal.loads(memoryview(found[1])[_HEAD:])  # noqa: S302  what the import system would load
    except (EOFError, ValueError, TypeError):
        return None
    return code if isinstance(code, CodeType) and code.co_filename == baseline.origin else None


def _cache_head(seen: tuple[int, int, int, int]) -> bytes:
    """Return how a cache file for a source of this state begins (PEP 552)."""
    numbers = (0, seen[0] // 10**9, seen[2])
    return MAGIC_NUMBER + b"".join([(number & 0xFFFFFFFF).to_bytes(4, "little") for number in numbers])
