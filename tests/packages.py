"""Random little packages, and random edits of them, for the property test of what follows across modules.

A package is a model that prints itself: what refers to what is held as objects, so that a rename, a removal or a move
leaves a program that a fresh process can start. An edit is three integers, which makes failures shrink well.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

Edit = tuple[int, int, int]
STYLES: Final = 5


@dataclass(eq=False)
class Item:
    """One definition. `sources` are read while the module runs, `late` only when its function is called."""

    name: str
    kind: str
    number: int = 1
    form: int = 0
    sources: list[Item] = field(default_factory=list)
    late: list[Item] = field(default_factory=list)

    @property
    def callable_early(self) -> bool:
        """Whether it may be used while modules run: a function that looks into a later module may not."""
        return not self.late and self.kind not in ("state", "effect")

    def needs(self) -> Iterator[Item]:
        """Yield everything that its value depends on, itself included."""
        yield self
        for source in (*self.sources, *self.late):
            yield from source.needs()


@dataclass(eq=False)
class Module:
    """One module: its items in order, names that it passes on, and whether it says `__all__`."""

    name: str
    items: list[Item] = field(default_factory=list)
    passes: list[Item] = field(default_factory=list)
    says_all: bool = False
    comments: int = 0
    styles: dict[str, int] = field(default_factory=dict)
    is_package: bool = False
    typed: bool = False
    gone: list[Item] = field(default_factory=list)


class Package:
    """The modules, in the order in which they may import each other."""

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.modules = [Module(f"m{index}") for index in range(size)]
        self.numbers = itertools.count()
        for module in self.modules:
            for kind in ("const", "derived", "function"):
                self.add(module, kind, 1)
            module.items.append(Item(f"state_{module.name}", "state"))

    # -- the text ------------------------------------------------------------------------------------------------------

    def texts(self) -> dict[str, str]:
        """Return the text of each module by its file name."""
        return {
            f"{module.name}/__init__.py" if module.is_package else f"{module.name}.py": self._text(module)
            for module in self.modules
        }

    def _text(self, module: Module) -> str:
        body = [line for item in module.items for line in self._lines(module, item)]
        body += self._served(module)
        names = [item.name for item in (*module.items, *module.passes) if item.kind not in ("effect", "served")]
        head = [f"# note {number}" for number in range(module.comments)] + self._imports(module)
        if module.says_all:
            head.append(f"__all__ = {sorted(names)!r}")
        text = "\n".join([*head, "", *body, *self._late_imports(module), ""])
        return text.replace("from .", "from ..") if module.is_package else text

    def _served(self, module: Module) -> list[str]:
        """Return the function that serves names which no statement binds."""
        served = [item for item in module.items if item.kind == "served"]
        lines = [f"    if name == {item.name!r}:\n        return {item.number}" for item in served]
        return ["def __getattr__(name):", *lines, "    raise AttributeError(name)"] if served else []

    def home(self, item: Item) -> Module:
        """Return the module that `item` stands in."""
        return next(module for module in self.modules if item in module.items)

    def _imports(self, module: Module) -> list[str]:
        early: dict[str, list[Item]] = {}
        for item in module.items:
            for source in item.sources:
                if item.kind != "inside":
                    early.setdefault(self.home(source).name, []).append(source)
        for item in module.passes:
            early.setdefault(self.home(item).name, []).append(item)
        lines = ["from .box import Box, LOG"]
        for name, items in early.items():
            if name != module.name:
                lines += self._import_lines(module, name, items)
        if module.typed:
            others = [other for other in self.modules if other is not module]
            lines.append("from typing import TYPE_CHECKING")
            lines += [f"if TYPE_CHECKING:\n    from .{other.name} import {other.items[0].name}" for other in others[:1]]
        return sorted(set(lines), key=lambda line: (line.startswith("from . import"), line))

    def _late_imports(self, module: Module) -> list[str]:
        """Return the imports that close cycles; they stand at the end, so that both modules can be imported first."""
        homes = dict.fromkeys(self.home(source).name for item in module.items for source in item.late)
        return [f"from . import {name} as late_{name}" for name in homes if name != module.name]

    def _import_lines(self, module: Module, name: str, items: list[Item]) -> Iterator[str]:
        style = module.styles.get(name, 0)
        passed = [item for item in items if item in module.passes]
        if style == 1:
            yield f"from . import {name}"
            yield from (f"from .{name} import {item.name}" for item in passed)
        elif style == 2:
            yield f"from .{name} import *"
            yield from (f"from .{name} import {item.name}" for item in items if item.kind == "served")
        elif style == 3:
            yield f"import {self.name}.{name} as mod_{name}"
            yield from (f"from .{name} import {item.name}" for item in passed)
        else:
            for item in items:
                via = self._via(module, name, item) if style == 4 else name
                yield f"from .{via} import {item.name}"

    def _via(self, module: Module, name: str, item: Item) -> str:
        """Return a module between the two that passes `item` on, else the one that defines it."""
        passing = (one.name for one in self.modules[: self.modules.index(module)] if item in one.passes)
        return next(passing, name)

    def _named(self, module: Module, item: Item, *, late: bool = False) -> str:
        home = self.home(item).name
        style = module.styles.get(home, 0)
        if home == module.name:
            return item.name
        if late:
            return f"late_{home}.{item.name}"
        return {1: f"{home}.{item.name}", 3: f"mod_{home}.{item.name}"}.get(style, item.name)

    def _view(self, module: Module, item: Item, *, late: bool = False) -> str:
        """Return an expression that makes a number of `item`."""
        name = self._named(module, item, late=late)
        if item.kind == "served":
            return name
        if item.kind == "const":
            return (name, f"{name}[0]", f"{name}[0]", f"{name}['a']")[item.form % 4]
        if item.kind == "derived":
            return (name, f"{name}[0]", f"len({name})")[item.form % 3]
        if item.kind == "class":
            return (f"{name}.size", f"{name}().area(2)", f"{name}().total()")[item.number % 3]
        return f"{name}.size" if item.kind == "kept" else f"{name}({item.form})"

    def _lines(self, module: Module, item: Item) -> list[str]:
        name, number, views = item.name, item.number, [self._view(module, source) for source in item.sources]
        total = " + ".join([*views, str(number)])
        if item.kind == "const":
            return [f"{name} = {(number, (number, 2), [number], {'a': number})[item.form % 4]}"]
        if item.kind == "derived":
            text = "f" + repr("{" + total.replace("'", '"') + "}")
            return [f"{name} = {(total, f'[{total}, 0]', text)[item.form % 3]}"]
        if item.kind == "served":
            return []
        if item.kind == "inside":
            return self._inside(module, item)
        if item.kind == "function":
            inner = " + ".join(["x * 2", *views, *(self._view(module, source, late=True) for source in item.late)])
            default = views[0] if views and item.form % 2 else number
            return [f"def {name}(x, y={default}):", f"    return {inner} + y + {number}"]
        if item.kind == "class":
            lines = [f"class {name}:", f"    size = {total}", f"    def area(self, x={views[0] if views else 1}):"]
            return [
                *lines,
                f"        return self.size * x + {item.form}",
                "    def total(self):",
                f"        return {total} + self.area(1)",
            ]
        if item.kind == "kept":
            return [f"{name} = Box({total})"]
        return [f"{name} = []"] if item.kind == "state" else [f"LOG.append(({name!r}, {number}))"]

    def _inside(self, module: Module, item: Item) -> list[str]:
        """Return a function that imports what it uses while it runs."""
        source = item.sources[0] if item.sources else None
        if source is None or self.home(source) is module:
            return [f"def {item.name}(x, y=1):", f"    return x + y + {item.number}"]
        home, kept = self.home(source).name, module.styles
        module.styles = {}
        view = self._view(module, source)
        module.styles = kept
        return [
            f"def {item.name}(x, y=1):",
            f"    from .{home} import {source.name}",
            f"    return {view} + x + y + {item.number}",
        ]

    # -- edits ---------------------------------------------------------------------------------------------------------

    def add(self, module: Module, kind: str, number: int) -> None:
        """Add an item at the end of `module`, with what is visible there as its sources."""
        visible = list(self._visible(module, len(module.items)))
        item = Item(f"{kind[0]}{next(self.numbers)}", kind, number, number)
        if kind in ("derived", "function", "class", "kept", "inside") and visible:
            item.sources = [visible[number % len(visible)]]
            if number % 3 == 0 and kind != "inside":
                item.sources.append(visible[number * 7 % len(visible)])
        if kind == "function" and number % 4 == 3:
            later = [
                one for m in self.modules[self.modules.index(module) + 1 :] for one in m.items if one.callable_early
            ]
            item.late = later[:1]
        module.items.append(item)

    def _visible(self, module: Module, before: int) -> Iterator[Item]:
        for other in self.modules[: self.modules.index(module)]:
            yield from (item for item in other.items if item.callable_early)
        yield from (item for item in module.items[:before] if item.callable_early and item.kind != "served")

    def users(self, item: Item) -> Iterator[Item]:
        """Yield the items that refer to `item`."""
        yield from (one for module in self.modules for one in module.items if item in (*one.sources, *one.late))

    def edit(self, edit: Edit) -> None:
        """Apply one edit; one that does not fit does nothing."""
        what, where, number = edit
        module = self.modules[where % len(self.modules)]
        EDITS[what % len(EDITS)](self, module, number)


def _renumber(package: Package, module: Module, number: int) -> None:
    item = module.items[number % len(module.items)]
    item.number += 1 + number % 3


def _reform(package: Package, module: Module, number: int) -> None:
    item = module.items[number % len(module.items)]
    item.form += 1


def _add(package: Package, module: Module, number: int) -> None:
    kinds = ("derived", "class", "function", "kept", "const", "effect", "derived", "inside", "served")
    package.add(module, kinds[number % len(kinds)], number)


def _remove(package: Package, module: Module, number: int) -> None:
    item = module.items[number % len(module.items)]
    passed = any(item in other.passes for other in package.modules)
    if not any(package.users(item)) and item.kind not in ("state", "effect") and not passed:
        module.items.remove(item)
        module.gone.append(item)


def _bring_back(package: Package, module: Module, number: int) -> None:
    """Put a definition that left back at the end of its module, if all that it needs is still there."""
    if not module.gone:
        return
    item = module.gone[number % len(module.gone)]
    there = {one for other in package.modules[: package.modules.index(module) + 1] for one in other.items}
    if there.issuperset(item.sources) and not item.late:
        module.gone.remove(item)
        module.items.append(item)


def _turn_into_package(package: Package, module: Module, number: int) -> None:
    module.is_package = not module.is_package


def _type(package: Package, module: Module, number: int) -> None:
    module.typed = not module.typed


def _new_module(package: Package, module: Module, number: int) -> None:
    """Add a file, and use it from nowhere or from the last module."""
    if len(package.modules) < 7:
        added = Module(f"m{next(package.numbers)}x")
        package.modules.append(added)
        for kind in ("const", "derived"):
            package.add(added, kind, number)
        added.items.append(Item(f"state_{added.name}", "state"))


def _rename_file(package: Package, module: Module, number: int) -> None:
    """Give a file another name; all that import it follow in the same save, and the old module stays loaded."""
    old, module.name = module.name, f"n{next(package.numbers)}"
    for other in package.modules:
        if old in other.styles:
            other.styles[module.name] = other.styles.pop(old)
    for item in module.items:
        if item.kind == "state":
            item.name = f"state_{module.name}"
    module.gone = []


def _delete_file(package: Package, module: Module, number: int) -> None:
    """Delete a file of which no other module has anything."""
    elsewhere = [one for other in package.modules if other is not module for one in other.items]
    used = {source for one in elsewhere for source in (*one.sources, *one.late)}
    used |= {item for other in package.modules if other is not module for item in other.passes}
    if len(package.modules) > 2 and used.isdisjoint(module.items):
        package.modules.remove(module)


def _restyle(package: Package, module: Module, number: int) -> None:
    names = [other.name for other in package.modules if other is not module]
    if names:
        module.styles[names[number % len(names)]] = number % STYLES


def _resource(package: Package, module: Module, number: int) -> None:
    item = module.items[number % len(module.items)]
    visible = list(package._visible(module, module.items.index(item)))
    if item.sources and visible:
        item.sources[0] = visible[number * 3 % len(visible)]


def _comment(package: Package, module: Module, number: int) -> None:
    module.comments = number % 3


def _say_all(package: Package, module: Module, number: int) -> None:
    module.says_all = not module.says_all


def _pass_on(package: Package, module: Module, number: int) -> None:
    below = [
        item
        for other in package.modules[: package.modules.index(module)]
        for item in other.items
        if item.callable_early
    ]
    if below and below[number % len(below)] not in module.passes:
        module.passes.append(below[number % len(below)])


def _rename(package: Package, module: Module, number: int) -> None:
    item = module.items[number % len(module.items)]
    if item.kind not in ("state", "effect"):
        module.gone = [one for one in module.gone if one.name != item.name]
        item.name = f"{item.kind[0]}{next(package.numbers)}"


def _move(package: Package, module: Module, number: int) -> None:
    """Move a definition to the end of the next module below it that has what it needs, if nobody is in between."""
    item = module.items[number % len(module.items)]
    index = package.modules.index(module)
    if item.kind not in ("function", "class", "const") or item.late or index + 1 >= len(package.modules):
        return
    if any(package.users(item)) or any(item in other.passes for other in package.modules):
        return
    module.items.remove(item)
    package.modules[index + 1].items.append(item)


EDITS: Final[tuple[Callable[[Package, Module, int], None], ...]] = (
    *(_renumber, _renumber, _renumber, _reform, _add, _add, _remove, _restyle),
    *(_resource, _comment, _say_all, _pass_on, _rename, _move),
    *(_bring_back, _turn_into_package, _type, _new_module, _add, _pass_on),
    *(_rename_file, _delete_file),
)
