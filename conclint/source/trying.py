"""Tests that are no `if` of the state itself: asking by trying, and by the attribute's name."""

from __future__ import annotations

import libcst as cst

from conclint.program.observations import BEST, Act
from conclint.source.acts import Done, State, act_of
from conclint.source.locks import Locks
from conclint.source.makes import Makes
from conclint.source.paths import path_of
from conclint.source.questions import (
    assigned,
    behind,
    bound_before,
    conjuncts,
    is_last_part,
    is_own,
    key_of,
    leaves,
    names_in,
    same_function,
    tests_missing,
)
from conclint.source.source import Source

ORDERED = (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual)

# What asking for an item that is not there raises.
MISSING = frozenset({"KeyError", "LookupError"})


class Trying:
    """Finds what follows from them, in one file."""

    def __init__(self, source: Source, locks: Locks) -> None:
        self._source = source
        self._locks = locks
        self._makes = Makes(source)

    def unless_there(self, node: State) -> tuple[Done, cst.CSTNode] | None:
        """What a creation is whose test only spells the attribute's name: `if not hasattr(cls, "_instance"):`."""
        owner, _, name = path_of(node).rpartition(".")
        if not self._creates(node):
            return self._built_on_copy(node)
        value = assigned(self._source, node)
        if isinstance(value, cst.BooleanOperation) and path_of(value.left) == path_of(node):
            return Done(Act.LAZY_INIT, "or"), value  # `x = x or make()`
        child: cst.CSTNode = node
        for outer in self._source.ancestors(node):
            if isinstance(outer, cst.If):
                present = _asks_by_name(self._through_variable(outer), owner, name)
                if present is not None and present is (child is not outer.body):
                    same = self._locks.held(outer.test) == self._locks.held(node)
                    return (Done(Act.LAZY_INIT, "="), outer.test) if same else None
            if isinstance(outer, cst.FunctionDef):
                return None
            child = outer
        return None

    def _built_on_copy(self, node: State) -> tuple[Done, cst.CSTNode] | None:
        """`number = self.number` and then `self.number = number + 1`."""
        value = assigned(self._source, node)
        statement = self._source.nearest(node, cst.Assign)
        if not isinstance(value, cst.BinaryOperation) or statement is None:
            return None
        for name in same_function(value):
            if isinstance(name, cst.Name) and path_of(bound_before(self._source, statement, name)) == path_of(node):
                return Done(Act.UPDATE, "="), statement
        return None

    def _through_variable(self, statement: cst.If) -> cst.BaseExpression:
        """The test; where it asks for a variable that was bound just before, with what was bound in its place."""
        block = self._source.parent(statement)
        body = list(block.body) if isinstance(block, cst.IndentedBlock) else []
        place = body.index(statement) if statement in body else 0
        line = body[place - 1] if place else None
        small = line.body[-1] if isinstance(line, cst.SimpleStatementLine) else None
        if isinstance(small, cst.Assign) and isinstance(small.targets[0].target, cst.Name):
            name, value = small.targets[0].target.value, small.value
            if isinstance(value, cst.Call) and tests_missing(statement.test, name):
                return cst.UnaryOperation(cst.Not(), value)
        return statement.test

    def best(self, node: State) -> tuple[Done, cst.CSTNode] | None:
        """`if size > self.worst: self.worst = size`."""
        asked = self._source.parent(node)
        test = self._source.parent(asked) if isinstance(asked, cst.ComparisonTarget) else asked
        statement = self._source.parent(test) if isinstance(test, cst.Comparison) else None
        if not isinstance(test, cst.Comparison) or not isinstance(statement, cst.If) or len(test.comparisons) > 1:
            return None
        if not isinstance(test.comparisons[0].operator, ORDERED):
            return None
        given = self._source.code(test.left if test.left is not node else test.comparisons[0].comparator)
        for part in same_function(statement.body):
            kept = isinstance(part, cst.Assign) and path_of(part.targets[0].target) == path_of(node)
            if isinstance(part, cst.Assign) and kept and self._source.code(part.value) == given:
                same = self._locks.held(part) == self._locks.held(node)
                return (Done(Act.UPDATE, BEST), test) if same else None
        return None

    def tried(self, node: State) -> tuple[Done, cst.CSTNode] | None:
        """`try: return d[key]` and, where that failed, `d[key] = make()`."""
        item = self._source.parent(node)
        if not isinstance(item, cst.Subscript) or item.value is not node:
            return None
        child: cst.CSTNode = node
        for outer in self._source.ancestors(node):
            if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
                return None
            if isinstance(outer, cst.Try):
                return self._stored_after(outer, node) if child is outer.body and len(outer.body.body) <= 2 else None
            child = outer
        return None

    def _stored_after(self, statement: cst.Try, node: State) -> tuple[Done, cst.CSTNode] | None:
        failing = [one for one in statement.handlers if one.type is not None and MISSING & names_in(one.type)]
        path, key = path_of(node), key_of(self._source, node)
        if is_own(self._source, statement, key):
            return None  # nobody else has that item
        blocks: list[cst.CSTNode] = [one.body for one in failing]
        if any(not leaves(one.body) for one in failing):
            blocks += behind(self._source, statement)
        for part in (one for block in blocks for one in same_function(block)):
            if isinstance(part, (cst.Name, cst.Attribute)) and path_of(part) == path:
                done = act_of(self._source, part)
                stores = done.act is Act.CHANGE and done.operation == "=" and key_of(self._source, part) == key
                if stores and not is_last_part(self._source, part):
                    around = self._source.parent(self._source.parent(part) or part) or part
                    return (Done(Act.CHECK_ACT, "=", done.resizes), around) if self._twice(part, node) else None
        return None

    def _twice(self, part: State, node: State) -> bool:
        """Whether what is stored there should be made once, and no lock is held for either step alone."""
        value = assigned(self._source, part)
        made = value is not None and self._makes.one_too_many(value, containers=True)
        return made and self._locks.held(part) == self._locks.held(node)

    def _creates(self, node: State) -> bool:
        value = assigned(self._source, node)
        return value is not None and self._makes.one_too_many(value)


def _asks_by_name(test: cst.BaseExpression, owner: str, name: str) -> bool | None:
    """Whether `hasattr(owner, "name")` and its like ask for presence (or absence); None where nothing asks."""
    for part in conjuncts(test):
        absent = isinstance(part, cst.UnaryOperation) and isinstance(part.operator, cst.Not)
        asked = part.expression if isinstance(part, cst.UnaryOperation) else part
        if isinstance(asked, cst.Comparison) and path_of(asked.comparisons[0].comparator) == "None":
            absent = isinstance(asked.comparisons[0].operator, cst.Is)
            asked = asked.left
        if isinstance(asked, cst.Call) and path_of(asked.func) in ("hasattr", "getattr") and len(asked.args) > 1:
            spelled = asked.args[1].value
            known = isinstance(spelled, cst.SimpleString) and spelled.raw_value == name
            if known and path_of(asked.args[0].value) == owner:
                return not absent
    return None
