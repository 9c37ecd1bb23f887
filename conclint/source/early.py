"""State that others see, without the lock, before whoever makes it under the lock is done with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from conclint.program.observations import Act
from conclint.source.acts import CHANGING, State, act_of
from conclint.source.lockedblocks import Locked
from conclint.source.makes import Makes
from conclint.source.paths import path_of
from conclint.source.questions import is_last_part, rest_of, same_function
from conclint.source.secondlook import ENDED, SecondLook
from conclint.source.source import Source
from conclint.source.tree import below

# Whoever sees such an object before it is started sees one that will be.
STARTED = frozenset({"threading.Thread", "multiprocessing.Process"})

CONSTANTS = ("None", "True", "False")


class Early(NamedTuple):
    """`state` is there for all who ask in `branch`; `later` happens to it after that, or is what it announces.

    `surely`: what is missing is used where the answer of `branch` leads.
    """

    state: State
    branch: cst.If
    block: Locked
    later: cst.CSTNode
    flag: bool
    surely: bool


class Stored(NamedTuple):
    """A statement that gives the state its value; `names` is how the value is called from then on."""

    state: State
    statement: cst.Assign
    names: frozenset[str]


class EarlyLook:
    """Finds it in one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._locks = source.locks
        self._makes = Makes(source)
        self._looks = SecondLook(source)

    def all(self) -> Iterator[Early]:
        """Each block at most once."""
        for block in self._source.locked_blocks:
            found = sorted(self._in(block), key=lambda one: not one.surely)
            yield from found[:1]

    def _in(self, block: Locked) -> Iterator[Early]:
        for stored in self._stored(block):
            branch = self._looks.tested(stored.state, block.body)
            if branch is None or self._locks.held(branch):
                continue  # who asks is kept out meanwhile
            flag = path_of(stored.statement.value) == "True"
            for later, surely in (self._announced if flag else self._finished)(stored, block):
                yield Early(stored.state, branch, block, later, flag, surely)

    def _stored(self, block: Locked) -> Iterator[Stored]:
        """What is stored in the block where others find it, and is no constant but True."""
        for statement in self._source.inside(block.body, cst.Assign):
            if path_of(statement.value) in ("None", "False"):
                continue
            texts = [self._source.code(one.target) for one in statement.targets]
            if isinstance(statement.value, cst.Name) and statement.value.value not in CONSTANTS:
                texts.append(statement.value.value)
            for one in statement.targets:
                state = one.target.value if isinstance(one.target, cst.Subscript) else one.target
                if isinstance(state, (cst.Name, cst.Attribute)) and not self._looks.is_own(state):
                    yield Stored(state, statement, frozenset(texts))

    def _after(self, statement: cst.CSTNode, block: Locked) -> Iterator[cst.CSTNode]:
        """What runs after it while the lock is held."""
        line = self._source.statement(statement)
        yield from rest_of(self._source, line)
        for outer in self._source.ancestors(line):
            if outer is block.body or isinstance(outer, (cst.FunctionDef, cst.Lambda, cst.For, cst.While)):
                return
            if isinstance(outer, (cst.If, cst.With, cst.Try)):
                yield from rest_of(self._source, outer)

    # -- an object

    def _finished(self, stored: Stored, block: Locked) -> Iterator[tuple[cst.CSTNode, bool]]:
        """Where the object is still being made: it gets attributes and items, or is told to get ready."""
        if STARTED & {*self._source.types(stored.state)} or isinstance(stored.statement.value, cst.SimpleString):
            return
        for line in self._after(stored.statement, block):
            for part in same_function(line):
                if isinstance(part, cst.AssignTarget) and self._is_part(part.target, stored.names):
                    yield part.target, True
                elif isinstance(part, cst.Call) and isinstance(part.func, cst.Attribute):
                    known = self._source.code(part.func.value) in stored.names
                    if known and self._fills(part, part.func, stored):
                        yield part, part.func.attr.value in CHANGING

    def _is_part(self, target: cst.BaseExpression, names: frozenset[str]) -> bool:
        whole = target.value if isinstance(target, (cst.Attribute, cst.Subscript)) else None
        return whole is not None and self._source.code(whole) in names and self._source.code(target) not in names

    def _fills(self, call: cst.Call, func: cst.Attribute, stored: Stored) -> bool:
        """Whether it fills a container, or runs a method of the program's own for what it does."""
        if func.attr.value in CHANGING:
            types = self._source.types(func.value)
            known = any(name in self._source.knowledge.mutators for name in types)
            return known or self._makes.one_too_many(stored.statement.value, containers=True)
        own = bool(self._source.named(func).functions)
        return own and isinstance(self._source.parent(call), cst.Expr)

    # -- a flag

    def _announced(self, stored: Stored, block: Locked) -> Iterator[tuple[cst.CSTNode, bool]]:
        """What the flag says is done, and is done only now."""
        if ENDED.search(path_of(stored.state)):
            return  # what is over is over
        for line in self._after(stored.statement, block):
            for part in same_function(line):
                if isinstance(part, cst.AssignTarget):
                    kept = part.target.value if isinstance(part.target, cst.Subscript) else part.target
                    if isinstance(kept, (cst.Name, cst.Attribute)) and self._is_made(kept, part):
                        yield part.target, self._is_used(path_of(kept), block)
                call = part.value if isinstance(part, cst.Expr) else None
                if isinstance(call, cst.Call) and self._source.named(call.func).functions:
                    yield call, False

    def _is_made(self, kept: State, target: cst.AssignTarget) -> bool:
        """Whether others can see it, and it gets more than a constant."""
        statement = self._source.parent(target)
        value = statement.value if isinstance(statement, cst.Assign) else None
        plain = value is None or path_of(value) in CONSTANTS
        return not plain and not self._looks.is_own(kept) and self._source.named(kept).store is not None

    def _is_used(self, path: str, block: Locked) -> bool:
        """Whether the function reads it without the lock."""
        function = self._source.function_node(block.body)
        nodes = below(function.body) if function is not None else ()
        return any(
            isinstance(node, (cst.Name, cst.Attribute))
            and path_of(node) == path
            and not is_last_part(self._source, node)
            and act_of(self._source, node).act in (Act.READ, Act.ITERATE)
            and not self._locks.held(node)
            for node in nodes
        )
