"""Mounted file systems whose events do not tell everything: others write to them, behind this system's back."""

from __future__ import annotations

import os
import re
from typing import Final

_SHARED: Final = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "lustre", "glusterfs"),
        *("9p", "drvfs", "vboxsf", "vmhgfs", "prl_fs", "virtiofs", "fakeowner", "osxfs"),
    )
)
_LOCAL_FUSE: Final = frozenset(
    f"fuse.{name}"
    for name in (
        *("bindfs", "mergerfs", "unionfs", "overlayfs", "fuse-overlayfs", "ntfs", "ntfs-3g", "exfat"),
        *("gocryptfs", "encfs", "cryfs", "ecryptfs"),
    )
)


def shared(folder: str, table: str = "/proc/self/mountinfo") -> str:
    """Return the kind of file system of `folder` if others may write to it (NFS, WSL's drives, shares of a virtual
    machine or a container's host), else "". `table` is where Linux lists what is mounted.
    """
    kind = _kind(os.path.realpath(folder), table)
    if kind in _SHARED or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE):
        return kind
    return ""


def _kind(folder: str, table: str) -> str:
    """Return the file system that is mounted nearest to `folder`, "" if that cannot be known."""
    best, kind = -1, ""
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                before, _, after = line.partition(" - ")
                place = _unescaped(before.split(" ")[4])
                if len(place) >= best and (folder + "/").startswith(place.rstrip("/") + "/"):
                    best, kind = len(place), after.split(" ", 1)[0]
    except (OSError, IndexError):
        return ""
    return kind


def _unescaped(place: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), place)  # blanks, as man 5 proc_mounts says
