"""How far a lock has to be held: over an update, and over what its own block reads of the same state around it."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence

import libcst as cst

from conclint.source.paths import path_of
from conclint.source.questions import same_function, tells
from conclint.source.source import Source

# Builtin functions that wait, or run what nobody sees here.
WAITING = frozenset({"open", "input", "print", "exec", "eval", "compile", "__import__"})
HARMLESS = frozenset(dir(builtins)) - WAITING

Statements = list[cst.BaseStatement]


def stretch(
    source: Source, line: cst.BaseStatement, state: str, belongs: Callable[[cst.BaseStatement], bool]
) -> Statements | None:
    """The statements from the first to the last one that need what `line` does to the state to be one step with them.

    None where the lock would have to be held while others run, or over a block that begins further out.  Neighbours
    that `belongs` accepts come along: one lock around several updates, not one around each.
    """
    block = source.parent(line)
    if not isinstance(block, (cst.IndentedBlock, cst.Module)) or _asked_outside(source, line, state):
        return None
    body = list(block.body)
    at = body.index(line)
    needed = [number for number, one in enumerate(body) if one is not line and _rests_on(source, one, state)]
    first, last = min([at, *needed]), max([at, *needed])
    if not all(is_quick(one) for one in body[first : last + 1] if one is not line):
        return None
    while first > 0 and belongs(body[first - 1]):
        first -= 1
    while last + 1 < len(body) and belongs(body[last + 1]):
        last += 1
    return _statements(body[first : last + 1])


def _statements(body: Sequence[cst.CSTNode]) -> Statements:
    return [one for one in body if isinstance(one, cst.BaseStatement)]


def is_quick(statement: cst.CSTNode) -> bool:
    """Whether nothing in it waits, or runs code that could want a lock."""
    if isinstance(statement, (cst.FunctionDef, cst.ClassDef)):
        return False
    slow = (cst.Await, cst.Yield, cst.With, cst.Lambda)
    return not any(
        isinstance(one, slow) or (isinstance(one, cst.Call) and path_of(one.func) not in HARMLESS)
        for one in same_function(statement)
    )


def _rests_on(source: Source, statement: cst.CSTNode, state: str) -> bool:
    """Whether it reads the state; another update of it, and a message that tells it, do without."""
    return any(
        isinstance(one, (cst.Name, cst.Attribute)) and path_of(one) == state and not _is_apart(source, one, state)
        for one in same_function(statement)
    )


def _is_apart(source: Source, node: cst.CSTNode, state: str) -> bool:
    if isinstance(source.parent(node), cst.NameItem):
        return True  # `global state`
    around = source.nearest(node, cst.AugAssign, cst.Assign, cst.Expr)
    if isinstance(around, cst.Expr):
        return isinstance(around.value, cst.Call) and tells(around.value)
    if isinstance(around, cst.Assign):
        return any(_changed(target.target) == state for target in around.targets)
    return isinstance(around, cst.AugAssign) and _changed(around.target) == state


def _changed(target: cst.BaseExpression) -> str:
    while isinstance(target, cst.Subscript):
        target = target.value
    return path_of(target)


def _asked_outside(source: Source, line: cst.CSTNode, state: str) -> bool:
    """Whether code further out rests on the state: a test around it or behind it, or whatever was done before."""
    child: cst.CSTNode = line
    for outer in source.ancestors(line):
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            break
        if isinstance(outer, (cst.If, cst.While)) and child is not outer.test and _rests_on(source, outer.test, state):
            return True
        if isinstance(outer, cst.IndentedBlock) and child is not line:
            at = outer.body.index(child)
            tests = [one.test for one in outer.body[at + 1 :] if isinstance(one, (cst.If, cst.While))]
            if any(_rests_on(source, one, state) for one in (*outer.body[:at], *tests)):
                return True
        child = outer
    return False
