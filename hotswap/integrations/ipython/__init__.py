"""hotswap in IPython and Jupyter: ``%load_ext hotswap``.

Rooms: `_session` is what happens around a cell, `_cells` which names of the notebook follow their modules, `_magics`
the verbs, `_showing`, `_status` and `_drawing` what is seen of it, `_live` applying between cells, `_rivals` other
reloaders.
"""

from __future__ import annotations

from typing import Any

from hotswap._errors import HotswapError
from hotswap.integrations.ipython import _magics, _session


def load(shell: Any) -> None:
    """Start in `shell`; an obstacle is told in one line, and the extension then is not loaded."""
    try:
        session = _session.load(shell)
    except HotswapError as error:
        raise _magics.usage(str(error)) from None
    _magics.register(session)


def unload(shell: Any) -> None:
    """Take everything out of `shell` again; swapped code stays."""
    _magics.unregister(shell)
    _session.unload()
