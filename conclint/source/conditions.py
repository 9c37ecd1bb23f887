"""Where condition variables are waited on and notified, and what the waiting is for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from conclint.program.values import function_id
from conclint.source.lockuse import LockCall, kinds, lock_calls
from conclint.source.paths import path_of
from conclint.source.testcode import in_test

if TYPE_CHECKING:
    from conclint.source.source import Source

LOOPS = (cst.While, cst.For)


def condition_calls(source: Source, *methods: str) -> Iterator[LockCall]:
    """Calls of these methods of condition variables, those of tests excluded."""
    for found in lock_calls(source, *methods):
        if all(kind.condition for kind in kinds(source, found.types)) and not in_test(source, found.call):
            yield found


def has_limit(source: Source, waited: LockCall) -> bool:
    """Whether the wait ends after some time in any case."""
    timeout = source.argument(waited.call, "timeout", 0 if waited.method == "wait" else 1)
    starred = any(arg.star for arg in waited.call.args)
    return starred or (timeout is not None and path_of(timeout.value) != "None")


def in_loop(source: Source, node: cst.CSTNode) -> bool:
    """Whether a loop of the same function is around the node."""
    for outer in source.ancestors(node):
        if isinstance(outer, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
            return False
        if isinstance(outer, LOOPS):
            return True
    return False


def asked_outside(source: Source, waited: LockCall) -> cst.BaseExpression | None:
    """What is asked before the lock is taken, where nothing under it is done before the wait."""
    function, block = source.function_node(waited.call), source.nearest(waited.call, cst.With)
    if block is None or block.asynchronous is not None or block.body.body[0] is not source.statement(waited.call):
        return None
    if source.function_node(block) is not function or all(source.code(one.item) != waited.text for one in block.items):
        return None
    for outer in source.ancestors(block):
        if isinstance(outer, (cst.FunctionDef, cst.Lambda, cst.With, cst.For)):
            return None
        if isinstance(outer, (cst.If, cst.While)):
            return None if path_of(outer.test) == "True" or isinstance(outer.test, cst.Integer) else outer.test
    return None


def called_in_loop(source: Source, function: cst.FunctionDef) -> bool:
    """Whether a loop in this file calls the function: its caller looks again."""
    identity = function_id(source.path, source.qualname_of(function))
    return any(in_loop(source, call) for call in source.all(cst.Call) if identity in source.named(call.func).functions)


def waits_for(source: Source, waited: LockCall) -> tuple[str, ...]:
    """The parts of what a waiter waits for, in its own words: of `while not a or b: wait()` these are `a` and `b`."""
    if waited.method == "wait_for":
        predicate = source.argument(waited.call, "predicate", 0)
        value = predicate.value if predicate is not None else None
        return parts_of(source, value.body if isinstance(value, cst.Lambda) else value)
    loop = source.nearest(waited.call, cst.While, cst.For)
    function = source.function_node(waited.call)
    if not isinstance(loop, cst.While) or source.function_node(loop) is not function or path_of(loop.test) == "True":
        return ()
    return () if isinstance(loop.test, cst.Integer) else parts_of(source, loop.test)


def parts_of(source: Source, test: cst.BaseExpression | None) -> tuple[str, ...]:
    if isinstance(test, cst.BooleanOperation):
        return (*parts_of(source, test.left), *parts_of(source, test.right))
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return parts_of(source, test.expression)
    return (source.code(test).strip("()"),) if test is not None else ()
