"""What can be done for applying a plan before it is applied, by a thread that has time: nothing is touched by it.

In a module of thousands of lines, most of the time goes into finding its functions, and into code that only moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType

from hotswap._apply._bodies import map_codes
from hotswap._apply._expected import expected_places
from hotswap._apply._swap import Ready, Work
from hotswap._model import Edit, Plan
from hotswap._points._way import breathe
from hotswap.patch._answers import find_asking
from hotswap.patch._finding import survey


def make_ready(plan: Plan, edits: Iterable[Edit], modules: Mapping[str, ModuleType]) -> Ready:
    """Return what is ready for applying `plan`: of each module its code map, its live functions, their code shifted.

    Where the functions cannot be told without a pass over the heap, or a loader makes other code, nothing is.
    """
    maybe = {id(planned.statement) for step in plan.steps for planned in step.statements if not planned.certain}
    found = {}
    for edit in edits:
        module = modules.get(edit.module)
        if type(module) is ModuleType and edit.edited and not edit.unknown and not plan.memo:
            work = Work(module, edit)
            work.before.clear()  # it is taken when this is applied: old values are asked who holds them
            if work.scope.build is None and _is_ready(work, maybe):
                found[edit.module] = work
    return Ready(found, find_asking())


def _is_ready(work: Work, maybe: set[int]) -> bool:
    breathe()
    work.expected = expected_places(work.edit, maybe)
    work.surveyed = survey(vars(work.module), work.expected) if work.expected is not None else None
    if work.surveyed is None:
        return False
    map_codes(work)
    for function in work.surveyed.functions:
        breathe()
        work.codes.shift_ahead(function.__code__)
    return True
