"""MkDocs hooks: the scenarios, which live among the tests, are pages of the documentation too.

In the repository their pages are linked by where they lie, so that the links hold wherever the repository is read; here
they are led to the copies.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mkdocs.structure.files import Files

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "tests" / "scenarios"
CONTRACT: Final = "reference/contract"


def on_config(config: Any) -> Any:
    """Add the scenario files and the pages of the contract to the navigation, under the titles that they have."""
    config["nav"].append({"Scenarios": [f"scenarios/{path.name}" for path in sorted(FOLDER.glob("*.md"))]})
    _put_codes(config["nav"])
    return config


def _put_codes(entries: list[Any]) -> None:
    """Put the page of each code behind the index of the contract."""
    for entry in entries:
        for title, value in entry.items():
            if value == f"{CONTRACT}/index.md":
                pages = sorted(path.name for path in (ROOT / "docs" / CONTRACT).glob("HS*.md"))
                entry[title] = [value, *(f"{CONTRACT}/{page}" for page in pages)]
            elif isinstance(value, list):
                _put_codes([one for one in value if isinstance(one, dict)])


def on_files(files: Files, config: Any) -> Files:
    """Add the scenario files as pages below ``scenarios/``."""
    from mkdocs.structure.files import File

    for path in sorted(FOLDER.glob("*.md")):
        files.append(File.generated(config, f"scenarios/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Make a scenario file a page, and lead links to its place in the repository to that page."""
    if page.file.src_uri.startswith("scenarios/"):
        return _readable(markdown)
    return markdown.replace("../../tests/scenarios/", "../scenarios/").replace("../tests/scenarios/", "scenarios/")


def _readable(markdown: str) -> str:
    """Put what a block is above it, and the marks of a heading below: the renderer knows neither form."""
    labelled = re.sub(r"^```(\w+) (.+)$", r"`\2`\n\n```\1", markdown, flags=re.MULTILINE)
    return re.sub(r"^(## [^{\n]*?) *(\{.*\})$", r"\1\n\n`\2`", labelled, flags=re.MULTILINE)
