"""What stands inside an object: the function behind wrappers, what a cell holds; found without the program's code."""

from __future__ import annotations

import gc
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType

from hotswap._run._values import attribute, attributes_of, is_a


def unwrapped(value: object) -> object:
    """Return the function behind what `functools` and the descriptors wrap around it."""
    for _ in range(8):
        if type(value).__module__ == "functools":
            inside = next((one for one in gc.get_referents(value) if type(one) is FunctionType), value)  # cmp_to_key
            value = getattr(value, "__wrapped__", None) or getattr(value, "func", inside)
        elif is_a(value, (staticmethod, classmethod)) or type(value).__name__ == "method":
            value = value.__func__  # type: ignore[attr-defined]  # all three have one
        else:
            break
    return value


def wrapped_in(value: object) -> object:
    """Return what an object of a library, such as a wrapt proxy, wraps; no code of the program's runs for it."""
    for base in type(value).__mro__:
        slot = vars(base).get("__wrapped__")
        if isinstance(slot, (GetSetDescriptorType, MemberDescriptorType)):
            return attribute(value, "__wrapped__")
    return attributes_of(value).get("__wrapped__")


def content_of(cell: object) -> object:
    """Return what a closure cell holds, None if it is empty."""
    try:
        return cell.cell_contents  # type: ignore[attr-defined]  # closures hold cells
    except ValueError:
        return None
