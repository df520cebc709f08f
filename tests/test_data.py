"""Files that are no modules: statements that depend on them, and callbacks."""

from __future__ import annotations

import importlib
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from hotswap import Reloader

_numbers = itertools.count()


class Game:
    """A module that reads a data file beside it, and one that reads the module."""

    def __init__(self, root: Path) -> None:
        self.root, self.name = root, f"data_game{next(_numbers)}"
        (root / "data").mkdir(parents=True)
        self.data = root / "data" / "levels.json"
        self.save({"count": 1})

    def save(self, value: object) -> None:
        self.data.write_text(json.dumps(value), encoding="utf-8")

    def write(self, text: str) -> None:
        head = "import json\nfrom pathlib import Path\n\nHERE = Path(__file__).parent\nRUNS = []\n"
        (self.root / f"{self.name}.py").write_text(head + text, encoding="utf-8")

    def load(self, text: str) -> ModuleType:
        self.write(text)
        importlib.invalidate_caches()
        return importlib.import_module(self.name)


READ = 'LEVELS = json.loads((HERE / "data/levels.json").read_text())'


@pytest.fixture
def game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Game]:
    made = Game(tmp_path / "game")
    monkeypatch.syspath_prepend(str(made.root))
    yield made
    for name in [name for name in sys.modules if name.startswith(made.name)]:
        del sys.modules[name]


@pytest.fixture
def reloader(game: Game) -> Iterator[Reloader]:
    with Reloader(game.root, apply="manual") as made:
        yield made


@pytest.mark.parametrize(
    "text",
    [
        f"{READ}  # hotswap: depends on data/levels.json",
        f"# hotswap: depends on data/levels.json\n{READ}",
        f"# hotswap: depends on data/levels.json\n\n{READ}\nRUNS.append(1)",
    ],
    ids=["at its end", "above it", "of the file"],
)
def test_a_statement_follows_its_data(game: Game, reloader: Reloader, text: str) -> None:
    """What was read is read again, what depends on it follows, and nothing else runs."""
    module = game.load(f"{text}\nCOUNT = LEVELS['count']\nRUNS.append(COUNT)\n")
    runs = list(module.RUNS)
    game.save({"count": 2})
    report = reloader.look()
    assert report is not None
    assert ({"count": 2}, 2, runs) == (module.LEVELS, module.COUNT, module.RUNS)


def test_data_that_is_saved_before_the_engine_is_there_is_news(game: Game) -> None:
    """What a module names is noted before the module runs, so nothing is lost until imports pause; nor between two
    reloaders.
    """
    with Reloader(game.root, apply="manual") as reloader:
        module = game.load(f"{READ}  # hotswap: depends on data/levels.json\nRUNS.append(1)\n")
        game.save({"count": 2})
        assert reloader.look() is not None
        assert module.LEVELS == {"count": 2}
    with Reloader(game.root, apply="manual") as reloader:
        assert reloader.look() is None
        game.save({"count": 3})
        reloader.look()
        assert module.LEVELS == {"count": 3}
    game.save({"count": 4})
    with Reloader(game.root, apply="manual") as reloader:
        reloader.look()
        assert (module.LEVELS, module.RUNS) == ({"count": 4}, [1])


def test_data_that_says_the_same_is_no_news(game: Game, reloader: Reloader) -> None:
    """A save of the same text runs nothing."""
    module = game.load(f"{READ}  # hotswap: depends on data/levels.json\n")
    levels = module.LEVELS
    game.save({"count": 1})
    assert reloader.look() is None
    assert module.LEVELS is levels


def test_half_a_text_changes_nothing_and_is_told(game: Game, reloader: Reloader) -> None:
    """A statement that cannot read its data leaves what was there; the next save of the data tries again."""
    module = game.load(f"{READ}  # hotswap: depends on data/levels.json\n")
    game.data.write_text('{"count": ', encoding="utf-8")
    report = reloader.look()
    assert report is not None
    assert "HS303" in [found.code for found in report.findings]
    assert module.LEVELS == {"count": 1}
    game.data.unlink()
    assert reloader.look() is None
    game.save({"count": 3})
    reloader.look()
    assert module.LEVELS == {"count": 3}


def test_a_comment_that_comes_by_an_edit_counts(game: Game, reloader: Reloader) -> None:
    """Once the comment is saved, and no longer once it is gone."""
    module = game.load(f"{READ}\n")
    game.save({"count": 2})
    assert reloader.look() is None
    game.write(f"{READ}  # hotswap: depends on data/levels.json\n")
    reloader.look()
    game.save({"count": 3})
    reloader.look()
    assert module.LEVELS == {"count": 3}
    game.write(f"{READ}\n")
    reloader.look()
    game.save({"count": 4})
    assert reloader.look() is None
    assert module.LEVELS == {"count": 3}


def test_data_that_is_saved_while_its_statement_runs_is_news(game: Game, reloader: Reloader) -> None:
    """What a text says it depends on is noted before it runs: what comes after the reading is read by the next look."""
    module = game.load("LEVELS = None\n")
    saves = "(HERE / 'data/levels.json').write_text('{\"count\": 7}')"
    game.write(f"{READ}  # hotswap: depends on data/levels.json\n{saves}\n")
    reloader.look()
    assert module.LEVELS == {"count": 1}
    reloader.look()
    assert module.LEVELS == {"count": 7}


def test_callbacks_are_called_for_what_changed(game: Game, reloader: Reloader) -> None:
    """Each file that matches and says something else, once; also in new folders; a failing callback hurts nobody."""
    called: list[str] = []

    def fail(path: str) -> None:
        raise ValueError(path)

    reloader.watch_data("*.json", fail)
    reloader.watch_data("*.json", called.append)
    game.save({"count": 1})
    reloader.look()
    assert called == []
    game.save({"count": 2})
    (game.root / "data" / "notes.txt").write_text("none of it")
    reloader.look()
    assert called == [str(game.data)]
    new = game.root / "more" / "other.json"
    new.parent.mkdir()
    new.write_text("[]")
    reloader.look()
    assert called == [str(game.data), str(new)]


def test_a_full_look_finds_changed_data(game: Game, reloader: Reloader) -> None:
    """Where events were lost, data that is known is looked at as modules are."""
    called: list[str] = []
    reloader.watch_data("data/*.json", called.append)
    game.save({"count": 2})
    reloader._works().line.rescan()
    reloader.inbox.take(at_once=True)
    reloader._works().saves._watcher.flush()  # type: ignore[union-attr]
    reloader.inbox.take(at_once=True)
    reloader.swap(None)
    assert called == [str(game.data)]
