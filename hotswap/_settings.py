"""Validated options: what was given as arguments, over ``[tool.hotswap]`` of the nearest pyproject.toml, over defaults.

Every option is checked here and nowhere else, so the stages take values as they come. A wrong one is told with its
name, what was given and what is accepted: a watcher that ignores a misspelt option looks as if it did not work.
"""

# without `from __future__ import annotations`: `typing` would compile the fields of the tuple below, and the first
# compile of a process makes the classes of `ast`, which takes a millisecond of each program's start
import os
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypedDict, Unpack, get_args

from hotswap._errors import SettingsError
from hotswap._roots import Scope, default_roots, make_scope, merge

Apply = Literal["auto", "thread", "asyncio", "poll", "signal", "manual"]
Path = str | os.PathLike[str]

if TYPE_CHECKING:
    from hotswap._model import Report, Severity

    Listener = Callable[[Report], object]
    Severities = Mapping[str, Severity]

    class Options(TypedDict, total=False):
        """The keyword arguments of `make` and of every call that starts a reloader; `Settings` says what they mean."""

        apply: Apply
        strict: bool
        include: Iterable[str]
        exclude: Iterable[str]
        on_report: Listener | None
        keep: Iterable[str]
        rerun: Iterable[str]
        quiet: Iterable[str]
        severities: Mapping[str, str]

else:
    Listener, Severities = Callable, Mapping


_GRADES: Final = ("refused", "stale", "ignored")


class Settings(NamedTuple):
    """What a reloader is told once, at its start.

    `roots` are absolute paths of folders or files, none inside another. `apply` says where changes are applied:
    ``thread`` (at once), ``asyncio`` (between two callbacks of the event loop), ``poll`` (when the program polls),
    ``signal`` (at SIGHUP), ``manual`` (when it reloads), ``auto`` (asyncio while a loop runs in the main thread or in
    the one that started it, else thread; poll from the first poll on). `strict` applies nothing of a group that cannot
    be applied whole. `include` and `exclude` are `.gitignore` patterns on paths relative to their root: with `include`
    only what matches is looked after. `on_report` is called with each report. `keep` and `rerun` are targets
    (``module:name``) whose statements never, or always, run again when stale. `quiet` are dotted names of functions
    that the project declares to be without effects.
    """

    roots: tuple[str, ...]
    apply: Apply = "auto"
    strict: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    on_report: Listener | None = None
    keep: tuple[str, ...] = ()
    rerun: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    severities: Severities = MappingProxyType({})

    def scope(self) -> Scope:
        """Return which files are looked after, links resolved as they are now."""
        return make_scope(self.roots, self.include, self.exclude)


def make(*paths: Path, **options: "Unpack[Options]") -> Settings:
    """Return the settings for `paths` and `options`, completed from pyproject.toml and the defaults.

    The pyproject.toml is the nearest at or above the first path or, without paths, the current directory; a value
    given here replaces the one there. Without paths in either place the default roots are taken.

    Raises SettingsError for an unknown option, a value that is not accepted, a path that does not exist, or when there
    is nothing to look after.
    """
    table, folder, place = _project_table(_text("paths", paths[0], "") if paths else os.curdir)
    in_project = _strings("paths", table.pop("paths", ()), place)
    given: dict[str, Any] = {**_checked(table, place), **_checked(options, "")}
    _refuse_contradiction(given)
    named = [_existing(path, "") for path in paths]
    named = named or [_existing(os.path.join(folder, path), place) for path in in_project]
    roots = merge(named, given.get("exclude", ())) if named else default_roots()
    if not roots:
        raise SettingsError("paths: nothing to look after was found; name a folder: hotswap.watch('src')")
    return Settings(roots, **given)


def overlap(first: Settings, second: Settings) -> tuple[str, str] | None:
    """Return a root of each of which one is or contains the other, None if the two keep apart.

    A root that the other's patterns exclude does not overlap with it.
    """
    for one, scope, others in ((0, first.scope(), second.roots), (1, second.scope(), first.roots)):
        for root in others:
            base = scope.base(os.path.realpath(root))
            if base is not None and scope.reaches(os.path.realpath(root)):
                return (base, root) if one == 0 else (root, base)
    return None


def _project_table(start: str) -> tuple[dict[str, Any], str, str]:
    """Return ``[tool.hotswap]`` for `start`, the folder of its file, and how to name that place in a message."""
    path = _nearest(os.path.abspath(start))
    data = _read(path) if path else b""
    if b"hotswap" not in data:  # tomllib takes 5 ms to import: only for a file that can have the table
        return {}, "", ""
    import tomllib

    try:
        table: Any = tomllib.loads(data.decode("utf-8"))
    except ValueError as error:
        raise SettingsError(f"{path}: cannot read the table [tool.hotswap]: {error}") from error
    for name in ("tool", "hotswap"):
        table = table.get(name, {})
        if not isinstance(table, dict):
            raise SettingsError(f"{path}: cannot read the table [tool.hotswap]: {name} = {table!r} is none")
    return table, os.path.dirname(path), f"[tool.hotswap] in {path}: "


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error


def _nearest(folder: str) -> str:
    """Return the pyproject.toml at or above `folder`, "" if there is none."""
    while not os.path.isfile(os.path.join(folder, "pyproject.toml")):
        folder, inner = os.path.dirname(folder), folder
        if folder == inner:
            return ""
    return os.path.join(folder, "pyproject.toml")


def _existing(path: Path, place: str) -> str:
    absolute = os.path.abspath(_text("paths", path, place))
    if not os.path.exists(absolute):
        raise _refusal(place, "paths", path, "a folder or file that exists")
    return absolute


def _checked(given: Mapping[str, object], place: str) -> dict[str, object]:
    """Return `given` with each value checked and brought to the type that `Settings` has."""
    return {name: _check_of(name, place)(name, value, place) for name, value in given.items()}


def _check_of(name: str, place: str) -> Callable[[str, Any, str], object]:
    if name in _CHECKS:
        return _CHECKS[name]
    import difflib  # only for who misspelt something

    accepted = ["paths", *(one for one in _CHECKS if one != "on_report")] if place else list(_CHECKS)
    near = difflib.get_close_matches(name, accepted, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise SettingsError(f"{place}unknown option {name!r}; {hint}accepted are {', '.join(accepted)}")


def _refusal(place: str, name: str, value: object, accepted: str) -> SettingsError:
    return SettingsError(f"{place}{name}={value!r} is not accepted; it takes {accepted}")


def _apply(name: str, value: object, place: str) -> object:
    if isinstance(value, str) and value in get_args(Apply):
        return value
    accepted = ", ".join(map(repr, get_args(Apply)))
    raise _refusal(place, name, value, f"one of {accepted}")


def _flag(name: str, value: object, place: str) -> bool:
    if isinstance(value, bool):
        return value
    raise _refusal(place, name, value, "True or False")


def _callback(name: str, value: object, place: str) -> object:
    if place:
        raise SettingsError(f"{place}{name} is a function, so it can be given as an argument only")
    if value is None or callable(value):
        return value
    raise _refusal(place, name, value, "a callable with one argument, the report, or None")


def _text(name: str, value: object, place: str) -> str:
    plain = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(plain, str) and plain:
        return plain
    raise _refusal(place, name, value, "a path as text or as a pathlib.Path")


def _strings(name: str, value: object, place: str) -> tuple[str, ...]:
    """Return `value` as strings; one string alone stands for itself, not for its letters."""
    items = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (None,)
    if all(isinstance(item, str) and item for item in items):
        return items
    raise _refusal(place, name, value, "a list of strings, none of them empty")


def _targets(name: str, value: object, place: str) -> tuple[str, ...]:
    items = _strings(name, value, place)
    for item in items:
        if not all(map(_is_dotted, item.partition(":")[::2])):
            raise _refusal(place, name, item, "targets of the form 'module:name', such as 'shop.prices:TABLE'")
    return items


def _dotted(name: str, value: object, place: str) -> tuple[str, ...]:
    items = _strings(name, value, place)
    for item in items:
        if not _is_dotted(item):
            raise _refusal(place, name, item, "dotted names of functions, such as 'shop.prices.parse'")
    return items


def _severities(name: str, value: object, place: str) -> Severities:
    from hotswap._findings import CATALOGUE
    from hotswap._model import Severity

    if not isinstance(value, Mapping):
        raise _refusal(place, name, value, "a table of codes and severities, such as {'HS214': 'ignored'}")
    for code, severity in value.items():
        if code not in CATALOGUE:
            raise _refusal(place, name, code, "codes of the edit contract, such as 'HS201'")
        if code.startswith("HS3"):
            raise SettingsError(f"{place}{name}: {code} cannot have another severity; what it holds is not applied")
        if severity not in _GRADES:
            raise _refusal(place, f"{name}.{code}", severity, f"one of {', '.join(map(repr, _GRADES))}")
    return {code: Severity(severity) for code, severity in value.items()}


def _is_dotted(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _refuse_contradiction(given: Mapping[str, Any]) -> None:
    both = sorted({*given.get("keep", ())} & {*given.get("rerun", ())})
    if both:
        raise SettingsError(f"keep and rerun both name {', '.join(both)}; a target takes one of the two")


_CHECKS: Final[Mapping[str, Callable[[str, Any, str], object]]] = {
    "apply": _apply,
    "strict": _flag,
    "include": _strings,
    "exclude": _strings,
    "on_report": _callback,
    "keep": _targets,
    "rerun": _targets,
    "quiet": _dotted,
    "severities": _severities,
}
