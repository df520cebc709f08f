"""The edit contract: each way in which an edit may not be wholly in effect, with a stable code.

`HS1xx` cannot be applied in this process, `HS2xx` applied but something old remains or was not run, `HS3xx` the edit
could not be read or run (its group is held), `HS4xx` watching trouble. Codes are never reused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final

from hotswap._model import Finding, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the contract. `message` and `advice` are format strings over the fields given to `finding`."""

    code: str
    title: str
    message: str
    advice: str


_RULES: Final = (
    Rule("HS101", "class rebuilt", "{name} cannot be changed in place ({why}), only made anew",
         "objects made before keep the old class where they could not be moved: {left} left"),
    Rule("HS102", "file of a loaded module is gone", "{module} has no file any more; its code stays loaded",
         "restart if nothing should use it"),
    Rule("HS104", "member that a class cannot take", "{name} cannot be changed in place: {why}", "restart to use it"),
    Rule("HS105", "class header that is fixed", "the header of {name} cannot be changed while it runs: {why}", "restart to use it"),
    Rule("HS106", "extension module built anew", "{module} is an extension module, and its file is another one now",
         "restart to use it"),
    Rule("HS107", "module that took another form", "{module} {why}; what its file says now is not applied",
         "restart to use it"),
    Rule("HS201", "kept value", "{name} depends on what changed but keeps its value: {why}",
         "hotswap.rerun({target!r}) makes it anew"),
    Rule("HS202", "statement not run", "this statement was not run: {why}", "hotswap.rerun({target!r}) runs it"),
    Rule("HS203", "removed statement's effect stays", "the statement was deleted, what it did stays: {name}",
         "undo it by hand, or restart"),
    Rule("HS204", "stale closure", "a live closure of {name} keeps its old code: it has no cell for {missing}",
         "call the function that makes it again"),
    Rule("HS205", "name gone, reference kept", "{name} left {module}, but {holder} imported it and keeps the object",
         "a fresh start would fail at that import"),
    Rule("HS206", "old object not forwarded", "{name} is another kind of object now; {count} old references remain ({why})",
         "take the reference anew"),
    Rule("HS207", "old code runs on", "{name} is running; its new body is used when it is called again", ""),
    Rule("HS210", "instances lack an attribute", "{count} live objects of {name} have no {missing}, which new ones have",
         "define __hotswap_migrate__ on the class"),
    Rule("HS212", "new text unknown to baseline", "{module} was edited before hotswap saw it; functions are patched, nothing ran",
         "hotswap.rerun({target!r}) or restart if module-level statements changed"),
    Rule("HS214", "computed values stay", "values computed by {name} stay on the objects that have them",
         "delete the attribute to compute it anew"),
    Rule("HS215", "instances not migrated", "__hotswap_migrate__ of {name} raised for {count} live objects, last {message}",
         "they are as they were; mend the hook"),
    Rule("HS216", "removed member is held", "{name} left its class; {count} references to it remain", "take the reference anew"),
    Rule("HS217", "class of a call keeps old members", "{count} live classes {name} {what}: {why}",
         "call the function that makes the class again"),
    Rule("HS218", "member not seen", "{who} looked through the class when it was made and did not see {name} as it is now",
         "do by hand what that does, or restart"),
    Rule("HS219", "old value is held", "{name} is another object now; the old one is still held by {where}",
         "give them the new one, or restart"),
    Rule("HS220", "hook not awaited", "{name} was not called: {why}", "start hotswap with apply='asyncio'"),
    Rule("HS221", "statement of a body that runs", "{name} was not run: the body of {module} still runs, at or above this line",
         "put what runs so long into a function, or restart"),
    Rule("HS222", "suspended in old code", "{name} is suspended at this line and goes on with its old code",
         "let it end or cancel it; new calls run the new code"),
    Rule("HS223", "state made anew", "{name} was made anew; what the program had put into it is gone",
         "carry it over with __hotswap_before__ and __hotswap_after__"),
    Rule("HS224", "undone", "{module} runs the text of before, its file says otherwise", "save the file to have it count again"),
    Rule("HS225", "process of its own", "{name} (pid {pid}, made by {method}) has imported the program for itself and keeps its code",
         "restart that process"),
    Rule("HS226", "kept state", "{name} depends on what changed but is state by now: {why}",
         "hotswap.rerun({target!r}) makes it anew; what the program did to it is gone then"),
    Rule("HS227", "registration stays", "{name} is not decorated so any more, but what the decorator did stays: {why}",
         "take the registration back by hand, or restart"),
    Rule("HS228", "hook raised after the swap", "{name} raised {message}", "the swap is in effect; mend the hook"),
    Rule("HS229", "class made by an older hook", "{name} changed; it is not called again for {count} live {what}",
         "restart if it does something else for them"),
    Rule("HS230", "closure keeps its header", "{count} live closures of {name} keep their old {what}: the call that made them is over",
         "call the function that makes them again"),
    Rule("HS231", "value differs from the file", "{name} is not what the file says: the program set it, or the file was edited "
         "before hotswap saw it", "hotswap.rerun({target!r}) makes it what the file says"),
    Rule("HS232", "made out of order", "{name} was made later than {before}, and {attribute} says when",
         "restart if that order matters"),
    Rule("HS240", "registered at start", "{name} registers when it runs; what it registered before stays as it was",
         "call it again, or restart"),
    Rule("HS241", "new code failed", "{name} failed: {error}", "mend it and save: the next swap tries again"),
    Rule("HS301", "syntax error", "{message}", "the old code runs on; the next save tries again"),
    Rule("HS302", "unreadable file", "{message}", "the old code runs on; the next save tries again"),
    Rule("HS303", "statement raised", "{message}", "nothing of this save is live; the next save tries again"),
    Rule("HS304", "hotswap's own failure", "bug in hotswap: {message}", "please report it; what is not live is tried again with the next save"),
    Rule("HS305", "empty file held", "{module} is empty or gone; it is not applied yet", "save it again, or reload()"),
    Rule("HS306", "held with another file", "{module} waits for {other}, which could not be applied", "mend that file"),
    Rule("HS307", "swap asked for inside a swap", "there can be no swap here: {why}", "what was saved is looked at with the next one"),
    Rule("HS308", "code of another loader", "{module} does not run what hotswap makes of its file: its loader {loader} makes other code",
         "restart, or importlib.reload() the module"),
    Rule("HS309", "effect of a save that was taken back", "this ran before the save was taken back, and what it did may stay: {why}",
         "undo it by hand; the next save runs it again"),
    Rule("HS310", "interrupted", "Ctrl-C came while this save was applied", "nothing of it is live; hotswap.retry() tries again"),
    Rule("HS311", "merge conflict", "the file has conflict markers", "the old code runs on; save it once they are resolved"),
    Rule("HS312", "not text in its encoding", "{message}",
         "the old code runs on; save the file in UTF-8, or name its encoding in the first line"),
    Rule("HS313", "import failed", "{message}", "nothing of this save is live; it is tried again when what is missing is there"),
    Rule("HS314", "module asked to exit", "{message}", "nothing of this save is live; take the exit out of the module's own code"),
    Rule("HS315", "too much for the compiler", "{message}", "the old code runs on; split the expression"),
    Rule("HS316", "refused as a whole", "strict: nothing of this save is live, as {refusal} says: {message}",
         "restart to use it, or allow {refusal} in the settings"),
    Rule("HS317", "paused", "nothing is applied while hotswap is paused", "what was saved is applied when the pause ends"),
    Rule("HS318", "hook raised before the swap", "{name} raised {message}",
         "nothing of this save is live; the next save tries again"),
    Rule("HS401", "watch limit reached", "the system has no file watches left: {message}", "changed files are polled instead"),
    Rule("HS402", "events lost", "the system dropped file events; all loaded files were looked at", ""),
    Rule("HS403", "watched folder gone", "{path_name} is gone or cannot be watched: {message}", "it is tried again"),
    Rule("HS404", "events may not come", "{path_name} is on {kind}, where not every save comes as an event", "its loaded files are polled as well"),
    Rule("HS405", "no global lock", "this build of Python has no global lock: other threads may see a part of a change",
         "apply where other threads rest, as with apply='poll'"),
    Rule("HS406", "another reloader", "{name} restarts this process upon each save ({variable} is set)", "turn its reloader off"),
)
# E501: a row of the table is easier to read on one line than wrapped.

CATALOGUE: Final[dict[str, Rule]] = {rule.code: rule for rule in _RULES}


SEVERAL: Final = {
    "HS201": "{count} values depend on what changed but keep what they are: {name}. The first: {why}",
    "HS226": "{count} values depend on what changed but are state by now: {name}. The first: {why}",
}
"""What is said of many values of one file by one finding, which counts and names them."""

_FEW, _MANY = 3, 8
"""So many values of a file are told one by one that depend on the same change, or on whatever changed."""


def finding(code: str, path: str, lineno: int, **fields: object) -> Finding:
    """Return the finding `code` at `path`:`lineno`, its words filled from `fields`.

    Raises KeyError if the code is not in the catalogue or a field that its words name is missing.
    """
    rule = CATALOGUE[code]
    target = str(fields.get("target", ""))
    return Finding(code, path, lineno, rule.message.format(**fields), rule.advice.format(**fields), target=target)


def gathered(findings: Mapping[Finding, Mapping[str, object]]) -> list[Finding]:
    """Return `findings` of one file, given with their fields; as one those of them that say the same of many values."""
    by_code = Counter(one.code for one in findings)
    found: dict[object, list[Finding]] = {}
    for one, fields in findings.items():
        is_alike = one.code in SEVERAL
        cause = is_alike and (by_code[one.code] > _MANY or str(fields["why"]).partition(";")[0])
        found.setdefault((one.code, cause) if is_alike else one, []).append(one)
    groups = ([_together(same, findings)] if len(same) > _FEW else same for same in found.values())
    return [one for group in groups for one in group]


def _together(same: Sequence[Finding], findings: Mapping[Finding, Mapping[str, object]]) -> Finding:
    first, names = same[0], ", ".join(str(findings[one]["name"]) for one in same)
    words = SEVERAL[first.code].format(count=len(same), name=names, why=findings[first]["why"])
    advice, target = f"{first.advice}, and the others alike", ", ".join(one.target for one in same)
    return replace(first, message=words, advice=advice, target=target)


def graded(found: Finding, severities: Mapping[str, Severity]) -> Finding:
    """Return `found` with the severity that the settings give its code."""
    grade = severities.get(found.code)
    return found if grade is None or grade is found.grade else replace(found, grade=grade)


def line_in(traceback: TracebackType | None, path: str) -> int | None:
    """Return the last line of `path` that `traceback` goes through."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == path:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
