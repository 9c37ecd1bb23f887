"""Small questions about tests and what follows from them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from conclint.source.acts import State
from conclint.source.paths import path_of
from conclint.source.source import Source
from conclint.source.tree import below, children

# A call that only tells somebody.
TELLING = re.compile(r"(?:^|[._])(?:warn|warning|debug|info|error|exception|critical|log|print)$|getLogger|logging")

# What is done to a text before it is told.
TEXT = frozenset({"strip", "format", "join", "split", "lower", "upper", "replace"})

# What `pop` and `del` raise where the item is not there.
LOOKUP = frozenset({"KeyError", "LookupError"})

# What each thread, or each event loop, has for itself.
IDENTITY = re.compile(
    r"\b(?:get_ident|get_native_id|current_thread|currentThread|current_task|current_token|current_process|getpid)\b"
    r"|^_?(?:frame|\w*loop)$"
)


def conjuncts(expression: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """What must hold for the test to hold: the parts of an `and`; an `or` asks for nothing in particular."""
    if isinstance(expression, cst.BooleanOperation) and isinstance(expression.operator, cst.And):
        yield from conjuncts(expression.left)
        yield from conjuncts(expression.right)
    else:
        yield expression


def disjuncts(expression: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The parts of an `or`, any of which will do."""
    if isinstance(expression, cst.BooleanOperation) and isinstance(expression.operator, cst.Or):
        yield from disjuncts(expression.left)
        yield from disjuncts(expression.right)
    else:
        yield expression


def tests_missing(expression: cst.BaseExpression, name: str) -> bool:
    """`x is None`, `not x`."""
    if isinstance(expression, cst.UnaryOperation) and isinstance(expression.operator, cst.Not):
        return path_of(expression.expression) == name
    if isinstance(expression, cst.Comparison) and path_of(expression.left) == name:
        first = expression.comparisons[0]
        return path_of(first.comparator) == "None" and isinstance(first.operator, (cst.Is, cst.Equal))
    return False


def without_keys(container: cst.BaseExpression) -> cst.BaseExpression:
    """`d` of `d.keys()`, in which it comes to the same to look for a key."""
    func = container.func if isinstance(container, cst.Call) and not container.args else None
    return func.value if isinstance(func, cst.Attribute) and func.attr.value == "keys" else container


def asks_for_size(part: cst.BaseExpression, node: State) -> bool:
    """`len(node) < 9`."""
    asked = part.left if isinstance(part, cst.Comparison) else None
    called = isinstance(asked, cst.Call) and path_of(asked.func) == "len" and len(asked.args) == 1
    return isinstance(asked, cst.Call) and called and asked.args[0].value is node


def names_in(expression: cst.BaseExpression) -> set[str]:
    return {node.value for node in below(expression) if isinstance(node, cst.Name)}


def raises_lookup(statement: cst.If | cst.While) -> bool:
    """Whether who finds no item gets a KeyError too: `if key in d: return d.pop(key)`, `else: raise KeyError`."""
    further = statement.orelse
    while isinstance(further, cst.If):
        further = further.orelse
    return further is not None and any(
        isinstance(part, cst.Raise) and part.exc is not None and bool(LOOKUP & names_in(part.exc))
        for part in same_function(further)
    )


def leaves(block: cst.BaseSuite) -> bool:
    """Whether the block ends by leaving the function or the loop round."""
    return isinstance(last_of(block), (cst.Return, cst.Raise, cst.Continue, cst.Break))


def last_of(block: cst.BaseSuite) -> cst.CSTNode:
    """The statement with which the block ends."""
    last = block.body[-1]
    return last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last


def refuses(branch: cst.If | cst.While) -> bool:
    """Whether who finds it there is turned away: `if name in jobs: raise …`, or `return False`."""
    small = last_of(branch.body)
    turned = isinstance(small, cst.Return) and small.value is not None and path_of(small.value) == "False"
    return turned or isinstance(small, cst.Raise)


# What has a body that does not run where it stands; asked by the exact type, which is faster.
APART = frozenset({cst.FunctionDef, cst.Lambda, cst.ClassDef})


def same_function(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    stack = [node]
    while stack:
        one = stack.pop()
        if type(one) in APART:
            continue
        yield one
        stack.extend(reversed(list(children(one))))


def key_of(source: Source, node: State) -> str:
    """Which item the act means: `d[key] = …`, `del d[key]`, `s.add(key)`."""
    outer = source.parent(node)
    if isinstance(outer, cst.Subscript):
        return ",".join(source.code(one.slice) for one in outer.slice)
    call = source.parent(outer) if outer is not None else None
    return source.code(call.args[0].value) if isinstance(call, cst.Call) and call.args else ""


def is_last_part(source: Source, part: State) -> bool:
    """The name `x` inside `self.x` is not the variable `x`."""
    outer = source.parent(part)
    return isinstance(outer, cst.Attribute) and outer.attr is part


def assigned(source: Source, node: State) -> cst.BaseExpression | None:
    """What is assigned to the node, or to an item of it; through the name that was bound in the same block."""
    statement = next((one for one in source.ancestors(node) if isinstance(one, cst.Assign)), None)
    if statement is None or isinstance(source.parent(node), cst.Attribute):
        return None
    value = statement.value
    return bound_before(source, statement, value) if isinstance(value, cst.Name) else value


def bound_before(source: Source, statement: cst.CSTNode, name: cst.Name) -> cst.BaseExpression:
    """What the name was bound to last, in the blocks around the statement; else the name."""
    child: cst.CSTNode = statement
    for outer in source.ancestors(statement):
        if isinstance(outer, (cst.IndentedBlock, cst.Module)) and child in outer.body:
            for line in reversed(outer.body[: outer.body.index(child)]):
                for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
                    if isinstance(small, cst.Assign) and path_of(small.targets[0].target) == name.value:
                        return small.value
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            break
        child = outer
    return name


def part_of(source: Source, statement: cst.CSTNode, value: cst.BaseExpression) -> cst.BaseExpression:
    """What the value is a part of: of `answer["token"]` what `answer` was bound to last."""
    while isinstance(value, (cst.Subscript, cst.Attribute)):
        value = value.value
    return bound_before(source, statement, value) if isinstance(value, cst.Name) else value


def rest_of(source: Source, statement: cst.CSTNode) -> list[cst.CSTNode]:
    """The statements behind it in its block."""
    block = source.parent(statement)
    body: list[cst.CSTNode] = list(block.body) if isinstance(block, (cst.IndentedBlock, cst.Module)) else []
    return body[body.index(statement) + 1 :] if statement in body else []


def behind(source: Source, statement: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What runs after it in its function: the rest of its block, then of the blocks around it."""
    yield from rest_of(source, statement)
    for outer in source.ancestors(statement):
        if isinstance(outer, (cst.FunctionDef, cst.Lambda, cst.ClassDef, cst.For, cst.While)):
            return
        if isinstance(outer, (cst.If, cst.With, cst.Try)):
            yield from rest_of(source, outer)


def tells(call: cst.Call) -> bool:
    """Whether the call only tells somebody: a log, a warning, a print."""
    return bool(TELLING.search(path_of(call.func)))


def works(block: cst.BaseSuite, path: str) -> bool:
    """Whether the block does more than to note something in `path`, and to tell somebody."""
    if len(block.body) < 2:
        return False
    calls = (part for part in same_function(block) if isinstance(part, cst.Call) and not tells(part))
    names = (path_of(call.func).rpartition(".") for call in calls)
    return any(owner != path and last not in TEXT for owner, _, last in names)


def is_own(source: Source, statement: cst.CSTNode, key: str) -> bool:
    """Whether the item under the key is one thread's only: it goes by the thread's own number, or by its frame."""
    if IDENTITY.search(key):
        return True
    around = source.function_node(statement) if key.isidentifier() else None
    return any(
        path_of(target.target) == key
        and isinstance(assign.value, cst.Call)
        and bool(IDENTITY.search(path_of(assign.value.func)))
        for assign in (source.inside(around.body, cst.Assign) if around is not None else ())
        for target in assign.targets
    )
