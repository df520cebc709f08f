"""The fuzz tool: random edits of real modules leave hotswap no difference untold, and a process without a tool many.

``HOTSWAP_FUZZ=20000 pytest tests/test_fuzz.py`` makes that many edits.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[1] / "tools" / "fuzz"
EDITS = os.environ.get("HOTSWAP_FUZZ", "")


def fuzz(folder: Path, *options: str) -> tuple[int, int, str]:
    """Run the tool; return how many edits it made, how many failures it found, and what it printed."""
    command = [sys.executable, "-W", "ignore", str(TOOL), "--keep", str(folder), *options]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    found = re.search(r"^(\d+) edits .* failures: (\d+)$", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return int(found[1]), int(found[2]), done.stdout


def test_no_random_edit_of_real_modules_is_wrong_without_a_word(tmp_path: Path) -> None:
    """Sequences of edits of modules of the standard library leave no difference that no finding names."""
    subjects = [] if EDITS else [f"--subject={name}" for name in ("textwrap", "sched", "colorsys", "bisect")]
    edits, failures, said = fuzz(tmp_path, "--edits", EDITS or "25", *subjects)
    assert edits >= int(EDITS or "25")
    assert not failures, said


def test_without_a_tool_the_comparison_finds_what_is_old(tmp_path: Path) -> None:
    """A process that nobody brings along differs after the first edits."""
    _, failures, said = fuzz(tmp_path, "--edits", "3", "--subject", "textwrap", "--tool", "none", "--most", "0")
    assert failures, said
