"""The shape of a fan-out: the statements that make workers, start them and join them, and nothing between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.source.paths import path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.makers import Maker
    from conclint.source.source import Source


class Fan(NamedTuple):
    """A fan-out in neighbouring statements of one block, from `first` to `last`.

    `empty`: the statement that makes the list.  `clauses`: `for x in xs if y`, `item` the plain name there,
    `iterable` what is walked.  `kept`: what the loop does besides, in order, with `making` where the worker is made;
    empty where it is nothing.
    """

    first: cst.BaseStatement
    last: cst.BaseStatement
    empty: cst.BaseStatement | None
    making: cst.BaseStatement
    kept: tuple[cst.BaseStatement, ...]
    clauses: str
    item: str
    iterable: str
    condition: bool
    comment: str


def fan_of(source: Source, made: Maker) -> Fan | None:
    """The fan-out of which the call is the making; None where other things happen in between."""
    statement = source.statement(made.call)
    loop = source.loop(made.call)
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    if isinstance(loop, cst.ListComp) and loop.elt is made.call:
        return _comprehended(source, loop, statement)
    if isinstance(loop, cst.For) and loop.orelse is None and loop.asynchronous is None:
        return _looped(source, made, loop, statement) if source.parent(statement) is loop.body else None
    return None


def _comprehended(source: Source, made: cst.ListComp, statement: cst.SimpleStatementLine) -> Fan | None:
    container = _assigned(statement, made)
    following = _following(source, statement)
    if not container or len(following) < 2:
        return None
    start, join = following[:2]
    if not _does(start, container, "start") or not _does(join, container, "join"):
        return None
    if _mentioned(source, statement, container) != 3:
        return None  # someone else looks at the list too
    clause = made.for_in
    return Fan(
        first=statement,
        last=join,
        empty=None,
        making=statement,
        kept=(),
        clauses=source.code(clause).strip(),
        item=path_of(clause.target) if clause.inner_for_in is None else "",
        iterable=source.code(clause.iter),
        condition=bool(clause.ifs),
        comment=_comment(statement),
    )


def _looped(source: Source, made: Maker, loop: cst.For, making: cst.SimpleStatementLine) -> Fan | None:
    worker, container = _made_as(made, making)
    body = [one for one in loop.body.body if isinstance(one, cst.BaseStatement)]
    container = container or next((name for one in body if (name := _added(one, worker))), "")
    kept = [one for one in body if not _handles(one, worker, container) or one is making]
    following = _following(source, loop)
    started = len(kept) < len(body) and any(_starts(one, worker, container) for one in body)
    wanted = ("join",) if started else ("start", "join")
    steps = following[: len(wanted)]
    empty = _empty(source, loop, container)
    if not container or len(steps) < len(wanted) or empty is None:
        return None
    if not all(_does(one, container, method) for one, method in zip(steps, wanted, strict=True)):
        return None
    inside = sum(_count(one, container) for one in body if one not in kept or one is making)
    if _mentioned(source, loop, container) != 1 + inside + len(wanted) or _leaks(kept, making, worker):
        return None  # someone else looks at the workers too
    return Fan(
        first=loop,
        last=steps[-1],
        empty=empty,
        making=making,
        kept=tuple(kept) if len(kept) > 1 else (),
        clauses=f"for {source.code(loop.target)} in {source.code(loop.iter)}",
        item=path_of(loop.target),
        iterable=source.code(loop.iter),
        condition=False,
        comment=_comment(making),
    )


# -- small shapes


def _assigned(statement: cst.SimpleStatementLine, value: cst.BaseExpression) -> str:
    """`x` in `x = value`."""
    only = statement.body[0]
    if isinstance(only, cst.Assign) and only.value is value and len(only.targets) == 1 and len(statement.body) == 1:
        return path_of(only.targets[0].target) if isinstance(only.targets[0].target, cst.Name) else ""
    return ""


def _made_as(made: Maker, statement: cst.SimpleStatementLine) -> tuple[str, str]:
    """The worker's name, or the list to which it is added at once."""
    only = statement.body[0]
    call = only.value if isinstance(only, cst.Expr) else None
    if isinstance(call, cst.Call) and call.args and call.args[0].value is made.call:
        return "", path_of(call.func).removesuffix(".append") if path_of(call.func).endswith(".append") else ""
    return _assigned(statement, made.call), ""


def _call_of(statement: cst.CSTNode) -> cst.Call | None:
    """The call that is the whole statement."""
    if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
        only = statement.body[0]
        if isinstance(only, cst.Expr) and isinstance(only.value, cst.Call):
            return only.value
    return None


def _added(statement: cst.BaseStatement, worker: str) -> str:
    """`xs` in `xs.append(worker)`."""
    call = _call_of(statement)
    if call is None or not worker or len(call.args) != 1 or path_of(call.args[0].value) != worker:
        return ""
    return path_of(call.func).removesuffix(".append") if path_of(call.func).endswith(".append") else ""


def _starts(statement: cst.BaseStatement, worker: str, container: str) -> bool:
    call = _call_of(statement)
    return call is not None and path_of(call.func) in (f"{worker}.start", f"{container}[].start")


def _handles(statement: cst.BaseStatement, worker: str, container: str) -> bool:
    """Whether a statement only starts the worker or puts it away."""
    return _starts(statement, worker, container) or bool(_added(statement, worker))


def _does(statement: cst.BaseStatement, container: str, method: str) -> bool:
    """`for x in container: x.method()`, also as a comprehension."""
    if isinstance(statement, cst.For):
        block = list(statement.body.body)
        call = _call_of(block[0]) if len(block) == 1 and statement.orelse is None else None
        return call is not None and _is_step(statement.target, statement.iter, call, container, method)
    only = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
    if isinstance(only, cst.Expr) and isinstance(only.value, cst.ListComp) and isinstance(only.value.elt, cst.Call):
        clause = only.value.for_in
        return not clause.ifs and _is_step(clause.target, clause.iter, only.value.elt, container, method)
    return False


def _is_step(
    target: cst.BaseExpression, iterable: cst.BaseExpression, call: cst.Call, container: str, method: str
) -> bool:
    return path_of(iterable) == container and path_of(call.func) == f"{path_of(target)}.{method}" and not call.args


def _following(source: Source, statement: cst.CSTNode) -> Sequence[cst.BaseStatement]:
    block = source.parent(statement)
    if not isinstance(block, (cst.IndentedBlock, cst.Module)):
        return ()
    statements = [one for one in block.body if isinstance(one, cst.BaseStatement)]
    at = next(number for number, one in enumerate(statements) if one is statement)
    return statements[at + 1 :]


def _empty(source: Source, loop: cst.For, container: str) -> cst.BaseStatement | None:
    """`container = []` before the loop, in its block."""
    block = source.parent(loop)
    for statement in block.body if isinstance(block, (cst.IndentedBlock, cst.Module)) else ():
        if isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Assign):
            value = statement.body[0].value
            if isinstance(value, cst.List) and not value.elements and _assigned(statement, value) == container:
                return statement
    return None


def _count(node: cst.CSTNode, name: str) -> int:
    return sum(isinstance(part, cst.Name) and part.value == name for part in below(node))


def _mentioned(source: Source, statement: cst.CSTNode, name: str) -> int:
    """How often the name stands in the function around."""
    return _count(source.function_node(statement) or source.module(statement), name)


def _leaks(kept: Sequence[cst.BaseStatement], making: cst.BaseStatement, worker: str) -> bool:
    return bool(worker) and any(_count(one, worker) for one in kept if one is not making)


def _comment(statement: cst.SimpleStatementLine) -> str:
    comment = statement.trailing_whitespace.comment
    return comment.value if comment is not None else ""
