"""Loops in which each worker is started and joined before the next: nothing ever runs beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.knowledge.lives import PROCESS, THREAD
from conclint.source.literals import target_names
from conclint.source.paths import path_of
from conclint.source.testcode import in_test
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

# Between start and join these keep nobody busy.
LIGHT = frozenset({"append", "add", "is_alive", "debug", "info", "warning", "error", "print", "write", "flush", "len"})


class Round(NamedTuple):
    """What one round of `loop` does to a worker; `made`: the call that makes it, where the loop does so."""

    loop: cst.For | cst.While
    start: cst.Call
    join: cst.Call
    made: cst.Call | None


def rounds(source: Source) -> Iterator[Round]:
    """The loops that start a worker and wait for it in the same round, with nothing else to do meanwhile."""
    if "stack_size(" in source.text.text:
        return  # a new thread is the only way to a bigger stack
    for join in source.all(cst.Call):
        loop = source.loop(join)
        if not isinstance(loop, (cst.For, cst.While)) or not _is_join(source, join):
            continue
        start = _started(source, join, loop)
        if start is None or _works_between(source, start, join) or in_test(source, join):
            continue
        found = Round(loop, start, join, _made(source, join, loop))
        if _goes_over_items(source, found):
            yield found


def _is_join(source: Source, call: cst.Call) -> bool:
    func = call.func
    if not isinstance(func, cst.Attribute) or func.attr.value != "join" or call.args:
        return False
    types = source.types(func.value)
    return THREAD in types or PROCESS in types


def _started(source: Source, join: cst.Call, loop: cst.CSTNode) -> cst.Call | None:
    """The start of the same worker, in the same block of the loop or a block around the join."""
    wanted = path_of(join.func).removesuffix(".join") + ".start"
    for call in source.all(cst.Call):
        if path_of(call.func) == wanted and source.loop(call) is loop and _always_follows(source, call, join):
            return call
    return None


def _always_follows(source: Source, start: cst.Call, join: cst.Call) -> bool:
    """Whether the join comes after the start whatever happens: both stand in one block."""
    first, last = source.statement(start), source.statement(join)
    block = source.parent(first)
    if not isinstance(block, cst.IndentedBlock) or source.parent(last) is not block:
        return False
    statements = list(block.body)
    return _index(statements, first) < _index(statements, last)


def _index(statements: list[cst.BaseStatement], wanted: cst.CSTNode) -> int:
    return next(number for number, one in enumerate(statements) if one is wanted)


def _works_between(source: Source, start: cst.Call, join: cst.Call) -> bool:
    """Whether the loop has work of its own meanwhile: calls that are made in every round."""
    block = source.parent(source.statement(start))
    if not isinstance(block, cst.IndentedBlock):
        return True
    statements = list(block.body)
    first = _index(statements, source.statement(start)) + 1
    last = _index(statements, source.statement(join))
    return any(not isinstance(one, cst.If) and _is_busy(one) for one in statements[first:last])


def _is_busy(statement: cst.CSTNode) -> bool:
    if isinstance(statement, (cst.FunctionDef, cst.ClassDef)):
        return False
    return any(
        isinstance(part, (cst.Yield, cst.Await))
        or (isinstance(part, cst.Call) and path_of(part.func).rpartition(".")[2] not in LIGHT)
        for part in below(statement)
    )


def _made(source: Source, join: cst.Call, loop: cst.CSTNode) -> cst.Call | None:
    """The call that makes the worker in this loop."""
    worker = path_of(join.func).removesuffix(".join")
    for target in source.all(cst.AssignTarget):
        statement = source.parent(target)
        if path_of(target.target) == worker and isinstance(statement, cst.Assign) and source.loop(target) is loop:
            return statement.value if isinstance(statement.value, cst.Call) else None
    return None


def _goes_over_items(source: Source, found: Round) -> bool:
    """Whether each round has a worker, or an item for it, of its own: a supervisor starts the same one again."""
    worker = path_of(found.join.func).removesuffix(".join")
    if found.made is None:
        return isinstance(found.loop, cst.For) and worker in target_names(found.loop.target)
    if isinstance(found.loop, cst.While):
        return _takes_item(source, found.loop, found.made)
    used = _uses(found.made, set(target_names(found.loop.target)) | _assigned_in(found.loop))
    return used or not in_test(source, found.join)


def _takes_item(source: Source, loop: cst.While, made: cst.Call) -> bool:
    if any(isinstance(part, cst.Call) and path_of(part.func).endswith((".pop", ".popleft")) for part in below(made)):
        return True
    return (
        not isinstance(loop.test, (cst.Integer, cst.Call))
        and path_of(loop.test) != "True"
        and _uses(made, _assigned_in(loop))
    )


def _assigned_in(loop: cst.For | cst.While) -> set[str]:
    found: set[str] = set()
    for part in below(loop.body):
        if isinstance(part, cst.AssignTarget):
            found.update(target_names(part.target))
        elif isinstance(part, cst.FunctionDef):
            found.add(part.name.value)
    return found


def _uses(made: cst.Call, names: set[str]) -> bool:
    return any(isinstance(part, cst.Name) and part.value in names for arg in made.args for part in below(arg.value))
