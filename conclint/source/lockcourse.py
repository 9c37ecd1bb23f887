"""What becomes of a lock after it was taken: on which ways out of the function it is still held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.source.lockrisk import may_raise
from conclint.source.lockuse import FUNCTIONS, LockCall, body_nodes, lock_call, mentions
from conclint.source.paths import path_of
from conclint.source.tree import below

if TYPE_CHECKING:
    from conclint.source.source import Source


class State(Enum):
    """Whether the lock is held; CAUGHT: held since an exception led around the release."""

    FREE = "free"
    HELD = "held"
    CAUGHT = "caught"


FREE = frozenset({State.FREE})
HELD = frozenset({State.HELD})
CAUGHT = frozenset({State.CAUGHT})
NOWHERE: frozenset[State] = frozenset()

States = frozenset[State]
Block = Sequence[cst.CSTNode]


class Exit(NamedTuple):
    """A way out with the lock held: `return`, `raise`, `break`, `continue`, or the `end` of the function."""

    node: cst.CSTNode
    kind: str
    state: State


class Unclear(Exception):
    """The lock is used in a way that cannot be followed."""


class Course:
    """Follows one lock from one `acquire` to the ends of the function around it."""

    def __init__(self, source: Source, taken: LockCall) -> None:
        self._source = source
        self._taken = taken
        self._store = source.named(taken.lock).store
        self.exits: list[Exit] = []
        self.risky: list[cst.CSTNode] = []  # what may raise while nobody would release
        self.releases: list[cst.CSTNode] = []
        self.protected = False  # whether some `finally` releases it

    @cached_property
    def clear(self) -> bool:
        """Whether the lock could be followed; what was found counts only then."""
        try:
            self._follow()
        except Unclear:
            return False
        return True

    def _follow(self) -> None:
        function = self._source.function_node(self._taken.call)
        if function is not None and self._goes_elsewhere(function):
            raise Unclear
        line = self._source.statement(self._taken.call)
        states = HELD
        if isinstance(line, cst.If):
            states = self._tried(line)
        if isinstance(line, cst.SimpleStatementLine):
            small = self._small_around(line)
            states = self._block(line.body[list(line.body).index(small) + 1 :], states)
        self._climb(line, states)

    def _tried(self, branch: cst.If) -> States:
        """Behind `if lock.acquire(False): …`, or behind `if not lock.acquire(False): return`, where it was taken."""
        if branch.test is self._taken.call:
            if self._block(branch.body.body, HELD) - FREE:
                raise Unclear  # kept for another `if`
            return FREE
        if self._block(branch.body.body, FREE):
            raise Unclear  # whoever comes by may hold it or not
        return HELD

    def _small_around(self, line: cst.SimpleStatementLine) -> cst.BaseSmallStatement:
        for small in line.body:
            if any(node is self._taken.call for node in below(small)):
                return small
        raise Unclear

    def _goes_elsewhere(self, function: cst.CSTNode) -> bool:
        """Whether a callback or a function inside releases it."""
        inner = (node for node in below(function) if isinstance(node, FUNCTIONS) and node is not function)
        released = (found for node in inner for part in below(node) if (found := lock_call(self._source, part)))
        return any(one.method == "release" and one.text == self._taken.text for one in released) or any(
            True for _ in mentions(self._source, function, self._taken.text)
        )

    # -- outwards

    def _climb(self, node: cst.CSTNode, states: States) -> None:
        """From a statement to the end of its function: first the rest of its block, then what is around."""
        while True:
            block = self._source.parent(node)
            if isinstance(block, (cst.IndentedBlock, cst.Module)):
                states = self._block(_after(block.body, node), states)
                if isinstance(block, cst.Module):
                    break
                node = block
            outer = self._source.parent(node)
            if outer is None or isinstance(outer, cst.FunctionDef):
                break
            states = self._leave(outer, node, states)
            node = outer
        self.exits += [Exit(node, "end", state) for state in states - FREE]

    def _leave(self, outer: cst.CSTNode, inner: cst.CSTNode, states: States) -> States:
        if isinstance(outer, cst.Try) and inner is outer.body:
            return self._after_body(outer, states)
        if isinstance(outer, (cst.Else, cst.ExceptHandler)) and isinstance(try_ := self._source.parent(outer), cst.Try):
            return self._finally(try_, states)
        if isinstance(outer, (cst.For, cst.While)) and inner is outer.body:
            if states - FREE:
                raise Unclear  # the next round takes it again: somebody else lets it go
            stays, self.exits = _split(self.exits, "break")
            return states | {one.state for one in stays}
        if isinstance(outer, FUNCTIONS):
            raise Unclear
        return states

    # -- inwards

    def _block(self, statements: Iterable[cst.CSTNode], states: States) -> States:
        for statement in statements:
            if not states:
                break
            states = self._statement(statement, states)
        return states

    def _statement(self, node: cst.CSTNode, states: States) -> States:
        if isinstance(node, cst.SimpleStatementLine):
            return self._block(node.body, states)
        if isinstance(node, cst.BaseSmallStatement):
            return self._small(node, states)
        if isinstance(node, cst.If):
            return self._if(node, states)
        if isinstance(node, (cst.For, cst.While)):
            return self._loop(node, states)
        if isinstance(node, cst.Try):
            return self._try(node, states)
        if isinstance(node, cst.With):
            return self._with(node, states)
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            return states
        raise Unclear  # `match`, `except*`

    def _small(self, node: cst.BaseSmallStatement, states: States) -> States:
        operation = self._operation(node)
        if operation == "release":
            self.releases.append(node)
            return FREE
        if operation == "acquire" and states - FREE:
            raise Unclear
        self._run(node, states)
        if isinstance(node, (cst.Return, cst.Raise, cst.Break, cst.Continue)):
            kind = type(node).__name__.lower()
            self.exits += [Exit(node, kind, state) for state in states - FREE]
            return NOWHERE
        return states

    def _run(self, node: cst.CSTNode | None, states: States) -> None:
        """An expression or statement that may raise."""
        if node is not None and states - FREE and not isinstance(node, cst.Raise):
            self.risky += may_raise(self._source, node, self._taken.text)

    def _operation(self, node: cst.CSTNode) -> str:
        """What is done to the lock in there."""
        for part in body_nodes(node):
            if isinstance(part, cst.Call):
                found = lock_call(self._source, part)
                same = found is not None and found.text == self._taken.text
                if found is not None and same and found.method in ("acquire", "release"):
                    return found.method
                if self._source.lock_use.releases(part, self._store):
                    return "release"
            elif isinstance(part, cst.AssignTarget) and path_of(part.target) == path_of(self._taken.lock):
                raise Unclear
        return ""

    def _if(self, node: cst.If, states: States) -> States:
        if self._operation(node.test):
            raise Unclear
        self._run(node.test, states)
        then = self._block(node.body.body, states)
        orelse = node.orelse
        if isinstance(orelse, cst.If):
            other = self._if(orelse, states)
        else:
            other = self._block(orelse.body.body, states) if orelse is not None else states
        if State.FREE not in then | other or states == FREE:
            return then | other
        if orelse is not None and (then | other) - FREE:
            raise Unclear  # one branch gives it back, the other one keeps it: for somebody else to release
        return FREE  # `if locked: lock.release()`: it is known there whether it is held

    def _with(self, node: cst.With, states: States) -> States:
        for item in node.items:
            if self._source.code(item.item) == self._taken.text:
                raise Unclear
            self._run(item.item, states)
        return self._block(node.body.body, states)

    def _loop(self, node: cst.For | cst.While, states: States) -> States:
        self._run(node.iter if isinstance(node, cst.For) else node.test, states)
        outer, self.exits = self.exits, []
        after = self._block(node.body.body, states)
        turns, left = _split(self.exits, "break", "continue")
        self.exits = outer + left
        after |= {one.state for one in turns}
        if not _is_endless(node):
            after |= states
        elif not any(isinstance(part, cst.Break) for part in body_nodes(node.body)):
            return NOWHERE
        if node.orelse is not None:
            after = self._block(node.orelse.body.body, after)
        return FREE if State.FREE in after else after

    # -- try

    def _try(self, node: cst.Try, states: States) -> States:
        outer = self.exits, self.risky
        self.exits, self.risky = [], []
        after = self._after_body(node, self._block(node.body.body, states), held=bool(states - FREE))
        self.exits, self.risky = outer[0] + self.exits, outer[1] + self.risky
        return after

    def _after_body(self, node: cst.Try, states: States, *, held: bool = True) -> States:
        """From the end of a `try`'s body (whose exits and risks are at hand) to the end of the statement."""
        raising, exits = _split(self.exits, "raise")
        caught = CAUGHT if held and (self.risky or raising) else FREE
        cares = any(self._releases(handler.body) for handler in node.handlers)
        if cares or any(_is_broad(handler) for handler in node.handlers):
            self.exits, self.risky = exits, []
        if node.orelse is not None:
            states = self._block(node.orelse.body.body, states)
        for handler in node.handlers:
            states |= self._block(handler.body.body, caught)
        return self._finally(node, FREE if cares and State.FREE in states else states)

    def _finally(self, node: cst.Try, states: States) -> States:
        if node.finalbody is None:
            return states
        if not self._releases(node.finalbody):
            return self._block(node.finalbody.body.body, states)
        self.exits, self.risky, self.protected = [], [], True
        self.releases.append(node.finalbody)
        return FREE if states else NOWHERE

    def _releases(self, node: cst.CSTNode) -> bool:
        return any(isinstance(part, cst.Call) and self._operation(part) == "release" for part in body_nodes(node))


def _split(exits: Iterable[Exit], *kinds: str) -> tuple[list[Exit], list[Exit]]:
    """The exits of these kinds, and the others."""
    found: tuple[list[Exit], list[Exit]] = [], []
    for one in exits:
        found[one.kind not in kinds].append(one)
    return found


def _after(block: Block, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    seen = False
    for statement in block:
        if seen:
            yield statement
        seen = seen or statement is node


def _is_endless(node: cst.For | cst.While) -> bool:
    """`while True:`, `while 1:`."""
    if not isinstance(node, cst.While):
        return False
    return path_of(node.test) == "True" or (isinstance(node.test, cst.Integer) and node.test.value != "0")


def _is_broad(handler: cst.ExceptHandler) -> bool:
    """Whether it catches whatever may go wrong."""
    if handler.type is None:
        return True
    types = [one.value for one in handler.type.elements] if isinstance(handler.type, cst.Tuple) else [handler.type]
    return any(path_of(one) in ("Exception", "BaseException") for one in types)
