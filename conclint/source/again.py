"""Work that comes back to where it was set: `start` sets a timer, whose function ends with `start()`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.program.values import split_id
from conclint.source.source import Source
from conclint.source.tree import Function

PLAIN = (cst.IndentedBlock, cst.SimpleStatementLine, cst.BaseSmallStatement, cst.BaseExpression, cst.Try, cst.Finally)

# So many functions are followed.
DEEPEST = 3


def comes_back(source: Source, call: cst.Call) -> bool:
    """Whether what the call starts surely makes the same call again."""
    goal = source.identity(call)
    return any(_leads(source, one.identity, goal, DEEPEST) for one in source.starts(call)[1])


def _leads(source: Source, identity: str, goal: str, depth: int) -> bool:
    if identity == goal:
        return True
    function = _function(source, identity) if depth else None
    if function is None:
        return False
    calls = (one for one in source.all(cst.Call) if source.function_node(one) is function and always(source, one))
    return any(_leads(source, further, goal, depth - 1) for one in calls for further in _runs(source, one))


def _runs(source: Source, call: cst.Call) -> Iterator[str]:
    """The one function of the program that the call runs, or that it starts."""
    found = source.named(call.func).functions or tuple(one.identity for one in source.starts(call)[1])
    yield from found if len(found) == 1 else ()


def _function(source: Source, identity: str) -> Function | None:
    path, qualname = split_id(identity)
    nodes: list[Function] = [*source.all(cst.FunctionDef), *source.all(cst.Lambda)] if path == source.path else []
    return next((one for one in nodes if source.qualname_of(one) == qualname), None)


def always(source: Source, call: cst.Call) -> bool:
    """Whether the function comes to the call each time: under no condition, and behind no early way out."""
    function = source.function_node(call)
    if isinstance(function, cst.Lambda):
        return function.body is call
    if not isinstance(function, cst.FunctionDef):
        return False
    for outer in source.ancestors(call):
        if outer is function.body:
            break
        if not isinstance(outer, (*PLAIN, cst.Arg, cst.AssignTarget, cst.With)):
            return False
    returns = (one for one in source.all(cst.Return) if source.function_node(one) is function)
    return all(source.sequence(one) > source.sequence(call) for one in returns)
