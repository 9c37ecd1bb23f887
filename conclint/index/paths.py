"""Expressions and annotations as paths (see `facts`)."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from conclint.index.facts import JOINED, LONGEST

LITERALS: dict[type[ast.AST | None], str] = {
    ast.List: "$list",
    ast.ListComp: "$list",
    ast.Dict: "$dict",
    ast.DictComp: "$dict",
    ast.Set: "$set",
    ast.SetComp: "$set",
    ast.Tuple: "$tuple",
    ast.Constant: "$const",
    ast.JoinedStr: "$const",
    ast.GeneratorExp: "$generator",
}

# The few texts that count as small constants: docs.python.org/3/library/multiprocessing.html, "start methods"
START_METHODS = frozenset({"fork", "spawn", "forkserver"})

# ... and what else tells where work runs: joblib.readthedocs.io/en/stable/generated/joblib.Parallel.html
TELLING = START_METHODS | {"threads", "threading", "sharedmem"}

WRAPPERS = frozenset({"Optional", "Final", "ClassVar", "Annotated", "Required", "NotRequired", "ReadOnly"})
SEQUENCES = frozenset(
    {
        *("list", "List", "set", "Set", "frozenset", "FrozenSet", "tuple", "Tuple", "deque", "Deque", "WeakSet"),
        *("Sequence", "MutableSequence", "Iterable", "Iterator", "Collection", "Generator", "AbstractSet"),
        "MutableSet",
    }
)
MAPPINGS = frozenset(
    {
        *("dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "DefaultDict", "OrderedDict", "ChainMap"),
        "WeakValueDictionary",
    }
)


def path_of(node: ast.AST | None) -> str:
    """The path of an expression, or "" where it cannot be followed."""
    tail = ""
    while len(tail) <= LONGEST:
        if isinstance(node, ast.Name):
            return node.id + tail if len(node.id) + len(tail) <= LONGEST else ""
        if isinstance(node, ast.Constant):
            return "$const" + tail
        if isinstance(node, ast.Attribute):
            tail = "." + node.attr + tail
            node = node.value
        elif isinstance(node, ast.Call):
            node, step = _called(node)
            tail = step + tail
        elif isinstance(node, ast.Subscript):
            tail = tail if isinstance(node.slice, ast.Slice) else "[]" + tail  # a slice has the same items
            node = node.value
        elif isinstance(node, ast.Lambda):
            return lambda_path(node) + tail
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            tail = JOINED + tail
            node = node.left
        elif isinstance(node, (ast.Await, ast.NamedExpr, ast.Starred)):
            node = node.value
        else:
            path = LITERALS.get(type(node), "") and LITERALS[type(node)] + tail
            return path if len(path) <= LONGEST else ""
    return ""


def _called(call: ast.Call) -> tuple[ast.expr, str]:
    """What stands for a call in a path: `f()`, `self.__class__` for `type(self)`, `f` for `partial(f, …)`.

    `super(Reader, self.reader)` is another object's, and so most like that object.
    """
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name == "type" and len(call.args) == 1:
        return call.args[0], ".__class__"
    if name == "super" and len(call.args) == 2 and not isinstance(call.args[1], ast.Name):
        return call.args[1], ""
    bound = partial_target(call)
    return (call.func, "()") if bound is None else (bound, "")


def argument_path(node: ast.expr) -> str:
    """The path of an argument; of a small constant its value (`=True`, `=4`, `=fork`), of any other nothing."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return f"={node.value}" if node.value in TELLING else ""
        return f"={node.value!r}" if isinstance(node.value, (int, type(None))) and abs(node.value or 0) < 1000 else ""
    return path_of(node)


def lambda_path(node: ast.Lambda) -> str:
    """How a lambda is named; its column counts bytes here, as in no place that a user sees."""
    return f"$lambda:{node.lineno}:{node.col_offset}"


def partial_target(call: ast.Call) -> ast.expr | None:
    """The callable that `functools.partial(f, …)` stands for."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in ("partial", "partialmethod") and call.args and not isinstance(call.args[0], ast.Starred):
        return call.args[0]
    return None


def values(node: ast.expr | None) -> Iterator[ast.expr]:
    """The expressions one of which is the value of `node`: both arms of a conditional, all of an `or`."""
    if isinstance(node, ast.IfExp):
        yield from values(node.body)
        yield from values(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from values(part)
    elif isinstance(node, ast.NamedExpr):
        yield from values(node.value)
    elif node is not None:
        yield node


def elements(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """What a literal or comprehension contains, each with the step that reaches it."""
    if isinstance(node, (ast.List, ast.Set)):
        yield from (("[]", item) for item in node.elts)
    elif isinstance(node, ast.Tuple):
        for number, item in enumerate(node.elts):
            yield f".{number}", item
            yield "[]", item
    elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
        yield "[]", node.elt
    elif isinstance(node, ast.Dict):
        yield from (("[]", item) for item in node.values)
    elif isinstance(node, ast.DictComp):
        yield "[]", node.value


def annotated(annotation: ast.expr | None) -> tuple[tuple[str, str], ...]:
    """What an annotation says of a name: pairs of a step ("" for the name itself, `[]` for its items) and a path."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return annotated(ast.parse(annotation.value.strip(), mode="eval").body)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ()
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return annotated(annotation.left) + annotated(annotation.right)
    if isinstance(annotation, ast.Subscript):
        return _generic(annotation)
    if isinstance(annotation, ast.Constant):
        return ()
    path = path_of(annotation)
    return (("", ":" + path),) if path else ()


def _generic(annotation: ast.Subscript) -> tuple[tuple[str, str], ...]:
    path = path_of(annotation.value)
    name = path.rpartition(".")[2]
    inner = annotation.slice
    arguments = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
    if name in WRAPPERS:
        return annotated(arguments[0]) if arguments else ()
    if name == "Union":
        return tuple(pair for one in arguments for pair in annotated(one))
    if arguments and (name in SEQUENCES or name in MAPPINGS):
        item = arguments[0] if name in SEQUENCES else arguments[-1]
        container = "$" + name.lower() if name.lower() in ("list", "dict", "set", "tuple") else ":" + path
        return (("", container), *(("[]" + step, said) for step, said in annotated(item)))
    return (("", ":" + path),) if path else ()
