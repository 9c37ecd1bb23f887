"""The blocks of a file that run while a lock is held: `with lock:`, and `lock.acquire()` in front of a `try`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

if TYPE_CHECKING:
    from conclint.source.source import Source


class Locked(NamedTuple):
    """The code that runs while `lock` is held, which the node `taken` takes."""

    body: cst.BaseSuite
    lock: str
    taken: cst.CSTNode


def locked_blocks(source: Source) -> Iterator[Locked]:
    """Every `with` block, and every `try` that releases at the end what was taken right in front of it."""
    for block in source.all(cst.With):
        for item in block.items:
            if _is_known(source, item.item):
                yield Locked(block.body, source.code(item.item), item)
                break
    for tried in source.all(cst.Try):
        taken = _taken_before(source, tried) if tried.finalbody is not None else None
        if taken is not None:
            yield Locked(tried.body, source.code(taken.value), taken)


def _is_known(source: Source, expression: cst.BaseExpression) -> bool:
    return any(not lock.startswith("enter|") for lock in source.locks.lock(expression))  # others' managers are not


def _taken_before(source: Source, tried: cst.Try) -> cst.Attribute | None:
    """The `lock.acquire` of the statement right in front of the `try`, if it stands there alone."""
    around = next(source.ancestors(tried))
    lines = list(around.body) if isinstance(around, (cst.IndentedBlock, cst.Module)) else []
    place = next((number for number, line in enumerate(lines) if line is tried), 0)
    before = lines[place - 1] if place else None
    alone = before.body[0] if isinstance(before, cst.SimpleStatementLine) else None
    call = alone.value if isinstance(alone, cst.Expr) else None
    function = call.func if isinstance(call, cst.Call) else None
    if isinstance(function, cst.Attribute) and function.attr.value == "acquire" and _is_known(source, function.value):
        return function
    return None
