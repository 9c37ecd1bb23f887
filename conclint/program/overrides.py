"""Methods that are overridden without the lock that the method of the base holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.index.facts import FunctionFact, Touch
from conclint.knowledge.kinds import Context
from conclint.model import Place, Span
from conclint.program.deep import Step
from conclint.program.files import File
from conclint.program.takes import Taken
from conclint.program.testfiles import is_test
from conclint.program.values import function_id, split_id

if TYPE_CHECKING:
    from conclint.program.linking import Program

CHANGES = Touch.WRITE | Touch.ITEM | Touch.AUGMENTED


class Override(NamedTuple):
    """`method` changes `attribute` at `place` without the lock with which the method of the base, `base`, does."""

    method: str
    base: str
    attribute: str
    place: Place
    lock: Taken


class Overrides:
    """Finds those of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._mutators = frozenset(name for names in program.options.knowledge.mutators.values() for name in names)

    def all(self) -> Iterator[Override]:
        """One for each method."""
        locking = self._program.locking
        for base, taken in locking.takes.by_function.items():
            own = next((one for one in taken if one.own and one.waits and self._threads(one.lock)), None)
            file, function = self._program.calls.function(base)
            if own is not None and function.owner and not function.name.startswith("__"):
                for method in self._overriding(file, function):
                    found = self._override(base, method, own)
                    if found is not None:
                        yield found

    def _threads(self, lock: str) -> bool:
        kind = self._program.locking.takes.kind(lock)
        return kind is not None and kind.among is Context.THREAD

    def _overriding(self, file: File, function: FunctionFact) -> Iterator[str]:
        """The methods that subclasses have in its place."""
        owner = function_id(file.path, function.owner)
        for cls in self._program.names.classes.family(owner)[1:]:
            _, fact = self._program.names.scopes.class_(cls)
            for name, qualname in fact.methods if fact is not None else ():
                if name == function.name:
                    yield function_id(split_id(cls)[0], qualname)

    def _override(self, base: str, method: str, lock: Taken) -> Override | None:
        file, function = self._program.calls.function(method)
        locking = self._program.locking
        delegates = any(call.func == f"super().{function.name}" for call in function.calls)
        taken = locking.own.of(method) or locking.takes.of(method) or self._decorated(file, function)
        if delegates or taken or is_test(file.path) or self._held_by_callers(method, lock):
            return None
        first = lock.site.call.line
        changes = self._changes(*self._program.calls.function(base))
        guarded = {name for name, place in changes if place.span.line > first}
        for name, place in self._changes(file, function):
            if name in guarded:
                return Override(method, base, name, place, lock)
        return None

    @staticmethod
    def _decorated(file: File, function: FunctionFact) -> bool:
        """A decorator may hold the lock."""
        return bool({*function.decorators} - {"override", "typing.override", "abstractmethod", "abc.abstractmethod"})

    def _held_by_callers(self, method: str, lock: Taken) -> bool:
        """Whether every call for the own object comes from a method that takes the lock itself."""
        steps: list[Step] = []
        for site in self._program.calls.callers(method):
            steps += [step for step in self._program.locking.steps.at(site) if step.callee == method and step.own]
        takes = self._program.locking.takes
        return bool(steps) and all(lock.lock in takes.own(step.site.caller) for step in steps)

    def _changes(self, file: File, function: FunctionFact) -> Iterator[tuple[str, Place]]:
        """The attributes of its own object that a method changes, and where."""
        receiver = function.params[0].name + "." if function.params else "?"
        for path, bits, line in function.touches:
            name = path.removeprefix(receiver)
            if name != path and name.isidentifier() and bits & CHANGES:
                yield name, Place(file.path, Span(line, 1, line, 2))
        for call in function.calls:
            owner, _, last = call.func.rpartition(".")
            name = owner.removeprefix(receiver)
            if last in self._mutators and name != owner and name.isidentifier():
                yield name, Place(file.path, Span(call.line, call.column, call.line, call.column + 1))
