"""Where a coroutine looks at some state, waits, and then changes the state by what it saw before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import libcst as cst

from conclint.program.observations import Access, Act, Straddle
from conclint.source.acts import State
from conclint.source.checks import Checks, Test
from conclint.source.locks import Locks
from conclint.source.makes import Makes
from conclint.source.order import Order
from conclint.source.paths import path_of
from conclint.source.questions import bound_before, is_last_part, same_function
from conclint.source.source import Source
from conclint.source.tree import below

# A key that is computed from some variable.
NAME = re.compile(r"[^\W\d]\w*(?![\w\"'])")

ORDERED = (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual, cst.Equal, cst.NotEqual)

Binding = cst.Assign | cst.AugAssign | cst.For

# What a new value is computed from the old one with.
COMPUTING = (cst.BinaryOperation, cst.StarredElement, cst.StarredDictElement)


class Pause(NamedTuple):
    """The coroutine may wait there; what stands before `at` in the order of the text comes first."""

    at: int
    node: cst.CSTNode


class Write(NamedTuple):
    """An assignment to some state, or to the item `key` of it."""

    state: State
    statement: cst.BaseSmallStatement
    key: str
    value: cst.BaseExpression
    adds: bool  # `+=`

    @property
    def path(self) -> str:
        return path_of(self.state)


class Body(NamedTuple):
    """A coroutine's own code: its pauses, writes and reads in the order of the text."""

    pauses: Sequence[Pause]
    writes: Sequence[Write]
    reads: Sequence[State]


class Straddles:
    """Finds them in one file."""

    def __init__(self, source: Source, locks: Locks, order: Order) -> None:
        self._source = source
        self._locks = locks
        self._order = order
        self._checks = Checks(source, locks)
        self._makes = Makes(source)

    def all(self) -> Iterator[Straddle]:
        """At most one for each write."""
        for body in self._bodies:
            for write in body.writes if body.pauses else ():
                yield from self._of(body, write)

    def kept(self) -> Iterator[Access]:
        """What is written under locks."""
        for body in self._bodies:
            for write in body.writes:
                if held := self._locks.held(write.state):
                    yield replace(self._access(write, write.statement, Act.REPLACE), held=held)

    @cached_property
    def _bodies(self) -> list[Body]:
        """Those of the coroutines that the scene names."""
        wanted = {*self._source.scene.waiting}
        return [
            self._body(function)
            for function in self._source.all(cst.FunctionDef)
            if function.asynchronous is not None and self._source.qualname_of(function) in wanted
        ]

    # -- what is in a coroutine

    def _body(self, function: cst.FunctionDef) -> Body:
        nodes = [*same_function(function.body)]
        pauses = sorted(pause for node in nodes for pause in self._pauses(node))
        writes = [write for node in nodes for write in self._writes(node) if self._can_be_shared(write.state)]
        paths = {write.path for write in writes}
        reads = [
            node
            for node in nodes
            if isinstance(node, (cst.Name, cst.Attribute)) and path_of(node) in paths and self._reads(node)
        ]
        return Body(pauses, writes, reads)

    def _pauses(self, node: cst.CSTNode) -> Iterator[Pause]:
        if isinstance(node, cst.Await):
            yield Pause(self._end(node), node)
        elif isinstance(node, (cst.With, cst.For)) and node.asynchronous is not None:
            yield Pause(self._source.sequence(node.body), node.items[0] if isinstance(node, cst.With) else node.iter)

    def _end(self, node: cst.CSTNode) -> int:
        """The place of the last node in it."""
        return max(self._source.sequence(one) for one in below(node))

    def _writes(self, node: cst.CSTNode) -> Iterator[Write]:
        target: cst.BaseExpression
        if isinstance(node, cst.Assign) and len(node.targets) == 1:
            target, value, adds = node.targets[0].target, node.value, False
        elif isinstance(node, cst.AugAssign):
            target, value, adds = node.target, node.value, True
        elif isinstance(node, cst.AnnAssign) and node.value is not None:
            target, value, adds = node.target, node.value, False
        else:
            return
        key = ""
        if isinstance(target, cst.Subscript):
            key = ",".join(self._source.code(one.slice) for one in target.slice)
            target = target.value
        if isinstance(target, (cst.Name, cst.Attribute)):
            yield Write(target, node, key, value, adds)

    def _can_be_shared(self, state: State) -> bool:
        store = self._source.named(state).store
        if store is None or store.root != store or "$" in store.path:
            return False
        return store.sort != "local" or store.owner != self._source.identity(state)

    def _reads(self, node: State) -> bool:
        if is_last_part(self._source, node):
            return False
        outer = self._source.parent(node)
        if isinstance(outer, cst.Subscript) and outer.value is node:
            outer = self._source.parent(outer)
        return not isinstance(outer, (cst.AssignTarget, cst.Del)) and not (
            isinstance(outer, (cst.AugAssign, cst.AnnAssign)) and self._within(outer.target, node)
        )

    def _within(self, whole: cst.CSTNode, part: cst.CSTNode) -> bool:
        return self._source.sequence(whole) <= self._source.sequence(part) <= self._end(whole)

    # -- what straddles a pause

    def _of(self, body: Body, write: Write) -> Iterator[Straddle]:
        wait = self._in_one_statement(body, write) or self._through_variable(body, write)
        if wait is not None:
            yield self._straddle(write, wait, write.statement, Act.UPDATE)
            return
        for read in body.reads:
            before = self._source.sequence(read) < self._source.sequence(write.statement)
            if before and path_of(read) == write.path and self._locks.held(read) == self._locks.held(write.state):
                found = self._checked(body, read, write)
                if found is not None:
                    yield found
                    return

    def _straddle(
        self, write: Write, wait: Pause, anchor: cst.CSTNode, act: Act, *, soft: bool = False, operation: str = ""
    ) -> Straddle:
        access = self._access(write, anchor, act)
        own_item = bool(NAME.match(write.key)) and not write.key.startswith("self.")
        access = replace(access, operation=operation, held=self._locks.held(write.state))
        return Straddle(access, self._source.place(wait.node), soft, own_item)

    def _access(self, write: Write, anchor: cst.CSTNode, act: Act) -> Access:
        named = self._source.named(write.state)
        assert named.store is not None
        return Access(
            store=named.store,
            act=act,
            point=self._order.point(write.state),
            place=self._source.place(anchor),
            text=write.path,
            through_class=named.through_class or (named.of_class and bool(write.key)),
            reach=named.reach,
            holder=named.owner,
        )

    def _in_one_statement(self, body: Body, write: Write) -> Pause | None:
        """`x += await f()`, `x = x + await f()`: the old value is taken before the wait."""
        inside = [pause for pause in body.pauses if self._within(write.value, pause.node)]
        if write.adds:
            return inside[0] if inside else None
        for read in self._uses(write.value, write) if inside else ():
            later = [pause for pause in inside if self._source.sequence(read) <= pause.at]
            if later and self._computes_with(read, write.value):
                return later[0]
        return None

    def _uses(self, value: cst.BaseExpression, write: Write) -> Iterator[State]:
        """Reads of the same state, or of the same item, in an expression."""
        for node in same_function(value):
            if not isinstance(node, (cst.Name, cst.Attribute)) or path_of(node) != write.path:
                continue
            if self._reads(node) and write.key in ("", self._key_at(node)):
                yield node

    def _key_at(self, node: State) -> str:
        """`d[key]`, `d.get(key)`."""
        outer = self._source.parent(node)
        if isinstance(outer, cst.Subscript) and outer.value is node:
            return ",".join(self._source.code(one.slice) for one in outer.slice)
        call = self._source.parent(outer) if isinstance(outer, cst.Attribute) and outer.attr.value == "get" else None
        return self._source.code(call.args[0].value) if isinstance(call, cst.Call) and call.args else ""

    def _computes_with(self, node: cst.CSTNode, value: cst.BaseExpression) -> bool:
        """Whether the node's value goes into a sum or the like, and not only into some call."""
        for outer in self._source.ancestors(node):
            if isinstance(outer, COMPUTING):
                return True
            if outer is value or isinstance(outer, (cst.Await, cst.BaseSmallStatement)):
                return False
        return False

    def _through_variable(self, body: Body, write: Write) -> Pause | None:
        """`old = x`, a wait, `x = old + 1`, with no other look at `x` between them."""
        for name in same_function(write.value):
            if not isinstance(name, cst.Name) or is_last_part(self._source, name):
                continue
            taken = self._taken(name, write)
            if taken is None or not self._computes_with(name, write.value):
                continue
            if self._locks.held(taken) != self._locks.held(write.state):
                continue
            first, last = self._end(taken), self._source.sequence(write.statement)
            waits = [pause for pause in body.pauses if first < pause.at and self._source.sequence(pause.node) < last]
            if waits and not self._looked_again(body, write, waits[-1]):
                return waits[-1]
        return None

    def _taken(self, name: cst.Name, write: Write) -> cst.BaseSmallStatement | None:
        """The only assignment to the variable, in a block around the write, where it takes the state's value."""
        around = self._source.function_node(name)
        bindings: list[Binding] = [
            *self._source.all(cst.Assign),
            *self._source.all(cst.AugAssign),
            *self._source.all(cst.For),
        ]
        binding = [
            one
            for one in bindings
            if self._source.function_node(one) is around and any(_binds(target, name.value) for target in _targets(one))
        ]
        if len(binding) != 1 or not isinstance(binding[0], cst.Assign):
            return None
        found = binding[0]
        block = self._source.parent(self._source.statement(found))
        if block is None or block not in self._source.ancestors(write.statement):
            return None
        value = found.value
        same = any(True for _ in self._uses(value, write))
        return found if same and isinstance(value, (cst.Name, cst.Attribute, cst.Subscript, cst.Call)) else None

    def _looked_again(self, body: Body, write: Write, wait: Pause) -> bool:
        """Whether the state is read after the wait, before it is written."""
        last = self._source.sequence(write.statement)
        return any(path_of(read) == write.path and wait.at < self._source.sequence(read) < last for read in body.reads)

    # -- tests

    def _checked(self, body: Body, read: State, write: Write) -> Straddle | None:
        """The write that follows from a test before the wait."""
        limit = self._limit(read)
        test = self._checks.test(read) if limit is None else None
        if limit is not None:
            blocks: list[cst.CSTNode] = [limit.body]
        elif test is not None and isinstance(test.statement, cst.If) and test.key == write.key:
            blocks = [block for block, present in self._checks.branches(test) if not present]
        else:
            return None
        if not any(self._within(block, write.statement) for block in blocks):
            return None
        wait = self._wait_between(body, read, write)
        if wait is None:
            return None
        if limit is not None:
            return self._straddle(write, wait, limit.test, Act.CHECK_ACT) if self._adds(write) else None
        return self._made(write, wait, test) if test is not None else None

    def _made(self, write: Write, wait: Pause, test: Test) -> Straddle | None:
        value = write.value
        if isinstance(value, cst.Name) and value.value not in ("True", "False", "None"):
            value = bound_before(self._source, self._source.statement(write.statement), value)
        if isinstance(value, cst.Name) and value.value == "True":
            return self._straddle(write, wait, test.expression, Act.CHECK_ACT, operation="once")
        if self._makes.one_too_many(value):
            return self._straddle(write, wait, test.expression, Act.LAZY_INIT)
        if isinstance(value, (cst.Await, cst.Call)):
            return self._straddle(write, wait, test.expression, Act.LAZY_INIT, soft=True)
        return None

    def _wait_between(self, body: Body, read: State, write: Write) -> Pause | None:
        """The last pause between the test and the write; none where somebody looks again after it."""
        first, last = self._source.sequence(read), self._end(write.value)
        waits = [one for one in body.pauses if first < one.at <= last]
        if not waits or self._looked_again(body, write, waits[-1]):
            return None
        return waits[-1]

    def _limit(self, read: State) -> cst.If | None:
        """`if x < limit:`, or with `and`."""
        outer = self._source.parent(read)
        target = self._source.parent(outer) if isinstance(outer, cst.ComparisonTarget) else outer
        if not isinstance(target, cst.Comparison) or len(target.comparisons) != 1:
            return None
        if not isinstance(target.comparisons[0].operator, ORDERED):
            return None
        statement = self._source.parent(target)
        while isinstance(statement, cst.BooleanOperation):
            statement = self._source.parent(statement)
        return statement if isinstance(statement, cst.If) else None

    def _adds(self, write: Write) -> bool:
        return write.adds or any(self._computes_with(read, write.value) for read in self._uses(write.value, write))


def _targets(node: Binding) -> Iterator[cst.BaseExpression]:
    if isinstance(node, cst.Assign):
        yield from (one.target for one in node.targets)
    else:
        yield node.target


def _binds(target: cst.BaseExpression, name: str) -> bool:
    if isinstance(target, (cst.Tuple, cst.List)):
        return any(_binds(element.value, name) for element in target.elements)
    return isinstance(target, cst.Name) and target.value == name
