"""Who else takes from what a function has asked about: other methods of the same object, in threads of their own."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.index.facts import FunctionFact
from conclint.knowledge.kinds import Context
from conclint.program.contexts import Run
from conclint.program.linking import Program
from conclint.program.observations import Change
from conclint.program.values import function_id, split_id
from conclint.program.whose import maker_of, of_one_call


class Rivals:
    """Answers for one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._contexts = program.contexts

    def alone(self, change: Change) -> bool:
        """Whether one dedicated thread does it, and nobody else."""
        roots = self._dedicated(change.point.function)
        return len(roots) == 1 and not any(run.many for run in self._contexts.runs(change.point.function))

    def apart(self, change: Change, run: Run) -> bool:
        """Whether each of the threads has an object of its own, which keeps what is asked about."""
        maker = maker_of(run.home)
        one_each = bool(maker) and of_one_call(run, maker, self._program.options.knowledge.spawners)
        return change.text.startswith("self.") and (one_each or not run.many_each)

    def of(self, change: Change, acts: frozenset[str]) -> Run | None:
        """The thread in which another method of the same object does one of the acts, beside this one."""
        own = self._dedicated(change.point.function)
        for function in self._others(change, {f"{change.text}.{act}" for act in acts}):
            for run in self._contexts.runs(function_id(change.place.path, function.qualname)):
                if run.context is Context.THREAD and own != {run.root.number}:
                    return run
        return None

    def _dedicated(self, function: str) -> set[int]:
        """The starts that lead here, unless anybody may come."""
        runs = self._contexts.runs(function)
        return set() if self._contexts.is_main(function) else {run.root.number for run in runs}

    def _others(self, change: Change, wanted: set[str]) -> Iterator[FunctionFact]:
        file = self._program.names.files[change.place.path]
        here = file.body.functions[split_id(change.point.function)[1]]
        if here.owner and change.text.startswith("self."):
            for function in file.functions():
                other = function.owner == here.owner and function.qualname != here.qualname
                if other and any(call.func in wanted for call in function.calls):
                    yield function
