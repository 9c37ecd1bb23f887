"""Check-then-act: a test of some state, and an act on the answer that may have become wrong in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from conclint.program.conflicts import REMOVING
from conclint.program.observations import Act
from conclint.source.acts import Done, State, act_of
from conclint.source.locks import Locks
from conclint.source.makes import Makes
from conclint.source.paths import path_of
from conclint.source.source import Source
from conclint.source.tree import below, children

# What is added to a container after a look whether it is there.
ADDING = frozenset({"=", "add", "append", "appendleft", "insert"})

# What an act raises that another thread came before.
FORGIVEN = frozenset({"KeyError", "IndexError", "ValueError", "LookupError", "Exception", "BaseException"})


class Test(NamedTuple):
    """A statement that tests some state: whether it asks if something is there, and for which item ("": for any)."""

    statement: cst.If | cst.While
    expression: cst.BaseExpression
    asks_present: bool
    key: str


class Checks:
    """Finds what a test leads to, in one file."""

    def __init__(self, source: Source, locks: Locks) -> None:
        self._source = source
        self._locks = locks
        self._makes = Makes(source)

    def acting_on(self, node: State) -> tuple[Done, cst.CSTNode] | None:
        """What a read in a test leads to, with the test; None when it is no test or nothing follows from it."""
        test = self._test(node)
        if test is None:
            return None
        for place in self._acts(test, node):
            done = self._answer(test, place)
            if done is not None and self._locks.held(place[0]) == self._locks.held(node):
                return done, test.expression
        return None

    # -- tests

    def _test(self, node: State) -> Test | None:
        """The test that the node is part of, itself or through a name assigned just before."""
        child: cst.CSTNode = node
        for outer in self._source.ancestors(node):
            if isinstance(outer, (cst.If, cst.While)) and outer.test is child:
                return self._classified(outer, node)
            if isinstance(outer, cst.Assign):
                return self._through_name(outer, node)
            if isinstance(outer, (cst.BaseSmallStatement, cst.BaseSuite, cst.Lambda)):
                return None
            child = outer
        return None

    def _classified(self, statement: cst.If | cst.While, node: State) -> Test | None:
        for part in _conjuncts(statement.test):
            found = self._question(part, node)
            if found is not None:
                return Test(statement, statement.test, *found)
        return None

    def _question(self, part: cst.BaseExpression, node: State) -> tuple[bool, str] | None:
        """Whether the expression asks for presence (or absence) of the state or of an item of it."""
        if isinstance(part, cst.UnaryOperation) and isinstance(part.operator, cst.Not):
            found = self._question(part.expression, node)
            return (not found[0], found[1]) if found is not None else None
        if part is node:
            return True, ""
        if isinstance(part, cst.Call):
            return (True, self._got(part)) if self._got(part) and _owner(part) is node else None
        if isinstance(part, cst.Comparison) and len(part.comparisons) == 1:
            return self._compared(part, node)
        return None

    def _compared(self, part: cst.Comparison, node: State) -> tuple[bool, str] | None:
        operator, right = part.comparisons[0].operator, part.comparisons[0].comparator
        if isinstance(operator, (cst.In, cst.NotIn)) and right is node:
            return isinstance(operator, cst.In), self._source.code(part.left)
        if not (isinstance(right, cst.Name) and right.value == "None" and isinstance(operator, (cst.Is, cst.IsNot))):
            return None
        if part.left is node:
            return isinstance(operator, cst.IsNot), ""
        if isinstance(part.left, cst.Call) and self._got(part.left) and _owner(part.left) is node:
            return isinstance(operator, cst.IsNot), self._got(part.left)
        return None

    def _got(self, call: cst.Call) -> str:
        """The key of `d.get(key)`."""
        if path_of(call.func).rpartition(".")[2] == "get" and len(call.args) == 1:
            return self._source.code(call.args[0].value)
        return ""

    def _through_name(self, assign: cst.Assign, node: State) -> Test | None:
        """`value = d.get(k)` and right after it `if value is None:`."""
        target, value = assign.targets[0].target, assign.value
        following = self._next(assign)
        if not (isinstance(value, cst.Call) and self._got(value) and _owner(value) is node):
            return None
        if not isinstance(target, cst.Name) or not isinstance(following, cst.If):
            return None
        if path_of(following.test) == target.value:
            return Test(following, following.test, True, self._got(value))
        if _tests_missing(following.test, target.value):
            return Test(following, following.test, False, self._got(value))
        return None

    def _next(self, small: cst.CSTNode) -> cst.CSTNode | None:
        line = self._source.statement(small)
        rest = self._rest(line)
        return rest[0] if rest else None

    def _rest(self, statement: cst.CSTNode) -> list[cst.CSTNode]:
        """The statements behind it in its block."""
        block = self._source.parent(statement)
        body: list[cst.CSTNode] = list(block.body) if isinstance(block, (cst.IndentedBlock, cst.Module)) else []
        return body[body.index(statement) + 1 :] if statement in body else []

    # -- acts

    def _acts(self, test: Test, node: State) -> Iterator[tuple[State, bool]]:
        """The places behind the test that change the same state, and whether it was there according to the test."""
        path = path_of(node)
        for block, present in self._branches(test):
            for part in _same_function(block):
                if not isinstance(part, (cst.Name, cst.Attribute)) or part is node or path_of(part) != path:
                    continue
                if act_of(self._source, part).act.writes and not self._is_last_part(part):
                    yield part, present

    def _branches(self, test: Test) -> Iterator[tuple[cst.CSTNode, bool]]:
        """What runs on each answer."""
        statement = test.statement
        yield statement.body, test.asks_present
        if isinstance(statement, cst.If):
            if statement.orelse is not None:
                yield statement.orelse, not test.asks_present
            elif _leaves(statement.body):
                for one in self._rest(statement):
                    yield one, not test.asks_present

    def _is_last_part(self, part: State) -> bool:
        """The name `x` inside `self.x` is not the variable `x`."""
        outer = self._source.parent(part)
        return isinstance(outer, cst.Attribute) and outer.attr is part

    def _answer(self, test: Test, place: tuple[State, bool]) -> Done | None:
        """The whole act, if what is done at the place rests on the test's answer."""
        node, present = place
        done = act_of(self._source, node)
        if done.act is Act.REPLACE:
            made = not present and not test.key and self._creates(node)
            return Done(Act.LAZY_INIT, "=") if made else None
        if done.act is not Act.CHANGE or (test.key and self._key(node) != test.key):
            return None
        if present and done.operation in REMOVING and not self._forgiving(node, done):
            return Done(Act.CHECK_ACT, done.operation, done.resizes)
        if not present and test.key and done.operation in ADDING and self._matters(test, node, done):
            return Done(Act.CHECK_ACT, done.operation, done.resizes)
        return None

    def _key(self, node: State) -> str:
        """Which item the act means: `d[key] = …`, `del d[key]`, `s.add(key)`."""
        outer = self._source.parent(node)
        if isinstance(outer, cst.Subscript):
            return ",".join(self._source.code(one.slice) for one in outer.slice)
        call = self._source.parent(outer) if outer is not None else None
        return self._source.code(call.args[0].value) if isinstance(call, cst.Call) and call.args else ""

    def _forgiving(self, node: State, done: Done) -> bool:
        """Whether removing what is gone already does no harm: `pop(k, None)`, `discard`, `clear`, below `try`."""
        if done.operation in ("discard", "clear"):
            return True
        outer = self._source.parent(node)
        call = self._source.parent(outer) if outer is not None else None
        if isinstance(call, cst.Call) and done.operation == "pop" and len(call.args) > 1:
            return True
        child: cst.CSTNode = node
        for around in self._source.ancestors(node):
            if isinstance(around, cst.Try) and child is around.body:
                return any(handler.type is None or FORGIVEN & _names_in(handler.type) for handler in around.handlers)
            if isinstance(around, cst.FunctionDef):
                return False
            child = around
        return False

    # -- what is made

    def _creates(self, node: State) -> bool:
        """Whether an object is made that should exist once."""
        value = self._assigned(node)
        return value is not None and self._makes.one_too_many(value)

    def _matters(self, test: Test, node: State, done: Done) -> bool:
        """Whether it does harm that two threads add the same item."""
        value = self._assigned(node)
        if value is not None:
            return self._makes.one_too_many(value, containers=True)
        if _leaves(test.statement.body):
            # `if x in seen: return` and then, whatever else is found out: a claim.  Below another `if` it is a memo.
            block = self._source.parent(self._source.statement(node))
            return done.operation == "add" and block is self._source.parent(test.statement)
        return done.operation == "add" and len(test.statement.body.body) > 1

    def _assigned(self, node: State) -> cst.BaseExpression | None:
        """What is assigned to the node, or to an item of it; through the name that was bound in the same block."""
        statement = next((one for one in self._source.ancestors(node) if isinstance(one, cst.Assign)), None)
        if statement is None or isinstance(self._source.parent(node), cst.Attribute):
            return None
        value = statement.value
        if not isinstance(value, cst.Name):
            return value
        block = self._source.parent(self._source.statement(statement))
        for line in block.body if isinstance(block, cst.IndentedBlock) else ():
            for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
                if isinstance(small, cst.Assign) and path_of(small.targets[0].target) == value.value:
                    return small.value
        return value


def _conjuncts(expression: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """What must hold for the test to hold: the parts of an `and`; an `or` asks for nothing in particular."""
    if isinstance(expression, cst.BooleanOperation) and isinstance(expression.operator, cst.And):
        yield from _conjuncts(expression.left)
        yield from _conjuncts(expression.right)
    else:
        yield expression


def _owner(call: cst.Call) -> cst.CSTNode | None:
    return call.func.value if isinstance(call.func, cst.Attribute) else None


def _tests_missing(expression: cst.BaseExpression, name: str) -> bool:
    """`x is None`, `not x`."""
    if isinstance(expression, cst.UnaryOperation) and isinstance(expression.operator, cst.Not):
        return path_of(expression.expression) == name
    if isinstance(expression, cst.Comparison) and path_of(expression.left) == name:
        first = expression.comparisons[0]
        return path_of(first.comparator) == "None" and isinstance(first.operator, (cst.Is, cst.Equal))
    return False


def _names_in(expression: cst.BaseExpression) -> set[str]:
    return {node.value for node in below(expression) if isinstance(node, cst.Name)}


def _leaves(block: cst.BaseSuite) -> bool:
    """Whether the block ends by leaving the function or the loop round."""
    last = block.body[-1]
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    return isinstance(small, (cst.Return, cst.Raise, cst.Continue, cst.Break))


def _same_function(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    stack = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
            continue
        yield one
        stack.extend(reversed(list(children(one))))
