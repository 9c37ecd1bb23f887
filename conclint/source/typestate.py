"""What has surely been done to an object before each call of one of its methods, within one function.

What may be done to it anywhere in the program is another question: see `program.handles`.  What the methods do stands
in `knowledge.lives`.

The statements are followed in the order in which they run: branches that do different things leave the state open,
a loop is gone round a second time, and what follows a `return` is not reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.knowledge.lives import Stage
from conclint.source.literals import target_names
from conclint.source.paths import path_of
from conclint.source.tree import children

if TYPE_CHECKING:
    from conclint.source.source import Source


class State(NamedTuple):
    """What surely is the case, and the call or block that made it so."""

    stage: Stage | None
    since: cst.CSTNode


class Step(NamedTuple):
    """A method called on the object, and the state in which it surely is then."""

    call: cst.Call
    method: str
    before: State


# None: nobody knows.  LEFT: this point is not reached.
Known = State | None
LEFT = State(None, cst.Pass())

Body = Sequence[cst.BaseStatement] | Sequence[cst.BaseSmallStatement]


class Life:
    """One object, by the path under which a function knows it (`thread`, `self._pool`).

    `moves`: the stage to which each of its methods brings it; `ends`: the one in which the end of a `with` block
    leaves it (None: in none).  `watches`: other calls at which its state is asked for too.
    """

    def __init__(
        self,
        source: Source,
        path: str,
        moves: Mapping[str, Stage],
        ends: Stage | None = None,
        watches: Callable[[cst.Call], bool] | None = None,
    ) -> None:
        self._source = source
        self._path = path
        self._moves = moves
        self._ends = ends
        self._watches = watches
        self._found: dict[int, Step] = {}
        self._leaps: list[dict[str, list[Known]]] = []  # of each loop around: the states at its breaks and continues

    def steps(self, function: cst.FunctionDef | cst.Module) -> Iterator[Step]:
        """Each method called on the object where its state is sure."""
        body = function.body.body if isinstance(function, cst.FunctionDef) else function.body
        self._run(body, None)
        yield from self._found.values()

    # -- statements

    def _run(self, body: Body, state: Known) -> Known:
        for statement in body:
            if state is LEFT:
                break
            state = self._statement(statement, state)
        return state

    def _block(self, block: cst.BaseSuite, state: Known) -> Known:
        return self._run(block.body, state)

    def _statement(self, statement: cst.CSTNode, state: Known) -> Known:
        if isinstance(statement, cst.SimpleStatementLine):
            return self._run(statement.body, state)
        if isinstance(statement, cst.If):
            state = self._expression(statement.test, state)
            other = self._orelse(statement.orelse, state)
            return _either(self._block(statement.body, state), other)
        if isinstance(statement, (cst.For, cst.While)):
            return self._loop(statement, state)
        if isinstance(statement, cst.Try):
            return self._try(statement, state)
        if isinstance(statement, cst.With):
            return self._with(statement, state)
        if isinstance(statement, cst.Match):
            state = self._expression(statement.subject, state)
            ways = [self._block(case.body, state) for case in statement.cases]
            return _all((state, *ways))
        if isinstance(statement, (cst.FunctionDef, cst.ClassDef, cst.TryStar)):
            return None if self._mentioned(statement) else state
        return self._small(statement, state)

    def _orelse(self, orelse: cst.If | cst.Else | None, state: Known) -> Known:
        if orelse is None:
            return state
        return self._block(orelse.body, state) if isinstance(orelse, cst.Else) else self._statement(orelse, state)

    def _small(self, statement: cst.CSTNode, state: Known) -> Known:
        state = self._expression(statement, state)
        if isinstance(statement, (cst.Return, cst.Raise)):
            return LEFT
        if isinstance(statement, (cst.Break, cst.Continue)) and self._leaps:
            self._leaps[-1]["break" if isinstance(statement, cst.Break) else "continue"].append(state)
            return LEFT
        return state

    def _loop(self, loop: cst.For | cst.While, state: Known) -> Known:
        state = self._expression(loop.iter if isinstance(loop, cst.For) else loop.test, state)
        endless = isinstance(loop, cst.While) and path_of(loop.test) == "True"
        leaps: dict[str, list[Known]] = {"break": [], "continue": []}
        self._leaps.append(leaps)
        first = _all((self._round(loop, state), *leaps["continue"]))
        if first != state and first is not LEFT:
            self._round(loop, first)
        self._leaps.pop()
        done = LEFT if endless else self._orelse(loop.orelse, _either(state, first))
        return _all((done, *leaps["break"]))

    def _round(self, loop: cst.For | cst.While, state: Known) -> Known:
        if isinstance(loop, cst.For) and self._path.partition(".")[0] in target_names(loop.target):
            state = None
        return self._block(loop.body, state)

    def _try(self, statement: cst.Try, state: Known) -> Known:
        after = self._block(statement.body, state)
        troubled = state if after == state else None  # it may have come so far or not
        ways = [self._block(handler.body, troubled) for handler in statement.handlers]
        if statement.orelse is not None and after is not LEFT:
            after = self._block(statement.orelse.body, after)
        after = _all((after, *ways))
        if statement.finalbody is not None:
            end = self._block(statement.finalbody.body, None if after is LEFT else after)
            return LEFT if LEFT in (after, end) else end
        return after

    def _with(self, statement: cst.With, state: Known) -> Known:
        ends = False
        for item in statement.items:
            name = path_of(item.asname.name) if item.asname is not None else ""
            ends = ends or (self._ends is not None and self._path in (name, path_of(item.item)))
            state = self._expression(item.item, state)
            if name == self._path and path_of(item.item) != self._path:
                state = None
        state = self._block(statement.body, state)
        return State(self._ends, statement) if ends and state is not LEFT else state

    # -- expressions

    def _expression(self, node: cst.CSTNode, state: Known) -> Known:
        """What the parts of an expression or a small statement do, in their order."""
        if isinstance(node, (cst.Lambda, cst.FunctionDef)):
            return state
        maybe = isinstance(node, (cst.IfExp, cst.BooleanOperation, cst.ListComp, cst.SetComp, cst.DictComp))
        before = state
        for child in children(node):
            state = self._expression(child, state)
        if isinstance(node, (cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.NamedExpr, cst.Del)):
            return self._bound(node, state)
        if isinstance(node, cst.Call):
            state = self._called(node, state)
        if isinstance(node, (cst.Await, cst.Yield)) and "." in self._path:
            return None  # others run meanwhile
        return before if state == before else None if maybe else state

    def _bound(self, node: cst.CSTNode, state: Known) -> Known:
        """Whether the name, or what it is an attribute of, becomes something else."""
        for child in children(node):
            names = {path_of(child), *(target_names(child) if isinstance(child, cst.BaseExpression) else ())}
            if any(name and (self._path + ".").startswith(name + ".") for name in names):
                return None
        return state

    def _called(self, call: cst.Call, state: Known) -> Known:
        owner, _, method = path_of(call.func).rpartition(".")
        watched = self._watches is not None and self._watches(call)
        if state is not None and (owner == self._path or watched):
            self._found.setdefault(id(call), Step(call, method, state))
        if owner == self._path:
            return State(self._moves[method], call) if method in self._moves else state
        # A method of the same object may do anything to its attributes.
        head, dot, _ = self._path.partition(".")
        return None if dot and (owner == head or owner.startswith(head + ".")) and not self._harmless(call) else state

    def _harmless(self, call: cst.Call) -> bool:
        """A call of something else that the object keeps: `self.log.info()`."""
        return bool(self._source.names(call.func)) and path_of(call.func).count(".") > 1

    def _mentioned(self, node: cst.CSTNode) -> bool:
        """Whether a function inside may do something to it."""
        waiting = [node]
        for one in waiting:
            if isinstance(one, (cst.Name, cst.Attribute)) and path_of(one) == self._path:
                return True
            waiting += children(one)
        return False


def _either(one: Known, other: Known) -> Known:
    """What is sure after a fork."""
    if one is LEFT:
        return other
    if other is LEFT or one == other:
        return one
    same = one is not None and other is not None and one.stage is other.stage
    return one if same else None


def _all(states: Sequence[Known]) -> Known:
    state: Known = LEFT
    for one in states:
        state = _either(state, one)
    return state


def paths_of(source: Source, methods: frozenset[str]) -> Iterator[tuple[cst.FunctionDef | cst.Module, str]]:
    """The objects of which one of the methods is called, each with the function that does so, once."""
    seen: set[tuple[int, str]] = set()
    for call in source.all(cst.Call):
        owner, _, method = path_of(call.func).rpartition(".")
        if method not in methods or not owner or "[" in owner or "(" in owner:
            continue
        function = source.function_node(call) or source.module(call)
        if not isinstance(function, cst.Lambda) and (id(function), owner) not in seen:
            seen.add((id(function), owner))
            yield function, owner
