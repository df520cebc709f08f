"""The magic ``%hotswap``: one verb each line, completed and explained by IPython like its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from hotswap import _report
from hotswap._errors import HotswapError
from hotswap._process import PROCESS
from hotswap.integrations.ipython import _showing, _status
from hotswap.integrations.ipython._drawing import draw, tree
from hotswap.integrations.ipython._why import explain

if TYPE_CHECKING:
    from hotswap._model import Report
    from hotswap.integrations.ipython._session import Session
    from hotswap.integrations.ipython._shell import Shell

NAME: Final = "hotswap"
_HOOK: Final = "complete_command"
_PREFIXES: Final = ("%hotswap", "hotswap", "%%hotswap")


class Magic:
    """What ``%hotswap`` and ``%%hotswap`` call."""

    def __init__(self, session: Session) -> None:
        self._session, self._shell = session, session.shell
        self.verbs: dict[str, Callable[[str], None]] = {
            "status": self._status,
            "on": self._turn,
            "off": self._turn,
            "live": self._turn,
            "now": self._now,
            "plan": self._plan,
            "why": self._why,
            "stale": self._stale,
            "errors": self._errors,
            "retry": self._retry,
            "undo": self._undo,
            "rerun": self._rerun,
            "graph": self._graph,
        }

    def hotswap(self, line: str, cell: str | None = None) -> None:
        """Look after the code that the notebook imports: what is saved is live in the next cell.

        %hotswap              what is live, what is not, and the last reports
        %hotswap on           look at the disk before each cell (so from the start)
        %hotswap live         apply what is saved at once, also between cells
        %hotswap off          leave everything as it is, until on or live
        %hotswap now          look at the disk now
        %hotswap plan         what looking would do, at most
        %hotswap why NAME     what became of a name with the last swaps, and why
        %hotswap stale        who still runs or holds old code
        %hotswap errors       what was saved and is not live
        %hotswap retry        try that again, though nothing was saved since
        %hotswap undo         back to the code before the last swap
        %hotswap rerun NAME   make a value anew that was kept: module:name
        %hotswap graph [PKG]  who imports whom, the last swap marked

        %%hotswap off         run this cell without looking at the disk before it
        """
        verb, _, rest = line.strip().partition(" ")
        verb = verb or "status"
        if cell is not None:
            self._run_cell(verb, cell)
            return
        act = self.verbs.get(verb)
        if act is None:
            raise usage(_unknown(verb, self.verbs))
        try:
            act(verb if act == self._turn else rest.strip())
        except HotswapError as error:
            raise usage(str(error)) from None

    def _run_cell(self, verb: str, cell: str) -> None:
        """Run the body; a notebook's own ``%%hotswap off`` has become a comment before, and does not come here."""
        if verb != "off":
            raise usage("a cell can begin with %%hotswap off; everything else is %hotswap, on a line of its own")
        mode, self._session.mode = self._session.mode, "off"
        try:
            self._shell.run_cell(cell, store_history=False)
        finally:
            self._session.mode = mode

    # -- verbs ---------------------------------------------------------------------------------------------------------

    def _status(self, _: str) -> None:
        _showing.publish(self._shell, *_status.both(self._session))

    def _turn(self, mode: str) -> None:
        self._session.set_mode(mode)
        _showing.say(self._shell, _status.MODES[mode])

    def _now(self, _: str) -> None:
        self._report(self._session.reloader.look() or self._session.reloader.reload())

    def _retry(self, _: str) -> None:
        self._report(self._session.reloader.retry())

    def _undo(self, _: str) -> None:
        report = self._session.reloader.undo()
        self._report(report) if report else _showing.say(self._shell, "nothing to undo")

    def _rerun(self, name: str) -> None:
        if not name:
            raise usage("%hotswap rerun takes what to make anew: module:name")
        self._report(self._session.reloader.rerun(name))

    def _report(self, report: Report) -> None:
        if report:
            self._session.tell(report, again=True)
        else:
            _showing.say(self._shell, "all that is saved is live")

    def _plan(self, _: str) -> None:
        self._print(_report.plan_text(self._session.reloader.plan()).splitlines())

    def _why(self, name: str) -> None:
        if not name:
            raise usage("%hotswap why takes a name: module:name, or one of the notebook's")
        self._print(explain(name, self._session.cells, self._session.reloader.why))

    def _stale(self, _: str) -> None:
        self._print(map(str, self._session.reloader.stale()), "nothing runs or holds old code")

    def _errors(self, _: str) -> None:
        found = self._session.reloader.errors()
        self._print((line for one in found for line in _showing.lines(one)), "all that is saved is live")

    def _graph(self, package: str) -> None:
        graph, marked = self._session.reloader.graph(package), _status.last_swapped(self._session)
        _showing.publish(self._shell, tree(graph, marked), draw(graph, marked))

    def _print(self, lines: Iterable[str], nothing: str = "nothing") -> None:
        shown = list(lines)
        if shown:
            _showing.publish(self._shell, "\n".join(shown), _showing.lines_html(shown))
        else:
            _showing.say(self._shell, nothing)


def _unknown(verb: str, verbs: Iterable[str]) -> str:
    near = get_close_matches(verb, verbs, 1)
    return f"%hotswap {verb}: no such verb{f'; did you mean {near[0]}?' if near else ''} (%hotswap? lists them)"


def usage(words: str) -> Exception:
    """Return IPython's exception that shows its words alone, without a traceback."""
    from IPython.core.error import UsageError

    error: Exception = UsageError(words)
    return error


# -- in the shell ------------------------------------------------------------------------------------------------------


def register(session: Session) -> None:
    """Make the magic known to the shell, with the completion of its words."""
    magic = Magic(session)
    session.shell.register_magic_function(magic.hotswap, "line_cell", NAME)

    def complete(_: object, event: Any) -> list[str]:
        return list(_completions(event.line, magic.verbs))

    for prefix in _PREFIXES:
        session.shell.set_hook(_HOOK, complete, str_key=prefix)


def unregister(shell: Shell) -> None:
    """Take the magic and its completion away."""
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop(NAME, None)
    vars(shell.magics_manager.user_magics).pop(NAME, None)
    for prefix in _PREFIXES:
        shell.strdispatchers[_HOOK].strs.pop(prefix, None)


def _completions(line: str, verbs: Iterable[str]) -> Iterator[str]:
    """Yield what may stand where the last word of `line` begins."""
    words = line.split()
    done = len(words) - (not line.endswith(" "))
    if line.lstrip().startswith("%%"):
        yield from ("off",) if done <= 1 else ()
    elif done <= 1:
        yield from verbs
    elif done == 2 and words[1] in ("why", "rerun", "graph"):
        yield from (name for name in PROCESS.baselines if name != "__main__")
