"""Blueprints of Flask: an application has copies of what one has, made when it was registered, under its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from hotswap.adapters import Registrations

HOOKS: Final = (
    *("before_request_funcs", "after_request_funcs", "teardown_request_funcs"),
    *("template_context_processors", "url_value_preprocessors", "url_default_functions"),
)


def give_up(old: Registrations, application: Any) -> None:
    """Have what a blueprint brought leave with it: those inside it, its views and rules, and what it told the whole."""
    for item in old.leaving(application.blueprints):
        place, within, told = application.blueprints, _Within(f"{item[0]}."), _Told(item[1])
        for container in (place, application.view_functions, application.url_map):
            old.leave_too(container, within, place, item)
        for container in everywhere(application):
            old.leave_too(container, told, place, item)
    views = application.view_functions
    views.leaving = frozenset(endpoint for endpoint, _ in old.leaving(views))


def everywhere(application: Any) -> Iterator[Any]:
    """Yield the lists and mappings that functions stand in which an application calls for all requests."""
    for name in HOOKS:
        yield from (functions for key, functions in getattr(application, name).items() if key is None)
    yield from application.error_handler_spec.get(None, {}).values()
    yield from of_templates(application)


def of_templates(application: Any) -> list[Any]:
    """Return what decorators of Flask's put names for templates into."""
    environment = vars(application).get("jinja_env")
    return [] if environment is None else [environment.filters, environment.globals, environment.tests]


class _Within:
    """Whether a blueprint, a view or a rule has a name that begins with `prefix`."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def __call__(self, entry: Any) -> bool:
        name: str = entry[0] if isinstance(entry, tuple) else entry.endpoint
        return name.startswith(self._prefix)


class _Told:
    """Whether an entry is a function that a blueprint, or one inside it, hands on when it is registered."""

    def __init__(self, blueprint: Any) -> None:
        self._ids = set(_functions(blueprint))

    def __call__(self, entry: Any) -> bool:
        return not self._ids.isdisjoint(map(id, entry if isinstance(entry, tuple) else (entry,)))


def _functions(blueprint: Any) -> Iterator[int]:
    waiting = [*blueprint.deferred_functions]
    for _ in range(3):  # a function of the program, in one of Flask's, in one that calls it once
        waiting = [inner for one in waiting for inner in enclosed(one) if callable(inner)]
        yield from map(id, waiting)
    for inner, _ in blueprint._blueprints:
        yield from _functions(inner)


def settle(changes: Registrations, application: Any, edited: list[Any]) -> None:
    """Give an application copies of the lists of its blueprints as they are now, under the names that they have now."""
    anew = changes.arrange(application.blueprints) is not None
    names = dict(changes.after(application.blueprints))
    for attribute in HOOKS:
        mapping = getattr(application, attribute)
        for name in [name for name in mapping if anew and name is not None and name not in names]:
            changes.journal.del_item(mapping, name)
        for name, blueprint in names.items():
            own = getattr(blueprint, attribute).get(None)
            if own is not None and (anew or blueprint in edited):
                changes.journal.set_item(mapping, name, changes.after(own))
    for name in [name for name in application.error_handler_spec if anew and name is not None and name not in names]:
        changes.journal.del_item(application.error_handler_spec, name)


def record(blueprint: Any, serving: list[Any], function: Any) -> None:
    """Do what `Blueprint.record` does, and have it done to the applications that have the blueprint."""
    blueprint.deferred_functions.append(function)
    for application in serving:
        for name, one in application.blueprints.items():
            if one is blueprint:
                options = {"url_prefix": _prefix(blueprint, name, application), "name": name}
                function(blueprint.make_setup_state(application, options, first_registration=True))


def places(blueprint: Any, application: Any) -> Iterator[tuple[Any, str, str | None]]:
    """Yield an application, each name that it has a blueprint under, and the prefix."""
    for name in [name for name, one in application.blueprints.items() if one is blueprint]:
        yield application, name, _prefix(blueprint, name, application)


def register(blueprint: Any, within: list[tuple[Any, str, str | None]], inner: Any, **options: Any) -> None:
    """Do what `Blueprint.register_blueprint` does, and have it done to the applications that have the blueprint."""
    blueprint._blueprints.append((inner, options))
    for application, name, prefix in within:
        given = options.get("url_prefix")
        parts = [part.strip("/") for part in (prefix, inner.url_prefix if given is None else given) if part]
        merged = {**options, "name_prefix": name, "url_prefix": "/" + "/".join(parts) if parts else None}
        inner.register(application, merged)


def _prefix(blueprint: Any, name: str, application: Any) -> str | None:
    """Return the prefix with which a blueprint was registered, as its rules show it: nothing else remembers it."""
    for function in blueprint.deferred_functions:
        given = dict(zip(function.__code__.co_freevars, enclosed(function), strict=False))
        view, rule = given.get("view_func"), given.get("rule")
        if view is None or not isinstance(rule, str):
            continue
        endpoint = f"{name}.{given.get('endpoint') or view.__name__}"
        for bound in application.url_map._rules_by_endpoint.get(endpoint, ()):
            if bound.rule.endswith(rule):
                return str(bound.rule)[: len(bound.rule) - len(rule)] or None
    for inner, options in blueprint._blueprints:
        whole = _prefix(inner, f"{name}.{options.get('name', inner.name)}", application) or ""
        part = "/" + (options.get("url_prefix") or inner.url_prefix or "").strip("/")
        if whole.endswith(part) and whole != part:
            return whole.removesuffix(part)
    return blueprint.url_prefix  # type: ignore[no-any-return]


def enclosed(function: Any) -> tuple[object, ...]:
    """Return what the closure of `function` holds."""
    return tuple(cell.cell_contents for cell in getattr(function, "__closure__", None) or ())
