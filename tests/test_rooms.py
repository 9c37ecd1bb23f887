"""Who may import whom, and how large anything may grow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parent.parent / "conclint"

# A room imports only from lines above its own (and within itself).
ORDER = (
    ("version",),  # conclint/__init__.py
    ("model", "text", "globs", "lazily", "serial", "toml"),
    ("knowledge",),
    ("index",),
    ("program",),
    ("source",),
    ("rules",),
    ("settings",),
    ("cache", "edits", "noqa", "writer"),
    ("engine",),
    ("fixer",),
    ("config", "discovery", "report", "stamps"),
    ("codes", "output", "project", "request", "sources"),
    ("progress",),
    ("checking", "one_file", "pages"),
    ("cli", "flake8_plugin"),
    ("__main__",),
)
# What a rule is, to the type checker: those below it are handed rules and call them.
SHAPES = {"conclint.rules.rule", "conclint.rules.rule.Rule"}
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}

# Who else may know of a library: nobody.
ALLOWED = {
    "libcst": {"source", "rules"},
    "ast": {"index"},
    "concurrent": {"engine"},
    "multiprocessing": {"engine"},
    "sqlite3": {"cache"},
    "click": {"cli"},
    "flake8": {"flake8_plugin"},
}

LONGEST_MODULE = 350
LONGEST_FUNCTION = 30


class Import(NamedTuple):
    module: str
    typing: bool  # only for the type checker


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "version" if name == "__init__" else name


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def imports(tree: ast.AST, typing: bool = False) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield Import(node.module or "", typing)
            yield from (Import(f"{node.module}.{alias.name}", typing) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (Import(alias.name, typing) for alias in node.names)
        else:
            guarded = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            yield from imports(node, typing or guarded)


def imports_of(path: Path) -> list[Import]:
    return list(imports(ast.parse(path.read_text("utf-8"))))


def room_of(module: str) -> str | None:
    """The room that an imported name lies in; None for names outside, and for the bare package."""
    package, _, rest = module.partition(".")
    name = rest.partition(".")[0]
    if package != "conclint" or not name:
        return None
    return "version" if name == "__version__" else name


def each_module(function):
    return pytest.mark.parametrize("path", modules(), ids=dotted)(function)


def is_rule(path: Path) -> bool:
    return room(path) == "rules" and any(line.startswith("RULE") for line in path.read_text("utf-8").splitlines())


@each_module
def test_every_module_has_a_place(path):
    assert room(path) in LEVEL


@each_module
def test_imports_point_one_way(path):
    own = room(path)
    wrong = [
        each.module
        for each in imports_of(path)
        if (other := room_of(each.module)) not in (None, own)
        and LEVEL[other] >= LEVEL[own]
        and not (each.typing and each.module in SHAPES)
    ]
    assert wrong == []


@each_module
def test_libraries_are_known_in_one_place(path):
    wrong = [
        each.module
        for each in imports_of(path)
        if not each.typing and room(path) not in ALLOWED.get(each.module.partition(".")[0], {room(path)})
    ]
    assert wrong == []


@pytest.mark.parametrize("path", [path for path in modules() if is_rule(path)], ids=dotted)
def test_a_rule_knows_no_other_rule_nor_settings(path):
    rules = {dotted(other) for other in modules() if is_rule(other)} - {dotted(path)}
    imported = {each.module for each in imports_of(path)}
    assert not imported & rules
    assert not {room_of(module) for module in imported} & {"engine", "settings", "config", "report"}


def test_no_two_modules_import_each_other():
    names = {dotted(path): path for path in modules()}
    graph = {
        name: {each.module for each in imports_of(path) if each.module in names and not each.typing}
        for name, path in names.items()
    }
    pairs = [(a, b) for a, others in graph.items() for b in others if a < b and a in graph[b]]
    assert pairs == []


@each_module
def test_nothing_grows_out_of_sight(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST_MODULE
    functions = (
        node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )
    # The signature does not count: it is as long as what it names.
    long = [node.name for node in functions if (node.end_lineno or 0) - node.body[0].lineno >= LONGEST_FUNCTION]
    assert long == []
