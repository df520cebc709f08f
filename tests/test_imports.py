"""The import graph: what a text may import, what its imports bind, and what follows from it for a change."""

from __future__ import annotations

import ast
import itertools
import sysconfig
import warnings
from collections.abc import Iterator
from importlib.util import decode_source, resolve_name
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotswap._graph._imports import edges, loose, mentions
from hotswap._graph._order import Graph
from hotswap._model import ImportEdge, Kind, Snapshot, Statement

PACKAGE = "top.pkg"


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _mentions_by_parse(tree: ast.Module, package: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = [alias.name] if alias.asname else itertools.accumulate(alias.name.split("."), "{}.{}".format)
                found.update(parts)
        elif isinstance(node, ast.ImportFrom):
            try:
                origin = resolve_name("." * node.level + (node.module or ""), package)
            except ImportError:
                continue
            found.add(origin)
            found.update(f"{origin}.{alias.name}" for alias in node.names if alias.name != "*")
    return found


def _snapshot(text: str, module: str = "top.pkg.mod", *, tree: ast.Module | None = None) -> Snapshot:
    return Snapshot(module, "mod.py", text, tuple(map(_statement, (tree or ast.parse(text)).body)))


def _statement(node: ast.stmt) -> Statement:
    decorators = getattr(node, "decorator_list", [])
    lineno = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return Statement("", Kind.OTHER, b"", lineno, node.end_lineno or lineno, node=node)


# The scan, against a parse.

FORMS = {
    "plain": ("import a", "a"),
    "dotted": ("import a.b.c", "a a.b a.b.c"),
    "several": ("import a, b.c as d ,e\n", "a b.c e"),
    "renamed": ("import a.b as c", "a.b"),
    "renamed with tabs": ("import\ta . b\tas\tc", "a.b"),
    "comment after": ("import a  # not import b\n", "a b"),
    "after a semicolon": ("x = 1;import a;from b import c", "a b b.c"),
    "after a colon": ("try: import a\nexcept ImportError: import b", "a b"),
    "in an else": ("if x:\n    pass\nelse:import a", "a"),
    "indented": ("class A:\n\tdef f(self):\n\t\timport a", "a"),
    "after a form feed": ("\fimport a", "a"),
    "continued": ("import a, \\\n    b.\\\nc as \\\n d\n", "a b.c"),
    "continued before the name": ("import \\\n a", "a"),
    "Windows line ends": ("import a, \\\r\n b\r\nfrom c import (d,\r\n e)\r\n", "a b c c.d c.e"),
    "old Mac line ends": ("import a\rfrom b import c\r", "a b b.c"),
    "from": ("from a import b", "a a.b"),
    "from dotted": ("from a.b import c as d, e", "a.b a.b.c a.b.e"),
    "from with no space": ("from.a import(b)", "top.pkg.a top.pkg.a.b"),
    "from star": ("from a import *", "a"),
    "from star with no space": ("from a import*", "a"),
    "from continued": ("from a \\\n  import b", "a a.b b"),
    "from continued twice": ("from \\\n a . \\\n b import c", "a.b a.b.c c"),
    "from continued after": ("from a import \\\n b, c", "a a.b a.c"),
    "from continued to parentheses": ("from a import \\\n (b, c)", "a a.b a.c"),
    "parenthesised": ("from a import (\n    b,  # the first :)\n    c as d,\n)\n", "a a.b a.c"),
    "parenthesised, trailing statement": ("from a import (b, c); import d", "a a.b a.c d"),
    "relative": ("from . import a", "top.pkg top.pkg.a"),
    "relative name": ("from .a import b", "top.pkg.a top.pkg.a.b"),
    "relative up": ("from ..a import b", "top.a top.a.b"),
    "relative with spaces": ("from . . a . b import c", "top.a.b top.a.b.c"),
    "relative, past the top": ("from .... import a", ""),
    "module whose name has from in it": ("from fromage.from_x import b", "fromage.from_x fromage.from_x.b"),
    "module whose name has import in it": (
        "from my_import import b\nimport important",
        "important my_import my_import.b",
    ),
    "name normalised by the parser": ("import \ufb01le\nfrom a import \uff42", "a a.b file"),
    "names with combining marks": ("from e\u0301 import (e\u0301, b)", "\u00e9 \u00e9.\u00e9 \u00e9.b"),
    "comment that ends with a backslash": ("# from a \\\nimport b", "a a.b b"),
    "from after a comment that ends with a backslash": ("# from a \\\nfrom \\\nb import c", "b b.c c"),
    "raise from before": ("raise E from e; import a", "a"),
    "import_module": ("import_module('a')\nx = reimport + 1\nprint('import', a)", ""),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("text", "expected"), FORMS.values(), ids=FORMS)
def test_mentions_names_what_each_form_of_import_may_import(text: str, expected: str) -> None:
    """Every form of an import statement is seen, and resolved from the package."""
    assert mentions(text, PACKAGE) == set(expected.split())


@pytest.mark.parametrize("text", [text for text, _ in FORMS.values() if "raise" not in text], ids=str)
def test_the_table_of_forms_misses_nothing_that_the_parser_sees(text: str) -> None:
    """The expectations of the table above name at least what a parse finds."""
    assert mentions(text, PACKAGE) >= _mentions_by_parse(ast.parse(text), PACKAGE)


@pytest.mark.parametrize(
    "piece",
    ["import b from a ", "import b from \\\n", "from a import (b\n", "from a import (b # import a\n"],
)
def test_the_scan_takes_linear_time_on_endless_lines(piece: str) -> None:
    """Twenty thousand would-be imports in one string take no time to speak of; in quadratic time this would hang."""
    assert mentions("x = r'''" + piece * 20_000 + "'''", "")


def test_a_relative_import_without_a_package_is_left_out() -> None:
    """Outside a package, a relative import raises, so it leads nowhere."""
    assert mentions("from . import a\nfrom .b import c", "") == set()


def _library() -> Iterator[tuple[Path, str, ast.Module]]:
    root = Path(sysconfig.get_path("stdlib"))
    skipped = {"test", "tests", "site-packages", "lib2to3", "idlelib", "pydoc_data", "encodings"}
    files = (path for path in sorted(root.rglob("*.py")) if not skipped & set(path.relative_to(root).parts))
    for path in itertools.islice(files, 0, None, 6):
        text = decode_source(path.read_bytes())
        yield path, text, _parse(text)


def test_neither_scan_nor_edges_miss_an_import_of_the_standard_library() -> None:
    """On real files, the scan names all that a parse finds and little else, and each import has its edges."""
    named = surplus = 0
    for path, text, tree in _library():
        expected = _mentions_by_parse(tree, PACKAGE)
        seen = mentions(text, PACKAGE)
        assert seen >= expected, path
        found = edges(_snapshot(text, tree=tree), PACKAGE, lambda _: True)
        assert {edge.imported for edge in found} == expected, path
        named += len(expected)
        surplus += len(seen - expected)
    assert named > 500
    assert surplus < named / 4


SPACE = st.sampled_from([" ", "  ", "\t", " \\\n ", "\f"])
GAP = st.sampled_from(["", "", "", " ", "\\\n"])
WORD = st.sampled_from(["a", "b", "from_", "importer", "as_", "\u00e9t\u00e9", "e\u0301", "x1", "frm"])


@st.composite
def dotted(draw: st.DrawFn) -> str:
    """Return a dotted name, perhaps with space around its dots."""
    name = draw(WORD)
    for word in draw(st.lists(WORD, max_size=2)):
        name += f"{draw(GAP)}.{draw(GAP)}{word}"
    return name


@st.composite
def alias(draw: st.DrawFn, names: st.SearchStrategy[str]) -> str:
    """Return a name that is imported, perhaps renamed."""
    suffix = f"{draw(SPACE)}as{draw(SPACE)}{draw(WORD)}" if draw(st.booleans()) else ""
    return draw(names) + suffix


@st.composite
def import_statement(draw: st.DrawFn) -> str:
    """Return one import statement in one of its many spellings."""
    comma = st.builds("{},{}".format, GAP, GAP)
    if draw(st.booleans()):
        names = draw(st.lists(alias(dotted()), min_size=1, max_size=3))
        return f"import{draw(SPACE)}{draw(comma).join(names)}"
    dots = draw(st.sampled_from(["", "", ".", "..", ". .", "...", "...."]))
    origin = dots + (draw(dotted()) if not dots or draw(st.booleans()) else "")
    names = draw(st.lists(alias(WORD), min_size=1, max_size=3))
    flat = draw(comma).join(names)
    wrapped = ",  # a) comment, import x \\\n  ".join(names)
    tail = draw(st.sampled_from([f" {flat}", f"({flat})", f" (\n{wrapped},\n)", f"\\\n({flat},)", "*", " *"]))
    return f"from{draw(SPACE)}{origin}{draw(SPACE)}import{tail}"


@given(st.lists(st.tuples(import_statement(), st.sampled_from(["\n", ";", "  # from a \\\n", "\n'''from b'''; "]))))
@settings(deadline=None, max_examples=300)
def test_mentions_misses_no_spelling(statements: list[tuple[str, str]]) -> None:
    """However import statements are spaced, continued, commented and joined, the scan sees what the parser sees."""
    text = "".join(statement + end for statement, end in statements) + "pass\n"
    assert mentions(text, PACKAGE) >= _mentions_by_parse(ast.parse(text), PACKAGE)


# The edges of one snapshot.

MODULES = frozenset({"a", "a.b", "a.b.c", "p", "p.sub", "top.pkg", "top.pkg.near"})
BINDINGS = {
    "import a": "a:=a",
    "import a.b.c": "a.b.c:=a.b.c a:=a a.b:=a.b",
    "import a.b as x": "a.b:=x",
    "import a as x, p": "a:=x p:=p",
    "from p import f": "p:f=f",
    "from p import f as g, h": "p:f=g,h=h",
    "from p import sub": "p:sub=sub p.sub:=sub",
    "from p import f, sub as s": "p:f=f,sub=s p.sub:=s",
    "from p import *": "p:*=*",
    "from . import near": "top.pkg:near=near top.pkg.near:=near",
    "from .near import f": "top.pkg.near:f=f",
    "from ...... import f": "",
    "class A:\n    class B:\n        from p import f": "p:f=A.B.f",
    "class A:\n    global f\n    from p import f": "p:f=f",
}


def _shown(edge: ImportEdge) -> str:
    return f"{edge.imported}:{','.join(f'{there}={here}' for there, here in edge.names)}"


@pytest.mark.parametrize(("text", "expected"), BINDINGS.items(), ids=str)
def test_edges_say_what_an_import_binds(text: str, expected: str) -> None:
    """Each form of import has an edge per module, with the name there and the path here."""
    found = edges(_snapshot(text), PACKAGE, MODULES.__contains__)
    assert sorted(map(_shown, found)) == sorted(expected.split())
    assert not any(edge.deferred for edge in found)


PLACES = {
    "import a": False,
    "if x:\n    import a": False,
    "if x:\n    pass\nelif y:\n    import a": False,
    "try:\n    import a\nexcept E:\n    pass": False,
    "try:\n    pass\nexcept E:\n    import a": False,
    "try:\n    pass\nfinally:\n    import a": False,
    "for x in y:\n    pass\nelse:\n    import a": False,
    "with x:\n    import a": False,
    "match x:\n    case 1:\n        import a": False,
    "class A:\n    import a": False,
    "def f():\n    import a": True,
    "async def f():\n    if x:\n        import a": True,
    "class A:\n    def f(self):\n        import a": True,
    "def f():\n    class A:\n        import a": True,
    "def f():\n    global a\n    import a": False,
    "def f():\n    global a\n    def g():\n        import a": True,
    "if TYPE_CHECKING:\n    import a": True,
    "if typing.TYPE_CHECKING:\n    import a": True,
    "if TYPE_CHECKING and x:\n    import a": True,
    "if TYPE_CHECKING or x:\n    import a": False,
    "if not TYPE_CHECKING:\n    import a": False,
    "if TYPE_CHECKING:\n    pass\nelse:\n    import a": False,
    "if not TYPE_CHECKING:\n    pass\nelse:\n    import a": True,
    "if False:\n    import a": True,
    "if 1:\n    pass\nelse:\n    import a": True,
    "if __name__ == '__main__':\n    import a": False,
}


@pytest.mark.parametrize(("text", "deferred"), PLACES.items(), ids=str)
def test_edges_say_whether_an_import_runs_with_the_module(text: str, deferred: bool) -> None:
    """Imports in functions and under tests that are false at run time are deferred, all others are not."""
    (edge,) = edges(_snapshot(text), PACKAGE)
    assert edge.deferred is deferred


def test_edges_come_with_lines_of_the_module_even_if_the_trees_were_parsed_alone() -> None:
    """A tree whose lines count from its own beginning is placed by its statement."""
    text = "import a\nx = 1\n\n@deco\ndef f():\n    import b\n"
    snapshot = _snapshot(text)
    alone = ast.parse("@deco\ndef f():\n    import b\n").body[0]
    moved = Statement("def f", Kind.DEF, b"", 4, 6, node=alone)
    found = edges(Snapshot("m", "m.py", text, (*snapshot.statements[:2], moved)), "")
    assert [(edge.importer, edge.imported, edge.lineno) for edge in found] == [("m", "a", 1), ("m", "b", 6)]


def test_the_lines_of_imports_are_found_under_every_line_end() -> None:
    """A statement's edges do not depend on how the file ends its lines."""
    for end in ("\n", "\r\n", "\r"):
        text = end.join(["x = '''", "'''", "import a", "y = 1", "from b import c", ""])
        assert [edge.lineno for edge in edges(_snapshot(text), "")] == [3, 5]


def test_a_long_chain_of_elif_does_not_exhaust_the_stack() -> None:
    """Each elif is nested in the one before; a thousand and a half of them are walked all the same."""
    tree: list[ast.stmt] = ast.parse("import a").body
    for _ in range(1500):
        tree = [ast.If(ast.Name("x"), [ast.Pass()], tree, lineno=1)]
    statement = Statement("if x", Kind.SUITE, b"", 1, 1, node=tree[0])
    assert [e.imported for e in edges(Snapshot("m", "m.py", "import a", (statement,)), "")] == ["a"]


def test_edges_answer_what_a_swap_asks_of_them() -> None:
    """Which names here are the module, which are its name n, and is it star imported: one comprehension each."""
    text = (
        "import p.sub\nimport p.sub as s\nfrom p import sub as t, n, n as m\nfrom p.sub import n as k\nfrom p import *"
    )
    found = edges(_snapshot(text), PACKAGE, MODULES.__contains__)

    def here(module: str, name: str) -> list[str]:
        return [here for edge in found if edge.imported == module for there, here in edge.names if there == name]

    assert here("p.sub", "") == ["p.sub", "s", "t"]
    assert here("p", "") == ["p"]
    assert here("p", "n") == ["n", "m"]
    assert here("p.sub", "n") == ["k"]
    assert here("p", "*") == ["*"]
    assert here("p.sub", "*") == []


LOOSE = {
    "import a": "",
    "def f():\n    import a": "a",
    "def f():\n    import a\nimport a": "",
    "from p import sub": "p",
    "from p import sub, f": "",  # one name that the package itself defines is enough to need it
    "from p import sub\nfrom p import f": "",
    "from p import *": "",
    "import p.sub": "",
}


@pytest.mark.parametrize(("text", "expected"), LOOSE.items(), ids=str)
def test_loose_are_modules_that_need_not_have_run_before(text: str, expected: str) -> None:
    """Deferred imports are loose, and packages of which only submodules are taken."""
    assert loose(edges(_snapshot(text), PACKAGE, MODULES.__contains__)) == set(expected.split())


# The graph.


def _graph(text: str) -> Graph:
    """Build a graph from words like ``a>b,c``: a imports b and c; ``a>b,(c)``: c loosely."""
    graph = Graph()
    for word in text.split():
        module, _, imported = word.partition(">")
        names = imported.split(",") if imported else []
        graph.update(module, [name.strip("()") for name in names], [name[1:-1] for name in names if name[0] == "("])
    return graph


def _ranks(text: str) -> dict[str, int]:
    return {name: index for index, name in enumerate(text.split())}


def test_dependents_are_direct_importers() -> None:
    """Only who imports a module itself is its dependent."""
    graph = _graph("a>b b>c d>c")
    assert graph.dependents("c") == ("b", "d")
    assert graph.dependents("a") == graph.dependents("unknown") == ()
    assert graph.imports("a") == ("b",)


def test_affected_are_changed_and_transitive_dependents() -> None:
    """What changed is affected, and whatever imports it at any distance, each once."""
    graph = _graph("a>b b>c d>c e>d,b x>y")
    assert graph.affected(["c"]) == set("abcde")
    assert graph.affected(["b", "y"]) == set("abexy")
    assert graph.affected(["new"]) == {"new"}
    assert graph.affected([]) == frozenset()


def test_updates_take_back_what_they_set() -> None:
    """An import that leaves the text leaves the graph both ways."""
    graph = _graph("a>b,c")
    graph.update("a", ["c", "d"])
    assert [graph.dependents(name) for name in "bcd"] == [(), ("a",), ("a",)]
    graph.forget("a")
    assert graph.dependents("c") == graph.imports("a") == ()


def test_a_forgotten_module_keeps_its_importers() -> None:
    """Their texts still name it: if it comes back, they depend on it."""
    graph = _graph("a>b b>c")
    graph.forget("b")
    graph.forget("never seen")
    assert graph.dependents("b") == ("a",)
    assert graph.affected(["c"]) == {"c"}


def test_a_module_that_imports_itself_is_no_cycle() -> None:
    """``from . import x`` in a package's own file names the package itself."""
    graph = _graph("p>p,q q")
    assert graph.dependents("p") == ()
    assert graph.cycles("pq") == ()


GROUPS = {
    "strangers": ("a b", "a b", "a b"),
    "one imports the other": ("a>b", "a b", "ab"),
    "through an unchanged module": ("a>u u>v v>b", "a b", "ab"),
    "a common importer does not join": ("u>a,b", "a b", "a b"),
    "a common import does not join": ("a>u b>u", "a b", "a b"),
    "neither do both": ("a>u b>u v>a,b", "a b", "a b"),
    "three through the middle one": ("a>u u>b c>w w>b", "a b c", "abc"),
    "two that reach a third join": ("a>c b>c", "a b c", "abc"),
    "a cycle": ("a>b b>a", "b a", "ab"),
    "unknown modules stand alone": ("a>b", "x a", "x a"),
    "in the order asked": ("a>b c>d", "d c b", "cd b"),
}


@pytest.mark.parametrize(("imports", "changed", "expected"), GROUPS.values(), ids=GROUPS)
def test_groups_hold_what_reaches_one_another(imports: str, changed: str, expected: str) -> None:
    """Changed modules are in one group if one imports the other, at whatever distance."""
    assert _graph(imports).groups(changed.split()) == tuple(map(frozenset, expected.split()))


ORDERS = {
    "imported first": ("a>b b>c", "a b c", "a b c", "c b a"),
    "ties by rank": ("", "a b c", "c a b", "c a b"),
    "ties without rank by name, last": ("", "c b a", "c", "c a b"),
    "a diamond": ("a>b,c b>d c>d", "a b c d", "a c b d", "d c b a"),
    "rank does not overrule imports": ("a>b", "a b x", "a x b", "b a x"),
    "a cycle is one, by rank": ("a>b b>a", "a b", "b a", "ba"),
    "between what it imports and what imports it": ("a>b b>a,c x>a", "x a b c", "x a b c", "c ab x"),
    "two cycles": ("a>b b>a,c c>d d>c", "a b c d", "a b c d", "cd ab"),
    "through a module not asked for": ("a>u u>b", "a b", "a b", "b a"),
    "a cycle through a module not asked for": ("a>u u>b b>v v>a", "a b", "b a", "ba"),
    "a loose import alone counts": ("a>(b)", "a b", "a b", "b a"),
    "a loose import makes no cycle": ("a>(b) b>a", "a b", "b a", "a b"),
    "submodules of a package": ("p>q,r q>(p),r r>(p)", "p q r", "p q r", "r q p"),
    "loose ones alone: by rank": ("a>(b) b>(a)", "a b", "b a", "b a"),
    "unknown modules": ("", "x", "", "x"),
    "nothing": ("a>b", "", "a b", ""),
}


@pytest.mark.parametrize(("imports", "modules", "rank", "expected"), ORDERS.values(), ids=ORDERS)
def test_order_is_topological_with_cycles_as_one(imports: str, modules: str, rank: str, expected: str) -> None:
    """Imported modules come first, cycles in one piece, and rank decides the rest."""
    assert _graph(imports).order(modules.split(), _ranks(rank)) == tuple(map(tuple, expected.split()))


def test_rank_may_have_gaps_and_more_names() -> None:
    """Positions in ``sys.modules`` are not dense; a module without one comes after all that have one."""
    assert Graph().order(["a", "b", "c"], {"a": 900, "c": 7, "sys": 0}) == (("c",), ("a",), ("b",))


def test_cycles_are_components_of_more_than_one() -> None:
    """Cycles are named with their members; what merely hangs on them is not in them."""
    assert _graph("a>b b>c c>b d>e,(d) e>(d) x>y y>z z>x").cycles("abcdexyz") == (("b", "c"), ("x", "y", "z"))


def test_a_chain_longer_than_the_recursion_limit_is_ordered() -> None:
    """Depth costs no stack: a chain of ten thousand modules and the same as one cycle."""
    names = [f"m{number:05}" for number in range(10_000)]
    graph = Graph()
    for name, imported in itertools.pairwise(names):
        graph.update(name, [imported])
    assert [name for (name,) in graph.order(names, {})] == names[::-1]
    assert len(graph.affected([names[-1]])) == len(names)
    graph.update(names[-1], [names[0]])
    assert graph.order(names, {}) == (tuple(names),)
    assert graph.groups(names[::100]) == (frozenset(names[::100]),)


NAMES = "abcdefg"
IMPORTS = st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES)))


def _reachable(imports: dict[str, set[str]]) -> set[tuple[str, str]]:
    pairs = {(a, b) for a, names in imports.items() for b in names if a != b}
    for via, a, b in itertools.product(NAMES, repeat=3):  # Warshall's order: the one passed through is outermost
        if (a, via) in pairs and (via, b) in pairs:
            pairs.add((a, b))
    return pairs


@given(IMPORTS, IMPORTS, st.sets(st.sampled_from(NAMES)), st.permutations(NAMES))
@settings(deadline=None, max_examples=400)
def test_the_graph_agrees_with_its_definition(
    before: dict[str, set[str]], after: dict[str, set[str]], chosen: set[str], ranked: list[str]
) -> None:
    """After any updates, all answers are those of the plain definitions over the transitive closure."""
    graph = Graph()
    for module, imported in [*before.items(), *after.items()]:
        graph.update(module, imported)
    imports = before | after
    pairs = _reachable(imports)

    assert graph.affected(chosen) == chosen | {a for a, b in pairs if b in chosen}
    rank = {name: index for index, name in enumerate(ranked)}
    order = graph.order(chosen, rank)
    place = {name: index for index, component in enumerate(order) for name in component}
    assert sorted(itertools.chain.from_iterable(order)) == sorted(chosen)
    for a, b in itertools.permutations(sorted(chosen), 2):
        assert (place[a] == place[b]) == ((a, b) in pairs and (b, a) in pairs)
        assert place[b] <= place[a] or (a, b) not in pairs
    assert all(list(component) == sorted(component, key=rank.__getitem__) for component in order)
    together = {(a, b) for a, b in pairs if a in chosen and b in chosen}
    joined = _reachable({a: {b for x, y in together for b in (x, y) if a in (x, y)} for a in NAMES})
    groups = graph.groups(sorted(chosen))
    group_of = {name: index for index, group in enumerate(groups) for name in group}
    assert group_of.keys() == chosen
    for a, b in itertools.permutations(sorted(chosen), 2):
        assert (group_of[a] == group_of[b]) == ((a, b) in joined)


@given(IMPORTS, IMPORTS, st.permutations(NAMES))
@settings(deadline=None, max_examples=300)
def test_firm_imports_are_kept_in_order_and_loose_ones_where_there_is_no_cycle(
    firm: dict[str, set[str]], weak: dict[str, set[str]], ranked: list[str]
) -> None:
    """A loose import gives way to a cycle only."""
    graph = Graph()
    every = {name: firm.get(name, set()) | weak.get(name, set()) for name in NAMES}
    for module, imported in every.items():
        graph.update(module, imported, imported - firm.get(module, set()))
    order = graph.order(NAMES, {name: index for index, name in enumerate(ranked)})
    place = {name: index for index, component in enumerate(order) for name in component}
    strong, pairs = _reachable(firm), _reachable(every)
    for a, b in itertools.permutations(NAMES, 2):
        assert (place[a] == place[b]) == ((a, b) in strong and (b, a) in strong)
        if (a, b) in strong or ((a, b) in pairs and (b, a) not in pairs):
            assert place[b] <= place[a]


def test_modules_in_the_order_of_their_first_import_stay_in_it() -> None:
    """Where the ranks agree with the imports, the order is the ranks' own."""
    names = [f"m{number}" for number in range(200)]
    graph = Graph()
    for index, name in enumerate(names):
        graph.update(name, [names[index * 7 // 11], names[0], names[index // 3]])
    assert [name for (name,) in graph.order(reversed(names), _ranks(" ".join(names)))] == names
