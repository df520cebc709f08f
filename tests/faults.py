"""Makes each operation of a swap fail in turn, over the edits of all scenarios, and compares what is left with what
was.

    python tests/faults.py --each 40            # at most 40 faults a save; some 12,000 in all
    python tests/faults.py --only failures/     # the scenarios whose name holds that

A scenario runs up to a save. Then, in a fork for each fault, the files are edited, the swap is begun, and an exception
is raised at one point of it: between two operations of a commit, before or after a statement, at a line of our own
code. Everything that the program can see has to be as it was. Then the fault is gone, `Reloader.retry` is called, and
what the scenario expects of the save has to be true.
"""

from __future__ import annotations

import argparse
import ast
import gc
import json
import os
import random
import re
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.util import find_spec
from itertools import dropwhile
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

from observed import Observed, observe

import hotswap
import scenario_run
from hotswap import _divide, _quiet, _transactions
from hotswap._apply import Applied, _adapter, _scopes
from hotswap._apply._swap import Swap
from hotswap._errors import StatementError
from hotswap._run._journal import Journal
from hotswap._small import SmallEdits
from scenario import FOLDER, SAVES, SETUP, Block, Scenario, read

OURS: Final = str(Path(next(iter(hotswap.__path__)))) + os.sep
SECONDS: Final = 60
_EMPTIED: Final = re.compile(r" cache: .* became CacheInfo\(hits=0, misses=0, .*currsize=0\)$")
"""A memo cache that a swap emptied stays so: what was in it cannot be put back, and is computed again."""
SORTS: Final = ("operation", "statement", "line")


class Injected(Exception):
    """What is raised in the place of whatever might go wrong."""


_OVER: Final = (Journal.undo.__code__, SmallEdits.accept.__code__, Swap.undo.__code__, Swap.forget.__code__)
_TOLD_ONCE: Final = ("HS102", "HS106", "HS225", "HS401", "HS403")
_APART: Final = {
    "replayed/a-save-that-two-swaps-apply": "the first swap is live when the second one fails",
    "functions_kinds/a-cache-is-taken-away": "who observes holds the function that the cache is counted by",
}
_COUNTING: Final = ("HS206", "HS219")
"""What counts references counts those of the observer, too, and of what the first attempt left for the collector."""
KINDS: Final = (Injected, KeyboardInterrupt, SystemExit)


@dataclass(frozen=True, slots=True)
class Point:
    """The `number`-th time that a swap passes a point of its `sort`, where it meets an exception of `kind`."""

    sort: str
    number: int
    kind: int = 0


@dataclass(slots=True)
class Result:
    """What became of one fault: `apart` are statements that ran before it and have effects that nobody can take
    back.
    """

    scenario: str
    save: int
    sort: str
    number: int
    place: str = ""
    apart: bool = False
    absorbed: bool = False
    differences: tuple[str, ...] = ()
    failure: str = ""

    @property
    def good(self) -> bool:
        return self.apart or not (self.differences or self.failure)


class Faults:
    """Counts the points that a swap passes, and raises at one of them."""

    def __init__(self, point: Point | None = None) -> None:
        self.point, self.passed, self.place, self.over = point, Counter[str](), "", False
        self.nodes: list[tuple[Any, Any]] = []
        self.small = False

    def hit(self, sort: str, place: str, wrap: Callable[[BaseException], BaseException] = lambda error: error) -> None:
        number = self.passed[sort]
        self.passed[sort] += 1
        if self.point is not None and not self.place and (sort, number) == (self.point.sort, self.point.number):
            self.place = f"{sort} {number} {place}"
            raise wrap(KINDS[self.point.kind]("injected"))

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Have swaps inside meet the fault."""
        commit, run, apply, scope_runs = Journal.commit, _scopes.run, _transactions.apply, {}
        small = _divide.apply_small
        Journal.commit = lambda journal: self._commit(journal, commit)  # type: ignore[method-assign]
        _scopes.run = partial(self._run, run)
        _transactions.apply = partial(self._apply, apply)
        _divide.apply_small = partial(self._apply_small, small)
        for kind in (_scopes.ModuleScope, _scopes.ClassScope):
            scope_runs[kind] = kind.run
            kind.run = partial_method(self._note_nodes, kind.run)  # type: ignore[method-assign,assignment]
        try:
            yield
        finally:
            sys.settrace(None)
            Journal.commit = commit  # type: ignore[method-assign]
            _scopes.run, _transactions.apply, _divide.apply_small = run, apply, small
            for kind, original in scope_runs.items():
                kind.run = original  # type: ignore[method-assign]

    def _commit(self, journal: Journal, commit: Callable[[Journal], None]) -> None:
        waiting = journal._waiting
        hits = [partial(self.hit, "operation", str(op)[:120]) for op in waiting]
        if waiting:
            both = [one for pair in zip(hits, waiting, strict=True) for one in pair]
            journal._waiting = [*both, partial(self.hit, "operation", "after all")]
            del hits, both  # a traceback through here must not hold what was to be set
        del waiting
        commit(journal)

    def _run(
        self, run: Callable[..., None], code: CodeType, names: Any, stores: Any, path: str, lineno: int, *rest: Any
    ) -> None:
        def wrap(error: BaseException) -> BaseException:
            return StatementError(error, path, lineno)

        self.hit("statement", f"before {path}:{lineno}", wrap)
        run(code, names, stores, path, lineno, *rest)
        self.hit("statement", f"after {path}:{lineno}", wrap)

    def _note_nodes(self, original: Any, scope: Any, nodes: Any, *args: Any, **kwargs: Any) -> Any:
        self.nodes += [(scope, node) for node in nodes]
        return original(scope, nodes, *args, **kwargs)

    def _apply_small(self, apply: Any, edits: Any) -> Any:
        try:
            return self._apply(apply, edits)
        finally:
            self.small = bool(self.place)

    def _apply(self, apply: Any, *args: Any, **kwargs: Any) -> Any:
        if self.small:  # the plain way would succeed where the small one failed, and hide what that left behind
            return Applied(error=KINDS[0]("injected"))
        if self.point is None or self.point.sort == "line":
            sys.settrace(self._trace)
        try:
            return apply(*args, **kwargs)
        finally:
            sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, arg: object) -> Any:
        del event, arg
        self.over |= frame.f_code in _OVER  # the edit itself failed, or all is live
        return self._line if not self.over and frame.f_code.co_filename.startswith(OURS) else None

    def _line(self, frame: FrameType, event: str, arg: object) -> Any:
        del arg
        if event == "line" and not self.place and not self.over:
            self.hit("line", f"{frame.f_code.co_filename.removeprefix(OURS)}:{frame.f_lineno}")
        return self._line


def partial_method(around: Callable[..., Any], original: Any) -> Any:
    """Return a method that calls `around` with the original one."""
    return lambda scope, nodes, *args, **kwargs: around(original, scope, nodes, *args, **kwargs)


# ----------------------------------------------------------------------------------------------------- one scenario


def scenarios(only: str = "") -> list[Scenario]:
    """Return the scenarios that run here, are expected to succeed, and swap something that can fail."""
    found = [one for path in sorted(FOLDER.glob("*.md")) if path.name != "README.md" for one in read(path)]
    return [one for one in found if _runs_here(one) and _saves(one) and re.search(only, name_of(one))]


def _saves(scenario: Scenario) -> bool:
    begun = dropwhile(lambda block: block.kind in (*SETUP, "earlier"), scenario.blocks)
    return any(block.kind in SAVES for block in begun)


def _runs_here(scenario: Scenario) -> bool:
    needed = scenario.mark("needs")
    if name_of(scenario) in _APART or scenario.mark("xfail") is not None or not scenario.is_about(sys.version_info[:2]):
        return False
    hooked = any("def __hotswap_" in block.text and "report" in block.text for block in scenario.blocks)
    if any("threading.Thread(" in block.text for block in scenario.blocks):
        return False  # a thread does not live on in the fork that meets the fault
    return not hooked and (needed is None or find_spec(needed) is not None)  # what a hook does is its own affair


def name_of(scenario: Scenario) -> str:
    """Return what a scenario is called: its file and its heading."""
    return f"{scenario.path.stem}/{scenario.slug}"


def _chooser(scenario: Scenario, save: int, each: float) -> random.Random | None:
    """Return what chooses the points of a save, None if no fault is tried there."""
    found = random.Random(f"{name_of(scenario)} {save} {sys.version_info[:2]}")
    return found if found.random() < each else None


def _is_chosen(scenario: Scenario, each: float) -> bool:
    """Whether a fault is tried at some save of `scenario`; it has as many as blocks that are saved, or fewer."""
    most = sum(block.kind in SAVES for block in scenario.blocks)
    return any(_chooser(scenario, save, each) is not None for save in range(most))


class Run:
    """One scenario in this process, which forks at each save."""

    def __init__(self, scenario: Scenario, root: Path, each: float, only: Point | None, out: Any) -> None:
        self.scenario, self.root, self.each, self.only, self.out = scenario, root, each, only, out

    def run(self) -> None:
        """Run the scenario; before each save, run it with each fault in a fork."""
        names = scenario_run._settle(self.root)
        blocks = list(self.scenario.blocks)
        while blocks and blocks[0].kind in (*SETUP, "earlier"):
            scenario_run._lay(self.scenario, blocks.pop(0), self.root, names)
        number = 0
        with hotswap.Reloader(self.root, apply="manual") as reloader:
            names["reloader"] = reloader
            while blocks:
                if blocks[0].kind in SAVES:
                    _adapter.found()  # one that cannot be loaded is done without: no fault of a swap
                    self._inject(number, list(blocks), names, reloader)
                    names["report"] = scenario_run._save(blocks, self.root, reloader.reload)
                    number += 1
                elif blocks[0].kind == "report":
                    blocks.pop(0)
                else:
                    scenario_run._execute(self.scenario, blocks.pop(0), names)

    def _inject(self, save: int, blocks: list[Block], names: dict[str, Any], reloader: Any) -> None:
        for point in [self.only] if self.only else self._points(save, blocks, reloader):
            result = Result(name_of(self.scenario), save, point.sort, point.number)
            forked(
                lambda point=point, result=result: self._tell(
                    Fault(self, blocks, names, reloader, result).attempt(point)
                )
            )

    def _points(self, save: int, blocks: list[Block], reloader: Any) -> list[Point]:
        """Run the save once, in a fork, to count; return a sample of its points, the same each time on one Python."""
        chooser = _chooser(self.scenario, save, self.each)
        if chooser is None:
            return []
        with tempfile.TemporaryFile("w+") as answer:

            def count() -> None:
                faults = Faults()
                with faults.installed():
                    scenario_run._save(blocks, self.root, reloader.reload)
                json.dump(faults.passed, answer)
                answer.flush()

            before = {path: path.read_bytes() for path in self.root.rglob("*") if path.is_file()}
            forked(count)
            restore(self.root, before)
            answer.seek(0)
            passed = json.loads(answer.read() or "{}")
        found: list[Point] = []
        for sort, share in zip(SORTS, (0.4, 0.3, 0), strict=True):  # there are lines enough to fill up with
            many = range(passed.get(sort, 0))
            wanted = min(len(many), max(1, round(self.each * share) if share else int(self.each) - len(found)))
            found += [Point(sort, n, chooser.choice((0, 0, 0, 1, 2))) for n in sorted(chooser.sample(many, wanted))]
        assert "line" in passed or not found, "swaps go another way: their lines are not seen"
        chooser.shuffle(found)
        return found[: max(1, int(self.each))]

    def _tell(self, result: Result) -> None:
        print(json.dumps(asdict(result)), file=self.out, flush=True)


class Fault:
    """One fault at one save."""

    def __init__(self, run: Run, blocks: list[Block], names: dict[str, Any], reloader: Any, result: Result) -> None:
        self.scenario, self.root = run.scenario, run.root
        self.blocks, self.names, self.reloader, self.result = blocks, names, reloader, result

    def attempt(self, point: Point) -> Result:
        """Meet the fault, compare, try again, check."""
        files = {path: path.read_bytes() for path in self.root.rglob("*") if path.is_file()}
        result, faults = self.result, Faults(point)
        try:
            before = self._observe()
            report, known = None, self.reloader.reports()
            with faults.installed(), suppress(*KINDS):  # a Ctrl-C outside of all transactions is for the program
                report = scenario_run._save(self.blocks, self.root, self.reloader.reload)
            told = [one for one in self.reloader.reports() if not any(one is other for other in known)]
            if report is None and told:
                report = told[-1]  # a Ctrl-C is raised once that is told
            result.place = faults.place
            if faults.place:
                self._compare(before, report, faults)
                if not (result.differences or result.absorbed or result.failure):
                    self._retry(report)
        except BaseException as error:  # noqa: BLE001  whatever comes out is what is to be told
            result.failure = "".join(traceback.format_exception(error))[-3000:]
            result.place = faults.place
        finally:
            restore(self.root, files)
        return result

    def _observe(self) -> Observed:
        held = {n: v for n, v in self.names.items() if n not in ("reloader", "report", "__builtins__")}
        return observe(held)

    def _compare(self, before: Observed, report: Any, faults: Faults) -> None:
        result = self.result
        if report is not None and not isinstance(report.error, KINDS):
            # a look at a value that failed means that the value is not known: no reason to hold anything
            result.absorbed = result.sort != "operation"
            result.failure = "" if result.absorbed else f"nothing is held after {faults.place}: {report}"
            return
        outcomes = report.outcomes if report is not None else ()  # those of other groups of the same save
        live = {outcome.step.module for outcome in outcomes}
        found = before.differences(self._observe(), live)
        if found:
            gc.collect()
            found = before.differences(self._observe(), live)
        before.kept.clear()
        found = [one for one in found if not _EMPTIED.search(one) and not (live and one.startswith("generation: "))]
        if found:
            result.apart = any(map(_has_effects, faults.nodes))
        faults.nodes.clear()
        if found:
            result.differences = tuple(found[:12])

    def _retry(self, first: Any) -> None:
        if first is not None and first.error is not None:
            traceback.clear_frames(first.error.__traceback__)  # they hold what the attempt was at: it counts as in use
        blocks = self.blocks
        again = self.names["report"] = self.reloader.retry()
        before = first.findings if first is not None else ()
        told = [one for one in before if one.code in _TOLD_ONCE and one not in again.findings]
        said = blocks.pop(0) if blocks and blocks[0].kind == "report" else None
        named = said.text if said is not None else ""
        kept = [one for one in again.findings if one.code not in _COUNTING or one.code in named]
        report = replace(again, findings=(*kept, *told))
        scenario_run._compare(self.scenario, said, report, self.root)
        while blocks and blocks[0].kind not in SAVES:
            block = blocks.pop(0)
            if block.kind == "check":
                scenario_run._execute(self.scenario, block, self.names)


def _has_effects(ran: tuple[Any, Any]) -> bool:
    scope, node = ran
    if isinstance(node, ast.Import | ast.ImportFrom) and any(name not in sys.modules for name in _imported(node)):
        return True  # a file that was new ran
    names = _quiet.NamespaceScope(dict(scope.namespace), lambda _: True, lambda _: None)
    return bool(_quiet.unquiet(node, names))


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]


def restore(root: Path, before: dict[Path, bytes]) -> None:
    """Give the files below `root` the content that they had."""
    for path in [path for path in root.rglob("*") if path.is_file() and path not in before]:
        path.unlink()
    for path, content in before.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


def forked(act: Callable[[], object], seconds: int = SECONDS) -> int:
    """Run `act` in a fork of this process, for `seconds` at most; return its exit status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        signal.alarm(seconds)  # not faulthandler: its own thread would not live on in the next fork
        act()
        status = 0
    except BaseException:  # noqa: BLE001  told, and seen in the status
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


# ---------------------------------------------------------------------------------------------------------- the run


def run(wanted: list[Scenario], each: float, only: Point | None = None) -> Iterator[Result]:
    """Inject at most `each` faults into each save of `wanted` (below 1: one into a part of them); yield the results."""
    with tempfile.TemporaryDirectory() as folder:
        results, said = Path(folder) / "results", Path(folder) / "said"
        for number, scenario in enumerate(one for one in wanted if only or _is_chosen(one, each)):
            root = Path(os.path.realpath(folder)) / str(number)
            root.mkdir()
            with (
                open(results, "w", encoding="utf-8") as out,
                open(said, "w", encoding="utf-8") as sink,
                redirect_stdout(sink),
                redirect_stderr(sink),
            ):
                status = forked(Run(scenario, root, each, only, out).run, 30 * SECONDS)
            yield from (Result(**json.loads(line)) for line in results.read_text(encoding="utf-8").splitlines())
            if status:
                failure = f"exit {status}: {said.read_text(encoding='utf-8')[-2000:]}"
                yield Result(name_of(scenario), -1, "", 0, failure=failure)


def summary(results: list[Result]) -> str:
    """Return the counts in words."""
    hit = [one for one in results if one.place and not one.absorbed]
    sorts = Counter(one.sort for one in hit)
    apart, bad = sum(one.apart for one in hit), sum(not one.good for one in results)
    told = ", ".join(f"{count} {sort}" for sort, count in sorts.items())
    return f"{len(hit)} faults ({told}), {apart} after statements with other effects, {bad} bad"


def main() -> int:
    """Run from the command line; the exit code is 1 if anything was left behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=float, default=4)
    parser.add_argument("--only", default="")
    parser.add_argument("--point", nargs=3, metavar=("SORT", "NUMBER", "KIND"))
    parser.add_argument("--share", default="0/1", help="i/n: every n-th scenario, from the i-th")
    given = parser.parse_args()
    first, step = map(int, given.share.split("/"))
    point = Point(given.point[0], int(given.point[1]), int(given.point[2])) if given.point else None
    results = []
    for one in run(scenarios(given.only)[first::step], given.each, point):
        results.append(one)
        if not one.good:
            lines = [f"{one.scenario} save {one.save}: {one.place or one.sort}", *one.differences, one.failure]
            print("\n  ".join(lines), flush=True)
    print(summary(results))
    return int(any(not one.good for one in results))


if __name__ == "__main__":
    sys.exit(main())
