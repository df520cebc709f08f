"""Import machinery: who notes what is imported, and runs chosen statements in a module's place.

`_finder` asks the other finders and stands in for Python's own loader of source files; `_proxied` is a proxy around
loaders of others.
"""

from hotswap._loader._finder import Body, Finder, importing_for, is_hidden, own_loader, reload_with, take_away

__all__ = ["Body", "Finder", "importing_for", "is_hidden", "own_loader", "reload_with", "take_away"]
