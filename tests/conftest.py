"""What all tests share: which copy of hotswap is tested is said at the top of each run."""

from __future__ import annotations

from pathlib import Path

import hotswap


def pytest_report_header() -> str:
    """Name the folder of the package under test: with an editable install it is the checkout's."""
    return f"hotswap: {Path(next(iter(hotswap.__path__)))}"
