"""Jinja2's templates: an environment that does not look at files by itself keeps what it compiled."""

from __future__ import annotations

import sys
from typing import Any, Final

from hotswap.adapters import live_classes, live_objects


class Jinja2:
    """See `hotswap.adapters.Reader`."""

    files = ("*.html", "*.htm", "*.xml", "*.txt", "*.jinja", "*.jinja2", "*.j2", "**/templates/**")

    def reread(self, path: str) -> None:
        """Have each environment load its templates anew when they are asked for next; one may include the other."""
        library: Any = sys.modules["jinja2"]
        for kind in live_classes():
            if library.Environment in kind.__mro__:
                for environment in live_objects(kind):
                    if getattr(environment, "cache", None) is not None:
                        environment.cache.clear()


ADAPTER: Final = Jinja2()
