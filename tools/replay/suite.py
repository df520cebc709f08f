"""A project's own tests, run inside a process that imported, or was swapped to, the version that they belong to."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

_PLACES = ("tests", "test", "testing")


class Passed:
    """A plugin of pytest that notes which tests passed."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note a test whose body passed; what setup and teardown do shows in others."""
        if report.when == "call" and report.passed:
            self.names.append(report.nodeid)


def passed(root: str, file: str) -> None:
    """Run the tests below `root` in this process, and write the names of those that passed to `file`."""
    import pytest  # only who asks for tests needs it

    plugin = Passed()
    os.chdir(root)
    folders = [place for place in _PLACES if os.path.isdir(place)]
    options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", root, "--import-mode=importlib"]
    pytest.main([*options, *folders], plugins=[plugin])
    Path(file).write_text(json.dumps(plugin.names), encoding="utf-8")


def passed_aside(root: str, file: str) -> None:
    """Run the tests in a fork of this process, which stays as it is."""
    pid = os.fork()
    if not pid:
        try:
            passed(root, file)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
