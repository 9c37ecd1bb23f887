"""Items taken from a queue: what happens between `get()` and `task_done()`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.knowledge.names import members
from conclint.source.paths import path_of
from conclint.source.tree import below, children

if TYPE_CHECKING:
    from conclint.source.source import Source

GETS = ("get", "get_nowait")
EVERYTHING = frozenset({"Exception", "BaseException"})
QUIET = members(
    "print len debug info warning error exception str repr isinstance task_done append appendleft add put set time"
    " monotonic perf_counter"
)
FUNCTIONS = (cst.FunctionDef, cst.Lambda)


class Taken(NamedTuple):
    """An item is taken by `get`; `between` are the statements until it counts as done."""

    get: cst.Call
    between: tuple[cst.BaseStatement, ...]

    def work(self) -> Iterator[cst.CSTNode]:
        for statement in self.between:
            yield from below(statement)


def taken(source: Source, done: cst.Call) -> Taken | None:
    """The item that `done` counts, if the work on it may fail or leave before that."""
    statement, queue = source.statement(done), path_of(done.func).rpartition(".")[0]
    if not isinstance(source.parent(done), cst.Expr) or _in_finally(source, done):
        return None
    block = source.parent(statement)
    body = list(block.body) if isinstance(block, cst.IndentedBlock) else []
    before = [one for one in body if isinstance(one, cst.BaseStatement) and _earlier(source, one, statement)]
    for number in range(len(before) - 1, -1, -1):
        get = _get(before[number], queue)
        if get is not None:
            found = Taken(get, tuple(before[number + 1 :]))
            inline = source.parent(get)
            used = isinstance(inline, cst.Arg)  # `handle(items.get())`
            return found if used or any(_may_leave(one) for one in found.between) else None
        called = (path_of(node.func) for node in below(before[number]) if isinstance(node, cst.Call))
        if path_of(done.func) in called:
            return None
    return None


def _earlier(source: Source, one: cst.CSTNode, other: cst.CSTNode) -> bool:
    return source.sequence(one) < source.sequence(other)


def _in_finally(source: Source, node: cst.CSTNode) -> bool:
    for outer in source.ancestors(node):
        if isinstance(outer, cst.Finally):
            return True
        if isinstance(outer, FUNCTIONS):
            return False
    return False


def _get(statement: cst.BaseStatement, queue: str) -> cst.Call | None:
    """The call in the statement, or in the body of its `try`, that takes an item."""
    if isinstance(statement, cst.Try):
        found = (_get(one, queue) for one in statement.body.body if isinstance(one, cst.BaseStatement))
        return next((one for one in found if one is not None), None)
    if not isinstance(statement, cst.SimpleStatementLine):
        return None
    wanted = {f"{queue}.{name}" for name in GETS}
    calls = (node for node in below(statement) if isinstance(node, cst.Call))
    return next((call for call in calls if path_of(call.func) in wanted), None)


def _may_leave(statement: cst.BaseStatement) -> bool:
    """Whether an exception, or a jump to the next item, may get by."""
    if not isinstance(statement, cst.Try):
        return _fails(statement)
    handled = any(_catches(handler) for handler in statement.handlers)
    parts = [] if handled else [statement.body]
    parts += [statement.orelse.body] if statement.orelse is not None else []
    return any(map(_fails, parts)) or any(_jumps(handler.body) for handler in statement.handlers)


def _jumps(handler: cst.CSTNode) -> bool:
    """Whether a handler goes on to the next item, or lets the exception pass, without counting this one."""
    inside = list(below(handler))
    return not _counts(handler) and any(isinstance(node, (cst.Raise, cst.Continue)) for node in inside)


def _counts(node: cst.CSTNode) -> bool:
    return any(isinstance(part, cst.Call) and path_of(part.func).endswith(".task_done") for part in below(node))


def _catches(handler: cst.ExceptHandler) -> bool:
    return handler.type is None or any(path_of(node) in EVERYTHING for node in below(handler.type))


def _fails(node: cst.CSTNode) -> bool:
    """Whether it calls something that may raise, raises itself, or goes on to the next item."""
    if isinstance(node, cst.If) and _counts(node.body):
        return _fails(node.test) or (node.orelse is not None and _fails(node.orelse))
    if isinstance(node, (cst.Raise, cst.Await, cst.Continue)):
        return True
    if isinstance(node, cst.Call) and path_of(node.func).rpartition(".")[2] not in QUIET:
        return True
    return any(map(_fails, children(node)))
