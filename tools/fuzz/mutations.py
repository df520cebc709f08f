"""Edits at random: what people do to modules, one at a time. Each takes files and returns them edited, or None.

A mutation need not leave a program that works: what a fresh process refuses is an edit that has to be held.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from random import Random
from typing import Any

from texts import DEFINITIONS, FUNCTIONS, Site, Where, cut, lines_of, parse, put, replace, rewrite, segment, sites

Files = dict[str, str]
Mutation = Callable[[str, list[Site], Random], str | None]

ONE_FILE: dict[str, Mutation] = {}


def _mutation(function: Mutation) -> Mutation:
    ONE_FILE[function.__name__] = function
    return function


def _choose(found: list[Site], rng: Random, kinds: Any = ast.stmt, where: tuple[Where, ...] = ()) -> Site | None:
    fitting = [one for one in found if isinstance(one.node, kinds) and (not where or one.where in where)]
    near = [one for one in fitting if one.where != "function"]
    fitting = near if near and rng.random() < 0.6 else fitting  # else nearly all would lie inside functions
    return rng.choice(fitting) if fitting else None


def _word(rng: Random) -> str:
    return f"{rng.choice(('alpha', 'beta', 'gamma', 'delta', 'omega'))}_{rng.randrange(100)}"


def _new(rng: Random, where: Where) -> list[str]:
    name = _word(rng)
    this = "self, " if where == "class" else ""
    return rng.choice(
        [
            [f"{name} = {rng.randrange(100)}"],
            [f"{name} = [{rng.randrange(9)}, {rng.randrange(9)}]"],
            [f"{name}: int = {rng.randrange(100)}"],
            [f"def {name}({this}a, b={rng.randrange(9)}, *args, c=None, **more):", "    return a, b, args, c, more"],
            [f"def {name}({this}a: 'int' = 1) -> 'int':", f'    """Give {name}."""', "    return lambda: a"],
            [f"async def {name}({this}a):", "    return a"],
            [f"class {name.title()}:", "    one = 1", "    def two(self):", "        return self.one"],
            [f"class {name.title()}(dict):", "    def __missing__(self, key):", "        return super().get(key)"],
            ["import string as " + name],
            ["from functools import partial as " + name],
            ["if True:", f"    {name} = {rng.randrange(9)}", "else:", f"    {name} = None"],
            ["try:", f"    {name} = int('{rng.randrange(9)}')", "except ValueError:", f"    {name} = 0"],
        ]
    )


@_mutation
def insert(text: str, found: list[Site], rng: Random) -> str | None:
    """A new statement before or after another."""
    site = _choose(found, rng)
    if site is None:
        return None
    here = site.first if rng.random() < 0.5 and not _is_doc(site) else site.last + 1
    return put(text, here, site.indent, _new(rng, site.where))


@_mutation
def delete(text: str, found: list[Site], rng: Random) -> str | None:
    """A statement goes."""
    site = _choose(found, rng)
    return cut(text, site) if site else None


@_mutation
def move(text: str, found: list[Site], rng: Random) -> str | None:
    """A statement goes to another place beside its neighbours."""
    site = _choose(found, rng, where=("module", "class", "suite"))
    others = [one for one in found if site and one.beside is site.beside and one is not site and not _is_doc(one)]
    if site is None or not others or _is_doc(site):
        return None
    other, moved = rng.choice(others), lines_of(text, site)
    if other.first > site.first:
        return cut(put(text, other.last + 1, site.indent, moved), site)
    return put(cut(text, site), other.first, site.indent, moved)


@_mutation
def rename(text: str, found: list[Site], rng: Random) -> str | None:
    """A definition gets another name, with or without all that speak of it."""
    site = _choose(found, rng, DEFINITIONS)
    if site is None or not isinstance(site.node, DEFINITIONS):
        return None
    name = site.node.name
    if rng.random() < 0.8:
        return re.sub(rf"\b{re.escape(name)}\b", f"{name}_{rng.randrange(9)}", text)
    return replace(
        text, site, re.sub(rf"\b{re.escape(name)}\b", f"{name}_x", "\n".join(lines_of(text, site))).split("\n")
    )


@_mutation
def wrap(text: str, found: list[Site], rng: Random) -> str | None:
    """One or more statements go inside an ``if``, ``try`` or ``with``."""
    site = _choose(found, rng, where=("module", "class", "suite"))
    if site is None or _is_doc(site) or _is_future(site):
        return None
    inside = [f"    {line}" if line else "" for line in lines_of(text, site)]
    head, tail = rng.choice(
        [
            (["if True:"], []),
            (["if __name__:"], ["else:", "    pass"]),
            (["try:"], ["except ImportError:", "    pass"]),
            (["try:"], ["finally:", "    pass"]),
            (["with __import__('contextlib').suppress(KeyError):"], []),
            (["for _turn in range(1):"], []),
        ]
    )
    return replace(text, site, head + inside + tail)


@_mutation
def unwrap(text: str, found: list[Site], rng: Random) -> str | None:
    """The body of an ``if``, ``try`` or ``with`` comes out of it."""
    site = _choose(found, rng, (ast.If, ast.Try, ast.With), ("module", "class", "suite"))
    if site is None:
        return None
    first, last = site.node.body[0], site.node.body[-1]  # type: ignore[attr-defined]
    lines = text.splitlines()[first.lineno - 1 : last.end_lineno]
    shift = first.col_offset - site.node.col_offset
    return replace(text, site, [line[site.node.col_offset + shift :] if line.strip() else "" for line in lines])


@_mutation
def decorate(text: str, found: list[Site], rng: Random) -> str | None:
    """A decorator comes."""
    site = _choose(found, rng, DEFINITIONS)
    if site is None or not isinstance(site.node, DEFINITIONS):
        return None
    if isinstance(site.node, ast.ClassDef):
        chosen = rng.choice(["dataclasses.dataclass", "functools.total_ordering", "typing.final", "(lambda cls: cls)"])
    elif site.where == "class":
        chosen = rng.choice(["staticmethod", "classmethod", "property", "functools.cached_property", "functools.cache"])
    else:
        chosen = rng.choice(
            ["functools.cache", "functools.lru_cache(maxsize=3)", "contextlib.contextmanager", "functools.wraps(len)",
             "(lambda f: functools.wraps(f)(lambda *a, **k: f(*a, **k)))", "functools.singledispatch"]
        )  # fmt: skip
    added = put(text, site.first, site.indent, [f"@{chosen}"])
    module = chosen.partition(".")[0].removeprefix("(lambda f: ")
    if "." not in chosen:
        return added
    return put(added, _after_future(found), "", [f"import {module}"])


@_mutation
def undecorate(text: str, found: list[Site], rng: Random) -> str | None:
    """A decorator goes."""
    fitting = [one for one in found if getattr(one.node, "decorator_list", [])]
    site = _choose(fitting, rng)
    if site is None or not isinstance(site.node, DEFINITIONS):
        return None
    site.node.decorator_list.pop(rng.randrange(len(site.node.decorator_list)))
    return rewrite(text, site)


@_mutation
def rebase(text: str, found: list[Site], rng: Random) -> str | None:
    """A base or metaclass comes or goes."""
    site = _choose(found, rng, ast.ClassDef)
    if site is None or not isinstance(site.node, ast.ClassDef):
        return None
    before = [
        n.node.name for n in found if isinstance(n.node, ast.ClassDef) and n.where == "module" and n.last < site.first
    ]
    node = site.node
    if node.bases and rng.random() < 0.4:
        node.bases.pop(rng.randrange(len(node.bases)))
    elif node.keywords and rng.random() < 0.5:
        node.keywords.pop()
    elif before and rng.random() < 0.7:
        node.bases.insert(0, ast.Name(rng.choice(before)))
    elif rng.random() < 0.5:
        node.bases.append(ast.Name(rng.choice(["object", "dict", "Exception", "list"])))
    else:
        node.keywords.append(ast.keyword("metaclass", ast.parse("__import__('abc').ABCMeta", mode="eval").body))
    return rewrite(text, site)


@_mutation
def signature(text: str, found: list[Site], rng: Random) -> str | None:
    """A parameter comes, goes, or changes its default, its annotation or its kind."""
    site = _choose(found, rng, FUNCTIONS)
    if site is None or not isinstance(site.node, FUNCTIONS):
        return None
    given = site.node.args
    choice = rng.randrange(6)
    if choice == 0:
        given.kwonlyargs.append(ast.arg(_word(rng)))
        given.kw_defaults.append(ast.Constant(rng.randrange(9)))
    elif choice == 1 and given.defaults:
        given.defaults[rng.randrange(len(given.defaults))] = ast.Constant(rng.randrange(99))
    elif choice == 2 and given.args:
        given.args[-1].annotation = ast.Name(rng.choice(["int", "str", "object"]))
    elif choice == 3:
        site.node.returns = None if site.node.returns else ast.Name("object")
    elif choice == 4 and len(given.args) > len(given.defaults) + 1:
        given.defaults.insert(0, ast.parse(f"[{rng.randrange(9)}]", mode="eval").body)
    else:
        given.args.append(ast.arg(_word(rng)))
        given.defaults.append(ast.Constant(None))
    return rewrite(text, site)


@_mutation
def document(text: str, found: list[Site], rng: Random) -> str | None:
    """A docstring comes, goes or changes."""
    site = _choose(found, rng, DEFINITIONS)
    if rng.random() < 0.1 and found and found[0].where == "module":
        new = f'"""About {_word(rng)}."""'
        return replace(text, found[0], [new]) if _is_doc(found[0]) else put(text, 1, "", [new])
    if site is None or not isinstance(site.node, DEFINITIONS):
        return None
    if ast.get_docstring(site.node) is not None and rng.random() < 0.4:
        site.node.body = site.node.body[1:] or [ast.Pass()]
        return rewrite(text, site)
    first = next((one for one in found if one.beside is site.node.body), None)
    if first is None:
        return None
    new = f'"""About {_word(rng)}."""'
    return replace(text, first, [new]) if _is_doc(first) else put(text, first.first, first.indent, [new])


@_mutation
def constant(text: str, found: list[Site], rng: Random) -> str | None:
    """A literal changes somewhere."""
    del found
    tree = parse(text)
    shadowed = {
        id(part)
        for node in ast.walk(tree or ast.Module([], []))
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
    }
    fitting = [
        node
        for node in ast.walk(tree or ast.Module([], []))
        if isinstance(node, ast.Constant)
        and id(node) not in shadowed
        and isinstance(node.value, (int, str, bytes, float))
        and node.lineno == node.end_lineno
    ]
    if not fitting:
        return None
    node = rng.choice(fitting)
    value: Any = node.value
    if isinstance(value, bool):
        return segment(text, node, str(not value))
    if isinstance(value, (int, float)):
        return segment(text, node, str(value + rng.choice([1, 2, 10])))
    return segment(text, node, repr(value[:-1] if value and rng.random() < 0.5 else value + value[:1]))


@_mutation
def body(text: str, found: list[Site], rng: Random) -> str | None:
    """A line comes into a function."""
    site = _choose(found, rng, FUNCTIONS)
    inner = next((one for one in found if site and one.beside is getattr(site.node, "body", None)), None)
    if site is None or inner is None:
        return None
    name, this = _word(rng), "__class__" if site.where == "class" else "None"
    taken = [argument.arg for argument in site.node.args.args]  # type: ignore[attr-defined]
    new = rng.choice(
        [
            [f"{name} = {rng.randrange(99)}"],
            [f"def {name}(n=1):", f"    return n, {taken[0] if taken else 'None'}"],
            [f"{name} = lambda: {taken[-1] if taken else 0}"],
            [f"{name} = [_n for _n in range({rng.randrange(9)})]"],
            ["if False:", "    yield"],
            [f"{name} = {this}"],
            ["global _seen", "_seen = 1"],
            [f"class {name.title()}:", "    inner = 1"],
            [f"return {rng.randrange(9)}"],
        ]
    )
    where = inner.last + 1 if _is_doc(inner) else inner.first
    return put(text, where, inner.indent, new)


@_mutation
def kind(text: str, found: list[Site], rng: Random) -> str | None:
    """A name becomes something else: a function a class, a class a function, a value a function."""
    site = _choose(found, rng, (*DEFINITIONS, ast.Assign), ("module", "class", "suite"))
    if site is None:
        return None
    node = site.node
    name = node.name if isinstance(node, DEFINITIONS) else ast.unparse(node.targets[0])  # type: ignore[attr-defined]
    if not name.isidentifier():
        return None
    return replace(
        text,
        site,
        rng.choice(
            [
                [f"{name} = {rng.randrange(9)}"],
                [f"{name} = lambda *args, **more: None"],
                [
                    f"class {name}:",
                    "    made = True",
                    "    def __init__(self, *args, **more):",
                    "        self.args = args",
                ],
                [f"def {name}(*args, **more):", "    return args"],
                [f"{name} = property(lambda self: 1)"],
                [f"{name} = staticmethod(len)"],
            ]
        ),
    )


@_mutation
def turn_async(text: str, found: list[Site], rng: Random) -> str | None:
    """A function becomes a coroutine, or one a function."""
    site = _choose(found, rng, FUNCTIONS)
    if site is None:
        return None
    lines = lines_of(text, site)
    at = next((i for i, line in enumerate(lines) if line.startswith(("def ", "async def "))), None)
    if at is None:
        return None
    lines[at] = lines[at].removeprefix("async ") if lines[at].startswith("async") else f"async {lines[at]}"
    return replace(text, site, lines)


@_mutation
def slots(text: str, found: list[Site], rng: Random) -> str | None:
    """A class gets slots, a class variable, an annotation, or a hook."""
    site = _choose(found, rng, ast.ClassDef)
    inner = next((one for one in found if site and one.beside is getattr(site.node, "body", None)), None)
    if inner is None:
        return None
    name = _word(rng)
    new = rng.choice(
        [
            [f"__slots__ = ('{name}',)"],
            [f"{name}: int"],
            [f"{name}: 'list[int]' = None"],
            ["def __init_subclass__(cls, **more):", "    super().__init_subclass__(**more)", "    cls.heard = True"],
            ["def __eq__(self, other):", "    return self is other"],
            ["def __getattr__(self, name):", "    raise AttributeError(name)"],
            ["@property", f"def {name}(self):", "    return 1"],
            ["@staticmethod", f"def {name}(a=1):", "    return a"],
            ["@classmethod", f"def {name}(cls):", "    return cls"],
        ]
    )
    return put(text, inner.last + 1 if _is_doc(inner) else inner.first, inner.indent, new)


@_mutation
def twice(text: str, found: list[Site], rng: Random) -> str | None:
    """A definition is copied, changed a little, below itself: the second wins."""
    site = _choose(found, rng, DEFINITIONS)
    if site is None:
        return None
    return put(text, site.last + 1, site.indent, ["", *lines_of(text, site), f"{'    '}copied = {rng.randrange(9)}"])


@_mutation
def chain(text: str, found: list[Site], rng: Random) -> str | None:
    """A value is changed, extended, or computed from another one."""
    site = _choose(found, rng, ast.Assign, ("module", "class", "suite"))
    if site is None or not isinstance(site.node, ast.Assign) or not isinstance(site.node.targets[0], ast.Name):
        return None
    name = site.node.targets[0].id
    new = rng.choice(
        [f"{name} += {name}", f"{name} = ({name},)", f"{_word(rng)} = {name}", f"del {name}", f"{name}, = [{name}]"]
    )
    return put(text, site.last + 1, site.indent, [new])


@_mutation
def comment(text: str, found: list[Site], rng: Random) -> str | None:
    """A comment or blank lines come."""
    site = _choose(found, rng)
    return (
        put(text, site.first, site.indent, rng.choice([["# why"], ["", ""], ["# one", "# two", ""]])) if site else None
    )


def _is_doc(site: Site) -> bool:
    node = site.node
    return site.beside[0] is node and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_future(site: Site) -> bool:
    return isinstance(site.node, ast.ImportFrom) and site.node.module == "__future__"


def _after_future(found: list[Site]) -> int:
    kept = [one.last for one in found if one.where == "module" and (_is_doc(one) or _is_future(one))]
    return max(kept, default=0) + 1


# -- of several files --------------------------------------------------------------------------------------------------


def split(files: Files, path: str, rng: Random) -> Files | None:
    """Definitions of a module move to a new one beside it, which imports what they need; they are imported back."""
    text = files[path]
    tree = parse(text)
    if tree is None:
        return None
    found = [one for one in sites(tree) if one.where == "module"]
    movable = [one for one in found if isinstance(one.node, DEFINITIONS)]
    if not movable:
        return None
    chosen = rng.sample(movable, min(len(movable), rng.choice([1, 1, 2, 3])))
    chosen.sort(key=lambda one: one.first)
    other = path.removesuffix(".py") + f"_{_word(rng)}.py"
    module = other.removesuffix(".py").replace("/", ".")
    future = [ast.unparse(one.node) for one in found if _is_future(one)]
    imports = [
        ast.unparse(one.node)
        for one in found
        if isinstance(one.node, (ast.Import, ast.ImportFrom)) and not _is_future(one)
    ]
    moved = ["\n".join(lines_of(text, one)) for one in chosen]
    names = ", ".join(one.node.name for one in chosen)  # type: ignore[attr-defined]
    for index, one in enumerate(reversed(chosen)):
        new = [f"from {module} import {names}"] if index == len(chosen) - 1 else []
        text = replace(text, one, new or ["pass"])
    return {**files, path: text, other: "\n\n\n".join(["\n".join(future + imports), *moved]) + "\n"}


def mutate(files: Files, rng: Random) -> tuple[str, Files] | None:
    """Return what was done and the edited files; None if this time nothing came of it."""
    path = rng.choice(sorted(path for path in files if path.endswith(".py")))
    if rng.random() < 0.03:
        parted = split(files, path, rng)
        return ("split", parted) if parted else None
    tree = parse(files[path])
    if tree is None:
        return None
    name = rng.choice(list(ONE_FILE))
    edited = ONE_FILE[name](files[path], sites(tree), rng)
    if edited is None or edited == files[path] or parse(edited) is None:
        return None
    return name, {**files, path: edited}
