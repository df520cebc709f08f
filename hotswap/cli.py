"""The command line: options, a log on standard error, and a program that runs live.

Options of ours stand before the program; everything behind it belongs to the program. So the words are split by hand
before argparse sees them, at the first that is no option. What is printed goes through the logger ``hotswap``, to
which only this module gives a place to write: in a program that imports hotswap, the program decides.
"""

from __future__ import annotations

import argparse
import atexit
import logging
import os
import platform
import re
import signal
import sys
from collections.abc import Sequence
from typing import Any, Final

from hotswap import _program, _report, _restart
from hotswap._errors import HotswapError
from hotswap._model import Report
from hotswap._roots import default_roots

LOGGER: Final = logging.getLogger("hotswap")

_APPLY: Final = ("auto", "thread", "asyncio", "poll", "signal", "manual")
_COMMANDS: Final = ("demo", "run", "plan", "graph", "check")
_FORMATS: Final = ("tree", "mermaid", "dot", "svg")
_WITH_VALUE: Final = ("--apply", "--root", "--log-file")

_USAGE: Final = """\
hotswap [options] SCRIPT [ARGS ...]
       hotswap [options] -m MODULE [ARGS ...]
       hotswap graph [PACKAGE]
       hotswap plan [FOLDER]
       hotswap check MODULE ...
       hotswap demo"""

_ABOUT: Final = """\
Run a Python program live: save a file, and the running process runs the new code. No restart, no lost state."""

_MORE: Final = """\
the program:
  SCRIPT [ARGS ...]     a script, or a folder or zip file with a __main__.py; ARGS are its own, also those with dashes
  -m MODULE [ARGS ...]  a module or package, as with python -m

commands:
  run ...   the same as without "run"; what follows is always a program, whatever it is called
  demo      watch a small bot being edited while it runs (about ten seconds, in a temporary folder)
  graph [PACKAGE] [--format tree|mermaid|dot|svg]
            print who imports whom in a package or folder (default: the current directory), with the cycles and the
            modules on which most others depend; files are read, nothing is imported
  plan [--since COMMIT] [FOLDER]
            print what a running program would do with the edits since a commit (default: HEAD) in a folder (default:
            the current directory): which statements run for certain, and which if what they read changes; nothing is
            imported, and the exit code is 1 if a file cannot be read
  check [--since COMMIT] MODULE ...
            apply the edits since a commit to a process that has imported the modules as of that commit, in a copy of
            the current directory, and print what came of it; the exit code is 1 if it could not take all of them

If a file has the name of a command, the command wins: "hotswap demo" is the command, "hotswap ./demo" runs the file.
Files below the program's folder, the current directory, editable installs and other sys.path entries outside
site-packages and the standard library are watched. Settings may also stand in [tool.hotswap] of pyproject.toml.
"""


def main(argv: Sequence[str] | None = None) -> int | None:
    """Run the command line `argv` (without the program name; `sys.argv` if None) and return its exit code.

    None is what a program that reached its end gives. An exception or `SystemExit` of the program is raised on: the
    interpreter prints it and picks the exit code as it does for any program.
    """
    own, words = _split(sys.argv[1:] if argv is None else argv)
    command = words[0] if words and words[0] in _COMMANDS else ""
    if command == "run":
        more, words = _split(words[1:])
        own += more
    options = _parser().parse_args(own)
    if options.version:
        print(_version())
        return 0
    if command == "demo":
        return _demo(words[1:])
    if command == "graph":
        return _graph(words[1:])
    if command == "plan":
        return _plan(words[1:])
    if command == "check":
        return _check(words[1:])
    if options.restart and not _restart.is_child():
        return _fail_if(words) or _end_as(_restart.keep_running(sys.argv[1:] if argv is None else argv))
    return _run(options, words)


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return our options, and the words from the program on; those begin with ``-m`` for a module."""
    index = 0
    while index < len(argv):
        word = argv[index]
        bundle = re.fullmatch("-([qv]*)m(.*)", word)
        if bundle:
            flags, glued = bundle.groups()
            name = [glued] if glued else []
            return [*argv[:index], *(f"-{flag}" for flag in flags)], ["-m", *name, *argv[index + 1 :]]
        if word == "--" or not word.startswith("-") or word == "-":
            return list(argv[:index]), list(argv[index + (word == "--") :])
        index += 2 if word in _WITH_VALUE else 1
    return list(argv), []


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hotswap",
        usage=_USAGE,
        description=_ABOUT,
        epilog=_MORE,
        allow_abbrev=False,
        add_help=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("-h", "--help", action="help", help="show this text and exit")
    add("--version", action="store_true", help="show the version and exit")
    add("-q", "--quiet", action="store_true", help="log only what is not in effect")
    add("-v", "--verbose", action="store_true", help="log also what is watched and why things were done")
    add(
        "--apply",
        choices=_APPLY,
        help="where new code is put in: at once from the watcher's thread, between two callbacks of the event loop,"
        " where the program calls hotswap.poll() or hotswap.reload(), or at SIGHUP (default: auto)",
    )
    add("--strict", action="store_true", help="apply no part of an edit that cannot be applied wholly")
    add("--restart", action="store_true", help="start the program anew when an edit cannot be applied while it runs")
    add(
        "--root",
        action="append",
        default=[],
        metavar="PATH",
        help="watch PATH and the program's folder instead of the usual folders (may be repeated)",
    )
    add("--log-file", metavar="PATH", help="append the log to PATH instead of writing it to standard error")
    return parser


def _version() -> str:
    import importlib.metadata  # takes 60 ms, for this option alone

    try:
        number = importlib.metadata.version("hotswap")
    except importlib.metadata.PackageNotFoundError:
        number = "(not installed)"
    return f"hotswap {number} (Python {platform.python_version()})"


def _fail(message: str) -> int:
    print(f"hotswap: {message}", file=sys.stderr)
    return 2


def _show(text: str) -> int:
    """Print the result of a command; return 0, or what says that it could not be written."""
    try:
        print(text, flush=True)
    except OSError as exc:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left would be flushed at the end
        return 1 if isinstance(exc, BrokenPipeError) else _fail(f"standard output: {exc.strerror}")
    return 0


def _demo(words: Sequence[str]) -> int:
    if words:
        return _fail("the demo takes no arguments (to run a file of that name: hotswap ./demo)")
    from hotswap.demo import run_demo  # the demo's text is not read for every program

    LOGGER.addHandler(logging.NullHandler())  # the demo shows the reports itself
    return run_demo()


def _graph(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="hotswap graph", description="Print who imports whom; nothing is imported.")
    parser.add_argument(
        "package", nargs="?", default="", help="a package, module or folder (default: the current directory)"
    )
    parser.add_argument("--format", choices=_FORMATS, default="tree", help="how to print it (default: tree)")
    options = parser.parse_args(words)
    from hotswap._graph._view import of_files  # not read for every program

    try:
        graph = of_files(options.package, os.getcwd())
    except HotswapError as exc:
        return _fail(str(exc))
    return _show(getattr(graph, options.format)())


def _plan(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="hotswap plan", description="Print what a swap would do; nothing is run.")
    parser.add_argument("folder", nargs="?", default=os.curdir, help="where modules are imported from (default: .)")
    parser.add_argument("--since", default="HEAD", metavar="COMMIT", help="whose texts are run (default: HEAD)")
    options = parser.parse_args(words)
    from hotswap._offline import plan_since  # not read for every program

    try:
        plan, refused = plan_since(options.since, options.folder)
    except HotswapError as exc:
        return _fail(str(exc))
    lines = [line for found in refused for line in _report.finding_lines(found)]
    if plan.steps or not lines:
        lines.insert(0, _report.plan_text(plan))
    return _show("\n".join(lines)) or int(bool(refused))


def _check(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="hotswap check", description="Print what a running program could not take of the edits since a commit."
    )
    parser.add_argument("modules", nargs="+", metavar="MODULE", help="what the program imports, from here")
    parser.add_argument("--since", default="HEAD", metavar="COMMIT", help="whose texts it runs (default: HEAD)")
    options = parser.parse_args(words)
    from hotswap._check import check_since  # not read for every program

    try:
        return check_since(options.since, os.getcwd(), options.modules)
    except HotswapError as exc:
        return _fail(str(exc))


def _fail_if(words: Sequence[str]) -> int:
    """Say what is wrong with the program that `words` name, and return 2; 0 if nothing is."""
    if not words:
        _parser().print_help(sys.stderr)
        return 2
    if words[0] == "-":
        return _fail("a program on standard input has no file to watch; give it a file")
    return _fail("argument expected for the -m option") if words == ["-m"] else 0


def _end_as(code: int) -> int:
    """Return the exit code, or die of the signal that the program died of: `code` is minus its number then."""
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _run(options: argparse.Namespace, words: Sequence[str]) -> int | None:
    if _fail_if(words):
        return 2
    try:
        _log_to(options)
    except OSError as exc:
        return _fail(f"--log-file: {exc.strerror}: {options.log_file}")
    try:
        if words[0] == "-m":
            _program.run_module(words[1], words[2:], lambda folder: _start(options, folder))
        else:
            _program.run_path(words[0], words[1:], lambda folder: _start(options, folder))
    except _RefusedStart as exc:
        return _fail(str(exc))
    return None


class _RefusedStart(Exception):
    """The reloader did not start; the program was not begun."""


def _start(options: argparse.Namespace, folder: str) -> _program.Adopt:
    """Start watching for a program in `folder` and return what wants to know the text of ``__main__``.

    It is stopped by `atexit`, which CPython runs after the last thread of the program has ended: a server in a thread
    stays live when the main thread is done.
    """
    from hotswap._api import adopt
    from hotswap._reloader import Reloader  # --help and the demo need not load it

    try:
        reloader = Reloader(*_roots(options, folder), **_settings(options))
        reloader.start()
    except HotswapError as exc:
        raise _RefusedStart(str(exc)) from exc
    adopt(reloader)  # the verbs of `hotswap` in the program speak to it
    atexit.register(reloader.stop)
    LOGGER.debug("watching %s", ", ".join(reloader.settings.roots))
    for path in _hidden(folder):
        LOGGER.warning("%s cannot be imported: hotswap has loaded another module of that name", path)
    return reloader.adopt_main


def _hidden(folder: str) -> list[str]:
    """Return files in `folder` that the program will not get by import, since we imported their namesakes.

    Those that CPython has built in or frozen are loaded at every start: plain Python would not look into `folder`.
    """
    origins = {name: _origin(module) for name, module in list(sys.modules.items())}
    return sorted(
        path
        for name, origin in origins.items()
        if name != "__main__" and origin not in ("built-in", "frozen")
        for path in (os.path.join(folder, f"{name}.py"), os.path.join(folder, name, "__init__.py"))
        if path != origin and os.path.isfile(path)
    )


def _origin(module: object) -> str:
    return getattr(getattr(module, "__spec__", None), "origin", None) or "built-in"


def _roots(options: argparse.Namespace, folder: str) -> list[str]:
    """Return the folders to watch; none means the default ones, to which `folder` belongs as `sys.path[0]`."""
    if options.root:
        return [folder, *options.root]
    return [folder, *default_roots()] if sys.flags.safe_path else []


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return only what was asked for, so that ``[tool.hotswap]`` says the rest."""
    settings: dict[str, Any] = {"on_report": _log_more}
    if options.restart:
        settings["on_report"] = _restart.Leaving(_log_more)
    if options.apply:
        settings["apply"] = options.apply
    if options.strict:
        settings["strict"] = True
    return settings


def _log_more(report: Report) -> None:
    """Log the details of `report`, which the reloader has logged in short.

    In short again if that was in vain: `logging.config` disables all loggers that it is not told of.
    """
    short = _report.text(report)
    if LOGGER.disabled:
        LOGGER.disabled = False
        LOGGER.log(logging.WARNING if report.findings else logging.INFO, "%s", short)
    LOGGER.debug("details\n%s", _report.text(report, verbose=True).removeprefix(short).lstrip("\n"))


class _Lines(logging.Formatter):
    """Each record as ``hotswap: ...``; the line of a report begins so by itself."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if text.startswith("hotswap: ") else f"hotswap: {text}"


class _Stderr(logging.StreamHandler[Any]):
    """A stream of which nobody is told that it cannot be written: there is no place left to say it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging calls it so
        """Let the record go."""


class _File(logging.FileHandler):
    """A log file. That it cannot be written, as on a full disk, is said once; the program runs on."""

    _said = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging calls it so
        """Say why, the first time."""
        del record
        if not self._said:
            self._said = True
            _fail(f"{self.baseFilename} cannot be written: {sys.exception()}")


def _log_to(options: argparse.Namespace) -> None:
    """Give the logger a place to write and a level. Raises OSError if the log file cannot be opened."""
    place: logging.Handler = _Stderr()
    if options.log_file:
        place = _File(options.log_file, encoding="utf-8")
    place.setFormatter(_Lines("%(message)s"))
    LOGGER.addHandler(place)
    LOGGER.propagate = False  # a root logger that the program sets up would write each line again
    LOGGER.setLevel(logging.DEBUG if options.verbose else logging.WARNING if options.quiet else logging.INFO)
