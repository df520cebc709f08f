"""The edit contract: each way in which an edit may not be wholly in effect, with a stable code.

`HS1xx` cannot be applied in this process, `HS2xx` applied but something old remains or was not run, `HS3xx` the edit
could not be read or run (its group is held), `HS4xx` watching trouble. Codes are never reused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hotswap._model import Finding


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the contract. `message` and `advice` are format strings over the fields given to `finding`."""

    code: str
    title: str
    message: str
    advice: str


_RULES: Final = (
    Rule("HS101", "class rebuilt", "{name} could not be changed in place ({why}); it is a new class now",
         "objects made before keep the old class where they could not be moved: {left} left"),
    Rule("HS102", "file of a loaded module is gone", "{module} has no file any more; its code stays loaded",
         "restart if nothing should use it"),
    Rule("HS104", "member that a class cannot take", "{name} cannot be changed in place: {why}", "restart to use it"),
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
    Rule("HS210", "instances lack an attribute", "{count} live objects of {name} have no {missing}, which its new code reads",
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
    Rule("HS230", "closure keeps its header", "{count} live closures of {name} keep their old {what}: the call that made them is over",
         "call the function that makes them again"),
    Rule("HS231", "value differs from the file", "{name} is not what the file says: the program set it, or the file was edited "
         "before hotswap saw it", "hotswap.rerun({target!r}) makes it what the file says"),
    Rule("HS240", "registered at start", "{name} registers when it runs; what it registered before stays as it was",
         "call it again, or restart"),
    Rule("HS241", "new code failed", "{name} failed: {error}", "mend it and save: the next swap tries again"),
    Rule("HS301", "syntax error", "{message}", "the old code runs on; the next save tries again"),
    Rule("HS302", "unreadable file", "{message}", "the old code runs on; the next save tries again"),
    Rule("HS303", "statement raised", "{message}", "nothing of this save is live; the next save tries again"),
    Rule("HS304", "hotswap's own failure", "bug in hotswap: {message}", "please report it; the old code runs on"),
    Rule("HS305", "empty file held", "{module} is empty or gone; it is not applied yet", "save it again, or reload()"),
    Rule("HS306", "held with another file", "{module} waits for {other}, which could not be applied", "mend that file"),
    Rule("HS307", "swap asked for inside a swap", "there can be no swap here: {why}", "what was saved is looked at with the next one"),
    Rule("HS308", "code of another loader", "{module} does not run what hotswap makes of its file: its loader {loader} makes other code",
         "restart, or importlib.reload() the module"),
    Rule("HS401", "watch limit reached", "the system has no file watches left: {message}", "changed files are polled instead"),
    Rule("HS402", "events lost", "the system dropped file events; all loaded files were looked at", ""),
    Rule("HS403", "watched folder gone", "{path_name} is gone or cannot be watched: {message}", "it is tried again"),
    Rule("HS404", "events may not come", "{path_name} is on {kind}, where not every save comes as an event", "its loaded files are polled as well"),
)
# E501: a row of the table is easier to read on one line than wrapped.

CATALOGUE: Final[dict[str, Rule]] = {rule.code: rule for rule in _RULES}


def finding(code: str, path: str, lineno: int, **fields: object) -> Finding:
    """Return the finding `code` at `path`:`lineno`, its words filled from `fields`.

    Raises KeyError if the code is not in the catalogue or a field that its words name is missing.
    """
    rule = CATALOGUE[code]
    return Finding(code, path, lineno, rule.message.format(**fields), rule.advice.format(**fields))
