"""What hotswap knows of third-party libraries that make classes, one file each, loaded only if theirs is.

An adapter for another library is an object that fulfils `Adapter`, under the entry point group ``hotswap.adapters``,
named as the library's top module::

    [project.entry-points."hotswap.adapters"]
    mylibrary = "mylibrary_hotswap:ADAPTER"

Nothing of a library is imported here: what an adapter needs is looked up in ``sys.modules``.
"""

from hotswap._apply._adapter import Adapter, ClassEdit, live_classes, live_objects

__all__ = ["Adapter", "ClassEdit", "live_classes", "live_objects"]
