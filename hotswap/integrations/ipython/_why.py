"""Why a name of the notebook is what it is: what the cells did with it, then what became of what it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotswap._why import Why
    from hotswap.integrations.ipython._cells import Cells


def explain(name: str, cells: Cells, why: Callable[[str], Why]) -> list[str]:
    """Return lines about `name`: one of the notebook, or else what `why` takes. Raises what `why` raises."""
    first, _, rest = name.partition(".")
    origin = cells.origin(first)
    if origin is None:
        return str(why(name)).splitlines()
    if isinstance(origin, int):
        return [f"{first}: In[{origin}] bound it, so it is yours and follows nothing"]
    follows = f"{first}: In[{origin.number}] has it by {str(origin)!r}, so it follows {origin.module}"
    there = ".".join(part for part in (origin.there, rest) if part)
    return [follows, *(str(why(f"{origin.module}:{there}")).splitlines() if there else ())]
