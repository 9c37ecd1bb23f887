"""Functions with `@contextmanager`: what an exception in the `with` block does in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.knowledge.handles import ENDS
from conclint.source.paths import path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

EVENTS = tuple(name for name in ENDS if name.endswith(".Event.set"))
MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})


def manager(source: Source, node: cst.CSTNode) -> cst.FunctionDef | None:
    """The generator around the node, if it is made a context manager."""
    function = source.function_node(node)
    if not isinstance(function, cst.FunctionDef):
        return None
    own = source.qualname_of(function)
    decorators = (source.named_at(own, path_of(one.decorator)) for one in function.decorators)
    made = any(MANAGERS & {*one.names} for one in decorators)
    return function if made else None


def skipped(source: Source, node: cst.Yield) -> Iterator[cst.Call]:
    """What the `yield` of a manager leaves undone when the `with` block raises: calls that end something behind it."""
    if manager(source, node) is not None and not _protected(source, node):
        yield from _endings(source, node)


def _protected(source: Source, node: cst.Yield) -> bool:
    for outer in source.ancestors(node):
        if isinstance(outer, cst.Try):
            return True
        if isinstance(outer, cst.FunctionDef):
            return False
    return False


def following_of(source: Source, node: cst.Yield) -> list[cst.BaseStatement]:
    statement = source.statement(node)
    block = source.parent(statement)
    body = list(block.body) if isinstance(block, cst.IndentedBlock) else []
    return [one for one in body if source.sequence(one) > source.sequence(statement)]


def _endings(source: Source, node: cst.Yield) -> Iterator[cst.Call]:
    """What ends something behind the `yield`, as statements of its block, that began before it."""
    following = following_of(source, node)
    later = {path_of(part) for one in following for part in below(one) if isinstance(part, cst.Call)}
    later |= {path_of(part.target) for one in following for part in below(one) if isinstance(part, cst.AssignTarget)}
    for statement in following:
        for part in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            value = part.value if isinstance(part, cst.Expr) else None
            value = value.expression if isinstance(value, cst.Await) else value
            if isinstance(value, cst.Call) and source.calls(value, *ENDS):
                owner = path_of(value.func).rpartition(".")[0]
                if not later & {owner, f"{owner}.start()", f"{owner}.acquire()"} and not _only_told(source, value):
                    yield value


def _only_told(source: Source, ending: cst.Call) -> bool:
    """Whether it sets an event that only the block has got: it tells how the block went, and ends nothing."""
    from conclint.source.variables import mentions

    event = ending.func.value if isinstance(ending.func, cst.Attribute) else None
    if not source.calls(ending, *EVENTS) or not isinstance(event, cst.Name):
        return False
    outers = [source.parent(one) for one in mentions(source, event)]
    made = any(isinstance(outer, cst.AssignTarget) for outer in outers)
    return made and all(isinstance(outer, (cst.AssignTarget, cst.Yield)) for outer in outers)
