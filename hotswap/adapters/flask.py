"""Flask: routes and hooks of applications and blueprints, also once they have served a request.

Flask guards against setting up an application that serves, because with several processes only one would change. That
guard is off while statements run. What a request of another thread meets meanwhile is the old application.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from hotswap.adapters import Registrar, Registrations, flask_blueprints, flask_views, is_a
from hotswap.adapters.flask_blueprints import HOOKS


class _Views(dict[str, Any]):
    """The view functions while statements run: of an endpoint whose function leaves, Flask is told that it is free."""

    def __init__(self, kept: dict[str, Any]) -> None:
        super().__init__(kept)
        self.kept = kept
        self.leaving: frozenset[str] = frozenset()
        self.back: set[tuple[str, int]] = set()

    def __setitem__(self, key: str, view: Any) -> None:
        """Set the function; the same one may be registered a second time."""
        self.back.add((key, id(view)))
        super().__setitem__(key, view)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the function; `default` for one that leaves. `add_url_rule` asks so, a request does not."""
        return default if key in self.leaving else super().get(key, default)


class Flask(Registrar):
    """See `hotswap.adapters.Registrar`."""

    starting = frozenset({"add_url_rule", "register_blueprint", "register_error_handler"})

    def keeps(self, value: object) -> bool:
        """Whether statements register with `value`."""
        library: Any = sys.modules["flask"]
        return is_a(value, (library.Flask, library.Blueprint))

    def forget(self, old: Registrations) -> None:
        """Open the guard; watch views, rules and hooks."""
        applications, blueprints = _concerned(old)
        for application in applications:
            _watch_hooks(old, application)
            _watch_views(old, application)
            old.watch(application.teardown_appcontext_funcs, _itself)
            for names in flask_blueprints.of_templates(application):
                old.watch(names, lambda item: (item[1],))
            old.watch(application.blueprints, lambda item: (item[1],), withdraw=True, by=("register_blueprint",))
            flask_blueprints.give_up(old, application)
            old.set_now(application, "_got_first_request", value=False)
        for blueprint in blueprints:
            _watch_hooks(old, blueprint)
            old.watch(blueprint.deferred_functions, flask_blueprints.enclosed)
            old.set_now(blueprint, "_got_registered_once", value=False)
            serving = [one for one in applications if blueprint in one.blueprints.values()]
            old.set_now(blueprint, "record", partial(flask_blueprints.record, blueprint, serving))
            within = [place for one in serving for place in flask_blueprints.places(blueprint, one)]
            old.watch(blueprint._blueprints, lambda one: (one[0],), withdraw=True, by=("register_blueprint",))
            old.set_now(blueprint, "register_blueprint", partial(flask_blueprints.register, blueprint, within))
        flask_views.note(old)

    def gave_up(self, old: Registrations) -> None:
        """What a blueprint brought goes with it."""
        for application in _concerned(old)[0]:
            flask_blueprints.give_up(old, application)

    def refresh(self, changes: Registrations) -> None:
        """Put everything at its place, and close the guard."""
        applications, blueprints = _concerned(changes)
        for blueprint in blueprints:
            _arrange_hooks(changes, blueprint)
            changes.arrange(blueprint.deferred_functions)
            changes.arrange(blueprint._blueprints)
            for name in ("record", "register_blueprint"):
                changes.call(partial(vars(blueprint).pop, name, None))
        for application in applications:
            _arrange_hooks(changes, application)
            changes.arrange(application.teardown_appcontext_funcs)
            changes.arrange(application.url_map)
            for names in flask_blueprints.of_templates(application):
                if changes.arrange(names) is not None:
                    changes.call(application.jinja_env.cache.clear)
            flask_blueprints.settle(changes, application, blueprints)
            views = application.view_functions
            changes.call(partial(_exchange, views.kept, dict(changes.after(views))))
            changes.set(application, "view_functions", views.kept)
        for one in (*applications, *blueprints):
            name = "_got_first_request" if one in applications else "_got_registered_once"
            changes.set(one, name, changes.was(one, name))
        flask_views.renew(changes)


def _concerned(registrations: Registrations) -> tuple[list[Any], list[Any]]:
    """Return the applications and blueprints that statements name, and the applications that have such a blueprint."""
    library: Any = sys.modules["flask"]
    roots = list({id(root): root for root in registrations.roots}.values())
    applications = [root for root in roots if isinstance(root, library.Flask)]
    blueprints = [root for root in roots if isinstance(root, library.Blueprint)]
    if blueprints:
        living = flask_views.objects_of(library.Flask)  # by its class: a weak proxy says that it is one
        applications += [
            one for one in living if one not in applications and any(b in one.blueprints.values() for b in blueprints)
        ]
    return applications, blueprints


def _watch_views(old: Registrations, application: Any) -> None:
    views = _Views(application.view_functions)
    old.journal.note(partial(_put_back, views.kept, dict(views)))
    old.set_now(application, "view_functions", views)
    old.watch(views, lambda item: _of_view(item[1]))
    views.leaving = frozenset(endpoint for endpoint, _ in old.leaving(views))
    rules = application.url_map
    old.watch(_Rules(rules, old), lambda rule: _of_view(views.kept.get(rule.endpoint)), key=rules)


def _of_view(view: Any) -> tuple[object, ...]:
    return (view, getattr(view, "view_class", None))


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
    for name in HOOKS:
        yield from getattr(one, name).values()
    for by_code in one.error_handler_spec.values():
        yield from by_code.values()


def _watch_hooks(old: Registrations, one: Any) -> None:
    for name in HOOKS:
        hooks = getattr(one, name)
        old.journal.note(partial(_put_back, hooks, dict(hooks)))
    for container in list(_hooks(one)):
        old.watch(container, _itself)


def _arrange_hooks(changes: Registrations, one: Any) -> None:
    for container in list(_hooks(one)):
        changes.arrange(container)


def _itself(entry: Any) -> tuple[object, ...]:
    return entry if isinstance(entry, tuple) else (entry,)


def _exchange(target: dict[Any, Any], content: dict[Any, Any]) -> None:
    """Make `target` equal `content` without a moment in which something is missing that both have."""
    for key in [key for key in target if key not in content]:
        del target[key]
    target.update(content)


def _put_back(target: dict[Any, Any], content: dict[Any, Any]) -> None:
    """Make `target` equal `content`, in its order, too."""
    _exchange(target, content)
    if list(target) != list(content):
        target.clear()
        target.update(content)


ADAPTER: Final = Flask()
