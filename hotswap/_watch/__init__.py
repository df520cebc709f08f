"""Stage 1: what the system tells about loaded files becomes file changes, handed to a callback at once.

Every way in which a system keeps a save to itself is seen here, told as HS4xx, and followed by a request to look at all
loaded files; what cannot be watched is looked at by turns. Batching and comparing contents come later.

`_inotify` reads events on Linux, `_observed` elsewhere; `_folders` says what is to be watched, `_polled` looks at what
cannot be, `_mounts` and `_git` know of file systems and checkouts, `_troubles` tells; `_watcher` is where they meet.
"""

from hotswap._watch._git import Git
from hotswap._watch._ignored import is_ignored
from hotswap._watch._watcher import Watcher

__all__ = ["Git", "Watcher", "is_ignored"]
