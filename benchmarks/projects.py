"""Generated projects: modules of functions and classes, in layers, and one hot module that every third imports."""

from __future__ import annotations

from pathlib import Path

HOT = "hot"
FUNCTION = """def {name}(a, b=2):
    \"\"\"Sum up.\"\"\"
    total = {value}
    for j in range(a):
        total += j * b + LIMIT
    return total
"""
CLASS = """class {name}:
    size = 1

    def __init__(self, x):
        self.x = x

    def get(self, y=1):
        \"\"\"Return it.\"\"\"
        return self.x + y + LIMIT + {value}
"""


def text(lines: int, *, head: str = "", value: int = 0, method: int = 0, limit: int = 1, added: int = 0) -> str:
    """Return a module of about `lines` lines: f0, f1, ... and C0, C1, ...; `added` functions stand at the end.

    `value` is in the body of f0, `method` in that of C0.get, `limit` is the constant.
    """
    parts = [f"{head}import json\nimport os\n\nLIMIT = {limit}\n"]
    length, number = 5, 0
    while length < lines:
        kind = CLASS if number % 4 == 3 else FUNCTION
        name = f"C{number // 4}" if kind is CLASS else f"f{number - number // 4}"
        parts.append(kind.format(name=name, value={0: value, 3: method}.get(number, number)))
        length += parts[-1].count("\n") + 2
        number += 1
    parts += [FUNCTION.format(name=f"added{number}", value=number) for number in range(added)]
    return "\n\n".join(parts)


def write(root: Path, modules: int, lines: int = 120) -> list[str]:
    """Write `modules` modules into `root` and return their names: the hot one first, the last is a leaf."""
    names = [HOT, *(f"m{number}" for number in range(1, modules))]
    for number, name in enumerate(names):
        below = f"import {names[number - 1 - number // 10]}\n" if number > 1 else ""
        hot = f"from {HOT} import f0, LIMIT as HOT_LIMIT\n" if number % 3 == 1 else ""
        (root / f"{name}.py").write_text(text(lines if number in (0, modules - 1) else 120, head=hot + below))
    return names
