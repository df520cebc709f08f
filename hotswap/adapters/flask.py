"""Flask: routes and hooks of applications and blueprints, also once they have served a request.

Flask guards against setting up an application that serves, because with several processes only one would change. That
guard is off while statements run. What a request of another thread meets meanwhile is the old application.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from hotswap.adapters import Registrations

_HOOKS: Final = (
    *("before_request_funcs", "after_request_funcs", "teardown_request_funcs"),
    *("template_context_processors", "url_value_preprocessors", "url_default_functions"),
)


class _Views(dict[str, Any]):
    """The view functions while statements run: of an endpoint whose function leaves, Flask is told that it is free."""

    def __init__(self, kept: dict[str, Any]) -> None:
        super().__init__(kept)
        self.kept = kept
        self.leaving: frozenset[str] = frozenset()

    def get(self, key: str, default: Any = None) -> Any:
        """Return the function; `default` for one that leaves. `add_url_rule` asks so, a request does not."""
        return default if key in self.leaving else super().get(key, default)


class Flask:
    """See `hotswap.adapters.Registrar`."""

    starting = frozenset({"add_url_rule", "register_blueprint", "register_error_handler"})

    def keeps(self, value: object) -> bool:
        """Whether statements register with `value`."""
        library: Any = sys.modules["flask"]
        return isinstance(value, (library.Flask, library.Blueprint))

    def forget(self, old: Registrations) -> None:
        """Open the guard; watch views, rules and hooks."""
        applications, blueprints = _concerned(old)
        for application in applications:
            _watch_hooks(old, application)
            _watch_views(old, application)
            old.watch(application.teardown_appcontext_funcs, _itself)
            old.set_now(application, "_got_first_request", value=False)
        for blueprint in blueprints:
            _watch_hooks(old, blueprint)
            old.watch(blueprint.deferred_functions, _enclosed)
            old.set_now(blueprint, "_got_registered_once", value=False)
            serving = [one for one in applications if blueprint in one.blueprints.values()]
            old.set_now(blueprint, "record", partial(_record, blueprint, serving))

    def refresh(self, changes: Registrations) -> None:
        """Put everything at its place, and close the guard."""
        applications, blueprints = _concerned(changes)
        for blueprint in blueprints:
            _arrange_hooks(changes, blueprint)
            changes.arrange(blueprint.deferred_functions)
            changes.call(partial(vars(blueprint).pop, "record", None))
        for application in applications:
            _arrange_hooks(changes, application)
            changes.arrange(application.teardown_appcontext_funcs)
            changes.arrange(application.url_map)
            for blueprint in blueprints:
                _pass_hooks_on(changes, blueprint, application)
            views = application.view_functions
            changes.call(partial(_exchange, views.kept, dict(changes.after(views))))
            changes.set(application, "view_functions", views.kept)
        for one in (*applications, *blueprints):
            name = "_got_first_request" if one in applications else "_got_registered_once"
            changes.set(one, name, changes.was(one, name))

    def take_over(self, changes: Registrations, old: Any, new: Any) -> bool:
        """Nothing goes on: functions stay the same objects by themselves."""
        return False

    def tends(self, cls: type) -> bool:
        """No class: functions alone are registered."""
        return False


def _concerned(registrations: Registrations) -> tuple[list[Any], list[Any]]:
    """Return the applications and blueprints that statements name, and the applications that have such a blueprint."""
    library: Any = sys.modules["flask"]
    roots = list({id(root): root for root in registrations.roots}.values())
    applications = [root for root in roots if isinstance(root, library.Flask)]
    blueprints = [root for root in roots if isinstance(root, library.Blueprint)]
    if blueprints:
        living = [one for one in gc.get_objects() if isinstance(one, library.Flask)]
        applications += [
            one for one in living if one not in applications and any(b in one.blueprints.values() for b in blueprints)
        ]
    return applications, blueprints


def _watch_views(old: Registrations, application: Any) -> None:
    views = _Views(application.view_functions)
    old.set_now(application, "view_functions", views)
    old.watch(views, lambda item: (item[1],))
    views.leaving = frozenset(endpoint for endpoint, _ in old.leaving(views))
    rules = application.url_map
    old.watch(_Rules(rules, old), lambda rule: (views[rule.endpoint],) if rule.endpoint in views else (), key=rules)


class _Rules:
    """The rules of a map, which has no way to remove one: it is filled anew.

    What statements add to goes into a copy, so that a save that fails gives the map back what it had.
    """

    def __init__(self, rules: Any, old: Registrations) -> None:
        self._map = rules
        for name in ("_matcher", "_rules_by_endpoint", "_remap"):
            old.journal.note_attribute(rules, name)
        self.fill(list(self))

    def __iter__(self) -> Iterator[Any]:
        return self._map.iter_rules()  # type: ignore[no-any-return]

    def fill(self, rules: list[Any]) -> None:
        """Make the map hold exactly `rules`. They are bound to it, and compiled, already."""
        matcher = type(self._map._matcher)(self._map.merge_slashes)
        by_endpoint: dict[str, list[Any]] = {}
        for rule in rules:
            if not rule.build_only:
                matcher.add(rule)
            by_endpoint.setdefault(rule.endpoint, []).append(rule)
        matcher.update()
        self._map._matcher, self._map._rules_by_endpoint, self._map._remap = matcher, by_endpoint, True


def _hooks(one: Any) -> Iterator[Any]:
    """Yield the lists, and the mappings of error handlers, that functions of `one` stand in."""
    for name in _HOOKS:
        yield from getattr(one, name).values()
    for by_code in one.error_handler_spec.values():
        yield from by_code.values()


def _watch_hooks(old: Registrations, one: Any) -> None:
    for name in _HOOKS:
        hooks = getattr(one, name)
        old.journal.note(partial(_exchange, hooks, dict(hooks)))
    for container in list(_hooks(one)):
        old.watch(container, _itself)


def _arrange_hooks(changes: Registrations, one: Any) -> None:
    for container in list(_hooks(one)):
        changes.arrange(container)


def _pass_hooks_on(changes: Registrations, blueprint: Any, application: Any) -> None:
    """An application has copies of a blueprint's lists, made when that was registered."""
    names = [name for name, one in application.blueprints.items() if one is blueprint]
    for attribute in _HOOKS:
        own = getattr(blueprint, attribute).get(None)
        for name in names if own is not None else ():
            changes.journal.set_item(getattr(application, attribute), name, changes.after(own))


def _record(blueprint: Any, serving: list[Any], function: Any) -> None:
    """Do what `Blueprint.record` does, and have it done to the applications that have the blueprint."""
    blueprint.deferred_functions.append(function)
    for application in serving:
        for name, one in application.blueprints.items():
            if one is blueprint:
                options = {"url_prefix": _prefix(blueprint, name, application), "name": name}
                function(blueprint.make_setup_state(application, options, first_registration=False))


def _prefix(blueprint: Any, name: str, application: Any) -> str | None:
    """Return the prefix with which a blueprint was registered, as its rules show it: nothing else remembers it."""
    for function in blueprint.deferred_functions:
        given = dict(zip(function.__code__.co_freevars, _enclosed(function), strict=False))
        view, rule = given.get("view_func"), given.get("rule")
        if view is None or not isinstance(rule, str):
            continue
        endpoint = f"{name}.{given.get('endpoint') or view.__name__}"
        for bound in application.url_map._rules_by_endpoint.get(endpoint, ()):
            if bound.rule.endswith(rule):
                return str(bound.rule)[: len(bound.rule) - len(rule)] or None
    return blueprint.url_prefix  # type: ignore[no-any-return]


def _enclosed(function: Any) -> tuple[object, ...]:
    return tuple(cell.cell_contents for cell in getattr(function, "__closure__", None) or ())


def _itself(entry: Any) -> tuple[object, ...]:
    return entry if isinstance(entry, tuple) else (entry,)


def _exchange(target: dict[Any, Any], content: dict[Any, Any]) -> None:
    """Make `target` equal `content` without a moment in which something is missing that both have."""
    for key in [key for key in target if key not in content]:
        del target[key]
    target.update(content)


ADAPTER: Final = Flask()
