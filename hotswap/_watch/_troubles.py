"""What is told of trouble in watching: each refusal once, for as long as it lasts."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from hotswap._findings import finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hotswap._model import Finding

_LIMITS: Final = (errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class Troubles:
    """Tells `on_trouble` of findings."""

    def __init__(self, on_trouble: Callable[[Finding], None]) -> None:
        self._on_trouble = on_trouble
        self._told: set[tuple[str, str]] = set()

    def tell(self, code: str, path: str, **fields: object) -> None:
        """Tell it unless it was told of `path`."""
        if (code, path) not in self._told:
            self._told.add((code, path))
            self._on_trouble(finding(code, path, 0, **fields))

    def tell_gone(self, folder: str, error: OSError) -> None:
        """Tell that `folder` cannot be watched."""
        self.tell("HS403", folder, path_name=folder, message=reason(error))

    def is_over(self, code: str, path: str) -> None:
        """Have it told again when it comes again."""
        self._told.discard((code, path))

    def tell_bug(self, path: str, error: Exception) -> None:
        """Tell of what a callback raised: it must not end all watching."""
        self._on_trouble(finding("HS304", path, 0, message=f"{type(error).__name__}: {error}"))

    @contextmanager
    def limits(self, path: str, refused: Callable[[str], object] = lambda _: None) -> Iterator[None]:
        """Tell that a limit of the system is reached, and call `refused` with `path`. Raises OSError for all else."""
        try:
            yield
        except OSError as error:
            if error.errno not in _LIMITS:
                raise
            refused(path)
            self.tell("HS401", path, message=reason(error))


def reason(error: Exception) -> str:
    """Return what the system says of `error`."""
    return getattr(error, "strerror", None) or str(error)
