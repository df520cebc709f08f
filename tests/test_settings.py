"""Options: where they come from, which values they take, and how a wrong one is told."""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from hotswap import _roots
from hotswap._errors import SettingsError
from hotswap._model import Severity
from hotswap._settings import Settings, make, overlap


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with nothing above it that configures, as the current directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.chdir(folder)
    return folder


def folders(root: Path, *names: str) -> list[str]:
    """Make folders below `root` and return their paths."""
    for name in names:
        (root / name).mkdir(parents=True, exist_ok=True)
    return [str(root / name) for name in names]


def configure(folder: Path, table: str) -> None:
    """Write a pyproject.toml whose table for hotswap is `table`."""
    (folder / "pyproject.toml").write_text(f"[project]\nname = 'x'\n[tool.hotswap]\n{table}\n", encoding="utf-8")


def refusal(*paths: Any, **options: Any) -> str:
    """Return the message with which the options are refused."""
    with pytest.raises(SettingsError) as caught:
        make(*paths, **options)
    return str(caught.value)


# -- arguments


def test_defaults(project: Path) -> None:
    """A path alone leaves every option at its default."""
    assert make(project) == Settings((str(project),))
    assert make(project).apply == "auto"


def test_paths_become_absolute(project: Path) -> None:
    """Relative paths count from the current directory, and files are roots as well."""
    folders(project, "src")
    (project / "bot.py").touch()
    assert make("src", Path("bot.py")).roots == (str(project / "src"), str(project / "bot.py"))


def test_options_are_kept_as_tuples(project: Path) -> None:
    """Lists of strings become tuples, and one string alone is one entry."""
    made = make(project, include=["*.py"], exclude="tests", keep=["m:X"], rerun=("m:A.b",), quiet=iter(["shop.parse"]))
    assert (made.include, made.exclude, made.keep) == (("*.py",), ("tests",), ("m:X",))
    assert (made.rerun, made.quiet) == (("m:A.b",), ("shop.parse",))


def test_a_callback_is_handed_on(project: Path) -> None:
    """The callback is kept as the same object."""
    assert make(project, on_report=print).on_report is print


@pytest.mark.parametrize("way", ["auto", "thread", "poll", "manual"])
def test_ways_to_apply(project: Path, way: Any) -> None:
    """Each way of applying that is there is accepted."""
    assert make(project, apply=way).apply == way


WRONG = [
    ("apply", "asap", "'auto', 'thread', 'asyncio', 'poll', 'signal', 'manual'"),
    ("apply", None, "'auto', 'thread', 'asyncio', 'poll', 'signal', 'manual'"),
    ("apply", ["auto"], "'auto', 'thread', 'asyncio', 'poll', 'signal', 'manual'"),
    ("strict", 1, "True or False"),
    ("strict", "yes", "True or False"),
    ("include", 3, "a list of strings"),
    ("include", [3], "a list of strings"),
    ("exclude", [""], "none of them empty"),
    ("exclude", None, "a list of strings"),
    ("on_report", "print", "a callable with one argument"),
    ("keep", ["shop.TABLE"], "module:name"),
    ("keep", ["shop:"], "module:name"),
    ("rerun", [":TABLE"], "module:name"),
    ("rerun", ["shop:2x"], "module:name"),
    ("rerun", ["a:b:c"], "module:name"),
    ("quiet", ["shop:parse"], "dotted names"),
    ("quiet", ["shop..parse"], "dotted names"),
]


@pytest.mark.parametrize(("name", "value", "accepted"), WRONG)
def test_wrong_values_are_named(project: Path, name: str, value: object, accepted: str) -> None:
    """A refusal names the option, the value that was given, and what is accepted."""
    message = refusal(project, **{name: value})
    given = value[0] if name in ("keep", "rerun", "quiet") and isinstance(value, list) else value
    assert message.startswith(f"{name}={given!r} ")
    assert accepted in message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (["HS201"], "severities=['HS201'] is not accepted; it takes a table of codes"),
        ({"HS999": "stale"}, "severities='HS999' is not accepted; it takes codes of the edit contract"),
        ({"HS201": "error"}, "severities.HS201='error' is not accepted; it takes one of 'refused', 'stale', 'ignored'"),
        ({"HS301": "ignored"}, "severities: HS301 cannot have another severity"),
    ],
)
def test_wrong_severities_are_named(project: Path, value: object, words: str) -> None:
    """A code that does not exist, one that cannot be graded, and an unknown severity are refused by name."""
    assert refusal(project, severities=value).startswith(words)


def test_severities_may_stand_in_the_project(project: Path) -> None:
    """The table ``[tool.hotswap.severities]`` gives codes their severities."""
    (project / "pyproject.toml").write_text('[tool.hotswap.severities]\nHS201 = "ignored"\n')
    assert make(project).severities == {"HS201": Severity.IGNORED}


def test_unknown_options_are_named_with_the_nearest(project: Path) -> None:
    """A misspelt option is told with the one that was probably meant and with all that there are."""
    message = refusal(project, exlude=["x"])
    assert "unknown option 'exlude'; did you mean 'exclude'?" in message
    assert "apply, strict, include, exclude, on_report, keep, rerun, quiet" in message


def test_unknown_options_without_a_likeness(project: Path) -> None:
    """An option unlike any other is told without a guess."""
    assert "did you mean" not in refusal(project, zzz=1)


@pytest.mark.parametrize("path", ["missing", "missing/deeper.py"])
def test_missing_paths_are_refused(project: Path, path: str) -> None:
    """A path that does not exist would be watched in vain."""
    assert refusal(path) == f"paths={path!r} is not accepted; it takes a folder or file that exists"


@pytest.mark.parametrize("path", [b"src", ""])
def test_paths_are_text(project: Path, path: object) -> None:
    """Bytes and the empty string are not accepted as paths."""
    assert refusal(str(project), path).startswith(f"paths={path!r} is not accepted")


def test_a_target_cannot_be_both_kept_and_run(project: Path) -> None:
    """A target in both lists is a contradiction."""
    assert "keep and rerun both name m:X" in refusal(project, keep=["m:X", "m:Y"], rerun=["m:X"])


# -- pyproject.toml


def test_project_file_is_below_arguments(project: Path) -> None:
    """Arguments go over the file, the file over the defaults."""
    configure(project, "apply = 'poll'\nstrict = true\nexclude = ['old']")
    made = make(project, apply="manual")
    assert (made.apply, made.strict, made.exclude) == ("manual", True, ("old",))


def test_nearest_project_file_counts(project: Path) -> None:
    """The file is looked for at the first path and upwards, and the nearest one counts alone."""
    inner = Path(folders(project, "a/b")[0])
    configure(project, "strict = true")
    assert make(inner).strict
    configure(inner.parent, "apply = 'poll'")
    assert (make(inner).strict, make(inner).apply) == (False, "poll")


def test_project_file_of_a_script(project: Path) -> None:
    """For a path that is a file the search starts in its folder."""
    configure(project, "strict = true")
    (project / "bot.py").touch()
    assert make(project / "bot.py").strict


def test_project_file_of_the_current_directory(project: Path) -> None:
    """Without paths the search starts in the current directory, and the file may name the paths."""
    folders(project, "src", "deep")
    configure(project, "paths = ['src']")
    os.chdir(project / "deep")
    assert make().roots == (str(project / "src"),)


def test_paths_given_replace_those_of_the_file(project: Path) -> None:
    """Paths as arguments are taken instead of the file's, not beside them."""
    folders(project, "src", "other")
    configure(project, "paths = ['src']")
    assert make("other").roots == (str(project / "other"),)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("aply = 'poll'", "unknown option 'aply'; did you mean 'apply'?"),
        ("apply = 'asap'", "apply='asap' is not accepted"),
        ("on_report = 'print'", "on_report is a function, so it can be given as an argument only"),
        ("paths = ['gone']", "a folder or file that exists"),
        ("paths = 3", "paths=3 is not accepted"),
    ],
)
def test_wrong_values_in_the_file_name_it(project: Path, table: str, message: str) -> None:
    """A refusal of what stands in the file says which file."""
    configure(project, table)
    told = refusal()
    assert told.startswith(f"[tool.hotswap] in {project / 'pyproject.toml'}: ")
    assert message in told


@pytest.mark.parametrize("text", ["[tool.hotswap\n", "[tool]\nhotswap = 3\n", "tool = 'hotswap'\n", "# \xff hotswap\n"])
def test_a_file_that_cannot_be_read_is_named(project: Path, text: str) -> None:
    """A broken file that may hold our table is an error, not an empty table."""
    (project / "pyproject.toml").write_bytes(text.encode("latin-1"))
    assert refusal(project).startswith(f"{project / 'pyproject.toml'}: cannot read the table [tool.hotswap]: ")


@pytest.mark.parametrize("text", ["[project]\nname = 'x'\n", "[broken\n", "[project]\nname = 'hotswap-demo'\n"])
def test_files_without_our_table_do_not_matter(project: Path, text: str) -> None:
    """A file that is not about hotswap is neither used nor criticised."""
    (project / "pyproject.toml").write_text(text)
    assert make(project) == Settings((str(project),))


# -- roots


def test_nested_roots_are_merged(project: Path) -> None:
    """A root inside another one is dropped, whichever comes first."""
    inner, outer, beside = folders(project, "a/b", "a", "ab")
    assert make(inner, outer, beside).roots == (outer, beside)


def test_a_root_that_the_outer_one_excludes_stays(project: Path) -> None:
    """A folder that the outer root leaves out can be a root of its own."""
    outer, inner, installed = folders(project, "a", "a/b", "a/.venv/lib/site-packages/lib")
    assert make(outer, inner, exclude=["b"]).roots == (outer, inner)
    assert make(outer, installed).roots == (outer, installed)


def test_two_spellings_are_one_root(project: Path) -> None:
    """A folder given directly and through a link is one root, spelled as it was given first."""
    (folder,) = folders(project, "a")
    (project / "link").symlink_to(folder)
    assert make("link", folder).roots == (str(project / "link"),)
    assert make(folder, "link").roots == (folder,)


def test_default_roots_are_where_the_program_was_written(project: Path, tmp_path: Path) -> None:
    """Without paths: the current directory and what was put on the search path by hand, in that order."""
    plugins, inside = folders(tmp_path, "plugins", "project/src")
    archive = tmp_path / "lib.zip"
    archive.touch()
    path = ["", inside, plugins, str(archive), str(tmp_path / "missing"), sysconfig.get_path("stdlib")]
    assert _roots.default_roots(path) == (str(project), plugins)


def test_python_itself_is_no_default_root(project: Path, tmp_path: Path) -> None:
    """The standard library, installed packages, commands and virtual environments are left out."""
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "pyvenv.cfg").touch()
    environment, vendored = folders(tmp_path, "env/bin", "vendor/dist-packages/tool")
    path = [sysconfig.get_path("stdlib"), sysconfig.get_path("scripts"), os.path.dirname(sys.executable)]
    assert _roots.default_roots([*path, os.path.dirname(json.__file__), environment, vendored]) == (str(project),)


def test_folders_of_commands_are_no_default_roots(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Running an installed command puts its folder on the search path; nobody writes a program there."""
    assert os.path.realpath(os.path.dirname(sys.executable)) in _roots._program_folders()
    (commands,) = folders(tmp_path, "bin")
    assert _roots.default_roots([commands]) == (str(project), commands)
    monkeypatch.setattr(_roots, "_program_folders", lambda: frozenset({os.path.realpath(commands)}))
    assert _roots.default_roots([commands]) == (str(project),)


def test_editable_installs_are_default_roots(project: Path, tmp_path: Path) -> None:
    """The project folder of an editable install is found by what its installer noted."""
    installed, mine, theirs = folders(tmp_path, "env/site-packages", "my project", "theirs")
    notes = {
        "mine": {"url": Path(mine).as_uri(), "dir_info": {"editable": True}},
        "theirs": {"url": Path(theirs).as_uri(), "dir_info": {}},
        "gone": {"url": (tmp_path / "gone").as_uri(), "dir_info": {"editable": True}},
        "odd": ["editable"],
    }
    for name, note in notes.items():
        (folder,) = folders(Path(installed), f"{name}-1.0.dist-info")
        (Path(folder) / "direct_url.json").write_text(json.dumps(note))
    (Path(folders(Path(installed), "damaged-1.0.dist-info")[0]) / "direct_url.json").write_text("{")
    folders(Path(installed), "plain-1.0.dist-info")
    assert _roots.default_roots([installed]) == (str(project), mine)


def test_an_editable_install_inside_an_environment_is_found(project: Path) -> None:
    """A checkout that lies in the project's own environment is a root beside the project."""
    installed, checkout = folders(project, ".venv/lib/site-packages", ".venv/src/lib")
    (folder,) = folders(Path(installed), "lib-1.0.dist-info")
    note = {"url": Path(checkout).as_uri(), "dir_info": {"editable": True}}
    (Path(folder) / "direct_url.json").write_text(json.dumps(note))
    assert _roots.default_roots([installed]) == (str(project), checkout)


def test_the_top_of_the_file_system_is_no_default_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service started at the top is asked for a folder instead of having the machine looked after."""
    monkeypatch.chdir(tmp_path.anchor)
    monkeypatch.setattr(sys, "path", ["", tmp_path.anchor])
    assert _roots.default_roots() == ()
    assert refusal() == "paths: nothing to look after was found; name a folder: hotswap.watch('src')"


def test_a_deleted_current_directory_is_no_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process whose directory is gone can still be reloaded elsewhere."""

    def gone() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(os, "getcwd", gone)
    assert _roots.default_roots([str(tmp_path)]) == (str(tmp_path),)


def test_default_roots_are_found_without_reading_metadata(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for the default roots does not go through importlib.metadata, which takes longer than all the rest."""
    monkeypatch.setitem(sys.modules, "importlib.metadata", None)
    assert _roots.default_roots()


# -- scope

PATTERNS = [
    ((), (), "shop/prices.py", True),
    ((), (), ".venv/lib/x.py", False),
    ((), (), "lib/site-packages/x.py", False),
    ((), (), "node_modules/x.py", False),
    ((), (), "shop/.#prices.py", False),
    ((), ("tests",), "tests/test_a.py", False),
    ((), ("tests",), "shop/tests/test_a.py", False),
    ((), ("tests",), "contests/a.py", True),
    ((), ("tests/",), "tests/a.py", False),
    ((), ("./tests/*",), "tests/deep/a.py", False),
    ((), ("shop/old",), "shop/old/a.py", False),
    ((), ("shop/old",), "x/shop/old/a.py", True),
    ((), ("*_pb2.py",), "shop/api_pb2.py", False),
    ((), ("shop/[ab].py",), "shop/a.py", False),
    ((), ("shop/[ab].py",), "shop/c.py", True),
    (("shop",), (), "shop/a.py", True),
    (("shop",), (), "bot/a.py", False),
    (("*.py",), ("bot",), "bot/a.py", False),
    (("*.py",), (), "bot/a.pyi", False),
    ((), ("shop/*.py",), "shop/deep/a.py", True),
    ((), ("shop/**/a.py",), "shop/very/deep/a.py", False),
    ((), ("shop/**/a.py",), "shop/a.py", False),
    ((), ("**/old",), "shop/old/a.py", False),
    ((), ("shop/**",), "shop/deep/a.py", False),
    ((), ("/old",), "shop/old/a.py", True),
    ((), ("/old",), "old/a.py", False),
    ((), ("*.py", "!a.py"), "shop/a.py", True),
    ((), ("*.py", "!a.py"), "shop/b.py", False),
    ((), ("!.plugins",), ".plugins/a.py", True),
    ((), ("# old",), "old/a.py", True),
    ((), ("[!a-c].py",), "d.py", False),
    ((), ("[!a-c].py",), "b.py", True),
    ((), (r"\!a.py",), "!a.py", False),
]


@pytest.mark.parametrize(("include", "exclude", "path", "inside"), PATTERNS)
def test_patterns(include: tuple[str, ...], exclude: tuple[str, ...], path: str, inside: bool) -> None:
    """Patterns are relative to the root, take in what lies below a folder, and without a slash hold at any depth."""
    root = os.path.join(os.sep, "app")
    scope = _roots.make_scope([root], include, exclude)
    assert (os.path.join(root, *path.split("/")) in scope) == inside


def test_a_root_below_a_hidden_folder_is_inside() -> None:
    """Patterns do not look at what lies above the root."""
    root = os.path.join(os.sep, "home", ".config", "bot")
    assert os.path.join(root, "a.py") in _roots.make_scope([root])


def test_a_file_as_root_is_inside_whatever_the_patterns_say() -> None:
    """Who names a file means it."""
    script = os.path.join(os.sep, "app", ".bot.py")
    scope = _roots.make_scope([script], include=["*.txt"], exclude=["*"])
    assert script in scope
    assert os.path.join(os.sep, "app", "other.py") not in scope


def test_files_outside_are_outside() -> None:
    """A folder whose name only starts like the root's is not inside it."""
    scope = _roots.make_scope([os.path.join(os.sep, "app")])
    assert os.path.join(os.sep, "application", "a.py") not in scope


def test_the_deepest_root_decides() -> None:
    """A file in a root inside another one follows the inner root's view."""
    outer = os.path.join(os.sep, "app")
    inner = os.path.join(outer, ".venv", "src", "lib")
    assert os.path.join(inner, "a.py") in _roots.make_scope([outer, inner])
    assert os.path.join(inner, "a.py") not in _roots.make_scope([outer])


def test_the_standard_library_below_a_root_is_outside() -> None:
    """A Python that lies inside the root, as under a home directory, is not looked after; a root inside it is."""
    library = sysconfig.get_path("stdlib")
    assert json.__file__ not in _roots.make_scope([os.path.dirname(os.path.dirname(library))])
    assert json.__file__ in _roots.make_scope([os.path.dirname(json.__file__)])


def test_folders_are_reached_whatever_is_included() -> None:
    """A watcher asks whether to enter a folder: patterns that take in files do not close it, exclusions do."""
    root = os.path.join(os.sep, "app")
    scope = _roots.make_scope([root], ["*.py"], ["old"])
    assert scope.reaches(os.path.join(root, "shop"))
    assert not scope.reaches(os.path.join(root, "old"))
    assert not scope.reaches(os.path.join(os.sep, "other"))


# -- overlap


def settings(*roots: str, exclude: tuple[str, ...] = ()) -> Settings:
    """Return settings with `roots` as they are."""
    return Settings(roots, exclude=exclude)


def test_overlap_names_the_two_roots(project: Path) -> None:
    """Two reloaders overlap if a root of one is, or lies in, a root of the other; both roots are named in turn."""
    outer, inner, beside = folders(project, "a", "a/b", "ab")
    assert overlap(settings(beside, outer), settings(inner)) == (outer, inner)
    assert overlap(settings(inner), settings(beside, outer)) == (inner, outer)
    assert overlap(settings(outer), settings(outer)) == (outer, outer)
    assert overlap(settings(outer), settings(beside)) is None


def test_excluded_roots_do_not_overlap(project: Path) -> None:
    """A reloader may have a folder that another one's patterns leave to it."""
    outer, inner = folders(project, "a", "a/b")
    assert overlap(settings(outer, exclude=("b",)), settings(inner)) is None
    assert overlap(settings(inner), settings(outer, exclude=("b",))) is None


def test_roots_overlap_through_links(project: Path) -> None:
    """A link to a folder inside the other's root overlaps as the folder itself does."""
    outer, inner = folders(project, "a", "a/b")
    link = project / "link"
    link.symlink_to(inner)
    assert overlap(settings(outer), settings(str(link))) == (outer, str(link))
    assert overlap(settings(str(link)), settings(outer)) == (str(link), outer)
