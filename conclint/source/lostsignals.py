"""Events that are cleared after the work which they announce was taken, rather than before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.knowledge.asking import QUEUES, TAKING
from conclint.program.observations import Act
from conclint.source.acts import State, act_of, own_value
from conclint.source.emptied import is_empty
from conclint.source.paths import path_of
from conclint.source.questions import assigned, is_last_part, same_function
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source

# What takes items out of a container, or all of them.
EMPTYING = frozenset({"pop", "popleft", "popitem", "clear"})


class Late(NamedTuple):
    """After `wait`, items are taken out of `taken`; what is put there from then on is not announced any more."""

    wait: cst.Call
    taken: State


def cleared_late(source: Source, cleared: cst.Call) -> Late | None:
    """What was taken between the wait for the event and this call, both steps of a loop's body, under no lock."""
    loop = _block_of_loop(source, cleared)
    if loop is None or source.held(cleared):
        return None
    lines = list(loop.body.body)
    place = lines.index(source.statement(cleared))
    later = (loop.test, *lines[place + 1 :])
    between: list[State] = []
    for line in reversed(lines[:place]):
        wait = _waits(line, cleared)
        if wait is not None:
            return next((Late(wait, one) for one in between if not _looked_at_again(one, later)), None)
        between += _taken(source, line)
    return None


def _block_of_loop(source: Source, cleared: cst.Call) -> cst.While | None:
    """The loop of whose body the call is a whole statement."""
    statement = source.statement(cleared)
    block = source.parent(statement)
    loop = source.parent(block) if block is not None else None
    alone = isinstance(source.parent(cleared), cst.Expr) and isinstance(statement, cst.SimpleStatementLine)
    return loop if alone and isinstance(loop, cst.While) and loop.body is block else None


def _waits(line: cst.CSTNode, cleared: cst.Call) -> cst.Call | None:
    """`event.wait()`, without a time limit, as a whole statement."""
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    call = small.value if isinstance(small, cst.Expr) else None
    event = path_of(cleared.func).removesuffix("clear")
    return call if isinstance(call, cst.Call) and not call.args and path_of(call.func) == f"{event}wait" else None


def _taken(source: Source, line: cst.CSTNode) -> Iterator[State]:
    """The containers and queues of others that lose items there."""
    for node in same_function(line):
        if isinstance(node, (cst.Name, cst.Attribute)) and not is_last_part(source, node):
            store = source.named(node).store
            if store is not None and store.sort != "local" and _takes(source, node):
                yield node


def _takes(source: Source, node: State) -> bool:
    done = act_of(source, node)
    if done.act is Act.REPLACE:
        part = source.parent(node)
        return is_empty(own_value(source, part) if isinstance(part, cst.Element) else assigned(source, node))
    if done.operation in EMPTYING:
        return True
    outer = source.parent(node)
    got = isinstance(outer, cst.Attribute) and outer.attr.value in TAKING
    return got and bool(QUEUES & {*source.types(node)})


def _looked_at_again(taken: State, later: Iterable[cst.CSTNode]) -> bool:
    path = path_of(taken)
    return any(
        isinstance(part, (cst.Name, cst.Attribute)) and path_of(part) == path for node in later for part in below(node)
    )
