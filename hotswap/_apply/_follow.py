"""Import bindings follow: a from-import whose name changed at its source is bound anew, if nobody rebound it since."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from hotswap._apply._changes import ALTERED
from hotswap._apply._reach import behaves_otherwise, look_up
from hotswap._apply._scopes import ClassScope, ModuleScope
from hotswap._apply._swap import Swap, resolve
from hotswap._apply._unloaded import imports, visit_before
from hotswap._errors import StatementError
from hotswap._model import How, Kind, Statement
from hotswap._run._journal import MISSING
from hotswap._run._values import is_a, same

if TYPE_CHECKING:
    from hotswap._apply._visit import Visit


def visit_sources(visit: Visit, statement: Statement) -> None:
    """Have the modules that `statement` imports or looks into brought to their new texts first, as an import would.

    In topological order that has happened; inside an import cycle it makes the order that Python's own imports make.
    """
    for node in imports(statement.node):
        source = absolute(visit, node) if isinstance(node, ast.ImportFrom) else ""
        if source:
            visit.swap.visit(source)
            for alias in node.names:
                visit.swap.visit(f"{source}.{alias.name}")
        for name in _may_load(node, source):
            if not source:
                visit.swap.visit(name)
            visit_before(visit.swap, name, visit.work.edit.module)
    for name in statement.reads:
        value = resolve(visit.scope, name.split(".")[0])
        if is_a(value, ModuleType):
            visit.swap.visit(value.__name__)


def loads(visit: Visit, statement: Statement) -> bool:
    """Whether `statement` may import a module that is not loaded yet."""
    for node in imports(statement.node):
        source = absolute(visit, node) if isinstance(node, ast.ImportFrom) else ""
        if any(name not in sys.modules for name in (*_may_load(node, source), *([source] if source else ()))):
            return True
    return False


def _may_load(node: ast.Import | ast.ImportFrom, source: str) -> list[str]:
    """Return what `node` may load besides the module `source` that it imports from, which does not have that name."""
    known = vars(sys.modules[source]) if source in sys.modules else {}
    names = [alias.name for alias in node.names if alias.name not in ("*", *known)]
    return [f"{source}.{name}" for name in names] if source else names


def uncover(visit: Visit, statement: Statement) -> bool:
    """Take away what an older text of a package bound to names that `statement` imports from the package itself; return
    whether there was any.

    ``from . import name`` takes the package's own name before its submodule; at a start there is no such name yet.
    """
    module = visit.work.edit.module
    if not isinstance(visit.scope, ModuleScope) or "__path__" not in visit.scope.namespace:
        return False
    found = False
    for node in imports(statement.node):
        if isinstance(node, ast.ImportFrom) and absolute(visit, node) == module:
            above = [one for one in visit.new if one.lineno < statement.lineno]
            bound = {name for one in above for name in names_bound(visit, one)}
            for name in {alias.name for alias in node.names} - bound:
                held = visit.scope.peek(name)
                if held is not MISSING and not is_a(held, ModuleType):
                    visit.scope.drop(name)
                    found = True
    return found


def follow(visit: Visit, statement: Statement) -> None:
    """Bind anew the names of an unchanged import statement whose sources changed."""
    node = statement.node
    if not isinstance(node, ast.ImportFrom):
        visit_sources(visit, statement)
        return
    source = absolute(visit, node)
    visit.swap.visit(source)
    changed = visit.swap.changes.of(source)
    for alias in node.names:
        if (module := f"{source}.{alias.name}") in visit.swap.unvisited:  # in a cycle it may come later
            visit.swap.visit(module)
        if alias.name in changed:
            _follow_name(visit, statement, source, alias.name, alias.asname or alias.name)
        elif alias.name == "*":
            if changed or visit.work.edit.edited:
                _follow_star(visit, source, statement.end_lineno)
        elif visit.swap.changes and _is_served_anew(visit.swap, source, alias.name):
            ask_again(visit, statement, alias)


def _is_served_anew(swap: Swap, module: str, name: str) -> bool:
    """Whether `name` comes from the module's ``__getattr__``, and that may answer otherwise now."""
    found = sys.modules.get(module)
    if found is None or "__getattr__" not in vars(found) or look_up(swap, module, name) is not MISSING:
        return False
    return behaves_otherwise(swap, look_up(swap, module, "__getattr__"), named=name)


def ask_again(visit: Visit, statement: Statement, alias: ast.alias) -> None:
    """Import one name anew from a module that makes its names by ``__getattr__``, if asking it has no effects."""
    node = statement.node
    assert isinstance(node, ast.ImportFrom)
    source = sys.modules[absolute(visit, node)]
    here = alias.asname or alias.name
    why = visit.unquiet_call(vars(source)["__getattr__"], alias.name)
    if why:
        target = f"{visit.work.edit.module}:{here}"
        visit.swap.tell(visit.work, "HS201", statement.lineno, name=here, why=why, target=target)
        return
    one = ast.copy_location(ast.ImportFrom(node.module, [alias], node.level), node)
    visit.swap.commit()
    for name, value in visit.scope.run([one]).items():
        _bind(visit, name, value)


def will_follow(visit: Visit, statement: Statement, first: int) -> bool:
    """Whether a from-import takes a name that has changed at its source by now.

    A source that imports this module in turn must not be gone through before the statements above the import, of
    which that at line `first` is the first to run: it may need what they bind.
    """
    changed = changed_at_source(visit, statement, first)
    return isinstance(statement.node, ast.ImportFrom) and any(alias.name in changed for alias in statement.node.names)


def changed_at_source(visit: Visit, statement: Statement, first: int) -> Iterable[str]:
    """Return the names that have changed at the source of a from-import, as `will_follow` does."""
    node = statement.node
    if not isinstance(node, ast.ImportFrom):
        return ()
    source = absolute(visit, node)
    if statement.lineno > first and source in visit.swap.unvisited:
        return ()
    visit.swap.visit(source)
    return visit.swap.changes.of(source)


def absolute(visit: Visit, node: ast.ImportFrom, before: Mapping[str, object] | None = None) -> str:
    """Return the name of the module that `node` imports from, or did while the module's names were those of `before`.

    A module that has just become a package starts from another place.
    """
    package = str((before or visit.scope.namespace).get("__package__") or "")
    if not node.level:
        return node.module or ""
    base = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _follow_name(visit: Visit, statement: Statement, source: str, there: str, here: str) -> None:
    old, new = visit.swap.changes.old(source, there), look_up(visit.swap, source, there)
    held = visit.scope.peek(here)
    if old is ALTERED and held is new and not isinstance(visit.scope, ClassScope):
        visit.swap.following.alter(visit.work.edit.module, here, held)
    if new is MISSING:
        if held is not MISSING:
            visit.swap.left_imports.append((visit, statement, source, there))
    elif old is MISSING or held is MISSING or visit.swap.changes.held(source, there, held):
        if not _is_bound_later(visit, statement, here):
            _bind(visit, here, new)


def _bind(visit: Visit, name: str, value: object) -> None:
    if visit.swap.bind(visit.work, visit.scope, name, value):
        visit.swap.patched(visit.work, visit.scope.prefix + name, How.REBOUND)


def _is_bound_later(visit: Visit, statement: Statement, name: str) -> bool:
    if isinstance(visit.scope, ClassScope):
        return False
    later = (s for s in visit.work.edit.new.statements if s.lineno > statement.end_lineno)
    return any(name in s.binds and name in visit.bound_by(s) for s in later)


def follow_stars(visit: Visit, statement: Statement) -> None:
    """Bind what the star imports inside a loop or a ``match`` give now."""
    for source in star_sources(visit, statement):
        visit.swap.visit(source)
        if visit.swap.changes.of(source) or visit.work.edit.edited:
            _follow_star(visit, source, statement.end_lineno)


def star_sources(visit: Visit, statement: Statement, before: Mapping[str, object] | None = None) -> list[str]:
    """Return the modules of which `statement`, or one inside it, imports all; see `absolute`."""
    nodes = ast.walk(statement.node) if "*" in statement.binds else ()
    return [absolute(visit, n, before) for n in nodes if isinstance(n, ast.ImportFrom) and n.names[0].name == "*"]


def _follow_star(visit: Visit, source: str, line: int) -> None:
    """Bind what entered ``*``, drop what left it, follow what changed; what is bound below `line` is not ours."""
    changed = visit.swap.changes.of(source)
    given = set(public(visit.swap, source))
    before = set(_public_before(visit.swap, source))
    own = _own_names(visit, visit.work.edit.new.statements)
    left = _own_names(visit, visit.work.edit.old.statements) - own
    visit.work.starred |= given
    below = _own_names(visit, (one for one in visit.work.edit.new.statements if one.lineno > line))
    for name in sorted(given - below):
        held, new = visit.scope.peek(name), look_up(visit.swap, source, name)
        free = held is MISSING or name in left or (visit.scope, name) in visit.swap.last
        free = free or (name not in before and (name in own or _is_of_star_above(visit, source, name, held)))
        if changed.get(name) is ALTERED and held is new:
            visit.swap.following.alter(visit.work.edit.module, name, held)
        follows = name in changed and (free or visit.swap.changes.held(source, name, held))
        if follows or (free and (name not in before or name in left)):
            visit.swap.last = [entry for entry in visit.swap.last if entry != (visit.scope, name)]
            _bind(visit, name, new)
    for name in sorted((before - given) & own):
        _give_back(visit, source, name)
    for name in sorted(before - given - own):
        held = visit.scope.peek(name)
        if held is not MISSING and same(_before(visit.swap, source, name), held):
            submodule = sys.modules.get(f"{visit.work.edit.module}.{name}", MISSING)
            other = _from_other_star(visit, source, name)
            other = submodule if other is MISSING else other
            if other is not MISSING:
                _bind(visit, name, other)
                continue
            visit.swap.changes.note(visit.work.edit.module, name, held, MISSING)
            visit.swap.last.append((visit.scope, name))
            visit.swap.patched(visit.work, name, How.REMOVED)


def _is_of_star_above(visit: Visit, source: str, name: str, held: object) -> bool:
    """Whether the module has `name` from a star import above the one of `source`, which gives it now, too."""
    lines = dict(reversed([(one, line) for line, one in visit.work.stars(partial(absolute, visit))]))
    for other, line in lines.items():
        if line < lines.get(source, 0) and other in sys.modules and name in _public_before(visit.swap, other):
            return same(_before(visit.swap, other, name), held)
    return False


def is_taken_by_star(visit: Visit, name: str) -> bool:
    """Whether `name` has what a star import gave it that stands further below: no definition above it counts."""
    if not isinstance(visit.scope, ModuleScope) or not visit.work.edit.edited:
        return False
    statements = visit.work.edit.new.statements
    for line, source in visit.work.stars(partial(absolute, visit)):
        if visit.line < line and source in sys.modules and name in public(visit.swap, source):
            there = look_up(visit.swap, source, name)
            if visit.scope.peek(name) is there and not any(
                s.lineno > line and name in visit.bound_by(s) for s in statements
            ):
                return True
    return False


def _give_back(visit: Visit, source: str, name: str) -> None:
    """Run the module's own statement for `name` again, which a star import below it covered until now."""
    from hotswap._apply import _stale  # who runs stale statements follows imports: the two know each other

    statements = visit.work.edit.new.statements
    stars = [line for line, _ in visit.work.stars(partial(absolute, visit))]
    binders = [s for s in statements if name in s.binds]
    covered = bool(stars and binders) and binders[-1].lineno < max(stars)
    if not covered or not same(_before(visit.swap, source, name), visit.scope.peek(name)):
        return
    why, target = f"{source} has no {name} any more", f"{visit.work.edit.module}:{name}"
    if visit.work.only_follows:
        visit.swap.tell(visit.work, "HS201", binders[-1].lineno, name=name, why=why, target=target)
    else:
        _stale.run_or_tell(visit, binders[-1], why)


def _from_other_star(visit: Visit, source: str, name: str) -> object:
    """Return what the last other star import gives for `name`, which left `source`; MISSING if none has it."""
    found: object = MISSING
    for statement in visit.work.edit.new.statements:
        node = statement.node
        if "*" in statement.binds and isinstance(node, ast.ImportFrom):
            other = absolute(visit, node)
            if other != source and other in sys.modules and name in set(public(visit.swap, other)):
                found = look_up(visit.swap, other, name)
    return found


def leaving(visit: Visit, statement: Statement) -> set[str]:
    """Return the names that leave the modules `statement` imports from; they are there until the last wave."""
    if not visit.swap.last:
        return set()
    sources = {absolute(visit, node) for node in imports(statement.node) if isinstance(node, ast.ImportFrom)}
    scopes = [work.scope for name, work in visit.swap.works.items() if name in sources]
    return {name for scope, name in visit.swap.last if scope in scopes}


def let_names_go(swap: Swap, since: int = 0) -> None:
    """Unbind, with the next wave, the names that leave with the save; or those `since` that many were known."""
    for scope, name in swap.last[since:]:
        if not isinstance(scope, ModuleScope) or scope.peek(name) is not MISSING:
            scope.drop(name)


def passed_over(visit: Visit, statement: Statement, bound: Mapping[str, object]) -> set[str]:
    """Return the names that an import which ran again does not bind: those that leave what it takes all from, and those
    that a submodule has, which is imported further down, or by others, and takes them again at a fresh start. What
    other statements read of the module while it runs is bound.
    """
    if "*" in statement.binds:
        own = {name for name, value in bound.items() if value is visit.work.module}  # its package lacks it as yet
        return leaving(visit, statement) & bound.keys() | own
    if statement.kind is not Kind.IMPORT or not isinstance(visit.scope, ModuleScope):
        return set()
    module = visit.work.edit.module
    inside = {name: sys.modules.get(f"{module}.{name}", MISSING) for name in bound}
    found = {n for n, one in inside.items() if one is not MISSING and one is visit.scope.peek(n) is not bound[n]}
    read = {one.partition(".")[0] for other in visit.work.edit.new.statements for one in other.reads} if found else ()
    return {name for name in found.difference(read) if not _is_loaded_above(visit, statement, f"{module}.{name}")}


def _is_loaded_above(visit: Visit, statement: Statement, module: str) -> bool:
    """Whether `statement`, or one above it, imports the submodule `module`: then what it binds comes after that."""
    above = (one for one in visit.work.edit.new.statements if one.lineno <= statement.lineno)
    for node in (node for one in above for node in imports(one.node)):
        source = absolute(visit, node) if isinstance(node, ast.ImportFrom) else ""
        names = {f"{source}.{alias.name}".lstrip(".") for alias in node.names} | {source}
        if any(f"{name}.".startswith(f"{module}.") for name in names):
            return True
    return False


def leaving_error(visit: Visit, statement: Statement) -> StatementError | None:
    """Return what a fresh start would raise if `statement` imports a name that leaves its module with this save."""
    node = statement.node
    if not visit.swap.last or not isinstance(node, ast.ImportFrom):
        return None
    gone = leaving(visit, statement)
    for alias in node.names:
        if alias.name in gone:
            source = absolute(visit, node)
            error = ImportError(f"cannot import name {alias.name!r} from {source!r}", name=source)
            return StatementError(error, visit.work.edit.path, statement.lineno)
    return None


def raising(error: StatementError, node: ast.stmt) -> ast.stmt:
    """Return a statement that raises the `error` of the import `node`, to stand in its place."""
    call = ast.Call(ast.Name("ImportError", ast.Load()), [ast.Constant(str(error.error))], [])
    return ast.fix_missing_locations(ast.copy_location(ast.Raise(call), node))


def names_bound(visit: Visit, statement: Statement) -> tuple[str, ...]:
    """Return the names that `statement`, which left the text, bound; of star imports those still as they left them."""
    if "*" not in statement.binds:
        return statement.binds
    sources = star_sources(visit, statement, visit.work.before)
    given = (name for source in sources for name in _given(visit, source))
    return tuple(dict.fromkeys((*(name for name in statement.binds if name != "*"), *given)))


def _given(visit: Visit, source: str) -> Iterator[str]:
    """Yield the names that the module has as a star import of `source` left them."""
    if source in sys.modules:
        names, before = _public_before(visit.swap, source), visit.work.before
        yield from (n for n in names if same(_before(visit.swap, source, n), before.get(n, MISSING)))


def _own_names(visit: Visit, statements: Iterable[Statement]) -> set[str]:
    return {name for statement in statements for name in visit.bound_by(statement) if name != "*"}


def public(swap: Swap, module: str) -> Iterator[str]:
    """Yield the names that a star import takes from `module`."""
    names = look_up(swap, module, "__all__")
    if isinstance(names, (list, tuple)):
        known = (name for name in names if isinstance(name, str))  # of others Python says so itself
        yield from (name for name in known if look_up(swap, module, name) is not MISSING)
        return
    work = swap.works.get(module)
    every = {*vars(sys.modules[module]), *(work.scope.stores if work else ())}
    yield from (name for name in every if not name.startswith("_") and look_up(swap, module, name) is not MISSING)


def _before(swap: Swap, module: str, name: str) -> object:
    work = swap.works.get(module)
    return (work.before if work else vars(sys.modules[module])).get(name, MISSING)


def _public_before(swap: Swap, module: str) -> Iterator[str]:
    work = swap.works.get(module)
    namespace = work.before if work else vars(sys.modules[module])
    names = namespace.get("__all__")
    given = names if isinstance(names, (list, tuple)) else (n for n in namespace if not n.startswith("_"))
    yield from (name for name in given if isinstance(name, str))
