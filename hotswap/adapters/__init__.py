"""What hotswap knows of third-party libraries, one file each, loaded only if theirs is.

An adapter for another library is an object that fulfils `Adapter` (the library makes classes), `Registrar` (statements
register functions with it), `Reader` (it reads files of its own) or several of them, under the entry point group
``hotswap.adapters``, named as the library's top module::

    [project.entry-points."hotswap.adapters"]
    mylibrary = "mylibrary_hotswap:ADAPTER"

Nothing of a library is imported here: what an adapter needs is looked up in ``sys.modules``.
"""

from hotswap._apply._adapter import Adapter, ClassEdit, Reader, live_classes, live_objects
from hotswap._apply._registrations import Registrar, Registrations
from hotswap._run._values import is_a

__all__ = ["Adapter", "ClassEdit", "Reader", "Registrar", "Registrations", "is_a", "live_classes", "live_objects"]
