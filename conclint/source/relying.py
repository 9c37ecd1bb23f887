"""State that is tested and then read once more, as if it could not have changed in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import libcst as cst

from conclint.program.observations import ITEM, LOOKED_UP, Act
from conclint.source.acts import Done, State
from conclint.source.locks import Locks
from conclint.source.paths import path_of
from conclint.source.questions import behind, conjuncts, disjuncts, leaves, same_function
from conclint.source.source import Source
from conclint.source.testcode import forgives

# What a part of a test asks of the state: whether it is there, and which item ("": any).
Question = Callable[[cst.BaseExpression, State], tuple[bool, str] | None]

LOST = ("IndexError", "KeyError", "LookupError", "AttributeError", "TypeError")


class Fork(NamedTuple):
    """A test, and what runs on each of its answers."""

    test: cst.BaseExpression
    there: tuple[cst.CSTNode, ...]
    gone: tuple[cst.CSTNode, ...]


class Asked(NamedTuple):
    """Whether a test asks for presence, and for which item ("": any); `of_items`: not whether it is None."""

    present: bool
    key: str
    of_items: bool


class Relying:
    """Finds it in one file."""

    def __init__(self, source: Source, locks: Locks, question: Question) -> None:
        self._source = source
        self._locks = locks
        self._question = question

    def on(self, node: State) -> tuple[Done, cst.CSTNode] | None:
        """What is relied on where the node is tested, with the test."""
        for fork in self._forks(node):
            for part in conjuncts(fork.test):
                asked = self._asked(part, node)
                if asked is not None:
                    return self._used(node, asked, fork)
            for part in disjuncts(fork.test):
                asked = self._asked(part, node)
                if asked is not None and not asked.present:
                    return self._used(node, asked, fork)  # `x is None or x.closed`
        return None

    def _asked(self, part: cst.BaseExpression, node: State) -> Asked | None:
        """What this part of a test asks of the node."""
        found = self._question(part, node)
        if found is not None:
            return Asked(*found, of_items=not _asks_for_none(part))
        if isinstance(part, cst.Comparison) and len(part.comparisons) == 1:
            asked = part.comparisons[0]
            larger = isinstance(asked.operator, (cst.LessThan, cst.LessThanEqual))
            if larger and _is_length(asked.comparator, node):
                return Asked(True, "", of_items=True)  # `n < len(items)`
        return None

    def _used(self, node: State, asked: Asked, fork: Fork) -> tuple[Done, cst.CSTNode] | None:
        """Whether what was there then is read once more: the first time that it is named."""
        path = path_of(node)
        for block in fork.there if asked.present else fork.gone:
            for part in same_function(block):
                if isinstance(part, (cst.Name, cst.Attribute)) and path_of(part) == path and part is not node:
                    done = self._relies(part, asked)
                    same = self._locks.held(part) == self._locks.held(node)
                    if done is not None and same:
                        return done, fork.test
                    if not asked.key:
                        return None
        return None

    def _relies(self, part: State, asked: Asked) -> Done | None:
        """What it relies on: that it is something, or that it has the item."""
        outer = self._source.parent(part)
        taken = isinstance(outer, cst.Subscript) and outer.value is part
        if asked.of_items and isinstance(outer, cst.Subscript) and taken:
            key = ",".join(self._source.code(one.slice) for one in outer.slice)
            read = not isinstance(self._source.parent(outer), (cst.AssignTarget, cst.Del, cst.AugAssign))
            sliced = ":" in key and asked.key != key
            other = asked.key not in ("", key)
            how = LOOKED_UP if asked.key else ITEM
            return None if other or sliced or not read or forgives(self._source, part, *LOST) else Done(Act.RELY, how)
        used = taken or (isinstance(outer, cst.Attribute) and outer.value is part)
        used = used or isinstance(outer, cst.BinaryOperation)
        return Done(Act.RELY) if used and not asked.key and not forgives(self._source, part) else None

    def _forks(self, node: State) -> Iterator[Fork]:
        """The tests around the node of which it is a part, innermost first."""
        child: cst.CSTNode = node
        for outer in self._source.ancestors(node):
            if isinstance(outer, (cst.BaseSmallStatement, cst.BaseSuite, cst.Lambda, cst.While)):
                return
            if isinstance(outer, cst.If) and outer.test is child:
                yield Fork(outer.test, (outer.body,), self._otherwise(outer))
            elif isinstance(outer, cst.IfExp) and outer.test is child:
                yield Fork(outer.test, (outer.body,), (outer.orelse,))
            elif isinstance(outer, cst.BooleanOperation) and outer.left is child:
                both = isinstance(outer.operator, cst.And)
                yield Fork(outer.left, (outer.right,) if both else (), () if both else (outer.right,))
            child = outer

    def _otherwise(self, statement: cst.If) -> tuple[cst.CSTNode, ...]:
        """What runs where the test fails: the `else`, or what stands behind a body that leaves."""
        if statement.orelse is not None:
            return (statement.orelse,)
        return tuple(behind(self._source, statement)) if leaves(statement.body) else ()


def _asks_for_none(part: cst.BaseExpression) -> bool:
    return isinstance(part, cst.Comparison) and path_of(part.comparisons[0].comparator) == "None"


def _is_length(node: cst.BaseExpression, state: State) -> bool:
    """`len(state)`."""
    called = isinstance(node, cst.Call) and path_of(node.func) == "len" and len(node.args) == 1
    return isinstance(node, cst.Call) and called and node.args[0].value is state
