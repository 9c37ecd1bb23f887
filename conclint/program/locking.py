"""Which locks functions take, their callees included, and which functions deserve a close look for it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from conclint.index.facts import FunctionFact, Kind
from conclint.program.deep import Deep, Step, Steps
from conclint.program.foreign import calls_foreign
from conclint.program.guards import Guards
from conclint.program.names import PROPERTIES
from conclint.program.takes import Takes
from conclint.program.values import split_id
from conclint.program.waits import Waits

if TYPE_CHECKING:
    from conclint.program.linking import Program


class Locking:
    """The summaries of functions; every one is made when somebody asks, and kept."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.steps = Steps(program.calls)
        self.waits = Waits(program.calls, self.steps)
        self.guards = Guards(program, {})
        self.takes = Takes(program, self.guards)
        self._bits: dict[str, int] = {}
        self.any = Deep(self.steps, self._taken)
        self.own = Deep(self.steps, self._own, personal=True)

    def bit(self, lock: str) -> int:
        """The bit that stands for a lock in the sets `any` and `own`."""
        return self._bits.setdefault(lock, 1 << len(self._bits))

    def locks(self, bits: int) -> list[str]:
        """The locks that a set of bits stands for."""
        return [lock for lock, bit in self._bits.items() if bits & bit] if bits else []

    def _taken(self, identity: str) -> int:
        """The locks that the function itself waits for, whichever object's they are."""
        found = 0
        for one in self.takes.of(identity):
            if one.waits and self.takes.identified(one.lock):
                found |= self.bit(one.lock)
        return found

    def _own(self, identity: str) -> int:
        """The locks of its own object that the method itself waits for."""
        found = 0
        for one in self.takes.of(identity):
            if one.waits and one.own:
                found |= self.bit(one.lock)
        return found

    def chain(self, step: Step, lock: str, *, personal: bool) -> tuple[Step, ...]:
        """The calls that lead from a call to where the lock is taken."""
        return (step, *(self.own if personal else self.any).path(step.callee, self.bit(lock)))

    # -- what deserves a close look

    def worth_a_look(self) -> dict[str, tuple[str, ...]]:
        """By file: the functions that have a lock, and may wait or take another one meanwhile."""
        found: dict[str, list[str]] = {}
        for identity, taken in self.takes.by_function.items():
            path, qualname = split_id(identity)
            if qualname and (len(taken) > 1 or self._goes_on(identity)):
                found.setdefault(path, []).append(qualname)
        return {path: tuple(names) for path, names in found.items()}

    def _reads(self, function: FunctionFact) -> bool:
        """Whether it may read a property of its own object that takes a lock."""
        receiver = function.params[0].name + "." if function.owner and function.params else "?"
        return any(path.removeprefix(receiver) in self._getters for path, _, _ in function.touches)

    @cached_property
    def _getters(self) -> frozenset[str]:
        """The names of properties that take locks."""
        taking = (self._program.calls.function(one)[1] for one in self.takes.by_function)
        return frozenset(one.name for one in taking if PROPERTIES & {*one.decorators})

    def _goes_on(self, identity: str) -> bool:
        file, function = self._program.calls.function(identity)
        if function.kind & Kind.GENERATOR and not function.decorators:
            return True
        if self.waits.own(identity) or calls_foreign(self._program, file, function) or self._reads(function):
            return True
        return any(
            self.any.of(step.callee)
            or self.waits.of(step.callee)
            or (step.own and calls_foreign(self._program, *self._program.calls.function(step.callee)))
            for step in self.steps.of(identity)
        )
