"""The names of a notebook: what its cells imported follows the modules, what its user bound is left alone.

A notebook has no file, so its cells' import statements are written out as the text of ``__main__``, an import of cell
3 on line 3, and the engine treats it like any module that imports others: its names are bound anew in the same
transaction, and come back with it. Cells are read when a swap comes, never while they run: a cell costs an append.
"""

from __future__ import annotations

import ast
import shlex
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any, Final

Import = ast.Import | ast.ImportFrom

ORIGIN: Final = "In"
"""What findings call the notebook; the number of the cell is the line."""

_MISSING: Final = object()
_SHARED: Final = (bool, int, str, bytes, type(None), type(...))
"""Types of which two equal objects may be one by chance."""

_IPYTHONS: Final = frozenset({"In", "Out", "exit", "quit", "open", "get_ipython"})
"""Names that each shell puts into the namespace."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A name that cell `number` imported: `there` in `module`, or the module itself if `there` is empty."""

    number: int
    module: str
    there: str
    here: str

    def __str__(self) -> str:
        renamed = f" as {self.here}" if self.here not in (self.there or self.module, "*") else ""
        return f"from {self.module} import {self.there}{renamed}" if self.there else f"import {self.module}{renamed}"


class Cells:
    """What the cells of one notebook bound, by name; `namespace` is theirs.

    transform: turns the body of a cell into Python, as IPython does it with magics. known: the names of the modules
    that are looked after.
    """

    def __init__(
        self,
        namespace: Mapping[str, Any],
        transform: Callable[[str], str],
        known: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._namespace, self._transform, self._known = namespace, transform, known
        self._unread: list[tuple[int, str]] = []
        self._own: dict[str, int] = {}
        self._imported: dict[str, Imported] = {}
        self._stars: dict[str, int] = {}

    def add(self, number: int, text: str) -> None:
        """Remember that the cell `number` runs `text`, which IPython has turned into Python."""
        self._unread.append((number, text))

    def text(self) -> str:
        """Return the imports that are still what the notebook's names stand for, each on the line of its cell."""
        self._read()
        lines: dict[int, list[str]] = {}
        standing = {one.here: one for one in self._imported.values() if self._stands(one)}
        for one in (*standing.values(), *self._pushed(standing)):
            lines.setdefault(one.number, []).append(str(one))
        for module, number in self._stars.items():
            lines.setdefault(number, []).insert(0, f"from {module} import *")
        if self._stars:
            for name, number in self._own.items():
                lines.setdefault(number, []).append(f"{name} = 0")
        return "\n".join("; ".join(lines.get(number, ())) for number in range(1, max(lines, default=0) + 1))

    def origin(self, name: str) -> Imported | int | None:
        """Return the import that `name` stands for, the number of the cell that bound it otherwise, or None."""
        self._read()
        found = self._imported.get(name)
        if found is not None and self._stands(found):
            return found
        pushed = next((one for one in self._pushed(()) if one.here == name), None)
        return pushed or self._own.get(name)

    def _read(self) -> None:
        unread, self._unread = self._unread, []
        for number, text in unread:
            self._read_one(max(number, 1), text)

    def _read_one(self, number: int, text: str) -> None:
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # then the cell did not run either
            return
        for node in _walk(tree.body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for one in _imports(number, node):
                    self._note(one)
            elif isinstance(node, ast.Call) and (inner := _magic(node)) is not None:
                self._read_magic(number, *inner)
            else:
                for name in _binds(node):
                    self._own[name] = number
                    self._imported.pop(name, None)

    def _note(self, one: Imported) -> None:
        if one.here == "*":
            self._stars[one.module] = one.number
        else:
            self._imported[one.here] = one
            self._own.pop(one.here, None)

    def _read_magic(self, number: int, name: str, line: str, body: str) -> None:
        """Go on with what a magic runs here: the body of a timed cell, the script of ``%run``."""
        text = _script(line) if name == "run" else f"{line}\n" if name == "time" and not body else body
        if text:
            self._read_one(number, self._transform(text))

    def _stands(self, one: Imported) -> bool:
        """Whether the name still is what it was imported as; equal small integers are told apart by `_own`."""
        held = self._namespace.get(one.here if one.there else one.here.partition(".")[0], _MISSING)
        module = sys.modules.get(one.module)
        if held is _MISSING or module is None:
            return False
        if not one.there:
            return isinstance(held, ModuleType)
        there = vars(module).get(one.there, _MISSING)
        return there is held or (there is _MISSING and "__getattr__" in vars(module))

    def _pushed(self, imported: Container[str]) -> Iterator[Imported]:
        """Yield names that no cell bound so: a magic or a startup file did, with what it took from a module."""
        for name, value in list(self._namespace.items()):
            if name in imported or name in self._own or name in _IPYTHONS or name.startswith("_"):
                continue
            if isinstance(value, (ModuleType, *_SHARED)) or any(_holds(star, name, value) for star in self._stars):
                continue
            module = next((each for each in self._homes(value) if _holds(each, name, value)), "")
            if module:
                yield Imported(1, module, name, name)

    def _homes(self, value: object) -> Iterable[str]:
        """Return the modules from which `value` may be: the one that it names, or all that are looked after."""
        home = getattr(value, "__module__", None) if isinstance(value, (type, FunctionType)) else None
        return (home,) if isinstance(home, str) else self._known()


def _holds(module: str, name: str, value: object) -> bool:
    found = sys.modules.get(module)
    return module != "__main__" and isinstance(found, ModuleType) and vars(found).get(name) is value


def _walk(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield all nodes that run with the cell, in the order of the text; what is inside functions and classes is not."""
    for node in body:
        yield node
        if isinstance(node, ast.comprehension):
            yield from _walk((node.iter, *node.ifs))
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _walk(ast.iter_child_nodes(node))


def _imports(number: int, node: Import) -> Iterator[Imported]:
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield Imported(number, alias.name, "", alias.asname or alias.name)
        elif node.module and not node.level:
            yield Imported(number, node.module, alias.name, alias.asname or alias.name)


def _binds(node: ast.AST) -> tuple[str, ...]:
    """Return the names that `node` itself binds or unbinds."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return (name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return (name,)
        case ast.MatchMapping(rest=str(name)):
            return (name,)
    return ()


def _magic(call: ast.Call) -> tuple[str, str, str] | None:
    """Return name, line and body of the magic that `call` runs, as IPython writes it; None for another call."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("run_cell_magic", "run_line_magic"):
        return None
    given = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    return (given[0], given[1], given[2] if len(given) > 2 else "") if len(given) > 1 else None


def _script(line: str) -> str:
    """Return the text of the script that ``%run`` with the arguments `line` takes; "" if there is none."""
    try:
        names = [word for word in shlex.split(line) if word.endswith((".py", ".ipy"))]
        with open(names[0], encoding="utf-8") as file:
            return file.read()
    except (IndexError, OSError, ValueError):
        return ""
