"""Whether a loop goes on after something that one of its rounds does."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from conclint.source.literals import target_names
from conclint.source.paths import path_of
from conclint.source.questions import names_in, rest_of
from conclint.source.source import LOOPS, Source
from conclint.source.tree import children

EXITS = frozenset({"sys.exit", "os._exit", "exit", "quit"})

Block = Sequence[cst.CSTNode]


def goes_on(source: Source, node: cst.CSTNode, loop: cst.For | cst.CompFor) -> bool:
    """Whether the loop can come to another round after the node: nothing behind it leaves the loop for certain."""
    statement = source.statement(node)
    flags: set[str] = set()
    while isinstance(loop, cst.For) and statement is not loop:
        nearest = source.nearest(statement, *LOOPS) is loop
        rest = [statement, *rest_of(source, statement)]
        for one in rest:
            asked = one is not statement and _asks(one, flags)
            if _ends(one, breaks=nearest, asked=asked):
                return False
            if nearest and _continues(one):
                return True
            flags |= _told(one)
        outer = next((one for one in source.ancestors(statement) if isinstance(one, cst.BaseCompoundStatement)), loop)
        otherwise = outer.orelse if isinstance(outer, cst.Try) and statement in outer.body.body else None
        if otherwise is not None and _block_ends(otherwise.body.body, breaks=nearest):
            return False
        statement = outer
    return True


def _block_ends(block: Block, *, breaks: bool) -> bool:
    return any(_ends(one, breaks=breaks) for one in block)


def _ends(statement: cst.CSTNode, *, breaks: bool, asked: bool = False) -> bool:
    """Whether nothing comes after the statement in the loop; `asked`: the answer of its test is yes."""
    if isinstance(statement, cst.SimpleStatementLine):
        return any(_leaves(small, breaks=breaks) for small in statement.body)
    if isinstance(statement, cst.If):
        other = statement.orelse
        otherwise = asked or (isinstance(other, cst.Else) and _block_ends(other.body.body, breaks=breaks))
        otherwise = otherwise or (isinstance(other, cst.If) and _ends(other, breaks=breaks))
        return otherwise and _block_ends(statement.body.body, breaks=breaks)
    if isinstance(statement, (cst.With, cst.Try)):
        return _block_ends(statement.body.body, breaks=breaks)
    return False


def _leaves(small: cst.BaseSmallStatement, *, breaks: bool) -> bool:
    if isinstance(small, cst.Expr) and isinstance(small.value, cst.Call):
        return path_of(small.value.func) in EXITS
    return isinstance(small, (cst.Return, cst.Raise)) or (breaks and isinstance(small, cst.Break))


def _continues(statement: cst.CSTNode) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[-1], cst.Continue)


def _told(statement: cst.CSTNode) -> set[str]:
    """The names to which the statement itself gives a value."""
    if not isinstance(statement, cst.SimpleStatementLine):
        return set()
    parts = (part for small in children(statement) for part in children(small))
    return {name for part in parts if isinstance(part, cst.AssignTarget) for name in target_names(part.target)}


def _asks(statement: cst.CSTNode, flags: set[str]) -> bool:
    return isinstance(statement, cst.If) and bool(flags & names_in(statement.test))
