"""Runs the example of each page of the edit contract: what it shows is what happens.

A diff is a module before and after the save, ``app.py`` unless a first line names another file; Python that begins with
the name of a file is that file. Other Python is what the program does before the save, with the names of its modules;
``hotswap.watch()`` in it says that all above came before, and the save as well. What stands below ``# once that is
live`` comes last. Lines of a console change the files, too.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

import scenario as form
from hotswap._findings import CATALOGUE
from scenario_run import Runner

CONTRACT: Final = Path(__file__).resolve().parent.parent / "docs/reference/contract"
NOT_RUN: Final = {
    "HS106": "a compiler",
    "HS225": "processes of a pool",
    "HS241": "an event loop",
    "HS310": "somebody who presses keys",
    "HS401": "a system at its limits",
    "HS402": "a system at its limits",
    "HS403": "a root that goes",
    "HS404": "another file system",
    "HS405": "another build of Python",
    "HS406": "another reloader",
}
"""What the examples of these need; the scenarios that their pages name play it."""

_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE: Final = re.compile(r"^# ([\w/]+\.(?:py|toml))\b.*$")
_LIVE: Final = "# once that is live\n"
_WATCH: Final = "hotswap.watch()"


@dataclass
class Example:
    """Files before and after the save, commands that change them, and what the program does before and afterwards."""

    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    program: str = ""
    afterwards: str = ""

    @property
    def imports(self) -> str:
        """What the program imports, unless it does so by itself."""
        names = [name.removesuffix(".py").replace("/", ".") for name in self.before if name.endswith(".py")]
        own = any(re.search(rf"\bimport {name}$|\(\"{name}\",", self.program, re.MULTILINE) for name in names)
        return "".join(f"import {name}\nfrom {name} import *\n" for name in ([] if own else reversed(names)))

    @property
    def missing(self) -> str:
        """What of the libraries that the example imports is not installed, "" if all is."""
        text = "\n".join(self.before.values())
        names = re.findall(r"^from (\w+)", text, re.MULTILINE)
        return next((name for name in names if f"{name}.py" not in self.before and find_spec(name) is None), "")


def example_of(page: str) -> Example:
    """Read the example of a page."""
    found = Example()
    for language, text in _BLOCK.findall(page.partition("\n## Example\n")[2].partition("\n## ")[0]):
        if language == "diff":
            for name, diff in parts_of(text, "app.py"):
                found.before[name], found.after[name] = side(diff, "-"), side(diff, "+")
        elif language == "console":
            lines = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
            found.commands += [re.sub(r"^python\b", sys.executable, line) for line in lines]
        elif _FILE.match(text.partition("\n")[0]):
            found.before |= dict(parts_of(text, ""))
        elif text.startswith(_LIVE):
            found.afterwards += text
        else:
            found.program += text
    return found


def parts_of(text: str, default: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each file in a block, `default` for what stands above the first, with its lines."""
    name, lines = default, list[str]()
    for line in [*text.splitlines(), "# end.py"]:
        named = _FILE.match(line)
        if named is None:
            lines.append(line)
            continue
        if any(map(str.strip, lines)):
            yield name, "\n".join(lines) + "\n"
        name, lines = named[1], []


def side(diff: str, sign: str) -> str:
    """Return the text before (-) or after (+) a diff."""
    return "".join(f"{line[1:]}\n" for line in diff.splitlines() if not line or line[0] in f" {sign}")


SCENARIO: Final = """## {code} {{warm only: an example}}

The example of its page.

{files}
```python earlier
import subprocess
from pathlib import Path

def save():
    for path, text in {after!r}.items():
        Path(path).write_text(text)
    for command in {commands!r}:
        subprocess.run(command, shell=True, check=True)

{earlier}
```

```python before
import hotswap
hotswap.reload, hotswap.undo, hotswap.pause = reloader.reload, reloader.undo, reloader.pause
names = set(globals())
{imports}
starred = set(globals()) - names
{program}
for name in starred:
    del globals()[name]
```

```python check warm
{save}
found = list(reloader.reload().findings)
if {code!r} not in [one.code for one in found] and {commands!r}:
    found += reloader.reload().findings  # a file that is empty or gone counts the second time
report = None
{imported}
{afterwards}
found += report.findings if report is not None else ()
assert {code!r} in [one.code for one in found], found
extra = [str(one) for one in found if one.code not in {named!r}]
assert not extra, extra
```
"""


def scenario_of(code: str, page: str) -> str:
    """Return the example of a page as a scenario."""
    example = example_of(page)
    early, watched, late = example.program.partition(_WATCH)
    files = "\n".join(f"```python file={name}\n{text}```\n" for name, text in example.before.items())
    modules = [name.removesuffix(".py").replace("/", ".") for name in example.before if name.endswith(".py")]
    return SCENARIO.format(
        code=code,
        files=files,
        after=example.after,
        commands=example.commands,
        earlier=f"{early}\nsave()" if watched else "",
        imports="" if watched else example.imports,
        program=late if watched else early,
        imported=f"import {', '.join(modules)}" if example.afterwards else "",
        save="" if watched else "save()",
        afterwards=example.afterwards,
        named=set(re.findall(r"HS\d{3}", page)),
    )


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    made = Runner()
    yield made
    made.close()


@pytest.mark.parametrize("code", [code for code in CATALOGUE if code not in NOT_RUN])
def test_the_example_of_a_page_is_true(code: str, runner: Runner, tmp_path: Path) -> None:
    """Whoever does what the page shows is told what the page says, and nothing that the page does not name."""
    if code == "HS302" and os.name == "posix" and os.geteuid() == 0:
        pytest.skip("who runs this may read everything")
    page = (CONTRACT / f"{code}.md").read_text(encoding="utf-8")
    if missing := example_of(page).missing:
        pytest.skip(f"is about {missing}, which is not installed")
    path = tmp_path / f"{code}.md"
    path.write_text(scenario_of(code, page), encoding="utf-8")
    failure = runner.run(form.read(path)[0], tmp_path)
    if failure:
        pytest.fail(failure, pytrace=False)
