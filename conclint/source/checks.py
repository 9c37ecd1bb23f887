"""Check-then-act: a test of some state, and an act on the answer that may have become wrong in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from conclint.program.conflicts import REMOVING
from conclint.program.observations import MEMO, NEXT, ONCE, SIZED, Act
from conclint.source.acts import Done, State, act_of
from conclint.source.locks import Locks
from conclint.source.makes import Makes
from conclint.source.paths import path_of
from conclint.source.questions import (
    asks_for_size,
    assigned,
    behind,
    conjuncts,
    disjuncts,
    is_last_part,
    is_own,
    key_of,
    leaves,
    names_in,
    part_of,
    raises_lookup,
    refuses,
    rest_of,
    same_function,
    tells,
    tests_missing,
    without_keys,
    works,
)
from conclint.source.relying import Relying
from conclint.source.source import Source
from conclint.source.trying import Trying

# Which item of a queue is taken: the last one, or the first.
END = ("", "0", "-1")

# What is added to a container after a look whether it is there.
ADDING = frozenset({"=", "add", "append", "appendleft", "insert"})

# What puts an item into a list a second time.
LISTING = frozenset({"append", "appendleft", "insert"})

# What makes a container longer.
GROWING = frozenset({"add", "append", "appendleft", "extend", "insert", "="})

# What an act raises that another thread came before.
FORGIVEN = frozenset({"KeyError", "IndexError", "ValueError", "LookupError", "Exception", "BaseException"})


class Test(NamedTuple):
    """A statement that tests some state: whether it asks if something is there, and for which item ("": for any)."""

    statement: cst.If | cst.While
    expression: cst.BaseExpression
    asks_present: bool
    key: str
    size: bool = False  # it asks how many items there are


class Checks:
    """Finds what a test leads to, in one file."""

    def __init__(self, source: Source, locks: Locks) -> None:
        self._source = source
        self._locks = locks
        self._makes = Makes(source)
        self._trying = Trying(source, locks)
        self._relying = Relying(source, locks, self._question)

    def acting_on(self, node: State) -> tuple[Done, cst.CSTNode] | None:
        """What a read in a test leads to, with the test; None when it is no test or nothing follows from it."""
        test = self.test(node)
        if test is None:
            return self._trying.tried(node) or self._trying.best(node) or self._relying.on(node)
        if is_own(self._source, test.statement, test.key):
            return None
        for place in self._acts(test, node):
            done = self._answer(test, place)
            if done is not None and self._locks.held(place[0]) == self._locks.held(node):
                return done, test.expression
        if self._makes_itself(test, node):
            return Done(Act.LAZY_INIT, "()"), test.expression
        return self._relying.on(node)

    def unless_there(self, node: State) -> tuple[Done, cst.CSTNode] | None:
        """What a creation is whose test only spells the attribute's name."""
        return self._trying.unless_there(node)

    def _makes_itself(self, test: Test, node: State) -> bool:
        """`if C._instance is None: C()`, where the constructor keeps what it makes."""
        named = self._source.named(node)
        if not named.through_class or named.store is None or test.key:
            return False
        owner = named.store.owner
        return any(
            isinstance(part, cst.Call)
            and owner in self._source.names(part.func)
            and self._locks.held(part) == self._locks.held(node)
            for block, present in self.branches(test)
            if not present
            for part in same_function(block)
        )

    # -- tests

    def test(self, node: State) -> Test | None:
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
        for part in conjuncts(statement.test):
            found = self._question(part, node)
            if found is not None:
                return Test(statement, statement.test, *found, size=asks_for_size(part, node))
        for part in disjuncts(statement.test):
            found = self._question(part, node)
            if found is not None and not found[0]:
                return Test(statement, statement.test, *found)  # `x is None or x.closed`
        return None

    def _question(self, part: cst.BaseExpression, node: State) -> tuple[bool, str] | None:
        """Whether the expression asks for presence (or absence) of the state or of an item of it."""
        if isinstance(part, cst.NamedExpr):
            return self._question(part.value, node)
        if isinstance(part, cst.UnaryOperation) and isinstance(part.operator, cst.Not):
            found = self._question(part.expression, node)
            return (not found[0], found[1]) if found is not None else None
        if part is node:
            return True, ""
        if isinstance(part, (cst.Call, cst.Subscript)):
            return (True, self._got(part)) if self._got(part) and _owner(part) is node else None
        if isinstance(part, cst.Comparison) and len(part.comparisons) == 1:
            return self._compared(part, node)
        return None

    def _compared(self, part: cst.Comparison, node: State) -> tuple[bool, str] | None:
        operator, right = part.comparisons[0].operator, part.comparisons[0].comparator
        left = part.left.value if isinstance(part.left, cst.NamedExpr) else part.left
        if isinstance(operator, (cst.In, cst.NotIn)) and without_keys(right) is node:
            return isinstance(operator, cst.In), self._source.code(part.left)
        if asks_for_size(part, node):
            few = isinstance(operator, (cst.LessThan, cst.LessThanEqual, cst.Equal))
            return not few, ""
        if not (isinstance(right, cst.Name) and right.value == "None" and isinstance(operator, (cst.Is, cst.IsNot))):
            return None
        if left is node:
            return isinstance(operator, cst.IsNot), ""
        if isinstance(left, (cst.Call, cst.Subscript)) and self._got(left) and _owner(left) is node:
            return isinstance(operator, cst.IsNot), self._got(left)
        return None

    def _got(self, call: cst.Call | cst.Subscript) -> str:
        """The key of `d.get(key)`, or of `d[key]`."""
        if isinstance(call, cst.Subscript):
            return ",".join(self._source.code(one.slice) for one in call.slice)
        given = call.args[0].value if len(call.args) == 1 else None
        if given is None or isinstance(given, cst.List) or path_of(call.func).rpartition(".")[2] != "get":
            return ""  # `settings.get(["server", "port"])` has no key of a dict
        return self._source.code(given)

    def _through_name(self, assign: cst.Assign, node: State) -> Test | None:
        """`value = d.get(k)` and right after it `if value is None:`."""
        target, value = assign.targets[0].target, assign.value
        following = self._next(assign)
        got = self._got(value) if isinstance(value, cst.Call) and _owner(value) is node else ""
        if not (got or value is node) or not isinstance(target, cst.Name) or not isinstance(following, cst.If):
            return None
        if path_of(following.test) == target.value:
            return Test(following, following.test, True, got)
        if tests_missing(following.test, target.value):
            return Test(following, following.test, False, got)
        return None

    def _next(self, small: cst.CSTNode) -> cst.CSTNode | None:
        line = self._source.statement(small)
        rest = rest_of(self._source, line)
        return rest[0] if rest else None

    # -- acts

    def _acts(self, test: Test, node: State) -> Iterator[tuple[State, bool]]:
        """The places behind the test that change the same state, and whether it was there according to the test."""
        path = path_of(node)
        for block, present in self.branches(test):
            for part in same_function(block):
                if not isinstance(part, (cst.Name, cst.Attribute)) or part is node or path_of(part) != path:
                    continue
                if act_of(self._source, part).act.writes and not is_last_part(self._source, part):
                    yield part, present

    def branches(self, test: Test) -> Iterator[tuple[cst.CSTNode, bool]]:
        """What runs on each answer."""
        statement = test.statement
        yield statement.body, test.asks_present
        if isinstance(statement, cst.If):
            if statement.orelse is not None:
                yield statement.orelse, not test.asks_present
            elif leaves(statement.body):
                for one in behind(self._source, statement):
                    yield one, not test.asks_present

    def _answer(self, test: Test, place: tuple[State, bool]) -> Done | None:
        """The whole act, if what is done at the place rests on the test's answer."""
        node, present = place
        done = act_of(self._source, node)
        if done.act is Act.REPLACE:
            return self._rebound(test, node, present) if not test.key else None
        if done.act is not Act.CHANGE or (test.key and key_of(self._source, node) != test.key):
            return None
        raises_anyway = test.key and raises_lookup(test.statement)
        if present and done.operation in REMOVING and not (raises_anyway or self._forgiving(node, done)):
            queue = not test.key and done.operation in ("pop", "popleft") and self._is_list(node)
            return Done(Act.CHECK_ACT, NEXT if queue else done.operation, done.resizes)
        if not present and test.key and done.operation in ADDING and self._matters(test, node, done):
            return Done(Act.CHECK_ACT, done.operation, done.resizes)
        twice = done.operation in LISTING or (done.operation == "=" and self._computes(node))
        if not present and test.key and twice:
            return Done(Act.CHECK_ACT, MEMO, done.resizes)
        if not present and test.size and done.operation in GROWING:
            return Done(Act.CHECK_ACT, SIZED, done.resizes)
        return None

    def _rebound(self, test: Test, node: State, present: bool) -> Done | None:
        """A creation; or an answer that only the first one should get: a value set once, a flag turned or taken."""
        if self._on_request(test, node):
            return None
        if test.asks_present and any(isinstance(part, cst.Raise) for part in same_function(test.statement.body)):
            return Done(Act.CHECK_ACT, ONCE)
        if not present and (self._creates(node) or self._filled_later(node)):
            return Done(Act.LAZY_INIT, "=")
        if not present and self._computes(node):
            return Done(Act.LAZY_INIT, MEMO)
        value = assigned(self._source, node)
        if not isinstance(value, cst.Name):
            return None
        turned = value.value in (("None", "False") if present else ("True",))
        given = not present and value.value not in ("None", "False", "True")
        return Done(Act.CHECK_ACT, ONCE) if given or (turned and self._works(test, present)) else None

    def _on_request(self, test: Test, node: State) -> bool:
        """Whether it is made only where the caller asks for it: `if _instance is None: if init: …`."""
        function = self._source.function_node(node)
        asked = {param.name.value for param in function.params.params} if function is not None else set()
        for outer in self._source.ancestors(node):
            if outer is test.statement or outer is function:
                return False
            if isinstance(outer, cst.If) and isinstance(outer.test, cst.Name) and outer.test.value in asked:
                return True
        return False

    def _is_list(self, node: State) -> bool:
        """A list or a deque; or, where that is unknown, something of which the end or the first item is taken."""
        types = {*self._source.types(node)}
        return bool(types & {"builtins.list", "collections.deque"}) or (not types and key_of(self._source, node) in END)

    def _computes(self, node: State) -> bool:
        """Whether code of the program, or code that nobody knows, computes it: it may take long, or do more."""
        value = assigned(self._source, node)
        if isinstance(value, (cst.Subscript, cst.Attribute)):
            value = part_of(self._source, self._source.statement(node), value)
        return isinstance(value, cst.Call) and self._makes.computed(value)

    def _filled_later(self, node: State) -> bool:
        """Whether an empty container is put there for all to see, and filled then."""
        value, block = assigned(self._source, node), self._source.parent(self._source.statement(node))
        if value is None or block is None or not self._makes.one_too_many(value, containers=True):
            return False
        path = path_of(node)
        return any(
            isinstance(part, (cst.Name, cst.Attribute))
            and part is not node
            and path_of(part) == path
            and act_of(self._source, part).act is Act.CHANGE
            for part in same_function(block)
        )

    def _works(self, test: Test, present: bool) -> bool:
        """Whether more is done on the answer than a word to the log."""
        parts = (part for block, there in self.branches(test) if there is present for part in same_function(block))
        return any(isinstance(part, cst.Call) and not tells(part) for part in parts)

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
                return any(handler.type is None or FORGIVEN & names_in(handler.type) for handler in around.handlers)
            if isinstance(around, cst.FunctionDef):
                return False
            child = around
        return False

    # -- what is made

    def _creates(self, node: State) -> bool:
        """Whether an object is made that should exist once."""
        value = assigned(self._source, node)
        return value is not None and self._makes.one_too_many(value)

    def _matters(self, test: Test, node: State, done: Done) -> bool:
        """Whether it does harm that two threads add the same item."""
        if test.asks_present and refuses(test.statement):
            return True  # a claim, which both get
        value = assigned(self._source, node)
        if value is not None:
            # A container that has a name of its own before is filled, most likely, when others see it.
            statement = self._source.nearest(node, cst.Assign)
            filled = statement is not None and isinstance(statement.value, cst.Name)
            return self._makes.one_too_many(value, containers=not filled)
        if leaves(test.statement.body):
            # `if x in seen: return` and then, whatever else is found out: a claim.  Below another `if` it is a memo.
            block = self._source.parent(self._source.statement(node))
            return done.operation == "add" and block is self._source.parent(test.statement)
        return done.operation == "add" and works(test.statement.body, path_of(node))


def _owner(call: cst.Call | cst.Subscript) -> cst.CSTNode | None:
    if isinstance(call, cst.Subscript):
        return call.value
    return call.func.value if isinstance(call.func, cst.Attribute) else None
