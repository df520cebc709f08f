"""Runs scenarios, each in a process of its own.

The files are written, the `before` block takes references, each save is followed by `Reloader.reload()`, checks are
made, and the findings of the report are compared with what the scenario says. Then the last checks are made once more
by a cold start on the edited files: what a scenario expects of the living process must be true of a fresh one, or the
scenario says ``warm only``.

Processes are forked from one warm interpreter that has imported hotswap, so that a scenario costs milliseconds. Where
there is no fork, each gets a new interpreter.
"""

from __future__ import annotations

import ast
import faulthandler
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

import hotswap
from scenario import SAVES, SETUP, Block, Scenario, read, write

if TYPE_CHECKING:
    from hotswap import Report

SECONDS: Final = float(os.environ.get("HOTSWAP_SCENARIO_SECONDS", "30"))
_FINDING: Final = re.compile(r"^(?P<code>HS\d{3})(?: (?P<path>[^\s:]+):(?P<lineno>\d+))?(?: (?P<words>.*))?$")


def run(scenario: Scenario, root: Path) -> None:
    """Run a scenario in this process, which it leaves unusable. Raises what a check or the comparison raises."""
    names = _settle(root)
    blocks = list(scenario.blocks)
    while blocks and blocks[0].kind in (*SETUP, "earlier"):
        _lay(scenario, blocks.pop(0), root, names)
    with hotswap.Reloader(root, apply="manual") as reloader:
        names["reloader"] = reloader
        while blocks:
            if blocks[0].kind in SAVES:
                report = _save(blocks, root, reloader.reload)
                names["report"] = report
                _compare(scenario, blocks.pop(0) if blocks and blocks[0].kind == "report" else None, report, root)
            else:
                _execute(scenario, blocks.pop(0), names)


def run_cold(scenario: Scenario, root: Path) -> None:
    """Make the last checks of a scenario by a fresh start on the files as its edits left them."""
    for cache in root.rglob("__pycache__"):  # a .pyc of the same second and size would stand for the edited file
        shutil.rmtree(cache)
    names = _settle(root)
    kinds = [block.kind for block in scenario.blocks]
    last = max((number for number, kind in enumerate(kinds) if kind in SAVES), default=0)
    for number, block in enumerate(scenario.blocks):
        cold_check = block.kind == "check" and number > last and "warm" not in block.words
        if block.kind in ("earlier", "before") or cold_check:
            _execute(scenario, block, names)


def _settle(root: Path) -> dict[str, Any]:
    os.chdir(root)
    sys.path.insert(0, str(root))
    return {"__name__": "scenario_program", "root": root}


def _lay(scenario: Scenario, block: Block, root: Path, names: dict[str, Any]) -> None:
    if block.kind == "earlier":
        _execute(scenario, block, names)
    else:
        write(root, block)


def _save(blocks: list[Block], root: Path, reload: Callable[[], Report]) -> Report:
    while blocks and blocks[0].kind in SAVES:
        write(root, blocks.pop(0))
    return reload()


def _execute(scenario: Scenario, block: Block, names: dict[str, Any]) -> None:
    """Run a block of Python under the name and line numbers of the scenario file, so that tracebacks lead there."""
    tree = ast.parse("\n" * block.lineno + block.text, str(scenario.path))
    code: CodeType = compile(tree, str(scenario.path), "exec", dont_inherit=True)
    try:
        exec(code, names)
    except AssertionError as error:
        if not error.args:
            error.args = (_values(tree, error, names),)
        raise


def _values(tree: ast.Module, error: AssertionError, names: dict[str, Any]) -> str:
    """Say what the sides of a failed top-level comparison are."""
    line = error.__traceback__.tb_next.tb_lineno if error.__traceback__ and error.__traceback__.tb_next else 0
    for node in tree.body:
        if isinstance(node, ast.Assert) and node.lineno <= line <= (node.end_lineno or 0):
            sides = [node.test.left, *node.test.comparators] if isinstance(node.test, ast.Compare) else [node.test]
            told = (side for side in sides if not isinstance(side, ast.Constant))
            return "; ".join(f"{ast.unparse(side)} is {_value(side, names)}" for side in told)
    return ""


def _value(side: ast.expr, names: dict[str, Any]) -> str:
    try:
        return repr(eval(ast.unparse(side), names))
    except Exception as error:  # noqa: BLE001  the failed assertion is what is to be told
        return f"{type(error).__name__}: {error}"


# ------------------------------------------------------------------------------------------------------ comparing


def _compare(scenario: Scenario, block: Block | None, report: Report, root: Path) -> None:
    """Raise AssertionError unless each finding is told by one line of the block, and each line by the report."""
    lines = block.text.splitlines() if block else []
    findings = [(f.code, _relative(f.path, root), f.lineno, f"{f.message} {f.advice}") for f in report.findings]
    unmatched = list(findings)
    for line in lines:
        expected = _FINDING.match(line)
        if expected is None:
            assert line in str(report), f"not in the report: {line!r}"
            continue
        hit = next((finding for finding in unmatched if _agrees(expected, finding)), None)
        assert hit is not None, f"no such finding: {line!r}; findings: {findings}"
        unmatched.remove(hit)
    place = f"the block at line {block.lineno}" if block else "this save, which has no report block,"
    assert not unmatched, f"{scenario.path}: findings that {place} does not name: {unmatched}"


def _relative(path: str, root: Path) -> str:
    return os.path.relpath(os.path.realpath(path), os.path.realpath(root)).replace(os.sep, "/") if path else ""


def _agrees(expected: re.Match[str], finding: tuple[str, str, int, str]) -> bool:
    code, path, lineno, words = finding
    place = expected["path"] is None or (expected["path"], int(expected["lineno"])) == (path, lineno)
    return code == expected["code"] and place and (expected["words"] or "") in words


# ------------------------------------------------------------------------------------------------------ processes


class Runner:
    """One warm interpreter that runs scenarios, each in a fork of itself. Close it when all are done."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[str] | None = None

    def run(self, scenario: Scenario, folder: Path) -> str:
        """Run a scenario, then its last checks cold, in `folder`; return what went wrong, or ""."""
        (folder / "root").mkdir()
        failure = self._ask(scenario, folder, cold=False)
        if not failure and scenario.mark("warm only") is None:
            failure = self._ask(scenario, folder, cold=True)
        return failure

    def _ask(self, scenario: Scenario, folder: Path, *, cold: bool) -> str:
        server = self._server or self._start()
        assert server.stdin and server.stdout
        answer = folder / ("cold.txt" if cold else "warm.txt")
        request = {"path": str(scenario.path), "index": scenario.index, "cold": cold}
        print(
            json.dumps({**request, "root": str(folder / "root"), "answer": str(answer)}), file=server.stdin, flush=True
        )
        status = server.stdout.readline().strip()
        if not hasattr(os, "fork"):
            self.close()
        if status == "0":
            return ""
        return (answer.read_text(encoding="utf-8") if answer.exists() else "") or f"the process ended with {status!r}"

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-Werror", str(Path(__file__).resolve())]
        same_copy = {**os.environ, "PYTHONPATH": str(Path(next(iter(hotswap.__path__))).parent)}
        pipe = subprocess.PIPE
        self._server = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=same_copy)
        return self._server

    def close(self) -> None:
        """End the warm interpreter."""
        if self._server is not None:
            self._server.communicate()
            self._server = None


def serve() -> None:
    """Answer requests, one JSON object a line on standard input, with the exit status of each on standard output."""
    _warm_up()
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        status = _forked(request) if hasattr(os, "fork") else _attempt(request)
        print(status, file=answers, flush=True)


def _warm_up() -> None:
    """Import what hotswap imports when it is needed, so that no scenario has to."""
    for room in pkgutil.walk_packages(hotswap.__path__, "hotswap."):
        if not room.name.startswith(("hotswap.adapters.", "hotswap.integrations.", "hotswap.__main__", "hotswap.demo")):
            import_module(room.name)


def _forked(request: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        status = _attempt(request)
    finally:
        os._exit(status)  # no clean-up twice, and no thread of the scenario is waited for


def _attempt(request: dict[str, Any]) -> int:
    scenario = read(Path(request["path"]))[request["index"]]
    with ExitStack() as stack:
        answer = stack.enter_context(open(request["answer"], "w", encoding="utf-8"))
        stack.enter_context(redirect_stdout(answer))
        stack.enter_context(redirect_stderr(answer))
        faulthandler.dump_traceback_later(SECONDS, exit=True, file=answer)
        try:
            (run_cold if request["cold"] else run)(scenario, Path(request["root"]))
        except BaseException as error:  # noqa: BLE001  SystemExit, too, is a failure of the scenario
            answer.write(_told(scenario, error, cold=request["cold"]))
            return 1
        finally:
            faulthandler.cancel_dump_traceback_later()
    return 0


def _told(scenario: Scenario, error: BaseException, *, cold: bool) -> str:
    """Return the place of the scenario, the last report, and the traceback without the frames of this file."""
    trace, report = error.__traceback__, ""
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        if "report" in trace.tb_frame.f_locals:
            report = f"last report:\n{trace.tb_frame.f_locals['report']}\n"
        trace = trace.tb_next
    when = "on a cold start with the edited files" if cold else "in the living process"
    said = "".join(traceback.format_exception(error.with_traceback(trace)))
    return f"{scenario.path}:{scenario.lineno}: {scenario.title}: failed {when}\n{report}{said}"


if __name__ == "__main__":
    serve()
