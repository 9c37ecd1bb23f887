"""Small questions about single nodes of the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from conclint.index.facts import METACLASS, ClassFact, ImportFact, RegionFact, Touch
from conclint.index.paths import argument_path, path_of
from conclint.index.repeated import same_for_all

# A loop over a literal or a range of at most so many steps ends soon.
SHORT_LOOP = 64

# Nodes with nothing below them that anybody asks about, and the fields that hold such.
LEAVES = (str, int, ast.Constant, ast.Pass, ast.Break, ast.Continue, ast.MatchSingleton)
EMPTY_FIELDS = frozenset({"ctx", "op", "ops", "kind", "type_comment", "type_ignores", "attr", "id", "conversion"})


# Ways to ask whether this is the main process: `current_process().name == "MainProcess"`, `parent_process() is None`.
ASKS_PROCESS = frozenset({"current_process()", "parent_process()"})

# What a plain look at a name or attribute does.
SEEN = Touch.READ | Touch.SEEN

# What setting an item does, and deleting one.
ITEM_SET = Touch.ITEM | Touch.READ
ITEM_DELETED = ITEM_SET | Touch.DELETED

_fields: dict[type[ast.AST], tuple[str, ...]] = {}


def child_fields(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of a node type that can hold something to visit."""
    known = _fields.get(kind)
    if known is None:
        known = _fields[kind] = tuple(name for name in kind._fields if name not in EMPTY_FIELDS)
    return known


def item_bits(node: ast.Subscript) -> int:
    """What happens to the container of an item that is set or deleted."""
    return ITEM_DELETED if isinstance(node.ctx, ast.Del) else ITEM_SET


def looked_at(node: ast.Subscript) -> Iterable[ast.expr]:
    """What is looked at to come to an item: where that is set or deleted, only what the container belongs to."""
    if isinstance(node.ctx, ast.Load) or not isinstance(node.value, (ast.Name, ast.Attribute)):
        return (node.value,)
    return (node.value.value,) if isinstance(node.value, ast.Attribute) else ()


# Where another call's arguments stand packed among the arguments: `pool.apply_async(work, (job, results))`.
PACKING = {"apply": 1, "apply_async": 1, "start_new_thread": 1, "Timer": 2}


def keywords(call: ast.Call) -> Iterable[tuple[str, str]]:
    """Keyword arguments; the items of `args=(…)` follow as `args.0`, `args.1`, …: they are another call's arguments.

    So are what all calls get that it makes, `each.0`, `each.1`, ….
    """
    place = PACKING.get(call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", ""), 99)
    if len(call.args) > place and isinstance(packed := call.args[place], (ast.Tuple, ast.List)):
        for number, item in enumerate(packed.elts):
            yield f"args.{number}", argument_path(item)
    for word in call.keywords:
        yield word.arg or "**", argument_path(word.value)
        if word.arg == "args" and isinstance(word.value, (ast.Tuple, ast.List)):
            for number, item in enumerate(word.value.elts):
                yield f"args.{number}", argument_path(item)
        if word.arg == "kwargs" and isinstance(word.value, ast.Dict):
            for key, item in zip(word.value.keys, word.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield f"kwargs.{key.value}", argument_path(item)
    yield from same_for_all(call)


def first_line(node: ast.stmt) -> int:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return min([node.lineno, *(one.lineno for one in node.decorator_list)])
    return node.lineno


def main_guard(test: ast.expr) -> bool:
    """Whether what is below it runs in the main module of the main process only."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(main_guard(part) for part in test.values)
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], (ast.Eq, ast.In, ast.Is)):
        return False
    sides = (path_of(side) for side in (test.left, *test.comparators))
    return any(side == "__name__" or ASKS_PROCESS & set(side.split(".")) for side in sides)


def weight(node: ast.AST) -> int:
    """How much work an operation is; putting text together is none to speak of."""
    if not isinstance(node, ast.BinOp):
        return 1
    texts = (ast.JoinedStr, ast.Constant)
    sides = [side for side in (node.left, node.right) if isinstance(side, texts)]
    return 0 if any(isinstance(side, ast.JoinedStr) or isinstance(side.value, (str, bytes)) for side in sides) else 2


def flags(test: ast.expr) -> Iterator[str]:
    """What a loop asks each time round whether to go on: names, attributes and calls, or "" for ever."""
    if isinstance(test, ast.Constant):
        yield ""
    elif isinstance(test, ast.BoolOp):
        for part in test.values:
            yield from flags(part)
    elif isinstance(test, ast.UnaryOp):
        yield from flags(test.operand)
    elif isinstance(test, ast.Compare) and isinstance(test.comparators[0], ast.Constant):
        yield from flags(test.left)
    elif isinstance(test, (ast.Name, ast.Attribute, ast.Call, ast.NamedExpr)) and (path := path_of(test)):
        yield path


# What a test of a parameter tells of it where the block below is reached, and what where the block is left out.
OPPOSITES = {"$if": "$unless", "$unless": "$if", "$given": "$none", "$none": "$given"}


def asked(test: ast.expr) -> Iterator[tuple[str, str]]:
    """The plain names that must be so for the block below to be reached: `if wait and not quick:`."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for part in test.values:
            yield from asked(part)
    elif isinstance(test, ast.Name):
        yield test.id, "$if"
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and isinstance(test.operand, ast.Name):
        yield test.operand.id, "$unless"
    elif isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and len(test.ops) == 1:
        against = test.comparators[0]
        if isinstance(against, ast.Constant) and against.value is None and isinstance(test.ops[0], (ast.Is, ast.IsNot)):
            yield test.left.id, "$none" if isinstance(test.ops[0], ast.Is) else "$given"


def may_run_long(iterated: ast.expr) -> bool:
    """Whether a loop over it may take more than a few steps."""
    if isinstance(iterated, (ast.List, ast.Tuple, ast.Set, ast.Constant)):
        return False
    if isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Name) and iterated.func.id == "range":
        last = iterated.args[-1] if len(iterated.args) < 3 and iterated.args else None
        return not (isinstance(last, ast.Constant) and isinstance(last.value, int) and last.value <= SHORT_LOOP)
    return True


Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def regions(tree: ast.Module) -> list[RegionFact]:
    """The regions of a file: each definition alone, the statements between them together."""
    found: list[RegionFact] = []
    for first, last, node in _runs(tree.body):
        whole = RegionFact(first, last, ((first, last),), ())
        found.append((isinstance(node, ast.ClassDef) and _class_region(first, last, node)) or whole)
    return found


def _runs(body: list[ast.stmt]) -> list[tuple[int, int, ast.stmt | None]]:
    """First and last lines of each definition (with it), and of each run of other statements."""
    found: list[tuple[int, int, ast.stmt | None]] = []
    for node in body:
        first, last = first_line(node), node.end_lineno or node.lineno
        if isinstance(node, DEFINITIONS):
            found.append((first, last, node))
        elif found and found[-1][2] is None:
            found[-1] = (found[-1][0], last, None)
        else:
            found.append((first, last, None))
    return found


def _class_region(first: int, last: int, node: ast.ClassDef) -> RegionFact | None:
    body = first_line(node.body[0])
    if body <= node.lineno:
        return None  # all on one line
    always = [(first, body - 1)]
    parts: list[tuple[int, int]] = []
    for start, end, inner in _runs(node.body):
        if inner is None or (isinstance(inner, DEFINITIONS) and inner.name == "__init__"):
            always.append((start, end))
        else:
            parts.append((start, end))
    return RegionFact(first, last, tuple(always), tuple(parts))


def imported(node: ast.Import | ast.ImportFrom, scope: str) -> Iterator[ImportFact]:
    """What an import statement binds."""
    if isinstance(node, ast.ImportFrom):
        base = "." * node.level + (node.module or "")
        for alias in node.names:
            joined = base + alias.name if base.endswith(".") or not base else f"{base}.{alias.name}"
            star = alias.name == "*"
            yield ImportFact(scope, "*" if star else alias.asname or alias.name, base if star else joined)
        return
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        yield ImportFact(scope, name, alias.name if alias.asname else name)
        if not alias.asname and "." in alias.name:
            # `import a.b` also makes sure that a.b is loaded: remembered, so that its file counts as used.
            yield ImportFact(scope, "", alias.name)


def class_fact(
    node: ast.ClassDef, qualname: str, methods: Iterable[tuple[str, str]], binds: Iterable[tuple[str, str]]
) -> ClassFact:
    """A class with what its body defines and binds."""
    metaclasses = [(METACLASS, path_of(word.value)) for word in node.keywords if word.arg == "metaclass"]
    return ClassFact(
        qualname,
        node.lineno,
        tuple(path_of(base) for base in node.bases),
        tuple(path_of(one) for one in node.decorator_list),
        tuple(methods),
        (*binds, *metaclasses),
    )
