"""Check-then-act: a test of some state, and an act on the answer that may have become wrong in between."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.program.observations import Act
from conclint.source.acts import Done, State, act_of
from conclint.source.locks import Locks
from conclint.source.paths import path_of
from conclint.source.source import Source
from conclint.source.tree import children


class Checks:
    """Finds what a test leads to, in one file."""

    def __init__(self, source: Source, locks: Locks) -> None:
        self._source = source
        self._locks = locks

    def acting_on(self, node: State) -> tuple[Done, cst.CSTNode] | None:
        """What a read in a test leads to, with the test; None when it is no test or nothing follows from it."""
        test = self._test(node)
        if test is None:
            return None
        statement, expression = test
        for place in self._acts(statement, node):
            done = self._answer(expression, node, place)
            if done is not None and self._locks.held(place) == self._locks.held(node):
                return done, expression
        return None

    def _test(self, node: State) -> tuple[cst.If | cst.While, cst.BaseExpression] | None:
        """The statement whose test reads the node, itself or through a name assigned just before."""
        child: cst.CSTNode = node
        for outer in self._source.ancestors(node):
            if isinstance(outer, (cst.If, cst.While)) and outer.test is child:
                return outer, outer.test
            if isinstance(outer, cst.Assign):
                return self._through_name(outer)
            if isinstance(outer, (cst.BaseSmallStatement, cst.BaseSuite, cst.Lambda)):
                return None
            child = outer
        return None

    def _through_name(self, assign: cst.Assign) -> tuple[cst.If, cst.BaseExpression] | None:
        """`value = d.get(k)` and right after it `if value is None:`."""
        target = assign.targets[0].target
        line = self._source.statement(assign)
        block = self._source.parent(line)
        if not isinstance(target, cst.Name) or not isinstance(block, (cst.IndentedBlock, cst.Module)):
            return None
        rest = list(block.body)[list(block.body).index(line) + 1 :] if isinstance(line, cst.BaseStatement) else []
        following = rest[0] if rest else None
        if isinstance(following, cst.If) and _tests_missing(following.test, target.value):
            return following, following.test
        return None

    def _acts(self, statement: cst.If | cst.While, node: State) -> Iterator[State]:
        """The places below the test, or after it where its body leaves, that change the same state."""
        path = path_of(node)
        blocks: list[cst.CSTNode] = [] if _tests_present(statement.test, path) else [statement.body]
        if isinstance(statement, cst.If) and _leaves(statement.body):
            blocks += self._after(statement)
        for block in blocks:
            for part in _same_function(block):
                if isinstance(part, (cst.Name, cst.Attribute)) and path_of(part) == path and part is not node:
                    if act_of(self._source, part).act.writes and not self._is_whole_attribute_name(part):
                        yield part

    def _is_whole_attribute_name(self, part: State) -> bool:
        """The name `x` inside `self.x` is not the variable `x`."""
        outer = self._source.parent(part)
        return isinstance(outer, cst.Attribute) and outer.attr is part

    def _after(self, statement: cst.If) -> list[cst.CSTNode]:
        block = self._source.parent(statement)
        if not isinstance(block, (cst.IndentedBlock, cst.Module)):
            return []
        body = list(block.body)
        return list(body[body.index(statement) + 1 :])

    def _answer(self, expression: cst.BaseExpression, node: State, place: State) -> Done | None:
        """The whole act, if what is done at `place` is what the test prepares."""
        done = act_of(self._source, place)
        path = path_of(node)
        if _tests_missing(expression, path) or _tests_present(expression, path):
            if done.act is Act.REPLACE and not self._constant(place):
                return Done(Act.LAZY_INIT, "=")
            return Done(Act.CHECK_ACT, done.operation, done.resizes) if done.act is Act.CHANGE else None
        if done.act in (Act.CHANGE, Act.UPDATE_ITEM, Act.COMPOUND):
            return Done(Act.CHECK_ACT, done.operation, done.resizes)
        return None

    def _constant(self, place: State) -> bool:
        """Whether a plain constant is assigned: a flag, not an object that must be made once."""
        target = self._source.parent(place)
        statement = self._source.parent(target) if target is not None else None
        value = statement.value if isinstance(statement, cst.Assign) else None
        return isinstance(value, (cst.SimpleString, cst.Integer, cst.Float, cst.Name))


def _tests_missing(expression: cst.BaseExpression, path: str) -> bool:
    """`x is None`, `not x`."""
    if isinstance(expression, cst.UnaryOperation) and isinstance(expression.operator, cst.Not):
        return path_of(expression.expression) == path
    if isinstance(expression, cst.Comparison) and path_of(expression.left) == path:
        first = expression.comparisons[0]
        none = isinstance(first.comparator, cst.Name) and first.comparator.value == "None"
        return none and isinstance(first.operator, (cst.Is, cst.Equal))
    return False


def _tests_present(expression: cst.BaseExpression, path: str) -> bool:
    """`x is not None`, or `x` itself."""
    if path_of(expression) == path:
        return True
    if isinstance(expression, cst.Comparison) and path_of(expression.left) == path:
        first = expression.comparisons[0]
        none = isinstance(first.comparator, cst.Name) and first.comparator.value == "None"
        return none and isinstance(first.operator, (cst.IsNot, cst.NotEqual))
    return False


def _leaves(block: cst.BaseSuite) -> bool:
    """Whether the block ends by leaving the function or the loop round."""
    last = list(children(block))[-1:]
    if last and isinstance(last[0], cst.SimpleStatementLine):
        return isinstance(last[0].body[-1], (cst.Return, cst.Raise, cst.Continue, cst.Break))
    return False


def _same_function(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    stack = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
            continue
        yield one
        stack.extend(reversed(list(children(one))))

